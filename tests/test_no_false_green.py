"""No broken work passes green: what a student reads where it once said that all checks passed.

The verdict's side of each of these is a mutant of ``course/mutants``, named by its check.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.lab_side import run_cell

import public_tests as public
import utils
from course.checks.digits.train import split_rows
from course.mutants.lab_digits import MUTANTS, RIGHT, VARIANTS
from labkit import cell_runs, guesses
from labkit.findings import NotStarted, NotYet
from labkit.inspection import read_from_outside

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BY_ID = {mutant.id: mutant for mutant in MUTANTS}
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = utils.load_data(ROOT / "Data")
    return X, np.where(y == 10, 0, y)


@pytest.fixture(scope="module")
def keras() -> Any:
    import keras

    return keras


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_runs, "runs", {})
    monkeypatch.chdir(ROOT)


def names_after(code: str, **given: Any) -> dict[str, Any]:
    names = {"np": np, "utils": utils, "Image": Image, "NotStarted": NotStarted, **given}
    assert run_cell(code, names) is None
    return names


def finding(test: Any, *arguments: Any) -> NotYet:
    with pytest.raises(NotYet) as caught:
        test(*arguments)
    return caught.value


TESTS = {
    "softmax": (public.test_my_softmax, "my_softmax", False),
    "dense": (public.test_my_dense, "my_dense", False),
    "split": (public.test_split_data, "split_data", True),
    "loss": (public.test_cross_entropy, "cross_entropy", True),
    "preprocess": (public.test_preprocess, "preprocess", False),
}
"""The public check of an exercise, what it judges, and whether it is given the digits too."""

# --- Broken answers, by the public check's own output -------------------------------------------


@pytest.mark.parametrize(
    "id",
    [
        "softmax-shift-by-min",
        "softmax-shift-by-mean",
        "softmax-shift-by-first",
        "split-fraction-fixed",
        "split-hundred-fixed",
        "split-five-hundred-fixed",
        "split-loop-from-1",
        "split-positions",
        "split-choice",
        "preprocess-no-28-square",
        "preprocess-sides-exchanged",
        "preprocess-against-white",
        "preprocess-standardised",
        "dense-last-unit-left",
        "dense-activation-apart",
        *(
            mutant.id
            for mutant in MUTANTS
            if mutant.exercise == "loss" and "library" not in mutant.id
        ),
    ],
)
def test_a_broken_answer_is_named_by_the_public_check(
    id: str, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    mutant = BY_ID[id]
    names = names_after(mutant.code)
    test, name, more = TESTS[mutant.exercise]
    assert mutant.says in str(finding(test, names[name], *(digits if more else ())))


@pytest.mark.parametrize(
    "id", [m.id for m in MUTANTS if m.id.startswith("model-input-")] + ["model-zeros"]
)
def test_an_input_that_later_fails_and_zero_weights_are_named_publicly(id: str, keras: Any) -> None:
    names = names_after(
        BY_ID[id].code,
        keras=keras,
        Sequential=keras.Sequential,
        Input=keras.Input,
        Dense=keras.layers.Dense,
    )
    assert BY_ID[id].says in finding(public.test_model, names["model"], 10, 400).cause


@pytest.mark.parametrize(
    "mutant",
    [m for m in MUTANTS if m.exercise == "split" and m.says != "not started"],
    ids=lambda m: m.id,
)
def test_a_wrong_split_costs_the_training_nothing(
    mutant: Any, digits: tuple[np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    """The notebook lends a split, and the marking knows that it did: Exercise 6 is not blamed."""
    X, y = digits
    split_data = names_after(mutant.code)["split_data"]
    _, X_test, _, y_test = utils.split_or_lend(lambda: split_data(X.copy(), y.copy()), X, y)
    lent = "on loan" in capsys.readouterr().out
    assert sorted(np.bincount(y_test, minlength=10)) == [100] * 10
    rows = split_rows(SimpleNamespace(get=lambda name: split_data))  # type: ignore[arg-type]
    assert len(rows) == 1000
    assert lent == np.array_equal(rows, np.arange(0, 5000, 5))
    assert np.array_equal(np.sort(X_test.sum(axis=1)), np.sort(X[rows].sum(axis=1)))


@pytest.mark.parametrize(
    "variant",
    [v for v in VARIANTS if v.exercise in ("softmax", "dense", "split", "loss")],
    ids=lambda v: v.id,
)
def test_a_right_answer_of_another_form_is_green_in_the_notebook(
    variant: Any, digits: tuple[np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    names = names_after(variant.code)
    test, name, more = TESTS[variant.exercise]
    test(names[name], *(digits if more else ()))
    if variant.exercise == "split":
        utils.split_or_lend(lambda: names["split_data"](*digits), *digits)
    out = capsys.readouterr().out
    assert "all public checks passed" in out and "on loan" not in out


# --- Labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda y: np.where(y == 0, 10, y), "labels 10 and no label 0"),
        (lambda y: y - 1, "zeros have become -1"),
        (lambda y: (y - 1) % 10, "stands for the digit below"),
        (lambda y: y[::-1], "not those of the digits"),
    ],
)
def test_wrong_labels_are_said_at_once_in_split_loss_and_train(
    change: Any, says: str, digits: tuple[np.ndarray, np.ndarray], keras: Any
) -> None:
    X, y = digits
    split = names_after(RIGHT["split"])["split_data"]
    loss = names_after(RIGHT["loss"])["cross_entropy"]
    assert says in finding(public.test_split_data, split, X, change(y)).cause
    assert says in finding(public.test_cross_entropy, loss, X, change(y)).cause
    model = keras.Sequential([keras.Input((400,)), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    training = (model, None, X, y, X, change(y))
    assert says in finding(public.test_training, *training).cause


# --- Cells: not started, failed, older than their text ------------------------------------------

SOFTMAX = "# UNQ_C1\n### START CODE HERE ###\n{}\n### END CODE HERE ###\n"


def ran(source: str, error: BaseException | None = None) -> None:
    cell_runs.note(
        SimpleNamespace(
            info=SimpleNamespace(raw_cell=source), error_before_exec=error, error_in_exec=None
        )
    )


def right_softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


def test_a_syntax_error_in_the_graded_cell_is_not_passed_over() -> None:
    ran(RIGHT["softmax"])
    public.test_my_softmax(right_softmax)
    ran("# UNQ_C1\ndef my_softmax(z:\n", SyntaxError("'(' was never closed"))
    assert "'(' was never closed" in finding(public.test_my_softmax, right_softmax).cause


def test_a_cell_that_stopped_after_it_had_defined_its_function_is_not_green() -> None:
    ran(RIGHT["softmax"], ZeroDivisionError("division by zero"))
    assert "stopped with ZeroDivisionError" in finding(public.test_my_softmax, right_softmax).cause


def test_a_cell_whose_text_is_newer_than_its_run_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = tmp_path / "lab_digits.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    cell = {"cell_type": "code", "source": [RIGHT["softmax"] + "# changed\n"]}
    notebook.write_text(json.dumps({"cells": [cell]}))
    ran(RIGHT["softmax"])  # after the file was saved: the file may be the older of the two
    public.test_my_softmax(right_softmax)
    later = time.time() + 5
    os.utime(notebook, (later, later))
    assert "changed after it was last run" in finding(public.test_my_softmax, right_softmax).cause
    cell["source"] = [RIGHT["softmax"].rstrip()]
    notebook.write_text(json.dumps({"cells": [cell]}))
    os.utime(notebook, (later, later))
    public.test_my_softmax(right_softmax)


def test_a_leftover_not_started_below_ones_own_code_is_said_as_that() -> None:
    code = "# UNQ_C1\ndef my_softmax(z):\n    ### START CODE HERE ###\n    {}\n    ### END CODE HERE ###\n"
    own = names_after(code.format("p = z / z.sum()\n    raise NotStarted"))["my_softmax"]
    assert "leftover `raise NotStarted`" in finding(public.test_my_softmax, own).cause
    empty = names_after(code.format("raise NotStarted"))["my_softmax"]
    assert str(finding(public.test_my_softmax, empty)).startswith(
        "… Exercise 1, softmax is not started"
    )


def test_an_unstarted_exercise_says_so_in_the_same_way_where_a_name_is_missing() -> None:
    ran(SOFTMAX.replace("C1", "C6").format("raise NotStarted"), NameError("model"))
    said = cell_runs.unstarted_check("test_training(model, history, X_train)")
    assert said is not None and said.startswith("Exercise 6, train is not started yet.")
    assert cell_runs.unstarted_check("test_my_dense(my_dense)") is None


STATEMENTS = SOFTMAX.replace("C1", "C2").format("model = Sequential([Input(400), Dense(10)])")


def test_a_cell_of_statements_that_stopped_is_said_before_an_older_model_is_judged() -> None:
    ran(STATEMENTS, ValueError("Cannot convert '400' to a shape."))
    told = finding(public.test_model, object(), 10, 400)
    assert "stopped with ValueError" in told.cause and "a shape is a tuple" in told.cause
    assert "(400,)" in told.next and "run this check" in told.next
    ran("# UNQ_C6\nhistory = model.fit()\n", TypeError("missing a required argument"))
    told = finding(public.test_training, *[None] * 6)
    assert "stopped with TypeError" in told.cause


def test_what_an_earlier_run_left_is_not_judged_in_place_of_another_name() -> None:
    named = STATEMENTS.replace("model =", "network =").replace("400", "(400,)")
    ran(named)
    told = finding(public.test_model, object(), 10, 400)
    assert "makes no `model`" in told.cause and "`network`" in told.got
    utils.use_names(utils.EXERCISES, utils.GIVEN_IN)
    missing = str(utils.where_from(NameError("missing", name="model")))
    assert "Exercise 2 has a cell that makes `network`. Call it `model`" in missing
    ran("# UNQ_C2\nmodel.add(Dense(10))\nlast = 1\n")  # made in a cell of one's own
    assert "earlier run" not in finding(public.test_model, object(), 10, 400).cause
    ran("# UNQ_C1\nfrom mine import my_softmax\n")
    public.test_my_softmax(right_softmax)


@pytest.mark.parametrize(
    ("cell", "error", "says"),
    [
        (
            "# UNQ_C1\ndef my_softmax(z:\n",
            SyntaxError("'(' was never closed"),
            "`my_softmax` does not exist yet: the cell of Exercise 1 stopped with an error. "
            "SyntaxError: '(' was never closed.",
        ),
        (
            STATEMENTS,
            ValueError("Cannot convert '400' to a shape."),
            "`model` does not exist yet: the cell of Exercise 2 stopped with an error. Input was given",
        ),
        (
            STATEMENTS.replace("Input(400)", "Dense(25, Activation='relu')"),
            ValueError("Unrecognized keyword arguments"),
            "Dense has no argument 'Activation'",
        ),
        (
            STATEMENTS.replace("Input(400)", "Dense(25, activation='Relu')"),
            ValueError("Could not interpret activation function identifier: Relu"),
            "did you mean 'relu'",
        ),
        (
            SOFTMAX.format("raise NotStarted"),
            NotStarted(),
            "Exercise 1, softmax is not started yet;",
        ),
    ],
)
def test_a_name_that_is_missing_says_why_its_cell_did_not_make_it(
    cell: str, error: BaseException, says: str
) -> None:
    utils.use_names(utils.EXERCISES, utils.GIVEN_IN)  # the other lab's helpers may have said theirs
    ran(cell, error)
    name = "my_softmax" if "C1" in cell else "model"
    assert says in str(utils.where_from(NameError("missing", name=name)))


def test_a_name_that_ones_own_function_forgot_is_not_looked_for_in_another_section(
    capsys: pytest.CaptureFixture[str],
) -> None:
    utils.use_names(utils.EXERCISES, utils.GIVEN_IN)
    names = names_after("# UNQ_C1\ndef my_softmax(z):\n    p = z\n    return probabilities\n")
    with utils.needs("Exercise 1"):
        names["my_softmax"](np.ones(2))
    out = capsys.readouterr().out
    assert "section 8" not in out and "Run the check of that exercise" in out


def test_a_guess_that_was_not_run_is_asked_for_in_one_sentence() -> None:
    utils.use_names(utils.EXERCISES, utils.GIVEN_IN)
    assert "the cell above" in str(utils.where_from(NameError("missing", name="my_guess")))


def test_an_earlier_models_history_is_not_taken_for_this_ones(
    keras: Any, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    X, y = digits
    names = {"keras": keras, "Sequential": keras.Sequential, "Input": keras.Input}
    names["Dense"] = keras.layers.Dense
    models = [names_after(RIGHT["model"], **names)["model"] for _ in range(2)]
    for model in models:
        model.compile("adam", loss)
    history = models[0].fit(X[::50], y[::50], verbose=0)
    told = finding(public.test_training, models[1], history, X, y, X, y)
    assert "earlier training" in told.cause and "result of model.fit" in told.next


# --- What raises: the message says what is wrong, not only where ---------------------------------


@pytest.mark.parametrize(
    ("exercise", "body", "says"),
    [
        ("dense", "return g(W.T @ a_in + b)", "works for one row"),
        ("split", "train = test = [np.where(y == k) for k in range(10)]\n    "
         "return X[train], X[test], y[train], y[test]", "not one flat list"),
        ("loss", "p = np.exp(logits)\n    return 0.0, p - y", "one integer for each row"),
    ],
)  # fmt: skip
def test_an_error_of_ones_own_code_is_explained(
    exercise: str, body: str, says: str, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    arguments = {
        "dense": "a_in, W, b, g",
        "split": "X, y, test_fraction=0.2, seed=1",
        "loss": "logits, y",
    }
    test, name, more = TESTS[exercise]
    names = names_after(f"def {name}({arguments[exercise]}):\n    {body}\n")
    assert says in finding(test, names[name], *(digits if more else ())).cause


def test_a_softmax_for_one_vector_that_is_given_a_batch_is_named(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "# UNQ_C1\ndef my_softmax(z):\n    p = np.zeros(len(z))\n    for i in range(len(z)):\n"
        "        p[i] = np.exp(z[i] - z.max()) / np.exp(z - z.max()).sum()\n    return p\n"
        "# UNQ_C5\ndef cross_entropy(logits, y):\n    p = my_softmax(logits)\n    return 0.0, p\n"
    )
    names = names_after(code)
    monkeypatch.setattr("__main__.my_softmax", names["my_softmax"], raising=False)
    told = finding(public.test_cross_entropy, names["cross_entropy"], *digits)
    assert "my_softmax is for one vector" in told.cause and "row by row" in told.next


# --- Causes that lie elsewhere ------------------------------------------------------------------


def test_a_name_from_outside_in_place_of_the_argument_is_named() -> None:
    code = "# UNQ_C1\ndef my_softmax(z):\n    e = np.exp(logits - logits.max())\n    return e / e.sum()\n"
    names = names_after(code, logits=np.array([0.0, 1.0, 0.5, 2.0]))
    assert read_from_outside(names["my_softmax"])["arrays"] == ["logits"]
    assert "uses logits from outside" in finding(public.test_my_softmax, names["my_softmax"]).cause


# --- Predict, then run --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guess", "says"),
    [("c", "was right"), ("a", 'it is "c"'), (..., "none yet"), (" C ", "was right")],
)
def test_a_guess_is_come_back_to(
    guess: object, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    guesses.look_back(guess, "c", "Why.")
    out = capsys.readouterr().out
    assert says in out and "Why." in out
