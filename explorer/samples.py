"""The data that the explorer shows: checked, thinned out, and made into bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ExplorerError
from .layers import MANY, Layer, Shape, outputs, work_of

SIDES = range(8, 65)
"""Sides of square images that can be drawn; a row of numbers is taken for an image up to 32."""

NEAR = -0.25
"""Resizing leaves digits from 0 to 1 with values a little below 0; what goes lower is standardised."""

FIRST = 200
"""Samples among which the first one is chosen where looking at all takes long."""

COMMON = 0.15
"""Share of the pixels that have one value, at least, for it to be paper that can be drawn on."""


@dataclass(frozen=True)
class Samples:
    """What is shown (m, n) with its labels (m,): value = (byte - zero) * scale, or the values as such.

    Images are bytes (uint8); a table's rows, whose columns have ranges of their own, are float32.
    """

    data: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.uint16]
    scale: float
    zero: int
    of: int

    @property
    def values(self) -> NDArray[np.float32]:
        """The inputs as the browser sees them, float32 (m, n)."""
        if self.data.dtype == np.float32:
            return np.asarray(self.data, dtype=np.float32)
        steps = self.data.astype(np.float64) - self.zero
        return np.asarray(steps * self.scale, dtype=np.float32)


def take_labels(y: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return labels as integers (m,); floats that are whole are taken as such."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == classes > 1:
        raise ExplorerError(
            f"y has {classes} columns, one for each class. Give the classes themselves: y.argmax(axis=1)"
        )
    labels = labels.reshape(-1)
    text = next((label for label in labels.tolist() if isinstance(label, (str, bytes))), None)
    if text is not None:
        raise ExplorerError(
            f"y holds text ({str(text)!r}). Give the classes as integers 0 to {classes - 1}: "
            "y.astype(int) for digits, np.unique(y, return_inverse=True)[1] for names."
        )
    if labels.dtype.kind == "f":
        odd = labels[~np.isfinite(labels) | (labels != np.floor(labels))]
        if odd.size:
            raise ExplorerError(
                f"y holds {odd[0]}, which is no class. Give the integers 0 to {classes - 1}."
            )
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        raise ExplorerError(
            f"y has the dtype {labels.dtype}. Give the classes as integers 0 to {classes - 1}."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ExplorerError(
            f"y goes from {labels.min()} to {labels.max()}, but the model's classes are the "
            f"integers 0 to {classes - 1}. In ex3data1.mat the zero is stored as 10: y[y == 10] = 0"
        )
    return labels.astype(np.int64)


def take_samples(
    X: ArrayLike, y: ArrayLike, width: int, classes: int, limit: int, table: bool = False
) -> Samples:
    """Choose at most `limit` of the inputs, evenly from the given order, and pack them.

    Parameters
    ----------
    X : (m, width) or (m, rows, columns) or (m, rows, columns, channels)
        Inputs as the model takes them.
    y : (m,) or (m, 1)
        Their classes, 0 to classes - 1.
    width, classes : int
        What the model takes and returns.
    limit : int
        Inputs to keep; the labels' order decides which, so every class keeps its share.
    table : bool
        Whether the columns have ranges of their own: then they stay float32.
    """
    if not isinstance(limit, (int, np.integer)) or limit < 1:
        raise ExplorerError(f"samples is {limit!r}; give how many inputs to keep, 1 or more.")
    try:
        given = np.asarray(X)
        if given.dtype.kind not in "biufO":
            raise TypeError
        inputs = given.astype(np.float64)
    except (TypeError, ValueError):
        raise ExplorerError(
            "X holds something that is no number. Give an array of numbers: integers or floats."
        ) from None
    if inputs.ndim < 2 or prod(inputs.shape[1:]) != width:
        raise ExplorerError(
            f"X has shape {np.shape(X)}, but the model takes {width} numbers a digit. Give X with "
            f"shape (m, {width}), one digit a row."
        )
    inputs = inputs.reshape(len(inputs), width)
    count = np.asarray(y).reshape(-1).size
    if np.asarray(y).ndim < 2 and (count != len(inputs) or not count):
        raise ExplorerError(
            f"X holds {len(inputs):,} digits and y {count:,} labels. Give one label for "
            "each digit, and at least one of them."
        )
    labels = take_labels(y, classes)
    if len(labels) != len(inputs):
        raise ExplorerError(f"X holds {len(inputs):,} digits and y {len(labels):,} labels.")
    if not np.isfinite(inputs).all():
        raise ExplorerError("X has pixels that are NaN or infinite. Load the data again.")
    chosen = _spread(labels, limit)
    inputs, kept = inputs[chosen], labels[chosen].astype(np.uint16)
    if table:
        return Samples(inputs.astype(np.float32), kept, 1.0, 0, len(labels))
    low, high = min(0.0, inputs.min()), max(inputs.max(), inputs.min() + 1e-6)
    scale = (high - low) / 255
    zero = round(-low / scale)
    pixels = np.clip(np.rint(inputs / scale) + zero, 0, 255).astype(np.uint8)
    return Samples(pixels, kept, float(scale), zero, len(labels))


def _spread(labels: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """Indices of at most `limit` rows: each class in proportion, the classes mixed."""
    by_class = np.argsort(labels, kind="stable")
    count = min(limit, len(labels))
    chosen = by_class[np.floor((np.arange(count) + 0.5) * len(labels) / count).astype(np.intp)]
    return chosen[np.random.default_rng(0).permutation(count)]


def begin_well(samples: Samples, layers: list[Layer]) -> Samples:
    """Put an input in front that the model reads rightly and not too surely; a 7 if there is one.

    Of those, it is the one most like the others of its class: no riddle for who looks at it first.
    """
    count = len(samples.labels)
    if work_of(layers) * count > MANY:
        count = FIRST
    values = samples.values[:count].astype(np.float64)
    labels = samples.labels[:count]
    raw = outputs(layers, values)
    if layers[-1].activation != "softmax":
        raw = np.exp(raw - raw.max(axis=1, keepdims=True))
        raw /= raw.sum(axis=1, keepdims=True)
    right = raw.argmax(axis=1) == labels
    classes = range(raw.shape[1])
    means = np.stack([values[labels == k].sum(axis=0) for k in classes])
    means /= np.maximum(1, np.bincount(labels, minlength=len(classes)))[:, None]
    unlike = np.square(values - means[labels]).sum(axis=1)
    sure = raw.max(axis=1)
    worse = 4 * ~right + 2 * (labels != 7) + ((sure < 0.8) | (sure > 0.995))
    cost = worse + unlike / (1 + unlike.max())
    first = int(cost.argmin())
    order = np.argsort(np.arange(len(samples.labels)) != first, kind="stable")
    return replace(samples, data=samples.data[order], labels=samples.labels[order])


def lay_out_input(shape: Shape, columns: Sequence[str] | None, order: str | None) -> dict[str, Any]:
    """What the network takes: an image of so many rows, columns and channels, or a table's row.

    A row of numbers is an image if it is a square of 8 to 32 pixels a side and has no column names.
    """
    rows, cols, channels = shape
    if rows * cols > 1:
        image = {"kind": "image", "rows": rows, "cols": cols, "channels": channels, "order": "C"}
        if columns is not None:
            raise ExplorerError(
                "columns are names for a row of numbers; this model takes an image."
            )
        if order == "F":
            raise ExplorerError(
                "order is 'F', but the model takes images row by row: leave order out."
            )
        return {**image, "side": rows if rows == cols else 0, "columns": []}
    width = channels
    side = round(width**0.5)
    if columns is None and side * side == width and side in SIDES and side <= 32:
        found = {"kind": "image", "rows": side, "cols": side, "channels": 1, "columns": []}
        return {**found, "side": side, "order": order or ("F" if side == 20 else "C")}
    names = [str(name) for name in columns] if columns is not None else []
    if columns is not None and len(names) != width:
        raise ExplorerError(
            f"There are {len(names)} names in columns, but the model takes {width} numbers."
        )
    names = names or [f"column {k}" for k in range(width)]
    table = {"kind": "columns", "rows": 1, "cols": width, "channels": 1, "side": 0}
    return {**table, "order": "C", "columns": names}


def find_range(values: NDArray[np.float32], place: dict[str, Any]) -> dict[str, Any]:
    """The values of paper and ink, and whether a drawing can be made into such an input.

    Digits from 0 to 1 or to 255 are what preprocessing makes. Where the data were standardised as a
    whole, paper is the value that most pixels have and ink the largest. Where each pixel was
    standardised by itself, no value is paper: such an input cannot be drawn.
    """
    low, high = float(values.min()), float(values.max())
    drawable = place["kind"] == "image" and place["channels"] == 1 and place["side"] in SIDES
    if low > NEAR and high <= 2:
        found: dict[str, Any] = {"low": 0.0, "high": 1.0}
    elif low > NEAR:
        found = {"low": 0.0, "high": 255.0 if high > 16 else high}
    else:
        levels, counts = np.unique(values, return_counts=True)
        paper = float(levels[counts.argmax()])
        drawable = drawable and counts.max() >= COMMON * values.size and paper < high
        found = {"low": paper if drawable else low, "high": high}
    # Named as the browser's preprocessing asks for it: does its last stage divide by 255?
    return {**found, "drawable": bool(drawable), "normalised": found["high"] != 255.0}
