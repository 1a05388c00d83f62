"""The dozen photographs of ``Data/handwriting/`` and their ``labels.csv``.

The digits are rows of ``mnist_5k.npz``; :mod:`course.photographs` makes the pictures. Pen, paper
and size are set here, so that the dozen shows one of everything; the rest is left to the seed.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from course.photographs import Look, photograph

#: First part of each photograph's seed; the second is its number, 1 to 12.
SEED = 20111

#: Most noise in one of the dozen, in grey levels: noise is what makes a PNG file large.
QUIET = 0.7

#: Weights of red, green and blue in luminance (Rec. ITU-R BT.601), as Pillow's ``convert("L")``.
LUMINANCE = np.array([0.299, 0.587, 0.114])


def as_grey(photo: np.ndarray) -> np.ndarray:
    """The same photograph in grey: uint8 (H, W, 3) to uint8 (H, W)."""
    return np.rint(photo @ LUMINANCE).astype(np.uint8)


def as_cut_out(photo: np.ndarray) -> np.ndarray:
    """The sheet cut out of its background: uint8 (H, W, 3) to uint8 (H, W, 4).

    Outside a rounded frame the picture is transparent, and black underneath, as a drawing program
    leaves it: whoever drops the alpha channel gets a black frame that is taken for ink.
    """
    height, width = photo.shape[:2]
    y, x = np.ogrid[:height, :width]
    inset, radius = 0.025 * min(height, width), 0.12 * min(height, width)
    y = np.maximum(np.abs(y - (height - 1) / 2) - (height / 2 - inset - radius), 0.0)
    x = np.maximum(np.abs(x - (width - 1) / 2) - (width / 2 - inset - radius), 0.0)
    alpha = np.clip(radius - np.sqrt(y * y + x * x) + 0.5, 0.0, 1.0)
    colours = np.where(alpha[..., np.newaxis] > 0, photo, 0)
    return np.dstack([colours, np.rint(255 * alpha)]).astype(np.uint8)


def as_opaque(photo: np.ndarray) -> np.ndarray:
    """The same photograph with an alpha channel that hides nothing: uint8 (H, W, 4)."""
    return np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])


#: What becomes of a photograph, for each value of the ``form`` column of ``labels.csv``.
FORMS = {
    "colour": lambda photo: photo,
    "grey": as_grey,
    "opaque alpha": as_opaque,
    "cut out": as_cut_out,
}


@dataclass(frozen=True)
class Shot:
    """One photograph of the dozen.

    Attributes
    ----------
    row : int
        The digit: a row of ``mnist_5k.npz``.
    pen, paper, ruling : str
        As in :class:`course.photographs.Look`.
    size : (int, int)
        Height and width, in pixels.
    thickness : float
        As in :class:`course.photographs.Look`.
    form : str
        A key of `FORMS`.
    """

    row: int
    pen: str
    paper: str
    ruling: str
    size: tuple[int, int]
    thickness: float
    form: str = "colour"


SHOTS = (
    Shot(3507, "blue ballpoint", "white", "squared", (210, 280), 0.35),
    Shot(1012, "black gel", "cream", "plain", (240, 320), 0.55),
    Shot(4, "red felt-tip", "white", "plain", (200, 280), 0.95),
    Shot(2021, "pencil", "bluish", "lined", (256, 256), 0.25),
    Shot(2547, "navy fountain pen", "cream", "lined", (225, 300), 0.45),
    Shot(4046, "green felt-tip", "recycled", "plain", (256, 256), 0.50),
    Shot(608, "black gel", "white", "lined", (280, 200), 0.60, "grey"),
    Shot(3011, "purple felt-tip", "bluish", "plain", (225, 300), 0.70, "cut out"),
    Shot(1540, "blue ballpoint", "recycled", "squared", (200, 280), 0.20),
    Shot(4527, "black gel", "bluish", "squared", (220, 220), 0.05, "opaque alpha"),
    Shot(2130, "red felt-tip", "cream", "squared", (280, 200), 0.65),
    Shot(1175, "pencil", "white", "plain", (300, 225), 0.60),
)


def png_bytes(photo: np.ndarray) -> bytes:
    """A PNG file of a photograph, uint8 (H, W), (H, W, 3) or (H, W, 4)."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG", optimize=True)
    return file.getvalue()


def read_photograph(png: bytes | Path) -> np.ndarray:
    """The pixels of a PNG file, uint8 (H, W), (H, W, 3) or (H, W, 4)."""
    with Image.open(io.BytesIO(png) if isinstance(png, bytes) else png) as image:
        return np.asarray(image)


def make_handwriting(images: np.ndarray, labels: np.ndarray) -> dict[str, bytes]:
    """The dozen photographs and their labels.

    Parameters
    ----------
    images : ndarray of uint8, shape (5000, 28, 28)
    labels : ndarray of uint8, shape (5000,)
        As in ``mnist_5k.npz``.

    Returns
    -------
    dict of str to bytes
        Contents of ``photo_01.png`` ... ``photo_12.png`` and of ``labels.csv``, whose columns are
        file, digit, row (in ``mnist_5k.npz``), form, pen, paper, ruling.
    """
    files: dict[str, bytes] = {}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["file", "digit", "row", "form", "pen", "paper", "ruling"])
    for number, shot in enumerate(SHOTS, start=1):
        rng = np.random.Generator(np.random.PCG64([SEED, number]))
        drawn = Look.draw(rng)
        look = replace(
            drawn,
            height=shot.size[0],
            width=shot.size[1],
            pen=shot.pen,
            paper=shot.paper,
            ruling=shot.ruling,
            thickness=shot.thickness,
            noise=min(drawn.noise, QUIET),
        )
        name = f"photo_{number:02d}.png"
        files[name] = png_bytes(FORMS[shot.form](photograph(images[shot.row], rng, look)))
        digit = int(labels[shot.row])
        writer.writerow([name, digit, shot.row, shot.form, shot.pen, shot.paper, shot.ruling])
    files["labels.csv"] = table.getvalue().encode()
    return files
