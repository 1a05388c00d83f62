"""Synthesise photographs of handwritten digits: paper, pen, light and camera.

:func:`photograph` turns one MNIST digit into something that a phone might have taken: the strokes
redrawn at a photograph's size with an unsteady hand and a coloured pen, off the centre of a sheet
of paper, in uneven light, a little out of focus, with noise. The same digit and generator state
give the same photograph; a new seed gives an unseen one.

What a reader of these photographs may rely on: the ink is darker than the paper *everywhere*, even
where the light is worst, and the whole digit is inside the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from scipy import ndimage

#: Height and width of the photographs, in pixels.
SIZES = ((240, 320), (320, 240), (256, 256), (200, 280), (300, 225))

#: Pens: colour of the ink as the part of red, green, blue light that it lets through.
PENS = {
    "black gel": (0.13, 0.13, 0.15),
    "blue ballpoint": (0.14, 0.21, 0.56),
    "navy fountain pen": (0.10, 0.14, 0.34),
    "red felt-tip": (0.66, 0.12, 0.15),
    "green felt-tip": (0.10, 0.40, 0.24),
    "purple felt-tip": (0.38, 0.14, 0.48),
    "pencil": (0.24, 0.24, 0.26),
}

#: Papers: colour of the sheet as the part of red, green, blue light that it sends back.
PAPERS = {
    "white": (0.95, 0.95, 0.94),
    "cream": (0.96, 0.92, 0.82),
    "recycled": (0.86, 0.84, 0.79),
    "bluish": (0.89, 0.93, 0.97),
}

#: Printing on the sheet: nothing, lines, or squares.
RULINGS = ("plain", "plain", "lined", "squared")

_T = TypeVar("_T")


def _pick(options: Sequence[_T], part: float) -> _T:
    """The option that lies `part` (0 to below 1) of the way along."""
    return options[int(part * len(options))]


@dataclass(frozen=True)
class Look:
    """How one photograph is made; :meth:`draw` draws it from a generator.

    Attributes
    ----------
    height, width : int
        Size of the photograph, in pixels.
    pen, paper, ruling : str
        Names out of `PENS`, `PAPERS`, `RULINGS`.
    fill : float
        Height of the digit (its longer side) as a part of the photograph's shorter side.
    across, down : float
        Where the digit is, -1 to 1 of the room that there is: 0 is the middle.
    angle, slant : float
        Rotation in degrees; shear.
    thickness : float
        0 (a fine point) to 1 (a marker).
    shade : float
        How much darker the darkest corner is than the brightest, as a part.
    light_from : float
        Direction of the light, in radians.
    warmth : float
        White balance: -1 (cold) to 1 (warm).
    blur : float
        Standard deviation of the defocus, in pixels.
    noise : float
        Standard deviation of the sensor's noise, in grey levels of 255.
    """

    height: int
    width: int
    pen: str
    paper: str
    ruling: str
    fill: float
    across: float
    down: float
    angle: float
    slant: float
    thickness: float
    shade: float
    light_from: float
    warmth: float
    blur: float
    noise: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Look:
        """A look at random; every look so drawn can be read."""
        # Only `random` is used: of a generator's streams it is the least likely ever to change.
        u = rng.random(len(fields(cls)) - 1).tolist()  # height and width are drawn together

        height, width = _pick(SIZES, u[0])
        return cls(
            height=height,
            width=width,
            pen=_pick(tuple(PENS), u[1]),
            paper=_pick(tuple(PAPERS), u[2]),
            ruling=_pick(RULINGS, u[3]),
            fill=0.42 + 0.34 * u[4],
            across=1.6 * u[5] - 0.8,
            down=1.6 * u[6] - 0.8,
            angle=14 * u[7] - 7,
            slant=0.24 * u[8] - 0.12,
            thickness=u[9],
            shade=0.06 + 0.18 * u[10],
            light_from=2 * math.pi * u[11],
            warmth=2 * u[12] - 1,
            blur=0.5 + 0.5 * u[13],
            noise=0.5 + 1.3 * u[14],
        )


def spline_axis(coarse: np.ndarray, n: int, cell: float) -> np.ndarray:
    """Uniform cubic B-spline of the first axis of `coarse`, read at `n` places 1/`cell` apart."""
    at = np.arange(n) / cell
    whole = np.floor(at)
    t = (at - whole).reshape(-1, *[1] * (coarse.ndim - 1))
    first = whole.astype(int)
    s = 1 - t
    taps = (s * s * s, (3 * t - 6) * t * t + 4, (3 * s - 6) * s * s + 4, t * t * t)
    out = np.zeros((n, *coarse.shape[1:]))
    for offset, tap in enumerate(taps):
        out += tap * coarse[first + offset]
    return out / 6


def cloud(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> np.ndarray:
    """Smooth noise, about -1 to 1, whose spots are `cell` pixels wide: float64, shape `shape`."""
    rows, columns = (int(n / cell) + 5 for n in shape)
    coarse = 3.2 * rng.random((rows, columns)) - 1.6
    return spline_axis(spline_axis(coarse, shape[0], cell).T, shape[1], cell).T


def grain(rng: np.random.Generator, shape: tuple[int, int], blur: float) -> np.ndarray:
    """Fine noise of standard deviation 1, blurred by `blur` pixels: float64, shape `shape`."""
    # The sum of three uniform numbers is near enough to a normal one.
    white = 2 * (rng.random(shape) + rng.random(shape) + rng.random(shape) - 1.5)
    if blur:
        white = ndimage.gaussian_filter(white, blur, mode="wrap")
        white *= 2 * math.sqrt(math.pi) * blur  # what the blur took from the standard deviation
    return white


def ink_box(digit: np.ndarray) -> tuple[float, float, float, float]:
    """Centre (row, column), height and width of the ink of a digit, in pixels."""
    rows = np.flatnonzero((digit > 64).any(axis=1))
    columns = np.flatnonzero((digit > 64).any(axis=0))
    if not len(rows):
        raise ValueError("The digit is blank: no pixel is brighter than 64. Give ink as bright.")
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    return (top + bottom) / 2, (left + right) / 2, bottom - top + 1.0, right - left + 1.0


def strokes(digit28: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    """Where the pen went: the digit enlarged, turned, moved and made sharp again.

    Parameters
    ----------
    digit28 : ndarray of uint8, shape (28, 28)
        Ink bright on dark, as in MNIST.
    look : Look
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (look.height, look.width)
        Part of each pixel that is covered with ink, 0 to 1.
    """
    row, column, tall, wide = ink_box(digit28)
    shape = look.height, look.width
    angle = math.radians(look.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    # Box of the digit once it is slanted and turned, with a margin for the pen and the tremor.
    slanted = wide + abs(look.slant) * tall
    box_tall = abs(cos) * tall + abs(sin) * slanted + 2
    box_wide = abs(cos) * slanted + abs(sin) * tall + 2
    scale = look.fill * min(shape) / max(box_tall, box_wide)
    room_down = (look.height * 0.92 - scale * box_tall) / 2
    room_across = (look.width * 0.92 - scale * box_wide) / 2
    y, x = np.meshgrid(np.arange(shape[0]) + 0.0, np.arange(shape[1]) + 0.0, indexing="ij")
    y = (y - (look.height - 1) / 2 - look.down * room_down) / scale
    x = (x - (look.width - 1) / 2 - look.across * room_across) / scale
    turned_y, turned_x = cos * y - sin * x, sin * y + cos * x
    at_row = row + turned_y + 0.25 * cloud(rng, shape, 4 * scale)
    at_column = column + turned_x + look.slant * turned_y + 0.25 * cloud(rng, shape, 4 * scale)
    # A light blur takes MNIST's pixel steps out of the outline; a level of it is the pen's edge.
    smooth = ndimage.gaussian_filter(digit28 / 255.0, 0.55, mode="constant")
    smooth /= np.sort(smooth.ravel())[-20]
    depth = ndimage.map_coordinates(smooth, [at_row, at_column], order=3, mode="constant")
    level = 0.62 - 0.30 * look.thickness
    soft = 0.5 * 2.2 / scale  # the outline's slope is near 0.5 a pixel of MNIST
    edge = np.clip((depth - level) / soft + 0.5, 0.0, 1.0)
    return edge * edge * (3 - 2 * edge)


def inked(coverage: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    """Light that the ink lets through, (H, W, 3): flow of the pen, grain of a pencil."""
    shape = coverage.shape
    through = np.array(PENS[look.pen])
    flow = 0.92 + 0.08 * cloud(rng, shape, 9.0)
    if look.pen == "pencil":  # it marks the paper's bumps only
        flow = flow * np.clip(0.94 + 0.08 * grain(rng, shape, 0.7), 0.7, 1.0)
    elif look.pen.endswith("felt-tip"):  # the ink gathers at the edge of the stroke
        rim = coverage - ndimage.gaussian_filter(coverage, 2.5)
        flow = flow * (0.93 + 0.25 * rim)
    part = np.clip(coverage * flow, 0.0, 1.0)[..., np.newaxis]
    return 1 - part * (1 - through)


def sheet(look: Look, rng: np.random.Generator) -> np.ndarray:
    """The paper without ink or shadow, (H, W, 3): its colour, fibres and printed lines."""
    shape = look.height, look.width
    fibres = 1 + 0.010 * cloud(rng, shape, 14.0) + 0.008 * cloud(rng, shape, 4.0)
    if look.paper == "recycled":
        fibres = fibres - 0.05 * np.clip(cloud(rng, shape, 2.5) - 0.75, 0, 1)
    paper = fibres[..., np.newaxis] * np.array(PAPERS[look.paper])
    start, tilt = rng.random(), 0.05 * (rng.random() - 0.5)
    if look.ruling == "plain":
        return paper
    step = min(shape) / (7 if look.ruling == "lined" else 13)
    y, x = np.meshgrid(np.arange(shape[0]) + 0.0, np.arange(shape[1]) + 0.0, indexing="ij")
    across = [y + tilt * x] if look.ruling == "lined" else [y + tilt * x, x - tilt * y]
    for line in across:
        phase = line / step + start
        distance = np.abs(phase - np.floor(phase) - 0.5) * step
        print_ = np.clip(1.3 - distance, 0.0, 1.0)[..., np.newaxis]
        paper = paper * (1 - print_ * np.array([0.16, 0.09, 0.04]))
    return paper


def lighting(look: Look, rng: np.random.Generator) -> np.ndarray:
    """Light on the sheet, (H, W, 1), at most 1: a slope, the lens's dark corners, soft shadows."""
    shape = look.height, look.width
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    slope = y * math.sin(look.light_from) + x * math.cos(look.light_from)
    corners = y * y + x * x
    dark = 0.30 * slope + 0.22 * corners + 0.30 * cloud(rng, shape, max(shape) / 2.5)
    dark = (dark - dark.min()) / (dark.max() - dark.min())
    return (1 - look.shade * dark)[..., np.newaxis]


def photograph(
    digit28: np.ndarray, rng: np.random.Generator, look: Look | None = None
) -> np.ndarray:
    """A photograph of a digit, synthesised.

    Parameters
    ----------
    digit28 : ndarray of uint8, shape (28, 28)
        Ink bright on dark, as in MNIST.
    rng : numpy.random.Generator
        Source of all that is left to chance.
    look : Look, optional
        How to make it; drawn from `rng` if it is left out.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Dark ink on light paper, one of `SIZES` unless `look` says otherwise.

    Raises
    ------
    ValueError
        The digit has another shape, or no ink.

    Notes
    -----
    For one version of NumPy and SciPy the result repeats to the bit. Across versions or processors
    the last bit of a float may differ, and so, very rarely, a pixel by one level.
    """
    digit28 = np.asarray(digit28)
    if digit28.shape != (28, 28):
        raise ValueError(f"A digit of shape (28, 28) is needed, not {digit28.shape}.")
    look = look or Look.draw(rng)
    shape = look.height, look.width
    coverage = strokes(digit28, look, rng)
    scene = sheet(look, rng) * inked(coverage, look, rng) * lighting(look, rng)
    scene = scene * (1 + look.warmth * np.array([0.03, 0.0, -0.05]))
    scene = ndimage.gaussian_filter(scene, (look.blur, look.blur, 0), mode="nearest")
    # A phone smooths its noise, and leaves more of it in brightness than in colour.
    levels = 250 * scene + look.noise * grain(rng, shape, 0.6)[..., np.newaxis]
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
