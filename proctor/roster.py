"""Who is on the course: ``course/roster.csv``, which also goes to nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from proctor.course import Course
from proctor.errors import CourseError
from proctor.gradebook import open_gradebook
from proctor.names import safe_id
from proctor.whole import write_whole

NAME = "roster.csv"
COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
"""What nbgrader keeps of a student."""


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
    return tuple(one["id"] for one in students(path)) if path.is_file() else None


def students(path: Path) -> list[dict[str, str]]:
    """Return the students of a roster: their ids and what else nbgrader keeps of them.

    Raises
    ------
    CourseError
        If there is no column ``id``, an id is missing, is no name for a folder, or is there twice.
    """
    table = read_table(path)
    if "id" not in table.columns:
        raise CourseError(
            f"{path} has no column 'id' (its columns are: {', '.join(table.columns)}). "
            "Name the column of the students' ids 'id'."
        )
    seen: dict[str, int] = {}
    found = []
    for row, line in zip(table.rows, table.lines, strict=True):
        cells = {name: cell.strip() for name, cell in zip(table.columns, row, strict=False)}
        student = cells["id"] = cells.get("id", "")
        if not student:
            raise CourseError(f"{path}, line {line}: there is no id.")
        if safe_id(student) != student:
            raise CourseError(
                f"{path}, line {line}: '{student}' cannot be an id, since it names a folder. "
                "Use letters, digits, '.', '_' and '-'."
            )
        if student in seen:
            raise CourseError(
                f"{path}, line {line}: the id '{student}' is on line {seen[student]} already. "
                "Take one of the two out."
            )
        seen[student] = line
        found.append({name: cells[name] for name in COLUMNS if name in cells})
    return found


def import_roster(course: Course, path: Path) -> int:
    """Put a roster into the gradebook and to ``course/roster.csv``; return how many it names.

    All of it is read before anything is written.
    """
    found = students(path)
    config = course.nbgrader_config().CourseDirectory
    db_url = str(config.get("db_url", "") or f"sqlite:///{course.folder / 'gradebook.db'}")
    with open_gradebook(db_url, str(config.get("course_id", ""))) as book:
        for one in found:
            book.update_or_create_student(
                one["id"], **{key: value for key, value in one.items() if key != "id" and value}
            )
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(found)
    try:
        write_whole(course.folder / NAME, buffer.getvalue())
    except OSError as error:
        raise CourseError(
            f"{course.folder / NAME} could not be written ({error.strerror}); what was there "
            "before is unchanged."
        ) from error
    return len(found)
