"""Networks as the examiner knows them: a description, and NumPy.

A description is what ``labkit.inspection.describe_model`` returns in the student's process.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from scipy.io import loadmat

from labkit.descriptions import activations, dense_layers
from labkit.exercises.split import row_table
from labkit.student import value_of
from labkit.values_in_words import as_numbers
from proctor.checks import Finding, Side

ROOT = Path(__file__).resolve().parents[2]
MAX_UNITS = 2_048
"""Longest axis of a layer's weights that is computed with; the labs' own longest is 784."""
MAX_WEIGHTS = 2_000_000
"""Most weights of a model; the labs' largest has some 110,000."""

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softplus": lambda z: np.logaddexp(0, z),
    "swish (silu)": lambda z: z / (1 + np.exp(-z)),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "softsign": lambda z: z / (1 + np.abs(z)),
}
"""Activations of hidden layers that a network can be recomputed with."""


@functools.cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """The lab's X (5000, 400) float64 and y (5000,) int64, 0 to 9; not to be written to."""
    data = loadmat(str(ROOT / "Data" / "ex3data1.mat"))
    X, y = data["X"], data["y"].ravel().astype(np.int64) % 10
    X.flags.writeable = y.flags.writeable = False
    return X, y


@functools.cache
def digit_table() -> dict[bytes, int]:
    """The row numbers of these digits, for ``labkit.row_numbers.find_rows``."""
    return row_table(digits()[0])


@functools.cache
def digits28() -> tuple[np.ndarray, np.ndarray]:
    """The same digits as MNIST has them: (5000, 28, 28) uint8, and labels (5000,) int64."""
    with np.load(ROOT / "Data" / "mnist_5k.npz", allow_pickle=False) as data:
        return data["images"], data["labels"].astype(np.int64)


@functools.cache
def reference_weights() -> tuple[np.ndarray, ...]:
    """W1, b1, W2, b2, W3, b3 of a network trained on all digits; see ``course.make_reference``."""
    file = Path(__file__).with_name("reference_weights.npz")
    with np.load(file, allow_pickle=False) as data:
        weights = [data[name].astype(float) for name in ("W1", "b1", "W2", "b2", "W3", "b3")]
    for array in weights:
        array.flags.writeable = False  # every student is judged by these
    return tuple(weights)


def reference_logits(X: np.ndarray) -> np.ndarray:
    """Logits of the reference network: (m, 400) to (m, 10), float64."""
    W1, b1, W2, b2, W3, b3 = reference_weights()
    hidden = np.maximum(X @ W1 + b1, 0)
    return np.maximum(hidden @ W2 + b2, 0) @ W3 + b3


def true_softmax(z: np.ndarray) -> np.ndarray:
    """Softmax along the last axis: float64, shape as `z`."""
    shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def describe(
    side: Side, name: str, n_inputs: int, need: Callable[[Any, str], None]
) -> dict[str, Any]:
    """Describe the student's model `name`, made in the graded cell `name`.

    Parameters
    ----------
    need : function of the value and the cell's code
        Raises a finding if there is no model, and says why if the code shows it.
    """
    need(value_of(side, name), side.source(name))
    return well_formed(side.evaluate(f"describe_model({name}, {n_inputs})"))


def well_formed(model: Any) -> dict[str, Any]:
    """Return a description from the student's process, if it has the form of one.

    Raises
    ------
    Finding
        If it has not: somebody's code stands in the way of the description.
    """
    keys = {"type", "sequential", "knows_input", "input_shape", "parameters", "trainable", "layers"}
    if isinstance(model, dict) and model.get("layers") is None and "type" in model:
        return {**dict.fromkeys(keys), **model, "sequential": False, "layers": None}
    layer_keys = {"type", "units", "activation", "kernel", "bias", "biased", "trainable"}
    if (
        isinstance(model, dict)
        and keys <= model.keys()
        and isinstance(model["layers"], list)
        and isinstance(model["input_shape"], list | NoneType)
        and all(isinstance(side, int | NoneType) for side in model["input_shape"] or ())
        and all(isinstance(part, dict) and layer_keys <= part.keys() for part in model["layers"])
        and all(type(model[key]) is int for key in ("parameters", "trainable"))
    ):
        _require_size(model["layers"])
        return model
    raise Finding("The model could not be described.", next="Restart the kernel and run all cells.")


def _require_size(layers: list[dict[str, Any]]) -> None:
    """Refuse weights whose products would cost the examiner more than any network of the labs."""
    weights = [as_numbers(layer["kernel"]) for layer in layers]
    shapes = [array.shape for array in weights if array is not None]
    for place, shape in enumerate(shapes):
        # How long a row is taken to be costs nothing here, and has a check that says more.
        sides = shape if place else shape[1:]
        if 0 in shape or max(sides, default=0) > MAX_UNITS:
            size = " by ".join(map(str, shape))
            raise Finding(
                f"A layer's weights are {size}, which no network of this lab has.",
                next=f"Give each layer between 1 and {MAX_UNITS} units.",
            )
    if sum(map(math.prod, shapes)) > MAX_WEIGHTS:
        raise Finding(
            f"The model has more than {MAX_WEIGHTS:,} weights, which no network of this lab has.",
            next="Build the network that the exercise describes.",
        )


def well_formed_training(training: Any) -> dict[str, Any]:
    """Return what ``describe_training`` gave in the student's process, if it has that form.

    Raises
    ------
    Finding
        If it has not.
    """
    forms: dict[str, tuple[type, ...]] = {
        "compiled": (bool,),
        "on_logits": (float, type(None)),
        "on_probabilities": (float, type(None)),
        "on_one_hot": (float, type(None)),
        "loss_name": (str,),
        "optimizer": (str,),
        "learning_rate": (float, type(None)),
        "metrics": (str,),
        "trained": (int,),
        "history": (str,),
        "foreign": (bool,),
        "losses": (list,),
        "val_losses": (list,),
        "steps": (int,),
    }
    if (
        isinstance(training, dict)
        and all(isinstance(training.get(key, ...), kinds) for key, kinds in forms.items())
        and all(isinstance(v, float) for key in ("losses", "val_losses") for v in training[key])
    ):
        return training
    raise Finding(
        "How the model was trained could not be described.",
        next="Restart the kernel and run all cells.",
    )


def forward(model: dict[str, Any], X: np.ndarray) -> np.ndarray | None:
    """Recompute a network's output, before its last activation, from its weights.

    Parameters
    ----------
    model : dict
        Description of a model.
    X : ndarray, shape (m, n_in)

    Returns
    -------
    ndarray of float64, shape (m, n_out), or None
        None if the description is not one of a stack of Dense layers that fits X.
    """
    layers = dense_layers(model) if model["layers"] else []
    if not layers:
        return None
    names = activations(model)
    out = np.asarray(X, dtype=float)
    for index, layer in enumerate(layers):
        kernel = None if layer["kernel"] is None else as_numbers(layer["kernel"])
        if kernel is None or kernel.ndim != 2 or kernel.shape[0] != out.shape[1]:
            return None
        bias = np.zeros(kernel.shape[1]) if layer["bias"] is None else np.asarray(layer["bias"])
        if bias.shape != kernel.shape[1:]:
            return None
        with np.errstate(all="ignore"):  # weights of a training that went astray overflow
            out = out @ kernel.astype(float) + bias
            if index < len(layers) - 1:
                if names[index] not in FUNCTIONS:
                    return None
                out = FUNCTIONS[names[index]](out)
    return out


def compare_logits(model: dict[str, Any], X: np.ndarray, outputs: Any) -> None:
    """Raise :class:`Finding` unless the model gives for X (m, 400) what its weights say.

    The tolerance is that of float32 for sums of 400 products in another order: 1e-4 of the largest
    logit. A Dropout at work, or a layer of the student's own, differs by far more.
    """
    expected = forward(model, X)
    got = as_numbers(outputs)
    if expected is None or got is None or expected.shape != got.shape:
        raise Finding(
            "The model's output is not that of a stack of Dense layers with ReLU between them.",
            next="Compare model.summary() with the table above exercise 2.",
        )
    scale = max(1.0, float(np.abs(expected).max()))
    if not np.allclose(got, expected, rtol=0, atol=1e-4 * scale):
        raise Finding(
            "The model's output differs from what its weights and activations give.",
            next="Look for something between the layers, or for a layer of your own making.",
        )
