"""Who is who, which notebook is meant, and what a mark depends on: the same by every door.

Each test drives the commands as an instructor does and reads what is left: verdicts and gradebook.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path

import nbformat
import pytest
from support.doors import (
    autograde,
    book,
    check_result,
    enrolled,
    proctor,
    scores,
    statuses,
    verdicts,
)
from support.tinycourse import CHECKS, DOUBLE, MEAN, hand_in, make_course, student

from proctor.course import Course

NFC, NFD = (unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD"))


def solved(course: Course) -> nbformat.NotebookNode:
    return student(course, double=DOUBLE, mean=MEAN)


def half(course: Course) -> nbformat.NotebookNode:
    """Six points of ten."""
    return student(course, double=DOUBLE)


def place(course: Course, folder: str, name: str, notebook: nbformat.NotebookNode) -> None:
    """Put a notebook under any folder's and any file's name."""
    path = course.folder / "submitted" / folder / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook))


# --- D7, D9: who is who ---------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["grade", "autograde"])
@pytest.mark.parametrize("folder, student_id", [(NFC, NFC), (NFD, NFC), ("anna s", "anna s")])
def test_a_student_is_one_row_by_whatever_door(
    tiny: Course, folder: str, student_id: str, first: str
) -> None:
    place(tiny, folder, "tiny.ipynb", solved(tiny))
    doors = [lambda: proctor(tiny, "grade", "tiny", "-q"), lambda: autograde(tiny, "--force")]
    for door in doors if first == "grade" else reversed(doors):
        said = door()
        assert said.code == 0, said.all
        assert enrolled(tiny) == [student_id]
        assert book(tiny) == scores(tiny) == {student_id: 10.0}
    where = tiny.folder / "autograded"
    assert [path.name for path in where.iterdir()] == [student_id]


def test_a_dangerous_id_is_the_same_safe_one_in_every_door(tiny: Course) -> None:
    place(tiny, "-rf $(x);'", "tiny.ipynb", half(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    ids = enrolled(tiny)
    assert len(ids) == 1 and re.fullmatch(r"[\w. -]+", ids[0]) and ids[0][0] != "-"
    said = autograde(tiny, "--force")
    assert said.code == 0, said.all
    assert enrolled(tiny) == ids and book(tiny) == scores(tiny) == {ids[0]: 6.0}


def test_two_forms_of_the_same_letters_are_one_student(tiny: Course) -> None:
    place(tiny, NFD, "tiny.ipynb", solved(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    shutil.rmtree(tiny.folder / "submitted" / NFD)
    place(tiny, NFC, "tiny.ipynb", half(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    assert enrolled(tiny) == [NFC]
    assert book(tiny) == scores(tiny) == {NFC: 6.0}
    assert verdicts(tiny)[NFC]["student"] == NFC
    place(tiny, NFD, "tiny.ipynb", half(tiny))  # both forms at once, as two computers make them
    proctor(tiny, "grade", "tiny", "-q")
    autograde(tiny, "--force")
    assert enrolled(tiny) == [NFC] and list(scores(tiny)) == [NFC]


# --- D8: the notebook under another name ----------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny (1).ipynb", "Tiny.ipynb", "my homework.ipynb"])
def test_a_notebook_of_another_name_gets_its_mark_from_nbgrader_too(
    tiny: Course, tmp_path: Path, name: str
) -> None:
    place(tiny, "s", name, solved(tiny))
    place(tiny, "t", "tiny.ipynb", half(tiny))
    proctor(tiny, "grade", "tiny", "-q", "-o", str(tmp_path))
    said = autograde(tiny)
    assert said.code == 0, said.all
    assert book(tiny) == scores(tiny) == book(tiny, tmp_path) == {"s": 10.0, "t": 6.0}
    for who in ("s", "t"):
        ours = tmp_path / "verdicts" / f"{who}.json"
        assert (tiny.folder / "verdicts" / f"{who}.json").read_bytes() == ours.read_bytes()
        assert (tiny.folder / "autograded" / who / "tiny" / "tiny.ipynb").is_file()


def test_of_several_notebooks_nbgrader_marks_the_one_that_grade_marks(
    tiny: Course, tmp_path: Path
) -> None:
    place(tiny, "s", "tiny (1).ipynb", half(tiny))
    place(tiny, "s", "tiny (2).ipynb", solved(tiny))
    place(tiny, "t", "tiny.ipynb", half(tiny))
    place(tiny, "t", "tiny (1).ipynb", solved(tiny))
    proctor(tiny, "grade", "tiny", "-q", "-o", str(tmp_path))
    autograde(tiny)
    assert book(tiny) == scores(tiny) == book(tiny, tmp_path) == scores(tiny, tmp_path)


# --- D11: the packages that a check depends on ----------------------------------------------------


def package(folder: Path, version: str) -> None:
    """Put a distribution `checkaid` of one module `aid` into a folder, in place of an older one."""
    shutil.rmtree(folder, ignore_errors=True)
    info = folder / f"checkaid-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / "aid.py").write_text("FACTOR = 2\n")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: checkaid\nVersion: {version}\n")
    (info / "top_level.txt").write_text("aid\n")


@pytest.mark.parametrize("where", ["checks", "helper"])
def test_another_version_of_a_package_that_marking_uses_marks_again(
    tmp_path: Path, where: str
) -> None:
    lib = tmp_path / "lib"
    package(lib, "1.0")
    course = make_course(tmp_path / "tiny")
    if where == "checks":
        checks = CHECKS.replace("[2.0, -4.0]", "aid.FACTOR * np.array([1.0, -2.0])")
        checks = checks.replace("import numpy as np\n", "import aid\nimport numpy as np\n")
        (course.folder / "checks" / "tiny.py").write_text(checks)
    else:
        with (course.root / "given.py").open("a") as given:
            given.write("\ntry:\n    import aid\nexcept ImportError:\n    aid = None\n")
    env = {"PYTHONPATH": str(lib)}
    hand_in(course, "s", solved(course))
    said = proctor(course, "grade", "tiny", "-q", env=env)
    assert said.code == 0, said.all
    said = proctor(course, "grade", "tiny", env=env)
    assert "0 marked now, 1 kept" in said.all, said.all
    package(lib, "2.0")
    said = proctor(course, "grade", "tiny", env=env)
    assert "1 marked now, 0 kept" in said.all, said.all
    assert statuses(course) == {"s": "graded"} and scores(course) == {"s": 10.0}
    assert check_result(verdicts(course)["s"], "double-value")["passed"]
