"""Hand a class's marks over: CSV, Canvas, Moodle, text for e-mail.

Formats
-------
csv
    Everything, one line a student (RFC 4180).
canvas
    What Canvas's gradebook imports: ``Student, ID, SIS User ID, SIS Login ID, Section``, then the
    assignment's column, with the row ``Points Possible`` below the header (Canvas instructor guide,
    "How do I import grades in the Gradebook?").
moodle
    What Moodle's *Grades > Import > CSV file* reads, or, with a template, the assignment's own
    grading worksheet filled in (docs.moodle.org, "Grade import" and "Assignment settings: Offline
    grading worksheet").

A template is the file that the LMS itself exports: its ids, columns and order are kept, and only the
lab's marks are written into it.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake.sheet import Table, read_table
from proctor.record.results import ClassData
from proctor.tell.text_feedback import feedback_text
from proctor.whole import write_whole

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE = ("First name", "Last name", "ID number", "Email address")
MOODLE_WORKSHEET = ("Identifier", "Grade", "Last modified (grade)")
"""Columns without which Moodle refuses a grading worksheet."""
FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True)
class Exported:
    """What was written, and which marked students the template does not know."""

    path: Path
    students: int
    strangers: tuple[str, ...] = ()


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
    strangers: tuple[str, ...] = ()
    count = len(data.verdicts)
    rows: list[Sequence[str]]
    if to == "text":
        for student, text in texts(data):
            _write(path / student / data.lab.name / f"{data.lab.name}.txt", text)
        return Exported(path, count)
    if to == "csv":
        rows = list(csv_rows(data))
    elif template is None:
        rows = list(canvas_rows(data, column) if to == "canvas" else moodle_rows(data, column))
    else:
        fill = _fill_canvas if to == "canvas" else _fill_moodle
        rows, known = fill(data, read_table(template), template, column)
        strangers = tuple(student for student in data.verdicts if student not in known)
        count -= len(strangers)
    _write(path, to_csv(rows))
    return Exported(path, count, strangers)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise CourseError(
            f"{path} could not be written ({error.strerror}); what was there before is unchanged."
        ) from error


def to_csv(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as RFC 4180 has them: commas, CRLF, quotes where they are needed."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()


# --- Everything ---------------------------------------------------------------------------------


def csv_rows(data: ClassData) -> Iterable[list[str]]:
    """Yield a header and one row a student, those who handed in nothing among them."""
    exercises = [exercise.id for exercise in data.lab.exercises]
    yield [
        *("student", "last_name", "first_name", "email", "lms_user_id"),
        *("status", "score", "max_score", "late_penalty", "manual_mark", "submitted"),
        *exercises,
        "attention",
    ]
    for student, entry in data.entries.items():
        verdict = data.verdicts.get(student)
        who = [student, entry.last_name, entry.first_name, entry.email, entry.lms_user_id]
        points = {one.id: one.score for one in verdict.exercises} if verdict else {}
        reasons = [one.message for one in verdict.problems if one.attention] if verdict else []
        missing = verdict is None and not entry.handed_in
        yield [
            *map(plain, who),
            verdict.status if verdict else "missing" if missing else "not marked",
            "" if missing else number(data.score(student)),
            number(data.max_score),
            number(entry.penalty),
            "yes" if entry.manual else "no",
            entry.timestamp,
            *(number(points[name]) if name in points else "" for name in exercises),
            plain(" ".join(reasons)),
        ]


def plain(text: str) -> str:
    """Keep a spreadsheet from reading a text as a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def number(value: float) -> str:
    """Return points as LMSs read them: a decimal point, at most two places."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def texts(data: ClassData) -> Iterable[tuple[str, str]]:
    """Yield each student's feedback as text."""
    for student, verdict in data.verdicts.items():
        name = data.entries[student].name
        yield student, feedback_text(data.lab, verdict, name, data.score(student))


# --- Canvas -------------------------------------------------------------------------------------


def canvas_rows(data: ClassData, column: str | None) -> Iterable[list[str]]:
    """Yield Canvas's columns, filled from nbgrader's roster (``lms_user_id`` is Canvas's ID)."""
    yield [*CANVAS, column or data.lab.title]
    yield ["    Points Possible", "", "", "", "", number(data.max_score)]
    for student in data.verdicts:
        entry = data.entries[student]
        name = ", ".join(part for part in (entry.last_name, entry.first_name) if part)
        ids = (entry.lms_user_id or _lms_number(student), "", student, "")
        yield [name or student, *ids, number(data.score(student))]


def _fill_canvas(
    data: ClassData, table: Table, path: Path, column: str | None
) -> tuple[list[Sequence[str]], set[str]]:
    missing = [name for name in ("Student", "ID", "Section") if name not in table.columns]
    if missing:
        raise CourseError(
            f"{path} is not Canvas's gradebook export: it has no column '{missing[0]}'. In Canvas "
            "choose Grades > Export > Export Entire Gradebook."
        )
    place = _find_column(data, table, path, column, table.columns.index("Section") + 1)
    keys = [table.column(name) for name in ("ID", "SIS Login ID", "SIS User ID")]
    rows: list[Sequence[str]] = [table.columns]
    finder = _Finder(data, path)
    for row in table.rows:
        cells = [*row, *[""] * (len(table.columns) - len(row))]
        if "Points Possible" not in cells[0]:
            ids = [cells[key].strip() for key in keys if key is not None and cells[key].strip()]
            finder.enter(cells, place, ids)
        rows.append(cells)
    return rows, finder.known


# --- Moodle -------------------------------------------------------------------------------------


def moodle_rows(data: ClassData, column: str | None) -> Iterable[list[str]]:
    """Yield what Moodle's course-wide CSV import reads; map *ID number* or *Email address*."""
    yield [*MOODLE, column or data.lab.title]
    for student in data.verdicts:
        entry = data.entries[student]
        who = (entry.first_name, entry.last_name, entry.lms_user_id or student, entry.email)
        yield [*who, number(data.score(student))]


def _fill_moodle(
    data: ClassData, table: Table, path: Path, column: str | None
) -> tuple[list[Sequence[str]], set[str]]:
    missing = [name for name in MOODLE_WORKSHEET if name not in table.columns]
    if missing:
        raise CourseError(
            f"{path} is not Moodle's grading worksheet in English: it has no column "
            f"'{missing[0]}'. In the assignment choose Submissions > Download grading worksheet."
        )
    place = table.columns.index("Grade")
    comments, most = table.column("Feedback comments"), table.column("Maximum Grade")
    keys = [table.column(name) for name in ("Identifier", "ID number", "Username", "Email address")]
    rows: list[Sequence[str]] = [table.columns]
    finder = _Finder(data, path)
    written = dict(texts(data))
    for row in table.rows:
        cells = [*row, *[""] * (len(table.columns) - len(row))]
        ids = [cells[key].strip() for key in keys if key is not None and cells[key].strip()]
        ids = [*(one.removeprefix("Participant ") for one in ids[:1]), *ids[1:]]
        student = finder.enter(cells, place, ids)
        if student:
            _check_scale(data, cells, most, path)
            if comments is not None and not cells[comments].strip():
                cells[comments] = f"<pre>{html.escape(written[student])}</pre>"
        rows.append(cells)
    return rows, finder.known


def _check_scale(data: ClassData, cells: Sequence[str], most: int | None, path: Path) -> None:
    """Refuse to write marks on a scale that the assignment does not have."""
    if most is None or not cells[most].strip():
        return
    try:
        scale = float(cells[most].replace(",", "."))
    except ValueError:
        return  # a scale of words; Moodle itself will say what it wants
    if scale != data.max_score:
        raise CourseError(
            f"{path}: the assignment's maximum grade is {number(scale)}, the lab's "
            f"{number(data.max_score)}. Set the assignment's maximum grade to "
            f"{number(data.max_score)} in Moodle and download the worksheet again."
        )


# --- Both ---------------------------------------------------------------------------------------


def _find_column(data: ClassData, table: Table, path: Path, column: str | None, start: int) -> int:
    """Find the assignment's column: the one that was named, or the only one that names the lab."""
    wanted = {column} if column else {data.lab.name, data.lab.title}
    found = [
        place
        for place, name in enumerate(table.columns)
        if place >= start and (name in wanted or re.sub(r" \(\d+\)$", "", name) in wanted)
    ]
    if len(found) == 1:
        return found[0]
    what = f"no column '{column or data.lab.title}'" if not found else "several such columns"
    some = ", ".join(f"'{name}'" for name in table.columns[start : start + 6])
    raise CourseError(
        f"{path} has {what} (there are: {some or 'none'}). Name the assignment's column with "
        "--column."
    )


class _Finder:
    """Finds the student whose row it is, by any id that the LMS and the roster share."""

    def __init__(self, data: ClassData, path: Path) -> None:
        self.data, self.path = data, path
        self.known: set[str] = set()
        self.sure: dict[str, set[str]] = defaultdict(set)
        self.likely: dict[str, set[str]] = defaultdict(set)
        for student in data.verdicts:
            entry = data.entries[student]
            for key in {student, entry.lms_user_id, entry.email} - {""}:
                self.sure[key].add(student)
            self.likely[_lms_number(student)].add(student)

    def enter(self, cells: list[str], place: int, ids: Sequence[str]) -> str | None:
        """Write a student's score into a row; return the student, None if nobody was marked."""
        found = {student for one in ids for student in self.sure.get(one, ())}
        found = found or {student for one in ids for student in self.likely.get(one, ())}
        if len(found) > 1 or found & self.known:
            raise CourseError(
                f"{self.path}: '{' / '.join(ids)}' fits {' and '.join(sorted(found))}, and a student "
                "can have one row only. Give each student of the roster one id."
            )
        if not found:
            return None
        student = found.pop()
        self.known.add(student)
        cells[place] = number(self.data.score(student))
        return student


def _lms_number(student: str) -> str:
    """Return the LMS's own number out of an id that came from its submissions archive, or ''."""
    match = re.search(r"_(\d{1,12})$", student)
    return match[1] if match else ""
