"""Who is on the course: ``course/roster.csv``, which also goes to nbgrader's gradebook."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake.lms_file_names import composed, safe_id
from proctor.intake.spreadsheet import Table, read_table
from proctor.record.arrival_record import strangers_of
from proctor.record.gradebook import open_gradebook
from proctor.record.gradebook_lock import patient
from proctor.record.roster_columns import COLUMNS, find_columns, person, plain_title

NAME = "roster.csv"
MOST_NAMED = 10
NBGRADERS = ("first_name", "last_name", "email", "lms_user_id")
"""What nbgrader keeps of a student beside the id."""


def read_roster(course: Course) -> tuple[str, ...] | None:
    """Return the ids in ``course/roster.csv``, in its order; None if there is no such file.

    Raises
    ------
    CourseError
        If it has no column of ids, or an id twice.
    """
    path = course.folder / NAME
    return tuple(one["id"] for one in students(path)) if path.is_file() else None


def enrolled(course: Course, out: Path, known: Iterable[str]) -> list[str]:
    """Return who is on the course, sorted: whom the roster names.

    Without ``course/roster.csv`` they are those of `known`, whom the gradebook has, but for strangers:
    whoever handed in without being in the roster is in the gradebook since.
    """
    listed = read_roster(course)
    if listed is not None:
        return sorted(listed)
    strangers = strangers_of(out)
    return sorted(name for name in known if name not in strangers)


def students(path: Path, say: Callable[[str], None] = lambda _: None) -> list[dict[str, str]]:
    """Return the students of a list: their ids and what else it says of them.

    Parameters
    ----------
    say : callable
        Is told, a sentence each, what had to be guessed.

    Raises
    ------
    CourseError
        If there is no column of ids, an id is missing, is no name for a folder, or is there twice.
    """
    table = read_table(path)
    places = find_columns(table)
    if "id" not in places:
        raise CourseError(
            f"{path} has no column 'id' (its columns are: {', '.join(table.columns)}). "
            "Name the column of the students' ids 'id'."
        )
    for sentence in (table.note, _taken(table, places)):
        if sentence:
            say(sentence)
    seen: dict[str, int] = {}
    found = []
    from_canvas = "SIS Login ID" in table.columns
    for row, line in zip(table.rows, table.lines, strict=True):
        cells = person(row, places)
        student = cells["id"] = composed(cells.get("id", ""))
        if not student and from_canvas:
            continue  # the row of points, or Canvas's own test student
        if not student:
            raise CourseError(f"{path}, line {line}: there is no id.")
        if safe_id(student) != student:
            raise CourseError(
                f"{path}, line {line}: '{student}' cannot be an id, since it names a folder. "
                "Use letters, digits, spaces, '.', '_' and '-'."
            )
        if student in seen:
            raise CourseError(
                f"{path}, line {line}: the id '{student}' is on line {seen[student]} already. "
                "Take one of the two out."
            )
        seen[student] = line
        found.append({name: cells[name] for name in COLUMNS if name in cells})
    return found


def _taken(table: Table, places: dict[str, int]) -> str:
    """Say which columns were taken for what, where their titles do not say it themselves."""
    pairs = [
        f"{name} from '{table.columns[place]}'"
        for name, place in places.items()
        if plain_title(table.columns[place]) != name
    ]
    return f"Columns: {', '.join(pairs)}." if pairs else ""


def import_roster(course: Course, path: Path, say: Callable[[str], None] = lambda _: None) -> int:
    """Put a roster into the gradebook and to ``course/roster.csv``; return how many it names.

    All of it is read before anything is written.
    """
    found = students(path, say)
    here = {one["id"] for one in found}
    old = course.folder / NAME
    before = [one["id"] for one in students(old)] if old.is_file() else []
    if gone := [id for id in before if id not in here]:
        more = f" and {len(gone) - MOST_NAMED} more" if len(gone) > MOST_NAMED else ""
        say(
            f"No longer in the roster: {', '.join(gone[:MOST_NAMED])}{more}. What they handed in "
            "stays in the gradebook."
        )
    config = course.nbgrader_config().CourseDirectory
    db_url = str(config.get("db_url", "") or f"sqlite:///{course.folder / 'gradebook.db'}")
    _enrol(db_url, str(config.get("course_id", "")), found)
    buffer = io.StringIO(newline="")
    used = [name for name in COLUMNS if name in NBGRADERS or any(name in one for one in found)]
    writer = csv.DictWriter(buffer, used, restval="", lineterminator="\r\n")
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


@patient
def _enrol(db_url: str, course_id: str, found: list[dict[str, str]]) -> None:
    with open_gradebook(db_url, course_id) as book:
        for one in found:
            known = {key: one[key] for key in NBGRADERS if one.get(key)}
            book.update_or_create_student(one["id"], **known)
