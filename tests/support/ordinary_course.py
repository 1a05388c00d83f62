"""A course in nbgrader's ordinary style: six notebooks, every thing that a test cell may do, a class.

The engine is not named in it. Each thing of :data:`support.lifting.LIFTED` is a solution cell and two
test cells, the second with hidden lines; beside them stand given code, a helper module, a data file,
partial credit, code and text that a person marks, and a task.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from support.lifting import ALWAYS, LIFTED

NAME = "hw1"
NOTEBOOKS = ("one", "two", "three", "four", "five", "six")
GIVEN = "from helpers import scale\nTABLE = open('table.txt').read().split()"
BY_HAND = "### BEGIN SOLUTION\n1 + 1\n### END SOLUTION"
BLANK = "# YOUR CODE HERE\nraise NotImplementedError()"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "ordinary"
c.ExecutePreprocessor.timeout = {seconds}
"""


def _cell(
    make: Callable[[str], NotebookNode], source: str, id: str, **marks: object
) -> NotebookNode:
    cell = make(source)
    cell["id"] = id
    fields = {"schema_version": 3, "grade_id": id, "grade": False, "solution": False, "task": False}
    fields |= {"locked": False, **marks}
    if marks.get("grade") or marks.get("task"):
        fields["points"] = marks.get("points", 1)
    if marks:
        cell.metadata["nbgrader"] = fields
    return cell


def solution(source: str, id: str) -> NotebookNode:
    """A cell of which the student sees nothing but the place."""
    marked = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
    return _cell(new_code_cell, marked, id, solution=True)


def test(source: str, id: str, points: float = 1) -> NotebookNode:
    """A test cell."""
    return _cell(new_code_cell, source, id, grade=True, locked=True, points=points)


def notebook(number: int) -> NotebookNode:
    """Make one of the six notebooks."""
    name = NOTEBOOKS[number]
    book = new_notebook()
    book.metadata["kernelspec"] = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    cells = book.cells = [
        _cell(new_markdown_cell, f"# Notebook {name}", f"title-{name}"),
        _cell(
            new_code_cell,
            "from helpers import scale\nTABLE = open('table.txt').read().split()",
            f"g-{name}",
        ),
        solution("def twice(x):\n    return scale(x, 2)", f"twice-{name}"),
        test("got = twice(2)\nassert got == 4\nassert len(TABLE) == 3", f"twice-{name}-test"),
        test(
            "score = 0\nscore += got == 4\nscore += twice(5) == 10\nscore / 2",
            f"twice-{name}-part",
        ),
    ]
    for place, (what, (source, check)) in enumerate(LIFTED.items()):
        if place % len(NOTEBOOKS) != number:
            continue
        id = re.sub(r"\W+", "-", what.replace("'", ""))
        hidden = textwrap.dedent(f"### BEGIN HIDDEN TESTS\n{check}\n### END HIDDEN TESTS")
        cells += [
            solution(source, id),
            test(check, f"{id}-test"),
            test(hidden, f"{id}-hidden", 0.5),
        ]
    if name == "six":  # identity does not travel: the one test that is judged inside
        cells += [
            solution("def same(x):\n    return x", "same"),
            test("mine = [1]\nassert same([mine])[0] is mine", "same-test", 2),
        ]
    cells += [
        _cell(new_code_cell, BY_HAND, f"hand-{name}", solution=True, grade=True, points=2),
        _cell(new_markdown_cell, "Because.", f"why-{name}", solution=True, grade=True, points=3),
        _cell(new_markdown_cell, "Draw a figure.", f"task-{name}", task=True, locked=True, points=4),
    ]  # fmt: skip
    return book


def write_course(folder: Path, *, plugged: bool = False, seconds: int = 60) -> Path:
    """Write the course and return its folder."""
    source = folder / "source" / NAME
    source.mkdir(parents=True)
    line = "from proctor.nbgrader_plugin import plug_in\nplug_in(c)\n" if plugged else ""
    (folder / "nbgrader_config.py").write_text(CONFIG.format(seconds=seconds) + line)
    (source / "helpers.py").write_text("def scale(x, by):\n    return x * by\n")
    (source / "table.txt").write_text("a b c\n")
    for number, name in enumerate(NOTEBOOKS):
        nbformat.write(notebook(number), source / f"{name}.ipynb")
    return folder


Answer = Callable[[int, str, str], str]


def hand_in(folder: Path, student: str, answer: Answer) -> None:
    """Hand in the six notebooks; `answer` gets notebook, grade id and solution, and says what was written."""
    for number, name in enumerate(NOTEBOOKS):
        book = notebook(number)
        for cell in book.cells:
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("solution"):
                plain = cell.source.replace("### BEGIN SOLUTION\n", "").replace(
                    "\n### END SOLUTION", ""
                )
                cell.source = answer(number, marks["grade_id"], plain)
            elif marks.get("grade"):
                cell.source = cell.source.split("### BEGIN HIDDEN")[0]
        path = folder / "submitted" / student / NAME / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)


def right(number: int, id: str, solution: str) -> str:
    """The instructor's own answer."""
    return solution


def blank(number: int, id: str, solution: str) -> str:
    """Nothing was written."""
    return "YOUR ANSWER HERE" if id.startswith("why") else BLANK


def partial(number: int, id: str, solution: str) -> str:
    """Every other answer, and one that is half right."""
    if id.startswith("twice"):
        return "def twice(x):\n    return 2"
    return solution if len(id) % 2 else BLANK


def wrong(number: int, id: str, solution: str) -> str:
    """Every name is there and holds something else."""
    lines = [line for line in solution.splitlines() if line and not line[0].isspace()]
    names = [
        line.split()[1].split("(")[0].rstrip(":")
        for line in lines
        if line.startswith(("def ", "class "))
    ]
    names += [line.split(" = ")[0] for line in lines if " = " in line]
    return "\n".join(f"{name} = lambda *a, **k: 'no'" for name in names) or solution


def forged(number: int, id: str, solution: str) -> str:
    """Every name is an object that equals everything, and the libraries say yes."""
    names = wrong(number, id, solution).replace("lambda *a, **k: 'no'", "Yes()")
    return (
        ALWAYS + "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True\n" + names
    )


def crashing(number: int, id: str, solution: str) -> str:
    """The first notebook ends its own process."""
    return "import os\nos._exit(0)" if id == "twice-one" else solution


def looping(number: int, id: str, solution: str) -> str:
    """A function of the second notebook never ends."""
    return "def twice(x):\n    while True:\n        pass" if id == "twice-two" else solution
