"""Mark a class: many submissions in, verdicts, gradebook, feedback out.

Submissions are marked in parallel by a pool; this process alone writes. What was marked already, by
the same engine with the same source and checks, is not marked again; what met a limit of time or lost a
process is, once, when nothing else runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from proctor.checks import Lab
from proctor.classroom.arrivals import collect_class
from proctor.classroom.waiting_queue import waiting_in
from proctor.course import Course
from proctor.errors import CourseError, KernelStartError
from proctor.examine.mark_result import Marked
from proctor.examine.marker import Elsewhere, Marker, Reading, open_marker
from proctor.intake.release_difference import stale_release
from proctor.record.arrival_record import note_arrivals
from proctor.record.keeper import Keeper, Result
from proctor.record.roster import enrolled
from proctor.record.run_record import (
    ChangedScore,
    ClassResult,
    MarkingRecord,
    versions,
    write_marking,
)
from proctor.record.store import store_of
from proctor.sandbox.forkserver import Isolation
from proctor.sandbox.isolation import require
from proctor.submission import Handed
from proctor.tell.feedback import page_states, write_feedback
from proctor.verdict import Verdict


@dataclass
class Listener:
    """What a run tells while it goes on; every part may be left out."""

    start: Callable[[int], None] = lambda total: None
    marked: Callable[[str], None] = lambda student: None
    say: Callable[[str], None] = lambda text: None
    note: Callable[[str], None] = lambda text: None
    """Is told what a person must read, in lines that stay."""


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
    store = store_of(lab, (out or course.folder).resolve())
    began = time.monotonic()
    arrived = collect_class(course, submissions, lab.name)
    for sentence in arrived.sentences():
        tell.note(sentence)
    if waiting := waiting_in(course.folder, lab.name):
        tell.note(
            f"{waiting} hand-ins wait in the queue of `proctor watch` and are not marked now. "
            f"Have them marked: proctor watch {lab.name} --once"
        )
    if lab.ordinary is not None and (sentence := stale_release(course, lab.ordinary)):
        tell.note(sentence)
    handed = [one for one in arrived.handed if student in (None, one.student)]
    if sentence := _not_the_best(course, lab, submissions, store.origins(), handed):
        tell.note(sentence)
    if student is not None and not handed:
        raise CourseError(
            f"{course.relative(submissions)} holds no submission of '{student}'. "
            "The ids are the names of its folders."
        )
    tell.start(len(handed))
    require(isolation)
    keeper = Keeper(course, store, course.source_notebook(lab.name))
    with ExitStack() as opened:
        opened.enter_context(store.writing(wait=False))
        aside = opened.enter_context(ThreadPoolExecutor(1))
        known = aside.submit(keeper.open_gradebook)  # while the warm modules are imported
        marker = opened.enter_context(
            open_marker(
                course,
                lab,
                store.receipts,
                isolation=isolation,
                jobs=jobs,
                elsewhere=workers_of(scheduler) if scheduler is not None else None,
                say=tell.say,
            )
        )
        known.result()
        opened.enter_context(keeper)
        run = _Run(marker, keeper, tell, str(submissions.resolve()))
        run.mark_all(handed, again=student is not None)
        jobs = marker.pool.size
        isolation_used = marker.pool.isolation
    run.write_pages()
    if student is None:
        run.find_missing()
    note_arrivals(
        store.folder, lab.name, arrived.handed, [one.student for one in arrived.strangers]
    )
    record = run.record(time.monotonic() - began, jobs, isolation_used)
    write_marking(store.folder, lab.name, record)
    return run.result


def _not_the_best(
    course: Course, lab: Lab, submissions: Path, origins: dict[str, str], handed: list[Handed]
) -> str:
    """Say that the best attempt counts only where `proctor watch` compares; empty where it stands."""
    kept = str((course.folder / "submitted").resolve())
    rivals = sum(origins.get(one.student) == kept for one in handed)
    if lab.policy.counts != "best" or str(submissions.resolve()) == kept or not rivals:
        return ""
    return (
        f"{lab.name} counts the best attempt, but of {rivals} who have one in course/submitted, what is "
        f"in {course.relative(submissions)} counts now, better or not. To have the best of both count: "
        f"proctor watch {lab.name} FOLDER --once. To go back: proctor grade {lab.name}"
    )


def workers_of(scheduler: str) -> Elsewhere:
    """Return what opens the pool of a Dask scheduler's workers."""
    from proctor.classroom.cluster import ClusterPool  # an optional dependency

    return lambda marker: ClusterPool(scheduler, marker)


class _Run:
    """One run through a class: what is known is kept, the rest is marked, all of it is written."""

    def __init__(self, marker: Marker, keeper: Keeper, tell: Listener, origin: str) -> None:
        self.marker, self.keeper, self.tell, self.origin = marker, keeper, tell, origin
        self.store = keeper.store
        self.result = ClassResult(broken=dict(marker.reference.withdrawn))
        self.stale_pages: list[str] = []
        self.took: dict[str, float] = {}
        self.running: dict[Future[Marked], Reading] = {}
        self.twins: dict[str, list[Handed]] = {}  # who sent the bytes that are being marked
        self.first: dict[str, str] = {}  # by key, who was marked for it in this run
        self.unclear: list[Reading] = []

    def mark_all(self, handed: list[Handed], *, again: bool) -> None:
        """Mark what is not known, holding no more in memory than the pool works on."""
        try:
            for one in handed:
                self.plan(self.marker.read(one), again=again)
                if len(self.running) >= self.marker.pool.ahead:
                    self.take()
            while self.running:
                self.take()
            for reading in self.unclear:  # nothing else runs now
                self.tell.say("Marking again, alone, what met a limit")
                self.keep([(reading, self.marker.again(reading))])
        except BaseException:
            self.tell.say("Stopping")
            self.marker.pool.stop()
            raise

    def plan(self, reading: Reading, *, again: bool) -> None:
        """Keep what is known; have the rest marked, equal bytes once."""
        student, key = reading.handed.student, reading.key
        verdict = None if again else self.store.known(student, key)
        if verdict is not None:
            self.confirm(reading.handed, verdict, key)
        elif key in self.twins:
            self.twins[key].append(reading.handed)
        elif (first := self.first.get(key)) and (marked := self.store.marked(first, key)):
            self.write([(reading.handed, marked.of(student), key)])
        else:
            self.twins[key] = [reading.handed]
            self.running[self.marker.submit(reading)] = reading

    def take(self) -> None:
        """Wait until something is marked, and write all that is."""
        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
        clear = []
        for future in done:
            reading = self.running.pop(future)
            try:
                marked = future.result()
            except KernelStartError:
                self.unclear.append(reading)
                continue
            if marked.met:
                self.unclear.append(reading)
            else:
                clear.append((reading, marked))
        self.keep(clear)

    def keep(self, results: list[tuple[Reading, Marked]]) -> None:
        """Write each result for all who sent the same bytes."""
        for reading, marked in results:
            for one in self.twins[reading.key]:
                self.took[one.student] = round(marked.seconds, 2)
        self.write(
            [
                (one, marked.of(one.student), reading.key)
                for reading, marked in results
                for one in self.twins.pop(reading.key)
            ]
        )
        self.first |= {reading.key: reading.handed.student for reading, _ in results}

    def write(self, results: list[Result]) -> None:
        """Write students' results."""
        for _, marked, _ in results:
            self.compare(marked.verdict)
        self.keeper.keep_all(results, self.origin)
        for _, marked, _ in results:
            self.result.unjudged |= marked.broken
            self.result.marked += 1
            self.done(marked.verdict, stale_page=True)

    def confirm(self, handed: Handed, verdict: Verdict, key: str) -> None:
        """Take over what an earlier run gave."""
        renewed = self.keeper.confirm(handed, verdict, key, self.origin)
        self.result.kept += 1
        self.done(verdict, stale_page=renewed)

    def done(self, verdict: Verdict, *, stale_page: bool) -> None:
        """Note that a student's verdict is there."""
        self.result.verdicts[verdict.student] = verdict
        if stale_page:
            self.stale_pages.append(verdict.student)
        self.tell.marked(verdict.student)

    def compare(self, verdict: Verdict) -> None:
        """Note whether an earlier marking gave another score, and which checks changed."""
        before = self.store.last(verdict.student)
        if before is None or before.score == verdict.score:
            return
        old, new = dict(_points(before)), dict(_points(verdict))
        checks = tuple(sorted(c for c in old | new if old.get(c) != new.get(c)))
        self.result.changed.append(
            ChangedScore(verdict.student, before.score, verdict.score, checks)
        )

    def write_pages(self) -> None:
        """Write the feedback pages that are not there yet or tell something else."""
        coursedir = self.marker.course.coursedir(
            self.store.lab,
            db_url=self.keeper.db_url,
            autograded_directory=str(self.store.folder / "autograded"),
            feedback_directory=str(self.store.folder / "feedback"),
        )
        policy = self.marker.lab.policy
        states = page_states(coursedir, self.result.verdicts, policy)
        stale = {s for s, state in states.items() if not self.keeper.has_page(s, state)}
        if stale := stale.union(self.stale_pages):
            self.tell.say("Writing feedback pages")

            def done(student: str) -> None:
                self.keeper.page_done(student, states[student])

            write_feedback(coursedir, sorted(stale), done, self.store.names, policy)
        self.result.verdicts = dict(sorted(self.result.verdicts.items()))

    def find_missing(self) -> None:
        """List who handed in nothing, and whose submission was there before and is gone."""
        origins = self.store.origins()
        others = {name: at for name, at in origins.items() if name not in self.result.verdicts}
        self.result.gone = [name for name, origin in others.items() if origin == self.origin]
        course, out = self.marker.course, self.store.folder
        for name in enrolled(course, out, self.keeper.roster()):
            if name in self.result.verdicts or name in self.result.gone:
                continue
            (self.result.elsewhere if name in others else self.result.missing).append(name)

    def record(self, seconds: float, jobs: int, isolation: str) -> MarkingRecord:
        """Return what is worth knowing of this run and has no place in a verdict."""
        return MarkingRecord(
            finished=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            seconds=round(seconds, 1),
            jobs=jobs,
            isolation=isolation,
            marked=self.result.marked,
            kept=self.result.kept,
            versions=versions(),
            broken=self.result.broken,
            changed=tuple(self.result.changed),
            gone=tuple(self.result.gone),
            took=self.took,
        )


def _points(verdict: Verdict) -> Iterator[tuple[str, float]]:
    for exercise in verdict.exercises:
        for check in exercise.checks:
            yield check.id, check.points
