"""Values that cross the border between a student's process and those that judge it.

A value travels as a JSON tree plus binary buffers, each an ``.npy`` image. Both sides write it with
an :class:`Encoder` and read it with a :class:`Decoder`, which accepts nothing but the forms of
:mod:`proctor.kernel.value_forms`: no objects, no pickles, bounded sizes, each buffer used once. Types are
kept: an int of any size comes as an int, a NumPy scalar as itself, a Series with its index. What has no
form is refused, never cut; whoever asks decides what a refusal means, by giving :meth:`Encoder.other` and
:meth:`Decoder.other` a meaning of their own: :mod:`proctor.kernel.check_values` for the checks of a lab,
:mod:`proctor.lift`, which sends stand-ins there, for the test cells of an ordinary course.

The student's process runs this same file (:mod:`proctor.kernel.agent` ships its source), so it and what
it imports know the standard library and NumPy alone.
"""

from __future__ import annotations

import collections
import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from proctor.kernel import dataframes, object_forms
from proctor.kernel.arrays import NUMERIC, WORDS, Tree, UnsendableError, ValueFormatError, read_npy
from proctor.kernel.object_forms import RECORDS
from proctor.kernel.value_forms import READERS, WRITERS, rare

MAX_BYTES = 64 * 2**20
"""Largest sum of buffers in one reply, in bytes."""
MOST_ITEMS = 4_000_000
"""Largest number of nodes in one reply's tree, of any value."""


def type_name(value: object) -> str:
    """Full name of a value's type; plain names for built-in types."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


_READERS = READERS | object_forms.READERS | dataframes.READERS


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
        write = WRITERS.get(type(value))
        if write is not None:
            return write(self, value, depth)
        tree = rare(self, value, depth)
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
        read = _READERS.get(tree["t"])
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

    def named_array(self, name: str, array: np.ndarray) -> Any:
        """Read an array of another type than NumPy's, of which `name` is the name."""
        raise ValueFormatError("an array of an unknown type")

    def record_class(self, name: str, fields: tuple[str, ...]) -> Any:
        """Return the class of named tuples of that name and those fields."""
        if (name, fields) not in RECORDS:
            if len(RECORDS) > 100:
                raise ValueFormatError("too many kinds of named tuples")
            RECORDS[name, fields] = collections.namedtuple(name, fields)
        return RECORDS[name, fields]

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
