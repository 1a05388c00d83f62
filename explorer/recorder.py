"""A Keras callback that keeps the weights of every epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Snapshot = list[NDArray[np.float32]]


class Recorder:
    """Keep the weights and the metrics of every epoch, the beginning included.

    Give it to ``model.fit(..., callbacks=[recorder])`` and then to ``Explorer(..., history=
    recorder)``. It has every method that Keras calls on a callback and derives from none of
    Keras's classes, so that importing the explorer does not import TensorFlow.

    Attributes
    ----------
    epochs : list of dict
        ``{"epoch": 0}``, then one a finished epoch with what Keras logged (loss, accuracy, ...).
    snapshots : list of list of float32 arrays
        ``model.get_weights()`` at the same moments: 42 kB an epoch for the lab's model.
    """

    #: Keras may run batches without waiting for this callback: it does nothing between them.
    async_safe = True

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.snapshots: list[Snapshot] = []
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Remember the model; Keras calls this before training."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember the training's parameters; Keras calls this before training."""
        self.params = params

    def _keep(self, metrics: dict[str, float]) -> None:
        epoch = float(len(self.epochs))
        self.epochs.append({"epoch": epoch, **metrics})
        # A copy: what a model returns may be its own array, which training goes on to change.
        self.snapshots.append([np.array(w, np.float32) for w in self.model.get_weights()])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights before the first epoch; a second fit carries on where the first ended."""
        if not self.epochs:
            self._keep({})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights after an epoch, and its metrics."""
        self._keep({name: float(value) for name, value in (logs or {}).items()})

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        """Keras calls this; there is nothing to do."""

    on_train_end = _nothing
    on_epoch_begin = _nothing
    on_batch_begin = on_batch_end = _nothing
    on_train_batch_begin = on_train_batch_end = _nothing
    on_test_begin = on_test_end = on_test_batch_begin = on_test_batch_end = _nothing
    on_predict_begin = on_predict_end = _nothing
    on_predict_batch_begin = on_predict_batch_end = _nothing
