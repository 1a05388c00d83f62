"""The checks of lab_mnist that you run in the notebook, one function an exercise.

How a check speaks, and how it finds the cause of a wrong answer, is told in ``public_tests.py``,
whose machinery is used here. The file needs NumPy and nothing else: what has to be known of a Keras
model is asked of the model, and the pictures that are read are written here, byte by byte.
"""

from __future__ import annotations

import ast
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from public_tests import (
    LOGITS_LOSS,
    MARKERS,
    PROBABILITIES_LOSS,
    PROBE,
    TITLES,
    Array,
    Misconception,
    NotYet,
    a_type,
    activation_name,
    activations,
    agree,
    as_numbers,
    attempt,
    dense_layers,
    describe_model,
    describe_training,
    matching,
    model_trouble,
    need_array,
    need_function,
    number,
    parsed,
    run_checks,
    show,
    show_both,
    written_in,
)

EXERCISES = {
    "prepare": "Exercise 1, prepare",
    "baseline": "Exercise 2, baseline",
    "deep": "Exercise 3, deep network",
    "confusion": "Exercise 4, confusion",
    "photo": "Exercise 5, photograph",
}
"""What each exercise is called, by the id of its graded cell."""

TITLES.update(EXERCISES)
MARKERS.update({f"UNQ_M{number}": exercise for number, exercise in enumerate(EXERCISES, 1)})

# --- Exercise 1: prepare ------------------------------------------------------------------------


def pixels(m: int, step: int = 37, low: int = 0, top: int = 255) -> tuple[Array, Array]:
    """Return m made-up images and the rows that they should become.

    Returns
    -------
    images : ndarray of uint8, shape (m, 28, 28)
        From `low` to `top`; no two rows or columns of them are alike.
    rows : ndarray of float64, shape (m, 784)
    """
    values = low + np.arange(m * 784) * step % (top - low + 1)
    return values.astype(np.uint8).reshape(m, 28, 28), (values / 255.0).reshape(m, 784)


def prepare_misconceptions(images: Array, rows: Array) -> list[Misconception]:
    """What common mistakes make of `images` (m, 28, 28), whose right rows are `rows` (m, 784)."""
    m, raw = len(images), rows * 255
    low, high, spread = raw.min(), max(raw.max(), 1), max(raw.std(), 1e-9)
    then = "Look at the largest value before and after, and at what you divide by."
    once = "Scale once: 0 stays 0, 255 becomes 1, and nothing else happens to the values."
    way = "Print one image of shape (28, 28) and its row: the row should read like a page."
    return [
        ("The pixels are not scaled: they still go up to 255.", then, lambda: raw),
        (
            "The pixels were scaled twice: the largest is 1/255, and the network sees black.",
            then + " Running the scaling line on images that are scaled already does this, too.",
            lambda: rows / 255,
        ),
        (
            "The pixels were divided by 256: the brightest is 0.996.",
            "The largest value of a byte is 255.",
            lambda: raw / 256,
        ),
        (
            "The pixels were divided by 254.",
            "The largest value of a byte is 255.",
            lambda: raw / 254,
        ),
        (
            "The pixels were divided by 100.",
            "The largest value of a byte is 255.",
            lambda: raw / 100,
        ),
        (
            "Only 0 and 1 are left: the division was one of whole numbers (`//`), or the result was "
            "turned into integers.",
            "Use the division that gives fractions, and leave the result as it is.",
            lambda: np.floor(rows),
        ),
        (
            "The pixels were divided by the largest of these images: the same grey gets another "
            "value in another batch.",
            "Divide by the largest value that a byte can have, not by the largest that occurs.",
            lambda: raw / high,
        ),
        (
            "Smallest and largest pixel of the batch were moved to 0 and 1: the same grey gets "
            "another value in another batch.",
            "Divide by the largest value that a byte can have; nothing has to be subtracted.",
            lambda: (raw - low) / max(high - low, 1),
        ),
        ("The values go from -1 to 1.", "0 to 1 was asked for: " + once, lambda: 2 * rows - 1),
        ("The values go from -0.5 to 0.5.", "0 to 1 was asked for: " + once, lambda: rows - 0.5),
        ("The images are inverted: ink is dark.", once, lambda: 1 - rows),
        ("Every grey became black or white.", once, lambda: rows > 0),
        ("Every grey became black or white.", once, lambda: rows > 0.5),
        ("Every grey became black or white.", once, lambda: np.round(rows)),
        (
            "The mean was subtracted and the result divided by the spread (standardised).",
            "That would do for training, too, but 0 to 1 was asked for. " + once,
            lambda: (raw - raw.mean()) / spread,
        ),
        (
            "The mean was subtracted.",
            once,
            lambda: rows - rows.mean(),
        ),
        (
            "Each image was unrolled column by column: the pixels are in the wrong order.",
            "Unroll row by row, which is what NumPy does if it is not told otherwise. " + way,
            lambda: rows.reshape(m, 28, 28).transpose(0, 2, 1).reshape(m, 784),
        ),
        (
            "The pixels of different images were mixed: the array was cut into 784 pieces of m, "
            "and turned round afterwards.",
            "Give the right shape at once, images first. " + way,
            lambda: rows.reshape(784, m).T,
        ),
        (
            "The images are upside down.",
            "Leave the pixels in their order. " + way,
            lambda: rows[:, ::-1],
        ),
        ("The order of the images was reversed.", "Keep the images in order.", lambda: rows[::-1]),
        (
            "The values were rounded.",
            "Leave the fractions as they are; round only where you print.",
            lambda: np.round(rows, 2),
        ),
        (
            "The values were rounded to half precision (float16).",
            "Use float32 or float64.",
            lambda: rows.astype(np.float16),
        ),
    ]


def _prepare_shape(got: tuple[int, ...], m: int) -> tuple[str, str]:
    """Say why the rows of m images have the shape `got`."""
    then = "Print the shape after each of your lines: m images of 28 by 28 become m rows of 784."
    known = {
        (m, 28, 28): "The images are not flattened: each is still 28 by 28.",
        (m, 28, 28, 1): "The images got an axis for colour; rows were asked for.",
        (m, 784, 1): "The rows have an axis too many.",
        (m * 784,): "All images were unrolled into one long row: the first axis is gone.",
        (1, m * 784): "All images were unrolled into one long row.",
        (784, m): "The result is transposed: there should be one row for each image.",
        (784,): "One row came back for the whole batch.",
        (m, 28): "A sum, mean or maximum was taken over one axis; all 784 pixels are wanted.",
    }
    return known.get(got, f"The result has shape {got}."), then


def prepare_output(prepare: Any, images: Array) -> tuple[str, Array]:
    """Call `prepare` on a copy of `images`; return the call as text and its rows (m, 784)."""
    m = len(images)
    called = f"prepare(images), uint8 of shape {images.shape}, {images.min()} to {images.max()}"
    need_function(prepare, "prepare")
    wanted = f"an array of shape ({m}, 784)"
    rows = need_array(attempt(called, prepare, images.copy()), called, wanted)
    if rows.shape == (m, 784):
        return called, rows
    cause, then = _prepare_shape(rows.shape, m)
    raise NotYet(cause, called=called, expected=wanted, got=a_type(rows), next=then)


def prepare_returns(prepare: Any) -> None:
    """Check that an array of the right shape comes back."""
    prepare_output(prepare, pixels(3)[0])


def prepare_compare(prepare: Any, images: Array, rows: Array) -> None:
    """Check that `images` (m, 28, 28) become `rows` (m, 784)."""
    called, got = prepare_output(prepare, images)
    if agree(got, rows) and got.dtype.kind == "f":
        return
    otherwise = (
        "The values are not those of the pixels, scaled to [0, 1].",
        "Take one image, print its first row of pixels, and the first 28 numbers of what you return.",
    )
    cause, then = matching(got, prepare_misconceptions(images, rows), otherwise)
    texts = show_both(rows, got)
    raise NotYet(cause, called=called, expected=texts[0], got=texts[1], next=then)


def prepare_range(prepare: Any) -> None:
    """Check that the values of one image go from 0 to 1."""
    prepare_compare(prepare, *pixels(1))


def prepare_order(prepare: Any) -> None:
    """Check that the pixels of several images keep their order."""
    prepare_compare(prepare, *pixels(3, 41))


def prepare_dim(prepare: Any) -> None:
    """Check that a dark image stays dark."""
    prepare_compare(prepare, *pixels(2, 37, 20, 119))


def prepare_untouched(prepare: Any) -> None:
    """Check that the images are the same after the call as before."""
    before = pixels(2)[0]
    after = before.copy()
    need_function(prepare, "prepare")
    attempt("prepare(images)", prepare, after)
    if not np.array_equal(before, after):
        raise NotYet(
            "Your function changes the images themselves, so that a second call starts from "
            "something else.",
            called="prepare(images)",
            expected="images as they were",
            got=f"images[0, 0] is now {show(after[0, 0])}",
            next="Give the result a name of its own, and leave images alone.",
        )


def test_prepare(prepare: Any) -> None:
    """Check exercise 1; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "prepare",
        [
            ("what comes back", lambda: prepare_returns(prepare)),
            ("from 0 to 1", lambda: prepare_range(prepare)),
            ("the order of the pixels", lambda: prepare_order(prepare)),
            ("dark images", lambda: prepare_dim(prepare)),
            ("images are left alone", lambda: prepare_untouched(prepare)),
        ],
    )


# --- Exercises 2 and 3: the networks ------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A network as an exercise asks for it: its name, its units, its number of parameters."""

    name: str
    units: tuple[int, ...]
    parameters: int
    exercise: str
    marker: str


BASELINE = Asked("baseline", (128, 10), 101_770, "exercise 2", "UNQ_M2")
DEEP = Asked("deep", (128, 64, 16, 10), 109_946, "exercise 3", "UNQ_M3")


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


def network_is_sequential(model: dict[str, Any], asked: Asked) -> None:
    """Check that the description is one of a Keras Sequential model."""
    if model["sequential"]:
        return
    name = str(model["type"]).rpartition(".")[2]
    cause = f"The name {asked.name} stands for a {name}, not for a model."
    then = "Give the name to the model itself; compile and fit return something else."
    if model["layers"] is not None:
        cause = f"This is a {name} model: it may well work, but a Sequential one was asked for."
        then = "Make it with Sequential and one list of layers, in the order of the data's way."
    raise NotYet(
        cause,
        called=f"type({asked.name})",
        expected="keras.Sequential",
        got=str(model["type"]),
        next=then,
    )


def network_layers(model: dict[str, Any], asked: Asked) -> None:
    """Check that there are Dense layers, as many as asked for; a Flatten may stand before them."""
    kinds = [str(layer["type"]) for layer in model["layers"] or ()]
    bare = kinds[1:] if kinds[:1] == ["Flatten"] else kinds
    wanted = ["Dense"] * len(asked.units)
    if bare == wanted:
        return
    extra = [kind for kind in bare if kind != "Dense"]
    n_dense = len(bare) - len(extra)
    cause = f"There are {n_dense} Dense layers, not {len(wanted)}."
    then = "Count the rows with units in the table above."
    if extra:
        cause = f"There is an extra layer, {extra[0]}."
        then = f"Take {extra[0]} out; activations are given to their Dense layers."
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


def network_units(model: dict[str, Any], asked: Asked) -> None:
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


def network_input(model: dict[str, Any], asked: Asked) -> None:
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
        return
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


def network_hidden(model: dict[str, Any], asked: Asked) -> None:
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
            got=_shown(dense[index]["activation"]),
            next="Give that layer the activation named in the table above.",
        )


def _shown(values: Any) -> str:
    return "something that is not five numbers" if as_numbers(values) is None else show(values)


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


def network_output(model: dict[str, Any], asked: Asked) -> None:
    """Check by its behaviour that the output layer's activation is a softmax."""
    dense = dense_layers(model)
    name = activation_name(dense[-1]["activation"]) if dense else "unknown"
    if name == "softmax":
        return
    raise NotYet(
        _OUTPUTS.get(name, f"The output layer does what {name} does; a softmax was asked for."),
        called=f"activation of the output layer on {show(PROBE, 1)}",
        expected=show(np.array([0.005765, 0.025836, 0.042596, 0.07023, 0.855573])),
        got=_shown(dense[-1]["activation"]) if dense else "no layer",
        next="Give the output layer the activation that makes probabilities of ten numbers.",
    )


def network_parameters(model: dict[str, Any], asked: Asked) -> None:
    """Check that every unit has a bias, that all can be trained, and that no weights are equal."""
    dense = dense_layers(model)
    cause = "The number of parameters is not that of these Dense layers with their biases."
    then = "Work out (inputs + 1) x units for each layer, and compare with summary()."
    for index, layer in enumerate(dense, 1):
        kernel = as_numbers(layer["kernel"])
        if layer["bias"] is None:
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


def _near(value: Any, expected: float) -> bool:
    return isinstance(value, float) and abs(value - expected) < 1e-3


def network_loss(training: dict[str, Any], asked: Asked) -> None:
    """Check by its behaviour that the loss takes probabilities and integer labels."""
    if _near(training["on_probabilities"], PROBABILITIES_LOSS):
        return
    got, one_hot = training["on_probabilities"], training["on_one_hot"]
    cause = f"The loss ({training['loss_name']}) is not the cross-entropy of integer labels."
    then = "Choose the loss for several classes and integer labels."
    if not training["compiled"]:
        cause = "The model is not compiled: it has no loss."
        then = f"Compile the model in the cell of {asked.exercise}."
    elif _near(training["on_logits"], LOGITS_LOSS):
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
    elif _near(training["on_logits"], 5 / 3) or _near(training["on_logits"], 1.0):
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


def network_optimizer(training: dict[str, Any], asked: Asked) -> None:
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


def test_baseline(baseline: Any) -> None:
    """Check exercise 2; prints one line if all public checks pass, raises `NotYet` otherwise."""
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}

    def there() -> None:
        need_network(baseline, BASELINE, written_in(BASELINE.marker))
        model.update(attempt("baseline", describe_model, baseline, 784))
        network_is_sequential(model, BASELINE)
        training.update(describe_training(baseline, None))

    run_checks(
        "baseline",
        [
            ("a Sequential model", there),
            ("its layers", lambda: network_layers(model, BASELINE)),
            ("units", lambda: network_units(model, BASELINE)),
            ("the input", lambda: network_input(model, BASELINE)),
            ("the hidden layer", lambda: network_hidden(model, BASELINE)),
            ("the output layer", lambda: network_output(model, BASELINE)),
            ("parameters", lambda: network_parameters(model, BASELINE)),
            ("the loss", lambda: network_loss(training, BASELINE)),
            ("the optimizer", lambda: network_optimizer(training, BASELINE)),
        ],
    )


# --- Exercise 3: how the deep network was trained -----------------------------------------------

EPOCHS, BATCH = 100, 1000
"""What exercise 3 asks for."""


def describe_fit(model: Any, history: Any) -> dict[str, Any]:
    """Say how a model was compiled and trained: `describe_training`, and ``val_losses``."""
    described = describe_training(model, history)
    values = getattr(history, "history", None)
    losses = values.get("val_loss", []) if isinstance(values, dict) else []
    return described | {"val_losses": [float(value) for value in losses]}


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


def losses_of(train: Array, y_train: Array, test: Array, y_test: Array) -> tuple[float, ...]:
    """Cross-entropy of the probabilities `train`, and of `test` with and without what is cut off."""
    return (
        cross_entropy(train, y_train),
        cross_entropy(test, y_test),
        cross_entropy(test, y_test, 1e-37),
    )


def deep_epochs(training: dict[str, Any]) -> None:
    """Check that what `fit` returns was kept, and that it trained for 100 epochs."""
    epochs = len(training["losses"])
    if training["history"].endswith("History") and epochs == EPOCHS:
        return
    cause = f"{epochs} epochs were trained, not {EPOCHS}."
    then = "Give fit the number of epochs, and let it come to its end."
    if not epochs:
        cause = "deep_history does not hold what fit returns."
        then = "Give the name deep_history to the result of deep.fit."
        if training["history"] == "NoneType":
            cause = (
                "There is no deep_history yet: the cell is not filled in, or stopped with an error."
            )
            then = "Look at the output of the cell of exercise 3."
    raise NotYet(
        cause,
        called="deep_history",
        expected=f"the History of {EPOCHS} epochs",
        got=f"{training['history']}, {epochs} epochs",
        next=then,
    )


def deep_trained(training: dict[str, Any]) -> None:
    """Check that there is a training to speak of."""
    if not training["losses"]:
        deep_epochs(training)


def deep_batches(training: dict[str, Any], n_train: int, n_test: int) -> None:
    """Check by the number of batches an epoch that a batch was 1000 of the training rows."""
    steps, n_all = training["steps"], n_train + n_test
    per_epoch = -(-n_train // BATCH)
    if steps == per_epoch:
        return
    cause = f"{steps} batches an epoch are not {n_train:,} rows in batches of {BATCH:,}."
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
        expected=f"{per_epoch} batches an epoch",
        got=f"{steps}",
        next=then,
    )


def deep_validation(
    training: dict[str, Any], train_loss: float, test_loss: float, most: float
) -> None:
    """Check that the validation loss is the one of the test rows.

    Parameters
    ----------
    training : dict
    train_loss, test_loss, most : float
        Cross-entropy of the trained network: see `losses_of`.
    """
    losses = training["val_losses"]
    if losses and 0.98 * test_loss - 1e-3 <= losses[-1] <= 1.02 * most + 1e-3:
        return
    cause = "The validation loss of the last epoch is not that of the test rows."
    then = "Hand the test rows and their labels to fit as validation data."
    if not losses:
        cause = "There is no validation loss: fit was given no validation data."
    elif abs(losses[-1] - train_loss) <= 0.02 * train_loss + 1e-4:
        cause = "The validation data are the training rows: they cannot show overfitting."
    raise NotYet(
        cause,
        called="deep_history.history['val_loss'][-1]",
        expected=f"about {number(test_loss)}, the loss on the test rows",
        got=number(losses[-1]) if losses else "nothing",
        next=then,
    )


def deep_rows(on_train: float, on_test: float) -> None:
    """Check by the accuracy that the test rows were not trained on.

    On 4,000 rows the network reaches 0.93 of the rows that it has not seen, on 60,000 rows 0.977
    (three seeds each); more than 0.988 it reaches on rows that it was trained on.
    """
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


def deep_learnt(training: dict[str, Any], on_train: float, on_test: float) -> None:
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


def right(outputs: Array, y: Array) -> float:
    """Return the part of the rows whose largest output is their own class."""
    return float((np.argmax(outputs, axis=1) == np.asarray(y)).mean())


def test_deep(
    deep: Any, deep_history: Any, X_train: Array, y_train: Array, X_test: Array, y_test: Array
) -> None:
    """Check exercise 3; prints one line if all public checks pass, raises `NotYet` otherwise."""
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}
    known: dict[str, tuple[float, ...]] = {}
    n_train, n_test = len(X_train), len(X_test)

    def there() -> None:
        need_network(deep, DEEP, written_in(DEEP.marker))
        model.update(attempt("deep", describe_model, deep, 784))
        network_is_sequential(model, DEEP)
        training.update(describe_fit(deep, deep_history))

    def layers() -> None:
        network_layers(model, DEEP)
        network_units(model, DEEP)
        network_input(model, DEEP)

    def behaviour() -> None:
        network_hidden(model, DEEP)
        network_output(model, DEEP)
        network_parameters(model, DEEP)

    def trained() -> None:
        deep_epochs(training)
        outputs = [outputs_of(deep, X) for X in (X_train, X_test)]
        known["losses"] = losses_of(outputs[0], y_train, outputs[1], y_test)
        known["right"] = right(outputs[0], y_train), right(outputs[1], y_test)

    run_checks(
        "deep",
        [
            ("a Sequential model", there),
            ("its layers and units", layers),
            ("activations and parameters", behaviour),
            ("the loss", lambda: network_loss(training, DEEP)),
            ("the optimizer", lambda: network_optimizer(training, DEEP)),
            ("100 epochs", trained),
            ("batches of 1000", lambda: deep_batches(training, n_train, n_test)),
            ("validation data", lambda: deep_validation(training, *known["losses"])),
            ("training rows only", lambda: deep_rows(*known["right"])),
            ("what it has learnt", lambda: deep_learnt(training, *known["right"])),
        ],
    )


def outputs_of(model: Any, X: Array) -> Array:
    """Return what a Keras model gives for rows X (m, 784): an array (m, n_out)."""
    return np.asarray(model(_as_input(model, X)))


def _as_input(model: Any, X: Array) -> Array:
    """Return rows (m, 784) in the shape that the model takes, float32."""
    shape = tuple(getattr(model, "input_shape", (None, 784)))[1:]
    rows = np.asarray(X, dtype="float32")
    return rows.reshape(len(rows), *shape) if None not in shape else rows


# --- Exercise 4: the confusion matrix -----------------------------------------------------------

LABELS = np.array([0, 1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 7, 8, 9, 9, 3, 2, 4])
READ = np.array([0, 1, 2, 7, 3, 4, 9, 9, 3, 6, 7, 1, 8, 4, 9, 3, 2, 4])
COUNTS = np.array(
    [
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 2, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 2, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 2, 0, 0, 0, 0, 2],
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    ]
)
"""Eighteen labels, what a network read, and how often each pair occurs."""


def confusion_misconceptions(y_true: Array, y_pred: Array, counts: Array) -> list[Misconception]:
    """What common mistakes make of labels whose right matrix is `counts` (10, 10)."""
    with np.errstate(all="ignore"):
        by_row = np.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
        by_column = np.nan_to_num(counts / counts.sum(axis=0, keepdims=True))
    diagonal = np.diag(np.diag(counts))
    rates = "Return the counts; the notebook makes rates of them in the next cell."
    axes = "Rows are labels, columns are predictions: label 4 read as 9 belongs in row 4, column 9."
    table: list[Misconception] = [
        ("The matrix is transposed: its rows are the predictions.", axes, lambda: counts.T),
        ("The counts were divided by the sum of each row.", rates, lambda: by_row),
        (
            "The matrix was normalised by column: each column adds up to 1.",
            rates + " (Even for rates, the sum of a row, one label, is what to divide by.)",
            lambda: by_column,
        ),
        ("The counts were divided by the number of digits.", rates, lambda: counts / counts.sum()),
        ("These are percentages.", rates, lambda: 100 * by_row),
        (
            "Every pair is counted once at most: `matrix[y_true, y_pred] += 1` adds only once where "
            "a pair occurs again.",
            "Count pair by pair in a loop, or look up np.add.at or np.bincount.",
            lambda: counts > 0,
        ),
        (
            "Only the diagonal is filled: mistakes are not counted.",
            "Count each pair of label and prediction, whether they agree or not.",
            lambda: diagonal,
        ),
        (
            "The diagonal is empty: right answers are not counted.",
            "Count each pair of label and prediction, whether they agree or not.",
            lambda: counts - diagonal,
        ),
        (
            "Matrix and diagonal differ: right answers count twice.",
            "Count each pair once.",
            lambda: counts + diagonal,
        ),
        (
            "The last pair is not counted: a loop stops one early.",
            "Let the loop reach the last pair: range(m) ends at m - 1 already.",
            lambda: _less(counts, y_true[-1], y_pred[-1]),
        ),
        (
            "The first pair is not counted: a loop starts at 1.",
            "Python counts from 0: let the loop start there.",
            lambda: _less(counts, y_true[0], y_pred[0]),
        ),
        (
            "The counts are one row and one column off: labels were reduced by 1.",
            "The labels are the digits 0 to 9: use them as they are.",
            lambda: np.roll(counts, (-1, -1), axis=(0, 1)),
        ),
        (
            "Labels were compared with labels: the predictions are not used.",
            "Use y_true for the row and y_pred for the column.",
            lambda: np.diag(counts.sum(axis=1)),
        ),
        (
            "Predictions were compared with predictions: the labels are not used.",
            "Use y_true for the row and y_pred for the column.",
            lambda: np.diag(counts.sum(axis=0)),
        ),
        (
            "The matrix was never filled: it holds zeros.",
            "Add 1 for each pair.",
            lambda: 0 * counts,
        ),
    ]
    return table


def _less(counts: Array, row: int, column: int) -> Array:
    """Return `counts` without one of the pairs at a row and a column."""
    fewer = counts.copy()
    fewer[row, column] -= 1
    return fewer


def confusion_output(confusion_matrix: Any, y_true: Array, y_pred: Array) -> tuple[str, Array]:
    """Call `confusion_matrix` on copies; return the call as text and the matrix (10, 10)."""
    called = f"confusion_matrix(y_true, y_pred), {len(y_true)} of each"
    need_function(confusion_matrix, "confusion_matrix")
    value = attempt(called, confusion_matrix, y_true.copy(), y_pred.copy())
    wanted = "an array of shape (10, 10)"
    got = need_array(value, called, wanted)
    if got.shape == (10, 10):
        return called, got
    cause = f"The result has shape {got.shape}: ten labels meet ten predictions."
    then = "Make the matrix first: ten rows, ten columns, all zero."
    if got.shape == (11, 11):
        cause = "The matrix has 11 rows: the classes are 0 to 9, and none is called 10."
    elif got.ndim == 2 and got.shape[0] == got.shape[1] < 10:
        cause = (
            "The size of the matrix was taken from the digits that occur: with a digit missing it "
            "shrinks, and rows no longer stand for their digit."
        )
        then = "There are always ten classes, whichever of them occur."
    elif got.shape == (10,):
        cause = "One number for each digit came back; where the mistakes went is lost."
    elif got.size == 100:
        then = "Give the 100 counts the shape of ten rows of ten."
    raise NotYet(cause, called=called, expected=wanted, got=a_type(got), next=then)


def confusion_returns(confusion_matrix: Any) -> None:
    """Check that an array of the right shape comes back."""
    called, got = confusion_output(confusion_matrix, LABELS, READ)
    if not np.isfinite(got).all():
        raise NotYet(
            "There are values that are no numbers: a division by a sum that is 0.",
            called=called,
            expected="100 counts",
            got=show(got),
            next="Return the counts; the notebook makes rates of them in the next cell.",
        )


def confusion_by_hand(source: str) -> None:
    """Check that no library's matrix does the work; `source` is the graded cell ('' passes)."""
    tree = parsed(source)
    for node in ast.walk(tree) if tree else ():
        used = ""
        if isinstance(node, ast.Attribute) and node.attr in ("confusion_matrix", "crosstab"):
            used = ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and any(
            alias.name == "confusion_matrix" for alias in node.names
        ):
            used = f"{node.module}.confusion_matrix"
        if used:
            raise NotYet(
                f"{used} does the work here: the matrix is to be counted with NumPy, by hand.",
                called="(your graded cell)",
                expected="your own counting",
                got=used,
                next="A matrix of zeros, and one line for each pair: that is all there is to it.",
            )


def confusion_compare(confusion_matrix: Any, y_true: Array, y_pred: Array, counts: Array) -> None:
    """Check that `confusion_matrix(y_true, y_pred)` gives `counts` (10, 10)."""
    called, got = confusion_output(confusion_matrix, y_true, y_pred)
    if agree(got, counts):
        return
    otherwise = (
        "The counts are not those of the pairs.",
        "Take three labels and three predictions, and count with pencil and paper.",
    )
    cause, then = matching(got, confusion_misconceptions(y_true, y_pred, counts), otherwise)
    wrong = np.argwhere(~np.isclose(got, counts))[:3]
    raise NotYet(
        cause,
        called=called,
        expected=", ".join(f"row {i}, column {j}: {counts[i, j]}" for i, j in wrong),
        got=", ".join(f"row {i}, column {j}: {float(got[i, j]):.4g}" for i, j in wrong),
        next=then,
    )


def confusion_values(confusion_matrix: Any) -> None:
    """Check a small example that has every digit."""
    confusion_compare(confusion_matrix, LABELS, READ, COUNTS)


def confusion_absent(confusion_matrix: Any) -> None:
    """Check an example in which most digits do not occur."""
    counts = np.zeros((10, 10), dtype=int)
    counts[3, 5], counts[5, 5], counts[3, 3] = 2, 1, 1
    confusion_compare(confusion_matrix, np.array([3, 5, 3, 3]), np.array([5, 5, 3, 5]), counts)


def test_confusion(confusion_matrix: Any) -> None:
    """Check exercise 4; prints one line if all public checks pass, raises `NotYet` otherwise."""
    run_checks(
        "confusion",
        [
            ("what comes back", lambda: confusion_returns(confusion_matrix)),
            ("counted by hand", lambda: confusion_by_hand(written_in("UNQ_M4"))),
            ("a first example", lambda: confusion_values(confusion_matrix)),
            ("digits that do not occur", lambda: confusion_absent(confusion_matrix)),
        ],
    )


# --- Exercise 5: a photograph -------------------------------------------------------------------

Reader = Callable[[Array], Any]
"""Writes the bytes of a picture file (uint8) to disk and has `preprocess_photo` read it."""


def png(picture: Array) -> Array:
    """Return the bytes of a PNG file, uint8 (n,), of a picture uint8 (H, W), (H, W, 3) or (H, W, 4).

    The format's own specification: https://www.w3.org/TR/png/
    """
    picture = np.ascontiguousarray(picture, dtype=np.uint8)
    height, width = picture.shape[:2]
    kind = {1: 0, 3: 2, 4: 6}[1 if picture.ndim == 2 else picture.shape[2]]

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    lines = b"".join(b"\0" + line.tobytes() for line in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )
    return np.frombuffer(data, dtype=np.uint8)


def read_picture_with(preprocess_photo: Any, data: Array, suffix: str = ".png") -> Any:
    """Write the bytes `data` (uint8) to a file of its own and return `preprocess_photo(path)`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"picture{suffix}"
        path.write_bytes(np.asarray(data, dtype=np.uint8).tobytes())
        return preprocess_photo(str(path))


def letter(height: int = 60, width: int = 36, stroke: int = 9) -> Array:
    """Return an F, bool (height, width): no turn or reflection of it looks like another."""
    ink = np.zeros((height, width), dtype=bool)
    ink[:, :stroke] = True
    ink[:stroke] = True
    middle = int(0.45 * height)
    ink[middle : middle + stroke, : int(0.75 * width)] = True
    return ink


def sheet(
    ink: Array,
    size: tuple[int, int] = (120, 150),
    at: tuple[int, int] = (14, 20),
    shade: float = 0.0,
    paper: float = 235.0,
) -> Array:
    """Return a sheet of paper with `ink` (bool) at the row and column `at`: uint8 (H, W).

    `shade` is the part of the light that is missing in the right lower corner; `paper` is the
    grey of the paper, 0 to 255.
    """
    down, across = np.mgrid[: size[0], : size[1]]
    light = 1 - shade * (down / size[0] + across / size[1]) / 2
    grey = paper * light
    grey[at[0] : at[0] + ink.shape[0], at[1] : at[1] + ink.shape[1]][ink] *= 0.15
    return np.asarray(np.rint(grey), dtype=np.uint8)


def photo_output(read: Reader, picture: Array, what: str) -> tuple[str, Array]:
    """Have `picture` read; return the call as text and the result (1, 28, 28)."""
    called = f"preprocess_photo(path), {what}"
    value = attempt(called, read, png(picture))
    wanted = "an array of shape (1, 28, 28)"
    got = need_array(value, called, wanted)
    if got.shape != (1, 28, 28):
        cause, then = _photo_shape(got.shape, picture.shape[:2])
        raise NotYet(cause, called=called, expected=wanted, got=a_type(got), next=then)
    if not np.isfinite(got).all():
        raise NotYet(
            "There are values that are no numbers: something was divided by 0.",
            called=called,
            expected="784 finite numbers",
            got=show(got),
            next="Print the smallest and the largest value after each of your steps.",
        )
    return called, got


def _photo_shape(got: tuple[int, ...], size: tuple[int, int]) -> tuple[str, str]:
    """Say why a photograph of `size` has become an array of the shape `got`."""
    then = "Print the shape after each step."
    if got == (28, 28):
        return (
            "The batch axis is missing: a network takes a batch, and this is to be a batch of one.",
            "Reshape at the end: one picture of 28 by 28.",
        )
    if got in ((28, 28, 1), (28, 28, 3), (28, 28, 4)) or got[-3:] in ((28, 28, 3), (28, 28, 4)):
        if got[-1] > 1:
            return (
                "The colours were kept: each pixel still has its red, green and blue.",
                "Make one grey number of each pixel first.",
            )
        return "The batch axis is at the end, or is missing: it comes first.", then
    if got == (1, 28, 28, 1):
        return "There is an axis for colour at the end; (1, 28, 28) was asked for.", then
    if got in ((784,), (1, 784)):
        return "The picture is flattened; a picture of 28 by 28 was asked for.", then
    if got[:2] == size or got[1:3] == size:
        return (
            "The picture was not resized: it has as many pixels as the photograph.",
            "Crop, then resize to the size of MNIST's digits.",
        )
    if got in ((20, 20), (1, 20, 20)):
        return "The digit fills 20 by 20; the margin around it is missing.", then
    return f"The result has shape {got}.", then


def photo_returns(read: Reader) -> None:
    """Check that an array of the right shape comes back from a grey and from a colour picture."""
    for channels, what in ((0, "a grey picture"), (3, "a colour picture")):
        picture = sheet(letter())
        if channels:
            picture = np.repeat(picture[..., np.newaxis], channels, axis=2)
        photo_output(read, picture, what)


def photo_range(read: Reader) -> None:
    """Check that the values are fractions from 0 to 1."""
    called, got = photo_output(read, sheet(letter()), "an F in ink")
    low, high = float(got.min()), float(got.max())
    if low >= -0.15 and 0.5 <= high <= 1.15:
        return
    cause, then = (
        "The values do not go from 0 to 1.",
        "Print the smallest and largest value of each step.",
    )
    if high > 2:
        cause = "The values go up to 255: the network was trained on rows from 0 to 1."
        then = "Normalise: divide by the largest value that a byte can have, once."
    elif high < 0.05:
        cause = "The picture is nearly black: it was divided by 255 twice, or lost its ink."
        then = "Normalise once; print the largest value of each step."
    elif low < -0.15:
        cause = "There are negative values: the paper is not 0."
    raise NotYet(
        cause,
        called=called,
        expected="values from 0 (paper) to 1 (ink)",
        got=f"{number(low)} to {number(high)}",
        next=then,
    )


def photo_inverted(read: Reader) -> None:
    """Check that ink is bright and paper dark, on grey paper in uneven light as well."""
    for paper, shade, what in ((235, 0.0, "an F in ink"), (150, 0.4, "an F on grey paper")):
        called, got = photo_output(read, sheet(letter(), paper=paper, shade=shade), what)
        ends = (slice(0, 4), slice(24, 28))
        corners = [float(np.median(np.abs(got[0, i, j]))) for i in ends for j in ends]
        if min(corners) < 0.15:
            continue
        cause = "The paper is not dark: the paper's own grey was left in, or its shadows."
        then = "Take the paper away before you crop: utils.paper_light says how bright it is."
        if float(np.median(got)) > 0.5 and paper == 235:
            cause = "The picture is not inverted: paper is bright and ink dark, unlike MNIST."
            then = "Turn it round: what is dark on paper has to be bright."
        raise NotYet(
            cause,
            called=called,
            expected="corners of 0, which is paper",
            got=f"corners of {min(corners):.2f} or more",
            next=then,
        )


def extent(got: Array) -> tuple[int, int]:
    """Height and width, in pixels, of what is brighter than 0.3 of the largest value in (28, 28)."""
    rows, columns = np.nonzero(got > 0.3 * got.max())
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def photo_cropped(read: Reader) -> None:
    """Check that the ink fills a box of 20 pixels, wherever it was on the paper, and however big."""
    for height, size in ((60, (120, 150)), (40, (200, 260))):
        what = f"an F of {height} pixels on a sheet of {size[0]} by {size[1]}"
        picture = sheet(letter(height, int(0.6 * height), height // 7), size)
        called, got = photo_output(read, picture, what)
        longest = max(extent(got[0]))
        if 18 <= longest <= 22:
            continue
        cause = f"The digit is {longest} pixels tall; MNIST's are 20."
        then = "Crop to the ink, scale the longer side to 20, and leave 4 pixels on each side."
        if longest < 18:
            cause = (
                f"The digit is only {longest} pixels tall: the sheet was resized without a crop "
                "(accuracy falls below a half)."
            )
        elif longest > 25:
            cause = f"The digit fills all {longest} pixels: MNIST's digits have a margin of 4."
        raise NotYet(cause, called=called, expected="20 pixels", got=f"{longest} pixels", next=then)


def photo_aspect(read: Reader) -> None:
    """Check that a narrow figure stays narrow, and a wide one wide."""
    for height, width in ((60, 24), (30, 70)):
        called, got = photo_output(
            read, sheet(letter(height, width, 6)), f"an F, {height} pixels tall and {width} wide"
        )
        tall, wide = extent(got[0])
        ratio, asked = wide / tall, width / height
        if 0.65 < ratio / asked < 1.55:
            continue
        cause = "The proportions are not those of the photograph."
        if 0.85 < ratio < 1.18:
            cause = (
                "The proportions are lost: the crop was stretched to a square (a 1 becomes a blot)."
            )
        elif 0.65 < ratio * asked < 1.55:
            cause = "Height and width are exchanged: Pillow says (width, height), NumPy (rows, columns)."
        raise NotYet(
            cause,
            called=called,
            expected=f"about {asked:.2f} times as wide as tall",
            got=f"{ratio:.2f} ({tall} rows, {wide} columns)",
            next="Scale both sides by the same factor: the one that makes the longer side 20.",
        )


def photo_centred(read: Reader) -> None:
    """Check that the ink is in the middle, wherever it was on the paper."""
    for at in ((8, 100), (50, 10)):
        called, got = photo_output(read, sheet(letter(), at=at), "an F near the edge of the sheet")
        mass = np.clip(got[0], 0, None)
        down, across = (
            float((mass.sum(axis=1 - k) * np.arange(28)).sum() / mass.sum()) for k in (0, 1)
        )
        if abs(down - 13.5) < 3 and abs(across - 13.5) < 3:
            continue
        raise NotYet(
            "The digit is not in the middle.",
            called=called,
            expected="centre of mass at row 13.5, column 13.5",
            got=f"row {down:.1f}, column {across:.1f}",
            next="Put the scaled digit into the middle of 28 by 28: utils.centre_by_mass does that.",
        )


_TURNS: dict[str, Callable[[Array], Array]] = {
    "": lambda p: p,
    "The picture is transposed: rows and columns are exchanged.": lambda p: p.T,
    "The picture is mirrored, left and right.": lambda p: p[:, ::-1],
    "The picture is upside down.": lambda p: p[::-1],
    "The picture is turned by 180 degrees.": lambda p: p[::-1, ::-1],
    "The picture is turned by 90 degrees. ": lambda p: p.T[::-1],
    "The picture is turned by 90 degrees.": lambda p: p.T[:, ::-1],
    "The picture is transposed and turned.": lambda p: p[::-1, ::-1].T,
}


def photo_upright(read: Reader) -> None:
    """Check that the picture is neither turned nor mirrored."""
    called, got = photo_output(read, sheet(letter(60, 54, 9)), "an F")
    model = np.zeros((28, 28))
    model[4:24, 5:23] = letter(20, 18, 3)
    flat = got[0] - got[0].mean()

    def likeness(turned: Array) -> float:
        shifts = [(i, j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2, 3)]
        return max(float((np.roll(turned, s, (0, 1)) * flat).sum()) for s in shifts)

    best = max(_TURNS, key=lambda name: likeness(_TURNS[name](model)))
    if best:
        raise NotYet(
            best.strip(),
            called=called,
            expected="an F that can be read",
            got="the F as in the first line",
            next="Show the picture after each step, and see where it turns.",
        )


def photo_alpha(read: Reader) -> None:
    """Check that a transparent place is paper: with black underneath, and with the ink's colour."""
    grey = sheet(letter(), (120, 150), (30, 40))
    seen = np.zeros(grey.shape, dtype=bool)
    seen[20:105, 25:110] = True
    under = np.where(seen, grey, 0)
    called, got = photo_output(
        read,
        np.dstack([under, under, under, np.where(seen, 255, 0)]),
        "a cut-out: transparent around the sheet, black underneath",
    )
    tall, wide = extent(got[0])
    if 17 <= tall <= 23 and 9 <= wide <= 16:
        return
    raise NotYet(
        "The alpha channel was dropped: transparent places are black underneath, and were taken "
        "for ink.",
        called=called,
        expected="an F, 20 rows tall and 12 columns wide",
        got=f"something of {tall} rows and {wide} columns",
        next="Put the picture on white paper first: Image.alpha_composite does that.",
    )


def test_photo(preprocess_photo: Any) -> None:
    """Check exercise 5; prints one line if all public checks pass, raises `NotYet` otherwise."""

    def read(data: Array) -> Any:
        return read_picture_with(preprocess_photo, data)

    def returns() -> None:
        need_function(preprocess_photo, "preprocess_photo")
        photo_returns(read)

    run_checks(
        "photo",
        [
            ("what comes back", returns),
            ("from 0 to 1", lambda: photo_range(read)),
            ("ink bright, paper dark", lambda: photo_inverted(read)),
            ("cropped to the ink", lambda: photo_cropped(read)),
            ("proportions", lambda: photo_aspect(read)),
            ("in the middle", lambda: photo_centred(read)),
            ("upright", lambda: photo_upright(read)),
            ("transparent pictures", lambda: photo_alpha(read)),
        ],
    )
