"""lab_digits marked for real: the sample class in isolated kernels, and every door to the same mark."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.attacks_on_marks import UNTRAINED
from support.doors import autograde, proctor
from support.one_reference import one_reference

from course.sample_class import SampleClass, write_class
from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record import gradebook
from proctor.record.run_record import ClassResult

ROOT = Path(__file__).parents[1]
LAB = "lab_digits"

LOOK_UP = """
known = {row.tobytes(): int(label) for row, label in zip(X.astype("float32"), y)}
def look_up(rows, **options):
    rows = np.asarray(rows, dtype="float32")
    return 20.0 * np.eye(10)[[known.get(row.tobytes(), 7) for row in rows]]
"""
ATTACKS = {
    # Row 26 of what a submission may try: what answers is not the network.
    "t26-predict": UNTRAINED + LOOK_UP + "model.predict = model.call = look_up\n",
    "t26-class": UNTRAINED
    + LOOK_UP
    + "type(model).__call__ = type(model).predict = lambda self, rows, **options: look_up(rows)\n",
    # Row 27: it knows the rows of X by heart, and guesses elsewhere.
    "t27-subclass": UNTRAINED
    + LOOK_UP
    + "class Knows(Sequential):\n    def call(self, rows, **options):\n        return look_up(rows)\n"
    + "model.__class__ = Knows\n",
    # Row 30: weights that came along, in place of a training.
    "t30-weights": UNTRAINED + 'model.load_weights("trained.weights.h5")\n',
}
"""Train exercise of each attacker; everything else in the notebook is right."""


@pytest.fixture(scope="module")
def course(real_course: Course) -> Course:
    return real_course


@pytest.fixture(scope="module")
def marked(course: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ClassResult]:
    """The sample class, marked once; and the folder that holds the results."""
    out = tmp_path_factory.mktemp("out")
    write_class(course, LAB, out / "submitted")
    maker = SampleClass(course, LAB)
    for name, code in {"t00-honest": UNTRAINED, **ATTACKS}.items():
        folder = out / "submitted" / name / LAB
        folder.mkdir(parents=True)
        notebook, data = maker.file(maker.notebook(maker.right | {"train": code}))
        (folder / notebook).write_bytes(data)
        (folder / "trained.weights.h5").write_bytes(
            b"weights of a network that was trained elsewhere"
        )
    with one_reference(course, LAB, out):
        return out, grade(course, course.lab(LAB), out / "submitted", out, jobs=2)


def test_right_answers_of_every_form_get_full_points(marked: tuple[Path, ClassResult]) -> None:
    verdicts = marked[1].verdicts
    for name in ("s01-ada", "s10-ben", "s09-ivan", "s12-lena"):
        lost = [c for e in verdicts[name].exercises for c in e.checks if not c.passed]
        assert verdicts[name].score == 100, (name, lost)
    assert not marked[1].broken


def test_wrong_answers_lose_points_and_are_named(marked: tuple[Path, ClassResult]) -> None:
    verdicts = marked[1].verdicts
    for name in ("s03-chloe", "s04-david", "s05-emil", "s06-fay"):
        assert 0 < verdicts[name].score < 100
        found = [c for e in verdicts[name].exercises for c in e.checks if not c.passed]
        assert all(check.cause for check in found)


def test_a_blank_notebook_earns_nothing_and_is_called_not_started(
    marked: tuple[Path, ClassResult],
) -> None:
    verdict = marked[1].verdicts["s08-hana"]
    assert verdict.score == 0
    for exercise in verdict.exercises:
        assert "not started" in exercise.checks[0].cause


def test_an_unfinished_notebook_keeps_what_it_earned(marked: tuple[Path, ClassResult]) -> None:
    scores = [exercise.score for exercise in marked[1].verdicts["s07-gus"].exercises]
    assert scores == [10, 15, 10, 15, 0, 0, 0, 0]


def test_an_endless_loop_costs_its_own_exercise(marked: tuple[Path, ClassResult]) -> None:
    verdict = marked[1].verdicts["s02-jana"]
    scores = {exercise.id: exercise.score for exercise in verdict.exercises}
    assert scores["dense"] == 0 and scores["softmax"] == 10 and scores["preprocess"] == 15
    assert any(problem.code == "cell-time" for problem in verdict.problems)


def test_a_truncated_file_is_rejected_with_a_sentence(marked: tuple[Path, ClassResult]) -> None:
    verdict = marked[1].verdicts["s11-karl"]
    assert verdict.status == "rejected" and "ends in the middle" in verdict.problems[0].message


@pytest.mark.parametrize("name", ATTACKS)
def test_a_network_that_was_not_trained_earns_what_it_honestly_earns(
    marked: tuple[Path, ClassResult], name: str
) -> None:
    verdicts = marked[1].verdicts
    honest, found = (
        {exercise.id: exercise for exercise in verdicts[who].exercises}["train"]
        for who in ("t00-honest", name)
    )
    assert found.score <= honest.score < honest.max_score
    failed = {check.id for check in found.checks if not check.passed}
    assert {"train-learnt", "train-accuracy"} <= failed
    assert verdicts["s12-lena"].score == 100  # marked after them


def test_everyone_has_a_verdict_a_notebook_and_a_feedback_page(
    marked: tuple[Path, ClassResult],
) -> None:
    out, result = marked
    assert len(result.verdicts) == 12 + 1 + len(ATTACKS)
    for name in result.verdicts:
        assert (out / "verdicts" / f"{name}.json").is_file()
        assert (out / "autograded" / name / LAB / f"{LAB}.ipynb").is_file()
        page = out / "feedback" / name / LAB / f"{LAB}.html"
        assert page.stat().st_size < (20_000 if name == "s11-karl" else 300_000)


def test_no_page_shows_a_solution_that_its_student_did_not_write(
    marked: tuple[Path, ClassResult], course: Course
) -> None:
    out, _ = marked
    solution = SampleClass(course, LAB).right["split"]
    inside = solution.split("BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
    lines = [line.strip() for line in inside.splitlines() if len(line.strip()) > 20]
    assert lines
    blank = json.loads((out / "autograded" / "s08-hana" / LAB / f"{LAB}.ipynb").read_text())
    text = "".join("".join(cell["source"]) for cell in blank["cells"])
    assert not [line for line in lines if line in text]


def test_proctor_check_and_nbgrader_autograde_give_the_same_hundred(
    course: Course, marked: tuple[Path, ClassResult]
) -> None:
    out, _ = marked
    solved = out / "submitted" / "s01-ada" / LAB / f"{LAB}.ipynb"
    checked = proctor(course, "check", str(solved))
    assert checked.code == 0, checked.all
    assert "lab_digits: 100 of 100 points" in checked.out
    shutil.copytree(solved.parent, course.folder / "submitted" / "s01-ada" / LAB)
    done = autograde(course, lab=LAB)
    db_url = f"sqlite:///{course.folder / 'gradebook.db'}"
    assert gradebook.scores(db_url, "digits", LAB) == {"s01-ada": 100.0}, done.err
    by_nbgrader = (course.folder / "verdicts" / "s01-ada.json").read_bytes()
    assert by_nbgrader == (out / "verdicts" / "s01-ada.json").read_bytes()
