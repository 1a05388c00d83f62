"""A judge's conversation with one student's process: questions, answers, and calls back on the way."""

from __future__ import annotations

import builtins
import sys
from typing import Any

from proctor.kernel.arrays import UnsendableError, ValueFormatError
from proctor.kernel.channel import (
    PLAIN,
    Channel,
    ChannelClosedError,
    WireError,
    pack,
    pack_text,
    plain_text,
)
from proctor.lift import standin, update_in_place
from proctor.lift.admitted import Admitted, LostError
from proctor.lift.both_ends import (
    RandomState,
    random_state,
    read_random,
    same_random,
    set_random_state,
    written_random,
)
from proctor.lift.codec import Reader, Writer, error_of

MAX_STALE = 1_000
"""Most answers to questions of an earlier cell that are passed over."""


class Conversation(Admitted):
    """Asks the student's process, and calls functions of the judge's for it.

    Attributes
    ----------
    channel : Channel or None
        The line to the process, while a test cell runs.
    random : RandomState or None
        Where the shared random streams were when both sides last spoke of them.
    withheld : set of str
        Names that a test set to what cannot be carried; whoever reads one there is not judged.
    lost : str
        Why the process no longer answers as agreed.
    structures : set of str
        Classes that given cells define, whose instances travel as what they hold.
    originals : dict of int to (str, object)
        The given cells' own objects by their id, with their names: they travel as their name.
    remote_modules : set of str
        Modules beside the notebook whose functions are called there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.channel: Channel | None = None
        self.shares_random = False
        self.random: RandomState | None = None
        self.withheld: set[str] = set()
        self.callbacks: list[Any] = []
        self.lost = ""
        self.stand_ins: dict[int, standin.StandIn] = {}
        self.originals: dict[int, tuple[str, Any]] = {}
        self.structures: set[str] = set()
        self.remote_modules: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._number = 0

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

    def before_call(self) -> None:
        """Get ready for a call there."""

    def after_call(self) -> None:
        """Take note that code ran there."""

    def call(self, function: standin.StandIn, args: Any, keywords: dict[str, Any]) -> Any:
        """Call a function of the student's."""
        tree = object.__getattribute__(function, "_tree")
        self.seen["call"] = self.seen.get("call", 0) + 1
        if not keywords and not self.shares_random:
            texts = [plain_text(arg) for arg in args]
            if None not in texts:
                return self._call_plainly(tree["id"], ",".join(texts))  # type: ignore[arg-type]
        return self._act({"op": "call", "id": tree["id"]}, args, keywords)

    def _call_plainly(self, function: int, arguments: str) -> Any:
        """Call a function with arguments that were written already."""
        self.before_call()
        self._number += 1
        call = f'{{"op":"call","id":{function},"plain":[{arguments}],"n":{self._number}}}'
        try:
            return self._exchange(self._number, pack_text(call), ())
        finally:
            self.after_call()

    def operate(self, name: str, *args: Any) -> Any:
        """Apply an operator over there."""
        return self._act({"op": "operator", "name": name}, args, {})

    def _act(self, request: dict[str, Any], args: Any, keywords: dict[str, Any]) -> Any:
        self.before_call()
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
            self.after_call()

    def ask(self, request: dict[str, Any], buffers: Any = (), given: tuple[Any, ...] = ()) -> Any:
        """Send a request and read the answer."""
        self._number += 1
        request["n"] = self._number
        return self._exchange(self._number, pack(request, buffers), given)

    def _exchange(self, number: int, message: bytes, given: tuple[Any, ...]) -> Any:
        """Send a packed request and read its answer; functions of the judge's are called on the way."""
        channel = self.channel
        if channel is None:
            raise self.refusal("the student's process is asked outside of a test cell")
        try:
            channel.send_packed(message)
            stale = 0
            while True:
                reply, parts = channel.receive()
                if not isinstance(reply, dict):
                    raise WireError("an answer that is none")
                if "callback" in reply:
                    self._called_back(reply, parts)
                elif reply.get("n") == number:
                    return self._read(reply, parts, given)
                else:
                    stale += 1
                    if stale > MAX_STALE:
                        raise WireError("answers to what was not asked")
        except (ChannelClosedError, WireError) as error:
            self.lost = str(error)
            raise LostError(str(error)) from error

    def _read(self, reply: dict[str, Any], parts: list[bytes], given: tuple[Any, ...]) -> Any:
        if "plain" in reply:
            return self._plain(reply["plain"])
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

    def _plain(self, value: Any) -> Any:
        """Return what came as JSON has it."""
        if type(value) not in PLAIN or (type(value) is str and not value.isascii()):
            raise self.refusal("the student's process sent what cannot be read: no plain value")
        return value

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
