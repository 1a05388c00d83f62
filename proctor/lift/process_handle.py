"""The driver's hold on the processes of a lift: a bench that forks them, a judge, a player."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from typing import Any

from proctor.kernel.channel import ChannelClosedError, WireError
from proctor.lift.connection import Line
from proctor.sandbox.judge_server_handle import Bench, CourtError, SocketBench, local_bench

__all__ = ["Bench", "CourtError", "SocketBench", "Worker", "local_bench", "talking"]
SPARE_SECONDS = 15.0
"""How much longer than a cell may run its process has to answer."""
MAX_OWED = 8
"""Most answers that lie unread: their line has room for so many."""


class Worker:
    """A process of a bench. Use as a context manager; leaving it ends the process.

    Parameters
    ----------
    bench : Bench
    role : {"judge", "player"}
    talk : socket.socket, optional
        Its line to the student's process.
    """

    def __init__(self, bench: Bench, role: str, talk: socket.socket | None = None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            bench.fork(role, theirs, *([] if talk is None else [talk]))
        self.role = role
        self.line = Line(ours)
        self.dead = False
        self._owed: list[float] = []  # answers that nobody waited for, and how long each may take

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: it reads the end of its line."""
        self.dead = True
        self.line.close()

    def send(self, op: str, line: socket.socket | None = None, **values: Any) -> None:
        """Ask for something."""
        request = {"op": op, **values}
        try:
            if line is not None:
                self.line.send_with(request, line)
            else:
                self.line.send(request)
        except (ChannelClosedError, OSError) as error:
            raise CourtError(f"A {self.role} has ended ({error}).") from error

    def answer(self, seconds: float) -> dict[str, Any]:
        """Wait for the answer.

        Raises
        ------
        CourtError
            If none comes.
        """
        if not self.ready(seconds):
            self.close()
            raise CourtError(f"A {self.role} gave no answer within {seconds:g} seconds.")
        try:
            reply, _ = self.line.receive()
        except (ChannelClosedError, WireError) as error:
            self.dead = True
            raise CourtError(f"A {self.role} has ended ({error}).") from error
        if not isinstance(reply, dict) or "broken" in reply:
            told = reply.get("broken") if isinstance(reply, dict) else "no answer"
            raise CourtError(f"A {self.role} made a mistake: {told}")
        return reply

    def ready(self, seconds: float) -> bool:
        """Whether it has something to say within `seconds`."""
        return self.line.has_more or bool(select.select([self.line.socket], [], [], seconds)[0])

    def ask(self, op: str, wait: float = 60.0, **values: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer."""
        self.settle()
        self.send(op, **values)
        return self.answer(wait)

    def tell(self, op: str, wait: float = 60.0, **values: Any) -> None:
        """Ask for something whose answer says nothing; it is read by :meth:`settle`."""
        if len(self._owed) >= MAX_OWED:
            self.settle()
        self.send(op, **values)
        self._owed.append(wait)

    def settle(self) -> None:
        """Wait until all that was told is done.

        Raises
        ------
        CourtError
            If something of it went wrong.
        """
        while self._owed:
            self.answer(self._owed.pop(0))


@contextlib.contextmanager
def talking() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Make a line between two processes, to be given away."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other
