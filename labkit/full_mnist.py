"""The digits of lab_mnist: the full MNIST set where it can be found, else the 5,000 of the lab."""

from __future__ import annotations

import os
import socket
import threading
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

import numpy as np

from labkit.messages import LabError
from labkit.values_in_words import Array

Parts = tuple[Array, Array, Array, Array]
"""x_train, y_train, x_test, y_test: images uint8 (m, 28, 28), labels int64 (m,)."""


ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
"""Where keras.datasets.mnist takes the file from."""


_full: list[Parts] = []


def keras_cache() -> Path:
    """Return the path at which ``keras.datasets.mnist`` keeps its file, whether it is there or not.

    Keras has no public function for it; its documentation of ``keras.utils.get_file`` says where.
    """
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return home / "datasets" / "mnist.npz"


def read_full_set(path: Path) -> Parts:
    """Read the full MNIST set from an ``.npz`` file.

    Raises
    ------
    LabError
        The file is incomplete, damaged or another one; it is named, and left where it is.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            x_train, y_train, x_test, y_test = (
                file[name] for name in ("x_train", "y_train", "x_test", "y_test")
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise LabError(
            f"{path} is not the MNIST file, or only half of it ({brief(error)}). It was left as it "
            "is; to have it fetched again, delete it yourself and run this cell once more."
        ) from None
    shapes = [x_train.shape, y_train.shape, x_test.shape, y_test.shape]
    if shapes != [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)] or x_train.dtype != "uint8":
        raise LabError(
            f"{path} should hold 60,000 and 10,000 images of 28x28, and holds {shapes}. It was left "
            "as it is; move it away to have the right one fetched."
        )
    return x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64)


def brief(error: BaseException) -> str:
    """Return an exception's type and the beginning of what it says."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:80]}" if text else type(error).__name__


def network_answers(address: str = ORIGIN, seconds: float = 4.0) -> bool:
    """Tell whether a server answers within `seconds`; a name that is looked up for ever counts too."""
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=seconds) as reply:
                answers.append(reply.status == 200)
        except (OSError, ValueError):  # URLError and time-outs are OSErrors
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers == [True]


def _download() -> str:
    """Have Keras fetch the file into its cache; return '' or why that failed."""
    from keras.datasets import mnist

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15.0)
    try:
        mnist.load_data()
    except Exception as error:  # noqa: BLE001  Keras raises a bare Exception for a failed download
        return brief(error)
    finally:
        socket.setdefaulttimeout(before)
    return ""


def find_full_set(folder: str | os.PathLike[str] = "Data", seconds: float = 4.0) -> str:
    """Look for the full MNIST set: in Keras's cache, in `folder`, on the network.

    Prints what was found and returns it: ``"cache"``, ``"Data"``, ``"network"`` or ``""``. No file is
    changed or removed. The network gets `seconds` to answer.
    """
    _full.clear()
    cache, own = keras_cache(), Path(folder) / "mnist.npz"
    damaged = False
    for name, path in (("cache", cache), ("Data", own)):
        if not path.exists():
            continue
        try:
            _full.append(read_full_set(path))
        except LabError as error:
            damaged = True
            print(f"✗ {error}")
            continue
        print(f"The full MNIST set: 60,000 digits to train on, 10,000 held out, from {path}.")
        return name
    if damaged:  # Keras would overwrite its file, and remove it if the download fails
        print("Until then: the 5,000 digits that came with the lab.")
        return ""
    why = "the network does not answer"
    if network_answers(seconds=seconds):
        print("Fetching the full MNIST set (11 MB) with keras.datasets.mnist ...")
        why = _download()
        if not why and cache.exists():
            _full.append(read_full_set(cache))
            print("The full MNIST set: 60,000 digits to train on, 10,000 held out.")
            return "network"
    print(
        f"The full MNIST set is not in Keras's cache, there is no {own}, and it could not be fetched "
        f"({why}): the lab goes on with the 5,000 digits that came with it."
    )
    return ""


def load_digits(folder: str | os.PathLike[str] = "Data") -> Parts:
    """Return x_train, y_train, x_test, y_test: the full set if it was found, else the 5,000.

    Raises
    ------
    LabError
        ``mnist_5k.npz`` is missing or damaged.
    """
    return _full[0] if _full else small_set(folder)


def small_set(folder: str | os.PathLike[str] = "Data") -> Parts:
    """Return the 5,000 that came with the lab, as `load_digits` does."""
    path = Path(folder) / "mnist_5k.npz"
    if not path.exists():
        raise LabError(
            f"{path} is not in {Path.cwd()}. Open lab_mnist.ipynb from the folder it came in; if the "
            "file is missing there too, unpack the lab again."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise LabError(
            f"{path} cannot be read ({brief(error)}). Put the one that came with the lab back."
        ) from None
    if images.shape != (5000, 28, 28) or labels.shape != (5000,):
        raise LabError(
            f"{path} should hold 5,000 images of 28x28, and holds {images.shape} and {labels.shape}. "
            "Put the one that came with the lab back."
        )
    return hold_out(images, labels.astype(np.int64))


def hold_out(images: Array, labels: Array, every: int = 5, seed: int = 1234) -> Parts:
    """Hold out every fifth digit of each class; both parts are shuffled."""
    rank = np.zeros(len(labels), dtype=np.int64)
    for digit in np.unique(labels):
        rows = np.flatnonzero(labels == digit)
        rank[rows] = np.arange(len(rows))
    rng = np.random.default_rng(seed)
    train = rng.permutation(np.flatnonzero(rank % every != 0))
    test = rng.permutation(np.flatnonzero(rank % every == 0))
    return images[train], labels[train], images[test], labels[test]


def expected(full: str, small: str) -> None:
    """Print the figure to expect with the digits that are loaded."""
    print(
        f"Expected with the {'full set' if _full else '5,000 digits'}: {full if _full else small}."
    )
