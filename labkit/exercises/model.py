"""Exercise 2 of lab_digits, the model: its public checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from labkit.asking import what_holds
from labkit.cell_code import model_trouble
from labkit.descriptions import (
    Description,
    activations,
    dense_layers,
    neither_dense,
    shown_activation,
)
from labkit.findings import NotStarted, NotYet
from labkit.inspection import PROBE
from labkit.model_causes import EXTRA, HIDDEN, INPUTS, LAYERS, OUTPUT, PARAMETERS, UNITS
from labkit.run_checks import Check
from labkit.student import Fact, Student, value_of
from labkit.values_in_words import as_numbers, number, show, show_input


def _described(student: Student) -> Description:
    need_model(value_of(student, "model"), student.source("model"))
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
        next="Make it with Sequential and one list of layers, from the input to the output.",
    )


def layers(model: Description) -> None:
    """Check that there are three Dense layers and nothing else but their activations."""
    kinds = [str(layer["type"]) for layer in model["layers"] or ()]
    n_dense, extra = kinds.count("Dense"), neither_dense(kinds)
    if n_dense == 3 and not extra:
        return
    first = extra[0] if extra else ""
    words = {"extra": first, "why": EXTRA.get(first, ""), "n_dense": str(n_dense)}
    cause, then = what_holds(LAYERS, ("", ""), n_dense, extra, **words)
    raise NotYet(
        cause.strip(),
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
    otherwise = "The units differ from those asked for.", "Compare them one by one, in order."
    cause, then = what_holds(UNITS, otherwise, units, n_classes, more=n_classes + 1)
    raise NotYet(
        cause, called="units, layer by layer", expected=f"{expected}", got=f"{units}", next=then
    )


def input_length(model: Description, n_inputs: int = 400) -> None:
    """Check that the model knows the shape of its input, and that it is (None, n_inputs)."""
    if not model["knows_input"]:
        raise NotYet(
            "The model does not know yet how long a row is: it has no weights, and model.summary() "
            'shows "?" in their place until the first data arrive.',
            called="model.built",
            expected=f"a model made for rows of {n_inputs} numbers",
            got="a model without an input shape",
            next="Begin the list with an Input that states the shape of one row.",
        )
    first = dense_layers(model)[:1]
    by_weights = [None, *np.shape(first[0]["kernel"])[:1]] if first else []
    shape = list(model["input_shape"] or by_weights)
    written = f"({', '.join(map(str, shape))})"
    words = {"shape": written, "rows": shape[0] if shape else None, "n": n_inputs}
    cause, then = what_holds(INPUTS, ("", ""), shape, n_inputs, **words)
    if cause:
        raise NotYet(
            cause,
            called="model.input_shape",
            expected=f"(None, {n_inputs})",
            got=written,
            next=then,
        )


def hidden(model: Description) -> None:
    """Check by its behaviour that each hidden layer's activation is ReLU."""
    names, dense = activations(model), dense_layers(model)
    for index, name in enumerate(names[:-1]):
        if name == "relu":
            continue
        otherwise = f"Hidden layer {{number}} does what {name} does, not what ReLU does."
        raise NotYet(
            HIDDEN.get(name, otherwise).format(number=index + 1),
            called=f"activation of layer {index + 1} on {show_input(PROBE)}",
            expected=show(np.array([0, 0, 0, 0.5, 3])),
            got=shown_activation(dense[index]["activation"]),
            next="Give that layer the activation that section 3 shows.",
        )


def output(model: Description) -> None:
    """Check by its behaviour that the output layer is linear."""
    dense = dense_layers(model)
    name = (activations(model) or ["unknown"])[-1]
    if name == "linear":
        return
    otherwise = (
        f"The output layer does what {name} does; logits are wanted, so it should be linear."
    )
    raise NotYet(
        OUTPUT.get(name, otherwise),
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
    unbiased = next((i for i, layer in enumerate(dense, 1) if not layer["biased"]), 0)
    frozen = next((i for i, layer in enumerate(dense, 1) if not layer["trainable"]), 0)
    given = (unbiased, frozen, model, n_parameters)
    cause, then = what_holds(PARAMETERS, ("", ""), *given, unbiased=unbiased, frozen=frozen)
    if cause:
        raise NotYet(
            cause,
            called="parameters, and how many of them can be trained",
            expected=f"{n_parameters:,} and {n_parameters:,}",
            got=f"{model['parameters']:,} and {model['trainable']:,}",
            next=then,
        )


def start(model: Description) -> None:
    """Check that the weights of a layer do not all start from the same value.

    A model that has no weights yet is for the input's check to judge.
    """
    for index, layer in enumerate(dense_layers(model), 1):
        kernel = as_numbers(layer["kernel"])
        if kernel is None or not kernel.size:
            continue
        if not np.isfinite(kernel).all():
            raise NotYet(
                f"There are weights in layer {index} that are not finite.",
                called=f"weights of layer {index}",
                expected="small random numbers",
                got=show(kernel),
                next="Run the cell of exercise 2 again.",
            )
        if np.ptp(kernel) < 1e-9:
            raise NotYet(
                f"All weights of layer {index} start from the same value ({number(kernel.flat[0])}): "
                "its units stay copies of each other, and the network learns nothing (0.08).",
                called=f"weights of layer {index}",
                expected="different numbers",
                got=show(kernel),
                next="Leave the initialiser out: Keras' own draws small random weights.",
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
        asking("model-weights", "weights to start from", start),
    )


CHECKS = checks()
