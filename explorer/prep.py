"""From a picture of a digit to the network's input, in eight stages; ``src/prep.js`` is its twin.

The convention is that of the data set. In MNIST a digit is scaled into a 20x20 box, its aspect
kept, and placed with its centre of mass in the middle of a 28x28 field (LeCun, Cortes, Burges,
http://yann.lecun.com/exdb/mnist); ``ex3data1.mat`` holds those fields resized to 20x20 and
unrolled column by column.

Each stage can be left out, which the explorer uses to show what the stage is good for. Then the
next best thing happens instead, so that the following stages still have something to work on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.float64]

FIELD = 28
"""Side of MNIST's images."""

BOX = 20
"""Side of the box in those images that the digit fills."""

TILES = 8
"""The picture is cut into TILES x TILES tiles to find the paper's brightness."""

BLANK = 24
"""A picture whose darkest point lies less than this under its paper (of 255) has no ink."""


@dataclass(frozen=True)
class Stage:
    """One stage's name, whether it was on, and the image after it (float64, rows x columns)."""

    name: str
    on: bool
    image: Image


def stage_names(side: int) -> tuple[str, ...]:
    """Return the stages in their order; at 28x28 there is nothing to resize."""
    names = ("grey", "invert", "crop", "scale", "centre", "resize", "normalise", "unroll")
    return tuple(name for name in names if name != "resize" or side != FIELD)


def to_grey(picture: ArrayLike, on: bool = True) -> Image:
    """Return brightness, 0 to 255: 0.299 R + 0.587 G + 0.114 B, on white where transparent.

    `picture` is uint8 (H, W), (H, W, 3) or (H, W, 4). Left out: the red channel alone.
    """
    values = np.asarray(picture, dtype=np.float64)
    if values.ndim == 2:
        return values.copy()
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        raise ValueError(
            f"a picture has shape (H, W), (H, W, 3) or (H, W, 4), this one {values.shape}; "
            "give the array of one picture"
        )
    grey = values[..., 0] if not on else values[..., :3] @ np.array([0.299, 0.587, 0.114])
    alpha = values[..., 3] / 255 if values.shape[2] == 4 else 1.0
    return np.asarray(grey * alpha + 255 * (1 - alpha), dtype=np.float64)


def _fit_plane(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares (c0, c1, c2) of value = c0 + c1 row + c2 col; a constant if all in line."""
    mean = points.mean(axis=0)
    r, c, v = (points - mean).T
    det = (r @ r) * (c @ c) - (r @ c) ** 2
    if det < 1e-12:
        return np.array([mean[2], 0.0, 0.0])
    slope_r = ((r @ v) * (c @ c) - (c @ v) * (r @ c)) / det
    slope_c = ((c @ v) * (r @ r) - (r @ v) * (r @ c)) / det
    return np.array([mean[2] - slope_r * mean[0] - slope_c * mean[1], slope_r, slope_c])


def paper_plane(grey: Image) -> NDArray[np.float64]:
    """Return the paper's brightness as a plane over (row, col) in [0, 1].

    Each tile's upper quartile stands for its paper; tiles full of ink (20 or more under the first
    plane) are left out of the second. This takes the slope out of light that falls from one side.
    """
    rows, cols = grey.shape
    tiles = TILES if min(rows, cols) >= 2 * TILES else 1
    points = []
    for i in range(tiles):
        for j in range(tiles):
            tile = grey[
                i * rows // tiles : (i + 1) * rows // tiles,
                j * cols // tiles : (j + 1) * cols // tiles,
            ]
            values = np.sort(tile, axis=None)
            quartile = values[int(0.75 * (values.size - 1))]
            points.append(((i + 0.5) / tiles, (j + 0.5) / tiles, quartile))
    found = np.array(points)
    first = _fit_plane(found)
    paper = found[found[:, 2] >= first[0] + found[:, :2] @ first[1:] - 20]
    return _fit_plane(paper if len(paper) else found)


def to_ink(grey: Image, on: bool = True) -> Image:
    """Return ink bright on paper 0, in 0 to 255: paper minus grey, its range [0.2, 0.8] stretched.

    The lower end takes the paper's grain away, the upper one makes the stroke's inside full.
    Left out: the picture stays dark on light.
    """
    if not on:
        return grey
    rows, cols = grey.shape
    plane = paper_plane(grey)
    down = (np.arange(rows) + 0.5)[:, None] / rows
    right = (np.arange(cols) + 0.5)[None, :] / cols
    ink = np.maximum(0.0, plane[0] + plane[1] * down + plane[2] * right - grey)
    peak = ink.max()
    if peak < BLANK:
        return np.zeros_like(grey)
    return np.asarray(255 * np.clip((ink / peak - 0.2) / 0.6, 0.0, 1.0), dtype=np.float64)


def crop_to_ink(ink: Image, on: bool = True) -> Image:
    """Cut out the rows and columns from the first to the last pixel of 64 or more."""
    inked = ink >= 64
    if not on or not inked.any():
        return ink
    rows = np.flatnonzero(inked.any(axis=1))
    cols = np.flatnonzero(inked.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]


def _cubic(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution kernel with a = -0.5 (Keys 1981, doi:10.1109/TASSP.1981.1163711)."""
    x = np.abs(t)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def resize_taps(size: int, target: int) -> list[list[tuple[int, float]]]:
    """Return, for each of the `target` samples that one axis gets, its taps: (index, weight).

    The kernel is stretched where the axis shrinks; outside, the border is repeated, so an index may
    occur more than once. This is MATLAB's ``imresize`` in 64 bits, which made ``ex3data1.mat`` (Pillow
    works in 32 and leaves out what lies beyond the border): ``course.make_data`` takes it from here.
    """
    scale = size / target
    stretch = max(scale, 1.0)
    found = []
    for i in range(target):
        centre = (i + 0.5) * scale - 0.5
        at = np.arange(np.floor(centre - 2 * stretch) + 1, np.ceil(centre + 2 * stretch))
        weights = _cubic((at - centre) / stretch)
        total = np.cumsum(weights)[-1]  # one after the other, so the same on every machine
        index = np.clip(at, 0, size - 1).astype(int)
        found.append(list(zip(index.tolist(), (weights / total).tolist(), strict=True)))
    return found


def _axis(size: int, target: int) -> NDArray[np.float64]:
    """Return the (target, size) matrix that resizes one axis."""
    matrix = np.zeros((target, size))
    for row, taps in zip(matrix, resize_taps(size, target), strict=True):
        for index, weight in taps:
            row[index] += weight
    return matrix


def resize(image: Image, rows: int, cols: int) -> Image:
    """Resize by separable bicubic interpolation, the kernel stretched where the image shrinks."""
    return _axis(image.shape[0], rows) @ image @ _axis(image.shape[1], cols).T


def scale_to_box(digit: Image, on: bool = True) -> Image:
    """Scale so that the longer side is 20, the aspect kept. Left out: stretched over the field."""
    longest = max(digit.shape)
    rows, cols = (
        (max(1, int(np.floor(n * BOX / longest + 0.5))) for n in digit.shape)
        if on
        else (FIELD, FIELD)
    )
    return np.clip(resize(digit, rows, cols), 0.0, 255.0)


def centre_by_mass(digit: Image, on: bool = True) -> Image:
    """Place the centre of mass at pixel (14, 14) of a 28x28 field. Left out: in its corner.

    Whole pixels only, and never so far that a part of the digit would leave the field.
    """
    field = np.zeros((FIELD, FIELD))
    rows, cols = digit.shape
    top = left = 0
    if on:
        mass = digit.sum()
        centre = (
            (digit.sum(axis=1) @ np.arange(rows) / mass, digit.sum(axis=0) @ np.arange(cols) / mass)
            if mass > 0
            else ((rows - 1) / 2, (cols - 1) / 2)
        )
        top, left = (
            int(min(FIELD - n, max(0, np.floor(FIELD / 2 - at + 0.5))))
            for n, at in zip(digit.shape, centre, strict=True)
        )
    field[top : top + rows, left : left + cols] = digit
    return field


def to_side(field: Image, side: int, on: bool = True) -> Image:
    """Resize the field to side x side. Left out: every pixel the nearest one of the field."""
    if on:
        return resize(field, side, side)
    near = np.floor((np.arange(side) + 0.5) * FIELD / side).astype(np.intp)
    return field[np.ix_(near, near)]


def run_stages(
    picture: ArrayLike, side: int = 20, order: str = "F", leave_out: Collection[str] = ()
) -> tuple[list[Stage], NDArray[np.float64]]:
    """Return every stage of a picture and the network's input.

    Parameters
    ----------
    picture : uint8 (H, W), (H, W, 3) or (H, W, 4)
        Dark ink on light paper.
    side : int
        The network's image is side x side.
    order : "F" or "C"
        Whether the network's input is the image column by column or row by row.
    leave_out : names of stages to leave out

    Returns
    -------
    stages : list of Stage
    x : float64 (side * side,)
    """
    unknown = set(leave_out) - set(stage_names(side))
    if unknown:
        raise ValueError(
            f"no stage is called {', '.join(sorted(unknown))}; "
            f"the stages are {', '.join(stage_names(side))}"
        )
    stages: list[Stage] = []

    def keep(name: str, image: Image) -> Image:
        stages.append(Stage(name, name not in leave_out, image))
        return image

    def on(name: str) -> bool:
        return name not in leave_out

    now = keep("grey", to_grey(picture, on("grey")))
    now = keep("invert", to_ink(now, on("invert")))
    now = keep("crop", crop_to_ink(now, on("crop")))
    now = keep("scale", scale_to_box(now, on("scale")))
    now = keep("centre", centre_by_mass(now, on("centre")))
    if side != FIELD:
        now = keep("resize", to_side(now, side, on("resize")))
    now = keep("normalise", now / 255 if on("normalise") else now)
    now = keep("unroll", now if on("unroll") else now.T)
    return stages, now.ravel(order="F" if order == "F" else "C")


def preprocess(picture: ArrayLike, side: int = 20, order: str = "F") -> NDArray[np.float64]:
    """Return the network's input, float64 (side * side,), of a picture: all stages on."""
    return run_stages(picture, side, order)[1]
