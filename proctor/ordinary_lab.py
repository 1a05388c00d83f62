"""An nbgrader assignment as the rest of the engine knows a lab: its exercises, checks, files and limits."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.inputtransformer2 import TransformerManager
from traitlets.config import Config

from proctor import assertions
from proctor.assertions import Assertion
from proctor.checks import Check, Lab, Side
from proctor.errors import CourseError

if TYPE_CHECKING:
    from proctor.ordinary import Notebook, OrdinaryCell

SECONDS = 30.0
"""nbgrader's own time limit for a cell, where the course sets none."""
_KEPT_OUT = {".ipynb_checkpoints", "__pycache__"}


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
