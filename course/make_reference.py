"""Train the network by which photographs are judged: ``python -m course.make_reference``.

The right network of the lab (400 -> 25 ReLU -> 15 ReLU -> 10), trained on all 5,000 digits for 40
epochs as the lab trains its own, is written to ``course/checks/reference_weights.npz`` as float32
arrays ``W1, b1, W2, b2, W3, b3``. Keras does not repeat a training bit for bit on another machine,
so the file is committed, and what it has to satisfy is a test: 0.99 or more of the 5,000 digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import loadmat

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "course" / "checks" / "reference_weights.npz"


def train() -> list[np.ndarray]:
    """Train the network; return W1, b1, W2, b2, W3, b3, each float32."""
    import keras
    from keras import layers

    data = loadmat(str(ROOT / "Data" / "ex3data1.mat"))
    X, y = data["X"], data["y"].ravel() % 10
    keras.utils.set_random_seed(1234)
    model = keras.Sequential(
        [
            keras.Input((400,)),
            layers.Dense(25, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(X, y, epochs=40, batch_size=32, verbose=0)
    return [np.asarray(w, dtype=np.float32) for w in model.get_weights()]


if __name__ == "__main__":
    names = ("W1", "b1", "W2", "b2", "W3", "b3")
    np.savez(TARGET, **dict(zip(names, train(), strict=True)))
    print(f"wrote {TARGET.relative_to(ROOT)}")
