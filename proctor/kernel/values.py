"""Values that cross the border between the examiner and the student's process.

A value travels as a JSON tree plus binary buffers, each an ``.npy`` image. Both sides write it with
:func:`encode`; the examiner reads with :func:`decode`, which accepts nothing but the forms listed
here: no objects, no pickles, bounded sizes. The student's process runs this same file
(:mod:`proctor.kernel.agent` ships its source), so it imports the standard library and NumPy alone.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

MAX_BYTES = 64 * 2**20
"""Largest sum of buffers in one reply, in bytes."""
MAX_ITEMS = 20_000
"""Largest number of nodes in one reply's tree."""
MAX_TEXT = 20_000
"""Longest string, in characters; longer ones are cut where they are encoded."""
MAX_DEPTH = 12
NUMERIC = "?bhilqBHILQefdgFDpP"


class ValueFormatError(ValueError):
    """What came from the other side is not a value of the agreed form."""


@dataclass(frozen=True)
class Foreign:
    """An array-like that is not a plain NumPy array: a tensor, a NumPy scalar, a subclass.

    Attributes
    ----------
    type_name : str
        Its type as the student's process names it, for example
        ``tensorflow.python.framework.ops.EagerTensor``.
    array : numpy.ndarray
        Its numbers.
    """

    type_name: str
    array: np.ndarray

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype)


@dataclass(frozen=True)
class Opaque:
    """An object of which only the type's name came over.

    Attributes
    ----------
    type_name : str
        Its type as the student's process names it.
    name : str
        The student's name for it; given as an argument to a call, it stands for the object itself.
    """

    type_name: str
    name: str = ""


class StudentError(Exception):
    """The student's own code raised.

    Attributes
    ----------
    type_name, message : str
        The exception's class and text.
    line : str
        The last line of the student's own code on the way to it; empty if there is none.
    printed : str
        What was printed before.
    """

    def __init__(self, type_name: str, message: str, line: str = "", printed: str = "") -> None:
        super().__init__(f"{type_name}: {message}" if message else type_name)
        self.type_name = type_name
        self.message = message
        self.line = line
        self.printed = printed


def type_name(value: object) -> str:
    """Full name of a value's type; plain names for built-in types."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def encode(value: Any, buffers: list[bytes], depth: int = 0) -> dict[str, Any]:
    """Turn `value` into a JSON tree, appending arrays to `buffers`.

    What has no form of its own becomes ``{"t": "object", ...}`` with its type's name.
    """
    if value is None:
        return {"t": "none"}
    if isinstance(value, Opaque) and value.name:
        return {"t": "name", "v": value.name}
    if isinstance(value, FunctionType):
        return {"t": "helper", "v": value.__name__, "type": "function", "call": True}
    if type(value) is bool:
        return {"t": "bool", "v": value}
    if type(value) is int and abs(value) < 2**62:
        return {"t": "int", "v": value}
    if type(value) is float:
        return {"t": "float", "v": value.hex() if math.isfinite(value) else repr(value)}
    if type(value) is str:
        return {"t": "str", "v": value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")}
    if depth < MAX_DEPTH:
        if type(value) in (list, tuple) and len(value) <= MAX_ITEMS:
            items = [encode(item, buffers, depth + 1) for item in value]
            return {"t": type(value).__name__, "v": items}
        if type(value) is dict and len(value) <= MAX_ITEMS:
            pairs = [
                [encode(k, buffers, depth + 1), encode(v, buffers, depth + 1)]
                for k, v in value.items()
            ]
            return {"t": "dict", "v": pairs}
    return _encode_array(value, buffers) or {
        "t": "object",
        "type": type_name(value)[:200],
        "call": callable(value),
    }


def _encode_array(value: Any, buffers: list[bytes]) -> dict[str, Any] | None:
    if isinstance(value, Foreign):
        value = value.array
    if not (isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__")):
        return None
    if isinstance(value, type):
        return None
    plain = np.asarray(value)
    name = type_name(value)
    if plain.dtype.char not in NUMERIC:
        return {"t": "object", "type": f"{name} of dtype {plain.dtype}"[:200], "call": False}
    if plain.nbytes + sum(map(len, buffers)) > MAX_BYTES:
        return {"t": "object", "type": f"{name} of shape {plain.shape}"[:200], "call": False}
    file = io.BytesIO()
    np.lib.format.write_array(file, plain, allow_pickle=False)
    buffers.append(file.getvalue())
    return {"t": "array", "type": name[:200], "b": len(buffers) - 1}


def decode(tree: Any, buffers: list[Any]) -> Any:
    """Read a value from an untrusted tree and its buffers.

    Raises
    ------
    ValueFormatError
        If anything is not of the agreed form, too deep, too many or too large.
    """
    if sum(len(buffer) for buffer in buffers) > MAX_BYTES + 2**16:
        raise ValueFormatError("the reply is too large")
    return _Decoder(buffers).value(tree, 0)


class _Decoder:
    def __init__(self, buffers: list[Any]) -> None:
        self.buffers = buffers
        self.nodes = 0

    def value(self, tree: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_ITEMS * 2 or depth > MAX_DEPTH + 1:
            raise ValueFormatError("the reply has too many parts")
        if not isinstance(tree, dict):
            raise ValueFormatError("a part of the reply has no type")
        kind, body = tree.get("t"), tree.get("v")
        if kind == "none":
            return None
        if kind == "bool" and type(body) is bool:
            return body
        if kind == "int" and type(body) is int:
            return body
        if kind == "float" and type(body) is str and len(body) < 64:
            return _float(body)
        if kind == "str" and type(body) is str:  # JSON may hold half characters, UTF-8 may not
            return body[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
        if kind in ("list", "tuple") and isinstance(body, list):
            items = [self.value(item, depth + 1) for item in body]
            return items if kind == "list" else tuple(items)
        if kind == "dict" and isinstance(body, list):
            return dict(self.pair(pair, depth + 1) for pair in body)
        if kind == "array":
            return self.array(tree)
        if kind in ("object", "helper") and type(tree.get("type")) is str:
            return Opaque(tree["type"][:200].encode("utf-8", "replace").decode("utf-8"))
        raise ValueFormatError("a part of the reply is of an unknown form")

    def pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueFormatError("a dictionary entry is not a pair")
        key = self.value(pair[0], depth)
        if not isinstance(key, str | int | float | bool | None):
            raise ValueFormatError("a dictionary key is not a plain value")
        return key, self.value(pair[1], depth)

    def array(self, tree: dict[str, Any]) -> np.ndarray | Foreign:
        index, name = tree.get("b"), tree.get("type")
        if type(index) is not int or not 0 <= index < len(self.buffers) or type(name) is not str:
            raise ValueFormatError("an array without its numbers")
        array = read_npy(bytes(self.buffers[index]))
        name = name[:200].encode("utf-8", "replace").decode("utf-8")
        return array if name == "numpy.ndarray" else Foreign(name, array)


def _float(text: str) -> float:
    try:
        return float.fromhex(text)
    except (ValueError, OverflowError) as error:
        raise ValueFormatError("a number that cannot be read") from error


def read_npy(data: bytes) -> np.ndarray:
    """Read an ``.npy`` image that must be exactly as long as its header says.

    Raises
    ------
    ValueFormatError
        If the header is wrong, the type is not numeric, or the length does not match.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueFormatError("an array in an unknown format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=1000)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueFormatError("an array with a broken header") from error
    if dtype.char not in NUMERIC or dtype.hasobject:
        raise ValueFormatError("an array that is not numeric")
    if any(type(n) is not int or n < 0 for n in shape) or len(shape) > 8:
        raise ValueFormatError("an array with an impossible shape")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - file.tell():
        raise ValueFormatError("an array whose size and shape disagree")
    flat = np.frombuffer(data, dtype=dtype, offset=file.tell())
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array.copy()
