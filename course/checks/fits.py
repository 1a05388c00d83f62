"""Runs in the student's kernel before the student's code: which trainings ran, and on which rows."""

import functools
import inspect
import weakref
import zlib

import keras
import numpy as np


def noting(fit_model):
    """Return `fit`, noting of each model what it was trained on and what came of it."""
    signature = inspect.signature(fit_model)
    trainings = weakref.WeakKeyDictionary()

    @functools.wraps(fit_model)
    def fit(self, *args, **kwargs):
        history = fit_model(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        note = (weakref.ref(history), losses_of(history), rows_of(given), sum_of(self))
        trainings.setdefault(self, []).append(note)
        return history

    fit.trainings = trainings
    return fit


def losses_of(history):
    """Return the figures of a training as they now are."""
    return {name: list(values) for name, values in history.history.items()}


def sum_of(model):
    """Return a check sum of the weights."""
    return [zlib.crc32(np.ascontiguousarray(weight).tobytes()) for weight in model.get_weights()]


def rows_of(given):
    """Return a check sum of each row that was trained on: uint32; None if they are no array."""
    x = given.get("x")
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.dtype.kind not in "iufb":
        return None
    part = given.get("validation_split") or 0
    x = np.ascontiguousarray(x[: int(len(x) * (1 - part))], dtype=np.float32)
    return np.array([zlib.crc32(row.tobytes()) for row in x], dtype=np.uint32)


def trainings_of(model, history):
    """Say what was seen of the training of a model.

    Returns
    -------
    dict
        ``fits``: how often it was trained; ``history``: whether this is what one of them returned,
        unchanged; ``weights``: whether its weights are those that the last left; ``rows``: check sums
        of all rows that it was trained on, each once, None if they are not known.
    """
    seen = keras.Model.fit.trainings.get(model, []) if isinstance(model, keras.Model) else []
    rows = [note[2] for note in seen]
    known = bool(rows) and all(part is not None for part in rows)
    return {
        "fits": len(seen),
        "history": any(
            of() is history and losses == losses_of(history) for of, losses, _, _ in seen
        ),
        "weights": bool(seen) and seen[-1][3] == sum_of(model),
        "rows": np.unique(np.concatenate(rows)) if known else None,
    }


if not hasattr(keras.Model.fit, "trainings"):
    keras.Model.fit = noting(keras.Model.fit)
