"""Exercise 5 of lab_digits, training: its public checks."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from labkit.descriptions import Description, accuracy, activations, near
from labkit.findings import NotYet
from labkit.inside import LOGITS_LOSS, PROBABILITIES_LOSS
from labkit.model import need_model, with_layers
from labkit.running import Check
from labkit.student import Fact, Student
from labkit.words import number, show


class Figures(NamedTuple):
    """How many rows there are, and the network's accuracy on those it trained on and on others."""

    n_train: int
    n_all: int
    on_train: float
    on_test: float


def _measured(student: Student) -> Figures:
    """Measure the model on the notebook's own rows."""
    parts = [np.asarray(student.get(name)) for name in ("X_train", "y_train", "X_test", "y_test")]
    found = [
        accuracy(student.evaluate("model_outputs(model, X_given)", X_given=X), y)
        for X, y in (parts[:2], parts[2:])
    ]
    return Figures(len(parts[0]), len(parts[0]) + len(parts[2]), found[0], found[1])


figures: Fact[Figures] = Fact("figures of the training", _measured)
"""Measured in the notebook; the marking works them out from the weights."""


def _described(student: Student) -> Description:
    need_model(student.get("model"), student.source("model"))
    told = student.evaluate("describe_training(model, globals().get('history'))")
    return cast(Description, told)


training: Fact[Description] = Fact("training", _described)
"""How the student's model was compiled and trained."""


def loss(training: Description, output: str = "linear") -> None:
    """Check by its behaviour that the loss takes what the model gives.

    Parameters
    ----------
    training : dict
        See `describe_training`.
    output : str
        Activation of the output layer: with a softmax there, a loss of probabilities is right.
    """
    logits = near(training["on_logits"], LOGITS_LOSS)
    chances = near(training["on_probabilities"], PROBABILITIES_LOSS)
    if (logits and output != "softmax") or (chances and not logits and output == "softmax"):
        return
    cause = f"The loss ({training['loss_name']}) is not the cross-entropy of integer labels."
    then = "Choose the loss for integer labels and several classes, and look at its arguments."
    if not training["compiled"]:
        cause = "The model is not compiled: it has no loss."
        then = "Compile the model before you fit it."
    elif logits:
        cause = (
            "The model's output is a softmax already, and the loss expects logits: the softmax is "
            "applied twice, and Keras only warns."
        )
        then = "Make the output layer linear (exercise 2), and leave the loss as it is."
    elif chances:
        cause = (
            "The loss expects probabilities, but the model's output is logits: training goes astray "
            "(accuracy about 0.19)."
        )
        then = "Tell the loss that it is given logits: look at its arguments."
    elif near(training["on_one_hot"], LOGITS_LOSS) or (
        training["on_one_hot"] is not None and training["on_logits"] is None
    ):
        cause = (
            "This is the categorical cross-entropy, which wants one-hot labels; yours are integers."
        )
        then = "Use the loss for integer labels, the sparse one."
    elif near(training["on_logits"], 5 / 3) or near(training["on_logits"], 1.0):
        cause = (
            "This loss measures the distance between numbers (mean squared or absolute error): it "
            "takes a 9 to be further from a 1 than a 2 is, and raises no error (accuracy about 0.08)."
        )
        then = "Classes are not amounts: use the cross-entropy for integer labels."
    got = training["on_logits"]
    raise NotYet(
        cause,
        called="your loss, label 0, logits [2 0 -1]",
        expected=number(LOGITS_LOSS),
        got="an error" if got is None else number(got),
        next=then,
    )


def history(training: Description) -> None:
    """Check that what `fit` returns was kept."""
    if training["losses"] and training["history"].endswith("History"):
        return
    cause = "history does not hold what fit returns."
    if training["history"] == "NoneType":
        cause = "There is no history yet: the cell is not filled in, or it stopped with an error."
    raise NotYet(
        cause,
        called="history",
        expected="the History that model.fit returns",
        got=training["history"],
        next="Give the name history to the result of model.fit, and look at the cell's output.",
    )


def falls(training: Description) -> None:
    """Check that the loss falls, to less than that of a guess (ln 10 = 2.30)."""
    losses, rate = training["losses"], training["learning_rate"]
    if losses and np.isfinite(losses).all() and losses[-1] < min(0.8 * losses[0], 2.0):
        return
    cause = "The loss does not fall as it should: the network is learning nothing, or hardly."
    then = "Look at the learning curve; check the loss, the optimizer and its learning rate."
    if rate is not None and rate >= 0.1:
        cause = (
            f"The learning rate {rate:g} is too large: each step jumps past the valley, and the loss "
            "stays at that of a guess (2.30) or above."
        )
        then = "Try a learning rate of a thousandth."
    elif rate is not None and rate < 1e-4:
        cause = f"The learning rate {rate:g} is too small: the weights hardly move."
        then = "Try a learning rate of a thousandth."
    elif len(losses) < 2:
        cause, then = "One epoch is too few to see the loss fall.", "Train for 40 epochs."
    raise NotYet(
        cause,
        called="history.history['loss']",
        expected="a loss that falls to less than 2",
        got=show(losses, 3, 6),
        next=then,
    )


def _could_be(steps: int, rows: int) -> bool:
    """Tell whether some batch size makes `steps` batches of `rows` rows."""
    return any(-(-rows // size) == steps for size in {rows // steps, -(-rows // steps)} if size)


def rows(training: Description, figures: Figures) -> None:
    """Check that the held-out rows were not trained on, by the batches and by the weights.

    Parameters
    ----------
    training : dict
    figures : Figures
        A network of this size reaches 0.92 to 0.93 on rows that it has not seen (four seeds); above
        0.965 it has seen them.
    """
    n_train, n_all, on_train, on_test = figures
    steps = training["steps"]
    by_steps = steps > 0 and not _could_be(steps, n_train) and _could_be(steps, n_all)
    remembered = on_test >= 0.965 and on_train >= 0.98
    if not (by_steps or remembered):
        return
    got = f"{on_test:.3f} on held-out rows, {on_train:.3f} on training rows"
    if by_steps:
        got = f"{steps} batches an epoch: as many as {n_all} rows make, not {n_train}; {got}"
    raise NotYet(
        "The network was trained on all rows, the held-out ones included: their accuracy says "
        "nothing any more about digits that it has not seen.",
        called="history.params, and the accuracies",
        expected="training on X_train and y_train only, about 0.92 on held-out rows",
        got=got,
        next="Look at what fit is given; run the model's cell again before you train again.",
    )


def learnt(training: Description, figures: Figures) -> None:
    """Check that the training rows were learnt: 0.95 of them (40 epochs of Adam reach 0.99)."""
    on_train = figures.on_train
    if on_train >= 0.95:
        return
    epochs, optimizer, rate = (
        len(training["losses"]),
        training["optimizer"],
        training["learning_rate"],
    )
    cause = "The network has not learnt its training rows."
    then = "Check the loss first, then the optimizer, then the number of epochs."
    if optimizer == "SGD":
        cause = f"SGD with learning rate {rate:g} is slow here: 40 epochs are not enough for it."
        then = "Use the optimizer that the exercise names."
    elif epochs < 25:
        cause = f"{epochs} epochs are too few: the network has not learnt its training rows yet."
        then = "Train for 40 epochs."
    elif rate is not None and rate < 5e-4:
        cause = f"The learning rate {rate:g} is small: the network is still on its way."
        then = "Try a learning rate of a thousandth."
    raise NotYet(
        cause,
        called="accuracy on the training rows",
        expected="0.95 or more (40 epochs reach 0.99)",
        got=f"{on_train:.3f}",
        next=then,
    )


def held_out(figures: Figures) -> None:
    """Check the accuracy on held-out rows: 0.88 or more (the right network reaches 0.92)."""
    if figures.on_test >= 0.88:
        return
    raise NotYet(
        "On digits that it has not seen the network errs too often.",
        called="accuracy on the held-out rows",
        expected="0.88 or more (about 0.92 is usual)",
        got=f"{figures.on_test:.3f}",
        next="Look at the earlier checks, and at the learning curves: is it still learning?",
    )


def _loss(student: Student) -> None:
    model, told = with_layers(student), training(student)
    loss(told, (activations(model) or ["linear"])[-1])


CHECKS = (
    Check("train-loss", "the loss", _loss),
    Check("train-history", "the history", lambda student: history(training(student))),
    Check("train-falls", "the loss falls", lambda student: falls(training(student))),
    Check("train-rows", "training rows only", lambda s: rows(training(s), figures(s))),
    Check("train-learnt", "training rows learnt", lambda s: learnt(training(s), figures(s))),
    Check("train-accuracy", "held-out accuracy", lambda s: held_out(figures(s))),
)
