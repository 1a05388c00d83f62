"""Exercise 1: what students write for ``my_softmax``."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_C1\n# GRADED CELL: my_softmax\ndef my_softmax(z):\n{body}\n"


def _mutant(id: str, row: int, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"softmax-{id}", "softmax", cell(*lines), check, says, row=row)


RIGHT = cell("shifted = np.exp(z - np.max(z))", "return shifted / np.sum(shifted)")

MUTANTS = (
    Listed(
        "softmax-not-started",
        "softmax",
        cell("raise NotStarted"),
        "softmax-returns",
        "not started",
    ),
    _mutant(
        "none", 1, "softmax-returns", "returns nothing", "p = np.exp(z - z.max())", "p /= p.sum()"
    ),
    _mutant(
        "prints", 1, "softmax-returns", "printed", "e = np.exp(z - z.max())", "print(e / e.sum())"
    ),
    _mutant("no-exp", 2, "softmax-values", "exponential is missing", "return z / sum(z)"),
    _mutant("no-division", 3, "softmax-sum", "nothing was divided", "return np.exp(z)"),
    _mutant(
        "no-division-shifted", 3, "softmax-sum", "unnormalised", "return np.exp(z - np.max(z))"
    ),
    _mutant("sigmoid", 4, "softmax-sum", "sigmoid", "return 1 / (1 + np.exp(-z))"),
    _mutant(
        "one-hot",
        5,
        "softmax-values",
        "one-hot argmax",
        "p = np.zeros(len(z))",
        "p[np.argmax(z)] = 1",
        "return p",
    ),
    _mutant(
        "log",
        6,
        "softmax-sum",
        "log-softmax",
        "z = z - z.max()",
        "return z - np.log(np.sum(np.exp(z)))",
    ),
    _mutant(
        "reversed", 7, "softmax-values", "order is reversed", "e = np.exp(-z)", "return e / e.sum()"
    ),
    _mutant(
        "base-2", 8, "softmax-values", "2 to the power of z", "e = 2 ** z", "return e / e.sum()"
    ),
    _mutant(
        "base-10", 8, "softmax-values", "10 to the power of z", "e = 10 ** z", "return e / e.sum()"
    ),
    _mutant(
        "mean", 9, "softmax-sum", "divided by the mean", "e = np.exp(z)", "return e / e.mean()"
    ),
    _mutant(
        "short-loop",
        10,
        "softmax-sum",
        "loop stops one element early",
        "e = np.zeros(len(z))",
        "for i in range(len(z) - 1):",
        "    e[i] = np.exp(z[i]) / sum(np.exp(z))",
        "return e",
    ),
    _mutant(
        "short-loop-both",
        10,
        "softmax-values",
        "loop stops one element early",
        "e = np.zeros(len(z))",
        "for i in range(len(z) - 1):",
        "    e[i] = np.exp(z[i])",
        "return e / e.sum()",
    ),
    _mutant(
        "short-sum",
        10,
        "softmax-sum",
        "denominator lacks the last element",
        "total = 0",
        "for i in range(len(z) - 1):",
        "    total += np.exp(z[i])",
        "return np.exp(z) / total",
    ),
    _mutant(
        "one-short",
        10,
        "softmax-returns",
        "loop stops at N - 1",
        "e = [np.exp(z[i]) for i in range(len(z) - 1)]",
        "return np.array(e) / sum(e)",
    ),
    _mutant(
        "abs",
        11,
        "softmax-negatives",
        "abs(z)",
        "e = np.exp(abs(z) - np.max(abs(z)))",
        "return e / e.sum()",
    ),
    _mutant(
        "relu",
        11,
        "softmax-negatives",
        "cut off at 0",
        "z = np.maximum(z, 0)",
        "e = np.exp(z - z.max())",
        "return e / e.sum()",
    ),
    _mutant(
        "clip",
        11,
        "softmax-large-inputs",
        "z was clipped",
        "e = np.exp(np.clip(z, -500, 500))",
        "return e / e.sum()",
    ),
    _mutant(
        "two-axes",
        12,
        "softmax-returns",
        "second axis",
        "z = z.reshape(1, -1)",
        "e = np.exp(z - z.max())",
        "return e / e.sum()",
    ),
    _mutant(
        "list",
        12,
        "softmax-returns",
        "is a list",
        "e = np.exp(z - z.max())",
        "return list(e / e.sum())",
    ),
    _mutant(
        "tensor",
        12,
        "softmax-returns",
        "TensorFlow tensor",
        "e = tf.exp(z - tf.reduce_max(z))",
        "return e / tf.reduce_sum(e)",
    ),
    _mutant(
        "one-number",
        12,
        "softmax-returns",
        "single number",
        "e = np.exp(z - z.max())",
        "return np.max(e / e.sum())",
    ),
    _mutant(
        "no-shift",
        13,
        "softmax-large-inputs",
        "too large for a float",
        "e = np.exp(z)",
        "return e / e.sum()",
    ),
    _mutant(
        "shift-by-mean",
        13,
        "softmax-wide",
        "shifted far enough",
        "e = np.exp(z - z.mean())",
        "return e / e.sum()",
    ),
    _mutant(
        "shift-by-first",
        13,
        "softmax-wide",
        "shifted far enough",
        "e = np.exp(z - z[0])",
        "return e / e.sum()",
    ),
    _mutant(
        "shift-in-numerator",
        13,
        "softmax-sum",
        "Only the numerator",
        "return np.exp(z - z.max()) / np.exp(z).sum()",
    ),
    _mutant(
        "nan-to-num",
        13,
        "softmax-large-inputs",
        "nan was replaced by 0",
        "e = np.exp(z)",
        "return np.nan_to_num(e / e.sum())",
    ),
    _mutant(
        "math-exp",
        13,
        "softmax-large-inputs",
        "above 709 is too large",
        "import math",
        "e = np.array([math.exp(v) for v in z])",
        "return e / e.sum()",
    ),
    _mutant(
        "l2-norm",
        9,
        "softmax-sum",
        "L2 norm",
        "e = np.exp(z - z.max())",
        "return e / np.linalg.norm(e)",
    ),
    _mutant(
        "shift-by-min",
        13,
        "softmax-wide",
        "shifted far enough",
        "e = np.exp(z - z.min())",
        "return e / e.sum()",
    ),
    _mutant(
        "in-place",
        14,
        "softmax-untouched",
        "changes z itself",
        "z -= z.max()",
        "e = np.exp(z)",
        "return e / e.sum()",
    ),
    _mutant(
        "in-place-slice",
        14,
        "softmax-untouched",
        "changes z itself",
        "z[:] = np.exp(z - z.max())",
        "return z / z.sum()",
    ),
    _mutant(
        "scipy",
        0,
        "softmax-by-hand",
        "not NumPy by hand",
        "from scipy.special import softmax",
        "return softmax(z)",
    ),
    _mutant("tf-nn", 0, "softmax-by-hand", "not NumPy by hand", "return tf.nn.softmax(z).numpy()"),
    _mutant("raises", 0, "softmax-returns", "raised NameError", "return exp(z) / sum(exp(z))"),
    _mutant(
        "rounded",
        0,
        "softmax-values",
        "rounded",
        "e = np.exp(z - z.max())",
        "return np.round(e / e.sum(), 2)",
    ),
)

VARIANTS = (
    Variant("softmax-vector", "softmax", RIGHT),
    Variant(
        "softmax-loops",
        "softmax",
        cell(
            "biggest = max(z)",
            "N = len(z)",
            "out = np.zeros(N)",
            "total = 0.0",
            "for k in range(N):",
            "    total += np.exp(z[k] - biggest)",
            "for j in range(N):",
            "    out[j] = np.exp(z[j] - biggest) / total",
            "return out",
        ),
    ),
    Variant(
        "softmax-by-logarithms",
        "softmax",
        cell("c = np.amax(z)", "return np.exp(z - c - np.log(np.exp(z - c).sum()))"),
    ),
    Variant(
        "softmax-single-precision",
        "softmax",
        cell(
            "softmax = np.exp((z - z.max()).astype('float32'))",
            "softmax /= softmax.sum()",
            "return softmax",
        ),
    ),
    Variant(
        "softmax-list-comprehension",
        "softmax",
        cell(
            "import math",
            "top = max(z)",
            "e = [math.exp(v - top) for v in z]",
            "return np.array([v / sum(e) for v in e])",
        ),
    ),
)
