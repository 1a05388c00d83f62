"""Pictures of digits as arrays: resized, freed of their paper, put into the middle."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labkit.messages import LabError
from labkit.values_in_words import Array


def resize(picture: Array, height: int, width: int) -> Array:
    """Resize a grey picture (H, W) to (height, width), as the digits in ``X`` were resized.

    The interpolation is bicubic and smooths what gets smaller; it overshoots a little at sharp
    edges, which is why values of ``X`` leave [0, 1].
    """
    from PIL import Image

    picture = np.asarray(picture, dtype=np.float32)
    if picture.ndim != 2 or 0 in picture.shape:
        raise ValueError(f"resize needs a grey picture of shape (H, W), not {picture.shape}")
    rows, columns = picture.shape
    # Pillow leaves out what lies beyond the edge; here the edge goes on, as for the digits in X.
    down, across = 2 * (rows // height + 2), 2 * (columns // width + 2)
    wide = np.pad(picture, ((down, down), (across, across)), mode="edge")
    small = Image.fromarray(wide).resize(
        (width, height), Image.Resampling.BICUBIC, (across, down, across + columns, down + rows)
    )
    return np.asarray(small, dtype=np.float64)


def paper_light(grey: Array) -> Array:
    """Brightness that the bare paper would have at every pixel of a photograph.

    Parameters
    ----------
    grey : ndarray of float, shape (H, W)
        Dark ink on light paper.

    Returns
    -------
    ndarray of float64, shape (H, W)
        What is left when everything narrower than half the picture and darker than what is
        around it is filled in (a morphological closing).
    """
    grey = np.asarray(grey, dtype=np.float64)
    if grey.ndim != 2 or 0 in grey.shape:
        raise ValueError(f"paper_light needs a grey picture of shape (H, W), not {grey.shape}")
    grey = ndimage.gaussian_filter(grey, 1.0)
    window = max(3, min(grey.shape) // 2)
    return np.asarray(ndimage.grey_closing(grey, size=(window, window), mode="nearest"))


def centre_by_mass(picture: Array, side: int = 28) -> Array:
    """Put a picture (h, w) on a dark square of `side` pixels, its centre of mass in the middle.

    This is how MNIST places its digits. What would stick out of the square is cut off.
    """
    picture = np.asarray(picture, dtype=np.float64)
    if picture.ndim != 2:
        raise ValueError(
            f"centre_by_mass needs a grey picture of shape (h, w), not {picture.shape}"
        )
    if not np.clip(picture, 0, None).sum() > 0:
        raise LabError(
            "There is no digit to be seen in this picture: nothing in it is brighter than 0, so that it "
            "has no centre of mass. Look at each of your steps with utils.plot_picture."
        )
    down, across = ndimage.center_of_mass(np.clip(picture, 0, None))
    top, left = (round((side - 1) / 2 - centre) for centre in (down, across))
    around = np.pad(picture, side)
    return around[side - top : 2 * side - top, side - left : 2 * side - left].copy()


def only_resized(image: Array) -> Array:
    """Make a photograph grey and 20 by 20, and do nothing else: a row (400,), to see that fail."""
    from PIL import Image

    grey = np.asarray(Image.fromarray(image).convert("L")) / 255
    return np.concatenate(list(resize(grey, 20, 20).T))
