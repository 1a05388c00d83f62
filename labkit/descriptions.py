"""Models as plain data: what :mod:`labkit.inspection` says of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from labkit.inspection import PROBE
from labkit.values_in_words import Array, as_numbers, show

Description = dict[str, Any]
"""What `inside.describe_model` or `inside.describe_training` returned."""

ACTIVATIONS: dict[str, list[float]] = {
    "linear": [-2.0, -0.5, 0.0, 0.5, 3.0],
    "relu": [0.0, 0.0, 0.0, 0.5, 3.0],
    "sigmoid": [0.119203, 0.377541, 0.5, 0.622459, 0.952574],
    "tanh": [-0.964028, -0.462117, 0.0, 0.462117, 0.995055],
    "softmax": [0.005765, 0.025836, 0.042596, 0.07023, 0.855573],
    "log_softmax": [-5.155984, -3.655984, -3.155984, -2.655984, -0.155984],
    "softplus": [0.126928, 0.474077, 0.693147, 0.974077, 3.048587],
    "swish (silu)": [-0.238406, -0.18877, 0.0, 0.31123, 2.857722],
    "elu": [-0.864665, -0.393469, 0.0, 0.5, 3.0],
    "selu": [-1.520166, -0.691758, 0.0, 0.52535, 3.152103],
    "gelu": [-0.0455, -0.154269, 0.0, 0.345731, 2.99595],
    "leaky_relu": [-0.4, -0.1, 0.0, 0.5, 3.0],
    "leaky_relu (0.3)": [-0.6, -0.15, 0.0, 0.5, 3.0],
    "softsign": [-0.666667, -0.333333, 0.0, 0.333333, 0.75],
    "exponential": [0.135335, 0.606531, 1.0, 1.648721, 20.085537],
    "hard_sigmoid": [0.166667, 0.416667, 0.5, 0.583333, 1.0],
    "mish": [-0.252501, -0.220744, 0.0, 0.375245, 2.986535],
}
"""What the usual activations make of `PROBE`."""


def activation_name(values: Any) -> str:
    """Name the activation that gives `values` on `PROBE`; 'unknown' if none of ours does."""
    numbers = as_numbers(values)
    if numbers is not None and numbers.size == PROBE.size:
        for name, known in ACTIVATIONS.items():
            if np.allclose(numbers.ravel(), known, atol=1e-4):  # float32, and the table's decimals
                return name
    return "unknown"


BENT = ("ReLU", "Activation")
"""Layers that are an activation: right behind a Dense layer they do what its own would do."""


def neither_dense(kinds: list[str], activations: tuple[str, ...] = BENT) -> list[str]:
    """Name the layers that are neither Dense nor one of the `activations` right behind a Dense one."""
    return [
        kind
        for kind, last in zip(kinds, ["", *kinds], strict=False)
        if kind != "Dense" and not (kind in activations and last == "Dense")
    ]


def dense_layers(model: Description) -> list[Description]:
    """Return the Dense layers of a description."""
    return [layer for layer in model["layers"] if layer["type"] == "Dense"]


def activations(model: Description) -> list[str]:
    """Name what is applied to each Dense layer's output, by itself or by a layer behind it."""
    names: list[str] = []
    for layer in model["layers"]:
        name = activation_name(layer["activation"])
        if layer["type"] == "Dense":
            names.append(name)
        elif names and names[-1] == "linear" and name != "unknown":
            names[-1] = name
    return names


def shown_activation(values: Any) -> str:
    """Write what an activation makes of `PROBE`."""
    numbers = as_numbers(values)
    return "something that is not five numbers" if numbers is None else show(numbers.ravel())


def near(value: Any, expected: float) -> bool:
    """Tell whether a loss that was probed is the `expected` one."""
    return isinstance(value, float) and abs(value - expected) < 1e-3


def accuracy(outputs: Any, y: Array) -> float:
    """Part of the rows whose own class y (m,) has the largest of the outputs (m, n)."""
    outputs = np.asarray(outputs, dtype=float)
    if outputs.ndim != 2 or len(outputs) != len(y) or not len(y):
        return 0.0
    y = np.asarray(y).astype(int)
    known = (y >= 0) & (y < outputs.shape[1])
    own = np.take_along_axis(outputs, np.where(known, y, 0)[:, np.newaxis], axis=1)
    best = known & (own[:, 0] >= outputs.max(axis=1)) & np.isfinite(outputs).all(axis=1)
    return float(best.mean())
