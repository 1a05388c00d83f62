"""One mark through every door: grade, check, nbgrader, Gradescope, Dask, whatever comes between.

Each test drives the commands as an instructor does and reads what is left: verdicts, gradebook, exports.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
from pathlib import Path

import nbformat
import pytest
from support import needs
from support.doors import (
    Gradescope,
    after_first_read,
    autograde,
    book,
    check,
    dask,
    dying_proctor,
    proctor,
    scores,
    verdicts,
)
from support.tinycourse import CHECKS, DOUBLE, MASTER, MEAN, hand_in, make_course, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.store import Store

WRONG = DOUBLE.replace("2 * a", "3 * a")


def solved(course: Course) -> nbformat.NotebookNode:
    return student(course, double=DOUBLE, mean=MEAN)


def half(course: Course) -> nbformat.NotebookNode:
    """Six points of ten."""
    return student(course, double=DOUBLE)


# --- D1, D2: what is stale is known as stale ----------------------------------------------------


def test_work_put_back_after_another_door_marked_other_work_gets_its_own_mark(
    tiny: Course,
) -> None:
    hand_in(tiny, "s", solved(tiny))
    assert proctor(tiny, "grade", "tiny", "-q").code == 0
    hand_in(tiny, "s", half(tiny))
    autograde(tiny, "--force")
    assert scores(tiny) == book(tiny) == {"s": 6.0}
    hand_in(tiny, "s", solved(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    assert scores(tiny) == {"s": 10.0}
    assert book(tiny) == {"s": 10.0}


def test_a_run_that_dies_at_any_write_leaves_no_mark_of_other_work(tiny: Course) -> None:
    """Whoever hands in the earlier work again gets the earlier mark, wherever the run was killed."""
    hand_in(tiny, "zz-never-changed", solved(tiny))
    for moment in range(1, 40):
        hand_in(tiny, f"s{moment:02d}", solved(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    deaths = 0
    for moment in range(1, 40):
        who = f"s{moment:02d}"
        hand_in(tiny, who, half(tiny))
        done = dying_proctor(tiny, moment, "grade", "tiny", "-q", "--student", who)
        hand_in(tiny, who, solved(tiny))
        if done.code != -signal.SIGKILL:
            assert done.code == 0, done.all
            break
        deaths += 1
    assert deaths >= 3
    said = proctor(tiny, "grade", "tiny", "-q")
    assert said.code == 0, said.all
    assert {name: score for name, score in scores(tiny).items() if score != 10.0} == {}
    assert {name: score for name, score in book(tiny).items() if score != 10.0} == {}


# --- D3: one rule for a check that the instructor's own solution does not pass --------------------

UNTOUCHED_FAILS = CHECKS.replace(
    "    a = np.ones(3)\n", '    raise Finding("Nobody can pass this.")\n    a = np.ones(3)\n'
)


def test_a_check_that_the_solution_fails_counts_the_same_in_every_door(tmp_path: Path) -> None:
    course = make_course(tmp_path / "tiny", checks=UNTOUCHED_FAILS)
    work = {"right": solved(course), "wrong": student(course, double=WRONG, mean=MEAN)}
    paths = {name: hand_in(course, name, notebook) for name, notebook in work.items()}
    expected = {"right": 10.0, "wrong": 5.0}
    found = {"check": {name: check(course, path)[1]["score"] for name, path in paths.items()}}
    autograde(course)
    found["autograde"] = scores(course)
    found["autograde's gradebook"] = book(course)
    proctor(course, "grade", "tiny", "-q", "-o", str(tmp_path / "out"))
    found["grade"] = scores(course, tmp_path / "out")
    there = Gradescope(course, tmp_path / "autograder")
    found["gradescope"] = {n: there.mark(p.read_bytes())[1]["score"] for n, p in paths.items()}
    with dask(course, tmp_path) as address:
        far = ("--scheduler", address, "-o", str(tmp_path / "far"))
        proctor(course, "grade", "tiny", "-q", *far)
    found["dask"] = scores(course, tmp_path / "far")
    assert found == dict.fromkeys(found, expected)
    for name in expected:
        marked = [(tmp_path / "out"), (tmp_path / "far"), course.folder]
        assert len({(out / "verdicts" / f"{name}.json").read_bytes() for out in marked}) == 1


# --- D4: the bytes that were read are the bytes that are marked -----------------------------------


@needs.linux
@pytest.mark.parametrize("door", ["pool", "dask"])
def test_a_file_that_changes_while_it_waits_changes_nobody_elses_mark(
    tiny: Course, tmp_path: Path, door: str
) -> None:
    names = ("b1", "b2", "b3", "b4")
    slow = student(tiny, double="import time\ntime.sleep(2)\n" + DOUBLE, mean=MEAN)
    hand_in(tiny, "a", slow)
    for name in names:
        hand_in(tiny, name, student(tiny))
    new = tmp_path / "new.ipynb"
    new.write_text(nbformat.writes(solved(tiny)))
    waiting = tiny.folder / "submitted" / "b1" / "tiny" / "tiny.ipynb"
    changed = after_first_read(waiting, lambda: os.replace(new, waiting))
    if door == "dask":
        with dask(tiny, tmp_path) as address:
            proctor(tiny, "grade", "tiny", "-q", "--scheduler", address)
    else:
        proctor(tiny, "grade", "tiny", "-q", "--jobs", "1")
    changed.join(10)
    assert not changed.is_alive()
    first = scores(tiny)
    assert {name: first[name] for name in names[1:]} == dict.fromkeys(names[1:], 0.0)
    proctor(tiny, "grade", "tiny", "-q", "--jobs", "1")
    assert scores(tiny) == {"a": 10.0, "b1": 10.0, "b2": 0.0, "b3": 0.0, "b4": 0.0}
    assert book(tiny) == scores(tiny)


# --- D5: a lab that was changed and not built -----------------------------------------------------

MORE_POINTS = (
    MASTER.replace('graded="double" points=6', 'graded="double" points=8'),
    CHECKS.replace('"Exercise 1, double", points=6', '"Exercise 1, double", points=8').replace(
        "@double.check(points=2, hidden=False)", "@double.check(points=4, hidden=False)"
    ),
)
OTHER_CELL = (MASTER.replace("import numpy as np\n", "import numpy as np\nSCALE = 3\n"), CHECKS)


NOT_BUILT = "proctor build tiny"


@pytest.mark.parametrize(
    "master, checks, advice",
    [
        (*MORE_POINTS, NOT_BUILT),
        (MASTER, MORE_POINTS[1], "6 points here, 8 in course/checks/tiny.py"),
        (*OTHER_CELL, NOT_BUILT),
    ],
    ids=["points", "points of the checks alone", "a cell"],
)
def test_a_lab_that_was_changed_and_not_built_is_refused_by_every_door(
    tiny: Course, tmp_path: Path, master: str, checks: str, advice: str
) -> None:
    path = hand_in(tiny, "s", half(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    assert book(tiny) == {"s": 6.0}
    (tiny.folder / "tiny.py").write_text(master.lstrip())
    (tiny.folder / "checks" / "tiny.py").write_text(checks)
    hand_in(tiny, "s", solved(tiny))
    out = ("-o", str(tmp_path / "autograder.zip"))
    for said in (
        proctor(tiny, "grade", "tiny", "-q"),
        check(tiny, path)[0],
        proctor(tiny, "export", "tiny", "--to", "gradescope", *out),
    ):
        assert said.code == 2, said.all
        assert advice in said.all
    said = autograde(tiny, "--force")
    assert said.code != 0 and advice in said.all
    assert scores(tiny) == {"s": 6.0} and book(tiny) == {"s": 6.0}
    assert not (tmp_path / "autograder.zip").exists()
    if advice != NOT_BUILT:
        assert proctor(tiny, "build", "tiny").code == 2
        (tiny.folder / "tiny.py").write_text(MORE_POINTS[0].lstrip())
    assert proctor(tiny, "build", "tiny").code == 0
    said = proctor(tiny, "grade", "tiny", "-q")
    assert said.code == 0, said.all
    most = 12.0 if checks != CHECKS else 10.0
    assert book(tiny) == {"s": most} and verdicts(tiny)["s"]["max_score"] == most


# --- D6: who is gone ------------------------------------------------------------------------------


@pytest.mark.parametrize("renamed", [False, True])
def test_a_submission_that_is_gone_is_said_and_not_handed_over_silently(
    tiny: Course, tmp_path: Path, renamed: bool
) -> None:
    hand_in(tiny, "here", solved(tiny))
    hand_in(tiny, "gone", half(tiny))
    roster = tmp_path / "roster.csv"
    roster.write_text("id,lms_user_id\nhere,1\ngone,2\nnew,3\n")
    proctor(tiny, "roster", str(roster))
    proctor(tiny, "grade", "tiny", "-q")
    submitted = tiny.folder / "submitted"
    if renamed:
        (submitted / "gone").rename(submitted / "new")
    else:
        shutil.rmtree(submitted / "gone")
    said = proctor(tiny, "grade", "tiny")
    assert re.search(r"\bgone\b", said.all), said.all
    file = tmp_path / "marks.csv"
    said = proctor(tiny, "export", "tiny", "--to", "canvas", "-o", str(file))
    assert said.code == 1 and re.search(r"\bgone\b", said.all), said.all
    handed_over = file.read_text()
    assert "here" in handed_over and "gone" not in handed_over
    assert ("new" in handed_over) == renamed
    said = proctor(tiny, "export", "tiny", "--to", "csv", "-o", str(file))
    assert said.code == 1 and re.search(r"\bgone\b", said.all), said.all
    rows = {row["student"]: row for row in csv.DictReader(file.open(newline=""))}
    assert "gone" not in rows or (rows["gone"]["score"], rows["gone"]["status"]) == ("", "missing")
    assert rows["here"]["score"] == "10"


@pytest.mark.parametrize("marked_before", [True, False], ids=["marked before", "never marked"])
def test_work_taken_away_after_a_run_died_over_it_is_gone(
    tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked_before: bool
) -> None:
    hand_in(tiny, "here", solved(tiny))
    if marked_before:
        hand_in(tiny, "torn", half(tiny))
        assert proctor(tiny, "grade", "tiny", "-q").code == 0
    hand_in(tiny, "torn", solved(tiny))

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "keep", dies)  # after the gradebook, before the verdict
        grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted", student="torn")
    assert book(tiny)["torn"] == 10.0
    shutil.rmtree(tiny.folder / "submitted" / "torn")
    said = proctor(tiny, "grade", "tiny")
    assert re.search(r"no longer handed in.*torn", said.all), said.all
    file = tmp_path / "marks.csv"
    proctor(tiny, "export", "tiny", "--to", "csv", "-o", str(file))
    assert "torn" not in file.read_text("utf-8")


def test_one_student_marked_again_does_not_make_the_others_gone(tiny: Course) -> None:
    hand_in(tiny, "a", solved(tiny))
    hand_in(tiny, "b", half(tiny))
    proctor(tiny, "grade", "tiny", "-q")
    proctor(tiny, "grade", "tiny", "-q", "--student", "a")
    said = proctor(tiny, "export", "tiny", "--to", "csv")
    assert said.code == 0, said.all
    assert "2 students" in said.out


# --- D10: what people read is the gradebook's -----------------------------------------------------


def test_a_manual_mark_and_a_late_penalty_show_in_what_people_read(tiny: Course) -> None:
    with (tiny.folder / "nbgrader_config.py").open("a") as config:
        config.write(
            "from nbgrader.plugins import BasePlugin\n"
            "class Two(BasePlugin):\n"
            "    def late_submission_penalty(self, student, score, seconds): return 2\n"
            "c.AssignLatePenalties.plugin_class = Two\n"
        )
    hand_in(tiny, "late", solved(tiny))
    stamp = tiny.folder / "submitted" / "late" / "tiny" / "timestamp.txt"
    stamp.write_text("2030-01-02 00:00:00 UTC")
    proctor(tiny, "grade", "tiny", "-q")
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as open_book:
        open_book.update_or_create_assignment("tiny", duedate="2030-01-01 00:00:00")
        open_book.find_grade("test_mean", "tiny", "tiny", "late").manual_score = 1.0
        open_book.db.commit()
    said = proctor(tiny, "grade", "tiny")  # 6 automatic and 1 by hand, less 2
    row = next(line for line in said.out.splitlines() if "late" in line.split())
    numbers = re.findall(r"\d+(?:\.\d+)?", row)
    assert "5" in numbers, said.out
    assert "10" not in numbers or "automatic" in said.out, said.out
    proctor(tiny, "report", "tiny")
    page = (tiny.folder / "report.html").read_text()
    row = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if ">late<" in one)
    assert ">5" in re.sub(r"\s+", "", row), row
    assert "automatic" in page
