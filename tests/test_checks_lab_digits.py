"""Every wrong answer of the catalogue is named by its check; every right one passes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
import pytest
from PIL import Image
from support.lab_side import Classroom, in_the_notebook, judge, run_cell, score

import public_tests
from course.checks import sheets
from course.checks.lab_digits import lab
from course.checks.network import digits, reference_logits, reference_weights
from course.mutants import Mutant, Variant
from course.mutants.lab_digits import MUTANTS, RIGHT, VARIANTS
from labkit.descriptions import accuracy
from labkit.exercises import TITLES, preprocess
from proctor.kernel.student_side import RemoteSide
from public_tests import NotStarted

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = {exercise.id: exercise for exercise in lab.exercises}
HIDDEN = {check.id: check.hidden for exercise in lab.exercises for check in exercise.checks}

USES = {"train": ("split", "model"), "predict": ("softmax", "model")}
"""Which other graded cells an exercise's own cell needs; the parts of the split are given."""


@pytest.fixture(scope="module")
def classroom() -> Classroom:
    """A side for each submission, with the names that the notebook's given cells define."""
    import keras

    import utils

    X, y = (part.copy() for part in digits())
    given: dict[str, Any] = {
        "np": np,
        "keras": keras,
        "utils": utils,
        "Image": Image,
        "Sequential": keras.Sequential,
        "Input": keras.Input,
        "Dense": keras.layers.Dense,
        "Adam": keras.optimizers.Adam,
        "SparseCategoricalCrossentropy": keras.losses.SparseCategoricalCrossentropy,
        "NotStarted": NotStarted,
        "X": X,
        "y": y,
    }
    names = dict(given)
    assert run_cell(RIGHT["split"], names) is None
    parts = names["split_data"](X, y)
    given.update(zip(("X_train", "X_test", "y_train", "y_test"), parts, strict=True))
    return Classroom(lab, given)


def side_of(
    classroom: Classroom, exercise: str, code: str, also: Mapping[str, str] | None = None
) -> RemoteSide:
    """A side on which `code` was run for `exercise`, after the right cells that it needs."""
    before = {name: RIGHT[name] for name in USES.get(exercise, ())}
    return classroom.side({**before, **(also or {}), exercise: code})


def test_the_points_add_up_and_every_dependency_exists() -> None:
    lab.validate()


def test_the_exercises_and_their_points_are_those_of_the_lab() -> None:
    points = {"softmax": 10, "model": 15, "dense": 10, "split": 15, "loss": 15, "train": 10}
    points.update(predict=10, preprocess=15)
    assert {exercise.id: exercise.points for exercise in lab.exercises} == points


ROWS_OF_LOSS = {f"33{letter}" for letter in "abcdef"}


def test_every_row_of_the_catalogue_has_a_mutant_and_every_id_is_used_once() -> None:
    assert {mutant.row for mutant in MUTANTS} >= {*range(1, 42), *ROWS_OF_LOSS}
    ids = [answer.id for answer in (*MUTANTS, *VARIANTS)]
    assert len(ids) == len(set(ids))


LOSS_OF_SOFTMAX = """# UNQ_C5
def cross_entropy(logits, y):
    p = np.array([my_softmax(row) for row in logits])
    rows = np.arange(len(y))
    exact = np.logaddexp.reduce(logits, axis=1) - logits[rows, y]
    loss = np.where(p[rows, y] > 0, -np.log(p[rows, y]), exact).mean()
    p[rows, y] -= 1
    return loss, p / len(y)
"""
PREDICT_OF_SOFTMAX = """# UNQ_C7
def predict_digits(model, X):
    p = np.array([my_softmax(z) for z in model.predict(X, verbose=0)])
    return p.argmax(axis=1), p
"""
LEND = next(
    cell.source
    for cell in jupytext.read(ROOT / "course" / "lab_digits.py", fmt="py:percent").cells
    if cell.metadata.get("id") == "held_out"
)
BUILDS_ON = {
    "softmax": {"loss": LOSS_OF_SOFTMAX, "predict": PREDICT_OF_SOFTMAX},
    "model": {"train": RIGHT["train"], "predict": RIGHT["predict"]},
    "split": {"train": f"{LEND}\n{RIGHT['train']}"},
    "train": {"predict": RIGHT["predict"]},
}
"""Right answers of later exercises that use what an exercise makes; of the others none does."""
PUBLIC_TESTS = {
    "softmax": (public_tests.test_my_softmax, "my_softmax"),
    "model": (public_tests.test_model, "model"),
    "dense": (public_tests.test_my_dense, "my_dense"),
    "split": (public_tests.test_split_data, "split_data X y"),
    "loss": (public_tests.test_cross_entropy, "cross_entropy X y"),
    "train": (public_tests.test_training, "model history X_train y_train X_test y_test"),
    "predict": (public_tests.test_predict_digits, "predict_digits model X"),
    "preprocess": (public_tests.test_preprocess, "preprocess"),
}
"""The same in the notebook: the check's function, and the names that it is given."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_wrong_answer_fails_the_named_check_which_says_why(
    mutant: Mutant, classroom: Classroom
) -> None:
    side = side_of(classroom, mutant.exercise, mutant.code, mutant.also)
    outcomes = judge(EXERCISES[mutant.exercise], side, until=mutant.check)
    finding = outcomes[mutant.check]
    assert isinstance(finding, Exception), f"{mutant.check}: {finding}"
    assert mutant.says in getattr(finding, "cause", str(finding))
    if not HIDDEN[mutant.check]:
        test, wanted = PUBLIC_TESTS[mutant.exercise]
        names = side.kernel.names  # type: ignore[attr-defined]
        told = in_the_notebook(test, names, wanted, side.cells)
        assert told is not None or not names.keys() >= set(wanted.split()), "green in the notebook"
        if mutant.exercise != "train":  # trained too briefly here: another check may come first
            assert told is None or mutant.says in str(told), str(told)
    assert not changed_elsewhere(mutant, side, classroom)
    # On the same side, since a wrong answer may take seconds to run: what builds on it.
    assert not wrongly_blamed(mutant, side)


OWN = {
    "softmax": "my_softmax",
    "model": "model",
    "dense": "my_dense",
    "split": "split_data",
    "loss": "cross_entropy",
    "train": "model history X_train y_train X_test y_test",
    "predict": "predict_digits",
    "preprocess": "preprocess",
}
"""What an exercise may give a value: no other exercise looks at it but those that build on it."""


def changed_elsewhere(mutant: Mutant, side: RemoteSide, classroom: Classroom) -> list[str]:
    """Return the notebook's names, those of other exercises left out, that an answer has changed.

    The marks of the exercises that do not build on it cannot change then.
    """
    names, own = side.kernel.names, OWN[mutant.exercise].split()  # type: ignore[attr-defined]
    other = [name for name, value in classroom.given.items() if names.get(name) is not value]
    written = [
        name for name, kept in zip("Xy", digits(), strict=True) if (names[name] != kept).any()
    ]
    return [name for name in other + written if name not in own]


def wrongly_blamed(mutant: Mutant, side: RemoteSide) -> dict[str, str]:
    """Return the checks of later exercises that fail without naming the exercise at fault.

    In the marking by their ids, and in the notebook, where nobody trains again.
    """
    names = side.kernel.names  # type: ignore[attr-defined]
    at_fault = [TITLES[name].partition(",")[0] for name in (mutant.exercise, *mutant.also)]
    blamed = {}
    for exercise, code in BUILDS_ON.get(mutant.exercise, {}).items():
        sources = {**side.sources, exercise: code}
        other = {"model": "split", "split": "model"}.get(mutant.exercise)
        if other:
            sources[other] = RIGHT[other]
            run_cell(RIGHT[other], names, other)
        run_cell(code, names, exercise)
        later = RemoteSide(side.kernel, sources, cells=(*side.cells, code))
        found = judge(EXERCISES[exercise], later)
        test, wanted = PUBLIC_TESTS[exercise]
        if not HIDDEN[mutant.check]:  # what marking alone can find, the notebook cannot name
            found["in the notebook"] = in_the_notebook(test, names, wanted, sources.values())
        for check, finding in found.items():
            cause = getattr(finding, "cause", str(finding))
            if isinstance(finding, Exception) and not any(n in cause for n in at_fault):
                blamed[f"{exercise}, {check}"] = str(finding)
    return blamed


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_right_answer_of_another_form_gets_full_points(
    variant: Variant, classroom: Classroom
) -> None:
    outcomes = judge(
        EXERCISES[variant.exercise], side_of(classroom, variant.exercise, variant.code), seed=1
    )
    failed = {id: str(finding) for id, finding in outcomes.items() if finding is not None}
    assert not failed
    assert score(EXERCISES[variant.exercise], outcomes) == EXERCISES[variant.exercise].points


@pytest.mark.parametrize("code", ["raise NotStarted\n", "", "syntax error here\n"])
def test_an_exercise_without_an_answer_gets_no_points(code: str, classroom: Classroom) -> None:
    for exercise in lab.exercises:
        outcomes = judge(exercise, side_of(classroom, exercise.id, code))
        assert score(exercise, outcomes) == 0, exercise.id


def test_an_unfilled_function_gets_no_points_and_is_called_not_started(
    classroom: Classroom,
) -> None:
    unfilled = [mutant for mutant in MUTANTS if mutant.says == "not started"]
    assert len(unfilled) == 6
    for mutant in unfilled:
        exercise = EXERCISES[mutant.exercise]
        outcomes = judge(exercise, side_of(classroom, mutant.exercise, mutant.code))
        assert score(exercise, outcomes) == 0, mutant.id


@pytest.mark.parametrize(
    ("id", "points"),
    [
        ("softmax-no-shift", 8),
        ("softmax-list", 9),
        ("softmax-two-axes", 9),
        ("softmax-in-place", 9),
        ("model-no-input", 13),
        ("model-functional", 14),
        ("model-sigmoid", 11),
        ("dense-extra-axis", 8),
        ("split-sorted", 14),
        ("predict-one-by-one", 9),
        ("preprocess-alpha-black", 14),
    ],
)
def test_one_slip_costs_what_its_own_check_is_worth(
    id: str, points: float, classroom: Classroom
) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.id == id)
    exercise = EXERCISES[mutant.exercise]
    side = side_of(classroom, mutant.exercise, mutant.code, mutant.also)
    assert score(exercise, judge(exercise, side)) == points


def test_a_table_of_the_public_inputs_earns_no_values(classroom: Classroom) -> None:
    table = (
        "from labkit.exercises.softmax import CASES\n"
        "def my_softmax(z):\n"
        "    for given, p in CASES.values():\n"
        "        if list(z) == given:\n"
        "            return np.array(p)\n"
        "    return np.ones(len(z)) / len(z)\n"
    )
    outcomes = judge(EXERCISES["softmax"], side_of(classroom, "softmax", table))
    assert isinstance(outcomes["softmax-values"], Exception)
    assert score(EXERCISES["softmax"], outcomes) <= 5


def test_no_check_hands_out_the_weights_or_the_logits_of_a_trained_network(
    classroom: Classroom,
) -> None:
    keeps = """
given_before = []
def my_dense(a_in, W, b, g):
    given_before.extend([W, b])
    return g(a_in @ W + b)
"""
    side = side_of(classroom, "dense", keeps)
    outcomes = judge(EXERCISES["dense"], side)
    assert score(EXERCISES["dense"], outcomes) == 10
    sizes = [w.shape for w in reference_weights()]
    given = [w for w in side.get("given_before") if w.shape in sizes]
    assert len(given) >= 6
    for mine, theirs in itertools.product(given, reference_weights()):
        assert mine.shape != theirs.shape or not np.allclose(mine, theirs, atol=1e-3)
    asks = "asked = []\ndef predict_digits(model, X):\n    asked.append(model.predict(X))\n"
    side = classroom.side({"predict": asks})  # without a model
    judge(EXERCISES["predict"], side)
    logits = side.get("asked")[0]
    right = (logits.argmax(axis=1) == digits()[1][::700][:7]).sum()
    assert right < 5, "these are logits of a network that has learnt the digits"


@pytest.mark.parametrize("seed", range(12))
def test_sheets_drawn_for_a_submission_fail_no_right_answer(
    seed: int, classroom: Classroom
) -> None:
    draw, drawn = np.random.default_rng(seed), []
    while len(drawn) < 6:
        drawn.append(sheets.drawn(draw))
    variant = [v for v in VARIANTS if v.exercise == "preprocess"][seed % 4]
    side = side_of(classroom, "preprocess", variant.code)
    for sheet in drawn:
        for check in (preprocess.ink, preprocess.crop, preprocess.centre, preprocess.order):
            check(side, sheet)
        preprocess.colour(side, "rgb", "rgba", "cut out", sheet=sheet)
    sheets.told_apart(side, draw)


def test_a_row_written_beforehand_earns_what_a_constant_earns(classroom: Classroom) -> None:
    exercise = EXERCISES["preprocess"]
    for id in ("preprocess-same-for-all", "preprocess-hardly-looks"):
        mutant = next(mutant for mutant in MUTANTS if mutant.id == id)
        outcomes = judge(exercise, side_of(classroom, "preprocess", mutant.code))
        assert score(exercise, outcomes) == 1
        assert [check for check, found in outcomes.items() if found is None] == [
            "preprocess-returns"
        ]


def test_a_table_of_the_public_sheets_earns_no_form(classroom: Classroom) -> None:
    table = """
from labkit.exercises.preprocess import SHEET
def preprocess(image):
    if image.shape[:2] == (200, 160):  # upright seven, moved about by what the picture holds
        return np.roll(SHEET.pattern(), int(image.sum()) % 5, 1).ravel(order="F")
    return np.zeros(400)
"""
    exercise = EXERCISES["preprocess"]
    outcomes = judge(exercise, side_of(classroom, "preprocess", table))
    for check in ("crop", "centre", "order"):
        assert outcomes[f"preprocess-{check}"] is not None


def test_the_reference_network_reads_the_digits_that_it_was_trained_on() -> None:
    X, y = digits()
    assert accuracy(reference_logits(X), y) >= 0.99
