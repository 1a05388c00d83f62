"""The judge's hand in the student's process: sets, deletes, calls and describes what is there.

Shipped to the process (:mod:`proctor.kernel.agent`) beside the codec, and used as it is where the
process is one of ours (:mod:`proctor.lift.notebook_player`). What the student's objects hold goes out
as values, and what is no value as a numbered reference, on which the judge may ask for more. Nothing
that comes from here is believed; a student who replaces it can only send other values.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import os
import socket
import sys
import traceback
from typing import Any

import numpy as np

from proctor.kernel.arrays import Tree, UnsendableError
from proctor.kernel.channel import Channel, ChannelClosedError, pack, pack_text, plain_text
from proctor.lift.both_ends import (
    MUTABLE,
    RandomState,
    fingerprint,
    operators,
    random_state,
    read_random,
    same_random,
    set_random_state,
    written_random,
)
from proctor.lift.cell_code import own_line, run_source
from proctor.lift.references import References
from proctor.lift.student_codec import StudentReader, StudentWriter

MAX_PRINTED = 4 * 2**20
"""Most text that one call may print, in characters; a call that prints more raises."""


def close_figures() -> None:
    """Close what a cell drew, as a notebook does after showing it: the next cell must not find it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with contextlib.suppress(Exception):  # the student's process may have anything of this name
            pyplot.close("all")


class _Printed(io.StringIO):
    """What a call prints, bounded."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > MAX_PRINTED:
            raise OverflowError(f"more than {MAX_PRINTED:,} characters printed in one call")
        return super().write(text)


class Hand:
    """Answers a judge's requests in the namespace `names`.

    Parameters
    ----------
    names : dict
        The student's namespace.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.references = References()
        self.structures: set[str] = set()
        self.kept: dict[str, Any] = {}  # what the judge put something else in the place of
        self.operators = operators()
        self.channel: Channel
        self.process = 0
        self.depth = 0
        self.printed = _Printed()
        self.random: RandomState | None = None  # where the streams were when both sides last spoke

    def serve(self, connection: socket.socket | Channel) -> None:
        """Answer until the judge says that it is done, or has gone."""
        self.remember("")  # the test has its place in the history; its text stays in the judge
        self.channel = connection if isinstance(connection, Channel) else Channel(connection)
        self.process = os.getpid()
        own_input, builtins.input = builtins.input, self.input
        try:
            while True:
                try:
                    heard = self.channel.hear()
                except ChannelClosedError:
                    return
                if heard is None:
                    raise MemoryError("no room for what the test hands over")
                request, buffers = heard
                if request["op"] == "bye":
                    return
                try:
                    self.answer(request, buffers)
                except ChannelClosedError:
                    return
        finally:
            builtins.input = own_input
            close_figures()

    def remember(self, source: str) -> None:
        """Put a cell into the notebook's history, where IPython would have put it: `In[-1]`."""
        history = self.names.get("In")
        if type(history) is list:
            history.append(source.rstrip("\n"))

    def channel_to(self, connection: socket.socket) -> Channel:
        """Make a line to a judge."""
        return Channel(connection)

    def run_cell(self, source: str, name: str) -> dict[str, Any]:
        """Run a test cell here, among the student's objects, as nbgrader would.

        It is compiled by Python itself: what the student put into IPython has no part in it. Only a cell
        that ran to its end says so.

        Parameters
        ----------
        source : str
            Python, magics already turned into calls.
        """
        self.remember(source)
        lines = source.splitlines(keepends=True)
        linecache.cache[name] = (len(source), None, lines, name)
        printed, shown = io.StringIO(), []
        outcome: dict[str, Any] = {"passed": False, "type": "", "message": "", "line": 0}
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                shown = run_source(source, name, self.names)
            outcome["passed"] = True
        except BaseException as error:  # noqa: BLE001  SystemExit and the like are answers too
            with contextlib.suppress(BaseException):
                outcome["message"] = str(error)[:2000]
            outcome["type"] = type(error).__name__[:200]
            for frame, number in traceback.walk_tb(error.__traceback__):
                if frame.f_code.co_filename == name:
                    outcome["line"] = number
        close_figures()
        return {**outcome, "shown": shown, "printed": printed.getvalue()[:15_000]}

    def input(self, prompt: object = "") -> str:
        """Ask the judge, whose test may have put something in the place of `input`."""
        if not self.depth:
            raise EOFError("a notebook that is marked has nobody to ask")
        return str(self.call_back("input", (prompt,), {}))

    def answer(self, request: dict[str, Any], buffers: list[bytes]) -> None:
        """Do one thing and say what came of it; an exception is an answer, too."""
        self.depth += 1
        streams = sys.stdout, sys.stderr
        sys.stdout = self.printed
        out: list[bytes] = []
        reply: dict[str, Any] = {}
        plain: str | None = None
        try:
            if "random" in request:
                self.take_random(request["random"])
            if "plain" in request:
                result = self.references.of[request["id"]](*request["plain"])
                plain = plain_text(result)
                if plain is None:
                    reply["v"] = self.encoder(out).value(result)
            else:
                reply["v"] = self.do(request, buffers, reply, out)
        except UnsendableError as error:
            out.clear()
            reply = {"unsendable": str(error)[:500]}
        except BaseException as error:  # noqa: BLE001  SystemExit and the like are answers too
            out.clear()
            reply = {"error": self.describe(error, out)}
        finally:
            sys.stdout, sys.stderr = streams
            self.depth -= 1
        if plain is not None and not self.printed.tell():
            self.send(pack_text(f'{{"n":{request["n"]},"plain":{plain}}}'))
            return
        if plain is not None:
            reply["v"] = self.encoder(out).value(result)
        reply["n"] = request["n"]
        if "random" in request and not same_random(self.random, state := random_state()):
            self.random, reply["random"] = state, written_random(state)
        if printed := self.take_printed():
            reply["printed"] = printed
        self.send(pack(reply, out))

    def send(self, message: bytes) -> None:
        """Tell the judge; a copy of the process that the student's code made and did not end is silent."""
        if os.getpid() != self.process:
            os._exit(1)
        self.channel.send_packed(message)

    def take_random(self, told: Any) -> None:
        """Put the random streams where the judge's are; None: where both were last."""
        if told is not None:
            self.random = read_random(told)
        if self.random is not None and not same_random(self.random, random_state()):
            set_random_state(self.random)

    def take_printed(self) -> str:
        """Return what was printed since the last time."""
        if not self.printed.tell():
            return ""
        text = self.printed.getvalue()
        self.printed = _Printed()
        if sys.stdout is not self.printed and self.depth:
            sys.stdout = self.printed
        return text

    def encoder(self, out: list[bytes]) -> StudentWriter:
        """Return a writer of values."""
        encoder = StudentWriter(out)
        encoder.hand = self
        return encoder

    def decoder(self, buffers: list[bytes]) -> StudentReader:
        """Return a reader of values."""
        decoder = StudentReader(buffers)
        decoder.hand = self
        return decoder

    def do(
        self,
        request: dict[str, Any],
        buffers: list[bytes],
        reply: dict[str, Any],
        out: list[bytes],
    ) -> Tree:
        """Do what was asked and return the answer's tree."""
        operation = request["op"]
        if operation == "call" or operation == "operator":
            return self.act(request, buffers, reply, out)
        name = request.get("name", "")
        if operation == "get":
            if name not in self.names:
                raise NameError(f"name '{name}' is not defined")
            return self.encoder(out).value(self.names[name])
        if operation == "has":
            return {"t": "bool", "v": name in self.names}
        if operation == "set":
            self.keep(name)
            self.names[name] = self.decoder(buffers).value(request["value"])
        elif operation == "delete":
            if name not in self.names:
                raise NameError(f"name '{name}' is not defined")
            self.keep(name)
            del self.names[name]
        elif operation == "define":
            exec(compile(request["source"], "<test>", "exec"), self.names)
        elif operation == "structures":
            self.structures = set(request["names"])
        elif operation == "names":
            return self.encoder(out).value([n for n in list(self.names) if isinstance(n, str)])
        else:
            raise ValueError(f"an unknown request: {operation}")
        return {"t": "none"}

    def keep(self, name: str) -> None:
        """Remember what a name held before the judge first took it away: it may be put back."""
        if name in self.names:
            self.kept.setdefault(name, self.names[name])

    def act(
        self,
        request: dict[str, Any],
        buffers: list[bytes],
        reply: dict[str, Any],
        out: list[bytes],
    ) -> Tree:
        """Call a function, or apply an operator; tell what it changed in its arguments."""
        decoder = self.decoder(buffers)
        args = [decoder.value(tree) for tree in request["args"]]
        keywords = {key: decoder.value(tree) for key, tree in request.get("keywords", {}).items()}
        forms = [tree["t"] for tree in (*request["args"], *request.get("keywords", {}).values())]
        given = [*args, *keywords.values()]
        watched = {i: fingerprint(given[i]) for i, form in enumerate(forms) if form in MUTABLE}
        if request["op"] == "call":
            function = self.references.of[request["id"]]
        else:
            function = self.operators[request["name"]]
        result = function(*args, **keywords)
        for index, before in watched.items():
            if fingerprint(given[index]) != before:
                change = [index, self.encoder(out).value(given[index])]
                reply.setdefault("changed", []).append(change)
        for index in watched:
            if result is given[index]:
                return {"t": "argument", "v": index}
        return self.encoder(out).value(result)

    def describe(self, error: BaseException, out: list[bytes]) -> dict[str, Any]:
        """Return an exception: its class, its line of bases, its arguments."""
        message = ""
        with contextlib.suppress(BaseException):  # a student's __str__ may do anything
            message = str(error)[:2000]
        plain = (str, int, float, bool, type(None), np.generic)
        args = getattr(error, "args", ())
        args = args if isinstance(args, tuple) else ()
        attributes: dict[str, Any] = {}
        own = [kind for kind in type(error).__mro__ if kind.__module__ != "builtins"]
        names = {name: None for kind in own for name in vars(kind) if not name.startswith("__")}
        for name in [*names, *getattr(error, "__dict__", {})]:
            with contextlib.suppress(BaseException):  # a property may do anything
                if isinstance(told := getattr(error, name), plain):
                    attributes[name] = told
        encoder = self.encoder(out)
        return {
            "class": self.references.refer(type(error)),
            "message": message,
            "args": [encoder.value(a if isinstance(a, plain) else str(a)[:500]) for a in args[:10]],
            "attributes": [[k, encoder.value(v)] for k, v in list(attributes.items())[:20]],
            "line": own_line(error),
        }

    # Functions of the judge's, called from here.

    def callback(self, number: int, name: str) -> Any:
        """Return a function that calls one of the judge's."""

        def call(*args: Any, **keywords: Any) -> Any:
            return self.call_back(number, args, keywords)

        call.__name__ = call.__qualname__ = name or "function"
        return call

    def call_back(self, number: int | str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Have the judge call one of its functions; answer what it asks meanwhile."""
        out: list[bytes] = []
        encoder = self.encoder(out)
        message: dict[str, Any] = {
            "callback": number,
            "args": [encoder.value(arg) for arg in args],
            "keywords": {key: encoder.value(arg) for key, arg in keywords.items()},
            "printed": self.take_printed(),
        }
        self.send(pack(message, out))
        while True:
            answer, buffers = self.channel.receive()
            if "returned" in answer:
                return self.decoder(buffers).value(answer["returned"])
            if "raised" in answer:
                kind = getattr(builtins, answer["raised"], None)
                known = isinstance(kind, type) and issubclass(kind, BaseException)
                raise (kind if known else Exception)(answer["message"])  # type: ignore[misc]
            self.answer(answer, buffers)
