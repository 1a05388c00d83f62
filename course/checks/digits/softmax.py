"""How exercise 1 of lab_digits is marked, the softmax: its checks and points."""

from __future__ import annotations

import numpy as np

import labkit.exercises.softmax
from course.checks import by_hand
from course.checks.digits import QUICK, Draw
from course.checks.network import true_softmax
from course.checks.public import Public
from labkit.exercises import TITLES
from proctor.checks import Exercise, Side

exercise = Exercise("softmax", TITLES["softmax"], points=10, seconds=QUICK)
public = Public(exercise, labkit.exercises.softmax.CHECKS)


def compare_softmax(side: Side, *rows: np.ndarray) -> None:
    """Run the body of the public checks on rows drawn for this submission.

    Whoever looks up the public inputs in a table earns nothing by it.
    """
    for z in rows:
        labkit.exercises.softmax.compare(side, z, true_softmax(z))


def tell_written(side: Side) -> None:
    """Have all be read that the answer consists of, wherever it stands."""
    labkit.exercises.softmax.written.tell(
        side, lambda: by_hand.whole(side, "softmax", "my_softmax")
    )


def none_called(side: Side, draw: Draw) -> None:
    """Ask that no library's softmax is called, under whatever name."""
    by_hand.need_none_called(side, "my_softmax", by_hand.SOFTMAX, draw.normal(size=4))


def more_values(side: Side, draw: Draw) -> None:
    """Ask for a row of ordinary size."""
    compare_softmax(side, draw.uniform(0.5, 5, 4))


def more_negatives(side: Side, draw: Draw) -> None:
    """Ask for a row of negative elements."""
    compare_softmax(side, draw.uniform(-5, -0.5, 3))


def more_large_inputs(side: Side, draw: Draw) -> None:
    """Ask for rows of which the exponentials overflow or vanish."""
    compare_softmax(side, draw.uniform(1000, 1004, 3), draw.uniform(-1004, -1000, 3))


def more_wide_rows(side: Side, draw: Draw) -> None:
    """Ask for rows that span more than an exponential does, the largest first, last and between."""
    wide = float(draw.uniform(1600, 3000))
    rows = (-wide, 0.0, wide), (0.0, 1.0, -2 * wide, -1.0, 4 * wide), (wide, 0.0, -wide)
    compare_softmax(side, *map(np.array, rows))


BEFORE_VALUES = ("softmax-sum", "softmax-by-hand")

public("softmax-returns", points=1)
public("softmax-sum", points=1)
public("softmax-by-hand", points=1, needs=("softmax-sum",), first=tell_written, then=none_called)
public("softmax-values", points=1, needs=BEFORE_VALUES, then=more_values)
public("softmax-negatives", points=1, needs=("softmax-values",), then=more_negatives)
public("softmax-large-inputs", points=1, needs=("softmax-negatives",), then=more_large_inputs)
public("softmax-wide", points=1, needs=("softmax-large-inputs",), then=more_wide_rows)
public("softmax-untouched", points=1, needs=("softmax-sum",))


@exercise.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_unseen(side: Side, draw: Draw) -> None:
    """inputs that you have not seen"""
    compare_softmax(side, *(draw.normal(0, 3, size) for size in (2, 5, int(draw.integers(6, 30)))))


@exercise.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_ties(side: Side, draw: Draw) -> None:
    """equal elements, and a single one"""
    tie, other = draw.normal(0, 2, 2)
    compare_softmax(side, np.array([tie, other, tie]), np.full(4, tie), np.array([other]))
