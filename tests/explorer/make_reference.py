"""Writes reference.json: NumPy's arrays for the JavaScript engine. Run it after a change of formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from explorer.network import Dense, outputs
from explorer.prep import preprocess

FILE = Path(__file__).with_name("reference.json")
STACKS = {
    "relu": [("relu", 5), ("relu", 4), ("linear", 3)],
    "others": [("sigmoid", 4), ("tanh", 5), ("softmax", 3)],
    "softmax inside": [("softmax", 4), ("relu", 6), ("sigmoid", 3)],
}


def _loss(layers: list[Dense], x: Any, label: int) -> float:
    """Cross-entropy of the label; a softmax layer's sums are the logits."""
    z = outputs([*layers[:-1], _linear(layers[-1])], x[None])[0]
    if layers[-1].activation not in ("softmax", "linear"):
        z = outputs(layers, x[None])[0]
    return float(np.log(np.exp(z - z.max()).sum()) + z.max() - z[label])


def _linear(layer: Dense) -> Dense:
    return Dense(layer.name, layer.weights, layer.bias, "linear")


def _network(kinds: list[tuple[str, int]], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, inputs, label = rng.normal(size=6), 6, 1
    layers = []
    for at, (kind, n) in enumerate(kinds):
        weights = np.round(rng.normal(size=(inputs, n)), 3)
        layers.append(Dense(f"L{at + 1}", weights, np.round(rng.normal(size=n), 3), kind))
        inputs = n
    signals = [outputs(layers[: at + 1], x[None])[0] for at in range(len(layers))]
    sums = [outputs([*layers[:at], _linear(layer)], x[None])[0] for at, layer in enumerate(layers)]
    logits = sums[-1] if layers[-1].activation == "softmax" else signals[-1]
    e = np.exp(logits - logits.max())
    return {
        "layers": [
            {
                "name": d.name, "inputs": d.inputs, "units": d.units, "activation": d.activation,
                "weights": d.weights.astype(np.float64).ravel().tolist(),
                "bias": d.bias.astype(np.float64).tolist(),
            }
            for d in layers
        ],
        "x": x.tolist(),
        "z": [z.tolist() for z in sums],
        "a": [a.tolist() for a in signals],
        "probabilities": (e / e.sum()).tolist(),
        "label": label,
        "loss": _loss(layers, x, label),
        "gradients": [_slopes(layers, at, x, label) for at in range(len(layers))],
    }  # fmt: skip


def _slopes(layers: list[Dense], at: int, x: Any, label: int) -> list[float]:
    """dL/dw of one layer by central differences, in float64."""
    found = []
    for k in range(layers[at].weights.size):
        ends = []
        for step in (1e-5, -1e-5):
            weights = layers[at].weights.astype(np.float64)
            weights.flat[k] += step
            moved = Dense(layers[at].name, weights, layers[at].bias, layers[at].activation)
            ends.append(_loss([*layers[:at], moved, *layers[at + 1 :]], x, label))
        found.append((ends[0] - ends[1]) / 2e-5)
    return found


def make() -> dict[str, Any]:
    """All of it."""
    rows, cols = 30, 26
    picture = np.full((rows, cols), 240)
    picture[6:24, 9:12] = 30
    picture[20:24, 9:20] = 60
    return {
        "networks": {name: _network(kinds, k) for k, (name, kinds) in enumerate(STACKS.items())},
        "picture": {
            "picture": {
                "rows": rows,
                "cols": cols,
                "channels": 1,
                "data": picture.ravel().tolist(),
            },
            "x": preprocess(picture).tolist(),
        },
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make()) + "\n")
