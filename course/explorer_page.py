"""The explorer's page for the lab's own network: ``python -m course.explorer_page [FILE]``.

The network is trained as the solved lab trains it, with its weights kept after every epoch; the page
shows it on the 1,000 digits that it was not trained on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from scipy.io import loadmat

ROOT = Path(__file__).resolve().parent.parent


def write_page(target: Path) -> Path:
    """Train, and write the page; takes some 10 s, TensorFlow's import included."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from explorer import Explorer, Recorder

    data = loadmat(str(ROOT / "Data" / "ex3data1.mat"))
    X, y = data["X"], data["y"].ravel() % 10
    held_out = np.arange(len(y)) % 5 == 4  # every fifth row: 100 of each digit
    keras.utils.set_random_seed(1234)
    model = keras.Sequential(
        [
            keras.Input((400,)),
            keras.layers.Dense(25, activation="relu", name="layer_1"),
            keras.layers.Dense(15, activation="relu", name="layer_2"),
            keras.layers.Dense(10, name="output"),
        ]
    )
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=keras.optimizers.Adam(0.001),
        metrics=["accuracy"],
        steps_per_execution=125,
    )
    recorder = Recorder()
    model.fit(
        X[~held_out],
        y[~held_out],
        epochs=40,
        validation_data=(X[held_out], y[held_out]),
        verbose=0,
        callbacks=[recorder],
    )
    page = Explorer(model, X[held_out], y[held_out], history=recorder, name="the lab's network")
    return page.save_html(target)


if __name__ == "__main__":
    path = write_page(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "explorer.html"))
    print(f"wrote {path}  {path.stat().st_size / 1e6:.2f} MB")
