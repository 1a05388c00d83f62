"""How lab_digits is marked: seven exercises, their checks and points.

A check whose body stands in ``public_tests.py`` is the one that the student ran; the hidden ones
run the same bodies, or their own, on inputs drawn for the submission at hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import public_tests as public
from proctor.checks import Lab, Side

Draw = np.random.Generator

lab = Lab(
    "lab_digits",
    title="Handwritten digits",
    seed=1234,
    helpers=(Path("public_tests.py"),),
    files=(
        Path("utils.py"),
        Path("public_tests.py"),
        Path("Data/ex3data1.mat"),
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_digits.ipynb",
        "utils.py",
        "public_tests.py",
        "requirements.txt",
        "Data/README.md",
        "Data/ex3data1.mat",
        "Data/mnist_5k.npz",
        "Data/handwriting/*",
        "explorer/**/*.py",
        "explorer/**/*.js",
        "explorer/**/*.css",
    ),
    warm=(
        "numpy",
        "scipy.io",
        "scipy.ndimage",
        "matplotlib.pyplot",
        "PIL.Image",
        "tensorflow",
        "keras",
    ),
    cell_seconds=120.0,
    total_seconds=400.0,
    memory_mb=6144,
)


# --- Exercise 1: softmax ------------------------------------------------------------------------

softmax = lab.exercise("softmax", public.TITLES["softmax"], points=15)


def true_softmax(z: np.ndarray) -> np.ndarray:
    """Softmax along the last axis: float64, shape as `z`."""
    shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


@softmax.check(points=1, hidden=False)
def softmax_returns(side: Side, draw: Draw) -> None:
    """what comes back"""
    public.softmax_returns(side.get("my_softmax"))


@softmax.check(points=2, hidden=False)
def softmax_by_hand(side: Side, draw: Draw) -> None:
    """written by hand"""
    public.softmax_by_hand(side.source("softmax"))
    side.get("my_softmax")  # what does not exist is not written by hand either


@softmax.check(points=1, hidden=False, needs=("softmax-returns", "softmax-by-hand"))
def softmax_sum(side: Side, draw: Draw) -> None:
    """probabilities"""
    public.softmax_sum(side.get("my_softmax"))


@softmax.check(points=3, hidden=False, needs=("softmax-sum",))
def softmax_values(side: Side, draw: Draw) -> None:
    """a first example"""
    public.softmax_case(side.get("my_softmax"), "values")


@softmax.check(points=1, hidden=False, needs=("softmax-values",))
def softmax_negatives(side: Side, draw: Draw) -> None:
    """negative inputs"""
    public.softmax_case(side.get("my_softmax"), "negatives")


@softmax.check(points=2, hidden=False, needs=("softmax-values",))
def softmax_large_inputs(side: Side, draw: Draw) -> None:
    """large inputs"""
    public.softmax_case(side.get("my_softmax"), "large", "small")


@softmax.check(points=1, hidden=False, needs=("softmax-returns",))
def softmax_untouched(side: Side, draw: Draw) -> None:
    """z is left alone"""
    public.softmax_untouched(side.get("my_softmax"))


@softmax.check(points=2, needs=("softmax-values", "softmax-negatives"))
def softmax_unseen(side: Side, draw: Draw) -> None:
    """inputs that you have not seen"""
    my_softmax = side.get("my_softmax")
    for size in (2, 5, int(draw.integers(6, 30))):
        z = draw.normal(0, 3, size)
        public.softmax_compare(my_softmax, z, true_softmax(z))


@softmax.check(points=1, needs=("softmax-values", "softmax-negatives"))
def softmax_ties(side: Side, draw: Draw) -> None:
    """equal elements, and a single one"""
    my_softmax = side.get("my_softmax")
    tie, other = draw.normal(0, 2, 2)
    for z in (np.array([tie, other, tie]), np.full(4, tie), np.array([other])):
        public.softmax_compare(my_softmax, z, true_softmax(z))


@softmax.check(points=1, needs=("softmax-large-inputs",))
def softmax_wide(side: Side, draw: Draw) -> None:
    """very small and very large inputs in one row"""
    my_softmax = side.get("my_softmax")
    wide = float(draw.uniform(1600, 3000))
    for z in (np.array([-wide, 0.0, wide]), np.array([0.0, 1.0, -2 * wide, -1.0, 4 * wide])):
        public.softmax_compare(my_softmax, z, true_softmax(z))
