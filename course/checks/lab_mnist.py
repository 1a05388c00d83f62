"""How lab_mnist is marked: five exercises, their checks and points.

The public checks are those of ``labkit``, which the student ran, asked for by their ids; the hidden
ones run the same bodies, or their own, on inputs drawn for the submission at hand. While it is
marked, the notebook finds the 5,000 digits alone: 4,000 to train on, every fifth held out.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

import labkit.exercises.baseline
import labkit.exercises.confusion
import labkit.exercises.deep
import labkit.exercises.photo
import labkit.exercises.prepare
from course import quick
from course.checks import by_hand, network, photos, trained
from course.checks.public import INSIDE, LABKIT, Public
from labkit import networks
from labkit.descriptions import activations
from labkit.exercises import TITLES
from labkit.full_mnist import hold_out
from labkit.networks import BASELINE, DEEP, Asked, with_layers
from labkit.pictures import resize
from labkit.values_in_words import as_numbers
from proctor.checks import Finding, Lab, Side

Draw = np.random.Generator

lab = Lab(
    "lab_mnist",
    title="The classic beginnings, side by side",
    seed=1234,
    helpers=(
        INSIDE,
        *quick.HELPERS,
        Path("course/checks/traced.py"),
        Path("course/checks/fits.py"),
    ),
    records=True,
    prepare=photos.make_scenes,
    files=(
        Path("utils.py"),
        Path("utils_mnist.py"),
        Path("public_tests.py"),
        Path("public_tests_mnist.py"),
        *LABKIT,
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_mnist.ipynb",
        "utils.py",
        "utils_mnist.py",
        "public_tests.py",
        "public_tests_mnist.py",
        "labkit/*.py",
        "labkit/exercises/*.py",
        "requirements.txt",
        "docs/student.md",
        "Data/README.md",
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
    cell_seconds=240.0,
    total_seconds=600.0,
    memory_mb=6144,
)


# --- Exercise 1: prepare ------------------------------------------------------------------------

prepare = lab.exercise("prepare", TITLES["prepare"], points=10)
public = Public(prepare, labkit.exercises.prepare.CHECKS)

public("prepare-returns", points=1)
public("prepare-range", points=2, needs=("prepare-returns",))
public("prepare-order", points=2, needs=("prepare-returns",))
public("prepare-dim", points=1, needs=("prepare-range",))
public("prepare-untouched", points=1, needs=("prepare-returns",))


@prepare.check(points=2, needs=("prepare-range", "prepare-order"))
def prepare_unseen(side: Side, draw: Draw) -> None:
    """images that you have not seen"""
    for m in (1, int(draw.integers(5, 40))):
        images = network.digits28()[0][draw.choice(5000, m, replace=False)]
        labkit.exercises.prepare.compare(side, images, true_rows(images))


@prepare.check(points=1, needs=("prepare-range",))
def prepare_black(side: Side, draw: Draw) -> None:
    """a black image"""
    images = np.zeros((2, 28, 28), dtype=np.uint8)
    labkit.exercises.prepare.compare(side, images, true_rows(images))


def true_rows(images: np.ndarray) -> np.ndarray:
    """Images uint8 (m, 28, 28) as they should be prepared: float64 (m, 784)."""
    return images.reshape(len(images), 784) / 255


# --- Exercises 2 and 3: the networks ------------------------------------------------------------

baseline = lab.exercise("baseline", TITLES["baseline"], points=10)
deep = lab.exercise("deep", TITLES["deep"], points=10)


def tell_model(side: Side, asked: Asked) -> None:
    """Have a network's description looked at before it is used, and a missing one explained."""

    def need(model: Any, source: str) -> None:
        networks.need_network(model, asked, source)

    networks.described[asked].tell(side, lambda: network.describe(side, asked.name, 784, need))


def tell_training(side: Side, asked: Asked) -> None:
    """Have both descriptions looked at, the network's and that of its training."""
    tell_model(side, asked)
    expression = networks.ask_training(asked)
    networks.training[asked].tell(
        side, lambda: network.well_formed_training(side.evaluate(expression))
    )


def probabilities(side: Side, asked: Asked, X: np.ndarray) -> np.ndarray:
    """What the student's network gives for X (m, 784), recomputed from its weights: (m, 10)."""
    logits = network.forward(with_layers(side, asked), X)
    if logits is None or logits.shape[1:] != (10,):
        raise Finding(
            "What the network gives could not be recomputed from its weights: it is not a stack of "
            "Dense layers with ReLU between them.",
            next="Compare its summary with the table of the exercise.",
        )
    with np.errstate(all="ignore"):
        return np.nan_to_num(network.true_softmax(logits))


public = Public(baseline, labkit.exercises.baseline.CHECKS, lambda side: tell_model(side, BASELINE))


def tell_baseline_training(side: Side) -> None:
    """Have the baseline's training looked at."""
    tell_training(side, BASELINE)


SEQUENTIAL, LAYERS = ("baseline-sequential",), ("baseline-layers",)

public("baseline-sequential", points=1)
public("baseline-layers", points=1, needs=SEQUENTIAL)
public("baseline-input", points=1, needs=SEQUENTIAL)
public("baseline-hidden", points=1, needs=LAYERS)
public("baseline-output", points=2, needs=LAYERS)
public("baseline-parameters", points=0.5, needs=("baseline-layers", "baseline-input"))
public("baseline-loss", points=2, needs=SEQUENTIAL, first=tell_baseline_training)
public("baseline-optimizer", points=1, needs=SEQUENTIAL, first=tell_baseline_training)


@baseline.check(points=0.5, needs=("baseline-parameters",))
def baseline_weights(side: Side, draw: Draw) -> None:
    """what the network gives, recomputed from its weights"""
    tell_model(side, BASELINE)
    model = with_layers(side, BASELINE)
    rows = true_rows(network.digits28()[0][draw.choice(5000, 8, replace=False)])
    expected = probabilities(side, BASELINE, rows)
    given = side.evaluate("model_outputs(baseline, rows)", rows=rows.astype(np.float32))
    got = as_numbers(given)
    if activations(model)[-1] != "softmax" or got is None:
        return  # another check names it
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=0, atol=1e-4):
        raise Finding(
            "The network's output differs from what its weights and activations give.",
            next="Look for something between the layers, or for a layer of your own making.",
        )


# --- Exercise 3: how the deep network was trained -----------------------------------------------


@functools.cache
def parts() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X_train (4000, 784), y_train, X_test (1000, 784), y_test, in the notebook's own order."""
    train, y_train, test, y_test = hold_out(*network.digits28())
    return true_rows(train), y_train, true_rows(test), y_test


def seen(side: Side) -> trained.Training:
    """Return what was seen of the training of the deep network."""
    return side.once("seen", lambda: trained.seen(side, "deep", "deep_history"))


def seen_to_fit(side: Side, draw: Draw) -> None:
    """Ask that the history is what `fit` returned."""
    trained.need_fit(seen(side), "deep", "deep_history")


def tell_figures(side: Side) -> None:
    """Have the training judged by the weights, not by what the notebook measures."""
    tell_training(side, DEEP)
    trained.need_own_weights(seen(side), "deep")
    X_train, y_train, X_test, y_test = parts()

    def figures() -> labkit.exercises.deep.Figures:
        train, test = (probabilities(side, DEEP, X) for X in (X_train, X_test))
        return labkit.exercises.deep.figures_of(train, y_train, test, y_test)

    labkit.exercises.deep.figures.tell(side, figures)


def tell_deep_training(side: Side) -> None:
    """Have the deep network's training looked at, on the lab's own number of rows."""
    tell_training(side, DEEP)
    labkit.exercises.deep.sizes.tell(side, lambda: (len(parts()[1]), len(parts()[3])))


public = Public(deep, labkit.exercises.deep.CHECKS, lambda side: tell_model(side, DEEP))

public("deep-layers", points=1)
public("deep-activations", points=1, needs=("deep-layers",))
public("deep-loss", points=1, first=tell_deep_training)
public("deep-epochs", points=1, first=tell_deep_training, then=seen_to_fit)
public("deep-batches", points=2, first=tell_deep_training, then=seen_to_fit)
public("deep-validation", points=1, needs=("deep-layers",), first=tell_figures, then=seen_to_fit)
public("deep-rows", points=1, needs=("deep-layers",), first=tell_figures)
public("deep-learnt", points=2, needs=("deep-rows", "deep-activations"), first=tell_figures)


# --- Exercise 4: the confusion matrix -----------------------------------------------------------

confusion = lab.exercise("confusion", TITLES["confusion"], points=10)
public = Public(confusion, labkit.exercises.confusion.CHECKS)


def tell_written(side: Side) -> None:
    """Have all be read that the answer consists of, wherever it stands."""
    labkit.exercises.confusion.written.tell(
        side, lambda: by_hand.whole(side, "confusion", "confusion_matrix")
    )


def none_called(side: Side, draw: Draw) -> None:
    """Ask that no library's matrix is called, under whatever name."""
    pairs = draw.integers(0, 10, (2, 6))
    by_hand.need_none_called(side, "confusion_matrix", by_hand.CONFUSION, *pairs)


public("confusion-returns", points=1)
public("confusion-by-hand", points=1, first=tell_written, then=none_called)
public("confusion-values", points=3, needs=("confusion-returns", "confusion-by-hand"))
public("confusion-absent", points=2, needs=("confusion-by-hand",))


def true_confusion(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Count the pairs: int64 (10, 10), a row a label, a column a prediction."""
    return np.bincount(10 * y_true + y_pred, minlength=100).reshape(10, 10)


@confusion.check(points=2, needs=("confusion-values",))
def confusion_unseen(side: Side, draw: Draw) -> None:
    """labels that you have not seen"""
    for m in (int(draw.integers(30, 60)), 1000):
        y_true = draw.integers(0, 10, m)
        y_pred = np.where(draw.random(m) < 0.7, y_true, draw.integers(0, 10, m))
        counts = true_confusion(y_true, y_pred)
        labkit.exercises.confusion.compare(side, y_true, y_pred, counts)


@confusion.check(points=1, needs=("confusion-values",))
def confusion_one(side: Side, draw: Draw) -> None:
    """a single digit"""
    y_true, y_pred = draw.integers(0, 10, (2, 1))
    counts = true_confusion(y_true, y_pred)
    labkit.exercises.confusion.compare(side, y_true, y_pred, counts)


# --- Exercise 5: a photograph -------------------------------------------------------------------

photo = lab.exercise("photo", TITLES["photo"], points=10)
public = Public(photo, labkit.exercises.photo.CHECKS)

public("photo-returns", points=1)
public("photo-range", points=0.5, needs=("photo-returns",))
public("photo-clipped", points=0.5, needs=("photo-range",))
public("photo-inverted", points=0.5, needs=("photo-range",))
public("photo-paper", points=0.5, needs=("photo-inverted",))
for check in ("photo-cropped", "photo-aspect", "photo-centred", "photo-upright"):
    public(check, points=1, needs=("photo-inverted",))
public("photo-alpha", points=1, needs=("photo-range",))


def reference_digits(pictures: np.ndarray) -> np.ndarray:
    """Read pictures (m, 28, 28), reduced to 20x20, with the reference network: int64 (m,)."""
    rows = np.array([resize(picture, 20, 20).ravel(order="F") for picture in pictures])
    return network.reference_logits(rows).argmax(axis=1)


@photo.check(points=2, needs=("photo-returns",))
def photo_unseen(side: Side, draw: Draw) -> None:
    """photographs that you have not seen

    The reference solution reads nearly all of them, a picture that is not cropped or not inverted about a
    tenth.
    """
    right = failed = 0
    for picture, label in photos.unseen(draw):
        value = labkit.exercises.photo.read(side, "preprocess_photo(path)", picture)
        got = as_numbers(value)
        if got is None or got.shape != (1, 28, 28) or not np.isfinite(got).all():
            failed += 1
            continue
        right += int(reference_digits(got)[0] == label)
    part = right / (10 * photos.A_DIGIT)
    photos.require(part, failed, "picture of 28x28 finite numbers", "digit of MNIST")


# --- Two questions in words, read by a person ---------------------------------------------------

lab.exercise(
    "report",
    "Question 1, a report says 99.8 %",
    points=5,
    by="person",
    rubric={
        "asks on which digits it was measured, and for the figure on held-out ones": 2,
        "asks by which digits the network, its epochs or its settings were chosen": 1,
        "asks how sure the figure is: how many digits, how many runs": 1,
        "asks which errors are left, or whose digits these are, and says why that matters": 1,
    },
)
lab.exercise(
    "missing",
    "Question 2, who is missing",
    points=5,
    by="person",
    rubric={
        "says who wrote MNIST, and names a group that did not": 1,
        "says how that shows: an accuracy is a mean over the writers that were measured": 1,
        "says who bears an error at the bank, and what it costs them": 2,
        "says what the bank should do about it": 1,
    },
)
