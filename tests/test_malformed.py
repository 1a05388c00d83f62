"""Every malformed submission, read and assembled; what running them gives is another test."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
from support.malformed_class import Case, make_class, make_zip
from support.sample_lab import LAB, SOFTMAX, solved, source_notebook

from proctor.errors import RejectedError
from proctor.examine.assemble import Assembled, assemble
from proctor.intake.lms_file_names import safe_id
from proctor.intake.submissions import Handed, Submission, collect, read

Result = RejectedError | tuple[Submission, Assembled]


def process(handed: Handed) -> Result:
    try:
        submission = read(handed, LAB)
    except RejectedError as error:
        return error
    return submission, assemble(source_notebook(), submission)


@pytest.fixture(scope="module")
def in_tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Case, Handed, Result]]:
    """Return the class from nbgrader's tree: from the original id to case, intake and result."""
    folder = tmp_path_factory.mktemp("submitted")
    cases = {case.student: case for case in make_class(folder, LAB, solved())}
    handed = collect(folder, LAB)
    return {one.original: (cases[one.original], one, process(one)) for one in handed}


@pytest.fixture(scope="module")
def in_zip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Case, Handed, Result]]:
    """Return the class from an LMS's archive in the same form."""
    path = tmp_path_factory.mktemp("zip") / "class.zip"
    cases = {case.student: case for case in make_zip(path, LAB, solved())}
    handed = collect(path, LAB)
    return {one.original: (cases[one.original], one, process(one)) for one in handed}


def check(case: Case, result: Result) -> None:
    if isinstance(result, RejectedError):
        assert (case.outcome, case.code) == ("rejected", result.code)
        assert result.message.endswith(".")
        return
    submission, assembled = result
    problems = [*submission.problems, *assembled.problems]
    status = "needs_attention" if any(problem.attention for problem in problems) else "graded"
    assert status == case.outcome, problems
    assert (case.code in {problem.code for problem in problems}) if case.code else not problems
    graded = {step.id: step for step in assembled.steps if step.kind == "graded"}
    assert [step.id for step in assembled.steps if step.kind == "test"] == [
        "softmax",
        "dense",
        "predict",
    ]
    for exercise in ("softmax", "dense", "predict"):
        right = exercise in graded and graded[exercise].source.endswith(
            ("return a\n", "return a_out\n", "return digits\n")
        )
        assert right == (exercise not in case.lost)


def test_every_malformed_submission_gets_its_own_outcome(in_tree):
    for case, _, result in in_tree.values():
        check(case, result)


def test_every_row_but_those_of_archives_and_the_roster_has_a_case_in_the_tree(in_tree):
    rows = {case.row for case, _, _ in in_tree.values()}
    assert rows == set(range(23)) - {20, 22}


def test_every_entry_of_an_archive_gets_its_own_outcome(in_zip):
    assert len(in_zip) == 15
    for case, _, result in in_zip.values():
        check(case, result)


def test_the_right_ones_among_them_are_read_whole(in_tree, in_zip):
    good = [result for case, _, result in [*in_tree.values(), *in_zip.values()] if case.row == 0]
    assert len(good) == 5
    for submission, assembled in good:
        assert assembled.problems == submission.problems == ()
        assert set(assembled.answers) == {"softmax", "dense", "predict"}


def test_nobody_is_lost_and_ids_are_safe_and_unique(in_tree):
    ids = [handed.student for _, handed, _ in in_tree.values()]
    assert len(set(ids)) == len(ids) == len(in_tree)
    assert all(safe_id(one) == one and one[0] != "." and "/" not in one for one in ids)
    for plain in ("Ada Lovelace", "Żółć 数字"):
        assert in_tree[plain][1].student == in_tree[plain][1].original == plain


@pytest.mark.parametrize("student", ["huge", "deep"])
def test_what_is_too_large_or_too_deep_is_refused_within_a_second_and_32_mb(in_tree, student):
    _, handed, _ = in_tree[student]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with pytest.raises(RejectedError):
        read(handed, LAB)
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_nothing_of_an_archive_is_written_outside_the_given_folder(tmp_path: Path):
    make_zip(tmp_path / "class.zip", LAB, solved())
    work = tmp_path / "a" / "b" / "work"
    handed = collect(tmp_path / "class.zip", LAB, workdir=work)
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {tmp_path / "class.zip", *work.glob("*.ipynb")}
    assert {one.path for h in handed for one in h.candidates} == set(work.glob("*.ipynb"))


def test_a_nul_fails_its_own_cell_with_the_line_and_leaves_the_others(in_tree):
    _, _, result = in_tree["nul"]
    assert not isinstance(result, RejectedError)
    _, assembled = result
    step = next(step for step in assembled.steps if step.id == "softmax" and step.kind == "graded")
    line = len(SOFTMAX.splitlines()) + 2
    with pytest.raises(SyntaxError, match=f"Line {line} of this cell contains a NUL"):
        exec(step.source)
