"""The processes that judge, as the grader holds them; see :mod:`proctor.examine.worker`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, KernelStartError
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.worker import MAX_MESSAGE
from proctor.sandbox.forkserver import Spawner
from proctor.submission import Submission
from proctor.verdict import CheckResult, ExerciseResult, Problem

TEMPLATE_SECONDS = 300.0
"""Longest time to import a course's checks and to prepare them."""


class WorkerLost(Exception):
    """A worker ended, or had to be ended, while it marked.

    Attributes
    ----------
    exercises, problems : tuple
        What was known until then.
    why : str
        What went wrong with it, if it did not just end.
    """

    def __init__(
        self,
        exercises: tuple[ExerciseResult, ...] = (),
        problems: tuple[Problem, ...] = (),
        why: str = "",
    ) -> None:
        super().__init__(why or "the worker has ended")
        self.exercises, self.problems, self.why = exercises, problems, why


class Worker:
    """A worker process, as the grader holds it."""

    def __init__(self, orders: socket.socket, most_seconds: float) -> None:
        self._socket = orders
        self._orders = Connection(os.dup(orders.fileno()))
        self._most = most_seconds
        self._given = ""

    def give(self, reference: Reference) -> None:
        """Tell it what the run on the instructor's own solution showed, once."""
        withdrawn = json.dumps({"withdrawn": reference.withdrawn}, sort_keys=True).encode()
        name = hashlib.sha256(withdrawn + reference.records).hexdigest()
        if name == self._given:
            return
        try:
            self._orders.send_bytes(withdrawn)
            self._orders.send_bytes(reference.records)
        except OSError as error:
            raise WorkerLost from error
        self._given = name

    def mark(self, submission: Submission, cpu: int, record: bool) -> Marked:
        """Have it mark one submission, and wait.

        Raises
        ------
        KernelStartError
            If no kernel could be started.
        """
        order = {"submission": submission.to_json(), "cpu": cpu, "record": record}
        end = time.monotonic() + self._most
        known: list[bytes] = []
        try:
            self._orders.send_bytes(json.dumps(order).encode())
            while self._orders.poll(max(0.0, end - time.monotonic())):
                data = self._orders.recv_bytes()
                if data.startswith(b'{"so_far"'):
                    known.append(data)
                elif data.startswith(b'{"no_kernel"'):
                    raise KernelStartError(json.loads(data)["no_kernel"])
                elif data.startswith(b'{"failed"'):
                    raise WorkerLost(*_so_far(known), why=json.loads(data)["failed"])
                else:
                    return Marked.from_json(data)
        except (EOFError, OSError):
            raise WorkerLost(*_so_far(known)) from None
        raise WorkerLost(*_so_far(known), why=f"no answer within {self._most:g} s")

    def hang_up(self) -> None:
        """Have it end, from any thread; whoever waits for its answer is told so."""
        with contextlib.suppress(OSError):  # it has ended
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Have it end, and forget it."""
        self.hang_up()
        self._orders.close()
        self._socket.close()


def _so_far(
    known: Sequence[bytes],
) -> tuple[tuple[ExerciseResult, ...], tuple[Problem, ...]]:
    """Read what was told of each exercise when it was done, and of the problems until then."""
    told = [json.loads(data)["so_far"] for data in known]
    exercises = tuple(
        ExerciseResult(**{**one, "checks": tuple(CheckResult(**check) for check in one["checks"])})
        for part in told
        for one in part["exercises"]
    )
    return exercises, tuple(Problem(**one) for part in told[-1:] for one in part["problems"])


class Template:
    """The process that workers are forks of; it imports while the fork server does."""

    def __init__(self, course: Course, lab: Lab, isolation: str, secret: bytes) -> None:
        self._config = {
            "course": str(course.folder),
            "lab": lab.name,
            "isolation": isolation,
            "secret": secret.hex(),
        }
        self._lab = lab.name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", _START, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                # A process with threads cannot be forked safely, and judging needs none.
                env=os.environ | dict.fromkeys(_THREADS, "1"),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C reaches the grader, who decides
            )
        self._control.send(json.dumps(self._config).encode())

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *error: object) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def ready(self) -> None:
        """Wait until the course's checks are imported.

        Raises
        ------
        CourseError
            If they cannot be.
        """
        self._control.settimeout(TEMPLATE_SECONDS)
        try:
            answer = json.loads(self._control.recv(MAX_MESSAGE) or b"{}")
        except TimeoutError:
            answer = {"error": f"they took more than {TEMPLATE_SECONDS:g} s to prepare"}
        self._control.settimeout(None)
        if "ready" not in answer:
            raise CourseError(
                f"The checks of {self._lab} cannot be loaded: {answer.get('error') or self.said()}"
            )

    def said(self) -> str:
        """What it and its workers wrote to their log, the end of it."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 4000))
        return self._log.read().decode("utf-8", "replace")

    def fork(self, server: Spawner) -> socket.socket:
        """Start a worker; return the socket that it takes orders from."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                socket.send_fds(self._control, [b"{}"], [theirs.fileno(), server.fileno()])
            except OSError as error:
                ours.close()
                raise CourseError(
                    f"The process that judges has ended: {self.said() or error}"
                ) from error
        return ours


_START = (
    "import sys; sys.path[:] = sys.argv[2:]; from proctor.examine import worker; "
    "worker.main(int(sys.argv[1]))"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
