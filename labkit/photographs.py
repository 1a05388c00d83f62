"""Figures of photographs: as they are, on their way to the network, and as they were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

from labkit.drawing import bars as draw_bars
from labkit.drawing import grid, panels, picture, show
from labkit.values_in_words import Array


def _readings(labels: Array, digits: Array, sure: Array, tick: str) -> tuple[list[str], str]:
    """Return a caption for each photograph that was read, and a sentence on all of them."""
    captions = [
        f"{tick if d == k else f'✗ {k}→'}{d}\n{p:.0%}"
        for k, d, p in zip(labels, digits, sure, strict=True)
    ]
    wrong = [f"{k} read as {d}" for k, d in zip(labels, digits, strict=True) if k != d]
    told = f"{len(labels) - len(wrong)} of {len(labels)} photographs read right"
    return captions, told + (f"; wrong: {', '.join(wrong)}." if wrong else ".")


def plot_photos(photos: Sequence[Array], labels: Array) -> None:
    """Show photographs as they are, in two lines."""
    from PIL import Image

    columns, tile = -(-len(photos) // 2), 150
    canvas = np.full((2 * (tile + 24), columns * (tile + 8), 4), 255, dtype=np.uint8)
    figure = Figure(figsize=(canvas.shape[1] / 120, canvas.shape[0] / 120))
    axes = figure.add_axes((0, 0, 1, 1))
    for i, (photo, label) in enumerate(zip(photos, labels, strict=True)):
        small = Image.fromarray(photo).convert("RGBA")
        small.thumbnail((tile, tile))
        top, left = (i // columns) * (tile + 24) + 24, (i % columns) * (tile + 8)
        canvas[top : top + small.height, left : left + small.width] = np.asarray(small)
        axes.text(left + 4, top - 5, str(label), fontsize=10)
    axes.imshow(canvas)
    axes.set_axis_off()
    sizes = sorted({photo.size // (photo.shape[0] * photo.shape[1]) for photo in photos})
    kinds = {1: "grey", 3: "RGB", 4: "RGBA"}
    show(
        figure,
        "Photographs of digits on paper of several colours, some lined or squared, with different "
        f"pens and shadows; their labels: {' '.join(map(str, labels))}.",
        f"{len(photos)} photographs, {', '.join(kinds[n] for n in sizes)}.",
        photo=True,
    )


def plot_preprocess(image: Array, row: Array, label: int | None = None) -> None:
    """Show a photograph beside what `preprocess` makes of it."""
    row = np.asarray(row)
    figure, (before, after) = panels(
        5.6, 2.6, 2, left=0.1, right=0.1, bottom=0.1, top=0.3, between=0.2
    )
    before.imshow(image, cmap="gray", vmin=0, vmax=255)
    after.imshow(picture(row), cmap="gray", vmin=0, vmax=1)
    for axes, title in (
        (before, f"{image.shape[1]}x{image.shape[0]} photograph"),
        (after, "what the network gets"),
    ):
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    down, across = ndimage.center_of_mass(np.clip(picture(row), 0, None))
    what = "a digit" if label is None else f"a {label}"
    show(
        figure,
        f"A photograph of {what} on paper, and beside it the 20x20 picture made of it.",
        f"Range {row.min():.2f} to {row.max():.2f}, centre of mass at row {down:.1f}, column "
        f"{across:.1f} of 0 to 19 (MNIST's digits: 9.5, 9.5).",
        photo=True,
    )


def plot_handwriting(rows: Array, labels: Array, digits: Array, probabilities: Array) -> None:
    """Show preprocessed photographs with what the network reads in them."""
    rows, digits, sure = np.asarray(rows), np.asarray(digits), np.asarray(probabilities).max(axis=1)
    captions, told = _readings(labels, digits, sure, "✓")
    show(
        grid(rows, 12, captions, cell=0.8),
        "Preprocessed photographs; above each a tick and the digit read, or a cross, the label, an "
        "arrow and the digit read; below that its probability.",
        told,
    )


_stages: dict[str, Array] = {}


def keep(name: str, picture: Array) -> None:
    """Keep a step of `preprocess_photo` for the figure that draws them; "photo" starts anew."""
    if name == "photo":
        _stages.clear()
    _stages[name] = np.array(picture)


def plot_stages(result: Array, chances: Array, label: int | None = None) -> None:
    """Show a photograph, each step that was kept, the result, and the ten probabilities."""
    last = np.asarray(result).reshape(28, 28)
    steps = [*_stages.items(), ("result", last)]
    figure = Figure(figsize=(1.75 * (len(steps) + 1.2), 2.5), layout="constrained")
    *pictures, bars = figure.subplots(1, len(steps) + 1, width_ratios=[1] * len(steps) + [1.3])
    for axes, (name, step) in zip(pictures, steps, strict=True):
        bright = 255 if step.dtype == np.uint8 else 1
        axes.imshow(step.squeeze(), cmap="gray", vmin=0, vmax=bright)
        axes.set_title(f"{name}\n{' x '.join(map(str, step.shape))}", fontsize=8)
        axes.set_axis_off()
    draw_bars(bars, chances)
    first = int(np.argmax(chances))
    what = "" if label is None else f"; it is a {label}: {'right' if first == label else 'wrong'}"
    show(
        figure,
        "A photograph on its way to the network, one picture per step, and bars for the probabilities "
        f"of the ten digits: {', '.join(name for name, _ in steps)}.",
        f"Read as {first} with probability {chances[first]:.3f}{what}. The result goes from "
        f"{last.min():.2f} to {last.max():.2f}.",
    )


def plot_read_photos(rows: Array, labels: Array, chances: Array) -> None:
    """Show prepared photographs with what the network reads in each."""
    digits, sure = chances.argmax(axis=1), chances.max(axis=1)
    captions, told = _readings(labels, digits, sure, "✓ ")
    show(
        grid(np.asarray(rows).reshape(-1, 28, 28), 12, captions, cell=0.8),
        "Prepared photographs; above each a tick and what was read, or a cross, the digit, an arrow and "
        "what was read; below that its probability.",
        told,
    )
