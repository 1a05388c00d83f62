"""What is often written for the softmax by mistake (exercise 1 of lab_digits)."""

from __future__ import annotations

import math

import numpy as np

from labkit.asking import Misconception, Symptom
from labkit.values_in_words import Array

LIMITS = (10, 20, 30, 50, 88, 100, 500, 700, 709)
"""Where z is clipped, by those who clip it."""


def tilted(p: Array, by: Array) -> Array:
    """Probabilities `p` (N,) for logits to which `by` (N,) was added by mistake.

    Worked out from the odds between each two elements, p_j / p_i.
    """
    odds = np.divide.outer(p, p) * np.exp(np.subtract.outer(by, by))
    return np.asarray(1 / odds.sum(axis=0))


def _but(p: Array, place: int) -> Array:
    """Return `p` with 0 at one place."""
    short = p.copy()
    short[place] = 0
    return short


MISCONCEPTIONS = (
    Misconception(
        "Every result is 0: inf/inf is nan, and nan was replaced by 0 (nan_to_num). That hides the "
        "overflow, and what comes out is no probability.",
        "Keep the exponentials finite: shift z so that its largest value is 0. Hint 2 says why.",
        lambda z, p: np.zeros(len(p)),
    ),
    Misconception(
        "This is z divided by its sum: the exponential is missing.",
        "Apply the exponential to every element first; only then divide.",
        lambda z, p: z / z.sum(),
    ),
    Misconception(
        "This is the exponential of z: nothing was divided, so the sum is not 1.",
        "Divide by what makes the sum 1.",
        lambda z, p: np.exp(z),
    ),
    Misconception(
        "These are the unnormalised exponentials of the shifted z: their sum is not 1.",
        "Divide by what makes the sum 1.",
        lambda z, p: p / p.max(),
    ),
    Misconception(
        "This is the sigmoid of each element: each looks at itself alone, so the sum is not 1.",
        "A softmax compares the elements: every output has the same denominator.",
        lambda z, p: 1 / (1 + np.exp(-z)),
    ),
    Misconception(
        "This is 1 at the largest element and 0 elsewhere (a one-hot argmax).",
        "Softmax is soft: the smaller elements get a share too. Start from the exponential.",
        lambda z, p: p == p.max(),
    ),
    Misconception(
        "These are logarithms of the probabilities (log-softmax): they are negative.",
        "Return the probabilities themselves, without the logarithm.",
        lambda z, p: np.log(p),
    ),
    Misconception(
        "The order is reversed, as with exp(-z): the smallest element got the largest share.",
        "Look at the sign of z in the exponential.",
        lambda z, p: tilted(p, -2 * z),
    ),
    Misconception(
        "This is 2 to the power of z, normalised: the base should be e.",
        "Use the exponential function.",
        lambda z, p: tilted(p, (math.log(2) - 1) * z),
    ),
    Misconception(
        "This is 10 to the power of z, normalised: the base should be e.",
        "Use the exponential function.",
        lambda z, p: tilted(p, (math.log(10) - 1) * z),
    ),
    Misconception(
        "The outputs add up to N, not to 1: you divided by the mean of the exponentials.",
        "Think about which number the outputs have to be divided by to add up to 1.",
        lambda z, p: p * len(p),
    ),
    Misconception(
        "The last element is 0: a loop stops one element early, at N - 1.",
        "Let the loop reach the last element: range(N) ends at N - 1 already.",
        lambda z, p: _but(p, -1),
    ),
    Misconception(
        "The last element was left out: a loop stops one element early, at N - 1.",
        "Let the loop reach the last element: range(N) ends at N - 1 already.",
        lambda z, p: _but(p, -1) / _but(p, -1).sum(),
    ),
    Misconception(
        "The denominator lacks the last element: its loop stops one element early, at N - 1.",
        "Let the loop reach the last element: range(N) ends at N - 1 already.",
        lambda z, p: p / _but(p, -1).sum(),
    ),
    Misconception(
        "The first element was left out: a loop starts at 1.",
        "Python counts from 0: let the loop start there.",
        lambda z, p: _but(p, 0),
    ),
    Misconception(
        "The denominator lacks the first element: its loop starts at 1.",
        "Python counts from 0: let the loop start there.",
        lambda z, p: p / _but(p, 0).sum(),
    ),
    Misconception(
        "The sign of the negative elements was lost: abs(z) in place of z.",
        "Let z keep its sign. What is to be avoided is large positive exponents only.",
        lambda z, p: tilted(p, np.abs(z) - z),
    ),
    Misconception(
        "The negative elements were cut off at 0 (clip, maximum or a ReLU).",
        "Let z keep its negative elements: exp of a negative number is small, not wrong.",
        lambda z, p: tilted(p, np.maximum(z, 0) - z),
    ),
    Misconception(
        "z was clipped: elements beyond the limit have become equal.",
        "Keep the differences between the elements: move all of them, do not cut them.",
        lambda z, p: [tilted(p, np.clip(z, -limit, limit) - z) for limit in LIMITS],
    ),
    Misconception(
        "Only the numerator was shifted: the sum has to be that of the shifted exponentials too.",
        "Shift z once, and use the shifted numbers in both places.",
        lambda z, p: p / np.exp(z.max()),
    ),
    Misconception(
        "Only the denominator was shifted: the numerator has to be shifted by the same number.",
        "Shift z once, and use the shifted numbers in both places.",
        lambda z, p: p * np.exp(z.max()),
    ),
    Misconception(
        "The exponentials were divided by the square root of the sum of their squares (an L2 norm): "
        "then the squares add up to 1, not the outputs.",
        "Divide by the plain sum.",
        lambda z, p: p / np.sqrt((p * p).sum()),
    ),
    Misconception(
        "Every element got the same share: the differences within z were lost.",
        "Follow one element through your lines and see where it loses its own value.",
        lambda z, p: np.full(len(p), 1 / len(p)),
    ),
    Misconception(
        "This is the square of the exponential, or z was doubled.",
        "Apply the exponential once, to z itself.",
        lambda z, p: tilted(p, z),
    ),
    Misconception(
        "The probabilities were rounded to 2 decimals.",
        "Return them as they are; round only where you print.",
        lambda z, p: np.round(p, 2),
    ),
    Misconception(
        "These are percentages.", "Return fractions that add up to 1.", lambda z, p: 100 * p
    ),
)
"""What is often written by mistake; outcomes for z (N,) and its right probabilities p (N,)."""

_SHIFT = "Shift z so that its largest value is 0, then rerun. Hint 2 says why this is safe."
TOO_LITTLE = (
    "z was not shifted far enough: after a shift by the mean, the minimum or z[0] some elements are "
    "still large, exp of them is inf, and inf/inf is nan.",
    "Ask which shift leaves no element above 0. Hint 2 says why that is safe.",
)
OVERFLOWS = (
    Symptom(*TOO_LITTLE, lambda z: np.ptp(z) > 700),
    Symptom(
        "exp({largest}) is too large for a float, and inf/inf is nan.",
        _SHIFT,
        lambda z: z.max() > 700,
    ),
    Symptom(
        "exp({largest}) is too small for a float: it becomes 0, and 0/0 is nan.",
        _SHIFT,
        lambda z: z.max() < -700,
    ),
)
"""Why a softmax of z (N,) is not finite."""
