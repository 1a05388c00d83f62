"""The checks that you run in the notebook, one function an exercise.

Each check asks your code for something, compares, and stops at the first thing that is not right
yet. It then says what was called, what was expected, what came, what the likely cause is and what
to do next. The cause is found by matching: a table of common misconceptions is worked out for the
same input, and the one that gives *your* output is the one that is named.

Where to find what: the machinery (findings, calls, numbers as text) comes first; then a section an
exercise with its misconceptions, its checks and its ``test_...`` function; ``summary`` is last.

The file needs NumPy and nothing else. What has to be known of a Keras model is asked of the model.
"""

from __future__ import annotations

import ast
import linecache
import math
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TITLES = {
    "softmax": "Exercise 1, softmax",
    "model": "Exercise 2, model",
    "dense": "Exercise 3, dense layer",
    "split": "Exercise 4, split",
    "train": "Exercise 5, train",
    "predict": "Exercise 6, predict",
    "preprocess": "Exercise 7, preprocess",
}
"""What each exercise is called, by the id of its graded cell."""

MARKERS = {f"UNQ_C{number}": exercise for number, exercise in enumerate(TITLES, 1)}
"""Which exercise a marker in a graded cell stands for."""

_outcomes: dict[str, bool] = {}

# --- Machinery: findings ------------------------------------------------------------------------


class NotStarted(NotImplementedError):
    """Raised by a graded cell that nobody has filled in; it names the exercise by itself."""

    def __init__(self, *_: object) -> None:
        self.exercise = _exercise_of(sys._getframe(1).f_code.co_filename)
        super().__init__(
            f"{self.exercise} is not started yet. Write your code between START CODE HERE and "
            "END CODE HERE in place of `raise NotStarted`, then run the cell again."
        )

    def _render_traceback_(self) -> list[str]:
        return [f"… {self}"]


def _exercise_of(filename: str) -> str:
    """Name the exercise whose graded cell has the source file `filename`."""
    source = "".join(linecache.getlines(filename))
    for marker, exercise in MARKERS.items():
        if re.search(rf"{marker}\b", source):
            return TITLES[exercise]
    named = re.search(r"GRADED CELL: *(.+)", source)
    return f"“{named[1].strip()}”" if named else "This exercise"


class NotYet(AssertionError):
    """A check did not pass; what there is to say about it.

    Parameters
    ----------
    cause : str
        The likely cause, in words.
    called, expected, got, next : str
        What was called, what should have come, what came, and what to do next.
    """

    def __init__(
        self, cause: str, *, called: str = "", expected: str = "", got: str = "", next: str = ""
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.called = called
        self.expected = expected
        self.got = got
        self.next = next
        self.heading = ""

    def __str__(self) -> str:
        parts = {
            "Called": self.called,
            "Expected": self.expected,
            "Got": self.got,
            "Likely": self.cause,
            "Next": self.next,
        }
        lines = [f"✗ NOT YET  {self.heading}".rstrip()]
        lines += [f"  {name:<9} {text}" for name, text in parts.items() if text]
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def run_checks(exercise: str, checks: Sequence[tuple[str, Callable[[], None]]]) -> None:
    """Run the checks of one exercise in order; stop at the first that does not pass.

    Parameters
    ----------
    exercise : str
        Id of the exercise.
    checks : sequence of (title, check)
        A check returns nothing and raises `NotYet`.

    Raises
    ------
    NotYet
        By the first check that does not pass, with its heading filled in.
    """
    title = TITLES.get(exercise, exercise)
    _outcomes[exercise] = False
    for number, (what, check) in enumerate(checks, 1):
        try:
            check()
        except NotYet as finding:
            finding.heading = f"{title}: {what} (check {number} of {len(checks)})"
            raise
    _outcomes[exercise] = True
    print(f"✓ {title}: all public checks passed ({len(checks)} of {len(checks)}).")


# --- Machinery: calling the student's code ------------------------------------------------------


def type_name(value: object) -> str:
    """Name the type of a value, or the type that it had in the process that it came from."""
    known = getattr(value, "type_name", None)
    if isinstance(known, str):
        return known
    kind = type(value)
    plain = kind.__module__ == "builtins"
    return kind.__qualname__ if plain else f"{kind.__module__}.{kind.__qualname__}"


def need_function(function: Any, name: str) -> None:
    """Raise `NotYet` unless `function` can be called."""
    if not callable(function):
        raise NotYet(
            f"The name {name} stands for {a_type(function)}, not for a function.",
            expected=f"a function named {name}",
            got=a_type(function),
            next=f"Do not give {name} another value; run the cell that defines it again.",
        )


def attempt(called: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the student's function; an exception of its own becomes a finding.

    Parameters
    ----------
    called : str
        The call as the student should read it.
    function : callable
    *arguments
        Given to `function` as they are.

    Raises
    ------
    NotYet
        If the function raised: the exception's name and text, and the line of the student's code.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows is told by the check, in words
            return function(*arguments)
    except Exception as error:
        if _is_ours(error):
            raise
        raise raised(called, error) from None


def _is_ours(error: BaseException) -> bool:
    """Tell a finding, or the marking engine's own exception, from one of the student's code.

    The engine hands on an exception of the student's as one that has a ``type_name``.
    """
    engine = type(error).__module__.partition(".")[0] == "proctor"
    return isinstance(error, NotYet) or (engine and not hasattr(error, "type_name"))


def raised(called: str, error: BaseException) -> NotYet:
    """Turn an exception out of the student's code into a finding."""
    kind = str(getattr(error, "type_name", type(error).__name__)).rpartition(".")[2]
    if kind == "NotStarted":
        return NotYet(
            "This exercise is not started yet.",
            called=called,
            next="Write your code between START CODE HERE and END CODE HERE, then rerun.",
        )
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(getattr(error, "message", error)))
    told = [text.strip() for text in message.splitlines() if text.strip()]
    if len(told) > 1 and told[0].startswith("Exception encountered when calling"):
        del told[0]  # Keras' frame around what went wrong
    first = told[0] if told else ""
    line = getattr(error, "line", None)
    if not isinstance(line, str):
        line = _students_line(error)
    at = f" at the line `{line.strip()}`" if line.strip() else ""
    finding = NotYet(
        f"Your code raised {kind}{at}.",
        called=called,
        got=f"{kind}: {first}"[:300].rstrip(": "),
        next=_NEXT_AFTER.get(kind, "Run your function on this input in a cell of your own."),
    )
    finding.__cause__ = error
    return finding


_NEXT_AFTER = {
    "NameError": "Give that name a value before you use it, or correct its spelling.",
    "TypeError": "Look at what goes into that line: its type, and how many arguments there are.",
    "ValueError": "Print the shapes of what goes into that line; two of them do not fit.",
    "IndexError": "Print the shape of what you index there, and the index.",
    "AttributeError": "Look at the type of the object before the dot, and at the spelling after.",
}


def _students_line(error: BaseException) -> str:
    """Return the last line of code outside of libraries that the exception went through."""
    here = _students_line.__code__.co_filename
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != here and "site-packages" not in f.filename]
    return (own[-1].line or "") if own else ""


def written_in(marker: str) -> str:
    """Return the graded cell with this marker as it was last run in this notebook, or ''."""
    cells = getattr(sys.modules.get("__main__"), "In", None)
    for cell in reversed(cells if isinstance(cells, list) else []):
        if isinstance(cell, str) and re.search(rf"^# *{marker}\b", cell, re.MULTILINE):
            return cell
    return ""


def parsed(source: str) -> ast.Module | None:
    """Parse a cell; None if it is not Python (an unfinished line, a magic command)."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


# --- Machinery: values as text ------------------------------------------------------------------


def a_type(value: object) -> str:
    """Name a value's type and shape for a reader: 'a list', 'an array of shape (3,)'."""
    if value is None:
        return "None"
    name = type_name(value).rpartition(".")[2]
    shape = getattr(value, "shape", getattr(getattr(value, "array", None), "shape", None))
    if name == "ndarray" and shape is not None:
        return f"an array of shape {tuple(shape)}"
    if isinstance(value, list | tuple):
        return f"a {name} of {len(value)}"
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name}" + (f" of shape {tuple(shape)}" if shape else "")


def number(value: float, digits: int = 4) -> str:
    """Write one number with `digits` decimals, or in powers of ten where that says nothing."""
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    if value and not 10.0**-digits <= abs(value) < 1e6:
        return f"{value:.{max(digits - 1, 2)}e}"
    return f"{value:.{digits}f}"


def show(values: Any, digits: int = 4, most: int = 8) -> str:
    """Write numbers for a reader: every one, or the first `most` and the shape."""
    array = np.asarray(values)
    if array.dtype.kind in "biu":
        texts = [str(v) for v in array.ravel()[:most].tolist()]
    else:
        texts = [number(v, digits) for v in array.ravel()[:most]]
    if array.ndim == 0:
        return texts[0]
    if array.ndim > 1 and array.size <= most:
        width = array.shape[-1] or 1
        rows = [" ".join(texts[i : i + width]) for i in range(0, len(texts), width)]
        return "[" + " ".join(f"[{row}]" for row in rows) + "]"
    more = f" ...], shape {array.shape}" if array.size > most or array.ndim > 1 else "]"
    return f"[{' '.join(texts)}{more}"


def show_input(values: Any) -> str:
    """Write an input as briefly as its numbers allow: [1000. 1001. 1002.]."""
    with np.printoptions(precision=4, suppress=True, threshold=12, linewidth=100):
        return str(np.asarray(values)).replace("\n", "")


def show_both(expected: Any, got: Any) -> tuple[str, str]:
    """Write two arrays with as many decimals as it takes to see that they differ."""
    for digits in (4, 6, 8, 10, 12, 16):
        texts = show(expected, digits), show(got, digits)
        if texts[0] != texts[1]:
            break
    return texts


def as_numbers(value: Any) -> Array | None:
    """Return a value as a numeric array (bool, integer or real); None if it is not one."""
    try:
        parts = isinstance(value, list | tuple)
        array = np.asarray([np.asarray(part) for part in value] if parts else value)
    except (ValueError, TypeError):  # a ragged list; an object that refuses
        return None
    return array if array.dtype.kind in "biuf" else None


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


Misconception = tuple[str, str, Callable[[], Any]]
"""What the student probably did, what to do next, and what comes out if one does that."""


def matching(
    got: Any, table: Iterable[Misconception], otherwise: tuple[str, str], tolerance: float = 1e-6
) -> tuple[str, str]:
    """Find the misconception that gives `got`; return its cause and what to do next."""
    with np.errstate(all="ignore"):
        for cause, then, outcome in table:
            if agree(got, outcome(), tolerance):
                return cause, then
    return otherwise


# --- Exercise 1: softmax ------------------------------------------------------------------------

SOFTMAX_CASES: dict[str, tuple[list[float], list[float]]] = {
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
}
"""Inputs and the probabilities that belong to them, worked out in 50 decimals."""


def tilted(p: Array, by: Array) -> Array:
    """Probabilities `p` (N,) for logits to which `by` (N,) was added by mistake.

    Worked out from the odds between each two elements, p_j / p_i.
    """
    odds = np.divide.outer(p, p) * np.exp(np.subtract.outer(by, by))
    return np.asarray(1 / odds.sum(axis=0))


def softmax_misconceptions(z: Array, p: Array) -> list[Misconception]:
    """What common wrong formulas make of `z`, whose right probabilities are `p`."""
    ln2, ln10 = math.log(2.0), math.log(10.0)
    zero_last, zero_first = p.copy(), p.copy()
    zero_last[-1:], zero_first[:1] = 0, 0
    return [
        (
            "This is z divided by its sum: the exponential is missing.",
            "Apply the exponential to every element first; only then divide.",
            lambda: z / z.sum(),
        ),
        (
            "This is the exponential of z: nothing was divided, so the sum is not 1.",
            "Divide by what makes the sum 1.",
            lambda: np.exp(z),
        ),
        (
            "These are the unnormalised exponentials of the shifted z: their sum is not 1.",
            "Divide by what makes the sum 1.",
            lambda: p / p.max(),
        ),
        (
            "This is the sigmoid of each element: each looks at itself alone, so the sum is not 1.",
            "A softmax compares the elements: every output has the same denominator.",
            lambda: 1 / (1 + np.exp(-z)),
        ),
        (
            "This is 1 at the largest element and 0 elsewhere (a one-hot argmax).",
            "Softmax is soft: the smaller elements get a share too. Start from the exponential.",
            lambda: p == p.max(),
        ),
        (
            "These are logarithms of the probabilities (log-softmax): they are negative.",
            "Return the probabilities themselves, without the logarithm.",
            lambda: np.log(p),
        ),
        (
            "The order is reversed, as with exp(-z): the smallest element got the largest share.",
            "Look at the sign of z in the exponential.",
            lambda: tilted(p, -2 * z),
        ),
        (
            "This is 2 to the power of z, normalised: the base should be e.",
            "Use the exponential function.",
            lambda: tilted(p, (ln2 - 1) * z),
        ),
        (
            "This is 10 to the power of z, normalised: the base should be e.",
            "Use the exponential function.",
            lambda: tilted(p, (ln10 - 1) * z),
        ),
        (
            "The outputs add up to N, not to 1: you divided by the mean of the exponentials.",
            "Think about which number the outputs have to be divided by to add up to 1.",
            lambda: p * len(p),
        ),
        (
            "The last element is 0: a loop stops one element early, at N - 1.",
            "Let the loop reach the last element: range(N) ends at N - 1 already.",
            lambda: zero_last,
        ),
        (
            "The last element was left out: a loop stops one element early, at N - 1.",
            "Let the loop reach the last element: range(N) ends at N - 1 already.",
            lambda: zero_last / zero_last.sum(),
        ),
        (
            "The denominator lacks the last element: its loop stops one element early, at N - 1.",
            "Let the loop reach the last element: range(N) ends at N - 1 already.",
            lambda: p / zero_last.sum(),
        ),
        (
            "The first element was left out: a loop starts at 1.",
            "Python counts from 0: let the loop start there.",
            lambda: zero_first,
        ),
        (
            "The denominator lacks the first element: its loop starts at 1.",
            "Python counts from 0: let the loop start there.",
            lambda: p / zero_first.sum(),
        ),
        (
            "The sign of the negative elements was lost: abs(z) in place of z.",
            "Let z keep its sign. What is to be avoided is large positive exponents only.",
            lambda: tilted(p, np.abs(z) - z),
        ),
        (
            "The negative elements were cut off at 0 (clip, maximum or a ReLU).",
            "Let z keep its negative elements: exp of a negative number is small, not wrong.",
            lambda: tilted(p, np.maximum(z, 0) - z),
        ),
        *(
            (
                "z was clipped: elements beyond the limit have become equal.",
                "Keep the differences between the elements: move all of them, do not cut them.",
                lambda limit=limit: tilted(p, np.clip(z, -limit, limit) - z),
            )
            for limit in (10, 20, 30, 50, 88, 100, 500, 700, 709)
        ),
        (
            "Every element got the same share: the differences within z were lost.",
            "Follow one element through your lines and see where it loses its own value.",
            lambda: np.full(len(p), 1 / len(p)),
        ),
        (
            "This is the square of the exponential, or z was doubled.",
            "Apply the exponential once, to z itself.",
            lambda: tilted(p, z),
        ),
        (
            "The probabilities were rounded to 2 decimals.",
            "Return them as they are; round only where you print.",
            lambda: np.round(p, 2),
        ),
        ("These are percentages.", "Return fractions that add up to 1.", lambda: 100 * p),
    ]


def softmax_output(my_softmax: Any, z: Array, exact: bool = False) -> tuple[str, Array]:
    """Call `my_softmax` on a copy of `z` (N,); return the call as text and its result (N,).

    Unless `exact`, a list, a tensor or an axis too many is let pass: one check asks for the form,
    the others for the numbers.
    """
    called = f"my_softmax({show_input(z)})"
    need_function(my_softmax, "my_softmax")
    wanted = f"an array of shape {z.shape}"
    value = attempt(called, my_softmax, z.copy())
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


def softmax_returns(my_softmax: Any) -> None:
    """Check that an array of the right shape comes back, without nan."""
    z = np.array(SOFTMAX_CASES["values"][0])
    called, p = softmax_output(my_softmax, z, exact=True)
    if not np.isfinite(p).all():
        raise NotYet(
            "A result that is not a number, on harmless input: 0/0, inf/inf or a logarithm of 0.",
            called=called,
            expected="four finite numbers",
            got=show(p),
            next="Print what you divide, and by what.",
        )


def softmax_by_hand(source: str) -> None:
    """Check that no library's softmax does the work; `source` is the graded cell ('' passes)."""
    tree = parsed(source)
    names = {"softmax", "log_softmax", "logsumexp"}
    for node in ast.walk(tree) if tree else ():
        used = ""
        if isinstance(node, ast.Attribute) and node.attr in names:
            used = ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and names & {alias.name for alias in node.names}:
            used = f"{node.module}." + "/".join(a.name for a in node.names if a.name in names)
        if used:
            raise NotYet(
                f"{used} does the work here: a library's softmax is not NumPy by hand.",
                called="(your graded cell)",
                expected="the formula, written with NumPy's exponential, sum and so on",
                got=used,
                next="Write the formula yourself: two or three short lines are enough.",
            )


def softmax_sum(my_softmax: Any) -> None:
    """Check that the probabilities are positive and add up to 1."""
    z, p = (np.array(part) for part in SOFTMAX_CASES["values"])
    called, got = softmax_output(my_softmax, z)
    if agree(np.sum(got), 1.0) and (got >= 0).all():
        return
    otherwise = (
        "The outputs are no probabilities: each should be 0 or more, and their sum 1.",
        "Divide by what makes the sum 1.",
    )
    cause, then = matching(got, softmax_misconceptions(z, p), otherwise)
    raise NotYet(
        cause,
        called=f"sum of {called}",
        expected="1, and no output below 0",
        got=f"{number(np.sum(got), 6)}, from {show(got)}",
        next=then,
    )


def softmax_compare(my_softmax: Any, z: Array, p: Array) -> None:
    """Check the values: `my_softmax(z)` against `p`; both (N,) float64."""
    called, got = softmax_output(my_softmax, z)
    if agree(got, p):
        return
    expected_text, got_text = show_both(p, got)
    cause, then = softmax_cause(z, p, got)
    raise NotYet(
        cause, called=called, expected=f"{expected_text}, within 1e-6", got=got_text, next=then
    )


def softmax_cause(z: Array, p: Array, got: Array) -> tuple[str, str]:
    """Name the likely cause of wrong values, and what to do next."""
    if np.isfinite(got).all():
        otherwise = (
            "The outputs match none of the formulas that are often written here by mistake.",
            "Work out exp and the sum for [0, 1] with pencil and paper, and compare step by step.",
        )
        return matching(got, softmax_misconceptions(z, p), otherwise)
    if np.ptp(z) > 700:
        return (
            "z was not shifted far enough: after a shift by the mean or the minimum some elements "
            "are still large, exp of them is inf, and inf/inf is nan.",
            "Ask which shift leaves no element above 0. Hint 2 says why that is safe.",
        )
    if z.max() > 700:
        return (
            f"exp({z.max():.0f}) is too large for a float, and inf/inf is nan.",
            "Shift z so that its largest value is 0, then rerun. Hint 2 says why this is safe.",
        )
    if z.max() < -700:
        return (
            f"exp({z.max():.0f}) is too small for a float: it becomes 0, and 0/0 is nan.",
            "Shift z so that its largest value is 0, then rerun. Hint 2 says why this is safe.",
        )
    return (
        "A result that is not a number: 0/0, inf/inf or a logarithm of 0.",
        "Print what you divide, and by what.",
    )


def softmax_case(my_softmax: Any, *names: str) -> None:
    """Check the values of the public cases `names`."""
    for name in names:
        z, p = (np.array(part) for part in SOFTMAX_CASES[name])
        softmax_compare(my_softmax, z, p)


def softmax_untouched(my_softmax: Any, z: Array | None = None) -> None:
    """Check that `z` is the same after the call as before."""
    before = np.array(SOFTMAX_CASES["values"][0]) if z is None else z
    need_function(my_softmax, "my_softmax")
    called = f"z = np.array({show_input(before)}); my_softmax(z)"
    after = before.copy()
    attempt(called, my_softmax, after)
    if not np.array_equal(before, after):
        raise NotYet(
            "Your function changes z itself (an operation in place such as `-=`, or an assignment "
            "to z[...]), so that a second call starts from something else.",
            called=called,
            expected=f"z is still {show_input(before)}",
            got=f"z is now {show_input(after)}",
            next="Give the result of each step a name of its own, and leave z alone.",
        )


def test_my_softmax(my_softmax: Any) -> None:
    """Check exercise 1; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "softmax",
        [
            ("what comes back", lambda: softmax_returns(my_softmax)),
            ("probabilities", lambda: softmax_sum(my_softmax)),
            ("written by hand", lambda: softmax_by_hand(written_in("UNQ_C1"))),
            ("a first example", lambda: softmax_case(my_softmax, "values")),
            ("negative inputs", lambda: softmax_case(my_softmax, "negatives")),
            ("large inputs", lambda: softmax_case(my_softmax, "large", "small")),
            ("z is left alone", lambda: softmax_untouched(my_softmax)),
        ],
    )


# --- Exercise 2: the model ----------------------------------------------------------------------

PROBE = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
"""Inputs on which the usual activations differ, so that an activation is known by what it does."""

ACTIVATIONS: dict[str, list[float]] = {
    "linear": [-2.0, -0.5, 0.0, 0.5, 3.0],
    "relu": [0.0, 0.0, 0.0, 0.5, 3.0],
    "sigmoid": [0.119203, 0.377541, 0.5, 0.622459, 0.952574],
    "tanh": [-0.964028, -0.462117, 0.0, 0.462117, 0.995055],
    "softmax": [0.005765, 0.025836, 0.042596, 0.07023, 0.855573],
    "log_softmax": [-5.155984, -3.655984, -3.155984, -2.655984, -0.155984],
    "softplus": [0.126928, 0.474077, 0.693147, 0.974077, 3.048587],
    "swish (silu)": [-0.238406, -0.18877, 0.0, 0.31123, 2.857722],
    "elu": [-0.864665, -0.393469, 0.0, 0.5, 3.0],
    "selu": [-1.520166, -0.691758, 0.0, 0.52535, 3.152103],
    "gelu": [-0.0455, -0.154269, 0.0, 0.345731, 2.99595],
    "leaky_relu": [-0.4, -0.1, 0.0, 0.5, 3.0],
    "leaky_relu (0.3)": [-0.6, -0.15, 0.0, 0.5, 3.0],
    "softsign": [-0.666667, -0.333333, 0.0, 0.333333, 0.75],
    "exponential": [0.135335, 0.606531, 1.0, 1.648721, 20.085537],
    "hard_sigmoid": [0.166667, 0.416667, 0.5, 0.583333, 1.0],
    "mish": [-0.252501, -0.220744, 0.0, 0.375245, 2.986535],
}
"""What the usual activations make of `PROBE`."""


def relu(z: Array) -> Array:
    """Return z where it is positive, 0 elsewhere."""
    return np.maximum(z, 0)


def linear(z: Array) -> Array:
    """Return z as it is."""
    return z


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) for each element of z."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(z, dtype=float))))


def activation_name(values: Any) -> str:
    """Name the activation that gives `values` on `PROBE`; 'unknown' if none of ours does."""
    numbers = as_numbers(values)
    if numbers is not None and numbers.size == PROBE.size:
        for name, known in ACTIVATIONS.items():
            if np.allclose(numbers.ravel(), known, atol=1e-4):  # float32, and the table's decimals
                return name
    return "unknown"


def describe_model(model: Any, n_inputs: int = 400) -> dict[str, Any]:
    """Say what a model is made of, in plain data: its layers, their weights, what they do.

    A model that does not know its input yet is built for rows of `n_inputs` numbers.

    Returns
    -------
    dict
        ``type``, ``sequential``, ``knows_input``, ``parameters``, ``trainable``, and ``layers``: for
        each its ``type``, ``units``, ``activation`` (its values on `PROBE`), ``kernel`` and ``bias``
        (arrays or None) and ``trainable``.
    """
    kinds = {kind.__name__ for kind in type(model).__mro__}
    if not {"Model", "Sequential"} & kinds:
        return {"type": type_name(model), "sequential": False, "layers": None}
    knows_input = bool(model.built) and not getattr(model, "_built_by_a_check", False)
    if not model.built:
        model._built_by_a_check = True
        model.build((None, n_inputs))
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    return {
        "type": type_name(model),
        "sequential": "Sequential" in kinds,
        "knows_input": knows_input,
        "parameters": int(model.count_params()),
        "trainable": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "layers": [describe_layer(layer) for layer in layers],
    }


def describe_layer(layer: Any) -> dict[str, Any]:
    """Say what one layer is and does; see `describe_model`."""
    kind = type(layer).__name__
    weights = [np.asarray(weight) for weight in layer.get_weights()]
    dense = kind == "Dense"
    activation: Any = getattr(layer, "activation", None) if dense else None
    if not dense and not weights:
        activation = layer  # Activation, ReLU, Softmax, Dropout...: the layer is what it does
    values = None
    if activation is not None:
        try:
            values = np.asarray(activation(PROBE.astype("float32")[np.newaxis]), dtype=float)
        except Exception:  # noqa: BLE001 - an activation of the student's own may do anything
            values = None
    return {
        "type": kind,
        "units": int(getattr(layer, "units", 0)) or None,
        "activation": values,
        "kernel": weights[0] if dense and weights else None,
        "bias": weights[1] if dense and len(weights) > 1 else None,
        "trainable": bool(layer.trainable),
    }


def dense_layers(model: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the Dense layers of a description."""
    return [layer for layer in model["layers"] if layer["type"] == "Dense"]


def activations(model: dict[str, Any]) -> list[str]:
    """Name what is applied to each Dense layer's output, by itself or by a layer behind it."""
    names: list[str] = []
    for layer in model["layers"]:
        name = activation_name(layer["activation"])
        if layer["type"] == "Dense":
            names.append(name)
        elif names and names[-1] == "linear" and name != "unknown":
            names[-1] = name
    return names


def model_trouble(source: str) -> tuple[str, str] | None:
    """Find in a graded cell why it raised while it made the model: a cause and what to do next."""
    tree = parsed(source)
    for node in ast.walk(tree) if tree else ():
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        one_by_one = node.args and (len(node.args) > 1 or isinstance(node.args[0], ast.Call))
        if name == "Sequential" and one_by_one:
            return (
                "Sequential was given its layers one by one: it takes one list of layers.",
                "Put square brackets around all the layers.",
            )
        for keyword in node.keywords:
            value = getattr(keyword.value, "value", None)
            if keyword.arg != "activation" or not isinstance(value, str):
                continue
            if f" {value} " in KERAS_NAMES:
                continue
            close = value.lower().strip().replace("re_lu", "relu")
            hint = f": did you mean '{close}'?" if f" {close} " in KERAS_NAMES else "."
            return (
                f"Keras knows no activation '{value}'{hint}",
                "Names of activations are written in lower case; correct it, then rerun.",
            )
    return None


def why_missing(name: str) -> str | None:
    """Say why the cell that gives a model its name stopped, where its text shows it; else None."""
    cells = getattr(sys.modules.get("__main__"), "In", None)
    for cell in reversed(cells if isinstance(cells, list) else []):
        if isinstance(cell, str) and re.search(rf"^ *{name} *=", cell, re.MULTILINE):
            trouble = model_trouble(cell)
            return " ".join(trouble) if trouble else None
    return None


KERAS_NAMES = (
    " celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh "
    "leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu softmax "
    "soft_shrink softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh "
    "tanh_shrink threshold "
)
"""The names of activations that Keras knows, with a space before and after each."""


def need_model(model: Any, source: str = "") -> None:
    """Raise `NotYet` if there is no model; `source` is the graded cell, where it is known."""
    if model is not None and model is not NotStarted:
        return
    trouble = model_trouble(source) or (
        "There is no model yet: its cell is not filled in, was not run, or stopped with an error.",
        "Run the cell of exercise 2 and look at what it says.",
    )
    raise NotYet(trouble[0], expected="a model named model", got="none", next=trouble[1])


def model_is_a_model(model: dict[str, Any]) -> None:
    """Check that the description is one of a Keras model."""
    if model["layers"] is not None:
        return
    raise NotYet(
        f"The name model stands for a {str(model['type']).rpartition('.')[2]}, not a model.",
        called="type(model)",
        expected="keras.Sequential",
        got=str(model["type"]),
        next="Do not give model another value; run the cell of exercise 2 again.",
    )


def model_is_sequential(model: dict[str, Any]) -> None:
    """Check that the description is one of a Keras Sequential model."""
    name = str(model["type"]).rpartition(".")[2]
    if model["sequential"]:
        return
    raise NotYet(
        f"This is a {name} model: it may well work, but a Sequential one was asked for.",
        called="type(model)",
        expected="keras.Sequential",
        got=str(model["type"]),
        next="Make it with Sequential and one list of layers, in the order of the data's way.",
    )


_EXTRA = {
    "Dropout": "Dropout switches units off at random; this lab does without.",
    "Softmax": "The softmax belongs in the loss here: the model's output is logits.",
    "Activation": "An activation is given to its Dense layer, not added as a layer.",
    "ReLU": "An activation is given to its Dense layer, not added as a layer.",
    "Flatten": "The rows of X are flat already.",
    "BatchNormalization": "This lab does without batch normalisation.",
}


def model_layers(model: dict[str, Any]) -> None:
    """Check that there are three Dense layers and nothing else."""
    kinds = [str(layer["type"]) for layer in model["layers"] or ()]
    if kinds == ["Dense"] * 3:
        return
    extra = [kind for kind in kinds if kind != "Dense"]
    n_dense = len(kinds) - len(extra)
    if extra:
        cause = f"There is an extra layer, {extra[0]}. {_EXTRA.get(extra[0], '')}".strip()
        then = f"Take {extra[0]} out; what is asked for is three Dense layers."
    elif n_dense > 3:
        cause = f"There are {n_dense} Dense layers: the input is not a layer of its own with units."
        then = "Count the layers that have weights in the picture of the network: three."
    else:
        cause = (
            f"There are {n_dense} Dense layers where the network has two hidden ones and an output."
        )
        then = "Compare with the picture of the network, from left to right."
    raise NotYet(
        cause,
        called="model.layers",
        expected="Dense, Dense, Dense",
        got=", ".join(kinds) or "no layers",
        next=then,
    )


def model_units(model: dict[str, Any], n_classes: int = 10) -> None:
    """Check the number of units of each Dense layer."""
    expected = [25, 15, n_classes]
    units = [layer["units"] for layer in dense_layers(model)]
    if units == expected:
        return
    cause, then = "The units differ from those asked for.", "Compare them one by one, in order."
    if units[:2] == [15, 25]:
        cause = "The two hidden layers are swapped: 25 units come first, then 15."
        then = "Change their order."
    elif units[-1:] == [n_classes + 1]:
        cause = f"{n_classes + 1} outputs: with the label 10 remapped to 0, the classes are 0 to 9."
        then = "Give the last layer one unit for each class."
    elif units[-1:] == [1]:
        cause = "One output gives one number; a choice among ten digits takes ten of them."
        then = "Give the last layer one unit for each class."
    raise NotYet(
        cause, called="units, layer by layer", expected=f"{expected}", got=f"{units}", next=then
    )


def model_input(model: dict[str, Any], n_inputs: int = 400) -> None:
    """Check that the model knows the shape of its input, and that it is right."""
    dense = dense_layers(model)
    first = as_numbers(dense[0]["kernel"]) if dense else None
    got = int(first.shape[0]) if first is not None and first.ndim == 2 else None
    if not model["knows_input"]:
        raise NotYet(
            "The model does not know yet how long a row is: it has no weights, and model.summary() "
            'shows "?" in their place until the first data arrive.',
            called="model.built",
            expected=f"a model made for rows of {n_inputs} numbers",
            got="a model without an input shape",
            next="Begin the list with an Input that states the shape of one row.",
        )
    if got != n_inputs:
        raise NotYet(
            "The input has another length than a row of X.",
            called="weights of the first layer",
            expected=f"{n_inputs} inputs",
            got=f"{got} inputs",
            next="Look at X.shape: the shape of one row leaves the number of rows out.",
        )


def model_hidden(model: dict[str, Any]) -> None:
    """Check by its behaviour that each hidden layer's activation is ReLU."""
    names, dense = activations(model), dense_layers(model)
    for index, name in enumerate(names[:-1]):
        if name == "relu":
            continue
        cause = f"Hidden layer {index + 1} does what {name} does, not what ReLU does."
        if name == "linear":
            cause = (
                f"Hidden layer {index + 1} is linear: it was given no activation, and two linear "
                "layers in a row can do no more than one."
            )
        elif name == "sigmoid":
            cause = (
                f"Hidden layer {index + 1} has a sigmoid. Accuracy hardly shows it (0.90), but it "
                "learns more slowly than ReLU and is not what was asked for."
            )
        raise NotYet(
            cause,
            called=f"activation of layer {index + 1} on {show_input(PROBE)}",
            expected=show(np.array([0, 0, 0, 0.5, 3])),
            got=_shown_activation(dense[index]["activation"]),
            next="Give that layer the activation that section 3 shows.",
        )


def _shown_activation(values: Any) -> str:
    numbers = as_numbers(values)
    return "something that is not five numbers" if numbers is None else show(numbers.ravel())


def model_output(model: dict[str, Any]) -> None:
    """Check by its behaviour that the output layer is linear."""
    dense = dense_layers(model)
    name = activation_name(dense[-1]["activation"]) if dense else "unknown"
    if name == "linear":
        return
    cause = f"The output layer does what {name} does; logits are wanted, so it should be linear."
    if name == "softmax":
        cause = (
            "The output layer has a softmax. Here the softmax sits in the loss, which is more exact; "
            "with both, it would be applied twice."
        )
    elif name == "relu":
        cause = (
            "The output layer has a ReLU: it makes every negative logit 0, and the network can no "
            "longer say how unlikely a digit is (accuracy falls to about 0.83)."
        )
    raise NotYet(
        cause,
        called=f"activation of the output layer on {show_input(PROBE)}",
        expected=show(PROBE),
        got=_shown_activation(dense[-1]["activation"]) if dense else "no layer",
        next="Let the output layer pass its numbers on as they are.",
    )


def model_parameters(model: dict[str, Any]) -> None:
    """Check that every unit has a bias, and that every parameter can be trained.

    There are 10,575: (400 + 1) x 25 + (25 + 1) x 15 + (15 + 1) x 10. What an input of another
    length adds to them is the input's check to say.
    """
    dense = dense_layers(model)
    sides = [np.shape(layer["kernel"]) for layer in dense]
    n_parameters = sum((side[0] + 1) * side[1] for side in sides if len(side) == 2)
    frozen = [i for i, layer in enumerate(dense, 1) if not layer["trainable"]]
    cause = "The number of parameters is not that of three Dense layers with biases."
    then = "Work out (inputs + 1) x units for each layer, and compare with model.summary()."
    if any(layer["bias"] is None for layer in dense):
        index = next(i for i, layer in enumerate(dense, 1) if layer["bias"] is None)
        cause = f"Layer {index} has no bias (use_bias=False)."
        then = "Leave the bias in: it lets a unit choose its own threshold."
    elif frozen or model["trainable"] != model["parameters"]:
        which = f"Layer {frozen[0]}" if frozen else "The model"
        cause = f"{which} is frozen (trainable=False): training would not change its weights."
        then = "Leave every layer trainable."
    elif model["parameters"] == n_parameters:
        return
    raise NotYet(
        cause,
        called="parameters, and how many of them can be trained",
        expected=f"{n_parameters:,} and {n_parameters:,}",
        got=f"{model['parameters']:,} and {model['trainable']:,}",
        next=then,
    )


def model_start(model: dict[str, Any]) -> None:
    """Check that the weights do not all start from the same value."""
    for index, layer in enumerate(dense_layers(model), 1):
        kernel = as_numbers(layer["kernel"])
        if kernel is None or not kernel.size or not np.isfinite(kernel).all():
            raise NotYet(
                f"Layer {index} has no weights that could be read.",
                next="Restart the kernel and run all cells.",
            )
        if np.ptp(kernel) < 1e-9:
            raise NotYet(
                f"All weights of layer {index} start from the same value ({kernel.flat[0]:g}): its "
                "units stay copies of each other, and the network learns nothing (0.08).",
                called=f"weights of layer {index}",
                expected="different numbers",
                got=show(kernel),
                next="Leave the initialiser out: Keras' own draws small random weights.",
            )


def test_model(model: Any, n_classes: int = 10, n_inputs: int = 400) -> None:
    """Check exercise 2; prints one line if all public checks pass, raises `NotYet` otherwise."""
    described: dict[str, Any] = {}

    def there() -> None:
        need_model(model, written_in("UNQ_C2"))
        described.update(attempt("model", describe_model, model, n_inputs))
        model_is_a_model(described)

    run_checks(
        "model",
        [
            ("a model", there),
            ("a Sequential one", lambda: model_is_sequential(described)),
            ("its layers", lambda: model_layers(described)),
            ("units", lambda: model_units(described, n_classes)),
            ("the input", lambda: model_input(described, n_inputs)),
            ("hidden layers", lambda: model_hidden(described)),
            ("the output layer", lambda: model_output(described)),
            ("parameters", lambda: model_parameters(described)),
        ],
    )


# --- Exercise 3: a dense layer ------------------------------------------------------------------

DENSE_IN = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [-1.0, 1.0]])
DENSE_W = np.array([[1.0, -1.0, 2.0], [0.5, 1.0, -3.0]])
DENSE_B = np.array([0.5, -2.0, 1.0])
DENSE_Z = np.array([[2.5, -1.0, -3.0], [0.0, -3.0, 4.0], [3.75, -4.5, 5.5], [0.0, 0.0, -4.0]])
"""Four rows, weights, biases, and what the layer adds up to before its activation."""


def dense_misconceptions(
    a_in: Array, W: Array, b: Array, g: Callable[[Array], Array], z: Array
) -> list[Misconception]:
    """What common mistakes make of a layer whose right sums, bias included, are `z`."""
    table: list[Misconception] = [
        (
            "The bias is missing.",
            "Every unit adds its own number of b to its sum, before the activation.",
            lambda: g(z - b),
        ),
        (
            "The activation is missing: these are the sums before it.",
            "Apply g, the function that came in as an argument, to the sums.",
            lambda: z,
        ),
        ("The bias was subtracted.", "Every unit adds its own number of b.", lambda: g(z - 2 * b)),
        (
            "The bias was added after the activation.",
            "Look at the order: sum, bias, activation.",
            lambda: g(z - b) + b,
        ),
        (
            "Every unit got the first bias, b[0].",
            "b has one number for each unit.",
            lambda: g(z - b + b[0]),
        ),
        (
            "The layer always applies ReLU, whatever g is.",
            "Apply g, the function that came in as an argument.",
            lambda: np.maximum(z, 0),
        ),
        (
            "The layer always applies a sigmoid, whatever g is.",
            "Apply g, the function that came in as an argument.",
            lambda: sigmoid(z),
        ),
        ("The activation was applied twice.", "Apply g once, to the sums.", lambda: g(g(z))),
    ]
    if W.shape[0] == W.shape[1]:
        table.append(
            (
                "W was transposed: each unit used a row of W.",
                "The weights of unit j are the column W[:, j].",
                lambda: g(z + a_in @ (W.T - W)),
            )
        )
    return table


def dense_compare(
    my_dense: Any,
    a_in: Array,
    W: Array,
    b: Array,
    g: Callable[[Array], Array],
    z: Array,
    exact: bool = False,
) -> None:
    """Check `my_dense(a_in, W, b, g)` against g(z), where z are the right sums with the bias.

    Unless `exact`, a list, a tensor or an axis too many is let pass: one check asks for the form,
    the others for the numbers.
    """
    name = getattr(g, "__name__", "g")
    small = a_in.size + W.size <= 12
    called = (
        f"my_dense({show_input(a_in)}, W, b, {name})"
        if small
        else (f"my_dense(a_in, W, b, {name}) with shapes {a_in.shape}, {W.shape}, {b.shape}")
    )
    need_function(my_dense, "my_dense")
    wanted = f"an array of shape {z.shape}"
    value = attempt(called, my_dense, a_in.copy(), W.copy(), b.copy(), g)
    numbers = None if value is None else as_numbers(value)
    if not exact and numbers is not None and numbers.shape in (z.shape, (1, *z.shape)):
        value = np.array(numbers.reshape(z.shape))
    got = need_array(value, called, wanted)
    expected = g(z)
    if got.shape != z.shape:
        cause = f"The result has shape {got.shape}, not {z.shape}."
        if a_in.ndim == 1 and got.shape == (1, *z.shape):
            cause = "One row went in, and a batch of one row came out: the shape gained an axis."
        elif got.shape == z.shape[::-1]:
            cause = "The result is transposed: there should be one row for each row of a_in."
        elif a_in.ndim == 2 and got.shape == z.shape[-1:]:
            cause = "Only one row came back for a batch: each row of a_in has a result of its own."
        raise NotYet(
            cause,
            called=called,
            expected=wanted,
            got=a_type(got),
            next="Print the shapes of a_in, W and your sums. Hint 2 is about shapes.",
        )
    if agree(got, expected):
        return
    otherwise = (
        "The numbers are not those of a weighted sum, a bias and the activation.",
        "Work out the first unit for [1, 2] with pencil and paper, and compare.",
    )
    cause, then = matching(got, dense_misconceptions(a_in, W, b, g, z), otherwise)
    texts = show_both(expected, got)
    raise NotYet(cause, called=called, expected=texts[0], got=texts[1], next=then)


def dense_row(my_dense: Any) -> None:
    """Check one row, without a bias and without an activation."""
    z = DENSE_Z[0] - DENSE_B
    dense_compare(my_dense, DENSE_IN[0], DENSE_W, 0 * DENSE_B, linear, z, exact=True)


def dense_bias(my_dense: Any) -> None:
    """Check one row with a bias."""
    dense_compare(my_dense, DENSE_IN[0], DENSE_W, DENSE_B, linear, DENSE_Z[0])


def dense_activation(my_dense: Any) -> None:
    """Check that the activation given is the one applied; without a bias."""
    for g in (relu, sigmoid):
        dense_compare(my_dense, DENSE_IN[0], DENSE_W, 0 * DENSE_B, g, DENSE_Z[0] - DENSE_B)


def dense_batch(my_dense: Any) -> None:
    """Check a batch of four rows."""
    dense_compare(my_dense, DENSE_IN, DENSE_W, DENSE_B, relu, DENSE_Z)


def test_my_dense(my_dense: Any) -> None:
    """Check exercise 3; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "dense",
        [
            ("one row", lambda: dense_row(my_dense)),
            ("the bias", lambda: dense_bias(my_dense)),
            ("the activation", lambda: dense_activation(my_dense)),
            ("a batch", lambda: dense_batch(my_dense)),
        ],
    )


# --- Exercise 4: the split ----------------------------------------------------------------------

Parts = tuple[Array, Array, Array, Array]


def split_call(X: Array, fraction: float = 0.2, seed: int = 1234) -> str:
    """Write the call as the student should read it."""
    return f"split_data(X, y, {fraction:g}, {seed}), X of shape {X.shape}"


def split_parts(
    split_data: Any, X: Array, y: Array, fraction: float = 0.2, seed: int = 1234
) -> tuple[str, Parts]:
    """Call `split_data`; return the call as text and X_train, X_test, y_train, y_test."""
    called = split_call(X, fraction, seed)
    need_function(split_data, "split_data")
    wanted = "X_train, X_test, y_train, y_test: four arrays"
    value = attempt(called, split_data, X.copy(), y.copy(), fraction, seed)
    if not isinstance(value, tuple | list) or len(value) != 4:
        cause = "Four arrays are to come back, in a fixed order."
        if value is None:
            cause = "The function returns nothing."
        raise NotYet(
            cause, called=called, expected=wanted, got=a_type(value), next="Look at its last line."
        )
    parts = [as_numbers(part) for part in value]
    shapes = ", ".join(a_type(part) for part in value)
    if [None if part is None else part.ndim for part in parts] == [2, 1, 2, 1]:
        raise NotYet(
            "The order is different: what came is X_train, y_train, X_test, y_test.",
            called=called,
            expected=wanted,
            got=shapes,
            next="Return both parts of X first, then both parts of y.",
        )
    for part, whole in zip(parts, (X, X, y, y), strict=True):
        if part is None or part.ndim != whole.ndim or part.shape[1:] != whole.shape[1:]:
            raise NotYet(
                "A part does not have the form of what it was taken from: rows of X, labels of y.",
                called=called,
                expected=f"arrays of shape (…, {X.shape[1]}), (…, {X.shape[1]}), (…), (…)",
                got=shapes,
                next="Pick whole rows of X, and single labels of y.",
            )
    X_train, X_test, y_train, y_test = (np.asarray(part) for part in parts)
    return called, (X_train, X_test, y_train, y_test)


def split_returns(split_data: Any, X: Array, y: Array) -> None:
    """Check that four arrays come back in order, and that X and y are left alone."""
    split_parts(split_data, X, y)
    given_X, given_y = X.copy(), y.copy()
    called = split_call(X)
    attempt(called, split_data, given_X, given_y, 0.2, 1234)
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


def split_sizes(split_data: Any, X: Array, y: Array) -> None:
    """Check how many rows each part has."""
    called, (X_train, X_test, y_train, y_test) = split_parts(split_data, X, y)
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


def split_complete(split_data: Any, X: Array, y: Array) -> None:
    """Check that every row is in exactly one of the two parts."""
    called, (X_train, X_test, _, _) = split_parts(split_data, X, y)
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


def split_labels(split_data: Any, X: Array, y: Array) -> None:
    """Check that each row still has its label."""
    called, (X_train, X_test, y_train, y_test) = split_parts(split_data, X, y)
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


def split_stratified(split_data: Any, X: Array, y: Array, fraction: float = 0.2) -> None:
    """Check that each class gives the same part of its rows to the test part."""
    called, (_, _, _, y_test) = split_parts(split_data, X, y, fraction)
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


def split_shuffled(split_data: Any, X: Array, y: Array) -> None:
    """Check that neither part is still in the order of y."""
    called, (_, _, y_train, y_test) = split_parts(split_data, X, y)
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


def split_repeatable(split_data: Any, X: Array, y: Array) -> None:
    """Check that the seed, and nothing else, decides which rows are test rows."""
    called, (_, first, _, _) = split_parts(split_data, X, y, seed=7)
    _, (_, again, _, _) = split_parts(split_data, X, y, seed=7)
    _, (_, other, _, _) = split_parts(split_data, X, y, seed=8)
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


def test_split_data(split_data: Any, X: Array, y: Array) -> None:
    """Check exercise 4; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "split",
        [
            ("what comes back", lambda: split_returns(split_data, X, y)),
            ("sizes", lambda: split_sizes(split_data, X, y)),
            ("every row once", lambda: split_complete(split_data, X, y)),
            ("rows keep their labels", lambda: split_labels(split_data, X, y)),
            ("every class", lambda: split_stratified(split_data, X, y)),
            ("shuffled", lambda: split_shuffled(split_data, X, y)),
            ("repeatable", lambda: split_repeatable(split_data, X, y)),
        ],
    )


# --- Exercise 5: training -----------------------------------------------------------------------

LOGITS_LOSS = 0.16984602
"""Cross-entropy of logits [2, 0, -1] for label 0."""
PROBABILITIES_LOSS = 0.35667494
"""Cross-entropy of probabilities [0.7, 0.2, 0.1] for label 0."""


def describe_training(model: Any, history: Any) -> dict[str, Any]:
    """Say how a model was compiled and trained, in plain data.

    Returns
    -------
    dict
        ``compiled``; ``on_logits``, ``on_probabilities``, ``on_one_hot``: the loss on the two probes
        above, and on the first with a one-hot label (None where it raises); ``loss_name``,
        ``optimizer``, ``learning_rate``; ``history``: the type of the history; ``losses``: one an
        epoch; ``steps``: batches an epoch.
    """
    library = sys.modules.get(type(model).__mro__[0].__module__.partition(".")[0])
    library = library if hasattr(library, "losses") else sys.modules.get("keras")
    given = getattr(model, "loss", None)
    loss: Any = None
    if given is not None and library is not None:
        try:
            loss = library.losses.get(given)
        except (ValueError, TypeError):  # a list of losses, a name that is none
            loss = given
    label, one_hot = np.array([0]), np.array([[1.0, 0.0, 0.0]], dtype="float32")
    logits, chances = [np.array([row], dtype="float32") for row in ([2, 0, -1], [0.7, 0.2, 0.1])]
    optimizer = getattr(model, "optimizer", None)
    values = getattr(history, "history", None)
    params = getattr(history, "params", None)
    return {
        "compiled": given is not None,
        "on_logits": probe_loss(loss, label, logits),
        "on_probabilities": probe_loss(loss, label, chances),
        "on_one_hot": probe_loss(loss, one_hot, logits),
        "loss_name": str(
            given if isinstance(given, str) else getattr(given, "name", type_name(given))
        ),
        "optimizer": "none" if optimizer is None else type(optimizer).__name__,
        "learning_rate": _float_of(getattr(optimizer, "learning_rate", None)),
        "history": type_name(history),
        "losses": [float(v) for v in (values or {}).get("loss", [])] if _is_dict(values) else [],
        "steps": int((params or {}).get("steps") or 0) if _is_dict(params) else 0,
    }


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _float_of(value: Any) -> float | None:
    try:
        return float(np.asarray(value))
    except (TypeError, ValueError):  # none, or a schedule
        return None


def probe_loss(loss: Any, label: Array, outputs: Array) -> float | None:
    """Return the loss of one example; None if it raises."""
    if loss is None:
        return None
    try:
        return float(np.mean(np.asarray(loss(label, outputs))))
    except Exception:  # noqa: BLE001 - a loss that does not fit raises what it likes
        return None


def _near(value: Any, expected: float) -> bool:
    return isinstance(value, float) and abs(value - expected) < 1e-3


def train_loss(training: dict[str, Any], output: str = "linear") -> None:
    """Check by its behaviour that the loss takes what the model gives.

    Parameters
    ----------
    training : dict
        See `describe_training`.
    output : str
        Activation of the output layer: with a softmax there, a loss of probabilities is right.
    """
    logits = _near(training["on_logits"], LOGITS_LOSS)
    chances = _near(training["on_probabilities"], PROBABILITIES_LOSS)
    if (logits and output != "softmax") or (chances and not logits and output == "softmax"):
        return
    cause = f"The loss ({training['loss_name']}) is not the cross-entropy of integer labels."
    then = "Choose the loss for integer labels and several classes, and look at its arguments."
    if not training["compiled"]:
        cause = "The model is not compiled: it has no loss."
        then = "Compile the model before you fit it."
    elif logits:
        cause = (
            "The model's output is a softmax already, and the loss expects logits: the softmax is "
            "applied twice, and Keras only warns."
        )
        then = "Make the output layer linear (exercise 2), and leave the loss as it is."
    elif chances:
        cause = (
            "The loss expects probabilities, but the model's output is logits: training goes astray "
            "(accuracy about 0.19)."
        )
        then = "Tell the loss that it is given logits: look at its arguments."
    elif _near(training["on_one_hot"], LOGITS_LOSS) or (
        training["on_one_hot"] is not None and training["on_logits"] is None
    ):
        cause = (
            "This is the categorical cross-entropy, which wants one-hot labels; yours are integers."
        )
        then = "Use the loss for integer labels, the sparse one."
    elif _near(training["on_logits"], 5 / 3) or _near(training["on_logits"], 1.0):
        cause = (
            "This loss measures the distance between numbers (mean squared or absolute error): it "
            "takes a 9 to be further from a 1 than a 2 is, and raises no error (accuracy about 0.08)."
        )
        then = "Classes are not amounts: use the cross-entropy for integer labels."
    got = training["on_logits"]
    raise NotYet(
        cause,
        called="your loss, label 0, logits [2 0 -1]",
        expected=number(LOGITS_LOSS),
        got="an error" if got is None else number(got),
        next=then,
    )


def train_history(training: dict[str, Any]) -> None:
    """Check that what `fit` returns was kept."""
    if training["losses"] and training["history"].endswith("History"):
        return
    cause = "history does not hold what fit returns."
    if training["history"] == "NoneType":
        cause = "There is no history yet: the cell is not filled in, or it stopped with an error."
    raise NotYet(
        cause,
        called="history",
        expected="the History that model.fit returns",
        got=training["history"],
        next="Give the name history to the result of model.fit, and look at the cell's output.",
    )


def train_falls(training: dict[str, Any]) -> None:
    """Check that the loss falls, to less than that of a guess (ln 10 = 2.30)."""
    losses, rate = training["losses"], training["learning_rate"]
    if losses and np.isfinite(losses).all() and losses[-1] < min(0.8 * losses[0], 2.0):
        return
    cause = "The loss does not fall as it should: the network is learning nothing, or hardly."
    then = "Look at the learning curve; check the loss, the optimizer and its learning rate."
    if rate is not None and rate >= 0.1:
        cause = (
            f"The learning rate {rate:g} is too large: each step jumps past the valley, and the loss "
            "stays at that of a guess (2.30) or above."
        )
        then = "Try a learning rate of a thousandth."
    elif rate is not None and rate < 1e-4:
        cause = f"The learning rate {rate:g} is too small: the weights hardly move."
        then = "Try a learning rate of a thousandth."
    elif len(losses) < 2:
        cause, then = "One epoch is too few to see the loss fall.", "Train for 40 epochs."
    raise NotYet(
        cause,
        called="history.history['loss']",
        expected="a loss that falls to less than 2",
        got=show(losses, 3, 6),
        next=then,
    )


def _could_be(steps: int, rows: int) -> bool:
    """Tell whether some batch size makes `steps` batches of `rows` rows."""
    return any(-(-rows // size) == steps for size in {rows // steps, -(-rows // steps)} if size)


def train_rows(
    training: dict[str, Any], n_train: int, n_all: int, on_train: float, on_test: float
) -> None:
    """Check that the held-out rows were not trained on, by the batches and by the weights.

    Parameters
    ----------
    training : dict
    n_train, n_all : int
        Number of training rows, and of all rows.
    on_train, on_test : float
        Accuracy on both parts. A network of this size reaches 0.92 to 0.93 on rows that it has not
        seen (four seeds); above 0.965 it has seen them.
    """
    steps = training["steps"]
    by_steps = steps > 0 and not _could_be(steps, n_train) and _could_be(steps, n_all)
    remembered = on_test >= 0.965 and on_train >= 0.98
    if not (by_steps or remembered):
        return
    got = f"{on_test:.3f} on held-out rows, {on_train:.3f} on training rows"
    if by_steps:
        got = f"{steps} batches an epoch: as many as {n_all} rows make, not {n_train}; {got}"
    raise NotYet(
        "The network was trained on all rows, the held-out ones included: their accuracy says "
        "nothing any more about digits that it has not seen.",
        called="history.params, and the accuracies",
        expected="training on X_train and y_train only, about 0.92 on held-out rows",
        got=got,
        next="Look at what fit is given; run the model's cell again before you train again.",
    )


def train_learnt(training: dict[str, Any], on_train: float) -> None:
    """Check that the training rows were learnt: 0.95 of them (40 epochs of Adam reach 0.99)."""
    if on_train >= 0.95:
        return
    epochs, optimizer, rate = (
        len(training["losses"]),
        training["optimizer"],
        training["learning_rate"],
    )
    cause = "The network has not learnt its training rows."
    then = "Check the loss first, then the optimizer, then the number of epochs."
    if optimizer == "SGD":
        cause = f"SGD with learning rate {rate:g} is slow here: 40 epochs are not enough for it."
        then = "Use the optimizer that the exercise names."
    elif epochs < 25:
        cause = f"{epochs} epochs are too few: the network has not learnt its training rows yet."
        then = "Train for 40 epochs."
    elif rate is not None and rate < 5e-4:
        cause = f"The learning rate {rate:g} is small: the network is still on its way."
        then = "Try a learning rate of a thousandth."
    raise NotYet(
        cause,
        called="accuracy on the training rows",
        expected="0.95 or more (40 epochs reach 0.99)",
        got=f"{on_train:.3f}",
        next=then,
    )


def train_accuracy(on_test: float) -> None:
    """Check the accuracy on held-out rows: 0.88 or more (the right network reaches 0.92)."""
    if on_test >= 0.88:
        return
    raise NotYet(
        "On digits that it has not seen the network errs too often.",
        called="accuracy on the held-out rows",
        expected="0.88 or more (about 0.92 is usual)",
        got=f"{on_test:.3f}",
        next="Look at the earlier checks, and at the learning curves: is it still learning?",
    )


def accuracy(outputs: Any, y: Array) -> float:
    """Part of the rows whose own class y (m,) has the largest of the outputs (m, n)."""
    outputs = np.asarray(outputs, dtype=float)
    if outputs.ndim != 2 or len(outputs) != len(y) or not len(y):
        return 0.0
    y = np.asarray(y).astype(int)
    known = (y >= 0) & (y < outputs.shape[1])
    own = np.take_along_axis(outputs, np.where(known, y, 0)[:, np.newaxis], axis=1)
    best = known & (own[:, 0] >= outputs.max(axis=1)) & np.isfinite(outputs).all(axis=1)
    return float(best.mean())


def test_training(
    model: Any, history: Any, X_train: Array, y_train: Array, X_test: Array, y_test: Array
) -> None:
    """Check exercise 5; prints one line if all public checks pass, raises `NotYet` otherwise."""
    known: dict[str, Any] = {}
    n_train, n_all = len(X_train), len(X_train) + len(X_test)

    def compiled() -> None:
        need_model(model, written_in("UNQ_C2"))
        known.update(describe_training(model, history))
        output = (activations(describe_model(model)) or ["linear"])[-1]
        train_loss(known, output)

    def trained() -> None:
        train_history(known)
        known["on_train"] = accuracy(model_outputs(model, X_train), y_train)
        known["on_test"] = accuracy(model_outputs(model, X_test), y_test)

    run_checks(
        "train",
        [
            ("the loss", compiled),
            ("the history", trained),
            ("the loss falls", lambda: train_falls(known)),
            (
                "training rows only",
                lambda: train_rows(known, n_train, n_all, known["on_train"], known["on_test"]),
            ),
            ("training rows learnt", lambda: train_learnt(known, known["on_train"])),
            ("held-out accuracy", lambda: train_accuracy(known["on_test"])),
        ],
    )


def model_outputs(model: Any, X: Array) -> Array:
    """Return what a Keras model gives for X (m, n): an array (m, n_out)."""
    return np.asarray(model(np.asarray(X, dtype="float32")))


# --- Exercise 6: predictions --------------------------------------------------------------------


def watch(model: Any) -> tuple[Any, Callable[[], int]]:
    """Return what stands in front of a model, and how often the model was asked through it.

    It passes everything on, what is assigned to it too: the count is not one of its attributes.
    """
    calls = 0

    class Watched:
        """Stands in front of a model and counts how often it is asked."""

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            return asked(model, *arguments, **options)

        def predict(self, *arguments: Any, **options: Any) -> Any:
            """Ask the model once."""
            return asked(model.predict, *arguments, **options)

        def predict_on_batch(self, *arguments: Any, **options: Any) -> Any:
            """Ask the model once."""
            return asked(model.predict_on_batch, *arguments, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(model, name, value)

    def asked(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return ask(*arguments, **options)

    return Watched(), lambda: calls


class Prepared:
    """A model whose outputs are known beforehand, for whoever has none that works yet.

    Parameters
    ----------
    X : ndarray, shape (m, n)
        The rows that it knows.
    outputs : ndarray, shape (m, 10)
        What it gives for them.
    """

    def __init__(self, X: Array, outputs: Array) -> None:
        self._outputs = {
            row.tobytes(): out
            for row, out in zip(np.asarray(X, dtype=np.float32), outputs, strict=True)
        }

    def predict(self, X: Any, *_: Any, **__: Any) -> Array:
        """Return the outputs for rows of the known X, float32."""
        rows = np.asarray(X, dtype="float32")
        if rows.ndim != 2:
            raise ValueError(f"expected rows of shape (m, 400), got an input of shape {rows.shape}")
        return np.array([self._outputs[row.tobytes()] for row in rows], dtype="float32")

    def predict_on_batch(self, X: Any) -> Array:
        """Return the outputs for rows of the known X, float32."""
        return self.predict(X)

    def __call__(self, X: Any, *_: Any, **__: Any) -> Array:
        return self.predict(X).view(_WithNumpy)


class _WithNumpy(np.ndarray[Any, Any]):
    """An array that has the ``numpy()`` of a tensor."""

    def numpy(self) -> Array:
        return np.asarray(self)


def watched_prediction(predict_digits: Any, model: Any, X: Array) -> dict[str, Any]:
    """Call `predict_digits` with a watched model: its ``result``, and how many ``calls`` it took."""
    watched, calls = watch(model)
    result = predict_digits(watched, X)
    return {"result": result, "calls": calls()}


def prepared_prediction(predict_digits: Any, X: Array, outputs: Array) -> dict[str, Any]:
    """Call `predict_digits` with a model whose outputs for X are known."""
    return watched_prediction(predict_digits, Prepared(X, outputs), X)


def predict_called(X: Array) -> str:
    """Write the call as the student should read it."""
    return f"predict_digits(model, X[:{len(X)}]), rows of shape {X.shape}"


def predict_attempt(ask: Callable[[], Any], X: Array) -> dict[str, Any]:
    """Run a prediction; an error about shapes gets a cause of its own."""
    try:
        run = attempt(predict_called(X), ask)
    except NotYet as finding:
        said = finding.got.lower()
        if "shape" in said or "rank" in said or "dimension" in said:
            finding.cause += " The model takes rows: an input of shape (m, 400), two axes."
            finding.next = "Hand the whole batch on. One row with both its axes is X[:1], not X[0]."
        raise
    if not isinstance(run, dict) or not {"result", "calls"} <= run.keys():
        raise NotYet("What came back could not be read.", called=predict_called(X))
    return run


def predict_returns(run: dict[str, Any], X: Array) -> tuple[Array, Array]:
    """Check that digits (m,) and probabilities (m, 10) come back; return them."""
    called, value, m = predict_called(X), run["result"], len(X)
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
    if digits.shape != (m,) or chances.shape != (m, 10):
        raise not_yet(
            "The shapes are not those of one digit and ten probabilities for each row.",
            "Print the shapes after each of your lines.",
            got,
        )
    if (digits != np.round(digits)).any() or digits.dtype.kind == "f":
        raise not_yet("The digits are not integers.", "Return integers.", f"{show(digits)}")
    return digits, chances


def predict_values(run: dict[str, Any], X: Array, logits: Array) -> None:
    """Check that each row's digit is the one with the largest logit (up to float32: 1e-4)."""
    digits = predict_returns(run, X)[0].astype(int)
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
        called=predict_called(X),
        expected=f"row {worst}: the place of the largest of {show(logits[worst], 2, 10)}",
        got=f"row {worst}: {digits[worst]}",
        next="Take one row, print its ten numbers, and find the largest with your finger.",
    )


def predict_probabilities(run: dict[str, Any], X: Array, logits: Array) -> None:
    """Check the probabilities: they add up to 1 by row, and belong to the logits.

    That log(p_i / p_j) = z_i - z_j is the definition of the softmax; 1e-3 is float32's part.
    """
    m, value = len(X), run["result"]
    pair = value if isinstance(value, tuple | list) and len(value) == 2 else ()
    several = [part for part in map(as_numbers, pair) if part is not None and part.ndim == 2]
    if len(several) != 1 or several[0].shape != (m, 10):  # what is wrong is the form: say so
        predict_returns(run, X)
        return
    p = several[0]
    shown = show_both(np.ones(m)[:4], p.sum(axis=1)[:4])
    cause = then = ""
    if agree(p, logits, 1e-3):
        cause = "The logits were returned as probabilities."
        then = "Turn each row of logits into probabilities first: exercise 1 says how."
    elif (p < 0).any() and agree(np.exp(p).sum(axis=1), np.ones(m), 1e-4):
        cause = "These are logarithms of probabilities."
        then = "Return the probabilities themselves."
    elif m > 1 and abs(p.sum() - 1) < 1e-3:
        cause = "The probabilities add up to 1 over the whole batch, not in each row."
        then = "One softmax for each row: the largest and the sum are to be taken row by row."
    elif m > 1 and agree(p.sum(axis=0), np.ones(10), 1e-3):
        cause = "The probabilities add up to 1 down the columns, not in each row."
        then = "Look at the axis: one softmax for each row."
    elif agree(p, sigmoid(logits), 1e-3):
        cause = "This is the sigmoid of each logit: a row does not add up to 1."
        then = "Use a softmax for each row: exercise 1 says how."
    elif not agree(p.sum(axis=1), np.ones(m), 1e-4) or (p < 0).any():
        cause = "The probabilities of a row do not add up to 1."
        then = "Use a softmax for each row: exercise 1 says how."
    if not cause:
        if _same_odds(p, logits):
            return
        cause = "The probabilities add up to 1 in each row, but do not belong to the logits."
        then = "Was the softmax applied twice, or to something else than the logits?"
        shown = ("odds of two digits: exp of the difference of their logits", show(p[0], 4, 10))
    raise NotYet(
        cause,
        called=f"sums of the rows of {predict_called(X)}",
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


def predict_one_call(run: dict[str, Any], X: Array) -> None:
    """Check that the model was asked once for the whole batch."""
    if run["calls"] == 1:
        return
    cause = f"The model was asked {run['calls']} times for {len(X)} rows: each call has a cost."
    then = "Hand all the rows on in one call; it gives one row of logits for each."
    if not run["calls"]:
        cause = "The model that was given was not asked at all: you used another one."
        then = "Use the argument model, not a model from outside the function."
    raise NotYet(
        cause,
        called=predict_called(X),
        expected="1 call of the model",
        got=f"{run['calls']} calls",
        next=then,
    )


def test_predict_digits(predict_digits: Any, model: Any, X: Array) -> None:
    """Check exercise 6; prints one line if all public checks pass, raises `NotYet` otherwise."""
    rows = np.asarray(X)[:: max(1, len(X) // 7)][:7]
    known: dict[str, Any] = {}

    def returns() -> None:
        need_function(predict_digits, "predict_digits")
        need_model(model, written_in("UNQ_C2"))
        known["run"] = predict_attempt(
            lambda: watched_prediction(predict_digits, model, rows), rows
        )
        known["logits"] = model_outputs(model, rows).astype(float)
        predict_returns(known["run"], rows)

    run_checks(
        "predict",
        [
            ("what comes back", returns),
            ("digits", lambda: predict_values(known["run"], rows, known["logits"])),
            ("probabilities", lambda: predict_probabilities(known["run"], rows, known["logits"])),
            ("one call", lambda: predict_one_call(known["run"], rows)),
        ],
    )


# --- Exercise 7: photographs --------------------------------------------------------------------


Box = tuple[float, float, float, float]
"""Top, bottom, left and right of a stroke, as parts of the height of its sign."""

SEVEN: tuple[Box, ...] = ((0, 0.15, 0, 0.75), (0, 1, 0.6, 0.75), (0.45, 0.58, 0.3, 0.75))
"""A seven with a crossbar, 3/4 as wide as it is high; no turn and no mirror gives it back."""


@dataclass(frozen=True)
class Sheet:
    """A sign on a sheet of paper, 200 pixels high and 160 wide; the light falls off to the right.

    Attributes
    ----------
    strokes : tuple of Box
        The sign.
    name : str
        What it is called.
    top, left, height : float
        Where it is and how large, in pixels: the seven sits in the lower left.
    """

    strokes: tuple[Box, ...] = SEVEN
    name: str = "seven"
    top: float = 92
    left: float = 24
    height: float = 80

    @property
    def width(self) -> float:
        """Width of the sign as a part of its height."""
        return max(right for _, _, _, right in self.strokes)

    def image(self, form: str = "grey") -> Array:
        """Return the picture: uint8, (200, 160), (200, 160, 3) or (200, 160, 4)."""
        covered = self.drawn((200, 160), self.top, self.left, self.height)[..., np.newaxis]
        light = np.linspace(1.0, 0.88, 160)[np.newaxis, :, np.newaxis]
        paper, ink = np.array([238.0, 233.0, 222.0]), np.array([38.0, 48.0, 110.0])
        rgb = light * (paper + covered * (ink - paper))
        if form == "grey":
            return np.asarray(np.rint(rgb @ np.array([0.299, 0.587, 0.114])), dtype=np.uint8)
        if form == "rgb":
            return np.asarray(np.rint(rgb), dtype=np.uint8)
        alpha = np.full((200, 160, 1), 255.0)
        if form == "cut out":  # transparent outside of a frame, black there, as programs leave it
            alpha[:8] = alpha[-8:] = alpha[:, :8] = alpha[:, -8:] = 0
        opaque = np.concatenate([rgb * (alpha > 0), alpha], axis=2)
        return np.asarray(np.rint(opaque), dtype=np.uint8)

    def pattern(self) -> Array:
        """Return the sign as X would show it, upright: float64 (20, 20)."""
        left = round(200 - 143 * self.width) / 2
        fine = self.drawn((200, 200), 28.5, left, 143)
        pattern: Array = fine.reshape(20, 10, 20, 10).mean(axis=(1, 3))
        return pattern

    def drawn(self, shape: tuple[int, int], top: float, left: float, height: float) -> Array:
        """Return the sign: float64 of this shape, 1 where ink is."""
        picture = np.zeros(shape)
        y, x = np.ogrid[: shape[0], : shape[1]]
        down, across = (y + 0.5 - top) / height, (x + 0.5 - left) / height
        for above, below, before, behind in self.strokes:
            within = (down >= above) & (down < below) & (across >= before) & (across < behind)
            picture[within] = 1.0
        return picture


SHEET = Sheet()


def preprocess_row(
    preprocess: Any, form: str = "grey", exact: bool = False, sheet: Sheet = SHEET
) -> tuple[str, Array]:
    """Call `preprocess` on a sheet; return the call as text and its row (400,).

    Unless `exact`, a picture that was not unrolled and an axis too many are let pass: one check asks
    for the form, the others for the numbers.
    """
    image = sheet.image(form)
    kinds = {"grey": "grey", "rgb": "RGB", "rgba": "RGBA", "cut out": "RGBA, cut out"}
    called = f"preprocess(image), {kinds[form]}, uint8, shape {image.shape}"
    need_function(preprocess, "preprocess")
    wanted = "an array of 400 numbers, shape (400,)"
    try:
        value = attempt(called, preprocess, image)
    except NotYet as finding:
        if image.ndim == 3 and "not started" not in finding.cause:
            finding.cause += f" It works on grey pictures; this one has {image.shape[2]} channels."
            finding.next = "Turn every picture into one grey channel first, whatever came in."
        raise
    if not exact and value is not None:
        value = as_row(value)
    row = need_array(value, called, wanted)
    if row.shape == (400,) and np.isfinite(row).all():
        return called, row
    cause, then = f"The result has shape {row.shape}.", "Print the shape after each step."
    if row.shape == (20, 20):
        cause = "The picture is 20 by 20, but not unrolled: X has 400 numbers in a row."
        then = "Unroll it; section 2 shows in which order."
    elif row.shape in ((1, 400), (400, 1)):
        cause = "There is an axis too many: one picture is one row of 400 numbers."
    elif row.size == 784:
        cause = "The picture is 28 by 28, as in MNIST; X has pictures of 20 by 20."
        then = "Make it 20 by 20 in the last step."
    elif row.size in (800, 1200, 1600):
        cause = f"The colours were kept: {row.size} = {row.size // 400} x 400 numbers."
        then = "Turn the picture into one grey channel first."
    elif row.shape == (400,):
        cause = "There are numbers in it that are not finite (nan or inf): a division by 0."
        then = "Print what you divide by."
    raise NotYet(cause, called=called, expected=wanted, got=a_type(row), next=then)


def as_row(value: Any) -> Any:
    """Return 400 numbers in another form as a row (400,): an upright picture, an axis too many."""
    numbers = as_numbers(value)
    if numbers is None or numbers.size != 400:
        return value
    return np.concatenate(numbers.T) if numbers.shape == (20, 20) else numbers.reshape(400)


def preprocess_ink(preprocess: Any, sheet: Sheet = SHEET) -> None:
    """Check that ink is near 1 and paper near 0."""
    called, row = preprocess_row(preprocess, sheet=sheet)
    paper, top = float(np.median(row)), float(row.max())
    if abs(paper) < 0.15 and 0.6 < top < 1.4 and row.min() > -0.5:
        return
    cause = "Ink should be near 1 and paper near 0, as in X."
    then = "Divide by the difference between paper and ink; plot the picture beside one of X."
    if top > 2:
        cause = "The numbers go up to 255, those of X to about 1: the network was trained on those."
        then = "Scale the picture to 0..1."
        if paper > 127:
            cause += " The picture is not inverted either: paper is bright."
    elif paper > 0.5:
        cause = (
            "The picture is not inverted: paper is bright and ink is dark, in X it is the other "
            "way round (accuracy about 0.01)."
        )
        then = "Turn light into dark, so that ink is bright."
    elif paper > 0.12:
        cause = "The paper is not dark enough: it is grey after inverting."
        then = "Measure the ink against the paper around it, and let what is only paper be 0."
    elif top <= 0.6:
        cause = "The ink is too faint: strokes of X reach 1."
        then = "Stretch the range, so that full ink is 1."
    raise NotYet(
        cause,
        called=called,
        expected="paper (most pixels) near 0, ink (the largest) near 1",
        got=f"paper {number(paper, 2)}, largest {number(top, 2)}, smallest {number(row.min(), 2)}",
        next=then,
    )


def ink_box(row: Array) -> tuple[int, int, float, float]:
    """Measure the ink of a row (400,): the two sides of its box (larger first), how far off it is.

    Returns
    -------
    larger, smaller : int
        Sides of the box around all pixels brighter than 0.4 of the brightest.
    by_mass, by_box : float
        Distance of the centre of mass, and of the box' centre, from the middle, in pixels.
    """
    picture = np.clip(row.reshape(20, 20), 0, None)
    rows, columns = np.nonzero(picture > 0.4 * picture.max())
    if not len(rows):
        return 0, 0, 20.0, 20.0
    sides = sorted((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1), reverse=True)
    at = np.arange(20) - 9.5
    mass = np.hypot(
        (picture.sum(axis=1) * at).sum() / picture.sum(),
        (picture.sum(axis=0) * at).sum() / picture.sum(),
    )
    box = np.hypot((rows.min() + rows.max()) / 2 - 9.5, (columns.min() + columns.max()) / 2 - 9.5)
    return sides[0], sides[1], float(mass), float(box)


def preprocess_crop(preprocess: Any, sheet: Sheet = SHEET) -> None:
    """Check that the digit is as large as those of X, and not stretched."""
    called, row = preprocess_row(preprocess, sheet=sheet)
    larger, smaller, _, _ = ink_box(row)
    width = sheet.width
    if 11 <= larger <= 17 and width - 0.2 <= smaller / larger <= width + 0.15:
        return
    cause = f"The digit is {larger} pixels long; digits of X are about 14 of 20."
    then = "Compare with a digit of X, drawn beside it."
    if larger >= 19 and smaller >= 19:
        cause = "The digit fills the whole picture, both ways: it was stretched, or has no margin."
        then = "Keep the digit's proportions, and leave the margin that the digits of X have."
    elif 11 <= larger <= 17:
        cause = f"The digit is stretched: it was 4 high to {4 * width:g} wide."
        then = "Use the same factor for both sides."
    elif larger > 17:
        cause = "The digit has hardly any margin: in X it is about 14 of 20 pixels long."
        then = "MNIST puts a digit of 20 pixels into a picture of 28; only that is made 20 by 20."
    elif larger:
        cause = (
            f"The digit is only {larger} pixels long: the picture was resized without a crop "
            "(accuracy about 0.47)."
        )
        then = "Find the first and last row and column with ink, and cut there before you resize."
    raise NotYet(
        cause,
        called=called,
        expected=f"a digit about 14 pixels high and {14.3 * width:.0f} wide",
        got=f"{larger} and {smaller} pixels",
        next=then,
    )


def preprocess_centre(preprocess: Any, sheet: Sheet = SHEET) -> None:
    """Check that the digit is in the middle (by mass, as in MNIST, or by its box)."""
    called, row = preprocess_row(preprocess, sheet=sheet)
    _, _, by_mass, by_box = ink_box(row)
    if min(by_mass, by_box) <= 1.25:
        return
    raise NotYet(
        "The digit is not in the middle of the picture, as the digits of X are.",
        called=called,
        expected="the centre of its ink at most 1.2 pixels from the middle",
        got=f"{by_mass:.1f} pixels from the middle",
        next="Put the same margin on opposite sides, or shift by the centre of mass.",
    )


_TURNS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("", lambda p: p),
    (
        "The picture was unrolled row by row; X is unrolled column by column, so to the network "
        "your digit lies on its side, mirrored (accuracy about 0.19).",
        lambda p: p.T,
    ),
    ("The picture is upside down.", lambda p: p[::-1]),
    ("The picture is mirrored.", lambda p: p[:, ::-1]),
    ("The picture is turned by half a turn.", lambda p: p[::-1, ::-1]),
    ("The picture is turned to the left.", lambda p: p.T[::-1]),
    ("The picture is turned to the right.", lambda p: p.T[:, ::-1]),
)


def shape_of(picture: Array) -> Array:
    """Cut a picture to its ink and sample it at 12 by 12 places: where and how large do not matter."""
    rows, columns = np.nonzero(picture > 0.4 * picture.max())
    if not len(rows):
        return np.zeros((12, 12))
    part = (np.arange(12) + 0.5) / 12
    down = rows.min() + part * (np.ptp(rows) + 1)
    across = columns.min() + part * (np.ptp(columns) + 1)
    sampled: Array = picture[np.ix_(down.astype(int), across.astype(int))]
    return np.asarray(sampled - sampled.mean())


def likeness(picture: Array, pattern: Array) -> float:
    """Correlation of the shapes of two pictures."""
    a, b = shape_of(picture), shape_of(pattern)
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) or 1.0))


def preprocess_order(preprocess: Any, sheet: Sheet = SHEET) -> None:
    """Check that the picture is unrolled column by column, upright."""
    called, row = preprocess_row(preprocess, exact=True, sheet=sheet)
    pattern = sheet.pattern()
    shown = np.stack(np.split(row, 20), axis=1)  # X's convention: one column after the other
    scores = [likeness(shown, turn(pattern)) for _, turn in _TURNS]
    best = int(np.argmax(scores))
    if best == 0 and scores[0] > 0.5:
        return
    cause = (
        _TURNS[best][0]
        if scores[best] > 0.5
        else f"The {sheet.name} cannot be recognised any more."
    )
    raise NotYet(
        cause,
        called=called,
        expected=f"a picture that shows an upright {sheet.name} when it is drawn like X",
        got=f"likeness {number(scores[0], 2)} (upright), {number(scores[best], 2)} (best turn)",
        next="Draw your result in the way section 2 draws X[0], and compare the two.",
    )


def preprocess_colour(preprocess: Any, *forms: str, sheet: Sheet = SHEET) -> None:
    """Check that the sheet in colour (`forms` of it) gives the picture that it gives in grey."""
    _, grey = preprocess_row(preprocess, sheet=sheet)
    for form in forms:
        called, row = preprocess_row(preprocess, form, sheet=sheet)
        off = float(np.abs(row - grey).mean())
        # The seven itself is 0.13 on average, rounding to grey is 0.003; a sign of thinner strokes
        # that so ends up a pixel beside is 0.08, the black under what is transparent 0.17.
        if off <= (0.05 if sheet == SHEET else 0.12):
            continue
        cause = "The same sheet in colour gives another picture than in grey."
        then = "Turn every picture into one grey channel first, whatever came in."
        if form == "cut out":
            cause = (
                "The transparent part of the picture is taken for ink: underneath it is black, and "
                "the alpha channel that hides it was dropped."
            )
            then = "Lay the picture on white paper first, as its alpha channel says."
        elif form == "rgba":
            cause = "The fourth channel (alpha) is taken for a colour."
            then = "The alpha channel says how opaque a pixel is; it is no part of its brightness."
        raise NotYet(
            cause,
            called=called,
            expected="the picture that the grey sheet gives",
            got=f"a picture that differs by {off:.2f} on average",
            next=then,
        )


def test_preprocess(preprocess: Any) -> None:
    """Check exercise 7; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "preprocess",
        [
            ("what comes back", lambda: (preprocess_row(preprocess, exact=True), None)[1]),
            ("ink and paper", lambda: preprocess_ink(preprocess)),
            ("cropped to the ink", lambda: preprocess_crop(preprocess)),
            ("in the middle", lambda: preprocess_centre(preprocess)),
            ("column by column", lambda: preprocess_order(preprocess)),
            ("colours", lambda: preprocess_colour(preprocess, "rgb", "rgba")),
            ("transparency", lambda: preprocess_colour(preprocess, "cut out")),
        ],
    )


# --- All exercises ------------------------------------------------------------------------------


def summary(exercises: Iterable[str] = tuple(TITLES)) -> None:
    """Print how many exercises pass all their public checks, and which do not yet.

    Parameters
    ----------
    exercises : iterable of str
        Ids of the exercises to sum up. Default: those of lab_digits.
    """
    exercises = list(exercises)
    passed = [exercise for exercise in exercises if _outcomes.get(exercise)]
    print(f"{len(passed)} of {len(exercises)} exercises pass all their public checks.")
    for exercise in exercises:
        state = {True: "✓ passes its public checks", False: "✗ not yet", None: "… not checked yet"}
        print(f"  {TITLES.get(exercise, exercise):<24} {state[_outcomes.get(exercise)]}")
    if len(passed) == len(exercises):
        print("Marking runs further checks of the same kind, on inputs that you have not seen.")
