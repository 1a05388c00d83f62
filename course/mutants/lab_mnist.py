"""The wrong and the right answers of lab_mnist.

What a check says of a training shows after an epoch where it does not depend on how long the
training was; these mutants train as briefly as that allows.
"""

from __future__ import annotations

from course.mutants import Listed, Variant

# --- Exercise 1: prepare ------------------------------------------------------------------------


def prepare(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_M1\n# GRADED CELL: prepare\ndef prepare(images):\n{body}\n"


def _prepare(id: str, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"prepare-{id}", "prepare", prepare(*lines), f"prepare-{check}", says)


FLAT = "rows = images.reshape(len(images), 784)"

_PREPARE = (
    _prepare("not-started", "returns", "not started", "raise NotStarted"),
    _prepare("returns-nothing", "returns", "returns nothing", FLAT + " / 255"),
    _prepare("not-scaled", "range", "not scaled", FLAT, "return rows"),
    _prepare("not-scaled-float", "range", "not scaled", FLAT, "return rows.astype('float32')"),
    _prepare(
        "scaled-twice", "range", "scaled twice", FLAT, "rows = rows / 255", "return rows / 255"
    ),
    _prepare("by-256", "range", "divided by 256", FLAT, "return rows / 256"),
    _prepare(
        "whole-numbers", "range", "division was one of whole numbers", FLAT, "return rows // 255"
    ),
    _prepare(
        "back-to-bytes",
        "range",
        "turned into integers",
        FLAT,
        "return (rows / 255).astype('uint8')",
    ),
    _prepare("by-largest", "dim", "largest of these images", FLAT, "return rows / rows.max()"),
    _prepare(
        "min-max",
        "dim",
        "moved to 0 and 1",
        FLAT + ".astype(float)",
        "return (rows - rows.min()) / (rows.max() - rows.min())",
    ),
    _prepare("from-minus-1", "range", "from -1 to 1", FLAT, "return rows / 127.5 - 1"),
    _prepare("inverted", "range", "inverted", FLAT, "return 1 - rows / 255"),
    _prepare(
        "black-and-white", "range", "black or white", FLAT, "return (rows > 127).astype(float)"
    ),
    _prepare(
        "standardised",
        "range",
        "standardised",
        FLAT,
        "return (rows - rows.mean()) / rows.std()",
    ),
    _prepare("not-flattened", "returns", "not flattened", "return images / 255"),
    _prepare("one-long-row", "returns", "one long row", "return images.flatten() / 255"),
    _prepare("transposed", "returns", "transposed", FLAT, "return rows.T / 255"),
    _prepare("channel-axis", "returns", "axis for colour", "return images[..., None] / 255"),
    _prepare("mean-of-lines", "returns", "over one axis", "return images.mean(axis=1) / 255"),
    _prepare(
        "by-columns",
        "order",
        "column by column",
        "return images.transpose(0, 2, 1).reshape(len(images), -1) / 255",
    ),
    _prepare(
        "order-f",
        "order",
        "column by column",
        "return images.reshape(len(images), -1, order='F') / 255",
    ),
    _prepare("cut-and-turned", "order", "mixed", "return images.reshape(784, -1).T / 255"),
    _prepare(
        "divided-in-place", "returns", "An operation in place", "images /= 255", FLAT, "return rows"
    ),
    _prepare("overflow", "range", "Bytes overflowed", FLAT, "return rows * 2 / 510"),
    _prepare("cut", "returns", "mixed", "return images.reshape(784, -1) / 255"),
    _prepare("list", "returns", "list", "return [image.ravel() / 255 for image in images]"),
    _prepare(
        "tensor",
        "returns",
        "TensorFlow tensor",
        "return keras.ops.convert_to_tensor(images.reshape(len(images), -1) / 255)",
    ),
    _prepare(
        "in-place",
        "untouched",
        "changes the images",
        FLAT + " / 255",
        "images[:] = 0",
        "return rows",
    ),
    _prepare(
        "sixty-thousand",
        "returns",
        "raised ValueError",
        "return images.reshape(60000, 784) / 255",
    ),
)

# --- Exercise 2: the baseline -------------------------------------------------------------------

INPUT = "Input(shape=(784,))"
LOSS = '"sparse_categorical_crossentropy"'


def baseline(
    *layers: str,
    optimizer: str = '"adam"',
    loss: str = LOSS,
    name: str = "baseline",
    metrics: str = ", metrics=['accuracy']",
) -> str:
    """Return the graded cell that makes and compiles these layers."""
    return (
        "# UNQ_M2\n# GRADED CELL: baseline\nkeras.utils.set_random_seed(1234)\n"
        f"{name} = Sequential([{', '.join(layers)}])\n"
        f"{name}.compile(optimizer={optimizer}, loss={loss}{metrics})\n"
    )


HIDDEN, OUTPUT = 'Dense(128, activation="relu")', 'Dense(10, activation="softmax")'
STACK = (INPUT, HIDDEN, OUTPUT)


def _baseline(id: str, check: str, says: str, code: str, row: int = 0) -> Listed:
    return Listed(f"baseline-{id}", "baseline", code, f"baseline-{check}", says, row=row)


_BASELINE = (
    _baseline("not-started", "sequential", "not filled in", "# UNQ_M2\nraise NotStarted\n"),
    _baseline(
        "softmax-missing",
        "output",
        "softmax is missing",
        baseline(INPUT, HIDDEN, "Dense(10)"),
    ),
    _baseline(
        "softmax-in-the-loss",
        "output",
        "valid",
        baseline(
            INPUT,
            HIDDEN,
            "Dense(10)",
            loss="keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        ),
    ),
    _baseline(
        "softmax-twice",
        "loss",
        "applied twice",
        baseline(*STACK, loss="keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
        18,
    ),
    _baseline(
        "one-hot-loss",
        "loss",
        "one-hot labels; yours are integers",
        baseline(*STACK, loss='"categorical_crossentropy"'),
        27,
    ),
    _baseline("mse", "loss", "distance between numbers", baseline(*STACK, loss='"mse"'), 28),
    _baseline("binary", "loss", "one yes or no", baseline(*STACK, loss='"binary_crossentropy"')),
    _baseline(
        "not-compiled",
        "loss",
        "not compiled",
        f"# UNQ_M2\nbaseline = Sequential([{', '.join(STACK)}])\n",
    ),
    _baseline("sgd", "optimizer", "SGD", baseline(*STACK, optimizer='"sgd"'), 29),
    _baseline(
        "large-steps",
        "optimizer",
        "too large",
        baseline(*STACK, optimizer="keras.optimizers.Adam(1.0)"),
        29,
    ),
    _baseline(
        "sigmoid-output", "output", "sigmoid", baseline(INPUT, HIDDEN, "Dense(10, 'sigmoid')")
    ),
    _baseline("no-activation", "hidden", "is linear", baseline(INPUT, "Dense(128)", OUTPUT)),
    _baseline("sigmoid", "hidden", "sigmoid", baseline(INPUT, "Dense(128, 'sigmoid')", OUTPUT), 16),
    _baseline(
        "units-swapped",
        "layers",
        "another order",
        baseline(INPUT, "Dense(10, 'relu')", "Dense(128, 'softmax')"),
    ),
    _baseline("one-output", "layers", "One output", baseline(INPUT, HIDDEN, "Dense(1, 'softmax')")),
    _baseline(
        "eleven-outputs",
        "layers",
        "11 outputs",
        baseline(INPUT, HIDDEN, "Dense(11, 'softmax')"),
        15,
    ),
    _baseline(
        "input-as-layer",
        "layers",
        "input is not a layer",
        baseline(INPUT, "Dense(784, 'relu')", HIDDEN, OUTPUT),
    ),
    _baseline(
        "dropout",
        "layers",
        "extra layer, Dropout",
        baseline(INPUT, HIDDEN, "keras.layers.Dropout(0.2)", OUTPUT),
        21,
    ),
    _baseline("no-input", "input", "does not know yet", baseline(HIDDEN, OUTPUT), 20),
    _baseline("picture-input", "input", "28 by 28", baseline("Input((28, 28))", HIDDEN, OUTPUT)),
    _baseline(
        "rows-as-input", "input", "number of images", baseline("Input((4000,))", HIDDEN, OUTPUT)
    ),
    _baseline(
        "rows-in-the-shape",
        "input",
        "number of rows was put into",
        baseline("Input((4000, 784))", HIDDEN, OUTPUT),
    ),
    _baseline(
        "batch-fixed",
        "input",
        "fixed at 32",
        baseline("Input(batch_shape=(32, 784))", HIDDEN, OUTPUT),
    ),
    _baseline("no-metrics", "optimizer", "measure the accuracy", baseline(*STACK, metrics="")),
    _baseline(
        "other-metric",
        "optimizer",
        "measure the accuracy",
        baseline(*STACK, metrics=", metrics=['mse']"),
    ),
    _baseline(
        "no-bias",
        "parameters",
        "no bias",
        baseline(INPUT, 'Dense(128, "relu", use_bias=False)', OUTPUT),
        25,
    ),
    _baseline(
        "zeros",
        "parameters",
        "same value",
        baseline(INPUT, 'Dense(128, "relu", kernel_initializer="zeros")', OUTPUT),
        25,
    ),
    _baseline(
        "typo",
        "sequential",
        "did you mean 'relu'",
        baseline(INPUT, 'Dense(128, activation="Relu")', OUTPUT),
        24,
    ),
    _baseline(
        "no-list",
        "sequential",
        "one list of layers",
        f"# UNQ_M2\nbaseline = Sequential({', '.join(STACK)})\n",
        23,
    ),
    _baseline(
        "compile-kept",
        "sequential",
        "There is no baseline yet",
        f"# UNQ_M2\nbaseline = Sequential([{', '.join(STACK)}]).compile('adam', {LOSS})\n",
    ),
    _baseline(
        "functional",
        "sequential",
        "Functional",
        "# UNQ_M2\nimage = Input(shape=(784,))\n"
        f"baseline = keras.Model(image, {OUTPUT}({HIDDEN}(image)))\n"
        f"baseline.compile('adam', {LOSS})\n",
        22,
    ),
)

# --- Exercise 3: the deep network ---------------------------------------------------------------

DEEP = (
    INPUT,
    'Dense(128, activation="relu")',
    'Dense(64, activation="relu")',
    'Dense(16, activation="relu")',
    OUTPUT,
)
VALIDATION = "validation_data=(X_test, y_test)"


def deep(
    *layers: str,
    rows: str = "X_train, y_train",
    epochs: int = 1,
    batch: str = "batch_size=1000",
    validation: str = VALIDATION,
    keep: str = "deep_history = ",
    optimizer: str = '"adam"',
    loss: str = LOSS,
    metrics: str = ", metrics=['accuracy']",
) -> str:
    """Return the graded cell that makes, compiles and fits these layers (default: the right ones)."""
    made = baseline(*(layers or DEEP), name="deep", optimizer=optimizer, loss=loss, metrics=metrics)
    options = ", ".join(
        part for part in (f"epochs={epochs}", batch, validation, "verbose=0") if part
    )
    return made.replace("UNQ_M2", "UNQ_M3") + f"{keep}deep.fit({rows}, {options})\n"


def _deep(id: str, check: str, says: str, code: str, row: int = 0) -> Listed:
    return Listed(f"deep-{id}", "deep", code, f"deep-{check}", says, row=row)


ALL_ROWS = "np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])"

_DEEP = (
    _deep("not-started", "layers", "not filled in", "# UNQ_M3\nraise NotStarted\n"),
    _deep("batch-ignored", "batches", "left at 32", deep(batch="")),
    _deep("batch-100", "batches", "40 batches", deep(batch="batch_size=100")),
    _deep("trained-on-test", "batches", "trained on the test rows", deep(rows="X_test, y_test")),
    _deep("trained-on-all", "batches", "test rows included", deep(rows=ALL_ROWS), 30),
    _deep(
        "trained-on-all-unseen-by-batches",
        "rows",
        "trained on the test rows",
        deep(rows=ALL_ROWS, batch="batch_size=1250", epochs=40, optimizer="'adam'"),
        30,
    ),
    _deep("no-validation", "validation", "no validation loss", deep(validation="")),
    _deep(
        "validation-on-training",
        "validation",
        "validation data are training rows",
        deep(validation="validation_data=(X_train, y_train)", epochs=15),
    ),
    _deep(
        "validation-split",
        "validation",
        "the part that validation_split holds back",
        deep(validation="validation_split=0.2", epochs=8),
    ),
    _deep("ten-epochs", "epochs", "10 epochs were trained", deep(epochs=10)),
    _deep(
        "history-of-another",
        "epochs",
        "from an earlier training",
        deep(batch="batch_size=2000") + deep(keep=""),
    ),
    _deep("history-lost", "epochs", "no deep_history yet", deep(keep="")),
    _deep(
        "history-of-compile",
        "epochs",
        "what compile gives back",
        deep(keep="").replace("deep.compile", "deep_history = deep.compile"),
    ),
    _deep(
        "fit-twice",
        "epochs",
        "fit ran more than once",
        deep(rows="X_train[:10], y_train[:10]", epochs=100, keep="for _ in 'ab': deep_history = "),
    ),
    _deep(
        "best-weights-put-back",
        "validation",
        "put back the ones of a better epoch",
        deep(
            epochs=30,
            optimizer="keras.optimizers.Adam(0.01)",
            validation=f"{VALIDATION}, callbacks=[keras.callbacks.EarlyStopping(patience=100, "
            "restore_best_weights=True)]",
        ),
    ),
    _deep(
        "part-of-the-rows",
        "rows",
        "A part of the training rows was left out",
        deep(rows="X_train[500:], y_train[500:]", epochs=100),
        30,
    ),
    _deep("no-metrics", "loss", "measure the accuracy", deep(metrics="")),
    _deep("layer-missing", "layers", "3 Dense layers", deep(*DEEP[:3], OUTPUT)),
    _deep("other-units", "layers", "another order", deep(INPUT, DEEP[2], DEEP[1], DEEP[3], OUTPUT)),
    _deep("linear-layer", "activations", "is linear", deep(*DEEP[:2], "Dense(64)", *DEEP[3:])),
    _deep("softmax-missing", "activations", "softmax is missing", deep(*DEEP[:4], "Dense(10)")),
    _deep("one-hot-loss", "loss", "one-hot", deep(loss='"categorical_crossentropy"'), 27),
    _deep("sgd", "loss", "SGD", deep(optimizer='"sgd"'), 29),
    _deep("too-short", "learnt", "not learnt", deep(epochs=3)),
)

# --- Exercise 4: the confusion matrix -----------------------------------------------------------


def confusion(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_M4\n# GRADED CELL: confusion_matrix\ndef confusion_matrix(y_true, y_pred):\n{body}\n"


def _confusion(id: str, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"confusion-{id}", "confusion", confusion(*lines), f"confusion-{check}", says)


ZEROS, ADD = "m = np.zeros((10, 10))", "np.add.at(m, (y_true, y_pred), 1)"

_CONFUSION = (
    _confusion("not-started", "returns", "not started", "raise NotStarted"),
    _confusion("prints", "returns", "returns nothing", ZEROS, ADD, "print(m)"),
    _confusion(
        "transposed", "values", "transposed", ZEROS, "np.add.at(m, (y_pred, y_true), 1)", "return m"
    ),
    _confusion(
        "small-integers",
        "values",
        "overflow",
        "m = np.zeros((10, 10), dtype=np.uint8)",
        ADD,
        "return m",
    ),
    _confusion(
        "by-column",
        "absent",
        "normalised by column",
        ZEROS,
        ADD,
        "return m / np.maximum(m.sum(axis=0), 1)",
    ),
    _confusion(
        "by-row",
        "values",
        "sum of each row",
        ZEROS,
        ADD,
        "return m / np.maximum(m.sum(axis=1, keepdims=True), 1)",
    ),
    _confusion(
        "by-column-division-by-0",
        "returns",
        "a sum that is 0",
        ZEROS,
        ADD,
        "return m / m.sum(axis=0)",
    ),
    _confusion("shares", "values", "number of digits", ZEROS, ADD, "return m / m.sum()"),
    _confusion("added-once", "values", "once at most", ZEROS, "m[y_true, y_pred] += 1", "return m"),
    _confusion(
        "set-to-one",
        "values",
        "`= 1` sets the place",
        ZEROS,
        "for t, p in zip(y_true, y_pred):",
        "    m[t, p] = 1",
        "return m",
    ),
    _confusion(
        "same-row",
        "values",
        "one and the same",
        "m = [[0] * 10] * 10",
        "for t, p in zip(y_true, y_pred):",
        "    m[t][p] += 1",
        "return np.array(m)",
    ),
    _confusion(
        "diagonal-only",
        "values",
        "Only the diagonal",
        ZEROS,
        "for t, p in zip(y_true, y_pred):",
        "    if t == p:",
        "        m[t, p] += 1",
        "return m",
    ),
    _confusion(
        "mistakes-only",
        "values",
        "diagonal is empty",
        ZEROS,
        "for t, p in zip(y_true, y_pred):",
        "    if t != p:",
        "        m[t, p] += 1",
        "return m",
    ),
    _confusion(
        "labels-minus-1",
        "values",
        "reduced by 1",
        ZEROS,
        "np.add.at(m, (y_true - 1, y_pred - 1), 1)",
        "return m",
    ),
    _confusion(
        "short-loop",
        "values",
        "last pair",
        ZEROS,
        "for i in range(len(y_true) - 1):",
        "    m[y_true[i], y_pred[i]] += 1",
        "return m",
    ),
    _confusion(
        "labels-alone",
        "values",
        "predictions are not used",
        ZEROS,
        "np.add.at(m, (y_true, y_true), 1)",
        "return m",
    ),
    _confusion("never-filled", "values", "never filled", ZEROS, "return m"),
    _confusion(
        "size-from-data",
        "absent",
        "taken from the digits that occur",
        "n = max(y_true.max(), y_pred.max()) + 1",
        "m = np.zeros((n, n))",
        ADD,
        "return m",
    ),
    _confusion("eleven", "returns", "11 rows", "m = np.zeros((11, 11))", ADD, "return m"),
    _confusion(
        "right-answers", "returns", "where the mistakes went", ZEROS, ADD, "return np.diag(m)"
    ),
    _confusion("accuracy", "returns", "single number", "return (y_true == y_pred).mean()"),
    _confusion(
        "lists",
        "returns",
        "list",
        "m = [[0] * 10 for _ in range(10)]",
        "for t, p in zip(y_true, y_pred):",
        "    m[t][p] += 1",
        "return m",
    ),
    _confusion(
        "library",
        "by-hand",
        "does the work here",
        "import tensorflow as tf",
        "return tf.math.confusion_matrix(y_true, y_pred, 10).numpy()",
    ),
    _confusion(
        "sklearn",
        "by-hand",
        "sklearn.metrics.confusion_matrix",
        "from sklearn.metrics import confusion_matrix",
        "return confusion_matrix(y_true, y_pred)",
    ),
)

# --- Exercise 5: a photograph -------------------------------------------------------------------

GREY = (
    'picture = Image.fromarray(utils.read_image(path)).convert("RGBA")',
    'paper = Image.new("RGBA", picture.size, "white")',
    'grey = np.asarray(Image.alpha_composite(paper, picture).convert("L")) / 255',
)
INVERT = ("ink = utils.paper_light(grey) - grey",)
CROP = (
    "rows, columns = utils_mnist.ink_box(ink)",
    "crop = np.clip(ink[rows, columns] / ink.max(), 0, 1)",
    "crop[crop < 0.3] = 0",
)
SCALE = (
    "f = 20 / max(crop.shape)",
    "crop = utils.resize(crop, max(1, round(f * crop.shape[0])), max(1, round(f * crop.shape[1])))",
)
CENTRE = ("small = np.clip(utils.centre_by_mass(crop, 28), 0, 1)",)
END = ("return small.reshape(1, 28, 28)",)
BOX_CENTRED = (
    "small = np.zeros((28, 28))",
    "top, left = (28 - crop.shape[0]) // 2, (28 - crop.shape[1]) // 2",
    "small[top:top + crop.shape[0], left:left + crop.shape[1]] = np.clip(crop, 0, 1)",
)
BYTES = (*GREY[:2], 'grey = np.asarray(Image.alpha_composite(paper, picture).convert("L"))')
PIECE = (
    "piece = Image.fromarray(crop.astype('float32'))",
    "f = 20 / max(piece.size)",
    "size = [max(1, round(f * side)) for side in piece.size]",
)


def photo(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_M5\n# GRADED CELL: preprocess_photo\ndef preprocess_photo(path):\n{body}\n"


def _photo(id: str, check: str, says: str, *lines: str, row: int = 0) -> Listed:
    return Listed(f"photo-{id}", "photo", photo(*lines), f"photo-{check}", says, row=row)


def _from_grey(id: str, check: str, says: str, *ink: str) -> Listed:
    """Return a wrong answer whose ink is made of `grey` by these lines; the rest is right."""
    return _photo(id, check, says, *ink, *CROP, *SCALE, *CENTRE, *END)


PLAIN = ('grey = np.asarray(Image.open(path).convert("L")) / 255',)

_PHOTO = (
    _photo("not-started", "returns", "not started", "raise NotStarted"),
    _photo("returns-nothing", "returns", "returns nothing", *GREY),
    _photo(
        "not-inverted",
        "inverted",
        "not inverted",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return 1 - small.reshape(1, 28, 28)",
        row=39,
    ),
    _photo(
        "never-inverted",
        "inverted",
        "not inverted",
        *PLAIN,
        "return utils.resize(grey, 28, 28).reshape(1, 28, 28)",
        row=39,
    ),
    _photo(
        "plain-inversion",
        "paper",
        "paper is not dark",
        *GREY,
        "return 1 - utils.resize(grey, 28, 28).reshape(1, 28, 28)",
    ),
    _photo(
        "no-crop",
        "cropped",
        "without a crop",
        *GREY,
        *INVERT,
        "return np.clip(utils.resize(ink / ink.max(), 28, 28), 0, 1).reshape(1, 28, 28)",
        row=40,
    ),
    _photo(
        "no-margin",
        "cropped",
        "margin of 4",
        *GREY,
        *INVERT,
        *CROP,
        "crop = utils.resize(crop, 28, 28)",
        "return np.clip(crop, 0, 1).reshape(1, 28, 28)",
    ),
    _photo(
        "aspect-lost",
        "aspect",
        "stretched to a square",
        *GREY,
        *INVERT,
        *CROP,
        "crop = utils.resize(crop, 20, 20)",
        *CENTRE,
        *END,
    ),
    _photo(
        "sides-exchanged",
        "aspect",
        "Height and width are exchanged",
        *GREY,
        *INVERT,
        *CROP,
        "f = 20 / max(crop.shape)",
        "crop = utils.resize(crop, round(f * crop.shape[1]), round(f * crop.shape[0]))",
        *CENTRE,
        *END,
    ),
    _photo(
        "in-a-corner",
        "centred",
        "not in the middle",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        "small = np.zeros((28, 28))",
        "small[:crop.shape[0], :crop.shape[1]] = np.clip(crop, 0, 1)",
        *END,
    ),
    _photo(
        "transposed",
        "upright",
        "transposed",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small.T.reshape(1, 28, 28)",
    ),
    _photo(
        "mirrored",
        "upright",
        "mirrored",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small[:, ::-1].reshape(1, 28, 28)",
    ),
    _photo(
        "bytes",
        "range",
        "go up to 255",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return 255 * small.reshape(1, 28, 28)",
        row=41,
    ),
    _photo(
        "scaled-twice",
        "range",
        "nearly black",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small.reshape(1, 28, 28) / 255",
    ),
    _photo(
        "colours-kept",
        "returns",
        "colours were kept",
        "picture = Image.open(path).convert('RGB').resize((28, 28))",
        "return 1 - np.asarray(picture)[np.newaxis] / 255",
        row=41,
    ),
    _photo("not-resized", "returns", "not resized", *GREY, "return 1 - grey[np.newaxis]"),
    _photo(
        "no-batch-axis",
        "returns",
        "batch axis is missing",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small",
    ),
    _photo(
        "flattened",
        "returns",
        "flattened",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small.reshape(1, 784)",
    ),
    _photo(
        "channel-axis",
        "returns",
        "axis for colour",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        "return small.reshape(1, 28, 28, 1)",
    ),
    _photo(
        "twenty-by-twenty",
        "returns",
        "margin around it is missing",
        *GREY,
        *INVERT,
        *CROP,
        "return utils.resize(crop, 20, 20)[np.newaxis]",
    ),
    _photo(
        "alpha-dropped",
        "alpha",
        "alpha channel was dropped",
        "picture = Image.fromarray(utils.read_image(path)).convert('RGB')",
        "grey = np.asarray(picture.convert('L')) / 255",
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        *END,
        row=41,
    ),
    _photo(
        "colour-picture-raises",
        "returns",
        "raised",
        "grey = utils.read_image(path) / 255",
        *INVERT,
        *CROP,
        *SCALE,
        *CENTRE,
        *END,
    ),
)

_PHOTO += (
    _from_grey("grey-is-ink", "inverted", "not inverted", *GREY, "ink = grey"),
    _photo(
        "grey-is-ink-cropped",
        "inverted",
        "not inverted",
        *GREY,
        "rows, columns = np.nonzero(grey < 0.5)",
        "crop = grey[rows.min():rows.max() + 1, columns.min():columns.max() + 1]",
        *SCALE,
        *CENTRE,
        *END,
    ),
    _photo(
        "one-minus",
        "paper",
        "paper is not dark",
        *GREY,
        "ink = 1 - grey",
        "crop = ink[utils_mnist.ink_box(ink)]",
        *SCALE,
        *CENTRE,
        *END,
    ),
    _from_grey("one-minus-normalised", "paper", "paper is not dark", *GREY, "ink = 1 - grey"),
    _from_grey(
        "one-minus-threshold",
        "paper",
        "paper is not dark",
        *GREY,
        "ink = 1 - grey",
        "ink[ink < 0.5] = 0",
    ),
    _from_grey(
        "bytes-clipped",
        "paper",
        "grain is taken for ink",
        *BYTES,
        "ink = np.clip(utils.paper_light(grey) - grey, 0, 1)",
    ),
    _from_grey(
        "bytes-below-0",
        "paper",
        "grain is taken for ink",
        *BYTES,
        "ink = utils.paper_light(grey).astype('uint8') - grey",
    ),
    _from_grey(
        "subtracted-the-wrong-way",
        "returns",
        "at the line `rows, columns = utils_mnist.ink_box(ink)`. No ink is left",
        *GREY,
        "ink = grey - utils.paper_light(grey)",
    ),
    _from_grey(
        "subtracted-the-wrong-way-clipped",
        "returns",
        "No ink is left",
        *GREY,
        "ink = np.clip(grey - utils.paper_light(grey), 0, 1)",
    ),
    _from_grey(
        "divided-by-0",
        "cropped",
        "divided by 0",
        *GREY,
        "low, high = np.percentile(grey, [1, 60])",
        "ink = np.clip((high - grey) / (high - low), 0, 1)",
    ),
    _photo(
        "negative-ink",
        "range",
        "Ink is negative",
        *GREY,
        "ink = grey - utils.paper_light(grey)",
        "crop = ink[utils_mnist.ink_box(-ink)]",
        *SCALE,
        "small = utils.centre_by_mass(1 + crop, 28) - 1",
        *END,
    ),
    _photo(
        "box-centred",
        "centred",
        "not its centre of mass",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        *BOX_CENTRED,
        *END,
    ),
    _photo(
        "not-clipped",
        "clipped",
        "outside of [0, 1]",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        "small = utils.centre_by_mass(crop, 28)",
        *END,
    ),
    _photo(
        "clipped-at-1-alone",
        "clipped",
        "outside of [0, 1]",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        "small = np.minimum(utils.centre_by_mass(crop, 28), 1)",
        *END,
    ),
    _photo(
        "lanczos-not-clipped",
        "clipped",
        "outside of [0, 1]",
        *GREY,
        *INVERT,
        *CROP,
        *PIECE,
        "crop = np.asarray(piece.resize(size, Image.Resampling.LANCZOS))",
        "small = utils.centre_by_mass(crop, 28)",
        *END,
    ),
    _from_grey(
        "colours-to-paper-light",
        "returns",
        "wants a grey, two-dimensional picture; an array of shape (120, 150, 3) came",
        "grey = np.asarray(Image.fromarray(utils.read_image(path)).convert('RGB')) / 255",
        "ink = utils.paper_light(grey) - grey",
    ),
    _photo(
        "wrong-file",
        "returns",
        "centre_by_mass is in utils, not in utils_mnist",
        *GREY,
        *INVERT,
        *CROP,
        *SCALE,
        "return utils_mnist.centre_by_mass(crop, 28).reshape(1, 28, 28)",
    ),
    _photo(
        "wrong-file-for-the-box",
        "returns",
        "ink_box is in utils_mnist, not in utils",
        *GREY,
        *INVERT,
        "crop = ink[utils.ink_box(ink)]",
        *SCALE,
        *CENTRE,
        *END,
    ),
)

MUTANTS: tuple[Listed, ...] = (*_PREPARE, *_BASELINE, *_DEEP, *_CONFUSION, *_PHOTO)
"""Wrong answers; each names the check that must not pass and what its cause must contain."""

RIGHT: dict[str, str] = {
    "prepare": prepare(FLAT + " / 255", "return rows"),
    "baseline": baseline(*STACK),
    "deep": deep(epochs=100),
    "confusion": confusion(ZEROS, ADD, "return m"),
    "photo": photo(*GREY, *INVERT, *CROP, *SCALE, *CENTRE, *END),
}
"""A right graded cell for each exercise, in the order of the notebook."""

VARIANTS: tuple[Variant, ...] = (
    *(Variant(f"{exercise}-right", exercise, code) for exercise, code in RIGHT.items()),
    Variant(
        "prepare-float32",
        "prepare",
        prepare("rows = images.astype('float32') / 255.0", "return rows.reshape(-1, 28 * 28)"),
    ),
    Variant(
        "prepare-loop",
        "prepare",
        prepare(
            "rows = np.zeros((len(images), 784))",
            "for i, image in enumerate(images):",
            "    rows[i] = np.ravel(image) / 255",
            "return rows",
        ),
    ),
    Variant(
        "prepare-multiplied",
        "prepare",
        prepare("return images.reshape(images.shape[0], -1) * (1 / 255)"),
    ),
    Variant(
        "baseline-flatten",
        "baseline",
        baseline(
            "Input((28, 28))",
            "Flatten()",
            HIDDEN,
            OUTPUT,
            loss="keras.losses.SparseCategoricalCrossentropy()",
        ),
    ),
    Variant(
        "baseline-functions",
        "baseline",
        baseline(
            "keras.layers.InputLayer(shape=(784,))",
            "Dense(128, keras.activations.relu)",
            "Dense(10, keras.activations.softmax)",
            optimizer="keras.optimizers.Adam(0.001)",
        ),
    ),
    Variant(
        "baseline-added",
        "baseline",
        "# UNQ_M2\nbaseline = Sequential()\nbaseline.add(Input((784,)))\n"
        "baseline.add(Dense(128, activation=keras.layers.ReLU()))\n"
        "baseline.add(Dense(10, 'softmax'))\n"
        "baseline.compile(loss=keras.losses.sparse_categorical_crossentropy, optimizer='Adam',\n"
        "    metrics=[keras.metrics.SparseCategoricalAccuracy()])\n",
    ),
    Variant(
        "baseline-own-softmax",
        "baseline",
        baseline(INPUT, HIDDEN, "Dense(10, lambda z: keras.ops.softmax(z))"),
    ),
    Variant(
        "baseline-activation-layers",
        "baseline",
        baseline(
            INPUT,
            "Dense(128)",
            "keras.layers.Activation('relu')",
            "Dense(10)",
            "keras.layers.Softmax()",
        ),
    ),
    Variant(
        "deep-activation-layers",
        "deep",
        deep(
            INPUT,
            "Dense(128), keras.layers.ReLU()",
            "Dense(64), keras.layers.ReLU()",
            "Dense(16), keras.layers.ReLU()",
            "Dense(10), keras.layers.Activation('softmax')",
            epochs=100,
        ),
    ),
    Variant(
        "deep-named-and-quick",
        "deep",
        deep(
            epochs=100,
            optimizer="keras.optimizers.Adam(0.002)",
            validation="validation_data=[X_test, y_test], validation_batch_size=1000",
        ),
    ),
    Variant(
        "confusion-loop",
        "confusion",
        confusion(
            "m = np.zeros((10, 10), dtype=int)",
            "for t, p in zip(y_true, y_pred):",
            "    m[t][p] = m[t][p] + 1",
            "return m",
        ),
    ),
    Variant(
        "confusion-bincount",
        "confusion",
        confusion("return np.bincount(10 * y_true + y_pred, minlength=100).reshape(10, 10)"),
    ),
    Variant(
        "confusion-comparisons",
        "confusion",
        confusion(
            "return np.array([[((y_true == i) & (y_pred == j)).sum() for j in range(10)]"
            " for i in range(10)])"
        ),
    ),
    Variant(
        "confusion-product",
        "confusion",
        confusion("return np.eye(10)[y_true].T @ np.eye(10)[y_pred]"),
    ),
    Variant(
        "photo-quotient",
        "photo",
        photo(
            *GREY,
            "ink = 1 - grey / utils.paper_light(grey)",
            *CROP,
            *SCALE,
            *CENTRE,
            *END,
        ),
    ),
    Variant(
        "photo-no-haze-removed",
        "photo",
        photo(
            *GREY,
            "ink = np.clip(1 - grey / utils.paper_light(grey), 0, 1)",
            "crop = np.clip(ink[utils_mnist.ink_box(ink)] / ink.max(), 0, 1)",
            *SCALE,
            *CENTRE,
            *END,
        ),
    ),
    Variant(
        "photo-mean-grey",
        "photo",
        photo(
            *GREY,
            "ink = np.clip(grey.mean() - grey, 0, 1)",
            *CROP,
            *SCALE,
            *CENTRE,
            *END,
        ),
    ),
    Variant(
        "photo-bytes-normalised",
        "photo",
        photo(
            *BYTES,
            *INVERT,
            *CROP,
            *SCALE,
            *CENTRE,
            *END,
        ),
    ),
    Variant(
        "photo-shifted-by-mass",
        "photo",
        photo(
            *GREY,
            *INVERT,
            *CROP,
            *SCALE,
            *BOX_CENTRED,
            "down, across = [(small.sum(axis=1 - k) @ np.arange(28)) / small.sum() for k in (0, 1)]",
            "small = np.roll(small, [round(14 - down), round(14 - across)], (0, 1))",
            *END,
        ),
    ),
    *(
        Variant(
            f"photo-{method.lower()}",
            "photo",
            photo(
                *GREY,
                *INVERT,
                *CROP,
                *PIECE,
                f"crop = np.asarray(piece.resize(size, Image.Resampling.{method}))",
                *CENTRE,
                *END,
            ),
        )
        for method in ("LANCZOS", "BICUBIC", "BILINEAR", "BOX")
    ),
    Variant(
        "photo-pillow-resizes",
        "photo",
        photo(
            *GREY,
            *INVERT,
            *CROP,
            "piece = Image.fromarray((255 * crop).astype('uint8'))",
            "f = 20 / max(piece.size)",
            "size = [max(1, round(f * side)) for side in piece.size]",
            "piece = np.asarray(piece.resize(size, Image.Resampling.LANCZOS)) / 255",
            "small = utils.centre_by_mass(piece, 28)",
            *END,
        ),
    ),
    Variant(
        "photo-float32-by-hand",
        "photo",
        photo(
            "picture = utils.read_image(path).astype('float32') / 255",
            "if picture.ndim == 2:",
            "    grey = picture",
            "else:",
            "    grey = picture[..., :3] @ np.array([0.299, 0.587, 0.114], dtype='float32')",
            "    if picture.shape[2] == 4:",
            "        grey = grey * picture[..., 3] + 1 - picture[..., 3]",
            *INVERT,
            *CROP,
            *SCALE,
            *CENTRE,
            "return small.astype('float32')[np.newaxis]",
        ),
    ),
)
"""Right answers, of other forms too."""
