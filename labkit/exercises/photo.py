"""Exercise 5 of lab_mnist, a photograph: its public checks."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from labkit.asking import attempt, function_of, need_array
from labkit.findings import NotYet
from labkit.run_checks import Check
from labkit.student import Student
from labkit.values_in_words import Array, a_type, number, show


def png(picture: Array) -> Array:
    """Return the bytes of a PNG file, uint8 (n,), of a picture uint8 (H, W), (H, W, 3) or (H, W, 4)."""
    from PIL import Image  # where no photograph is looked at, NumPy is enough

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8)).save(file, "PNG")
    return np.frombuffer(file.getvalue(), dtype=np.uint8)


def read(student: Student, called: str, picture: Array) -> Any:
    """Have the student's function read the file of a picture; return what came back."""
    function_of(student, "preprocess_photo")
    expression = "read_picture_with(preprocess_photo, data)"
    return attempt(student, called, student.evaluate, expression, data=png(picture))


def letter(height: int = 60, width: int = 36, stroke: int = 9) -> Array:
    """Return an F, bool (height, width): no turn or reflection of it looks like another."""
    ink = np.zeros((height, width), dtype=bool)
    ink[:, :stroke] = True
    ink[:stroke] = True
    middle = int(0.45 * height)
    ink[middle : middle + stroke, : int(0.75 * width)] = True
    return ink


def sheet(
    ink: Array,
    size: tuple[int, int] = (120, 150),
    at: tuple[int, int] = (14, 20),
    shade: float = 0.0,
    paper: float = 235.0,
) -> Array:
    """Return a sheet of paper with `ink` (bool) at the row and column `at`: uint8 (H, W).

    `shade` is the part of the light that is missing in the right lower corner; `paper` is the
    grey of the paper, 0 to 255.
    """
    down, across = np.mgrid[: size[0], : size[1]]
    light = 1 - shade * (down / size[0] + across / size[1]) / 2
    grey = paper * light
    grey[at[0] : at[0] + ink.shape[0], at[1] : at[1] + ink.shape[1]][ink] *= 0.15
    return np.asarray(np.rint(grey), dtype=np.uint8)


def output(student: Student, picture: Array, what: str) -> tuple[str, Array]:
    """Have `picture` read; return the call as text and the result (1, 28, 28)."""
    called = f"preprocess_photo(path), {what}"
    value = read(student, called, picture)
    wanted = "an array of shape (1, 28, 28)"
    got = need_array(value, called, wanted)
    if got.shape != (1, 28, 28):
        cause, then = _photo_shape(got.shape, picture.shape[:2])
        raise NotYet(cause, called=called, expected=wanted, got=a_type(got), next=then)
    if not np.isfinite(got).all():
        raise NotYet(
            "There are values that are no numbers: something was divided by 0.",
            called=called,
            expected="784 finite numbers",
            got=show(got),
            next="Print the smallest and the largest value after each of your steps.",
        )
    return called, got


def _photo_shape(got: tuple[int, ...], size: tuple[int, int]) -> tuple[str, str]:
    """Say why a photograph of `size` has become an array of the shape `got`."""
    then = "Print the shape after each step."
    if got == (28, 28):
        return (
            "The batch axis is missing: a network takes a batch, and this is to be a batch of one.",
            "Reshape at the end: one picture of 28 by 28.",
        )
    if got in ((28, 28, 1), (28, 28, 3), (28, 28, 4)) or got[-3:] in ((28, 28, 3), (28, 28, 4)):
        if got[-1] > 1:
            return (
                "The colours were kept: each pixel still has its red, green and blue.",
                "Make one grey number of each pixel first.",
            )
        return "The batch axis is at the end, or is missing: it comes first.", then
    if got == (1, 28, 28, 1):
        return "There is an axis for colour at the end; (1, 28, 28) was asked for.", then
    if got in ((784,), (1, 784)):
        return "The picture is flattened; a picture of 28 by 28 was asked for.", then
    if got[:2] == size or got[1:3] == size:
        return (
            "The picture was not resized: it has as many pixels as the photograph.",
            "Crop, then resize to the size of MNIST's digits.",
        )
    if got in ((20, 20), (1, 20, 20)):
        return "The digit fills 20 by 20; the margin around it is missing.", then
    return f"The result has shape {got}.", then


def returns(student: Student) -> None:
    """Check that an array of the right shape comes back from a grey and from a colour picture."""
    for channels, what in ((0, "a grey picture"), (3, "a colour picture")):
        picture = sheet(letter())
        if channels:
            picture = np.repeat(picture[..., np.newaxis], channels, axis=2)
        output(student, picture, what)


def fractions(student: Student) -> None:
    """Check that the values are fractions from 0 to 1."""
    called, got = output(student, sheet(letter()), "an F in ink")
    low, high = float(got.min()), float(got.max())
    if low >= -0.15 and 0.5 <= high <= 1.15:
        return
    cause, then = (
        "The values do not go from 0 to 1.",
        "Print the smallest and largest value of each step.",
    )
    if high > 2:
        cause = "The values go up to 255: the network was trained on rows from 0 to 1."
        then = "Normalise: divide by the largest value that a byte can have, once."
    elif high < 0.05:
        cause = "The picture is nearly black: it was divided by 255 twice, or lost its ink."
        then = "Normalise once; print the largest value of each step."
    elif low < -0.15:
        cause = "There are negative values: the paper is not 0."
    raise NotYet(
        cause,
        called=called,
        expected="values from 0 (paper) to 1 (ink)",
        got=f"{number(low)} to {number(high)}",
        next=then,
    )


def inverted(student: Student) -> None:
    """Check that ink is bright and paper dark, on grey paper in uneven light as well."""
    for paper, shade, what in ((235, 0.0, "an F in ink"), (150, 0.4, "an F on grey paper")):
        called, got = output(student, sheet(letter(), paper=paper, shade=shade), what)
        ends = (slice(0, 4), slice(24, 28))
        corners = [float(np.median(np.abs(got[0, i, j]))) for i in ends for j in ends]
        if min(corners) < 0.15:
            continue
        cause = "The paper is not dark: the paper's own grey was left in, or its shadows."
        then = "Take the paper away before you crop: utils.paper_light says how bright it is."
        if float(np.median(got)) > 0.5 and paper == 235:
            cause = "The picture is not inverted: paper is bright and ink dark, unlike MNIST."
            then = "Turn it round: what is dark on paper has to be bright."
        raise NotYet(
            cause,
            called=called,
            expected="corners of 0, which is paper",
            got=f"corners of {min(corners):.2f} or more",
            next=then,
        )


def extent(got: Array) -> tuple[int, int]:
    """Height and width, in pixels, of what is brighter than 0.3 of the largest value in (28, 28)."""
    rows, columns = np.nonzero(got > 0.3 * got.max())
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def cropped(student: Student) -> None:
    """Check that the ink fills a box of 20 pixels, wherever it was on the paper, and however big."""
    for height, size in ((60, (120, 150)), (40, (200, 260))):
        what = f"an F of {height} pixels on a sheet of {size[0]} by {size[1]}"
        picture = sheet(letter(height, int(0.6 * height), height // 7), size)
        called, got = output(student, picture, what)
        longest = max(extent(got[0]))
        if 18 <= longest <= 22:
            continue
        cause = f"The digit is {longest} pixels tall; MNIST's are 20."
        then = "Crop to the ink, scale the longer side to 20, and leave 4 pixels on each side."
        if longest < 18:
            cause = (
                f"The digit is only {longest} pixels tall: the sheet was resized without a crop "
                "(accuracy falls below a half)."
            )
        elif longest > 25:
            cause = f"The digit fills all {longest} pixels: MNIST's digits have a margin of 4."
        raise NotYet(cause, called=called, expected="20 pixels", got=f"{longest} pixels", next=then)


def aspect(student: Student) -> None:
    """Check that a narrow figure stays narrow, and a wide one wide."""
    for height, width in ((60, 24), (30, 70)):
        called, got = output(
            student, sheet(letter(height, width, 6)), f"an F, {height} pixels tall and {width} wide"
        )
        tall, wide = extent(got[0])
        ratio, asked = wide / tall, width / height
        if 0.65 < ratio / asked < 1.55:
            continue
        cause = "The proportions are not those of the photograph."
        if 0.85 < ratio < 1.18:
            cause = (
                "The proportions are lost: the crop was stretched to a square (a 1 becomes a blot)."
            )
        elif 0.65 < ratio * asked < 1.55:
            cause = (
                "Height and width are exchanged, or the picture is transposed: Pillow says (width, "
                "height), NumPy (rows, columns)."
            )
        raise NotYet(
            cause,
            called=called,
            expected=f"about {asked:.2f} times as wide as tall",
            got=f"{ratio:.2f} ({tall} rows, {wide} columns)",
            next="Scale both sides by the same factor: the one that makes the longer side 20.",
        )


def centred(student: Student) -> None:
    """Check that the ink is in the middle, wherever it was on the paper."""
    for at in ((8, 100), (50, 10)):
        called, got = output(student, sheet(letter(), at=at), "an F near the edge of the sheet")
        mass = np.clip(got[0], 0, None)
        down, across = (
            float((mass.sum(axis=1 - k) * np.arange(28)).sum() / mass.sum()) for k in (0, 1)
        )
        if abs(down - 13.5) < 3 and abs(across - 13.5) < 3:
            continue
        raise NotYet(
            "The digit is not in the middle.",
            called=called,
            expected="centre of mass at row 13.5, column 13.5",
            got=f"row {down:.1f}, column {across:.1f}",
            next="Put the scaled digit into the middle of 28 by 28: utils.centre_by_mass does that.",
        )


_TURNS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("", lambda p: p),
    ("The picture is transposed: rows and columns are exchanged.", lambda p: p.T),
    ("The picture is mirrored, left and right.", lambda p: p[:, ::-1]),
    ("The picture is upside down.", lambda p: p[::-1]),
    ("The picture is turned by 180 degrees.", lambda p: p[::-1, ::-1]),
    ("The picture is turned by 90 degrees.", lambda p: p.T[::-1]),
    ("The picture is turned by 90 degrees.", lambda p: p.T[:, ::-1]),
    ("The picture is transposed and turned.", lambda p: p[::-1, ::-1].T),
)


def upright(student: Student) -> None:
    """Check that the picture is neither turned nor mirrored."""
    called, got = output(student, sheet(letter(60, 54, 9)), "an F")
    model = np.zeros((28, 28))
    model[4:24, 5:23] = letter(20, 18, 3)
    flat = got[0] - got[0].mean()

    def likeness(turned: Array) -> float:
        shifts = [(i, j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2, 3)]
        return max(float((np.roll(turned, s, (0, 1)) * flat).sum()) for s in shifts)

    best, _ = max(_TURNS, key=lambda turn: likeness(turn[1](model)))
    if best:
        raise NotYet(
            best,
            called=called,
            expected="an F that can be read",
            got="the F as in the first line",
            next="Show the picture after each step, and see where it turns.",
        )


def alpha(student: Student) -> None:
    """Check that a transparent place is paper: with black underneath, and with the ink's colour."""
    grey = sheet(letter(), (120, 150), (30, 40))
    seen = np.zeros(grey.shape, dtype=bool)
    seen[20:105, 25:110] = True
    under = np.where(seen, grey, 0)
    called, got = output(
        student,
        np.dstack([under, under, under, np.where(seen, 255, 0)]),
        "a cut-out: transparent around the sheet, black underneath",
    )
    tall, wide = extent(got[0])
    if 17 <= tall <= 23 and 9 <= wide <= 16:
        return
    raise NotYet(
        "The alpha channel was dropped: transparent places are black underneath, and were taken "
        "for ink.",
        called=called,
        expected="an F, 20 rows tall and 12 columns wide",
        got=f"something of {tall} rows and {wide} columns",
        next="Put the picture on white paper first: Image.alpha_composite does that.",
    )


CHECKS = (
    Check("photo-returns", "what comes back", returns),
    Check("photo-range", "from 0 to 1", fractions),
    Check("photo-inverted", "ink bright, paper dark", inverted),
    Check("photo-cropped", "cropped to the ink", cropped),
    Check("photo-aspect", "proportions", aspect),
    Check("photo-centred", "in the middle", centred),
    Check("photo-upright", "upright", upright),
    Check("photo-alpha", "transparent pictures", alpha),
)
