"""Marking a class: scores, reasons, reruns, and what one student's trouble may not do."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import nbformat
import pytest
from support import needs
from support.tinycourse import CHECKS, DOUBLE, MEAN, hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.errors import KernelStartError
from proctor.record import gradebook
from proctor.record.run_record import ClassResult

ENDLESS = MEAN.replace("    return", "    while True:\n        pass\n    return")


def mark(course: Course, **options: object) -> ClassResult:
    return grade(course, course.lab("tiny"), course.folder / "submitted", **options)  # type: ignore[arg-type]


def score_of(course: Course, name: str, **answers: str) -> float:
    hand_in(course, name, student(course, **answers))
    return mark(course).verdicts[name].score


def test_a_class_is_marked_and_written(tiny: Course) -> None:
    hand_in(tiny, "right", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "wrong", student(tiny, double=DOUBLE.replace("2 * a", "3 * a"), mean=MEAN))
    hand_in(tiny, "blank", student(tiny))
    hand_in(tiny, "broken", b'{"cells": [')
    result = mark(tiny, jobs=2)
    scores = {name: verdict.score for name, verdict in result.verdicts.items()}
    assert scores == {"blank": 0.0, "broken": 0.0, "right": 10.0, "wrong": 4.0}
    assert result.verdicts["broken"].status == "rejected"
    assert result.needs_attention
    db_url = f"sqlite:///{tiny.folder / 'gradebook.db'}"
    assert gradebook.scores(db_url, "tiny", "tiny") == scores
    for name in scores:
        assert (tiny.folder / "feedback" / name / "tiny" / "tiny.html").is_file()
        written = json.loads((tiny.folder / "verdicts" / f"{name}.json").read_text())
        assert written["score"] == scores[name]


def test_partial_credit_and_the_reason(tiny: Course) -> None:
    in_place = DOUBLE.replace("return 2 * a", "a *= 2\n    return a")
    hand_in(tiny, "s", student(tiny, double=in_place, mean=MEAN))
    verdict = mark(tiny).verdicts["s"]
    checks = {check.id: check for exercise in verdict.exercises for check in exercise.checks}
    assert checks["double-value"].passed and not checks["double-untouched"].passed
    assert checks["double-untouched"].cause == "It changes the array that it was given."


def test_a_run_that_finds_everything_marked_starts_no_process(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    mark(tiny)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = mark(tiny)
    assert (again.marked, again.kept) == (0, 1)
    assert resource.getrusage(resource.RUSAGE_CHILDREN) == before


@needs.isolation
def test_a_limit_that_raises_is_named_in_the_verdict(tiny: Course) -> None:
    limits = {
        "memory": ("np.ones(10**13)", "4096 MiB of memory and asked for more"),
        "file-size": ("open('f', 'wb').truncate(300 * 2**20)", "files of up to 256 MiB"),
        "open-files": ("kept = [open('/dev/null') for _ in range(2000)]", "hold 1024 files open"),
        "processes": (
            "import threading, time\n"
            "    for _ in range(2000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
            "256 processes and threads",
        ),
    }
    for name, (code, _) in limits.items():
        mean = MEAN.replace("    return", f"    {code}\n    return")
        hand_in(tiny, name, student(tiny, double=DOUBLE, mean=mean))
    in_a_cell = "kept = np.ones(10**13)\n" + MEAN
    hand_in(tiny, "cell", student(tiny, double=DOUBLE, mean=in_a_cell))
    verdicts = mark(tiny, jobs=3).verdicts
    for name, (_, sentence) in {**limits, "cell": limits["memory"]}.items():
        assert sentence in verdicts[name].exercises[1].checks[0].cause, name
        assert verdicts[name].score == 6.0


def test_a_hidden_check_tells_its_cause_but_not_its_inputs(tiny: Course) -> None:
    example_only = DOUBLE.replace("return 2 * a", "return np.array([2.0, -4.0])")
    hand_in(tiny, "s", student(tiny, double=example_only))
    mark(tiny)
    verdict = (tiny.folder / "verdicts" / "s.json").read_text()
    page = (tiny.folder / "feedback" / "s" / "tiny" / "tiny.html").read_text()
    for text in (verdict, page):
        assert "It works for the example only." in text
        assert "secret" not in text


def test_an_unsolved_cell_is_called_not_started(tiny: Course) -> None:
    hand_in(tiny, "s", student(tiny))
    verdict = mark(tiny).verdicts["s"]
    assert verdict.score == 0
    assert all("not started" in exercise.checks[0].cause for exercise in verdict.exercises)


def test_an_endless_loop_costs_its_exercise_alone(tiny: Course) -> None:
    looping = ENDLESS.replace("UNQ_T2", "UNQ_T1").replace("mean", "double")
    hand_in(tiny, "s", student(tiny, double=looping, mean=MEAN))
    verdict = mark(tiny).verdicts["s"]
    assert [exercise.score for exercise in verdict.exercises] == [0.0, 4.0]
    assert "within 3 seconds" in verdict.exercises[0].checks[0].cause


def test_an_exit_keeps_what_was_marked_before(tiny: Course) -> None:
    hand_in(tiny, "s", student(tiny, double=DOUBLE, mean="import os\nos._exit(0)"))
    verdict = mark(tiny).verdicts["s"]
    assert [exercise.score for exercise in verdict.exercises] == [6.0, 0.0]
    assert verdict.status == "needs_attention"


def test_printing_and_stderr_cost_nothing(tiny: Course) -> None:
    noisy = "import sys, warnings\nwarnings.warn('careful')\nprint('x', file=sys.stderr)\n" + DOUBLE
    assert score_of(tiny, "s", double=noisy, mean=MEAN) == 10


def test_printing_the_value_instead_of_returning_it_earns_nothing(tiny: Course) -> None:
    assert score_of(tiny, "s", double=DOUBLE.replace("return 2 * a", "print(2 * a)")) == 0


def test_metadata_stripped_by_an_editor_is_marked_by_the_markers(tiny: Course) -> None:
    notebook = student(tiny, double=DOUBLE, mean=MEAN)
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.NotebookNode()
        cell.id = f"new-{number}"
    hand_in(tiny, "s", notebook)
    verdict = mark(tiny).verdicts["s"]
    assert verdict.score == 10
    assert "metadata-stripped" in [problem.code for problem in verdict.problems]


def test_edited_and_deleted_tests_change_nothing(tiny: Course) -> None:
    notebook = student(tiny, double=DOUBLE.replace("2 * a", "3 * a"), mean=MEAN)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "test_double"]
    for cell in notebook.cells:
        if cell.id == "test_mean":
            cell.source, cell.metadata["tags"] = "pass", ["skip-execution"]
            cell.metadata.nbgrader["points"] = 1000
    hand_in(tiny, "s", notebook)
    verdict = mark(tiny).verdicts["s"]
    assert (verdict.score, verdict.max_score) == (4, 10)


def test_a_second_run_marks_only_what_changed(tiny: Course) -> None:
    hand_in(tiny, "a", student(tiny, double=DOUBLE))
    hand_in(tiny, "b", student(tiny, mean=MEAN))
    mark(tiny)
    hand_in(tiny, "b", student(tiny, double=DOUBLE, mean=MEAN))
    result = mark(tiny)
    assert (result.marked, result.kept) == (1, 1)
    assert result.verdicts["b"].score == 10
    assert [(c.student, c.before, c.after) for c in result.changed] == [("b", 4.0, 10.0)]
    assert "double-value" in result.changed[0].checks


def test_one_worker_and_two_give_the_same_bytes(tiny: Course, tmp_path: Path) -> None:
    for name, answers in {"a": {"double": DOUBLE}, "b": {"mean": MEAN}, "c": {}}.items():
        hand_in(tiny, name, student(tiny, **answers))
    mark(tiny, out=tmp_path / "one", jobs=1)
    mark(tiny, out=tmp_path / "two", jobs=2)
    for kind in ("verdicts/*.json", "autograded/*/tiny/*.ipynb"):
        one = {
            p.relative_to(tmp_path / "one"): p.read_bytes() for p in (tmp_path / "one").glob(kind)
        }
        two = {
            p.relative_to(tmp_path / "two"): p.read_bytes() for p in (tmp_path / "two").glob(kind)
        }
        assert one == two and len(one) == 3


def test_a_broken_check_costs_nobody_anything_and_is_said(tiny: Course) -> None:
    path = tiny.folder / "checks" / "tiny.py"
    path.write_text(CHECKS.replace("a = draw.normal(size=5)", "a = draw.no_such_thing(5)"))
    hand_in(tiny, "a", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "b", student(tiny, mean=MEAN))
    result = mark(tiny)
    assert list(result.broken) == ["double-drawn"]
    assert "no_such_thing" in result.broken["double-drawn"]
    assert [v.score for v in result.verdicts.values()] == [10.0, 7.0]
    assert result.needs_attention


def test_a_check_that_a_submission_breaks_gives_no_points_and_asks_for_a_person(
    tiny: Course,
) -> None:
    """Otherwise a strange value would be a way to points."""
    odd = MEAN.replace("return a.sum() / len(a)", "return 'two'")
    hand_in(tiny, "s", student(tiny, double=DOUBLE, mean=odd))
    verdict = mark(tiny).verdicts["s"]
    assert verdict.score == 6 and verdict.status == "needs_attention"


def test_students_of_the_roster_who_handed_in_nothing_are_listed(tiny: Course) -> None:
    db_url = f"sqlite:///{tiny.folder / 'gradebook.db'}"
    with gradebook.open_gradebook(db_url, "tiny") as book:
        book.update_or_create_student("absent")
    hand_in(tiny, "here", student(tiny, double=DOUBLE))
    assert mark(tiny).missing == ["absent"]


def test_a_manual_mark_survives_a_regrade(tiny: Course) -> None:
    hand_in(tiny, "s", student(tiny, double=DOUBLE))
    mark(tiny)
    db_url = f"sqlite:///{tiny.folder / 'gradebook.db'}"
    with gradebook.open_gradebook(db_url, "tiny") as book:
        book.find_grade("test_mean", "tiny", "tiny", "s").manual_score = 3.0
        book.db.commit()
    mark(tiny, student="s")
    assert gradebook.scores(db_url, "tiny", "tiny") == {"s": 9.0}

    def waits(done: bool = False) -> bool:
        with gradebook.open_gradebook(db_url, "tiny") as book:
            grade = book.find_grade("test_mean", "tiny", "tiny", "s")
            grade.needs_manual_grade = grade.needs_manual_grade and not done
            book.db.commit()
            return bool(grade.needs_manual_grade)

    assert waits()  # marked again: a person should look whether their mark still fits
    assert not waits(done=True)
    mark(tiny)
    assert not waits()  # kept as it was: they have looked already


def test_a_cell_that_stops_as_not_started_is_told_so_whatever_a_check_finds(tiny: Course) -> None:
    stub = "class NotStarted(Exception):\n    pass\nraise NotStarted\n"
    hand_in(tiny, "s", student(tiny, double=DOUBLE.replace("2 * a", "3 * a") + stub, mean=MEAN))
    found = {e.id: e for e in mark(tiny).verdicts["s"].exercises}["double"]
    failed = [check for check in found.checks if not check.passed and not check.skipped]
    assert failed and all("not started" in check.cause for check in failed)


def test_a_relative_output_folder_is_meant_from_where_the_command_runs(
    tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tiny, "s", student(tiny, double=DOUBLE))
    monkeypatch.chdir(tmp_path)
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted", Path("marks"))
    assert (tmp_path / "marks" / "feedback" / "s" / "tiny" / "tiny.html").is_file()


@pytest.mark.parametrize("form", ["flat", "folders"])
def test_other_layouts_of_submissions(tiny: Course, tmp_path: Path, form: str) -> None:
    notebook = nbformat.writes(student(tiny, double=DOUBLE, mean=MEAN))
    path = tmp_path / "in" / ("ada/tiny.ipynb" if form == "folders" else "ada_tiny.ipynb")
    path.parent.mkdir(parents=True)
    path.write_text(notebook)
    result = grade(tiny, tiny.lab("tiny"), tmp_path / "in", tmp_path / "out")
    assert {name: v.score for name, v in result.verdicts.items()} == {"ada": 10.0}


def test_a_helper_that_cannot_be_loaded_is_said(tiny: Course) -> None:
    (tiny.root / "helper.py").write_text("raise RuntimeError('no such thing')\n")
    checks = CHECKS.replace('helpers=(Path("given.py"),)', 'helpers=(Path("helper.py"),)')
    (tiny.folder / "checks" / "tiny.py").write_text(checks)
    hand_in(tiny, "s", student(tiny))
    with pytest.raises(KernelStartError, match=r"could not be installed(.|\n)*no such thing"):
        mark(Course(tiny.folder))
