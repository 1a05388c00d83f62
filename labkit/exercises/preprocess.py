"""Exercise 8 of lab_digits, photographs: its public checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labkit.asking import attempt, function_of, need_array, what_holds
from labkit.findings import NotYet
from labkit.preprocess_causes import FORMS, INK, SIZES
from labkit.run_checks import Check
from labkit.sheet import SHADED, SHEET, SIDEWAYS, Sheet
from labkit.student import Student
from labkit.values_in_words import Array, a_type, as_numbers, number


def row_of(
    student: Student, form: str = "grey", exact: bool = False, sheet: Sheet = SHEET
) -> tuple[str, Array]:
    """Call `preprocess` on a sheet; return the call as text and its row (400,).

    Unless `exact`, a picture that was not unrolled and an axis too many are let pass: one check asks
    for the form, the others for the numbers.
    """
    image = sheet.image(form)
    kinds = {"grey": "grey", "rgb": "RGB", "rgba": "RGBA", "cut out": "RGBA, cut out"}
    called = f"preprocess(image), {kinds[form]}, uint8, shape {image.shape}"
    preprocess = function_of(student, "preprocess")
    wanted = "an array of 400 numbers, shape (400,)"
    try:
        value = attempt(student, called, preprocess, image)
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
    otherwise = f"The result has shape {row.shape}.", "Print the shape after each step."
    cause, then = what_holds(FORMS, otherwise, row, size=row.size, colours=row.size // 400)
    raise NotYet(cause, called=called, expected=wanted, got=a_type(row), next=then)


def as_row(value: Any) -> Any:
    """Return 400 numbers in another form as a row (400,): an upright picture, an axis too many."""
    numbers = as_numbers(value)
    if numbers is None or numbers.size != 400:
        return value
    return np.concatenate(numbers.T) if numbers.shape == (20, 20) else numbers.reshape(400)


def ink(student: Student, sheet: Sheet = SHEET) -> None:
    """Check that ink is near 1 and paper near 0."""
    called, row = row_of(student, sheet=sheet)
    paper, top = float(np.median(row)), float(row.max())
    if abs(paper) < 0.15 and 0.6 < top < 1.4 and row.min() > -0.5:
        return
    otherwise = (
        "Ink should be near 1 and paper near 0, as in X.",
        "Divide by the difference between paper and ink; plot the picture beside one of X.",
    )
    cause, then = what_holds(INK, otherwise, row, paper, top)
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


def crop(student: Student, sheet: Sheet = SHEET) -> None:
    """Check that the digit is as large as those of X, and not stretched."""
    called, row = row_of(student, sheet=sheet)
    larger, smaller, _, _ = ink_box(row)
    width = sheet.width
    within = as_upright(row) > 0.4 * row.max()
    cut = larger > 15 and (within[[0, -1]].any() or within[:, [0, -1]].any())
    if not cut and 11 <= larger <= 17 and width - 0.2 <= smaller / larger <= width + 0.15:
        return
    otherwise = (
        f"The digit is {larger} pixels long; digits of X are about 14 of 20.",
        "Compare with a digit of X, drawn beside it.",
    )
    said = {"larger": larger, "wide": f"{4 * width:g}"}
    cause, then = what_holds(SIZES, otherwise, larger, smaller, cut, **said)
    raise NotYet(
        cause,
        called=called,
        expected=f"a digit about 14 pixels high and {14.3 * width:.0f} wide",
        got=f"{larger} and {smaller} pixels",
        next=then,
    )


def centre(student: Student, sheet: Sheet = SHEET) -> None:
    """Check that the digit is in the middle (by mass, as in MNIST, or by its box)."""
    called, row = row_of(student, sheet=sheet)
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


def as_upright(row: Array) -> Array:
    """Return a row (400,) as a picture (20, 20) in X's convention: one column after the other."""
    return np.stack(np.split(row, 20), axis=1)


def _keep_sides(shown: Array, sheet: Sheet, called: str) -> None:
    """Raise `NotYet` if a sign that is recognised is wide where it should be high."""
    rows, columns = np.nonzero(shown > 0.4 * shown.max())
    high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    if (wide > high) == (sheet.width > 1) or abs(wide - high) <= 2:
        return
    raise NotYet(
        f"Height and width are exchanged: the {sheet.name} is {high} pixels high and {wide} wide.",
        called=called,
        expected=f"{sheet.width:.2g} times as wide as it is high",
        got=f"{wide / high:.2g} times",
        next="The shape of an array is (rows, columns): height first, then width. So is resize's.",
    )


def shaded(student: Student) -> None:
    """Check that the sheet in uneven light gives the row that it gives in even light."""
    _, even = row_of(student)
    called, row = row_of(student, sheet=SHADED)
    off = float(np.abs(row - even).mean())
    if off <= 0.045:  # strokes in the shade are a little fainter: 0.02 in right answers
        return
    raise NotYet(
        "On paper that lies half in the shade, the shade is taken for ink: darkness was measured against "
        "white, or against one grey for the whole picture.",
        called=f"{called}, its right side in the shade",
        expected="the row that the same sheet gives in even light",
        got=f"a row that differs by {off:.2f} on average",
        next="Ask at each pixel how much darker it is than the paper around it: paper_light says that.",
    )


def order(student: Student, sheet: Sheet = SHEET) -> None:
    """Check that the picture is unrolled column by column, upright."""
    called, row = row_of(student, exact=True, sheet=sheet)
    pattern = sheet.pattern()
    shown = as_upright(row)
    scores = [likeness(shown, turn(pattern)) for _, turn in _TURNS]
    best = int(np.argmax(scores))
    if best == 0 and scores[0] > 0.5:
        _keep_sides(shown, sheet, called)
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


def colour(student: Student, *forms: str, sheet: Sheet = SHEET) -> None:
    """Check that the sheet in colour (`forms` of it) gives the picture that it gives in grey."""
    _, grey = row_of(student, sheet=sheet)
    for form in forms:
        called, row = row_of(student, form, sheet=sheet)
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


CHECKS = (
    Check("preprocess-returns", "what comes back", lambda student: row_of(student, exact=True)),
    Check("preprocess-ink", "ink and paper", ink),
    Check("preprocess-crop", "cropped to the ink", crop),
    Check("preprocess-centre", "in the middle", centre),
    Check("preprocess-order", "column by column", order),
    Check("preprocess-wide", "a wide sign", lambda student: order(student, sheet=SIDEWAYS)),
    Check("preprocess-shade", "uneven paper", shaded),
    Check("preprocess-colour", "colours", lambda student: colour(student, "rgb", "rgba")),
    Check("preprocess-transparency", "transparency", lambda student: colour(student, "cut out")),
)
