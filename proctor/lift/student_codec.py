"""The student's side of the codec: what has no form as a value, both ways.

:mod:`proctor.lift.codec` is the judge's side.

Shipped to the student's process with :mod:`proctor.lift.student_end`.
"""

from __future__ import annotations

import importlib
import types
from typing import TYPE_CHECKING, Any

from proctor.kernel.arrays import Tree
from proctor.kernel.object_forms import record, record_class
from proctor.kernel.values import Decoder, Encoder
from proctor.lift.both_ends import BASES, build, is_structure, structure

if TYPE_CHECKING:
    from proctor.lift.student_end import Hand


class StudentWriter(Encoder):
    """Writes a value of the student's; what has no form as a reference."""

    hand: Hand

    def other(self, value: Any, depth: int) -> Tree:
        """Write an instance of a class of the course's, or a reference."""
        hand = self.hand
        if isinstance(value, types.ModuleType):
            return {"t": "module", "v": value.__name__, "r": hand.references.refer(value)}
        if is_structure(type(value), hand.structures) and depth < 40:
            return structure(self, value, depth)
        if isinstance(value, type) and (tree := record_class(value)) is not None:
            return tree
        tree = hand.references.refer(value)
        if tree["kind"] in ("instance", "callable"):
            base = next((one for one in type(value).__mro__ if one in BASES), None)
            if base is tuple and hasattr(type(value), "_fields"):
                tree["base"] = record(self, value, depth)
            elif base is not None:  # a subclass: what it holds, should that be enough
                tree["base"] = self.value(base(value), depth + 1)
        return tree


class StudentReader(Decoder):
    """Reads a value of the judge's."""

    hand: Hand

    def record_class(self, name: str, fields: tuple[str, ...]) -> Any:
        """Return the student's own class of that name and those fields, if there is one."""
        own = self.hand.names.get(name)
        same = isinstance(own, type) and getattr(own, "_fields", None) == fields
        return own if same else super().record_class(name, fields)

    def other(self, tree: Tree, depth: int) -> Any:
        """Read a reference, a function to call back, a thing that both sides have."""
        kind, hand = tree["t"], self.hand
        if kind == "ref":
            return hand.references.of[tree["id"]]
        if kind == "callback":
            return hand.callback(tree["id"], tree["name"])
        if kind == "module":
            return importlib.import_module(tree["v"])
        if kind == "type":
            return _resolve(tree["m"], tree["v"])
        if kind == "given":  # the judge's own copy of what a given cell defined
            return hand.kept.get(tree["v"]) or hand.names[tree["v"]]
        if kind == "structure":
            own = (
                hand.names if tree["m"] == "__main__" else vars(importlib.import_module(tree["m"]))
            )
            return build(self, own[tree["c"]], tree, depth)
        return super().other(tree, depth)


def _resolve(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
