"""Exercise 7: what students write for ``predict_digits``."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_C7\n# GRADED CELL: predict_digits\ndef predict_digits(model, X):\n{body}\n"


LOGITS = "logits = model.predict(X, verbose=0)"
SOFTMAX = (
    "e = np.exp(logits - logits.max(axis=1, keepdims=True))",
    "p = e / e.sum(axis=1, keepdims=True)",
)
RIGHT = cell(LOGITS, *SOFTMAX, "return np.argmax(p, axis=1), p")


def _mutant(id: str, row: int, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"predict-{id}", "predict", cell(*lines), check, says, row=row)


MUTANTS = (
    _mutant("not-started", 0, "predict-returns", "not started", "raise NotStarted"),
    _mutant("none", 0, "predict-returns", "returns nothing", LOGITS, "print(logits)"),
    _mutant(
        "digits-only", 0, "predict-returns", "Two things", LOGITS, "return logits.argmax(axis=1)"
    ),
    _mutant(
        "no-axis",
        31,
        "predict-returns",
        "without an axis",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p), p",
    ),
    _mutant(
        "axis-0",
        31,
        "predict-returns",
        "down the columns",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=0), p",
    ),
    _mutant(
        "one-row",
        32,
        "predict-returns",
        "takes rows",
        "logits = model.predict(X[0], verbose=0)",
        *SOFTMAX,
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "logits",
        33,
        "predict-probabilities",
        "logits were returned",
        LOGITS,
        "return np.argmax(logits, axis=1), logits",
    ),
    _mutant(
        "softmax-over-batch",
        33,
        "predict-probabilities",
        "whole batch",
        LOGITS,
        "e = np.exp(logits - logits.max())",
        "p = e / e.sum()",
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "softmax-down",
        33,
        "predict-probabilities",
        "down the columns",
        LOGITS,
        "e = np.exp(logits - logits.max(axis=0))",
        "p = e / e.sum(axis=0)",
        "return np.argmax(logits, axis=1), p",
    ),
    _mutant(
        "sigmoid",
        33,
        "predict-probabilities",
        "sigmoid",
        LOGITS,
        "p = 1 / (1 + np.exp(-logits))",
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "log-softmax",
        33,
        "predict-probabilities",
        "logarithms",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1), np.log(p)",
    ),
    _mutant(
        "softmax-twice",
        33,
        "predict-probabilities",
        "do not belong to the logits",
        LOGITS,
        *SOFTMAX,
        "logits = p",
        *SOFTMAX,
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "argmin",
        0,
        "predict-values",
        "least probable",
        LOGITS,
        *SOFTMAX,
        "return np.argmin(p, axis=1), p",
    ),
    _mutant(
        "plus-one",
        35,
        "predict-values",
        "digits",  # below 0 or above 9, if there is a nine among them
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1) + 1, p",
    ),
    _mutant(
        "swapped",
        0,
        "predict-returns",
        "swapped",
        LOGITS,
        *SOFTMAX,
        "return p, np.argmax(p, axis=1)",
    ),
    _mutant(
        "one-by-one",
        0,
        "predict-one-call",
        "7 times",
        "logits = np.array([model.predict(x[np.newaxis], verbose=0)[0] for x in X])",
        *SOFTMAX,
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "count-assigned",
        0,
        "predict-one-call",
        "7 times",
        "logits = np.array([model.predict(x[np.newaxis], verbose=0)[0] for x in X])",
        "model._calls = model.calls = 1",
        *SOFTMAX,
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "no-model",
        0,
        "predict-one-call",
        "not asked at all",
        "logits = globals()['model'].predict(X, verbose=0)",
        *SOFTMAX,
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "no-keepdims",
        32,
        "predict-returns",
        "lost its axis",
        LOGITS,
        "e = np.exp(logits - logits.max(axis=1))",
        "p = e / e.sum(axis=1)",
        "return np.argmax(p, axis=1), p",
    ),
    _mutant(
        "percentages",
        0,
        "predict-probabilities",
        "percentages",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1), 100 * p",
    ),
    _mutant(
        "rounded",
        0,
        "predict-probabilities",
        "rounded",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1), np.round(p, 2)",
    ),
    _mutant(
        "largest-only",
        0,
        "predict-returns",
        "the largest",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1), p.max(axis=1)",
    ),
    _mutant(
        "floats",
        0,
        "predict-returns",
        "not integers",
        LOGITS,
        *SOFTMAX,
        "return np.argmax(p, axis=1).astype(float), p",
    ),
)

VARIANTS = (
    Variant("predict-numpy", "predict", RIGHT),
    Variant(
        "predict-tensorflow",
        "predict",
        cell(
            "p = tf.nn.softmax(model(X), axis=-1)", "return tf.argmax(p, axis=1).numpy(), p.numpy()"
        ),
    ),
    Variant(
        "predict-tensors",
        "predict",
        cell("p = tf.nn.softmax(model.predict(X, verbose=0))", "return tf.argmax(p, axis=1), p"),
    ),
    Variant(
        "predict-row-by-row-softmax",
        "predict",
        cell(
            "logits = model.predict(X, batch_size=len(X), verbose=0)",
            "probabilities = np.array([my_softmax(z) for z in logits])",
            "digits = np.array([int(np.argmax(p)) for p in probabilities])",
            "return digits, probabilities",
        ),
    ),
    Variant(
        "predict-on-batch",
        "predict",
        cell(
            "logits = model.predict_on_batch(X)",
            "e = np.exp(logits)",
            "p = e / np.sum(e, axis=1)[:, None]",
            "return p.argsort(axis=1)[:, -1], p",
        ),
    ),
    Variant(
        "predict-numpy-of-a-call",
        "predict",
        cell("logits = model(X, training=False).numpy()", *SOFTMAX, "return p.argmax(1), p"),
    ),
)
