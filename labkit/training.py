"""What watches a training, and what is measured of a trained network."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit.messages import LabError
from labkit.values_in_words import Array


def one_layer_model(n_inputs: int = 400, n_classes: int = 10) -> Any:
    """Return a small compiled Keras model, for quick experiments with data."""
    import keras

    model = keras.Sequential(
        [keras.Input(shape=(n_inputs,)), keras.layers.Dense(n_classes, activation="softmax")]
    )
    # Eagerly: for a few steps, building the graph would take longer than they do.
    model.compile(
        keras.optimizers.RMSprop(0.01),
        "sparse_categorical_crossentropy",
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=True,
    )
    return model


def training_callbacks(X_test: Array, y_test: Array) -> tuple[list[Any], Any]:
    """Return what `fit` can be given to watch the training.

    Parameters
    ----------
    X_test : ndarray, shape (m, n)
        Held-out rows; the loss and the accuracy on them join the history of every epoch.
    y_test : ndarray of int, shape (m,)
        Their labels.

    Returns
    -------
    callbacks : list of keras.callbacks.Callback
        The held-out figures, a progress line, and the explorer's recorder where the explorer is
        installed.
    recorder : explorer.Recorder or None
        Keeps the weights of every epoch for the explorer.
    """
    import keras

    class HeldOut(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Add `val_loss` and `val_accuracy`: as `validation_data` does, in one batch.

        Where `fit` was given `validation_data`, its figures stay.
        """

        def on_train_begin(self, logs: Any = None) -> None:
            self.rows = keras.ops.convert_to_tensor(np.asarray(X_test, dtype=np.float32))
            self.labels = keras.ops.convert_to_tensor(np.ravel(y_test))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if logs is None or "val_loss" in logs:
                return
            outputs = self.model.predict_on_batch(self.rows)
            logs["val_loss"] = float(self.model.compute_loss(y=self.labels, y_pred=outputs))
            logs["val_accuracy"] = float((np.argmax(outputs, axis=1) == np.ravel(y_test)).mean())

    class ProgressLine(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """One line that is written over, epoch by epoch, instead of forty lines."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.started = self.shown = time.monotonic()
            self.line = Line()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            last = epoch + 1 == self.params.get("epochs")
            if not last and time.monotonic() - self.shown < SHOWN_EVERY:
                return
            self.shown = time.monotonic()
            figures = ", ".join(
                f"{'held-out ' if name.startswith('val_') else ''}{name.removeprefix('val_')} {value:.3f}"
                for name, value in (logs or {}).items()
            )
            seconds = time.monotonic() - self.started
            of = self.params.get("epochs", "?")
            self.line.write(f"Epoch {epoch + 1} of {of} ({seconds:.0f} s): {figures}")

    try:
        from explorer import Recorder
    except ImportError:
        return [HeldOut(), ProgressLine()], None
    recorder = Recorder()
    return [HeldOut(), ProgressLine(), recorder], recorder


SHOWN_EVERY = 0.5
"""Seconds after which the line of progress is written anew."""


class Line:
    """A line of output that the next text replaces; outside IPython the lines follow each other."""

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
            print(text)
            return
        from IPython.display import display

        bundle = {"text/plain": text}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)


def watch() -> Any:
    """Return a Keras callback: one line of progress that is written over, and a clock.

    ``seconds`` adds up over a training that goes on (`initial_epoch`), and begins anew with another.
    """
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Shows the newest epoch, and adds up how long training took."""

        def __init__(self) -> None:
            super().__init__()
            self.seconds = 0.0

        def on_train_begin(self, logs: Any = None) -> None:
            self.started = time.monotonic() - self.seconds
            self.line = Line()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 0:
                self.started = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.monotonic() - self.started
            of = self.params.get("epochs", "?")
            figures = ", ".join(
                f"{'test ' if name.startswith('val_') else ''}{name.removeprefix('val_')} {value:.4f}"
                for name, value in (logs or {}).items()
            )
            self.line.write(f"Epoch {epoch + 1} of {of} ({self.seconds:.0f} s): {figures}")

    return Watch()


def watchers() -> tuple[list[Any], Any]:
    """Return what `fit` is given: a `watch`, and the explorer's recorder where it is installed."""
    try:
        from explorer import Recorder
    except ImportError:
        return [watch()], None
    recorder = Recorder()
    return [watch(), recorder], recorder


def as_input(model: Any, X: Array) -> Array:
    """Return rows (m, 784) in the shape that a model takes: (m, 784), (m, 28, 28)..."""
    return np.asarray(X).reshape(len(X), *model.input_shape[1:])


def predict(model: Any, X: Array) -> Array:
    """Return the probabilities that a model gives for rows (m, 784): float64 (m, 10)."""
    rows = as_input(model, X)
    # Called as a function: `predict` would trace a graph for each network, and warn of it.
    given = [np.asarray(model(rows[at : at + 2000])) for at in range(0, len(rows), 2000)]
    return np.concatenate(given).astype(np.float64)


def accuracy(model: Any, X: Array, y: Array) -> float:
    """Return the part of the rows that a model reads right."""
    return float((predict(model, X).argmax(axis=1) == y).mean())


@dataclass(repr=False)
class Results:
    """The closing table: one line per model, computed from the models themselves."""

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    lines: dict[str, tuple[int, int, float, float, float]] = field(default_factory=dict)

    def add(self, name: str, model: Any, epochs: int, seconds: float, batch: int = 0) -> None:
        """Measure a trained model on both parts and keep a line for it.

        With the size of a `batch`, the steps that the optimizer took have to be those of the epochs.

        Raises
        ------
        LabError
            The model was not trained: its weights would be measured as chance left them. Or it was
            trained for longer than the line would say.
        """
        steps = int(np.asarray(getattr(model.optimizer, "iterations", 0)))
        if not steps:
            raise LabError(f"{name} is not trained yet.")
        trained = steps / -(-len(self.y_train) // batch) if batch else epochs
        if trained != epochs:
            raise LabError(
                f"{name}: by now this network was trained for {trained:g} epochs, since training goes on "
                "where it ended. Run the cell that makes it again, then those from there on, once each."
            )
        on_train = accuracy(model, self.X_train, self.y_train)
        on_test = accuracy(model, self.X_test, self.y_test)
        self.lines[name] = (int(model.count_params()), epochs, seconds, on_train, on_test)
        print(f"{name}: {on_train:.2%} of the training digits, {on_test:.2%} of the test digits.")

    def __repr__(self) -> str:
        head = (
            f"{'model':<24}{'parameters':>11}{'epochs':>8}{'seconds':>9}{'training':>10}{'test':>8}"
        )
        rows = [
            f"{name:<24}{parameters:>11,}{epochs:>8}{seconds:>9.0f}{on_train:>10.2%}{on_test:>8.2%}"
            for name, (parameters, epochs, seconds, on_train, on_test) in self.lines.items()
        ]
        return "\n".join([head, *rows])

    def _repr_html_(self) -> str:
        names = ("model", "parameters", "epochs", "seconds", "training accuracy", "test accuracy")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left">{name}</th><td>{parameters:,}</td>'
            f"<td>{epochs}</td><td>{seconds:.0f}</td><td>{on_train:.2%}</td><td>{on_test:.2%}</td></tr>"
            for name, (parameters, epochs, seconds, on_train, on_test) in self.lines.items()
        )
        sizes = f"{len(self.y_train):,} digits to train on, {len(self.y_test):,} held out"
        return f"<table><caption>{sizes}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
