"""Loading the digits, the photographs and your own picture."""

from __future__ import annotations

import csv
import os
import zlib
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from labkit.messages import LabError, first_line
from labkit.values_in_words import Array


def load_data(folder: str | os.PathLike[str] = "Data") -> tuple[Array, Array]:
    """Load the 5,000 digits.

    Returns
    -------
    X : ndarray of float64, shape (5000, 400)
        One digit a row: 20x20 pixels, unrolled column by column; ink is bright.
    y : ndarray of int64, shape (5000,)
        Labels as the file has them: 1 to 9, and 10 for a zero.

    Raises
    ------
    LabError
        The file is missing, cannot be read or holds something else.
    """
    path = Path(folder) / "ex3data1.mat"
    if not path.exists():
        raise LabError(
            f"{path} is not in {Path.cwd()}. Open lab_digits.ipynb from the folder it came in; if "
            "the file is missing there too, unpack the lab again."
        )
    remedy = f"Put the {path} that came with the lab back in its place."
    try:
        # Data/ex3data1.mat is a MATLAB file: a dictionary of arrays.
        content = loadmat(os.fspath(path))
    except (
        MatReadError,
        LookupError,
        NotImplementedError,  # a file of MATLAB 7.3
        OSError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise LabError(
            f"{path} cannot be read as a MATLAB file ({first_line(error)}). {remedy}"
        ) from None
    X, y = content.get("X"), content.get("y")
    if X is None or y is None:
        names = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise LabError(f"{path} should hold X and y, and holds {names}. {remedy}")
    if X.shape != (5000, 400) or y.size != 5000:
        raise LabError(
            f"{path} should hold X (5000, 400) and 5,000 labels, and holds X {X.shape} and "
            f"{y.size:,} labels. {remedy}"
        )
    if X.dtype != np.float64 or not np.isfinite(X).all() or not -1 < X.min() <= X.max() < 2:
        raise LabError(f"X in {path} should be float64 brightness between -1 and 2. {remedy}")
    if not np.array_equal(np.unique(y), np.arange(1, 11)):
        raise LabError(f"The labels in {path} should be 1 to 10 (10 is the zero). {remedy}")
    return X, y.ravel().astype(np.int64)


def read_image(path: str | os.PathLike[str], longest: int = 640) -> Array:
    """Read a picture file: uint8, shape (H, W), (H, W, 3) or (H, W, 4), upright.

    A picture whose longer side has more than `longest` pixels is reduced to that.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut at 255
                picture = Image.fromarray((np.asarray(picture) / 257).astype(np.uint8))
            if picture.mode not in ("L", "RGB", "RGBA"):
                see_through = "A" in picture.mode or "transparency" in picture.info
                picture = picture.convert("RGBA" if see_through else "RGB")
            picture.thumbnail((longest, longest))
            return np.array(picture)
    except FileNotFoundError:
        raise LabError(f"There is no file {path} in {Path.cwd()}. Check its name.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise LabError(
            f"{path} is not a picture that Python can read, or only a part of one; save it again "
            "as PNG or JPEG."
        ) from None


def load_handwriting(
    folder: str | os.PathLike[str] = "Data/handwriting",
) -> tuple[list[Array], Array]:
    """Load the sample photographs: a list of uint8 images and their digits, int64 (n,)."""
    table = Path(folder) / "labels.csv"
    if not table.exists():
        raise LabError(f"{table} is not in {Path.cwd()}. Unpack the lab again.")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    images = [read_image(Path(folder) / row["file"]) for row in rows]
    return images, np.array([int(row["digit"]) for row in rows])


def find_own_picture(stem: str = "my_digit") -> Path | None:
    """Return the path of your own picture beside the notebook, or None if there is none."""
    found = [
        p for p in sorted(Path().glob(f"{stem}.*")) if p.suffix.lower() in (".png", ".jpg", ".jpeg")
    ]
    return found[0] if found else None
