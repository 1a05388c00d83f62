"""Exercise 4 of lab_digits, the split: four parts of X and y judged, and what is wrong with them told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from labkit.asking import Symptom, what_holds
from labkit.findings import NotYet
from labkit.row_numbers import find_rows, row_table
from labkit.values_in_words import Array, a_type, as_numbers, show

Parts = tuple[Array, Array, Array, Array]


def formed(value: Any, X: Array, y: Array, called: str) -> Parts:
    """Return what `split_data` gave, if it has the form of four parts of X and y."""
    wanted = "X_train, X_test, y_train, y_test: four arrays"
    if not isinstance(value, tuple | list) or len(value) != 4:
        cause = "Four arrays are to come back, in a fixed order."
        if value is None:
            cause = "The function returns nothing."
        raise NotYet(
            cause, called=called, expected=wanted, got=a_type(value), next="Look at its last line."
        )
    given = [as_numbers(part) for part in value]
    shapes = ", ".join(a_type(part) for part in value)
    if [None if part is None else part.ndim for part in given] == [2, 1, 2, 1]:
        raise NotYet(
            "The order is different: what came is X_train, y_train, X_test, y_test.",
            called=called,
            expected=wanted,
            got=shapes,
            next="Return both parts of X first, then both parts of y.",
        )
    for part, whole in zip(given, (X, X, y, y), strict=True):
        if part is None or part.ndim != whole.ndim or part.shape[1:] != whole.shape[1:]:
            cause = (
                "A part does not have the form of what it was taken from: rows of X, labels of y."
            )
            then = "Pick whole rows of X, and single labels of y."
            if part is not None and part.ndim > whole.ndim:
                cause += " It has an axis too many: the row numbers are not one flat list."
                then = (
                    "Print the row numbers of one digit. np.where gives a tuple that holds the array, and "
                    "lists of pieces have to be joined."
                )
            raise NotYet(
                cause,
                called=called,
                expected=f"arrays of shape (…, {X.shape[1]}), (…, {X.shape[1]}), (…), (…)",
                got=shapes,
                next=then,
            )
    X_train, X_test, y_train, y_test = (np.asarray(part) for part in given)
    return X_train, X_test, y_train, y_test


@dataclass(frozen=True)
class Rows:
    """A split as row numbers of X: -1 for a row that X does not have; labels as they came."""

    train: Array
    test: Array
    y_train: Array
    y_test: Array
    y: Array
    fraction: float

    @classmethod
    def of(cls, parts: Parts, X: Array, y: Array, fraction: float = 0.2) -> Rows:
        """Find the rows of both parts in X."""
        table = row_table(X)
        found = [find_rows(part, table) for part in parts[:2]]
        return cls(found[0], found[1], parts[2], parts[3], y, fraction)

    @property
    def n_test(self) -> int:
        """How many test rows there should be, up to rounding in each class."""
        return round(self.fraction * len(self.y))

    @property
    def all(self) -> Array:
        """The row numbers of both parts, one after the other, -1 left out."""
        both = np.concatenate([self.train, self.test])
        return np.asarray(both[both >= 0])

    @property
    def absent(self) -> str:
        """The classes of which no row is in either part."""
        there = np.unique(self.y[self.all])
        return " and ".join(str(c) for c in np.unique(self.y) if c not in there)

    @property
    def lost(self) -> int:
        """How many rows are in neither part."""
        return len(self.y) - len(np.unique(self.all))

    @property
    def overlap(self) -> int:
        """How many rows are in both parts."""
        return len(np.intersect1d(self.train[self.train >= 0], self.test[self.test >= 0]))

    @property
    def strange(self) -> int:
        """How many rows are none of X."""
        return int((self.train < 0).sum() + (self.test < 0).sum())

    def twice(self, part: Array) -> bool:
        """Tell whether a part holds a row more than once."""
        return bool(len(np.unique(part[part >= 0])) < (part >= 0).sum())

    @property
    def words(self) -> dict[str, Any]:
        """What causes name in braces."""
        return {"lost": self.lost, "absent": self.absent, "fraction": f"{self.fraction:g}"}


_ONCE = "Every row that is not a test row is a training row, and no other is."
_REPLACED = Symptom(
    "Rows were drawn with replacement: the same row came up twice, as `choice` draws unless it is told "
    "otherwise.",
    "Shuffle the row numbers once and cut; then none can come up twice.",
    lambda of: of.twice(of.test) and not of.twice(of.train) and not of.overlap,
)
_POSITIONS = Symptom(
    "Positions within a class were taken for row numbers of X: only the first rows of X came up.",
    "The numbers 0, 1, 2... within a class are not its row numbers: pick from those.",
    lambda of: len(of.all) == len(of.y) and of.all.max(initial=0) < len(of.y) / 2,
)

SIZES = (
    Symptom(
        "A part of X and its part of y differ in length.",
        "Pick from X and from y with the same row numbers.",
        lambda of: len(of.train) != len(of.y_train) or len(of.test) != len(of.y_test),
    ),
    Symptom(
        "No row of the digit {absent} is in either part: a loop over the digits leaves it out.",
        "Let the loop run over all the digits that occur in y, 0 and the last one included.",
        lambda of: bool(of.absent) and not of.strange,
    ),
    Symptom(
        "The parts are swapped: the test part is the small one.",
        "Look at which row numbers go where.",
        lambda of: (
            len(of.train) + len(of.test) == len(of.y)
            and abs(len(of.train) - of.n_test) <= len(np.unique(of.y))
        ),
    ),
    _REPLACED,
    Symptom(
        "{lost} rows are lost: they are in neither part.",
        "Every row that is not a test row is a training row.",
        lambda of: len(of.train) + len(of.test) < len(of.y),
    ),
    Symptom(
        "More rows came out than went in: some are in both parts, or in one part twice.",
        _ONCE,
        lambda of: len(of.train) + len(of.test) > len(of.y),
    ),
)
"""What the sizes of a split show, where they are wrong."""


def judge_sizes(of: Rows, called: str) -> None:
    """Raise `NotYet` unless each part has the rows that the fraction asks for."""
    slack = len(np.unique(of.y))  # a class may be rounded up or down
    n_test, m = of.n_test, len(of.y)
    fair = abs(len(of.test) - n_test) <= slack and len(of.test) + len(of.train) == m
    if fair and len(of.y_test) == len(of.test) and len(of.y_train) == len(of.train):
        return
    otherwise = (
        "The parts do not have the sizes that test_fraction asks for.",
        "The test part has test_fraction of the rows, the training part all the others.",
    )
    cause, then = what_holds(SIZES, otherwise, of, **of.words)
    raise NotYet(
        cause,
        called=called,
        expected=f"{m - n_test} training rows and {n_test} test rows",
        got=f"X_train {len(of.train)}, X_test {len(of.test)}, "
        f"y_train {len(of.y_train)}, y_test {len(of.y_test)} rows",
        next=then,
    )


COMPLETE = (
    Symptom(
        "There are rows that are not in X: numbers were changed, or columns shuffled.",
        "Pick whole rows of X and leave their numbers as they are.",
        lambda of: of.strange > 0,
    ),
    _POSITIONS,
    _REPLACED,
    Symptom(
        "Training and test part overlap: the network would be judged on digits that it was trained on.",
        "A row number that went to one part must not go to the other.",
        lambda of: of.overlap > 0,
    ),
    Symptom(
        "{lost} rows are lost: they are in neither part.",
        "Every row that is not a test row is a training row.",
        lambda of: of.lost > 0 and not of.twice(of.train) and not of.twice(of.test),
    ),
    Symptom(
        "Rows are lost or repeated: some row numbers were drawn twice, others never.",
        "Shuffle all row numbers once and cut; drawing one by one can draw a row twice.",
        lambda of: of.lost > 0 or of.twice(of.train) or of.twice(of.test),
    ),
)
"""What the rows of a split show; where none of these holds, every row is there once."""


def judge_complete(of: Rows, called: str) -> None:
    """Raise `NotYet` unless every row is in exactly one of the two parts."""
    cause, then = what_holds(COMPLETE, ("", ""), of, **of.words)
    if cause:
        raise NotYet(
            cause,
            called=called,
            expected="0 rows in both parts, 0 rows lost, 0 rows not from X",
            got=f"{of.overlap} rows in both parts, {of.lost} rows lost, {of.strange} rows not from X",
            next=then,
        )


_LEAVE = "Leave the labels alone: the remap above has made them the digits they show."
LABELS = (
    Symptom(
        "Every label is one less than it was (y - 1): the zeros have become -1.",
        _LEAVE,
        lambda got, right: np.array_equal(got, right - 1),
    ),
    Symptom(
        "The zeros are labelled 10 again: Keras wants labels from 0 to 9.",
        _LEAVE,
        lambda got, right: np.array_equal(got, np.where(right == 0, 10, right)),
    ),
    Symptom(
        "Every label stands for the digit below (y - 1 in place of 10 -> 0): training would look "
        "fine, and every prediction would be off by one.",
        _LEAVE,
        lambda got, right: np.array_equal(got, (right - 1) % 10),
    ),
)
"""What wrong labels show."""


def judge_labels(of: Rows, called: str) -> None:
    """Raise `NotYet` unless each row still has its label."""
    rows, got = np.concatenate([of.train, of.test]), np.concatenate([of.y_train, of.y_test])
    if len(rows) != len(got):
        raise NotYet(
            "A part of X and its part of y differ in length.",
            called=called,
            next="Pick from X and from y with the same row numbers.",
        )
    right, got = of.y[rows[rows >= 0]], got[rows >= 0]
    wrong = right != got
    if not wrong.any():
        return
    otherwise = (
        "Rows and labels have parted: X and y were shuffled separately.",
        "Pick from X and from y with the same row numbers.",
    )
    cause, then = what_holds(LABELS, otherwise, got, right)
    first = int(np.argmax(wrong))
    raise NotYet(
        cause,
        called=called,
        expected=f"label {right[first]} for a row that shows a {right[first]}",
        got=f"label {got[first]}; {int(wrong.sum())} of {len(wrong)} labels differ",
        next=then,
    )


STRATIFIED = (
    Symptom(
        "Classes are missing from the test part ({missing}): y is sorted, and the rows were cut off at "
        "one end, as validation_split does.",
        "Treat the classes one by one: split the rows of each by itself.",
        lambda counts, wanted: (counts == 0).any() and counts.max() > 2 * wanted.max(),
    ),
    Symptom(
        "Classes are missing from the test part ({missing}).",
        "Let the loop run over all the digits that occur in y.",
        lambda counts, wanted: (counts == 0).any(),
    ),
    Symptom(
        "The same number of rows was taken from each class, however many rows it has.",
        "The test part gets test_fraction of each class: count the rows of the class first.",
        lambda counts, wanted: len(set(counts)) == 1 and np.ptp(wanted) > 1,
    ),
    Symptom(
        "The classes are not equally represented: rows were drawn without looking at y.",
        "Treat the classes one by one: split the rows of each by itself.",
        lambda counts, wanted: abs(counts.sum() - wanted.sum()) <= len(wanted),
    ),
)
"""What the numbers of test rows show, class by class, against those wanted."""


def judge_stratified(of: Rows, called: str) -> None:
    """Raise `NotYet` unless each class gives the same part of its rows to the test part."""
    classes, sizes = np.unique(of.y, return_counts=True)
    counts = np.array([int((of.y_test == c).sum()) for c in classes])
    wanted = of.fraction * sizes
    if (np.abs(counts - wanted) <= 1).all():  # rounded up or down
        return
    missing = ", ".join(str(c) for c, n in zip(classes, counts, strict=True) if not n)
    otherwise = (
        "The test part does not get test_fraction of each class: {fraction} was asked for here.",
        "Is a fraction or a number of rows (0.2, 100, 500) written in your code?",
    )
    otherwise = otherwise[0].format(fraction=f"{of.fraction:g}"), otherwise[1]
    cause, then = what_holds(STRATIFIED, otherwise, counts, wanted, missing=missing)
    raise NotYet(
        cause,
        called=called,
        expected=f"test rows of each class: {show(wanted, 0, 10)}",
        got=f"test rows of each class: {show(counts, 0, 10)}",
        next=then,
    )


JUDGES = (judge_sizes, judge_complete, judge_labels, judge_stratified)


def trouble(value: Any, again: Any, X: Array, y: Array) -> str:
    """Say why two results of `split_data` for X and y cannot be used for training; '' if they can.

    The notebook lends a split in place of what has trouble, and the marking knows by it that it did.
    """
    try:
        pair = [formed(one, X, y, "split_data(X, y)") for one in (value, again)]
        rows = [Rows.of(parts, X, y) for parts in pair]
        for judge in JUDGES:
            judge(rows[0], "split_data(X, y)")
    except NotYet as finding:
        return finding.cause
    same = np.array_equal(rows[0].test, rows[1].test)
    return "" if same else "The same seed gives two different splits."
