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
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever the student's code raises is a finding
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
    message = str(getattr(error, "message", error)).strip()
    first = next((text for text in message.splitlines() if text.strip()), "")
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
        array = np.asarray(value)
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
    if (
        isinstance(value, bool | int | float | np.generic)
        or name.startswith("numpy.")
        and (np.ndim(value) == 0)
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
    """Probabilities `p` (N,) for logits to which `by` (N,) was added by mistake."""
    weighted = p * np.exp(by - np.max(by))
    return np.asarray(weighted / np.sum(weighted))


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
        (
            "These are percentages.",
            "Return fractions that add up to 1.",
            lambda: 100 * p,
        ),
    ]


def softmax_output(my_softmax: Any, z: Array) -> tuple[str, Array]:
    """Call `my_softmax` on a copy of `z` (N,); return the call as text and its result (N,)."""
    called = f"my_softmax({show_input(z)})"
    need_function(my_softmax, "my_softmax")
    wanted = f"an array of shape {z.shape}"
    p = need_array(attempt(called, my_softmax, z.copy()), called, wanted)
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
    called, p = softmax_output(my_softmax, z)
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
        cause,
        called=called,
        expected=f"{expected_text}, within 1e-6",
        got=got_text,
        next=then,
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
            ("written by hand", lambda: softmax_by_hand(written_in("UNQ_C1"))),
            ("probabilities", lambda: softmax_sum(my_softmax)),
            ("a first example", lambda: softmax_case(my_softmax, "values")),
            ("negative inputs", lambda: softmax_case(my_softmax, "negatives")),
            ("large inputs", lambda: softmax_case(my_softmax, "large", "small")),
            ("z is left alone", lambda: softmax_untouched(my_softmax)),
        ],
    )
