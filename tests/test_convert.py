"""An nbgrader assignment becomes text and comes back as it was; its assertions are checks of their own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from support import ordinary_course
from support.doors import command

from proctor.author import convert
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.adoption import Adopted
from proctor.lift import Plan, Step

SQUARES = "def squares(n):\n    return [i ** 2 for i in range(1, min(n, 3) + 1)]\n"
HIDDEN = (
    "### BEGIN HIDDEN TESTS\nassert squares(3) == [1, 4, 9]\nassert squares(4)[3] == 16\n"
    "### END HIDDEN TESTS\n"
)


def cells(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Every cell of the notebooks in a folder, outputs aside."""
    found = {}
    for path in sorted(folder.glob("*.ipynb")):
        read = json.loads(path.read_text("utf-8"))["cells"]
        texts = [{**one, "source": "".join(one["source"])} for one in read]
        dropped = ("outputs", "execution_count")
        found[path.name] = [{k: v for k, v in one.items() if k not in dropped} for one in texts]
    return found


def put(folder: Path, student: str, **answers: str) -> None:
    """Hand in the quickstart course's notebooks with other solutions in them."""
    for path in (folder / "source" / "ps1").glob("*.ipynb"):
        book = nbformat.read(path, as_version=4)
        for cell in book.cells:
            id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(str(id), cell.source)
        to = folder / "submitted" / student / "ps1" / path.name
        to.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, to)


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """nbgrader's own course, converted, with a hidden test added, and marked."""
    top = tmp_path_factory.mktemp("convert")
    assert command(top, "nbgrader", "quickstart", "course101").code == 0
    folder = top / "course101"
    path = folder / "source" / "ps1" / "problem1.ipynb"
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "correct_squares":
            cell.source += f"\n# the third square\nassert squares(3) == [1, 4, 9]\n{HIDDEN}"
    nbformat.write(book, path)
    shutil.copytree(folder / "source", top / "before")
    done = command(folder, "proctor", "adopt", "ps1", "--write")
    assert done.code == 0, done.err
    table = folder / "checks" / "ps1.py"
    known = "Assertion('assert squares(10) == [1, 4, 9, 16, 25, 36, 49, 64, 81, 100]', "
    text = table.read_text()
    assert known in text
    end = text.index("),", text.index(known))
    table.write_text(text[:end] + ", cause='It stops early.', next='Look at n.'" + text[end:])
    put(folder, "ada")
    put(folder, "ben", squares=SQUARES)
    assert command(folder, "proctor", "grade", "ps1").code in (0, 1)
    yield folder


def test_its_notebooks_come_back_from_text_cell_by_cell(quickstart: Path) -> None:
    before = cells(quickstart.parent / "before" / "ps1")
    for path in (quickstart / "source" / "ps1").glob("*.ipynb"):
        path.unlink()
    assert command(quickstart, "proctor", "build", "ps1").code == 0
    assert cells(quickstart / "source" / "ps1") == before


def test_an_assertion_is_a_check_with_called_expected_and_got(quickstart: Path) -> None:
    verdict = json.loads((quickstart / "verdicts" / "ben.json").read_text())
    checks = next(e["checks"] for e in verdict["exercises"] if e["id"] == "correct_squares")
    assert [one["passed"] for one in checks] == [True, True, False, False, True, True, False]
    third = checks[2]
    assert third["called"] == "squares(10)" and third["got"] == "[1, 4, 9]"
    assert third["expected"] == "[1, 4, 9, 16, 25, 36, 49, 64, 81, 100]"
    assert (third["cause"], third["next"]) == ("It stops early.", "Look at n.")
    assert checks[4]["title"] == "the third square"
    assert checks[6]["title"] == "a hidden test" and checks[6]["got"] == ""
    assert "16" not in str(checks[6])


def test_points_are_divided_and_a_right_answer_has_them_all(quickstart: Path) -> None:
    ada = json.loads((quickstart / "verdicts" / "ada.json").read_text())
    ben = json.loads((quickstart / "verdicts" / "ben.json").read_text())
    assert ada["score"] == 3.0
    parts = {one["id"]: one["score"] for one in ben["exercises"]}
    checks = next(e["checks"] for e in ben["exercises"] if e["id"] == "correct_squares")
    assert parts["correct_squares"] == pytest.approx(0.58)
    assert sum(one["max_points"] for one in checks) == pytest.approx(1.0)


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Adopted]:
    """The tests' own course, with plans that say that all is judged outside."""
    folder = ordinary_course.write_course(tmp_path / "ordinary")
    assignment = Course(folder).assignment(ordinary_course.NAME)
    plans = {
        one.name: Plan(
            tuple(Step(c.id, "test", judged="outside") for c in one.cells if c.kind == "test")
        )
        for one in assignment.notebooks
    }
    return folder, Adopted(assignment, plans)


def test_a_course_of_every_feature_comes_back_cell_by_cell(own: tuple[Path, Adopted]) -> None:
    folder, adopted = own
    source = folder / "source" / ordinary_course.NAME
    before = cells(source)
    convert.write(Course(folder), adopted)
    for path in source.glob("*.ipynb"):
        path.unlink()
    convert.build(Course(folder), ordinary_course.NAME)
    assert cells(source) == before and len(before) == 6
    exercises = Course(folder).lab(ordinary_course.NAME).exercises
    assert all(
        sum(c.points for c in e.checks) == pytest.approx(e.points) for e in exercises if not e.by
    )
    partial = next(one for one in exercises if one.id == "twice-one-part")
    assert len(partial.checks) == 1  # a number as its last value is partial credit


def test_nothing_is_written_over_and_nothing_is_lost(own: tuple[Path, Adopted]) -> None:
    folder, adopted = own
    master = folder / "masters" / ordinary_course.NAME / "six.py"
    master.parent.mkdir(parents=True)
    master.write_text("mine")
    with pytest.raises(CourseError, match=r"masters/hw1/six\.py is there already"):
        convert.write(Course(folder), adopted)
    assert master.read_text() == "mine" and not (folder / "checks").exists()


def test_what_text_cannot_hold_is_refused(own: tuple[Path, Adopted]) -> None:
    folder, adopted = own
    path = folder / "source" / ordinary_course.NAME / "one.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells[0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    nbformat.write(book, path)
    with pytest.raises(CourseError, match=r"one\.ipynb cannot be written as text: cell 1"):
        convert.write(Course(folder), adopted)
    assert not (folder / "masters").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("0.5, '", "0.75, '"), "the points of .* add up to"),
        (("Assertion('assert got == 4'", "Assertion('assert got == 5'"), "not those of its cell"),
        (("'twice-one-test'", "'gone'"), "has no test cell 'gone' in one"),
        (("assertions = {", "checks = {"), "must define 'assertions'"),
        (("assertions = {", "assertions = 1 / 0, {"), "fails: ZeroDivisionError"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_the_sources_is_named(
    own: tuple[Path, Adopted], change: tuple[str, str], said: str
) -> None:
    folder, adopted = own
    convert.write(Course(folder), adopted)
    table = folder / "checks" / f"{ordinary_course.NAME}.py"
    assert change[0] in table.read_text()
    table.write_text(table.read_text().replace(*change))
    with pytest.raises(CourseError, match=said):
        Course(folder).lab(ordinary_course.NAME)


def test_a_master_that_was_changed_and_not_built_is_named(own: tuple[Path, Adopted]) -> None:
    folder, adopted = own
    convert.write(Course(folder), adopted)
    master = folder / "masters" / ordinary_course.NAME / "two.py"
    master.write_text(master.read_text().replace("# Notebook two", "# Notebook 2"))
    done = command(folder, "proctor", "grade", ordinary_course.NAME, "source")
    assert done.code == 2
    assert "differs from it in cell 1" in done.err and "proctor build hw1" in done.err
