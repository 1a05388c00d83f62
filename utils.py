"""What lab_digits loads and plots with: one function, one job.

Every figure comes with a description for people who cannot see it (the image's ``alt`` text) and
with one line of text under it that says what it shows. What is imported from ``labkit`` serves both
labs. Keras is imported only where it is needed, so importing this file is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from labkit.confusion_plots import plot_confusion, plot_mistakes
from labkit.curves import plot_history
from labkit.drawing import BLUE, GREY, ORANGE, from_to, grid, panels, picture, show
from labkit.exploring import show_explorer
from labkit.gradient_steps import fresh, logits_of, plot_learning_rates, plot_one_step
from labkit.guesses import look_back, share_of_pairs
from labkit.loading import find_own_picture, load_data, load_handwriting, read_image
from labkit.messages import (
    LabError,
    check_packages,
    explain_missing_names,
    needs,
    quiet_start,
    use_names,
    where_from,
    why_unusable,
)
from labkit.photographs import plot_handwriting, plot_photos, plot_preprocess
from labkit.pictures import centre_by_mass, only_resized, paper_light, resize
from labkit.split_parts import trouble
from labkit.training import one_layer_model, training_callbacks
from labkit.values_in_words import Array

EXERCISES = {
    "my_softmax": "Exercise 1",
    "model": "Exercise 2",
    "my_dense": "Exercise 3",
    "split_data": "Exercise 4",
    "cross_entropy": "Exercise 5",
    "history": "Exercise 6",
    "predict_digits": "Exercise 7",
    "preprocess": "Exercise 8",
}
"""Which exercise makes a name, for the sentence about a name that is missing."""

GIVEN_IN = {
    "my_guess": "the cell above, which holds your guess",
    "X": "section 2, which loads the digits",
    "y": "section 2, which loads the digits",
    "X_train": "section 5, after Exercise 4",
    "X_test": "section 5, after Exercise 4",
    "y_train": "section 5, after Exercise 4",
    "y_test": "section 5, after Exercise 4",
    "callbacks": "section 7, before Exercise 6",
    "recorder": "section 7, before Exercise 6",
    "digits": "section 8, after Exercise 7",
    "probabilities": "section 8, after Exercise 7",
    "photos": "the beginning of section 9",
    "photo_labels": "the beginning of section 9",
}
"""Which given cell makes a name."""


def split_or_lend(
    split: Callable[[], Any], X: Array, y: Array
) -> tuple[Array, Array, Array, Array]:
    """Return what Exercise 4 gives; where that is not right yet, hold out every fifth row.

    Parameters
    ----------
    split : function of no argument
        Calls your ``split_data`` and returns X_train, X_test, y_train, y_test.
    """
    try:
        parts = split()
        reason = trouble(parts, split(), X, y)
        if not reason:
            return tuple(np.asarray(part) for part in parts)  # type: ignore[return-value]  # of four
    except Exception as error:  # noqa: BLE001  your code may raise anything; the line below says what
        reason = why_unusable(error)
    print(
        f"… Exercise 4 cannot be used so far ({reason.rstrip('.')}). Until then you have a simple "
        "split on loan: every fifth row is held out."
    )
    held = np.arange(len(y)) % 5 == 0
    return X[~held], X[held], y[~held], y[held]


def plot_two_orders(row: Array, label: int) -> None:
    """Show one row of ``X`` put back row by row (wrong) and column by column (right)."""
    figure, both = panels(6, 2.9, 2, left=0.4, bottom=0.3, top=0.3, between=0.5)
    square = np.asarray(row).reshape(20, 20)
    for axes, image, title in zip(
        both,
        (square, square.T),
        ('row by row: order="C"', 'column by column: order="F"'),
        strict=True,
    ):
        axes.imshow(image, cmap="gray")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([0, 5, 10, 15])
        axes.set_yticks([0, 5, 10, 15])
    show(
        figure,
        f"The same 400 numbers as a picture, twice. Filled row by row the {label} lies mirrored on "
        "its side; filled column by column it stands upright.",
        f"A {label}: 20x20 pixels, {row.min():.3f} to {row.max():.3f}, unrolled column by column.",
    )


def plot_samples(X: Array, y: Array, seed: int = 1234) -> None:
    """Show 64 digits, drawn at random, with their labels."""
    rows = np.random.default_rng(seed).choice(len(X), 64, replace=False)
    labels = " ".join(map(str, y[rows]))
    show(
        grid(X[rows], 8, [str(label) for label in y[rows]], cell=0.46),
        f"64 handwritten digits in eight lines, the label above each: {labels}.",
        f"64 of {len(X):,} digits; every label names the digit under it.",
    )


def plot_classes(X: Array, y: Array) -> None:
    """Show the mean of each class, and how many digits it has."""
    classes = np.unique(y)
    means = np.array([X[y == k].mean(axis=0) for k in classes])
    counts = [int((y == k).sum()) for k in classes]
    show(
        grid(means, 10, [f"{k}: {n}" for k, n in zip(classes, counts, strict=True)], cell=0.85),
        "The mean picture of each class: blurred, but each can be read as its digit.",
        f"{len(classes)} classes, {from_to(counts)} digits each.",
    )


def plot_relu(relu: Callable[[Array], Array]) -> None:
    """Show ReLU between -3 and 3."""
    z = np.linspace(-3, 3, 121)
    figure, (axes,) = panels(4.6, 2.7)
    axes.plot(z, relu(z), color=BLUE, linewidth=2.5)
    axes.set(xlabel="z, what comes in", ylabel="a, what goes out")
    axes.text(-1.6, 0.25, "off: a = 0", ha="center")
    axes.text(1.25, 1.75, "on: a = z", ha="right")
    axes.grid(alpha=0.3)
    show(
        figure,
        "ReLU as a line: flat at 0 for negative z, then rising with slope 1.",
        "ReLU(z) = max(0, z): it lets positive numbers through and stops negative ones.",
    )


def plot_softmax(my_softmax: Callable[[Array], Array], z: Sequence[float] = (1, 2, 3, 4)) -> None:
    """Show logits and the probabilities that `my_softmax` makes of them, as bars."""
    logits = np.array(z, dtype=np.float64)
    probabilities = np.asarray(my_softmax(logits.copy()), dtype=np.float64)
    figure, both = panels(6.6, 2.5, 2, left=0.4, bottom=0.3, top=0.3, between=0.5)
    for axes, values, title in zip(
        both, (logits, probabilities), ("logits z", "my_softmax(z)"), strict=True
    ):
        bars = axes.bar(range(len(values)), values, color=BLUE)
        axes.bar_label(bars, fmt="%.3g", fontsize=9)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(values)))
        axes.margins(y=0.18)
    share = ", ".join(f"{p:.3f}" for p in probabilities)
    show(
        figure,
        "Two bar charts: the logits, and what softmax makes of them; the order stays, the gaps grow.",
        f"Logits {', '.join(f'{v:g}' for v in logits)} become {share}; sum {probabilities.sum():.6f}.",
    )


def plot_overflow() -> None:
    """Show what float32 makes of the cross-entropy, from probabilities and from logits."""
    gap = np.linspace(0, 200, 201, dtype=np.float32)
    with np.errstate(divide="ignore"):
        naive = -np.log(np.exp(-gap) / (1 + np.exp(-gap)))
    stable = gap + np.log1p(np.exp(-gap))
    last = float(gap[np.isfinite(naive)][-1])
    figure, (axes,) = panels(6, 2.8)
    axes.plot(gap, stable, color=BLUE, linewidth=4, alpha=0.6, label="from the logits")
    axes.plot(gap, naive, color=ORANGE, linewidth=2, linestyle="--", label="from probabilities")
    axes.plot(last, last, "x", color=ORANGE, markersize=10, markeredgewidth=2.5)
    axes.axvline(last, color=GREY, linestyle=":")
    axes.text(last + 3, 12, f"beyond {last:.0f}: infinite", color=ORANGE)
    axes.set(xlabel="how far the right logit is behind", ylabel="cross-entropy")
    axes.legend()
    show(
        figure,
        "Cross-entropy against the distance between two logits: a straight line from the logits; "
        "the dashed one, from probabilities, ends where the probability becomes 0.",
        f"In float32 the loss from probabilities is infinite beyond {last:.0f}; from logits it is "
        f"right everywhere ({stable[-1]:.0f} at {gap[-1]:.0f}).",
    )


def plot_agreement(mine: Array, theirs: Array) -> None:
    """Show logits computed by hand against the ones that Keras gives."""
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    if mine.shape != theirs.shape:
        raise ValueError(f"shapes differ: {mine.shape} by hand, {theirs.shape} from Keras")
    largest = np.abs(mine - theirs).max()
    ends = [min(mine.min(), theirs.min()), max(mine.max(), theirs.max())]
    figure, (axes,) = panels(3.6, 3.2)
    axes.plot(ends, ends, color=GREY, linewidth=1)
    axes.plot(theirs.ravel(), mine.ravel(), "o", color=BLUE, markersize=3)
    axes.set(xlabel="logit, Keras", ylabel="logit, my_dense three times")
    verdict = "the same numbers" if largest < 1e-4 else "not the same numbers yet"
    show(
        figure,
        "Each logit by hand against the same one from Keras, with the diagonal on which they agree.",
        f"{mine.size} logits, largest difference {largest:.1e}: {verdict}.",
    )


def plot_split(y_train: Array, y_test: Array) -> None:
    """Show how many digits of each class are to train on and how many are held out."""
    digits = np.arange(10)
    train = np.array([(np.asarray(y_train) == k).sum() for k in digits])
    test = np.array([(np.asarray(y_test) == k).sum() for k in digits])
    figure, (axes,) = panels(6, 2.5, top=0.35)
    axes.bar(digits, train, color=BLUE, label="to train on")
    bars = axes.bar(
        digits, test, bottom=train, color="white", edgecolor=ORANGE, hatch="///", label="held out"
    )
    axes.bar_label(
        bars,
        labels=[str(n) for n in test],
        label_type="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    axes.set(xticks=digits, xlabel="digit", ylabel="rows")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    show(
        figure,
        "Stacked bars, one per digit: rows to train on below, held-out rows (hatched) on top.",
        f"{train.sum():,} rows to train on ({from_to(train)} per digit), {test.sum():,} held out "
        f"({from_to(test)} per digit).",
    )


def activations(model: Any, row: Array) -> list[Array]:
    """Return what each layer of a model gives for one row of ``X``, in one call of the model."""
    a = np.asarray(row, dtype=np.float32)[np.newaxis]
    found = []
    for layer in model.layers:
        a = np.asarray(layer(a))
        found.append(a[0])
    return found


def plot_prediction(
    model: Any, row: Array, label: int, my_softmax: Callable[[Array], Array]
) -> None:
    """Show one digit on its way through the network: pixels, activations, logits, probabilities."""
    *hidden, logits = activations(model, row)
    probabilities = np.asarray(my_softmax(logits.astype(np.float64)))
    figure = Figure(figsize=(9, 2.7))
    figure.subplots_adjust(left=0.01, right=0.99, top=0.84, bottom=0.1, wspace=0.28)
    panels = figure.subplots(1, 3 + len(hidden), width_ratios=[1.3] + [1] * (2 + len(hidden)))
    panels[0].imshow(picture(row), cmap="gray")
    panels[0].set_title(f"label {label}", fontsize=10)
    panels[0].set_axis_off()
    for number, (axes, a) in enumerate(zip(panels[1:], hidden, strict=False), 1):
        axes.barh(range(len(a)), a, color=GREY)
        axes.locator_params(axis="y", integer=True)
        axes.set_title(f"layer {number}:\n{int((a > 0).sum())} of {len(a)} on", fontsize=9)
    for axes, values, title in zip(
        panels[-2:], (logits, probabilities), ("logits", "probabilities"), strict=True
    ):
        axes.barh(range(len(values)), values, color=BLUE)
        axes.set_yticks(range(len(values)))
        axes.set_title(title, fontsize=10)
    for axes in panels[1:]:
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)
    first, second = np.argsort(probabilities)[::-1][:2]
    show(
        figure,
        f"A {label} as pixels, then bars: the units of each hidden layer, ten logits, ten probabilities.",
        f"The logit of {first} is the largest ({logits[first]:.1f}; next {second}, {logits[second]:.1f}): "
        f"probability {probabilities[first]:.4f} against {probabilities[second]:.4f}. Label: {label}.",
    )


def plot_predictions(X: Array, y: Array, digits: Array, seed: int = 1234) -> None:
    """Show 64 digits at random with label and prediction; a cross marks each wrong one."""
    rows = np.random.default_rng(seed).choice(len(X), 64, replace=False)
    pairs = list(zip(y[rows].tolist(), np.asarray(digits)[rows].tolist(), strict=True))
    captions = [str(d) if d == k else f"✗ {k}→{d}" for k, d in pairs]
    wrong = [f"{k} read as {d}" for k, d in pairs if d != k]
    told = f"{len(wrong)} wrong ({', '.join(wrong[:8])})" if wrong else "none wrong"
    show(
        grid(X[rows], 8, captions, cell=0.46),
        "64 held-out digits in eight lines, the prediction above each; where it is wrong, a cross, "
        "the label, an arrow and the prediction.",
        f"64 of {len(X):,} held-out digits: {told}.",
    )


def plot_picture(image: Array) -> None:
    """Show any grey picture (H, W), for looking at what a step of yours gives."""
    image = np.asarray(image, dtype=np.float64)
    figure, (axes,) = panels(3.8, 2.6, left=0.45, bottom=0.3)
    axes.locator_params(integer=True, nbins=5)
    figure.colorbar(axes.imshow(image, cmap="gray"))
    show(
        figure,
        "A grey picture with the scale of its values.",
        f"{image.shape[0]} rows, {image.shape[1]} columns, {image.min():.3g} to {image.max():.3g}.",
    )


def explore(model: Any, X: Array, y: Array, recorder: Any = None, history: Any = None) -> None:
    """Show the explorer on a model and some digits, or say in one sentence why that fails."""
    watched = recorder if recorder and recorder.epochs else history
    show_explorer(lambda explorer: explorer(model, X, y, history=watched))


use_names(EXERCISES, GIVEN_IN)
