"""What lab_mnist loads, watches and plots with, besides what is in ``utils.py``.

Every figure has a description (``alt`` text) and one line under it that says what it shows.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import utils
from labkit.findings import NotStarted
from utils import BLUE, GREY, ORANGE, Array, LabError, show

EXERCISES = {
    "prepare": "Exercise 1",
    "baseline": "Exercise 2",
    "deep": "Exercise 3",
    "deep_history": "Exercise 3",
    "confusion_matrix": "Exercise 4",
    "preprocess_photo": "Exercise 5",
}
"""Which exercise of lab_mnist makes a name; see :data:`utils.EXERCISES`."""

GIVEN_IN = dict.fromkeys(
    ("x_train", "y_train", "x_test", "y_test"), "section 2, which loads the digits"
) | {
    "X_train": "section 3, after Exercise 1",
    "X_test": "section 3, after Exercise 1",
    "results": "section 4, after Exercise 2",
    "callbacks": "section 4, after Exercise 2",
    "recorder": "section 4, after Exercise 2",
    "watch": "section 5, before Exercise 3",
    "probabilities": "section 6, after Exercise 4",
    "digits": "section 6, after Exercise 4",
    "matrix": "section 6, after Exercise 4",
    "photos": "section 7, after Exercise 5",
    "photo_labels": "section 7, after Exercise 5",
}
"""Which given cell of lab_mnist makes a name."""

# --- Data ---------------------------------------------------------------------------------------

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
            f"{path} is not the MNIST file, or only half of it ({_brief(error)}). It was left as it "
            "is; to have it fetched again, delete it yourself and run this cell once more."
        ) from None
    shapes = [x_train.shape, y_train.shape, x_test.shape, y_test.shape]
    if shapes != [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)] or x_train.dtype != "uint8":
        raise LabError(
            f"{path} should hold 60,000 and 10,000 images of 28x28, and holds {shapes}. It was left "
            "as it is; move it away to have the right one fetched."
        )
    return x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64)


def _brief(error: BaseException) -> str:
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
        return _brief(error)
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
    if _full:
        return _full[0]
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
            f"{path} cannot be read ({_brief(error)}). Put the one that came with the lab back."
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


def prepare_or_lend(prepare: Callable[[Array], Any], *parts: Array) -> list[Array]:
    """Return rows for each part, float32 (m, 784): yours if they are right, else rows on loan."""
    brightness = np.linspace(0, 1, 256, dtype=np.float32)
    reason = ""
    try:
        trial = np.asarray(prepare(parts[0][:20].copy()))
        right = np.stack([brightness[image].ravel() for image in parts[0][:20]])
        if trial.shape != right.shape or not np.allclose(trial, right, atol=1e-5):
            reason = "it does not pass its checks yet"
        else:
            mine = [np.asarray(prepare(part), dtype=np.float32) for part in parts]
            if [rows.shape for rows in mine] == [(len(part), 784) for part in parts]:
                return mine
            reason = "it does not give a row for each image"
    except Exception as error:  # noqa: BLE001  your code may raise anything; the line below says what
        reason = "it is not finished yet"
        if not isinstance(error, NotStarted):
            reason = utils.where_from(error) or f"it raises {type(error).__name__}"
    print(
        f"… Exercise 1 cannot be used so far ({reason}). Until then you have prepared rows on loan."
    )
    return [np.stack([brightness[image].ravel() for image in part]) for part in parts]


# --- Training -----------------------------------------------------------------------------------


def watch() -> Any:
    """Return a Keras callback: one line of progress that is written over; ``seconds`` adds up."""
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Shows the newest epoch, and adds up how long training took."""

        def __init__(self) -> None:
            super().__init__()
            self.seconds = 0.0

        def on_train_begin(self, logs: Any = None) -> None:
            self.started = time.monotonic() - self.seconds
            self.line = utils._Line()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.monotonic() - self.started
            of = self.params.get("epochs", "?")
            figures = ", ".join(
                f"{'test ' if name.startswith('val_') else ''}{name.removeprefix('val_')} {value:.4f}"
                for name, value in (logs or {}).items()
            )
            self.line.write(f"Epoch {epoch + 1} of {of} ({self.seconds:.0f} s): {figures}")

    return Watch()


def watchers() -> tuple[list[Any], Any]:
    """Return what `fit` is given: a `watch`, and the explorer's recorder where it is installed."""
    try:
        from explorer import Recorder
    except ImportError:
        return [watch()], None
    recorder = Recorder()
    return [watch(), recorder], recorder


def as_input(model: Any, X: Array) -> Array:
    """Return rows (m, 784) in the shape that a model takes: (m, 784), (m, 28, 28)..."""
    return np.asarray(X).reshape(len(X), *model.input_shape[1:])


def predict(model: Any, X: Array) -> Array:
    """Return the probabilities that a model gives for rows (m, 784): float64 (m, 10)."""
    given = model.predict(as_input(model, X), batch_size=2000, verbose=0)
    return np.asarray(given, dtype=np.float64)


def accuracy(model: Any, X: Array, y: Array) -> float:
    """Return the part of the rows that a model reads right."""
    return float((predict(model, X).argmax(axis=1) == y).mean())


@dataclass(repr=False)
class Results:
    """The closing table: one line a model, computed from the models themselves."""

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    lines: dict[str, tuple[int, int, float, float, float]] = field(default_factory=dict)

    def add(self, name: str, model: Any, epochs: int, seconds: float) -> None:
        """Measure a trained model on both parts and keep a line for it.

        Raises
        ------
        LabError
            The model was not trained: its weights would be measured as chance left them.
        """
        steps = int(np.asarray(getattr(model.optimizer, "iterations", 0)))
        if not steps:
            raise LabError(f"{name} is not trained yet.")
        on_train = accuracy(model, self.X_train, self.y_train)
        on_test = accuracy(model, self.X_test, self.y_test)
        self.lines[name] = (int(model.count_params()), epochs, seconds, on_train, on_test)
        print(f"{name}: {on_train:.2%} of the training digits, {on_test:.2%} of the test digits.")

    def __repr__(self) -> str:
        head = (
            f"{'model':<24}{'parameters':>11}{'epochs':>8}{'seconds':>9}{'training':>10}{'test':>8}"
        )
        rows = [
            f"{name:<24}{parameters:>11,}{epochs:>8}{seconds:>9.0f}{on_train:>10.2%}{on_test:>8.2%}"
            for name, (parameters, epochs, seconds, on_train, on_test) in self.lines.items()
        ]
        return "\n".join([head, *rows])

    def _repr_html_(self) -> str:
        names = ("model", "parameters", "epochs", "seconds", "training accuracy", "test accuracy")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left">{name}</th><td>{parameters:,}</td>'
            f"<td>{epochs}</td><td>{seconds:.0f}</td><td>{on_train:.2%}</td><td>{on_test:.2%}</td></tr>"
            for name, (parameters, epochs, seconds, on_train, on_test) in self.lines.items()
        )
        sizes = f"{len(self.y_train):,} digits to train on, {len(self.y_test):,} held out"
        return f"<table><caption>{sizes}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


# --- Photographs --------------------------------------------------------------------------------

_stages: dict[str, Array] = {}


def keep(name: str, picture: Array) -> None:
    """Keep a step of `preprocess_photo` for the figure that draws them; "photo" starts anew."""
    if name == "photo":
        _stages.clear()
    _stages[name] = np.array(picture)


def ink_box(ink: Array) -> tuple[slice, slice]:
    """Return the rows and columns of a picture (H, W) in which there is ink.

    Parameters
    ----------
    ink : ndarray of float, shape (H, W)
        Ink bright, paper about 0.

    Raises
    ------
    LabError
        There is next to no ink: a blank sheet, one pixel, or a picture that is dark all over.
    """
    ink = np.asarray(ink, dtype=np.float64)
    if ink.ndim != 2:
        raise ValueError(f"ink_box needs a grey picture of shape (H, W), not {ink.shape}")
    if not ink.size or not np.isfinite(ink).all() or ink.max() < 0.15:
        raise LabError(
            "There is no digit to be seen in this picture: nothing in it is much darker than the "
            "paper around it. Write larger or darker, and leave some paper around the digit."
        )
    rows, columns = np.nonzero(ink > 0.5 * ink.max())
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def sample_photos(folder: str | os.PathLike[str] = "Data/handwriting") -> tuple[list[str], Array]:
    """Return the paths of the dozen sample photographs, and their digits, int64 (12,)."""
    _, digits = utils.load_handwriting(folder)
    return [os.fspath(path) for path in sorted(Path(folder).glob("photo_*.png"))], digits


# --- Figures ------------------------------------------------------------------------------------


def _grid(
    pictures: Sequence[Array] | Array,
    columns: int,
    captions: Sequence[str],
    cell: float = 0.8,
    tall: float = 1.35,
) -> Figure:
    """Draw pictures (28, 28) in a grid, each with its caption above it."""
    lines = -(-len(pictures) // columns)
    figure = Figure(figsize=(columns * cell, lines * cell * tall), layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, columns, squeeze=False)).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, picture, caption in zip(panels, pictures, captions, strict=False):
        _digit(axes, picture, caption)
    return figure


def _digit(axes: Axes, picture: Array, caption: str, size: float = 9) -> None:
    high = 255 if np.asarray(picture).max() > 2 else 1
    axes.imshow(np.asarray(picture).reshape(28, 28), cmap="gray", vmin=0, vmax=high)
    axes.set_title(caption, fontsize=size)
    axes.set_axis_off()


def plot_classes(images: Array, labels: Array, each: int = 3) -> None:
    """Show the ten classes: the first `each` images of every digit, and how many there are."""
    digits = range(10)
    counts = [int((labels == d).sum()) for d in digits]
    chosen = [np.flatnonzero(labels == d)[:each] for d in digits]
    rows = [rows[k] for k in range(each) for rows in chosen]
    captions = [f"{d}: {n:,}" for d, n in zip(digits, counts, strict=True)] + [""] * (
        10 * each - 10
    )
    low, high = int(np.argmin(counts)), int(np.argmax(counts))
    how_many = (
        f"{counts[0]} of each"
        if counts[low] == counts[high]
        else (f"from {counts[low]:,} ({low}) to {counts[high]:,} ({high})")
    )
    show(
        _grid(images[rows], 10, captions, cell=0.85, tall=1.12),
        f"The ten classes side by side, {each} handwritten examples under each.",
        f"{len(labels):,} training digits in ten classes, {how_many}.",
    )


def plot_first(image: Array, label: int) -> None:
    """Show one image large, with the value of every pixel written into it."""
    figure = Figure(figsize=(7.2, 7.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(image):
        if value:
            colour = "black" if value > 127 else "white"
            axes.text(column, row, str(value), ha="center", va="center", fontsize=5.5, color=colour)
    axes.set_xticks(range(0, 28, 3))
    axes.set_yticks(range(0, 28, 3))
    rows, columns = np.nonzero(image)
    show(
        figure,
        f"The first training image, a {label}: 28 by 28 pixels, the value of each written into it; "
        "ink is bright.",
        f"Label {label}; values {image.min()} to {image.max()}; ink in rows {rows.min()} to "
        f"{rows.max()} and columns {columns.min()} to {columns.max()}, a margin around it.",
    )


def plot_range(before: Array, after: Array) -> None:
    """Show how the pixels are distributed before and after they are prepared."""
    figure = Figure(figsize=(7.6, 2.5), layout="constrained")
    for axes, values, title in zip(
        figure.subplots(1, 2), (before, after), ("images: bytes", "prepare(images)"), strict=True
    ):
        axes.hist(np.asarray(values).ravel(), bins=32, color=BLUE, log=True)
        axes.set(xlabel="value", ylabel="pixels", title=title)
        axes.title.set_fontsize(10)
    blank = float((np.asarray(before) == 0).mean())
    show(
        figure,
        "Two histograms of the pixels with the same outline; only the scale under them differs.",
        f"Before: {before.min()} to {before.max()}, shape {before.shape}; after: {after.min():g} to "
        f"{after.max():g}, shape {after.shape}. {blank:.0%} of the pixels are 0.",
    )


def plot_curves(history: Any, chance: bool = False) -> None:
    """Show loss and accuracy over the epochs; the point where the validation loss turns is marked."""
    logged = history.history
    loss, val_loss = logged["loss"], logged.get("val_loss")
    words = ["loss", *[k for k in logged if "acc" in k and not k.startswith("val_")][:1]]
    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), words, strict=False):
        epochs = range(1, len(logged[name]) + 1)
        axes.plot(epochs, logged[name], color=BLUE, linewidth=2, label="training")
        if f"val_{name}" in logged:
            axes.plot(
                epochs,
                logged[f"val_{name}"],
                color=ORANGE,
                linewidth=2,
                linestyle="--",
                label="test",
            )
        axes.set(xlabel="epoch", ylabel="accuracy" if "acc" in name else "loss")
        axes.grid(alpha=0.3)
        if name == "loss" and val_loss:
            turn = int(np.argmin(val_loss))
            axes.plot(turn + 1, val_loss[turn], "o", color=ORANGE, markersize=9, fillstyle="none")
            axes.annotate(
                f"turns: epoch {turn + 1}",
                (turn + 1, val_loss[turn]),
                (0.35, 0.6),
                textcoords="axes fraction",
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
        axes.legend(loc="upper right" if name == "loss" else "lower right")
    text = f"After {len(loss)} epochs the training loss is {loss[-1]:.4f}."
    if val_loss:
        turn = int(np.argmin(val_loss))
        text = (
            f"The test loss is lowest at epoch {turn + 1} ({val_loss[turn]:.3f}) and rises to "
            f"{val_loss[-1]:.3f}; the training loss falls on, to {loss[-1]:.4f}."
        )
    show(
        figure,
        "Learning curves: the training line keeps getting better; the dashed test line gets better, "
        "turns (marked by a ring), and gets worse in loss while its accuracy stands still.",
        text,
    )


def plot_two_accuracies(history: Any) -> None:
    """Show, epoch by epoch, what a write-up would say if it reported the training accuracy."""
    name = next((k for k in history.history if "acc" in k and not k.startswith("val_")), None)
    if name is None or f"val_{name}" not in history.history:
        raise LabError(
            "deep_history holds no accuracies: compile the network with metrics=['accuracy'], and "
            "give fit its validation data."
        )
    train, test = (np.array(history.history[k]) for k in (name, f"val_{name}"))
    epochs = np.arange(1, len(train) + 1)
    figure = Figure(figsize=(6.4, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(epochs, test, train, color=GREY, alpha=0.25)
    axes.plot(epochs, train, color=BLUE, linewidth=2, label="training")
    axes.plot(epochs, test, color=ORANGE, linewidth=2, linestyle="--", label="test")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(max(0.85, test.min()), 1.003))
    axes.axhline(0.998, color=GREY, linestyle=":", linewidth=1)
    axes.text(epochs[-1], 0.9965, "99.8 %", ha="right", va="top", fontsize=9)
    axes.legend(loc="lower right")
    reached = np.flatnonzero(train >= 0.998)
    when = f"99.8 % in training from epoch {reached[0] + 1} on" if len(reached) else "below 99.8 %"
    show(
        figure,
        "Training and test accuracy over the epochs, the gap between them shaded: the training "
        "accuracy reaches 100 %, the test accuracy stops far below.",
        f"{when}; at the end {train[-1]:.2%} in training, {test[-1]:.2%} on test digits: "
        f"{100 * (train[-1] - test[-1]):.1f} points are memory, not reading.",
    )


def plot_confusion(counts: Array) -> None:
    """Show a confusion matrix as counts and as rates; the diagonal is in bold."""
    counts = np.asarray(counts)
    if counts.shape != (10, 10):
        raise LabError(f"The matrix should have shape (10, 10), and has {counts.shape}.")
    rates = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    off = rates * (1 - np.eye(10))
    figure = Figure(figsize=(10.4, 4.9), layout="constrained")
    for axes, values, title, text in zip(
        figure.subplots(1, 2),
        (counts, rates),
        ("counts", "rates: % of each label"),
        ("{:.0f}", "{:.1f}"),
        strict=True,
    ):
        axes.imshow(off, cmap="Oranges", vmin=0, vmax=max(1.0, off.max()) * 1.4)
        for row, column in np.ndindex(10, 10):
            if counts[row, column]:
                weight = "bold" if row == column else "normal"
                axes.text(
                    column,
                    row,
                    text.format(values[row, column]),
                    ha="center",
                    va="center",
                    fontsize=8,
                    weight=weight,
                )
        axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="label", title=title)
    right = np.diag(rates)
    best, worst = int(right.argmax()), int(right.argmin())
    show(
        figure,
        "The confusion matrix twice, a row for each label and a column for what was read: as counts, "
        "and as percentages of each label. Right answers are on the diagonal, in bold.",
        f"{np.trace(counts):,.0f} of {counts.sum():,.0f} right. Easiest: {best} ({right[best]:.1f} %); "
        f"hardest: {worst} ({right[worst]:.1f} %).",
    )


def plot_hardest_pairs(
    counts: Array, images: Array, labels: Array, digits: Array, pairs: int = 5, each: int = 4
) -> None:
    """Show the pairs that are confused most often, either way round, with examples of each."""
    both = np.triu(np.asarray(counts) + np.asarray(counts).T, 1)
    order = [tuple(divmod(int(k), 10)) for k in np.argsort(-both, axis=None, kind="stable")[:pairs]]
    order = [pair for pair in order if both[pair]]
    pictures, captions = [], []
    for a, b in order:
        rows = np.flatnonzero(((labels == a) & (digits == b)) | ((labels == b) & (digits == a)))[
            :each
        ]
        pictures += [images[row] for row in rows]
        captions += [f"{labels[row]}→{digits[row]}" for row in rows]
        pictures += [np.zeros((28, 28))] * (each - len(rows))
        captions += ["–"] * (each - len(rows))
    if not order:
        print("No digit was confused with another.")
        return
    told = ", ".join(f"{a} and {b}: {int(both[a, b])}" for a, b in order)
    show(
        _grid(pictures, 2 * each, captions, cell=0.95),
        f"Examples of the pairs that are confused most often, {each} of each; above each label, arrow, "
        "and what was read.",
        f"Most often confused, either way round: {told}.",
    )


def plot_worst(images: Array, labels: Array, probabilities: Array, most: int = 10) -> None:
    """Show the wrong answers that the network was surest of."""
    digits, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(digits != labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    if not len(worst):
        print("There is no mistake to show.")
        return
    captions = [f"{labels[i]}→{digits[i]}\n{sure[i]:.1%}" for i in worst]
    show(
        _grid(images[worst], 10, captions, cell=0.9),
        "The worst mistakes: above each the label, an arrow, what was read, and its probability.",
        f"{len(wrong):,} mistakes; in each of these {len(worst)} the network was at least "
        f"{np.floor(1000 * sure[worst].min()) / 10:.1f} % sure.",
    )


def _bars(axes: Axes, chances: Array) -> None:
    best = int(np.argmax(chances))
    bars = axes.barh(range(10), chances, color=[ORANGE if d == best else BLUE for d in range(10)])
    labels = [f"{p:.3f}" if p >= 0.0005 else "" for p in chances]
    axes.bar_label(bars, labels=labels, fontsize=8, padding=2)
    axes.set(yticks=range(10), xlim=(0, 1.18), xlabel="probability")
    axes.invert_yaxis()


def plot_one(image: Array, label: int, chances: Array) -> None:
    """Show one digit and the probabilities of the ten classes beside it."""
    figure = Figure(figsize=(5.6, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _digit(left, image, f"label {label}", size=10)
    _bars(right, chances)
    first, second = np.argsort(chances)[::-1][:2]
    show(
        figure,
        f"A test digit, labelled {label}, and bars for the probabilities of the ten digits.",
        f"Read as {first} ({chances[first]:.1%}; next {second}, {chances[second]:.1%}); label {label}.",
    )


def plot_stages(result: Array, chances: Array, label: int | None = None) -> None:
    """Show a photograph, each step that was kept, the result, and the ten probabilities."""
    last = np.asarray(result).reshape(28, 28)
    steps = [*_stages.items(), ("result", last)]
    figure = Figure(figsize=(1.75 * (len(steps) + 1.2), 2.5), layout="constrained")
    *panels, bars = figure.subplots(1, len(steps) + 1, width_ratios=[1] * len(steps) + [1.3])
    for axes, (name, picture) in zip(panels, steps, strict=True):
        bright = 255 if picture.dtype == np.uint8 else 1
        axes.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=bright)
        axes.set_title(f"{name}\n{' x '.join(map(str, picture.shape))}", fontsize=8)
        axes.set_axis_off()
    _bars(bars, chances)
    first = int(np.argmax(chances))
    what = "" if label is None else f"; it is a {label}: {'right' if first == label else 'wrong'}"
    show(
        figure,
        "A photograph on its way to the network, one picture a step, and bars for the probabilities "
        f"of the ten digits: {', '.join(name for name, _ in steps)}.",
        f"Read as {first} with probability {chances[first]:.3f}{what}. The result goes from "
        f"{last.min():.2f} to {last.max():.2f}.",
    )


def plot_photos(rows: Array, labels: Array, chances: Array) -> None:
    """Show prepared photographs with what the network reads in each."""
    digits, sure = chances.argmax(axis=1), chances.max(axis=1)
    captions = [
        f"{'✓ ' if d == k else f'✗ {k}→'}{d}\n{p:.0%}"
        for k, d, p in zip(labels, digits, sure, strict=True)
    ]
    wrong = [f"{k} read as {d}" for k, d in zip(labels, digits, strict=True) if k != d]
    show(
        _grid(np.asarray(rows).reshape(-1, 28, 28), 12, captions, cell=0.8),
        "Prepared photographs; above each a tick and what was read, or a cross, the digit, an arrow and "
        "what was read; below that its probability.",
        f"{len(labels) - len(wrong)} of {len(labels)} photographs read right"
        + (f"; wrong: {', '.join(wrong)}." if wrong else "."),
    )


def explore(baseline: Any, recorder: Any, deep: Any, deep_history: Any, X: Array, y: Array) -> None:
    """Show the explorer on both networks, or say in one sentence why that fails.

    Parameters
    ----------
    baseline, deep : keras.Sequential
    recorder : explorer.Recorder or None
        The baseline's weights, epoch by epoch.
    deep_history : keras.callbacks.History
        The deep network's curves; its weights of 100 epochs would make the page ten times as large.
    X, y : ndarray
        Rows (m, 784) and labels to choose digits from.
    """
    try:
        from explorer import Explorer, ExplorerError
    except ImportError as error:
        print(
            f"The explorer cannot be loaded ({_brief(error)}). Run `pip install -r requirements.txt`, "
            "and keep the folder `explorer` beside the notebook."
        )
        return
    try:
        page = Explorer(
            baseline,
            X,
            y,
            recorder if recorder is not None and recorder.epochs else None,
            compare={"deep": (deep, deep_history)},
            name="baseline",
            samples=400,
        )
    except ExplorerError as error:
        print(f"✗ {error}")
        return
    from IPython.display import display

    display(page)
