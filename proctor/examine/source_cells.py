"""The cells of the instructor's notebook with their roles, and by what a copy of one is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from proctor.cells import marking

Role = Literal["given", "graded", "test", "figure", "text", "written"]

_MARKER = re.compile(r"^[ \t]*#[ \t]*(UNQ_[A-Z]*\d+)\b", re.M | re.I)
_TITLE = re.compile(r"^[ \t]*#[ \t]*GRADED (?:CELL|FUNCTION):(.*)$", re.M | re.I)


@dataclass(frozen=True)
class Known:
    """A cell of the instructor's notebook."""

    index: int
    id: str
    cell_id: str
    role: Role
    source: str
    marker: str = ""
    title: str = ""
    locked: bool = True
    """Whether the instructor's version counts, whatever the student's copy says."""


def known_cells(source_nb: Any, *, ordinary: bool = False) -> list[Known]:
    """List the cells of the instructor's notebook with their roles.

    Parameters
    ----------
    ordinary : bool
        Whether it is a notebook of nbgrader's own: there, a student may change a given cell that is not
        locked.
    """
    return [_known(index, cell, ordinary) for index, cell in enumerate(source_nb.cells)]


def _known(index: int, cell: Any, ordinary: bool) -> Known:
    known = marking(cell.metadata)
    id = known.id or cell.get("id", "")
    role: Role = "given"
    if cell.cell_type != "code":
        role = "written" if known.kind == "manual" else "text"
    elif known.kind in ("solution", "manual"):
        role = "graded"
    elif known.kind == "test":
        role = "test"
    elif "figure" in cell.metadata.get("tags", []):
        role = "figure"
    marker = title = ""
    if role == "graded":
        marker = next(iter(markers(cell.source)), "")
        title = next(iter(titles(cell.source)), "")
    locked = known.kind != "plain" or not ordinary
    return Known(index, id, cell.get("id", ""), role, cell.source, marker, title, locked)


def markers(source: str) -> frozenset[str]:
    if "unq_" not in source.lower():
        return frozenset()
    return frozenset(marker.upper() for marker in _MARKER.findall(source))


def titles(source: str) -> frozenset[str]:
    if "graded" not in source.lower():
        return frozenset()
    return frozenset(" ".join(title.lower().split()) for title in _TITLE.findall(source)) - {""}


def plain_code(source: str) -> str:
    """Reduce code to what tells two copies apart: not blank lines, not spaces at line ends."""
    return "\n".join(line.rstrip() for line in source.splitlines() if line.strip())
