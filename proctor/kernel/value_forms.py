"""The forms of values: how each type is written as a tree, and read from one.

Tables by type and by form, for :class:`proctor.kernel.values.Encoder` and
:class:`proctor.kernel.values.Decoder`, which know when to refuse. A value is read from nothing but the
forms listed here: no objects, no pickles.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import itertools
import math
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from proctor.kernel import dataframes, object_forms
from proctor.kernel.arrays import NUMERIC, WORDS, Tree, UnsendableError, ValueFormatError, of

if TYPE_CHECKING:
    from proctor.kernel.values import Decoder, Encoder


LONGEST_RANGE = 50_000_000
"""Longest range that is read: to go through it takes a second, in which no limit of time can stop it."""
MAX_ORDERED = 6
"""Largest set whose order is kept."""


def text(value: Any) -> str:
    """Check text: JSON may hold half characters, UTF-8 may not."""
    if type(value) is not str:
        raise ValueFormatError("text that is none")
    return value.encode("utf-8", "replace").decode("utf-8")


def _float(text: Any) -> float:
    if type(text) is not str or len(text) > 64:
        raise ValueFormatError("a number that cannot be read")
    return float.fromhex(text)


def _int(value: Any) -> int:
    if type(value) is str and value.lstrip("-")[:2] == "0x" and len(value) <= 2**20:
        return int(value, 16)
    return int(of(int, value))


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
        empty = factory()  # `lambda: 0` is as good as `int`
        factory = _FACTORIES.get(type(empty).__name__)
        if factory is None or type(empty) is not factory or empty != factory():
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
        return decoder.named_array(text(name)[:200], array)
    if tree.get("fixed") is True:
        array.flags.writeable = False
    return array


def _read_objects(decoder: Decoder, body: Any, tree: Tree, depth: int) -> np.ndarray:
    if not decoder.objects:
        raise ValueFormatError("an array that is not numeric")
    items = decoder.values(body, depth)
    shape = [of(int, size) for size in of(list, tree["s"])]
    if len(shape) > 8 or min(shape, default=0) < 0 or math.prod(shape) != len(items):
        raise ValueFormatError("an array whose size and shape disagree")
    flat = np.empty(len(items), object)
    for place, item in enumerate(items):
        flat[place] = item
    return flat.reshape(shape)


def _read_range(body: Any) -> range:
    made = range(*(_int(part) for part in of(list, body)[:3]))
    if len(made[: LONGEST_RANGE + 1]) > LONGEST_RANGE:
        raise ValueFormatError("a range that nobody could go through")
    return made


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

WRITERS: dict[type, Callable[[Encoder, Any, int], Tree]] = {
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

READERS: dict[str, Callable[[Decoder, Any, Tree, int], Any]] = {
    "none": lambda d, v, t, n: None,
    "bool": lambda d, v, t, n: of(bool, v),
    "int": lambda d, v, t, n: _int(v),
    "float": lambda d, v, t, n: _float(v),
    "str": lambda d, v, t, n: text(v),
    "points": lambda d, v, t, n: "".join(chr(of(int, c)) for c in of(list, v)[: 2**16]),
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
    "range": lambda d, v, t, n: _read_range(v),
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
        d.values(v, n), None if t["m"] is None else of(int, t["m"])
    ),
    "Decimal": lambda d, v, t, n: decimal.Decimal(of(str, v)),
    "Fraction": lambda d, v, t, n: fractions.Fraction(_int(v[0]), _int(v[1])),
    "date": lambda d, v, t, n: datetime.date.fromisoformat(of(str, v)),
    "datetime": lambda d, v, t, n: datetime.datetime.fromisoformat(of(str, v)),
    "time": lambda d, v, t, n: datetime.time.fromisoformat(of(str, v)),
    "timedelta": lambda d, v, t, n: datetime.timedelta(*(of(int, x) for x in of(list, v)[:3])),
    "scalar": lambda d, v, t, n: d.array(t["b"])[()],
    "text scalar": lambda d, v, t, n: np.str_(d.value(v, n + 1)),
    "dtype": lambda d, v, t, n: np.dtype(of(str, v)[:40]),
    "matrix": lambda d, v, t, n: d.array(t["b"]).view(np.matrix),
    "masked": lambda d, v, t, n: np.ma.MaskedArray(d.array(t["b"]), d.array(t["m"])),
}


def rare(encoder: Encoder, value: Any, depth: int) -> Tree | None:
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
    if is_masked(value) and encoder.numeric(value):
        mask = np.ma.getmaskarray(value)
        return {"t": "masked", "b": encoder.array(value.data), "m": encoder.array(mask)}
    tree = object_forms.write(encoder, value, depth)
    return dataframes.write(encoder, value, depth) if tree is None else tree


def is_masked(value: Any) -> bool:
    """Whether it is a masked array: without asking NumPy for what nobody has imported yet."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and type(value) is masked.MaskedArray
