"""Mark last term again and compare, cell by cell, with what the gradebook says; nothing is written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from proctor.cells import marking
from proctor.checks import Lab
from proctor.classroom.arrivals import collect_class
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.mark_result import Marked
from proctor.examine.marker import Reading, open_marker
from proctor.record import gradebook
from proctor.record.store import store_of
from proctor.sandbox.forkserver import Isolation
from proctor.verdict import ExerciseResult, Verdict


@dataclass(frozen=True)
class Difference:
    """A test cell of one submission with another score than the gradebook's.

    Attributes
    ----------
    student, notebook, cell : str
    before, now : float
    reason : str
        Why, as far as it is known.
    """

    student: str
    notebook: str
    cell: str
    before: float
    now: float
    reason: str


@dataclass
class Compared:
    """What marking a class again gave.

    Attributes
    ----------
    students, cells : int
        How many submissions, and test cells of theirs, were compared.
    differences : list of Difference
    unknown : list of str
        Students who are not in the gradebook, so that there is nothing to compare with.
    without : dict of str to int
        Student -> how many test cells have no score in the gradebook.
    """

    students: int = 0
    cells: int = 0
    differences: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    without: dict[str, int] = field(default_factory=dict)


def compare(
    course: Course,
    lab: Lab,
    submissions: Path,
    *,
    isolation: Isolation | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> Compared:
    """Mark an assignment's submissions again; marks by hand are neither read nor touched.

    Raises
    ------
    CourseError
        If there is no gradebook to compare with, or the assignment cannot be marked.
    """
    store = store_of(lab, course.folder)
    config = course.nbgrader_config()
    url = str(config.CourseDirectory.get("db_url", "") or store.db_url)
    if url == store.db_url and not Path(url.removeprefix("sqlite:///")).is_file():
        raise CourseError(
            f"There is no gradebook at {url.removeprefix('sqlite:///')} to compare with. Mark with: "
            f"nbgrader autograde {lab.name}"
        )
    course_id = str(config.CourseDirectory.get("course_id", ""))
    before = gradebook.automatic_scores(url, course_id, lab.name)
    worth = gradebook.most_points(url, course_id, lab.name)
    found = Compared()
    autograded = course.folder / str(
        config.CourseDirectory.get("autograded_directory", "autograded")
    )
    handed = collect_class(course, submissions, lab.name).handed
    with (
        tempfile.TemporaryDirectory(prefix="proctor-") as kept,
        open_marker(course, lab, Path(kept), isolation=isolation, jobs=jobs, say=say) as marker,
    ):
        running: list[tuple[Reading, Future[Marked]]] = []
        for one in handed:
            reading = marker.read(one)
            running.append((reading, marker.submit(reading)))
        for reading, future in running:
            marked = future.result()
            if marked.met:
                marked = marker.again(reading)
            student = reading.handed.student
            say(student)
            folder = autograded / student / lab.name
            _compare(marked.verdict, before.get(student), worth, found, folder)
    return found


def _compare(
    verdict: Verdict,
    before: dict[tuple[str, str], float] | None,
    worth: dict[tuple[str, str], float],
    found: Compared,
    autograded: Path,
) -> None:
    if before is None:
        found.unknown.append(verdict.student)
        return
    found.students += 1
    for exercise in verdict.exercises:
        if exercise.by == "person":
            continue
        key = exercise.notebook, exercise.id
        if key not in before:
            found.without[verdict.student] = found.without.get(verdict.student, 0) + 1
            continue
        found.cells += 1
        old = before[key]
        if abs(old - exercise.score) > 1e-6:
            found.differences.append(
                Difference(
                    verdict.student,
                    exercise.notebook,
                    exercise.id,
                    old,
                    exercise.score,
                    reason(verdict, exercise, old, autograded)
                    if worth.get(key) == exercise.max_score
                    else "Its points are others now.",
                )
            )


def reason(verdict: Verdict, exercise: ExerciseResult, before: float, autograded: Path) -> str:
    """Say why a cell has another score now; `autograded` holds the notebooks as they were marked."""
    cause = " ".join((exercise.checks[0].cause if exercise.checks else "").split())
    limits = [p.message for p in verdict.problems if p.cell == exercise.id and p.attention]
    if limits:
        return limits[0]
    if exercise.checks and exercise.checks[0].skipped:
        return f"The cell did not run to its end: {cause}"
    if exercise.score < before:
        where = "outside the student's process" if exercise.checks[0].judged == "outside" else ""
        return f"Judged {where or 'inside'}, it does not pass: {cause}"
    return f"It passes. {ended_before(autograded / f'{exercise.notebook}.ipynb', exercise.id)}"


def ended_before(notebook: Path, id: str) -> str:
    """Say how a test cell ended when it was marked before, from its outputs in that notebook."""
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        cell = next(one for one in cells if marking(one.metadata).id == id)
        outputs = list(cell.get("outputs", ()))
    except (OSError, ValueError, AttributeError, StopIteration):
        return (
            "How it ended before is not known: no such notebook is in the folder of those that "
            "nbgrader marked."
        )
    for output in outputs:
        if output.output_type == "error":
            told = " ".join(f"{output.ename}: {output.evalue}".split())[:300]
            return f"When nbgrader marked it, it ended with {told}"
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            told = " ".join(str(output.text).split())[:200]
            return f"nbgrader gives nothing for a cell that writes to stderr, and it wrote: {told}"
    if cell.get("execution_count") is None:
        return "When nbgrader marked it, it did not run: the notebook stopped before."
    return "When nbgrader marked it, it showed no error; its score may have been changed since."
