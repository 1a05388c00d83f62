"""What the reference run needed and a marking admits: stand-ins, operators, types; and nothing else."""

from __future__ import annotations

import builtins
import types
from typing import Any

from proctor.lift.both_ends import found_in, own_module

_TYPES = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "method": types.MethodType,
    "module": types.ModuleType,
    "NoneType": type(None),
}


class RefusedError(BaseException):
    """What this cell does cannot be judged from outside.

    Not an :class:`Exception`: a test's own ``except Exception`` is not to swallow it.
    """


class LostError(BaseException):
    """The student's process no longer answers as agreed."""


def _own_words(error: BaseException) -> str:
    """What an exception of the student's says of itself: its class there may have a `__str__`."""
    told = vars(error).get("_students_message")
    return Exception.__str__(error) if told is None else str(told)


class Admitted:
    """What a judge knows of the other side by itself, and what the reference run taught it.

    Attributes
    ----------
    names : dict
        The judge's own names.
    learning : bool
        Whether this is the reference run, which finds out what is needed; otherwise nothing is
        admitted that `needed` does not list.
    needed : set of str
        What the reference run needed: stand-ins by kind and class, operators, types.
    seen : dict of str to int
        How often what happened, by its name.
    exceptions : dict of int to type
        Classes of the student's exceptions that were made here.
    strange : str
        That an object came where the reference gave another; whoever fails then may fail by that.
    refused : str
        Why the cell that runs cannot be judged here; empty if there is no such reason.
    """

    names: dict[str, Any]

    def __init__(self) -> None:
        self.learning = True
        self.needed: set[str] = set()
        self.seen: dict[str, int] = {}
        self.exceptions: dict[int, type[BaseException]] = {}
        self.refused = self.strange = ""

    def note(self, what: str) -> None:
        """Count something that happened."""
        self.seen[what] = self.seen.get(what, 0) + 1

    def admits(self, what: str) -> bool:
        """Whether the reference run needed this; while it learns, it does from now on."""
        if self.learning:
            self.needed.add(what)
        return what in self.needed

    def admit(self, what: str, otherwise: str) -> None:
        """Go on if the reference run needed this; else the cell cannot be judged here."""
        if not self.admits(what):
            raise self.refusal(otherwise)

    def refusal(self, reason: str) -> RefusedError:
        """Note why the cell cannot be judged here, should the test swallow what is raised."""
        self.refused = self.refused or reason
        return RefusedError(reason)

    def is_own_module(self, name: str) -> bool:
        """Whether a module of that name lies beside the notebook, and is loaded here."""
        return isinstance(name, str) and own_module(name)

    def type_of(self, line: Any) -> type | None:
        """Return the first class in a line of bases that the judge knows by itself."""
        for module, name in line:
            if module == "builtins":
                found = _TYPES.get(name) or vars(builtins).get(name)
                if isinstance(found, type) and found is not object:
                    return found
            elif module == "__main__":
                own = dict.get(self.names, name)
                if isinstance(own, type):
                    return own
            else:
                found = self._library_type(module, name)
                if found is not None and self.admits(f"type:{module}:{name}"):
                    return found
        return None

    def _library_type(self, module: str, name: str) -> type | None:
        found = found_in(module, name)
        return found if isinstance(found, type) else None

    def exception_class(self, tree: dict[str, Any]) -> type[BaseException]:
        """Return the class of an exception: a builtin one, the course's own, or one made here."""
        line = tree["line"]
        known = self.type_of(line[:1])
        if known is not None and issubclass(known, BaseException):
            return known
        if tree["id"] not in self.exceptions:
            base = self.type_of(line[1:])
            if base is None or not issubclass(base, BaseException):
                base = Exception
            name = str(line[0][1])[:100].rpartition(".")[2] or "Exception"
            made = type(name, (base,), {"__str__": _own_words})
            self.exceptions[tree["id"]] = made
        return self.exceptions[tree["id"]]
