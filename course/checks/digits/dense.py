"""How exercise 3 of lab_digits is marked, a dense layer: its checks and points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import labkit.exercises.dense
from course.checks.digits import QUICK, Draw
from course.checks.network import digits
from course.checks.public import Public
from labkit.asking import agree
from labkit.exercises import TITLES
from labkit.inspection import linear, relu, sigmoid
from proctor.checks import Exercise, Finding, Side

Activation = Callable[[np.ndarray], np.ndarray]

exercise = Exercise("dense", TITLES["dense"], points=10, seconds=QUICK)
public = Public(exercise, labkit.exercises.dense.CHECKS)


def another(
    shape: tuple[int, ...], *, bias: bool, activations: tuple[Activation, ...] = (linear,)
) -> Callable[[Side, Draw], None]:
    """Return what runs the body of the public checks on a layer drawn for this submission: 3 units."""

    def ask(side: Side, draw: Draw) -> None:
        a_in, W = draw.normal(size=shape), draw.normal(size=(shape[-1], 3))
        b = draw.normal(size=3) if bias else np.zeros(3)
        for g in activations:
            labkit.exercises.dense.compare(side, a_in, W, b, g, a_in @ W + b)

    return ask


BOTH = (relu, sigmoid)

public("dense-row", points=2, then=another((2,), bias=False))
public("dense-bias", points=1, then=another((2,), bias=True))
public("dense-activation", points=2, then=another((2,), bias=False, activations=BOTH))
public(
    "dense-batch",
    points=2,
    needs=("dense-bias",),
    then=another((4, 2), bias=True, activations=(relu,)),
)


@exercise.check(points=2, needs=("dense-bias", "dense-batch"))
def dense_unseen(side: Side, draw: Draw) -> None:
    """layers of other sizes"""
    n = int(draw.integers(4, 9))
    for m, n_in, n_out in ((3, n, n), (n, n, 2), (1, 5, 4), (0, 4, 4), (n, 7, 1)):
        a_in = draw.normal(size=(m, n_in) if m else n_in)
        W, b = draw.normal(size=(n_in, n_out)), draw.normal(size=n_out)
        labkit.exercises.dense.compare(side, a_in, W, b, linear, a_in @ W + b)


@exercise.check(points=1, needs=("dense-unseen", "dense-activation"))
def dense_network(side: Side, draw: Draw) -> None:
    """three of them in a row give a network's logits"""
    my_dense = side.get("my_dense")
    X = digits()[0][draw.choice(5000, 30, replace=False)]
    out = expected = X
    for n_in, n_out, g in ((400, 25, relu), (25, 15, relu), (15, 10, linear)):
        # Of a network that nobody trained: a trained one's weights would be exercise 6's answer.
        W, b = draw.normal(0, n_in**-0.5, (n_in, n_out)), draw.normal(0, 0.1, n_out)
        labkit.exercises.dense.compare(side, out, W, b, g, out @ W + b)
        out, expected = np.asarray(my_dense(out, W, b, g)), g(expected @ W + b)
    if not agree(out, expected, 1e-5):  # three layers' rounding
        raise Finding(
            "Each layer is right by itself, but three in a row do not give the logits.",
            next="Look for something that your function remembers from one call to the next.",
        )
