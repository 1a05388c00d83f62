"""The checks of lab_mnist that you run in the notebook, one function per exercise.

How a check speaks, and how it finds the cause of a wrong answer, is told in ``public_tests.py``. What
the checks of an exercise are stands in ``labkit``, in the module that has the exercise's name.
"""

from __future__ import annotations

from typing import Any

import labkit.exercises.baseline
import labkit.exercises.confusion
import labkit.exercises.deep
import labkit.exercises.photo
import labkit.exercises.prepare
from labkit.exercises import LAB_MNIST as EXERCISES
from labkit.run_checks import run_checks
from labkit.values_in_words import Array


def test_prepare(prepare: Any) -> None:
    """Check exercise 1; prints one line if all public checks pass, raises `NotYet` otherwise.

    Images become rows of 784 fractions from 0 to 1, in their order, dark ones too; the images
    themselves are left alone.
    """
    run_checks("prepare", labkit.exercises.prepare.CHECKS, {"prepare": prepare})


def test_baseline(baseline: Any) -> None:
    """Check exercise 2; prints one line if all public checks pass, raises `NotYet` otherwise.

    It is a Sequential model with the layers, units, input and activations of the table, whose
    parameters can be trained, compiled with the loss and the optimizer that are asked for.
    """
    run_checks("baseline", labkit.exercises.baseline.CHECKS, {"baseline": baseline})


def test_deep(
    deep: Any, deep_history: Any, X_train: Array, y_train: Array, X_test: Array, y_test: Array
) -> None:
    """Check exercise 3; prints one line if all public checks pass, raises `NotYet` otherwise.

    The network is the one asked for; it was trained for 100 epochs in batches of 1000 on the training
    rows only, with the test rows as validation data, and has learnt what there is to learn.
    """
    parts = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
    run_checks(
        "deep", labkit.exercises.deep.CHECKS, {"deep": deep, "deep_history": deep_history, **parts}
    )


def test_confusion(confusion_matrix: Any) -> None:
    """Check exercise 4; prints one line if all public checks pass, raises `NotYet` otherwise.

    Every pair of label and prediction is counted, by hand, and digits that do not occur have a row.
    """
    run_checks(
        "confusion", labkit.exercises.confusion.CHECKS, {"confusion_matrix": confusion_matrix}
    )


def test_photo(preprocess_photo: Any) -> None:
    """Check exercise 5; prints one line if all public checks pass, raises `NotYet` otherwise.

    A picture file becomes (1, 28, 28) from 0 to 1: ink bright, cropped to 20 pixels, in proportion, in
    the middle, upright, and transparent places are paper.
    """
    run_checks("photo", labkit.exercises.photo.CHECKS, {"preprocess_photo": preprocess_photo})
