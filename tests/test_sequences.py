"""Whatever happened on the way, the end is what one undisturbed `proctor grade` of the final files gives.

A sequence is drawn from a seed: work is handed in, handed in again, put back and taken away, by
students whose folders have difficult names; `proctor grade`, `nbgrader autograde` and formgrader's
button mark it; runs are killed at any write. After a last run, verdicts, gradebook and what is
handed over must be those of the same files marked once, in a place where nothing happened before.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from support import warm_marking
from support.doors import autograde, dying_proctor, proctor
from support.dying import Killed, dying
from support.tinycourse import DOUBLE, MEAN, student

from proctor.cli import main
from proctor.course import Course
from proctor.record.gradebook import open_gradebook

CI = os.environ.get("CI", "").lower() in ("1", "true")
SEQUENCES = 300 if CI or os.environ.get("PROCTOR_LONG_TESTS") else 60
SEQUENCES = int(os.environ.get("PROCTOR_SEQUENCES", SEQUENCES))
PART = 20
"""Sequences in one test."""
STUDENTS = ("ada", "bob", "Müller", "anna s")
MOMENTS = 30
"""A run is killed at one of its first so many writes, to files and to the gradebook."""


@dataclass
class World:
    """A course on disk, what was handed in so far, and the doors to it.

    Attributes
    ----------
    handed : dict of str to list of bytes
        All that each student handed in, in order; the last is what lies there now, if anything.
    told : list of str
        The sequence, for the message of a failure.
    """

    course: Course
    draw: random.Random
    works: list[bytes]
    doors: Any
    handed: dict[str, list[bytes]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def folder(self, who: str) -> Path:
        """Where a student's notebook lies, under a name in either normalisation."""
        top = self.course.folder / "submitted"
        for form in ("NFC", "NFD"):
            if (top / unicodedata.normalize(form, who)).is_dir():
                return top / unicodedata.normalize(form, who) / "tiny"
        form = self.draw.choice(("NFC", "NFD"))
        return top / unicodedata.normalize(form, who) / "tiny"

    def put(self, who: str, data: bytes) -> None:
        folder = self.folder(who)
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder = self.folder(who)
        folder.mkdir(parents=True)
        (folder / self.draw.choice(("tiny.ipynb", "tiny.ipynb", "tiny (1).ipynb"))).write_bytes(
            data
        )

    # --- What may happen ------------------------------------------------------------------------

    def hand_in(self) -> None:
        who, work = self.draw.choice(STUDENTS), self.draw.randrange(len(self.works))
        self.told.append(f"{who} hands in work {work}")
        self.handed.setdefault(who, []).append(self.works[work])
        self.put(who, self.works[work])

    def put_back(self) -> None:
        """An earlier notebook of the same student lies there again."""
        who = self.draw.choice(sorted(self.handed))
        data = self.draw.choice(self.handed[who])
        self.told.append(f"{who}'s work {self.works.index(data)} is put back")
        self.put(who, data)

    def take_away(self) -> None:
        present = self.present()
        if len(present) > 1:
            who = self.draw.choice(present)
            self.told.append(f"{who}'s work is taken away")
            shutil.rmtree(self.folder(who).parent, ignore_errors=True)

    def grade(self) -> None:
        self.told.append("proctor grade")
        self.doors.grade(self.course)

    def grade_one(self) -> None:
        who = self.draw.choice(self.present())
        self.told.append(f"proctor grade --student '{who}'")
        self.doors.grade(self.course, "--student", who)

    def autograde(self) -> None:
        self.told.append("nbgrader autograde --force")
        self.doors.autograde(self.course)

    def button(self) -> None:
        who = self.draw.choice(self.present())
        self.told.append(f"formgrader's button for {who}")
        self.doors.button(self.course, self.folder(who).parent.name)

    def killed(self) -> None:
        moment = self.draw.randint(1, MOMENTS)
        self.told.append(f"proctor grade, killed at write {moment}")
        self.doors.killed(self.course, moment)

    def killed_autograde(self) -> None:
        moment = self.draw.randint(1, MOMENTS)
        self.told.append(f"nbgrader autograde --force, killed at write {moment}")
        self.doors.killed_autograde(self.course, moment)

    def present(self) -> list[str]:
        """Who has something lying there."""
        return [who for who in STUDENTS if self.folder(who).is_dir()]

    def happen(self) -> None:
        """Let one thing happen."""
        things = [
            *3 * [self.hand_in],
            *2 * [self.put_back],
            self.take_away,
            *2 * [self.grade],
            self.grade_one,
            self.autograde,
            self.button,
            *2 * [self.killed],
            self.killed_autograde,
        ]
        self.draw.choice(things)()


# --- The doors, in this process and as commands ---------------------------------------------------


class Here:
    """The doors in this process, with marks that were given before remembered."""

    def grade(self, course: Course, *words: str, out: Path | None = None) -> None:
        to = ("-o", str(out)) if out else ()
        words = ("--course", str(course.folder), "grade", "tiny", "-q", "-j", "1", *words, *to)
        done = CliRunner().invoke(main, words)
        if isinstance(done.exception, Killed):
            raise done.exception
        assert done.exit_code in (0, 1), (done.output, done.exception)

    def autograde(self, course: Course, who: str = "*") -> None:
        from nbgrader.apps.api import NbGraderAPI

        coursedir = course.coursedir("tiny")
        api = NbGraderAPI(coursedir, config=coursedir.config)
        result = api.autograde("tiny", who, force=True)
        if "Killed" in result.get("error", ""):
            raise Killed
        assert result["success"], f"{result.get('error')}\n{result.get('log')}"

    button = autograde

    def killed(self, course: Course, moment: int) -> None:
        with dying(course.folder, moment):
            self.grade(course)

    def killed_autograde(self, course: Course, moment: int) -> None:
        with dying(course.folder, moment):
            self.autograde(course)


class Commands:
    """The doors as commands."""

    def grade(self, course: Course, *words: str, out: Path | None = None) -> None:
        to = ("-o", str(out)) if out else ()
        said = proctor(course, "grade", "tiny", "-q", *words, *to)
        assert said.code in (0, 1), said.all

    def autograde(self, course: Course) -> None:
        said = autograde(course, "--force")
        assert said.code == 0, said.all

    def button(self, course: Course, who: str) -> None:
        said = autograde(course, "--force", f"--student={who}")
        assert said.code == 0, said.all

    def killed(self, course: Course, moment: int) -> None:
        said = dying_proctor(course, moment, "grade", "tiny", "-q")
        assert said.code in (0, 1, -signal.SIGKILL), said.all

    def killed_autograde(self, course: Course, moment: int) -> None:
        self.killed(course, moment)


# --- The end --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def roll(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook that knows everybody: who is gone is missing, wherever the class was marked."""
    path = tmp_path_factory.mktemp("roll") / "gradebook.db"
    shutil.copy(built_tiny / "course" / "gradebook.db", path)  # it knows the assignment
    with open_gradebook(f"sqlite:///{path}", "tiny") as book:
        for who in STUDENTS:
            book.update_or_create_student(who)
    return path


def marks(course: Course, out: Path, present: list[str], story: str) -> dict[str, Any]:
    """What counts in the end: verdicts, the gradebook's marks, and what is handed over."""
    found: dict[str, Any] = {}
    with open_gradebook(f"sqlite:///{out / 'gradebook.db'}", "tiny") as book:
        found["students"] = sorted(one.id for one in book.students)
        for who in present:
            found[f"verdict of {who}"] = (out / "verdicts" / f"{who}.json").read_bytes()
            found[f"notebook of {who}"] = (
                out / "autograded" / who / "tiny" / "tiny.ipynb"
            ).read_bytes()
            found[f"page of {who}"] = (out / "feedback" / who / "tiny" / "tiny.html").read_bytes()
            grades = book.find_submission_notebook("tiny", "tiny", who).grades
            found[f"marks of {who}"] = sorted(
                (one.name, one.auto_score, one.manual_score, one.needs_manual_grade)
                for one in grades
            )
    file = out / "handed-over.csv"
    words = ["--course", str(course.folder), "export", "tiny", "--to", "csv"]
    done = CliRunner().invoke(main, [*words, "-o", str(file), "--from", str(out)])
    assert done.exit_code in (0, 1), done.output
    for row in csv.DictReader(file.open(newline="", encoding="utf-8")):
        if row["student"] in present:
            found[f"handed over of {row['student']}"] = row
        else:  # gone, or never there: both alike
            assert (row["status"], row["score"]) == ("missing", ""), f"{row}, after:\n{story}"
    return found


def run_sequence(world: World, roll: Path, clean: Path, length: int) -> None:
    """Let things happen, mark once more, and compare with the same files marked elsewhere."""
    clean.mkdir()
    for out in (world.course.folder, clean):
        shutil.copy(roll, out)
    world.hand_in()
    for _ in range(length):
        world.happen()
    world.grade()
    world.doors.grade(world.course, out=clean)
    present = world.present()
    story = "\n".join(world.told)
    disturbed = marks(world.course, world.course.folder, present, story)
    undisturbed = marks(world.course, clean, present, story)
    for what, value in undisturbed.items():
        assert disturbed[what] == value, f"{what}, after:\n{story}"


def works(course: Course) -> list[bytes]:
    """What students hand in: all right, half, wrong, nothing, and what cannot be read."""
    answers = (
        {"double": DOUBLE, "mean": MEAN},
        {"double": DOUBLE},
        {"double": DOUBLE.replace("2 * a", "3 * a"), "mean": MEAN},
        {},
    )
    return [*(nbformat.writes(student(course, **one)).encode() for one in answers), b'{"cells": [']


@pytest.fixture(scope="module")
def warm(built_tiny: Path) -> Iterator[Here]:
    """The doors of this process; work that was marked before is not marked again."""
    with ExitStack() as stack:
        stack.enter_context(warm_marking.remembered())
        yield Here()


@pytest.mark.parametrize("part", range(max(1, SEQUENCES // PART)))
def test_any_sequence_ends_as_one_undisturbed_run(
    warm: Here,
    built_tiny: Path,
    roll: Path,
    tmp_path: Path,
    part: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # a course adds itself, and each slows the next
    for number in range(part * PART, (part + 1) * PART):
        root = (
            tmp_path / "world"
        )  # the same for all: what is compiled for its gradebook is used again
        shutil.copytree(built_tiny, root / "tiny")
        course = Course((root / "tiny" / "course").resolve())
        draw = random.Random(number)
        world = World(course, draw, works(course), warm)
        run_sequence(world, roll, root / "clean", draw.randint(3, 8))
        shutil.rmtree(root)


@pytest.mark.parametrize("seed", range(10))
def test_any_sequence_of_commands_ends_as_one_undisturbed_run(
    tiny: Course, roll: Path, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(1000 + seed)
    world = World(tiny, draw, works(tiny), Commands())
    run_sequence(world, roll, tmp_path / "clean", 5)
