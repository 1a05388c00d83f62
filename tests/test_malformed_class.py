"""Every malformed submission in one class that is marked in one run, kernels and all.

What is read of each is ``test_malformed.py``'s; here each gets its verdict, and the right ones among
them their full points.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import needs
from support.malformed_class import Case, make_class, make_zip
from support.tinycourse import DOUBLE, MEAN, make_course, student

from proctor.classroom.grade import grade
from proctor.intake.submissions import collect
from proctor.record import gradebook
from proctor.record.run_record import ClassResult
from proctor.verdict import Verdict

SECONDS = 120
SENTENCES = {
    "text": "not JSON",
    "login-page": "log-in page",
    "conflict": "merge conflict",
    "truncated": "ends in the middle",
    "empty": "is empty",
    "nothing": "no notebook",
    "renamed": "'tiny (1).ipynb' instead of 'tiny.ipynb'",
    "both": "2 notebooks were handed in; 'tiny.ipynb'",
    "stripped": "lost all of nbgrader's metadata",
    "marker-gone": "it was recognised by what it defines (double)",
    "two-copies": "the last copy was marked",
    "no-nbformat": "which notebook format",
    "bom": "byte order mark",
    "latin-1": "Latin-1",
    "cyrillic": "cannot be told with certainty",
    "nul": "NUL character",
    "surrogate": "half a Unicode character",
    "fifo": "not an ordinary file",
    "folder": "not an ordinary file",
    "dangling": "link",
    "as-markdown": "is a markdown cell; it was marked as code",
    "zero-cells": "no cells",
    "null-cells": "no list of cells",
    "source-null": "source is not text",
    "deep": "levels deep",
    "huge": "MB large",
    "bob_102": "link",
    "cyd_103": "encrypted",
    "dan_104": "damaged",
    "fay_106": "inside another archive",
    "gus_107": "compressed",
}
"""What the verdict must say, in words that a student understands."""

pytestmark = needs.isolation


@dataclass
class Marked:
    """A class after marking: its cases and verdicts by the id as it was found."""

    result: ClassResult
    cases: dict[str, Case]
    verdicts: dict[str, Verdict]
    out: Path
    seconds: float


@pytest.fixture(scope="module", params=["tree", "archive"])
def marked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Marked:
    """The class as nbgrader's tree, and what only an archive can hold as an LMS's archive."""
    course = make_course(tmp_path_factory.mktemp("malformed"))
    out, handed = course.root / "out", course.root / "submitted"
    solved = json.loads(json.dumps(student(course, double=DOUBLE, mean=MEAN)))
    if request.param == "tree":
        cases = make_class(handed, "tiny", solved)
    else:
        handed = handed.with_suffix(".zip")
        cases = make_zip(handed, "tiny", solved)
    out.mkdir()
    with gradebook.open_gradebook(f"sqlite:///{out / 'gradebook.db'}", "tiny") as book:
        book.update_or_create_student("absent")
    began = time.monotonic()
    result = grade(course, course.lab("tiny"), handed, out, jobs=2)
    seconds = time.monotonic() - began
    originals = {one.student: one.original for one in collect(handed, "tiny")}
    verdicts = {originals[name]: verdict for name, verdict in result.verdicts.items()}
    return Marked(result, {case.student: case for case in cases}, verdicts, out, seconds)


def check(case: Case, verdict: Verdict) -> None:
    codes = {problem.code for problem in verdict.problems}
    assert verdict.status == case.outcome, verdict.problems
    assert case.code in codes if case.code else not codes
    text = " ".join(problem.message for problem in verdict.problems)
    assert SENTENCES.get(case.student, "") in text
    assert not text or text.endswith(".")
    full = {"double": 6.0, "mean": 4.0}
    lost = set(full) if case.outcome == "rejected" else set(case.lost)
    for exercise in verdict.exercises:
        assert exercise.score == (0.0 if exercise.id in lost else full[exercise.id])
        assert exercise.score or all(one.cause for one in exercise.checks)


def test_each_gets_its_own_verdict(marked: Marked) -> None:
    assert set(marked.verdicts) == set(marked.cases)
    wrong = {}
    for name, case in marked.cases.items():
        try:
            check(case, marked.verdicts[name])
        except AssertionError as error:
            wrong[name] = str(error)
    assert wrong == {}


def test_the_right_ones_among_them_get_full_points(marked: Marked) -> None:
    right = [name for name, case in marked.cases.items() if case.row == 0]
    assert len(right) >= 2
    assert {(marked.verdicts[name].score, marked.verdicts[name].status) for name in right} == {
        (10.0, "graded")
    }


def test_nothing_that_could_not_be_marked_is_called_graded(marked: Marked) -> None:
    for verdict in marked.verdicts.values():
        assert verdict.score > 0 or verdict.status != "graded"
        assert verdict.status == "graded" or any(one.attention for one in verdict.problems)


def test_everyone_has_a_page_and_a_row_in_the_gradebook(marked: Marked) -> None:
    scores = gradebook.scores(f"sqlite:///{marked.out / 'gradebook.db'}", "tiny", "tiny")
    assert scores == {name: verdict.score for name, verdict in marked.result.verdicts.items()}
    for name in marked.result.verdicts:
        assert (marked.out / "verdicts" / f"{name}.json").is_file()
        assert (marked.out / "feedback" / name / "tiny" / "tiny.html").is_file()


def test_who_handed_in_nothing_is_listed_and_has_no_marks(marked: Marked) -> None:
    assert marked.result.missing == ["absent"]
    assert "absent" not in marked.result.verdicts


def test_the_whole_class_takes_no_longer_than_its_right_ones_would(marked: Marked) -> None:
    assert marked.seconds < SECONDS
