"""How lab_digits is marked: eight exercises, their checks and points.

The public checks are those of ``labkit``, which the student ran, asked for by their ids; the hidden
ones run the same bodies, or their own, on inputs drawn for the submission at hand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import labkit.exercises.dense
import labkit.exercises.loss
import labkit.exercises.model
import labkit.exercises.predict
import labkit.exercises.preprocess
import labkit.exercises.softmax
import labkit.exercises.split
import labkit.exercises.train
import labkit.labels
from course import quick
from course.checks import by_hand, network, photos, sheets, trained
from course.checks.network import digits, true_softmax
from course.checks.public import INSIDE, LABKIT, Public, looks_elsewhere
from labkit.asking import agree, function_of
from labkit.descriptions import activations
from labkit.exercises import TITLES
from labkit.findings import NotYet
from labkit.inspection import linear, relu, sigmoid
from labkit.row_numbers import find_rows, row_table
from labkit.split_parts import trouble
from labkit.values_in_words import a_type, as_numbers
from proctor.checks import Finding, Lab, Side
from proctor.kernel.values import StudentError

Draw = np.random.Generator
Activation = Callable[[np.ndarray], np.ndarray]

lab = Lab(
    "lab_digits",
    title="Handwritten digits",
    seed=1234,
    helpers=(
        INSIDE,
        Path("course/checks/prepared.py"),
        *quick.HELPERS,
        Path("course/checks/traced.py"),
        Path("course/checks/fits.py"),
    ),
    records=True,
    prepare=photos.make_scenes,
    files=(
        Path("utils.py"),
        Path("public_tests.py"),
        *LABKIT,
        Path("Data/ex3data1.mat"),
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_digits.ipynb",
        "utils.py",
        "public_tests.py",
        "labkit/*.py",
        "labkit/exercises/*.py",
        "requirements.txt",
        "docs/student.md",
        "Data/README.md",
        "Data/ex3data1.mat",
        "Data/mnist_5k.npz",
        "Data/handwriting/*",
        "explorer/*.py",
        "explorer/tour.json",
        "explorer/static/*",
    ),
    warm=(
        "numpy",
        "scipy.io",
        "scipy.ndimage",
        "matplotlib.pyplot",
        "PIL.Image",
        "tensorflow",
        "keras",
    ),
    cell_seconds=30.0,  # of processor time; the longest right cell, the training, takes 6
    total_seconds=180.0,
    memory_mb=6144,
)


QUICK = 10.0
"""Seconds of processor time for a cell that does not train: right ones take less than 1."""

# --- Exercise 1: softmax ------------------------------------------------------------------------

softmax = lab.exercise("softmax", TITLES["softmax"], points=10, seconds=QUICK)
public = Public(softmax, labkit.exercises.softmax.CHECKS)


def compare_softmax(side: Side, *rows: np.ndarray) -> None:
    """Run the body of the public checks on rows drawn for this submission.

    Whoever looks up the public inputs in a table earns nothing by it.
    """
    for z in rows:
        labkit.exercises.softmax.compare(side, z, true_softmax(z))


def tell_written(side: Side) -> None:
    """Have all be read that the answer consists of, wherever it stands."""
    labkit.exercises.softmax.written.tell(
        side, lambda: by_hand.whole(side, "softmax", "my_softmax")
    )


def none_called(side: Side, draw: Draw) -> None:
    """Ask that no library's softmax is called, under whatever name."""
    by_hand.need_none_called(side, "my_softmax", by_hand.SOFTMAX, draw.normal(size=4))


def more_values(side: Side, draw: Draw) -> None:
    """Ask for a row of ordinary size."""
    compare_softmax(side, draw.uniform(0.5, 5, 4))


def more_negatives(side: Side, draw: Draw) -> None:
    """Ask for a row of negative elements."""
    compare_softmax(side, draw.uniform(-5, -0.5, 3))


def more_large_inputs(side: Side, draw: Draw) -> None:
    """Ask for rows of which the exponentials overflow or vanish."""
    compare_softmax(side, draw.uniform(1000, 1004, 3), draw.uniform(-1004, -1000, 3))


def more_wide_rows(side: Side, draw: Draw) -> None:
    """Ask for rows that span more than an exponential does, the largest first, last and between."""
    wide = float(draw.uniform(1600, 3000))
    rows = (-wide, 0.0, wide), (0.0, 1.0, -2 * wide, -1.0, 4 * wide), (wide, 0.0, -wide)
    compare_softmax(side, *map(np.array, rows))


BEFORE_VALUES = ("softmax-sum", "softmax-by-hand")

public("softmax-returns", points=1)
public("softmax-sum", points=1)
public("softmax-by-hand", points=1, needs=("softmax-sum",), first=tell_written, then=none_called)
public("softmax-values", points=1, needs=BEFORE_VALUES, then=more_values)
public("softmax-negatives", points=1, needs=("softmax-values",), then=more_negatives)
public("softmax-large-inputs", points=1, needs=("softmax-negatives",), then=more_large_inputs)
public("softmax-wide", points=1, needs=("softmax-large-inputs",), then=more_wide_rows)
public("softmax-untouched", points=1, needs=("softmax-sum",))


@softmax.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_unseen(side: Side, draw: Draw) -> None:
    """inputs that you have not seen"""
    compare_softmax(side, *(draw.normal(0, 3, size) for size in (2, 5, int(draw.integers(6, 30)))))


@softmax.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_ties(side: Side, draw: Draw) -> None:
    """equal elements, and a single one"""
    tie, other = draw.normal(0, 2, 2)
    compare_softmax(side, np.array([tie, other, tie]), np.full(4, tie), np.array([other]))


# --- Exercise 2: the model ----------------------------------------------------------------------

model = lab.exercise("model", TITLES["model"], points=15, seconds=QUICK)
with_layers = labkit.exercises.model.with_layers


def tell_model(side: Side) -> None:
    """Have the model's description looked at before it is used, and a missing model explained."""
    labkit.exercises.model.described.tell(
        side, lambda: network.describe(side, "model", 400, labkit.exercises.model.need_model)
    )


public = Public(model, labkit.exercises.model.CHECKS, first=tell_model)

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


@model.check(points=2, needs=("model-layers", "model-hidden", "model-output"))
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


# --- Exercise 3: a dense layer ------------------------------------------------------------------

dense = lab.exercise("dense", TITLES["dense"], points=10, seconds=QUICK)
public = Public(dense, labkit.exercises.dense.CHECKS)


def another(
    shape: tuple[int, ...], *, bias: bool, activations: tuple[Activation, ...] = (linear,)
) -> Callable[[Side, Draw], None]:
    """Return what runs the body of the public checks on a layer drawn for this submission: 3 units."""

    def ask(side: Side, draw: Draw) -> None:
        a_in, W = draw.normal(size=shape), draw.normal(size=(shape[-1], 3))
        b = draw.normal(size=3) if bias else np.zeros(3)
        for g in activations:
            labkit.exercises.dense.compare(side, a_in, W, b, g, a_in @ W + b)

    return ask


BOTH = (relu, sigmoid)

public("dense-row", points=2, then=another((2,), bias=False))
public("dense-bias", points=1, then=another((2,), bias=True))
public("dense-activation", points=2, then=another((2,), bias=False, activations=BOTH))
public(
    "dense-batch",
    points=2,
    needs=("dense-bias",),
    then=another((4, 2), bias=True, activations=(relu,)),
)


@dense.check(points=2, needs=("dense-bias", "dense-batch"))
def dense_unseen(side: Side, draw: Draw) -> None:
    """layers of other sizes"""
    n = int(draw.integers(4, 9))
    for m, n_in, n_out in ((3, n, n), (n, n, 2), (1, 5, 4), (0, 4, 4), (n, 7, 1)):
        a_in = draw.normal(size=(m, n_in) if m else n_in)
        W, b = draw.normal(size=(n_in, n_out)), draw.normal(size=n_out)
        labkit.exercises.dense.compare(side, a_in, W, b, linear, a_in @ W + b)


@dense.check(points=1, needs=("dense-unseen", "dense-activation"))
def dense_network(side: Side, draw: Draw) -> None:
    """three of them in a row give a network's logits"""
    my_dense = side.get("my_dense")
    X = digits()[0][draw.choice(5000, 30, replace=False)]
    out = expected = X
    for n_in, n_out, g in ((400, 25, relu), (25, 15, relu), (15, 10, linear)):
        # Of a network that nobody trained: a trained one's weights would be exercise 6's answer.
        W, b = draw.normal(0, n_in**-0.5, (n_in, n_out)), draw.normal(0, 0.1, n_out)
        labkit.exercises.dense.compare(side, out, W, b, g, out @ W + b)
        out, expected = np.asarray(my_dense(out, W, b, g)), g(expected @ W + b)
    if not agree(out, expected, 1e-5):  # three layers' rounding
        raise Finding(
            "Each layer is right by itself, but three in a row do not give the logits.",
            next="Look for something that your function remembers from one call to the next.",
        )


# --- Exercise 4: the split ----------------------------------------------------------------------

split = lab.exercise("split", TITLES["split"], points=15, seconds=QUICK)


def narrow() -> tuple[np.ndarray, np.ndarray]:
    """The digits as X of 30 columns, which tell all rows apart: a fifth of a call's time."""
    X, y = digits()
    return np.ascontiguousarray(X[:, 150:180]), y


def tell_digits(side: Side) -> None:
    """Have the lab's own digits split, not what the notebook calls X and y."""
    labkit.exercises.split.digits.tell(side, narrow)


public = Public(split, labkit.exercises.split.CHECKS, first=tell_digits)

public("split-returns", points=1)
public("split-sizes", points=1, needs=("split-returns",))
public("split-complete", points=2, needs=("split-sizes",))
public("split-labels", points=2, needs=("split-returns",))
public("split-stratified", points=2, needs=("split-returns", "split-labels"))
public("split-fraction", points=2, needs=("split-stratified",))
public("split-classes", points=1, needs=("split-complete", "split-labels", "split-stratified"))
public("split-shuffled", points=1, needs=("split-returns",))
public("split-repeatable", points=1, needs=("split-returns",))


@split.check(points=2, needs=("split-complete", "split-labels", "split-stratified"))
def split_unseen(side: Side, draw: Draw) -> None:
    """other data, with classes of different sizes"""
    sizes = draw.integers(20, 90, 4)
    y = draw.permutation(np.repeat(np.array([1, 3, 4, 8]), sizes))
    X = draw.normal(size=(len(y), 6))
    fraction = float(draw.choice([0.1, 0.25, 0.4]))
    labkit.exercises.split.stratified(side, X, y, fraction)
    labkit.exercises.split.labels(side, X, y)
    labkit.exercises.split.complete(side, X, y)


# --- Exercise 5: the loss -----------------------------------------------------------------------

loss = lab.exercise("loss", TITLES["loss"], points=15, seconds=QUICK)


def own_labels(side: Side) -> None:
    """Take what the notebook calls X and y for granted: the marking brings logits and labels."""
    labkit.exercises.loss.digits.tell(side, lambda: None)


def all_written(side: Side) -> None:
    """Have all be read that the answer consists of, wherever it stands."""
    labkit.exercises.loss.written.tell(side, lambda: by_hand.whole(side, "loss", "cross_entropy"))


def true_loss(logits: np.ndarray, y: np.ndarray) -> labkit.exercises.loss.Batch:
    """A batch with its loss and gradient, from the logits: float64."""
    p, hit = true_softmax(logits), np.arange(logits.shape[1]) == y[:, np.newaxis]
    gap = logits - logits[hit][:, np.newaxis]
    highest = gap.max(axis=1)
    losses = highest + np.log(np.exp(gap - highest[:, np.newaxis]).sum(axis=1))
    return labkit.exercises.loss.Batch(logits, y, float(losses.mean()), (p - hit) / len(y), p)


def another_batch(
    check: Callable[..., None], m: int, n: int, low: float = 0.2, high: float = 4.0
) -> Callable[[Side, Draw], None]:
    """Return what runs the body of a public check on a batch (m, n) drawn for this submission."""
    return lambda side, draw: check(
        side, true_loss(draw.uniform(low, high, (m, n)), draw.integers(0, n, m))
    )


def no_library_called(side: Side, draw: Draw) -> None:
    """Ask that no library's loss is called, under whatever name."""
    arguments = draw.normal(size=(3, 4)), draw.integers(0, 4, 3)
    by_hand.need_none_called(side, "cross_entropy", labkit.exercises.loss.LIBRARIES, *arguments)


public = Public(loss, labkit.exercises.loss.CHECKS, first=own_labels)

public("loss-returns", points=1)
public("loss-even", points=1)
public("loss-values", points=2, then=another_batch(labkit.exercises.loss.value, 5, 4))
public("loss-by-hand", points=1, needs=("loss-values",), first=all_written, then=no_library_called)
public(
    "loss-large-logits",
    points=2,
    needs=("loss-values",),
    then=another_batch(labkit.exercises.loss.value, 3, 4, -2000, 2000),
)
public("loss-gradient", points=3, then=another_batch(labkit.exercises.loss.gradient, 5, 4))
public(
    "loss-differences",
    points=1,
    needs=("loss-values", "loss-gradient"),
    then=lambda side, draw: labkit.exercises.loss.differences(side, draw.normal(size=(2, 3))),
)
public("loss-untouched", points=1)


@loss.check(points=2, needs=("loss-values", "loss-gradient"))
@looks_elsewhere(loss)
def loss_unseen(side: Side, draw: Draw) -> None:
    """batches of other sizes, one row among them"""
    for m, n in ((1, 10), (4, 4), (int(draw.integers(20, 40)), 2)):
        another_batch(labkit.exercises.loss.value, m, n, -3, 3)(side, draw)
        another_batch(labkit.exercises.loss.gradient, m, n, -3, 3)(side, draw)


@loss.check(points=1, needs=("loss-large-logits", "loss-gradient"))
@looks_elsewhere(loss)
def loss_large_gradient(side: Side, draw: Draw) -> None:
    """the gradient for large logits"""
    another_batch(labkit.exercises.loss.gradient, 3, 5, -2000, 2000)(side, draw)


# --- Exercise 6: training -----------------------------------------------------------------------

train = lab.exercise("train", TITLES["train"], points=10)


def tell_training(side: Side) -> None:
    """Have the training's description looked at before it is used."""
    labkit.labels.known.tell(side, digits)
    labkit.exercises.train.training.tell(side, lambda: describe_training(side))


def tell_model_and_training(side: Side) -> None:
    """Have both looked at, the model first."""
    tell_model(side)
    tell_training(side)


def describe_training(side: Side) -> dict[str, Any]:
    """Describe how the student's model was compiled and trained."""
    labkit.exercises.model.need_model(side.get("model"), side.source("model"))
    value = side.evaluate("describe_training(model, globals().get('history'))")
    return network.well_formed_training(value)


def held_out_rows(side: Side) -> np.ndarray:
    """Row numbers in X of the student's X_test, without those that are no rows of X."""
    return side.once("held out", lambda: find_held_out_rows(side))


def find_held_out_rows(side: Side) -> np.ndarray:
    """Do what `held_out_rows` says."""
    X_test = as_numbers(side.get("X_test"))
    if X_test is None or X_test.shape[1:] != (400,):
        raise Finding(
            "X_test does not hold rows of X, so there is nothing to judge the network by.",
            expected="an array of shape (1000, 400)",
            got=a_type(X_test),
            next="Leave X_test as the cell after exercise 4 made it.",
        )
    rows = find_rows(X_test, network.digit_table())
    rows = np.unique(rows[rows >= 0])
    split_off = split_rows(side)
    if not np.array_equal(rows, split_off):
        raise Finding(
            "X_test does not hold the rows that split_data holds out.",
            expected="X_test as the cell after exercise 4 made it",
            got=f"{len(rows)} rows of X, of which split_data holds out "
            f"{len(np.intersect1d(rows, split_off))}",
            next="Leave X_test as the cell after exercise 4 made it.",
        )
    return rows


def split_rows(side: Side) -> np.ndarray:
    """Row numbers in X of what the student's split holds out, or the split that the lab lends."""
    X, y = narrow()
    lent = np.flatnonzero(np.arange(len(y)) % 5 == 0)  # as utils.split_or_lend does
    split_data = side.get("split_data")
    try:
        given = [split_data(X.copy(), y.copy()) for _ in range(2)]
    except (StudentError, TypeError):  # it raises, or is no function
        return lent
    if trouble(*given, X, y):
        return lent
    return np.unique(find_rows(np.asarray(as_numbers(given[0][1])), row_table(X)))


def seen(side: Side) -> trained.Training:
    """Return what was seen of the training of the student's model."""
    return side.once("seen", lambda: trained.seen(side, "model", "history"))


def seen_to_fit(side: Side, draw: Draw) -> None:
    """Ask that the history is what `fit` returned."""
    trained.need_fit(seen(side), "model", "history")


@functools.cache
def sums() -> np.ndarray:
    """Check sums of the rows of X, no two of which are the same."""
    return trained.check_sums(digits()[0])


REMEMBERED = 0.95
"""Accuracy on held-out rows that no network of this size reaches without having seen them."""


def not_seen(side: Side, draw: Draw) -> None:
    """Ask that no held-out row was among those that were trained on."""
    rows, figures = seen(side).rows, labkit.exercises.train.figures(side)
    held = 0 if rows is None else int(np.isin(sums()[held_out_rows(side)], rows).sum())
    remembered = figures.on_test > REMEMBERED and figures.on_train - figures.on_test < 0.02
    if held or remembered:
        raise Finding(
            "The network was trained on held-out rows too: their accuracy says nothing any more about "
            "digits that it has not seen.",
            called="the rows that fit was given, and the accuracies",
            expected="training on X_train and y_train only, about 0.92 on held-out rows",
            got=f"{held} held-out rows among them; {figures.on_test:.3f} on held-out rows, "
            f"{figures.on_train:.3f} on training rows",
            next="Look at what fit is given; run the model's cell again before you train again.",
        )


def tell_figures(side: Side) -> None:
    """Have the training judged by the weights, not by what the notebook measures.

    Held-out rows are those of the student's X_test that are rows of X, judged by X's own labels;
    training rows are all others.
    """
    held_out_rows(side)
    tell_training(side)
    tell_model(side)
    labkit.exercises.train.figures.tell(side, lambda: compute_figures(side))


def compute_figures(side: Side) -> labkit.exercises.train.Figures:
    """Accuracy on the training and on the held-out rows, recomputed from the weights."""
    X, y = digits()
    rows = held_out_rows(side)
    trained.need_own_weights(seen(side), "model")
    outputs = network.forward(with_layers(side), X)
    if outputs is None:
        raise Finding(
            "What the network gives could not be recomputed from its weights: it is not a stack "
            "of Dense layers with ReLU between them.",
            next="Compare model.summary() with the picture of the network (exercise 2).",
        )
    others = np.setdiff1d(np.arange(len(X)), rows)
    return labkit.exercises.train.figures_of(outputs[others], y[others], outputs[rows], y[rows])


public = Public(train, labkit.exercises.train.CHECKS, first=tell_model_and_training)

public("train-loss", points=2)
public("train-history", points=1, then=seen_to_fit)
public("train-falls", points=1, needs=("train-history",))
public("train-rows", points=2, needs=("train-history",), first=tell_figures, then=not_seen)
public("train-learnt", points=1, needs=("train-falls",), first=tell_figures)
public("train-accuracy", points=1, needs=("train-falls",), first=tell_figures)


@train.check(points=2, needs=("train-rows", "train-accuracy"))
def train_held_out(side: Side, draw: Draw) -> None:
    """held-out rows are a fair sample, with their labels"""
    rows, y = held_out_rows(side), digits()[1]
    y_test = as_numbers(side.get("y_test"))
    X_test = as_numbers(side.get("X_test"))
    if len(rows) < 900 or np.bincount(y[rows], minlength=10).min() < 50:
        raise Finding(
            "X_test is not a fair sample of X: rows or whole classes are missing from it.",
            next="Leave X_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )
    numbers = find_rows(np.asarray(X_test), network.digit_table())
    if (
        y_test is None
        or y_test.shape != numbers.shape
        or (y_test != y[numbers])[numbers >= 0].any()
    ):
        raise Finding(
            "The labels in y_test are not those of the rows in X_test.",
            next="Leave y_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )


# --- Exercise 7: predictions --------------------------------------------------------------------

predict = lab.exercise("predict", TITLES["predict"], points=10, seconds=QUICK)


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


public = Public(predict, labkit.exercises.predict.CHECKS, first=tell_rows)

public("predict-returns", points=2)
public("predict-values", points=3, needs=("predict-returns",))
public("predict-probabilities", points=2)
public("predict-one-call", points=1, needs=("predict-returns",))


@predict.check(points=2, needs=("predict-values", "predict-probabilities"))
@looks_elsewhere(predict)
def predict_unseen(side: Side, draw: Draw) -> None:
    """batches of other sizes, one row among them"""
    for size in (1, int(draw.integers(15, 30))):
        X = digits()[0][draw.choice(5000, size, replace=False)]
        prediction = predicted(side, X)
        labkit.exercises.predict.values(prediction)
        labkit.exercises.predict.probabilities(prediction)


# --- Exercise 8: photographs --------------------------------------------------------------------

preprocess = lab.exercise("preprocess", TITLES["preprocess"], points=15, seconds=QUICK)
public = Public(preprocess, labkit.exercises.preprocess.CHECKS)


public("preprocess-returns", points=1)


@preprocess.check(points=1)
def preprocess_looks(side: Side, draw: Draw) -> None:
    """another picture, another row"""
    sheets.told_apart(side, draw)


def on_another(check: Callable[..., None], *forms: str) -> Callable[[Side, Draw], None]:
    """Return what runs the body of a public check on a sheet drawn for this submission."""
    return lambda side, draw: check(side, *forms, sheet=sheets.drawn(draw))


public(
    "preprocess-ink",
    points=1,
    needs=("preprocess-looks",),
    then=on_another(labkit.exercises.preprocess.ink),
)
public(
    "preprocess-crop",
    points=2,
    needs=("preprocess-ink",),
    then=on_another(labkit.exercises.preprocess.crop),
)
public(
    "preprocess-centre",
    points=1,
    needs=("preprocess-crop",),
    then=on_another(labkit.exercises.preprocess.centre),
)
public(
    "preprocess-order",
    points=2,
    needs=("preprocess-ink", "preprocess-returns"),
    then=on_another(labkit.exercises.preprocess.order),
)
public("preprocess-wide", points=1, needs=("preprocess-order",))
public("preprocess-shade", points=1, needs=("preprocess-crop", "preprocess-order"))
public(
    "preprocess-colour",
    points=1,
    needs=("preprocess-looks",),
    then=on_another(labkit.exercises.preprocess.colour, "rgb", "rgba"),
)
public(
    "preprocess-transparency",
    points=1,
    needs=("preprocess-colour",),
    then=on_another(labkit.exercises.preprocess.colour, "cut out"),
)


@preprocess.check(points=3, needs=("preprocess-looks",))
def preprocess_photographs(side: Side, draw: Draw) -> None:
    """photographs that you have not seen"""
    photos.judge(side, draw)
