"""The judge's side of the codec: what has no form as a value, both ways."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from proctor.kernel.arrays import Tree, UnsendableError, ValueFormatError
from proctor.kernel.object_forms import record_class
from proctor.kernel.values import Decoder, Encoder, type_name
from proctor.lift import standin
from proctor.lift.both_ends import (
    FILES,
    ITERATORS,
    MUTABLE,
    build,
    fingerprint,
    found_in,
    is_structure,
    own_module,
    structure,
)

if TYPE_CHECKING:
    from proctor.lift.conversation import Conversation

__all__ = ["Reader", "Writer", "error_of", "fingerprint", "is_mutable"]
_FORMS = {
    "matrix": "matrix",
    "objects": "ndarray",
    "array": "ndarray",
    "memory": "StringIO",
    "generator": "Generator",
    "random state": "RandomState",
}
_MUTABLE = {_FORMS.get(form, form) for form in MUTABLE} | {"BytesIO"}


def is_mutable(value: Any) -> bool:
    """Whether a value can be changed in place, so that a change has to travel."""
    return type(value).__name__ in _MUTABLE and not standin.is_stand_in(value)


class Writer(Encoder):
    """Writes a value of the judge's for the student's process."""

    def __init__(self, judge: Conversation, buffers: list[bytes]) -> None:
        super().__init__(buffers)
        self.judge = judge

    def other(self, value: Any, depth: int) -> Tree:
        """Write a stand-in as what it stands for, a function as one to call back.

        The student's process is never given an attribute of an object of the judge's.
        """
        judge = self.judge
        if standin.is_stand_in(value):
            return {"t": "ref", "id": object.__getattribute__(value, "_tree")["id"]}
        if id(value) in judge.originals:
            return {"t": "given", "v": judge.originals[id(value)][0]}
        if isinstance(value, types.ModuleType):
            return {"t": "module", "v": value.__name__}
        for number, made in judge.exceptions.items():
            if value is made:
                return {"t": "ref", "id": number}
        if isinstance(value, type):
            return record_class(value) or self._type(value)
        if is_structure(type(value), judge.structures) and depth < 40:
            judge.note("structure")
            return structure(self, value, depth)
        if isinstance(value, FILES) and not value.writable() and value.seekable():
            place = value.tell()
            tree = {"t": "memory", "p": 0, "v": self.value(value.read(), depth + 1)}
            value.seek(place)
            return tree
        if isinstance(value, ITERATORS):
            items: Any = value
            return {"t": "list", "v": self.values(items, depth)}
        if (named := library_function(value)) is not None:
            return named
        if callable(value):
            judge.note("function given")
            name = getattr(value, "__name__", "")
            number = judge.callback(value)
            return {"t": "callback", "id": number, "name": name if isinstance(name, str) else ""}
        raise UnsendableError(f"an object of type {type_name(value)}")

    def _type(self, value: type) -> Tree:
        if value.__module__ == "__main__" or value.__qualname__.count("<"):
            raise UnsendableError("a class of the test's")
        if value.__module__.partition(".")[0] == "proctor":
            raise UnsendableError("type() itself")
        return {"t": "type", "m": value.__module__, "v": value.__qualname__}


class Reader(Decoder):
    """Reads a value of the student's process; types are looked up, never imported."""

    def __init__(self, judge: Conversation, buffers: list[Any]) -> None:
        super().__init__(buffers)
        self.judge = judge

    def record_class(self, name: str, fields: tuple[str, ...]) -> Any:
        """Return the course's own class of that name and those fields, if there is one."""
        own = dict.get(self.judge.names, name)
        same = isinstance(own, type) and getattr(own, "_fields", None) == fields
        return own if same else super().record_class(name, fields)

    def other(self, tree: Tree, depth: int) -> Any:
        """Read a reference, an instance of a class of the course's, a module."""
        judge, kind = self.judge, tree["t"]
        if kind == "ref":
            return judge.stand_in(checked(tree), self, depth)
        if kind == "structure":
            module, name = str(tree["m"]), str(tree["c"])
            found = dict.get(judge.names, name) if module == "__main__" else None
            if module == "__main__" and name not in judge.structures:
                found = None
            elif module != "__main__" and judge.is_own_module(module):
                found = vars(sys.modules[module]).get(name)
            if not isinstance(found, type):
                raise ValueFormatError(f"an object of class {name[:100]}")
            judge.note("structure")
            made = build(self, found, tree, depth)
            if any(callable(getattr(found, name, None)) for name in getattr(made, "__dict__", ())):
                raise ValueFormatError(f"an object of class {name[:100]} with methods of its own")
            return made
        if kind == "module":
            name = str(tree["v"])
            if name not in judge.remote_modules and judge.admits(f"module:{name}"):
                with contextlib.suppress(ImportError):
                    return importlib.import_module(name) if judge.learning else sys.modules[name]
            return judge.stand_in(checked(tree["r"]), self, depth)
        return super().other(tree, depth)


def library_function(value: Any) -> Tree | None:
    """Name a library's function, which both sides have; None if it is none, or another has its place."""
    if not isinstance(value, types.FunctionType | types.BuiltinFunctionType | np.ufunc):
        return None
    name = getattr(value, "__qualname__", value.__name__)
    module = "numpy" if isinstance(value, np.ufunc) else getattr(value, "__module__", None)
    if not isinstance(module, str) or library_function_named(module, name) is not value:
        return None
    return {"t": "type", "m": module, "v": name}


def library_function_named(module: str, name: str) -> Any:
    """Return a library's function by its name; None if there is none, or it is of the course's own."""
    if not module or module == "__main__" or own_module(module):
        return None
    found = found_in(module, name)
    kinds = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)
    return found if isinstance(found, kinds) else None


def checked(tree: Any) -> Tree:
    """Return a reference's tree if it is of the agreed form."""
    line = tree["line"]
    if (
        type(tree["id"]) is not int
        or tree["kind"] not in ("function", "callable", "iterator", "class", "instance")
        or not isinstance(line, list)
        or not 0 < len(line) <= 100
        or any(not isinstance(e, list) or [type(p) for p in e] != [str, str] for e in line)
    ):
        raise ValueFormatError("a reference that is none")
    return tree  # type: ignore[no-any-return]


def error_of(judge: Conversation, told: Any, parts: list[Any]) -> BaseException:
    """Make the exception that the student's code raised."""
    reader = Reader(judge, parts)
    kind = judge.exception_class(checked({**told["class"], "kind": "class"}))
    judge.note("raised")
    args = [reader.value(tree) for tree in told["args"]]
    try:
        error = kind(*args)
    except Exception:  # noqa: BLE001  a class that wants other arguments
        error = Exception.__new__(kind) if issubclass(kind, Exception) else kind()
        error.args = tuple(args)
    for name, tree in told["attributes"]:
        with contextlib.suppress(AttributeError, TypeError):
            setattr(error, str(name), reader.value(tree))
    error.__dict__["_students_message"] = str(told.get("message", ""))[:2000]
    error.__dict__["_students_line"] = str(told.get("line", ""))[:500]
    return error
