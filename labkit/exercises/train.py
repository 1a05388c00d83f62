"""Exercise 6 of lab_digits, training: its public checks."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from labkit.asking import Symptom, what_holds
from labkit.descriptions import Description, accuracy, activations, near
from labkit.exercises.model import need_model, with_layers
from labkit.findings import NotYet
from labkit.inspection import LOGITS_LOSS, PROBABILITIES_LOSS
from labkit.labels import need_labels
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, number, show


class Figures(NamedTuple):
    """How many rows there are, and the network's accuracy on those it trained on and on others.

    `unread` are the digits of which it reads none of the training rows right.
    """

    n_train: int
    n_all: int
    on_train: float
    on_test: float
    unread: tuple[int, ...] = ()


def _measured(student: Student) -> Figures:
    """Measure the model on the notebook's own rows."""
    parts = [np.asarray(student.get(name)) for name in ("X_train", "y_train", "X_test", "y_test")]
    outputs = [
        student.evaluate("model_outputs(model, X_given)", X_given=X) for X in (parts[0], parts[2])
    ]
    return figures_of(outputs[0], parts[1], outputs[1], parts[3])


def figures_of(on_train: Array, y_train: Array, on_test: Array, y_test: Array) -> Figures:
    """Return the figures for a network's outputs (m, 10) and the labels (m,) of both parts."""
    unread = [d for d in range(10) if not accuracy(on_train[y_train == d], y_train[y_train == d])]
    found = accuracy(on_train, y_train), accuracy(on_test, y_test)
    return Figures(len(y_train), len(y_train) + len(y_test), *found, tuple(unread))


figures: Fact[Figures] = Fact("figures of the training", _measured)
"""Measured in the notebook; the marking works them out from the weights."""


def _described(student: Student) -> Description:
    need_model(student.get("model"), student.source("model"))
    told = student.evaluate("describe_training(model, globals().get('history'))")
    return cast(Description, told)


training: Fact[Description] = Fact("training", _described)
"""How the student's model was compiled and trained."""


ONE_HOT_BINARY = 0.37777901
"""Binary cross-entropy of logits [2, 0, -1] and the one-hot label of 0, mean over the three."""

LOSSES = (
    Symptom(
        "The model is not compiled: it has no loss.",
        "Compile the model before you fit it.",
        lambda of: not of["compiled"],
    ),
    Symptom(
        "The model's output is a softmax already, and the loss expects logits: the softmax is applied "
        "twice, and Keras only warns.",
        "Make the output layer linear (exercise 2), and leave the loss as it is.",
        lambda of: near(of["on_logits"], LOGITS_LOSS),
    ),
    Symptom(
        "The loss expects probabilities, but the model's output is logits: training goes astray "
        "(accuracy about 0.19).",
        "Tell the loss that it is given logits: look at its arguments.",
        lambda of: near(of["on_probabilities"], PROBABILITIES_LOSS),
    ),
    Symptom(
        "This is the binary cross-entropy: it asks each output yes or no by itself, and wants as many "
        "labels as there are outputs.",
        "One digit out of ten is one question: use the cross-entropy for several classes.",
        lambda of: near(of["on_one_hot"], ONE_HOT_BINARY) or "binary" in of["loss_name"].lower(),
    ),
    Symptom(
        "This is the categorical cross-entropy, which wants one-hot labels; yours are integers.",
        "Use the loss for integer labels, the sparse one.",
        lambda of: (
            near(of["on_one_hot"], LOGITS_LOSS)
            or (of["on_one_hot"] is not None and of["on_logits"] is None)
        ),
    ),
    Symptom(
        "This loss measures the distance between numbers (mean squared or absolute error): it takes a "
        "9 to be further from a 1 than a 2 is, and raises no error (accuracy about 0.08).",
        "Classes are not amounts: use the cross-entropy for integer labels.",
        lambda of: near(of["on_logits"], 5 / 3) or near(of["on_logits"], 1.0),
    ),
)
"""What a loss that does not fit the model shows, of a description of the training."""


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
    otherwise = (
        f"The loss ({training['loss_name']}) is not the cross-entropy of integer labels.",
        "Choose the loss for integer labels and several classes, and look at its arguments.",
    )
    cause, then = what_holds(LOSSES, otherwise, training)
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
    if training["losses"] and training["history"].endswith("History") and not training["foreign"]:
        return
    cause = "history does not hold what fit returns."
    if training["foreign"]:
        cause = "history is from an earlier training, of a model that was made before this one."
    elif training["history"] == "NoneType":
        cause = "There is no history yet: the cell is not filled in, or it stopped with an error."
    raise NotYet(
        cause,
        called="history",
        expected="the History that model.fit returns",
        got=training["history"],
        next="Give the name history to the result of model.fit, and look at the cell's output.",
    )


def _rate(of: Description) -> float:
    """The learning rate; that of a thousandth where it is not known."""
    rate = of["learning_rate"]
    return 0.001 if rate is None else float(rate)


_THOUSANDTH = "Take a learning rate of a thousandth, as the exercise asks."
_ONE_BATCH = Symptom(
    "All rows were one batch: an epoch was a single step, {epochs} steps in all. In batches of 32 it "
    "would be 125 in each epoch.",
    "Take the batch size that is given in schedule.",
    lambda of: of["steps"] == 1,
)
FALLS = (
    Symptom(
        "The learning rate {rate} is too large: each step jumps past the valley, and the loss stays at "
        "that of a guess (2.30) or above.",
        _THOUSANDTH,
        lambda of: _rate(of) >= 0.1,
    ),
    Symptom(
        "The learning rate {rate} is too small: the weights hardly move.",
        _THOUSANDTH,
        lambda of: _rate(of) < 1e-4,
    ),
    _ONE_BATCH,
    Symptom(
        "One epoch is too few to see the loss fall.",
        "Train for 40 epochs.",
        lambda of: len(of["losses"]) < 2,
    ),
)
"""Why a loss does not fall."""


def falls(training: Description) -> None:
    """Check that the loss falls, to less than that of a guess (ln 10 = 2.30)."""
    losses = training["losses"]
    if losses and np.isfinite(losses).all() and losses[-1] < min(0.8 * losses[0], 2.0):
        return
    otherwise = (
        "The loss does not fall as it should: the network is learning nothing, or hardly.",
        "Look at the learning curve; check the loss, the optimizer and its learning rate.",
    )
    cause, then = what_holds(FALLS, otherwise, training, **_words(training))
    raise NotYet(
        cause,
        called="history.history['loss']",
        expected="a loss that falls to less than 2",
        got=show(losses, 3, 6),
        next=then,
    )


def _words(training: Description) -> dict[str, str]:
    """What causes name in braces."""
    return {"rate": f"{_rate(training):g}", "epochs": str(len(training["losses"]))}


def _could_be(steps: int, rows: int) -> bool:
    """Tell whether some batch size makes `steps` batches of `rows` rows."""
    return any(-(-rows // size) == steps for size in {rows // steps, -(-rows // steps)} if size)


GIVEN_BATCH = 32
"""The batch size in the notebook's `schedule`."""
SPLITS = (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1 / 3)
"""Parts of the training rows that `validation_split` is given."""
BATCHES = (8, 10, 16, 20, 25, 32, 40, 50, 64, 80, 100, 125, 128, 200, 250, 256, 500, 512, 1000)
"""Batch sizes that people choose."""


def _left_out(steps: int, n_train: int) -> bool:
    """Tell whether `steps` batches an epoch can only be those of a part of the training rows.

    They are fewer than the given batch size makes of all rows, no batch size makes them of all rows,
    and no usual one of what an ordinary `validation_split` leaves.
    """
    return (
        0 < steps < n_train // GIVEN_BATCH
        and not _could_be(steps, n_train)
        and not any(
            -(-int(n_train * (1 - split)) // size) == steps for split in SPLITS for size in BATCHES
        )
    )


def rows(training: Description, figures: Figures) -> None:
    """Check that all training rows were trained on and no held-out ones, by batches and weights.

    Parameters
    ----------
    training : dict
    figures : Figures
        A network of this size reaches 0.92 to 0.93 on rows that it has not seen (four seeds); above
        0.965 it has seen them.
    """
    n_train, n_all, on_train, on_test, _ = figures
    steps = training["steps"]
    by_steps = steps > 0 and not _could_be(steps, n_train) and _could_be(steps, n_all)
    remembered = on_test >= 0.965 and on_train >= 0.98
    if not by_steps and _left_out(steps, n_train):
        raise NotYet(
            "The network was trained on a part of the training rows: some were left out.",
            called="history.params",
            expected=f"{-(-n_train // GIVEN_BATCH)} batches of {GIVEN_BATCH} per epoch",
            got=f"{steps}: what {(steps - 1) * GIVEN_BATCH + 1:,} to {steps * GIVEN_BATCH:,} rows make",
            next="The test rows are held out already: give fit all of X_train and y_train.",
        )
    if not (by_steps or remembered):
        return
    got = f"{on_test:.3f} on held-out rows, {on_train:.3f} on training rows"
    if by_steps:
        got = f"{steps} batches per epoch: as many as {n_all} rows make, not {n_train}; {got}"
    raise NotYet(
        "The network was trained on all rows, the held-out ones included: their accuracy says "
        "nothing any more about digits that it has not seen.",
        called="history.params, and the accuracies",
        expected="training on X_train and y_train only, about 0.92 on held-out rows",
        got=got,
        next="Look at what fit is given; run the model's cell again before you train again.",
    )


LEARNT = (
    Symptom(
        "The network reads no {unread}, and the other digits well: it never saw one in training. fit was "
        "given rows in which they are missing, such as the first 4,000 of the sorted X.",
        "Give fit the training rows of section 5, which hold all ten digits.",
        lambda of, figures: 0 < len(figures.unread) < 6,
    ),
    _ONE_BATCH._replace(holds=lambda of, figures: of["steps"] == 1),
    Symptom(
        "SGD with learning rate {rate} is slow here: 40 epochs are not enough for it.",
        "Use the optimizer that the exercise names.",
        lambda of, figures: of["optimizer"] == "SGD",
    ),
    Symptom(
        "{epochs} epochs are too few: the network has not learnt its training rows yet.",
        "Train for 40 epochs.",
        lambda of, figures: len(of["losses"]) < 25,
    ),
    Symptom(
        "The learning rate {rate} is small: the network is still on its way.",
        _THOUSANDTH,
        lambda of, figures: _rate(of) < 5e-4,
    ),
)
"""Why the training rows are not learnt."""


def learnt(training: Description, figures: Figures) -> None:
    """Check that the training rows were learnt: 0.95 of them (40 epochs of Adam reach 0.99)."""
    if figures.on_train >= 0.95:
        return
    otherwise = (
        "The network has not learnt its training rows.",
        "Check the loss first, then the optimizer, then the number of epochs.",
    )
    unread = " and no ".join(map(str, figures.unread))
    words = {"unread": unread, **_words(training)}
    cause, then = what_holds(LEARNT, otherwise, training, figures, **words)
    raise NotYet(
        cause,
        called="accuracy on the training rows",
        expected="0.95 or more (40 epochs reach 0.99)",
        got=f"{figures.on_train:.3f}",
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
    if told["compiled"]:
        need_labels(student, student.get("y_train"), name="y_train")
        need_labels(student, student.get("y_test"), student.get("X_test"), name="y_test")
    loss(told, (activations(model) or ["linear"])[-1])


CHECKS = (
    Check("train-loss", "the loss", _loss),
    Check("train-history", "the history", lambda student: history(training(student))),
    Check("train-falls", "the loss falls", lambda student: falls(training(student))),
    Check("train-rows", "training rows only", lambda s: rows(training(s), figures(s))),
    Check("train-learnt", "training rows learnt", lambda s: learnt(training(s), figures(s))),
    Check("train-accuracy", "held-out accuracy", lambda s: held_out(figures(s))),
)
