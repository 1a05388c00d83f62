"""Who marks: worker processes on this machine, each of which drives one student's kernel at a time."""

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
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, KernelStartError
from proctor.examine.examiner import Setting, examine
from proctor.examine.mark_result import FLOOD, LOST, Marked, Reference, unfinished
from proctor.examine.worker import JUDGING_SECONDS, MAX_MESSAGE
from proctor.kernel.fresh import FreshLauncher
from proctor.nbgrader_steps import blanks
from proctor.sandbox.forkserver import ForkServer, Isolation, Spawner
from proctor.sandbox.isolation import fork_server, given_files, require
from proctor.sandbox.limits import PATIENCE, SPARE_SECONDS
from proctor.submission import Submission
from proctor.verdict import CheckResult, ExerciseResult, Problem

TEMPLATE_SECONDS = 300.0
"""Longest time to import a course's checks and to prepare them."""


def default_jobs() -> int:
    """Return how many submissions to mark at once: half as many again as processors, and one.

    A submission waits now and then: for the examiner, for a limit, for a sleep of its own.
    """
    processors = len(_cpus())
    return processors + processors // 2 + 1


class Pool(Protocol):
    """Marks submissions, several at a time.

    Attributes
    ----------
    isolation : str
        How students' kernels are kept apart.
    """

    isolation: str

    @property
    def size(self) -> int:
        """How many run at once."""

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Mark one submission some time soon; see :func:`proctor.examine.examiner.examine`."""

    def stop(self) -> None:
        """End at once; what runs is lost."""


@contextmanager
def open_pool(
    course: Course,
    lab: Lab,
    source: NotebookNode,
    *,
    secret: bytes = b"",
    isolation: Isolation | None = None,
    jobs: int = 1,
) -> Iterator[Pool]:
    """Yield a pool on this machine; what it started is gone when the context ends.

    Parameters
    ----------
    isolation : str, optional
        ``namespaces`` (the default) or ``process``.
    jobs : int
        How many submissions run at once.

    Raises
    ------
    CourseError
        If this system cannot isolate and nobody said that it need not, or the course's checks cannot
        be loaded.
    """
    require(isolation)
    if sys.platform != "linux":
        launcher = FreshLauncher(given_files(course, lab))
        blank = blanks(source, course.nbgrader_config)
        yield OwnProcess(Setting(lab, source, launcher, course.root, secret, blank))
        return
    with ExitStack() as opened:
        template = opened.enter_context(_Template(course, lab, isolation or "namespaces", secret))
        server = opened.enter_context(fork_server(lab, course, isolation or "namespaces"))
        template.ready()
        with WorkerPool(template, server, lab, source, jobs) as pool:
            yield pool


class OwnProcess:
    """Marks in this very process, one after the other, for systems without the fork server."""

    size = 1

    def __init__(self, setting: Setting) -> None:
        self.isolation = setting.launcher.isolation
        self._setting = setting

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Mark one submission now."""
        future: Future[Marked] = Future()
        future.set_result(examine(submission, self._setting, reference, record=record))
        return future

    def stop(self) -> None:
        """Nothing runs."""


class WorkerPool:
    """Worker processes and this machine's fork server."""

    def __init__(
        self, template: _Template, server: ForkServer, lab: Lab, source: NotebookNode, jobs: int
    ) -> None:
        self.size = max(1, jobs)
        self.isolation: str = server.isolation
        self._template, self._server = template, server
        self._lab, self._source = lab, source
        self._threads = ThreadPoolExecutor(self.size)
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        for _ in range(self.size):
            self._idle.put(None)  # a place for a worker that is not there yet
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._busy = Counter(dict.fromkeys(_cpus(), 0))
        self._stopping = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Mark one submission some time soon; see :func:`proctor.examine.examiner.examine`."""
        return self._threads.submit(self._mark, submission, reference, record)

    def stop(self) -> None:
        """End at once; what runs is lost."""
        self._stopping = True
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            worker.hang_up()
        self._threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()

    def _mark(self, submission: Submission, reference: Reference, record: bool) -> Marked:
        worker = self._idle.get()
        try:
            if worker is None:
                worker = self._new_worker()
            with self._lock:  # the idlest processor; the reference, which is alone, may use all
                cpu = min(self._busy, key=lambda number: self._busy[number])
                self._busy[cpu] += 1
            try:
                worker.give(reference)
                return worker.mark(submission, -1 if record else cpu, record)
            finally:
                with self._lock:
                    self._busy[cpu] -= 1
        except _WorkerLost as lost:
            if self._stopping:
                raise KernelStartError("Marking was stopped.") from lost
            if worker is not None:
                self._drop(worker)
                worker = None
            return self._lost(submission, lost)
        finally:
            self._idle.put(worker)

    def _new_worker(self) -> _Worker:
        most = PATIENCE * self._lab.total_seconds + SPARE_SECONDS + 2 * JUDGING_SECONDS
        worker = _Worker(self._template.fork(self._server), most)
        with self._lock:
            self._workers.add(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.close()

    def _lost(self, submission: Submission, lost: _WorkerLost) -> Marked:
        code, message = ("judging-lost", LOST) if lost.why else ("flood", FLOOD)
        problems = [*(lost.problems or submission.problems), Problem(code, message, attention=True)]
        marked = unfinished(
            submission.student, self._lab, self._source, self.isolation, lost.exercises, problems
        )
        return replace(marked, broken={"examiner": lost.why} if lost.why else {})


class _WorkerLost(Exception):
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


class _Worker:
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
            raise _WorkerLost from error
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
        known: dict[str, Any] = {"exercises": [], "problems": []}
        try:
            self._orders.send_bytes(json.dumps(order).encode())
            while self._orders.poll(max(0.0, end - time.monotonic())):
                data = self._orders.recv_bytes()
                if data.startswith(b'{"so_far"'):
                    known = json.loads(data)["so_far"]
                elif data.startswith(b'{"no_kernel"'):
                    raise KernelStartError(json.loads(data)["no_kernel"])
                elif data.startswith(b'{"failed"'):
                    raise _WorkerLost(*_so_far(known), why=json.loads(data)["failed"])
                else:
                    return Marked.from_json(data)
        except (EOFError, OSError):
            raise _WorkerLost(*_so_far(known)) from None
        raise _WorkerLost(*_so_far(known), why=f"no answer within {self._most:g} s")

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
    known: dict[str, Any],
) -> tuple[tuple[ExerciseResult, ...], tuple[Problem, ...]]:
    exercises = tuple(
        ExerciseResult(**{**one, "checks": tuple(CheckResult(**check) for check in one["checks"])})
        for one in known["exercises"]
    )
    return exercises, tuple(Problem(**one) for one in known["problems"])


class _Template:
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

    def __enter__(self) -> _Template:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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


def _cpus() -> list[int]:
    """The processors that this process may use, by number; one of no number where none can be told."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [-1]
