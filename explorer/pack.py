"""Pack models, snapshots and digits into the bundle that the browser reads (``src/bundle.js``).

Layout, little-endian throughout: the 8 bytes ``DIGITS01``; the JSON header's length and the whole
bundle's length, uint32 each; the header; then the sections, each beginning at a multiple of 8.

===============  =====  ==========================================================================
section          dtype  content
===============  =====  ==========================================================================
``samples``      u8     the images, a row each: value = (byte - zero) * scale; a table's rows are f32
``labels``       u16    their classes
``weights{m}``   f32    model m, layer by layer: weights row by row, then the bias
``snapshots{m}`` f16    the same for each epoch, rounded so that no sample is read differently; the
                        bits' difference to the epoch before, modulo 65,536, which compresses
                        well since weights move little in an epoch
``reference{m}`` f32    what Keras returns for the first samples: the page compares its own
===============  =====  ==========================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .chain import chain_of
from .errors import ExplorerError
from .layers import MANY, Layer, outputs, work_of
from .network import check_finite, input_shape, read_layers
from .recorder import Recorder
from .samples import Samples, begin_well, find_range, lay_out_input, take_samples
from .words import WORDS

MAGIC = b"DIGITS01"

TOUR = Path(__file__).parent / "tour.json"
"""The guided tour: for each stop a text, the part it points at and the state it sets."""

REFERENCES = 100
"""Samples, at most, whose Keras output is packed, to be compared in the browser as it opens."""

WORK = 20_000_000
"""Multiplications that this comparison may take: fewer samples for larger networks, 8 at the least."""

AGREE = 1e-3
"""Share of the largest output by which ours may differ from Keras's; above it nothing is shown."""

TRIES = 500
"""Roundings tried, at most, until half precision reads every sample as the snapshot itself does."""

_BYTES = {"f32": "<f4", "f16": "<u2", "u16": "<u2", "u8": "u1"}


def _tour(layers: list[Layer], digit: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The tour's stops; where one opens a unit, it is the first layer's most active one."""
    stops: list[dict[str, Any]] = json.loads(TOUR.read_text(encoding="utf-8"))
    unit = int(outputs(layers[:1], digit[None].astype(np.float64)).argmax()) % layers[0].shape[2]
    for patch in (stop["patch"] for stop in stops):
        if "unit" in patch:
            patch["unit"] = unit
            if patch["grain"] == "unit":
                patch["t"] = unit + 1
    return stops


class _Moment:
    """A layer, or a model, as it was at one moment: its own settings with the weights of then."""

    def __init__(self, of: Any, arrays: list[Any]) -> None:
        self._of, self._arrays = of, arrays

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def get_weights(self) -> list[Any]:
        return self._arrays


def _at_moment(model: Any, arrays: list[Any], whose: str) -> list[Layer]:
    """The layers with a snapshot's weights in place of the model's own."""
    rest: Iterator[Any] = iter(arrays)
    chain = []
    for layer in chain_of(model):
        taken = []
        for own in layer.get_weights():
            array = np.asarray(next(rest, own[:0]), dtype=np.float32)
            if array.shape != own.shape:
                raise ExplorerError(
                    f"{whose} has weights of shape {array.shape} where the model has "
                    f"{own.shape}. Give the Recorder that was used to train this model."
                )
            check_finite(array, array[:0], whose)
            taken.append(array)
        chain.append((layer, taken))
    return read_layers(
        model, [as_it_was(layer, taken) if taken else layer for layer, taken in chain]
    )


def as_it_was(layer: Any, arrays: list[Any]) -> Any:
    """A stand-in for the layer that has its class's name, which is what reading asks for."""
    return type(type(layer).__name__, (_Moment,), {})(layer, arrays)


def _flat(layers: list[Layer]) -> NDArray[np.float32]:
    """The weights in the bundle's order."""
    parts = [part for layer in layers for part in (layer.weights.ravel(), layer.bias)]
    return np.concatenate(parts).astype(np.float32)


def _halves(
    flat: NDArray[np.float32], layers: list[Layer], digits: NDArray[np.float64], whose: str
) -> NDArray[np.float16]:
    """Round weights to half precision such that every digit is read as with the weights themselves.

    To the nearest, that changes the reading of a digit here and there whose two largest logits are
    all but equal. Then weights drawn at random are rounded to the other side, a few at a time, as
    long as fewer readings differ for it. Networks for which this would take minutes are left at the
    nearest; the browser then reads such a digit as the rounded weights do.
    """
    with np.errstate(over="ignore"):
        nearest = flat.astype(np.float16)
    check_finite(nearest.astype(np.float32), nearest[:0].astype(np.float32), whose)
    if work_of(layers) * len(digits) > MANY:
        return nearest
    wanted = _readings(flat, layers, digits)
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
    flat: NDArray[Any], layers: list[Layer], digits: NDArray[np.float64]
) -> NDArray[np.intp]:
    """What digits are read as under the weights of one moment."""
    at = 0
    moment = []
    for layer in layers:
        weights = flat[at : (at := at + layer.weights.size)].reshape(layer.weights.shape)
        bias = flat[at : (at := at + layer.bias.size)]
        moment.append(replace(layer, weights=weights, bias=bias))
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


def _reference(name: str, model: Any, layers: list[Layer], samples: Samples) -> NDArray[np.float32]:
    """What Keras returns for the first samples; refused where what was read gives something else."""
    count = max(8, min(REFERENCES, WORK // max(1, work_of(layers))))
    first = samples.values[:count]
    shape = tuple(getattr(model, "input_shape", None) or (None, first.shape[1]))[1:]
    reference = np.asarray(model(first.reshape(len(first), *shape)), dtype=np.float32)
    ours = outputs(layers, first.astype(np.float64))
    if reference.shape != ours.shape:
        raise ExplorerError(
            f"The model “{name}” returns shape {reference.shape} where its layers give {ours.shape}. "
            "The explorer shows classifiers with one output."
        )
    worst, most = float(np.abs(ours - reference).max()), float(np.abs(reference).max())
    if not worst <= AGREE * most:
        raise ExplorerError(
            f"What was read of the model “{name}” differs from Keras by {worst:.2g} (its largest output "
            f"is {most:.2g}), so it is not shown. One of its layers does something that is not known here."
        )
    return reference


def _model_entry(
    name: str, model: Any, history: Any, samples: Samples
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header entry and sections of one model."""
    layers = read_layers(model)
    final = _flat(layers)
    epochs, snapshots = _history(history)
    bits = np.zeros((len(snapshots), final.size), dtype=np.uint16)
    for e, arrays in enumerate(snapshots):
        whose = f"“{name}” at epoch {e}"
        moment = _at_moment(model, arrays, whose)
        digits = samples.values.astype(np.float64)
        bits[e] = _halves(_flat(moment), layers, digits, whose).view(np.uint16)
    delta = np.diff(bits, axis=0, prepend=np.zeros((1, final.size), dtype=np.uint16))
    entry = {
        "name": name,
        "epochs": [_finite(entry) for entry in epochs] if snapshots else [],
        "log": [_finite(entry) for entry in epochs],
        "layers": [layer.header() for layer in layers],
        "untrainable": _untrainable(model),
    }
    reference = _reference(name, model, layers, samples)
    return entry, {"weights": final, "snapshots": delta, "reference": reference}


def _untrainable(model: Any) -> list[str]:
    """Layers that behave otherwise in training than in a prediction: training here leaves them out."""
    kinds = (
        "BatchNormalization",
        "Dropout",
        "SpatialDropout2D",
        "GaussianNoise",
        "GaussianDropout",
    )
    return [kind for kind in kinds if any(type(one).__name__ == kind for one in chain_of(model))]


def pack(
    models: Mapping[str, tuple[Any, Any]],
    X: ArrayLike,
    y: ArrayLike,
    *,
    title: str,
    order: str | None = None,
    columns: Sequence[str] | None = None,
    limit: int = 1000,
) -> bytes:
    """Return the bundle of named (model, history) pairs and digits.

    Raises
    ------
    ExplorerError
        If a model cannot be shown, or the digits do not fit it.
    """
    read = {name: read_layers(model) for name, (model, _) in models.items()}
    widths = {(layers[0].inputs, layers[-1].units) for layers in read.values()}
    if len(widths) > 1:
        raise ExplorerError(
            "Two models can be compared if they take the same input and have the same classes; "
            f"these have (inputs, classes) {sorted(widths)}."
        )
    width, classes = widths.pop()
    shapes = [input_shape(model) or read[name][0].source for name, (model, _) in models.items()]
    # Of two models on the same numbers, one may say that they are an image.
    place = lay_out_input(max(shapes, key=lambda s: s[0] * s[1]), columns, order)
    first = next(iter(read.values()))
    table = place["kind"] == "columns"
    samples = begin_well(take_samples(X, y, width, classes, limit, table), first)
    sections: dict[str, NDArray[Any]] = {"samples": samples.data, "labels": samples.labels}
    entries = []
    for m, (name, (model, history)) in enumerate(models.items()):
        entry, parts = _model_entry(name, model, history, samples)
        entries.append(entry)
        sections |= {f"{kind}{m}": array for kind, array in parts.items()}
    header = {
        "title": title,
        "words": WORDS,
        "tour": _tour(first, samples.values[0]),
        "input": {**place, **find_range(samples.values, place)},
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
        kind = "u16" if name == "labels" else kinds[array.dtype.name]
        table[name] = {"dtype": kind, "offset": len(body), "length": int(array.size)}
        body += array.astype(_BYTES[kind]).tobytes()
        body += b"\0" * (-len(body) % 8)
    text = json.dumps({**header, "sections": table}, sort_keys=True, allow_nan=False).encode()
    start = 16 + len(text) + (-(16 + len(text)) % 8)
    lengths = np.array([len(text), start + len(body)], dtype="<u4").tobytes()
    return MAGIC + lengths + text.ljust(start - 16) + bytes(body)
