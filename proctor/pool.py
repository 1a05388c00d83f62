"""Who marks: a pool of threads on this machine, each of which waits for one student's kernel."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.examiner import Examined, Reference
from proctor.kernel import Launcher
from proctor.mark import mark
from proctor.submission import Handed


def default_jobs() -> int:
    """Return how many submissions to mark at once: half as many again as processors, and one.

    A submission waits now and then: for the examiner, for a limit, for a sleep of its own.
    """
    ours = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if ours else os.cpu_count() or 1
    return processors + processors // 2 + 1


@dataclass(frozen=True)
class Marked:
    """What marking one submission gave, and how many seconds it took."""

    examined: Examined
    seconds: float


class Pool(Protocol):
    """Marks submissions, several at a time.

    Attributes
    ----------
    size : int
        How many run at once.
    """

    size: int

    def submit(self, handed: Handed, reference: Reference) -> Future[Marked]:
        """Mark one submission some time soon."""

    def close(self) -> None:
        """Wait for what runs, and end."""

    def stop(self) -> None:
        """End at once; what runs is lost."""


class LocalPool:
    """Threads and this machine's fork server."""

    def __init__(
        self, course: Course, lab: Lab, source: NotebookNode, launcher: Launcher, jobs: int
    ) -> None:
        self.course, self.lab, self.source, self.launcher = course, lab, source, launcher
        self.size = max(1, jobs)
        self._threads = ThreadPoolExecutor(self.size)

    def submit(self, handed: Handed, reference: Reference) -> Future[Marked]:
        """Mark one submission some time soon."""
        return self._threads.submit(self._mark, handed, reference)

    def _mark(self, handed: Handed, reference: Reference) -> Marked:
        began = time.monotonic()
        examined = mark(handed, self.course, self.lab, self.source, self.launcher, reference)
        return Marked(examined, time.monotonic() - began)

    def close(self) -> None:
        """Wait for what runs, and end."""
        self._threads.shutdown()

    def stop(self) -> None:
        """End at once: a thread that waits for a kernel goes on as soon as the kernel is gone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        server = getattr(self.launcher, "server", None)
        if server is not None:
            server.close()
        self._threads.shutdown()
