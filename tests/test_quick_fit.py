"""What the grading kernel does to `fit`: the same weights and history to the bit, only sooner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HELPERS = [str(ROOT / "course" / "quick" / name) for name in ("fit.py", "plain.py")]

SCRIPT = '''
import json, sys, hashlib
import keras, numpy as np

def digest(model, history):
    weights = b"".join(w.tobytes() for w in model.get_weights())
    text = json.dumps(history.history, sort_keys=True)  # repr of a float is exact
    return hashlib.sha256(weights + text.encode()).hexdigest()

class Counts(keras.callbacks.Callback):
    batches = 0
    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

def build(dropout=0.0):
    keras.utils.set_random_seed(1234)
    layers = [keras.layers.Dense(25, "relu"), keras.layers.Dropout(dropout), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((40,)), *layers])

def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"], **options)
    return model

rng = np.random.default_rng(7)
X = rng.normal(size=(1210, 40)).astype("float32")
y = rng.integers(0, 10, size=1210)
held = dict(validation_data=(X[:300], y[:300]), verbose=0)

def run():
    """Each case twice where the second call goes on from the first."""
    found = {}
    plain = compiled(build())
    found["plain"] = digest(plain, plain.fit(X, y, epochs=3, batch_size=32, **held))
    found["goes on"] = digest(plain, plain.fit(X, y, epochs=2, batch_size=32, **held))
    found["evaluate"] = plain.evaluate(X, y, batch_size=100, verbose=0)
    found["predict"] = hashlib.sha256(plain.predict(X, verbose=0).tobytes()).hexdigest()
    compiled(plain)
    found["again"] = digest(plain, plain.fit(X, y, epochs=2, batch_size=7, **held))
    found["steps"] = plain.steps_per_execution
    random = compiled(build(dropout=0.3))
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1)
    history = random.fit(X, y, epochs=2, batch_size=64, callbacks=[stop], verbose=0)
    found["dropout"] = digest(random, history)
    counts = Counts()
    compiled(build()).fit(X, y, epochs=1, batch_size=32, callbacks=[counts], verbose=0)
    found["batches"] = counts.batches
    own = compiled(build(), steps_per_execution=5)
    own.fit(X, y, epochs=1, batch_size=32, verbose=0)
    found["own steps"] = own.steps_per_execution
    nothing = build()
    nothing.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    nothing.train_function = lambda batches: next(batches) and {"loss": 0.5}
    nothing.fit(X, y, epochs=1, batch_size=32, verbose=0)
    found["own function"] = digest(nothing, keras.callbacks.History())
    return found

before = run()
space = {"__name__": "helper"}
for file in sys.argv[1:]:
    exec(compile(open(file).read(), file, "exec"), space)
seen = []
inner = keras.Model.make_train_function
space |= {"seen": seen, "inner": inner}
exec("""
def make_train_function(self, *args, **kwargs):
    seen.append(self.steps_per_execution)
    return inner(self, *args, **kwargs)
""", space)  # as one of the helpers': one of somebody's own would not be plain
keras.Model.make_train_function = space["make_train_function"]
after = run()
print(json.dumps({"before": before, "after": after, "seen": seen}))
'''


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, object]]:
    """What the script finds before the helper is run and after, in one process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HELPERS],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_weights_and_history_are_the_same_to_the_bit(runs: dict[str, dict[str, object]]) -> None:
    assert runs["after"] == runs["before"]


def test_batches_are_grouped_only_where_nobody_could_tell(
    runs: dict[str, dict[str, object]],
) -> None:
    """One entry a call of `fit`: a callback that counts batches, and a choice of the student's."""
    assert runs["seen"] == [32, 32, 32, 32, 1, 5, 1]
    assert runs["after"]["batches"] == 38
    assert runs["after"]["own steps"] == 5
