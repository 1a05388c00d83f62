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
    "photo": "Exercise 5, photograph",
}
"""What each exercise is called, by the id of its graded cell."""

TITLES = LAB_DIGITS | LAB_MNIST

MARKERS = {
    f"UNQ_{letter}{number}": exercise
    for letter, lab in (("C", LAB_DIGITS), ("M", LAB_MNIST))
    for number, exercise in enumerate(lab, 1)
}
"""Which exercise a marker in a graded cell stands for."""

TESTS = {
    "test_my_softmax": "softmax",
    "test_model": "model",
    "test_my_dense": "dense",
    "test_split_data": "split",
    "test_cross_entropy": "loss",
    "test_training": "train",
    "test_predict_digits": "predict",
    "test_preprocess": "preprocess",
} | {f"test_{exercise}": exercise for exercise in LAB_MNIST}
"""Which exercise a check that the notebook calls belongs to."""
