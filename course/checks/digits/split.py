"""How exercise 4 of lab_digits is marked, the split: its checks and points."""

from __future__ import annotations

import numpy as np

import labkit.exercises.split
from course.checks.digits import QUICK, Draw
from course.checks.network import digits
from course.checks.public import Public
from labkit.exercises import TITLES
from proctor.checks import Exercise, Side

exercise = Exercise("split", TITLES["split"], points=15, seconds=QUICK)


def narrow() -> tuple[np.ndarray, np.ndarray]:
    """The digits as X of 30 columns, which tell all rows apart: a fifth of a call's time."""
    X, y = digits()
    return np.ascontiguousarray(X[:, 150:180]), y


def tell_digits(side: Side) -> None:
    """Have the lab's own digits split, not what the notebook calls X and y."""
    labkit.exercises.split.digits.tell(side, narrow)


public = Public(exercise, labkit.exercises.split.CHECKS, first=tell_digits)

public("split-returns", points=1)
public("split-sizes", points=1, needs=("split-returns",))
public("split-complete", points=2, needs=("split-sizes",))
public("split-labels", points=2, needs=("split-returns",))
public("split-stratified", points=2, needs=("split-returns", "split-labels"))
public("split-fraction", points=2, needs=("split-stratified",))
public("split-classes", points=1, needs=("split-complete", "split-labels", "split-stratified"))
public("split-shuffled", points=1, needs=("split-returns",))
public("split-repeatable", points=1, needs=("split-returns",))


@exercise.check(points=2, needs=("split-complete", "split-labels", "split-stratified"))
def split_unseen(side: Side, draw: Draw) -> None:
    """other data, with classes of different sizes"""
    sizes = draw.integers(20, 90, 4)
    y = draw.permutation(np.repeat(np.array([1, 3, 4, 8]), sizes))
    X = draw.normal(size=(len(y), 6))
    fraction = float(draw.choice([0.1, 0.25, 0.4]))
    labkit.exercises.split.stratified(side, X, y, fraction)
    labkit.exercises.split.labels(side, X, y)
    labkit.exercises.split.complete(side, X, y)
