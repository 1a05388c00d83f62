"""Exercise 4: what students write for ``split_data``."""

from __future__ import annotations

from course.mutants import Listed, Variant


def cell(*lines: str, returns: str = "X[train], X[test], y[train], y[test]") -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in (*lines, f"return {returns}"))
    head = (
        "def split_data(X, y, test_fraction=0.2, seed=1234):\n    rng = np.random.default_rng(seed)"
    )
    return f"# UNQ_C4\n# GRADED CELL: split_data\n{head}\n{body}\n"


BY_CLASS = (
    "train, test = [], []",
    "for digit in np.unique(y):",
    "    rows = rng.permutation(np.flatnonzero(y == digit))",
    "    n_test = round(test_fraction * len(rows))",
    "    test.append(rows[:n_test])",
    "    train.append(rows[n_test:])",
)
MIXED = (
    "train = rng.permutation(np.concatenate(train))",
    "test = rng.permutation(np.concatenate(test))",
)
RIGHT = cell(*BY_CLASS, *MIXED)


def _mutant(id: str, row: int, check: str, says: str, code: str) -> Listed:
    return Listed(f"split-{id}", "split", code, check, says, row=row)


LABELS_ONE_LESS = "X[train], X[test], y[train] - 1, y[test] - 1"
LABELS_TEN = "X[train], X[test], np.where(y == 0, 10, y)[train], np.where(y == 0, 10, y)[test]"
LABELS_BELOW = "X[train], X[test], (y[train] + 9) % 10, (y[test] + 9) % 10"

MUTANTS = (
    _mutant("not-started", 0, "split-returns", "not started", cell("raise NotStarted")),
    _mutant("none", 0, "split-returns", "returns nothing", cell(*BY_CLASS, *MIXED, returns="None")),
    _mutant("tens", 34, "split-labels", "labelled 10", cell(*BY_CLASS, *MIXED, returns=LABELS_TEN)),
    _mutant(
        "minus-one",
        35,
        "split-labels",
        "one less",
        cell(*BY_CLASS, *MIXED, returns=LABELS_ONE_LESS),
    ),
    _mutant(
        "digit-below",
        35,
        "split-labels",
        "digit below",
        cell(*BY_CLASS, *MIXED, returns=LABELS_BELOW),
    ),
    _mutant(
        "last-fifth",
        36,
        "split-stratified",
        "missing",
        cell(
            "cut = round(len(X) * (1 - test_fraction))",
            "train = rng.permutation(cut)",
            "test = cut + rng.permutation(len(X) - cut)",
        ),
    ),
    _mutant(
        "not-by-class",
        36,
        "split-stratified",
        "without looking at y",
        cell(
            "rows = rng.permutation(len(X))",
            "cut = round(len(X) * test_fraction)",
            "test, train = rows[:cut], rows[cut:]",
        ),
    ),
    _mutant(
        "overlap",
        37,
        "split-complete",
        "overlap",
        cell(
            "rows = np.arange(len(X))",
            "n = round(len(X) * test_fraction)",
            "test = np.concatenate([rng.permutation(np.flatnonzero(y == c))[: n // 10] for c in range(10)])",
            "train = rng.permutation(rows)[: len(X) - n]",
            "test = rng.permutation(test)",
        ),
    ),
    _mutant(
        "with-replacement",
        37,
        "split-complete",
        "Rows are lost or repeated",
        cell(*BY_CLASS, *MIXED, "train = rng.choice(train, len(train))"),
    ),
    _mutant(
        "rows-lost",
        37,
        "split-sizes",
        "rows are lost",
        cell(*BY_CLASS, *MIXED, "train = train[:-100]"),
    ),
    _mutant(
        "all-for-training",
        37,
        "split-sizes",
        "in both parts",
        cell(*BY_CLASS, *MIXED, "train = rng.permutation(len(X))"),
    ),
    _mutant(
        "swapped-parts",
        37,
        "split-sizes",
        "parts are swapped",
        cell(*BY_CLASS, *MIXED, returns="X[test], X[train], y[test], y[train]"),
    ),
    _mutant(
        "other-order",
        37,
        "split-returns",
        "X_train, y_train",
        cell(*BY_CLASS, *MIXED, returns="X[train], y[train], X[test], y[test]"),
    ),
    _mutant(
        "row-numbers",
        37,
        "split-returns",
        "does not have the form",
        cell(*BY_CLASS, *MIXED, returns="train, test, y[train], y[test]"),
    ),
    _mutant(
        "labels-shuffled-apart",
        37,
        "split-labels",
        "separately",
        cell(
            *BY_CLASS,
            *MIXED,
            returns="X[train], X[test], y[rng.permutation(train)], y[rng.permutation(test)]",
        ),
    ),
    _mutant(
        "in-place",
        37,
        "split-returns",
        "changes X or y itself",
        cell("rng.shuffle(y)", *BY_CLASS, *MIXED),
    ),
    _mutant(
        "sorted",
        36,
        "split-shuffled",
        "order of its classes",
        cell(*BY_CLASS, "train, test = np.concatenate(train), np.concatenate(test)"),
    ),
    _mutant(
        "seed-unused",
        37,
        "split-repeatable",
        "two different splits",
        cell("rng = np.random.default_rng()", *BY_CLASS, *MIXED),
    ),
    _mutant(
        "seed-fixed",
        37,
        "split-repeatable",
        "Every seed",
        cell("rng = np.random.default_rng(1234)", *BY_CLASS, *MIXED),
    ),
    _mutant(
        "fraction-fixed",
        0,
        "split-fraction",
        "Whatever test_fraction is",
        cell("test_fraction = 0.2", *BY_CLASS, *MIXED),
    ),
    _mutant(
        "hundred-fixed",
        0,
        "split-fraction",
        "100 or 1000",
        cell(*BY_CLASS[:3], "    n_test = 100", *BY_CLASS[4:], *MIXED),
    ),
    _mutant(
        "five-hundred-fixed",
        0,
        "split-classes",
        "written in your code",
        cell(*BY_CLASS[:3], "    n_test = round(test_fraction * 500)", *BY_CLASS[4:], *MIXED),
    ),
    _mutant(
        "blocks-of-500",
        0,
        "split-classes",
        "different sizes",
        cell(
            *BY_CLASS[:1],
            "for digit in range(len(np.unique(y))):",
            "    rows = 500 * digit + rng.permutation(500)",
            *BY_CLASS[3:],
            *MIXED,
        ),
    ),
    _mutant(
        "loop-from-1",
        37,
        "split-sizes",
        "digit 0 is in either part",
        cell(BY_CLASS[0], "for digit in range(1, 10):", *BY_CLASS[2:], *MIXED),
    ),
    _mutant(
        "loop-to-9",
        37,
        "split-sizes",
        "digit 9 is in either part",
        cell(BY_CLASS[0], "for digit in range(9):", *BY_CLASS[2:], *MIXED),
    ),
    _mutant(
        "positions",
        37,
        "split-complete",
        "Positions within a class",
        cell(
            *BY_CLASS[:2], "    rows = rng.permutation((y == digit).sum())", *BY_CLASS[3:], *MIXED
        ),
    ),
    _mutant(
        "choice",
        37,
        "split-sizes",
        "with replacement",
        cell(
            "test = np.concatenate([",
            "    rng.choice(np.flatnonzero(y == c), round(test_fraction * (y == c).sum()))",
            "    for c in np.unique(y)",
            "])",
            "train = rng.permutation(np.setdiff1d(np.arange(len(y)), test))",
            "test = rng.permutation(test)",
        ),
    ),
)

VARIANTS = (
    Variant("split-by-class", "split", RIGHT),
    Variant(
        "split-mask",
        "split",
        cell(
            "is_test = np.zeros(len(y), dtype=bool)",
            "for c in set(y.tolist()):",
            "    rows = np.where(y == c)[0]",
            "    rng.shuffle(rows)",
            "    is_test[rows[: int(test_fraction * len(rows))]] = True",
            "order = rng.permutation(len(y))",
            "train, test = order[~is_test[order]], order[is_test[order]]",
        ),
    ),
    Variant(
        "split-scikit-learn",
        "split",
        cell(
            "from sklearn.model_selection import train_test_split",
            returns="train_test_split("
            "X, y, test_size=test_fraction, random_state=seed, stratify=y, shuffle=True)",
        ),
    ),
    Variant(
        "split-old-random",
        "split",
        cell(
            "np.random.seed(seed)",
            "order = np.random.permutation(len(y))",
            "X, y = X[order], y[order]",
            "test = []",
            "for c in np.unique(y):",
            "    rows = np.flatnonzero(y == c)",
            "    test += rows[: round(len(rows) * test_fraction)].tolist()",
            "test = np.random.permutation(test)",
            "train = np.setdiff1d(np.arange(len(y)), test)",
        ),
    ),
)
