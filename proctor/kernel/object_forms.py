"""The forms of objects of the standard library and NumPy that are no plain data: files, paths, generators.

A part of :mod:`proctor.kernel.value_forms`, shipped with it.
"""

from __future__ import annotations

import collections
import io
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from proctor.kernel.arrays import Tree, ValueFormatError, of

if TYPE_CHECKING:
    from proctor.kernel.values import Decoder, Encoder


_BITS = ("PCG64", "MT19937", "PCG64DXSM", "Philox", "SFC64")
RECORDS: dict[tuple[str, tuple[str, ...]], Any] = {}


def write(encoder: Encoder, value: Any, depth: int) -> Tree | None:
    """Write such an object; None if it is none."""
    kind = type(value)
    if issubclass(kind, tuple) and _is_plain_record(kind):
        return record(encoder, value, depth)
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
    return None


def _record(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    return _record_class(decoder, tree)(*decoder.values(body, depth))


def _record_class(decoder: Decoder, tree: Tree) -> Any:
    fields = tuple(of(str, name) for name in of(list, tree["f"]))
    return decoder.record_class(of(str, tree["n"]), fields)


def record(encoder: Encoder, value: Any, depth: int) -> Tree:
    """Write a named tuple by its class's name, its fields and what they hold."""
    body = encoder.values(tuple.__iter__(value), depth)
    return {"t": "record", "n": type(value).__name__, "f": list(type(value)._fields), "v": body}


def _is_plain_record(kind: type) -> bool:
    """Whether a class of named tuples has nothing but its fields and their defaults."""
    fields = getattr(kind, "_fields", None)
    if kind.__bases__ != (tuple,) or type(fields) is not tuple:
        return False
    return bool(vars(kind).keys() <= _RECORD_PARTS.union(fields))


def record_class(kind: type) -> Tree | None:
    """Write a class of named tuples that has nothing but its fields, without defaults; None for another."""
    if not _is_plain_record(kind) or kind._field_defaults:  # type: ignore[attr-defined]
        return None
    return {"t": "record class", "n": kind.__name__, "f": list(kind._fields)}  # type: ignore[attr-defined]


_RECORD_PARTS = vars(collections.namedtuple("_Any", "")).keys() | {
    "__annotations__", "__orig_bases__", "__slotnames__", "__static_attributes__", "__firstlineno__",
}  # fmt: skip


def _memory(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    content = decoder.value(body, depth + 1)
    file: Any = io.StringIO(content) if isinstance(content, str) else io.BytesIO(content)
    file.seek(of(int, tree["p"]))
    return file


def _picture(decoder: Decoder, tree: Tree) -> Any:
    from PIL import Image

    mode, (width, height) = of(str, tree["m"]), of(list, tree["s"])
    if mode not in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA"):
        raise ValueFormatError("a picture of an unknown kind")
    return Image.frombytes(
        mode, (of(int, width), of(int, height)), decoder.array(tree["b"]).tobytes()
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


READERS: dict[str, Callable[[Decoder, Any, Tree, int], Any]] = {
    "record": lambda d, v, t, n: _record(d, v, t, n),
    "record class": lambda d, v, t, n: _record_class(d, t),
    "path": lambda d, v, t, n: pathlib.PurePosixPath(v) if t["p"] else pathlib.PosixPath(v),
    "random state": lambda d, v, t, n: _random_state(d, v, n),
    "memory": lambda d, v, t, n: _memory(d, v, t, n),
    "picture": lambda d, v, t, n: _picture(d, t),
    "generator": lambda d, v, t, n: _generator(d, v, t, n),
}
