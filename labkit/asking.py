"""Calling the student's code, and judging what comes back."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from labkit.cell_runs import unfilled as empty
from labkit.findings import NotStarted, NotYet, Relayed
from labkit.student import Student
from labkit.values_in_words import Array, a_type, as_numbers, type_name


def need_function(function: Any, name: str) -> None:
    """Raise `NotYet` unless `function` can be called."""
    if not callable(function):
        raise NotYet(
            f"The name {name} stands for {a_type(function)}, not for a function.",
            expected=f"a function named {name}",
            got=a_type(function),
            next=f"Do not give {name} another value; run the cell that defines it again.",
        )


def function_of(student: Student, name: str) -> Any:
    """Return the student's function of that name; raise `NotYet` if it cannot be called."""
    function = student.get(name)
    need_function(function, name)
    return function


def attempt(
    student: Student, called: str, function: Callable[..., Any], *arguments: Any, **values: Any
) -> Any:
    """Call something of the student's; an exception of their code becomes a finding.

    Parameters
    ----------
    student : Student
    called : str
        The call as the student should read it.
    function : callable
    *arguments, **values
        Given to `function` as they are.

    Raises
    ------
    NotYet
        If the student's code raised: the exception's name and text, and their line.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows is told by the check, in words
            return function(*arguments, **values)
    except NotYet:
        raise
    except student.raises as error:
        raise raised(called, error) from None


def raised(called: str, error: Exception) -> NotYet:
    """Turn an exception out of the student's code into a finding."""
    if isinstance(error, Relayed):
        kind, message, line = error.type_name.rpartition(".")[2], error.message, error.line
        unfilled = kind == NotStarted.__name__  # from another process a type comes as its name
    else:
        kind, message, line = type(error).__name__, str(error), _students_line(error)
        unfilled = isinstance(error, NotStarted)
    if unfilled:
        return empty(message)
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    told = [text.strip() for text in message.splitlines() if text.strip()]
    if len(told) > 1 and told[0].startswith("Exception encountered when calling"):
        del told[0]  # Keras' frame around what went wrong
    known = next((why for pattern, why in _ERRORS.items() if re.search(pattern, message)), "")
    at = f" at the line `{line.strip()}`" if line.strip() else ""
    finding = NotYet(
        f"Your code raised {kind}{at}.{known}",
        called=called,
        got=f"{kind}: {told[0] if told else ''}"[:300].rstrip(": "),
        next=_NEXT_AFTER.get(kind, "Run your function on this input in a cell of your own."),
    )
    finding.__cause__ = error
    return finding


_ERRORS = {
    "math range error": " exp of a number above 709 is too large for a float.",
    "math domain error": " The logarithm of 0, or of a negative number, does not exist.",
    "Cannot cast ufunc": " An operation in place, such as `/=`, cannot put fractions into an array of "
    "whole numbers (bytes). Give the result a name of its own.",
    "cannot reshape array of size": " That is another number of numbers than there are. A number of rows "
    "that is written in fits one array only: len of the array, or -1, fits any.",
    "must be of integer .*type": " What stands in the square brackets has to be whole numbers.",
}
"""What some errors' texts mean, in words."""

_NEXT_AFTER = {
    "OverflowError": "Shift the numbers so that the largest is 0 before you take the exponential.",
    "NameError": "Give that name a value before you use it, or correct its spelling.",
    "TypeError": "Look at what goes into that line: its type, and how many arguments there are.",
    "ValueError": "Print the shapes of what goes into that line; two of them do not fit.",
    "IndexError": "Print the shape of what you index there, and the index.",
    "AttributeError": "Look at the type of the object before the dot, and at the spelling after.",
}


_OURS = re.compile(r"([\\/]labkit[\\/].*|[\\/]utils(_mnist)?)\.py$|^<string>$")
"""Files of the lab itself, wherever it lies."""


def _students_line(error: Exception) -> str:
    """Return the last line of code outside of libraries and of ours that the exception went through."""
    own = [
        frame.line or ""
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not _OURS.search(frame.filename)
    ]
    return own[-1] if own else ""


def need_array(value: Any, called: str, wanted: str) -> Array:
    """Return `value`, which must be a NumPy array of numbers; say what it is if it is not."""

    def not_yet(cause: str, then: str) -> NotYet:
        return NotYet(cause, called=called, expected=wanted, got=a_type(value), next=then)

    name = type_name(value)
    if value is None:
        raise not_yet(
            "The function returns nothing: its result is printed or kept, but not returned.",
            "Hand the result back with `return`.",
        )
    if isinstance(value, list | tuple):
        raise not_yet(
            f"The result is a {name}: numbers were collected in a Python {name}.",
            "Collect them in a NumPy array, or turn the result into one before you return it.",
        )
    if "tensor" in name.lower():
        raise not_yet(
            "The result is a TensorFlow tensor: one of the steps was taken by TensorFlow.",
            "Take every step with NumPy: this exercise is the formula by hand.",
        )
    if isinstance(value, bool | int | float | np.generic) or (
        name.startswith("numpy.") and (np.ndim(value) == 0)
    ):
        raise not_yet(
            "The result is a single number where an array was asked for.",
            "Keep the whole array: add up or pick out only what the formula says.",
        )
    array = as_numbers(value)
    if array is None or name != "numpy.ndarray":
        raise not_yet(
            f"The result is {a_type(value)}, not a NumPy array of real numbers.",
            "Return a plain NumPy array (np.ndarray).",
        )
    return array


def agree(got: Any, expected: Any, tolerance: float = 1e-6) -> bool:
    """Tell whether two arrays have the same shape and numbers, to `tolerance` (also relative).

    1e-6 is ten times the rounding of float32 (1.2e-7), so that a right formula in single precision
    passes and a wrong one does not.
    """
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return False
    return bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance))


class Misconception(NamedTuple):
    """What a student probably did, what to do next, and what comes out if one does that.

    A list of outcomes is one for each way in which it is done.
    """

    cause: str
    next: str
    outcome: Callable[..., Any]


class Symptom(NamedTuple):
    """What a result shows: a cause, what to do next, and when that is so."""

    cause: str
    next: str
    holds: Callable[..., bool]


def what_holds(
    table: Iterable[Symptom], otherwise: tuple[str, str], *given: Any, **words: Any
) -> tuple[str, str]:
    """Return cause and next of the first symptom that holds for what is `given`.

    Both may name `words` in braces.
    """
    with np.errstate(all="ignore"):
        for cause, then, holds in table:
            if holds(*given):
                return cause.format(**words), then.format(**words)
    return otherwise


def matching(
    got: Any,
    table: Iterable[Misconception],
    otherwise: tuple[str, str],
    *given: Any,
    tolerance: float = 1e-6,
) -> tuple[str, str]:
    """Find the misconception whose outcome for what was `given` is `got`: its cause, what next."""
    with np.errstate(all="ignore"):
        for cause, then, outcome in table:
            came = outcome(*given)
            ways = came if isinstance(came, list) else [came]
            if any(agree(got, one, tolerance) for one in ways):
                return cause, then
    return otherwise
