"""A small lab in the form that a build gives it, for tests of intake and assembly."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from proctor.intake.submissions import Submission, read_bytes

LAB = "lab_sample"

SOFTMAX = """# UNQ_C1
# GRADED CELL: my_softmax
def my_softmax(z):
    \"\"\"Softmax of a vector.\"\"\"
    ### START CODE HERE ###
    e = np.exp(z - np.max(z))
    a = e / e.sum()
    ### END CODE HERE ###
    return a
"""
DENSE = """# UNQ_C3
# GRADED CELL: my_dense
def my_dense(a_in, W, b, g):
    ### START CODE HERE ###
    a_out = g(a_in @ W + b)
    ### END CODE HERE ###
    return a_out
"""
PREDICT = """# UNQ_C6
# GRADED CELL: predict_digits
def predict_digits(model, X):
    ### START CODE HERE ###
    digits = np.argmax(model(X), axis=1)
    ### END CODE HERE ###
    return digits
"""


def _cell(
    id: str, source: str, tags: tuple[str, ...] = (), **nbgrader: Any
) -> nbformat.NotebookNode:
    grader = {
        "grade": False,
        "grade_id": id,
        "locked": not nbgrader.get("solution", False),
        "schema_version": 3,
        "solution": False,
        "task": False,
        **nbgrader,
    }
    return new_code_cell(source, id=id, metadata={"nbgrader": grader, "tags": list(tags)})


def source_notebook() -> nbformat.NotebookNode:
    """Return the instructor's notebook, solutions inside."""
    cells = [
        new_markdown_cell("# Digits", id="title"),
        _cell(
            "packages", "import numpy as np\nimport utils\nfrom public_tests import test_my_softmax"
        ),
        _cell("load", "X, y = utils.load_data()\nprint(X.shape, y.shape)"),
        _cell("samples", "utils.plot_samples(X, y)", ("figure",)),
        new_markdown_cell("## Softmax\nWrite it.", id="softmax-text"),
        _cell("softmax", SOFTMAX, solution=True),
        _cell("test_softmax", "test_my_softmax(my_softmax)", grade=True, points=15),
        _cell("dense", DENSE, solution=True),
        _cell("test_dense", "test_my_dense(my_dense)", grade=True, points=10),
        _cell("use", "W = np.zeros((400, 25))\nmy_dense(X[0], W, np.zeros(25), np.tanh)"),
        _cell("predict", PREDICT, solution=True),
        _cell("test_predict", "test_predict_digits(predict_digits, X)", grade=True, points=10),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def solved() -> dict[str, Any]:
    """Return a student's notebook with everything right, in that student's own words."""
    notebook = copy.deepcopy(source_notebook())
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = cell.source.replace("### START CODE HERE ###", "# mine")
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="done, [1, 2]\n")]
    plain: dict[str, Any] = json.loads(json.dumps(notebook))
    return plain


def submission(notebook: dict[str, Any]) -> Submission:
    """Read a notebook as one student's."""
    return read_bytes(json.dumps(notebook).encode(), "s001", LAB)
