"""What each trick of ``course/quick`` gains: seconds of processor time, without it and with it.

``fit``: 40 epochs of lab_digits, in batches of 32, without `steps_per_execution`. ``record``: the same as
the lab asks for it, trained and replayed. ``predict``: 100 calls with 30 rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SCRIPT = """
import json, sys, time
import keras, numpy as np
from course.checks.network import digits

X, y = digits()
rows = np.arange(5000) % 5 != 0
X, y = np.float64(X[rows]), y[rows]

def model(**options):
    keras.utils.set_random_seed(1234)
    layers = [keras.layers.Dense(25, "relu"), keras.layers.Dense(15, "relu"), keras.layers.Dense(10)]
    made = keras.Sequential([keras.Input((400,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(loss=loss, optimizer=keras.optimizers.Adam(0.001), metrics=["accuracy"], **options)
    keras.utils.set_random_seed(1234)
    return made

def seconds(do):
    began = time.process_time()
    do()
    return time.process_time() - began

def fit(**options):
    made = model(**options)
    return seconds(lambda: made.fit(X, y, epochs=40, batch_size=32, verbose=0))

def predict():
    made = model()
    made.predict(X[:30], verbose=0)
    return seconds(lambda: [made.predict(X[:30], verbose=0) for _ in range(100)])

space = {"__name__": "helper"}
def helpers(*names):
    for name in names:
        exec(compile(open(f"course/quick/{name}.py").read(), name, "exec"), space)

fit(steps_per_execution=125)  # what the first training of a process costs by itself
before = {"fit": fit(), "record": fit(steps_per_execution=125), "predict": predict()}
helpers("plain", "digest", "record")
space["begin_records"]()
fit(steps_per_execution=125)
kept, space["made"] = space["all_records"](), None
space["ask_examiner"] = kept.get
after = {"record": fit(steps_per_execution=125)}
space["ask_examiner"] = lambda name: None
helpers("fit", "predict")
after |= {"fit": fit(), "predict": predict()}
print(json.dumps([before, after]))
"""


def main() -> None:
    """Measure in a process of its own, and print a table."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The measurement failed:\n{done.stderr[-3000:]}")
    before, after = json.loads(done.stdout.splitlines()[-1])
    print("trick      without     with   (seconds of processor time)")
    for name in before:
        print(f"{name:8} {before[name]:9.2f} {after[name]:8.2f}")


if __name__ == "__main__":
    main()
