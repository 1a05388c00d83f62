"""Read a Keras model into plain arrays: the explorer needs NumPy, not TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from .chain import chain_of
from .errors import ExplorerError
from .layers import Floats, Layer, Shape

SUPPORTED = (
    "The explorer shows chains of Dense, Conv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, "
    "Flatten, BatchNormalization, Rescaling and Dropout, with relu, linear, sigmoid, tanh, elu, "
    "leaky_relu or softmax."
)

LARGEST = 2_000_000
"""Weights at most: above that a page is neither opened nor trained in reasonable time."""

_PROBE = np.array([[-2.0, -0.5, 0.0, 0.5, 3.0]], dtype=np.float32)
_EXP = np.exp(_PROBE - 3.0)
#: What each activation makes of _PROBE, with its slope below 0 where it has one.
_ANSWERS: dict[tuple[str, float], Floats] = {
    ("relu", 1.0): np.maximum(_PROBE, 0),
    ("linear", 1.0): _PROBE,
    ("sigmoid", 1.0): np.asarray(1 / (1 + np.exp(-_PROBE)), dtype=np.float32),
    ("tanh", 1.0): np.tanh(_PROBE),
    ("softmax", 1.0): _EXP / _EXP.sum(),
}

#: Layers that leave a prediction as it is.
_TRANSPARENT = frozenset(
    {"InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"}
)
_ACTIVATION_LAYERS = frozenset({"Activation", "ReLU", "Softmax", "ELU", "LeakyReLU"})


def activation_name(activation: Callable[[Any], Any] | None, layer: str) -> tuple[str, float]:
    """Tell which activation a function is, by what it does to five numbers, and its slope below 0.

    Raises
    ------
    ExplorerError
        If it is none of those supported, naming `layer`.
    """
    if activation is None:
        return "linear", 1.0
    named = getattr(activation, "__name__", type(activation).__name__)
    try:
        values = np.asarray(activation(_PROBE.copy()), dtype=np.float32)
    except (TypeError, ValueError):
        # A function that takes no array of ours; its name has to do.
        if (named, 1.0) in _ANSWERS:
            return named, 1.0
        raise ExplorerError(_unknown(layer, named)) from None
    answers = dict(_ANSWERS)
    if values.shape == _PROBE.shape and values[0, 0] < 0:
        slope = float(values[0, 0]) / -2.0
        answers["leaky_relu", slope] = np.where(_PROBE > 0, _PROBE, slope * _PROBE)
        alpha = float(values[0, 0]) / float(np.expm1(-2.0))
        answers["elu", alpha] = np.where(_PROBE > 0, _PROBE, alpha * np.expm1(_PROBE))
    for found, answer in answers.items():
        if values.shape == answer.shape and np.allclose(values, answer, atol=1e-5):
            return found
    raise ExplorerError(_unknown(layer, named))


def _unknown(layer: str, named: str) -> str:
    return f"Layer “{layer}” has the activation {named}, which is not known here. {SUPPORTED}"


def read_layers(model: Any, chain: list[Any] | None = None) -> list[Layer]:
    """Return the layers of a Keras model that is a chain, with copies of their weights.

    Parameters
    ----------
    model : keras.Model
    chain : list of layers, optional
        What to read in place of the model's own layers: the same with other weights.

    Raises
    ------
    ExplorerError
        If the model has no layers or weights, is no chain, or has a layer that cannot be shown.
    """
    found: list[Layer] = []
    at: Shape | None = input_shape(model)
    for layer in chain if chain is not None else chain_of(model):
        kind, name = type(layer).__name__, str(layer.name)
        if kind in _TRANSPARENT:
            continue
        _check_dtype(str(getattr(layer, "compute_dtype", "float32")), f"Layer “{name}” computes in")
        if kind == "Flatten":
            _check_first(layer, name)
            at = (1, 1, prod(at)) if at else None
            continue
        made = _read(layer, kind, name, at, found)
        if made.kind == "activation" and found and found[-1].activation == "linear":
            made = replace(found.pop(), activation=made.activation, alpha=made.alpha)
        if made.activation == "softmax" and made.shape[:2] != (1, 1):
            raise ExplorerError(
                f"Layer “{name}” takes a softmax over maps. The explorer shows softmax as the last "
                "step of a classifier, after Flatten or GlobalAveragePooling2D."
            )
        check_finite(made.weights, made.bias, f"Layer “{name}”")
        found.append(made)
        at = made.shape
    if not any(layer.weights.size for layer in found):
        raise ExplorerError(f"The model has no layer with weights. {SUPPORTED}")
    _check_end(found)
    return found


def _check_end(found: list[Layer]) -> None:
    """Refuse what is no classifier, and what is too large."""
    last = found[-1]
    if last.shape[:2] != (1, 1):
        raise ExplorerError(
            f"The last layer, “{last.name}”, gives {last.shape[0]} x {last.shape[1]} maps. The explorer "
            "shows classifiers: end with Flatten or GlobalAveragePooling2D and a Dense layer."
        )
    if last.units < 2:
        raise ExplorerError(
            f"The last layer, “{last.name}”, has one unit. The explorer shows classifiers: "
            "the last layer needs a unit for each class."
        )
    count = sum(layer.weights.size + layer.bias.size for layer in found)
    if count > LARGEST:
        raise ExplorerError(
            f"The model has {count:,} weights; the explorer shows up to {LARGEST:,}. Show a smaller "
            "one: fewer units, or a pool before the first Dense layer."
        )


def input_shape(model: Any) -> Shape | None:
    """Rows, columns and channels of the input; a row of numbers is all channels. None: not known."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or any(n is None for n in shape[1:]):
        return None
    sizes = [int(n) for n in shape[1:]]
    if len(sizes) == 3:
        return (sizes[0], sizes[1], sizes[2])
    return (sizes[0], sizes[1], 1) if len(sizes) == 2 else (1, 1, prod(sizes))


def _read(layer: Any, kind: str, name: str, at: Shape | None, found: list[Layer]) -> Layer:
    """One layer, by its kind."""
    if kind in _ACTIVATION_LAYERS:
        if at is None:
            raise ExplorerError(
                f"Layer “{name}” stands before any size is known. The explorer shows models that start "
                "with Input(shape=...), every size in it given."
            )
        named, alpha = activation_name(layer.activation if kind == "Activation" else layer, name)
        return Layer(name, "activation", at, at, named, alpha=alpha)
    if kind == "Dense":
        return _read_dense(layer, name, at, found)
    if kind not in _READERS:
        raise ExplorerError(f"Layer “{name}” is a {kind}. {SUPPORTED}")
    if at is None:
        raise ExplorerError(
            f"Layer “{name}” is not built: the size of what comes in is not known. The explorer shows models "
            "that start with Input(shape=...), every size in it given."
        )
    return _READERS[kind](layer, name, at)


def _check_dtype(dtype: str, whose: str) -> None:
    if dtype not in ("float16", "float32", "float64"):
        raise ExplorerError(
            f"{whose} {dtype}. The explorer shows float32, float64 and float16: build the model with "
            "one of these."
        )


def _arrays(layer: Any, name: str) -> list[Floats]:
    given = [np.asarray(array) for array in layer.get_weights()]
    for array in given:
        _check_dtype(str(array.dtype), f"Layer “{name}” has weights of dtype")
    arrays = [array.astype(np.float32) for array in given]
    if not arrays:
        raise ExplorerError(
            f"Layer “{name}” has no weights yet. Build the model first: start it with "
            "Input(shape=...), or train it."
        )
    return arrays


def _read_dense(layer: Any, name: str, at: Shape | None, found: list[Layer]) -> Layer:
    weights, *rest = _arrays(layer, name)
    bias = rest[0] if rest else np.zeros(weights.shape[-1], dtype=np.float32)
    if at is not None and at[:2] != (1, 1):
        raise ExplorerError(
            f"Layer “{name}” is a Dense layer on {at[0]} x {at[1]} maps, which Keras applies to each "
            "point by itself. The explorer shows Dense layers on a row of numbers: put Flatten or "
            "GlobalAveragePooling2D before it."
        )
    if weights.ndim != 2 or (at is not None and at[2] != weights.shape[0]):
        raise ExplorerError(
            f"Layer “{name}” has weights of shape {weights.shape}, which do not follow from the "
            f"layer before it. {SUPPORTED}"
        )
    named, alpha = activation_name(layer.activation, name)
    inputs, units = weights.shape
    return Layer(name, "dense", (1, 1, inputs), (1, 1, units), named, weights, bias, alpha=alpha)


def _placed(layer: Any, at: Shape, window: tuple[int, int], stride: tuple[int, int]) -> Any:
    """Rows and columns of the output, and the padding above and to the left (TensorFlow's)."""
    if layer.padding == "same":
        size = [-(-n // s) for n, s in zip(at, stride, strict=False)]
        pad = [
            max(0, (out - 1) * s + w - n) // 2
            for out, s, w, n in zip(size, stride, window, at, strict=False)
        ]
    else:
        size = [(n - w) // s + 1 for n, w, s in zip(at, window, stride, strict=False)]
        pad = [0, 0]
    return (size[0], size[1]), (pad[0], pad[1])


def _check_first(layer: Any, name: str) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ExplorerError(
            f"Layer “{name}” keeps its channels first. The explorer shows data_format='channels_last', "
            "which is Keras's default."
        )


def _read_conv(layer: Any, name: str, at: Shape) -> Layer:
    _check_first(layer, name)
    if tuple(layer.dilation_rate) != (1, 1) or layer.groups != 1:
        raise ExplorerError(
            f"Layer “{name}” is a Conv2D with dilation_rate {tuple(layer.dilation_rate)} and groups "
            f"{layer.groups}. The explorer shows Conv2D with dilation_rate 1 and groups 1."
        )
    weights, *rest = _arrays(layer, name)
    bias = rest[0] if rest else np.zeros(weights.shape[-1], dtype=np.float32)
    named, alpha = activation_name(layer.activation, name)
    window, stride = tuple(weights.shape[:2]), tuple(layer.strides)
    size, pad = _placed(layer, at, window, stride)
    shape = (*size, weights.shape[-1])
    return Layer(name, "conv", at, shape, named, weights, bias, window, stride, pad, alpha)


def _read_pool(layer: Any, name: str, at: Shape) -> Layer:
    _check_first(layer, name)
    kind = "max" if type(layer).__name__ == "MaxPooling2D" else "average"
    window, stride = tuple(layer.pool_size), tuple(layer.strides)
    size, pad = _placed(layer, at, window, stride)
    return Layer(name, kind, at, (*size, at[2]), window=window, stride=stride, pad=pad)


def _read_global(layer: Any, name: str, at: Shape) -> Layer:
    _check_first(layer, name)
    if getattr(layer, "keepdims", False):
        raise ExplorerError(
            f"Layer “{name}” has keepdims=True. The explorer shows it without: leave it out, and Dense "
            "follows."
        )
    return Layer(name, "average", at, (1, 1, at[2]), window=at[:2], stride=at[:2])


def _read_norm(layer: Any, name: str, at: Shape) -> Layer:
    """What batch normalisation does to a prediction: its moving statistics as a factor and a summand."""
    axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
    if axis != -1 and axis != (1 if at[:2] == (1, 1) else 3):
        raise ExplorerError(
            f"Layer “{name}” normalises axis {axis}. The explorer shows the last one, -1."
        )
    arrays = _arrays(layer, name)
    mean, variance = arrays[-2:]
    rest = iter(arrays[:-2])
    gamma = next(rest) if layer.scale else np.ones_like(mean)
    beta = next(rest) if layer.center else np.zeros_like(mean)
    factor = gamma / np.sqrt(variance.astype(np.float64) + layer.epsilon)
    summand = beta - mean * factor
    return Layer(
        name, "scale", at, at, weights=factor.astype(np.float32), bias=summand.astype(np.float32)
    )


def _read_rescaling(layer: Any, name: str, at: Shape) -> Layer:
    factor = np.broadcast_to(np.asarray(layer.scale, np.float32), at[2:]).copy()
    summand = np.broadcast_to(np.asarray(layer.offset, np.float32), at[2:]).copy()
    return Layer(name, "scale", at, at, weights=factor, bias=summand)


_READERS: dict[str, Callable[[Any, str, Shape], Layer]] = {
    "Conv2D": _read_conv,
    "MaxPooling2D": _read_pool,
    "AveragePooling2D": _read_pool,
    "GlobalAveragePooling2D": _read_global,
    "BatchNormalization": _read_norm,
    "Rescaling": _read_rescaling,
}


def check_finite(weights: Floats, bias: Floats, whose: str) -> None:
    """Raise an ExplorerError that counts the weights which are NaN or infinite."""
    bad = int((~np.isfinite(weights)).sum() + (~np.isfinite(bias)).sum())
    if bad:
        raise ExplorerError(
            f"{whose} has {bad:,} weights that are not finite numbers (NaN or infinity), so it "
            "predicts nothing. Its training went astray: build the model again and train it with "
            "a smaller learning rate."
        )
