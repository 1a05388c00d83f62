"""Cells that lost metadata, ids and markers are known by what they define, in order."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from click.testing import CliRunner
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from proctor.cli import main
from proctor.course import Course
from proctor.examine.assemble import Assembled, assemble
from proctor.examine.bindings import definitions
from proctor.intake.submissions import read_bytes


def bare(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as some editors leave it: no metadata, new ids, no comment lines."""
    found = copy.deepcopy(notebook)
    for number, cell in enumerate(found.cells):
        cell.metadata = nbformat.NotebookNode()
        cell.id = f"new-{number}"
        lines = cell.source.splitlines()
        cell.source = "\n".join(line for line in lines if not line.lstrip().startswith("# "))
    return found


def cells(*sources: str) -> NotebookNode:
    return new_notebook(
        cells=[new_code_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
    )


def put_together(course: Course, lab: str, notebook: NotebookNode) -> Assembled:
    submission = read_bytes(json.dumps(notebook).encode(), "s", lab)
    return assemble(course.source_notebook(lab), submission)


def codes(assembled: Assembled) -> list[str]:
    return [problem.code for problem in assembled.problems]


def test_a_notebook_that_lost_everything_is_marked_and_it_is_noted(tiny: Course) -> None:
    hand_in(tiny, "ada", bare(student(tiny, double=DOUBLE, mean=MEAN)))
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "grade", "tiny"])
    verdict = json.loads((tiny.folder / "verdicts" / "ada.json").read_text())
    assert (verdict["score"], verdict["status"]) == (10.0, "graded"), verdict["problems"]
    notes = {problem["cell"]: problem["message"] for problem in verdict["problems"]}
    assert "recognised by what it defines (mean)" in notes["mean"]
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("lab", ["lab_digits", "lab_mnist"])
def test_every_graded_cell_of_a_real_lab_is_known_by_what_it_defines(
    real_course: Course, lab: str
) -> None:
    source = real_course.source_notebook(lab)
    graded = {
        c.id: c.source
        for c in source.cells
        if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code"
    }
    found = put_together(real_course, lab, bare(source))
    for id, code in graded.items():
        assert found.answers[id] is not None, id
        last = [line for line in code.splitlines() if not line.lstrip().startswith("# ")][-1]
        assert str(found.answers[id]).endswith(last)
    assert not [p for p in found.problems if p.attention and p.cell in graded]


def test_a_colab_notebook_of_ones_own_cells_is_put_together_in_order(real_course: Course) -> None:
    notebook = cells(
        "import numpy as np",
        "def my_softmax(z):\n    return np.exp(z)",
        "model = Sequential([])\nmodel.summary()",
        "def my_dense(a_in, W, b, g):\n    return g(a_in @ W + b)",
        "def split_data(X, y):\n    return X, X, y, y",
        "model.compile()\nhistory = model.fit(X, y)",
        "model = None  # an experiment, after the training",
    )
    found = put_together(real_course, "lab_digits", notebook)
    assert str(found.answers["model"]).startswith("model = Sequential")
    assert "history" in str(found.answers["train"])
    assert found.answers["predict"] is None
    assert [(p.code, p.attention) for p in found.problems if p.cell == "model"] == [
        ("known-by-definition", True)
    ]
    assert [(p.code, p.attention) for p in found.problems if p.cell == "softmax"] == [
        ("known-by-definition", False)
    ]
    assert "model = None" in " ".join(step.source for step in found.steps if step.kind == "extra")


def test_of_two_drafts_the_last_is_marked_and_a_person_is_asked(tiny: Course) -> None:
    wrong = "def double(a):\n    return 3 * a"
    found = put_together(tiny, "tiny", cells(wrong, "def double(a):\n    return 2 * a"))
    assert "2 * a" in str(found.answers["double"])
    (note,) = [p for p in found.problems if p.cell == "double"]
    assert note.attention and "2 cells define" in note.message


def test_cells_out_of_order_are_found_all_the_same(tiny: Course) -> None:
    found = put_together(
        tiny, "tiny", cells("def mean(a):\n    return 1", "def double(a):\n    return 2")
    )
    assert found.answers["mean"] and found.answers["double"]
    assert any(problem.attention for problem in found.problems)


def test_an_id_goes_before_a_definition(tiny: Course) -> None:
    notebook = student(tiny, double=DOUBLE, mean=MEAN)
    notebook.cells.append(new_code_cell("def mean(a):\n    return 0", id="later"))
    found = put_together(tiny, "tiny", notebook)
    assert "a.sum()" in str(found.answers["mean"])
    assert codes(found) == []


def test_a_notebook_that_defines_nothing_of_the_lab_is_another_one(tiny: Course) -> None:
    found = put_together(tiny, "tiny", cells("print(1)", "def other(): pass"))
    assert "wrong-notebook" in codes(found)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    y = 1\n    return y", {"f"}),
        ("async def f(x): pass\nclass C: z = 1", {"f", "C"}),
        ("a, (b, *c) = 1, (2, 3)\nd: int = 4\ne: int", {"a", "b", "c", "d"}),
        ("if x:\n    f = 1\nelse:\n    def g(): pass", {"f", "g"}),
        ("with open('x') as h:\n    k = h\nfor i in x:\n    j = i", {"k", "j"}),
        ("x.y = 1\nx[0] = 2\nz += 1\nimport q", set()),
        ("%time f = 1\n%matplotlib inline\n!ls\ng = 1", {"f", "g"}),
        ("%%time\nf = 1", {"f"}),
        ("def f(x):\n    return x +\n\ng = 3\n  h = 4", {"f", "g"}),
        ("-" * 30_000 + "1", set()),
        ("f = " + "(" * 5_000, {"f"}),
        ("x = '\x00'", {"x"}),
    ],
)
def test_what_a_cell_defines(source: str, names: set[str]) -> None:
    assert set(definitions(source)) == names


def test_a_cell_that_is_too_long_is_not_parsed() -> None:
    assert definitions("f = 1\n" * 100_000) == ()
