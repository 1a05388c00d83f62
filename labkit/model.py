"""Exercise 2 of lab_digits, the model: its public checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from labkit.cells import model_trouble
from labkit.descriptions import (
    Description,
    activation_name,
    activations,
    dense_layers,
    shown_activation,
)
from labkit.findings import NotStarted, NotYet
from labkit.inside import PROBE
from labkit.running import Check
from labkit.student import Fact, Student
from labkit.words import as_numbers, show, show_input


def _described(student: Student) -> Description:
    need_model(student.get("model"), student.source("model"))
    return cast(Description, student.evaluate("describe_model(model)"))


described: Fact[Description] = Fact("description of model", _described)
"""What the student's model is made of."""


def with_layers(student: Student) -> Description:
    """Describe the student's model; it must be one."""
    model = described(student)
    is_a_model(model)
    return model


def need_model(model: Any, source: str = "") -> None:
    """Raise `NotYet` if there is no model; `source` is the graded cell, where it is known."""
    if model is not None and model is not NotStarted:
        return
    trouble = model_trouble(source) or (
        "There is no model yet: its cell is not filled in, was not run, or stopped with an error.",
        "Run the cell of exercise 2 and look at what it says.",
    )
    raise NotYet(trouble[0], expected="a model named model", got="none", next=trouble[1])


def is_a_model(model: Description) -> None:
    """Check that the description is one of a Keras model."""
    if model["layers"] is not None:
        return
    raise NotYet(
        f"The name model stands for a {str(model['type']).rpartition('.')[2]}, not a model.",
        called="type(model)",
        expected="keras.Sequential",
        got=str(model["type"]),
        next="Do not give model another value; run the cell of exercise 2 again.",
    )


def is_sequential(model: Description) -> None:
    """Check that the description is one of a Keras Sequential model."""
    name = str(model["type"]).rpartition(".")[2]
    if model["sequential"]:
        return
    raise NotYet(
        f"This is a {name} model: it may well work, but a Sequential one was asked for.",
        called="type(model)",
        expected="keras.Sequential",
        got=str(model["type"]),
        next="Make it with Sequential and one list of layers, in the order of the data's way.",
    )


_EXTRA = {
    "Dropout": "Dropout switches units off at random; this lab does without.",
    "Softmax": "The softmax belongs in the loss here: the model's output is logits.",
    "Activation": "An activation is given to its Dense layer, not added as a layer.",
    "ReLU": "An activation is given to its Dense layer, not added as a layer.",
    "Flatten": "The rows of X are flat already.",
    "BatchNormalization": "This lab does without batch normalisation.",
}


def layers(model: Description) -> None:
    """Check that there are three Dense layers and nothing else."""
    kinds = [str(layer["type"]) for layer in model["layers"] or ()]
    if kinds == ["Dense"] * 3:
        return
    extra = [kind for kind in kinds if kind != "Dense"]
    n_dense = len(kinds) - len(extra)
    if extra:
        cause = f"There is an extra layer, {extra[0]}. {_EXTRA.get(extra[0], '')}".strip()
        then = f"Take {extra[0]} out; what is asked for is three Dense layers."
    elif n_dense > 3:
        cause = f"There are {n_dense} Dense layers: the input is not a layer of its own with units."
        then = "Count the layers that have weights in the picture of the network: three."
    else:
        cause = (
            f"There are {n_dense} Dense layers where the network has two hidden ones and an output."
        )
        then = "Compare with the picture of the network, from left to right."
    raise NotYet(
        cause,
        called="model.layers",
        expected="Dense, Dense, Dense",
        got=", ".join(kinds) or "no layers",
        next=then,
    )


def units(model: Description, n_classes: int = 10) -> None:
    """Check the number of units of each Dense layer."""
    expected = [25, 15, n_classes]
    units = [layer["units"] for layer in dense_layers(model)]
    if units == expected:
        return
    cause, then = "The units differ from those asked for.", "Compare them one by one, in order."
    if units[:2] == [15, 25]:
        cause = "The two hidden layers are swapped: 25 units come first, then 15."
        then = "Change their order."
    elif units[-1:] == [n_classes + 1]:
        cause = f"{n_classes + 1} outputs: with the label 10 remapped to 0, the classes are 0 to 9."
        then = "Give the last layer one unit for each class."
    elif units[-1:] == [1]:
        cause = "One output gives one number; a choice among ten digits takes ten of them."
        then = "Give the last layer one unit for each class."
    raise NotYet(
        cause, called="units, layer by layer", expected=f"{expected}", got=f"{units}", next=then
    )


def input_length(model: Description, n_inputs: int = 400) -> None:
    """Check that the model knows the shape of its input, and that it is right."""
    dense = dense_layers(model)
    first = as_numbers(dense[0]["kernel"]) if dense else None
    got = int(first.shape[0]) if first is not None and first.ndim == 2 else None
    if not model["knows_input"]:
        raise NotYet(
            "The model does not know yet how long a row is: it has no weights, and model.summary() "
            'shows "?" in their place until the first data arrive.',
            called="model.built",
            expected=f"a model made for rows of {n_inputs} numbers",
            got="a model without an input shape",
            next="Begin the list with an Input that states the shape of one row.",
        )
    if got != n_inputs:
        raise NotYet(
            "The input has another length than a row of X.",
            called="weights of the first layer",
            expected=f"{n_inputs} inputs",
            got=f"{got} inputs",
            next="Look at X.shape: the shape of one row leaves the number of rows out.",
        )


def hidden(model: Description) -> None:
    """Check by its behaviour that each hidden layer's activation is ReLU."""
    names, dense = activations(model), dense_layers(model)
    for index, name in enumerate(names[:-1]):
        if name == "relu":
            continue
        cause = f"Hidden layer {index + 1} does what {name} does, not what ReLU does."
        if name == "linear":
            cause = (
                f"Hidden layer {index + 1} is linear: it was given no activation, and two linear "
                "layers in a row can do no more than one."
            )
        elif name == "sigmoid":
            cause = (
                f"Hidden layer {index + 1} has a sigmoid. Accuracy hardly shows it (0.90), but it "
                "learns more slowly than ReLU and is not what was asked for."
            )
        raise NotYet(
            cause,
            called=f"activation of layer {index + 1} on {show_input(PROBE)}",
            expected=show(np.array([0, 0, 0, 0.5, 3])),
            got=shown_activation(dense[index]["activation"]),
            next="Give that layer the activation that section 3 shows.",
        )


def output(model: Description) -> None:
    """Check by its behaviour that the output layer is linear."""
    dense = dense_layers(model)
    name = activation_name(dense[-1]["activation"]) if dense else "unknown"
    if name == "linear":
        return
    cause = f"The output layer does what {name} does; logits are wanted, so it should be linear."
    if name == "softmax":
        cause = (
            "The output layer has a softmax. Here the softmax sits in the loss, which is more exact; "
            "with both, it would be applied twice."
        )
    elif name == "relu":
        cause = (
            "The output layer has a ReLU: it makes every negative logit 0, and the network can no "
            "longer say how unlikely a digit is (accuracy falls to about 0.83)."
        )
    raise NotYet(
        cause,
        called=f"activation of the output layer on {show_input(PROBE)}",
        expected=show(PROBE),
        got=shown_activation(dense[-1]["activation"]) if dense else "no layer",
        next="Let the output layer pass its numbers on as they are.",
    )


def _sizes(dense: list[Description], n_inputs: int) -> list[tuple[int, int]]:
    """Inputs and outputs of each Dense layer: those of its weights, or those that it will have."""
    sizes: list[tuple[int, int]] = []
    for layer in dense:
        before = sizes[-1][1] if sizes else n_inputs
        shape = np.shape(layer["kernel"])
        sizes.append((shape[0], shape[1]) if len(shape) == 2 else (before, layer["units"] or 0))
    return sizes


def parameters(model: Description, n_inputs: int = 400) -> None:
    """Check that every unit has a bias, and that every parameter can be trained.

    There are 10,575: (400 + 1) x 25 + (25 + 1) x 15 + (15 + 1) x 10. What an input of another
    length adds to them is the input's check to say.
    """
    dense = dense_layers(model)
    n_parameters = sum((n_in + 1) * n_out for n_in, n_out in _sizes(dense, n_inputs))
    frozen = [i for i, layer in enumerate(dense, 1) if not layer["trainable"]]
    cause = "The number of parameters is not that of three Dense layers with biases."
    then = "Work out (inputs + 1) x units for each layer, and compare with model.summary()."
    if not all(layer["biased"] for layer in dense):
        index = next(i for i, layer in enumerate(dense, 1) if not layer["biased"])
        cause = f"Layer {index} has no bias (use_bias=False)."
        then = "Leave the bias in: it lets a unit choose its own threshold."
    elif frozen or model["trainable"] != model["parameters"]:
        which = f"Layer {frozen[0]}" if frozen else "The model"
        cause = f"{which} is frozen (trainable=False): training would not change its weights."
        then = "Leave every layer trainable."
    elif model["parameters"] == n_parameters:
        return
    raise NotYet(
        cause,
        called="parameters, and how many of them can be trained",
        expected=f"{n_parameters:,} and {n_parameters:,}",
        got=f"{model['parameters']:,} and {model['trainable']:,}",
        next=then,
    )


def checks(n_classes: int = 10, n_inputs: int = 400) -> tuple[Check, ...]:
    """Return the public checks of a model for `n_classes` classes and rows of `n_inputs` numbers."""

    def asking(id: str, title: str, look: Callable[..., None], *more: int) -> Check:
        return Check(id, title, lambda student: look(with_layers(student), *more))

    return (
        asking("model-there", "a model", is_a_model),
        asking("model-sequential", "a Sequential one", is_sequential),
        asking("model-layers", "its layers", layers),
        asking("model-units", "units", units, n_classes),
        asking("model-input", "the input", input_length, n_inputs),
        asking("model-hidden", "hidden layers", hidden),
        asking("model-output", "the output layer", output),
        asking("model-parameters", "parameters", parameters, n_inputs),
    )


CHECKS = checks()
