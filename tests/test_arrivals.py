"""The names that learning platforms write meet the roster."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from support import classroom
from support.tinycourse import DOUBLE, MEAN, student

from proctor.cli import main
from proctor.course import Course
from proctor.intake.lms_file_names import lms_owner
from proctor.record.arrival_record import note_arrivals, read_arrivals
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class
from proctor.tell.export_marks import csv_rows

ROSTER = """\
id,first_name,last_name,email,lms_user_id,login
ada,Ada,Lovelace,ada@example.org,101,lovelacea
bob,Bob,O'Neil,bob@example.org,102,b_oneil
anna,Anna,Müller,anna@example.org,103,
max,Max,Müller,mueller@example.org,104,
zoe,Zoe,Zimt,zoe@example.org,105,
"""
CANVAS = (
    "lovelaceada_101_9001_tiny.ipynb",
    "oneilbob_LATE_102_9002_tiny-1.ipynb",
    "mülleranna_999_9003_tiny.ipynb",
    "strangeradam_555_9004_tiny.ipynb",
)
MOODLE = (
    "Ada Lovelace_4711_assignsubmission_file_/tiny.ipynb",
    "Gruppe A-Bob O'Neil_4712_assignsubmission_file/tiny.ipynb",
    "Müller Anna_4713_assignsubmission_file_tiny.ipynb",
    "Ada Lovelase_101_assignsubmission_file_/tiny.ipynb",
)
BLACKBOARD = (
    "Lab 1_lovelacea_attempt_2024-03-01-10-00-00_tiny.ipynb",
    "Lab 1_b_oneil_attempt_2024-03-01-11-00-00_tiny.ipynb",
    "Lab 1_anna_attempt_2024-03-01-12-00-00_tiny.ipynb",
    "Lab 1_anna_attempt_2024-03-01-12-00-00.txt",
    "Lab 1_adam_attempt_2024-03-01-12-00-00_tiny.ipynb",
)
GRADESCOPE = tuple(f"assignment_7_export/submission_{n}/tiny.ipynb" for n in (1, 2, 3, 4))
METADATA = """\
---
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '101'
    :email: ada@example.org
  - :name: "Bob O'Neil"
    :sid:
    :email: BOB@example.org
  :created_at: 2024-03-01 10:00:00.123456000 Z
  :score: 3.0
  :results:
    :tests:
    - :name: "submission_9:"
submission_2:
  :created_at: 2024-03-02 10:00:00 Z
  :submitters:
  - :name: Anna Müller
    :sid: ''
    :email: other@example.org
submission_3:
  :submitters:
  - :name: Adam Stranger
    :sid: '555'
    :email: adam@example.org
"""


def archive(path: Path, names: tuple[str, ...], data: bytes, **more: str) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, data)
        for name, text in more.items():
            opened.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return path


@pytest.fixture
def right(tiny: Course) -> bytes:
    return nbformat.writes(student(tiny, double=DOUBLE, mean=MEAN)).encode()


def grade(course: Course, path: Path, *options: str) -> Result:
    return CliRunner().invoke(
        main, ["--course", str(course.folder), "grade", "tiny", str(path), *options]
    )


def marked(course: Course) -> set[str]:
    return {path.stem for path in (course.folder / "verdicts").glob("*.json")}


@pytest.mark.parametrize(
    ("names", "strangers"),
    [
        (CANVAS, {"strangeradam_555"}),
        (MOODLE, {"Ada-Lovelase_101"}),
        (BLACKBOARD, {"adam"}),
    ],
    ids=["canvas", "moodle", "blackboard"],
)
def test_an_archive_is_marked_under_the_rosters_ids(
    tiny: Course, tmp_path: Path, right: bytes, names: tuple[str, ...], strangers: set[str]
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    done = grade(tiny, archive(tmp_path / "class.zip", names, right), "--quiet")
    assert marked(tiny) == {"ada", "bob", "anna"} | strangers, done.output
    assert all(f"Not in the roster: {one}" in done.output for one in strangers)
    assert "the nearest is" in done.output if names is MOODLE else True
    if names is CANVAS:  # A learning platform numbers what is handed in again: no name is noted.
        bob = (tiny.folder / "verdicts" / "bob.json").read_text()
        assert "instead of" not in bob


def test_gradescopes_export_says_who_handed_in_what_and_when(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    more = {"assignment_7_export__submission_metadata_dot_yml": METADATA}
    done = grade(tiny, archive(tmp_path / "class.zip", GRADESCOPE, right, **more))
    assert marked(tiny) == {"ada", "bob", "anna", "555", "submission_4"}, done.output
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        time = book.find_submission("tiny", "bob").timestamp
    assert f"{time:%Y-%m-%d %H:%M}" == "2024-03-01 10:00"


def test_gradescopes_export_needs_no_roster(tiny: Course, tmp_path: Path, right: bytes) -> None:
    more = {"assignment_7_export__submission_metadata_dot_yml": METADATA}
    grade(tiny, archive(tmp_path / "class.zip", GRADESCOPE, right, **more), "--quiet")
    assert {"101", "BOB", "555"} <= marked(tiny)


@pytest.mark.parametrize("text", ["", "]]]", "submission_1:\n  :submitters: 3\n", "\x00", "- a\n"])
def test_metadata_that_is_none_leaves_the_folders_names(
    tiny: Course, tmp_path: Path, right: bytes, text: str
) -> None:
    more = {"assignment_7_export__submission_metadata_dot_yml": text}
    grade(tiny, archive(tmp_path / "class.zip", GRADESCOPE[:2], right, **more), "--quiet")
    assert marked(tiny) == {"submission_1", "submission_2"}


def test_a_late_submission_of_canvas_is_noted(tiny: Course, tmp_path: Path, right: bytes) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    grade(tiny, archive(tmp_path / "class.zip", CANVAS, right), "--quiet")
    assert read_arrivals(tiny.folder, "tiny").late == ("bob",)
    assert read_arrivals(tiny.folder, "tiny").found_as["anna"] == "mülleranna_999"


def test_of_two_that_fit_one_student_neither_is_taken(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    names = ("Ada Lovelace_1_assignsubmission_file_", "Lovelace Ada_2_assignsubmission_file_")
    path = archive(tmp_path / "class.zip", (*(f"{n}/tiny.ipynb" for n in names), CANVAS[2]), right)
    done = grade(tiny, path, "--quiet")
    assert marked(tiny) == {"Ada-Lovelace_1", "Lovelace-Ada_2", "anna"}
    assert done.output.count("the nearest is ada (Ada Lovelace)") == 2


def test_a_name_that_two_students_have_fits_neither(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER + "ada2,Ada,Lovelace,x@example.org,,\n")
    names = ("Ada Lovelace_1_assignsubmission_file_/tiny.ipynb", CANVAS[2])
    done = grade(tiny, archive(tmp_path / "class.zip", names, right), "--quiet")
    assert marked(tiny) == {"Ada-Lovelace_1", "anna"}
    assert "may be ada (Ada Lovelace) or ada2 (Ada Lovelace). Hand it in under" in done.output


def test_a_folder_of_nobody_on_the_roster_is_refused_and_nobody_enrolled(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    done = grade(tiny, archive(tmp_path / "class.zip", CANVAS[3:], right))
    assert done.exit_code == 2 and "Nobody of the roster" in done.output
    assert marked(tiny) == set()
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        assert [one.id for one in book.students] == []


def test_without_a_roster_that_is_said(tiny: Course, tmp_path: Path, right: bytes) -> None:
    done = grade(tiny, archive(tmp_path / "class.zip", CANVAS, right))
    assert "There is no roster" in done.output and done.exit_code == 0


def test_a_roster_that_only_nbgraders_gradebook_has_counts(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        book.add_student("ada", first_name="Ada", last_name="Lovelace", lms_user_id="101")
        book.add_student("stray")
    grade(tiny, archive(tmp_path / "class.zip", CANVAS[:2], right), "--quiet")
    assert marked(tiny) == {"ada", "oneilbob_102"}


def test_a_stranger_who_was_marked_once_is_not_missed_later(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    grade(tiny, archive(tmp_path / "first.zip", CANVAS, right), "--quiet")
    done = grade(tiny, archive(tmp_path / "second.zip", CANVAS[1:2], right), "--quiet")
    absent = "Handed in nothing: max, zoe. Not in this folder, but marked from another one before: ada, anna"
    assert f"{absent}\n" in done.output
    data = read_class(tiny, tiny.lab("tiny"))
    assert data.missing == ["max", "zoe"] and "strangeradam_555" in data.verdicts


def test_a_stranger_of_one_lab_is_not_missed_in_another_without_a_roster_file(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        for name in ("ada", "bob"):
            book.add_student(name, first_name=name.title())
    note_arrivals(tiny.folder, "earlier", [], ["adam"])
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        book.add_student("adam")  # as marking the earlier lab did
    done = grade(tiny, archive(tmp_path / "class.zip", ("ada/tiny.ipynb",), right), "--quiet")
    assert "Handed in nothing: bob\n" in done.output
    rows = csv_rows(read_class(tiny, tiny.lab("tiny")))
    assert [row[0] for row in rows] == ["student", "ada", "bob"]


def test_with_an_output_of_its_own_the_roster_is_missed_too(
    tiny: Course, tmp_path: Path, right: bytes
) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    zipped = archive(tmp_path / "class.zip", CANVAS[:3], right)
    done = grade(tiny, zipped, "--quiet", "-o", str(tmp_path / "out"))
    assert "Handed in nothing: max, zoe\n" in done.output
    data = read_class(tiny, tiny.lab("tiny"), tmp_path / "out")
    assert data.missing == ["max", "zoe"] and data.entries["ada"].name == "Ada Lovelace"


@pytest.mark.parametrize(
    ("name", "student", "late", "file"),
    [
        ("lovelaceada_LATE_12345_67890_lab.ipynb", "lovelaceada_12345", True, "lab.ipynb"),
        ("lovelaceada_12345_67890_lab-1.ipynb", "lovelaceada_12345", False, "lab-1.ipynb"),
        ("LATE_anon_aB3x9_67890_lab.ipynb", "anon_aB3x9", True, "lab.ipynb"),
        ("anon_aB3x9_67890_lab.ipynb", "anon_aB3x9", False, "lab.ipynb"),
        ("x_102340000000012345_67890_lab.ipynb", "x_102340000000012345", False, "lab.ipynb"),
    ],
)
def test_names_of_canvas(name: str, student: str, late: bool, file: str) -> None:
    owner = lms_owner(name)
    assert owner is not None
    assert (owner.student, owner.late, owner.file) == (student, late, file)


def test_what_was_noted_of_others_stays(tiny: Course, tmp_path: Path, right: bytes) -> None:
    (tiny.folder / "roster.csv").write_text(ROSTER)
    grade(tiny, archive(tmp_path / "one.zip", CANVAS[:2], right), "--quiet")
    grade(tiny, archive(tmp_path / "two.zip", CANVAS[2:], right), "--quiet")
    noted = read_arrivals(tiny.folder, "tiny")
    assert noted.late == ("bob",) and noted.strangers == ("strangeradam_555",)
    assert json.loads((tiny.folder / "arrivals.json").read_text())["tiny"]["late"] == ["bob"]
