"""Values that cross the border between a student's process and those that judge it.

A value travels as a JSON tree plus binary buffers, each an ``.npy`` image. Both sides write it with
an :class:`Encoder` and read it with a :class:`Decoder`, which accepts nothing but the forms listed
here: no objects, no pickles, bounded sizes, each buffer used once. Types are kept: an int of any size
comes as an int, a NumPy scalar as itself, a Series with its index. What has no form is refused, never
cut; whoever asks decides what a refusal means, by giving :meth:`Encoder.other` and
:meth:`Decoder.other` a meaning of their own (:mod:`proctor.lift` sends stand-ins there).

:func:`encode` and :func:`decode` are what the checks of a lab use: there, what has no form is
:class:`Opaque`, and what is nearly an array is :class:`Foreign`.

The student's process runs this same file (:mod:`proctor.kernel.agent` ships its source), so it imports the
standard library, NumPy and :mod:`proctor.kernel.dataframes` alone.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import io
import itertools
import math
import pathlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from proctor.kernel import dataframes

MAX_BYTES = 64 * 2**20
"""Largest sum of buffers in one reply, in bytes."""
MAX_ITEMS = 20_000
"""Largest number of nodes in one reply's tree, of a check's value."""
MOST_ITEMS = 4_000_000
"""Largest number of nodes in one reply's tree, of any value."""
MAX_TEXT = 20_000
"""Longest string of a check's value, in characters; a longer one is :class:`Opaque`."""
MAX_DEPTH = 12
MAX_ORDERED = 6
"""Largest set whose order is kept."""
NUMERIC = "?bhilqBHILQefdgFDpP"
WORDS = "USMm"
"""Further array types that have a form: text, bytes, times."""


class ValueFormatError(ValueError):
    """What came from the other side is not a value of the agreed form."""


class UnsendableError(ValueError):
    """A value has no form in which it could travel whole."""


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


def type_name(value: object) -> str:
    """Full name of a value's type; plain names for built-in types."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


Tree = dict[str, Any]


class Encoder:
    """Writes values as trees, arrays to `buffers`.

    Parameters
    ----------
    buffers : list of bytes
        Where arrays go.
    items, depth : int
        Most nodes of all trees together, and deepest nesting.

    Attributes
    ----------
    objects : bool
        Whether arrays of objects have a form.
    """

    objects = True

    def __init__(self, buffers: list[bytes], items: int = MOST_ITEMS, depth: int = 60) -> None:
        self.buffers = buffers
        self.items = items
        self.depth = depth
        self.room = MAX_BYTES - sum(map(len, buffers))

    def value(self, value: Any, depth: int = 0) -> Tree:
        """Write one value.

        Raises
        ------
        UnsendableError
            If it, or something in it, has no form, is too large or too deep.
        """
        self.items -= 1
        if self.items < 0:
            raise UnsendableError("a value of too many parts")
        if depth > self.depth:
            raise UnsendableError("a value that is nested too deeply")
        write = _WRITERS.get(type(value))
        if write is not None:
            return write(self, value, depth)
        tree = _rare(self, value, depth)
        return self.other(value, depth) if tree is None else tree

    def values(self, values: Iterable[Any], depth: int) -> list[Tree]:
        """Write several."""
        return [self.value(value, depth + 1) for value in values]

    def other(self, value: Any, depth: int) -> Tree:
        """Write what has no form of its own."""
        raise UnsendableError(f"a value of type {type_name(value)}")

    def array(self, array: np.ndarray) -> int:
        """Put an array among the buffers and return its number."""
        if array.nbytes > self.room:
            raise UnsendableError(f"an array of {array.nbytes / 2**20:.0f} MB")
        file = io.BytesIO()
        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
        self.buffers.append(file.getvalue())
        self.room -= array.nbytes
        return len(self.buffers) - 1

    def numeric(self, array: np.ndarray) -> bool:
        """Whether an array's type has a form."""
        return array.dtype.char in NUMERIC + WORDS and not array.dtype.hasobject


class Decoder:
    """Reads values from trees that nobody vouches for; see :class:`Encoder`."""

    words = NUMERIC + WORDS
    objects = True

    def __init__(self, buffers: list[Any], items: int = MOST_ITEMS, depth: int = 60) -> None:
        self.buffers: list[Any] = list(buffers)
        self.items = items
        self.depth = depth

    def value(self, tree: Any, depth: int = 0) -> Any:
        """Read one value.

        Raises
        ------
        ValueFormatError
            If anything is not of the agreed form, too deep, too many or too large.
        """
        self.items -= 1
        if self.items < 0 or depth > self.depth:
            raise ValueFormatError("the reply has too many parts")
        if not isinstance(tree, dict) or not isinstance(tree.get("t"), str):
            raise ValueFormatError("a part of the reply has no type")
        read = _READERS.get(tree["t"]) or dataframes.READERS.get(tree["t"])
        if read is None:
            return self.other(tree, depth)
        try:
            return read(self, tree.get("v"), tree, depth)
        except ValueFormatError:
            raise
        except (ValueError, TypeError, KeyError, OverflowError, ArithmeticError) as error:
            raise ValueFormatError(f"a part of the reply is no {tree['t']}") from error

    def values(self, trees: Any, depth: int) -> list[Any]:
        """Read several."""
        if not isinstance(trees, list):
            raise ValueFormatError("a part of the reply is no list")
        return [self.value(tree, depth + 1) for tree in trees]

    def pairs(self, trees: Any, depth: int) -> list[tuple[Any, Any]]:
        """Read pairs, whose first parts can be keys."""
        if not isinstance(trees, list):
            raise ValueFormatError("a part of the reply is no list")
        return [self.pair(pair, depth + 1) for pair in trees]

    def pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        """Read a key and its value."""
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueFormatError("a dictionary entry is not a pair")
        key = self.value(pair[0], depth)
        hash(key)
        return key, self.value(pair[1], depth)

    def record_class(self, name: str, fields: tuple[str, ...]) -> Any:
        """Return the class of named tuples of that name and those fields."""
        if (name, fields) not in _records:
            if len(_records) > 100:
                raise ValueFormatError("too many kinds of named tuples")
            _records[name, fields] = collections.namedtuple(name, fields)
        return _records[name, fields]

    def other(self, tree: Tree, depth: int) -> Any:
        """Read what has no form of its own."""
        raise ValueFormatError("a part of the reply is of an unknown form")

    def array(self, index: Any, types: str = "") -> np.ndarray:
        """Take the array of that number; each can be taken once."""
        if type(index) is not int or not 0 <= index < len(self.buffers):
            raise ValueFormatError("an array without its numbers")
        data, self.buffers[index] = self.buffers[index], None
        if data is None:
            raise ValueFormatError("an array that came before")
        return read_npy(bytes(data), types or self.words)


def _text(value: Any) -> str:
    """Check text: JSON may hold half characters, UTF-8 may not."""
    if type(value) is not str:
        raise ValueFormatError("text that is none")
    return value.encode("utf-8", "replace").decode("utf-8")


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueFormatError(f"a part of the reply is no {kind.__name__}")
    return value


def _float(text: Any) -> float:
    if type(text) is not str or len(text) > 64:
        raise ValueFormatError("a number that cannot be read")
    return float.fromhex(text)


def _int(value: Any) -> int:
    if type(value) is str and value.lstrip("-")[:2] == "0x" and len(value) <= 2**20:
        return int(value, 16)
    return int(_of(int, value))


def _whole(value: int) -> int | str:
    return value if abs(value) < 2**53 else hex(value)


def _real(value: float) -> str:
    return value.hex() if math.isfinite(value) else repr(value)


def _string(encoder: Encoder, value: str, depth: int) -> Tree:
    """Text travels as it is; half characters, which no UTF-8 holds, as their code points."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        if len(value) > 2**16:
            raise UnsendableError("text with half characters") from None
        return {"t": "points", "v": [ord(char) for char in value]}
    return {"t": "str", "v": value}


def _sequence(encoder: Encoder, value: Any, depth: int) -> Tree:
    """Write a list or a tuple: in one piece where all of it is of one plain type."""
    name = type(value).__name__
    if len(value) > encoder.items:
        raise UnsendableError(f"a {name} of {len(value):,} parts")
    kinds = set(map(type, value)) if len(value) > 3 else set()
    if kinds == {int} and min(value) > -(2**53) and max(value) < 2**53:
        encoder.items -= len(value)
        return {"t": name, "of": "int", "v": list(value)}
    if kinds == {float} and all(map(math.isfinite, value)):
        encoder.items -= len(value)
        return {"t": name, "of": "float", "v": list(value)}
    if len(value) > encoder.items:
        raise UnsendableError(f"a {name} of {len(value):,} parts")
    return {"t": name, "v": encoder.values(value, depth)}


def _read_sequence(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    kind = {"list": list, "tuple": tuple}[tree["t"]]
    plain = tree.get("of")
    if plain is None:
        return kind(decoder.values(body, depth))
    if plain not in ("int", "float") or not isinstance(body, list):
        raise ValueFormatError("a list of an unknown type")
    decoder.items -= len(body)
    expected = {"int": int, "float": float}[plain]
    if decoder.items < 0 or any(type(item) is not expected for item in body):
        raise ValueFormatError("a list of other things than it says")
    return kind(body)


def _dictionary(encoder: Encoder, value: dict[Any, Any], depth: int) -> list[list[Tree]]:
    if 2 * len(value) > encoder.items:
        raise UnsendableError(f"a dict of {len(value):,} entries")
    return [[encoder.value(k, depth + 1), encoder.value(v, depth + 1)] for k, v in value.items()]


def _defaultdict(encoder: Encoder, value: Any, depth: int) -> Tree:
    factory = value.default_factory
    if factory is not None and factory not in _FACTORIES.values():
        return encoder.other(value, depth)
    name = factory.__name__ if factory else ""
    return {"t": "defaultdict", "f": name, "v": _dictionary(encoder, value, depth)}


def _array(encoder: Encoder, value: np.ndarray, depth: int) -> Tree:
    if value.dtype.char == "O" and encoder.objects:
        return {
            "t": "objects",
            "s": list(value.shape),
            "v": encoder.values(value.ravel().tolist(), depth),
        }
    if not encoder.numeric(value):
        return encoder.other(value, depth)
    tree = {"t": "array", "type": "numpy.ndarray", "b": encoder.array(value)}
    return tree if value.flags.writeable else {**tree, "fixed": True}


def _read_array(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    name = tree.get("type")
    if type(name) is not str:
        raise ValueFormatError("an array without its numbers")
    array = decoder.array(tree.get("b"))
    if name != "numpy.ndarray":
        return Foreign(_text(name)[:200], array)
    if tree.get("fixed") is True:
        array.flags.writeable = False
    return array


def _read_objects(decoder: Decoder, body: Any, tree: Tree, depth: int) -> np.ndarray:
    if not decoder.objects:
        raise ValueFormatError("an array that is not numeric")
    items = decoder.values(body, depth)
    shape = [_of(int, size) for size in _of(list, tree["s"])]
    if len(shape) > 8 or min(shape, default=0) < 0 or math.prod(shape) != len(items):
        raise ValueFormatError("an array whose size and shape disagree")
    flat = np.empty(len(items), object)
    for place, item in enumerate(items):
        flat[place] = item
    return flat.reshape(shape)


def _read_set(kind: Callable[[Iterable[Any]], Any], items: list[Any]) -> Any:
    """Make a set; a small one is gone through, and so is shown, in the order of the other side.

    Its order depends on how large its table is, which a display makes smaller than adding part by part
    does (a set made from a dictionary gets that size, too), and, where two parts want one place, on
    which came first. Both are tried.
    """
    made = kind(items)
    if len(items) <= MAX_ORDERED and list(made) != items:
        for order in itertools.permutations(items):
            for tried in (kind(order), kind(dict.fromkeys(order))):
                if list(tried) == items:
                    return tried
    return made


_FACTORIES = {kind.__name__: kind for kind in (int, float, str, list, dict, set, tuple, bool)}
_UTC = datetime.UTC

_WRITERS: dict[type, Callable[[Encoder, Any, int], Tree]] = {
    type(None): lambda e, v, d: {"t": "none"},
    bool: lambda e, v, d: {"t": "bool", "v": v},
    int: lambda e, v, d: {"t": "int", "v": _whole(v)},
    float: lambda e, v, d: {"t": "float", "v": _real(v)},
    str: _string,
    list: _sequence,
    tuple: _sequence,
    dict: lambda e, v, d: {"t": "dict", "v": _dictionary(e, v, d)},
    np.ndarray: _array,
    complex: lambda e, v, d: {"t": "complex", "v": [_real(v.real), _real(v.imag)]},
    bytes: lambda e, v, d: {"t": "bytes", "b": e.array(np.frombuffer(v, np.uint8))},
    bytearray: lambda e, v, d: {"t": "bytearray", "b": e.array(np.frombuffer(bytes(v), np.uint8))},
    type(...): lambda e, v, d: {"t": "ellipsis"},
    type(NotImplemented): lambda e, v, d: {"t": "notimplemented"},
    range: lambda e, v, d: {"t": "range", "v": [_whole(n) for n in (v.start, v.stop, v.step)]},
    slice: lambda e, v, d: {"t": "slice", "v": e.values((v.start, v.stop, v.step), d)},
    set: lambda e, v, d: {"t": "set", "v": e.values(v, d)},
    frozenset: lambda e, v, d: {"t": "frozenset", "v": e.values(v, d)},
    type({}.keys()): lambda e, v, d: {"t": "keys", "v": e.values(v, d)},
    type({}.values()): lambda e, v, d: {"t": "values", "v": e.values(v, d)},
    type({}.items()): lambda e, v, d: {"t": "items", "v": _dictionary(e, dict(v), d)},
    collections.Counter: lambda e, v, d: {"t": "Counter", "v": _dictionary(e, v, d)},
    collections.OrderedDict: lambda e, v, d: {"t": "OrderedDict", "v": _dictionary(e, v, d)},
    collections.defaultdict: _defaultdict,
    collections.deque: lambda e, v, d: {"t": "deque", "m": v.maxlen, "v": e.values(v, d)},
    decimal.Decimal: lambda e, v, d: {"t": "Decimal", "v": str(v)},
    fractions.Fraction: lambda e, v, d: {
        "t": "Fraction",
        "v": [_whole(v.numerator), _whole(v.denominator)],
    },
    datetime.date: lambda e, v, d: {"t": "date", "v": v.isoformat()},
    datetime.timedelta: lambda e, v, d: {
        "t": "timedelta",
        "v": [v.days, v.seconds, v.microseconds],
    },
}

Reader = Callable[[Decoder, Any, Tree, int], Any]
_READERS: dict[str, Reader] = {
    "none": lambda d, v, t, n: None,
    "bool": lambda d, v, t, n: _of(bool, v),
    "int": lambda d, v, t, n: _int(v),
    "float": lambda d, v, t, n: _float(v),
    "str": lambda d, v, t, n: _text(v),
    "points": lambda d, v, t, n: "".join(chr(_of(int, c)) for c in _of(list, v)[: 2**16]),
    "list": _read_sequence,
    "tuple": _read_sequence,
    "dict": lambda d, v, t, n: dict(d.pairs(v, n)),
    "array": _read_array,
    "objects": _read_objects,
    "complex": lambda d, v, t, n: complex(_float(v[0]), _float(v[1])),
    "bytes": lambda d, v, t, n: d.array(t["b"]).tobytes(),
    "bytearray": lambda d, v, t, n: bytearray(d.array(t["b"]).tobytes()),
    "ellipsis": lambda d, v, t, n: ...,
    "notimplemented": lambda d, v, t, n: NotImplemented,
    "range": lambda d, v, t, n: range(*(_int(x) for x in _of(list, v)[:3])),
    "slice": lambda d, v, t, n: slice(*d.values(v, n)),
    "set": lambda d, v, t, n: _read_set(set, d.values(v, n)),
    "frozenset": lambda d, v, t, n: _read_set(frozenset, d.values(v, n)),
    "keys": lambda d, v, t, n: dict.fromkeys(d.values(v, n)).keys(),
    "values": lambda d, v, t, n: dict(enumerate(d.values(v, n))).values(),
    "items": lambda d, v, t, n: dict(d.pairs(v, n)).items(),
    "Counter": lambda d, v, t, n: collections.Counter(dict(d.pairs(v, n))),
    "OrderedDict": lambda d, v, t, n: collections.OrderedDict(d.pairs(v, n)),
    "defaultdict": lambda d, v, t, n: collections.defaultdict(
        _FACTORIES[t["f"]] if t["f"] else None, d.pairs(v, n)
    ),
    "deque": lambda d, v, t, n: collections.deque(
        d.values(v, n), None if t["m"] is None else _of(int, t["m"])
    ),
    "Decimal": lambda d, v, t, n: decimal.Decimal(_of(str, v)),
    "Fraction": lambda d, v, t, n: fractions.Fraction(_int(v[0]), _int(v[1])),
    "date": lambda d, v, t, n: datetime.date.fromisoformat(_of(str, v)),
    "datetime": lambda d, v, t, n: datetime.datetime.fromisoformat(_of(str, v)),
    "time": lambda d, v, t, n: datetime.time.fromisoformat(_of(str, v)),
    "timedelta": lambda d, v, t, n: datetime.timedelta(*(_of(int, x) for x in _of(list, v)[:3])),
    "scalar": lambda d, v, t, n: d.array(t["b"])[()],
    "text scalar": lambda d, v, t, n: np.str_(d.value(v, n + 1)),
    "dtype": lambda d, v, t, n: np.dtype(_of(str, v)[:40]),
    "matrix": lambda d, v, t, n: d.array(t["b"]).view(np.matrix),
    "masked": lambda d, v, t, n: np.ma.MaskedArray(d.array(t["b"]), d.array(t["m"])),
    "record": lambda d, v, t, n: _record(d, v, t, n),
    "record class": lambda d, v, t, n: _record_class(d, t),
    "path": lambda d, v, t, n: pathlib.PurePosixPath(v) if t["p"] else pathlib.PosixPath(v),
    "random state": lambda d, v, t, n: _random_state(d, v, n),
    "memory": lambda d, v, t, n: _memory(d, v, t, n),
    "picture": lambda d, v, t, n: _picture(d, t),
    "generator": lambda d, v, t, n: _generator(d, v, t, n),
}


def _rare(encoder: Encoder, value: Any, depth: int) -> Tree | None:
    """Write what is found by more than its exact type; None if there is no form."""
    kind = type(value)
    if kind is datetime.datetime and value.tzinfo in (None, _UTC):
        return {"t": "datetime", "v": value.isoformat()}
    if kind is datetime.time and value.tzinfo is None:
        return {"t": "time", "v": value.isoformat()}
    if issubclass(kind, np.generic) and kind.__module__ == "numpy":
        if kind is np.str_:
            return {"t": "text scalar", "v": encoder.value(str(value), depth + 1)}
        if encoder.numeric(np.asarray(value)):
            return {"t": "scalar", "b": encoder.array(np.asarray(value))}
    if issubclass(kind, np.dtype) and value.names is None and value.char in NUMERIC + WORDS + "O":
        return {"t": "dtype", "v": value.str}
    if kind is np.matrix and encoder.numeric(value):
        return {"t": "matrix", "b": encoder.array(np.asarray(value))}
    if _is_masked(value) and encoder.numeric(value):
        mask = np.ma.getmaskarray(value)
        return {"t": "masked", "b": encoder.array(value.data), "m": encoder.array(mask)}
    if issubclass(kind, tuple) and hasattr(kind, "_fields") and kind.__bases__ == (tuple,):
        body = encoder.values(tuple.__iter__(value), depth)
        return {"t": "record", "n": kind.__name__, "f": list(kind._fields), "v": body}
    if kind in (io.StringIO, io.BytesIO) and not value.closed:
        return {"t": "memory", "p": value.tell(), "v": encoder.value(value.getvalue(), depth + 1)}
    pictures = sys.modules.get("PIL.Image") if encoder.objects else None
    if pictures is not None and issubclass(kind, pictures.Image):
        pixels = encoder.array(np.frombuffer(value.tobytes(), np.uint8))
        return {"t": "picture", "m": value.mode, "s": list(value.size), "b": pixels}
    if kind in (pathlib.PosixPath, pathlib.PurePosixPath):
        return {"t": "path", "v": str(value), "p": kind is pathlib.PurePosixPath}
    if kind is np.random.RandomState:
        return {"t": "random state", "v": encoder.value(value.get_state(legacy=False), depth + 1)}
    if kind is np.random.Generator and type(value.bit_generator).__name__ in _BITS:
        return {"t": "generator", "v": encoder.value(value.bit_generator.state, depth + 1)}
    return dataframes.write(encoder, value, depth)


_BITS = ("PCG64", "MT19937", "PCG64DXSM", "Philox", "SFC64")
_records: dict[tuple[str, tuple[str, ...]], Any] = {}


def _is_masked(value: Any) -> bool:
    """Whether it is a masked array: without asking NumPy for what nobody has imported yet."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and type(value) is masked.MaskedArray


def _record(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    return _record_class(decoder, tree)(*decoder.values(body, depth))


def _record_class(decoder: Decoder, tree: Tree) -> Any:
    fields = tuple(_of(str, name) for name in _of(list, tree["f"]))
    return decoder.record_class(_of(str, tree["n"]), fields)


def record_class(kind: type) -> Tree | None:
    """Write a class of named tuples that has nothing but its fields; None if it is something else."""
    fields = getattr(kind, "_fields", None)
    if kind.__bases__ != (tuple,) or type(fields) is not tuple or kind._field_defaults:  # type: ignore[attr-defined]
        return None
    if not vars(kind).keys() <= _RECORD_PARTS.union(fields):
        return None
    return {"t": "record class", "n": kind.__name__, "f": list(fields)}


_RECORD_PARTS = vars(collections.namedtuple("_Any", "")).keys() | {
    "__annotations__", "__orig_bases__", "__slotnames__", "__static_attributes__", "__firstlineno__",
}  # fmt: skip


def _memory(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    content = decoder.value(body, depth + 1)
    file: Any = io.StringIO(content) if isinstance(content, str) else io.BytesIO(content)
    file.seek(_of(int, tree["p"]))
    return file


def _picture(decoder: Decoder, tree: Tree) -> Any:
    from PIL import Image

    mode, (width, height) = _of(str, tree["m"]), _of(list, tree["s"])
    if mode not in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA"):
        raise ValueFormatError("a picture of an unknown kind")
    return Image.frombytes(
        mode, (_of(int, width), _of(int, height)), decoder.array(tree["b"]).tobytes()
    )


def _generator(decoder: Decoder, body: Any, tree: Tree, depth: int) -> np.random.Generator:
    state = decoder.value(body, depth + 1)
    if state["bit_generator"] not in _BITS:
        raise ValueFormatError("a random generator of an unknown kind")
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = state
    return np.random.Generator(bits)


def _random_state(decoder: Decoder, body: Any, depth: int) -> np.random.RandomState:
    made = np.random.RandomState(0)
    made.set_state(decoder.value(body, depth + 1))
    return made


def read_npy(data: bytes, types: str = NUMERIC) -> np.ndarray:
    """Read an ``.npy`` image that must be exactly as long as its header says.

    Raises
    ------
    ValueFormatError
        If the header is wrong, the type is not among `types`, or the length does not match.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueFormatError("an array in an unknown format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=1000)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueFormatError("an array with a broken header") from error
    if dtype.char not in types or dtype.hasobject:
        raise ValueFormatError("an array that is not numeric")
    if any(type(n) is not int or n < 0 for n in shape) or len(shape) > 8:
        raise ValueFormatError("an array with an impossible shape")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - file.tell():
        raise ValueFormatError("an array whose size and shape disagree")
    if not dtype.itemsize or not count:
        return np.zeros(shape, dtype, "F" if fortran else "C")
    flat = np.frombuffer(data, dtype=dtype, offset=file.tell())
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array.copy(order="K")


# What the checks of a lab use.


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
        if isinstance(value, np.generic) or _is_masked(value):
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

    def other(self, tree: Tree, depth: int) -> Any:
        if tree["t"] in ("object", "helper") and type(tree.get("type")) is str:
            return Opaque(_text(tree["type"][:200]))
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
