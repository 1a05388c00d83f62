"""Hand a class's marks over: CSV, Canvas, Moodle, text for e-mail.

Marks are the gradebook's: a person's where there is one, penalties taken off; what marking itself gave is
called automatic. Whoever is left out is named.

A template is the file that the LMS itself exports (:mod:`proctor.tell.canvas`,
:mod:`proctor.tell.moodle`): its ids, columns and order are kept, and only the lab's marks are written
into it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake.spreadsheet import read_table
from proctor.policy import shown
from proctor.record.read_results import ClassData
from proctor.tell.attention import names_of
from proctor.tell.canvas import canvas_id, canvas_rows, fill_canvas
from proctor.tell.lms_rows import number, plain
from proctor.tell.moodle import fill_moodle, id_number, moodle_rows
from proctor.tell.text_feedback import feedback_text

MOST_NAMES = 10


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    students : int
        How many have a mark in it.
    left_out : tuple of str
        Sentences on who was marked and has none: somebody must do something.
    notes : tuple of str
        Sentences on what else is worth knowing.
    """

    path: Path
    students: int
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def export(
    course: Course,
    data: ClassData,
    to: str,
    path: Path,
    *,
    template: Path | None = None,
    column: str | None = None,
) -> Exported:
    """Write the class's marks.

    Parameters
    ----------
    to : {"csv", "canvas", "moodle", "text"}
    path : Path
        The file; for text the folder.
    template : Path, optional
        The LMS's own export, to be filled in.
    column : str, optional
        The assignment's column in the LMS; default the one that names the lab.

    Raises
    ------
    CourseError
        If the template is another one, or `path` cannot be written; what was there is unchanged.
    """
    gone = list(data.gone)
    verdicts = {name: one for name, one in data.verdicts.items() if name not in gone}
    present = replace(data, verdicts=verdicts)
    left_out = [_sentence("submission no longer there, so left out", gone)]
    notes = [_sentence("still waiting for a person's mark", _waiting(present))]
    students = list(present.verdicts)
    delimiter = ","
    if to == "text":
        for student, text in texts(present):
            _write(path / student / data.lab.name / f"{data.lab.name}.txt", text)
        return Exported(path, len(students), tuple(filter(None, left_out)))
    rows: Sequence[Sequence[str]]
    if to == "csv":
        rows = list(csv_rows(present, gone))
        students = [row[0] for row in rows[1:]]
    elif template is None:
        lacking, needs = _lacking(present, students, to)
        left_out.append(_sentence(needs, lacking))
        students = [student for student in students if student not in lacking]
        make = canvas_rows if to == "canvas" else moodle_rows
        rows = make(present, students, column)
    else:
        table = read_table(template)
        filled = (
            fill_canvas(present, table, template, column)
            if to == "canvas"
            else fill_moodle(present, table, template, dict(texts(present)))
        )
        rows, delimiter = filled.rows, filled.delimiter
        strangers = [student for student in students if student not in filled.known]
        students = [student for student in students if student in filled.known]
        left_out.append(_sentence(f"marked, but not in {template}", strangers))
        notes.append(_sentence(f"in {template}, but not marked", filled.unmarked))
        notes.append(table.note)
    _write(path, to_csv(rows, delimiter))
    return Exported(path, len(students), tuple(filter(None, left_out)), tuple(filter(None, notes)))


def _lacking(data: ClassData, students: list[str], to: str) -> tuple[list[str], str]:
    """Return who lacks what an LMS's import needs, and what that is."""
    if to == "canvas":
        lacking = [one for one in students if not canvas_id(data, one)]
        return lacking, "left out, without Canvas's ID (lms_user_id in the roster)"
    emails = {one: data.entries[one].email for one in students}
    lacking = [one for one in students if not id_number(data, one) and not emails[one]]
    return lacking, "left out, without ID number and e-mail in the roster"


def _waiting(data: ClassData) -> list[str]:
    return [name for name in data.verdicts if data.entries[name].waiting]


def _sentence(what: str, names: Sequence[str]) -> str:
    return f"{what}: {names_of(names, MOST_NAMES)}" if names else ""


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise CourseError(
            f"{path} could not be written ({error.strerror}); what was there before is unchanged."
        ) from error


def to_csv(rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Return rows as RFC 4180 has them: CRLF, quotes where they are needed."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n", delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def csv_rows(data: ClassData, gone: Sequence[str] = ()) -> Iterable[list[str]]:
    """Yield a header and one row a student, those who handed in nothing among them."""
    exercises = [exercise.id for exercise in data.lab.exercises]
    yield [
        *("student", "last_name", "first_name", "email", "lms_user_id", "section", "tutor"),
        *("status", "score", "max_score", "automatic", "late_penalty", "manual_mark"),
        *("submitted", "late", "extended"),
        *exercises,
        "attention",
    ]
    for student, entry in data.entries.items():
        verdict = data.verdicts.get(student)
        missing = verdict is None and not entry.handed_in
        if student in gone or (missing and not entry.enrolled):
            continue
        who = [student, entry.last_name, entry.first_name, entry.email, entry.lms_user_id]
        reasons = [one.message for one in verdict.problems if one.attention] if verdict else []
        yield [
            *map(plain, [*who, entry.section, entry.tutor]),
            verdict.status if verdict else "missing" if missing else "not marked",
            "" if missing else number(data.score(student)),
            number(data.max_score),
            number(verdict.score) if verdict else "",
            number(entry.penalty),
            "yes" if entry.manual else "no",
            entry.timestamp,
            "yes" if entry.late else "no",
            "yes" if entry.extended else "no",
            *(number(data.mark(student, name)) if not missing else "" for name in exercises),
            plain(" ".join(reasons)),
        ]


def texts(data: ClassData) -> Iterable[tuple[str, str]]:
    """Yield each student's feedback as text."""
    for student, verdict in data.verdicts.items():
        entry = data.entries[student]
        given = {id: entry.marks[id] for id in entry.by_hand if id in entry.marks}
        score = data.score(student)
        told = shown(verdict, data.lab.policy.told(entry.due))
        yield (
            student,
            feedback_text(
                *(data.lab, told, entry.name, score, given, entry.penalty),
                comments=data.comments.get(student),
            ),
        )
