"""Exercise 3: what students write for ``my_dense``."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_C3\n# GRADED CELL: my_dense\ndef my_dense(a_in, W, b, g):\n{body}\n"


def _mutant(id: str, check: str, says: str, *lines: str) -> Listed:
    return Listed(f"dense-{id}", "dense", cell(*lines), check, says)


RIGHT = cell("return g(a_in @ W + b)")

MUTANTS = (
    _mutant("not-started", "dense-row", "not started", "raise NotStarted"),
    _mutant("none", "dense-row", "returns nothing", "a_out = g(a_in @ W + b)"),
    _mutant("no-bias", "dense-bias", "bias is missing", "return g(a_in @ W)"),
    _mutant("minus-bias", "dense-bias", "bias was subtracted", "return g(a_in @ W - b)"),
    _mutant("first-bias", "dense-bias", "b[0]", "return g(a_in @ W + b[0])"),
    _mutant("no-activation", "dense-activation", "activation is missing", "return a_in @ W + b"),
    _mutant(
        "bias-after-activation",
        "dense-batch",
        "after the activation",
        "return g(a_in @ W) + b",
    ),
    _mutant(
        "relu-always", "dense-row", "always applies ReLU", "return np.maximum(a_in @ W + b, 0)"
    ),
    _mutant(
        "sigmoid-always",
        "dense-row",
        "always applies a sigmoid",
        "return 1 / (1 + np.exp(-(a_in @ W + b)))",
    ),
    _mutant(
        "last-unit-left",
        "dense-row",
        "last unit was left 0",
        "a_out = np.zeros(a_in.shape[:-1] + (W.shape[1],))",
        "for j in range(W.shape[1] - 1):",
        "    a_out[..., j] = g(a_in @ W[:, j] + b[j])",
        "return a_out",
    ),
    _mutant("activation-apart", "dense-batch", "separately", "return g(a_in @ W) + g(b)"),
    _mutant("sum-of-biases", "dense-bias", "b.sum()", "return g(a_in @ W + b.sum())"),
    _mutant("tanh-always", "dense-row", "always applies tanh", "return np.tanh(a_in @ W + b)"),
    _mutant("activation-twice", "dense-activation", "twice", "return g(g(a_in @ W + b))"),
    _mutant(
        "row-only",
        "dense-batch",
        "Only one row",
        "a_out = np.zeros(W.shape[1])",
        "for j in range(W.shape[1]):",
        "    a_out[j] = g(np.sum(a_in.reshape(-1)[: len(W)] * W[:, j]) + b[j])",
        "return a_out",
    ),
    _mutant(
        "row-only-raises",
        "dense-batch",
        "raised ValueError",
        "a_out = np.zeros(W.shape[1])",
        "for j in range(W.shape[1]):",
        "    a_out[j] = g(np.dot(a_in, W[:, j]) + b[j])",
        "return a_out",
    ),
    _mutant("extra-axis", "dense-row", "gained an axis", "return g(np.atleast_2d(a_in) @ W + b)"),
    _mutant("transposed-out", "dense-batch", "transposed", "out = g(a_in @ W + b)", "return out.T"),
    _mutant(
        "transposed-weights",
        "dense-unseen",
        "transposed",
        "if W.shape[0] == W.shape[1]:",
        "    W = W.T",
        "return g(a_in @ W + b)",
    ),
    _mutant("elementwise", "dense-row", "raised ValueError", "return g(a_in * W + b)"),
    _mutant("tensor", "dense-row", "TensorFlow tensor", "return g(tf.matmul([a_in], W)[0] + b)"),
)

VARIANTS = (
    Variant("dense-matmul", "dense", RIGHT),
    Variant("dense-dot", "dense", cell("z = np.dot(a_in, W)", "z = z + b", "return g(z)")),
    Variant("dense-einsum", "dense", cell("return g(np.einsum('...i,ij->...j', a_in, W) + b)")),
    Variant(
        "dense-loop-over-units",
        "dense",
        cell(
            "units = W.shape[1]",
            "a_out = np.zeros(a_in.shape[:-1] + (units,))",
            "for j in range(units):",
            "    a_out[..., j] = g(np.matmul(a_in, W[:, j]) + b[j])",
            "return a_out",
        ),
    ),
    Variant(
        "dense-two-cases",
        "dense",
        cell(
            "if a_in.ndim == 1:",
            "    return g((W.T @ a_in) + b)",
            "return np.array([g(W.T.dot(row) + b) for row in a_in])",
        ),
    ),
)
