"""Exercise 6: how students compile and fit.

What a check says of a training shows after a few epochs where it does not depend on how long the
training was; these mutants train as briefly as that allows.
"""

from __future__ import annotations

from course.mutants import Listed, Variant, model

LOSS = "SparseCategoricalCrossentropy(from_logits=True)"


def cell(
    loss: str = LOSS,
    optimizer: str = "Adam(0.01)",
    rows: str = "X_train, y_train",
    options: str = "epochs=8, batch_size=64",
    keep: str = "history = ",
) -> str:
    """Return the graded cell; its defaults reach what is asked for in eight epochs."""
    return (
        "# UNQ_C6\n# GRADED CELL: compile and fit\nkeras.utils.set_random_seed(1234)\n"
        f"model.compile(loss={loss}, optimizer={optimizer})\n"
        f"{keep}model.fit({rows}, {options}, verbose=0)\n"
    )


RIGHT = cell()
ONE_EPOCH = "epochs=1, batch_size=100"


def _mutant(id: str, row: int, check: str, says: str, code: str, **also: str) -> Listed:
    return Listed(f"train-{id}", "train", code, check, says, also, row=row)


PRETRAINED = (
    "model.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True), "
    "steps_per_execution=50)\n"
    "model.fit(X, y, epochs=30, batch_size=100, verbose=0)  # then corrected and run again\n"
)
ANOTHER = (
    "first = keras.models.clone_model(model)\n"
    "first.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True))\n"
    "history = first.fit(X_train, y_train, batch_size=100, verbose=0)\n"
)
SOFTMAX_MODEL = model.stack(model.INPUT, model.FIRST, model.SECOND, "Dense(10, 'softmax')")

MUTANTS = (
    _mutant("not-started", 0, "train-loss", "not compiled", "# UNQ_C6\nraise NotStarted\n"),
    _mutant(
        "softmax-twice",
        18,
        "train-loss",
        "applied twice",
        cell(options=ONE_EPOCH),
        model=SOFTMAX_MODEL,
    ),
    _mutant(
        "probabilities",
        26,
        "train-loss",
        "expects probabilities",
        cell("SparseCategoricalCrossentropy()", options=ONE_EPOCH),
    ),
    _mutant(
        "probabilities-by-name",
        26,
        "train-loss",
        "expects probabilities",
        cell("'sparse_categorical_crossentropy'", options=ONE_EPOCH),
    ),
    _mutant(
        "categorical",
        27,
        "train-loss",
        "one-hot",
        cell("keras.losses.CategoricalCrossentropy(from_logits=True)", options=ONE_EPOCH),
    ),
    _mutant(
        "categorical-by-name",
        27,
        "train-loss",
        "one-hot",
        cell("'categorical_crossentropy'", options=ONE_EPOCH),
    ),
    _mutant(
        "binary",
        27,
        "train-loss",
        "binary cross-entropy",
        cell("keras.losses.BinaryCrossentropy(from_logits=True)", options=ONE_EPOCH),
    ),
    _mutant(
        "first-rows",
        30,
        "train-learnt",
        "no 8 and no 9",
        cell(rows="X[:4000], y[:4000]", optimizer="Adam(0.005)", options="epochs=8, batch_size=32"),
    ),
    _mutant(
        "one-batch",
        29,
        "train-falls",
        "All rows were one batch",
        cell(optimizer="Adam(0.001)", options="epochs=4, batch_size=4000"),
    ),
    _mutant(
        "labels-shifted",
        35,
        "train-loss",
        "digit below",
        "y_train, y_test = (y_train - 1) % 10, (y_test - 1) % 10\n" + cell(options=ONE_EPOCH),
    ),
    _mutant(
        "labels-10",
        34,
        "train-loss",
        "labels 10 and no label 0",
        "y_train = np.where(y_train == 0, 10, y_train)\n" + cell(options=ONE_EPOCH),
    ),
    _mutant(
        "labels-one-less",
        35,
        "train-loss",
        "one less",
        "y_train = y_train - 1\n" + cell(options=ONE_EPOCH),
    ),
    _mutant(
        "mse",
        28,
        "train-loss",
        "distance between numbers",
        cell("'mse'", rows="X_train, y_train.reshape(-1, 1)", options=ONE_EPOCH),
    ),
    _mutant(
        "mae",
        28,
        "train-loss",
        "distance between numbers",
        cell("'mae'", rows="X_train, y_train.reshape(-1, 1)", options=ONE_EPOCH),
    ),
    _mutant(
        "adam-1", 29, "train-falls", "too large", cell(optimizer="Adam(1.0)", options="epochs=3")
    ),
    _mutant(
        "adam-tiny",
        29,
        "train-falls",
        "too small",
        cell(optimizer="Adam(1e-6)", options="epochs=2, batch_size=100"),
    ),
    _mutant(
        "sgd",
        29,
        "train-learnt",
        "SGD with learning rate 0.01",
        cell(optimizer="'sgd'", options="epochs=4, batch_size=16"),
    ),
    _mutant(
        "two-epochs",
        29,
        "train-learnt",
        "epochs are too few",
        cell(optimizer="Adam(0.001)", options="epochs=2, batch_size=20"),
    ),
    _mutant(
        "one-epoch",
        29,
        "train-falls",
        "One epoch",
        cell(optimizer="Adam(0.001)", options="epochs=1, batch_size=32"),
    ),
    _mutant(
        "all-rows-by-steps",
        30,
        "train-rows",
        "trained on all rows",
        cell(rows="X, y", options="epochs=2, batch_size=32"),
    ),
    _mutant(
        "all-rows-remembered",
        30,
        "train-rows",
        "trained on all rows",
        PRETRAINED + cell(optimizer="Adam(0.0001)", options=ONE_EPOCH),
    ),
    _mutant(
        "part-of-the-rows",
        30,
        "train-rows",
        "a part of the training rows",
        cell(rows="X_train[500:], y_train[500:]", options="epochs=8, batch_size=32"),
    ),
    _mutant("no-history", 0, "train-history", "no history yet", cell(keep="", options=ONE_EPOCH)),
    _mutant(
        "history-dict",
        0,
        "train-history",
        "does not hold what fit returns",
        cell(options=ONE_EPOCH) + "history = history.history\n",
    ),
    _mutant(
        "history-of-another",
        0,
        "train-history",
        "from an earlier training",
        ANOTHER + cell(keep="", options=ONE_EPOCH),
    ),
)

VARIANTS = (
    Variant("train-adam", "train", RIGHT),
    Variant(
        "train-validation-data",
        "train",
        cell(
            optimizer="keras.optimizers.Adam(learning_rate=0.005)",
            options="epochs=8, batch_size=32, validation_data=(X_test, y_test)",
        ),
    ),
    Variant(
        "train-validation-split",
        "train",
        cell(
            optimizer="Adam(0.004), steps_per_execution=113",
            options="epochs=20, batch_size=32, validation_split=0.1",
        ),
    ),
    Variant(
        "train-function-loss",
        "train",
        cell(
            "lambda y, z: tf.nn.sparse_softmax_cross_entropy_with_logits("
            "labels=tf.cast(tf.reshape(y, [-1]), 'int32'), logits=z)",
            optimizer="keras.optimizers.RMSprop(0.003)",
            options="epochs=12, batch_size=50",
        ),
    ),
    Variant(
        "train-column-labels-and-metrics",
        "train",
        cell(
            optimizer="Adam(0.005), metrics=['accuracy'], steps_per_execution=25",
            rows="x=X_train, y=y_train[:, None]",
            options="epochs=7, batch_size=20",
        ),
    ),
)
