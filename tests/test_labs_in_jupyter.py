"""Both labs as students open them, with nothing filled in, run in JupyterLab and in Notebook 7."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from support import needs
from support.jupyterlabs import SECOND, jupyterlab, lab_page
from support.looking import eventually, expect

from labkit.exercises import LAB_DIGITS, LAB_MNIST, TITLES
from proctor.author.release import release
from proctor.course import Course

pytestmark = [needs.chromium, pytest.mark.timeout(600)]
EXERCISES = {"lab_digits": LAB_DIGITS, "lab_mnist": LAB_MNIST}
PAGES = {"JupyterLab": "lab/tree", "Notebook 7": "notebooks"}
LONGEST = 400 * SECOND
"""For a whole notebook on a busy machine, the import of TensorFlow included."""


@pytest.fixture(scope="module")
def folder(real_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a student has unpacked both labs' zips."""
    folder = tmp_path_factory.mktemp("student")
    for name in EXERCISES:
        zipped = release(real_course, real_course.lab(name), tmp_path_factory.mktemp("zip"))
        zipfile.ZipFile(zipped).extractall(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("https_proxy", "http://127.0.0.1:9")  # the full set is not to be fetched
        with jupyterlab(folder, folder, tmp_path_factory.mktemp("home")) as address:
            yield address


def run_all(address: str, path: Path) -> NotebookNode:
    """Choose *Run All Cells* in the page at `address`, wait for the last cell, save, and read the file."""
    with lab_page() as page:
        page.goto(address)
        for entry in ("Run", "Run All Cells"):
            page.get_by_role("menuitem", name=entry, exact=True).click()
        expect(page.get_by_text("exercises pass all their public checks")).to_be_visible(
            timeout=LONGEST
        )
        page.keyboard.press("Control+s")
        eventually(path.read_text, lambda text: "exercises pass all" in text, "the saved notebook")
    return nbformat.read(path, as_version=4)


@pytest.fixture(
    scope="module", params=[(ui, lab) for ui in PAGES for lab in EXERCISES], ids=" ".join
)
def unsolved(request: Any, folder: Path, server: str) -> NotebookNode:
    ui, lab = request.param
    path = folder / lab / f"{lab}.ipynb"
    return run_all(f"{server}/{PAGES[ui]}/{lab}/{lab}.ipynb", path)


def printed(cell: NotebookNode) -> str:
    """All that a cell shows as text, errors included."""
    found = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            found.append("\n".join(output.traceback))
        else:
            found.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


def test_a_notebook_with_nothing_filled_in_runs_to_its_end(unsolved: NotebookNode) -> None:
    ran = [cell for cell in unsolved.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in ran)
    exercises = [cell.id for cell in ran if cell.metadata.get("nbgrader", {}).get("grade")]
    titles = [TITLES[id.removeprefix("test_")] for id in exercises if id.startswith("test_")]
    assert f"0 of {len(titles)} exercises pass" in printed(ran[-1])
    for cell in ran:
        said = printed(cell)
        assert "Traceback" not in said, said
        assert not any(output.get("name") == "stderr" for output in cell.outputs), said
        if cell.id not in exercises and "raise NotStarted" not in cell.source:
            assert not any(output.output_type == "error" for output in cell.outputs), said


def test_each_unstarted_exercise_says_so_in_the_same_way(unsolved: NotebookNode) -> None:
    cells = {cell.id: cell for cell in unsolved.cells}
    checks = [id for id in cells if id.startswith("test_")]
    assert len(checks) in (5, 8)
    for id in checks:
        title = TITLES[id.removeprefix("test_")]
        assert printed(cells[id]).startswith(
            f"… {title} is not started yet. Write your code between"
        )
    titles = [TITLES[id.removeprefix("test_")] for id in checks]
    told = [
        line
        for cell in cells.values()
        for line in printed(cell).splitlines()
        if cell.id not in checks and line.startswith("… ") and "on loan" not in line
    ]
    unfilled = {f"… {title} is not started yet; this cell needs it." for title in titles}
    assert len(told) > 5 and set(told) <= unfilled | {
        line for line in told if "Write your code" in line
    }
