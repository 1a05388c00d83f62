"""Every wrong answer of lab_mnist is named by its check; every right one passes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from support.lab_side import Classroom, in_the_notebook, judge, score

import public_tests_mnist
from course.checks.lab_mnist import lab, parts
from course.mutants import Mutant, Variant
from course.mutants.lab_mnist import MUTANTS, VARIANTS

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

EXERCISES = {exercise.id: exercise for exercise in lab.exercises}
HIDDEN = {check.id: check.hidden for exercise in lab.exercises for check in exercise.checks}
PUBLIC_TESTS = {
    "prepare": (public_tests_mnist.test_prepare, "prepare"),
    "baseline": (public_tests_mnist.test_baseline, "baseline"),
    "deep": (public_tests_mnist.test_deep, "deep deep_history X_train y_train X_test y_test"),
    "confusion": (public_tests_mnist.test_confusion, "confusion_matrix"),
    "photo": (public_tests_mnist.test_photo, "preprocess_photo"),
}
"""What the notebook runs: the check's function, and the names that it is given."""


@pytest.fixture(scope="module")
def classroom() -> Classroom:
    """A side for each submission, with the names that the notebook's given cells define."""
    import keras
    from keras.layers import Dense, Flatten
    from PIL import Image

    import utils
    import utils_mnist
    from public_tests import NotStarted

    X_train, y_train, X_test, y_test = parts()
    given: dict[str, Any] = {
        "np": np,
        "keras": keras,
        "Sequential": keras.Sequential,
        "Input": keras.Input,
        "Dense": Dense,
        "Flatten": Flatten,
        "Image": Image,
        "utils": utils,
        "utils_mnist": utils_mnist,
        "NotStarted": NotStarted,
        "X_train": X_train.astype(np.float32),
        "y_train": y_train,
        "X_test": X_test.astype(np.float32),
        "y_test": y_test,
    }
    return Classroom(lab, given)


def test_the_points_add_up_to_fifty() -> None:
    lab.validate()
    assert sum(exercise.points for exercise in lab.exercises if exercise.checks) == 50
    assert [e.points for e in lab.exercises if e.by == "person"] == [5, 5]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_wrong_answer_fails_the_named_check_which_says_why(
    mutant: Mutant, classroom: Classroom
) -> None:
    side = classroom.side({mutant.exercise: mutant.code})
    outcomes = judge(EXERCISES[mutant.exercise], side)
    finding = outcomes[mutant.check]
    assert isinstance(finding, Exception), f"{mutant.check}: {finding}"
    assert mutant.says in getattr(finding, "cause", str(finding))
    if not HIDDEN[mutant.check]:
        test, wanted = PUBLIC_TESTS[mutant.exercise]
        names = side.kernel.names  # type: ignore[attr-defined]
        told = in_the_notebook(test, names, wanted, side.cells)
        assert told is not None or not names.keys() >= set(wanted.split()), "green in the notebook"
        if mutant.exercise != "deep":  # trained too briefly here: another check comes first
            assert told is None or mutant.says in str(told), str(told)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_right_answer_gets_full_points(variant: Variant, classroom: Classroom) -> None:
    side = classroom.side({variant.exercise: variant.code})
    exercise = EXERCISES[variant.exercise]
    outcomes = judge(exercise, side, seed=1)
    assert score(exercise, outcomes) == exercise.points, outcomes


def test_what_is_wrong_without_transparency_too_is_not_blamed_on_alpha(
    classroom: Classroom,
) -> None:
    said = {}
    for id in ("photo-alpha-dropped", "photo-bytes-clipped"):
        code = next(mutant.code for mutant in MUTANTS if mutant.id == id)
        outcomes = judge(EXERCISES["photo"], classroom.side({"photo": code}), until="photo-alpha")
        said[id] = getattr(outcomes["photo-alpha"], "cause", "")
    assert "alpha channel was dropped" in said["photo-alpha-dropped"]
    assert "what is wrong is not the alpha channel" in said["photo-bytes-clipped"]
