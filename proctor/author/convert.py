"""An nbgrader assignment becomes text, and text its notebooks: what ``proctor adopt --write`` does.

Each notebook of ``source/NAME`` gets a master, ``masters/NAME/NOTEBOOK.py`` (jupytext, py:percent, with the
cells' ids and nbgrader's own marks in their headers), and the assertions of the test cells that are judged
outside a table, ``checks/NAME.py``. :func:`build` makes the notebooks again, equal cell by cell, but for
outputs, which are no part of a source. A notebook of otter-assign's becomes nbgrader's on the way.
"""

from __future__ import annotations

import copy
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from proctor import assertions, nbgrader_steps
from proctor.atomic_files import write_whole
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.adoption import Adopted
from proctor.intake.converted_masters import ID, TAIL, differs, parse, parsed, read
from proctor.notebooks import dumps
from proctor.ordinary_lab import title_of
from proctor.otter.reading import is_otter

_HEAD = '''"""How {name} is marked: each assertion of its test cells, by notebook and cell.

Titles, points (those of a cell add up to the cell's), causes and what to do next are yours to change.
A test cell that is not here earns its points as a whole.
"""

from proctor.assertions import Assertion

assertions = {{
'''


def write(course: Course, adopted: Adopted) -> list[Path]:
    """Write an assignment's masters and its table of assertions.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    CourseError
        If one of the files is there already, or a notebook would not come back as it is; then nothing
        is written.
    """
    name = adopted.assignment.name
    texts = {course.checks(name): table(adopted)}
    for notebook in adopted.assignment.notebooks:
        path = adopted.assignment.folder / f"{notebook.name}.ipynb"
        own = read(path)
        own = nbgrader_steps.read(path) if is_otter(own) else own
        texts[course.masters(name) / f"{notebook.name}.py"] = master(own, path)
    for path in texts:
        if path.exists():
            raise CourseError(
                f"{course.relative(path)} is there already; nothing was written. Take it away to "
                "convert the assignment anew."
            )
    for path, text in texts.items():
        write_whole(path, text)
    return list(texts)


def build(course: Course, name: str) -> list[Path]:
    """Make the notebooks of a converted assignment from its masters; return their paths.

    A notebook that is equal to what its master says is left as it is.

    Raises
    ------
    MasterError
        If a master cannot be read.
    """
    made: list[Path] = []
    for path in sorted(course.masters(name).glob("*.py")):
        target = course.source_folder / name / f"{path.stem}.ipynb"
        notebook = parse(path)
        if not target.is_file() or differs(read(target), notebook):
            write_whole(target, dumps(notebook))
        made.append(target)
    return made


def master(notebook: NotebookNode, path: Path) -> str:
    """Return a notebook as text.

    Raises
    ------
    CourseError
        If text cannot hold it: an attachment, code that reads as the beginning of a cell.
    """
    plain = copy.deepcopy(notebook)
    for cell in plain.cells:
        if "id" in cell:
            cell.metadata[ID] = cell["id"]
        body = cell.source.rstrip()
        if tail := cell.source[len(body) :]:  # text says nothing of blank lines at a cell's end
            cell.source, cell.metadata[TAIL] = body, tail
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    text: str = jupytext.writes(plain, fmt=_format(plain))
    if where := differs(notebook, parsed(text)):
        raise CourseError(
            f"{path.parent.name}/{path.name} cannot be written as text: {where} would not come back as "
            "it is (an attachment, or a line that begins with '# %%'). Nothing was written."
        )
    return text


def _format(notebook: NotebookNode) -> dict[str, str]:
    return {
        "extension": ".py",
        "format_name": "percent",
        "cell_metadata_filter": "all",
        "notebook_metadata_filter": "all,-jupytext",
    }


def table(adopted: Adopted) -> str:
    """Return the table of assertions: of cells that are judged outside and give no partial credit."""
    lines = [_HEAD.format(name=adopted.assignment.name)]
    for notebook in adopted.assignment.notebooks:
        outside = {one.id for one in adopted.plans[notebook.name].tests if one.judged == "outside"}
        for cell in notebook.cells:
            if cell.id not in outside or not cell.points:
                continue
            try:
                found = assertions.found(cell.source)
                if not found or assertions.gives_value(cell.source):
                    continue
            except SyntaxError:  # magics: it stays whole
                continue
            shares = divided(cell.points, len(found))
            lines.append(f"    ({notebook.name!r}, {cell.id!r}): (\n")
            for place, ((text, title), points) in enumerate(zip(found, shares, strict=True), 1):
                title = title or f"{title_of(cell)} ({place})"
                lines.append(f"        Assertion({text!r}, {points:g}, {title[:100]!r}),\n")
            lines.append("    ),\n")
    return "".join([*lines, "}\n"])


def divided(points: float, parts: int) -> list[float]:
    """Divide points so that they add up, each a hundredth's multiple, the larger ones first."""
    each, left = divmod(round(points * 100), parts)
    shares = [(each + (place < left)) / 100 for place in range(parts)]
    shares[0] = round(points - sum(shares[1:]), 6)
    return shares
