"""Exercise 4 of lab_digits, the split: its public checks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labkit.asking import attempt, function_of
from labkit.findings import NotYet
from labkit.running import Check
from labkit.student import Fact, Student
from labkit.words import Array, a_type, as_numbers, show

digits: Fact[tuple[Array, Array]] = Fact(
    "the digits to split", lambda student: (student.get("X"), student.get("y"))
)
"""X (m, n) and y (m,): those of the notebook, unless the marking takes others."""

Parts = tuple[Array, Array, Array, Array]


def call(X: Array, fraction: float = 0.2, seed: int = 1234) -> str:
    """Write the call as the student should read it."""
    return f"split_data(X, y, {fraction:g}, {seed}), X of shape {X.shape}"


def parts(
    student: Student, X: Array, y: Array, fraction: float = 0.2, seed: int = 1234
) -> tuple[str, Parts]:
    """Call `split_data`; return the call as text and X_train, X_test, y_train, y_test."""
    called = call(X, fraction, seed)
    split_data = function_of(student, "split_data")
    wanted = "X_train, X_test, y_train, y_test: four arrays"
    value = attempt(student, called, split_data, X.copy(), y.copy(), fraction, seed)
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
            raise NotYet(
                "A part does not have the form of what it was taken from: rows of X, labels of y.",
                called=called,
                expected=f"arrays of shape (…, {X.shape[1]}), (…, {X.shape[1]}), (…), (…)",
                got=shapes,
                next="Pick whole rows of X, and single labels of y.",
            )
    X_train, X_test, y_train, y_test = (np.asarray(part) for part in given)
    return called, (X_train, X_test, y_train, y_test)


def returns(student: Student, X: Array, y: Array) -> None:
    """Check that four arrays come back in order, and that X and y are left alone."""
    parts(student, X, y)
    given_X, given_y = X.copy(), y.copy()
    called, split_data = call(X), student.get("split_data")
    attempt(student, called, split_data, given_X, given_y, 0.2, 1234)
    if np.array_equal(given_X, X) and np.array_equal(given_y, y):
        return
    raise NotYet(
        "Your function changes X or y itself (for example, it shuffles y in place), so that "
        "rows and labels part company.",
        called=called,
        expected="X and y as they were",
        got="another order or other numbers in X or y",
        next="Shuffle row numbers, and pick from X and from y with the same row numbers.",
    )


def sizes(student: Student, X: Array, y: Array) -> None:
    """Check how many rows each part has."""
    called, (X_train, X_test, y_train, y_test) = parts(student, X, y)
    n_test = round(0.2 * len(X))
    slack = len(np.unique(y))  # a class may be rounded up or down
    fair = abs(len(X_test) - n_test) <= slack and len(X_test) + len(X_train) == len(X)
    if fair and len(y_test) == len(X_test) and len(y_train) == len(X_train):
        return
    cause = "The parts do not have the sizes that test_fraction asks for."
    then = "The test part has test_fraction of the rows, the training part all the others."
    if len(X_train) != len(y_train) or len(X_test) != len(y_test):
        cause = "A part of X and its part of y differ in length."
        then = "Pick from X and from y with the same row numbers."
    elif abs(len(X_train) - n_test) <= slack:
        cause = "The parts are swapped: the test part is the small one."
        then = "Look at which row numbers go where."
    elif len(X_train) + len(X_test) < len(X):
        cause = f"{len(X) - len(X_train) - len(X_test)} rows are lost: they are in neither part."
        then = "Every row that is not a test row is a training row."
    elif len(X_train) + len(X_test) > len(X):
        cause = "More rows came out than went in: some are in both parts, or in one part twice."
        then = "Every row that is not a test row is a training row, and no other is."
    raise NotYet(
        cause,
        called=called,
        expected=f"{len(X) - n_test} training rows and {n_test} test rows",
        got=f"X_train {len(X_train)}, X_test {len(X_test)}, "
        f"y_train {len(y_train)}, y_test {len(y_test)} rows",
        next=then,
    )


def row_numbers(part: Array, X: Array) -> Array:
    """Find each row of `part` in X: its row numbers, -1 where there is none (int64)."""
    return find_rows(part, row_table(X))


def row_table(X: Array) -> dict[bytes, int]:
    """Return the row numbers of X by the rows' bytes, for :func:`find_rows`."""
    return {row: index for index, row in enumerate(_rows(X))}


def find_rows(part: Array, table: dict[bytes, int]) -> Array:
    """Find each row of `part` in a table: its row numbers, -1 where there is none (int64)."""
    return np.array([table.get(row, -1) for row in _rows(part)], dtype=int)


def _rows(X: Array) -> list[bytes]:
    """Return the bytes of each row, as float32."""
    data = np.asarray(X, dtype=np.float32).tobytes()
    size = len(data) // max(1, len(X))
    return [data[i * size : (i + 1) * size] for i in range(len(X))]


def complete(student: Student, X: Array, y: Array) -> None:
    """Check that every row is in exactly one of the two parts."""
    called, (X_train, X_test, _, _) = parts(student, X, y)
    table = row_table(X)
    train, test = find_rows(X_train, table), find_rows(X_test, table)
    strange = int((train < 0).sum() + (test < 0).sum())
    both = np.intersect1d(train[train >= 0], test[test >= 0])
    lost = len(X) - len(np.union1d(train[train >= 0], test[test >= 0]))
    twice = len(train) + len(test) - strange - len(np.unique(train)) - len(np.unique(test))
    if not (strange or len(both) or lost or twice > 0):
        return
    cause = "Rows are lost or repeated: some row numbers were drawn twice, others never."
    then = "Shuffle all row numbers once and cut; drawing one by one can draw a row twice."
    if strange:
        cause = "There are rows that are not in X: numbers were changed, or columns shuffled."
        then = "Pick whole rows of X and leave their numbers as they are."
    elif len(both):
        cause = (
            "Training and test part overlap: the network would be judged on digits that it was "
            "trained on."
        )
        then = "A row number that went to one part must not go to the other."
    elif lost and twice <= 0:
        cause = f"{lost} rows are lost: they are in neither part."
        then = "Every row that is not a test row is a training row."
    raise NotYet(
        cause,
        called=called,
        expected="0 rows in both parts, 0 rows lost, 0 rows not from X",
        got=f"{len(both)} rows in both parts, {lost} rows lost, {strange} rows not from X",
        next=then,
    )


def labels(student: Student, X: Array, y: Array) -> None:
    """Check that each row still has its label."""
    called, (X_train, X_test, y_train, y_test) = parts(student, X, y)
    rows = row_numbers(np.concatenate([X_train, X_test]), X)
    labels = np.concatenate([y_train, y_test])
    if len(rows) != len(labels):
        raise NotYet(
            "A part of X and its part of y differ in length.",
            called=called,
            next="Pick from X and from y with the same row numbers.",
        )
    expected, labels = y[rows[rows >= 0]], labels[rows >= 0]
    wrong = expected != labels
    if not wrong.any():
        return
    cause = "Rows and labels have parted: X and y were shuffled separately."
    then = "Pick from X and from y with the same row numbers."
    if np.array_equal(labels, expected - 1):
        cause = "Every label is one less than it was (y - 1): the zeros have become -1."
        then = "Leave the labels alone: the remap above has made them the digits they show."
    elif np.array_equal(labels, np.where(expected == 0, 10, expected)):
        cause = "The zeros are labelled 10 again: Keras wants labels from 0 to 9."
        then = "Leave the labels alone: the remap above has made them the digits they show."
    elif np.array_equal(labels, (expected - 1) % 10):
        cause = (
            "Every label stands for the digit below (y - 1 in place of 10 -> 0): training would "
            "look fine, and every prediction would be off by one."
        )
        then = "Leave the labels alone: the remap above has made them the digits they show."
    first = int(np.argmax(wrong))
    raise NotYet(
        cause,
        called=called,
        expected=f"label {expected[first]} for a row that shows a {expected[first]}",
        got=f"label {labels[first]}; {int(wrong.sum())} of {len(wrong)} labels differ",
        next=then,
    )


def stratified(student: Student, X: Array, y: Array, fraction: float = 0.2) -> None:
    """Check that each class gives the same part of its rows to the test part."""
    called, (_, _, _, y_test) = parts(student, X, y, fraction)
    classes, sizes = np.unique(y, return_counts=True)
    counts = np.array([int((y_test == c).sum()) for c in classes])
    if (np.abs(counts - fraction * sizes) <= 1).all():  # rounded up or down
        return
    missing = [str(c) for c, n in zip(classes, counts, strict=True) if not n]
    cause = "The classes are not equally represented: rows were drawn without looking at y."
    if missing:
        cause = (
            f"Classes are missing from the test part ({', '.join(missing)}): y is sorted, and the "
            "rows were cut off at one end, as validation_split does."
        )
    raise NotYet(
        cause,
        called=called,
        expected=f"test rows of each class: {show(fraction * sizes, 0, 10)}",
        got=f"test rows of each class: {show(counts, 0, 10)}",
        next="Treat the classes one by one: split the rows of each by itself.",
    )


def shuffled(student: Student, X: Array, y: Array) -> None:
    """Check that neither part is still in the order of y."""
    called, (_, _, y_train, y_test) = parts(student, X, y)
    for name, labels in (("y_train", y_train), ("y_test", y_test)):
        changes = int((np.diff(labels) != 0).sum())
        if changes > len(labels) / 4:  # a shuffle of ten equal classes changes at nine in ten
            continue
        raise NotYet(
            f"{name} is still in the order of its classes: the rows were not shuffled at the end.",
            called=called,
            expected="digits in a mixed order",
            got=f"{name} = {show(labels, 0, 12)}",
            next="Shuffle the row numbers of each part once more, after the classes are put together.",
        )


def repeatable(student: Student, X: Array, y: Array) -> None:
    """Check that the seed, and nothing else, decides which rows are test rows."""
    called, (_, first, _, _) = parts(student, X, y, seed=7)
    _, (_, again, _, _) = parts(student, X, y, seed=7)
    _, (_, other, _, _) = parts(student, X, y, seed=8)
    if first.shape != again.shape or not np.array_equal(first, again):
        raise NotYet(
            "The same seed gave two different splits: the seed is not what starts your random "
            "numbers.",
            called=f"{called}, twice",
            expected="the same rows in the same order",
            got="different rows",
            next="Draw all random numbers from one generator that is made from seed.",
        )
    table = row_table(X)
    if set(find_rows(first, table).tolist()) == set(find_rows(other, table).tolist()):
        raise NotYet(
            "Every seed gives the same test rows: seed is not used, or which rows are taken is "
            "not left to chance.",
            called=f"{called}, then with seed 8",
            expected="other test rows",
            got="the same test rows",
            next="Draw all random numbers from one generator that is made from seed.",
        )


def _with_digits(check: Callable[[Student, Array, Array], None]) -> Callable[[Student], None]:
    return lambda student: check(student, *digits(student))


CHECKS = (
    Check("split-returns", "what comes back", _with_digits(returns)),
    Check("split-sizes", "sizes", _with_digits(sizes)),
    Check("split-complete", "every row once", _with_digits(complete)),
    Check("split-labels", "rows keep their labels", _with_digits(labels)),
    Check("split-stratified", "every class", _with_digits(stratified)),
    Check("split-shuffled", "shuffled", _with_digits(shuffled)),
    Check("split-repeatable", "repeatable", _with_digits(repeatable)),
)
