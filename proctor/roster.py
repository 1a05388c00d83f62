"""Who is on the course: ``course/roster.csv``, the file that ``nbgrader db student import`` reads."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from proctor.course import Course
from proctor.errors import CourseError

NAME = "roster.csv"


@dataclass(frozen=True)
class Table:
    """A CSV file: its columns, its rows, and the line on which each row starts (from 1)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def column(self, name: str) -> int | None:
        """Return a column's place; None if there is none of that name."""
        return self.columns.index(name) if name in self.columns else None


def read_table(path: Path) -> Table:
    """Read a CSV file of any spreadsheet program: with or without a byte order mark.

    Raises
    ------
    CourseError
        If it cannot be read, is no text, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from error
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(coding)
        reader = csv.reader(io.StringIO(text, newline=""))
        rows, lines, last = [], [], 0
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(tuple(row))
                lines.append(last + 1)
            last = reader.line_num
    except (UnicodeDecodeError, csv.Error) as error:
        raise CourseError(
            f"{path} is not a CSV file in UTF-8 ({error}). Save it as 'CSV UTF-8' and try again."
        ) from error
    if not rows:
        raise CourseError(f"{path} is empty.")
    return Table(tuple(name.strip() for name in rows[0]), tuple(rows[1:]), tuple(lines[1:]))


def read_roster(course: Course) -> tuple[str, ...] | None:
    """Return the ids in ``course/roster.csv``, in its order; None if there is no such file.

    Raises
    ------
    CourseError
        If it has no column ``id``, or an id twice.
    """
    path = course.folder / NAME
    if not path.is_file():
        return None
    table = read_table(path)
    where = course.relative(path)
    place = table.column("id")
    if place is None:
        raise CourseError(
            f"{where} has no column 'id' (its columns are: {', '.join(table.columns)}). "
            "Name the column of the students' ids 'id'."
        )
    seen: dict[str, int] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        student = row[place].strip() if place < len(row) else ""
        if not student:
            raise CourseError(f"{where}, line {line}: there is no id.")
        if student in seen:
            raise CourseError(
                f"{where}, line {line}: the id '{student}' is on line {seen[student]} already. "
                "Take one of the two out."
            )
        seen[student] = line
    return tuple(seen)
