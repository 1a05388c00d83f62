"""Are the labels those of the digits? What a second load, no remap or ``y - 1`` make of them is said."""

from __future__ import annotations

import numpy as np

from labkit.asking import Symptom, what_holds
from labkit.findings import NotYet
from labkit.row_numbers import find_rows, row_table
from labkit.student import Fact, Student
from labkit.values_in_words import Array, as_numbers, show

_REMAP = "Run the cells of section 2 again, from the one that loads the digits to the remap."

TROUBLES = (
    Symptom(
        "There are labels 10 and no label 0: the digits were loaded (again), and the 10 was not made "
        "a 0. Keras wants labels from 0 to 9.",
        _REMAP,
        lambda given, right: given.max() == 10 and not (given == 0).any(),
    ),
    Symptom(
        "Every label is one less than the digit it stands for (y - 1): the zeros have become -1.",
        _REMAP,
        lambda given, right: given.min() == -1,
    ),
    Symptom(
        "There are labels outside 0 to 9.",
        _REMAP,
        lambda given, right: given.min() < 0 or given.max() > 9,
    ),
    Symptom(
        "Every label stands for the digit below (y - 1 in place of 10 -> 0): training would look "
        "fine, and every prediction would be off by one.",
        _REMAP,
        lambda given, right: len(right) > 0 and np.array_equal(given, (right - 1) % 10),
    ),
    Symptom(
        "The labels are not those of the digits: rows and labels have parted.",
        "Run the cells of section 2 again; never shuffle or change y alone.",
        lambda given, right: len(right) > 0 and bool((given != right).mean() > 0.05),
    ),
)
"""What labels (m,) show; `right` are the digits of the same rows, or empty where they are not known."""


def _loaded(student: Student) -> tuple[Array, Array] | None:
    """Load the digits once more; None where they cannot be loaded, which is not for a check to say."""
    from labkit.loading import load_data
    from labkit.messages import LabError

    try:
        X, y = load_data()
    except LabError:
        return None
    return X, np.where(y == 10, 0, y)


known: Fact[tuple[Array, Array] | None] = Fact("the lab's digits and their labels", _loaded)
"""From the file in the notebook; the marking has them."""


def need_labels(student: Student, y: object, X: object = None, name: str = "y") -> None:
    """Raise `NotYet` if labels are none of digits 0 to 9, or not those of the digits in X."""
    given, rows = as_numbers(y), as_numbers(X)
    if given is None or given.ndim != 1 or not len(given):
        return  # its form is for others to judge
    right: Array = np.zeros(0, dtype=int)
    digits = known(student) if rows is not None and rows.shape == (len(given), 400) else None
    if digits is not None and rows is not None:
        numbers = find_rows(rows, row_table(digits[0]))
        right = digits[1][numbers] if (numbers >= 0).all() else right
    cause, then = what_holds(TROUBLES, ("", ""), given, right)
    if cause:
        raise NotYet(
            cause,
            called=f"np.unique({name})",
            expected="[0 1 2 3 4 5 6 7 8 9], each the digit that its row shows",
            got=show(np.unique(given), 0, 12),
            next=then,
        )


def need_digits(student: Student) -> None:
    """Look at the labels y of the notebook's X."""
    need_labels(student, student.get("y"), student.get("X"))
