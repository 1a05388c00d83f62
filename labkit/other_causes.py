"""Where a finding's cause may lie: in another exercise, or in a name from outside the function."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from labkit.exercises import TITLES
from labkit.findings import NotYet
from labkit.student import Student, ThisNotebook

FUNCTIONS = {
    "softmax": "my_softmax",
    "dense": "my_dense",
    "split": "split_data",
    "loss": "cross_entropy",
    "predict": "predict_digits",
    "preprocess": "preprocess",
    "prepare": "prepare",
    "confusion": "confusion_matrix",
    "photo": "preprocess_photo",
}
"""The function that each exercise asks for."""


def look_elsewhere(finding: NotYet, student: Student, exercise: str) -> None:
    """Say it in a finding if an earlier exercise, or a name from outside, is the likely cause."""
    used = names_used(student, exercise)
    earlier = next(
        filter(None, (blame(student, other) for other in builds_on(student, exercise, used))), ""
    )
    if earlier:
        finding.cause = f"{earlier} What was seen here: {finding.cause}"
        finding.next = f"Run the check of {earlier.partition(',')[0]} first, then this one."
    elif "my_softmax" in used["functions"] and "raised" in finding.cause:
        finding.cause += " my_softmax is for one vector; the logits here are a batch, one row each."
        finding.next = (
            "Use it row by row, or do its steps on the batch, with axis=1 and keepdims=True."
        )
    elif used["arrays"]:
        names = " and ".join(used["arrays"][:3])
        finding.cause += (
            f" Your function uses {names} from outside in place of what it is given: it would give the "
            "same for any input."
        )
        finding.next = f"Use the function's own arguments in place of {names}."


def names_used(student: Student, exercise: str) -> dict[str, list[str]]:
    """Return what an exercise's function reads from outside: ``arrays``, and other ``functions``."""
    nothing: dict[str, list[str]] = {"arrays": [], "functions": []}
    name = FUNCTIONS.get(exercise)
    if name is None:
        return nothing
    try:
        found: Any = student.evaluate(f"read_from_outside({name})")
    except (student.raises, NameError):
        return nothing
    keys = nothing.keys()
    whole = isinstance(found, dict) and all(isinstance(found.get(key), list) for key in keys)
    return {key: [str(one)[:40] for one in found[key]] for key in keys} if whole else nothing


def builds_on(student: Student, exercise: str, used: dict[str, list[str]]) -> list[str]:
    """Return the earlier exercises that an answer uses."""
    named = [other for other, name in FUNCTIONS.items() if name in used["functions"]]
    # The marking has a prepared model for predictions, so that a wrong one costs nothing there.
    with_model = exercise == "train" or (
        exercise == "predict" and isinstance(student, ThisNotebook)
    )
    return ["model"] * with_model + [other for other in named if other != exercise]


def blame(student: Student, exercise: str) -> str:
    """Return what the checks of an earlier exercise say of it; '' if they pass or cannot be asked."""
    for check in import_module(f"labkit.exercises.{exercise}").CHECKS:
        student.in_place = check.in_place
        try:
            check.body(student)
        except NotYet as finding:
            return f"{TITLES[exercise]} is not right yet, and this builds on it: {finding.cause}"
        except (student.raises, KeyError):
            return ""
    return ""
