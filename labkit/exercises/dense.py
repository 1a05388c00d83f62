"""Exercise 3 of lab_digits, a dense layer by hand: its misconceptions and its public checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labkit.asking import Misconception, agree, attempt, function_of, matching, need_array
from labkit.findings import NotYet
from labkit.inspection import linear, relu, sigmoid
from labkit.run_checks import Check
from labkit.student import Student
from labkit.values_in_words import Array, a_type, as_numbers, show_both, show_input

IN = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [-1.0, 1.0]])
W = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 1.0]])
B = np.array([0.5, 1.0, -2.0])
Z = np.array([[2.5, -3.0, -1.0], [0.0, 4.0, -3.0], [3.75, 5.5, -4.5], [0.0, -4.0, 0.0]])
"""Four rows, weights, biases, and what the layer adds up to before its activation."""


@dataclass(frozen=True)
class Layer:
    """A layer to compute: its arguments, and its right sums `z` with the bias."""

    a_in: Array
    W: Array
    b: Array
    g: Callable[[Array], Array]
    z: Array


def _transposed(of: Layer) -> Array | None:
    """Return what W.T in place of W gives; None where it does not fit."""
    square = of.W.shape[0] == of.W.shape[1]
    return of.g(of.z + of.a_in @ (of.W.T - of.W)) if square else None


def _last_left(of: Layer) -> Array:
    """Return the right result with its last unit left 0."""
    out = np.array(of.g(of.z))
    out[..., -1] = 0
    return out


MISCONCEPTIONS = (
    Misconception(
        "The last unit was left 0: a loop stops one unit early.",
        "Let the loop reach the last unit: range(n) ends at n - 1 already.",
        _last_left,
    ),
    Misconception(
        "The activation was applied to the sum and to the bias separately, and the two were added.",
        "Add the bias to the sum first; then one activation of that.",
        lambda of: of.g(of.z - of.b) + of.g(of.b),
    ),
    Misconception(
        "Every unit got the sum of all biases, b.sum().",
        "b has one number for each unit: each sum gets its own.",
        lambda of: of.g(of.z - of.b + of.b.sum()),
    ),
    Misconception(
        "The layer always applies tanh, whatever g is.",
        "Apply g, the function that came in as an argument.",
        lambda of: np.tanh(of.z),
    ),
    Misconception(
        "The bias is missing.",
        "Every unit adds its own number of b to its sum, before the activation.",
        lambda of: of.g(of.z - of.b),
    ),
    Misconception(
        "The activation is missing: these are the sums before it.",
        "Apply g, the function that came in as an argument, to the sums.",
        lambda of: of.z,
    ),
    Misconception(
        "The bias was subtracted.",
        "Every unit adds its own number of b.",
        lambda of: of.g(of.z - 2 * of.b),
    ),
    Misconception(
        "The bias was added after the activation.",
        "Look at the order: sum, bias, activation.",
        lambda of: of.g(of.z - of.b) + of.b,
    ),
    Misconception(
        "Every unit got the first bias, b[0].",
        "b has one number for each unit.",
        lambda of: of.g(of.z - of.b + of.b[0]),
    ),
    Misconception(
        "The layer always applies ReLU, whatever g is.",
        "Apply g, the function that came in as an argument.",
        lambda of: np.maximum(of.z, 0),
    ),
    Misconception(
        "The layer always applies a sigmoid, whatever g is.",
        "Apply g, the function that came in as an argument.",
        lambda of: sigmoid(of.z),
    ),
    Misconception(
        "The activation was applied twice.",
        "Apply g once, to the sums.",
        lambda of: of.g(of.g(of.z)),
    ),
    Misconception(
        "W was transposed: each unit used a row of W.",
        "The weights of unit j are the column W[:, j].",
        _transposed,
    ),
)
"""What is often written by mistake; outcomes for a `Layer`."""


def compare(
    student: Student,
    a_in: Array,
    W: Array,
    b: Array,
    g: Callable[[Array], Array],
    z: Array,
    exact: bool = False,
) -> None:
    """Check `my_dense(a_in, W, b, g)` against g(z), where z are the right sums with the bias.

    Unless `exact`, a list, a tensor or an axis too many is let pass: one check asks for the form,
    the others for the numbers.
    """
    name = getattr(g, "__name__", "g")
    small = a_in.size + W.size <= 12
    called = (
        f"my_dense({show_input(a_in)}, W, b, {name})"
        if small
        else (f"my_dense(a_in, W, b, {name}) with shapes {a_in.shape}, {W.shape}, {b.shape}")
    )
    my_dense = function_of(student, "my_dense")
    wanted = f"an array of shape {z.shape}"
    value = attempt(student, called, my_dense, a_in.copy(), W.copy(), b.copy(), g)
    numbers = None if value is None else as_numbers(value)
    if not exact and numbers is not None and numbers.shape in (z.shape, (1, *z.shape)):
        value = np.array(numbers.reshape(z.shape))
    got = need_array(value, called, wanted)
    expected = g(z)
    if got.shape != z.shape:
        cause = f"The result has shape {got.shape}, not {z.shape}."
        if a_in.ndim == 1 and got.shape == (1, *z.shape):
            cause = "One row went in, and a batch of one row came out: the shape gained an axis."
        elif got.shape == z.shape[::-1]:
            cause = "The result is transposed: there should be one row for each row of a_in."
        elif a_in.ndim == 2 and got.shape == z.shape[-1:]:
            cause = "Only one row came back for a batch: each row of a_in has a result of its own."
        raise NotYet(
            cause,
            called=called,
            expected=wanted,
            got=a_type(got),
            next="Print the shapes of a_in, W and your sums. Hint 2 is about shapes.",
        )
    if agree(got, expected):
        return
    otherwise = (
        "The numbers are not those of a weighted sum, a bias and the activation.",
        "Work out the first unit for [1, 2] with pencil and paper, and compare.",
    )
    cause, then = matching(got, MISCONCEPTIONS, otherwise, Layer(a_in, W, b, g, z))
    texts = show_both(expected, got)
    raise NotYet(cause, called=called, expected=texts[0], got=texts[1], next=then)


def row(student: Student) -> None:
    """Check one row, without a bias and without an activation."""
    z = Z[0] - B
    compare(student, IN[0], W, 0 * B, linear, z, exact=True)


def bias(student: Student) -> None:
    """Check one row with a bias."""
    compare(student, IN[0], W, B, linear, Z[0])


def activation(student: Student) -> None:
    """Check that the activation given is the one applied; without a bias."""
    for g in (relu, sigmoid):
        compare(student, IN[0], W, 0 * B, g, Z[0] - B)


def batch(student: Student) -> None:
    """Check a batch of four rows."""
    try:
        compare(student, IN, W, B, relu, Z)
    except NotYet as finding:
        if "raised" in finding.cause:
            finding.cause += " It works for one row; here four came, one below the other."
            finding.next = (
                "Put the rows first in the product: (4, 2) times (2, 3). Hint 2 says more."
            )
        raise


CHECKS = (
    Check("dense-row", "one row", row),
    Check("dense-bias", "the bias", bias),
    Check("dense-activation", "the activation", activation),
    Check("dense-batch", "a batch", batch),
)
