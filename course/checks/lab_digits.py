"""How lab_digits is marked: eight exercises, a module of ``course/checks/digits`` for each."""

from __future__ import annotations

from pathlib import Path

from course import quick
from course.checks import photos
from course.checks.digits import dense, loss, model, predict, preprocess, softmax, split, train
from course.checks.public import INSIDE, LABKIT
from proctor.checks import Lab

lab = Lab(
    "lab_digits",
    title="Handwritten digits",
    seed=1234,
    helpers=(
        INSIDE,
        Path("course/checks/prepared.py"),
        *quick.HELPERS,
        Path("course/checks/traced.py"),
        Path("course/checks/fits.py"),
    ),
    records=True,
    prepare=photos.make_scenes,
    files=(
        Path("utils.py"),
        Path("public_tests.py"),
        *LABKIT,
        Path("Data/ex3data1.mat"),
        Path("Data/mnist_5k.npz"),
        Path("Data/handwriting"),
    ),
    release=(
        "lab_digits.ipynb",
        "utils.py",
        "public_tests.py",
        "labkit/*.py",
        "labkit/exercises/*.py",
        "requirements.txt",
        "docs/student.md",
        "Data/README.md",
        "Data/ex3data1.mat",
        "Data/mnist_5k.npz",
        "Data/handwriting/*",
        "explorer/*.py",
        "explorer/tour.json",
        "explorer/static/*",
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
    exercises=[
        part.exercise for part in (softmax, model, dense, split, loss, train, predict, preprocess)
    ],
    cell_seconds=30.0,  # of processor time; the longest right cell, the training, takes 6
    total_seconds=180.0,
    memory_mb=6144,
)
