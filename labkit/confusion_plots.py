"""Figures of what a network reads wrong: confusion matrices, and the mistakes themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labkit.drawing import grid, panels, show
from labkit.messages import LabError
from labkit.values_in_words import Array


def _draw_matrix(
    axes: Axes,
    counts: Array,
    shade: Array,
    least: float,
    write: Callable[[int, int], str],
    size: int,
) -> None:
    """Draw a matrix: the darker the more, a text where something was counted, rights in bold.

    The root makes few mistakes visible beside many right answers.
    """
    dark = np.sqrt(shade / max(least, shade.max()))
    axes.imshow(dark, cmap="Oranges", vmin=0, vmax=1.15)
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            weight = "bold" if row == column else "normal"
            text = axes.text(column, row, write(row, column), ha="center", va="center")
            text.set(
                fontsize=size, weight=weight, color="white" if dark[row, column] > 0.7 else "black"
            )
    axes.set(xticks=range(10), yticks=range(10), ylabel="label")


def plot_confusion(y: Array, digits: Array) -> None:
    """Show how often each label was read as each digit."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (np.asarray(y), np.asarray(digits)), 1)
    off = counts - np.diag(np.diag(counts))
    figure, (axes,) = panels(5, 4.2)
    _draw_matrix(axes, counts, counts, 1, lambda row, column: str(counts[row, column]), 9)
    axes.set_xlabel("predicted")
    label, digit = np.unravel_index(off.argmax(), off.shape)
    right = np.trace(counts)
    show(
        figure,
        "Confusion matrix, a row for each label and a column for each prediction; right answers are "
        "on the diagonal, in bold.",
        f"{right:,} of {counts.sum():,} right ({right / counts.sum():.1%}); the most frequent mistake: "
        f"{label} read as {digit}, {off.max()} times.",
    )


def plot_mistakes(X: Array, y: Array, digits: Array, probabilities: Array, most: int = 10) -> None:
    """Show the wrong predictions that the network was surest of."""
    digits, sure = np.asarray(digits), np.asarray(probabilities).max(axis=1)
    wrong = np.flatnonzero(digits != y)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    if not len(worst):
        print("There is no mistake to show.")
        return
    told = [f"{y[i]}→{digits[i]}" for i in worst]
    show(
        grid(
            X[worst],
            10,
            [f"{t}\n{sure[i]:.0%}" for t, i in zip(told, worst, strict=True)],
            cell=0.85,
        ),
        f"The worst mistakes: label, arrow, prediction and its probability above each: {', '.join(told)}.",
        f"{len(wrong)} mistakes; in the {len(worst)} worst the network was {sure[worst].min():.0%} to "
        f"{sure[worst].max():.0%} sure.",
    )


def plot_confusion_rates(counts: Array) -> None:
    """Show a confusion matrix as counts and as rates; the diagonal is in bold."""
    counts = np.asarray(counts)
    if counts.shape != (10, 10):
        raise LabError(f"The matrix should have shape (10, 10), and has {counts.shape}.")
    rates = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(10.4, 4.9), layout="constrained")
    for axes, values, title, text in zip(
        figure.subplots(1, 2),
        (counts, rates),
        ("counts", "rates: % of each label"),
        ("{:.0f}", "{:.3g}"),
        strict=True,
    ):
        _draw_matrix(axes, counts, rates, 1.0, lambda *at, v=values, t=text: t.format(v[at]), 8)
        axes.set(xlabel="read as", title=title)
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
        grid(pictures, 2 * each, captions, cell=0.95),
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
        grid(images[worst], 10, captions, cell=0.9),
        "The worst mistakes: above each the label, an arrow, what was read, and its probability.",
        f"{len(wrong):,} mistakes; those of which the network was surest: "
        + ", ".join(f"a {labels[i]} read as {digits[i]} ({sure[i]:.1%})" for i in worst)
        + ".",
    )
