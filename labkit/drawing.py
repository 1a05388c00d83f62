"""Drawing: how a figure is shown, and the parts that figures are made of.

Every figure comes with a description for people who cannot see it (the image's ``alt`` text) and
with one line of text under it that says what it shows.
"""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labkit.values_in_words import Array

BLUE, ORANGE, GREY = "#1f5fa8", "#b34700", "#6b6b6b"


def show(figure: Figure, description: str, summary: str, *, photo: bool = False) -> None:
    """Show a figure with its description (``alt`` text) and, under it, one line that sums it up.

    JupyterLab has no other way to give an output image an ``alt`` text than HTML.
    """
    text = f"[Figure: {description}] {summary}"
    if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
        print(text)
        return
    from IPython.display import display

    kind, data = _encoded(figure, photo)
    image = (
        f'<img alt="{html.escape(description)}" width="{round(figure.get_figwidth() * 96)}" '
        f'style="max-width: 100%" src="data:image/{kind};base64,{data}">'
    )
    caption = f'<figcaption style="max-width: 48em">{html.escape(summary)}</figcaption>'
    page = f'<figure style="margin: 0.5em 0">{image}{caption}</figure>'
    display({"text/html": page, "text/plain": text}, raw=True)


def _encoded(figure: Figure, photo: bool) -> tuple[str, str]:
    """Return a figure's image type and its base64 text, small: a notebook keeps all of them."""
    from PIL import Image

    figure.set_dpi(120)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib has no types here
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels[..., :3])
    small = io.BytesIO()
    if photo:
        image.save(small, "JPEG", quality=80)
    else:
        image.quantize(48, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            small, "PNG"
        )
    return "jpeg" if photo else "png", base64.b64encode(small.getvalue()).decode()


def from_to(counts: Sequence[int] | Array) -> str:
    """Write the smallest and the largest of some counts."""
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def picture(row: Array) -> Array:
    """Return a row of ``X`` as a picture (20, 20): the unrolling by columns undone."""
    return np.asarray(row).reshape(20, 20).T


def grid(
    pictures: Sequence[Array] | Array,
    columns: int,
    captions: Sequence[str],
    *,
    cell: float = 0.72,
) -> Figure:
    """Draw square pictures of one size, or rows of ``X``, in a grid, each with its caption above it.

    They are one image: axes for each would take ten times as long.
    """
    upright = [picture(one) if np.ndim(one) == 1 else np.asarray(one) for one in pictures]
    upright = [one / 255 if one.dtype == np.uint8 else one for one in upright]
    lines, side = -(-len(upright) // columns), len(upright[0])
    high, wide = side * 3 // 2, side * 6 // 5
    canvas = np.ones((lines * high, columns * wide))
    figure = Figure(figsize=(columns * cell, lines * cell * 1.25 + 0.1))
    axes = figure.add_axes((0, 0, 1, 0.96))
    for i, (one, caption) in enumerate(zip(upright, captions, strict=True)):
        top, left = (i // columns) * high + side * 9 // 20, (i % columns) * wide + side // 10
        canvas[top : top + side, left : left + side] = np.clip(one, 0, 1)
        middle = left + (side - 1) / 2
        axes.text(middle, top - side * 0.075, caption, ha="center", va="bottom", fontsize=9)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    return figure


def panels(
    width: float,
    height: float,
    columns: int = 1,
    *,
    left: float = 0.65,
    right: float = 0.15,
    bottom: float = 0.5,
    top: float = 0.15,
    between: float = 0.7,
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes side by side; sizes and margins in inches.

    A layout engine would find the margins by drawing everything twice more.
    """
    figure = Figure(figsize=(width, height))
    each = (width - left - right - (columns - 1) * between) / columns
    places = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": between / each,
    }
    return figure, list(figure.subplots(1, columns, squeeze=False, gridspec_kw=places)[0])


def digit(axes: Axes, picture: Array, caption: str, size: float = 9) -> None:
    high = 255 if np.asarray(picture).max() > 2 else 1
    axes.imshow(np.asarray(picture).reshape(28, 28), cmap="gray", vmin=0, vmax=high)
    axes.set_title(caption, fontsize=size)
    axes.set_axis_off()


def bars(axes: Axes, chances: Array) -> None:
    """Draw the probabilities of the ten digits, the largest in another colour."""
    best = int(np.argmax(chances))
    drawn = axes.barh(range(10), chances, color=[ORANGE if d == best else BLUE for d in range(10)])
    labels = [f"{p:.3f}" if p >= 0.0005 else "" for p in chances]
    axes.bar_label(drawn, labels=labels, fontsize=8, padding=2)
    axes.set(yticks=range(10), xlim=(0, 1.18), xlabel="probability")
    axes.invert_yaxis()
