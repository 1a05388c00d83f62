"""The experiment of lab_mnist: how many units, with or without Dropout, chosen on a validation part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labkit.drawing import BLUE, ORANGE, panels, show
from labkit.full_mnist import hold_out, small_set
from labkit.training import Line
from labkit.values_in_words import Array

MEASURED = ["accuracy"]


class Experiment:
    """3,000 digits to train on, 1,000 to choose by, 1,000 to judge by; and the networks tried so far.

    All from the 5,000 digits that came with the lab, so that a try takes seconds.
    """

    def __init__(self) -> None:
        images, labels, test, self.y_test = small_set()
        train, self.y_train, validation, self.y_validation = hold_out(images, labels, every=4)
        self.X_train, self.X_validation, self.X_test = (
            part.reshape(len(part), 784).astype("float32") / 255
            for part in (train, validation, test)
        )
        self.models: dict[tuple[int, float], Any] = {}
        self.judged = 0

    def try_out(self, units: int, dropout: float) -> None:
        """Train 784-units-10, with Dropout behind the hidden layer; print the validation accuracy.

        It stops early: when the validation loss has not got better for five epochs, the weights of
        the best epoch are put back.
        """
        import keras

        keras.utils.set_random_seed(1234)
        layers = [keras.Input((784,)), keras.layers.Dense(units, activation="relu")]
        layers += [keras.layers.Dropout(dropout)] if dropout else []
        model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
        loss = "sparse_categorical_crossentropy"
        model.compile("adam", loss, metrics=MEASURED, steps_per_execution=10)
        stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
        history = model.fit(
            self.X_train,
            self.y_train,
            validation_data=(self.X_validation, self.y_validation),
            epochs=60,
            batch_size=100,
            verbose=0,
            callbacks=[stop],
        )
        self.models[units, dropout] = model
        accuracy = self._accuracy(model, self.X_validation, self.y_validation)
        on_train = self._accuracy(model, self.X_train, self.y_train)
        Line().write(
            f"{units} units, Dropout {dropout:g}: {accuracy:.3f} on the validation part, {on_train:.3f} "
            f"on the training part, stopped after {len(history.epoch)} epochs."
        )

    @staticmethod
    def _accuracy(model: Any, X: Array, y: Array) -> float:
        outputs = np.asarray(model(X))  # `predict` would trace a graph for each network
        return float((outputs.argmax(axis=1) == y).mean())

    def draw(self, table: Mapping[tuple[int, float], Any]) -> None:
        """Draw the accuracies that were filled into a table: by units, with and without Dropout."""
        filled: dict[tuple[int, float], float] = {}
        for key, value in table.items():
            try:
                filled |= {} if value is ... else {key: float(value)}
            except (TypeError, ValueError):
                print(f"Accuracies are fractions, such as 0.912; the table has {value!r}.")
                return
        if not filled:
            print("There is nothing in the table yet: put the accuracies in place of the dots.")
            return
        wrong = [f"{value:g}" for value in filled.values() if not 0 <= value <= 1]
        if wrong:
            print(f"Accuracies are fractions, such as 0.912; the table has {', '.join(wrong)}.")
            return
        sizes = sorted({units for units, _ in table})
        figure, (axes,) = panels(5, 2.8)
        for dropout, color, marker in zip(
            sorted({rate for _, rate in table}), (BLUE, ORANGE), ("o-", "s--"), strict=False
        ):
            places = [i for i, units in enumerate(sizes) if (units, dropout) in filled]
            values = [filled[sizes[i], dropout] for i in places]
            axes.plot(places, values, marker, color=color, label=f"Dropout {dropout:g}")
        axes.set(
            xticks=range(len(sizes)),
            xticklabels=sizes,
            xlabel="units",
            ylabel="validation accuracy",
        )
        axes.legend()
        axes.grid(alpha=0.3)
        best = max(filled, key=lambda key: filled[key])
        show(
            figure,
            "Validation accuracy against the number of units: one line with Dropout, one without.",
            f"{len(filled)} of {len(table)} filled in; the best so far: {best[0]} units, Dropout "
            f"{best[1]:g}, {filled[best]:.3f}.",
        )

    def judge(self, units: Any, dropout: Any) -> None:
        """Read the test accuracy of the network that was chosen; more than once is pointed out."""
        if units is ... or dropout is ...:
            print("Choose by the validation part first; the test part is read once.")
            return
        if (units, dropout) not in self.models:
            print(f"{units} units with Dropout {dropout:g} were not tried out yet: do that first.")
            return
        self.judged += 1
        accuracy = self._accuracy(self.models[units, dropout], self.X_test, self.y_test)
        print(f"{units} units, Dropout {dropout:g}: {accuracy:.3f} on the test part.")
        if self.judged > 1:
            print(
                f"That was reading number {self.judged}: whoever reads several times and keeps the best "
                "has chosen by the test part, and it judges no more."
            )
