"""Figures of section 6 of lab_digits: gradient steps of a network of one layer, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labkit.drawing import BLUE, GREY, ORANGE, grid, panels, show
from labkit.messages import LabError
from labkit.values_in_words import Array

Loss = Callable[[Array, Array], tuple[Any, Any]]
"""A student's `cross_entropy`: logits (m, N) and labels (m,) to the loss and its gradient (m, N)."""


def fresh(model: Any) -> Any:
    """Return a copy of a Keras model with weights as they are before any training."""
    import keras

    keras.utils.set_random_seed(1234)
    return keras.models.clone_model(model)


def logits_of(model: Any, X: Array) -> Array:
    """Return what a model gives for rows X (m, n): float64 (m, N)."""
    return np.asarray(model(np.asarray(X, dtype="float32")), dtype=np.float64)


def loss_and_slope(cross_entropy: Loss, W: Array, X: Array, y: Array) -> tuple[float, Array]:
    """Return the loss of logits X W, and its gradient with respect to W.

    Raises
    ------
    LabError
        `cross_entropy` gives something of another form.
    """
    loss, gradient = cross_entropy((X @ W).astype(np.float64), y)
    gradient = np.asarray(gradient, dtype=X.dtype)
    if np.size(loss) != 1 or gradient.shape != (len(X), W.shape[1]):
        raise LabError(
            "cross_entropy gives no loss and gradient that a step can be taken with: run the check "
            "of Exercise 5."
        )
    return float(np.asarray(loss).reshape(())), X.T @ gradient


def plot_one_step(cross_entropy: Loss, X: Array, y: Array, rate: float = 1.0) -> None:
    """Take one step from weights 0, check a weight by differences, and draw the new weights."""
    W = np.zeros((X.shape[1], 10))
    before, slope = loss_and_slope(cross_entropy, W, X, y)
    place = np.unravel_index(np.abs(slope).argmax(), W.shape)
    ends = []
    for move in (0.001, -0.001):
        moved = W.copy()
        moved[place] += move
        ends.append(loss_and_slope(cross_entropy, moved, X, y)[0])
    difference = (ends[0] - ends[1]) / 0.002
    W = W - rate * slope
    after, _ = loss_and_slope(cross_entropy, W, X, y)
    span = np.abs(W).max() or 1.0
    close = abs(slope[place] - difference) <= 1e-3 * max(1.0, abs(difference))
    verdict = "they agree" if close else "not the same yet: run the check of Exercise 5"
    show(
        grid(W.T / (2 * span) + 0.5, 10, [str(digit) for digit in range(10)], cell=0.85),
        "The weights of the ten outputs after one step, each column as a picture: bright where ink "
        "speaks for the digit, dark where it speaks against it.",
        f"One step with learning rate {rate:g}: the loss goes from {before:.3f} to {after:.3f}. "
        f"The weight of pixel {place[0]} for digit {place[1]}: gradient {slope[place]:.5f}, by differences "
        f"{difference:.5f}: {verdict}.",
    )


def plot_learning_rates(
    cross_entropy: Loss, X: Array, y: Array, rates: tuple[float, ...] = (0.05, 1.0, 5.0)
) -> None:
    """Show the loss over thirty steps of gradient descent, with one line per learning rate."""
    figure, (axes,) = panels(6, 2.8)
    X, told = X.astype(np.float32), []  # half the time of float64, and the same curves
    for rate, color, style in zip(rates, (GREY, BLUE, ORANGE), (":", "-", "--"), strict=True):
        W, losses = np.zeros((X.shape[1], 10), dtype=X.dtype), []
        for _ in range(31):
            loss, slope = loss_and_slope(cross_entropy, W, X, y)
            losses.append(loss)
            W -= rate * slope
        axes.plot(losses, style, color=color, linewidth=2, label=f"learning rate {rate:g}")
        told.append(f"{losses[-1]:.2f} with {rate:g} (highest {max(losses):.2f})")
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.legend()
    axes.grid(alpha=0.3)
    show(
        figure,
        "The loss over thirty steps: with a small learning rate a slow fall, with a medium one a fast "
        "one, with a large one a jump upwards first.",
        f"From {np.log(10):.2f}, the loss after 30 steps: {', '.join(told)}.",
    )
