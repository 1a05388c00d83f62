"""Exercise 2: what students write for the Sequential model."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str) -> str:
    """Return the graded cell with these lines."""
    body = "\n".join(lines)
    return f"# UNQ_C2\n# GRADED CELL: Sequential model\nkeras.utils.set_random_seed(1234)\n{body}\n"


def stack(*layers: str) -> str:
    """Return the graded cell with a Sequential model of these layers."""
    return cell("model = Sequential([", *[f"    {layer}," for layer in layers], "])")


INPUT = "Input(shape=(400,))"
FIRST = "Dense(25, activation='relu')"
SECOND = "Dense(15, activation='relu')"
LAST = "Dense(10, activation='linear')"
RIGHT = stack(INPUT, FIRST, SECOND, LAST)


def _mutant(id: str, row: int, check: str, says: str, code: str) -> Listed:
    return Listed(f"model-{id}", "model", code, check, says, row=row)


MUTANTS = (
    _mutant("not-started", 0, "model-there", "is not", cell("raise NotStarted")),
    _mutant("none", 0, "model-there", "no model yet", cell("model = None")),
    _mutant(
        "swapped",
        15,
        "model-units",
        "swapped",
        stack(INPUT, "Dense(15, activation='relu')", "Dense(25, activation='relu')", LAST),
    ),
    _mutant("one-output", 15, "model-units", "One output", stack(INPUT, FIRST, SECOND, "Dense(1)")),
    _mutant(
        "eleven-outputs",
        15,
        "model-units",
        "remapped to 0",
        stack(INPUT, FIRST, SECOND, "Dense(11)"),
    ),
    _mutant(
        "sigmoid",
        16,
        "model-hidden",
        "sigmoid",
        stack(INPUT, "Dense(25, activation='sigmoid')", SECOND, LAST),
    ),
    _mutant(
        "linear", 16, "model-hidden", "layer 2 is linear", stack(INPUT, FIRST, "Dense(15)", LAST)
    ),
    _mutant(
        "tanh",
        16,
        "model-hidden",
        "tanh",
        stack(INPUT, "Dense(25, activation='tanh')", SECOND, LAST),
    ),
    _mutant(
        "relu-output",
        17,
        "model-output",
        "has a ReLU",
        stack(INPUT, FIRST, SECOND, "Dense(10, activation='relu')"),
    ),
    _mutant(
        "softmax-output",
        18,
        "model-output",
        "sits in the loss",
        stack(INPUT, FIRST, SECOND, "Dense(10, activation='softmax')"),
    ),
    _mutant(
        "softmax-output-tf",
        19,
        "model-output",
        "sits in the loss",
        stack(INPUT, FIRST, SECOND, "Dense(10, activation=tf.nn.softmax)"),
    ),
    _mutant("no-input", 20, "model-input", 'shows "?"', stack(FIRST, SECOND, LAST)),
    *(
        _mutant(
            f"input-{name}",
            20,
            "model-input",
            says,
            stack(f"Input({shape})", FIRST, SECOND, LAST),
        )
        for name, shape, says in (
            ("all-rows", "shape=(5000, 400)", "number of rows was put into"),
            ("open-rows", "shape=(None, 400)", "number of rows was put into"),
            ("one-row", "shape=(1, 400)", "number of rows was put into"),
            ("fixed-batch", "batch_shape=(32, 400)", "fixed at 32"),
            ("column", "shape=(400, 1)", "axis too many"),
        )
    ),
    _mutant(
        "wrong-input",
        20,
        "model-input",
        "another length",
        stack("Input(shape=(401,))", FIRST, SECOND, LAST),
    ),
    _mutant(
        "dropout",
        21,
        "model-layers",
        "Dropout",
        stack(INPUT, FIRST, "keras.layers.Dropout(0.2)", SECOND, LAST),
    ),
    _mutant(
        "softmax-layer",
        21,
        "model-layers",
        "belongs in the loss",
        stack(INPUT, FIRST, SECOND, LAST, "keras.layers.Softmax()"),
    ),
    _mutant(
        "activation-first",
        21,
        "model-layers",
        "extra layer, Activation",
        stack(INPUT, "keras.layers.Activation('relu')", FIRST, SECOND, LAST),
    ),
    _mutant(
        "four-layers",
        21,
        "model-layers",
        "not a layer of its own",
        stack(INPUT, "Dense(400, activation='relu')", FIRST, SECOND, LAST),
    ),
    _mutant("two-layers", 21, "model-layers", "2 Dense layers", stack(INPUT, FIRST, LAST)),
    _mutant(
        "functional",
        22,
        "model-sequential",
        "Functional",
        cell(
            "inputs = Input(shape=(400,))",
            f"hidden = {SECOND}({FIRST}(inputs))",
            f"model = keras.Model(inputs, {LAST}(hidden))",
        ),
    ),
    _mutant(
        "no-list",
        23,
        "model-there",
        "one list of layers",
        cell(f"model = Sequential({INPUT}, {FIRST}, {SECOND}, {LAST})"),
    ),
    _mutant(
        "one-layer-no-list",
        23,
        "model-there",
        "one list of layers",
        cell(f"model = Sequential({FIRST})"),
    ),
    _mutant(
        "typo",
        24,
        "model-there",
        "did you mean 'relu'",
        stack(INPUT, "Dense(25, activation='Relu')", SECOND, LAST),
    ),
    _mutant(
        "typo-unknown",
        24,
        "model-there",
        "no activation 'rectified'",
        stack(INPUT, "Dense(25, activation='rectified')", SECOND, LAST),
    ),
    _mutant(
        "zeros",
        25,
        "model-weights",
        "same value",
        stack(
            INPUT,
            "Dense(25, activation='relu', kernel_initializer='zeros')",
            "Dense(15, activation='relu', kernel_initializer='zeros')",
            "Dense(10, kernel_initializer='zeros')",
        ),
    ),
    _mutant(
        "no-bias",
        25,
        "model-parameters",
        "no bias",
        stack(INPUT, FIRST, "Dense(15, activation='relu', use_bias=False)", LAST),
    ),
    _mutant(
        "frozen-layer",
        25,
        "model-parameters",
        "Layer 1 is frozen",
        cell(
            f"model = Sequential([{INPUT}, {FIRST}, {SECOND}, {LAST}])",
            "model.layers[0].trainable = False",
        ),
    ),
    _mutant(
        "frozen",
        25,
        "model-parameters",
        "frozen",
        cell(
            f"model = Sequential([{INPUT}, {FIRST}, {SECOND}, {LAST}])", "model.trainable = False"
        ),
    ),
    _mutant(
        "own-layer",
        0,
        "model-logits",
        "differs from what its weights",
        cell(
            "class MyDense(Dense):",
            "    def call(self, x):",
            "        return super().call(x) * 2",
            "MyDense.__name__ = 'Dense'",
            f"model = Sequential([{INPUT}, {FIRST}, {SECOND}, MyDense(10)])",
        ),
    ),
    _mutant("not-a-model", 0, "model-there", "not a model", cell("model = [25, 15, 10]")),
)

VARIANTS = (
    Variant("model-keras-input", "model", RIGHT),
    Variant(
        "model-activation-layers",
        "model",
        stack(
            INPUT,
            "Dense(25)",
            "keras.layers.ReLU()",
            "Dense(15)",
            "keras.layers.Activation('relu')",
            "Dense(10)",
        ),
    ),
    Variant(
        "model-input-layer",
        "model",
        stack(
            "keras.layers.InputLayer(shape=(400,))",
            "Dense(25, activation=tf.nn.relu, name='L1')",
            "Dense(15, activation=keras.activations.relu, name='L2')",
            "Dense(10, activation=None, name='L3')",
        ),
    ),
    Variant(
        "model-input-shape",
        "model",
        stack(
            "Dense(25, input_shape=(400,), activation=keras.layers.ReLU())",
            "Dense(15, activation=lambda x: tf.maximum(x, 0))",
            "Dense(units=10)",
        ),
    ),
    Variant(
        "model-add",
        "model",
        cell(
            "model = keras.models.Sequential(name='digits')",
            "model.add(keras.Input((400,)))",
            "for units in (25, 15):",
            "    model.add(keras.layers.Dense(units, 'relu', kernel_initializer='he_normal'))",
            "model.add(keras.layers.Dense(10, activation=keras.activations.linear))",
        ),
    ),
    Variant(
        "model-built-by-hand",
        "model",
        cell(
            f"model = tf.keras.Sequential([{FIRST}, {SECOND}, {LAST}])",
            "model.build((None, 400))",
            "model.summary()",
        ),
    ),
)
