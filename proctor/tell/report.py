"""The class report: one HTML file that opens without a network and is read without a script.

Everything that came from students is text here: Jinja escapes it, and the page's own policy lets no
script run. The page is made from what marking left behind (:mod:`proctor.record.read_results`), so it can be
written again at any time. Its columns:
:mod:`proctor.tell.report_students` and ``templates/report.html``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.autograded import PART_NAMES, is_extra
from proctor.examine.bindings import definitions
from proctor.intake.name_uses import used_by
from proctor.record.attempts import read_attempts
from proctor.record.read_results import ClassData, read_class
from proctor.record.roster import read_roster
from proctor.record.store import Store
from proctor.tell import itemstats, lecture, similarity
from proctor.tell.anonymous import anonymous_code, redact
from proctor.tell.feedback_page import prose
from proctor.tell.itemstats import Misconception
from proctor.tell.judged import judged
from proctor.tell.report_students import attention_rows, row_of, strangers
from proctor.tell.similarity import Similarity

NAME = "report.html"
MOST_MISCONCEPTIONS = 40
MOST_PAIRS = 20
MOST_STUDENTS = 500
"""Rows of a table of students; a larger class has the exports for the rest."""
MOST_NAMES = 300
MOST_COMPARED = 5_000
"""A larger class is compared with each other only if asked to: the work grows with its square."""
EXAMPLE_LINES = 24
MOST_FADED = 10
LONGEST_LINE = 200
"""Most characters of one line of a student's code."""


def page_name(out: Path, lab: str) -> str:
    """Return the report's default name: two labs that were marked into one folder get two."""
    return NAME if Store(out, lab).verdicts == out / "verdicts" else f"report-{lab}.html"


def write_report(
    course: Course, lab: Lab, out: Path, *, to: Path | None = None, similar: bool | None = None
) -> Path:
    """Write the class report and return its path.

    Parameters
    ----------
    out : Path
        Where marking wrote: the folder with ``gradebook.db`` and ``verdicts/``.
    to : Path, optional
        The page's own path; default ``out/report.html``, or ``out/report-LAB.html`` for a second lab.
    similar : bool, optional
        Whether submissions are compared with each other; default for at most :data:`MOST_COMPARED`.

    Raises
    ------
    CourseError
        If nothing of this lab was marked in `out`.
    """
    data = read_class(course, lab, out)
    path = to or out / page_name(out, lab.name)
    if similar is None:
        similar = len(data.verdicts) <= MOST_COMPARED
    text = render(course, data, path, similar)
    try:
        write_whole(path, text)
    except OSError as error:
        raise CourseError(
            f"{path} could not be written ({error.strerror}); what was there before is unchanged."
        ) from error
    return path


def render(course: Course, data: ClassData, path: Path, similar: bool = True) -> str:
    """Return the page's HTML; links to feedback pages are relative to `path`."""
    environment = Environment(
        loader=PackageLoader("proctor.tell"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"n": _number, "percent": _percent, "duration": _duration}
    environment.filters |= {"line": _line, "prose": prose}
    template = environment.get_template("report.html")
    return template.render(**_context(course, data, path, similar))


def _context(course: Course, data: ClassData, path: Path, similar: bool) -> dict[str, Any]:
    gone = data.gone
    verdicts = {name: one for name, one in data.verdicts.items() if name not in gone}
    data = replace(data, verdicts=verdicts)
    finals = [data.score(student) for student in verdicts]
    scores = itemstats.scores(finals, data.max_score)
    found = itemstats.misconceptions(verdicts)
    marked = sum(verdict.status != "rejected" for verdict in verdicts.values())
    attention = list(attention_rows(data, path))
    exercises = itemstats.exercises(data.lab, verdicts.values(), data.mark)
    store = Store(data.out, data.lab.name)
    over = lecture.faded({student: read_attempts(store, student) for student in verdicts})
    return {
        "lab": data.lab,
        "course_id": data.course_id,
        "count": len(verdicts),
        "marked": marked,
        "missing": data.missing,
        "listed": read_roster(course) is not None,
        "roster": sum(entry.enrolled for entry in data.entries.values()),
        "max_score": data.max_score,
        "scores": scores,
        "tallest": max(scores.counts),
        "exercises": exercises,
        "lecture": lecture.points(found, exercises, marked),
        "gone": gone,
        "late": [entry for name, entry in data.entries.items() if name in verdicts and entry.late],
        "extended": [name for name in verdicts if data.entries[name].extended],
        "groups": [
            (title, lecture.groups(data, by, {row.student for row in attention}))
            for title, by in (("Sections", "section"), ("Tutors", "tutor"))
        ],
        "sections": any(data.entries[name].section for name in verdicts),
        "differ": any(data.score(name) != data.automatic(name) for name in verdicts),
        "faded": [one for one in over.values() if one.counts[0] and not one.counts[-1]][
            :MOST_FADED
        ],
        "over": over,
        "misconceptions": [
            _told(data, one, len(verdicts), over.get((one.check, itemstats.general(one.cause))))
            for one in found[:MOST_MISCONCEPTIONS]
        ],
        "more_misconceptions": max(0, len(found) - MOST_MISCONCEPTIONS),
        "attention": attention[:MOST_STUDENTS],
        "untouched": [name for name, one in verdicts.items() if itemstats.not_started(one)],
        "more_attention": max(0, len(attention) - MOST_STUDENTS),
        "similar": class_similarity(course, data) if similar else None,
        "strangers": strangers(course, data),
        "most_pairs": MOST_PAIRS,
        "most_names": MOST_NAMES,
        "example_lines": EXAMPLE_LINES,
        "judged": judged(verdicts.values()),
        "titles": {exercise.id: exercise.title for exercise in data.lab.exercises},
        "marking": data.marking,
        "isolations": Counter(verdict.isolation for verdict in verdicts.values()).most_common(),
        "statuses": Counter(verdict.status for verdict in verdicts.values()),
        "changed": [entry for entry in data.entries.values() if entry.manual or entry.penalty],
        "slowest": sorted(data.marking.took.items(), key=lambda item: -item[1])[:3]
        if data.marking
        else [],
        "students": [row_of(data, student, path) for student in list(verdicts)[:MOST_STUDENTS]],
        "smallest": itemstats.SMALLEST,
    }


# --- Misconceptions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A misconception with an example that names nobody."""

    of: Misconception
    count: int
    total: int
    parts: tuple[tuple[str, str], ...]
    code: tuple[str, ...]
    over: lecture.Faded | None = None


def _told(
    data: ClassData, one: Misconception, total: int, over: lecture.Faded | None = None
) -> Told:
    entry = data.entries[one.owner]
    names = (entry.student, entry.first_name, entry.last_name, entry.email)
    parts = [(name, redact(getattr(one.example, part), names)) for part, name in PART_NAMES]
    code = anonymous_code(read_answers(data, one.owner).get(one.exercise, ""))
    lines = redact(code, names).splitlines()
    return Told(
        of=one,
        count=len(one.students),
        total=total,
        parts=tuple((name, text) for name, text in parts if text and name != "Likely"),
        code=tuple(lines),
        over=over,
    )


def read_answers(data: ClassData, student: str) -> dict[str, str]:
    """Return what a student wrote in each graded cell, from the notebook as it ran."""
    wanted = {exercise.id for exercise in data.lab.exercises}
    return {id: source for id, source in _code(data, student) if id in wanted}


def whole_answers(data: ClassData, student: str, solution: Mapping[str, str]) -> dict[str, str]:
    """Return each answer with what it uses of the student's own further cells.

    A graded cell that says ``f = f`` is not all that its student wrote for it.
    """
    own = [source for id, source in _code(data, student) if is_extra(id)]
    answers = read_answers(data, student)
    if not own:
        return answers
    return {
        exercise: used_by(code, own, definitions(solution.get(exercise, ""))) or code
        for exercise, code in answers.items()
    }


def _code(data: ClassData, student: str) -> list[tuple[str, str]]:
    """Return id and code of each cell of the notebook as it ran; nothing if it cannot be read."""
    try:
        cells = json.loads(data.notebook(student).read_text("utf-8"))["cells"]
        return [
            (str(cell.get("id")), "".join(cell.get("source", "")))
            for cell in cells
            if cell.get("cell_type") == "code"
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # a page without this example is better than no page


# --- Similarity ---------------------------------------------------------------------------------


def class_similarity(course: Course, data: ClassData) -> Similarity:
    """Compare what everybody who was marked wrote for each exercise."""
    source = course.source_notebook(data.lab.name)
    given = [cell.source for cell in source.cells if cell.cell_type == "code" and not _graded(cell)]
    released = course.folder / "release" / data.lab.name / f"{data.lab.name}.ipynb"
    top = course.root / f"{data.lab.name}.ipynb"
    for notebook in (path for path in (released, top) if path.is_file()):
        cells = nbformat.read(notebook, as_version=4).cells
        given += [cell.source for cell in cells if cell.cell_type == "code"]
        break
    solution = {cell.id: cell.source for cell in source.cells if _graded(cell)}
    answers = {
        student: whole_answers(data, student, solution)
        for student, verdict in data.verdicts.items()
        if verdict.status != "rejected"
    }
    return similarity.compare(answers, given, solution)


def _graded(cell: Any) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


# --- Numbers ------------------------------------------------------------------------------------


def _number(value: float) -> str:
    """One decimal place, none where it would be 0."""
    return re.sub(r"\.0$", "", f"{value:,.1f}")


def _percent(share: float) -> str:
    """A share as whole percents; never 0 or 100 where some did, or did not."""
    rounded = round(100 * share)
    if share > 0 and rounded == 0:
        return "<1 %"
    if share < 1 and rounded == 100:
        return ">99 %"
    return f"{rounded} %"


def _line(code: str) -> str:
    """One line of code; of a very long one the beginning."""
    return code if len(code) <= LONGEST_LINE else code[: LONGEST_LINE - 1] + "…"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
