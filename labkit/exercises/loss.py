"""Exercise 5 of lab_digits, the cross-entropy and its gradient: misconceptions and public checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from labkit import cell_code
from labkit.asking import (
    Misconception,
    Symptom,
    agree,
    attempt,
    function_of,
    matching,
    need_array,
    what_holds,
)
from labkit.findings import NotYet
from labkit.inspection import sigmoid
from labkit.labels import need_digits
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, a_type, as_numbers, number, show_both, show_input


@dataclass(frozen=True)
class Batch:
    """Logits (m, N) and labels (m,); their loss, its gradient (m, N) and the probabilities (m, N)."""

    logits: Array
    y: Array
    loss: float
    gradient: Array
    p: Array

    @property
    def m(self) -> int:
        """How many rows there are."""
        return len(self.y)

    @property
    def hit(self) -> Array:
        """True at the label of each row (m, N)."""
        return np.asarray(np.arange(self.p.shape[1]) == self.y[:, np.newaxis])

    @property
    def chance(self) -> Array:
        """The probability of each row's label (m,)."""
        return np.asarray(self.p[self.hit])


EVEN = Batch(
    np.zeros((4, 10)),
    np.array([3, 1, 0, 1]),
    2.302585092994046,
    np.full((4, 10), 0.025) - 0.25 * (np.arange(10) == np.array([[3], [1], [0], [1]])),
    np.full((4, 10), 0.1),
)
"""All logits 0: every digit gets the same probability, whatever the label."""

SEVERAL = Batch(
    np.array([[4, 3, 2, 1], [2, 4, 1, 0.5], [1.5, 1, 3, 0.5], [0.5, 1.5, 0.25, 2], [3, 2, 1, 4]]),
    np.array([0, 1, 2, 1, 0]),
    0.7270549953683213,
    np.array(
        [
            [-0.07121714802240552, 0.04737656361798203, 0.01742886374840651, 0.00641172065601700],
            [0.02227155197699951, -0.03543425303170079, 0.00819324609531931, 0.00496945495938198],
            [0.03097845846165030, 0.01878938484762517, -0.06116418130050012, 0.01139633798722465],
            [0.02227476174763131, -0.13945091990815816, 0.01734760189178400, 0.09982855626874274],
            [-0.15262343638197797, 0.01742886374840651, 0.00641172065601700, 0.12878285197759448],
        ]
    ),
    np.array(
        [
            [0.6439142598879724, 0.23688281808991013, 0.08714431874203257, 0.03205860328008499],
            [0.11135775988499755, 0.822828734841496, 0.04096623047659655, 0.024847274796909898],
            [0.1548922923082515, 0.09394692423812584, 0.6941790935174994, 0.05698168993612325],
            [0.11137380873815653, 0.3027454004592041, 0.08673800945892118, 0.4991427813437182],
            [0.23688281808991013, 0.08714431874203257, 0.03205860328008499, 0.6439142598879724],
        ]
    ),
)
LARGE = Batch(
    np.array([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 998.0], [0.0, 0.0, 0.0]]),
    np.array([1, 2, 0]),
    334.40851343323703,
    np.array(
        [
            [0.3333333333333333, -0.3333333333333333, 0.0],
            [0.0, 0.29359902599262746, -0.29359902599262746],
            [-0.2222222222222222, 0.1111111111111111, 0.1111111111111111],
        ]
    ),
    np.array([[1.0, 0.0, 0.0], [0.0, 0.8807970779778824, 0.11920292202211755], [1 / 3] * 3]),
)
"""Worked out in 50 decimals."""


def _over(of: Batch, axis: int | None) -> Array:
    """Return the chances of the labels where the sum went over another axis than the row's."""
    e = np.exp(of.logits)
    return np.asarray((e / e.sum(axis=axis, keepdims=True))[of.hit])


VALUES = (
    Misconception(
        "This is the sum over the rows: the loss of a batch is their mean.",
        "Divide by the number of rows, so that the loss does not grow with the batch.",
        lambda of: of.loss * of.m,
    ),
    Misconception(
        "The mean was taken over all m x N numbers; each row has one loss, that of its label.",
        "Divide by the number of rows m.",
        lambda of: of.loss / of.p.shape[1],
    ),
    Misconception(
        "The sign is turned: a logarithm of a probability is negative, the loss is not.",
        "Look at the minus sign in the formula.",
        lambda of: -of.loss,
    ),
    Misconception(
        "These are probabilities: the logarithm is missing.",
        "The loss of a row is minus the logarithm of the probability of its label.",
        lambda of: of.chance.mean(),
    ),
    Misconception(
        "These are probabilities with a minus sign: the logarithm is missing.",
        "The loss of a row is minus the logarithm of the probability of its label.",
        lambda of: -of.chance.mean(),
    ),
    Misconception(
        "This is 1 minus the probability of the label: the logarithm is missing.",
        "The loss of a row is minus the logarithm of the probability of its label.",
        lambda of: 1 - of.chance.mean(),
    ),
    Misconception(
        "This is the logarithm to base 2.",
        "Use the natural logarithm.",
        lambda of: of.loss / np.log(2),
    ),
    Misconception(
        "This is the logarithm to base 10.",
        "Use the natural logarithm.",
        lambda of: of.loss / np.log(10),
    ),
    Misconception(
        "The logits were taken for probabilities, the softmax is missing.",
        "What comes in are logits; probabilities are made of them row by row first.",
        lambda of: -np.log(of.logits[of.hit]).mean(),
    ),
    Misconception(
        "This is minus the logit of the label: the softmax and the logarithm are missing.",
        "What comes in are logits; probabilities are made of them row by row first.",
        lambda of: -of.logits[of.hit].mean(),
    ),
    Misconception(
        "The softmax was applied twice: to the logits, and to what came out of that.",
        "Apply it once, to the logits.",
        lambda of: np.log(np.exp(of.p - of.chance[:, np.newaxis]).sum(axis=1)).mean(),
    ),
    Misconception(
        "The softmax was taken over the whole batch: all rows share one sum.",
        "Each row has a sum of its own: look at the axis, and keep it.",
        lambda of: -np.log(_over(of, None)).mean(),
    ),
    Misconception(
        "The softmax was taken down the columns (axis=0).",
        "Each row has a sum of its own: look at the axis.",
        lambda of: -np.log(_over(of, 0)).mean(),
    ),
    Misconception(
        "The logarithm was taken of the mean probability; it belongs to each row, the mean comes last.",
        "First one loss for each row, then their mean.",
        lambda of: -np.log(of.chance.mean()),
    ),
    Misconception(
        "Only the first row counts: the function returns after one row.",
        "Let the loop reach all rows before it returns.",
        lambda of: -np.log(of.chance[0]),
    ),
    Misconception(
        "Only the last row counts: each row overwrites the one before.",
        "Add up the losses of the rows.",
        lambda of: -np.log(of.chance[-1]),
    ),
    Misconception(
        "The labels picked whole rows, p[y]: in place of one number from each row.",
        "Pick from each row the column of its label: one row number and one column number each.",
        lambda of: -np.log(of.p[of.y % of.m]).mean(),
    ),
    Misconception(
        "The labels picked whole columns, p[:, y]: in place of one number from each row.",
        "Pick from each row the column of its label: one row number and one column number each.",
        lambda of: -np.log(of.p[:, of.y]).mean(),
    ),
    *(
        Misconception(
            "The labels are off by one: the probability beside the label was picked.",
            "The columns are 0 to N - 1, as the labels are: use y as it is.",
            lambda of, by=by: -np.log(np.roll(of.p, by, axis=1)[of.hit]).mean(),
        )
        for by in (1, -1)
    ),
    Misconception(
        "The largest probability of each row was picked, not that of its label.",
        "The loss asks how probable the label is, however probable another digit is.",
        lambda of: -np.log(of.p.max(axis=1)).mean(),
    ),
    Misconception(
        "This is the entropy of the probabilities: the labels were not used.",
        "Only the probability of each row's label counts.",
        lambda of: -(of.p * np.log(of.p)).sum(axis=1).mean(),
    ),
    *(
        Misconception(
            "This is the binary cross-entropy: every class was asked yes or no by itself.",
            "One label for each row: only the probability of the label counts.",
            lambda of, n=n: -np.where(of.hit, np.log(of.p), np.log(1 - of.p)).sum() / n(of),
        )
        for n in (lambda of: of.m, lambda of: of.p.size)
    ),
    *(
        Misconception(
            "These are squared differences of probabilities and labels (mean squared error).",
            "Take minus the logarithm of the label's probability.",
            lambda of, n=n: ((of.p - of.hit) ** 2).sum() / n(of),
        )
        for n in (lambda of: of.m, lambda of: of.p.size)
    ),
    *(
        Misconception(
            "The labels were used as amounts: the digit that was read minus the label.",
            "Classes are not amounts: y says which column of its row counts.",
            lambda of, power=power: (np.abs(of.p.argmax(axis=1) - of.y) ** power).mean(),
        )
        for power in (1, 2)
    ),
    Misconception(
        "This is the part of the rows that are read wrongly, not a loss.",
        "Take minus the logarithm of the label's probability.",
        lambda of: (of.p.argmax(axis=1) != of.y).mean(),
    ),
    Misconception(
        "A sigmoid of each logit stands where the softmax of the row belongs.",
        "The probabilities of a row add up to 1: exercise 1 says how.",
        lambda of: -np.log(sigmoid(of.logits[of.hit])).mean(),
    ),
    Misconception(
        "The result is 0: nothing was added up, or only where it is 0.",
        "Print the loss of the first row, and follow it through your lines.",
        lambda of: 0.0,
    ),
)
"""What is often written for the loss by mistake; outcomes for a `Batch`."""


def _less_one(of: Batch, rows: bool) -> Array:
    """Return p with 1 taken from whole rows (or columns) y, by 1/m."""
    p = of.p.copy()
    if rows:
        p[of.y % of.m] -= 1
    else:
        p[:, of.y] -= 1
    return p / of.m


GRADIENTS = (
    Misconception(
        "The 1/m is missing: this is the gradient of the sum, not of the mean.",
        "The loss is a mean over m rows, so each row counts for 1/m in the gradient too.",
        lambda of: of.gradient * of.m,
    ),
    Misconception(
        "The sign is turned: this points downhill, the gradient points uphill.",
        "Raising the label's logit lowers the loss: its element is negative.",
        lambda of: -of.gradient,
    ),
    Misconception(
        "The sign is turned, and the 1/m is missing.",
        "Raising the label's logit lowers the loss: its element is negative.",
        lambda of: -of.gradient * of.m,
    ),
    Misconception(
        "It was divided by all m x N numbers; the loss is a mean over m rows.",
        "Divide by the number of rows.",
        lambda of: of.gradient / of.p.shape[1],
    ),
    Misconception(
        "It was divided by the number of classes; the loss is a mean over the rows.",
        "Divide by the number of rows.",
        lambda of: of.gradient * of.m / of.p.shape[1],
    ),
    *(
        Misconception(
            "These are the probabilities: the one-hot labels were not subtracted.",
            "At the label of each row, 1 is taken away.",
            lambda of, n=n: of.p / n(of),
        )
        for n in (lambda of: of.m, lambda of: 1)
    ),
    Misconception(
        "Only the places of the labels are filled: the other logits of a row matter too.",
        "Raising another logit makes the label less probable: those elements are positive.",
        lambda of: np.where(of.hit, of.gradient, 0),
    ),
    *(
        Misconception(
            "The 1 was taken from whole rows or columns (p[y], p[:, y]), not at one place in each row.",
            "Pick from each row the column of its label: one row number and one column number each.",
            lambda of, rows=rows, n=n: _less_one(of, rows) * n(of),
        )
        for rows in (True, False)
        for n in (lambda of: 1, lambda of: of.m)
    ),
    *(
        Misconception(
            "This is the derivative with respect to the probabilities, -1/p at the label.",
            "Take it with respect to the logits: the softmax is part of the function.",
            lambda of, n=n: np.where(of.hit, -1 / of.p, 0) / n(of),
        )
        for n in (lambda of: of.m, lambda of: 1)
    ),
    *(
        Misconception(
            "The one-hot labels were taken from the logits: the softmax is missing.",
            "It is the probabilities from which the labels are taken.",
            lambda of, n=n: (of.logits - of.hit) / n(of),
        )
        for n in (lambda of: of.m, lambda of: 1)
    ),
    *(
        Misconception(
            "A sigmoid of each logit stands where the softmax of the row belongs.",
            "The probabilities of a row add up to 1: exercise 1 says how.",
            lambda of, n=n: (sigmoid(of.logits) - of.hit) / n(of),
        )
        for n in (lambda of: of.m, lambda of: 1)
    ),
    Misconception(
        "The gradient is 0 everywhere: nothing was written into it.",
        "Look at what your last line hands back.",
        lambda of: np.zeros_like(of.p),
    ),
)
"""What is often written for the gradient by mistake; outcomes for a `Batch`."""

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


ON_LARGE = (
    Symptom(
        "exp(1000) is too large for a float, and inf/inf is nan.",
        "Shift each row so that its largest logit is 0: exercise 1 says why that is safe.",
        lambda loss: np.isnan(loss),
    ),
    Symptom(
        "The label's probability rounded to 0, and log(0) is infinite: the loss was computed from "
        "probabilities, not from the logits.",
        "Work out the logarithm on paper first: log of a quotient is a difference, and one of its "
        "parts is the logit itself. Hint 2 says more.",
        lambda loss: np.isinf(loss),
    ),
    Symptom(
        "The probability was cut off above 0 (clip, or a small number added) before the logarithm: "
        "the loss stops growing where it should not.",
        "Compute the logarithm from the logits; then nothing has to be cut off. Hint 2 says more.",
        lambda loss: 0 <= loss < 300,
    ),
)
"""What the loss of `LARGE` shows."""


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
    blank = Batch(z, y, 0.0, np.zeros(z.shape), np.zeros(z.shape))
    _, _, found = output(student, blank)
    step, slope = 0.01, np.zeros(z.shape)
    for place in np.ndindex(*z.shape):
        ends = []
        for move in (step, -step):
            moved = z.copy()
            moved[place] += move
            ends.append(output(student, Batch(moved, y, 0.0, blank.gradient, blank.p))[1])
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
