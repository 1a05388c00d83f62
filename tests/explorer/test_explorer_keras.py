"""The real thing: a Keras model, trained with the Recorder, against the browser's engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import standin
from conftest import Watched

from explorer import Explorer, Recorder


@pytest.fixture(scope="module")
def learnt() -> tuple[Any, Recorder, Any, Any]:
    X, y = standin.load_digits()
    keras.utils.set_random_seed(1234)
    model = keras.Sequential(
        [
            keras.Input(shape=(400,)),
            keras.layers.Dense(25, activation="relu", name="L1"),
            keras.layers.Dense(15, activation=keras.layers.ReLU(), name="L2"),
            keras.layers.Dense(10, activation=lambda z: z, name="L3"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.001), metrics=["accuracy"])
    recorder = Recorder()
    model.fit(X[:2000], y[:2000], epochs=4, callbacks=[recorder], verbose=0)
    return model, recorder, X[4000:4300], y[4000:4300]


def test_logits_equal_keras_on_300_digits(learnt: Any, open_page: Any, tmp_path: Path) -> None:
    model, recorder, X, y = learnt
    page = Explorer(model, X, y, history=recorder).save_html(tmp_path / "keras.html")
    watched: Watched = open_page(file=page)
    samples = np.array(
        watched.value("Array.from({length: 300}, (_, s) => [...d.sample(s)])"), dtype=np.float32
    )
    expected = np.asarray(model(samples))
    read = "new Promise(async (done) => { const out = []; for (let s = 0; s < 300; s++) {"
    read += " app.store.set({source: 'sample', sample: s, epoch: %d});"
    read += " out.push([...app.now().pass.logits]); } done(out); })"
    logits = np.array(watched.value(read % -1))
    assert np.abs(logits - expected).max() < 1e-4
    half = np.array(watched.value(read % 4))
    assert (half != logits).any()  # it is the snapshot that was looked at
    np.testing.assert_array_equal(half.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(half - expected).max() < 0.05
    assert [entry["epoch"] for entry in recorder.epochs] == [0, 1, 2, 3, 4]
    assert {"loss", "accuracy"} <= recorder.epochs[4].keys()


def test_layers_of_the_mnist_lab_are_read(learnt: Any) -> None:
    """Flatten, a softmax layer of its own, Dropout: what a Sequential model may hold besides Dense."""
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="tanh"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
            keras.layers.Softmax(),
        ]
    )
    from explorer.layers import outputs
    from explorer.network import read_layers

    X = np.random.default_rng(0).random((5, 28, 28)).astype(np.float32)
    layers = read_layers(model)
    assert [layer.activation for layer in layers] == ["tanh", "softmax"]
    np.testing.assert_allclose(outputs(layers, X.reshape(5, -1)), np.asarray(model(X)), atol=1e-5)
    Explorer(model, X, np.arange(5))


def test_importing_the_explorer_does_not_import_tensorflow() -> None:
    code = (
        "import sys; import explorer; print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=standin.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
