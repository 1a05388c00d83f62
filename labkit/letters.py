"""An F on a sheet of paper: what the checks of exercise 5 of lab_mnist hand to `preprocess_photo`."""

from __future__ import annotations

import io

import numpy as np

from labkit.values_in_words import Array


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


def png(picture: Array) -> Array:
    """Return the bytes of a PNG file, uint8 (n,), of a picture uint8 (H, W), (H, W, 3) or (H, W, 4)."""
    from PIL import Image  # where no photograph is looked at, NumPy is enough

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8)).save(file, "PNG")
    return np.frombuffer(file.getvalue(), dtype=np.uint8)
