"""A network trained in NumPy, with as much of Keras's face as the explorer looks at.

TensorFlow takes many seconds to import; most of what the explorer does needs a model's weights
only. `test_explorer_keras.py` shows that the real thing is read in the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from explorer import Recorder
from explorer.layers import Layer, activate, outputs

ROOT = Path(__file__).parents[2]


class Dense:
    """What the explorer asks a Keras Dense layer for. Its class's name matters."""

    def __init__(self, name: str, weights: Any, bias: Any, activation: str) -> None:
        self.name = name
        self._arrays = [np.asarray(weights, np.float32), np.asarray(bias, np.float32)]

        def function(z: Any) -> Any:
            return activate(
                Layer("", "activation", (1, 1, 1), (1, 1, 1), activation), np.asarray(z)
            )

        function.__name__ = activation
        self.activation = function

    def get_weights(self) -> list[NDArray[np.float32]]:
        return [array.copy() for array in self._arrays]

    def set_weights(self, arrays: list[NDArray[Any]]) -> None:
        self._arrays = [np.asarray(array, np.float32) for array in arrays]


def layer(dense: Dense) -> Layer:
    """What the explorer makes of it."""
    weights, bias = dense.get_weights()
    inputs, units = weights.shape
    kind = dense.activation.__name__
    return Layer(dense.name, "dense", (1, 1, inputs), (1, 1, units), kind, weights, bias)


class Model:
    """A stack of Dense layers."""

    def __init__(self, layers: list[Dense]) -> None:
        self.layers = layers

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float64]:
        return outputs([layer(d) for d in self.layers], x)

    def get_weights(self) -> list[NDArray[np.float32]]:
        return [array for layer in self.layers for array in layer.get_weights()]


def make_model(units: tuple[int, ...] = (25, 15, 10), inputs: int = 400, seed: int = 1) -> Model:
    """An untrained model: ReLU layers, the last one linear."""
    rng = np.random.default_rng(seed)
    layers = []
    for at, n in enumerate(units):
        limit = np.sqrt(6 / (inputs + n))
        kind = "linear" if at == len(units) - 1 else "relu"
        layers.append(
            Dense(f"L{at + 1}", rng.uniform(-limit, limit, (inputs, n)), np.zeros(n), kind)
        )
        inputs = n
    return Model(layers)


def load_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 5,000 digits, mixed, the zero as 0."""
    data = loadmat(ROOT / "Data" / "ex3data1.mat")
    order = np.random.default_rng(0).permutation(5000)
    y = data["y"].ravel().astype(np.int64) % 10
    return np.ascontiguousarray(data["X"][order]), y[order]


def train(model: Model, X: NDArray[Any], y: NDArray[Any], epochs: int) -> Recorder:
    """Adam on the cross-entropy, batches of 40; return what a Recorder saw."""
    recorder = Recorder()
    recorder.set_model(model)
    recorder.on_train_begin()
    rng = np.random.default_rng(2)
    means = [np.zeros_like(w) for w in model.get_weights()]
    squares = [np.zeros_like(w) for w in model.get_weights()]
    step = 0
    for epoch in range(epochs):
        for batch in np.array_split(rng.permutation(len(X)), len(X) // 40):
            step += 1
            weights = model.get_weights()
            gradients = _gradients(weights, X[batch], y[batch])
            for k, g in enumerate(gradients):
                means[k] = 0.9 * means[k] + 0.1 * g
                squares[k] = 0.999 * squares[k] + 0.001 * g * g
                rate = 0.003 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                weights[k] = weights[k] - rate * means[k] / (np.sqrt(squares[k]) + 1e-7)
            for at, layer in enumerate(model.layers):
                layer.set_weights(weights[2 * at : 2 * at + 2])
        z = model(X)
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(np.maximum(p[np.arange(len(y)), y], 1e-12)).mean()
        accuracy = (z.argmax(axis=1) == y).mean()
        recorder.on_epoch_end(epoch, {"loss": loss, "accuracy": accuracy})
    return recorder


def _gradients(weights: list[Any], x: Any, y: Any) -> list[Any]:
    """Of the mean cross-entropy of a ReLU network, in the order of `weights`."""
    signals = [x]
    for at in range(0, len(weights), 2):
        z = signals[-1] @ weights[at] + weights[at + 1]
        signals.append(z if at == len(weights) - 2 else np.maximum(z, 0))
    e = np.exp(signals[-1] - signals[-1].max(axis=1, keepdims=True))
    dz = e / e.sum(axis=1, keepdims=True)
    dz[np.arange(len(y)), y] -= 1
    dz /= len(y)
    found: list[Any] = []
    for at in range(len(weights) - 2, -1, -2):
        below = signals[at // 2]
        found = [below.T @ dz, dz.sum(axis=0), *found]
        dz = (dz @ weights[at].T) * (below > 0)
    return found
