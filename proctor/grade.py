"""Mark a class: many submissions in, verdicts, gradebook, feedback out.

Submissions are marked in parallel by a pool; this process alone writes. What was marked already, by
the same engine with the same source and checks, is not marked again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from proctor import gradebook, receipt
from proctor.arrivals import collect_class
from proctor.build import dumps
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, RejectedError
from proctor.examiner import Examined, Reference
from proctor.feedback import write_feedback
from proctor.forkserver import Isolation
from proctor.intake import read
from proctor.isolation import choose_launcher, require
from proctor.kernel import Launcher
from proctor.mark import rejected
from proctor.marking import ChangedScore, MarkingRecord, versions, write_marking
from proctor.places import claim_verdict_folder, verdict_folder
from proctor.pool import LocalPool, Marked, Pool
from proctor.reference import engine_key, run_reference
from proctor.submission import Handed
from proctor.verdict import Verdict
from proctor.whole import write_whole


@dataclass
class ClassResult:
    """What marking a class gave.

    Attributes
    ----------
    verdicts : dict of str to Verdict
        By student id, sorted.
    missing : list of str
        Students of the roster who handed in nothing.
    marked, kept : int
        How many were marked now, and how many were marked before and are unchanged.
    broken : dict of str to str
        Check id -> what it raised on the instructor's own solution: it is withdrawn.
    unjudged : dict of str to str
        Check id -> what it raised on a submission, which a person has to look at.
    changed : list of ChangedScore
        Scores that differ from an earlier marking.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    marked: int = 0
    kept: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    changed: list[ChangedScore] = field(default_factory=list)

    @property
    def needs_attention(self) -> bool:
        """Whether anything in the class needs a person."""
        return bool(self.broken) or any(v.status != "graded" for v in self.verdicts.values())


@dataclass
class Listener:
    """What a run tells while it goes on; every part may be left out."""

    start: Callable[[int], None] = lambda total: None
    marked: Callable[[str], None] = lambda student: None
    say: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Output:
    """Where a run writes: a course folder, or another folder of the same form."""

    folder: Path
    lab: str

    @property
    def verdicts(self) -> Path:
        """Folder of this lab's verdicts."""
        return verdict_folder(self.folder, self.lab)

    @property
    def db_url(self) -> str:
        """SQLAlchemy URL of the gradebook there."""
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def verdict(self, student: str) -> Path:
        """Path of a student's verdict."""
        return self.verdicts / f"{student}.json"

    def key(self, student: str) -> Path:
        """Path of the key under which that verdict was given."""
        return self.verdicts / ".keys" / student

    def notebook(self, lab: str, student: str) -> Path:
        """Path of the notebook as it ran."""
        return self.folder / "autograded" / student / lab / f"{lab}.ipynb"

    def page(self, lab: str, student: str) -> Path:
        """Path of the feedback page."""
        return self.folder / "feedback" / student / lab / f"{lab}.html"

    def page_key(self, student: str) -> Path:
        """Path of the key of the verdict that the page tells."""
        return self.verdicts / ".keys" / f".page-{student}"


def grade(
    course: Course,
    lab: Lab,
    submissions: Path,
    out: Path | None = None,
    *,
    jobs: int = 1,
    isolation: Isolation | None = None,
    student: str | None = None,
    scheduler: str | None = None,
    listener: Listener | None = None,
) -> ClassResult:
    """Mark every submission of a class.

    Parameters
    ----------
    submissions : Path
        nbgrader's tree, a folder of folders, a flat folder, or an LMS zip.
    out : Path, optional
        Where to write; default the course's folder.
    jobs : int
        How many submissions run at once.
    isolation : str, optional
        ``namespaces`` or ``process``; default the strongest that this system has.
    student : str, optional
        Mark this student alone, again.
    scheduler : str, optional
        Address of a Dask scheduler whose workers mark, ``tcp://...``; default this machine alone.
    """
    tell = listener or Listener()
    run = _Run(course, lab, Output((out or course.folder).resolve(), lab.name), tell)
    began = time.monotonic()
    handed = collect_class(course, submissions, lab.name)
    handed = [one for one in handed if student in (None, one.student)]
    if student is not None and not handed:
        raise CourseError(
            f"{course.relative(submissions)} holds no submission of '{student}'. "
            "The ids are the names of its folders."
        )
    tell.start(len(handed))
    require(isolation)
    with ExitStack() as open_things:
        aside = open_things.enter_context(ThreadPoolExecutor(1))
        known = aside.submit(run.record_assignment)  # while the warm modules are imported
        launcher = open_things.enter_context(choose_launcher(lab, course, isolation))
        known.result()
        run.book = open_things.enter_context(run.prepare(launcher))
        pool: Pool = LocalPool(course, lab, run.source, launcher, jobs)
        if scheduler is not None:
            from proctor.cluster import ClusterPool  # an optional dependency

            pool = ClusterPool(scheduler, course, lab, run.source, run.engine, launcher.isolation)
        run.mark_all(handed, pool, again=student is not None)
        jobs = pool.size
    run.finish()
    if student is None:
        run.find_missing()
    write_marking(run.out.folder, lab.name, run.record(time.monotonic() - began, jobs))
    return run.result


class _Run:
    def __init__(self, course: Course, lab: Lab, out: Output, tell: Listener) -> None:
        self.course, self.lab, self.out, self.tell = course, lab, out, tell
        self.source = course.source_notebook(lab.name)
        self.result = ClassResult()
        self.reference = Reference()
        self.engine = ""
        self.book: gradebook.Writer
        self.fresh: list[str] = []
        config = course.nbgrader_config()
        self.config, self.isolation = config, ""
        self.took: dict[str, float] = {}
        self.keys: dict[str, str] = {}
        self.db_url = str(config.CourseDirectory.get("db_url", "") or out.db_url)
        self.course_id = str(config.CourseDirectory.get("course_id", ""))

    def record_assignment(self) -> None:
        """Make the gradebook, or see that the one there is knows the lab as it is."""
        self.out.folder.mkdir(parents=True, exist_ok=True)
        gradebook.record_assignment(self.db_url, self.course_id, self.lab.name, self.source)

    def prepare(self, launcher: Launcher) -> gradebook.Writer:
        """Mark the instructor's own solution first: a check that fails there is withdrawn."""
        self.engine = engine_key(self.course, self.lab, self.source, launcher.isolation)
        self.isolation = launcher.isolation
        keys = claim_verdict_folder(self.out.folder, self.lab.name) / ".keys"
        self.tell.say("Marking the reference solution first")
        self.reference = run_reference(self.course, self.lab, self.source, launcher, keys)
        self.result.broken |= self.reference.withdrawn
        return gradebook.Writer(self.db_url, self.course_id, self.config)

    def mark_all(self, handed: list[Handed], pool: Pool, *, again: bool) -> None:
        """Mark what is not marked yet, holding no more in memory than the pool works on."""
        waiting = self.unmarked(handed, again=again)
        running: dict[Future[Marked], str] = {}
        try:
            for key, group in waiting.items():
                if len(running) >= 2 * pool.size:
                    self.take(running, waiting)
                running[pool.submit(group[0], self.reference)] = key
            while running:
                self.take(running, waiting)
            pool.close()
        except BaseException:
            self.tell.say("Stopping")
            pool.stop()
            raise

    def take(
        self,
        running: dict[Future[Marked], str],
        waiting: dict[str, list[Handed]],
    ) -> None:
        """Wait until something is marked, and write it for all who sent the same bytes."""
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            key = running.pop(future)
            marked = future.result()
            for one in waiting[key]:
                self.took[one.student] = round(marked.seconds, 2)
                self.keep(one, personal(marked.examined, one.student), key)

    def unmarked(self, handed: list[Handed], *, again: bool) -> dict[str, list[Handed]]:
        """Group by key what has to be marked; keep what was, and what cannot be read."""
        tasks: dict[str, list[Handed]] = {}
        for one in handed:
            try:
                submission = read(one, self.lab.name)
            except RejectedError as error:
                key = self.key(error.code, error.message)
                if again or not self.known(one, key):
                    refused = rejected(one, self.lab, self.source, self.isolation, error)
                    self.keep(one, refused, key)
                continue
            notes = (problem.message for problem in submission.problems)
            key = self.key(submission.digest, *notes)
            if again or not self.known(one, key):
                tasks.setdefault(key, []).append(one)
        return tasks

    def key(self, *submitted: str) -> str:
        """Key of everything that determines a verdict, who sent it aside."""
        parts = [self.engine, *sorted(self.reference.withdrawn), *submitted]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def known(self, handed: Handed, key: str) -> bool:
        """Whether this very verdict was given before; if so it is read from its file."""
        student = handed.student
        path = self.out.key(student)
        try:
            if path.read_text("utf-8") != f"{self.lab.name} {key}":
                return False
            verdict = Verdict.from_json(self.out.verdict(student).read_bytes())
        except (OSError, ValueError, TypeError, KeyError):
            return False
        if verdict.lab != self.lab.name or not self.out.notebook(self.lab.name, student).is_file():
            return False
        self.book.record(verdict, handed.timestamp, unchanged=True)
        self.keys[student] = key
        renewed = receipt.carry(handed, self.out.notebook(self.lab.name, student).parent)
        if renewed or not self.has_page(student, key):
            self.fresh.append(student)
        self.result.verdicts[student] = verdict
        self.result.kept += 1
        self.tell.marked(student)
        return True

    def has_page(self, student: str, key: str) -> bool:
        """Whether the feedback page is there, whole, and tells this verdict."""
        try:
            told = self.out.page_key(student).read_text("utf-8")
        except (OSError, ValueError):
            return False
        return told == f"{self.lab.name} {key}" and self.out.page(self.lab.name, student).is_file()

    def page_done(self, student: str) -> None:
        """Note that a page is whole."""
        write_whole(self.out.page_key(student), f"{self.lab.name} {self.keys[student]}")

    def keep(self, handed: Handed, examined: Examined, key: str) -> None:
        """Write one result: notebook, gradebook, verdict, and last its key."""
        verdict, student = examined.verdict, handed.student
        self.compare(verdict)
        write_whole(self.out.notebook(self.lab.name, student), dumps(examined.notebook))
        receipt.carry(handed, self.out.notebook(self.lab.name, student).parent)
        self.book.record(verdict, handed.timestamp)
        write_whole(self.out.verdict(student), verdict.to_json())
        write_whole(self.out.key(student), f"{self.lab.name} {key}")
        self.keys[student] = key
        self.result.verdicts[student] = verdict
        self.result.unjudged |= examined.broken
        self.result.marked += 1
        self.fresh.append(student)
        self.tell.marked(student)

    def compare(self, verdict: Verdict) -> None:
        """Note whether an earlier marking gave another score, and which checks changed."""
        try:
            before = Verdict.from_json(self.out.verdict(verdict.student).read_bytes())
        except (OSError, ValueError, TypeError, KeyError):
            return
        if before.lab != verdict.lab or before.score == verdict.score:
            return
        old, new = dict(_points(before)), dict(_points(verdict))
        checks = tuple(sorted(c for c in old | new if old.get(c) != new.get(c)))
        self.result.changed.append(
            ChangedScore(verdict.student, before.score, verdict.score, checks)
        )

    def finish(self) -> None:
        """Write the feedback pages."""
        coursedir = self.course.coursedir(
            self.lab.name,
            db_url=self.db_url,
            autograded_directory=str(self.out.folder / "autograded"),
            feedback_directory=str(self.out.folder / "feedback"),
        )
        if self.fresh:
            self.tell.say("Writing feedback pages")
            write_feedback(coursedir, sorted(self.fresh), self.page_done)
        self.result.verdicts = dict(sorted(self.result.verdicts.items()))

    def find_missing(self) -> None:
        """List who handed in nothing."""
        known = gradebook.roster(self.db_url, self.course_id)
        self.result.missing = [name for name in known if name not in self.result.verdicts]

    def record(self, seconds: float, jobs: int) -> MarkingRecord:
        """Return what is worth knowing of this run and has no place in a verdict."""
        return MarkingRecord(
            finished=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            seconds=round(seconds, 1),
            jobs=jobs,
            isolation=self.isolation,
            marked=self.result.marked,
            kept=self.result.kept,
            versions=versions(),
            broken=self.result.broken,
            changed=tuple(self.result.changed),
            took=self.took,
        )


def personal(examined: Examined, student: str) -> Examined:
    """Return the same result in the name of one of those who sent the same bytes."""
    return replace(examined, verdict=replace(examined.verdict, student=student))


def _points(verdict: Verdict) -> Iterator[tuple[str, float]]:
    for exercise in verdict.exercises:
        for check in exercise.checks:
            yield check.id, check.points
