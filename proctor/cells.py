"""What nbgrader's metadata say of a cell: the one place where they are read.

The names of the fields are nbgrader's; versions 1 to 3 of its schema differ in which of them are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["plain", "locked", "solution", "test", "manual", "task"]


@dataclass(frozen=True)
class Marking:
    """How nbgrader treats a cell.

    Attributes
    ----------
    kind : {"plain", "locked", "solution", "test", "manual", "task"}
        Not known to it; the instructor's alone; the student's, graded by tests; a test that earns
        points; the student's answer, which a person marks (code or text); a task that a person marks.
    id : str
        Its grade id; empty if it has none.
    points : float
    """

    kind: Kind = "plain"
    id: str = ""
    points: float = 0.0


def marking(metadata: Any) -> Marking:
    """Read a cell's metadata; whatever form they have."""
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    if not isinstance(nbgrader, Mapping):
        return Marking()
    id = nbgrader.get("grade_id")
    id = id if isinstance(id, str) else ""
    points = nbgrader.get("points", 0)
    points = float(points) if isinstance(points, int | float) else 0.0
    if nbgrader.get("task") is True:
        return Marking("task", id, points)
    grade, solution = nbgrader.get("grade") is True, nbgrader.get("solution") is True
    if solution:
        return Marking("manual" if grade else "solution", id, points if grade else 0.0)
    if grade:
        return Marking("test", id, points)
    return Marking("locked" if nbgrader.get("locked") is True else "plain", id)
