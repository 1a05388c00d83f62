"""Every wrong answer of the catalogue is named by its check; every right one passes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from course.checks.lab_digits import lab
from course.mutants import Mutant, Variant
from course.mutants.lab_digits import MUTANTS, RIGHT, VARIANTS
from tests.lab_side import Classroom, judge, score

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

EXERCISES = {exercise.id: exercise for exercise in lab.exercises}


@pytest.fixture(scope="module")
def classroom() -> Classroom:
    """A side for each submission, with the names that the notebook's given cells define."""
    import keras
    import tensorflow as tf

    from public_tests import NotStarted

    given: dict[str, Any] = {"np": np, "tf": tf, "keras": keras, "NotStarted": NotStarted}
    return Classroom(lab, given)


def test_the_points_add_up_and_every_dependency_exists() -> None:
    lab.validate()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_wrong_answer_fails_the_named_check_which_says_why(
    mutant: Mutant, classroom: Classroom
) -> None:
    side = classroom.side({**RIGHT, **mutant.also, mutant.exercise: mutant.code})
    outcomes = judge(EXERCISES[mutant.exercise], side)
    finding = outcomes[mutant.check]
    assert isinstance(finding, Exception), f"{mutant.check}: {finding}"
    assert mutant.says in getattr(finding, "cause", str(finding))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_right_answer_of_another_form_gets_full_points(
    variant: Variant, classroom: Classroom
) -> None:
    side = classroom.side({**RIGHT, variant.exercise: variant.code})
    exercise = EXERCISES[variant.exercise]
    outcomes = judge(exercise, side, seed=1)
    assert score(exercise, outcomes) == exercise.points, outcomes
