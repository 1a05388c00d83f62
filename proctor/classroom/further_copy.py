"""Which of several notebooks of one student is further: counted in exercises that are begun."""

from __future__ import annotations

import nbformat

from proctor.course import Course
from proctor.errors import RejectedError
from proctor.examine.match import match
from proctor.examine.source_cells import Known, known_cells, plain_code
from proctor.intake.lms_file_names import quotable
from proctor.intake.submissions import load, read_bytes, unclear_which
from proctor.submission import Candidate, Handed
from proctor.verdict import Problem

MOST = 5
"""Most copies of one student that are opened for this."""


def more_finished(handed: Handed, course: Course, lab: str) -> Problem | None:
    """Say so if another notebook of a student looks more finished than the one that is marked.

    It is named, not taken: which one is meant, a person must say.
    """
    blank = None if unclear_which(handed.candidates, lab) else _blank(course, lab)
    if blank is None:
        return None
    known = known_cells(course.source_notebook(lab))
    chosen, *others = handed.candidates[: MOST + 1]
    mine = _begun(chosen, known, blank, lab)
    best, name = mine, ""
    for other in others:
        begun = _begun(other, known, blank, lab)
        if begun > best:
            best, name = begun, other.found or other.name
    if not name:
        return None
    return Problem(
        "copy-more-finished",
        f"'{quotable(chosen.found or chosen.name)}' was marked, with {mine} exercises begun; "
        f"'{quotable(name)}' looks more finished, with {best}. Find out which one is meant.",
        attention=True,
    )


def _blank(course: Course, lab: str) -> dict[str, str] | None:
    """Return the graded cells as students receive them; None if the lab has not been released."""
    places = (
        course.folder / "release" / lab / f"{lab}.ipynb",
        course.root / f"{lab}.ipynb",
    )
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        return None
    cells = nbformat.read(path, as_version=4).cells
    return {
        cell.metadata.nbgrader.grade_id: plain_code(cell.source)
        for cell in cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def _begun(candidate: Candidate, known: list[Known], blank: dict[str, str], lab: str) -> int:
    """Count the exercises whose cell is there and is no longer as it was given."""
    try:
        cells = read_bytes(load(candidate), "", lab).cells
    except RejectedError:
        return 0
    graded = match(known, cells).graded
    return sum(plain_code(cell.source) != blank.get(id) for id, cell in graded.items())
