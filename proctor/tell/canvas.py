"""Canvas's gradebook as CSV: written anew, or its own export filled in.

The export's form is in Canvas's source, lib/gradebook_exporter.rb: ``Student`` (or ``LastName`` and
``FirstName``), ``ID``, ``SIS User ID``, ``SIS Login ID``, ``Section``, a column a title and number of an
assignment; below the header a row ``Points Possible``. Depending on the user's language it is divided by
semicolons and has decimal commas; what comes in is what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from proctor.errors import CourseError
from proctor.intake.spreadsheet import Table
from proctor.record.read_results import ClassData
from proctor.tell.lms_rows import Filled, Finder, lms_number, number, read_number, whole_row

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS = "Points Possible"


def canvas_rows(data: ClassData, students: Iterable[str], column: str | None) -> list[list[str]]:
    """Return Canvas's columns, filled from the roster (``lms_user_id`` is Canvas's ID)."""
    rows = [[*CANVAS, column or data.lab.title]]
    rows.append([f"    {POINTS}", "", "", "", "", number(data.max_score)])
    for student in students:
        entry = data.entries[student]
        name = ", ".join(part for part in (entry.last_name, entry.first_name) if part)
        ids = (canvas_id(data, student), "", entry.login or student, entry.section)
        rows.append([name or student, *ids, number(data.score(student))])
    return rows


def canvas_id(data: ClassData, student: str) -> str:
    """Return the number by which Canvas knows a student, or ''."""
    found = data.arrived.found_as.get(student, student)
    return data.entries[student].lms_user_id or lms_number(found)


def fill_canvas(data: ClassData, table: Table, path: Path, column: str | None) -> Filled:
    """Fill in Canvas's own export.

    Raises
    ------
    CourseError
        If it is another file, the assignment's column cannot be told, or has other points possible.
    """
    missing = [name for name in ("ID", "Section") if name not in table.columns]
    if not {"Student", "LastName"} & {*table.columns}:
        missing.insert(0, "Student")
    if missing:
        raise CourseError(
            f"{path} is not Canvas's gradebook export: it has no column '{missing[0]}'. In Canvas "
            "choose Grades > Export > Export Entire Gradebook."
        )
    place = _find_column(data, table, path, column, table.columns.index("Section") + 1)
    comma = _check_points(data, table, path, place)
    keys = [table.column(name) for name in ("ID", "SIS Login ID", "SIS User ID")]
    names = [table.column(name) for name in ("Student", "LastName", "FirstName")]
    rows: list[Sequence[str]] = [table.columns]
    finder = Finder(data, path, comma=comma)
    for row in table.rows:
        cells = whole_row(row, table)
        ids = [cells[key].strip() for key in keys if key is not None and cells[key].strip()]
        if ids and POINTS not in cells[0]:  # else the rows of points and of manual posting
            name = " ".join(cells[key].strip() for key in names if key is not None)
            finder.enter(cells, place, ids, name=name)
        rows.append(cells)
    return Filled(rows, frozenset(finder.known), tuple(finder.unmarked), table.delimiter)


def _check_points(data: ClassData, table: Table, path: Path, place: int) -> bool:
    """Compare the points possible with the lab's; return whether numbers have a decimal comma."""
    row = next((row for row in table.rows if POINTS in row[0]), None)
    text = row[place].strip() if row is not None and place < len(row) else ""
    points = read_number(text)
    if points is not None and points != data.max_score:
        raise CourseError(
            f"{path}: the column '{table.columns[place]}' has {number(points)} points possible, the "
            f"lab {number(data.max_score)}. Set the assignment's points to {number(data.max_score)} in "
            "Canvas and export the gradebook again."
        )
    others = [cell for cell in row or () if re.fullmatch(r"\s*\d+[.,]\d+\s*", cell)]
    return any("," in cell for cell in others) or (table.delimiter == ";" and not others)


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
