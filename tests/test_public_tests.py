"""What a student reads: each public test on right, wrong and unfinished answers."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import labkit.exercises.model
import labkit.exercises.predict
import public_tests as public
import utils
from course.checks.prepared import Prepared
from labkit import inspection, loss_causes, run_checks, softmax_causes, values_in_words
from labkit.exercises import TITLES, confusion, dense, prepare
from labkit.inspection import describe_training
from public_tests import NotStarted, NotYet

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent
TABLES = [module.MISCONCEPTIONS for module in (softmax_causes, dense, prepare, confusion)]
TABLES += [loss_causes.VALUES, loss_causes.GRADIENTS]


def right_softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


def right_dense(a_in: Any, W: Any, b: Any, g: Any) -> Any:
    return g(a_in @ W + b)


def right_split(X: Any, y: Any, test_fraction: float = 0.2, seed: int = 1234) -> Any:
    rng = np.random.default_rng(seed)
    test: list[int] = []
    for digit in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == digit))
        test += rows[: round(test_fraction * len(rows))].tolist()
    order = rng.permutation(len(y))
    is_test = np.isin(order, test)
    return X[order[~is_test]], X[order[is_test]], y[order[~is_test]], y[order[is_test]]


def right_predict(model: Any, X: Any) -> Any:
    logits = model.predict(X, verbose=0)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return np.argmax(p, axis=1), p


def small_data() -> tuple[np.ndarray, np.ndarray]:
    """Digits that anything can learn: ten classes, 400 numbers a row, sorted by class."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 60)
    return rng.normal(0, 0.3, (600, 400)) + rng.normal(0, 1, (10, 400))[y], y


@pytest.fixture(scope="module")
def keras() -> Any:
    import keras

    return keras


def new_model(keras: Any, *layers: Any) -> Any:
    """A Sequential model: the right one, or of the layers given."""
    dense = keras.layers.Dense
    given = layers or (dense(25, activation="relu"), dense(15, activation="relu"), dense(10))
    return keras.Sequential([keras.Input((400,)), *given])


@pytest.fixture(scope="module")
def trained(keras: Any) -> SimpleNamespace:
    """A right model, trained on most of `small_data`, some of it mislabelled.

    The wrong labels can be learnt by heart but not foreseen: no one reaches 1.0 on held-out rows.
    """
    X, y = small_data()
    y[::15] = (y[::15] + 3) % 10
    X_train, X_test, y_train, y_test = right_split(X, y)
    keras.utils.set_random_seed(1)
    model = new_model(keras)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    history = model.fit(X_train, y_train, epochs=25, batch_size=48, verbose=0)
    return SimpleNamespace(**locals())


def finding(function: Any, *arguments: Any) -> NotYet:
    with pytest.raises(NotYet) as caught:
        function(*arguments)
    return caught.value


# --- The form of what is said


def test_a_finding_has_five_parts_and_a_heading_that_counts_the_checks() -> None:
    def naive(z: np.ndarray) -> np.ndarray:
        e = np.exp(z)
        return e / e.sum()

    with np.errstate(all="ignore"):
        text = str(finding(public.test_my_softmax, naive))
    lines = text.splitlines()
    assert lines[0] == "✗ NOT YET  Exercise 1, softmax: large inputs (check 6 of 8)"
    assert [line.split()[0] for line in lines[1:]] == [
        "Called",
        "Expected",
        "Got",
        "Likely",
        "Next",
    ]
    assert "my_softmax([1000. 1001. 1002.])" in lines[1]
    assert "[0.0900 0.2447 0.6652], within 1e-6" in lines[2]
    assert "[nan nan nan]" in lines[3]


def test_jupyter_shows_the_finding_without_a_traceback() -> None:
    shown = finding(public.test_my_softmax, lambda z: z)._render_traceback_()
    assert shown[0].startswith("✗ NOT YET  Exercise 1, softmax")
    assert not any("Traceback" in line for line in shown)


def test_numbers_are_written_with_enough_digits_to_see_that_they_differ() -> None:
    expected, got = values_in_words.show_both(np.array([0.03205860]), np.array([0.03205990]))
    assert expected != got
    assert (expected, got) == ("[0.032059]", "[0.032060]")


def test_the_students_own_exception_is_reported_with_the_line_that_raised_it() -> None:
    def broken(z: np.ndarray) -> np.ndarray:
        return z[len(z)]

    said = finding(public.test_my_softmax, broken)
    assert "IndexError at the line `return z[len(z)]`" in said.cause


def test_an_unfilled_function_is_called_not_started() -> None:
    def my_softmax(z: np.ndarray) -> np.ndarray:
        raise NotStarted

    assert "not started" in finding(public.test_my_softmax, my_softmax).cause


def test_not_started_names_its_exercise_from_the_cell_that_raised_it() -> None:
    import linecache

    source = "# UNQ_C7\n# GRADED CELL: predict_digits\nraise NotStarted\n"
    linecache.cache["<a cell>"] = (len(source), None, source.splitlines(keepends=True), "<a cell>")
    with pytest.raises(NotStarted) as caught:
        exec(compile(source, "<a cell>", "exec"), {"NotStarted": NotStarted})
    assert str(caught.value).startswith("Exercise 7, predict is not started yet.")
    assert caught.value._render_traceback_()[0].startswith("… Exercise 7")


def test_a_name_that_is_no_function_is_said_to_be_none() -> None:
    assert "not for a function" in finding(public.test_my_softmax, np.zeros(3)).cause


def test_the_summary_counts_exercises_and_never_says_full_marks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_checks, "_outcomes", {})
    public.test_my_softmax(right_softmax)
    public.test_my_dense(right_dense)
    finding(public.test_my_softmax, lambda z: z)
    public.summary()
    out = capsys.readouterr().out
    assert "1 of 8 exercises pass all their public checks." in out
    assert "full marks" not in out


# --- Each exercise


def test_a_right_softmax_a_right_layer_and_a_right_split_pass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    public.test_my_softmax(right_softmax)
    public.test_my_dense(right_dense)
    public.test_split_data(right_split, *small_data())
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "✓ Exercise 1, softmax: all public checks passed (8 of 8)."
    assert len(out) == 3


def test_the_right_model_training_and_predictions_pass(
    trained: SimpleNamespace, keras: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    t = trained
    public.test_model(new_model(keras), 10, 400)
    public.test_training(t.model, t.history, t.X_train, t.y_train, t.X_test, t.y_test)
    public.test_predict_digits(right_predict, t.model, t.X)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("activation", "says"),
    [("sigmoid", "sigmoid"), ("tanh", "tanh"), (None, "is linear"), ("gelu", "gelu")],
)
def test_a_hidden_activation_is_known_by_what_it_does(
    keras: Any, activation: str | None, says: str
) -> None:
    dense = keras.layers.Dense
    model = new_model(keras, dense(25, activation=activation), dense(15, "relu"), dense(10))
    assert says in finding(public.test_model, model, 10, 400).cause


def test_relu_is_accepted_in_whatever_form_it_is_given(keras: Any) -> None:
    dense = keras.layers.Dense
    forms = ("relu", keras.activations.relu, keras.layers.ReLU(), lambda x: keras.ops.maximum(x, 0))
    for form in forms:
        public.test_model(
            new_model(keras, dense(25, activation=form), dense(15, activation=form), dense(10))
        )


def test_a_model_without_an_input_is_taught_each_time_it_is_asked(keras: Any) -> None:
    dense = keras.layers.Dense
    model = keras.Sequential([dense(25, "relu"), dense(15, "relu"), dense(10)])
    for _ in range(2):
        assert 'shows "?"' in finding(public.test_model, model, 10, 400).cause


def test_a_model_that_is_missing_has_its_cause_found_in_the_cell() -> None:
    for cell, says in (
        ("model = Sequential(Dense(25), Dense(10))", "one list of layers"),
        ("model = Sequential([Dense(25, activation='Relu')])", "did you mean 'relu'"),
        ("x = 1", "no model yet"),
    ):
        with pytest.raises(NotYet) as caught:
            labkit.exercises.model.need_model(None, cell)
        assert says in caught.value.cause


def test_a_sure_networks_probabilities_are_not_taken_for_rounded() -> None:
    X, logits = np.zeros((1, 400)), np.array([[40.0, *np.zeros(9)]])
    p = np.exp(logits - 40) / np.exp(logits - 40).sum()
    run = {"calls": 1, "result": (np.array([0]), p)}
    labkit.exercises.predict.probabilities(labkit.exercises.predict.Prediction(run, X, logits))
    rounded = np.array([[0.33, 0.33, 0.33, *np.zeros(7)]])
    run = {"calls": 1, "result": (np.array([0]), rounded)}
    even = np.array([[1.0, 1.0, 1.0, *np.full(7, -40.0)]])
    with pytest.raises(NotYet, match="rounded"):
        labkit.exercises.predict.probabilities(labkit.exercises.predict.Prediction(run, X, even))


def test_a_loss_that_expects_probabilities_is_named(trained: SimpleNamespace, keras: Any) -> None:
    model = new_model(keras)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    t = trained
    said = finding(public.test_training, model, t.history, t.X_train, t.y_train, t.X_test, t.y_test)
    assert "expects probabilities" in said.cause


def test_a_model_that_was_not_compiled_or_trained_is_named(
    trained: SimpleNamespace, keras: Any
) -> None:
    t, parts = trained, (trained.X_train, trained.y_train, trained.X_test, trained.y_test)
    assert "not compiled" in finding(public.test_training, new_model(keras), None, *parts).cause
    assert "no history yet" in finding(public.test_training, t.model, None, *parts).cause


def test_predictions_one_by_one_are_counted(trained: SimpleNamespace) -> None:
    def one_by_one(model: Any, X: Any) -> Any:
        found = [right_predict(model, x[np.newaxis]) for x in X]
        return np.array([d[0] for d, _ in found]), np.array([p[0] for _, p in found])

    said = finding(public.test_predict_digits, one_by_one, trained.model, trained.X)
    assert "asked 7 times" in said.cause


def test_a_single_row_handed_to_the_model_is_named(trained: SimpleNamespace) -> None:
    said = finding(
        public.test_predict_digits,
        lambda model, X: right_predict(model, X[0]),
        trained.model,
        trained.X,
    )
    assert "takes rows" in said.cause


def test_a_prepared_model_answers_like_a_model_of_keras() -> None:
    X = np.eye(3, 400)
    logits = np.arange(30.0).reshape(3, 10)
    model = Prepared(X, logits)
    np.testing.assert_allclose(model(X).numpy(), logits)
    np.testing.assert_allclose(model.predict(X[1:], verbose=0, batch_size=2), logits[1:])
    with pytest.raises(ValueError, match="shape"):
        model.predict(X[0])


# --- The file itself


@pytest.mark.parametrize("module", ["public_tests", "public_tests_mnist"])
def test_the_public_tests_import_numpy_and_the_standard_library_alone(module: str) -> None:
    code = f"import sys, numpy; known = set(sys.modules); import {module}; print(*sys.modules.keys() - known)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in run.stdout.split()}
    assert packages - set(sys.stdlib_module_names) == {module, "labkit"}


def test_what_runs_beside_the_student_needs_nothing_of_ours() -> None:
    """The marking sends labkit/inspection.py alone into a kernel."""
    tree = ast.parse((ROOT / "labkit" / "inspection.py").read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"numpy"}


def test_no_file_of_the_students_knows_the_engine() -> None:
    for path in (
        *ROOT.glob("labkit/**/*.py"),
        *ROOT.glob("utils*.py"),
        *ROOT.glob("public_tests*.py"),
    ):
        text = path.read_text(encoding="utf-8")
        assert "proctor" not in text and "course" not in re.findall(r"import (\w+)", text), path


@pytest.mark.parametrize("name", ["lab_digits", "lab_mnist"])
def test_the_marking_asks_the_public_checks_that_the_notebook_runs_in_its_order(name: str) -> None:
    lab = importlib.import_module(f"course.checks.{name}").lab
    for exercise in (one for one in lab.exercises if one.checks):
        table = importlib.import_module(f"labkit.exercises.{exercise.id}").CHECKS
        asked = [(check.id, check.title) for check in exercise.checks if not check.hidden]
        assert asked == [(check.id, check.title) for check in table]
        assert exercise.title == TITLES[exercise.id]


def test_describing_a_model_leaves_it_as_it_is(keras: Any) -> None:
    dense = keras.layers.Dense
    model = keras.Sequential([dense(25, "relu"), dense(15, "relu"), dense(10)])
    before = {name: repr(value) for name, value in vars(model).items()}
    described = inspection.describe_model(model)
    assert not model.built and not any(layer.built for layer in model.layers)
    assert {name: repr(value) for name, value in vars(model).items()} == before
    assert described["parameters"] == described["trainable"] == 10_575
    assert not described["knows_input"]


def test_every_cause_ends_as_a_sentence_and_every_message_says_what_to_do_next() -> None:
    for table in TABLES:
        for cause, then, _ in table:
            assert cause.endswith(".")
            assert then.endswith((".", ")"))


def test_the_callbacks_add_the_held_out_figures_that_keras_would(
    trained: SimpleNamespace, keras: Any
) -> None:
    t, model = trained, new_model(keras)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    callbacks, _ = utils.training_callbacks(t.X_test, t.y_test)
    history = model.fit(t.X_train, t.y_train, epochs=2, verbose=0, callbacks=callbacks).history
    assert len(history["val_loss"]) == len(history["val_accuracy"]) == 2
    by_keras = model.evaluate(t.X_test, t.y_test, verbose=0)
    assert [history["val_loss"][-1], history["val_accuracy"][-1]] == pytest.approx(
        by_keras, abs=1e-5
    )

    given = model.fit(
        t.X_train,
        t.y_train,
        verbose=0,
        callbacks=callbacks,
        validation_data=(t.X_train, t.y_train),
    ).history
    assert given["val_loss"][-1] == pytest.approx(
        model.evaluate(t.X_train, t.y_train, verbose=0)[0], abs=1e-5
    )


def test_asking_how_a_network_was_compiled_warns_of_nothing(keras: Any) -> None:
    """Keras warns of a lambda that it writes down: the student wrote a loss, and saves nothing."""
    model = new_model(keras)
    model.compile("adam", lambda y, p: keras.ops.mean(p), metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "accuracy" in describe_training(model, None)["metrics"]
