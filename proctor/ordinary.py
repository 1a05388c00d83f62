"""An nbgrader assignment that knows nothing of this engine, read as it is.

Every folder ``source/NAME`` of a course with notebooks in it is one. nbgrader's own steps are applied to
the instructor's notebooks as ``nbgrader generate_assignment`` applies them: header and footer, AUTOTEST.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from traitlets.config import Config

from proctor import assertions, nbgrader_steps
from proctor.assertions import Assertion
from proctor.cells import Kind, marking
from proctor.checks import Check, Lab, Side
from proctor.errors import CourseError

SECONDS = 30.0
"""nbgrader's own time limit for a cell, where the course sets none."""
_KEPT_OUT = {".ipynb_checkpoints", "__pycache__"}


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


def lab_of(name: str, folder: Path, notebooks: Iterable[Notebook], config: Config) -> Lab:
    """Return an assignment as the rest of the engine knows a lab.

    Each test cell is an exercise of one check; a cell that a person marks is an exercise without.
    """
    notebooks = tuple(notebooks)
    settings = config.get("ExecutePreprocessor", Config())
    seconds = settings.get("timeout", None) or config.get("NotebookClient", {}).get("timeout")
    cell_seconds = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else SECONDS
    cells = sum(len(notebook.code) for notebook in notebooks)
    lab = Lab(
        name,
        title=name,
        files=tuple(given_files(folder)),
        warm=tuple(modules(notebooks, folder)),
        cell_seconds=cell_seconds,
        total_seconds=max(240.0, min(1800.0, cell_seconds * min(cells, 20))),
    )
    seen: set[str] = set()
    for notebook in notebooks:
        for cell in notebook.cells:
            if cell.kind in ("test", "manual", "task"):
                exercise = lab.exercise(cell.id, title_of(cell), points=cell.points)
                exercise.notebook = notebook.name
                exercise.by = "" if cell.kind == "test" else "person"
                if cell.kind == "test":
                    id = cell.id if cell.id not in seen else f"{notebook.name}:{cell.id}"
                    seen.add(id)
                    check = Check(id, cell.id, exercise.title, cell.points, False, _own_cell)
                    exercise.checks.append(check)
    return lab


def divide(lab: Lab, table: Mapping[tuple[str, str], Sequence[Assertion]]) -> None:
    """Let each assertion of a test cell be a check of its own, as a table has them.

    Raises
    ------
    CourseError
        If the table is another assignment's, an older source's, or its points do not add up.
    """
    assert lab.ordinary is not None
    where = f"checks/{lab.name}.py"
    cells = {(one.name, cell.id): cell for one in lab.ordinary.notebooks for cell in one.cells}
    exercises = {(one.notebook, one.id): one for one in lab.exercises if not one.by}
    for key, row in table.items():
        if key not in exercises:
            raise CourseError(f"{where}: the assignment has no test cell '{key[1]}' in {key[0]}.")
        lines = [text for text, _ in assertions.found(cells[key].source)]
        if lines != [one.text for one in row]:
            pairs = zip_longest(lines, (one.text for one in row))
            here, there = next(pair for pair in pairs if pair[0] != pair[1])
            raise CourseError(
                f"{where}: the assertions of '{key[1]}' are not those of its cell, which has "
                f"{_quoted(here)} where the table has {_quoted(there)}. Change the table; or convert "
                f"the assignment anew: take {where} and masters/{lab.name} away, then run: "
                f"proctor adopt {lab.name} --write"
            )
        points = round(sum(one.points for one in row), 6)
        if points != cells[key].points:
            raise CourseError(
                f"{where}: the points of '{key[1]}' add up to {points:g}, not {cells[key].points:g}."
            )
    lab.asserted = {key: tuple(row) for key, row in table.items()}
    for key, exercise in exercises.items():
        own = exercise.checks[0].id.partition("#")[0]
        rows = table.get(key) or [Assertion("", exercise.points, exercise.title)]
        exercise.checks = [
            Check(_numbered(own, place, rows), exercise.id, one.title, one.points, False, _own_cell)
            for place, one in enumerate(rows, 1)
        ]


def _quoted(line: str | None) -> str:
    return "nothing" if line is None else f"`{line}`"


def _numbered(id: str, place: int, rows: Sequence[object]) -> str:
    return id if len(rows) == 1 else f"{id}#{place}"


def _own_cell(side: Side, draw: Any) -> None:
    """Stand for a test cell, which is run as it is."""
    raise CourseError("A test cell of an nbgrader assignment is not a check to be called.")


def title_of(cell: OrdinaryCell) -> str:
    """Return what a cell is called: the first line of a test's docstring or comment, or its id.

    Nothing of a solution or of a hidden test: students read it.
    """
    if cell.kind != "test":
        return cell.id
    source = cell.source.split("### BEGIN HIDDEN TESTS")[0]
    try:
        said = ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError):
        said = ""
    if not said:
        first = next((line.strip() for line in source.splitlines() if line.strip()), "")
        said = first.lstrip("# ") if first.startswith("#") and "HIDDEN" not in first else ""
    line = " ".join(said.split("\n")[0].split()).rstrip(".:")
    return line[:100] or cell.id


def given_files(folder: Path) -> list[Path]:
    """List what lies beside the notebooks, relative to their folder."""
    return [
        path.relative_to(folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".ipynb"
        and not any(part in _KEPT_OUT or part[0] == "." for part in path.relative_to(folder).parts)
    ]


def modules(notebooks: Iterable[Notebook], folder: Path) -> list[str]:
    """Name the installed modules that the notebooks import at the top of a cell."""
    import importlib.util

    own = {path.stem for path in folder.glob("*.py")} | {p.name for p in folder.iterdir()}
    found = {"numpy"}
    for notebook in notebooks:
        for cell in notebook.code:
            for name in _imported(cell.source):
                top = name.partition(".")[0]
                if top not in own and top not in sys.stdlib_module_names:
                    found.add(name)
    kept = []
    for name in sorted(found):
        try:
            if importlib.util.find_spec(name) is not None:
                kept.append(name)
        except (ImportError, ValueError, AttributeError):
            continue
    return kept


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError):
        return names  # its own run will say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names
