"""The wrong and the right answers of lab_digits, collected from one module per exercise."""

from __future__ import annotations

from course.mutants import (
    Listed,
    Variant,
    complete,
    dense,
    loss,
    model,
    other_forms,
    predict,
    preprocess,
    softmax,
    split,
    train,
)

_EXERCISES = (softmax, model, dense, split, loss, train, predict, preprocess)

MUTANTS: tuple[Listed, ...] = complete(m for exercise in _EXERCISES for m in exercise.MUTANTS)
"""Wrong answers; each names the check that must not pass and what its cause must contain."""

VARIANTS: tuple[Variant, ...] = complete(
    v for answers in (*_EXERCISES, other_forms) for v in answers.VARIANTS
)
"""Right answers of other forms."""

RIGHT: dict[str, str] = {
    "softmax": softmax.RIGHT,
    "model": model.RIGHT,
    "dense": dense.RIGHT,
    "split": split.RIGHT,
    "loss": loss.RIGHT,
    "train": train.RIGHT,
    "predict": predict.RIGHT,
    "preprocess": preprocess.RIGHT,
}
"""A right graded cell for each exercise, in the order of the notebook."""
