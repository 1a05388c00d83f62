"""Exercise 5 of lab_digits, the cross-entropy and its gradient: its public checks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from labkit import cell_code
from labkit.asking import Symptom, agree, attempt, function_of, matching, need_array, what_holds
from labkit.findings import NotYet
from labkit.labels import need_digits
from labkit.loss_causes import EVEN, GRADIENTS, LARGE, ON_LARGE, SEVERAL, VALUES, Batch
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, a_type, as_numbers, number, show_both, show_input

SHAPES = (
    Symptom(
        "The loss is not one number: there is one for each row, and the mean is missing.",
        "Return the mean of the losses of the rows.",
        lambda loss, gradient, m, n: m > 1 and loss.shape in ((m,), (m, 1)),
    ),
    Symptom(
        "The two are swapped: the gradient came first.",
        "Return the loss first, then the gradient.",
        lambda loss, gradient, m, n: gradient.size == 1 and loss.shape == (m, n),
    ),
    Symptom(
        "The loss is not one number.",
        "Print its shape after each of your lines.",
        lambda loss, gradient, m, n: loss.size != 1,
    ),
    Symptom(
        "The gradient is transposed: it has a row for each class.",
        "It has the shape of the logits: a row for each example.",
        lambda loss, gradient, m, n: m != n and gradient.shape == (n, m),
    ),
    Symptom(
        "The gradient was added up over the batch: each row of logits has one of its own.",
        "It has the shape of the logits: a row for each example.",
        lambda loss, gradient, m, n: m > 1 and gradient.shape in ((n,), (1, n)),
    ),
    Symptom(
        "There is one number for each row: only the label's element of the gradient came back.",
        "All N logits of a row have one: fill an array of the shape of the logits.",
        lambda loss, gradient, m, n: n > 1 and gradient.shape in ((m,), (m, 1)),
    ),
    Symptom(
        "The gradient does not have the shape of the logits.",
        "It says of each logit how the loss changes with it: one number for each.",
        lambda loss, gradient, m, n: gradient.shape != (m, n),
    ),
)
"""What the shapes of a loss and a gradient show, for m rows of n logits."""


def called(of: Batch) -> str:
    """Write the call as the student should read it."""
    logits = show_input(of.logits) if of.p.size <= 10 else f"logits of shape {of.p.shape}"
    if not of.logits.any():
        logits = f"np.zeros({of.p.shape})"
    return f"cross_entropy({logits}, {of.y.tolist() if of.m < 9 else 'labels'})"


def output(student: Student, of: Batch, exact: bool = False) -> tuple[str, float, Array]:
    """Call the student's function; return the call as text, the loss and the gradient (m, N).

    Unless `exact`, other types and an axis too many are let pass: one check asks for the form.
    """
    call, cross_entropy = called(of), function_of(student, "cross_entropy")
    wanted = f"two things: a number, and an array of shape {of.p.shape}"
    try:
        value = attempt(student, call, cross_entropy, of.logits.copy(), of.y.copy())
    except NotYet as finding:
        _explain(student, of, finding)
        raise
    if not isinstance(value, tuple | list) or len(value) != 2:
        cause = "Two things are to come back, the loss and its gradient."
        if value is None:
            cause = "The function returns nothing."
        raise NotYet(
            cause,
            called=call,
            expected=wanted,
            got=a_type(value),
            next="Return both, separated by a comma.",
        )
    parts = [as_numbers(part) for part in value]
    got = f"{a_type(value[0])} and {a_type(value[1])}"
    if parts[0] is None or parts[1] is None:
        raise NotYet(
            "One of the two is not made of numbers.",
            called=call,
            expected=wanted,
            got=got,
            next="Print both.",
        )
    loss, gradient = parts[0], parts[1]
    if not exact and gradient.size == of.p.size and gradient.shape[-1:] == of.p.shape[-1:]:
        gradient = gradient.reshape(of.p.shape)
    none = ("", "")
    cause, then = what_holds(SHAPES, none, loss, gradient, *of.p.shape)
    if cause:
        raise NotYet(cause, called=call, expected=wanted, got=got, next=then)
    if exact:
        need_array(value[1], call, f"an array of shape {of.p.shape}")
    return call, float(loss.reshape(())), np.asarray(gradient, dtype=float)


def _explain(student: Student, of: Batch, finding: NotYet) -> None:
    """Say it in a finding if the function works with labels in another form, or points outside."""
    if "IndexError" in finding.got and "out of bounds" in finding.got:
        finding.cause += " A label pointed outside the columns, which are 0 to N - 1 as labels are."
    if "broadcast" in finding.got and re.search(r"- *y\b(?!\[)", finding.cause):
        finding.cause += " y holds one integer for each row; it is no array of N numbers for each."
        finding.next = "Take away 1 at one place of each row: in the column that its label names."
    for form, labels in (
        ("one-hot labels, ten zeros and ones for a digit", of.hit.astype(float)),
        ("labels in a column, shape (m, 1)", of.y[:, np.newaxis]),
    ):
        try:
            value: Any = function_of(student, "cross_entropy")(of.logits.copy(), labels)
            right = agree(as_numbers(value[0]), of.loss)
        except (student.raises, TypeError, LookupError):  # `finding` says what is wrong
            continue
        if right:
            finding.cause = f"Your function expects {form}; y is integers, shape (m,)."
            finding.next = "Let y pick from each row the column of its label."
            return


def returns(student: Student) -> None:
    """Check that a number and an array of the logits' shape come back, both finite."""
    call, loss, gradient = output(student, SEVERAL, exact=True)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise NotYet(
            "There are numbers that are not finite, on harmless logits.",
            called=call,
            expected="finite numbers",
            got=f"loss {loss}, gradient {show_input(gradient[0])} in the first row",
            next="Print what you divide by, and what you take the logarithm of.",
        )


def value(student: Student, of: Batch) -> None:
    """Check the loss of a batch."""
    call, loss, _ = output(student, of)
    if agree(loss, of.loss):
        return
    otherwise = (
        "The loss is none of those that are often written here by mistake.",
        "Work out one row of two logits, [0, 0], with pencil and paper: it is ln 2 = 0.693.",
    )
    cause, then = otherwise
    if np.isfinite(loss):
        cause, then = matching(loss, VALUES, otherwise, of)
    elif not of.logits.any():
        cause = (
            "The logarithm of 0: the logits were taken for probabilities, the softmax is missing."
        )
        then = "What comes in are logits; probabilities are made of them row by row first."
    if np.abs(of.logits).max() > 700 and (cause, then) == otherwise:
        cause, then = what_holds(ON_LARGE, otherwise, loss)
    texts = [number(x, 6) for x in (of.loss, loss)]
    raise NotYet(cause, called=call, expected=texts[0], got=texts[1], next=then)


def gradient(student: Student, of: Batch) -> None:
    """Check the gradient of a batch."""
    call, _, found = output(student, of)
    if agree(found, of.gradient):
        return
    otherwise = (
        "The gradient is none of those that are often written here by mistake.",
        "Change one logit by 0.001 and see by how much your loss changes: that is its element.",
    )
    cause, then = matching(found, GRADIENTS, otherwise, of)
    if not np.isfinite(found).all():
        cause = "There are numbers in the gradient that are not finite: an exponential overflowed."
        then = "Shift each row so that its largest logit is 0: exercise 1 says why that is safe."
    row = int(np.argmax(np.abs(found - of.gradient).sum(axis=1)))
    texts = show_both(of.gradient[row], found[row])
    raise NotYet(
        cause,
        called=f"gradient of {call}, row {row}",
        expected=texts[0],
        got=texts[1],
        next=then,
    )


def differences(student: Student, logits: Array | None = None) -> None:
    """Check that the gradient is that of the student's own loss, by small differences."""
    z = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]]) if logits is None else logits
    y = np.arange(len(z)) % z.shape[1]
    blank = Batch(z, y, 0.0, np.zeros(z.shape))
    _, _, found = output(student, blank)
    step, slope = 0.01, np.zeros(z.shape)
    for place in np.ndindex(*z.shape):
        ends = []
        for move in (step, -step):
            moved = z.copy()
            moved[place] += move
            ends.append(output(student, Batch(moved, y, 0.0, blank.p))[1])
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    # The step's own error is about 1e-5, float32 rounds the difference to as much.
    if np.allclose(found, slope, atol=1e-3):
        return
    place = np.unravel_index(np.abs(found - slope).argmax(), z.shape)
    raise NotYet(
        "Loss and gradient do not belong together: the loss changes in another way than the gradient "
        "says.",
        called=f"loss with logit {tuple(map(int, place))} moved up and down by {step:g}",
        expected=f"{number(slope[place], 5)}, as the loss changes",
        got=f"{number(found[place], 5)} in the gradient",
        next="Look at what is done to the one and not to the other: the mean, the sign, the labels.",
    )


def untouched(student: Student, of: Batch = SEVERAL) -> None:
    """Check that logits and labels are the same after the call as before."""
    logits, y = of.logits.copy(), of.y.copy()
    attempt(student, called(of), function_of(student, "cross_entropy"), logits, y)
    for name, before, after in (("logits", of.logits, logits), ("y", of.y, y)):
        if not np.array_equal(before, after):
            raise NotYet(
                f"Your function changes {name} itself (an operation in place such as `-=`), so that "
                "a second call starts from something else.",
                called=called(of),
                expected=f"{name} as before, {show_input(before[0])} first",
                got=show_input(after[0]),
                next="Give the result of each step a name of its own.",
            )


LIBRARIES = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "SparseCategoricalCrossentropy",
    "CategoricalCrossentropy",
    "sparse_softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "GradientTape",
    "log_loss",
)
"""What libraries call the softmax, the cross-entropy and gradients."""

written: Fact[str] = Fact("code of cross_entropy", lambda student: student.source("loss"))
"""The student's code for this exercise."""


def by_hand(student: Student) -> None:
    """Check that no library's loss does the work in the graded cell."""
    cell_code.need_by_hand(
        written(student),
        LIBRARIES,
        "{used} does the work here: a library's loss is not NumPy by hand.",
        "the formula, written with NumPy's exponential, logarithm, sum and so on",
        "Write the formula yourself; what you wrote in exercise 1 is a good beginning.",
    )


digits: Fact[None] = Fact("labels of the notebook", need_digits)
"""Looked at in the notebook; the marking brings logits and labels of its own."""


def _labels_and_returns(student: Student) -> None:
    digits(student)
    returns(student)


CHECKS = (
    Check("loss-returns", "what comes back", _labels_and_returns),
    Check("loss-even", "all logits 0", lambda student: value(student, EVEN)),
    Check("loss-values", "a batch", lambda student: value(student, SEVERAL)),
    Check("loss-by-hand", "written by hand", by_hand),
    Check("loss-large-logits", "logits of 1000", lambda student: value(student, LARGE)),
    Check("loss-gradient", "the gradient", lambda student: gradient(student, SEVERAL)),
    Check("loss-differences", "loss and gradient belong together", differences),
    Check("loss-untouched", "the logits are left alone", untouched, in_place=True),
)
