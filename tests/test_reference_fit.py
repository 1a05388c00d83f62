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

SCRIPT = '''
import contextlib, hashlib, json, sys, types
import keras, numpy as np
import utils

class Helper(types.SimpleNamespace):
    """One kernel's helpers: the file, run in a namespace of its own."""
    def __init__(self):
        space = {"__name__": "helper"}
        keras.Model.fit = plain
        exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), space)
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

def reads(secrets, helper):
    """Whether any of these would open a record."""
    return [helper.name_of(secret) in helper.space["known"] for secret in secrets]

found = {"plain": train(build())}
found["plain, no callbacks"] = train(build(), callbacks=False)
found["held out"] = train(build(), validation_data=(X[1000:], y[1000:]))
found["lab's"] = train(build(), callbacks=figures(X[1000:], y[1000:]))
teacher = Helper()
teacher.record_fits()
found["recorded"] = train(build())
found["recorded, lab's"] = train(build(), callbacks=figures(X[1000:], y[1000:]))
train(build(), callbacks=False)
train(build(), validation_data=(X[1000:], y[1000:]))
records = teacher.recorded_fits()

calls = []
def counted(self, *args, **kwargs):
    calls.append(1)
    return real(self, *args, **kwargs)
real, plain = plain, counted
counted.__signature__ = __import__("inspect").signature(real)
student = Helper()
student.use_fits(records)
student_known = len(student.space["known"])

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
keras.Model.predict_on_batch, predict = lambda *a: predictions.append(1), keras.Model.predict_on_batch
found["replayed, lab's"], found["lab's calls"] = trained(build(), callbacks=lab)
keras.Model.predict_on_batch = predict
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

text = b"".join(student.space["known"].values())
weights = np.float32(json.loads(found["plain"])[0][1])
found["legible"] = any(part in text for part in (b"accuracy", b"logs", b"NUMPY", weights.tobytes()))
found["names"] = student_known
print("RESULT" + json.dumps(found))
'''


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What trainings gave with and without records, all in one process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT / "course" / "checks" / "reference_fit.py")],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
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


def test_a_record_cannot_be_read_without_what_it_records(found: dict[str, Any]) -> None:
    assert found["legible"] is False
