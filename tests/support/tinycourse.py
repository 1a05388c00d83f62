"""A course of one small lab without TensorFlow, for tests of the engine."""

from __future__ import annotations

import textwrap
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from proctor.author.build import build
from proctor.course import Course

MASTER = '''
# %% [markdown]
# # Two exercises

# %% id="setup" given
import numpy as np
from given import NotStarted

# %% graded="double" points=6
# UNQ_T1
# GRADED CELL: double
def double(a):
    """Return a, doubled."""
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    b = 2 * a
    ### END SOLUTION
    ### END CODE HERE ###
    return b

# %% test="double"
double(np.array([1.0, 2.0]))

# %% id="picture" given tags=["figure"]
raise RuntimeError("a figure cell must not run when marking")

# %% graded="mean" points=4
# UNQ_T2
# GRADED CELL: mean
def mean(a):
    """Return the mean of a."""
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    m = a.sum() / len(a)
    ### END SOLUTION
    ### END CODE HERE ###
    return m

# %% test="mean"
mean(np.array([1.0, 2.0]))
'''

CHECKS = '''
"""Checks of the tiny lab."""
from pathlib import Path

import numpy as np

from proctor.checks import Finding, Lab

lab = Lab(
    "tiny",
    title="Two exercises",
    helpers=(Path("given.py"),),
    files=(Path("given.py"),),
    release=("tiny.ipynb", "given.py"),
    warm=("numpy",),
    cell_seconds=3.0,
    total_seconds=20.0,
)
double = lab.exercise("double", "Exercise 1, double", points=6)
mean = lab.exercise("mean", "Exercise 2, mean", points=4)


@double.check(points=2, hidden=False)
def double_value(side, draw):
    """values"""
    got = side.get("double")(np.array([1.0, -2.0]))
    if not np.array_equal(got, [2.0, -4.0]):
        raise Finding("It is not twice the input.", expected="[2. -4.]", got=str(got), next="Look.")


@double.check(points=3, needs=("double-value",))
def double_drawn(side, draw):
    """other inputs"""
    a = draw.normal(size=5)
    if not np.array_equal(side.get("double")(a.copy()), 2 * a):
        raise Finding("It works for the example only.", expected=f"secret {a}")


@double.check(points=1, needs=("double-value",), in_place=True)
def double_untouched(side, draw):
    """leaves its input alone"""
    a = np.ones(3)
    side.get("double")(a)
    if not np.array_equal(a, np.ones(3)):
        raise Finding("It changes the array that it was given.")


@mean.check(points=4)
def mean_value(side, draw):
    """the mean"""
    a = draw.normal(size=4)
    got = side.get("mean")(a)
    if np.shape(got) != () or not np.allclose(np.asarray(got, dtype=float), a.mean()):
        raise Finding("It is not the mean.")
'''

GIVEN = '''
"""What a student of the tiny lab is given."""


class NotStarted(Exception):
    """The cell still holds the line that stands for the code."""
'''

CONFIG = """
from pathlib import Path
from proctor.nbgrader_plugin import plug_in
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.ClearSolutions.code_stub = {"python": "raise NotStarted"}
plug_in(c)
"""

STARTED = "import numpy as np\nfrom given import NotStarted\n"
DOUBLE = "# UNQ_T1\n# GRADED CELL: double\ndef double(a):\n    return 2 * a\n"
MEAN = "# UNQ_T2\n# GRADED CELL: mean\ndef mean(a):\n    return a.sum() / len(a)\n"


def make_course(root: Path, *, master: str = MASTER, checks: str = CHECKS) -> Course:
    """Write the course under `root`, build it, and return it."""
    folder = root / "course"
    (folder / "checks").mkdir(parents=True)
    (root / "given.py").write_text(GIVEN)
    (folder / "tiny.py").write_text(textwrap.dedent(master).lstrip())
    (folder / "checks" / "tiny.py").write_text(checks)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    course = Course(folder.resolve())
    build(course, course.lab("tiny"))
    return course


def student(course: Course, **answers: str) -> NotebookNode:
    """Return the released notebook with graded cells filled in: ``student(c, double=DOUBLE)``."""
    notebook = nbformat.read(course.root / "tiny.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def hand_in(
    course: Course, name: str, notebook: NotebookNode | bytes, to: Path | None = None
) -> Path:
    """Put a notebook where nbgrader's tree has it and return its path."""
    path = (to or course.folder / "submitted") / name / "tiny" / "tiny.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode()
    path.write_bytes(data)
    return path
