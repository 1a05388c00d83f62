"""How exercise 6 of lab_digits is marked, the training: its checks and points."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import labkit.exercises.model
import labkit.exercises.train
import labkit.labels
from course.checks import network, trained
from course.checks.digits import Draw
from course.checks.digits.model import need_own_outputs, tell_model, with_layers
from course.checks.digits.split import narrow
from course.checks.network import digits
from course.checks.public import Public
from labkit.exercises import TITLES
from labkit.row_numbers import find_rows, row_table
from labkit.split_parts import trouble
from labkit.values_in_words import a_type, as_numbers
from proctor.checks import Exercise, Finding, Side
from proctor.kernel.check_values import StudentError

exercise = Exercise("train", TITLES["train"], points=10)


def tell_training(side: Side) -> None:
    """Have the training's description looked at before it is used."""
    labkit.labels.known.tell(side, digits)
    labkit.exercises.train.training.tell(side, lambda: describe_training(side))


def tell_model_and_training(side: Side) -> None:
    """Have both looked at, the model first."""
    tell_model(side)
    tell_training(side)


def describe_training(side: Side) -> dict[str, Any]:
    """Describe how the student's model was compiled and trained."""
    labkit.exercises.model.need_model(side.get("model"), side.source("model"))
    value = side.evaluate("describe_training(model, globals().get('history'))")
    return network.well_formed_training(value)


def held_out_rows(side: Side) -> np.ndarray:
    """Row numbers in X of the student's X_test, without those that are no rows of X."""
    return side.once("held out", lambda: find_held_out_rows(side))


def find_held_out_rows(side: Side) -> np.ndarray:
    """Do what `held_out_rows` says."""
    X_test = as_numbers(side.get("X_test"))
    if X_test is None or X_test.shape[1:] != (400,):
        raise Finding(
            "X_test does not hold rows of X, so there is nothing to judge the network by.",
            expected="an array of shape (1000, 400)",
            got=a_type(X_test),
            next="Leave X_test as the cell after exercise 4 made it.",
        )
    rows = find_rows(X_test, network.digit_table())
    rows = np.unique(rows[rows >= 0])
    split_off = split_rows(side)
    if not np.array_equal(rows, split_off):
        raise Finding(
            "X_test does not hold the rows that split_data holds out.",
            expected="X_test as the cell after exercise 4 made it",
            got=f"{len(rows)} rows of X, of which split_data holds out "
            f"{len(np.intersect1d(rows, split_off))}",
            next="Leave X_test as the cell after exercise 4 made it.",
        )
    return rows


def split_rows(side: Side) -> np.ndarray:
    """Row numbers in X of what the student's split holds out, or the split that the lab lends."""
    X, y = narrow()
    lent = np.flatnonzero(np.arange(len(y)) % 5 == 0)  # as utils.split_or_lend does
    split_data = side.get("split_data")
    try:
        given = [split_data(X.copy(), y.copy()) for _ in range(2)]
    except (StudentError, TypeError):  # it raises, or is no function
        return lent
    if trouble(*given, X, y):
        return lent
    return np.unique(find_rows(np.asarray(as_numbers(given[0][1])), row_table(X)))


def seen(side: Side) -> trained.Training:
    """Return what was seen of the training of the student's model."""
    return side.once("seen", lambda: trained.seen(side, "model", "history"))


def seen_to_fit(side: Side, draw: Draw) -> None:
    """Ask that the history is what `fit` returned."""
    trained.need_fit(seen(side), "model", "history")


@functools.cache
def sums() -> np.ndarray:
    """Check sums of the rows of X, no two of which are the same."""
    return trained.check_sums(digits()[0])


REMEMBERED = 0.95
"""Accuracy on held-out rows that no network of this size reaches without having seen them."""


def not_seen(side: Side, draw: Draw) -> None:
    """Ask that no held-out row was among those that were trained on."""
    rows, figures = seen(side).rows, labkit.exercises.train.figures(side)
    held = 0 if rows is None else int(np.isin(sums()[held_out_rows(side)], rows).sum())
    remembered = figures.on_test > REMEMBERED and figures.on_train - figures.on_test < 0.02
    if held or remembered:
        raise Finding(
            "The network was trained on held-out rows too: their accuracy says nothing any more about "
            "digits that it has not seen.",
            called="the rows that fit was given, and the accuracies",
            expected="training on X_train and y_train only, about 0.92 on held-out rows",
            got=f"{held} held-out rows among them; {figures.on_test:.3f} on held-out rows, "
            f"{figures.on_train:.3f} on training rows",
            next="Look at what fit is given; run the model's cell again before you train again.",
        )


def tell_figures(side: Side) -> None:
    """Have the training judged by the weights, not by what the notebook measures.

    Held-out rows are those of the student's X_test that are rows of X, judged by X's own labels;
    training rows are all others.
    """
    held_out_rows(side)
    tell_training(side)
    tell_model(side)
    labkit.exercises.train.figures.tell(side, lambda: compute_figures(side))


def compute_figures(side: Side) -> labkit.exercises.train.Figures:
    """Accuracy on the training and on the held-out rows, recomputed from the weights."""
    X, y = digits()
    rows = held_out_rows(side)
    trained.need_own_weights(seen(side), "model")
    description = with_layers(side)
    need_own_outputs(side, description)
    outputs = np.asarray(network.forward(description, X))
    others = np.setdiff1d(np.arange(len(X)), rows)
    return labkit.exercises.train.figures_of(outputs[others], y[others], outputs[rows], y[rows])


public = Public(exercise, labkit.exercises.train.CHECKS, first=tell_model_and_training)

public("train-loss", points=2)
public("train-history", points=1, then=seen_to_fit)
public("train-falls", points=1, needs=("train-history",))
public("train-rows", points=2, needs=("train-history",), first=tell_figures, then=not_seen)
public("train-learnt", points=1, needs=("train-falls",), first=tell_figures)
public("train-accuracy", points=1, needs=("train-falls",), first=tell_figures)


@exercise.check(points=2, needs=("train-rows", "train-accuracy"))
def train_held_out(side: Side, draw: Draw) -> None:
    """held-out rows are a fair sample, with their labels"""
    rows, y = held_out_rows(side), digits()[1]
    y_test = as_numbers(side.get("y_test"))
    X_test = as_numbers(side.get("X_test"))
    if len(rows) < 900 or np.bincount(y[rows], minlength=10).min() < 50:
        raise Finding(
            "X_test is not a fair sample of X: rows or whole classes are missing from it.",
            next="Leave X_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )
    numbers = find_rows(np.asarray(X_test), network.digit_table())
    if (
        y_test is None
        or y_test.shape != numbers.shape
        or (y_test != y[numbers])[numbers >= 0].any()
    ):
        raise Finding(
            "The labels in y_test are not those of the rows in X_test.",
            next="Leave y_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )
