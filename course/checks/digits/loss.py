"""How exercise 5 of lab_digits is marked, the loss and its gradient: its checks and points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import labkit.exercises.loss
from course.checks import by_hand
from course.checks.digits import QUICK, Draw
from course.checks.network import true_softmax
from course.checks.public import Public, looks_elsewhere
from labkit.exercises import TITLES
from proctor.checks import Exercise, Side

exercise = Exercise("loss", TITLES["loss"], points=15, seconds=QUICK)


def own_labels(side: Side) -> None:
    """Take what the notebook calls X and y for granted: the marking brings logits and labels."""
    labkit.exercises.loss.digits.tell(side, lambda: None)


def all_written(side: Side) -> None:
    """Have all be read that the answer consists of, wherever it stands."""
    labkit.exercises.loss.written.tell(side, lambda: by_hand.whole(side, "loss", "cross_entropy"))


def true_loss(logits: np.ndarray, y: np.ndarray) -> labkit.exercises.loss.Batch:
    """A batch with its loss and gradient, from the logits: float64."""
    hit = np.arange(logits.shape[1]) == y[:, np.newaxis]
    gap = logits - logits[hit][:, np.newaxis]
    highest = gap.max(axis=1)
    losses = highest + np.log(np.exp(gap - highest[:, np.newaxis]).sum(axis=1))
    return labkit.exercises.loss.Batch(logits, y, float(losses.mean()), true_softmax(logits))


def another_batch(
    check: Callable[..., None], m: int, n: int, low: float = 0.2, high: float = 4.0
) -> Callable[[Side, Draw], None]:
    """Return what runs the body of a public check on a batch (m, n) drawn for this submission."""
    return lambda side, draw: check(
        side, true_loss(draw.uniform(low, high, (m, n)), draw.integers(0, n, m))
    )


def no_library_called(side: Side, draw: Draw) -> None:
    """Ask that no library's loss is called, under whatever name."""
    arguments = draw.normal(size=(3, 4)), draw.integers(0, 4, 3)
    by_hand.need_none_called(side, "cross_entropy", labkit.exercises.loss.LIBRARIES, *arguments)


public = Public(exercise, labkit.exercises.loss.CHECKS, first=own_labels)

public("loss-returns", points=1)
public("loss-even", points=1)
public("loss-values", points=2, then=another_batch(labkit.exercises.loss.value, 5, 4))
public("loss-by-hand", points=1, needs=("loss-values",), first=all_written, then=no_library_called)
public(
    "loss-large-logits",
    points=2,
    needs=("loss-values",),
    then=another_batch(labkit.exercises.loss.value, 3, 4, -2000, 2000),
)
public("loss-gradient", points=3, then=another_batch(labkit.exercises.loss.gradient, 5, 4))
public(
    "loss-differences",
    points=1,
    needs=("loss-values", "loss-gradient"),
    then=lambda side, draw: labkit.exercises.loss.differences(side, draw.normal(size=(2, 3))),
)
public("loss-untouched", points=1)


@exercise.check(points=2, needs=("loss-values", "loss-gradient"))
@looks_elsewhere(exercise)
def loss_unseen(side: Side, draw: Draw) -> None:
    """batches of other sizes, one row among them"""
    for m, n in ((1, 10), (4, 4), (int(draw.integers(20, 40)), 2)):
        another_batch(labkit.exercises.loss.value, m, n, -3, 3)(side, draw)
        another_batch(labkit.exercises.loss.gradient, m, n, -3, 3)(side, draw)


@exercise.check(points=1, needs=("loss-large-logits", "loss-gradient"))
@looks_elsewhere(exercise)
def loss_large_gradient(side: Side, draw: Draw) -> None:
    """the gradient for large logits"""
    another_batch(labkit.exercises.loss.gradient, 3, 5, -2000, 2000)(side, draw)
