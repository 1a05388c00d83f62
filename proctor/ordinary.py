"""An nbgrader assignment that knows nothing of this engine, read as it is.

Every folder ``source/NAME`` of a course with notebooks in it is one. nbgrader's own steps are applied to
the instructor's notebooks as ``nbgrader generate_assignment`` applies them: header and footer, AUTOTEST.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from traitlets.config import Config

from proctor import nbgrader_steps
from proctor.cells import Kind, marking
from proctor.checks import Lab
from proctor.errors import CourseError
from proctor.ordinary_lab import lab_of


@dataclass(frozen=True)
class OrdinaryCell:
    """A cell of the instructor's notebook.

    Attributes
    ----------
    index : int
        Its place.
    id : str
        Its grade id, or one made from its place.
    kind : Kind
        How nbgrader treats it.
    code : bool
        Whether it is code.
    points : float
    source : str
    """

    index: int
    id: str
    kind: Kind
    code: bool
    points: float
    source: str


@dataclass(frozen=True)
class Notebook:
    """A notebook of an assignment.

    Attributes
    ----------
    name : str
        Without its ending.
    node : NotebookNode
        The instructor's, with solutions and hidden tests, after header, footer and AUTOTEST; every
        cell has an id.
    saved : NotebookNode
        The same without solutions, as nbgrader keeps it in its gradebook.
    """

    name: str
    node: NotebookNode
    saved: NotebookNode

    @property
    def cells(self) -> tuple[OrdinaryCell, ...]:
        """Its cells."""
        return tuple(_cell(index, cell) for index, cell in enumerate(self.node.cells))

    @property
    def code(self) -> tuple[OrdinaryCell, ...]:
        """Its code cells that hold something."""
        return tuple(cell for cell in self.cells if cell.code and cell.source.strip())

    @property
    def points(self) -> float:
        """What it is worth."""
        return sum(cell.points for cell in self.cells)


def _cell(index: int, cell: Any) -> OrdinaryCell:
    known = marking(cell.metadata)
    kind = known.kind
    if kind == "test" and cell.cell_type != "code":
        kind = "manual"  # nbgrader leaves it to a person, too
    id = known.id or cell.id
    return OrdinaryCell(
        index, id, kind, cell.cell_type == "code", known.points, cell.source.replace("\r\n", "\n")
    )


def emptied(notebook: Notebook) -> NotebookNode:
    """Return a notebook as it is released, with no cell that ran."""
    node: NotebookNode = copy.deepcopy(notebook.saved)
    for cell, known in zip(node.cells, notebook.cells, strict=True):
        if known.kind in ("solution", "manual"):
            cell.source = ""
    return node


def assignments(source: Path) -> list[str]:
    """Names of the assignments in a course's source folder."""
    if not source.is_dir():
        return []
    return sorted(
        folder.name
        for folder in source.iterdir()
        if folder.is_dir() and folder.name[0] not in "._" and any(folder.glob("*.ipynb"))
    )


@dataclass(frozen=True)
class Assignment:
    """An assignment: its notebooks, and how the rest of the engine knows it.

    Attributes
    ----------
    name : str
    folder : Path
        Where they lie, and what a notebook finds beside itself.
    notebooks : tuple of Notebook
    lab : Lab
        Each test cell is an exercise of one check; a cell that a person marks is an exercise without.
    """

    name: str
    folder: Path
    notebooks: tuple[Notebook, ...]
    lab: Lab

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the notebooks."""
        return tuple(notebook.name for notebook in self.notebooks)

    @property
    def points(self) -> float:
        """What it is worth."""
        return sum(notebook.points for notebook in self.notebooks)

    @property
    def whole(self) -> NotebookNode:
        """All notebooks in one, for those that only look at cells."""
        whole: NotebookNode = copy.deepcopy(self.notebooks[0].node)
        whole.cells = []
        for number, notebook in enumerate(self.notebooks):
            for cell in copy.deepcopy(notebook.node).cells:
                cell["id"] = f"{number}-{cell.id}"[:64]
                whole.cells.append(cell)
        return whole


def read_assignment(folder: Path, config: Config, root: Path) -> Assignment:
    """Read an assignment's notebooks.

    Parameters
    ----------
    folder : Path
        ``source/NAME``.
    config : Config
        The course's nbgrader configuration.
    root : Path
        The course's folder: relative paths of the configuration are meant from there.

    Raises
    ------
    CourseError
        If one cannot be read, is in another language, or uses an id twice; if nothing earns points.
    """
    state = tuple(
        (str(path), path.stat().st_mtime_ns, path.stat().st_size)
        for path in (*sorted(folder.rglob("*")), *sorted(root.glob("*.*")))
        if path.is_file()
    )
    key = (folder, repr(config))
    if key not in _read_before or _read_before[key][0] != state:
        _read_before[key] = (state, _read_assignment(folder, config, root))
    return _read_before[key][1]


_read_before: dict[tuple[Path, str], tuple[Any, Assignment]] = {}


def _read_assignment(folder: Path, config: Config, root: Path) -> Assignment:
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        node = nbgrader_steps.read(path)
        language = nbgrader_steps.language(node)
        if language not in nbgrader_steps.PYTHON:
            raise CourseError(
                f"{folder.name}/{path.name} is in {language}, and this engine marks Python. Leave the "
                "assignment to nbgrader."
            )
        _require_sound(node, path)
        made = nbgrader_steps.instantiated(node, path, config, root)
        found.append(Notebook(path.stem, made, nbgrader_steps.saved(made, path, config)))
    if not any(cell.kind in ("test", "manual", "task") for one in found for cell in one.cells):
        raise CourseError(
            f"Nothing in {folder} earns points: no cell is an autograder test, manually graded or a "
            "task. Mark cells in nbgrader's cell toolbar (Create Assignment)."
        )
    lab = lab_of(folder.name, folder, found, config)
    lab.ordinary = Assignment(folder.name, folder, tuple(found), lab)
    return lab.ordinary


def _require_sound(node: NotebookNode, path: Path) -> None:
    seen: set[str] = set()
    for cell in node.cells:
        known = marking(cell.metadata)
        if known.id and known.id in seen:
            raise CourseError(
                f"{path.parent.name}/{path.name} uses the grade id '{known.id}' twice. Change one of "
                "them in nbgrader's cell toolbar (Create Assignment)."
            )
        seen.add(known.id)


def built(source: Path, names: Sequence[str], lab: Lab, config: Config) -> Assignment | None:
    """Return the notebooks of a lab that has several masters, as they were built; None before that.

    Each exercise of the lab is told which notebook it is in.
    """
    found = []
    for name in names:
        path = source / f"{name}.ipynb"
        if not path.is_file():
            return None
        node = nbgrader_steps.read(path)
        found.append(Notebook(name, node, nbgrader_steps.saved(node, path, config)))
    places = {cell.id: one.name for one in found for cell in one.cells}
    for exercise in lab.exercises:
        exercise.notebook = places.get(exercise.id, "")
        exercise.cell = "" if exercise.by else f"test_{exercise.id}"
    return Assignment(lab.name, source, tuple(found), lab)
