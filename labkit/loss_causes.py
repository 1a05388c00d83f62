"""What is often written for the cross-entropy and its gradient by mistake (exercise 5 of lab_digits)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.asking import Misconception, Symptom
from labkit.inspection import sigmoid
from labkit.values_in_words import Array


@dataclass(frozen=True)
class Batch:
    """Logits (m, N) and labels (m,); their loss, and the probabilities (m, N)."""

    logits: Array
    y: Array
    loss: float
    p: Array

    @property
    def gradient(self) -> Array:
        """How the loss changes with each logit (m, N)."""
        return np.asarray((self.p - self.hit) / self.m)

    @property
    def m(self) -> int:
        """How many rows there are."""
        return len(self.y)

    @property
    def hit(self) -> Array:
        """True at the label of each row (m, N)."""
        return np.asarray(np.arange(self.p.shape[1]) == self.y[:, np.newaxis])

    @property
    def chance(self) -> Array:
        """The probability of each row's label (m,)."""
        return np.asarray(self.p[self.hit])


EVEN = Batch(
    np.zeros((4, 10)),
    np.array([3, 1, 0, 1]),
    2.302585092994046,
    np.full((4, 10), 0.1),
)
"""All logits 0: every digit gets the same probability, whatever the label."""

SEVERAL = Batch(
    np.array([[4, 3, 2, 1], [2, 4, 1, 0.5], [1.5, 1, 3, 0.5], [0.5, 1.5, 0.25, 2], [3, 2, 1, 4]]),
    np.array([0, 1, 2, 1, 0]),
    0.7270549953683213,
    np.array(
        [
            [0.6439142598879724, 0.23688281808991013, 0.08714431874203257, 0.03205860328008499],
            [0.11135775988499755, 0.822828734841496, 0.04096623047659655, 0.024847274796909898],
            [0.1548922923082515, 0.09394692423812584, 0.6941790935174994, 0.05698168993612325],
            [0.11137380873815653, 0.3027454004592041, 0.08673800945892118, 0.4991427813437182],
            [0.23688281808991013, 0.08714431874203257, 0.03205860328008499, 0.6439142598879724],
        ]
    ),
)
LARGE = Batch(
    np.array([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 998.0], [0.0, 0.0, 0.0]]),
    np.array([1, 2, 0]),
    334.40851343323703,
    np.array([[1.0, 0.0, 0.0], [0.0, 0.8807970779778824, 0.11920292202211755], [1 / 3] * 3]),
)
"""Worked out in 50 decimals."""


def _over(of: Batch, axis: int | None) -> Array:
    """Return the chances of the labels where the sum went over another axis than the row's."""
    e = np.exp(of.logits)
    return np.asarray((e / e.sum(axis=axis, keepdims=True))[of.hit])


_LOGARITHM = "The loss of a row is minus the logarithm of the probability of its label."
_COLUMN = "Pick from each row the column of its label: one row number and one column number each."
_SOFTMAX = "The probabilities of a row add up to 1: exercise 1 says how."
_FIRST = "What comes in are logits; probabilities are made of them row by row first."
_UPHILL = "Raising the label's logit lowers the loss: its element is negative."
VALUES = (
    Misconception(
        "This is the sum over the rows: the loss of a batch is their mean.",
        "Divide by the number of rows, so that the loss does not grow with the batch.",
        lambda of: of.loss * of.m,
    ),
    Misconception(
        "The mean was taken over all m x N numbers; each row has one loss, that of its label.",
        "Divide by the number of rows m.",
        lambda of: of.loss / of.p.shape[1],
    ),
    Misconception(
        "The sign is turned: a logarithm of a probability is negative, the loss is not.",
        "Look at the minus sign in the formula.",
        lambda of: -of.loss,
    ),
    Misconception(
        "These are probabilities: the logarithm is missing.",
        _LOGARITHM,
        lambda of: of.chance.mean(),
    ),
    Misconception(
        "These are probabilities with a minus sign: the logarithm is missing.",
        _LOGARITHM,
        lambda of: -of.chance.mean(),
    ),
    Misconception(
        "This is 1 minus the probability of the label: the logarithm is missing.",
        _LOGARITHM,
        lambda of: 1 - of.chance.mean(),
    ),
    Misconception(
        "This is the logarithm to base 2.",
        "Use the natural logarithm.",
        lambda of: of.loss / np.log(2),
    ),
    Misconception(
        "This is the logarithm to base 10.",
        "Use the natural logarithm.",
        lambda of: of.loss / np.log(10),
    ),
    Misconception(
        "The logits were taken for probabilities, the softmax is missing.",
        _FIRST,
        lambda of: -np.log(of.logits[of.hit]).mean(),
    ),
    Misconception(
        "This is minus the logit of the label: the softmax and the logarithm are missing.",
        _FIRST,
        lambda of: -of.logits[of.hit].mean(),
    ),
    Misconception(
        "The softmax was applied twice: to the logits, and to what came out of that.",
        "Apply it once, to the logits.",
        lambda of: np.log(np.exp(of.p - of.chance[:, np.newaxis]).sum(axis=1)).mean(),
    ),
    Misconception(
        "The softmax was taken over the whole batch: all rows share one sum.",
        "Each row has a sum of its own: look at the axis, and keep it.",
        lambda of: -np.log(_over(of, None)).mean(),
    ),
    Misconception(
        "The softmax was taken down the columns (axis=0).",
        "Each row has a sum of its own: look at the axis.",
        lambda of: -np.log(_over(of, 0)).mean(),
    ),
    Misconception(
        "The logarithm was taken of the mean probability; it belongs to each row, the mean comes last.",
        "First one loss for each row, then their mean.",
        lambda of: -np.log(of.chance.mean()),
    ),
    Misconception(
        "Only the first row counts: the function returns after one row.",
        "Let the loop reach all rows before it returns.",
        lambda of: -np.log(of.chance[0]),
    ),
    Misconception(
        "Only the last row counts: each row overwrites the one before.",
        "Add up the losses of the rows.",
        lambda of: -np.log(of.chance[-1]),
    ),
    Misconception(
        "The labels picked whole rows, p[y]: in place of one number from each row.",
        _COLUMN,
        lambda of: -np.log(of.p[of.y % of.m]).mean(),
    ),
    Misconception(
        "The labels picked whole columns, p[:, y]: in place of one number from each row.",
        _COLUMN,
        lambda of: -np.log(of.p[:, of.y]).mean(),
    ),
    Misconception(
        "The labels are off by one: the probability beside the label was picked.",
        "The columns are 0 to N - 1, as the labels are: use y as it is.",
        lambda of: [-np.log(np.roll(of.p, by, axis=1)[of.hit]).mean() for by in (1, -1)],
    ),
    Misconception(
        "The largest probability of each row was picked, not that of its label.",
        "The loss asks how probable the label is, however probable another digit is.",
        lambda of: -np.log(of.p.max(axis=1)).mean(),
    ),
    Misconception(
        "This is the entropy of the probabilities: the labels were not used.",
        "Only the probability of each row's label counts.",
        lambda of: -(of.p * np.log(of.p)).sum(axis=1).mean(),
    ),
    Misconception(
        "This is the binary cross-entropy: every class was asked yes or no by itself.",
        "One label for each row: only the probability of the label counts.",
        lambda of: [
            -np.where(of.hit, np.log(of.p), np.log(1 - of.p)).sum() / n for n in (of.m, of.p.size)
        ],
    ),
    Misconception(
        "These are squared differences of probabilities and labels (mean squared error).",
        "Take minus the logarithm of the label's probability.",
        lambda of: [((of.p - of.hit) ** 2).sum() / n for n in (of.m, of.p.size)],
    ),
    Misconception(
        "The labels were used as amounts: the digit that was read minus the label.",
        "Classes are not amounts: y says which column of its row counts.",
        lambda of: [(np.abs(of.p.argmax(axis=1) - of.y) ** power).mean() for power in (1, 2)],
    ),
    Misconception(
        "This is the part of the rows that are read wrongly, not a loss.",
        "Take minus the logarithm of the label's probability.",
        lambda of: (of.p.argmax(axis=1) != of.y).mean(),
    ),
    Misconception(
        "A sigmoid of each logit stands where the softmax of the row belongs.",
        _SOFTMAX,
        lambda of: -np.log(sigmoid(of.logits[of.hit])).mean(),
    ),
    Misconception(
        "The result is 0: nothing was added up, or only where it is 0.",
        "Print the loss of the first row, and follow it through your lines.",
        lambda of: 0.0,
    ),
)
"""What is often written for the loss by mistake; outcomes for a `Batch`."""


def _less_one(of: Batch, rows: bool) -> Array:
    """Return p with 1 taken from whole rows (or columns) y, by 1/m."""
    p = of.p.copy()
    if rows:
        p[of.y % of.m] -= 1
    else:
        p[:, of.y] -= 1
    return p / of.m


GRADIENTS = (
    Misconception(
        "The 1/m is missing: this is the gradient of the sum, not of the mean.",
        "The loss is a mean over m rows, so each row counts for 1/m in the gradient too.",
        lambda of: of.gradient * of.m,
    ),
    Misconception(
        "The sign is turned: this points downhill, the gradient points uphill.",
        _UPHILL,
        lambda of: -of.gradient,
    ),
    Misconception(
        "The sign is turned, and the 1/m is missing.",
        _UPHILL,
        lambda of: -of.gradient * of.m,
    ),
    Misconception(
        "It was divided by all m x N numbers; the loss is a mean over m rows.",
        "Divide by the number of rows.",
        lambda of: of.gradient / of.p.shape[1],
    ),
    Misconception(
        "It was divided by the number of classes; the loss is a mean over the rows.",
        "Divide by the number of rows.",
        lambda of: of.gradient * of.m / of.p.shape[1],
    ),
    Misconception(
        "These are the probabilities: the one-hot labels were not subtracted.",
        "At the label of each row, 1 is taken away.",
        lambda of: [of.p / of.m, of.p],
    ),
    Misconception(
        "Only the places of the labels are filled: the other logits of a row matter too.",
        "Raising another logit makes the label less probable: those elements are positive.",
        lambda of: np.where(of.hit, of.gradient, 0),
    ),
    Misconception(
        "The 1 was taken from whole rows or columns (p[y], p[:, y]), not at one place in each row.",
        _COLUMN,
        lambda of: [_less_one(of, rows) * n for rows in (True, False) for n in (1, of.m)],
    ),
    Misconception(
        "This is the derivative with respect to the probabilities, -1/p at the label.",
        "Take it with respect to the logits: the softmax is part of the function.",
        lambda of: [np.where(of.hit, -1 / of.p, 0) / n for n in (of.m, 1)],
    ),
    Misconception(
        "The one-hot labels were taken from the logits: the softmax is missing.",
        "It is the probabilities from which the labels are taken.",
        lambda of: [(of.logits - of.hit) / n for n in (of.m, 1)],
    ),
    Misconception(
        "A sigmoid of each logit stands where the softmax of the row belongs.",
        _SOFTMAX,
        lambda of: [(sigmoid(of.logits) - of.hit) / n for n in (of.m, 1)],
    ),
    Misconception(
        "The gradient is 0 everywhere: nothing was written into it.",
        "Look at what your last line hands back.",
        lambda of: np.zeros_like(of.p),
    ),
)
"""What is often written for the gradient by mistake; outcomes for a `Batch`."""

ON_LARGE = (
    Symptom(
        "exp(1000) is too large for a float, and inf/inf is nan.",
        "Shift each row so that its largest logit is 0: exercise 1 says why that is safe.",
        lambda loss: np.isnan(loss),
    ),
    Symptom(
        "The label's probability rounded to 0, and log(0) is infinite: the loss was computed from "
        "probabilities, not from the logits.",
        "Work out the logarithm on paper first: log of a quotient is a difference, and one of its "
        "parts is the logit itself. Hint 2 says more.",
        lambda loss: np.isinf(loss),
    ),
    Symptom(
        "The probability was cut off above 0 (clip, or a small number added) before the logarithm: "
        "the loss stops growing where it should not.",
        "Compute the logarithm from the logits; then nothing has to be cut off. Hint 2 says more.",
        lambda loss: 0 <= loss < 300,
    ),
)
"""What the loss of `LARGE` shows."""
