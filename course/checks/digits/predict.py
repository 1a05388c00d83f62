"""How exercise 7 of lab_digits is marked, predictions: its checks and points."""

from __future__ import annotations

import numpy as np

import labkit.exercises.model
import labkit.exercises.predict
from course.checks import network
from course.checks.digits import QUICK, Draw
from course.checks.digits.model import need_own_outputs, tell_model
from course.checks.network import digits
from course.checks.public import Public, looks_elsewhere
from labkit.asking import function_of
from labkit.descriptions import activations
from labkit.exercises import TITLES
from labkit.findings import NotYet
from proctor.checks import Exercise, Finding, Side
from proctor.kernel.check_values import StudentError

exercise = Exercise("predict", TITLES["predict"], points=10, seconds=QUICK)


def predicted(side: Side, X: np.ndarray) -> labkit.exercises.predict.Prediction:
    """Let the student's function predict X (m, 400).

    It is given the student's own model where that is a network of the right form, so that nothing
    of Keras is missing, and a prepared one with invented logits otherwise: who got stuck with the
    model can earn these points all the same. Logits of a trained network would say what it learnt.
    """
    function_of(side, "predict_digits")
    rows = X.astype(np.float32)
    try:
        tell_model(side)
        description = labkit.exercises.model.described(side)
        logits = network.forward(description, rows)
        right = activations(description)[-1:] == ["linear"] if logits is not None else False
        side.once("outputs of its weights", lambda: need_own_outputs(side, description))
    except (StudentError, Finding, NotYet):
        logits, right = None, False
    if logits is not None and right and logits.shape[1] == 10 and np.isfinite(logits).all():
        run = labkit.exercises.predict.ask(
            side, rows, "watched_prediction(predict_digits, model, X_given)"
        )
        return labkit.exercises.predict.Prediction(run, X, logits)
    logits = np.random.default_rng(len(rows)).normal(0, 3, (len(rows), 10))
    expression = "prepared_prediction(predict_digits, X_given, known)"
    run = labkit.exercises.predict.ask(side, rows, expression, known=logits)
    return labkit.exercises.predict.Prediction(run, X, logits)


def tell_rows(side: Side) -> None:
    """Have seven rows of the lab's own digits predicted, of seven classes."""
    labkit.exercises.predict.seven_rows.tell(side, lambda: predicted(side, digits()[0][::700][:7]))


public = Public(exercise, labkit.exercises.predict.CHECKS, first=tell_rows)

public("predict-returns", points=2)
public("predict-values", points=3, needs=("predict-returns",))
public("predict-probabilities", points=2)
public("predict-one-call", points=1, needs=("predict-returns",))


@exercise.check(points=2, needs=("predict-values", "predict-probabilities"))
@looks_elsewhere(exercise)
def predict_unseen(side: Side, draw: Draw) -> None:
    """batches of other sizes, one row among them"""
    for size in (1, int(draw.integers(15, 30))):
        X = digits()[0][draw.choice(5000, size, replace=False)]
        prediction = predicted(side, X)
        labkit.exercises.predict.values(prediction)
        labkit.exercises.predict.probabilities(prediction)
