"""Exercise 1 of lab_mnist, prepare: its misconceptions and its public checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.asking import Misconception, agree, attempt, function_of, matching, need_array
from labkit.findings import NotYet
from labkit.run_checks import Check
from labkit.student import Student
from labkit.values_in_words import Array, a_type, show, show_both


def pixels(m: int, step: int = 37, low: int = 0, top: int = 255) -> tuple[Array, Array]:
    """Return m made-up images and the rows that they should become.

    Returns
    -------
    images : ndarray of uint8, shape (m, 28, 28)
        From `low` to `top`; no two rows or columns of them are alike.
    rows : ndarray of float64, shape (m, 784)
    """
    values = low + np.arange(m * 784) * step % (top - low + 1)
    return values.astype(np.uint8).reshape(m, 28, 28), (values / 255.0).reshape(m, 784)


@dataclass(frozen=True)
class Batch:
    """Images' right rows (m, 784), and what the bytes were."""

    rows: Array

    @property
    def raw(self) -> Array:
        """The rows without the scaling."""
        return self.rows * 255

    @property
    def high(self) -> float:
        """The largest byte that occurs, 1 where all are 0."""
        return float(max(self.raw.max(), 1))


_THEN = "Look at the largest value before and after, and at what you divide by."
_ONCE = "Scale once: 0 stays 0, 255 becomes 1, and nothing else happens to the values."
_WAY = "Print one image of shape (28, 28) and its row: the row should read like a page."

MISCONCEPTIONS = (
    Misconception("The pixels are not scaled: they still go up to 255.", _THEN, lambda of: of.raw),
    Misconception(
        "The pixels were scaled twice: the largest is 1/255, and the network sees black.",
        _THEN + " Running the scaling line on images that are scaled already does this, too.",
        lambda of: of.rows / 255,
    ),
    Misconception(
        "The pixels were divided by 256: the brightest is 0.996.",
        "The largest value of a byte is 255.",
        lambda of: of.raw / 256,
    ),
    Misconception(
        "The pixels were divided by 254.",
        "The largest value of a byte is 255.",
        lambda of: of.raw / 254,
    ),
    Misconception(
        "The pixels were divided by 100.",
        "The largest value of a byte is 255.",
        lambda of: of.raw / 100,
    ),
    Misconception(
        "Only 0 and 1 are left: the division was one of whole numbers (`//`), or the result was "
        "turned into integers.",
        "Use the division that gives fractions, and leave the result as it is.",
        lambda of: np.floor(of.rows),
    ),
    Misconception(
        "The pixels were divided by the largest of these images: the same grey gets another "
        "value in another batch.",
        "Divide by the largest value that a byte can have, not by the largest that occurs.",
        lambda of: of.raw / of.high,
    ),
    Misconception(
        "Smallest and largest pixel of the batch were moved to 0 and 1: the same grey gets "
        "another value in another batch.",
        "Divide by the largest value that a byte can have; nothing has to be subtracted.",
        lambda of: (of.raw - of.raw.min()) / max(of.high - of.raw.min(), 1),
    ),
    Misconception(
        "The values go from -1 to 1.", "0 to 1 was asked for: " + _ONCE, lambda of: 2 * of.rows - 1
    ),
    Misconception(
        "The values go from -0.5 to 0.5.",
        "0 to 1 was asked for: " + _ONCE,
        lambda of: of.rows - 0.5,
    ),
    Misconception("The images are inverted: ink is dark.", _ONCE, lambda of: 1 - of.rows),
    Misconception("Every grey became black or white.", _ONCE, lambda of: of.rows > 0),
    Misconception("Every grey became black or white.", _ONCE, lambda of: of.rows > 0.5),
    Misconception("Every grey became black or white.", _ONCE, lambda of: np.round(of.rows)),
    Misconception(
        "The mean was subtracted and the result divided by the spread (standardised).",
        "That would do for training, too, but 0 to 1 was asked for. " + _ONCE,
        lambda of: (of.raw - of.raw.mean()) / max(of.raw.std(), 1e-9),
    ),
    Misconception(
        "The mean was subtracted.",
        _ONCE,
        lambda of: of.rows - of.rows.mean(),
    ),
    Misconception(
        "Each image was unrolled column by column: the pixels are in the wrong order.",
        "Unroll row by row, which is what NumPy does if it is not told otherwise. " + _WAY,
        lambda of: (
            of.rows.reshape(len(of.rows), 28, 28).transpose(0, 2, 1).reshape(len(of.rows), 784)
        ),
    ),
    Misconception(
        "The pixels of different images were mixed: the array was cut into 784 pieces of m, "
        "and turned round afterwards.",
        "Give the right shape at once, images first. " + _WAY,
        lambda of: of.rows.reshape(784, len(of.rows)).T,
    ),
    Misconception(
        "The images are upside down.",
        "Leave the pixels in their order. " + _WAY,
        lambda of: of.rows[:, ::-1],
    ),
    Misconception(
        "The order of the images was reversed.",
        "Keep the images in order.",
        lambda of: of.rows[::-1],
    ),
    Misconception(
        "The values were rounded.",
        "Leave the fractions as they are; round only where you print.",
        lambda of: np.round(of.rows, 2),
    ),
    Misconception(
        "The values were rounded to half precision (float16).",
        "Use float32 or float64.",
        lambda of: of.rows.astype(np.float16),
    ),
)
"""What is often done by mistake; outcomes for a `Batch`."""


def _why_shape(got: tuple[int, ...], m: int) -> tuple[str, str]:
    """Say why the rows of m images have the shape `got`."""
    then = "Print the shape after each of your lines: m images of 28 by 28 become m rows of 784."
    known = {
        (m, 28, 28): "The images are not flattened: each is still 28 by 28.",
        (m, 28, 28, 1): "The images got an axis for colour; rows were asked for.",
        (m, 784, 1): "The rows have an axis too many.",
        (m * 784,): "All images were unrolled into one long row: the first axis is gone.",
        (1, m * 784): "All images were unrolled into one long row.",
        (784, m): "The result is transposed: there should be one row for each image.",
        (784,): "One row came back for the whole batch.",
        (m, 28): "A sum, mean or maximum was taken over one axis; all 784 pixels are wanted.",
    }
    return known.get(got, f"The result has shape {got}."), then


def _alike(row: Array, image: Array) -> bool:
    """Tell whether a row has the pixels of an image in their order, however scaled."""
    with np.errstate(all="ignore"):
        return bool(np.corrcoef(row.ravel(), image.ravel())[0, 1] > 0.999)


def _overflowed(got: Array, of: Batch) -> bool:
    """Tell whether equal bytes got equal values, but larger bytes not always larger ones."""
    values = [np.unique(got[of.rows == level]) for level in np.unique(of.rows)]
    steps = np.diff([value[0] for value in values])
    return all(len(value) == 1 for value in values) and bool(
        (steps > 0).any() and (steps < 0).any()
    )


def output(student: Student, images: Array) -> tuple[str, Array]:
    """Call `prepare` on a copy of `images`; return the call as text and its rows (m, 784)."""
    m = len(images)
    called = f"prepare(images), uint8 of shape {images.shape}, {images.min()} to {images.max()}"
    prepare = function_of(student, "prepare")
    wanted = f"an array of shape ({m}, 784)"
    rows = need_array(attempt(student, called, prepare, images.copy()), called, wanted)
    if rows.shape == (m, 784):
        return called, rows
    cause, then = _why_shape(rows.shape, m)
    if rows.shape == (784, m) and not _alike(rows[:, 0], images[0]):
        cause = "The array was cut into 784 pieces of m numbers: the pixels of different images are mixed."
        then = "Give the right shape at once, images first. " + _WAY
    raise NotYet(cause, called=called, expected=wanted, got=a_type(rows), next=then)


def compare(student: Student, images: Array, rows: Array) -> None:
    """Check that `images` (m, 28, 28) become `rows` (m, 784)."""
    called, got = output(student, images)
    if agree(got, rows) and got.dtype.kind == "f":
        return
    otherwise = (
        "The values are not those of the pixels, scaled to [0, 1].",
        "Take one image, print its first row of pixels, and the first 28 numbers of what you return.",
    )
    if _overflowed(got, Batch(rows)):
        otherwise = (
            "Bytes overflowed: an array of uint8 counts to 255 and begins again at 0, and so does "
            "whatever is added or multiplied before the division.",
            "Divide first, or turn the bytes into floats before you calculate with them.",
        )
    cause, then = matching(got, MISCONCEPTIONS, otherwise, Batch(rows))
    texts = show_both(rows, got)
    raise NotYet(cause, called=called, expected=texts[0], got=texts[1], next=then)


def untouched(student: Student) -> None:
    """Check that the images are the same after the call as before."""
    before = pixels(2)[0]
    after = before.copy()
    prepare = function_of(student, "prepare")
    attempt(student, "prepare(images)", prepare, after)
    if not np.array_equal(before, after):
        raise NotYet(
            "Your function changes the images themselves, so that a second call starts from "
            "something else.",
            called="prepare(images)",
            expected="images as they were",
            got=f"images[0, 0] is now {show(after[0, 0])}",
            next="Give the result a name of its own, and leave images alone.",
        )


CHECKS = (
    Check("prepare-returns", "what comes back", lambda student: output(student, pixels(3)[0])),
    Check("prepare-range", "from 0 to 1", lambda student: compare(student, *pixels(1))),
    Check("prepare-order", "the order of the pixels", lambda s: compare(s, *pixels(3, 41))),
    Check("prepare-dim", "dark images", lambda s: compare(s, *pixels(2, 37, 20, 119))),
    Check("prepare-untouched", "images are left alone", untouched, in_place=True),
)
