"""Time "Run all" of the solved lab_digits beside the recipe that it replaces.

Run with ``python -m bench.notebook [--repeat N]``. Both are notebooks run in a new kernel, the import
of TensorFlow included. They take turns, so that whatever else the machine does falls on both; run it
on an idle machine all the same, for both are slowed by their neighbours, but not by the same factor.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbformat import NotebookNode

NOT_A_STUDENTS = ("sklearn", "pandas")
"""Packages that the development set-up brings, a student's does not, and Keras imports if it can."""
ROOT = Path(__file__).resolve().parent.parent
MOST = 0.5
"""Largest part of the recipe's time that the notebook may take."""
LEAST_ACCURACY = 0.91
"""Smallest held-out accuracy, on the 1,000 digits that the notebook does not train on."""


def run_all(path: Path) -> tuple[float, float, NotebookNode]:
    """Run all cells of a py:percent notebook in a new kernel.

    Returns
    -------
    seconds, processor_seconds : float
        Wall-clock time, and time on the processors.
    notebook : NotebookNode
        With its outputs.
    """
    notebook = jupytext.read(path, fmt="py:percent")
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    )
    with tempfile.TemporaryDirectory() as hidden:
        for package in NOT_A_STUDENTS:
            (Path(hidden) / f"{package}.py").write_text("raise ImportError")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        client.execute(env={**os.environ, "PYTHONPATH": hidden})
        seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, busy, notebook


def held_out_accuracy(notebook: NotebookNode) -> float:
    """Read the accuracy that the confusion matrix's summary states."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain", "")
            if found := re.search(r"([\d,]+) of ([\d,]+) right \(", text):
                right, total = (int(number.replace(",", "")) for number in found.groups())
                return right / total
    raise SystemExit("The notebook's outputs hold no confusion matrix: did its cells change?")


def main() -> int:
    """Print both times and their ratio; return 1 if the notebook is too slow or too inaccurate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=1, help="runs of each (default: 1)")
    repeat = parser.parse_args().repeat
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The first import reads TensorFlow from the disk, which should count for neither.
    subprocess.run([sys.executable, "-c", "import keras"], check=True, stderr=subprocess.DEVNULL)
    recipe, notebook, accuracy = [], [], 0.0
    for _ in range(repeat):
        recipe.append(run_all(ROOT / "bench" / "recipe.py")[:2])
        *times, outputs = run_all(ROOT / "course" / "lab_digits.py")
        notebook.append(tuple(times))
        accuracy = held_out_accuracy(outputs)
    columns = [
        [statistics.median(run[i] for run in runs) for runs in (recipe, notebook)]
        + [statistics.median(n[i] / r[i] for n, r in zip(notebook, recipe, strict=True))]
        for i in (0, 1)
    ]
    passed = columns[0][2] <= MOST and accuracy >= LEAST_ACCURACY
    print("Run all of lab_digits, TensorFlow's import included        wall   processor")
    names = ("the recipe (40 epochs, 64 predictions), s", "the solved notebook, s", "ratio")
    for name, wall, busy in zip(names, *columns, strict=True):
        digits = 2 if name == "ratio" else 1
        print(f"  {name:<52} {wall:8.{digits}f} {busy:11.{digits}f}")
    print(f"  held-out accuracy (at least {LEAST_ACCURACY})                     {accuracy:8.3f}")
    print(
        f"  {'✓ within' if passed else '✗ outside'} the bounds: ratio {MOST}, accuracy {LEAST_ACCURACY}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
