"""Was a network trained by `fit`, and on which rows? What was seen of it in the student's kernel.

The notes are the kernel's (``fits.py``): who goes out of their way to forge them can. What they say is
held against what is known here: the rows of X, the weights, what `split_data` gives.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from proctor.checks import Finding, Side


@dataclass(frozen=True)
class Training:
    """What was seen of the training of a model.

    Attributes
    ----------
    fits : int
        How often it was trained.
    history : bool
        Whether the student's history is what one of these returned, unchanged.
    weights : bool
        Whether its weights are those that the last one left.
    rows : ndarray of uint32, shape (n,), or None
        Check sums of the rows that it was trained on, where these are known.
    """

    fits: int
    history: bool
    weights: bool
    rows: np.ndarray | None


def seen(side: Side, model: str, history: str) -> Training:
    """Return what was seen of the training of the student's `model`."""
    value = side.evaluate(f"trainings_of({model}, globals().get('{history}'))")
    kinds = {"fits": int, "history": bool, "weights": bool}
    rows = value.get("rows") if isinstance(value, dict) else None
    if (
        not isinstance(value, dict)
        or any(type(value.get(key)) is not kind for key, kind in kinds.items())
        or not (rows is None or (isinstance(rows, np.ndarray) and rows.dtype == np.uint32))
    ):
        raise Finding(
            "How the model was trained could not be described.",
            next="Restart the kernel and run all cells.",
        )
    return Training(value["fits"], value["history"], value["weights"], rows)


def need_fit(training: Training, model: str, history: str) -> None:
    """Raise :class:`Finding` unless the history is what `fit` returned for this model."""
    if training.history:
        return
    cause = f"{history} is not what {model}.fit returned, or it was changed since."
    if not training.fits:
        cause = f"{model}.fit was not seen to train this model."
    raise Finding(
        cause,
        called=history,
        expected=f"the History that {model}.fit returns",
        got=f"{training.fits} trainings of this model",
        next=f"Train with {model}.fit in this exercise's cell, and give the name {history} to what it "
        "returns.",
    )


def need_own_weights(training: Training, model: str) -> None:
    """Raise :class:`Finding` unless the model's weights are those that its last `fit` left."""
    if not training.weights:
        raise Finding(
            "The network's weights are not those that fit left.",
            called=f"{model}.get_weights()",
            expected=f"the weights after the last {model}.fit",
            got="others",
            next="Leave the weights as fit leaves them; run the model's cell and this one again.",
        )


def check_sums(X: np.ndarray) -> np.ndarray:
    """Return a check sum of each row of X, as ``fits.py`` does: uint32."""
    rows = np.ascontiguousarray(X, dtype=np.float32)
    return np.array([zlib.crc32(row.tobytes()) for row in rows], dtype=np.uint32)
