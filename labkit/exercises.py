"""The exercises of both labs: what each is called, and the marker in its graded cell."""

from __future__ import annotations

LAB_DIGITS = {
    "softmax": "Exercise 1, softmax",
    "model": "Exercise 2, model",
    "dense": "Exercise 3, dense layer",
    "split": "Exercise 4, split",
    "loss": "Exercise 5, loss",
    "train": "Exercise 6, train",
    "predict": "Exercise 7, predict",
    "preprocess": "Exercise 8, preprocess",
}
LAB_MNIST = {
    "prepare": "Exercise 1, prepare",
    "baseline": "Exercise 2, baseline",
    "deep": "Exercise 3, deep network",
    "confusion": "Exercise 4, confusion",
    "photo": "Exercise 6, photograph",
}
"""What each exercise is called, by the id of its graded cell."""

TITLES = LAB_DIGITS | LAB_MNIST

MARKERS = {
    f"UNQ_{letter}{number}": exercise
    for letter, lab in (("C", LAB_DIGITS), ("M", LAB_MNIST))
    for number, exercise in enumerate(lab, 1)
}
"""Which exercise a marker in a graded cell stands for."""
