"""The checks of lab_digits that you run in the notebook, one function per exercise.

Each check asks your code for something, compares, and stops at the first thing that is not right
yet. It then says what was called, what was expected, what came, what the likely cause is and what
to do next. The cause is found by matching: a table of common misconceptions is worked out for the
same input, and the one that gives *your* output is the one that is named.

What the checks of an exercise are, and what its misconceptions are, stands in the folder ``labkit``,
in the module that has the exercise's name: a table ``CHECKS`` at its end, read from top to bottom.
``labkit/findings.py`` is how a finding is told, ``labkit/asking.py`` how your code is called.
"""

from __future__ import annotations

from typing import Any

import labkit.exercises.dense
import labkit.exercises.loss
import labkit.exercises.model
import labkit.exercises.predict
import labkit.exercises.preprocess
import labkit.exercises.softmax
import labkit.exercises.split
import labkit.exercises.train
from labkit.exercises import LAB_DIGITS
from labkit.findings import NotStarted, NotYet
from labkit.inspection import linear, relu, sigmoid
from labkit.run_checks import run_checks, summary
from labkit.values_in_words import Array


def test_my_softmax(my_softmax: Any) -> None:
    """Check exercise 1; prints one line if all public checks pass, raises `NotYet` otherwise.

    What comes back is an array of the right shape; the probabilities sum to 1; no library's softmax
    does the work; the values are right, for negative and for large inputs too; z is left alone.
    """
    run_checks("softmax", labkit.exercises.softmax.CHECKS, {"my_softmax": my_softmax})


def test_model(model: Any, n_classes: int = 10, n_inputs: int = 400) -> None:
    """Check exercise 2; prints one line if all public checks pass, raises `NotYet` otherwise.

    It is a Sequential model of three dense layers with the right units, input and activations, each
    known by what it does; every unit has a bias, and every parameter can be trained.
    """
    run_checks("model", labkit.exercises.model.checks(n_classes, n_inputs), {"model": model})


def test_my_dense(my_dense: Any) -> None:
    """Check exercise 3; prints one line if all public checks pass, raises `NotYet` otherwise.

    One row, with and without a bias, with several activations, and a batch give the right sums.
    """
    run_checks("dense", labkit.exercises.dense.CHECKS, {"my_dense": my_dense})


def test_split_data(split_data: Any, X: Array, y: Array) -> None:
    """Check exercise 4; prints one line if all public checks pass, raises `NotYet` otherwise.

    Both parts have the right size, hold every row once with its label, every class in its part, in a
    mixed order, and the seed alone decides which rows they are.
    """
    run_checks("split", labkit.exercises.split.CHECKS, {"split_data": split_data, "X": X, "y": y})


def test_cross_entropy(cross_entropy: Any, X: Array, y: Array) -> None:
    """Check exercise 5; prints one line if all public checks pass, raises `NotYet` otherwise.

    The labels of the notebook are those of its digits; a number and an array come back; loss and
    gradient are right, for logits of 1000 too, and belong together; the logits are left alone.
    """
    names = {"cross_entropy": cross_entropy, "X": X, "y": y}
    run_checks("loss", labkit.exercises.loss.CHECKS, names)


def test_training(
    model: Any, history: Any, X_train: Array, y_train: Array, X_test: Array, y_test: Array
) -> None:
    """Check exercise 6; prints one line if all public checks pass, raises `NotYet` otherwise.

    The loss takes what the model gives; the training was kept as `history`, its loss falls, it took
    the training rows only and learnt them, and the accuracy on held-out rows is as it can be.
    """
    parts = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
    run_checks(
        "train", labkit.exercises.train.CHECKS, {"model": model, "history": history, **parts}
    )


def test_predict_digits(predict_digits: Any, model: Any, X: Array) -> None:
    """Check exercise 7; prints one line if all public checks pass, raises `NotYet` otherwise.

    For seven rows of X, digits and probabilities come back; they belong to the model's logits, and
    the model was asked once.
    """
    names = {"predict_digits": predict_digits, "model": model, "X": X}
    run_checks("predict", labkit.exercises.predict.CHECKS, names)


def test_preprocess(preprocess: Any) -> None:
    """Check exercise 8; prints one line if all public checks pass, raises `NotYet` otherwise.

    A drawn sheet becomes a row like those of X: ink bright, cropped, in the middle, column by column,
    the same in grey, in colour and with transparent parts.
    """
    run_checks("preprocess", labkit.exercises.preprocess.CHECKS, {"preprocess": preprocess})
