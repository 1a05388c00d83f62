"""Tables out of spreadsheet programs and learning platforms: CSV in whatever form they give it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from proctor.errors import CourseError
from proctor.intake.lms_file_names import quotable

DELIMITERS = ",;\t|"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_WESTERN = re.compile(rb"[\x00-\x7f\x80\x82\x84\x85\x91-\x97\xa0-\xff]*", re.S)
"""Windows-1252 without the bytes that are letters of other alphabets, or nothing, in its relatives."""
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.I)


@dataclass(frozen=True)
class Table:
    """A CSV file.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple of str
    lines : tuple of int
        The line on which each row starts, from 1.
    delimiter : str
        What stands between two cells.
    note : str
        What had to be guessed, as a sentence; empty if nothing had.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str = ","
    note: str = ""

    def column(self, name: str) -> int | None:
        """Return a column's place; None if there is none of that name."""
        return self.columns.index(name) if name in self.columns else None

    def values(self, place: int) -> list[str]:
        """Return what a column holds, row by row; empty where a row is too short."""
        return [row[place].strip() if place < len(row) else "" for row in self.rows]


def read_table(path: Path) -> Table:
    """Read a CSV file: UTF-8, UTF-16 or Latin-1; commas, semicolons, tabs or bars.

    Raises
    ------
    CourseError
        If it cannot be read, is no text, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from error
    text, note = _decode(data, path)
    first, delimiter = 0, ""
    if found := _SEPARATOR.match(text):  # Excel's own first line
        first, delimiter, text = 1, found[1], text[found.end() :]
    delimiter = delimiter or _delimiter(text)
    rows, lines, last = [], [], first
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(tuple(row))
                lines.append(last + 1)
            last = first + reader.line_num
    except csv.Error as error:
        raise _no_csv(path, str(error)) from error
    if not rows:
        raise CourseError(f"{path} is empty.")
    columns = tuple(name.strip() for name in rows[0])
    return Table(columns, tuple(rows[1:]), tuple(lines[1:]), delimiter, note)


def _no_csv(path: Path, why: str) -> CourseError:
    return CourseError(
        f"{path} is not a CSV file in UTF-8 ({why}). Save it as 'CSV UTF-8' and try again."
    )


def _decode(data: bytes, path: Path) -> tuple[str, str]:
    """Return the text, and a sentence if its encoding was guessed."""
    try:
        return data.decode("utf-16" if data[:2] in _WIDE else "utf-8-sig"), ""
    except UnicodeDecodeError as error:
        if data[:2] in _WIDE or b"\x00" in data or not _WESTERN.fullmatch(data):
            raise _no_csv(path, str(error)) from error
    text = data.decode("cp1252")
    word = re.search(r"\w*[^\W\x00-\x7f]\w*", text)
    example = f" ('{quotable(word[0])}')" if word else ""
    return text, (
        f"{path} is not in UTF-8 and was read as Latin-1: see that its names are right{example}, or "
        "save it as 'CSV UTF-8'."
    )


def _delimiter(text: str) -> str:
    """Return what divides the first line that holds anything."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    return max(DELIMITERS, key=lambda one: (bare.count(one), -DELIMITERS.index(one)))
