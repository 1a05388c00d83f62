"""A bench of judges, as whoever needs one holds it; what it does is in :mod:`proctor.lift.judge_server`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from proctor.errors import ProctorError


class CourtError(ProctorError):
    """A judge or a player ended, or made a mistake that is ours."""


class Bench(Protocol):
    """Where judges and players come from."""

    def fork(self, role: str, *sockets: socket.socket) -> None:
        """Start a process of a role, with its line to the driver and its line to the student."""


class SocketBench:
    """A bench at the other end of a socket; see :mod:`proctor.lift.judge_server`.

    Parameters
    ----------
    control : socket.socket
        A SEQPACKET socket.
    """

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self._lock = threading.Lock()

    def fork(self, role: str, *sockets: socket.socket) -> None:
        """Start a process of a role.

        Raises
        ------
        CourtError
            If the bench has gone.
        """
        numbers = [one.fileno() for one in sockets]
        with self._lock:
            try:
                socket.send_fds(self.control, [json.dumps({"role": role}).encode()], numbers)
                answer = self.control.recv(2**16)
            except OSError as error:
                raise CourtError(f"The bench of the judges has gone ({error}).") from error
        if not answer:
            raise CourtError("The bench of the judges has gone.")


@contextmanager
def local_bench(folder: Path) -> Iterator[SocketBench]:
    """Run a bench as an ordinary process in `folder`, isolated from nothing: for work one trusts."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs.fileno())],
            cwd=folder,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        theirs.close()
        try:
            yield SocketBench(ours)
        except CourtError as error:
            log.seek(0)
            told = log.read()[-4000:].decode("utf-8", "replace")
            raise CourtError(f"{error}\n{told}") from error
        finally:
            ours.close()
            process.terminate()
            process.wait()


_START = (
    "import socket, sys; from proctor.lift import judge_server; "
    "judge_server.run(socket.socket(fileno=int(sys.argv[1])))"
)
