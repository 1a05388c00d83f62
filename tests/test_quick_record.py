"""What stands in for a training: the same weights and history to the bit, and only for the same one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("plain", "digest", "record")

SCRIPT = '''
import contextlib, hashlib, json, sys, types
import keras, numpy as np
import utils

class Helper(types.SimpleNamespace):
    """One kernel's helpers: the files, run in a namespace of their own."""
    def __init__(self):
        space = {"__name__": "helper"}
        keras.Model.fit = plain
        for file in sys.argv[1:]:
            exec(compile(open(file).read(), file, "exec"), space)
        self.space = space
        super().__init__(**{key: value for key, value in space.items() if callable(value)})

plain = keras.Model.fit
rng = np.random.default_rng(7)
X = rng.normal(size=(1210, 40))
y = rng.integers(0, 10, size=1210)

class Keeps(keras.callbacks.Callback):
    """Looks at the weights after each epoch, and adds to the figures, as the lab's own does."""
    def on_train_begin(self, logs=None):
        self.seen = []
    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(hashlib.sha256(b"".join(w.tobytes() for w in self.model.get_weights())).hexdigest())
        logs["mine"] = float(epoch)

def figures(rows, labels):
    """The lab's own callback that adds the held-out figures."""
    with contextlib.redirect_stdout(None):
        callbacks, _ = utils.training_callbacks(rows, labels)
    return [one for one in callbacks if type(one).__name__ == "HeldOut"]

def build(seed=1234, units=25, activation="relu"):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(units, activation), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((40,)), *layers])

def train(model, rate=0.01, seed=99, rows=1000, from_logits=True, callbacks=True, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])
    keras.utils.set_random_seed(seed)
    keeps = callbacks if isinstance(callbacks, list) else [Keeps()] if callbacks else None
    given = dict(epochs=4, batch_size=32, verbose=0, callbacks=keeps) | options
    history = model.fit(X[:rows], y[:rows], **given)
    return everything(model, history, keeps)

def everything(model, history, keeps):
    """All that could tell one training from another afterwards."""
    state = [np.asarray(v).tolist() for v in model.optimizer.variables]
    metrics = [np.asarray(v).tolist() for m in model.metrics for v in m.variables]
    draws = [np.random.random(), float(keras.random.uniform(()))]
    more = model.fit(X[:100], y[:100], epochs=1, verbose=0).history  # it goes on the same
    return json.dumps([
        [w.tolist() for w in model.get_weights()], history.history, list(history.history),
        history.epoch, history.params, getattr(keeps and keeps[0], "seen", None), state, metrics, draws, more,
        model.stop_training, model.optimizer.built,
    ])

found = {"plain": train(build())}
found["plain, no callbacks"] = train(build(), callbacks=False)
found["held out"] = train(build(), validation_data=(X[1000:], y[1000:]))
found["lab's"] = train(build(), callbacks=figures(X[1000:], y[1000:]))
teacher = Helper()
teacher.begin_records()
found["recorded"] = train(build())
found["recorded, lab's"] = train(build(), callbacks=figures(X[1000:], y[1000:]))
train(build(), callbacks=False)
train(build(), validation_data=(X[1000:], y[1000:]))
records = teacher.all_records()

calls = []
pretend = False
def fit(self, *args, **kwargs):
    calls.append(1)
    return None if pretend else real(self, *args, **kwargs)
real, plain = plain, fit
fit.__signature__ = __import__("inspect").signature(real)
student = Helper()
asked = []
student.space["ask_examiner"] = lambda name: asked.append(name) or records.get(name)

def trained(*args, **options):
    """What came of it, and whether it was really trained (its last epoch always is)."""
    calls.clear()
    result = train(*args, **options)
    return result, len(calls) - 1

found["replayed"], found["replayed calls"] = trained(build())
found["replayed, no callbacks"], found["no callbacks calls"] = trained(build(), callbacks=False)
held = dict(validation_data=(X[1000:], y[1000:]))
found["replayed, held out"], found["held out calls"] = trained(build(), **held)

lab = figures(X[1000:], y[1000:])
predictions = []
sys.setprofile(lambda frame, event, arg: frame.f_code.co_name == "predict_on_batch" and predictions.append(1))
found["replayed, lab's"], found["lab's calls"] = trained(build(), callbacks=lab)
sys.setprofile(None)
found["predictions"], found["lab's own again"] = len(predictions), "on_epoch_end" not in vars(lab[0])

class Other(Keeps):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True

wrong = y.copy(); wrong[3] = (wrong[3] + 1) % 10
right_y = y
found["other"] = {
    "units": trained(build(units=24))[1],
    "activation": trained(build(activation="tanh"))[1],
    "initial weights": trained(build(seed=5))[1],
    "seed": trained(build(), seed=98)[1],
    "rate": trained(build(), rate=0.02)[1],
    "rows": trained(build(), rows=999)[1],
    "loss": trained(build(), from_logits=False)[1],
    "epochs": trained(build(), epochs=5)[1],
    "batch": trained(build(), batch_size=31)[1],
    "shuffle": trained(build(), shuffle=False)[1],
    "weights of classes": trained(build(), class_weight={0: 2.0})[1],
    "validation": trained(build(), validation_split=0.1)[1],
    "callback": trained(build(), callbacks=[Other()])[1],
    "output": trained(build(), verbose=2)[1],
    "held-out rows": trained(build(), callbacks=figures(X[1001:], y[1001:]))[1],
    "held-out labels": trained(build(), callbacks=figures(X[1000:], 9 - y[1000:]))[1],
}
y = wrong
found["other"]["one label"] = trained(build())[1]
y = right_y
again = build()
first = again.get_weights()
train(again)
again.set_weights(first)
keras.utils.set_random_seed(99)
calls.clear()
again.fit(X[:1000], y[:1000], epochs=4, batch_size=32, verbose=0, callbacks=[Keeps()])
found["other"]["optimizer goes on"] = len(calls)
frozen = build(); frozen.layers[0].trainable = False
found["other"]["frozen"] = trained(frozen)[1]

def changed(change, fit=None, activation="relu", **options):
    """Whether a training is done after a change to what takes part: how often fit was called."""
    calls.clear()
    model = build(activation=activation)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
    keras.utils.set_random_seed(99)
    keeps = [Keeps()]
    undo = change(model, keeps[0])
    try:
        model.fit(X[:1000], y[:1000], epochs=4, batch_size=32, verbose=0, callbacks=keeps)
    finally:
        if undo:
            undo()
    return len(calls)

def on(name, value, holder=lambda model, keeps: model):
    """A change: an attribute of something on the instance."""
    return lambda model, keeps: setattr(holder(model, keeps), name, value)

def of_class(kind, name, value):
    """A change: an attribute of a class or a module, taken back afterwards."""
    def change(model, keeps):
        mine, old = name in vars(kind), getattr(kind, name)
        setattr(kind, name, value)
        return lambda: setattr(kind, name, old) if mine else delattr(kind, name)
    return change

def code(model, keeps):
    step = keras.optimizers.Adam.update_step
    old = step.__code__
    step.__code__ = (lambda self, gradient, variable, learning_rate: None).__code__
    return lambda: setattr(step, "__code__", old)

def nothing(*given, **options):
    return None

def step(self, data):
    return {"loss": keras.ops.sum(data[0]) * 0}

def constant(self, rows, training=None):
    return keras.ops.sum(rows, axis=1, keepdims=True) * keras.ops.ones((1, self.units))

def metrics(self, x, y, y_pred, sample_weight=None):
    return {"loss": 0.0}

def relu(z):
    return keras.ops.zeros_like(z)

mean_loss = keras.losses.LogCosh().fn  # another function of the library's, which runs too

pretend = True  # that it would be trained is all that is asked from here
found["as recorded"] = changed(lambda model, keeps: None)
first = lambda model, keeps: model.layers[0]
found["changed"] = {
    "train_step": changed(on("train_step", lambda data: {"loss": keras.ops.sum(data[0]) * 0})),
    "library's train_step": changed(lambda model, keeps: setattr(model, "train_step", model.test_step)),
    "compute_loss": changed(on("compute_loss", lambda **g: keras.ops.sum(g["y_pred"]) * 0)),
    "call of a layer": changed(on("call", lambda rows: rows[:, :25], first)),
    "loss.fn": changed(on("fn", lambda y, z, **o: keras.ops.sum(z) * 0, lambda m, k: m.loss)),
    "library's loss.fn": changed(lambda m, k: setattr(m.loss, "fn", mean_loss)),
    "activation": changed(on("activation", relu, first)),
    "activation of the library": changed(on("activation", keras.activations.tanh, first)),
    "own activation of that name": changed(lambda m, k: None, activation=relu),
    "apply": changed(on("apply", nothing, lambda m, k: m.optimizer)),
    "assign": changed(on("assign", nothing, lambda m, k: m.weights[0])),
    "callback's method": changed(on("on_epoch_end", nothing, lambda m, k: k)),
    "class's train_step": changed(of_class(keras.Sequential, "train_step", step)),
    "class's library's train_step": changed(
        of_class(keras.Sequential, "train_step", keras.Model.test_step)
    ),
    "class's call": changed(of_class(keras.layers.Dense, "call", constant)),
    "class's update": changed(of_class(keras.optimizers.Adam, "update_step", nothing)),
    "class's code": changed(code),
    "class's metrics": changed(of_class(keras.Sequential, "compute_metrics", metrics)),
    "class of callback": changed(of_class(Keeps, "on_epoch_end", lambda self, epoch, logs=None: None)),
    "module's function": changed(of_class(keras.src.backend.nn, "relu", relu)),
    "TensorFlow's function": changed(of_class(keras.src.backend.tensorflow.nn.tf.nn, "relu", relu)),
}
found["as recorded, again"] = changed(lambda model, keeps: None)
found["names"] = len(records)
found["asked"] = all(len(name) == 64 for name in asked) and len(set(asked)) > 4
print("RESULT" + json.dumps(found))
'''


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What trainings gave with and without records, all in one process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *(str(ROOT / f"course/quick/{name}.py") for name in FILES)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT")[2])
    return result


@pytest.mark.parametrize("kind", ["", ", no callbacks"])
def test_a_replayed_training_is_the_training_to_the_bit(found: dict[str, Any], kind: str) -> None:
    assert found[f"replayed{kind}"] == found[f"plain{kind}"]


def test_held_out_figures_are_replayed_too(found: dict[str, Any]) -> None:
    assert found["replayed, held out"] == found["held out"]
    assert "val_accuracy" in found["held out"]


def test_figures_on_held_out_rows_are_replayed_without_a_prediction(found: dict[str, Any]) -> None:
    assert found["replayed, lab's"] == found["lab's"]
    assert "val_accuracy" in found["lab's"]
    assert (found["lab's calls"], found["predictions"]) == (0, 0)
    assert found["lab's own again"] is True


def test_recording_changes_nothing(found: dict[str, Any]) -> None:
    assert found["recorded"] == found["plain"]
    assert found["recorded, lab's"] == found["lab's"]


def test_what_is_replayed_was_not_trained(found: dict[str, Any]) -> None:
    assert found["names"] == 4
    for kind in ("replayed", "no callbacks", "held out"):
        assert found[f"{kind} calls"] == 0


def test_whatever_could_give_another_result_is_trained(found: dict[str, Any]) -> None:
    assert {name: calls for name, calls in found["other"].items() if calls != 1} == {}


def test_whatever_somebody_changed_on_an_object_or_a_class_is_trained_as_written(
    found: dict[str, Any],
) -> None:
    assert found["as recorded"] == found["as recorded, again"] == 0
    assert {name: calls for name, calls in found["changed"].items() if calls != 1} == {}


def test_a_record_is_asked_for_by_the_digest_of_all_that_determines_it(
    found: dict[str, Any],
) -> None:
    assert found["asked"]
