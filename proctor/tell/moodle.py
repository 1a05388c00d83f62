"""Moodle's course-wide grade import, and an assignment's own grading worksheet filled in.

The worksheet's columns are in Moodle's source, mod/assign/gradingtable.php: ``Identifier`` (the word for
a participant and a number of this assignment), ``Full name``, what else the site shows of users,
``Status``, ``Grade``, ``Maximum grade``, ... Their titles are in the teacher's language, and Moodle takes the
sheet back in that language only. So they stay, and columns are known by what they hold: an identifier is
one word with numbers; the maximum is one number all the way down; the grade stands before it. Moodle
wants commas between cells whatever a spreadsheet made of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proctor.errors import CourseError
from proctor.intake.spreadsheet import Table
from proctor.record.read_results import ClassData
from proctor.record.roster_columns import find_columns, plain_title
from proctor.tell.lms_rows import Filled, Finder, number, read_number, whole_row

MOODLE = ("First name", "Last name", "ID number", "Email address")

_IDENTIFIER = re.compile(r"(?P<word>[^\d\s][^\d]*?)\s?(?P<number>\d{1,20})")
_GRADE = {
    *("grade", "bewertung", "note", "calificacion", "valutazione", "voto", "beoordeling", "cijfer"),
    *("nota", "avaliacao", "ocena", "betyg", "karakter", "arvosana", "qualificacio", "puntuacion"),
}
_COMMENT = re.compile("feedback|comment|kommentar|coment|retroaliment|opmerking|uwagi")


@dataclass(frozen=True)
class Sheet:
    """Where a worksheet has what; the places of columns, None where there is none."""

    identifier: int
    grade: int
    most: int | None
    comments: int | None
    ids: tuple[int, ...]
    names: tuple[int, ...]


def moodle_rows(data: ClassData, students: Iterable[str], column: str | None) -> list[list[str]]:
    """Return what Moodle's course-wide CSV import reads; map *ID number* or *Email address*."""
    rows = [[*MOODLE, column or data.lab.title]]
    for student in students:
        entry = data.entries[student]
        who = [entry.first_name, entry.last_name, id_number(data, student), entry.email]
        rows.append([*who, number(data.score(student))])
    return rows


def id_number(data: ClassData, student: str) -> str:
    """Return Moodle's *ID number* as the roster has it, or ''."""
    entry = data.entries[student]
    return entry.id_number or entry.lms_user_id


def fill_moodle(data: ClassData, table: Table, path: Path, texts: Mapping[str, str]) -> Filled:
    """Fill in an assignment's grading worksheet, in any language.

    Parameters
    ----------
    texts : mapping of str to str
        Each student's feedback, which goes to the comments where these are empty.

    Raises
    ------
    CourseError
        If it is another file, or the assignment has another maximum.
    """
    sheet = read_sheet(table, path)
    comma = _check_scale(data, table, sheet, path)
    rows: list[Sequence[str]] = [table.columns]
    finder = Finder(data, path, comma=comma)
    for row in table.rows:
        cells = whole_row(row, table)
        ids = [cells[place].strip() for place in sheet.ids if cells[place].strip()]
        match = _IDENTIFIER.fullmatch(cells[sheet.identifier].strip())
        name = " ".join(cells[place].strip() for place in sheet.names).strip()
        student = finder.enter(
            cells, sheet.grade, ids, number_here=match["number"] if match else "", name=name
        )
        if student and sheet.comments is not None and not cells[sheet.comments].strip():
            cells[sheet.comments] = f"<pre>{html.escape(texts[student])}</pre>"
        rows.append(cells)
    return Filled(rows, frozenset(finder.known), tuple(finder.unmarked))


def read_sheet(table: Table, path: Path) -> Sheet:
    """Tell a worksheet's columns by what they hold, and by their titles where that is not enough.

    Raises
    ------
    CourseError
        If the file is no grading worksheet.
    """
    titles = [plain_title(title) for title in table.columns]
    identifier = next((n for n in range(len(titles)) if _is_identifier(table, n)), None)
    grade = most = None
    if identifier is not None:
        most = next((n for n in range(identifier + 2, len(titles)) if _is_scale(table, n)), None)
        titled = [n for n, title in enumerate(titles) if title in _GRADE and n > identifier]
        grade = most - 1 if most is not None else titled[0] if titled else None
    if identifier is None or grade is None:
        lacks = "identifiers such as 'Participant 12'" if identifier is None else "a maximum grade"
        raise CourseError(
            f"{path} is not Moodle's grading worksheet: no column holds {lacks}. In the assignment "
            "choose Submissions > Download grading worksheet."
        )
    after = [n for n, title in enumerate(titles) if n > grade and _COMMENT.search(title)]
    found = find_columns(table)
    ids = [found[name] for name in ("id_number", "login", "email") if name in found]
    names = [found[name] for name in ("name",) if name in found] or [
        found[name] for name in ("first_name", "last_name") if name in found
    ]
    places = [n for n in (*ids, *names) if n not in (identifier, grade, most)]
    return Sheet(
        identifier,
        grade,
        most,
        after[-1] if after else None,
        tuple(n for n in ids if n in places),
        tuple(n for n in names if n in places),
    )


def _is_identifier(table: Table, place: int) -> bool:
    matches = [_IDENTIFIER.fullmatch(value) for value in table.values(place)]
    words = {match["word"] for match in matches if match}
    return bool(matches) and all(matches) and len(words) == 1


def _is_scale(table: Table, place: int) -> bool:
    """Tell whether a column holds one positive number, the same in every row."""
    values = {*table.values(place)}
    points = read_number(next(iter(values))) if len(values) == 1 else None
    return points is not None and points > 0


def _check_scale(data: ClassData, table: Table, sheet: Sheet, path: Path) -> bool:
    """Refuse a scale that the lab does not have; return whether numbers have a decimal comma."""
    text = table.values(sheet.most)[0] if sheet.most is not None and table.rows else ""
    scale = read_number(text)
    if scale is None:
        raise CourseError(
            f"{path}: the assignment has no maximum grade in numbers. In Moodle choose the grade type "
            f"'Point' with a maximum of {number(data.max_score)} and download the worksheet again."
        )
    if scale != data.max_score:
        raise CourseError(
            f"{path}: the assignment's maximum grade is {number(scale)}, the lab's "
            f"{number(data.max_score)}. Set the assignment's maximum grade to "
            f"{number(data.max_score)} in Moodle and download the worksheet again."
        )
    return "," in text
