"""What the tables of all learning platforms have in common: numbers, and whose row it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from proctor.errors import CourseError
from proctor.intake.roster_lookup import squash
from proctor.intake.spreadsheet import Table
from proctor.record.read_results import ClassData

FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True)
class Filled:
    """A learning platform's table with the marks in it.

    Attributes
    ----------
    rows : list of sequence of str
    known : frozenset of str
        Students who have a row.
    unmarked : tuple of str
        Names in rows for which there is no mark; their cells are as they were.
    delimiter : str
    """

    rows: list[Sequence[str]]
    known: frozenset[str]
    unmarked: tuple[str, ...] = ()
    delimiter: str = ","


def number(value: float, *, comma: bool = False) -> str:
    """Return points as learning platforms read them: at most two places, none where they are 0."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text


def read_number(text: str) -> float | None:
    """Read points with a decimal point or comma; None if it is no number."""
    try:
        return float(text.strip().replace(" ", "").replace(",", "."))
    except ValueError:
        return None


def plain(text: str) -> str:
    """Keep a spreadsheet from reading a text as a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def whole_row(row: Sequence[str], table: Table) -> list[str]:
    """Return a row as long as the header."""
    return [*row, *[""] * (len(table.columns) - len(row))]


class Finder:
    """Finds the student whose row it is, by anything that the platform and the roster share."""

    def __init__(self, data: ClassData, path: Path, *, comma: bool = False) -> None:
        self.data, self.path, self.comma = data, path, comma
        self.known: set[str] = set()
        self.unmarked: list[str] = []
        self.sure: dict[str, set[str]] = defaultdict(set)
        self.numbers: dict[str, set[str]] = defaultdict(set)
        self.names: dict[str, set[str]] = defaultdict(set)
        for student in data.verdicts:
            entry = data.entries[student]
            ids = (student, entry.lms_user_id, entry.id_number, entry.email, entry.login)
            for key in {one.casefold() for one in ids} - {""}:
                self.sure[key].add(student)
            for found in {student, data.arrived.found_as.get(student, "")}:
                self.numbers[lms_number(found)].add(student)
            first, last = entry.first_name, entry.last_name
            for name in {squash(first + last), squash(last + first)} - {""}:
                self.names[name].add(student)

    def enter(
        self,
        cells: list[str],
        place: int,
        ids: Sequence[str],
        *,
        number_here: str = "",
        name: str = "",
    ) -> str | None:
        """Write a student's score into a row; return the student, None if nobody was marked.

        Parameters
        ----------
        ids : sequence of str
            What the row says by which a student is known for certain.
        number_here : str
            A number that means something in the submissions' archive only.
        name : str
            The whole name, in any order.
        """
        ways: Iterable[tuple[dict[str, set[str]], Sequence[str]]] = (
            (self.sure, [one.casefold() for one in ids]),
            (self.numbers, [number_here or one for one in (ids[:1] or [""])]),
            (self.names, [squash(name)]),
            (self.sure, [number_here]),
        )
        found: set[str] = set()
        for index, keys in ways:
            found = found or {one for key in keys if key for one in index.get(key, ())}
        if len(found) > 1 or found & self.known:
            said = " / ".join([*ids, name] if name else ids)
            raise CourseError(
                f"{self.path}: '{said}' fits {' and '.join(sorted(found))}, and a student "
                "can have one row only. Give each student of the roster one id."
            )
        if not found:
            self.unmarked.append(name or " / ".join(ids))
            return None
        student = found.pop()
        self.known.add(student)
        cells[place] = number(self.data.score(student), comma=self.comma)
        return student


def lms_number(student: str) -> str:
    """Return the platform's own number out of a name in its submissions archive, or ''."""
    match = re.search(r"_(\d{1,20})$", student)
    return match[1] if match else ""
