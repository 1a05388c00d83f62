"""What is asked where the student's objects live: a model described, a function watched.

In the notebook these functions are called there. In the marking this one file is run in the student's
kernel, in a namespace of its own, and its functions are asked for by name. So it needs NumPy and the
standard library alone, and what it returns is plain data.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

PROBE = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
"""Inputs on which the usual activations differ, so that an activation is known by what it does."""


def relu(z: Array) -> Array:
    """Return z where it is positive, 0 elsewhere."""
    return np.maximum(z, 0)


def linear(z: Array) -> Array:
    """Return z as it is."""
    return z


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) for each element of z."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(z, dtype=float))))


def type_name(value: object) -> str:
    """Name the type of a value, with its module unless it is built in."""
    kind = type(value)
    plain = kind.__module__ == "builtins"
    return kind.__qualname__ if plain else f"{kind.__module__}.{kind.__qualname__}"


def describe_model(model: Any, n_inputs: int = 400) -> dict[str, Any]:
    """Say what a model is made of, in plain data: its layers, their weights, what they do.

    The model stays as it is. One that does not know its input yet has no weights; its parameters
    are those that it will have for rows of `n_inputs` numbers.

    Returns
    -------
    dict
        ``type``, ``sequential``, ``knows_input``, ``input_shape`` (a list, None without one),
        ``parameters``, ``trainable``, and ``layers``: for each its ``type``, ``units``,
        ``activation`` (its values on `PROBE`), ``kernel`` and ``bias`` (arrays or None), ``biased``
        and ``trainable``.
    """
    kinds = {kind.__name__ for kind in type(model).__mro__}
    if not {"Model", "Sequential"} & kinds:
        return {"type": type_name(model), "sequential": False, "layers": None}
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    described = [describe_layer(layer) for layer in layers]
    if model.built:
        parameters = int(model.count_params())
        trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    else:
        parameters, trainable = _parameters_to_be(described, n_inputs)
    return {
        "type": type_name(model),
        "sequential": "Sequential" in kinds,
        "knows_input": bool(model.built),
        "input_shape": _input_shape(model),
        "parameters": parameters,
        "trainable": trainable,
        "layers": described,
    }


def _input_shape(model: Any) -> list[int | None] | None:
    """Return the shape that a model takes; None if it does not know, or takes several inputs."""
    try:
        return [None if side is None else int(side) for side in model.input_shape]
    except (AttributeError, TypeError, ValueError):
        return None


def _parameters_to_be(layers: list[dict[str, Any]], n_inputs: int) -> tuple[int, int]:
    """Count the parameters, and those that can be trained, of layers that have no weights yet."""
    parameters = trainable = 0
    for layer in layers:
        if layer["units"]:
            size = (n_inputs + layer["biased"]) * layer["units"]
            parameters += size
            trainable += size if layer["trainable"] else 0
            n_inputs = layer["units"]
    return parameters, trainable


_WEIGHTLESS = ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Dropout", "Flatten")
"""Layers that can be called before they are built and stay what they are."""


def describe_layer(layer: Any) -> dict[str, Any]:
    """Say what one layer is and does; see `describe_model`."""
    kind = type(layer).__name__
    weights = [np.asarray(weight) for weight in layer.get_weights()]
    dense = kind == "Dense"
    activation: Any = getattr(layer, "activation", None) if dense else None
    if not dense and not weights and (layer.built or kind in _WEIGHTLESS):
        activation = layer  # Activation, ReLU, Softmax, Dropout...: the layer is what it does
    values = None
    if activation is not None:
        try:
            values = np.asarray(activation(PROBE.astype("float32")[np.newaxis]), dtype=float)
        except Exception:  # noqa: BLE001 - an activation of the student's own may do anything
            values = None
    return {
        "type": kind,
        "units": int(getattr(layer, "units", 0)) or None,
        "activation": values,
        "kernel": weights[0] if dense and weights else None,
        "bias": weights[1] if dense and len(weights) > 1 else None,
        "biased": bool(getattr(layer, "use_bias", True)),
        "trainable": bool(layer.trainable),
    }


LOGITS_LOSS = 0.16984602
"""Cross-entropy of logits [2, 0, -1] for label 0."""


PROBABILITIES_LOSS = 0.35667494
"""Cross-entropy of probabilities [0.7, 0.2, 0.1] for label 0."""


def describe_training(model: Any, history: Any) -> dict[str, Any]:
    """Say how a model was compiled and trained, in plain data.

    Returns
    -------
    dict
        ``compiled``; ``on_logits``, ``on_probabilities``, ``on_one_hot``: the loss on the two probes
        above, and on the first with a one-hot label (None where it raises); ``loss_name``,
        ``optimizer``, ``learning_rate``, ``metrics`` (their names in one text); ``trained``: steps of
        training so far; ``history``: the type of the history; ``foreign``: whether it is
        that of another model; ``losses`` and ``val_losses``: one per epoch; ``steps``: batches per epoch.
    """
    library = sys.modules.get(type(model).__mro__[0].__module__.partition(".")[0])
    library = library if hasattr(library, "losses") else sys.modules.get("keras")
    given = getattr(model, "loss", None)
    loss: Any = None
    if given is not None and library is not None:
        try:
            loss = library.losses.get(given)
        except (ValueError, TypeError):  # a list of losses, a name that is none
            loss = given
    label, one_hot = np.array([0]), np.array([[1.0, 0.0, 0.0]], dtype="float32")
    logits, chances = [np.array([row], dtype="float32") for row in ([2, 0, -1], [0.7, 0.2, 0.1])]
    optimizer = getattr(model, "optimizer", None)
    logged, params, owner = (
        getattr(history, name, None) for name in ("history", "params", "model")
    )
    logged = logged if isinstance(logged, dict) else {}
    params = params if isinstance(params, dict) else {}
    return {
        "compiled": given is not None,
        "on_logits": probe_loss(loss, label, logits),
        "on_probabilities": probe_loss(loss, label, chances),
        "on_one_hot": probe_loss(loss, one_hot, logits),
        "loss_name": str(
            given if isinstance(given, str) else getattr(given, "name", type_name(given))
        ),
        "optimizer": "none" if optimizer is None else type(optimizer).__name__,
        "learning_rate": _float_of(getattr(optimizer, "learning_rate", None)),
        "metrics": _metrics_of(model),
        "trained": int(_float_of(getattr(optimizer, "iterations", None)) or 0),
        "history": type_name(history),
        "foreign": owner is not None and owner is not model,
        "losses": [float(value) for value in logged.get("loss", [])],
        "val_losses": [float(value) for value in logged.get("val_loss", [])],
        "steps": int(params.get("steps") or 0),
    }


def _metrics_of(model: Any) -> str:
    """Name the metrics that a model was compiled with; '' for none."""
    try:
        with warnings.catch_warnings(action="ignore"):  # that a lambda could not be loaded again
            return str((model.get_compile_config() or {}).get("metrics") or "")
    except Exception:  # noqa: BLE001 - a metric of the student's own need not be one that can be saved
        return str(getattr(model, "metrics", ""))


def _float_of(value: Any) -> float | None:
    try:
        return float(np.asarray(value))
    except (TypeError, ValueError):  # none, or a schedule
        return None


def probe_loss(loss: Any, label: Array, outputs: Array) -> float | None:
    """Return the loss of one example; None if it raises."""
    if loss is None:
        return None
    try:
        return float(np.mean(np.asarray(loss(label, outputs))))
    except Exception:  # noqa: BLE001 - a loss that does not fit raises what it likes
        return None


def watch(model: Any) -> tuple[Any, Callable[[], int]]:
    """Return what stands in front of a model, and how often the model was asked through it.

    It passes everything on, what is assigned to it too: the count is not one of its attributes.
    """
    calls = 0

    class Watched:
        """Stands in front of a model and counts how often it is asked."""

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            return asked(model, *arguments, **options)

        def predict(self, *arguments: Any, **options: Any) -> Any:
            """Ask the model once."""
            return asked(model.predict, *arguments, **options)

        def predict_on_batch(self, *arguments: Any, **options: Any) -> Any:
            """Ask the model once."""
            return asked(model.predict_on_batch, *arguments, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(model, name, value)

    def asked(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return ask(*arguments, **options)

    return Watched(), lambda: calls


def read_from_outside(function: Any) -> dict[str, list[str]]:
    """Name what a function reads of the notebook: ``arrays``, and ``functions`` of the student's.

    Names that the function, or one inside it, gives a value of its own are left out.
    """
    code, outside = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    names: list[str] = []
    codes = [code] if code is not None else []
    while codes:
        one = codes.pop()
        names += one.co_names
        codes += [part for part in one.co_consts if hasattr(part, "co_names")]
    values = {name: outside[name] for name in dict.fromkeys(names) if name in outside}
    return {
        "arrays": [
            n for n, value in values.items() if isinstance(value, np.ndarray) and value.ndim
        ],
        "functions": [n for n, value in values.items() if hasattr(value, "__code__")],
    }


def watched_prediction(predict_digits: Any, model: Any, X: Array) -> dict[str, Any]:
    """Call `predict_digits` with a watched model: its ``result``, and how many ``calls`` it took."""
    watched, calls = watch(model)
    result = predict_digits(watched, X)
    return {"result": result, "calls": calls()}


def model_outputs(model: Any, X: Array) -> Array:
    """Return what a Keras model gives for rows X (m, n), in the shape that it takes: (m, n_out)."""
    rows = np.asarray(X, dtype="float32")
    shape = tuple(getattr(model, "input_shape", None) or rows.shape)[1:]
    if None not in shape and np.prod(shape) == rows.shape[1]:
        rows = rows.reshape(len(rows), *shape)
    return np.asarray(model(rows))


def read_picture_with(preprocess_photo: Any, data: Array, suffix: str = ".png") -> Any:
    """Write the bytes `data` (uint8) to a file of its own and return `preprocess_photo(path)`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"picture{suffix}"
        path.write_bytes(np.asarray(data, dtype=np.uint8).tobytes())
        return preprocess_photo(str(path))
