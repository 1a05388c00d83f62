"""Run the solved lab_mnist on the full set and print its table.

Run with ``python -m bench.mnist [--small]``. The full set is taken from ``../shared/data/mnist.npz``, from
``Data/mnist.npz`` or from Keras's cache; nothing is downloaded. With ``--small``, or where there is
no full set, the notebook runs on the 5,000 digits of ``Data/mnist_5k.npz``, and its seconds are held
against the recipe that lab_digits replaces, run after it: machines differ by a factor of three.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbformat import NotebookNode

import utils_mnist
from bench.notebook import run_all

ROOT = Path(__file__).resolve().parent.parent
LEAST = {
    "baseline, 5 epochs": (0.0, 97.0),
    "baseline, 10 epochs": (0.0, 97.2),
    "deep, 100 epochs": (99.8, 97.3),
    "dense": (0.0, 97.0),
    "convolutional": (0.0, 99.0),
}
"""With the full set: least accuracy in training and on the test digits, in percent."""
LEAST_PHOTOS = 10
MOST_SECONDS = 300
"""With the full set, for all cells after the one that imports TensorFlow, on two cores of its own."""
MOST_RECIPES = 2.5
"""The same with the 5,000 digits, in times of the recipe: 40 s where that takes 16 s."""
OWN = 0.75
"""With less processor time than this for each second, other work held the notebook up: its seconds
are then printed and not judged."""


def full_set() -> Path | None:
    """Return where the full set is, or None."""
    places = (
        ROOT.parent / "shared" / "data" / "mnist.npz",
        ROOT / "Data" / "mnist.npz",
        utils_mnist.keras_cache(),
    )
    return next((path for path in places if path.is_file()), None)


def lay_out(folder: Path, full: Path | None) -> None:
    """Put what a student has into `folder`, and the full set where it is asked for."""
    for name in ("utils.py", "utils_mnist.py", "public_tests.py", "public_tests_mnist.py"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "labkit", folder / "labkit", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "explorer", folder / "explorer", ignore=shutil.ignore_patterns("src"))
    shutil.copytree(ROOT / "Data" / "handwriting", folder / "Data" / "handwriting")
    shutil.copy(ROOT / "Data" / "mnist_5k.npz", folder / "Data")
    if full is not None:
        shutil.copy(full, folder / "Data" / "mnist.npz")


def run(full: Path | None) -> tuple[NotebookNode, float, float]:
    """Run the solved notebook; return it, the seconds of its first cell and those of the others."""
    notebook = jupytext.read(ROOT / "course" / "lab_mnist.py", fmt="py:percent")
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name), full)
        client = NotebookClient(
            notebook,
            timeout=1800,
            kernel_name="python3",
            resources={"metadata": {"path": name}},
            on_cell_executed=lambda **_: ends.append(time.perf_counter()),
        )
        start = time.perf_counter()
        client.execute(env=_environment(full is None))
    return notebook, ends[0] - start, ends[-1] - ends[0]


def _environment(small: bool) -> dict[str, str]:
    """Hide Keras's cache where the 5,000 are wanted, so that every machine runs the same."""
    hidden = {
        "KERAS_HOME": tempfile.gettempdir() + "/no-keras-cache",
        "https_proxy": "http://127.0.0.1:9",
    }
    return {**os.environ, **(hidden if small else {})}


def text_of(notebook: NotebookNode, name: str) -> str:
    """Return all text that the cell with the id `name` shows."""
    (cell,) = (c for c in notebook.cells if c.metadata.get("id") == name)
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def figures(table: str) -> dict[str, tuple[float, float]]:
    """Read the table: accuracy in training and on the test digits, in percent, for each model."""
    lines = [line for line in table.splitlines() if line.rstrip().endswith("%")]
    found = {}
    for line in lines:
        train, test = (float(n) for n in re.findall(r"([\d.]+)%", line))
        found[re.split(r"  +", line)[0]] = (train, test)
    return found


def main() -> int:
    """Print the table; return 1 if the full set's figures are below what they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="use the 5,000 digits")
    small = parser.parse_args().small
    full = None if small else full_set()
    if full is None and not small:
        print("There is no full set here (Data/mnist.npz): the 5,000 digits are used.")
    notebook, first, others = run(full)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = spent.ru_utime + spent.ru_stime
    held_up = processor < OWN * (first + others)
    table = text_of(notebook, "table")
    photos = text_of(notebook, "all_photos")
    which = "5,000 digits" if full is None else "full set"
    print(f"lab_mnist, solved, with the {which}")
    print(table)
    read = re.search(r"(\d+) of 12 photographs", photos)
    right = int(read[1]) if read else 0
    print(f"photographs read by the baseline: {right} of 12")
    print(
        f"first cell (imports) {first:.0f} s, all others {others:.0f} s; processor {processor:.0f} s"
    )
    if held_up:
        print("Other work held the notebook up: its seconds are not judged.")
    known = figures(table)
    failed = [
        f"{name}: {known.get(name)}"
        for wanted, (train, test) in (LEAST if full else {}).items()
        for name in [next((n for n in known if n.startswith(wanted)), wanted)]
        if known.get(name, (0, 0))[0] < train or known.get(name, (0, 0))[1] < test
    ]
    if full and right < LEAST_PHOTOS:
        failed.append(f"photographs: {right}")
    most = MOST_SECONDS
    if full is None:
        recipe = run_all(ROOT / "bench" / "recipe.py")[0]
        most = round(MOST_RECIPES * recipe)
        print(f"the recipe {recipe:.0f} s: {others / recipe:.2f} times that (most: {MOST_RECIPES})")
    if others > most and not held_up:
        failed.append(f"{others:.0f} s, more than {most} s")
    print("below what it should be: " + "; ".join(failed) if failed else "all as it should be")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
