"""The student's zip."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import nbformat
import pytest

from proctor.author.release import release
from proctor.course import Course
from proctor.errors import CourseError

ROOT = Path(__file__).parents[1]


def test_the_zip_holds_the_allow_list_and_nothing_else(tiny: Course, tmp_path: Path) -> None:
    (tiny.root / "notes.txt").write_text("not for students")
    path = release(tiny, tiny.lab("tiny"), tmp_path)
    assert zipfile.ZipFile(path).namelist() == ["tiny/given.py", "tiny/tiny.ipynb"]


def test_the_guide_for_students_is_the_readme_and_the_dates_are_of_today(
    tiny: Course, tmp_path: Path
) -> None:
    (tiny.root / "docs").mkdir()
    (tiny.root / "docs" / "student.md").write_text("How to begin")
    lab = tiny.lab("tiny")
    lab.release = (*lab.release, "docs/student.md")
    archive = zipfile.ZipFile(release(tiny, lab, tmp_path))
    assert archive.read("tiny/README.md") == b"How to begin"
    today = datetime.date.today()
    dates = {info.date_time[:3] for info in archive.infolist()}
    assert dates == {(today.year, today.month, today.day)}


def test_the_same_files_give_the_same_zip(tiny: Course, tmp_path: Path) -> None:
    one = release(tiny, tiny.lab("tiny"), tmp_path / "1").read_bytes()
    assert release(tiny, tiny.lab("tiny"), tmp_path / "2").read_bytes() == one


def test_a_notebook_with_a_solution_is_not_released(tiny: Course, tmp_path: Path) -> None:
    (tiny.root / "tiny.ipynb").write_text(tiny.source("tiny").read_text())
    with pytest.raises(CourseError, match="holds a solution"):
        release(tiny, tiny.lab("tiny"), tmp_path)


def test_a_notebook_with_outputs_is_not_released(tiny: Course, tmp_path: Path) -> None:
    path = tiny.root / "tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="holds outputs"):
        release(tiny, tiny.lab("tiny"), tmp_path)


def test_nothing_inside_the_course_can_be_released(tiny: Course, tmp_path: Path) -> None:
    lab = tiny.lab("tiny")
    lab.release = (*lab.release, "course/*.py")
    with pytest.raises(CourseError, match="may not be released"):
        release(tiny, lab, tmp_path)


def test_a_pattern_that_matches_nothing_is_said(tiny: Course, tmp_path: Path) -> None:
    lab = tiny.lab("tiny")
    lab.release = ("Data/*",)
    with pytest.raises(CourseError, match=r"nothing in .* matches 'Data/"):
        release(tiny, lab, tmp_path)


def secrets(course: Course, name: str) -> list[str]:
    """Solution lines and hidden checks' names: what no released byte may hold."""
    lab = course.lab(name)
    found = [check.id for e in lab.exercises for check in e.checks if check.hidden]
    found += [check.function.__name__ for e in lab.exercises for check in e.checks if check.hidden]
    for cell in course.source_notebook(name).cells:
        inside = False
        for line in cell.source.splitlines():
            if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
                inside = "BEGIN" in line
            elif inside and len(line.strip()) >= 16:
                found.append(line.strip())
    return found


@pytest.mark.parametrize("name", Course.find(ROOT).labs())
def test_no_released_byte_holds_a_solution_or_a_hidden_check(
    name: str, real_course: Course, tmp_path: Path
) -> None:
    course = real_course
    hidden = secrets(course, name)
    assert len(hidden) > 10
    archive = zipfile.ZipFile(release(course, course.lab(name), tmp_path))
    for entry in archive.namelist():
        assert not entry.startswith((f"{name}/course", f"{name}/proctor"))
        data = archive.read(entry)
        for secret in hidden:
            # Notebooks hold lines as JSON strings, other files as they are.
            for form in (secret, secret.replace("\\", "\\\\").replace('"', '\\"')):
                assert form.encode() not in data, f"{entry} holds: {secret}"


@pytest.mark.parametrize("name", Course.find(ROOT).labs())
def test_the_committed_notebook_is_what_the_build_gives(name: str, real_course: Course) -> None:
    committed = (ROOT / f"{name}.ipynb").read_bytes()
    assert (real_course.root / f"{name}.ipynb").read_bytes() == committed, "run: proctor build"
