"""Exercise 4 of lab_mnist, the confusion matrix: its misconceptions and its public checks."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from labkit import cell_code
from labkit.asking import Misconception, agree, attempt, function_of, matching, need_array
from labkit.findings import NotYet
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, a_type, show

LABELS = np.array([0, 1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 7, 8, 9, 9, 3, 2, 4])
READ = np.array([0, 1, 2, 7, 3, 4, 9, 9, 3, 6, 7, 1, 8, 4, 9, 3, 2, 4])
COUNTS = np.array(
    [
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 2, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 2, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 2, 0, 0, 0, 0, 2],
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    ]
)
"""Eighteen labels, what a network read, and how often each pair occurs."""


class Pairs(NamedTuple):
    """Labels (m,), what was read (m,), and how often each pair occurs (10, 10)."""

    y_true: Array
    y_pred: Array
    counts: Array


def _rates(counts: Array, axis: int) -> Array:
    """Return each count's part of the sum along an axis, 0 where that is 0."""
    return np.asarray(np.nan_to_num(counts / counts.sum(axis=axis, keepdims=True)))


def _diagonal(counts: Array) -> Array:
    return np.diag(np.diag(counts))


def _less(of: Pairs, place: int) -> Array:
    """Return the counts without the pair at one place."""
    fewer = of.counts.copy()
    fewer[of.y_true[place], of.y_pred[place]] -= 1
    return fewer


_COUNTS = "Return the counts; the notebook makes rates of them itself."
_AXES = "Rows are labels, columns are predictions: label 4 read as 9 belongs in row 4, column 9."

MISCONCEPTIONS = (
    Misconception(
        "The matrix is transposed: its rows are the predictions.", _AXES, lambda of: of.counts.T
    ),
    Misconception(
        "The counts were divided by the sum of each row.", _COUNTS, lambda of: _rates(of.counts, 1)
    ),
    Misconception(
        "The matrix was normalised by column: each column adds up to 1.",
        _COUNTS + " (Even for rates, the sum of a row, one label, is what to divide by.)",
        lambda of: _rates(of.counts, 0),
    ),
    Misconception(
        "The counts were divided by the number of digits.",
        _COUNTS,
        lambda of: of.counts / of.counts.sum(),
    ),
    Misconception("These are percentages.", _COUNTS, lambda of: 100 * _rates(of.counts, 1)),
    Misconception(
        "Every pair is counted once at most: `matrix[y_true, y_pred] += 1` adds only once where "
        "a pair occurs again.",
        "Count pair by pair in a loop, or look up np.add.at or np.bincount.",
        lambda of: of.counts > 0,
    ),
    Misconception(
        "Only the diagonal is filled: mistakes are not counted.",
        "Count each pair of label and prediction, whether they agree or not.",
        lambda of: _diagonal(of.counts),
    ),
    Misconception(
        "The diagonal is empty: right answers are not counted.",
        "Count each pair of label and prediction, whether they agree or not.",
        lambda of: of.counts - _diagonal(of.counts),
    ),
    Misconception(
        "Matrix and diagonal differ: right answers count twice.",
        "Count each pair once.",
        lambda of: of.counts + _diagonal(of.counts),
    ),
    Misconception(
        "The last pair is not counted: a loop stops one early.",
        "Let the loop reach the last pair: range(m) ends at m - 1 already.",
        lambda of: _less(of, -1),
    ),
    Misconception(
        "The first pair is not counted: a loop starts at 1.",
        "Python counts from 0: let the loop start there.",
        lambda of: _less(of, 0),
    ),
    Misconception(
        "The counts are one row and one column off: labels were reduced by 1.",
        "The labels are the digits 0 to 9: use them as they are.",
        lambda of: np.roll(of.counts, (-1, -1), axis=(0, 1)),
    ),
    Misconception(
        "Labels were compared with labels: the predictions are not used.",
        "Use y_true for the row and y_pred for the column.",
        lambda of: np.diag(of.counts.sum(axis=1)),
    ),
    Misconception(
        "Predictions were compared with predictions: the labels are not used.",
        "Use y_true for the row and y_pred for the column.",
        lambda of: np.diag(of.counts.sum(axis=0)),
    ),
    Misconception(
        "All rows are one and the same: `[[0] * 10] * 10` is ten times the same list, and what is added "
        "to one row is added to all.",
        "Make ten different rows, or a NumPy array of zeros.",
        lambda of: np.tile(of.counts.sum(axis=0), (10, 1)),
    ),
    Misconception(
        "The counts overflow: an array of type uint8 holds numbers up to 255 and begins at 0 again.",
        "Leave the type out, or say dtype=int.",
        lambda of: of.counts.astype(np.uint8),
    ),
    Misconception(
        "The matrix was never filled: it holds zeros.",
        "Add 1 for each pair.",
        lambda of: 0 * of.counts,
    ),
)
"""What is often done by mistake; outcomes for `Pairs`."""


def output(student: Student, y_true: Array, y_pred: Array) -> tuple[str, Array]:
    """Call `confusion_matrix` on copies; return the call as text and the matrix (10, 10)."""
    called = f"confusion_matrix(y_true, y_pred), {len(y_true)} of each"
    confusion_matrix = function_of(student, "confusion_matrix")
    value = attempt(student, called, confusion_matrix, y_true.copy(), y_pred.copy())
    wanted = "an array of shape (10, 10)"
    got = need_array(value, called, wanted)
    if got.shape == (10, 10):
        return called, got
    cause = f"The result has shape {got.shape}: ten labels meet ten predictions."
    then = "Make the matrix first: ten rows, ten columns, all zero."
    if got.shape == (11, 11):
        cause = "The matrix has 11 rows: the classes are 0 to 9, and none is called 10."
    elif got.ndim == 2 and got.shape[0] == got.shape[1] < 10:
        cause = (
            "The size of the matrix was taken from the digits that occur: with a digit missing it "
            "shrinks, and rows no longer stand for their digit."
        )
        then = "There are always ten classes, whichever of them occur."
    elif got.shape == (10,):
        cause = "One number for each digit came back; where the mistakes went is lost."
    elif got.size == 100:
        then = "Give the 100 counts the shape of ten rows of ten."
    raise NotYet(cause, called=called, expected=wanted, got=a_type(got), next=then)


def returns(student: Student) -> None:
    """Check that an array of the right shape comes back."""
    called, got = output(student, LABELS, READ)
    if not np.isfinite(got).all():
        raise NotYet(
            "There are values that are no numbers: a division by a sum that is 0.",
            called=called,
            expected="100 counts",
            got=show(got),
            next=_COUNTS,
        )


written: Fact[str] = Fact("code of confusion", lambda student: student.source("confusion"))
"""The student's code for this exercise."""


def by_hand(student: Student) -> None:
    """Check that no library's matrix does the work in the graded cell."""
    cell_code.need_by_hand(
        written(student),
        ("confusion_matrix", "crosstab"),
        "{used} does the work here: the matrix is to be counted with NumPy, by hand.",
        "your own counting",
        "A matrix of zeros, and one line for each pair: that is all there is to it.",
    )
    function_of(student, "confusion_matrix")


def compare(student: Student, y_true: Array, y_pred: Array, counts: Array) -> None:
    """Check that `confusion_matrix(y_true, y_pred)` gives `counts` (10, 10)."""
    called, got = output(student, y_true, y_pred)
    if agree(got, counts):
        return
    otherwise = (
        "The counts are not those of the pairs.",
        "Take three labels and three predictions, and count with pencil and paper.",
    )
    cause, then = matching(got, MISCONCEPTIONS, otherwise, Pairs(y_true, y_pred, counts))
    if "once at most" in cause and re.search(r"\]\s*=\s*1\b", student.source("confusion")):
        cause = "Every pair is counted once at most: `= 1` sets the place to 1 each time."
        then = "Add 1 to what is there already."
    wrong = np.argwhere(~np.isclose(got, counts))[:3]
    raise NotYet(
        cause,
        called=called,
        expected=", ".join(f"row {i}, column {j}: {counts[i, j]}" for i, j in wrong),
        got=", ".join(f"row {i}, column {j}: {float(got[i, j]):.4g}" for i, j in wrong),
        next=then,
    )


def values(student: Student) -> None:
    """Check a small example that has every digit, and the same 300 times over."""
    compare(student, LABELS, READ, COUNTS)
    compare(student, np.repeat(LABELS, 300), np.repeat(READ, 300), 300 * COUNTS)


def absent(student: Student) -> None:
    """Check an example in which most digits do not occur."""
    counts = np.zeros((10, 10), dtype=int)
    counts[3, 5], counts[5, 5], counts[3, 3] = 2, 1, 1
    compare(student, np.array([3, 5, 3, 3]), np.array([5, 5, 3, 5]), counts)


CHECKS = (
    Check("confusion-returns", "what comes back", returns),
    Check("confusion-by-hand", "counted by hand", by_hand),
    Check("confusion-values", "a first example", values),
    Check("confusion-absent", "digits that do not occur", absent),
)
