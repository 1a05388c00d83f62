"""The masters of an nbgrader assignment that was converted: text that is its notebooks, cell by cell."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from proctor.cells import marking
from proctor.course import Course
from proctor.errors import CourseError, MasterError

ID = "cell_id"
"""Where a cell's header keeps its id: jupytext itself draws new ones."""
TAIL = "cell_end"
"""Where it keeps the blanks that the cell ends with."""


def require_built(course: Course, name: str) -> None:
    """Raise :class:`CourseError` if a notebook is not what its master says."""
    for path in sorted(course.masters(name).glob("*.py")):
        target = course.source_folder / name / f"{path.stem}.ipynb"
        if not target.is_file() or (where := differs(read(target), parse(path))):
            lacks = f"differs from it in {where}" if target.is_file() else "is missing"
            raise CourseError(
                f"{course.relative(path)} is the master of {course.relative(target)}, which {lacks}. "
                f"To go on with the master: proctor build {name}, which puts its text over what was "
                "changed in the notebook; to go on with the notebook, take the master away."
            )


def read(path: Path) -> NotebookNode:
    """Read a notebook of the instructor's as it is."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def parse(path: Path) -> NotebookNode:
    """Read a master.

    Raises
    ------
    MasterError
        If jupytext cannot.
    """
    try:
        return parsed(path.read_text("utf-8"))
    except Exception as error:  # whatever jupytext and YAML make of it
        raise MasterError(f"{path} cannot be read: {error}") from error


def parsed(text: str) -> NotebookNode:
    """Read a master's text."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata.pop("jupytext", None)
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)  # how jupytext keeps blank lines
        cell.source = cell.source.rstrip() + cell.metadata.pop(TAIL, "")
        own = cell.metadata.pop(ID, None)
        if own is None:
            cell.pop("id", None)
        else:
            cell["id"] = own
    if not any("id" in cell for cell in notebook.cells):
        notebook.nbformat_minor = 4
    return notebook


def differs(one: NotebookNode, other: NotebookNode) -> str:
    """Say in which cell two notebooks differ, outputs aside; empty if in none."""
    if len(one.cells) != len(other.cells):
        return f"the number of cells ({len(one.cells)} and {len(other.cells)})"
    for number, (mine, yours) in enumerate(zip(one.cells, other.cells, strict=True), 1):
        if _told(mine) != _told(yours):
            id = marking(mine.metadata).id
            return f"cell {number}" + (f" ('{id}')" if id else "")
    return ""


def _told(cell: NotebookNode) -> tuple[object, ...]:
    rest = {k: v for k, v in cell.items() if k not in ("outputs", "execution_count")}
    return cell.cell_type, cell.source, dict(cell.metadata), sorted(rest)
