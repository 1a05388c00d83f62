"""Read a Keras model into plain arrays: the explorer needs NumPy, not TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ExplorerError

Floats = NDArray[np.float32]

SUPPORTED = (
    "The explorer shows Sequential stacks of Dense layers with relu, linear, sigmoid, tanh or "
    "softmax (Input, Flatten and Dropout may stand between them)."
)

_PROBE = np.array([[-2.0, -0.5, 0.0, 0.5, 3.0]], dtype=np.float32)
_EXP = np.exp(_PROBE - 3.0)
_ANSWERS: dict[str, NDArray[np.float32]] = {
    "relu": np.maximum(_PROBE, 0),
    "linear": _PROBE,
    "sigmoid": np.asarray(1 / (1 + np.exp(-_PROBE)), dtype=np.float32),
    "tanh": np.tanh(_PROBE),
    "softmax": _EXP / _EXP.sum(),
}

#: Layers that leave a prediction as it is.
_TRANSPARENT = frozenset({"InputLayer", "Flatten", "Dropout", "GaussianNoise"})
#: Layers that are nothing but an activation.
_ACTIVATION_LAYERS = frozenset({"Activation", "ReLU", "Softmax"})


@dataclass(frozen=True)
class Dense:
    """One layer: weights float32 (inputs, units), bias float32 (units,), activation's name."""

    name: str
    weights: Floats
    bias: Floats
    activation: str

    @property
    def inputs(self) -> int:
        """Length of what comes in."""
        return int(self.weights.shape[0])

    @property
    def units(self) -> int:
        """Length of what goes out."""
        return int(self.weights.shape[1])


def activation_name(activation: Callable[[Any], Any] | None, layer: str) -> str:
    """Tell which activation a function is, by what it does to five numbers.

    Raises
    ------
    ExplorerError
        If it is none of the five, naming `layer`.
    """
    if activation is None:
        return "linear"
    named = getattr(activation, "__name__", "")
    if named in _ANSWERS:
        return str(named)
    values = np.asarray(activation(_PROBE.copy()), dtype=np.float32)
    for name, answer in _ANSWERS.items():
        if values.shape == answer.shape and np.allclose(values, answer, atol=1e-5):
            return name
    raise ExplorerError(
        f"Layer “{layer}” has the activation {named or type(activation).__name__}, "
        f"which is not known here. {SUPPORTED}"
    )


def read_layers(model: Any) -> list[Dense]:
    """Return the Dense layers of a Sequential Keras model, with copies of their weights.

    Raises
    ------
    ExplorerError
        If the model has no layers or weights, or a layer that the explorer cannot show.
    """
    layers = getattr(model, "layers", None)
    if not layers:
        raise ExplorerError(
            f"This {type(model).__name__} has no layers. Give a Keras Sequential model that has "
            "been built: start it with Input(shape=...), or train it first."
        )
    found: list[Dense] = []
    for layer in layers:
        kind, name = type(layer).__name__, str(layer.name)
        if kind in _TRANSPARENT:
            continue
        if kind in _ACTIVATION_LAYERS and found and found[-1].activation == "linear":
            function = layer.activation if kind == "Activation" else layer
            last = found.pop()
            found.append(Dense(last.name, last.weights, last.bias, activation_name(function, name)))
            continue
        if kind != "Dense":
            raise ExplorerError(f"Layer “{name}” is a {kind}. {SUPPORTED}")
        found.append(_read_dense(layer, name, found))
    if not found:
        raise ExplorerError(f"The model has no Dense layer. {SUPPORTED}")
    if found[-1].units < 2:
        raise ExplorerError(
            f"The last layer, “{found[-1].name}”, has one unit. The explorer shows classifiers: "
            "the last layer needs a unit for each class."
        )
    return found


def _read_dense(layer: Any, name: str, before: list[Dense]) -> Dense:
    """One Dense layer, checked against the layer before it."""
    arrays = [np.asarray(array, dtype=np.float32) for array in layer.get_weights()]
    if not arrays:
        raise ExplorerError(
            f"Layer “{name}” has no weights yet. Build the model first: start it with "
            "Input(shape=...), or train it."
        )
    weights = arrays[0]
    bias = arrays[1] if len(arrays) > 1 else np.zeros(weights.shape[1], dtype=np.float32)
    if weights.ndim != 2 or (before and before[-1].units != weights.shape[0]):
        raise ExplorerError(
            f"Layer “{name}” has weights of shape {weights.shape}, which do not follow from the "
            f"layer before it. {SUPPORTED}"
        )
    check_finite(weights, bias, f"Layer “{name}”")
    return Dense(name, weights, bias, activation_name(layer.activation, name))


def check_finite(weights: Floats, bias: Floats, whose: str) -> None:
    """Raise an ExplorerError that counts the weights which are NaN or infinite."""
    bad = int((~np.isfinite(weights)).sum() + (~np.isfinite(bias)).sum())
    if bad:
        raise ExplorerError(
            f"{whose} has {bad:,} weights that are not finite numbers (NaN or infinity), so it "
            "predicts nothing. Its training went astray: build the model again and train it with "
            "a smaller learning rate."
        )


def outputs(layers: list[Dense], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the model returns for rows `x`: (m, inputs) -> (m, classes), in float64."""
    signal = np.asarray(x, dtype=np.float64)
    for layer in layers:
        z = signal @ layer.weights.astype(np.float64) + layer.bias
        signal = _activate(layer.activation, z)
    return signal


def _activate(name: str, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply an activation by its name, along the rows."""
    if name == "relu":
        return np.maximum(z, 0.0)
    if name == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float64)
    if name == "tanh":
        return np.asarray(np.tanh(z), dtype=np.float64)
    if name == "softmax":
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True), dtype=np.float64)
    return z
