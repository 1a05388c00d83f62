"""Who marks: worker processes on this machine, each of which drives one student's kernel at a time."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import Protocol

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import KernelStartError
from proctor.examine.examiner import examine, helper_sources
from proctor.examine.mark_result import LOST, Marked, Reference, unfinished
from proctor.examine.notebook_session import Setting
from proctor.examine.worker import JUDGING_SECONDS
from proctor.examine.worker_handle import Template, Worker, WorkerLost
from proctor.kernel.agent import packed
from proctor.kernel.cell_run import MISUSED
from proctor.kernel.forked import ForkLauncher
from proctor.kernel.fresh import FreshLauncher
from proctor.kernel.link import Launcher
from proctor.nbgrader_steps import blanks
from proctor.sandbox.forkserver import ForkServer, Isolation
from proctor.sandbox.isolation import fork_server, given_files, require
from proctor.sandbox.limits import PATIENCE, SPARE_SECONDS
from proctor.submission import Submission
from proctor.verdict import Problem

AHEAD = 4
"""How many submissions, for each that runs, are read or wait to be written: what is marked while the
disk is waited for is written together."""


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

    @property
    def ahead(self) -> int:
        """How many may be handed over, or wait to be written, at a time."""

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Mark one submission some time soon; see :func:`proctor.examine.examiner.examine`."""

    def stop(self) -> None:
        """End at once; what runs is lost."""


class LocalPool(Pool, Protocol):
    """A pool on this machine, whose kernels can be used otherwise, too."""

    def launcher(self) -> Launcher:
        """Return where its kernels come from."""


def isolation_of(wanted: Isolation | None) -> Isolation:
    """Return how kernels will be kept apart on this system, if that is what is wanted."""
    return wanted or "namespaces" if sys.platform == "linux" else "process"


@contextmanager
def open_pool(
    course: Course,
    lab: Lab,
    source: NotebookNode,
    *,
    secret: bytes = b"",
    isolation: Isolation | None = None,
    jobs: int = 1,
) -> Iterator[LocalPool]:
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
    agent = packed({} if lab.ordinary else helper_sources(course.root, lab))
    with ExitStack() as opened:
        template = opened.enter_context(Template(course, lab, isolation_of(isolation), secret))
        server = opened.enter_context(fork_server(lab, course, isolation_of(isolation), agent))
        template.ready()
        with WorkerPool(template, server, lab, source, jobs) as pool:
            yield pool


class OwnProcess:
    """Marks in this very process, one after the other, for systems without the fork server."""

    size = ahead = 1

    def __init__(self, setting: Setting) -> None:
        self.isolation = setting.launcher.isolation
        self._setting = setting

    def launcher(self) -> Launcher:
        """Return where its kernels come from."""
        return self._setting.launcher

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
        self, template: Template, server: ForkServer, lab: Lab, source: NotebookNode, jobs: int
    ) -> None:
        self.size = max(1, jobs)
        self.ahead = AHEAD * self.size
        self.isolation: str = server.isolation
        self._template, self._server = template, server
        self._lab, self._source = lab, source
        self._threads = ThreadPoolExecutor(self.size)
        self._idle: SimpleQueue[Worker | None] = SimpleQueue()
        for _ in range(self.size):
            self._idle.put(None)  # a place for a worker that is not there yet
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._busy = Counter(dict.fromkeys(_cpus(), 0))
        self._stopping = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def launcher(self) -> Launcher:
        """Return where its kernels come from."""
        return ForkLauncher(self._server)

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
        except WorkerLost as lost:
            if self._stopping:
                raise KernelStartError("Marking was stopped.") from lost
            if worker is not None:
                self._drop(worker)
                worker = None
            return self._lost(submission, lost)
        finally:
            self._idle.put(worker)

    def _new_worker(self) -> Worker:
        most = PATIENCE * self._lab.total_seconds + SPARE_SECONDS + 2 * JUDGING_SECONDS
        worker = Worker(self._template.fork(self._server), most)
        with self._lock:
            self._workers.add(worker)
        return worker

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.close()

    def _lost(self, submission: Submission, lost: WorkerLost) -> Marked:
        code, message = ("judging-lost", LOST) if lost.why else MISUSED
        problems = [*(lost.problems or submission.problems), Problem(code, message, attention=True)]
        marked = unfinished(
            submission.student, self._lab, self._source, self.isolation, lost.exercises, problems
        )
        return replace(marked, broken={"examiner": lost.why} if lost.why else {})


def _cpus() -> list[int]:
    """The processors that this process may use, by number; one of no number where none can be told."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [-1]
