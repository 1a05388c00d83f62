"""Pack models, snapshots and digits into the bundle that the browser reads (``src/bundle.js``).

Layout, little-endian throughout: the 8 bytes ``DIGITS01``; the JSON header's length and the whole
bundle's length, uint32 each; the header; then the sections, each beginning at a multiple of 8.

===============  =====  ==========================================================================
section          dtype  content
===============  =====  ==========================================================================
``samples``      u8     the digits, a row each: value = (byte - zero) * scale
``labels``       u8     their classes
``weights{m}``   f32    model m, layer by layer: weights row by row, then the bias
``snapshots{m}`` f16    the same for each epoch, rounded so that no sample is read differently; the
                        bits' difference to the epoch before, modulo 65,536, which compresses
                        well since weights move little in an epoch
``reference{m}`` f32    what Keras returns for the first samples: the page compares its own
===============  =====  ==========================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ExplorerError
from .network import Dense, check_finite, outputs, read_layers
from .recorder import Recorder
from .words import WORDS

MAGIC = b"DIGITS01"

TOUR = Path(__file__).parent / "tour.json"
"""The guided tour: for each stop a text, the part it points at and the state it sets."""

REFERENCES = 100
"""Samples whose Keras output is packed, to be compared in the browser."""

TRIES = 500
"""Roundings tried, at most, until half precision reads every sample as the snapshot itself does."""

_BYTES = {"f32": "<f4", "f16": "<u2", "u8": "u1"}


@dataclass(frozen=True)
class Samples:
    """Digits as bytes (m, n) with their labels (m,): value = (byte - zero) * scale."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    scale: float
    zero: int
    of: int

    @property
    def values(self) -> NDArray[np.float32]:
        """The digits as the browser sees them, float32 (m, n)."""
        steps = self.pixels.astype(np.float64) - self.zero
        return np.asarray(steps * self.scale, dtype=np.float32)


def take_samples(X: ArrayLike, y: ArrayLike, width: int, classes: int, limit: int) -> Samples:
    """Choose at most `limit` of the digits, evenly from the given order, and make bytes of them.

    Parameters
    ----------
    X : (m, width) or (m, side, side)
        Digits, as the model takes them.
    y : (m,) or (m, 1) integers
        Their classes, 0 to classes - 1.
    width, classes : int
        What the model takes and returns.
    limit : int
        Digits to keep; the labels' order decides which, so every class keeps its share.
    """
    digits = np.asarray(X)
    labels = np.asarray(y).reshape(-1)
    if digits.ndim == 3:
        digits = digits.reshape(len(digits), -1)
    if digits.ndim != 2 or digits.shape[1] != width:
        raise ExplorerError(
            f"X has shape {np.shape(X)}, but the model takes {width} numbers a digit. Give X with "
            f"shape (m, {width}), one digit a row."
        )
    if len(labels) != len(digits) or not len(digits):
        raise ExplorerError(
            f"X holds {len(digits):,} digits and y {len(labels):,} labels. Give one label for "
            "each digit, and at least one of them."
        )
    if not np.isfinite(digits.astype(np.float64)).all():
        raise ExplorerError("X has pixels that are NaN or infinite. Load the data again.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise ExplorerError(
            f"y goes from {labels.min()} to {labels.max()}, but the model's classes are the "
            f"integers 0 to {classes - 1}. In ex3data1.mat the zero is stored as 10: y[y == 10] = 0"
        )
    chosen = _spread(labels, limit)
    digits = digits[chosen].astype(np.float64)
    low, high = min(0.0, digits.min()), max(digits.max(), digits.min() + 1e-6)
    scale = (high - low) / 255
    zero = round(-low / scale)
    pixels = np.clip(np.rint(digits / scale) + zero, 0, 255).astype(np.uint8)
    return Samples(pixels, labels[chosen].astype(np.uint8), float(scale), zero, len(labels))


def _spread(labels: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """Indices of at most `limit` rows: each class in proportion, the classes mixed."""
    by_class = np.argsort(labels, kind="stable")
    count = min(limit, len(labels))
    chosen = by_class[np.floor((np.arange(count) + 0.5) * len(labels) / count).astype(np.intp)]
    return chosen[np.random.default_rng(0).permutation(count)]


def _begin_well(samples: Samples, layers: list[Dense]) -> Samples:
    """Put a digit in front that the model reads rightly and not too surely; a 7 if there is one.

    Of those, it is the one most like the others of its class: no riddle for who looks at it first.
    """
    values = samples.values.astype(np.float64)
    raw = outputs(layers, values)
    if layers[-1].activation != "softmax":
        raw = np.exp(raw - raw.max(axis=1, keepdims=True))
        raw /= raw.sum(axis=1, keepdims=True)
    right = raw.argmax(axis=1) == samples.labels
    classes = range(raw.shape[1])
    means = np.stack([values[samples.labels == k].sum(axis=0) for k in classes])
    means /= np.maximum(1, np.bincount(samples.labels, minlength=len(classes)))[:, None]
    unlike = np.square(values - means[samples.labels]).sum(axis=1)
    sure = raw.max(axis=1)
    worse = 4 * ~right + 2 * (samples.labels != 7) + ((sure < 0.8) | (sure > 0.995))
    cost = worse + unlike / (1 + unlike.max())
    order = np.argsort(np.arange(len(cost)) != cost.argmin(), kind="stable")
    return replace(samples, pixels=samples.pixels[order], labels=samples.labels[order])


def _tour(layers: list[Dense], digit: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The tour's stops; where one opens a unit, it is the first layer's most active one."""
    stops: list[dict[str, Any]] = json.loads(TOUR.read_text(encoding="utf-8"))
    unit = int(outputs(layers[:1], digit[None].astype(np.float64)).argmax())
    for patch in (stop["patch"] for stop in stops):
        if "unit" in patch:
            patch["unit"] = unit
            if patch["grain"] == "unit":
                patch["t"] = unit + 1
    return stops


def _flat(arrays: list[Any], layers: list[Dense], whose: str) -> NDArray[np.float32]:
    """The weights of one moment in the bundle's order, checked."""
    found = iter(arrays)
    parts = []
    for layer in layers:
        weights = np.asarray(next(found), dtype=np.float32)
        if weights.shape != layer.weights.shape:
            raise ExplorerError(
                f"{whose} has weights of shape {weights.shape} where the model has "
                f"{layer.weights.shape}. Give the Recorder that was used to train this model."
            )
        # A layer without a bias has one array fewer; its bias is packed as zeros.
        bias = (
            np.asarray(next(found), dtype=np.float32)
            if len(arrays) == 2 * len(layers)
            else np.zeros_like(layer.bias)
        )
        check_finite(weights, bias, whose)
        parts += [weights.ravel(), bias]
    return np.concatenate(parts)


def _halves(
    flat: NDArray[np.float32], layers: list[Dense], digits: NDArray[np.float64], whose: str
) -> NDArray[np.float16]:
    """Round weights to half precision such that every digit is read as with the weights themselves.

    To the nearest, that changes the reading of a digit here and there whose two largest logits are
    all but equal. Then weights drawn at random are rounded to the other side, a few at a time, as
    long as fewer readings differ for it.
    """
    wanted = _readings(flat, layers, digits)
    with np.errstate(over="ignore"):
        nearest = flat.astype(np.float16)
    check_finite(nearest.astype(np.float32), nearest[:0].astype(np.float32), whose)
    towards = np.where(nearest > flat, -np.inf, np.inf).astype(np.float16)
    other = np.where(nearest == flat, nearest, np.nextafter(nearest, towards))
    rng = np.random.default_rng(0)
    best, wrong = nearest, np.count_nonzero(_readings(nearest, layers, digits) != wanted)
    for _ in range(TRIES):
        if not wrong:
            break
        tried = np.where(
            rng.random(flat.size) < 0.02, np.where(best == nearest, other, nearest), best
        )
        count = np.count_nonzero(_readings(tried, layers, digits) != wanted)
        if count < wrong:
            best, wrong = tried, count
    return best


def _readings(
    flat: NDArray[Any], layers: list[Dense], digits: NDArray[np.float64]
) -> NDArray[np.intp]:
    """What digits are read as under the weights of one moment."""
    at = 0
    moment = []
    for layer in layers:
        weights = flat[at : (at := at + layer.weights.size)].reshape(layer.weights.shape)
        bias = flat[at : (at := at + layer.bias.size)]
        moment.append(replace(layer, weights=weights.astype("f8"), bias=bias.astype("f8")))
    return np.asarray(outputs(moment, digits).argmax(axis=1), dtype=np.intp)


def _history(history: Any) -> tuple[list[dict[str, float]], list[Any]]:
    """Epochs and snapshots of a Recorder, or the epochs alone of a Keras History or a dict."""
    if history is None:
        return [], []
    if isinstance(history, Recorder):
        return history.epochs, list(history.snapshots)
    logs = getattr(history, "history", history)
    if not isinstance(logs, Mapping):
        raise ExplorerError(
            f"history is a {type(history).__name__}. Give the Recorder that was among fit's "
            "callbacks, or what fit returned."
        )
    length = max((len(values) for values in logs.values()), default=0)
    return [
        {"epoch": float(e + 1), **{name: float(values[e]) for name, values in logs.items()}}
        for e in range(length)
    ], []


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is NaN or infinite: JSON has no word for it."""
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _model_entry(
    name: str, model: Any, history: Any, samples: Samples
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header entry and sections of one model."""
    layers = read_layers(model)
    final = np.concatenate([part for d in layers for part in (d.weights.ravel(), d.bias)])
    epochs, snapshots = _history(history)
    bits = np.zeros((len(snapshots), final.size), dtype=np.uint16)
    for e, arrays in enumerate(snapshots):
        whose = f"“{name}” at epoch {e}"
        flat = _flat(arrays, layers, whose)
        bits[e] = _halves(flat, layers, samples.values.astype(np.float64), whose).view(np.uint16)
    delta = np.diff(bits, axis=0, prepend=np.zeros((1, final.size), dtype=np.uint16))
    shape = tuple(getattr(model, "input_shape", None) or (None, samples.pixels.shape[1]))[1:]
    first = samples.values[:REFERENCES]
    reference = np.asarray(model(first.reshape(len(first), *shape)), dtype=np.float32)
    entry = {
        "name": name,
        "epochs": [_finite(entry) for entry in epochs] if snapshots else [],
        "log": [_finite(entry) for entry in epochs],
        "layers": [
            {"name": d.name, "inputs": d.inputs, "units": d.units, "activation": d.activation}
            for d in layers
        ],
    }
    return entry, {"weights": final, "snapshots": delta, "reference": reference}


def pack(
    models: Mapping[str, tuple[Any, Any]],
    X: ArrayLike,
    y: ArrayLike,
    *,
    title: str,
    order: str | None = None,
    limit: int = 1000,
) -> bytes:
    """Return the bundle of named (model, history) pairs and digits.

    Raises
    ------
    ExplorerError
        If a model cannot be shown, or the digits do not fit it.
    """
    shapes = {name: read_layers(model) for name, (model, _) in models.items()}
    widths = {(layers[0].inputs, layers[-1].units) for layers in shapes.values()}
    if len(widths) > 1:
        raise ExplorerError(
            "Two models can be compared if they take the same input and have the same classes; "
            f"these have (inputs, classes) {sorted(widths)}."
        )
    width, classes = widths.pop()
    side = round(width**0.5)
    if side * side != width or not 8 <= side <= 28:
        raise ExplorerError(
            f"The model takes {width} numbers, which is not a square image from 8x8 to 28x28."
        )
    first = next(iter(shapes.values()))
    samples = _begin_well(take_samples(X, y, width, classes, limit), first)
    sections: dict[str, NDArray[Any]] = {"samples": samples.pixels, "labels": samples.labels}
    entries = []
    for m, (name, (model, history)) in enumerate(models.items()):
        entry, parts = _model_entry(name, model, history, samples)
        entries.append(entry)
        sections |= {f"{kind}{m}": array for kind, array in parts.items()}
    header = {
        "title": title,
        "words": WORDS,
        "tour": _tour(first, samples.values[0]),
        "input": {
            "side": side,
            "order": order or ("F" if side == 20 else "C"),
            "normalised": bool(samples.values.max() <= 2),
        },
        "models": entries,
        "samples": {
            "count": len(samples.labels),
            "of": samples.of,
            "scale": samples.scale,
            "zero": samples.zero,
        },
    }
    return _lay_out(header, sections)


def _lay_out(header: dict[str, Any], sections: Mapping[str, NDArray[Any]]) -> bytes:
    """Put the header and the sections into one string of bytes."""
    kinds = {"float32": "f32", "uint16": "f16", "uint8": "u8"}
    body = bytearray()
    table = {}
    for name, array in sections.items():
        kind = kinds[array.dtype.name]
        table[name] = {"dtype": kind, "offset": len(body), "length": int(array.size)}
        body += array.astype(_BYTES[kind]).tobytes()
        body += b"\0" * (-len(body) % 8)
    text = json.dumps({**header, "sections": table}, sort_keys=True, allow_nan=False).encode()
    start = 16 + len(text) + (-(16 + len(text)) % 8)
    lengths = np.array([len(text), start + len(body)], dtype="<u4").tobytes()
    return MAGIC + lengths + text.ljust(start - 16) + bytes(body)
