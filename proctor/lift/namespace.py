"""The judge's namespace: a student's names answer with what the student's process holds.

:class:`Namespace` knows whose each name of a :class:`proctor.lift.names.Names` is, fetches, sets and deletes
over there, and keeps what came back in step: a value that a test changes goes back before the next call, and
after a call values are fetched anew.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterable
from typing import Any

from proctor.kernel.arrays import UnsendableError, ValueFormatError
from proctor.kernel.channel import Channel, ChannelClosedError, WireError
from proctor.lift import standin, update_in_place
from proctor.lift.both_ends import (
    RandomState,
    found_in,
    own_module,
    random_state,
    read_random,
    same_random,
    set_random_state,
    written_random,
)
from proctor.lift.codec import (
    Reader,
    Writer,
    error_of,
    fingerprint,
    is_mutable,
    library_function_named,
)
from proctor.lift.names import Names

MAX_STALE = 1_000
"""Most answers to questions of an earlier cell that are passed over."""
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


class Namespace:
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
    learning : bool
        Whether this is the reference run, which finds out what is needed; otherwise nothing is
        admitted that `needed` does not list.
    needed : set of str
        What the reference run needed: stand-ins by kind and class, operators, types.
    random : RandomState or None
        Where the shared random streams were when both sides last spoke of them.
    withheld : set of str
        Names that a test set to what cannot be carried; whoever reads one there is not judged.
    strange : str
        That an object came where the reference gave another; whoever fails then may fail by that.
    refused : str
        Why the cell that runs cannot be judged here; empty if there is no such reason.
    """

    def __init__(self) -> None:
        self.names = Names(self)
        self.theirs: set[str] = set()
        self.used: set[str] = set()
        self.shared: set[str] = set()
        self.structures: set[str] = set()
        self.originals: dict[int, tuple[str, Any]] = {}
        self.sources: dict[str, str] = {}
        self.learning = True
        self.shares_random = False
        self.random: RandomState | None = None
        self.needed: set[str] = set()
        self.seen: dict[str, int] = {}
        self.accessed: set[str] = set()
        self.remote_modules: set[str] = set()
        self.stand_ins: dict[int, standin.StandIn] = {}
        self.exceptions: dict[int, type[BaseException]] = {}
        self.callbacks: list[Any] = []
        self.withheld: set[str] = set()
        self._numbers: dict[int, int] = {}
        self.refused = self.strange = ""
        self.lost = ""
        self.channel: Channel | None = None
        self._cache: dict[str, tuple[Any, Any]] = {}
        self._code: dict[str, Any] = {}  # what no call changes, and which needs no look before one
        self._dirty: set[str] = set()
        self._number = 0

    # What the reference run needed, and nothing else.

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

    # Names.

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

    # Asking.

    def encode(self, value: Any, buffers: list[bytes]) -> dict[str, Any]:
        """Write a value of the judge's."""
        return Writer(self, buffers).value(value)

    def decode(self, tree: Any, buffers: list[Any]) -> Any:
        """Read a value of the student's."""
        return Reader(self, buffers).value(tree)

    def callback(self, function: Any) -> int:
        """Return the number under which the student's process may call a function, in any later cell."""
        if id(function) not in self._numbers:
            self._numbers[id(function)] = len(self.callbacks)
            self.callbacks.append(function)
        return self._numbers[id(function)]

    def call(self, function: standin.StandIn, args: Any, keywords: dict[str, Any]) -> Any:
        """Call a function of the student's."""
        tree = object.__getattribute__(function, "_tree")
        self.seen["call"] = self.seen.get("call", 0) + 1
        return self._act({"op": "call", "id": tree["id"]}, args, keywords)

    def operate(self, name: str, *args: Any) -> Any:
        """Apply an operator over there."""
        return self._act({"op": "operator", "name": name}, args, {})

    def _act(self, request: dict[str, Any], args: Any, keywords: dict[str, Any]) -> Any:
        if self._dirty or self._cache:
            self.flush()
        buffers: list[bytes] = []
        writer = Writer(self, buffers)
        try:
            request["args"] = [writer.value(arg) for arg in args]
            if keywords:
                request["keywords"] = {key: writer.value(arg) for key, arg in keywords.items()}
        except UnsendableError as error:
            raise self.refusal(f"an argument is {error}") from error
        if self.shares_random:
            state, request["random"] = random_state(), None
            if not same_random(self.random, state):
                self.random, request["random"] = state, written_random(state)
        given = (*args, *keywords.values())
        try:
            return self.ask(request, buffers, given)
        finally:
            self._cache.clear()  # what ran there may have changed any value

    def ask(self, request: dict[str, Any], buffers: Any = (), given: tuple[Any, ...] = ()) -> Any:
        """Send a request and read the answer; functions of the judge's are called on the way."""
        channel = self.channel
        if channel is None:
            raise self.refusal("the student's process is asked outside of a test cell")
        self._number += 1
        request["n"] = self._number
        try:
            channel.send(request, buffers)
            stale = 0
            while True:
                reply, parts = channel.receive()
                if not isinstance(reply, dict):
                    raise WireError("an answer that is none")
                if "callback" in reply:
                    self._called_back(reply, parts)
                elif reply.get("n") == request["n"]:
                    return self._read(reply, parts, given)
                else:
                    stale += 1
                    if stale > MAX_STALE:
                        raise WireError("answers to what was not asked")
        except (ChannelClosedError, WireError) as error:
            self.lost = str(error)
            raise LostError(str(error)) from error

    def _read(self, reply: dict[str, Any], parts: list[bytes], given: tuple[Any, ...]) -> Any:
        if isinstance(printed := reply.get("printed"), str):
            sys.stdout.write(printed.encode("utf-8", "replace").decode("utf-8"))
        if "unsendable" in reply:
            raise self.refusal(f"the student's code gives {str(reply['unsendable'])[:300]}")
        raised: BaseException | None = None
        answer: Any = None
        try:
            if self.shares_random and reply.get("random") is not None:
                self.random = read_random(reply["random"])
                set_random_state(self.random)
            if "error" in reply:
                raised = error_of(self, reply["error"], parts)
            else:
                reader = Reader(self, parts)
                for index, tree in reply.get("changed", ()):
                    update_in_place.make_like(given[index], reader.value(tree))
                tree = reply["v"]
                argument = tree["t"] == "argument"
                answer = given[tree["v"]] if argument else reader.value(tree)
        except (
            ValueError,
            KeyError,
            TypeError,
            LookupError,
            ArithmeticError,
            AttributeError,
        ) as error:
            raise self.refusal(
                f"the student's process sent what cannot be read: {error}"
            ) from error
        if raised is not None:
            unread = [name for name in self.withheld if f"'{name}'" in str(raised)]
            if unread and isinstance(raised, NameError):
                raise self.refusal(f"the test sets '{unread[0]}' to what cannot be carried")
            raise raised
        return answer

    def _called_back(self, message: dict[str, Any], parts: list[bytes]) -> None:
        assert self.channel is not None
        if isinstance(printed := message.get("printed"), str):
            sys.stdout.write(printed)
        buffers: list[bytes] = []
        try:
            reader = Reader(self, parts)
            args = [reader.value(tree) for tree in message["args"]]
            keywords = {str(key): reader.value(tree) for key, tree in message["keywords"].items()}
            function = (
                self._input
                if message["callback"] == "input"
                else self.callbacks[int(message["callback"])]
            )
        except (ValueFormatError, KeyError, TypeError, IndexError, ValueError) as error:
            raise self.refusal(f"a call-back that cannot be read: {error}") from error
        self.note("callback")
        try:
            back: dict[str, Any] = {"returned": self.encode(function(*args, **keywords), buffers)}
        except UnsendableError as error:
            raise self.refusal(f"a call-back gives {error}") from error
        except Exception as error:  # noqa: BLE001  the student's code sees what the function raised
            buffers.clear()
            back = {"raised": type(error).__name__, "message": str(error)[:1000]}
        self.channel.send(back, buffers)

    def _input(self, prompt: object = "") -> Any:
        own = dict.get(self.names, "input") or builtins.input
        return own(prompt)

    # Types and stand-ins.

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

    def stand_in(self, tree: dict[str, Any], reader: Reader, depth: int) -> Any:
        """Return the stand-in for a reference, or the base value of one that is not needed."""
        number, kind, line = tree["id"], tree["kind"], tree["line"]
        if number in self.stand_ins:
            return self.stand_ins[number]
        if kind == "class":
            known = self.type_of(line[:1])
            if known is not None:
                return known
            if any(entry == ["builtins", "BaseException"] for entry in line):
                return self.exception_class(tree)
        if kind in ("instance", "callable", "iterator"):
            which = f"{kind}:{line[0][0]}.{line[0][1]}" if kind != "iterator" else "iterator"
            if not self.admits(which):
                if "base" in tree:
                    return reader.value(tree["base"], depth + 1)
                if kind == "iterator":
                    raise self.refusal(standin.another(tree))
                self.strange = standin.another(tree)
                told = tree.get("has")
                if (
                    kind == "callable"
                ):  # a function of another make: it can be called, and nothing else
                    kind = "function"
                elif isinstance(told, list) and "__next__" in told and self.admits("iterator"):
                    kind = "iterator"
                else:
                    return standin.WithheldStandIn(self, tree)
        self.note(kind)
        made = self.stand_ins[number] = standin.make(self, {**tree, "kind": kind})
        return made

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
