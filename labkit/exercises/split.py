"""Exercise 4 of lab_digits, the split: its public checks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labkit.asking import attempt, function_of
from labkit.findings import NotYet
from labkit.labels import need_labels
from labkit.row_numbers import find_rows, row_table
from labkit.run_checks import Check
from labkit.split_parts import (
    Parts,
    Rows,
    formed,
    judge_complete,
    judge_labels,
    judge_sizes,
    judge_stratified,
)
from labkit.student import Fact, Student
from labkit.values_in_words import Array, show


def _of_the_notebook(student: Student) -> tuple[Array, Array]:
    X, y = student.get("X"), student.get("y")
    need_labels(student, y, X)
    return X, y


digits: Fact[tuple[Array, Array]] = Fact("the digits to split", _of_the_notebook)
"""X (m, n) and y (m,): those of the notebook, unless the marking takes others."""


def call(X: Array, fraction: float = 0.2, seed: int = 1234) -> str:
    """Write the call as the student should read it."""
    return f"split_data(X, y, {fraction:g}, {seed}), X of shape {X.shape}"


def parts(
    student: Student, X: Array, y: Array, fraction: float = 0.2, seed: int = 1234
) -> tuple[str, Parts]:
    """Call `split_data`; return the call as text and X_train, X_test, y_train, y_test."""
    called = call(X, fraction, seed)
    split_data = function_of(student, "split_data")
    value = attempt(student, called, split_data, X.copy(), y.copy(), fraction, seed)
    return called, formed(value, X, y, called)


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


def _judging(judge: Callable[[Rows, str], None]) -> Callable[..., None]:
    """Return a check that splits X and y and judges what comes of it."""

    def check(student: Student, X: Array, y: Array, fraction: float = 0.2) -> None:
        called, given = parts(student, X, y, fraction)
        judge(Rows.of(given, X, y, fraction), called)

    return check


sizes = _judging(judge_sizes)
complete = _judging(judge_complete)
labels = _judging(judge_labels)
stratified = _judging(judge_stratified)


def other_fraction(student: Student, X: Array, y: Array, fraction: float = 0.3) -> None:
    """Check that the fraction asked for is the one that is held out."""
    try:
        sizes(student, X, y, fraction)
        stratified(student, X, y, fraction)
    except NotYet as finding:
        _, (_, usual, _, _) = parts(student, X, y)
        _, (_, found, _, _) = parts(student, X, y, fraction)
        if len(usual) == len(found):
            finding.cause = (
                f"Whatever test_fraction is, {len(found):,} rows are held out: 0.2, or a number of rows "
                "such as 100 or 1000, is written in your code."
            )
            finding.next = "Work out the number of test rows of a class from test_fraction."
        raise


def other_classes(student: Student, X: Array, y: Array) -> None:
    """Check a split of fewer rows, in another order, with classes of different sizes."""
    order = np.random.default_rng(0).permutation(len(y))
    wanted = {c: 20 + 10 * place for place, c in enumerate(np.unique(y))}
    keep = np.concatenate([order[y[order] == c][:n] for c, n in wanted.items()])
    keep = np.random.default_rng(1).permutation(keep)
    try:
        for check in (sizes, complete, labels, stratified):
            check(student, X[keep], y[keep])
    except NotYet as finding:
        finding.cause += (
            " Here the classes have different sizes and the rows are in another order: is a number of "
            "rows (500, 400, 100) or their order written in your code?"
        )
        raise


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
    Check("split-returns", "what comes back", _with_digits(returns), in_place=True),
    Check("split-sizes", "sizes", _with_digits(sizes)),
    Check("split-complete", "every row once", _with_digits(complete)),
    Check("split-labels", "rows keep their labels", _with_digits(labels)),
    Check("split-stratified", "every class", _with_digits(stratified)),
    Check("split-fraction", "another fraction", _with_digits(other_fraction)),
    Check("split-classes", "classes of other sizes", _with_digits(other_classes)),
    Check("split-shuffled", "shuffled", _with_digits(shuffled)),
    Check("split-repeatable", "repeatable", _with_digits(repeatable)),
)
