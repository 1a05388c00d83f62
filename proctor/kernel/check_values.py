"""Values as the checks of a lab see them.

What has no form is :class:`Opaque`, what is nearly an array :class:`Foreign`, and what the student's code
raised a :class:`StudentError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from proctor.kernel.arrays import NUMERIC, Tree, UnsendableError, ValueFormatError
from proctor.kernel.value_forms import is_masked, text
from proctor.kernel.values import MAX_BYTES, Decoder, Encoder, type_name

MAX_ITEMS = 20_000
"""Largest number of nodes in one reply's tree, of a check's value."""
MAX_TEXT = 20_000
"""Longest string of a check's value, in characters; a longer one is :class:`Opaque`."""
MAX_DEPTH = 12


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
    """

    def __init__(self, type_name: str, message: str, line: str = "") -> None:
        super().__init__(f"{type_name}: {message}" if message else type_name)
        self.type_name = type_name
        self.message = message
        self.line = line

    @property
    def not_started(self) -> bool:
        """Whether a cell that is as it was given raised it. A class comes over only as its name."""
        return self.type_name.rpartition(".")[2] == "NotStarted"


class _CheckEncoder(Encoder):
    """Writes a check's values: what has no form becomes ``{"t": "object", ...}``."""

    objects = False

    def value(self, value: Any, depth: int = 0) -> Tree:
        """Write one value; never refuses."""
        if isinstance(value, Opaque) and value.name:
            return {"t": "name", "v": value.name}
        if isinstance(value, FunctionType):
            return {"t": "helper", "v": value.__name__, "type": "function", "call": True}
        if type(value) is str and len(value) > MAX_TEXT:
            return _object(f"str of {len(value):,} characters")
        if depth > MAX_DEPTH:
            return _object(type_name(value))
        if isinstance(value, np.generic) or is_masked(value):
            return self.other(value, depth)
        before = len(self.buffers), self.room, self.items
        try:
            return super().value(value, depth)
        except UnsendableError:
            del self.buffers[before[0] :]
            self.room, self.items = before[1:]
            return self.other(value, depth)

    def numeric(self, array: np.ndarray) -> bool:
        """Numbers alone."""
        return array.dtype.char in NUMERIC

    def other(self, value: Any, depth: int) -> Tree:
        """Write an array-like by its numbers, all else by its type's name."""
        if isinstance(value, Foreign):
            value = value.array
        name = type_name(value)
        like = isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__")
        if not like or isinstance(value, type):
            return _object(name, call=callable(value))
        plain = np.asarray(value)
        if plain.dtype.char not in NUMERIC:
            return _object(f"{name} of dtype {plain.dtype}")
        if plain.nbytes > self.room:
            return _object(f"{name} of shape {plain.shape}")
        return {"t": "array", "type": name[:200], "b": self.array(plain)}


def _object(name: str, *, call: bool = False) -> Tree:
    return {"t": "object", "type": name[:200], "call": call}


class _CheckDecoder(Decoder):
    words = NUMERIC
    objects = False

    def named_array(self, name: str, array: np.ndarray) -> Foreign:
        return Foreign(name, array)

    def other(self, tree: Tree, depth: int) -> Any:
        if tree["t"] in ("object", "helper") and type(tree.get("type")) is str:
            return Opaque(text(tree["type"][:200]))
        raise ValueFormatError("a part of the reply is of an unknown form")


def encode(value: Any, buffers: list[bytes]) -> Tree:
    """Turn a check's value into a JSON tree, appending arrays to `buffers`.

    What has no form of its own becomes ``{"t": "object", ...}`` with its type's name.
    """
    return _CheckEncoder(buffers, MAX_ITEMS, MAX_DEPTH).value(value)


def decode(tree: Any, buffers: list[Any]) -> Any:
    """Read a check's value from an untrusted tree and its buffers.

    Raises
    ------
    ValueFormatError
        If anything is not of the agreed form, too deep, too many or too large.
    """
    if sum(len(buffer) for buffer in buffers) > MAX_BYTES + 2**16:
        raise ValueFormatError("the reply is too large")
    return _CheckDecoder(buffers, 2 * MAX_ITEMS, MAX_DEPTH + 1).value(tree)
