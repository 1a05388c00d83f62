"""Marks remembered by the work that they are of, for tests of what is kept of them.

The kernels and the checks have tests of their own; what runs here a thousand times is the rest. All
courses must be copies of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbgrader.api
import pytest
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Engine, create_engine

import proctor.classroom.grade
import proctor.examine.marker
from proctor.atomic_files import write_whole
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.pool import Pool, open_pool
from proctor.policy import Policy
from proctor.submission import Submission


class Remembering:
    """A pool that marks each piece of work once."""

    size = ahead = 1

    def __init__(self, pool: Pool) -> None:
        self.pool, self.isolation = pool, pool.isolation
        self._known: dict[Any, Marked] = {}

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Mark one submission, or remember it."""
        key = (submission.digest, submission.problems, *sorted(reference.withdrawn), record)
        if key not in self._known:
            self._known[key] = self.pool.submit(submission, reference, record=record).result()
        future: Future[Marked] = Future()
        future.set_result(self._known[key].of(submission.student))
        return future

    def stop(self) -> None:
        """Nothing runs."""


class Engines:
    """Gives each gradebook of one address the engine that compiled its statements before.

    Connections are always new ones, since the file may be another.
    """

    def __init__(self) -> None:
        self._known: dict[str, Engine] = {}

    def __call__(self, url: str, **options: Any) -> Engine:
        """Stand for :func:`sqlalchemy.create_engine`."""
        if url not in self._known:
            self._known[url] = create_engine(url, **options)
        self._known[url].dispose()
        return self._known[url]


@contextmanager
def remembered() -> Iterator[None]:
    """Let every door of this process use one warm pool that marks each piece of work once."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        pools: list[Remembering] = []

        @contextmanager
        def one_pool(*course: Any, **options: Any) -> Iterator[Remembering]:
            if not pools:
                pools.append(Remembering(stack.enter_context(open_pool(*course, **options))))
            yield pools[0]

        patch.setattr(nbgrader.api, "create_engine", Engines())
        patch.setattr(proctor.classroom.grade, "write_feedback", write_plain_pages)
        patch.setattr(proctor.examine.marker, "open_pool", one_pool)
        yield


def write_plain_pages(
    coursedir: CourseDirectory,
    students: Iterable[str],
    done: Callable[[str], None],
    names: Iterable[str],
    policy: Policy,
) -> None:
    """Write for each student a page that is the notebook itself, in place of nbgrader's."""
    for who in students:
        lab = coursedir.assignment_id
        ran = Path(coursedir.autograded_directory) / who / lab / f"{lab}.ipynb"
        page = Path(coursedir.feedback_directory) / who / lab / f"{lab}.html"
        write_whole(page, ran.read_bytes())
        done(who)
