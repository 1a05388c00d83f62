"""Exercise 5 of lab_mnist, a photograph: its public checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from labkit.asking import attempt, function_of, need_array
from labkit.findings import NotYet
from labkit.letters import letter, png, sheet
from labkit.photo_causes import explain_crash, which_turn, why_shape
from labkit.run_checks import Check
from labkit.student import Student
from labkit.values_in_words import Array, a_type, number, show


def read(student: Student, called: str, picture: Array) -> Any:
    """Have the student's function read the file of a picture; return what came back."""
    function_of(student, "preprocess_photo")
    expression = "read_picture_with(preprocess_photo, data)"
    try:
        return attempt(student, called, student.evaluate, expression, data=png(picture))
    except NotYet as finding:
        explain_crash(finding)
        raise


def output(student: Student, picture: Array, what: str) -> tuple[str, Array]:
    """Have `picture` read; return the call as text and the result (1, 28, 28)."""
    called = f"preprocess_photo(path), {what}"
    value = read(student, called, picture)
    wanted = "an array of shape (1, 28, 28)"
    got = need_array(value, called, wanted)
    if got.shape != (1, 28, 28):
        cause, then = why_shape(got.shape, picture.shape[:2])
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


def returns(student: Student) -> None:
    """Check that an array of the right shape comes back from a grey and from a colour picture."""
    for channels, what in ((0, "a grey picture"), (3, "a colour picture")):
        picture = sheet(letter())
        if channels:
            picture = np.repeat(picture[..., np.newaxis], channels, axis=2)
        output(student, picture, what)


def shown(student: Student, picture: Array, what: str) -> tuple[str, Array]:
    """Have `picture` read as `output` does; return the call and the picture (28, 28), not all black."""
    called, got = output(student, picture, what)
    if got.max() > 0.02:
        return called, got[0]
    raise NotYet(
        "The result is black: the ink was lost on the way.",
        called=called,
        expected="bright ink",
        got=f"{number(float(got.max()))} as the largest value",
        next="Print the largest value of each step, and see where it becomes 0.",
    )


def fractions(student: Student) -> None:
    """Check that the values are fractions from 0 to 1, as far as scaling goes."""
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
    elif low < -0.5 and high < 0.1:
        cause = (
            "Ink is negative: the paper was subtracted from the picture, not the other way round."
        )
        then = "Ink is how much darker the picture is than its paper: paper minus grey."
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


def clipped(student: Student) -> None:
    """Check that no value lies below 0 or above 1, by however little."""
    called, got = output(student, sheet(letter()), "an F in ink")
    low, high = float(got.min()), float(got.max())
    if low >= -1e-5 and high <= 1 + 1e-5:
        return
    raise NotYet(
        "Some values lie outside of [0, 1]: resizing overshoots at sharp edges, whatever was clipped before.",
        called=called,
        expected="no value below 0, none above 1",
        got=f"{low:.3f} to {high:.3f}",
        next="Clip to [0, 1] after the last step that computes values.",
    )


def inverted(student: Student) -> None:
    """Check that ink is bright and paper dark: more ink gives more light, and the corners are 0."""
    _, thin = shown(student, sheet(letter(stroke=4)), "an F in thin strokes")
    called, got = shown(student, sheet(letter()), "an F in ink")
    if got.sum() < 1.15 * thin.sum():
        raise NotYet(
            "The picture is not inverted: paper is bright and ink dark, unlike MNIST.",
            called=called,
            expected="more light than of an F in thin strokes: nearly twice the sum",
            got=f"a sum of {got.sum():.0f}, and {thin.sum():.0f} of the thin one",
            next="Turn it round: what is dark on paper has to be bright.",
        )
    need_dark_corners(called, got)


def need_dark_corners(called: str, got: Array) -> None:
    """Raise `NotYet` unless the four corners of a picture (28, 28) are dark."""
    ends = (slice(0, 4), slice(24, 28))
    corners = min(float(np.median(np.abs(got[i, j]))) for i in ends for j in ends)
    if corners < 0.15:
        return
    raise NotYet(
        PAPER_IN,
        called=called,
        expected="corners of 0, which is paper",
        got=f"corners of {corners:.2f} or more",
        next=PAPER_OUT,
    )


PAPER_IN = "The paper is not dark: the paper's own grey was left in, or its shadows."
PAPER_OUT = "Take the paper away before you crop: utils.paper_light says how bright it is."


def uneven(student: Student) -> None:
    """Check that paper is dark around and within the digit, on grey paper in uneven light too."""
    called, got = on_grey(student, 0.4, 2)
    need_dark_corners(called, got)
    even = dark_part(shown(student, sheet(letter()), "an F in ink")[1])
    came, least = dark_part(got), even - 0.15
    if came > least:
        return
    cause, then = PAPER_IN, PAPER_OUT
    if dark_part(on_grey(student, 0, 2)[1]) <= least < dark_part(on_grey(student, 0, 0)[1]):
        cause = "The paper's grain is taken for ink: places hardly darker than the paper came out bright."
        then = (
            "Print the largest value of grey: where it is left at 0 to 255, a clip to [0, 1] makes its "
            "least differences 1, and bytes that fall below 0 start again at 255."
        )
    raise NotYet(
        cause,
        called=called,
        expected=f"{even:.0%} of the F's box dark, as on white paper in even light",
        got=f"{came:.0%} of it dark",
        next=then,
    )


def on_grey(student: Student, shade: float, grain: float) -> tuple[str, Array]:
    """Have an F on grey paper read, with a shadow and a grain (grey levels); see `shown`."""
    paper = sheet(letter(), at=(30, 57), shade=shade, paper=140)
    grains = np.random.default_rng(5).normal(0, 1, paper.shape)
    what = "an F on grey paper" + ", darker to one side" * bool(shade)
    return shown(student, np.rint(paper + grain * grains), what)


def box_of(got: Array) -> tuple[slice, slice]:
    """Rows and columns of (28, 28) that hold what is brighter than 0.3 of the largest value."""
    rows, columns = np.nonzero(got > 0.3 * got.max())
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def dark_part(got: Array) -> float:
    """Part of the digit's box that is darker than a quarter of its largest value, 0 to 1."""
    return float(np.mean(got[box_of(got)] < 0.25 * got.max()))


def extent(got: Array) -> tuple[int, int]:
    """Height and width, in pixels, of the box of the digit in (28, 28)."""
    rows, columns = box_of(got)
    return rows.stop - rows.start, columns.stop - columns.start


def cropped(student: Student) -> None:
    """Check that the ink fills a box of 20 pixels, wherever it was on the paper, and however big."""
    for height, size in ((60, (120, 150)), (40, (200, 260))):
        what = f"an F of {height} pixels on a sheet of {size[0]} by {size[1]}"
        picture = sheet(letter(height, int(0.6 * height), height // 7), size)
        called, got = shown(student, picture, what)
        longest = max(extent(got))
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
        called, got = shown(
            student, sheet(letter(height, width, 6)), f"an F, {height} pixels tall and {width} wide"
        )
        tall, wide = extent(got)
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
    """Check that the ink's mass is in the middle, wherever it was on the paper."""
    for at in ((8, 90), (50, 10)):
        picture = sheet(letter(stroke=7), at=at)
        called, got = shown(student, picture, "an F near the edge of the sheet")
        mass = np.clip(got, 0, None)
        down, across = (
            float((mass.sum(axis=1 - k) * np.arange(28)).sum() / mass.sum()) for k in (0, 1)
        )
        if max(abs(down - 13.5), abs(across - 13.5)) <= 1.5:
            continue
        cause = "The digit is not in the middle."
        if all(abs((side.start + side.stop) / 2 - 14) <= 1 for side in box_of(got)):
            cause = (
                "The digit's box is in the middle, not its centre of mass: MNIST's digits are centred by "
                "their mass."
            )
        raise NotYet(
            cause,
            called=called,
            expected="centre of mass at row 13.5, column 13.5",
            got=f"row {down:.1f}, column {across:.1f}",
            next="Put the scaled digit into the middle of 28 by 28: utils.centre_by_mass does that.",
        )


def upright(student: Student) -> None:
    """Check that the picture is neither turned nor mirrored."""
    called, got = shown(student, sheet(letter(60, 54, 9)), "an F")
    turned = which_turn(got)
    if turned:
        raise NotYet(
            turned,
            called=called,
            expected="an F that can be read",
            got="the F as in the first line",
            next="Show the picture after each step, and see where it turns.",
        )


def alpha(student: Student) -> None:
    """Check that a transparent place is paper, though black underneath."""
    grey = sheet(letter(), (120, 150), (30, 40))
    seen = np.zeros(grey.shape, dtype=bool)
    seen[20:105, 25:110] = True
    under = np.where(seen, grey, 0)
    called, got = shown(
        student,
        np.dstack([under, under, under, np.where(seen, 255, 0)]),
        "a cut-out: transparent around the sheet, black underneath",
    )
    if _is_the_f(got):
        return
    cause = "The alpha channel was dropped: transparent places are black underneath, and were taken for ink."
    then = "Put the picture on white paper first: Image.alpha_composite does that."
    _, plain = shown(
        student, np.where(seen, grey, 255), "the same sheet on white, without transparency"
    )
    if not _is_the_f(plain):
        cause = (
            "The same sheet laid on white, a picture without transparency, comes out wrong too: what is "
            "wrong is not the alpha channel."
        )
        then = "See what the checks before this one say; draw each step of a photograph."
    tall, wide = extent(got)
    raise NotYet(
        cause,
        called=called,
        expected="an F, 20 rows tall and 12 columns wide",
        got=f"something of {tall} rows and {wide} columns",
        next=then,
    )


def _is_the_f(got: Array) -> bool:
    """Tell whether the box of the ink is that of `letter`, 20 by 12."""
    tall, wide = extent(got)
    return 17 <= tall <= 23 and 9 <= wide <= 16


CHECKS = (
    Check("photo-returns", "what comes back", returns),
    Check("photo-range", "from 0 to 1", fractions),
    Check("photo-clipped", "nothing outside of [0, 1]", clipped),
    Check("photo-inverted", "ink bright, paper dark", inverted),
    Check("photo-paper", "grey paper, uneven light", uneven),
    Check("photo-cropped", "cropped to the ink", cropped),
    Check("photo-aspect", "proportions", aspect),
    Check("photo-centred", "in the middle", centred),
    Check("photo-upright", "upright", upright),
    Check("photo-alpha", "transparent pictures", alpha),
)
