"""What an instructor meets when something is not as it should be: one sentence, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from support import classroom, doors, needs
from support.tinycourse import DOUBLE, MASTER, MEAN, hand_in, student

import proctor.atomic_files
import proctor.record.gradebook_lock
from proctor.cli import main
from proctor.course import Course
from proctor.intake.master import source_notebook
from proctor.record.gradebook import open_gradebook
from proctor.record.roster import read_roster


def run(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--course", str(course.folder), *arguments])


def told(done: Result, *parts: str, status: int = 2) -> str:
    """Assert that a command ended with a sentence, and return what it printed."""
    assert done.exit_code == status, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    for part in parts:
        assert part in done.output, done.output
    return done.output


# --- The gradebook is locked --------------------------------------------------------------------


@contextmanager
def locked(course: Course) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(
        course.folder / "gradebook.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proctor.record.gradebook_lock, "PATIENCE", 0.2)


@pytest.mark.parametrize(
    "command",
    [("grade", "tiny"), ("export", "tiny", "--to", "csv"), ("report", "tiny"), ("roster",)],
)
def test_a_gradebook_that_another_program_holds_is_said(
    tiny: Course, tmp_path: Path, impatient: None, command: tuple[str, ...]
) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    hand_in(tiny, "ada", student(tiny, double=DOUBLE))
    students = tmp_path / "students.csv"
    students.write_text("id\nada\n")
    arguments = (*command, str(students)) if command == ("roster",) else command
    with locked(tiny):
        output = told(run(tiny, *arguments), "is locked by another program", "gradebook.db")
    assert "move it away" not in output
    assert run(tiny, *arguments).exit_code == 0


def test_a_lock_that_is_soon_given_back_is_waited_for(tiny: Course) -> None:
    classroom.enrol(tiny, tiny.lab("tiny"))
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    with locked(tiny) as other:
        release = threading.Timer(7.0, lambda: other.execute("ROLLBACK"))
        release.start()  # longer than SQLite itself waits
        done = run(tiny, "grade", "tiny", "--quiet")
        release.join()
    assert done.exit_code == 0, done.output


def test_a_damaged_gradebook_is_said_without_advice_that_loses_manual_marks(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    (tiny.folder / "gradebook.db").write_bytes(b"no database at all" * 100)
    hand_in(tiny, "ada", student(tiny))
    for command in (("export", "tiny", "--to", "csv"), ("grade", "tiny")):
        output = told(run(tiny, *command), "gradebook.db", "whole copy")
        assert "marks by hand" in output


# --- What is handed in --------------------------------------------------------------------------


def test_an_empty_folder_is_refused(tiny: Course, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told(run(tiny, "grade", "tiny", str(tmp_path / "empty")), "no notebook", "empty")
    assert not (tiny.folder / "verdicts").exists()


def test_a_folder_without_notebooks_is_refused_and_enrols_nobody(
    tiny: Course, tmp_path: Path
) -> None:
    (tmp_path / "photos" / "2026").mkdir(parents=True)
    (tmp_path / "photos" / "2026" / "sea.txt").write_text("blue")
    told(run(tiny, "grade", "tiny", str(tmp_path / "photos")), "no notebook", "photos")
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        assert [one.id for one in book.students] == []


def test_the_courses_own_empty_folder_is_refused_too(tiny: Course) -> None:
    (tiny.folder / "submitted").mkdir()
    told(run(tiny, "grade", "tiny"), "no notebook", "course/submitted")


def test_a_student_whose_archive_is_damaged_is_no_empty_folder(tiny: Course) -> None:
    path = tiny.folder / "submitted" / "ada" / "tiny" / "work.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK\x03\x04")
    assert run(tiny, "grade", "tiny").exit_code == 1
    assert json.loads((tiny.folder / "verdicts" / "ada.json").read_text())["status"] == "rejected"


def test_an_untouched_notebook_beside_a_solved_copy_is_named(tiny: Course) -> None:
    path = hand_in(tiny, "ada", student(tiny))
    nbformat.write(student(tiny, double=DOUBLE, mean=MEAN), path.with_name("tiny-Copy1.ipynb"))
    done = run(tiny, "grade", "tiny")
    told(done, "ada", "'tiny-Copy1.ipynb' looks more finished", status=1)
    verdict = json.loads((tiny.folder / "verdicts" / "ada.json").read_text())
    assert verdict["status"] == "needs_attention" and verdict["score"] == 0.0


def test_a_copy_that_is_no_further_is_not_held_against_anybody(tiny: Course) -> None:
    path = hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    nbformat.write(student(tiny, double=DOUBLE), path.with_name("tiny-Copy1.ipynb"))
    assert run(tiny, "grade", "tiny").exit_code == 0


def test_who_handed_in_an_untouched_notebook_is_said_on_screen(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny))
    hand_in(tiny, "bob", student(tiny, double=DOUBLE))
    output = told(run(tiny, "grade", "tiny"), "untouched", status=0)
    (line,) = [line for line in output.splitlines() if "untouched" in line]
    assert "ada" in line and "bob" not in line


# --- A full disk --------------------------------------------------------------------------------


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "marks")


@pytest.mark.parametrize(
    "command", [("grade", "tiny"), ("release", "tiny"), ("build", "tiny"), ("report", "tiny")]
)
def test_a_full_disk_is_one_sentence_in_every_command(
    tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    hand_in(tiny, "ada", student(tiny, double=DOUBLE))
    monkeypatch.setattr(proctor.atomic_files.os, "fsync", full)
    output = (*command, "-o", str(tmp_path / "out")) if command[0] == "release" else command
    told(run(tiny, *output), "No space left on device")


CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    ).returncode
    == 0
)


@needs.needs(CAN_MOUNT, "a system where a small disk can be mounted")
@pytest.mark.parametrize("size", ["8k", "200k", "260k"])
def test_marking_onto_a_disk_that_is_really_full_says_so(
    tiny: Course, tmp_path: Path, size: str
) -> None:
    """The sizes end it in the gradebook, in what marking writes, in the pages, or not at all."""
    hand_in(tiny, "ada", student(tiny, double=DOUBLE))
    (tmp_path / "disk").mkdir()
    script = (
        f"mount -t tmpfs -o size={size} tmpfs {tmp_path / 'disk'} && exec {sys.executable} -m proctor "
        f"--course {tiny.folder} grade tiny --isolation process -q -o {tmp_path / 'disk' / 'out'}"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2 or (done.returncode == 0 and size != "8k"), said
    assert done.returncode == 0 or "full" in said or "No space left" in said, said
    assert "Traceback" not in said and "traceback" not in said, said


# --- Release, check, build ----------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["{", '{"cells": 3}', "", "[]"])
def test_release_says_which_notebook_it_cannot_read(
    tiny: Course, tmp_path: Path, damage: str
) -> None:
    (tiny.root / "tiny.ipynb").write_text(damage)
    told(run(tiny, "release", "tiny", "-o", str(tmp_path)), "tiny.ipynb", "proctor build tiny")
    assert list(tmp_path.glob("*.zip")) == []


def test_release_into_something_that_is_no_folder_is_said(tiny: Course, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    told(run(tiny, "release", "tiny", "-o", str(tmp_path / "file" / "below")), "file")


def test_check_of_a_script_says_so_once(tiny: Course) -> None:
    path = tiny.root / "tiny.py"
    path.write_text("import numpy as np\n")
    output = told(run(tiny, "check", str(path)), "a Python script, not a notebook", status=1)
    assert output.count("not a notebook") == 1
    assert len(output.splitlines()) <= 3


@pytest.mark.parametrize(
    "name", ["tiny (1).ipynb", "tiny-Copy1.ipynb", "TINY.ipynb", "ada_tiny.ipynb"]
)
def test_check_knows_the_lab_of_a_copy(tiny: Course, tmp_path: Path, name: str) -> None:
    nbformat.write(student(tiny, double=DOUBLE, mean=MEAN), tmp_path / name)
    assert "10 of 10 points" in run(tiny, "check", str(tmp_path / name)).output


def test_check_of_a_notebook_of_no_lab_mentions_the_option(tiny: Course, tmp_path: Path) -> None:
    nbformat.write(student(tiny), tmp_path / "homework.ipynb")
    told(run(tiny, "check", str(tmp_path / "homework.ipynb")), "--lab", "tiny")


@pytest.mark.parametrize("before", ["\n", "\n\n  \n", "\ufeff", "\ufeff\n"])
def test_a_master_may_begin_with_blank_lines(tiny: Course, tmp_path: Path, before: str) -> None:
    lab = tiny.lab("tiny")
    plain, blank = tmp_path / "a.py", tmp_path / "b.py"
    plain.write_text(MASTER.lstrip("\n"))
    blank.write_text(before + MASTER.lstrip("\n"))
    assert source_notebook(blank, lab) == source_notebook(plain, lab)


def test_the_line_in_a_masters_error_counts_the_blank_lines(tiny: Course, tmp_path: Path) -> None:
    master = tiny.master("tiny")
    master.write_text("\n\n" + MASTER.lstrip("\n").replace('# %% id="setup" given', "# %%"))
    told(run(tiny, "build", "tiny"), "tiny.py:6: a code cell needs")


# --- Rosters ------------------------------------------------------------------------------------

PEOPLE = "id,first_name,last_name,email\nada,Ada,Lovelace,ada@x.org\nanna,Anna,Müller,anna@x.org\n"


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        (PEOPLE, "utf-8-sig"),
        (PEOPLE.replace(",", ";"), "utf-8"),
        (PEOPLE.replace(",", "\t"), "utf-16"),
        (PEOPLE.replace(",", ";"), "latin-1"),
        (PEOPLE.replace(",", ";").replace("\n", "\r\n"), "cp1252"),
        ("sep=;\n" + PEOPLE.replace(",", ";"), "utf-8"),
        (
            "Anmeldename;Vorname;Nachname;E-Mail-Adresse\nada;Ada;Lovelace;ada@x.org\n"
            "anna;Anna;Müller;anna@x.org\n",
            "latin-1",
        ),
        (
            "Nom;Prénom;Adresse de courriel;Nom d'utilisateur\nLovelace;Ada;ada@x.org;ada\n"
            "Müller;Anna;anna@x.org;anna\n",
            "utf-8",
        ),
        (
            "Apellido(s),Nombre,Dirección de correo,Nombre de usuario\nLovelace,Ada,ada@x.org,ada\n"
            "Müller,Anna,anna@x.org,anna\n",
            "utf-8",
        ),
    ],
)
def test_a_roster_of_any_spreadsheet_is_read(
    tiny: Course, tmp_path: Path, text: str, coding: str
) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(text.encode(coding))
    assert run(tiny, "roster", str(path)).exit_code == 0, run(tiny, "roster", str(path)).output
    assert read_roster(tiny) == ("ada", "anna")
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        anna = book.find_student("anna")
        assert (anna.first_name, anna.last_name, anna.email) == ("Anna", "Müller", "anna@x.org")


def test_a_shorter_roster_says_who_is_gone(tiny: Course, tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    path.write_text("id,first_name\nada,Ada\nbob,Bob\ncyd,Cyd\n")
    assert "No longer" not in run(tiny, "roster", str(path)).output
    path.write_text("id,first_name\nada,Ada\n")
    told(run(tiny, "roster", str(path)), "No longer in the roster: bob, cyd.", status=0)


def test_an_encoding_that_is_guessed_is_said(tiny: Course, tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(PEOPLE.encode("latin-1"))
    told(run(tiny, "roster", str(path)), "Latin-1", "Müller", status=0)


def test_an_encoding_that_cannot_be_told_is_refused(tiny: Course, tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes("id,last_name\nada,Müller\nbob,Škoda".encode("cp1250"))
    told(run(tiny, "roster", str(path)), "CSV UTF-8")
    assert read_roster(tiny) is None


# --- nbgrader -----------------------------------------------------------------------------------


def test_an_assignment_without_checks_is_not_left_to_nbgrader_without_a_word(
    tiny: Course,
) -> None:
    source = tiny.folder / "source" / "essay" / "essay.ipynb"
    source.parent.mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="x")])
    nbformat.write(notebook, source)
    path = tiny.folder / "submitted" / "ada" / "essay" / "essay.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    made = doors.command(tiny.folder, "nbgrader", "generate_assignment", "essay", "--create")
    assert made.code == 0, made.all
    done = doors.command(tiny.folder, "nbgrader", "autograde", "essay", "--create")
    said = done.out + done.err
    assert done.code == 0, said
    (line,) = [line for line in said.splitlines() if "WARNING" in line and "essay" in line]
    assert "without isolation" in line and "no cell is" in line
