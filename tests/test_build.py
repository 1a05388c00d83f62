"""From a master text to the student's notebook."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from support.tinycourse import MASTER

from proctor.author.build import build
from proctor.course import Course
from proctor.errors import LabNotFoundError, MasterError


def rebuilt(course: Course, master: str) -> Path:
    course.master("tiny").write_text(master.lstrip())
    return build(course, course.lab("tiny"))


def refusal(course: Course, master: str) -> str:
    with pytest.raises(MasterError) as caught:
        rebuilt(course, master)
    return str(caught.value)


def line(text: str) -> str:
    """Where a line of the master stands, as a message says it."""
    return f"tiny.py:{MASTER.lstrip().splitlines().index(text) + 1}:"


def test_the_same_master_gives_the_same_bytes(tiny: Course) -> None:
    first = (tiny.root / "tiny.ipynb").read_bytes()
    again = build(tiny, tiny.lab("tiny"))
    assert again.read_bytes() == first


def test_the_student_sees_a_stub_in_place_of_the_solution(tiny: Course) -> None:
    text = (tiny.root / "tiny.ipynb").read_text()
    assert "raise NotStarted" in text
    assert "2 * a" not in text and "a.sum()" not in text and "SOLUTION" not in text


def test_cell_ids_are_the_grade_ids(tiny: Course) -> None:
    notebook = nbformat.read(tiny.root / "tiny.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.id == cell.metadata.nbgrader.grade_id


def test_the_source_keeps_solution_and_points(tiny: Course) -> None:
    cells = {cell.id: cell for cell in tiny.source_notebook("tiny").cells}
    assert "2 * a" in cells["double"].source
    assert cells["test_double"].metadata.nbgrader.points == 6


def test_a_duplicate_id_is_refused_with_its_lines(tiny: Course) -> None:
    message = refusal(tiny, MASTER.replace('id="picture"', 'id="setup"'))
    assert (
        line('# %% id="picture" given tags=["figure"]') in message
        and "line 4" in message
        and "'setup'" in message
    )


def test_missing_points_are_refused_with_the_line(tiny: Course) -> None:
    message = refusal(tiny, MASTER.replace('graded="mean" points=4', 'graded="mean"'))
    assert line('# %% graded="mean" points=4') in message and "no points" in message


def test_points_that_differ_from_the_checks_are_refused(tiny: Course) -> None:
    message = refusal(tiny, MASTER.replace("points=4", "points=5"))
    assert "5 points here, 4 in course/checks/tiny.py" in message


@pytest.mark.parametrize("outside", ["    b = 3 * a\n", "    ### BEGIN SOLUTION\n"])
def test_a_solution_outside_its_markers_is_refused_with_the_line(
    tiny: Course, outside: str
) -> None:
    start = "    ### START CODE HERE ###\n"
    message = refusal(tiny, MASTER.replace(start, start + outside, 1))
    start_line = MASTER.lstrip().splitlines().index(start.rstrip()) + 1
    assert f"tiny.py:{start_line + (1 if '3 * a' in outside else 2)}:" in message


def test_a_solution_without_markers_is_refused(tiny: Course) -> None:
    bare = MASTER.replace("    ### BEGIN SOLUTION\n", "", 1).replace(
        "    ### END SOLUTION\n", "", 1
    )
    assert "outside its markers: b = 2 * a" in refusal(tiny, bare)


def test_a_code_cell_without_an_id_is_refused(tiny: Course) -> None:
    header = '# %% id="setup" given'
    assert line(header) in refusal(tiny, MASTER.replace(header, "# %%"))


def test_an_exercise_without_a_test_is_refused(tiny: Course) -> None:
    message = refusal(tiny, MASTER.replace('# %% test="mean"', '# %% id="other" given'))
    assert "no test cell for 'mean'" in message


def test_an_exercise_without_checks_is_refused(tiny: Course) -> None:
    assert "'median' has no checks" in refusal(
        tiny, MASTER.replace('graded="mean"', 'graded="median"')
    )


def test_an_unknown_lab_is_named_with_those_that_exist(tiny: Course) -> None:
    with pytest.raises(LabNotFoundError, match=r"No lab 'big'.*There are: tiny"):
        tiny.lab("big")


def test_nothing_of_this_machine_is_in_the_notebook(tiny: Course) -> None:
    notebook = json.loads((tiny.root / "tiny.ipynb").read_text())
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert str(tiny.root) not in json.dumps(notebook)


def test_checks_changed_within_a_second_are_the_new_ones(
    tiny: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tiny.folder / "checks" / "tiny.py"
    assert tiny.lab("tiny").cell_seconds == 3
    before = path.stat()
    path.write_text(path.read_text().replace("cell_seconds=3.0", "cell_seconds=7.0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tiny.lab("tiny").cell_seconds == 7
