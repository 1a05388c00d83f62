"""How exercise 2 of lab_digits is marked, the network: its checks and points."""

from __future__ import annotations

from typing import Any

import numpy as np

import labkit.exercises.model
from course.checks import network
from course.checks.digits import QUICK, Draw
from course.checks.network import digits
from course.checks.public import Public
from labkit.exercises import TITLES
from labkit.findings import NotYet
from proctor.checks import Exercise, Finding, Side
from proctor.kernel.check_values import StudentError

exercise = Exercise("model", TITLES["model"], points=15, seconds=QUICK)
with_layers = labkit.exercises.model.with_layers


def tell_model(side: Side) -> None:
    """Have the model's description looked at before it is used, and a missing model explained."""
    labkit.exercises.model.described.tell(
        side, lambda: network.describe(side, "model", 400, labkit.exercises.model.need_model)
    )


public = Public(exercise, labkit.exercises.model.CHECKS, first=tell_model)

public("model-there", points=1)
public("model-sequential", points=1, needs=("model-there",))
public("model-layers", points=1, needs=("model-there",))
public("model-units", points=2, needs=("model-there",))
public("model-input", points=2, needs=("model-there",))
public("model-hidden", points=2, needs=("model-there",))
public("model-output", points=2, needs=("model-there",))
public("model-parameters", points=1, needs=("model-layers", "model-units"))
public("model-weights", points=1, needs=("model-there",))


def with_weights(side: Side) -> dict[str, Any]:
    """Describe the student's model; one without weights is built first, as the first data do it."""
    tell_model(side)
    description = with_layers(side)
    if description["knows_input"]:
        return description
    side.evaluate("model_outputs(model, X_given)", X_given=np.zeros((1, 400)))
    return network.well_formed(side.evaluate("describe_model(model)"))


def need_own_outputs(side: Side, description: dict[str, Any]) -> None:
    """Raise a finding that names this exercise unless the model gives what its weights say."""
    X = digits()[0][::250]
    try:
        outputs = side.evaluate("model_outputs(model, X_given)", X_given=X)
        network.compare_logits(description, X, outputs)
    except (Finding, StudentError) as error:
        told = error.cause if isinstance(error, Finding) else str(error)
        raise NotYet(
            f"{TITLES['model']} is not right yet, and this builds on it: {told}",
            next="Run the check of Exercise 2 first, then this one.",
        ) from None


@exercise.check(points=2, needs=("model-layers", "model-hidden", "model-output"))
def model_logits(side: Side, draw: Draw) -> None:
    """its output, recomputed from its weights"""
    description = with_weights(side)
    X = digits()[0][draw.choice(5000, 40, replace=False)] + draw.normal(0, 0.1, (40, 400))
    shape = description["input_shape"] or ()
    stated = labkit.exercises.model.described(side)["knows_input"]
    if stated and shape and (len(shape) != 2 or shape[0] is not None):
        raise Finding(
            "The model does not take rows of X: look at its input first.",
            next="Compare model.input_shape with (None, 400).",
        )
    n_inputs = np.shape(description["layers"][0]["kernel"])[:1]
    if n_inputs != (400,):  # the input's check has said so; here the output is asked for
        X = draw.normal(size=(40, *n_inputs))
    outputs = side.evaluate("model_outputs(model, X_given)", X_given=X)
    network.compare_logits(description, X, outputs)
