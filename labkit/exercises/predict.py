"""Exercise 7 of lab_digits, predictions: its public checks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from labkit.asking import Symptom, agree, attempt, function_of, what_holds
from labkit.exercises.model import need_model
from labkit.findings import NotYet
from labkit.inspection import sigmoid
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, a_type, as_numbers, show, show_both


class Prediction(NamedTuple):
    """What `predict_digits` gave for rows X (m, 400), and the right logits (m, 10)."""

    run: dict[str, Any]
    X: Array
    logits: Array


def _asked(student: Student) -> Prediction:
    """Let the student's function predict seven rows of the notebook's X with the student's model."""
    X = np.asarray(student.get("X"))
    X = X[:: max(1, len(X) // 7)][:7]
    function_of(student, "predict_digits")
    need_model(student.get("model"), student.source("model"))
    run = ask(student, X, "watched_prediction(predict_digits, model, X_given)")
    logits = np.asarray(student.evaluate("model_outputs(model, X_given)", X_given=X))
    return Prediction(run, X, logits.astype(float))


seven_rows: Fact[Prediction] = Fact("seven rows predicted", _asked)
"""With the student's own model in the notebook; the marking recomputes the logits."""


def call_of(X: Array) -> str:
    """Write the call as the student should read it."""
    return f"predict_digits(model, X[:{len(X)}]), rows of shape {X.shape}"


def ask(student: Student, X: Array, expression: str, **values: Any) -> dict[str, Any]:
    """Evaluate a prediction of `X_given`; an error about shapes gets a cause of its own."""
    try:
        run = attempt(student, call_of(X), student.evaluate, expression, X_given=X, **values)
    except NotYet as finding:
        said = finding.got.lower()
        if "broadcast" in said:
            finding.cause += (
                " Something by row, of shape (m,), meets an array (m, 10): a maximum or a sum lost its "
                "axis on the way."
            )
            finding.next = (
                "Take it with keepdims=True: (m, 1) fits (m, 10), each row its own number."
            )
        elif "shape" in said or "rank" in said or "dimension" in said:
            finding.cause += " The model takes rows: an input of shape (m, 400), two axes."
            finding.next = "Hand the whole batch on. One row with both its axes is X[:1], not X[0]."
        raise
    if not isinstance(run, dict) or not {"result", "calls"} <= run.keys():
        raise NotYet("What came back could not be read.", called=call_of(X))
    return run


def returns(of: Prediction) -> tuple[Array, Array]:
    """Check that digits (m,) and probabilities (m, 10) come back; return them."""
    called, value, m = call_of(of.X), of.run["result"], len(of.X)
    wanted = f"two arrays: digits of shape ({m},), probabilities of shape ({m}, 10)"

    def not_yet(cause: str, then: str, got: str) -> NotYet:
        return NotYet(cause, called=called, expected=wanted, got=got, next=then)

    if not isinstance(value, tuple | list) or len(value) != 2:
        cause = "Two things are to come back, the digits and the probabilities."
        if value is None:
            cause = "The function returns nothing."
        raise not_yet(cause, "Return both, separated by a comma.", a_type(value))
    digits, chances = as_numbers(value[0]), as_numbers(value[1])
    got = f"{a_type(value[0])} and {a_type(value[1])}"
    if digits is not None and chances is not None and (digits.ndim, chances.ndim) == (2, 1):
        raise not_yet("The two are swapped.", "Return the digits first.", got)
    if digits is None or chances is None:
        raise not_yet("One of the two is not an array of numbers.", "Print both.", got)
    if digits.ndim == 0 and m != 1:
        raise not_yet(
            "One number came back for the whole batch: an argmax without an axis looks at all rows "
            "at once.",
            "Say along which axis the largest is looked for: one digit for each row.",
            got,
        )
    if digits.shape == (10,) and m != 10:
        raise not_yet(
            "Ten numbers came back, one for each column: the argmax went down the columns "
            "(axis=0), and tells which row is the most like each digit.",
            "Look for the largest along the other axis: one digit for each row.",
            got,
        )
    if digits.shape == (m,) and chances.shape in ((m,), (m, 1)) and m != 1:
        raise not_yet(
            "Only one probability came back for each row, the largest.",
            "Return all ten of each row: the ones that lost say how close it was.",
            got,
        )
    if digits.shape != (m,) or chances.shape != (m, 10):
        raise not_yet(
            "The shapes are not those of one digit and ten probabilities for each row.",
            "Print the shapes after each of your lines.",
            got,
        )
    if (digits != np.round(digits)).any() or digits.dtype.kind == "f":
        raise not_yet("The digits are not integers.", "Return integers.", f"{show(digits)}")
    return digits, chances


def values(of: Prediction) -> None:
    """Check that each row's digit is the one with the largest logit (up to float32: 1e-4)."""
    _, X, logits = of
    digits = returns(of)[0].astype(int)
    inside = (digits >= 0) & (digits < 10)
    own = np.take_along_axis(logits, np.where(inside, digits, 0)[:, np.newaxis], axis=1)[:, 0]
    if (inside & (own >= logits.max(axis=1) - 1e-4)).all():
        return
    cause = "The digits are not the most probable ones."
    if not inside.all():
        cause = "There are digits below 0 or above 9: the outputs stand for 0 to 9, in this order."
    elif (own <= logits.min(axis=1) + 1e-4).all():
        cause = "These are the least probable digits: the smallest was taken for the largest."
    worst = int(np.argmin(np.where(inside, own - logits.max(axis=1), -np.inf)))
    raise NotYet(
        cause,
        called=call_of(X),
        expected=f"row {worst}: the place of the largest of {show(logits[worst], 2, 10)}",
        got=f"row {worst}: {digits[worst]}",
        next="Take one row, print its ten numbers, and find the largest with your finger.",
    )


def _sums_right(p: Array) -> bool:
    return agree(p.sum(axis=1), np.ones(len(p)), 1e-4) and not (p < 0).any()


BY_ROW = "Use a softmax for each row: exercise 1 says how."
ODD_SUMS = (
    Symptom(
        "The logits were returned as probabilities.",
        "Turn each row of logits into probabilities first: exercise 1 says how.",
        lambda p, logits: agree(p, logits, 1e-3),
    ),
    Symptom(
        "These are logarithms of probabilities.",
        "Return the probabilities themselves.",
        lambda p, _: (p < 0).any() and agree(np.exp(p).sum(axis=1), np.ones(len(p)), 1e-4),
    ),
    Symptom(
        "The probabilities add up to 1 over the whole batch, not in each row.",
        "One softmax for each row: the largest and the sum are to be taken row by row.",
        lambda p, _: len(p) > 1 and abs(p.sum() - 1) < 1e-3,
    ),
    Symptom(
        "The probabilities add up to 1 down the columns, not in each row.",
        "Look at the axis: one softmax for each row.",
        lambda p, _: len(p) > 1 and agree(p.sum(axis=0), np.ones(10), 1e-3),
    ),
    Symptom(
        "These are percentages: a row adds up to 100.",
        "Return fractions that add up to 1; the notebook writes them as percentages.",
        lambda p, _: agree(p.sum(axis=1), np.full(len(p), 100.0), 1e-4),
    ),
    Symptom(
        "The probabilities were rounded: a row does not quite add up to 1 any more.",
        "Return them as they are; round only where you print.",
        lambda p, _: any(np.allclose(p * 10**n, np.rint(p * 10**n), atol=1e-4) for n in (1, 2, 3)),
    ),
    Symptom(
        "This is the sigmoid of each logit: a row does not add up to 1.",
        BY_ROW,
        lambda p, logits: agree(p, sigmoid(logits), 1e-3),
    ),
    Symptom(
        "The probabilities of a row do not add up to 1.",
        BY_ROW,
        lambda p, _: not _sums_right(p),
    ),
)
"""What probabilities (m, 10) show that are not those of the logits (m, 10)."""


def probabilities(of: Prediction) -> None:
    """Check the probabilities: they add up to 1 by row, and belong to the logits.

    That log(p_i / p_j) = z_i - z_j is the definition of the softmax; 1e-3 is float32's part.
    """
    run, X, logits = of
    m, value = len(X), run["result"]
    pair = value if isinstance(value, tuple | list) and len(value) == 2 else ()
    several = [part for part in map(as_numbers, pair) if part is not None and part.ndim == 2]
    if len(several) != 1 or several[0].shape != (m, 10):  # what is wrong is the form: say so
        returns(of)
        return
    p = several[0]
    if _sums_right(p) and _same_odds(p, logits):  # first: a sure network's rows look rounded, too
        return
    what, shown = "sums of the rows", show_both(np.ones(m)[:4], p.sum(axis=1)[:4])
    cause, then = what_holds(ODD_SUMS, ("", ""), p, logits)
    if not cause:
        cause = "The probabilities add up to 1 in each row, but do not belong to the logits."
        then = "Was the softmax applied twice, or to something else than the logits?"
        what = "the first row"
        shown = ("odds of two digits: exp of the difference of their logits", show(p[0], 4, 10))
    raise NotYet(
        cause,
        called=f"{what} of {call_of(X)}",
        expected=shown[0],
        got=shown[1],
        next=then,
    )


def _same_odds(p: Array, logits: Array) -> bool:
    """Tell whether log(p) and the logits differ by one number in each row."""
    visible = p > 1e-6
    if (~visible & (logits > logits.max(axis=1, keepdims=True) - 10)).any():  # exp(-10) is visible
        return False
    with np.errstate(divide="ignore"):
        gap = np.where(visible, np.log(np.where(visible, p, 1)) - logits, np.nan)
    return bool((np.nanmax(gap, axis=1) - np.nanmin(gap, axis=1) < 1e-3).all())


def one_call(of: Prediction) -> None:
    """Check that the model was asked once for the whole batch."""
    run, X, _ = of
    if run["calls"] == 1:
        return
    cause = f"The model was asked {run['calls']} times for {len(X)} rows: each call has a cost."
    then = "Hand all the rows on in one call; it gives one row of logits for each."
    if not run["calls"]:
        cause = "The model that was given was not asked at all: you used another one."
        then = "Use the argument model, not a model from outside the function."
    raise NotYet(
        cause,
        called=call_of(X),
        expected="1 call of the model",
        got=f"{run['calls']} calls",
        next=then,
    )


CHECKS = (
    Check("predict-returns", "what comes back", lambda student: returns(seven_rows(student))),
    Check("predict-values", "digits", lambda student: values(seven_rows(student))),
    Check("predict-probabilities", "probabilities", lambda s: probabilities(seven_rows(s))),
    Check("predict-one-call", "one call", lambda student: one_call(seven_rows(student))),
)
