"""One running kernel, as the grader holds it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket

from proctor.errors import KernelStartError
from proctor.sandbox.limits import USED_BYTES, Ending, Limits, Used, ending

KILL_SECONDS = 5.0
MAX_MESSAGE = 2**16


class Kernel:
    """A kernel and its supervisor, reached over the socket that was sent with the request.

    Attributes
    ----------
    ending : Ending or None
        Why it ended; None while it runs.
    agent : bool
        Whether the examiner's code that serves in a kernel is there already.
    """

    def __init__(self, report: socket.socket, limits: Limits) -> None:
        self._report = report
        self._limits = limits
        self._supervisor = self._ledger = -1
        self.ending: Ending | None = None
        self.agent = False

    def fileno(self) -> int:
        """Descriptor that is readable when there is something to be told: started, or ended."""
        return self._report.fileno()

    def started(self) -> None:
        """Read the first message, that the kernel listens.

        Raises
        ------
        KernelStartError
            If it is another one.
        """
        message, descriptors, _, _ = socket.recv_fds(self._report, MAX_MESSAGE, 2)
        answer = json.loads(message or b"{}")
        if answer.get("event") == "started" and len(descriptors) == 2:
            self._supervisor, self._ledger = descriptors
            self.agent = answer["agent"]
            return
        self._end("lost")
        raise KernelStartError(
            f"The kernel did not start.\n{answer.get('error', 'Its supervisor ended at once.')}"
        )

    def used(self) -> Used | None:
        """Return what it was last seen to have used; None before the first look and after the end."""
        if self._ledger < 0:
            return None
        data = os.pread(self._ledger, USED_BYTES, 0)
        return Used.from_bytes(data) if len(data) == USED_BYTES else None

    def poll(self) -> Ending | None:
        """Return why the kernel ended, or None if it runs."""
        if self.ending is None and select.select([self._report], [], [], 0)[0]:
            self._read()
        return self.ending

    def wait(self, seconds: float | None = None) -> Ending | None:
        """Wait until it ends, or for `seconds`."""
        if self.ending is None and select.select([self._report], [], [], seconds)[0]:
            self._read()
        return self.ending

    def _read(self) -> None:
        try:
            message = self._report.recv(MAX_MESSAGE)
        except ConnectionResetError:
            message = b""
        if not message:
            self._end("lost")
            return
        told = json.loads(message)
        self._end(told["code"], told["message"], told["cpu_seconds"])

    def _end(self, code: str, message: str = "", cpu_seconds: float = 0.0) -> None:
        if self.ending is None:
            text = message or ending(code, self._limits)[1]
            self.ending = Ending(code, text, cpu_seconds)
            self._report.close()
            for descriptor in {self._supervisor, self._ledger} - {-1}:
                os.close(descriptor)
            self._supervisor = self._ledger = -1

    def signal(self, number: int) -> None:
        """Send a signal to the student's kernel; nothing happens if it has ended."""
        if self.ending is None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._report.send(str(int(number)).encode())

    def kill(self) -> Ending:
        """End the kernel and everything it started, and wait until they are gone."""
        if self.poll() is None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._report.send(b"kill")
            self.wait(KILL_SECONDS)
        if self.ending is None:
            # A supervisor that does not answer; with pid 1 of its namespace all in it ends.
            if self._supervisor >= 0:
                signal.pidfd_send_signal(self._supervisor, signal.SIGKILL)
                select.select([self._supervisor], [], [], KILL_SECONDS)
            self._end("killed")
        assert self.ending is not None
        return self.ending
