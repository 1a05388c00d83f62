"""How lab_mnist is marked: five exercises, their checks and points.

A check whose body stands in ``public_tests_mnist.py`` is the one that the student ran; the hidden
ones run the same bodies, or their own, on inputs drawn for the submission at hand. While it is
marked, the notebook finds the 5,000 digits alone: 4,000 to train on, every fifth held out.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

import public_tests as base
import public_tests_mnist as public
from course.checks import by_hand, network, photos
from course.make_data import resize_axis
from proctor.checks import Finding, Lab, Side
from proctor.values import StudentError

Draw = np.random.Generator

lab = Lab(
    "lab_mnist",
    title="The classic beginnings, side by side",
    seed=1234,
    helpers=(
        Path("public_tests.py"),
        Path("public_tests_mnist.py"),
        Path("course/checks/quick_fit.py"),
        Path("course/checks/quick_predict.py"),
        Path("course/checks/reference_fit.py"),
        Path("course/checks/traced.py"),
    ),
    records=True,
    prepare=photos.make_scenes,
    files=(
        Path("utils.py"),
        Path("utils_mnist.py"),
        Path("public_tests.py"),
        Path("public_tests_mnist.py"),
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_mnist.ipynb",
        "utils.py",
        "utils_mnist.py",
        "public_tests.py",
        "public_tests_mnist.py",
        "requirements.txt",
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

prepare = lab.exercise("prepare", public.EXERCISES["prepare"], points=10)


@prepare.check(points=1, hidden=False)
def prepare_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.prepare_returns(side.get("prepare"))


@prepare.check(points=2, hidden=False, needs=("prepare-returns",))
def prepare_range(side: Side, draw: Draw) -> None:
    """from 0 to 1"""
    public.prepare_range(side.get("prepare"))


@prepare.check(points=2, hidden=False, needs=("prepare-returns",))
def prepare_order(side: Side, draw: Draw) -> None:
    """the order of the pixels"""
    public.prepare_order(side.get("prepare"))


@prepare.check(points=1, hidden=False, needs=("prepare-range",))
def prepare_dim(side: Side, draw: Draw) -> None:
    """dark images"""
    public.prepare_dim(side.get("prepare"))


@prepare.check(points=1, hidden=False, needs=("prepare-returns",), in_place=True)
def prepare_untouched(side: Side, draw: Draw) -> None:
    """images are left alone"""
    public.prepare_untouched(side.get("prepare"))


@prepare.check(points=2, needs=("prepare-range", "prepare-order"))
def prepare_unseen(side: Side, draw: Draw) -> None:
    """images that you have not seen"""
    function = side.get("prepare")
    for m in (1, int(draw.integers(5, 40))):
        images = network.digits28()[0][draw.choice(5000, m, replace=False)]
        public.prepare_compare(function, images, true_rows(images))


@prepare.check(points=1, needs=("prepare-range",))
def prepare_black(side: Side, draw: Draw) -> None:
    """a black image"""
    images = np.zeros((2, 28, 28), dtype=np.uint8)
    public.prepare_compare(side.get("prepare"), images, true_rows(images))


def true_rows(images: np.ndarray) -> np.ndarray:
    """Images uint8 (m, 28, 28) as they should be prepared: float64 (m, 784)."""
    return images.reshape(len(images), 784) / 255


# --- Exercises 2 and 3: the networks ------------------------------------------------------------

baseline = lab.exercise("baseline", public.EXERCISES["baseline"], points=10)
deep = lab.exercise("deep", public.EXERCISES["deep"], points=10)


def described(side: Side, asked: public.Asked) -> dict[str, Any]:
    """Describe the student's network; if its cell made none, say why where its code shows why."""
    source = side.source(asked.name)
    try:
        value = side.get(asked.name)
    except StudentError as error:
        trouble = base.model_trouble(source)
        if error.type_name != "NameError" or trouble is None:
            raise
        raise Finding(trouble[0], next=trouble[1]) from None
    public.need_network(value, asked, source)
    return network.well_formed(side.evaluate(f"describe_model({asked.name}, 784)"))


def with_layers(side: Side, asked: public.Asked) -> dict[str, Any]:
    """Describe the student's network; it must have layers."""
    description = described(side, asked)
    if description["layers"] is None:
        public.network_is_sequential(description, asked)
    return description


def compiled(side: Side, asked: public.Asked, history: str) -> dict[str, Any]:
    """Describe how the student's network was compiled, and trained as `history` has it."""
    described(side, asked)
    value = side.evaluate(f"describe_fit({asked.name}, globals().get('{history}'))")
    training = network.well_formed_training(value)
    losses = training.get("val_losses")
    if not isinstance(losses, list) or not all(isinstance(loss, float) for loss in losses):
        raise Finding(
            "How the network was trained could not be described.",
            next="Restart the kernel and run all cells.",
        )
    return training


def probabilities(side: Side, asked: public.Asked, X: np.ndarray) -> np.ndarray:
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


@baseline.check(points=1, hidden=False)
def baseline_sequential(side: Side, draw: Draw) -> None:
    """a Sequential model"""
    public.network_is_sequential(described(side, public.BASELINE), public.BASELINE)


@baseline.check(points=1, hidden=False, needs=("baseline-sequential",))
def baseline_layers(side: Side, draw: Draw) -> None:
    """its layers and units"""
    model = with_layers(side, public.BASELINE)
    public.network_layers(model, public.BASELINE)
    public.network_units(model, public.BASELINE)


@baseline.check(points=1, hidden=False, needs=("baseline-sequential",))
def baseline_input(side: Side, draw: Draw) -> None:
    """the input"""
    public.network_input(with_layers(side, public.BASELINE), public.BASELINE)


@baseline.check(points=1, hidden=False, needs=("baseline-layers",))
def baseline_hidden(side: Side, draw: Draw) -> None:
    """the hidden layer"""
    public.network_hidden(with_layers(side, public.BASELINE), public.BASELINE)


@baseline.check(points=2, hidden=False, needs=("baseline-layers",))
def baseline_output(side: Side, draw: Draw) -> None:
    """the output layer"""
    public.network_output(with_layers(side, public.BASELINE), public.BASELINE)


@baseline.check(points=2, hidden=False, needs=("baseline-sequential",))
def baseline_loss(side: Side, draw: Draw) -> None:
    """the loss"""
    public.network_loss(compiled(side, public.BASELINE, ""), public.BASELINE)


@baseline.check(points=1, hidden=False, needs=("baseline-sequential",))
def baseline_optimizer(side: Side, draw: Draw) -> None:
    """the optimizer"""
    public.network_optimizer(compiled(side, public.BASELINE, ""), public.BASELINE)


@baseline.check(points=1, needs=("baseline-layers", "baseline-input"))
def baseline_weights(side: Side, draw: Draw) -> None:
    """what the network gives, recomputed from its weights"""
    model = with_layers(side, public.BASELINE)
    public.network_parameters(model, public.BASELINE)
    rows = true_rows(network.digits28()[0][draw.choice(5000, 8, replace=False)])
    expected = probabilities(side, public.BASELINE, rows)
    given = side.evaluate("outputs_of(baseline, rows)", rows=rows.astype(np.float32))
    got = base.as_numbers(given)
    if base.activations(model)[-1] != "softmax" or got is None:
        return  # another check names it
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=0, atol=1e-4):
        raise Finding(
            "The network's output differs from what its weights and activations give.",
            next="Look for something between the layers, or for a layer of your own making.",
        )


# --- Exercise 3: how the deep network was trained -----------------------------------------------


@functools.cache
def parts() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X_train (4000, 784), y_train, X_test (1000, 784), y_test: every fifth digit is held out."""
    images, labels = network.digits28()
    X, held = true_rows(images), np.arange(len(labels)) % 5 == 0  # 500 of each class, sorted
    return X[~held], labels[~held], X[held], labels[held]


def deep_figures(side: Side) -> dict[str, tuple[float, ...]]:
    """Cross-entropy (``losses``) and accuracy (``right``) on both parts, from the weights."""
    X_train, y_train, X_test, y_test = parts()
    train = probabilities(side, public.DEEP, X_train)
    test = probabilities(side, public.DEEP, X_test)
    return {
        "losses": public.losses_of(train, y_train, test, y_test),
        "right": (public.right(train, y_train), public.right(test, y_test)),
    }


@deep.check(points=1, hidden=False)
def deep_layers(side: Side, draw: Draw) -> None:
    """its layers and units"""
    model = described(side, public.DEEP)
    public.network_is_sequential(model, public.DEEP)
    public.network_layers(model, public.DEEP)
    public.network_units(model, public.DEEP)
    public.network_input(model, public.DEEP)


@deep.check(points=1, hidden=False, needs=("deep-layers",))
def deep_activations(side: Side, draw: Draw) -> None:
    """activations and parameters"""
    model = with_layers(side, public.DEEP)
    public.network_hidden(model, public.DEEP)
    public.network_output(model, public.DEEP)
    public.network_parameters(model, public.DEEP)


@deep.check(points=1, hidden=False)
def deep_loss(side: Side, draw: Draw) -> None:
    """the loss and the optimizer"""
    training = compiled(side, public.DEEP, "deep_history")
    public.network_loss(training, public.DEEP)
    public.network_optimizer(training, public.DEEP)


@deep.check(points=1, hidden=False)
def deep_epochs(side: Side, draw: Draw) -> None:
    """100 epochs"""
    public.deep_epochs(compiled(side, public.DEEP, "deep_history"))


@deep.check(points=2, hidden=False)
def deep_batches(side: Side, draw: Draw) -> None:
    """batches of 1000"""
    training = compiled(side, public.DEEP, "deep_history")
    public.deep_trained(training)
    public.deep_batches(training, len(parts()[1]), len(parts()[3]))


@deep.check(points=1, hidden=False, needs=("deep-layers",))
def deep_validation(side: Side, draw: Draw) -> None:
    """validation data"""
    training = compiled(side, public.DEEP, "deep_history")
    public.deep_trained(training)
    public.deep_validation(training, *deep_figures(side)["losses"])


@deep.check(points=1, hidden=False, needs=("deep-layers",))
def deep_rows(side: Side, draw: Draw) -> None:
    """training rows only"""
    public.deep_rows(*deep_figures(side)["right"])


@deep.check(points=2, needs=("deep-rows", "deep-activations"))
def deep_recomputed(side: Side, draw: Draw) -> None:
    """what it has learnt, recomputed from its weights"""
    training = compiled(side, public.DEEP, "deep_history")
    public.deep_learnt(training, *deep_figures(side)["right"])


# --- Exercise 4: the confusion matrix -----------------------------------------------------------

confusion = lab.exercise("confusion", public.EXERCISES["confusion"], points=10)


def true_confusion(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Count the pairs: int64 (10, 10), a row a label, a column a prediction."""
    return np.bincount(10 * y_true + y_pred, minlength=100).reshape(10, 10)


@confusion.check(points=1, hidden=False)
def confusion_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.confusion_returns(side.get("confusion_matrix"))


@confusion.check(points=1, hidden=False)
def confusion_by_hand(side: Side, draw: Draw) -> None:
    """counted by hand"""
    public.confusion_by_hand(by_hand.whole(side, "confusion", "confusion_matrix"))
    base.need_function(side.get("confusion_matrix"), "confusion_matrix")
    pairs = draw.integers(0, 10, (2, 6))
    by_hand.need_none_called(side, "confusion_matrix", by_hand.CONFUSION, *pairs)


@confusion.check(points=3, hidden=False, needs=("confusion-returns", "confusion-by-hand"))
def confusion_values(side: Side, draw: Draw) -> None:
    """a first example"""
    public.confusion_values(side.get("confusion_matrix"))


@confusion.check(points=2, hidden=False, needs=("confusion-by-hand",))
def confusion_absent(side: Side, draw: Draw) -> None:
    """digits that do not occur"""
    public.confusion_absent(side.get("confusion_matrix"))


@confusion.check(points=2, needs=("confusion-values",))
def confusion_unseen(side: Side, draw: Draw) -> None:
    """labels that you have not seen"""
    for m in (int(draw.integers(30, 60)), 1000):
        y_true = draw.integers(0, 10, m)
        y_pred = np.where(draw.random(m) < 0.7, y_true, draw.integers(0, 10, m))
        counts = true_confusion(y_true, y_pred)
        public.confusion_compare(side.get("confusion_matrix"), y_true, y_pred, counts)


@confusion.check(points=1, needs=("confusion-values",))
def confusion_one(side: Side, draw: Draw) -> None:
    """a single digit"""
    y_true, y_pred = draw.integers(0, 10, (2, 1))
    counts = true_confusion(y_true, y_pred)
    public.confusion_compare(side.get("confusion_matrix"), y_true, y_pred, counts)


# --- Exercise 5: a photograph -------------------------------------------------------------------

photo = lab.exercise("photo", public.EXERCISES["photo"], points=10)


def reader(side: Side) -> public.Reader:
    """Return what has a picture file read by the student's function."""
    base.need_function(side.get("preprocess_photo"), "preprocess_photo")
    return lambda data: side.evaluate("read_picture_with(preprocess_photo, data)", data=data)


@photo.check(points=1, hidden=False)
def photo_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.photo_returns(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-returns",))
def photo_range(side: Side, draw: Draw) -> None:
    """from 0 to 1"""
    public.photo_range(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-range",))
def photo_inverted(side: Side, draw: Draw) -> None:
    """ink bright, paper dark"""
    public.photo_inverted(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-inverted",))
def photo_cropped(side: Side, draw: Draw) -> None:
    """cropped to the ink"""
    public.photo_cropped(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-inverted",))
def photo_aspect(side: Side, draw: Draw) -> None:
    """proportions"""
    public.photo_aspect(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-inverted",))
def photo_centred(side: Side, draw: Draw) -> None:
    """in the middle"""
    public.photo_centred(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-inverted",))
def photo_upright(side: Side, draw: Draw) -> None:
    """upright"""
    public.photo_upright(reader(side))


@photo.check(points=1, hidden=False, needs=("photo-range",))
def photo_alpha(side: Side, draw: Draw) -> None:
    """transparent pictures"""
    public.photo_alpha(reader(side))


def reference_digits(pictures: np.ndarray) -> np.ndarray:
    """Read pictures (m, 28, 28), reduced to 20x20, with the reference network: int64 (m,)."""
    small = resize_axis(resize_axis(np.asarray(pictures, dtype=float), 20, 1), 20, 2)
    rows = small.transpose(0, 2, 1).reshape(len(small), 400)
    return network.reference_logits(rows).argmax(axis=1)


@photo.check(points=2, needs=("photo-returns",))
def photo_unseen(side: Side, draw: Draw) -> None:
    """photographs that you have not seen

    The reference solution reads nearly all of them, a picture that is not cropped or not inverted about a
    tenth.
    """
    read = reader(side)
    right = failed = 0
    for picture, label in photos.unseen(draw):
        value = base.attempt("preprocess_photo(path)", read, public.png(picture))
        got = base.as_numbers(value)
        if got is None or got.shape != (1, 28, 28) or not np.isfinite(got).all():
            failed += 1
            continue
        right += int(reference_digits(got)[0] == label)
    part = right / (10 * photos.A_DIGIT)
    photos.require(part, failed, "picture of 28x28 finite numbers", "digit of MNIST")
