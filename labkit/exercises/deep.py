"""Exercise 3 of lab_mnist, the deep network and its training: its public checks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labkit import networks
from labkit.descriptions import Description
from labkit.findings import NotYet
from labkit.networks import DEEP, training, with_layers
from labkit.run_checks import Check
from labkit.student import Fact, Student
from labkit.values_in_words import Array, number

EPOCHS, BATCH = 100, 1000
"""What the exercise asks for."""


class Figures(NamedTuple):
    """Cross-entropy and accuracy of the network on both parts.

    ``losses`` are those of the training rows, and of the test rows with and without what is cut off;
    ``left_out`` says which training rows were not learnt: see `left_out`.
    """

    losses: tuple[float, float, float]
    right: tuple[float, float]
    left_out: str = ""


def cross_entropy(outputs: Array, y: Array, least: float = 1e-7) -> float:
    """Return the mean of -log of the probability given to each row's own class.

    Parameters
    ----------
    outputs : ndarray, shape (m, 10)
        Probabilities.
    y : ndarray of int, shape (m,)
    least : float
        Probabilities below it count as `least`: 1e-7 where Keras is given probabilities. On
        TensorFlow it finds the logits behind a softmax, and nothing is cut off.
    """
    own = np.take_along_axis(np.asarray(outputs, dtype=float), np.asarray(y)[:, np.newaxis], axis=1)
    return float(-np.log(np.clip(own, least, 1)).mean())


def left_out(right: Array) -> str:
    """Say which part of the training rows, at their beginning or end, the network never saw; or ''.

    Parameters
    ----------
    right : ndarray of bool, shape (m,)
        Which training rows the network reads right. After 100 epochs it errs on 0 to 2 in 1000 of the
        rows that it was trained on, and on 20 (of 60,000) to 70 (of 4,000) in 1000 of all others.
    """
    wrong, m = ~np.asarray(right, dtype=bool), len(right)
    found: list[tuple[float, str]] = []
    for size in range(m // 40, m // 2 + 1, max(m // 40, 1)):
        for part, rest, where in (
            (wrong[:size], wrong[size:], "first"),
            (wrong[-size:], wrong[:-size], "last"),
        ):
            if part.sum() >= 8 and part.mean() >= max(0.015, 10 * rest.mean()):
                told = f"{part.sum()} errors in the {where} {size:,}, {rest.sum()} in all others"
                found.append((rest.mean() - part.mean(), told))
    return min(found)[1] if found else ""


def figures_of(train: Array, y_train: Array, test: Array, y_test: Array) -> Figures:
    """Work out the figures from the probabilities (m, 10) on both parts, and their labels."""
    losses = (
        cross_entropy(train, y_train),
        cross_entropy(test, y_test),
        cross_entropy(test, y_test, 1e-37),
    )
    right = [
        float((np.argmax(outputs, axis=1) == np.asarray(y)).mean())
        for outputs, y in ((train, y_train), (test, y_test))
    ]
    missed = left_out(np.argmax(train, axis=1) == np.asarray(y_train))
    return Figures(losses, (right[0], right[1]), missed)


def _measured(student: Student) -> Figures:
    """Measure the network on the notebook's own rows."""
    train, test = (
        np.asarray(student.evaluate("model_outputs(deep, X_given)", X_given=student.get(name)))
        for name in ("X_train", "X_test")
    )
    return figures_of(train, student.get("y_train"), test, student.get("y_test"))


sizes: Fact[tuple[int, int]] = Fact(
    "rows of the deep network", lambda s: (len(s.get("X_train")), len(s.get("X_test")))
)
"""How many rows there are to train on, and to judge by."""

figures: Fact[Figures] = Fact("figures of the deep network", _measured)
"""Measured in the notebook; the marking works them out from the weights."""


def epochs(training: Description) -> None:
    """Check that what `fit` returns was kept, and that it trained for 100 epochs, once."""
    cause, then = _trouble_with_history(training)
    if not cause:
        return
    kind = str(training["history"]).rpartition(".")[2]
    raise NotYet(
        cause,
        called="deep_history",
        expected=f"the History of {EPOCHS} epochs",
        got=f"{kind}, {len(training['losses'])} epochs",
        next=then,
    )


def _trouble_with_history(training: Description) -> tuple[str, str]:
    """Return the cause and what to do next; two empty texts for one training of 100 epochs."""
    epochs, keep = len(training["losses"]), "Give the name deep_history to the result of deep.fit."
    if training["foreign"]:
        return "deep_history is from an earlier training, of a network made before this one.", keep
    if training["history"] == "NoneType":
        return (
            "deep_history is None: that is what compile gives back, and what is no history.",
            keep,
        )
    if training["history"] == "str":
        return (
            "There is no deep_history yet: the cell is not filled in, or stopped with an error.",
            "Look at the output of the cell of exercise 3.",
        )
    if not epochs or not training["history"].endswith("History"):
        return "deep_history does not hold what fit returns.", keep
    if epochs != EPOCHS:
        return (
            f"{epochs} epochs were trained, not {EPOCHS}.",
            "Give fit the number of epochs, and let it come to its end.",
        )
    if training["steps"] and training["trained"] > epochs * training["steps"]:
        return (
            f"The network was trained for longer than the {EPOCHS} epochs of deep_history: fit ran "
            "more than once, and goes on from where it ended.",
            "Call fit once in the cell, and run the whole cell, which makes a new network.",
        )
    return "", ""


def batches(training: Description, n_train: int, n_test: int) -> None:
    """Check by the number of batches per epoch that a batch was 1000 of the training rows."""
    steps, n_all = training["steps"], n_train + n_test
    per_epoch = -(-n_train // BATCH)
    if steps == per_epoch:
        return
    cause = f"{steps} batches per epoch are not {n_train:,} rows in batches of {BATCH:,}."
    then = "Look at what fit is given: the rows, and batch_size."
    if steps == -(-n_train // 32):
        cause = "The batch size was left at 32, Keras' own: it has to be said in fit."
        then = "Give fit the batch_size that the exercise names; compile does not take it."
    elif steps == -(-n_all // BATCH):
        cause = "The network was trained on all rows, the test rows included."
        then = "Train on X_train and y_train alone."
    elif steps == -(-n_test // BATCH):
        cause = "The network was trained on the test rows."
        then = "Train on X_train and y_train; the test rows are the validation data."
    raise NotYet(
        cause,
        called="deep_history.params['steps']",
        expected=f"{per_epoch} batches per epoch",
        got=f"{steps}",
        next=then,
    )


def validation(training: Description, train_loss: float, test_loss: float, most: float) -> None:
    """Check that the validation loss is the one of the test rows.

    Parameters
    ----------
    training : dict
    train_loss, test_loss, most : float
        Cross-entropy of the trained network: see `Figures`.
    """
    losses = training["val_losses"]
    if losses and 0.98 * test_loss - 1e-3 <= losses[-1] <= 1.02 * most + 1e-3:
        return
    cause = "The validation loss of the last epoch is not that of the test rows."
    then = "Hand the test rows and their labels to fit as validation data."
    if not losses:
        cause = "There is no validation loss: fit was given no validation data."
    elif 0.98 * test_loss - 1e-3 <= min(losses[:-3], default=0.0) <= 1.02 * most + 1e-3:
        cause = (
            "The validation loss is that of the test rows, but the weights are not those of the last "
            "epoch: something put back the ones of a better epoch."
        )
        then = "Leave EarlyStopping and restore_best_weights out: here, the whole curve is wanted."
    elif abs(losses[-1] - train_loss) <= 0.02 * train_loss + 1e-4:
        cause = (
            "The validation data are training rows: all of them, which cannot show overfitting, or the "
            "part that validation_split holds back."
        )
    raise NotYet(
        cause,
        called="deep_history.history['val_loss'][-1]",
        expected=f"about {number(test_loss)}, the loss on the test rows",
        got=number(losses[-1]) if losses else "nothing",
        next=then,
    )


def rows(on_train: float, on_test: float, left_out: str = "") -> None:
    """Check by the accuracy that all training rows were trained on, and the test rows were not.

    On 4,000 rows the network reaches 0.93 of the rows that it has not seen, on 60,000 rows 0.977
    (three seeds each); more than 0.988 it reaches on rows that it was trained on.
    """
    if left_out:
        raise NotYet(
            "A part of the training rows was left out: the network reads them no better than digits "
            "that it has not seen.",
            called="accuracy on the training rows",
            expected="as good on all of them",
            got=left_out,
            next="The test rows are held out already: give fit all of X_train and y_train.",
        )
    if on_test < 0.988:
        return
    raise NotYet(
        "The network was trained on the test rows: their accuracy says nothing any more about "
        "digits that it has not seen.",
        called="accuracy on the test rows, on the training rows",
        expected="less on the test rows: about 0.93 with 4,000 training rows, 0.977 with 60,000",
        got=f"{on_test:.4f} and {on_train:.4f}",
        next="Look at what fit is given; run the whole cell again, which makes a new network.",
    )


def learnt(training: Description, on_train: float, on_test: float) -> None:
    """Check that the training rows were learnt, and the test rows read as well as they can be."""
    if on_train >= 0.99 and on_test >= 0.88:
        return
    cause = "The network has not learnt its training rows."
    then = "Check the loss first, then the optimizer, then the rows that fit was given."
    if on_train >= 0.99:
        cause = "The network reads its training rows, but errs too often on others."
    elif training["losses"] and not np.isfinite(training["losses"]).all():
        cause = "The loss became nan: the steps were too large."
        then = "Leave the optimizer's learning rate as Keras has it, and prepare the rows first."
    raise NotYet(
        cause,
        called="accuracy on the training rows, on the test rows",
        expected="0.99 or more, and 0.88 or more",
        got=f"{on_train:.3f} and {on_test:.3f}",
        next=then,
    )


def layers(student: Student) -> None:
    """Check that it is a Sequential model with the layers, units and input that are asked for."""
    model = with_layers(student, DEEP)
    networks.is_sequential(model, DEEP)
    networks.layers(model, DEEP)
    networks.units(model, DEEP)
    networks.input_length(model, DEEP)


def activations(student: Student) -> None:
    """Check the activations by what they do, and the parameters."""
    model = with_layers(student, DEEP)
    networks.hidden(model, DEEP)
    networks.output(model, DEEP)
    networks.parameters(model, DEEP)


def loss(student: Student) -> None:
    """Check how the network was compiled."""
    told = training[DEEP](student)
    networks.loss(told, DEEP)
    networks.optimizer(told, DEEP)
    networks.metrics(told, DEEP)


def _trained(student: Student) -> Description:
    """Describe the training; there must be one to speak of."""
    told = training[DEEP](student)
    if not told["losses"]:
        epochs(told)
    return told


CHECKS = (
    Check("deep-layers", "its layers and units", layers),
    Check("deep-activations", "activations and parameters", activations),
    Check("deep-loss", "loss, optimizer, metrics", loss),
    Check("deep-epochs", "100 epochs", lambda student: epochs(training[DEEP](student))),
    Check("deep-batches", "batches of 1000", lambda s: batches(_trained(s), *sizes(s))),
    Check(
        "deep-validation", "validation data", lambda s: validation(_trained(s), *figures(s).losses)
    ),
    Check(
        "deep-rows",
        "the training rows",
        lambda student: rows(*figures(student).right, figures(student).left_out),
    ),
    Check(
        "deep-learnt", "what it has learnt", lambda s: learnt(training[DEEP](s), *figures(s).right)
    ),
)
