"""Writes reference.json and keras.json: NumPy's and Keras's arrays for the JavaScript engine.

Run it after a change of formulas: ``PYTHONPATH=. python tests/explorer/make_reference.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.layers import Layer, outputs
from explorer.network import read_layers
from explorer.prep import preprocess

FILE = Path(__file__).with_name("reference.json")
KERAS = Path(__file__).with_name("keras.json")
STACKS = {
    "relu": [("relu", 5), ("relu", 4), ("linear", 3)],
    "others": [("sigmoid", 4), ("tanh", 5), ("softmax", 3)],
    "softmax inside": [("softmax", 4), ("relu", 6), ("sigmoid", 3)],
}


def _loss(layers: list[Layer], x: Any, label: int) -> float:
    """Cross-entropy of the label; a softmax layer's sums are the logits."""
    z = outputs([*layers[:-1], _linear(layers[-1])], x[None])[0]
    if layers[-1].activation not in ("softmax", "linear"):
        z = outputs(layers, x[None])[0]
    return float(np.log(np.exp(z - z.max()).sum()) + z.max() - z[label])


def _linear(layer: Layer) -> Layer:
    return replace(layer, activation="linear")


def _network(kinds: list[tuple[str, int]], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, inputs, label = rng.normal(size=6), 6, 1
    layers = []
    for at, (kind, n) in enumerate(kinds):
        weights = np.round(rng.normal(size=(inputs, n)), 3)
        bias = np.round(rng.normal(size=n), 3)
        layers.append(Layer(f"L{at + 1}", "dense", (1, 1, inputs), (1, 1, n), kind, weights, bias))
        inputs = n
    signals = [outputs(layers[: at + 1], x[None])[0] for at in range(len(layers))]
    sums = [outputs([*layers[:at], _linear(layer)], x[None])[0] for at, layer in enumerate(layers)]
    logits = sums[-1] if layers[-1].activation == "softmax" else signals[-1]
    e = np.exp(logits - logits.max())
    return {
        "layers": [
            _entry(d)
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


def _entry(layer: Layer) -> dict[str, Any]:
    """A layer as the bundle's header has it, with its weights."""
    return {
        **layer.header(),
        "weights": layer.weights.astype(np.float64).ravel().tolist(),
        "bias": layer.bias.astype(np.float64).tolist(),
    }


def _slopes(layers: list[Layer], at: int, x: Any, label: int) -> list[float]:
    """dL/dw of one layer by central differences, in float64."""
    found = []
    for k in range(layers[at].weights.size):
        ends = []
        for step in (1e-5, -1e-5):
            weights = layers[at].weights.astype(np.float64)
            weights.flat[k] += step
            moved = replace(layers[at], weights=weights)
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


def keras_networks() -> dict[str, Any]:
    """Small Keras models of every kind of layer, their outputs, gradients and trained weights."""
    import keras
    from keras import layers as k

    keras.utils.set_random_seed(7)
    chains: dict[str, tuple[tuple[int, ...], list[Any], bool]] = {
        "dense": ((6,), [k.Dense(8, "relu"), k.Dense(4, "tanh"), k.Dense(3)], True),
        "leaky": ((6,), [k.Dense(7), k.LeakyReLU(0.2), k.Dense(5, "elu"), k.Dense(3)], True),
        "convolutional": (
            (9, 8, 2),
            [
                k.Conv2D(4, 3, strides=2, activation="relu", padding="same"), k.MaxPooling2D(2),
                k.Flatten(), k.Dropout(0.3), k.Dense(5), k.ReLU(), k.Dense(3), k.Softmax(),
            ],
            False,
        ),
        "averages": (
            (8, 8, 1),
            [
                k.Rescaling(2.0, offset=-0.5), k.Conv2D(3, (2, 3), use_bias=False), k.ELU(0.7),
                k.BatchNormalization(), k.AveragePooling2D((2, 3), strides=2, padding="same"),
                k.Conv2D(4, 2, activation="sigmoid"), k.GlobalAveragePooling2D(), k.Dense(3),
            ],
            False,
        ),
        "trained filters": (
            (8, 7, 1),
            [
                k.Conv2D(3, 3, activation="relu"), k.MaxPooling2D(2),
                k.Conv2D(4, 2, padding="same", activation="tanh"), k.AveragePooling2D((3, 2)),
                k.Flatten(), k.Dense(5, "relu"), k.Dense(3),
            ],
            True,
        ),
    }  # fmt: skip
    return {
        name: _keras_network(keras, shape, parts, trains, seed)
        for seed, (name, (shape, parts, trains)) in enumerate(chains.items())
    }


def _keras_network(
    keras: Any, shape: tuple[int, ...], parts: list[Any], trains: bool, seed: int
) -> dict[str, Any]:
    """One of them; gradients of the mean cross-entropy, and the weights after a hundred steps."""
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    model = keras.Sequential([keras.Input(shape), *parts])
    for layer in model.layers:
        # Moving statistics and biases as after a training, not as at its beginning.
        layer.set_weights(
            [np.round(w + rng.uniform(0.05, 0.4, w.shape), 3) for w in layer.get_weights()]
        )
    X = np.round(rng.normal(size=(12, *shape)), 2).astype(np.float32)
    y = rng.integers(0, 3, 12)
    logits = parts[-1].__class__.__name__ != "Softmax"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    entry = {
        "layers": [_entry(layer) for layer in read_layers(model)],
        "x": [row.tolist() for row in X.reshape(12, -1).astype(np.float64)],
        "y": y.tolist(),
        "outputs": [_short(row) for row in np.asarray(model(X))],
    }
    if not any(type(part).__name__ == "BatchNormalization" for part in parts):
        with tf.GradientTape() as tape:
            value = loss(y, model(X, training=False))
        slopes = tape.gradient(value, model.trainable_variables)
        entry["gradients"] = [_short(np.asarray(slope)) for slope in slopes]
    if trains:
        entry["batches"] = rng.permuted(np.tile(np.arange(12), (100, 1)), axis=1)[:, :4].tolist()
        begin = model.get_weights()
        entry["trained"] = {}
        for name, optimiser, rate in (
            ("sgd", keras.optimizers.SGD, 0.05),
            ("adam", keras.optimizers.Adam, 0.01),
        ):
            model.set_weights(begin)
            model.compile(optimizer=optimiser(rate), loss=loss)
            for batch in entry["batches"]:
                model.train_on_batch(X[batch], y[batch])
            weights = [_short(array) for array in model.get_weights()]
            entry["trained"][name] = {"rate": rate, "weights": weights}
    return entry


def _short(array: Any) -> list[float]:
    """Eight digits are enough, and keep the file small."""
    return [float(f"{v:.8g}") for v in np.asarray(array, dtype=np.float64).ravel()]


if __name__ == "__main__":
    FILE.write_text(json.dumps(make()) + "\n")
    KERAS.write_text(json.dumps(keras_networks()) + "\n")
