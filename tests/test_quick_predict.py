"""What the grading kernel does to `predict`: the same outputs to the bit, only sooner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
HELPER = ROOT / "course" / "quick" / "predict.py"

SCRIPT = '''
import contextlib, hashlib, io, json, re, sys
import keras, numpy as np
import tensorflow as tf

rng = np.random.default_rng(7)
X = rng.normal(size=(70, 12)).astype("float32")

class Counts(keras.callbacks.Callback):
    batches = 0
    def on_predict_batch_end(self, batch, logs=None):
        self.batches += 1

class Own(keras.Sequential):
    def predict_step(self, data):
        return 2 * super().predict_step(data)

def build(kind=keras.Sequential, **options):
    keras.utils.set_random_seed(1234)
    layers = [keras.layers.Dense(25, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(10)]
    model = kind([keras.Input((12,)), *layers])
    if options:
        model.compile(loss="mse", **options)
    return model

def told(model, *args, **kwargs):
    """The outputs, and what was printed, without times."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            out = model.predict(*args, **kwargs)
            out = out["a"] if isinstance(out, dict) else out
            found = [str(out.dtype), out.shape, type(out).__name__, hashlib.sha256(out.tobytes()).hexdigest()]
        except Exception as error:
            found = [type(error).__name__, str(error)[:80]]
    text = re.sub(r"\\d+[mu]?s(/step)?", "T", printed.getvalue().replace("\\b", ""))
    text = re.sub(r" +\\n", "\\n", text)  # what a shorter time leaves of a longer one
    count = getattr(model.predict_function, "experimental_get_tracing_count", lambda: None)
    return [*found, text, count()]

def run():
    found = {}
    model = build()
    for rows in (7, 1, 22, 32, 33, 70):
        found[f"{rows} rows"] = told(model, X[:rows], verbose=0)
    found["printed"] = told(model, X[:7])
    found["a line"] = told(model, X[:7], verbose=2)
    found["float64"] = told(model, X[:7].astype("float64"), verbose=0)
    found["a view"] = told(model, X[:14:2, ::-1], verbose=0)
    found["whole numbers"] = told(model, np.arange(24).reshape(2, 12), verbose=0)
    found["batches of 3"] = told(model, X[:7], 3, verbose=0)
    found["batches of 100"] = told(model, X, batch_size=100, verbose=0)
    found["batches of 0"] = told(model, X[:7], batch_size=0, verbose=0)
    found["steps"] = told(model, X[:7], verbose=0, steps=1)
    found["one axis"] = told(model, X[0], verbose=0)
    found["no rows"] = told(model, X[:0], verbose=0)
    found["a list"] = told(model, X[:2].tolist(), verbose=0)
    found["a tensor"] = told(model, tf.constant(X[:2]), verbose=0)
    found["no such option"] = told(model, X[:2], size=3)
    counts = Counts()
    found["a callback"] = [told(model, X[:7], callbacks=[counts], verbose=0), counts.batches]
    found["compiled"] = told(build(jit_compile=False), X[:7], verbose=0)
    grouped = build(steps_per_execution=125)
    for rows in (7, 1, 22, 33):
        found[f"grouped, {rows} rows"] = told(grouped, X[:rows], verbose=0)
    found["grouped, printed"] = told(grouped, X[:7])
    found["eager"] = told(build(run_eagerly=True), X[:7], verbose=0)
    found["its own"] = told(build(Own), X[:7], verbose=0)
    found["not built"] = told(keras.Sequential([keras.layers.Dense(3)]), X[:7], verbose=0)
    layers = [keras.Input((12,)), keras.layers.Dense(3), keras.layers.Lambda(lambda t: {"a": t})]
    found["a dictionary"] = told(keras.Sequential(layers), X[:7], verbose=0)
    doubled = build()
    doubled.predict_step = lambda data: 2 * doubled(data)
    found["its own step"] = told(doubled, X[:7], verbose=0)
    found["goes on"] = [m.tolist() for m in model.get_weights()[1:2]]
    return found

before = run()
calls = []
plain = keras.Model.predict
def counted(self, *args, **kwargs):
    calls.append(1)
    return plain(self, *args, **kwargs)
counted.__signature__ = __import__("inspect").signature(plain)
keras.Model.predict = counted
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"__name__": "helper"})
after, straight = run(), {}
model = build()
whole = np.ones((2, 12), int)
rows = {"7": X[:7], "32": X[:32], "33": X[:33], "64": X[:7].astype("float64"), "int": whole}
for name, given in rows.items():
    calls.clear()
    model.predict(given, verbose=0)
    straight[name] = not calls
print("RESULT" + json.dumps({"before": before, "after": after, "straight": straight}))
'''


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, Any]]:
    """What the script finds before the helper is run and after, in one process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(HELPER)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.rpartition("RESULT")[2]))


def test_outputs_and_what_is_printed_are_the_same(runs: dict[str, dict[str, Any]]) -> None:
    for name, found in runs["before"].items():
        assert runs["after"][name] == found, name
    assert "1/1" in runs["before"]["printed"][4]


def test_only_one_batch_of_plain_numbers_goes_straight(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["straight"] == {"7": True, "32": True, "33": False, "64": True, "int": False}
