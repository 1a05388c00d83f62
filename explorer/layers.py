"""A network's layers as plain arrays, and what they compute: the twin of ``src/engine.js``.

What flows between layers is flat, (rows, columns, channels) row by row with the channels last, as
Keras flattens it; a dense layer's units are the channels of one point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MANY = 1e8
"""Multiplications of one look at all samples above which less is looked at, to be done in a second."""

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]


def _none() -> Floats:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    name : str
    kind : str
        dense, conv, max, average (pools), scale (a factor and a summand a channel) or activation.
    source, shape : (rows, columns, channels)
        Of what comes in and of what goes out.
    activation : str
        relu, linear, sigmoid, tanh, elu, leaky_relu or softmax.
    weights, bias : float32
        As Keras keeps them: dense (inputs, units), conv (rows, columns, channels in, channels out),
        scale (channels,); a bias for each channel that goes out.
    window, stride, pad : (int, int)
        Rows and columns of a window, of its steps, and of what is added above and to the left.
    alpha : float
        The slope below 0 of elu and leaky_relu.
    """

    name: str
    kind: str
    source: Shape
    shape: Shape
    activation: str = "linear"
    weights: Floats = field(default_factory=_none)
    bias: Floats = field(default_factory=_none)
    window: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    alpha: float = 1.0

    @property
    def inputs(self) -> int:
        """Length of what comes in."""
        return prod(self.source)

    @property
    def units(self) -> int:
        """Length of what goes out."""
        return prod(self.shape)

    def header(self) -> dict[str, Any]:
        """What the bundle's header says of it; the weights are in a section."""
        return {
            "name": self.name,
            "kind": self.kind,
            "inputs": self.inputs,
            "units": self.units,
            "from": list(self.source),
            "shape": list(self.shape),
            "activation": self.activation,
            "alpha": self.alpha,
            "window": list(self.window),
            "stride": list(self.stride),
            "pad": list(self.pad),
            "weights": int(self.weights.size),
            "bias": int(self.bias.size),
        }


def outputs(layers: list[Layer], x: NDArray[Any]) -> NDArray[np.float64]:
    """Return what the model returns for rows `x`: (m, inputs) -> (m, classes), in float64."""
    signal = np.asarray(x, dtype=np.float64)
    for layer in layers:
        signal = activate(layer, _sums(layer, signal))
    return signal


def _sums(layer: Layer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every unit's sum: (m, inputs) -> (m, units)."""
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    if layer.kind == "dense":
        return np.asarray(x @ weights + bias)
    if layer.kind == "activation":
        return x
    maps = x.reshape(-1, *layer.source)
    if layer.kind == "scale":
        return np.asarray(maps * weights + bias).reshape(len(x), -1)
    reach = _windows(layer, maps)  # (m, rows, columns, channels, window rows, window columns)
    if layer.kind == "conv":
        z = np.tensordot(reach, weights, axes=((4, 5, 3), (0, 1, 2))) + bias
    elif layer.kind == "max":
        z = np.nanmax(reach, axis=(4, 5))
    else:
        z = np.nanmean(reach, axis=(4, 5))
    return np.asarray(z, dtype=np.float64).reshape(len(x), -1)


def _windows(layer: Layer, maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """What lies under each window; outside there is 0 for a convolution, nothing (NaN) for a pool."""
    (rows, cols, _), (h, w), (down, right), (top, left) = (
        layer.shape, layer.window, layer.stride, layer.pad,
    )  # fmt: skip
    below = max(0, (rows - 1) * down + h - top - layer.source[0])
    beside = max(0, (cols - 1) * right + w - left - layer.source[1])
    outside = 0.0 if layer.kind == "conv" else np.nan
    sides = ((0, 0), (top, below), (left, beside), (0, 0))
    padded = np.pad(maps, sides, constant_values=outside)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (h, w), axis=(1, 2))
    return np.asarray(windows[:, ::down, ::right][:, :rows, :cols])


def activate(layer: Layer, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a layer's activation along the rows."""
    name = layer.activation
    if name == "relu":
        return np.maximum(z, 0.0)
    if name == "leaky_relu":
        return np.where(z > 0, z, layer.alpha * z)
    if name == "elu":
        return np.where(z > 0, z, layer.alpha * np.expm1(np.minimum(z, 0.0)))
    if name == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float64)
    if name == "tanh":
        return np.asarray(np.tanh(z), dtype=np.float64)
    if name == "softmax":
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True), dtype=np.float64)
    return z


def work_of(layers: list[Layer]) -> int:
    """Multiplications of one forward pass."""
    return sum(
        layer.weights.size * (layer.shape[0] * layer.shape[1] if layer.kind == "conv" else 1)
        for layer in layers
    )
