"""Exercise 1 of lab_digits, softmax: its public checks."""

from __future__ import annotations

import numpy as np

from labkit import cell_code
from labkit.asking import agree, attempt, function_of, matching, need_array, what_holds
from labkit.findings import NotYet
from labkit.run_checks import Check
from labkit.softmax_causes import MISCONCEPTIONS, OVERFLOWS
from labkit.student import Fact, Student
from labkit.values_in_words import Array, a_type, as_numbers, number, show, show_both, show_input

CASES: dict[str, tuple[list[float], list[float]]] = {
    "values": (
        [1.0, 2.0, 3.0, 4.0],
        [0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724],
    ),
    "negatives": (
        [-2.0, 0.5, -1.0, 3.0],
        [0.006085911098525308, 0.07414157520316281, 0.016543221548738572, 0.9032292921495733],
    ),
    "large": (
        [1000.0, 1001.0, 1002.0],
        [0.09003057317038046, 0.24472847105479764, 0.6652409557748219],
    ),
    "small": (
        [-1000.0, -1001.0, -1002.0],
        [0.6652409557748219, 0.24472847105479764, 0.09003057317038046],
    ),
    "wide": ([0.0, 1000.0, -1000.0], [0.0, 1.0, 0.0]),
}
"""Inputs and the probabilities that belong to them, worked out in 50 decimals."""


def output(student: Student, z: Array, exact: bool = False) -> tuple[str, Array]:
    """Call the student's function on a copy of `z` (N,); return the call as text and its result (N,).

    Unless `exact`, a list, a tensor or an axis too many is let pass: one check asks for the form,
    the others for the numbers.
    """
    called = f"my_softmax({show_input(z)})"
    my_softmax = function_of(student, "my_softmax")
    wanted = f"an array of shape {z.shape}"
    value = attempt(student, called, my_softmax, z.copy())
    numbers = None if value is None else as_numbers(value)
    if not exact and numbers is not None and numbers.size == z.size:
        return called, numbers.reshape(z.shape)
    p = need_array(value, called, wanted)
    if p.shape == z.shape:
        return called, p
    cause = f"The result has shape {p.shape}: z is one row of {len(z)} numbers, so is its softmax."
    if p.ndim == 2 and p.size == z.size:
        cause = f"The result has a second axis, shape {p.shape}: z was reshaped or kept its axis."
    elif p.size == z.size - 1:
        cause = "The result is one element short: a loop stops at N - 1."
    raise NotYet(
        cause,
        called=called,
        expected=wanted,
        got=a_type(p),
        next="Print the shape after each of your lines, and see where it changes.",
    )


def returns(student: Student) -> None:
    """Check that an array of the right shape comes back, without nan."""
    z = np.array(CASES["values"][0])
    called, p = output(student, z, exact=True)
    if not np.isfinite(p).all():
        raise NotYet(
            "A result that is not a number, on harmless input: 0/0, inf/inf or a logarithm of 0.",
            called=called,
            expected="four finite numbers",
            got=show(p),
            next="Print what you divide, and by what.",
        )


written: Fact[str] = Fact("code of softmax", lambda student: student.source("softmax"))
"""The student's code for this exercise."""


def by_hand(student: Student) -> None:
    """Check that no library's softmax does the work in the graded cell."""
    cell_code.need_by_hand(
        written(student),
        ("softmax", "log_softmax", "logsumexp"),
        "{used} does the work here: a library's softmax is not NumPy by hand.",
        "the formula, written with NumPy's exponential, sum and so on",
        "Write the formula yourself: two or three short lines are enough.",
    )


def total(student: Student) -> None:
    """Check that the probabilities are positive and add up to 1."""
    z, p = (np.array(part) for part in CASES["values"])
    called, got = output(student, z)
    if agree(np.sum(got), 1.0) and (got >= 0).all():
        return
    otherwise = (
        "The outputs are no probabilities: each should be 0 or more, and their sum 1.",
        "Divide by what makes the sum 1.",
    )
    cause, then = matching(got, MISCONCEPTIONS, otherwise, z, p)
    raise NotYet(
        cause,
        called=f"sum of {called}",
        expected="1, and no output below 0",
        got=f"{number(np.sum(got), 6)}, from {show(got)}",
        next=then,
    )


def compare(student: Student, z: Array, p: Array) -> None:
    """Check the values: the student's softmax of `z` against `p`; both (N,) float64."""
    called, got = output(student, z)
    if agree(got, p):
        return
    expected_text, got_text = show_both(p, got)
    cause, then = cause_of(z, p, got)
    raise NotYet(
        cause, called=called, expected=f"{expected_text}, within 1e-6", got=got_text, next=then
    )


def cause_of(z: Array, p: Array, got: Array) -> tuple[str, str]:
    """Name the likely cause of wrong values, and what to do next."""
    if np.isfinite(got).all():
        otherwise = (
            "The outputs match none of the formulas that are often written here by mistake.",
            "Work out exp and the sum for [0, 1] with pencil and paper, and compare step by step.",
        )
        return matching(got, MISCONCEPTIONS, otherwise, z, p)
    otherwise = (
        "A result that is not a number: 0/0, inf/inf or a logarithm of 0.",
        "Print what you divide, and by what.",
    )
    return what_holds(OVERFLOWS, otherwise, z, largest=f"{z.max():.0f}")


def cases(student: Student, *names: str) -> None:
    """Check the values of the public cases `names`."""
    for name in names:
        z, p = (np.array(part) for part in CASES[name])
        compare(student, z, p)


def untouched(student: Student, z: Array | None = None) -> None:
    """Check that `z` is the same after the call as before."""
    before = np.array(CASES["values"][0]) if z is None else z
    my_softmax = function_of(student, "my_softmax")
    called = f"z = np.array({show_input(before)}); my_softmax(z)"
    after = before.copy()
    attempt(student, called, my_softmax, after)
    if not np.array_equal(before, after):
        raise NotYet(
            "Your function changes z itself (an operation in place such as `-=`, or an assignment "
            "to z[...]), so that a second call starts from something else.",
            called=called,
            expected=f"z is still {show_input(before)}",
            got=f"z is now {show_input(after)}",
            next="Give the result of each step a name of its own, and leave z alone.",
        )


CHECKS = (
    Check("softmax-returns", "what comes back", returns),
    Check("softmax-sum", "probabilities", total),
    Check("softmax-by-hand", "written by hand", by_hand),
    Check("softmax-values", "a first example", lambda student: cases(student, "values")),
    Check("softmax-negatives", "negative inputs", lambda student: cases(student, "negatives")),
    Check("softmax-large-inputs", "large inputs", lambda student: cases(student, "large", "small")),
    Check("softmax-wide", "small and large in one row", lambda student: cases(student, "wide")),
    Check("softmax-untouched", "z is left alone", untouched, in_place=True),
)
