"""A pool that is started when the first submission comes: a run that finds everything marked starts none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack

from proctor.examine.mark_result import Marked, Reference
from proctor.examine.pool import AHEAD, LocalPool
from proctor.kernel.link import Launcher
from proctor.submission import Submission


class LaterPool:
    """Stands for a pool that is not there yet.

    Parameters
    ----------
    start : callable
        Opens the pool.
    isolation : str
        How it will keep students' kernels apart.
    jobs : int
        How many submissions it will run at once.
    """

    def __init__(
        self, start: Callable[[], AbstractContextManager[LocalPool]], isolation: str, jobs: int
    ) -> None:
        self.isolation, self.size = isolation, max(1, jobs)
        self.ahead = AHEAD * self.size
        self._start = start
        self._opened = ExitStack()
        self._lock = threading.Lock()
        self._pool: LocalPool | None = None

    def __enter__(self) -> LaterPool:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Start the pool, if this is the first one, and have it mark.

        Raises
        ------
        CourseError
            As :func:`proctor.examine.pool.open_pool` raises it.
        """
        return self._started().submit(submission, reference, record=record)

    def launcher(self) -> Launcher:
        """Start the pool, if this is the first use, and return where its kernels come from."""
        return self._started().launcher()

    def _started(self) -> LocalPool:
        with self._lock:
            if self._pool is None:
                self._pool = self._opened.enter_context(self._start())
        return self._pool

    def stop(self) -> None:
        """End at once; what runs is lost."""
        if self._pool is not None:
            self._pool.stop()
