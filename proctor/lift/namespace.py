"""The judge's namespace: a student's names answer with what the student's process holds.

:class:`Namespace` knows whose each name of a :class:`proctor.lift.names.Names` is, fetches, sets and deletes
over there, and keeps what came back in step: a value that a test changes goes back before the next call, and
after a call values are fetched anew.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any

from proctor.kernel.arrays import UnsendableError
from proctor.lift import standin
from proctor.lift.codec import (
    fingerprint,
    is_mutable,
    library_function_named,
)
from proctor.lift.conversation import Conversation
from proctor.lift.names import Names


class Namespace(Conversation):
    """A judge's names and its conversation with one student's process.

    Attributes
    ----------
    names : Names
        Where code runs.
    theirs : set of str
        Names that are the student's.
    used : set of str
        Names that the student's code reads: what a test binds to one is set over there, too.
    shared : set of str
        Names that the student's functions may rebind (`global`): once set there, they are read there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: Names = Names(self)
        self.theirs: set[str] = set()
        self.used: set[str] = set()
        self.shared: set[str] = set()
        self.sources: dict[str, str] = {}
        self.accessed: set[str] = set()
        self._cache: dict[str, tuple[Any, Any]] = {}
        self._code: dict[str, Any] = {}  # what no call changes, and which needs no look before one
        self._dirty: set[str] = set()

    def fetch(self, name: str) -> Any:
        """Return what the student's process holds under a name."""
        self.accessed.add(name)
        if name in self._code:
            return self._code[name]
        if name in self._cache:
            return self._cache[name][0]
        try:
            value = self.ask({"op": "get", "name": name})
        except NameError:
            raise KeyError(name) from None
        value = self._library(name, value)
        if is_mutable(value):
            self._cache[name] = (value, fingerprint(value))
        elif type(value) is standin.WithheldStandIn:
            pass
        elif isinstance(value, types.FunctionType):
            if name not in self.shared:  # a call may bind it to another
                self._code[name] = value
        elif not standin.is_stand_in(value):
            code = isinstance(value, types.ModuleType | type)
            (self._code if code else self._cache)[name] = value if code else (value, None)
        return value

    def _library(self, name: str, value: Any) -> Any:
        """Return the judge's own where the solution has a library's function under a name.

        Raises
        ------
        RefusedError
            If this student has something else there.
        """
        wanted = next((one for one in self.needed if one.startswith(f"library:{name}:")), "")
        if not standin.is_stand_in(value):
            return value
        tree = object.__getattribute__(value, "_tree")
        module, qualified = str(tree.get("__module__", "")), str(tree.get("__qualname__", ""))
        found: Any = None
        if tree["kind"] == "function" and not module.startswith("matplotlib"):
            found = library_function_named(module, qualified)
        what = f"library:{name}:{module}.{qualified}"
        if self.learning and found is not None:
            self.needed.add(what)
        elif wanted and what != wanted:
            raise self.refusal(f"'{name}' is not the library's, as it is in the solution")
        return value if found is None else found

    def forget(self) -> None:
        """Ask again for everything."""
        self._cache.clear()
        self._code.clear()

    def bind(self, name: str, value: Any) -> None:
        """Bind a name here; what the student's code reads, there too."""
        if name in self.theirs or name in self.used:
            self.theirs.discard(name)
            self._drop(name)
            self._dirty.add(name)
        dict.__setitem__(self.names, name, value)

    def unbind(self, name: str) -> None:
        """Delete a name where it is."""
        if name in self.theirs:
            self._drop(name)
            self.ask({"op": "delete", "name": name})
            return
        dict.__delitem__(self.names, name)
        if name in self.used:
            self._dirty.discard(name)
            if self.ask({"op": "has", "name": name}):
                self.ask({"op": "delete", "name": name})

    def _drop(self, name: str) -> None:
        self._cache.pop(name, None)
        self._code.pop(name, None)

    def forward(self, names: Iterable[str]) -> None:
        """Let names be the student's from now on."""
        for name in names:
            self.theirs.add(name)
            self.structures.discard(name)
            dict.pop(self.names, name, None)

    def flush(self) -> None:
        """Send what was bound or changed here before anything runs there."""
        for name in list(self._dirty):
            self._dirty.discard(name)
            if dict.__contains__(self.names, name):
                self._set(name, dict.__getitem__(self.names, name))
                if name in self.shared:
                    self.forward([name])
        for name, (value, before) in list(self._cache.items()):
            if before is not None and (now := fingerprint(value)) != before:
                self._cache[name] = (value, now)
                self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        buffers: list[bytes] = []
        try:
            tree = self.encode(value, buffers)
        except UnsendableError as error:
            self.admit(f"withheld:{name}", f"'{name}' is set to {error}")
            self.withheld.add(name)  # the reference did not read it; who does, is not judged here
            if self.ask({"op": "has", "name": name}):
                self.ask({"op": "delete", "name": name})
            return
        self.withheld.discard(name)
        self.ask({"op": "set", "name": name, "value": tree}, buffers)

    def before_call(self) -> None:
        """Send what a call there must find."""
        if self._dirty or self._cache:
            self.flush()

    def after_call(self) -> None:
        """Forget the values: what ran there may have changed any of them."""
        self._cache.clear()
