"""A model whose outputs are known, for students who have none that works yet.

Run in the student's kernel after ``labkit/inspection.py``, in the same namespace. There it must not
import it: the process that all kernels are forks of, in which it is loaded once, has no ``labkit``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

if "watched_prediction" not in globals():
    from labkit.inspection import Array, watched_prediction


class Prepared:
    """A model whose outputs are known beforehand, for whoever has none that works yet.

    Parameters
    ----------
    X : ndarray, shape (m, n)
        The rows that it knows.
    outputs : ndarray, shape (m, 10)
        What it gives for them.
    """

    def __init__(self, X: Array, outputs: Array) -> None:
        self._outputs = {
            row.tobytes(): out
            for row, out in zip(np.asarray(X, dtype=np.float32), outputs, strict=True)
        }

    def predict(self, X: Any, *_: Any, **__: Any) -> Array:
        """Return the outputs for rows of the known X, float32."""
        rows = np.asarray(X, dtype="float32")
        if rows.ndim != 2:
            raise ValueError(f"expected rows of shape (m, 400), got an input of shape {rows.shape}")
        return np.array([self._outputs[row.tobytes()] for row in rows], dtype="float32")

    def predict_on_batch(self, X: Any) -> Array:
        """Return the outputs for rows of the known X, float32."""
        return self.predict(X)

    def __call__(self, X: Any, *_: Any, **__: Any) -> Array:
        return self.predict(X).view(_WithNumpy)


class _WithNumpy(np.ndarray[Any, Any]):
    """An array that has the ``numpy()`` of a tensor."""

    def numpy(self) -> Array:
        return np.asarray(self)


def prepared_prediction(predict_digits: Any, X: Array, outputs: Array) -> dict[str, Any]:
    """Call `predict_digits` with a model whose outputs for X are known."""
    return watched_prediction(predict_digits, Prepared(X, outputs), X)
