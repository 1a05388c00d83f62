"""The one way to a mark: a lab laid out for marking, which turns what was read into a verdict.

Every door (``grade``, ``check``, ``nbgrader autograde``, formgrader's button, Gradescope's container)
opens a :class:`Marker` and asks it; a Dask worker opens the pool beneath it, and is given the rest.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, KernelStartError, RejectedError
from proctor.examine.adoption import plans
from proctor.examine.later_pool import LaterPool
from proctor.examine.mark_result import Marked, Reference, refused
from proctor.examine.pool import LocalPool, Pool, isolation_of, open_pool
from proctor.examine.reference import run_reference
from proctor.examine.secret import course_secret
from proctor.examine.verdict_key import engine_key
from proctor.intake.converted_masters import require_built as require_converted
from proctor.intake.master import source_notebooks
from proctor.intake.submissions import read, read_parts
from proctor.notebooks import dumps
from proctor.sandbox.forkserver import Isolation
from proctor.submission import Candidate, Handed, Submission


@dataclass(frozen=True)
class Reading:
    """What one student handed in, read once: the bytes under this key are those that are marked.

    Attributes
    ----------
    handed : Handed
    key : str
        Key of everything that determines the verdict, who sent it aside.
    submission : Submission or None
        None if it cannot be marked.
    refusal : RejectedError or None
        Why not.
    """

    handed: Handed
    key: str
    submission: Submission | None = None
    refusal: RejectedError | None = None


class Marker:
    """A lab, its source, what the reference run showed, and a pool of processes that mark.

    Attributes
    ----------
    course, lab, source
        What is marked.
    pool : Pool
    reference : Reference
    engine : str
        Key of all but the submission that a verdict depends on.
    secret : bytes
        The course's; see :mod:`proctor.examine.secret`.
    """

    def __init__(
        self,
        course: Course,
        lab: Lab,
        source: NotebookNode,
        pool: Pool,
        reference: Reference,
        engine: str,
        secret: bytes,
    ) -> None:
        self.course, self.lab, self.source = course, lab, source
        self.pool, self.reference = pool, reference
        self.engine, self.secret = engine, secret

    def read(self, handed: Handed) -> Reading:
        """Read what one student handed in; never an exception for bad input."""
        try:
            submission = read_lab(handed, self.lab)
        except RejectedError as error:
            return Reading(handed, self._key(error.code, error.message), refusal=error)
        notes = (problem.message for problem in submission.problems)
        return Reading(handed, self._key(submission.digest, *notes), submission)

    def _key(self, *submitted: str) -> str:
        parts = [self.engine, *sorted(self.reference.withdrawn), *submitted]
        if self.lab.ordinary is not None:
            parts.append(hashlib.sha256(self.reference.records).hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def submit(self, reading: Reading) -> Future[Marked]:
        """Mark what was read some time soon, beside others.

        A result that rests on a limit of time or on a process that was lost, is not final: see
        :meth:`again`.
        """
        if reading.submission is not None:
            return self.pool.submit(reading.submission, self.reference)
        assert reading.refusal is not None
        future: Future[Marked] = Future()
        future.set_result(
            refused(reading.handed, self.lab, self.source, self.pool.isolation, reading.refusal)
        )
        return future

    def again(self, reading: Reading) -> Marked:
        """Mark once more, when nothing else is marked, what rests on a limit; that is final."""
        return self.submit(reading).result()

    def mark(self, handed: Handed) -> Marked:
        """Read and mark a single submission."""
        return self.finish(self.read(handed))

    def finish(self, reading: Reading) -> Marked:
        """Mark a single submission that was read."""
        try:
            marked = self.submit(reading).result()
        except KernelStartError:  # whatever kept it: once more
            return self.again(reading)
        return self.again(reading) if marked.met else marked


Elsewhere = Callable[[Marker], AbstractContextManager[Pool]]


def read_lab(handed: Handed, lab: Lab) -> Submission:
    """Read what one student handed in for a lab, or for an assignment of several notebooks."""
    if lab.several is None:
        return read(handed, lab.name)
    return read_parts(handed, lab.name, lab.several.names)


def handed_file(path: Path, student: str) -> Handed:
    """Return one file as what `student` handed in."""
    return Handed(student, student, (Candidate(path.name, path=path),))


def handed_files(path: Path, student: str, lab: Lab) -> Handed:
    """Return one file, or all notebooks beside it that belong to an assignment, as handed in."""
    if lab.several is None:
        return handed_file(path, student)
    paths = sorted(path.parent.glob("*.ipynb"))
    return Handed(student, student, tuple(Candidate(one.name, path=one) for one in paths))


@contextmanager
def open_marker(
    course: Course,
    lab: Lab,
    kept: Path,
    *,
    isolation: Isolation | None = None,
    jobs: int = 1,
    at_once: bool = False,
    elsewhere: Elsewhere | None = None,
    say: Callable[[str], None] = lambda text: None,
    note: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
) -> Iterator[Marker]:
    """Lay a lab out for marking.

    Parameters
    ----------
    kept : Path
        Folder in which what the reference run showed is kept for the next time.
    isolation : str, optional
        ``namespaces`` or ``process``; default the strongest that this system has.
    jobs : int
        How many submissions run at once.
    at_once : bool
        Start what marks now, not with the first submission.
    elsewhere : callable, optional
        Opens the pool that marks the class, given the marker of this machine; default its own.
    say : callable
        Told what goes on before the first submission.
    note : callable
        Told what the instructor should know and keep: that a new secret was made. By default stderr,
        whatever the door.

    Raises
    ------
    CourseError
        If the lab cannot be marked as it is: not built, broken on its own solution, no isolation.
    """
    source = course.source_notebook(lab.name)
    require_built(course, lab)
    secret = course_secret(course.folder, note)

    def start() -> AbstractContextManager[LocalPool]:
        return open_pool(course, lab, source, secret=secret, isolation=isolation, jobs=jobs)

    with ExitStack() as opened:
        beside = opened.enter_context(ThreadPoolExecutor(1))  # while the warm modules are imported
        expected = isolation_of(isolation)
        key = beside.submit(engine_key, course, lab, source, expected, secret)
        pool: LocalPool
        if at_once or sys.platform != "linux":
            pool = opened.enter_context(start())
        else:
            pool = opened.enter_context(LaterPool(start, expected, jobs))
        engine = key.result()
        if lab.ordinary is not None:
            made = plans(course, lab, isolation, say, launcher=pool.launcher)
            reference = Reference(records=made)
        else:
            say("Marking the reference solution first")
            reference = run_reference(course, lab, source, pool, engine, kept)
        marker = Marker(course, lab, source, pool, reference, engine, secret)
        if elsewhere is not None:
            marker.pool = opened.enter_context(elsewhere(marker))
        yield marker


def require_built(course: Course, lab: Lab) -> None:
    """Raise :class:`CourseError` if the built notebook is not that of the master and the checks."""
    if lab.name in course.converted():
        require_converted(course, lab.name)
    if lab.ordinary is not None or not (masters := course.own_masters(lab.name)):
        return  # the source notebook is the instructor's own work
    for name, made in source_notebooks(masters, lab).items():
        built = course.source(lab.name).with_name(f"{name}.ipynb")
        if not built.is_file() or dumps(made) != built.read_text("utf-8"):
            raise CourseError(
                f"{course.relative(masters[name])} or the points of its checks were changed since the "
                f"lab was built. Run: proctor build {lab.name}"
            )
