"""What lab_mnist loads, watches and plots with, besides what is in ``utils.py``.

Every figure has a description (``alt`` text) and one line under it that says what it shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import utils  # its names come first, then those of this lab
from labkit.confusion_plots import plot_confusion_rates as plot_confusion
from labkit.confusion_plots import plot_hardest_pairs, plot_worst
from labkit.curves import plot_two_accuracies
from labkit.drawing import BLUE, bars, digit, grid, show
from labkit.experiment import Experiment
from labkit.exploring import show_explorer
from labkit.full_mnist import brief, expected, find_full_set, hold_out, keras_cache, load_digits
from labkit.guesses import look_back
from labkit.loading import load_handwriting
from labkit.messages import LabError, use_names, why_unusable
from labkit.photographs import keep, plot_stages
from labkit.photographs import plot_read_photos as plot_photos
from labkit.training import Results, accuracy, as_input, predict, watch, watchers
from labkit.values_in_words import Array

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
    "my_guess": "the cell above, which holds your guess",
    "X_train": "section 3, after Exercise 1",
    "X_test": "section 3, after Exercise 1",
    "results": "section 4, after Exercise 2",
    "callbacks": "section 4, after Exercise 2",
    "recorder": "section 4, after Exercise 2",
    "watch": "section 5, before Exercise 3",
    "probabilities": "section 6, after Exercise 4",
    "digits": "section 6, after Exercise 4",
    "deep_probabilities": "section 6, after Exercise 4",
    "matrix": "section 6, after Exercise 4",
    "photos": "section 7, after Exercise 5",
    "photo_labels": "section 7, after Exercise 5",
    "convolutional": "section 9",
}
"""Which given cell of lab_mnist makes a name."""


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
        reason = why_unusable(error)
    print(
        f"… Exercise 1 cannot be used so far ({reason}). Until then you have prepared rows on loan."
    )
    return [np.stack([brightness[image].ravel() for image in part]) for part in parts]


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
    if ink.size and ink.max() < 0.15 and ink.min() < -0.15:
        raise LabError(
            "There is no digit to be seen in this picture: what is darker than its paper is negative. Take "
            "grey from the paper's brightness, not the other way round, so that ink is bright."
        )
    if not np.isfinite(ink).all():
        raise LabError(
            "There is no digit to be seen in this picture: it has values that are no numbers, because "
            "something was divided by 0. A blank picture gives that; or print what you divide by."
        )
    if not ink.size or ink.max() < 0.15:
        raise LabError(
            "There is no digit to be seen in this picture: nothing in it is much darker than the "
            "paper around it. Write larger or darker, and leave some paper around the digit. If it has dark "
            "ink, see that grey is taken from the paper's brightness, not the other way round."
        )
    rows, columns = np.nonzero(ink > 0.5 * ink.max())
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def sample_photos(folder: str | os.PathLike[str] = "Data/handwriting") -> tuple[list[str], Array]:
    """Return the paths of the dozen sample photographs, and their digits, int64 (12,)."""
    _, digits = load_handwriting(folder)
    return [os.fspath(path) for path in sorted(Path(folder).glob("photo_*.png"))], digits


def plot_classes(images: Array, labels: Array, each: int = 3) -> None:
    """Show the ten classes: the first `each` images of every digit, and how many there are."""
    digits = range(10)
    counts = [int((labels == d).sum()) for d in digits]
    chosen = [np.flatnonzero(labels == d)[:each] for d in digits]
    rows = [rows[k] for k in range(each) for rows in chosen]
    captions = [f"{d}: {n:,}" for d, n in zip(digits, counts, strict=True)]
    captions += [""] * (10 * each - 10)
    low, high = int(np.argmin(counts)), int(np.argmax(counts))
    how_many = (
        f"{counts[0]} of each"
        if counts[low] == counts[high]
        else (f"from {counts[low]:,} ({low}) to {counts[high]:,} ({high})")
    )
    show(
        grid(images[rows], 10, captions, cell=0.85),
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
        f"The first training image, a {label}: 28 by 28 pixels, each value but 0 written into "
        "it; ink is bright.",
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
        axes.set(xlabel="value", ylabel="pixels (log scale)", title=title)
        axes.title.set_fontsize(10)
    blank = float((np.asarray(before) == 0).mean())
    show(
        figure,
        "Two histograms of the pixels, on a logarithmic scale, with the same outline; only the scale under "
        "them differs.",
        f"Before: {before.min()} to {before.max()}, shape {before.shape}; after: {after.min():g} to "
        f"{after.max():g}, shape {after.shape}. {blank:.0%} of the pixels are 0.",
    )


def plot_one(image: Array, label: int, chances: Array) -> None:
    """Show one digit and the probabilities of the ten classes beside it."""
    figure = Figure(figsize=(5.6, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    digit(left, image, f"label {label}", size=10)
    bars(right, chances)
    first, second = np.argsort(chances)[::-1][:2]
    show(
        figure,
        f"A test digit, labelled {label}, and bars for the probabilities of the ten digits.",
        f"Read as {first} ({chances[first]:.1%}; next {second}, {chances[second]:.1%}); label {label}.",
    )


def explore(
    baseline: Any,
    recorder: Any,
    deep: Any,
    deep_history: Any,
    convolutional: Any,
    X: Array,
    y: Array,
) -> None:
    """Show the explorer on all three networks, or say in one sentence why that fails.

    Parameters
    ----------
    baseline, deep, convolutional : keras.Sequential
    recorder : explorer.Recorder or None
        The baseline's weights, epoch by epoch.
    deep_history : keras.callbacks.History
        The deep network's curves; its weights of 100 epochs would make the page ten times as large.
    X, y : ndarray
        Rows (m, 784) and labels to choose digits from.
    """
    watched = recorder if recorder is not None and recorder.epochs else None
    show_explorer(
        lambda explorer: explorer(
            baseline,
            X,
            y,
            watched,
            compare={"deep": (deep, deep_history), "convolutional": convolutional},
            name="baseline",
            samples=400,
        ),
        say=brief,
    )


use_names(EXERCISES, GIVEN_IN)
