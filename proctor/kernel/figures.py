"""What a figure of Matplotlib's shows, as plain data.

Run in the student's process (:mod:`proctor.kernel.agent` ships its source): what is described is what the
student's process says is there. Matplotlib is imported only where it is in use.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

MAX_PARTS = 200
"""Most lines, bars or collections of one pair of axes that are told."""


def describe(drawn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Describe a figure, axes, or what a function draws.

    Parameters
    ----------
    drawn : Figure, Axes or callable
        A function is called, with `args` and `kwargs`; what it returns is described or, if that is
        neither, the figure that it left as Matplotlib's current one.

    Raises
    ------
    TypeError
        If there is no figure.
    """
    if not _figure(drawn) and callable(drawn):
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")
        drawn = drawn(*args, **kwargs)
        pyplot = sys.modules.get("matplotlib.pyplot")
        if not _figure(drawn) and pyplot is not None and pyplot.get_fignums():
            drawn = pyplot.gcf()
    figure = _figure(drawn)
    if figure is None:
        raise TypeError("nothing was drawn: there is neither a figure nor axes")
    return {
        "title": figure.get_suptitle(),
        "axes": [_axes(one) for one in figure.axes[:MAX_PARTS]],
    }


def _figure(drawn: Any) -> Any:
    """Return the figure that an object is or belongs to; None if there is none."""
    if isinstance(drawn, np.ndarray) and drawn.size and drawn.dtype == object:
        drawn = drawn.flat[0]
    if isinstance(drawn, tuple | list) and drawn:
        drawn = drawn[0]
    if hasattr(drawn, "get_suptitle") and hasattr(drawn, "axes"):
        return drawn
    figure = getattr(drawn, "figure", None)
    return figure if hasattr(figure, "get_suptitle") else None


def _axes(axes: Any) -> dict[str, Any]:
    legend = axes.get_legend()
    bars = [patch for patch in axes.patches if hasattr(patch, "get_height")]
    return {
        "title": axes.get_title(),
        "xlabel": axes.get_xlabel(),
        "ylabel": axes.get_ylabel(),
        "xscale": axes.get_xscale(),
        "yscale": axes.get_yscale(),
        "xticklabels": [one.get_text() for one in axes.get_xticklabels()[:MAX_PARTS]],
        "legend": [] if legend is None else [one.get_text() for one in legend.get_texts()],
        "lines": [
            {"x": _numbers(one.get_xdata()), "y": _numbers(one.get_ydata()), "label": _label(one)}
            for one in axes.lines[:MAX_PARTS]
        ],
        "bars": [
            {
                "x": float(one.get_x()),
                "y": float(one.get_y()),
                "width": float(one.get_width()),
                "height": float(one.get_height()),
            }
            for one in bars[:MAX_PARTS]
        ],
        "points": [
            {"xy": _numbers(one.get_offsets()), "label": _label(one)}
            for one in axes.collections[:MAX_PARTS]
        ],
        "images": [_numbers(one.get_array()) for one in axes.images[:MAX_PARTS]],
    }


def _numbers(values: Any) -> Any:
    """Return an array of numbers: dates as Matplotlib counts them, words as they are."""
    array = np.asarray(np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) else values)
    if array.dtype.kind in "biuf":
        return np.array(array)
    if array.dtype.kind == "M":
        return array.astype("datetime64[s]").astype(float) / 86400.0
    return [str(one) for one in array.ravel()[:10_000]]


def _label(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else label
