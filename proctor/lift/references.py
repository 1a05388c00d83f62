"""The student's objects that have no form as a value: numbered, and what may be known of each.

Shipped to the student's process with :mod:`proctor.lift.student_end`.
"""

from __future__ import annotations

import inspect
from typing import Any

from proctor.kernel.arrays import Tree, UnsendableError
from proctor.kernel.values import Encoder
from proctor.lift.both_ends import FUNCTIONS, ITERATORS

MAX_REFERENCES = 1_000_000


class References:
    """Objects by the number under which the judge knows them.

    Attributes
    ----------
    of : dict of int to object
    """

    def __init__(self) -> None:
        self.of: dict[int, Any] = {}
        self.ids: dict[int, int] = {}

    def refer(self, value: Any) -> Tree:
        """Return a reference to an object, with what may be known of it without asking again."""
        number = self.ids.get(id(value))
        if number is None:
            if len(self.of) >= MAX_REFERENCES:
                raise UnsendableError("one more object, of a million")
            number = self.ids[id(value)] = len(self.of) + 1
            self.of[number] = value
        kind = type(value)
        if isinstance(value, type):
            what, line = "class", value.__mro__
        elif isinstance(value, ITERATORS):
            what, line = "iterator", kind.__mro__
        elif kind in FUNCTIONS:
            what, line = "function", kind.__mro__
        else:
            what, line = ("callable" if callable(value) else "instance"), kind.__mro__
        tree: Tree = {
            "t": "ref",
            "id": number,
            "kind": what,
            "line": [[str(one.__module__), str(one.__qualname__)] for one in line],
        }
        if what in ("function", "class", "callable"):
            for key in ("__name__", "__qualname__", "__doc__", "__module__"):
                told = getattr(value, key, None)
                tree[key] = told if isinstance(told, str) else ""
            tree["signature"] = signature(value)
        else:
            names = ("__array__", "__len__", "__iter__", "__next__", "__getitem__", "__hash__")
            tree["has"] = [name for name in names if getattr(kind, name, None) is not None]
        return tree


def signature(value: Any) -> list[list[Any]] | None:
    """Return a function's parameters: name, kind, whether and which default."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    described = []
    for one in parameters:
        default = None
        if one.default is not one.empty:
            try:
                default = Encoder([], 1000, 5).value(one.default)
            except UnsendableError:
                default = {"t": "str", "v": repr(one.default)[:200]}
            if "b" in default:
                default = {"t": "str", "v": repr(one.default)[:200]}
        described.append([one.name, int(one.kind), default])
    return described
