"""lab_mnist as a notebook: its build, its text, and what happens when it is run.

The last part runs the whole notebook twice on the 5,000 digits, solved and unsolved.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import jupytext
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from bench.mnist import LEAST, figures, lay_out, text_of
from labkit.experiment import Experiment
from labkit.messages import LabError
from labkit.training import Results, watch

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = ["prepare", "baseline", "deep", "confusion", "photo"]
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.M | re.S)


def master() -> NotebookNode:
    return jupytext.read(ROOT / "course" / "lab_mnist.py", fmt="py:percent")


def code_cells() -> list[NotebookNode]:
    return [cell for cell in master().cells if cell.cell_type == "code"]


def text() -> str:
    return "\n\n".join(c.source for c in master().cells if c.cell_type == "markdown")


# --- Text and structure -------------------------------------------------------------------------


def test_the_committed_notebook_is_what_the_build_gives(tmp_path: Path) -> None:
    from proctor.author.build import build
    from proctor.course import Course

    folder = tmp_path / "course"
    shutil.copytree(ROOT / "course" / "checks", folder / "checks")
    for name in ("nbgrader_config.py", "lab_mnist.py"):
        shutil.copy(ROOT / "course" / name, folder)
    built = build(Course(folder), Course.find(ROOT).lab("lab_mnist"))
    assert built.read_bytes() == (ROOT / "lab_mnist.ipynb").read_bytes()


def test_there_is_one_heading_of_the_first_level() -> None:
    assert len(re.findall(r"^# ", text(), re.M)) == 1


def test_every_section_has_objective_time_and_success_and_the_times_agree() -> None:
    sections = re.split(r"^(?=## \d)", text(), flags=re.M)[1:]
    assert len(sections) == 9
    for section in sections:
        for word in ("**Objective**", "**Time**", "**Success**"):
            assert word in section, section[:60]
    times = [int(n) for s in sections for n in re.findall(r"\*\*Time\*\*: (\d+) minutes", s)]
    table = [int(n) for n in re.findall(r"^\| \d\. .*\| (\d+) \|$", text(), re.M)]
    assert times == table and 150 <= sum(times) <= 170


def test_every_graded_cell_has_its_marker_its_points_its_check_and_three_hints() -> None:
    cells = master().cells
    for number, name in enumerate(EXERCISES, 1):
        at = next(i for i, c in enumerate(cells) if c.metadata.get("graded") == name)
        lines = cells[at].source.splitlines()
        assert lines[0] == f"# UNQ_M{number}" and lines[1].startswith("# GRADED CELL: ")
        assert cells[at].metadata["points"] == 10
        assert cells[at + 1].metadata.get("test") == name
        hints = cells[at + 2].source
        assert len(re.findall(r"<summary>Hint \d: ", hints)) == 3
        assert hints.count("<details>") == hints.count("</details>") == 3


def test_no_line_of_a_solution_stands_in_the_text_or_in_a_given_cell() -> None:
    given = [c.source for c in code_cells() if "graded" not in c.metadata]
    shown = text() + "\n".join(given)
    for cell in code_cells():
        for block in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.S):
            for line in filter(lambda line: len(line) > 20, map(str.strip, block.splitlines())):
                assert line.rstrip(",") not in shown, line


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


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook in a folder of its own, without the full set and without a network."""
    import os

    lay_out(folder, None)
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    hidden = {"KERAS_HOME": str(folder / "keras"), "https_proxy": "http://127.0.0.1:9"}
    return client.execute(env={**os.environ, **hidden})


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    return run(master(), tmp_path_factory.mktemp("solved"))


@pytest.fixture(scope="module")
def unsolved(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The notebook as a student opens it; the ungraded network is left out to save time."""
    notebook = master()
    for cell in notebook.cells:
        cell.source = SOLUTION.sub(r"\1raise NotStarted", cell.source)
        if cell.metadata.get("id") == "convolutional":
            cell.source = "pass"
    return run(notebook, tmp_path_factory.mktemp("unsolved"))


def printed(cell: NotebookNode) -> str:
    """All that a cell shows as text, errors included."""
    found = []
    for output in cell.outputs:
        if output.output_type == "error":
            found.append("\n".join(output.traceback))
        else:
            found.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


def test_the_solved_notebook_runs_and_passes_every_public_check(solved: NotebookNode) -> None:
    for cell in solved.cells:
        assert not any(o.output_type == "error" for o in cell.get("outputs", [])), printed(cell)
    tests = [printed(c) for c in solved.cells if "test" in c.metadata]
    assert len(tests) == 5 and all("all public checks passed" in text for text in tests)
    assert "5 of 5" in printed(solved.cells[-1])


def test_the_table_has_all_five_models_and_the_convolutional_one_is_the_best(
    solved: NotebookNode,
) -> None:
    table = figures(text_of(solved, "table"))
    assert len(table) == len(LEAST) == 5
    best = max(table, key=lambda name: table[name][1])
    assert best.startswith("convolutional")
    assert table["dense, 6 epochs"][1] <= table["convolutional, 6 epochs"][1] - 1
    assert table["deep, 100 epochs"][0] >= 99.8  # in training, and well below on test digits:
    assert table["deep, 100 epochs"][1] < 96


def test_the_baseline_reads_at_least_nine_photographs(solved: NotebookNode) -> None:
    found = re.search(r"(\d+) of 12 photographs", text_of(solved, "all_photos"))
    assert found and int(found[1]) >= 9


def test_long_training_prints_one_line(solved: NotebookNode) -> None:
    (cell,) = (c for c in solved.cells if c.metadata.get("graded") == "deep")
    assert re.fullmatch(r"Epoch 100 of 100 \(\d+ s\): [^\n]+", printed(cell))


def test_the_unsolved_notebook_runs_and_every_check_says_not_started(
    unsolved: NotebookNode,
) -> None:
    checks = [printed(c) for c in unsolved.cells if "test" in c.metadata]
    assert len(checks) == 5
    for check in checks:
        assert "not started" in check, check
    assert "0 of 5" in printed(unsolved.cells[-1])


def test_no_given_cell_of_the_unsolved_notebook_fails(unsolved: NotebookNode) -> None:
    for cell in unsolved.cells:
        if "outputs" in cell:
            assert "Traceback" not in printed(cell), printed(cell)
        if "given" in cell.metadata:
            assert not any(o.output_type == "error" for o in cell.outputs), printed(cell)


# --- The experiment ------------------------------------------------------------------------------


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.chdir(ROOT)
    return Experiment()


def test_the_experiments_three_parts_share_no_digit(experiment: Experiment) -> None:
    parts = (experiment.X_train, experiment.X_validation, experiment.X_test)
    assert [len(part) for part in parts] == [3000, 1000, 1000]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 5000


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({(5, 0.0): ..., (25, 0.0): ...}, "nothing in the table yet"),
        ({(5, 0.0): 0.85, (25, 0.0): 91.2}, "such as 0.912; the table has 91.2"),
        ({(5, 0.0): 0.85, (25, 0.0): "83.2%"}, "such as 0.912; the table has '83.2%'"),
        ({(5, 0.0): 0.85, (25, 0.0): 0.9}, "the best so far: 25 units"),
    ],
)
def test_the_experiments_table_is_drawn_as_far_as_it_is_filled_in(
    experiment: Experiment, table: dict, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment.draw(table)
    assert says in capsys.readouterr().out


def test_a_line_of_the_table_says_how_long_its_network_was_trained() -> None:
    """Run again, the cell with five more epochs makes fifteen of them."""
    import keras

    rows, labels = np.zeros((64, 4), dtype=np.float32), np.zeros(64, dtype=int)
    results = Results(rows, labels, rows, labels)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    clock = watch()
    model.fit(rows, labels, epochs=2, verbose=0, callbacks=[clock])
    results.add("two", model, 2, clock.seconds, batch=32)
    took = clock.seconds
    model.fit(rows, labels, initial_epoch=2, epochs=4, verbose=0, callbacks=[clock])
    assert clock.seconds > took, "a training that goes on"
    with pytest.raises(LabError, match="by now this network was trained for 4 epochs"):
        results.add("two", model, 2, clock.seconds, batch=32)
    clock.seconds = 1000
    model.fit(rows, labels, epochs=1, verbose=0, callbacks=[clock])
    assert clock.seconds < 100, "another training"
    assert list(results.lines) == ["two"]


def test_reading_the_test_part_twice_is_pointed_out(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment.judge(25, 0.0)
    assert "not tried out yet" in capsys.readouterr().out
    experiment.models[25, 0.0] = lambda X: np.eye(10)[np.zeros(len(X), dtype=int)]
    for times, said in ((1, False), (2, True)):
        experiment.judge(25, 0.0)
        assert ("reading number 2" in capsys.readouterr().out) == said, times
