"""Right answers in unusual forms, of every exercise: what a check must never take for a mistake.

The common forms stand beside the wrong answers of their exercise. These are whole cells, as they
were written: helpers above and below the function, other generators, callables that are no functions.
"""

from __future__ import annotations

from course.mutants import Variant

_LOSS = {
    "lambda": """
log_softmax = lambda z: z - np.logaddexp.reduce(z, axis=1, keepdims=True)
softmax = lambda z: np.exp(log_softmax(z))
one_hot = lambda y, n: np.eye(n)[y]
cross_entropy = lambda logits, y: (
    -np.sum(one_hot(y, logits.shape[1]) * log_softmax(logits)) / len(y),
    (softmax(logits) - one_hot(y, logits.shape[1])) / len(y),
)
""",
    "class": """
class CrossEntropy:
    def softmax(self, z):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)

    def __call__(self, logits, y):
        z = logits - np.max(logits, axis=1, keepdims=True)
        rows = np.arange(y.size)
        gradient = self.softmax(z)
        gradient[rows, y] -= 1
        loss = np.log(np.exp(z).sum(axis=1)) - z[rows, y]
        return loss.mean(), gradient / y.size

cross_entropy = CrossEntropy()
""",
    "partial": """
from functools import partial

def loss_and_gradient(logits, y, reduce):
    shifted = logits - logits.max(axis=1)[:, None]
    e = np.exp(shifted)
    total = e.sum(axis=1)
    rows = list(range(len(y)))
    gradient = e / total[:, None]
    gradient[rows, y.tolist()] -= 1
    return reduce(np.log(total) - shifted[rows, y.tolist()]), gradient / len(y)

cross_entropy = partial(loss_and_gradient, reduce=np.mean)
""",
    "named-pair": """
from typing import NamedTuple

class Result(NamedTuple):
    loss: float
    gradient: np.ndarray

def cross_entropy(logits: np.ndarray, y: np.ndarray, /, *, axis: int = 1) -> Result:
    m, n = logits.shape
    if n == 1:  # one class: sure of it
        return Result(0.0, np.zeros((m, n)))
    z = logits - logits.max(axis=axis, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
    hit = np.arange(n) == y[:, None]
    return Result(float(-log_p[hit].sum() / m), np.where(hit, np.exp(log_p) - 1, np.exp(log_p)) / m)
""",
    "flat-places": """
def cross_entropy(logits, y):
    m, n = logits.shape
    z = logits.copy()
    z -= z.max(axis=1, keepdims=True)
    z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
    places = n * np.arange(m) + y
    gradient = np.exp(z)
    gradient.flat[places] -= 1
    gradient /= m
    return -z.ravel()[places].mean(), gradient
""",
    "diagonal": """
def cross_entropy(logits, y):
    z = (logits.T - logits.T.max(axis=0)).T
    log_p = z - np.log(np.sum(np.exp(z), 1))[:, np.newaxis]
    picked = np.diag(log_p[:, y])
    gradient = np.exp(log_p)
    for row, label in enumerate(y):
        gradient[row, label] = gradient[row, label] - 1
    return -np.sum(picked) / picked.size, gradient * (1 / picked.size)
""",
    "names-from-numpy": """
from numpy import arange, exp, log, mean

def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - log(exp(z).sum(1, keepdims=True))

def cross_entropy(logits, y):
    log_p = log_softmax(logits)
    one_hot = 1.0 * (y.reshape(-1, 1) == arange(log_p.shape[1]))
    return mean(-(one_hot * log_p).sum(axis=1)), (exp(log_p) - one_hot) / one_hot.sum()
""",
    "decorated": """
@np.errstate(under="ignore")
def cross_entropy(logits, y):
    assert logits.ndim == 2 and len(logits) == len(y)
    largest = np.amax(logits, axis=1, keepdims=True)
    norm = largest + np.log(np.sum(np.exp(logits - largest), axis=1, keepdims=True))
    m = np.size(y)
    gradient = np.exp(logits - norm)
    np.subtract.at(gradient, (range(m), y), 1)
    print("rows:", m)
    return np.squeeze(norm, axis=1).mean() - logits[range(m), y].mean(), np.divide(gradient, m)
""",
    "row-by-row": """
def cross_entropy(logits, y):
    results = [of_one_row(row, label) for row, label in zip(logits, y)]
    losses, gradients = zip(*results)
    return np.mean(losses), np.stack(gradients) / len(results)

def of_one_row(z, k):
    others = np.delete(z, k)
    top = max(0.0, (others - z[k]).max())
    loss = top + np.log(np.exp(-top) + np.exp(others - z[k] - top).sum())
    e = np.exp(z - z.max())
    p = e / e.sum()
    p[k] = p[k] - 1
    return loss, p
""",
    "half-and-half": """
def cross_entropy(logits, y):
    if len(y) == 1:
        z = logits[0] - logits[0].max()
        log_p = z - np.log(np.exp(z).sum())
        gradient = np.exp(log_p)
        gradient[y[0]] -= 1
        return -log_p[y[0]], gradient[np.newaxis]
    half = len(y) // 2
    a, da = cross_entropy(logits[:half], y[:half])
    b, db = cross_entropy(logits[half:], y[half:])
    u, v = half / len(y), 1 - half / len(y)
    return u * a + v * b, np.vstack([u * da, v * db])
""",
    "float32-out": """
def cross_entropy(logits, y):
    logits = np.asarray(logits).astype("float64")
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    one_hot = np.zeros(logits.shape, dtype=np.float32)
    one_hot[np.arange(len(y)), y] = 1.0
    loss = np.float32(-np.tensordot(one_hot, log_p, axes=2) / len(y))
    return loss, ((np.exp(log_p) - one_hot) / len(y)).astype(np.float32)
""",
    "long-double": """
def cross_entropy(logits, y):
    z = logits.astype(np.longdouble)
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    gradient = np.exp(log_p)
    gradient[rows, y] -= 1
    return -log_p[rows, y].mean(), gradient / len(y)
""",
    "while-and-choose": """
def cross_entropy(logits, y):
    m = len(y)
    norms = np.empty(m)
    i = 0
    while i < m:
        top = logits[i].max()
        norms[i] = top + np.log(sum(np.exp(v - top) for v in logits[i]))
        i += 1
    loss = np.mean(norms - np.choose(y, logits.T))
    gradient = np.exp((logits.T - norms).T)
    gradient -= np.identity(logits.shape[1])[y]
    return loss, gradient / m
""",
    "einsum-of-one-hot": """
def cross_entropy(logits, y):
    t = np.eye(logits.shape[-1], dtype=int)[y]
    own = np.einsum("mn,mn->m", logits, t)
    gap = logits - own[:, None]
    loss = np.logaddexp.reduce(gap, axis=1).sum() / len(t)
    p = 1 / np.exp(np.clip(logits[:, None, :] - logits[:, :, None], -745, 709)).sum(axis=2)
    p[p < 1e-300] = 0
    return loss.item(), (p - t) / len(t)
""",
}

_SPLIT = {
    "random-state": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.RandomState(seed)
    is_test = np.zeros(y.shape, bool)
    for digit in set(y):
        rows, = np.where(y == digit)
        is_test[rng.choice(rows, size=int(round(test_fraction * rows.size)), replace=False)] = True
    test, train = np.nonzero(is_test)[0], np.nonzero(~is_test)[0]
    rng.shuffle(train)
    rng.shuffle(test)
    return X[train], X[test], y[train], y[test]
""",
    "rank-in-class": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.default_rng(seed)
    luck = rng.random(len(y))
    order = np.lexsort((luck, y))  # by class, within a class by luck
    _, first, count = np.unique(y[order], return_index=True, return_counts=True)
    rank = np.empty(len(y), dtype=int)
    rank[order] = np.arange(len(y)) - np.repeat(first, count)
    size = np.empty(len(y), dtype=int)
    size[order] = np.repeat(count, count)
    is_test = rank < np.rint(test_fraction * size)
    mixed = np.argsort(rng.random(len(y)))
    train, test = mixed[~is_test[mixed]], mixed[is_test[mixed]]
    return X[train], X[test], y[train], y[test]
""",
    "stratified-shuffle-split": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(n_splits=1, test_size=test_fraction, random_state=seed)
    train, test = next(splitter.split(X, y))
    return X[train], X[test], y[train], y[test]
""",
    "sklearn-in-two-steps": """
from sklearn.model_selection import train_test_split

def split_data(X, y, test_fraction=0.2, seed=1234):
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=test_fraction, stratify=y, random_state=seed)
    return np.take(X, train, axis=0), np.take(X, test, axis=0), y.take(train), y.take(test)
""",
    "comprehension": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(np.argwhere(y == c).ravel()) for c in np.unique(y)]
    cut = [np.split(rows, [round(test_fraction * len(rows))]) for rows in shuffled]
    test, train = (rng.permutation(np.hstack(part)) for part in zip(*cut))
    return [X[train], X[test], y[train], y[test]]
""",
    "dictionary-of-lists": """
from collections import defaultdict
from random import Random

def split_data(X, y, test_fraction=0.2, seed=1234):
    rows_of = defaultdict(list)
    for i, label in enumerate(y.tolist()):
        rows_of[label].append(i)
    dice, train, test = Random(seed), [], []
    for label in rows_of:
        dice.shuffle(rows_of[label])
        n_test = round(len(rows_of[label]) * test_fraction)
        while len(rows_of[label]) > n_test:
            train.append(rows_of[label].pop())
        test.extend(rows_of[label])
    dice.shuffle(train)
    dice.shuffle(test)
    return X[train], X[test], y[train], y[test]
""",
    "rows-with-their-labels": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.default_rng(seed)
    data = np.column_stack([X, y])
    rng.shuffle(data)
    labels = data[:, -1]
    parts = [], []
    for c in np.unique(labels):
        mine = data[labels == c]
        n_test = round(test_fraction * len(mine))
        parts[0].append(mine[n_test:])
        parts[1].append(mine[:n_test])
    train, test = (rng.permutation(np.vstack(part)) for part in parts)
    return train[:, :-1], test[:, :-1], train[:, -1].astype(y.dtype), test[:, -1].astype(y.dtype)
""",
    "sets": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.default_rng(seed)
    test = set()
    for c in range(int(y.max()) + 1):
        rows = [i for i in range(len(y)) if y[i] == c]
        if not rows:
            continue
        test |= set(rng.permutation(rows)[: round(test_fraction * len(rows))].tolist())
    train = sorted(set(range(len(y))) - test)
    train, test = rng.permutation(train), rng.permutation(sorted(test))
    return X[train], X[test], y[train], y[test]
""",
    "generator-of-each-class": """
def one_class(y, c, test_fraction, seed):
    rng = np.random.default_rng([seed, int(c)])
    rows = rng.permuted(np.flatnonzero(y == c))
    cut = len(rows) - round(test_fraction * len(rows))
    return rows[:cut], rows[cut:]

def split_data(X, y, test_fraction=0.2, seed=1234):
    pairs = [one_class(y, c, test_fraction, seed) for c in sorted(set(y.tolist()))]
    train = np.concatenate([pair[0] for pair in pairs])
    test = np.concatenate([pair[1] for pair in pairs])
    rng = np.random.default_rng(seed)
    train, test = train[rng.permutation(train.size)], test[rng.permutation(test.size)]
    return X[train], X[test], y[train], y[test]
""",
    "class": """
class Splitter:
    def __init__(self, returns):
        self.returns = returns

    def __call__(self, X, y, test_fraction=0.2, seed=1234):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(y))
        test = np.concatenate(
            [order[y[order] == c][: round(test_fraction * (y == c).sum())] for c in np.unique(y)]
        )
        rng.shuffle(test)
        train = order[np.isin(order, test, invert=True)]
        return self.returns(X, y, train, test)

split_data = Splitter(lambda X, y, train, test: (X[train], X[test], y[train], y[test]))
""",
    "partial-of-names": """
from functools import partial

def split(fraction, kind, X, y, test_fraction=0.2, seed=1234):
    rng = kind(seed)
    train, test = [], []
    for c in np.unique(y):
        rows = np.nonzero(y == c)[0]
        rows = rows[rng.random(len(rows)).argsort()]
        n = fraction(test_fraction * len(rows))
        test, train = np.r_[test, rows[:n]], np.r_[train, rows[n:]]
    train, test = rng.permutation(train).astype(int), rng.permutation(test).astype(int)
    return X[train], X[test], y[train], y[test]

split_data = partial(split, lambda n: int(np.ceil(n - 1e-9)), np.random.default_rng)
""",
    "type-hints-and-an-early-return": """
Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

def split_data(
    X: np.ndarray, y: np.ndarray, test_fraction: float = 0.2, seed: int | None = 1234
) -> Parts:
    if test_fraction == 0:
        return X, X[:0], y, y[:0]
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(len(y))
    taken: dict[int, int] = {}
    train: list[int] = []
    test: list[int] = []
    wanted = {c: round(n * test_fraction) for c, n in zip(*np.unique(y, return_counts=True))}
    for row in mixed:
        label = y[row]
        if taken.setdefault(label, 0) < wanted[label]:
            test.append(row)
            taken[label] += 1
        else:
            train.append(row)
    return X[train], X[test], y[train], y[test]
""",
    "bresenham": """
def split_data(X, y, test_fraction=0.2, seed=1234):
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(len(y))
    by_class = mixed[np.argsort(y[mixed], kind="stable")]
    place = np.concatenate([np.arange(n) for n in np.bincount(y[mixed])])
    size = np.bincount(y)[y[by_class]]
    n_test = np.round(test_fraction * size)
    is_test = (place + 1) * n_test // size > place * n_test // size
    train, test = by_class[~is_test], by_class[is_test]
    train, test = map(rng.permutation, (train, test))
    return X[train, :], X[test, :], y[train], y[test]
""",
}

_SOFTMAX = {
    "of-differences": """
def my_softmax(z):
    with np.errstate(over="ignore"):
        return 1 / np.exp(z - z[:, np.newaxis]).sum(axis=1)
""",
    "class": """
class Softmax:
    def softmax(self, z):
        e = np.exp(np.subtract(z, max(z)))
        return np.true_divide(e, np.add.reduce(e))

    def __call__(self, z):
        return self.softmax(z)

my_softmax = Softmax()
""",
    "type-hints-and-an-early-return": """
from numpy import exp, ndarray

def my_softmax(z: ndarray, axis: int = -1) -> ndarray:
    if len(z) == 1:
        return np.ones(1)
    c: float = sorted(z)[-1]
    p = exp(z - c)
    p /= p.sum(axis=axis)
    return p
""",
}

_DENSE = {
    "ones-beside-the-inputs": """
def my_dense(a_in, W, b, g):
    rows = np.atleast_2d(a_in)
    z = np.hstack([rows, np.ones((len(rows), 1))]) @ np.vstack([W, b])
    return g(z).reshape(a_in.shape[:-1] + (W.shape[1],))
""",
    "inner-lambda": """
weighted = lambda a, W, b: np.add(np.inner(a, W.T), b)
my_dense = lambda a_in, W, b, g: g(weighted(a_in, W, b))
""",
}

_PREDICT = {
    "keras-ops": """
def predict_digits(model, X):
    p = keras.ops.softmax(model.predict(X, verbose=0), axis=-1)
    p = keras.ops.convert_to_numpy(p)
    return np.array([row.argmax() for row in p]), p
""",
    "along-the-axis": """
from scipy.special import softmax

def predict_digits(model, X):
    logits = model.predict(x=X, batch_size=len(X), verbose=0)
    probabilities = np.apply_along_axis(softmax, 1, logits)
    return np.asarray(logits.argmax(axis=-1), dtype=np.int32), probabilities
""",
}

_MODEL = {
    "loop-of-layers": """
keras.utils.set_random_seed(1234)

def build(units: tuple[int, ...] = (25, 15, 10), n_inputs: int = 400) -> Sequential:
    network = Sequential(name="digits")
    network.add(keras.layers.Input((n_inputs,)))
    for place, n in enumerate(units, 1):
        last = place == len(units)
        network.add(Dense(units=n, activation=None if last else tf.nn.relu, name=f"layer_{place}"))
    return network

model = build()
""",
}


def _forms(exercise: str, marker: str, cells: dict[str, str]) -> tuple[Variant, ...]:
    """Return the cells of an exercise as variants, each under its marker."""
    return tuple(
        Variant(f"{exercise}-form-{id}", exercise, f"# UNQ_{marker}{code}")
        for id, code in cells.items()
    )


VARIANTS = (
    *_forms("softmax", "C1", _SOFTMAX),
    *_forms("model", "C2", _MODEL),
    *_forms("dense", "C3", _DENSE),
    *_forms("split", "C4", _SPLIT),
    *_forms("loss", "C5", _LOSS),
    *_forms("predict", "C7", _PREDICT),
)
