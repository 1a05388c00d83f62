"""How lab_digits is marked: seven exercises, their checks and points.

A check whose body stands in ``public_tests.py`` is the one that the student ran; the hidden ones
run the same bodies, or their own, on inputs drawn for the submission at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import public_tests as public
from course.checks import by_hand, network, photos, sheets
from course.checks.network import digits, true_softmax
from proctor.checks import Finding, Lab, Side
from proctor.values import StudentError

Draw = np.random.Generator

lab = Lab(
    "lab_digits",
    title="Handwritten digits",
    seed=1234,
    helpers=(
        Path("public_tests.py"),
        Path("course/checks/quick_fit.py"),
        Path("course/checks/quick_predict.py"),
        Path("course/checks/reference_fit.py"),
        Path("course/checks/traced.py"),
    ),
    records=True,
    prepare=photos.make_scenes,
    files=(
        Path("utils.py"),
        Path("public_tests.py"),
        Path("Data/ex3data1.mat"),
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_digits.ipynb",
        "utils.py",
        "public_tests.py",
        "requirements.txt",
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
    cell_seconds=60.0,
    total_seconds=300.0,
    memory_mb=6144,
)


# --- Exercise 1: softmax ------------------------------------------------------------------------

softmax = lab.exercise("softmax", public.TITLES["softmax"], points=15)


def compare_softmax(side: Side, *rows: np.ndarray) -> None:
    """Run the body of the public checks on rows drawn for this submission.

    Whoever looks up the public inputs in a table earns nothing by it.
    """
    for z in rows:
        public.softmax_compare(side.get("my_softmax"), z, true_softmax(z))


@softmax.check(points=1, hidden=False)
def softmax_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.softmax_returns(side.get("my_softmax"))


@softmax.check(points=1, hidden=False)
def softmax_sum(side: Side, draw: Draw) -> None:
    """probabilities"""
    public.softmax_sum(side.get("my_softmax"))


@softmax.check(points=2, hidden=False, needs=("softmax-sum",))
def softmax_by_hand(side: Side, draw: Draw) -> None:
    """written by hand"""
    written = by_hand.whole(side, "softmax", "my_softmax")
    public.softmax_by_hand(written)
    by_hand.need_none_called(side, "my_softmax", by_hand.SOFTMAX, draw.normal(size=4))


@softmax.check(points=3, hidden=False, needs=("softmax-sum", "softmax-by-hand"))
def softmax_values(side: Side, draw: Draw) -> None:
    """a first example"""
    public.softmax_case(side.get("my_softmax"), "values")
    compare_softmax(side, draw.uniform(0.5, 5, 4))


@softmax.check(points=1, hidden=False, needs=("softmax-values",))
def softmax_negatives(side: Side, draw: Draw) -> None:
    """negative inputs"""
    public.softmax_case(side.get("my_softmax"), "negatives")
    compare_softmax(side, draw.uniform(-5, -0.5, 3))


@softmax.check(points=2, hidden=False, needs=("softmax-negatives",))
def softmax_large_inputs(side: Side, draw: Draw) -> None:
    """large inputs"""
    public.softmax_case(side.get("my_softmax"), "large", "small")
    compare_softmax(side, draw.uniform(1000, 1004, 3), draw.uniform(-1004, -1000, 3))


@softmax.check(points=1, hidden=False, needs=("softmax-sum",), in_place=True)
def softmax_untouched(side: Side, draw: Draw) -> None:
    """z is left alone"""
    public.softmax_untouched(side.get("my_softmax"))


@softmax.check(points=2, needs=("softmax-values", "softmax-negatives"))
def softmax_unseen(side: Side, draw: Draw) -> None:
    """inputs that you have not seen"""
    compare_softmax(side, *(draw.normal(0, 3, size) for size in (2, 5, int(draw.integers(6, 30)))))


@softmax.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_ties(side: Side, draw: Draw) -> None:
    """equal elements, and a single one"""
    tie, other = draw.normal(0, 2, 2)
    compare_softmax(side, np.array([tie, other, tie]), np.full(4, tie), np.array([other]))


@softmax.check(points=1, needs=("softmax-large-inputs",))
def softmax_wide(side: Side, draw: Draw) -> None:
    """very small and very large inputs in one row"""
    wide = float(draw.uniform(1600, 3000))
    rows = np.array([-wide, 0.0, wide]), np.array([0.0, 1.0, -2 * wide, -1.0, 4 * wide])
    compare_softmax(side, *rows)


# --- Exercise 2: the model ----------------------------------------------------------------------

model = lab.exercise("model", public.TITLES["model"], points=25)


def described(side: Side) -> dict[str, Any]:
    """Describe the student's model; if its cell made none, say why where its code shows why."""
    return side.once("model", lambda: describe(side))


def describe(side: Side) -> dict[str, Any]:
    """Do what `described` says."""
    source = side.source("model")
    try:
        value = side.get("model")
    except StudentError as error:
        trouble = public.model_trouble(source)
        if error.type_name != "NameError" or trouble is None:
            raise
        raise Finding(trouble[0], next=trouble[1]) from None
    public.need_model(value, source)
    return network.well_formed(side.evaluate("describe_model(model)"))


def with_layers(side: Side) -> dict[str, Any]:
    """Describe the student's model; it must be one."""
    description = described(side)
    public.model_is_a_model(description)
    return description


@model.check(points=1, hidden=False)
def model_there(side: Side, draw: Draw) -> None:
    """a model"""
    with_layers(side)


@model.check(points=1, hidden=False, needs=("model-there",))
def model_sequential(side: Side, draw: Draw) -> None:
    """a Sequential one"""
    public.model_is_sequential(with_layers(side))


@model.check(points=3, hidden=False, needs=("model-there",))
def model_layers(side: Side, draw: Draw) -> None:
    """its layers"""
    public.model_layers(with_layers(side))


@model.check(points=5, hidden=False, needs=("model-there",))
def model_units(side: Side, draw: Draw) -> None:
    """units"""
    public.model_units(with_layers(side))


@model.check(points=2, hidden=False, needs=("model-there",))
def model_input(side: Side, draw: Draw) -> None:
    """the input"""
    public.model_input(with_layers(side))


@model.check(points=4, hidden=False, needs=("model-there",))
def model_hidden(side: Side, draw: Draw) -> None:
    """hidden layers"""
    public.model_hidden(with_layers(side))


@model.check(points=4, hidden=False, needs=("model-there",))
def model_output(side: Side, draw: Draw) -> None:
    """the output layer"""
    public.model_output(with_layers(side))


@model.check(points=2, hidden=False, needs=("model-layers", "model-units"))
def model_parameters(side: Side, draw: Draw) -> None:
    """parameters"""
    public.model_parameters(with_layers(side))


@model.check(points=1, needs=("model-there",))
def model_before_training(side: Side, draw: Draw) -> None:
    """weights to start from"""
    public.model_start(with_layers(side))


@model.check(points=2, needs=("model-layers", "model-hidden", "model-output"))
def model_logits(side: Side, draw: Draw) -> None:
    """its output, recomputed from its weights"""
    description = with_layers(side)
    X = digits()[0][draw.choice(5000, 40, replace=False)] + draw.normal(0, 0.1, (40, 400))
    n_inputs = np.shape(description["layers"][0]["kernel"])[:1]
    if n_inputs != (400,):  # the input's check has said so; here the output is asked for
        X = draw.normal(size=(40, *n_inputs))
    outputs = side.evaluate("model_outputs(model, X_given)", X_given=X)
    network.compare_logits(description, X, outputs)


# --- Exercise 3: a dense layer ------------------------------------------------------------------

dense = lab.exercise("dense", public.TITLES["dense"], points=10)


def compare_dense(
    side: Side, draw: Draw, shape: tuple[int, ...], *, bias: bool, activations: str = "linear"
) -> None:
    """Run the body of the public checks on a layer drawn for this submission: 3 units."""
    a_in, W = draw.normal(size=shape), draw.normal(size=(shape[-1], 3))
    b = draw.normal(size=3) if bias else np.zeros(3)
    for name in activations.split():
        g = getattr(public, name)
        public.dense_compare(side.get("my_dense"), a_in, W, b, g, a_in @ W + b)


@dense.check(points=2, hidden=False)
def dense_row(side: Side, draw: Draw) -> None:
    """one row"""
    public.dense_row(side.get("my_dense"))
    compare_dense(side, draw, (2,), bias=False)


@dense.check(points=1, hidden=False)
def dense_bias(side: Side, draw: Draw) -> None:
    """the bias"""
    public.dense_bias(side.get("my_dense"))
    compare_dense(side, draw, (2,), bias=True)


@dense.check(points=2, hidden=False)
def dense_activation(side: Side, draw: Draw) -> None:
    """the activation"""
    public.dense_activation(side.get("my_dense"))
    compare_dense(side, draw, (2,), bias=False, activations="relu sigmoid")


@dense.check(points=2, hidden=False, needs=("dense-bias",))
def dense_batch(side: Side, draw: Draw) -> None:
    """a batch"""
    public.dense_batch(side.get("my_dense"))
    compare_dense(side, draw, (4, 2), bias=True, activations="relu")


@dense.check(points=2, needs=("dense-bias", "dense-batch"))
def dense_unseen(side: Side, draw: Draw) -> None:
    """layers of other sizes"""
    my_dense = side.get("my_dense")
    n = int(draw.integers(4, 9))
    for m, n_in, n_out in ((3, n, n), (n, n, 2), (1, 5, 4), (0, 4, 4), (n, 7, 1)):
        a_in = draw.normal(size=(m, n_in) if m else n_in)
        W, b = draw.normal(size=(n_in, n_out)), draw.normal(size=n_out)
        public.dense_compare(my_dense, a_in, W, b, public.linear, a_in @ W + b)


@dense.check(points=1, needs=("dense-unseen", "dense-activation"))
def dense_network(side: Side, draw: Draw) -> None:
    """three of them in a row give a network's logits"""
    my_dense = side.get("my_dense")
    X = digits()[0][draw.choice(5000, 30, replace=False)]
    out = expected = X
    for n_in, n_out, g in ((400, 25, public.relu), (25, 15, public.relu), (15, 10, public.linear)):
        # Of a network that nobody trained: a trained one's weights would be exercise 5's answer.
        W, b = draw.normal(0, n_in**-0.5, (n_in, n_out)), draw.normal(0, 0.1, n_out)
        public.dense_compare(my_dense, out, W, b, g, out @ W + b)
        out, expected = np.asarray(my_dense(out, W, b, g)), g(expected @ W + b)
    if not public.agree(out, expected, 1e-5):  # three layers' rounding
        raise Finding(
            "Each layer is right by itself, but three in a row do not give the logits.",
            next="Look for something that your function remembers from one call to the next.",
        )


# --- Exercise 4: the split ----------------------------------------------------------------------

split = lab.exercise("split", public.TITLES["split"], points=10)


def narrow() -> tuple[np.ndarray, np.ndarray]:
    """The digits as X of 30 columns, which tell all rows apart: a fifth of a call's time."""
    X, y = digits()
    return np.ascontiguousarray(X[:, 150:180]), y


@split.check(points=1, hidden=False, in_place=True)
def split_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.split_returns(side.get("split_data"), *narrow())


@split.check(points=1, hidden=False, needs=("split-returns",))
def split_sizes(side: Side, draw: Draw) -> None:
    """sizes"""
    public.split_sizes(side.get("split_data"), *narrow())


@split.check(points=2, hidden=False, needs=("split-sizes",))
def split_complete(side: Side, draw: Draw) -> None:
    """every row once"""
    public.split_complete(side.get("split_data"), *narrow())


@split.check(points=2, hidden=False, needs=("split-returns",))
def split_labels(side: Side, draw: Draw) -> None:
    """rows keep their labels"""
    public.split_labels(side.get("split_data"), *narrow())


@split.check(points=1, hidden=False, needs=("split-returns", "split-labels"))
def split_stratified(side: Side, draw: Draw) -> None:
    """every class"""
    public.split_stratified(side.get("split_data"), *narrow())


@split.check(points=1, hidden=False, needs=("split-returns",))
def split_shuffled(side: Side, draw: Draw) -> None:
    """shuffled"""
    public.split_shuffled(side.get("split_data"), *narrow())


@split.check(points=1, hidden=False, needs=("split-returns",))
def split_repeatable(side: Side, draw: Draw) -> None:
    """repeatable"""
    public.split_repeatable(side.get("split_data"), *narrow())


@split.check(points=1, needs=("split-complete", "split-labels", "split-stratified"))
def split_unseen(side: Side, draw: Draw) -> None:
    """other data, with classes of different sizes"""
    sizes = draw.integers(20, 90, 4)
    y = draw.permutation(np.repeat(np.array([1, 3, 4, 8]), sizes))
    X = draw.normal(size=(len(y), 6))
    split_data = side.get("split_data")
    fraction = float(draw.choice([0.1, 0.25, 0.4]))
    public.split_stratified(split_data, X, y, fraction)
    public.split_labels(split_data, X, y)
    public.split_complete(split_data, X, y)


# --- Exercise 5: training -----------------------------------------------------------------------

train = lab.exercise("train", public.TITLES["train"], points=15)


def training(side: Side) -> dict[str, Any]:
    """Describe how the student's model was compiled and trained."""
    return side.once("training", lambda: describe_training(side))


def describe_training(side: Side) -> dict[str, Any]:
    """Do what `training` says."""
    public.need_model(side.get("model"), side.source("model"))
    value = side.evaluate("describe_training(model, globals().get('history'))")
    return network.well_formed_training(value)


def held_out_rows(side: Side) -> np.ndarray:
    """Row numbers in X of the student's X_test, without those that are no rows of X."""
    return side.once("held out", lambda: find_held_out_rows(side))


def find_held_out_rows(side: Side) -> np.ndarray:
    """Do what `held_out_rows` says."""
    X_test = public.as_numbers(side.get("X_test"))
    if X_test is None or X_test.shape[1:] != (400,):
        raise Finding(
            "X_test does not hold rows of X, so there is nothing to judge the network by.",
            expected="an array of shape (1000, 400)",
            got=public.a_type(X_test),
            next="Leave X_test as the cell after exercise 4 made it.",
        )
    rows = public.find_rows(X_test, network.digit_table())
    return np.unique(rows[rows >= 0])


def accuracies(side: Side) -> tuple[float, float]:
    """Accuracy on the training and on the held-out rows, recomputed from the weights.

    Held-out rows are those of the student's X_test that are rows of X, judged by X's own labels;
    training rows are all others.
    """
    return side.once("accuracies", lambda: compute_accuracies(side))


def compute_accuracies(side: Side) -> tuple[float, float]:
    """Do what `accuracies` says."""
    X, y = digits()
    rows = held_out_rows(side)
    outputs = network.forward(with_layers(side), X)
    if outputs is None:
        raise Finding(
            "What the network gives could not be recomputed from its weights: it is not a stack "
            "of Dense layers with ReLU between them.",
            next="Compare model.summary() with the picture of the network (exercise 2).",
        )
    others = np.setdiff1d(np.arange(len(X)), rows)
    return public.accuracy(outputs[others], y[others]), public.accuracy(outputs[rows], y[rows])


@train.check(points=3, hidden=False)
def train_loss(side: Side, draw: Draw) -> None:
    """the loss"""
    names = public.activations(with_layers(side)) or ["linear"]
    public.train_loss(training(side), names[-1])


@train.check(points=1, hidden=False)
def train_history(side: Side, draw: Draw) -> None:
    """the history"""
    public.train_history(training(side))


@train.check(points=2, hidden=False, needs=("train-history",))
def train_falls(side: Side, draw: Draw) -> None:
    """the loss falls"""
    public.train_falls(training(side))


@train.check(points=3, hidden=False, needs=("train-history",))
def train_rows(side: Side, draw: Draw) -> None:
    """training rows only"""
    n_all, n_test = len(digits()[0]), len(held_out_rows(side))
    public.train_rows(training(side), n_all - n_test, n_all, *accuracies(side))


@train.check(points=2, hidden=False, needs=("train-falls",))
def train_learnt(side: Side, draw: Draw) -> None:
    """training rows learnt"""
    public.train_learnt(training(side), accuracies(side)[0])


@train.check(points=2, hidden=False, needs=("train-falls",))
def train_accuracy(side: Side, draw: Draw) -> None:
    """held-out accuracy"""
    public.train_accuracy(accuracies(side)[1])


@train.check(points=2, needs=("train-rows", "train-accuracy"))
def train_held_out(side: Side, draw: Draw) -> None:
    """held-out rows are a fair sample, with their labels"""
    rows, y = held_out_rows(side), digits()[1]
    y_test = public.as_numbers(side.get("y_test"))
    X_test = public.as_numbers(side.get("X_test"))
    if len(rows) < 900 or np.bincount(y[rows], minlength=10).min() < 50:
        raise Finding(
            "X_test is not a fair sample of X: rows or whole classes are missing from it.",
            next="Leave X_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )
    numbers = public.find_rows(np.asarray(X_test), network.digit_table())
    if (
        y_test is None
        or y_test.shape != numbers.shape
        or (y_test != y[numbers])[numbers >= 0].any()
    ):
        raise Finding(
            "The labels in y_test are not those of the rows in X_test.",
            next="Leave y_test as the cell after exercise 4 made it; look at exercise 4 first.",
        )


# --- Exercise 6: predictions --------------------------------------------------------------------

predict = lab.exercise("predict", public.TITLES["predict"], points=10)


def predicted(side: Side, X: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """Let the student's function predict X (m, 400); return what came, and the right logits.

    It is given the student's own model where that is a network of the right form, so that nothing
    of Keras is missing, and a prepared one with invented logits otherwise: who got stuck with the
    model can earn these points all the same. Logits of a trained network would say what it learnt.
    """
    public.need_function(side.get("predict_digits"), "predict_digits")
    X = X.astype(np.float32)
    try:
        description = described(side)
        logits = network.forward(description, X)
        right = public.activations(description)[-1:] == ["linear"] if logits is not None else False
    except (StudentError, Finding, public.NotYet):
        logits, right = None, False
    if logits is not None and right and logits.shape[1] == 10 and np.isfinite(logits).all():
        expression = "watched_prediction(predict_digits, model, X_given)"
        return public.predict_attempt(lambda: side.evaluate(expression, X_given=X), X), logits
    logits = np.random.default_rng(len(X)).normal(0, 3, (len(X), 10))
    run = public.predict_attempt(
        lambda: side.evaluate(
            "prepared_prediction(predict_digits, X_given, known)", X_given=X, known=logits
        ),
        X,
    )
    return run, logits


def seven_predicted(side: Side) -> tuple[dict[str, Any], np.ndarray]:
    """Let the student's function predict `some_rows`, once for all checks that look at it."""
    return side.once("seven rows", lambda: predicted(side, some_rows()))


def some_rows() -> np.ndarray:
    """Seven rows of X, of seven classes: float64 (7, 400)."""
    return digits()[0][::700][:7]


@predict.check(points=2, hidden=False)
def predict_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.predict_returns(seven_predicted(side)[0], some_rows())


@predict.check(points=3, hidden=False, needs=("predict-returns",))
def predict_values(side: Side, draw: Draw) -> None:
    """digits"""
    run, logits = seven_predicted(side)
    public.predict_values(run, some_rows(), logits)


@predict.check(points=2, hidden=False)
def predict_probabilities(side: Side, draw: Draw) -> None:
    """probabilities"""
    run, logits = seven_predicted(side)
    public.predict_probabilities(run, some_rows(), logits)


@predict.check(points=1, hidden=False, needs=("predict-returns",))
def predict_one_call(side: Side, draw: Draw) -> None:
    """one call"""
    public.predict_one_call(seven_predicted(side)[0], some_rows())


@predict.check(points=2, needs=("predict-values", "predict-probabilities"))
def predict_unseen(side: Side, draw: Draw) -> None:
    """batches of other sizes, one row among them"""
    for size in (1, int(draw.integers(15, 30))):
        X = digits()[0][draw.choice(5000, size, replace=False)]
        run, logits = predicted(side, X)
        public.predict_values(run, X, logits)
        public.predict_probabilities(run, X, logits)


# --- Exercise 7: photographs --------------------------------------------------------------------

preprocess = lab.exercise("preprocess", public.TITLES["preprocess"], points=15)


@preprocess.check(points=1, hidden=False)
def preprocess_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.preprocess_row(side.get("preprocess"), exact=True)


@preprocess.check(points=1, hidden=False)
def preprocess_looks(side: Side, draw: Draw) -> None:
    """another picture, another row"""
    sheets.told_apart(side.get("preprocess"), draw)


@preprocess.check(points=2, hidden=False, needs=("preprocess-looks",))
def preprocess_ink(side: Side, draw: Draw) -> None:
    """ink and paper"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_ink(side.get("preprocess"), sheet)


@preprocess.check(points=2, hidden=False, needs=("preprocess-ink",))
def preprocess_crop(side: Side, draw: Draw) -> None:
    """cropped to the ink"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_crop(side.get("preprocess"), sheet)


@preprocess.check(points=1, hidden=False, needs=("preprocess-crop",))
def preprocess_centre(side: Side, draw: Draw) -> None:
    """in the middle"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_centre(side.get("preprocess"), sheet)


@preprocess.check(points=2, hidden=False, needs=("preprocess-ink", "preprocess-returns"))
def preprocess_order(side: Side, draw: Draw) -> None:
    """column by column"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_order(side.get("preprocess"), sheet)


@preprocess.check(points=1, hidden=False, needs=("preprocess-looks",))
def preprocess_colour(side: Side, draw: Draw) -> None:
    """colours"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_colour(side.get("preprocess"), "rgb", "rgba", sheet=sheet)


@preprocess.check(points=1, hidden=False, needs=("preprocess-colour",))
def preprocess_transparency(side: Side, draw: Draw) -> None:
    """transparency"""
    for sheet in (public.SHEET, sheets.drawn(draw)):
        public.preprocess_colour(side.get("preprocess"), "cut out", sheet=sheet)


@preprocess.check(points=4, needs=("preprocess-looks",))
def preprocess_photographs(side: Side, draw: Draw) -> None:
    """photographs that you have not seen"""
    photos.judge(side.get("preprocess"), draw)
