"""The digits lab as a notebook: its build, its text, and what happens when it is run.

The last part runs the whole notebook twice, solved and unsolved, which takes about a minute.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = ["softmax", "model", "dense", "split", "loss", "train", "predict", "preprocess"]
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.M | re.S)


def master() -> NotebookNode:
    return jupytext.read(ROOT / "course" / "lab_digits.py", fmt="py:percent")


def code_cells() -> list[NotebookNode]:
    return [cell for cell in master().cells if cell.cell_type == "code"]


def text() -> str:
    return "\n\n".join(c.source for c in master().cells if c.cell_type == "markdown")


def sections() -> list[str]:
    return re.split(r"^(?=## \d)", text(), flags=re.M)[1:]


# --- Text and structure -------------------------------------------------------------------------


def test_there_is_one_heading_of_the_first_level() -> None:
    assert len(re.findall(r"^# ", text(), re.M)) == 1


def test_every_section_has_objective_time_and_success() -> None:
    assert len(sections()) == 10
    for section in sections():
        for word in ("**Objective**", "**Time**", "**Success**"):
            assert word in section, section[:60]


def test_the_times_add_up_to_three_hours_and_agree_with_the_table() -> None:
    times = [int(re.search(r"\*\*Time\*\*: (\d+) minutes", s)[1]) for s in sections()]  # type: ignore[index]
    table = [int(n) for n in re.findall(r"^\| \d+\. .*\| (\d+) \|$", text(), re.M)]
    assert times == table and 170 <= sum(times) <= 190


def test_the_graded_cells_stand_in_their_order_with_a_hundred_points() -> None:
    graded = [cell.metadata for cell in code_cells() if "graded" in cell.metadata]
    assert [m["graded"] for m in graded] == EXERCISES
    assert [m["points"] for m in graded] == [10, 15, 10, 15, 15, 10, 10, 15]
    for number, meta in enumerate(graded, 1):
        assert f"### Exercise {number}: " in text() and f"({meta['points']} points)" in text()


def test_every_graded_cell_has_its_markers_its_check_and_three_hints() -> None:
    cells = master().cells
    for number, name in enumerate(EXERCISES, 1):
        at = next(i for i, c in enumerate(cells) if c.metadata.get("graded") == name)
        lines = cells[at].source.splitlines()
        assert lines[0] == f"# UNQ_C{number}" and lines[1].startswith("# GRADED CELL: ")
        assert cells[at + 1].metadata.get("test") == name
        assert len(re.findall(r"<summary>Hint \d: ", cells[at + 2].source)) == 3


def test_every_hint_is_closed_and_has_the_blank_lines_that_markdown_needs() -> None:
    found = text()
    assert found.count("<details>") == found.count("</details>") == 3 * len(EXERCISES)
    whole = r"<details>\n<summary>[^\n]+</summary>\n\n(?:(?!</?details>).)+?\n\n</details>"
    assert len(re.findall(whole, found, re.S)) == 3 * len(EXERCISES)


def test_no_line_of_a_solution_stands_in_the_text() -> None:
    for cell in code_cells():
        for block in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.S):
            for line in filter(lambda line: len(line) > 20, map(str.strip, block.splitlines())):
                assert line.rstrip(",") not in text(), line


def names(source: str, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def test_nothing_that_is_marked_needs_a_name_from_a_cell_that_only_draws() -> None:
    drawn: set[str] = set()
    made: set[str] = set()
    for cell in code_cells():
        if "figure" in cell.metadata.get("tags", []):
            drawn |= names(cell.source, ast.Store) - made
        else:
            tree = ast.walk(ast.parse(cell.source))
            local = names(cell.source, ast.Store) | {n.arg for n in tree if isinstance(n, ast.arg)}
            assert not (names(cell.source, ast.Load) - local) & drawn, cell.source
            made |= local


# --- Run ----------------------------------------------------------------------------------------

PHOTOGRAPHS = """
import json, sys
sys.path.insert(0, ROOT)
from course.photographs import photograph

def careless(invert=True, crop=True, order="F"):
    def prepare(image):
        grey = image.mean(axis=2) / 255
        ink = 1 - grey / utils.paper_light(grey) if invert else grey
        ink = ink / ink.max()
        if crop:
            rows, columns = np.nonzero(ink > 0.5)
            ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        scale = 20 / max(ink.shape)
        height, width = (max(1, round(scale * side)) for side in ink.shape)
        digit = utils.centre_by_mass(utils.resize(ink, height, width), 28)
        return utils.resize(digit, 20, 20).ravel(order=order)
    return prepare

images = np.load("Data/mnist_5k.npz")["images"]
held = [int(np.flatnonzero((X == row).all(axis=1))[0]) for row in X_test[:80]]
shots = [photograph(images[row], np.random.default_rng([99, row])) for row in held]
ways = {
    "right": preprocess, "not inverted": careless(invert=False),
    "not cropped": careless(crop=False), "row by row": careless(order="C"),
}
print(json.dumps({
    "held out": float(np.mean(predict_digits(model, X_test)[0] == y_test)),
    "dozen": int(np.sum(photo_digits == photo_labels)),
    "epochs": len(recorder.epochs),
} | {
    name: float(np.mean(predict_digits(model, np.array([way(s) for s in shots]))[0] == y_test[:80]))
    for name, way in ways.items()
}))
"""


def run(notebook: NotebookNode) -> NotebookNode:
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    )
    return client.execute()


@pytest.fixture(scope="module")
def solved() -> NotebookNode:
    """The solved notebook, run; its last cell prints figures on unseen photographs."""
    notebook = master()
    extra = new_code_cell(f"ROOT = {str(ROOT)!r}\n{PHOTOGRAPHS}", metadata={"id": "photographs"})
    notebook.cells.append(extra)
    return run(notebook)


@pytest.fixture(scope="module")
def unsolved() -> NotebookNode:
    """The notebook as a student opens it, run from top to bottom."""
    notebook = master()
    for cell in notebook.cells:
        cell.source = SOLUTION.sub(r"\1raise NotStarted", cell.source)
    return run(notebook)


def printed(cell: NotebookNode) -> str:
    """All that a cell shows as text, errors included."""
    found = []
    for output in cell.outputs:
        if output.output_type == "error":
            found.append("\n".join(output.traceback))
        else:
            found.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


def figures_of(notebook: NotebookNode) -> dict[str, float]:
    (cell,) = (c for c in notebook.cells if c.metadata.get("id") == "photographs")
    figures: dict[str, float] = json.loads(printed(cell))
    return figures


def test_the_solved_notebook_runs_and_passes_every_public_check(solved: NotebookNode) -> None:
    errors = [printed(c) for c in solved.cells if "outputs" in c for o in c.outputs
              if o.output_type == "error"]  # fmt: skip
    assert errors == []
    tests = [printed(c) for c in solved.cells if "test" in c.metadata]
    assert len(tests) == 8 and all("all public checks passed" in text for text in tests)
    assert "8 of 8" in printed(solved.cells[-2])


def test_the_held_out_accuracy_is_at_least_0_91(solved: NotebookNode) -> None:
    assert figures_of(solved)["held out"] >= 0.91


def test_validation_split_on_sorted_rows_shows_an_accuracy_of_zero(solved: NotebookNode) -> None:
    (cell,) = (c for c in solved.cells if c.metadata.get("id") == "sorted_trap")
    assert "held-out rows: 0.000" in printed(cell)
    assert float(re.search(r"training rows: ([\d.]+)", printed(cell))[1]) > 0.7  # type: ignore[index]


def test_photographs_are_read_and_every_wrong_way_is_clearly_worse(solved: NotebookNode) -> None:
    figures = figures_of(solved)
    assert figures["dozen"] >= 10
    assert figures["right"] >= 0.82
    for wrong in ("not inverted", "not cropped", "row by row"):
        assert figures[wrong] <= figures["right"] - 0.25, figures


def test_training_prints_one_line_and_records_every_epoch(solved: NotebookNode) -> None:
    (cell,) = (c for c in solved.cells if c.metadata.get("graded") == "train")
    assert re.fullmatch(r"Epoch 40 of 40 \(\d+ s\): [^\n]+", printed(cell))
    assert figures_of(solved)["epochs"] == 41  # the beginning, and forty epochs


def test_the_solved_notebooks_figures_stay_small(solved: NotebookNode) -> None:
    images = [o["data"].get("text/html", "") for c in solved.cells if "outputs" in c
              for o in c.outputs if o.output_type == "display_data"]  # fmt: skip
    assert sum("<img" in image for image in images) >= 14
    assert sum(map(len, images)) < 500_000


def test_the_unsolved_notebook_runs_to_its_end_and_every_check_says_not_started(
    unsolved: NotebookNode,
) -> None:
    checks = [printed(c) for c in unsolved.cells if "test" in c.metadata]
    assert len(checks) == 8
    for check in checks:
        assert "not started" in check, check
    assert "0 of 8" in printed(unsolved.cells[-1])


def test_no_cell_of_the_unsolved_notebook_shows_a_traceback(unsolved: NotebookNode) -> None:
    for cell in unsolved.cells:
        if "outputs" in cell:
            assert "Traceback" not in printed(cell)
            assert not any(o.get("name") == "stderr" for o in cell.outputs), printed(cell)


def test_no_given_cell_of_the_unsolved_notebook_fails(unsolved: NotebookNode) -> None:
    for cell in unsolved.cells:
        if "given" in cell.metadata:
            assert not any(o.output_type == "error" for o in cell.outputs), printed(cell)
