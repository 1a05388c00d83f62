"""A lab's master text becomes nbgrader's source notebook.

The master is a jupytext py:percent file, ``course/LAB.py``. Cell headers say what a cell is::

    # %% id="load" given                 code that the student sees and nbgrader locks
    # %% graded="softmax" points=15      a graded cell, its solution between the markers
    # %% test="softmax"                  the checks of that exercise
    # %% graded="plot" points=5 by="person"     code that a person marks
    # %% [markdown] written="why" points=4      an answer in words, with a model answer inside
    # %% [markdown] task="poster" points=5      work that the student puts into cells of their own

A lab of several notebooks has a folder in its place, ``course/LAB/*.py``: a master for each, in the order
of their names. The same master gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.errors import MasterError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
START_CODE, END_CODE = "### START CODE HERE ###", "### END CODE HERE ###"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}


@dataclass(frozen=True)
class MasterCell:
    """One cell of a master and the line on which it starts (1-based)."""

    cell: NotebookNode
    line: int
    role: str
    """``graded``, ``written``, ``task``, ``test``, ``given``, ``markdown`` or ``free``."""
    id: str

    @property
    def by_person(self) -> bool:
        """Whether a person marks it."""
        return self.role in ("written", "task") or self.cell.metadata.get("by") == "person"


def source_notebooks(masters: Mapping[str, Path], lab: Lab) -> dict[str, NotebookNode]:
    """Read a lab's masters and return nbgrader's source notebooks, solutions inside, by name.

    Raises
    ------
    MasterError
        For duplicate ids, missing or differing points, an unknown exercise, one that is in no master or
        in two, a test without its graded cell, or a solution outside its markers.
    """
    made, places = {}, dict[str, Path]()
    for name, master in masters.items():
        cells = read_master(master)
        for exercise in _answers(cells):
            if exercise in places:
                raise MasterError(
                    f"{master}:{_answers(cells)[exercise].line}: the exercise '{exercise}' is in "
                    f"{places[exercise].name}, too. Give one of them another id."
                )
            places[exercise] = master
        made[name] = _source_notebook(master, cells, lab)
    for id in (one.id for one in lab.exercises):
        if id not in places:
            where = " or ".join(str(path) for path in masters.values())
            raise MasterError(f"{where}: the exercise '{id}' of the checks has no graded cell.")
    return made


def source_notebook(master: Path, lab: Lab) -> NotebookNode:
    """Read the master of a lab of one notebook; see :func:`source_notebooks`."""
    return source_notebooks({lab.name: master}, lab)[lab.name]


def _source_notebook(master: Path, cells: list[MasterCell], lab: Lab) -> NotebookNode:
    _check_ids(master, cells)
    _check_exercises(master, cells, lab)
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    )
    points = {exercise.id: exercise.points for exercise in lab.exercises}
    texts = 0
    for item in cells:
        cell = item.cell
        tags, person = cell.metadata.get("tags"), item.by_person
        cell.metadata = NotebookNode({"tags": list(tags)} if tags else {})
        if item.role == "markdown":
            texts += 1
            cell.id = f"text-{texts:02d}"
        else:
            cell.id = item.id
            cell.metadata["nbgrader"] = _nbgrader(item, points, person)
        if item.role == "graded":
            _check_solution(master, item)
        notebook.cells.append(cell)
    return notebook


def read_master(master: Path) -> list[MasterCell]:
    """Parse a master into its cells, each with its line.

    Raises
    ------
    MasterError
        If the file is missing or a cell's header says nothing about what the cell is.
    """
    if not master.is_file():
        raise MasterError(f"{master} does not exist. A lab's master is course/LAB.py.")
    text = master.read_text("utf-8-sig")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"# ?%%", line)]
    # jupytext would make a cell of the blank lines before the first header.
    notebook = jupytext.reads(re.sub(r"\A(?:[ \t]*\r?\n)+", "", text), fmt="py:percent")
    if len(lines) != len(notebook.cells):
        raise MasterError(
            f"{master}: {len(lines)} lines start with '# %%', but jupytext reads "
            f"{len(notebook.cells)} cells. Start every cell, the first too, with '# %%'."
        )
    found = []
    for cell, line in zip(notebook.cells, lines, strict=True):
        role, name = _role(cell)
        if role == "free":
            raise MasterError(
                f'{master}:{line}: a code cell needs graded="ID", test="ID" or id="ID" in its '
                "header line, so that nbgrader can tell it again."
            )
        found.append(MasterCell(cell, line, role, name))
    return found


def _role(cell: NotebookNode) -> tuple[str, str]:
    if cell.cell_type != "code":
        for key in ("written", "task"):
            if key in cell.metadata:
                return key, str(cell.metadata[key])
        return "markdown", ""
    for key in ("graded", "test"):
        if key in cell.metadata:
            name = str(cell.metadata[key])
            return key, name if key == "graded" else f"test_{name}"
    return ("given", str(cell.metadata["id"])) if "id" in cell.metadata else ("free", "")


def _nbgrader(item: MasterCell, points: dict[str, float], person: bool) -> dict[str, Any]:
    """Return a cell's nbgrader metadata (schema version 3, as nbgrader 0.9 writes it)."""
    answer = item.role in ("graded", "written")
    meta: dict[str, Any] = {
        "grade": item.role == "test" or (answer and person),
        "grade_id": item.id,
        "locked": not answer,
        "schema_version": 3,
        "solution": answer,
        "task": item.role == "task",
    }
    if item.role == "test" or person:
        meta["points"] = points[item.id if person else item.id.removeprefix("test_")]
    return meta


def _check_ids(master: Path, cells: list[MasterCell]) -> None:
    seen: dict[str, int] = {}
    for item in cells:
        if not item.id:
            continue
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", item.id):
            raise MasterError(
                f"{master}:{item.line}: '{item.id}' cannot be an id; use letters, digits, - and _."
            )
        if item.id in seen:
            raise MasterError(
                f"{master}:{item.line}: the id '{item.id}' is used already on line {seen[item.id]}."
            )
        seen[item.id] = item.line


def _answers(cells: list[MasterCell]) -> dict[str, MasterCell]:
    return {item.id: item for item in cells if item.role in ("graded", "written", "task")}


def _check_exercises(master: Path, cells: list[MasterCell], lab: Lab) -> None:
    known = {exercise.id: exercise for exercise in lab.exercises}
    graded = _answers(cells)
    tests = {item.id.removeprefix("test_"): item for item in cells if item.role == "test"}
    for name, item in graded.items():
        where = f"{master}:{item.line}"
        if name not in known:
            lacks = "is not" if item.by_person else "has no checks"
            raise MasterError(
                f"{where}: the exercise '{name}' {lacks} in course/checks/{lab.name}.py."
            )
        if item.by_person != (known[name].by == "person"):
            here, there = ("a person", "checks") if item.by_person else ("checks", "a person")
            raise MasterError(
                f"{where}: {here} mark{'s' * item.by_person} the exercise '{name}' here, and {there} "
                f'in course/checks/{lab.name}.py. Write by="person" in both, or in neither.'
            )
        given = item.cell.metadata.get("points")
        if given is None:
            raise MasterError(
                f"{where}: the {item.role} cell '{name}' has no points; add points=N."
            )
        if float(given) != known[name].points:
            raise MasterError(
                f"{where}: {given} points here, {known[name].points:g} in "
                f"course/checks/{lab.name}.py."
            )
        if name not in tests and not item.by_person:
            raise MasterError(f"{where}: no test cell for '{name}'; add a cell test=\"{name}\".")
    for name, item in tests.items():
        if name not in graded:
            raise MasterError(
                f"{master}:{item.line}: the test cell of '{name}' has no graded cell before it."
            )
        if graded[name].by_person:
            raise MasterError(
                f"{master}:{item.line}: a person marks '{name}', so it can have no test cell."
            )


def _check_solution(master: Path, item: MasterCell) -> None:
    """Refuse a graded cell whose solution is not wholly inside its markers.

    Between the START and END CODE lines, which the student sees, only the solution block may stand.
    """
    inside_code = inside_solution = False
    blocks = 0
    for number, line in enumerate(item.cell.source.splitlines(), item.line + 1):
        where, bare = f"{master}:{number}", line.strip()
        if bare == START_CODE:
            inside_code = True
        elif bare == END_CODE:
            inside_code = False
        elif bare == BEGIN:
            if inside_solution or not inside_code:
                raise MasterError(f"{where}: '{BEGIN}' must stand after '{START_CODE}', once.")
            inside_solution, blocks = True, blocks + 1
        elif bare == END:
            if not inside_solution:
                raise MasterError(f"{where}: '{END}' without '{BEGIN}'.")
            inside_solution = False
        elif inside_code and not inside_solution and bare and not bare.startswith("#"):
            raise MasterError(f"{where}: this line of the solution is outside its markers: {bare}")
    if inside_solution or inside_code:
        raise MasterError(f"{master}:{item.line}: a marker of this cell is never closed.")
    if not blocks:
        raise MasterError(f"{master}:{item.line}: the graded cell has no '{BEGIN}' ... '{END}'.")
