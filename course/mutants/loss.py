"""Exercise 5: what students write for ``cross_entropy``."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_C5\n# GRADED CELL: cross_entropy\ndef cross_entropy(logits, y):\n{body}\n"


M = "m = len(y)"
LOG_P = (
    "z = logits - logits.max(axis=1, keepdims=True)",
    "log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))",
)
NAIVE = (
    "z = logits - logits.max(axis=1, keepdims=True)",
    "p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)",
)
OWN = "own = np.arange(m), y"
LOSS = "loss = -log_p[own].mean()"
GRADIENT = ("g = np.exp(log_p)", "g[own] -= 1", "g = g / m")
END = "return loss, g"
RIGHT = cell(M, *LOG_P, OWN, LOSS, *GRADIENT, END)


def _mutant(id: str, row: int | str, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"loss-{id}", "loss", cell(*lines), check, says, row=row)


def _value(
    id: str, row: int | str, says: str, line: str, check: str = "loss-values", *before: str
) -> Listed:
    """A wrong loss beside a right gradient."""
    return _mutant(
        id, row, check, says, M, *LOG_P, OWN, "p = np.exp(log_p)", *before, line, *GRADIENT, END
    )


def _gradient(
    id: str, row: int | str, says: str, *lines: str, check: str = "loss-gradient"
) -> Listed:
    """A wrong gradient beside a right loss."""
    return _mutant(id, row, check, says, M, *LOG_P, OWN, LOSS, "p = np.exp(log_p)", *lines, END)


MUTANTS = (
    _mutant("not-started", 0, "loss-returns", "not started", "raise NotStarted"),
    _mutant("none", 0, "loss-returns", "returns nothing", M, *LOG_P, "print(log_p)"),
    _mutant("loss-only", 0, "loss-returns", "Two things", M, *LOG_P, OWN, LOSS, "return loss"),
    _mutant(
        "swapped", 0, "loss-returns", "swapped", M, *LOG_P, OWN, LOSS, *GRADIENT, "return g, loss"
    ),
    _value("each-row", "33a", "one for each row", "loss = -log_p[own]", "loss-returns"),
    _value("sum", "33a", "sum over the rows", "loss = -log_p[own].sum()"),
    _value("mean-over-all", "33a", "all m x N", "loss = -log_p[own].sum() / logits.size"),
    _value(
        "one-hot-mean", "33a", "all m x N", "loss = -(log_p * np.eye(logits.shape[1])[y]).mean()"
    ),
    _value("minus-forgotten", "33a", "sign is turned", "loss = log_p[own].mean()", "loss-even"),
    _value(
        "logits-for-probabilities",
        "33b",
        "taken for probabilities",
        "loss = -np.log(logits[own]).mean()",
    ),
    _value("minus-logit", "33b", "minus the logit", "loss = -logits[own].mean()"),
    _mutant(
        "softmax-twice",
        "33b",
        "loss-values",
        "applied twice",
        M,
        *NAIVE,
        OWN,
        "p2 = np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)",
        "loss = -np.log(p2[own]).mean()",
        "g = p2.copy()",
        "g[own] -= 1",
        "return loss, g / m",
    ),
    _mutant(
        "from-probabilities",
        "33c",
        "loss-large-logits",
        "from probabilities",
        M,
        *NAIVE,
        OWN,
        "loss = -np.log(p[own]).mean()",
        "g = p.copy()",
        "g[own] -= 1",
        "return loss, g / m",
    ),
    _mutant(
        "no-shift",
        "33c",
        "loss-large-logits",
        "exp(1000)",
        M,
        "p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)",
        OWN,
        "loss = -np.log(p[own]).mean()",
        "g = p.copy()",
        "g[own] -= 1",
        "return loss, g / m",
    ),
    _value(
        "epsilon", "33c", "cut off", "loss = -np.log(p[own] + 1e-9).mean()", "loss-large-logits"
    ),
    _value(
        "clipped",
        "33c",
        "cut off",
        "loss = -np.log(np.clip(p[own], 1e-12, 1)).mean()",
        "loss-large-logits",
    ),
    _mutant(
        "one-hot-wanted",
        "33d",
        "loss-returns",
        "one-hot labels",
        M,
        *LOG_P,
        "loss = -(y * log_p).sum() / m",
        "return loss, (np.exp(log_p) - y) / m",
    ),
    _mutant(
        "column-wanted",
        "33d",
        "loss-returns",
        "in a column",
        M,
        *LOG_P,
        "loss = -np.take_along_axis(log_p, y, axis=1).mean()",
        "return loss, (np.exp(log_p) - (np.arange(logits.shape[1]) == y)) / m",
    ),
    _value(
        "labels-as-amounts",
        "33d",
        "used as amounts",
        "loss = ((p.argmax(axis=1) - y) ** 2).mean()",
        "loss-values",
    ),
    _value("label-one-less", "33d", "off by one", "loss = -log_p[np.arange(m), y - 1].mean()"),
    _mutant(
        "label-10",
        "33d",
        "loss-even",
        "label pointed outside",
        M,
        "y = np.where(y == 0, 10, y) if logits.shape[1] == 10 else y",
        *LOG_P,
        OWN,
        LOSS,
        *GRADIENT,
        END,
    ),
    _value("whole-rows", "33e", "whole rows", "loss = -log_p[y].mean()"),
    _value("whole-columns", "33e", "whole columns", "loss = -log_p[:, y].mean()"),
    _value("largest", 0, "not that of its label", "loss = -log_p.max(axis=1).mean()"),
    _value("entropy", 0, "entropy", "loss = -(p * log_p).sum(axis=1).mean()"),
    _value("no-logarithm", 0, "logarithm is missing", "loss = -p[own].mean()", "loss-even"),
    _value("one-minus", 0, "logarithm is missing", "loss = (1 - p[own]).mean()"),
    _value("base-2", 0, "base 2", "loss = -np.log2(p[own]).mean()"),
    _value("base-10", 0, "base 10", "loss = -np.log10(p[own]).mean()"),
    _value("log-of-mean", 0, "mean probability", "loss = -np.log(p[own].mean())"),
    _value("first-row", 0, "Only the first row", "loss = -log_p[0, y[0]]"),
    _value("last-row", 0, "Only the last row", "loss = -log_p[-1, y[-1]]"),
    _value(
        "binary",
        0,
        "binary cross-entropy",
        "loss = -(t * log_p + (1 - t) * np.log(1 - p)).sum() / m",
        "loss-values",
        "t = np.eye(logits.shape[1])[y]",
    ),
    _value(
        "squared",
        0,
        "squared differences",
        "loss = ((p - np.eye(logits.shape[1])[y]) ** 2).mean()",
    ),
    _value("error-rate", 0, "read wrongly", "loss = (p.argmax(axis=1) != y).mean()"),
    _value("sigmoid", 0, "sigmoid", "loss = -np.log(1 / (1 + np.exp(-logits[own]))).mean()"),
    _mutant(
        "whole-batch",
        0,
        "loss-values",
        "over the whole batch",
        M,
        "p = np.exp(logits - logits.max())",
        "p /= p.sum()",
        OWN,
        "loss = -np.log(p[own]).mean()",
        "g = p.copy()",
        "g[own] -= 1",
        "return loss, g / m",
    ),
    _mutant(
        "columns",
        0,
        "loss-values",
        "down the columns",
        M,
        "p = np.exp(logits)",
        "p = p / p.sum(axis=0)",
        OWN,
        "loss = -np.log(p[own]).mean()",
        "g = p.copy()",
        "g[own] -= 1",
        "return loss, g / m",
    ),
    _gradient("without-m", "33e", "1/m is missing", "g = p.copy()", "g[own] -= 1"),
    _gradient("sign", "33e", "sign is turned", "g = -p", "g[own] += 1", "g = g / m"),
    _gradient("by-all", "33e", "all m x N", "g = p.copy()", "g[own] -= 1", "g = g / g.size"),
    _gradient("no-one-hot", "33e", "not subtracted", "g = p / m"),
    _gradient(
        "wrong-rows", "33e", "whole rows or columns", "g = p.copy()", "g[y] -= 1", "g = g / m"
    ),
    _gradient(
        "wrong-columns", "33e", "whole rows or columns", "g = p.copy()", "g[:, y] -= 1", "g = g / m"
    ),
    _gradient(
        "labels-only",
        "33e",
        "places of the labels",
        "g = np.zeros(p.shape)",
        "g[own] = (p[own] - 1) / m",
    ),
    _gradient(
        "of-probabilities",
        "33e",
        "with respect to the probabilities",
        "g = np.zeros(p.shape)",
        "g[own] = -1 / p[own] / m",
    ),
    _gradient(
        "logits-minus-labels",
        "33e",
        "softmax is missing",
        "g = logits.copy()",
        "g[own] -= 1",
        "g = g / m",
    ),
    _gradient(
        "summed",
        "33e",
        "added up over the batch",
        "g = p.copy()",
        "g[own] -= 1",
        "g = g.mean(axis=0)",
        check="loss-returns",
    ),
    _gradient(
        "transposed",
        "33e",
        "transposed",
        "g = p.copy()",
        "g[own] -= 1",
        "g = g.T / m",
        check="loss-returns",
    ),
    _gradient("zeros", "33e", "0 everywhere", "g = np.zeros(p.shape)"),
    _mutant(
        "in-place",
        "33f",
        "loss-untouched",
        "changes logits itself",
        M,
        "logits -= logits.max(axis=1, keepdims=True)",
        "log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))",
        OWN,
        LOSS,
        *GRADIENT,
        END,
    ),
    _mutant(
        "library",
        0,
        "loss-by-hand",
        "not NumPy by hand",
        "from scipy.special import log_softmax",
        M,
        "log_p = log_softmax(logits, axis=1)",
        OWN,
        LOSS,
        *GRADIENT,
        END,
    ),
)

VARIANTS = (
    Variant("loss-vector", "loss", RIGHT),
    Variant(
        "loss-loops",
        "loss",
        cell(
            "m, N = logits.shape",
            "loss, gradient = 0.0, np.zeros((m, N))",
            "for i in range(m):",
            "    c = max(logits[i])",
            "    total = 0.0",
            "    for j in range(N):",
            "        total += np.exp(logits[i][j] - c)",
            "    loss += np.log(total) - (logits[i][y[i]] - c)",
            "    for j in range(N):",
            "        p = np.exp(logits[i][j] - c) / total",
            "        gradient[i][j] = (p - (1 if j == y[i] else 0)) / m",
            "return loss / m, gradient",
        ),
    ),
    Variant(
        "loss-one-hot",
        "loss",
        cell(
            "one_hot = np.eye(logits.shape[1])[y]",
            *LOG_P,
            "loss = -np.sum(one_hot * log_p) / len(logits)",
            "return loss, (np.exp(log_p) - one_hot) / len(logits)",
        ),
    ),
    Variant(
        "loss-logaddexp",
        "loss",
        cell(
            "norm = np.logaddexp.reduce(logits, axis=1)",
            "rows = range(len(y))",
            "loss = np.mean(norm - logits[rows, y])",
            "gradient = np.exp(logits - norm.reshape(-1, 1))",
            "gradient[rows, y] -= 1",
            "return loss, gradient / len(y)",
        ),
    ),
    Variant(
        "loss-take-along-axis",
        "loss",
        cell(
            *LOG_P,
            "picked = np.take_along_axis(log_p, y.astype(int)[:, None], axis=1)",
            "gradient = np.exp(log_p) / len(y)",
            "np.put_along_axis(gradient, y[:, None], ",
            "    np.take_along_axis(gradient, y[:, None], 1) - 1 / len(y), axis=1)",
            "return -picked.mean(), gradient",
        ),
    ),
    Variant(
        "loss-pairs-to-the-label",
        "loss",
        cell(
            "m = len(y)",
            "gap = logits - logits[np.arange(m), y][:, np.newaxis]",
            "top = gap.max(axis=1)",
            "loss = np.mean(top + np.log(np.exp(gap - top[:, None]).sum(axis=1)))",
            "p = np.exp(gap - top[:, None])",
            "p /= p.sum(axis=1)[:, None]",
            "return loss, (p - (np.arange(logits.shape[1]) == y[:, None])) / m",
        ),
    ),
    Variant(
        "loss-list-comprehension",
        "loss",
        cell(
            "import math",
            "losses, rows = [], []",
            "for row, label in zip(logits.tolist(), y.tolist()):",
            "    c = max(row)",
            "    e = [math.exp(v - c) for v in row]",
            "    losses.append(math.log(sum(e)) + c - row[label])",
            "    rows.append([(v / sum(e) - (k == label)) / len(y) for k, v in enumerate(e)])",
            "return sum(losses) / len(losses), np.array(rows)",
        ),
    ),
    Variant(
        "loss-helper",
        "loss",
        cell(
            "def log_softmax_of(row):",
            "    shifted = row - row.max()",
            "    return shifted - np.log(np.exp(shifted).sum())",
            "log_p = np.apply_along_axis(log_softmax_of, 1, logits)",
            "mask = np.zeros_like(log_p)",
            "mask[np.arange(len(y)), y] = 1",
            "return float(-(log_p * mask).sum(1).mean()), (np.exp(log_p) - mask) / len(y)",
        ),
    ),
    Variant(
        "loss-boolean-mask",
        "loss",
        cell(
            "hit = np.arange(logits.shape[1])[None, :] == y.reshape(-1, 1)",
            *LOG_P,
            "return -np.average(log_p[hit]), (np.exp(log_p) - hit) / hit.shape[0]",
        ),
    ),
    Variant(
        "loss-einsum",
        "loss",
        cell(
            "t = np.identity(logits.shape[1])[y]",
            *LOG_P,
            "loss = -np.einsum('ij,ij->', t, log_p) / len(t)",
            "return loss, np.subtract(np.exp(log_p), t) / len(t)",
        ),
    ),
    Variant(
        "loss-single-precision",
        "loss",
        cell(
            "logits = np.array(logits, dtype=np.float32)",
            M,
            *LOG_P,
            OWN,
            LOSS,
            *GRADIENT,
            END,
        ),
    ),
    Variant(
        "loss-zero-d-array",
        "loss",
        cell(M, *LOG_P, OWN, "loss = np.array(-log_p[own].sum() / m)", *GRADIENT, END),
    ),
    Variant(
        "loss-list-of-two",
        "loss",
        cell(M, *LOG_P, OWN, LOSS, *GRADIENT, "return [loss, g]"),
    ),
    Variant(
        "loss-with-own-softmax",
        "loss",
        "def my_softmax(z):\n    e = np.exp(z - z.max())\n    return e / e.sum()\n"
        + cell(
            "p = np.array([my_softmax(row) for row in logits])",
            M,
            "with np.errstate(divide='ignore'):",
            "    naive = -np.log(p[np.arange(m), y])",
            "exact = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(m), y]",
            "loss = np.where(np.isfinite(naive), naive, exact).mean()",
            "p[np.arange(m), y] -= 1",
            "return loss, p / m",
        ),
    ),
    Variant(
        "loss-add-at",
        "loss",
        cell(
            *LOG_P,
            "m, _ = logits.shape",
            "g = np.exp(log_p) / m",
            "np.add.at(g, (np.arange(m), y), -1 / m)",
            "return np.negative(log_p[np.arange(m), y]).sum() / m, g",
        ),
    ),
    Variant(
        "loss-transposed-inside",
        "loss",
        cell(
            "z = logits.T - logits.max(axis=1)",
            "log_p = z - np.log(np.exp(z).sum(axis=0))",
            M,
            "g = np.exp(log_p)",
            "g[y, np.arange(m)] -= 1",
            "return -log_p[y, np.arange(m)].mean(), (g / m).T",
        ),
    ),
)
