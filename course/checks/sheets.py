"""Signs on sheets of paper, drawn for each submission, that a ``preprocess`` is shown.

A row that was written beforehand, a table of the sheets that the public checks show, or one that
somebody read off a feedback page says nothing about the next sheet.
"""

from __future__ import annotations

import numpy as np

from labkit.asking import attempt, function_of
from labkit.sheet import Box, Sheet
from labkit.values_in_words import as_numbers
from proctor.checks import Finding, Side

LEAST = 0.3
"""How far the rows of two signs have to be :func:`apart`: right answers of all forms give 0.41 to 0.66
(300 drawn sheets)."""


def signs(width: float, pen: float, middle: float) -> dict[str, tuple[Box, ...]]:
    """Return signs that no turn and no mirror gives back, as parts of their height.

    Parameters
    ----------
    width, pen, middle : float
        How wide they are, how thick their strokes, and where the stroke in the middle is.
    """
    left, right = (0, 1, 0, pen), (0, 1, width - pen, width)
    top, bar = (0, pen, 0, width), (middle, middle + pen, 0, width)
    return {
        "F": (left, top, bar),
        "four": (right, bar, (0, middle + pen, 0, pen)),
        "h": (left, bar, (middle, 1, width - pen, width)),
        "six": (left, bar, (middle, 1, width - pen, width), (1 - pen, 1, 0, width)),
        "nine": (right, top, bar, (0, middle + pen, 0, pen)),
    }


def drawn(draw: np.random.Generator) -> Sheet:
    """Draw a sheet: its sign, how large it is and where.

    Signs are narrower than the seven of the public checks, whose row so fits none of them.
    """
    kinds = signs(draw.uniform(0.46, 0.52), draw.uniform(0.14, 0.17), draw.uniform(0.4, 0.46))
    name = str(draw.choice(list(kinds)))
    height = float(draw.uniform(70, 95))
    sheet = Sheet(kinds[name], name, height=height)
    top, left = draw.uniform(16, 184 - height), draw.uniform(16, 144 - height * sheet.width)
    return Sheet(kinds[name], name, float(top), float(left), height)


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Return how far two rows are apart: 0 for equal ones, about 1 for pictures that share nothing.

    Brightness and scale do not matter.
    """
    a, b = (np.asarray(row, float).ravel() - np.mean(row) for row in (first, second))
    size = np.linalg.norm(a) + np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / size) if size else 0.0


def farthest(sheet: Sheet) -> Sheet:
    """Return a sheet with the sign that is least like that of `sheet`."""
    others = [Sheet(strokes, name) for name, strokes in signs(0.55, 0.16, 0.43).items()]
    pattern = sheet.pattern()
    return max(others, key=lambda other: apart(other.pattern(), pattern))


def told_apart(side: Side, draw: np.random.Generator) -> None:
    """Raise :class:`Finding` if two sheets with different signs give the same row, or nearly."""
    preprocess = function_of(side, "preprocess")
    first = drawn(draw)
    rows = []
    for sheet in (first, farthest(first)):
        image = sheet.image()
        called = f"preprocess(image), uint8, shape {image.shape}"
        value = attempt(side, called, preprocess, image)
        rows.append(None if value is None else as_numbers(value))
    if rows[0] is None or rows[1] is None or not rows[0].size:
        raise Finding(
            "No array of numbers comes back for a picture.",
            next="Return the picture as an array of 400 numbers.",
        )
    if rows[0].shape != rows[1].shape:
        return
    finite = np.isfinite(rows[0]).all() and np.isfinite(rows[1]).all()
    if apart(*rows) < LEAST if finite else np.array_equal(*rows, equal_nan=True):
        raise Finding(
            "Two pictures of different signs give the same row, or nearly: it does not depend on "
            "the picture.",
            next="Make the row from the image that is given.",
        )
