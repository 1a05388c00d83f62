"""Handing marks over: formats as each system documents them, and bad input in one sentence."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import classroom
from support.tinycourse import DOUBLE, MEAN, student

import proctor.atomic_files
from proctor.author.gradescope_zip import write_zip
from proctor.cli import main
from proctor.course import Course
from proctor.errors import CourseError
from proctor.record.gradebook import open_gradebook
from proctor.record.roster import read_roster
from proctor.record.run_record import MarkingRecord, write_marking
from proctor.record.store import Store
from proctor.tell.report import page_name
from proctor.verdict import Problem

PEOPLE = {
    "ada": ("Ada", "Lovelace", "ada@example.org", "101"),
    "bob": ("Bob", 'O"Neil, Jr', "bob@example.org", "102"),
    "eve": ("=cmd|' /C calc'!A0", "Ève", "eve@example.org", "103"),
}
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Essay (77),Two exercises (4711),Current Score
    Points Possible,,,,,20,10,(read only)
"Lovelace, Ada",101,,ada@x,S1,3,,90
"O""Neil, Jr, Bob",102,,bob@x,S1,4,1,80
"Never, Seen",999,,seen@x,S1,5,7,70
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (grade),Feedback comments
Participant 101,Ada Lovelace,ada@example.org,Submitted,,10.00,Yes,-,
Participant 555,Bob,bob@example.org,Submitted,1.00,10.00,Yes,-,Well done
Participant 999,Never Seen,seen@example.org,No submission,,10.00,Yes,-,
"""


@pytest.fixture(scope="module")
def marked(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Three students marked, a fourth absent; do not change it."""
    root = tmp_path_factory.mktemp("export") / "tiny"
    shutil.copytree(built_tiny, root)
    course = Course((root / "course").resolve())
    lab = course.lab("tiny")
    classroom.enrol(course, lab)
    passes = {"ada": lambda check: True, "bob": lambda check: check.id == "mean-value"}
    for name in PEOPLE:
        problems = (Problem("x", '+1 look, at\n"this"', attention=True),) if name == "eve" else ()
        verdict = classroom.verdict(
            lab, name, passes.get(name, lambda check: False), problems=problems
        )
        classroom.keep(course, verdict)
    with open_gradebook(classroom.db_url(course), "tiny") as book:
        for name, (first, last, email, number) in PEOPLE.items():
            book.update_or_create_student(
                name, first_name=first, last_name=last, email=email, lms_user_id=number
            )
        book.add_student("zoe")
    return course


def run(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--course", str(course.folder), "export", "tiny", *arguments])


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_csv_is_quoted_and_no_cell_is_a_formula(marked: Course, tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    assert run(marked, "--to", "csv", "-o", str(path)).exit_code == 0
    data = path.read_bytes()
    assert b'"O""Neil, Jr"' in data and data.count(b"\r\n") == 5
    header, *body = rows(path)
    people = {row[0]: dict(zip(header, row, strict=True)) for row in body}
    assert (
        people["ada"] | {"score": "10", "double": "6", "mean": "4", "status": "graded"}
        == (people["ada"])
    )
    assert people["bob"]["score"] == "4"
    assert people["eve"]["attention"] == '\'+1 look, at\n"this"'
    assert people["eve"]["first_name"].startswith("'=cmd")
    assert people["zoe"] | {"status": "missing", "score": ""} == people["zoe"]


def test_canvas_gets_its_columns_and_the_points_possible(marked: Course, tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    assert run(marked, "--to", "canvas", "-o", str(path)).exit_code == 0
    assert rows(path)[:3] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Two exercises"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Lovelace, Ada", "101", "", "ada", "", "10"],
    ]


def test_canvas_own_export_is_filled_in_and_else_untouched(marked: Course, tmp_path: Path) -> None:
    template, path = tmp_path / "export.csv", tmp_path / "canvas.csv"
    template.write_bytes(b"\xef\xbb\xbf" + CANVAS.encode())
    done = run(marked, "--to", "canvas", "--template", str(template), "-o", str(path))
    assert done.exit_code == 1
    assert "marked, but not in" in done.output and "eve" in done.output
    before, after = list(csv.reader(io.StringIO(CANVAS))), rows(path)
    assert [row[6] for row in after] == ["Two exercises (4711)", "10", "10", "4", "7"]
    for row, old in zip(after, before, strict=True):
        assert [*row[:6], *row[7:]] == [*old[:6], *old[7:]]


def test_a_canvas_submissions_archive_and_its_gradebook_meet(tiny: Course, tmp_path: Path) -> None:
    """Canvas names a file ``lovelaceada_101_2_tiny.ipynb``; 101 is the gradebook's ID."""
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "lovelaceada_101", lambda check: True))
    template, path = tmp_path / "export.csv", tmp_path / "canvas.csv"
    template.write_text(CANVAS)
    done = run(tiny, "--to", "canvas", "--template", str(template), "-o", str(path))
    assert done.exit_code == 0, done.output
    assert rows(path)[2][6] == "10"


def test_moodles_worksheet_is_filled_in_with_marks_and_comments(
    marked: Course, tmp_path: Path
) -> None:
    template, path = tmp_path / "worksheet.csv", tmp_path / "moodle.csv"
    template.write_text(MOODLE)
    done = run(marked, "--to", "moodle", "--template", str(template), "-o", str(path))
    assert done.exit_code == 1 and "eve" in done.output
    header, ada, bob, other = rows(path)
    assert (ada[4], bob[4], other[4]) == ("10", "4", "")
    assert ada[-1].startswith("<pre>Two exercises: 10 of 10 points")
    assert bob[-1] == "Well done" and other[-1] == ""
    assert header[7] == "Last modified (grade)" and ada[7] == "-"


GERMAN = """\
ID;"Vollständiger Name";E-Mail-Adresse;Status;Bewertung;Bestwertung;"Bewertung kann geändert werden";\
"Zuletzt geändert (Abgabe)";"Zuletzt geändert (Bewertung)";"Feedback als Kommentar"
Teilnehmer/in4711;"Ada Lovelace";;"Zur Bewertung abgegeben";;10,00;Ja;"Montag, 1. Juni";-;
Teilnehmer/in4712;"O'Neil Jr Bob";;"Zur Bewertung abgegeben";3,00;10,00;Ja;"Montag, 1. Juni";-;Gut
Teilnehmer/in4713;"Nie Gesehen";nie@example.org;"Nicht abgegeben";;10,00;Ja;-;-;
"""
FRENCH = """\
Identifiant,"Nom complet","Adresse de courriel",Statut,Groupe,Note,"Note maximale",\
"La note peut être modifiée","Dernière modification (travail remis)","Dernière modification (note)",\
"Feedback par commentaires"
Participant900110,"Ada Lovelace",ada@example.org,Remis,A,,"10,00",Oui,"lundi 1 juin",-,
Participant900111,Bob,BOB@example.org,Remis,A,,"10,00",Oui,"lundi 1 juin",-,
"""


@pytest.mark.parametrize(
    ("text", "coding", "grade"),
    [
        (GERMAN, "utf-8-sig", "Bewertung"),
        (GERMAN, "latin-1", "Bewertung"),
        (FRENCH, "utf-8", "Note"),
    ],
)
def test_a_worksheet_in_another_language_is_filled_in(
    marked: Course, tmp_path: Path, text: str, coding: str, grade: str
) -> None:
    template, path = tmp_path / "sheet.csv", tmp_path / "moodle.csv"
    template.write_bytes(text.encode(coding))
    done = run(marked, "--to", "moodle", "--template", str(template), "-o", str(path))
    assert done.exit_code == 1 and "marked, but not in" in done.output  # eve is not in it
    header, ada, bob, *others = rows(path)  # with commas, which Moodle wants
    assert (ada[header.index(grade)], bob[header.index(grade)]) == ("10", "4")
    assert ada[-1].startswith("<pre>Two exercises: 10 of 10 points")
    assert bob[-1] == "Gut" if text is GERMAN else bob[-1]
    assert [row[header.index(grade)] for row in others] == [""] * len(others)
    if text is GERMAN:
        assert "not marked: Nie Gesehen" in done.output


def test_canvas_of_a_user_with_decimal_commas_is_filled_in_likewise(
    tiny: Course, tmp_path: Path
) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        book.find_submission_notebook("tiny", "tiny", "ada").late_submission_penalty = 0.5
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
        book.db.commit()
    template, path = tmp_path / "export.csv", tmp_path / "canvas.csv"
    template.write_text(
        "LastName;FirstName;ID;SIS Login ID;Section;Two exercises (4711);Current Score\n"
        ";;;;;Manual Posting;\n"
        "    Points Possible;;;;;10,00;(read only)\n"
        "Lovelace;Ada;77;xyz;S1;;90,5\n"
        "Student;Test;78;abc;S1;;\n"
    )
    done = run(tiny, "--to", "canvas", "--template", str(template), "-o", str(path))
    assert done.exit_code == 0, done.output
    lines = path.read_text().splitlines()
    assert lines[3] == "Lovelace;Ada;77;xyz;S1;9,5;90,5"
    before = template.read_text().splitlines()
    assert [lines[n] for n in (1, 2, 4)] == [before[n] for n in (1, 2, 4)]


@pytest.mark.parametrize("to", ["csv", "canvas", "moodle", "text"])
def test_who_is_gone_is_left_out_and_named(tiny: Course, tmp_path: Path, to: str) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    for name in ("ada", "bob"):
        classroom.keep(tiny, classroom.verdict(lab, name, lambda check: True))
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        for number, name in enumerate(("ada", "bob")):
            book.update_or_create_student(name, first_name=name, lms_user_id=f"10{number}")
    write_marking(tiny.folder, "tiny", MarkingRecord(gone=("bob",)))
    path = tmp_path / "out"
    done = run(tiny, "--to", to, "-o", str(path))
    assert done.exit_code == 1 and "no longer there, so left out: bob" in done.output
    written = path.read_text() if path.is_file() else " ".join(os.listdir(path))
    assert "ada" in written and "bob" not in written


def test_whom_an_import_could_not_know_is_named(tiny: Course, tmp_path: Path) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    for to, says in (("canvas", "without Canvas's ID"), ("moodle", "without ID number and e-mail")):
        done = run(tiny, "--to", to, "-o", str(tmp_path / to))
        assert done.exit_code == 1 and says in done.output and ": ada" in done.output
        assert "0 students" in done.output and "ada" not in (tmp_path / to).read_text()


def test_moodles_id_number_comes_from_the_roster(tiny: Course, tmp_path: Path) -> None:
    (tiny.folder / "roster.csv").write_text("id,lms_user_id,id_number\nada,5,M-0042\n")
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    run(tiny, "--to", "moodle", "-o", str(tmp_path / "out.csv"))
    assert rows(tmp_path / "out.csv")[1][2] == "M-0042"


def test_moodles_course_import_has_ids_and_addresses(marked: Course, tmp_path: Path) -> None:
    path = tmp_path / "moodle.csv"
    assert run(marked, "--to", "moodle", "-o", str(path), "--column", "Lab 1").exit_code == 0
    assert rows(path)[:2] == [
        ["First name", "Last name", "ID number", "Email address", "Lab 1"],
        ["Ada", "Lovelace", "101", "ada@example.org", "10"],
    ]


@pytest.mark.parametrize(
    ("to", "text", "says"),
    [
        ("canvas", MOODLE, "is not Canvas's gradebook export: it has no column 'Student'"),
        ("moodle", CANVAS, "is not Moodle's grading worksheet"),
        ("canvas", CANVAS.replace("Two exercises", "Other"), "has no column 'Two exercises'"),
        ("canvas", "", "is empty"),
        ("moodle", MOODLE.replace("10.00", "100.00"), "maximum grade is 100, the lab's 10"),
        ("canvas", CANVAS.replace("999", "101"), "one row only"),
        ("canvas", CANVAS.replace("20,10,", "20,12.5,"), "has 12.5 points possible, the lab 10"),
        ("canvas", CANVAS.replace("20,10,", "20,0,"), "has 0 points possible, the lab 10"),
        ("moodle", MOODLE.replace("10.00", "good"), "no maximum grade in numbers"),
    ],
)
def test_another_export_is_refused_in_one_sentence(
    marked: Course, tmp_path: Path, to: str, text: str, says: str
) -> None:
    template, path = tmp_path / "export.csv", tmp_path / "out.csv"
    template.write_text(text)
    path.write_text("before")
    done = run(marked, "--to", to, "--template", str(template), "-o", str(path))
    assert done.exit_code == 2 and says in done.output
    assert path.read_text() == "before" and len(done.output.splitlines()) == 1


@pytest.mark.parametrize("to", ["csv", "gradescope"])
def test_a_full_disk_leaves_what_was_there(
    marked: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    path = tmp_path / "out"
    path.write_text("before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(proctor.atomic_files.os, "fsync", full)
    done = run(marked, "--to", to, "-o", str(path))
    assert done.exit_code == 2 and "No space left on device" in done.output
    assert path.read_text() == "before" and os.listdir(tmp_path) == ["out"]


def test_text_feedback_fits_an_email_and_says_what_to_do(marked: Course, tmp_path: Path) -> None:
    assert run(marked, "--to", "text", "-o", str(tmp_path)).exit_code == 0
    text = (tmp_path / "bob" / "tiny" / "tiny.txt").read_text()
    assert text.startswith('Two exercises: 4 of 10 points\nfor Bob O"Neil, Jr\n')
    assert "x values (2): It fails at values." in text
    assert "Next: Try it with two numbers by hand." in text
    assert "2 more checks were not asked because of that." in text
    assert max(map(len, text.splitlines())) <= 72


def test_text_feedback_says_the_gradebooks_number_and_why_it_is_another(
    tiny: Course, tmp_path: Path
) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: check.exercise == "double"))
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        book.find_grade("test_mean", "tiny", "tiny", "ada").manual_score = 3.0
        book.find_submission_notebook("tiny", "tiny", "ada").late_submission_penalty = 1.0
        book.db.commit()
    assert run(tiny, "--to", "text", "-o", str(tmp_path)).exit_code == 0
    text = " ".join((tmp_path / "ada" / "tiny" / "tiny.txt").read_text().split())
    assert text.startswith("Two exercises: 8 of 10 points for ada The automatic marking gave 6.")
    assert "A person gave marks too. Late: 1 point less." in text
    assert "Exercise 2, mean: 3 of 4, given by a person (automatic: 0)" in text


def test_the_roster_may_have_a_byte_order_mark_but_not_an_id_twice(tiny: Course) -> None:
    roster = tiny.folder / "roster.csv"
    assert read_roster(tiny) is None
    roster.write_bytes(b"\xef\xbb\xbfid,first_name\r\ns1,Ada\r\ns2,Bob\r\n")
    assert read_roster(tiny) == ("s1", "s2")
    roster.write_text("id,first_name\ns1,Ada\n\ns1,Bob\n")
    with pytest.raises(CourseError, match="line 4: the id 's1' is on line 2 already"):
        read_roster(tiny)
    roster.write_text("name\nAda\n")
    with pytest.raises(CourseError, match="no column 'id'"):
        read_roster(tiny)
    roster.write_bytes(b"id\n\x81\xff\n")
    with pytest.raises(CourseError, match="not a CSV file in UTF-8"):
        read_roster(tiny)


def test_a_roster_goes_to_the_gradebook_whole_or_not_at_all(tiny: Course, tmp_path: Path) -> None:
    def put(text: str) -> Result:
        file = tmp_path / "list.csv"
        file.write_text(text, "utf-8-sig")
        return CliRunner().invoke(main, ["--course", str(tiny.folder), "roster", str(file)])

    def known() -> dict[str, str]:
        with open_gradebook(classroom.db_url(tiny), "tiny") as book:
            return {student.id: student.first_name for student in book.students}

    assert put("id,first_name,seat\nada,Ada,1\nbob,,2\n").exit_code == 0
    assert known() == {"ada": "Ada", "bob": None}
    assert read_roster(tiny) == ("ada", "bob")
    for text, says in (
        ("id\nzoe\nada\nzoe\n", "line 4: the id 'zoe' is on line 2 already"),
        ("id\nzoe\n../up\n", "line 3: '../up' cannot be an id"),
        ("id,first_name\nzoe,Z\n,Nobody\n", "line 3: there is no id"),
    ):
        done = put(text)
        assert done.exit_code == 2 and says in done.output
    assert set(known()) == {"ada", "bob"} and read_roster(tiny) == ("ada", "bob")


# --- Gradescope ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def container(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as Gradescope lays out ``/autograder``."""
    base = tmp_path_factory.mktemp("autograder")
    course = Course((built_tiny / "course").resolve())
    archive = write_zip(course, course.lab("tiny"), base / "autograder.zip", print)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(base / "source")
        for info in opened.infolist():
            os.chmod(base / "source" / info.filename, info.external_attr >> 16)
    shutil.copy(base / "source" / "run_autograder", base / "run_autograder")
    (base / "results").mkdir()
    return base


def grade_there(base: Path, files: dict[str, str]) -> dict[str, object]:
    """Run ``run_autograder`` on what a student uploaded, and return ``results.json``."""
    shutil.rmtree(base / "submission", ignore_errors=True)
    (base / "submission").mkdir()
    for name, text in files.items():
        (base / "submission" / name).write_text(text)
    (base / "results" / "results.json").unlink(missing_ok=True)
    environment = {**os.environ, "AUTOGRADER": ".", "PROCTOR_PYTHON": sys.executable}
    done = subprocess.run(
        [base / "run_autograder"], cwd=base, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, object] = json.loads((base / "results" / "results.json").read_text())
    return loaded


def test_the_archive_holds_what_gradescope_asks_for_and_no_student(container: Path) -> None:
    for script in ("setup.sh", "run_autograder"):
        assert (container / "source" / script).stat().st_mode & stat.S_IXUSR
        subprocess.run(["bash", "-n", container / "source" / script], check=True)
    names = {path.name for path in (container / "source").rglob("*")}
    assert not names & {"gradebook.db", "submitted", "verdicts", "__pycache__"}
    assert "nbgrader==" in (container / "source" / "requirements.txt").read_text()


def test_the_same_course_gives_the_same_archive(tiny: Course, tmp_path: Path) -> None:
    first = write_zip(tiny, tiny.lab("tiny"), tmp_path / "a.zip", print).read_bytes()
    assert write_zip(tiny, tiny.lab("tiny"), tmp_path / "b.zip", print).read_bytes() == first


def test_gradescope_gets_every_check_with_its_points_and_reason(
    container: Path, tiny: Course
) -> None:
    import nbformat

    wrong = student(tiny, double=DOUBLE.replace("2 * a", "3 * a"), mean=MEAN)
    found = grade_there(container, {"my lab (1).ipynb": nbformat.writes(wrong)})
    assert found["score"] == 4.0
    tests = {test["name"]: test for test in found["tests"]}  # type: ignore[index,attr-defined]
    assert set(tests) == {
        "Exercise 1, double: values",
        "Exercise 1, double: other inputs",
        "Exercise 1, double: leaves its input alone",
        "Exercise 2, mean: the mean",
    }
    values = tests["Exercise 1, double: values"]
    assert (values["score"], values["max_score"], values["status"]) == (0.0, 2.0, "failed")
    assert "It is not twice the input." in values["output"]
    assert tests["Exercise 2, mean: the mean"]["status"] == "passed"
    assert "secret" not in json.dumps(found)


def test_gradescope_says_why_something_cannot_be_marked(container: Path) -> None:
    found = grade_there(container, {"essay.txt": "Dear teacher"})
    assert found["score"] == 0.0
    assert "no notebook" in str(found["output"])
    found = grade_there(container, {"tiny.ipynb": '{"cells": ['})
    assert found["score"] == 0.0 and found["output"]


@pytest.mark.parametrize("lab", ["lab_digits", "lab_mnist"])
def test_the_archive_of_a_real_lab_has_all_that_its_checks_import(
    real_course: Course, tmp_path: Path, lab: str
) -> None:
    path = write_zip(real_course, real_course.lab(lab), tmp_path / "autograder.zip", print)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "source")
    other = {"lab_digits": "lab_mnist", "lab_mnist": "lab_digits"}[lab]
    assert not (tmp_path / "source" / "course" / f"{other}.py").exists()
    code = f"from proctor.course import Course; print(Course.find().lab({lab!r}).title)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path / "source",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "source")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == real_course.lab(lab).title


def test_two_labs_in_one_folder_keep_their_verdicts_apart(tmp_path: Path) -> None:
    one, two = Store(tmp_path, "one"), Store(tmp_path, "two")
    assert one.verdicts == tmp_path / "verdicts"
    one.claim()
    two.claim()
    assert two.verdicts == tmp_path / "verdicts" / "two"
    assert one.verdicts == tmp_path / "verdicts"
    older = tmp_path / "older"
    (older / "verdicts").mkdir(parents=True)
    (older / "verdicts" / "ada.json").write_text('{"lab": "one"}')
    assert Store(older, "one").verdicts == older / "verdicts"
    assert Store(older, "two").verdicts == older / "verdicts" / "two"
    assert page_name(older, "one") == "report.html" and page_name(older, "two") == "report-two.html"
