"""Exercises 2 and 3 of lab_mnist, the networks: what is asked of their layers and their training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from labkit.asking import what_holds
from labkit.cell_code import model_trouble
from labkit.descriptions import (
    BENT,
    Description,
    activations,
    dense_layers,
    near,
    neither_dense,
    shown_activation,
)
from labkit.findings import NotYet
from labkit.inspection import LOGITS_LOSS, PROBABILITIES_LOSS, PROBE
from labkit.model_causes import INPUTS
from labkit.student import Fact, Student, value_of
from labkit.values_in_words import as_numbers, number, show


@dataclass(frozen=True)
class Asked:
    """A network as an exercise asks for it: its name, its units, its number of parameters."""

    name: str
    units: tuple[int, ...]
    parameters: int
    exercise: str


BASELINE = Asked("baseline", (128, 10), 101_770, "exercise 2")
DEEP = Asked("deep", (128, 64, 16, 10), 109_946, "exercise 3")


def _described(asked: Asked) -> Fact[Description]:
    def find(student: Student) -> Description:
        need_network(value_of(student, asked.name), asked, student.source(asked.name))
        return cast(Description, student.evaluate(f"describe_model({asked.name}, 784)"))

    return Fact(f"description of {asked.name}", find)


def _training(asked: Asked) -> Fact[Description]:
    def find(student: Student) -> Description:
        described[asked](student)
        return cast(Description, student.evaluate(ask_training(asked)))

    return Fact(f"training of {asked.name}", find)


def ask_training(asked: Asked) -> str:
    """Return the expression that describes a training; without a history, that is a text."""
    history = f"globals().get('{asked.name}_history', 'none')"
    return f"describe_training({asked.name}, {history})"


described = {asked: _described(asked) for asked in (BASELINE, DEEP)}
"""What the student's networks are made of."""
training = {asked: _training(asked) for asked in (BASELINE, DEEP)}
"""How they were compiled, and trained as ``NAME_history`` has it."""


def with_layers(student: Student, asked: Asked) -> Description:
    """Describe the student's network; it must have layers."""
    model = described[asked](student)
    if model["layers"] is None:
        is_sequential(model, asked)
    return model


def need_network(model: Any, asked: Asked, source: str = "") -> None:
    """Raise `NotYet` if there is no model; `source` is the graded cell, where it is known."""
    if model is not None:
        return
    trouble = model_trouble(source) or (
        f"There is no {asked.name} yet: its cell is not filled in, was not run, or stopped with "
        "an error.",
        f"Run the cell of {asked.exercise} and look at what it says.",
    )
    raise NotYet(trouble[0], expected=f"a model named {asked.name}", got="none", next=trouble[1])


def is_sequential(model: Description, asked: Asked) -> None:
    """Check that the description is one of a Keras Sequential model."""
    if model["sequential"]:
        return
    name = str(model["type"]).rpartition(".")[2]
    cause = f"The name {asked.name} stands for a {name}, not for a model."
    then = "Give the name to the model itself; compile and fit return something else."
    if model["layers"] is not None:
        cause = f"This is a {name} model: it may well work, but a Sequential one was asked for."
        then = "Make it with Sequential and one list of layers, from the input to the output."
    raise NotYet(
        cause,
        called=f"type({asked.name})",
        expected="keras.Sequential",
        got=str(model["type"]),
        next=then,
    )


def layers(model: Description, asked: Asked) -> None:
    """Check that there are Dense layers, as many as asked for, and nothing else but their activations.

    A Flatten may stand before them.
    """
    kinds = [str(layer["type"]) for layer in model["layers"] or ()]
    bare = kinds[1:] if kinds[:1] == ["Flatten"] else kinds
    wanted = ["Dense"] * len(asked.units)
    extra = neither_dense(bare, (*BENT, "Softmax"))
    n_dense = bare.count("Dense")
    if n_dense == len(wanted) and not extra:
        return
    cause = f"There are {n_dense} Dense layers, not {len(wanted)}."
    then = "Count the rows with units in the table above."
    if extra:
        cause = f"There is an extra layer, {extra[0]}."
        then = f"Take {extra[0]} out; what is asked for are Dense layers and their activations."
        if extra[0] in ("Dropout", "BatchNormalization"):
            cause += " It changes what is compared here, so this lab does without."
    elif n_dense == len(wanted) + 1:
        cause += " The input is not a layer with units of its own."
    raise NotYet(
        cause,
        called=f"{asked.name}.layers",
        expected=", ".join(wanted),
        got=", ".join(kinds) or "no layers",
        next=then,
    )


def units(model: Description, asked: Asked) -> None:
    """Check the number of units of each Dense layer."""
    expected = list(asked.units)
    units = [layer["units"] for layer in dense_layers(model)]
    if units == expected:
        return
    cause, then = "The units differ from those asked for.", "Compare them one by one, in order."
    if units[-1:] == [1]:
        cause = "One output gives one number; a choice among ten digits takes ten of them."
        then = "Give the last layer one unit for each class."
    elif units[-1:] == [11]:
        cause = "11 outputs: there are ten classes, 0 to 9."
        then = "Give the last layer one unit for each class."
    elif sorted(units, key=str) == sorted(expected, key=str):
        cause = "The layers are there, but in another order."
        then = "Follow the data: from 784 pixels to 10 classes."
    raise NotYet(
        cause, called="units, layer by layer", expected=f"{expected}", got=f"{units}", next=then
    )


def input_length(model: Description, asked: Asked) -> None:
    """Check that the model knows its input, and that it is 784 pixels long."""
    dense = dense_layers(model)
    first = as_numbers(dense[0]["kernel"]) if dense else None
    got = int(first.shape[0]) if first is not None and first.ndim == 2 else None
    if not model["knows_input"]:
        raise NotYet(
            "The model does not know yet how long a row is: it has no weights, and its summary "
            'shows "?" in their place until the first data arrive.',
            called=f"{asked.name}.built",
            expected="a model made for rows of 784 numbers",
            got="a model without an input shape",
            next="Begin the list with an Input that states the shape of one row.",
        )
    if got == 784:
        shape = list(model["input_shape"] or [None, got])
        if model["layers"][0]["type"] == "Flatten":
            shape = [shape[0], got]
        written = f"({', '.join(map(str, shape))})"
        words = {"shape": written, "rows": shape[0], "n": got}
        cause, then = what_holds(INPUTS, ("", ""), shape, got, **words)
        if not cause:
            return
        raise NotYet(
            cause,
            called=f"{asked.name}.input_shape",
            expected=f"(None, {got})",
            got=written,
            next=then,
        )
    cause = f"The first layer has {got} inputs, a row of prepare has 784."
    then = "Look at X_train.shape: the shape of one row leaves the number of rows out."
    if got == 28:
        cause = (
            "The input is a picture of 28 by 28, and a Dense layer works on each of its lines by "
            "itself: it gives 28 answers."
        )
        then = "Say that a row is 784 numbers long, or flatten the picture first."
    elif got in (60_000, 4_000):
        cause = "The number of images was given as the length of a row."
    raise NotYet(
        cause,
        called="weights of the first layer",
        expected="784 inputs",
        got=f"{got} inputs",
        next=then,
    )


def hidden(model: Description, asked: Asked) -> None:
    """Check by its behaviour that each hidden layer's activation is ReLU."""
    dense = dense_layers(model)
    for index, name in enumerate(activations(model)[:-1]):
        if name == "relu":
            continue
        cause = f"Hidden layer {index + 1} does what {name} does, not what ReLU does."
        if name == "linear":
            cause = (
                f"Hidden layer {index + 1} is linear: it was given no activation, and two linear "
                "layers in a row can do no more than one."
            )
        raise NotYet(
            cause,
            called=f"activation of layer {index + 1} on {show(PROBE, 1)}",
            expected=show(np.array([0, 0, 0, 0.5, 3])),
            got=shown_activation(dense[index]["activation"]),
            next="Give that layer the activation named in the table above.",
        )


_OUTPUTS = {
    "linear": (
        "The output layer is linear: the softmax is missing, and what comes out are logits. With a "
        "loss that is told so this is valid, and even more exact, but the write-up that you "
        "reproduce has its softmax in the network."
    ),
    "sigmoid": (
        "The output layer has a sigmoid: each class gets a probability of its own, and they do not "
        "add up to 1."
    ),
    "relu": (
        "The output layer has a ReLU: it makes half of the outputs 0, and they are no probabilities."
    ),
}


def output(model: Description, asked: Asked) -> None:
    """Check by its behaviour that the output layer's activation is a softmax."""
    dense, names = dense_layers(model), activations(model)
    name = names[-1] if names else "unknown"
    if name == "softmax":
        return
    raise NotYet(
        _OUTPUTS.get(name, f"The output layer does what {name} does; a softmax was asked for."),
        called=f"activation of the output layer on {show(PROBE, 1)}",
        expected=show(np.array([0.005765, 0.025836, 0.042596, 0.07023, 0.855573])),
        got=shown_activation(dense[-1]["activation"]) if dense else "no layer",
        next="Give the output layer the activation that makes probabilities of ten numbers.",
    )


def parameters(model: Description, asked: Asked) -> None:
    """Check that every unit has a bias, that all can be trained, and that no weights are equal."""
    dense = dense_layers(model)
    cause = "The number of parameters is not that of these Dense layers with their biases."
    then = "Work out (inputs + 1) x units for each layer, and compare with summary()."
    for index, layer in enumerate(dense, 1):
        kernel = as_numbers(layer["kernel"])
        if not layer["biased"]:
            cause = f"Layer {index} has no bias (use_bias=False)."
            then = "Leave the bias in: it lets a unit choose its own threshold."
            break
        if not layer["trainable"]:
            cause = f"Layer {index} is frozen (trainable=False): training does not change it."
            then = "Leave every layer trainable."
            break
        if kernel is None or not kernel.size or np.ptp(kernel) < 1e-9:
            cause = (
                f"All weights of layer {index} have the same value: its units are copies of each "
                "other, and the network learns nothing."
            )
            then = "Leave the initialiser out: Keras' own draws small random weights."
            break
    else:
        if model["parameters"] == model["trainable"] == asked.parameters:
            return
    raise NotYet(
        cause,
        called="parameters, and how many of them can be trained",
        expected=f"{asked.parameters:,} and {asked.parameters:,}",
        got=f"{model['parameters']:,} and {model['trainable']:,}",
        next=then,
    )


def loss(training: Description, asked: Asked) -> None:
    """Check by its behaviour that the loss takes probabilities and integer labels."""
    if near(training["on_probabilities"], PROBABILITIES_LOSS):
        return
    got, one_hot = training["on_probabilities"], training["on_one_hot"]
    cause = f"The loss ({training['loss_name']}) is not the cross-entropy of integer labels."
    then = "Choose the loss for several classes and integer labels."
    if not training["compiled"]:
        cause = "The model is not compiled: it has no loss."
        then = f"Compile the model in the cell of {asked.exercise}."
    elif near(training["on_logits"], LOGITS_LOSS):
        cause = (
            "The loss expects logits (from_logits=True), but the output is a softmax already: it "
            "is applied twice. Keras only warns, and learning is slower."
        )
        then = "Leave from_logits out: the network gives probabilities."
    elif "categorical" in training["loss_name"] and got is None and one_hot is not None:
        cause = (
            "This is the categorical cross-entropy, which wants one-hot labels; yours are integers."
        )
        then = "Use the loss for integer labels, the sparse one."
    elif near(training["on_logits"], 5 / 3) or near(training["on_logits"], 1.0):
        cause = (
            "This loss measures the distance between numbers (mean squared or absolute error): it "
            "takes a 9 to be further from a 1 than a 2 is, and raises no error."
        )
        then = "Classes are not amounts: use the cross-entropy for integer labels."
    elif "binary" in training["loss_name"]:
        cause = "The binary cross-entropy is for one yes or no; here one of ten classes is chosen."
    raise NotYet(
        cause,
        called="your loss, label 0, probabilities [0.7 0.2 0.1]",
        expected=number(PROBABILITIES_LOSS),
        got="an error" if got is None else number(got),
        next=then,
    )


def optimizer(training: Description, asked: Asked) -> None:
    """Check that the optimizer is Adam, at a learning rate at which it learns."""
    name, rate = str(training["optimizer"]), training["learning_rate"]
    adam = name in ("Adam", "AdamW", "Nadam", "LossScaleOptimizer")
    if adam and (rate is None or 1e-4 <= rate <= 1e-2):
        return
    cause = f"The optimizer is {name}; Adam was asked for."
    if adam:
        size = "large: it jumps past the valley" if rate > 1e-2 else "small: it hardly moves"
        cause = f"The learning rate {rate:g} is too {size}."
    raise NotYet(
        cause,
        called=f"{asked.name}.optimizer",
        expected="Adam, learning rate about 0.001",
        got=f"{name}, learning rate {rate if rate is None else f'{rate:g}'}",
        next="Name the optimizer in compile; Keras' own learning rate is right.",
    )


def metrics(training: Description, asked: Asked) -> None:
    """Check that the accuracy is measured, too."""
    if "acc" in str(training["metrics"]).lower():
        return
    raise NotYet(
        "compile was not told to measure the accuracy: what comes next shows it beside the loss.",
        called=f"the metrics of {asked.name}",
        expected="accuracy",
        got=str(training["metrics"]) or "none",
        next="Give compile the metrics that the exercise names: a list with one word.",
    )
