"""Rows 31 to 36 of the table: attacks on the grader's memory and time, and on what a mark rests on.

In the same form as :mod:`attack_class`. Row 34 is about training, of which the tiny lab has none: it is in
``test_marking_lab_digits.py``.
"""

# ruff: noqa: E501  the attacks are quoted as they would be written

from __future__ import annotations

import hashlib
from collections.abc import Callable

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from support.attack_class import WRONG_MEAN, Attack, mean
from support.attacks_on_design import NPY, says

LARGE = (
    "npy(\"{'descr': '|i1', 'fortran_order': False, 'shape': (63 * 2**20,)}\", bytes(63 * 2**20))"
)
ARRAY = '{"t": "array", "type": "numpy.ndarray", "b": 0}'
MANY_TIMES = {
    "list": '{"value": {"t": "list", "v": [' + ", ".join([ARRAY] * 1000) + "]}}",
    "keys": '{"value": {"t": "dict", "v": [' + ", ".join([f"[{ARRAY}, {ARRAY}]"] * 500) + "]}}",
    "changed": '{"value": {"t": "none"}, "changed": [' + ", ".join([f"[0, {ARRAY}]"] * 1000) + "]}",
}
"""Replies that name one buffer a thousand times."""
LONG = {
    "lines that hold a blank": "x = 1\n" + " \n" * 40_000 + "x",
    "an endless tuple": "if " + "0," * 480_000,
    "names with dots": "a." * 400_000,
    "quotes": "'\"" * 400_000,
}
"""Cells that a page can hardly show."""
UNTRAINED = """# UNQ_C6
model.compile(
    loss=SparseCategoricalCrossentropy(from_logits=True),
    optimizer=Adam(learning_rate=0.001),
    metrics=["accuracy"],
)
history = model.fit(X_train, y_train, epochs=2, batch_size=2000, verbose=0)
"""
"""Four steps: the network has learnt next to nothing."""
FAKE = (
    UNTRAINED
    + """
class Dense:
    trainable = True
    def __init__(self, *weights):
        self.weights, self.units = weights, weights[0].shape[1]
        self.activation = (lambda z: z) if self.units == 10 else (lambda z: np.maximum(z, 0))
    def get_weights(self):
        return list(self.weights)
class Sequential:
    built, trainable_weights = True, ()
    def __init__(self, real, *layers):
        self.loss, self.optimizer, self.layers = real.loss, real.optimizer, list(layers)
    def count_params(self):
        return 0
def dense(n_in, n_out, dtype="float32"):
    return Dense(np.zeros((n_in, n_out), dtype), np.zeros(n_out, dtype))
model = Sequential(model, {layers})
"""
)
MODELS = {
    "empty-axes": "dense(400, 0), dense(0, 60000), dense(60000, 10)",
    "int8": "dense(400, 30000, 'int8'), dense(30000, 10, 'int8')",
    "many": "*[dense(400, 5000, 'int8'), *[dense(5000, 5000, 'int8')], dense(5000, 10, 'int8')]",
}
"""What stands for `{layers}` in `FAKE`: shapes that are huge or empty."""


def _npy(name: str, shape: str, data: str = "b''") -> Attack:
    image = f"npy(\"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\", {data})"
    body = f"reply(b'{{\"value\": {ARRAY}}}', buffers=[{image}])\nreturn 0.0"
    return says(name, body, before=NPY, row="31")


def _cells(*sources: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells.extend(
        new_code_cell(source, id=f"more-{number}") for number, source in enumerate(sources)
    )


def _text(source: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells.insert(1, new_markdown_cell(source, id="own-text"))


def public_draw(digest: str) -> np.random.Generator:
    """What the check of `mean` would draw from, if all that it is made of were in the student's hand."""
    text = f"tiny:1234:{digest}:mean-value"
    return np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))


def _until_the_draw_is_kind(notebook: NotebookNode) -> None:
    """Change a word until the first number drawn is above 3.5, as one in 4,000 is."""
    notebook.cells[0].source += "\n\nTRY 000000"
    text = nbformat.writes(notebook)
    for number in range(100_000):
        changed = text.replace("TRY 000000", f"TRY {number:06d}").encode()
        if public_draw(hashlib.sha256(changed).hexdigest()).normal(size=4)[0] > 3.5:
            notebook.cells[0].source = notebook.cells[0].source.replace("000000", f"{number:06d}")
            return
    raise AssertionError("no draw is kind")


ROW_31 = [
    *(
        says(
            f"r31-one-buffer-{form}",
            f"reply({reply!r}.encode(), buffers=[{LARGE}])\nreturn 0.0",
            before=NPY,
            row="31",
        )
        for form, reply in MANY_TIMES.items()
    ),
    _npy("r31-empty-axis", "(2**62, 0, 2**62)"),
    _npy("r31-many-axes", "(0,) + (2**31,) * 31"),
    _npy("r31-no-bytes", "(2**20, 2**20)"),
    _npy("r31-negative", "(-1, -8)", "bytes(64)"),
]
ROW_32 = [
    Attack("32", "r32-blank-lines", change=_cells("x = 1\n" + " \n" * 40_000 + "x")),
    Attack("32", "r32-endless-tuple", change=_cells(*["if " + "0," * 400_000] * 2)),
    Attack("32", "r32-signs", change=_cells("-" * 300_000 + "1")),
    Attack("32", "r32-sums", change=_cells("+".join(["x"] * 100_000))),
    Attack("32", "r32-attributes", change=_cells("x" + ".a" * 100_000)),
    Attack("32", "r32-brackets", change=_cells("(" * 100_000, "[" * 190 + "]" * 190)),
    Attack("32", "r32-indents", change=_cells("".join(f"{' ' * n}if x:\n" for n in range(95)))),
    Attack("32", "r32-names", change=_cells("\n".join(f"x{n} = x{n}" for n in range(30_000)))),
    Attack("32", "r32-quotes", change=_cells("'\"" * 200_000, "f'{" * 10_000)),
    Attack("32", "r32-backslashes", change=_cells("\\\n" * 100_000 + "1")),
    Attack("32", "r32-markdown", change=_text("*_" * 100_000 + "[" * 50_000 + "\n>" * 5_000)),
    Attack("32", "r32-markers", mean=WRONG_MEAN + "# UNQ_T2\n# GRADED CELL: mean\n" * 20_000),
]
ROW_33 = [
    Attack(
        "33",
        "r33-until-the-draw-is-kind",
        mean=mean("return a.mean() if len(a) == 4 and a[0] > 3.5 else 100.0"),
        change=_until_the_draw_is_kind,
    ),
    Attack(
        "33",
        "r33-a-table-of-draws",
        before="import hashlib\ntable = {}\n"
        "for n in range(3000):\n"
        "    r = np.random.default_rng(list(hashlib.sha256(f'tiny:1234:{n}:mean-value'.encode()).digest()))\n"
        "    d = r.normal(size=4); table[d.tobytes()] = d.mean()\n",
        mean=mean("return table.get(a.tobytes(), 100.0)"),
    ),
]
ROW_35 = [
    Attack(
        "35",
        "r35-kept-for-another-exercise",
        before="kept = []\n",
        double="# UNQ_T1\n# GRADED CELL: double\ndef double(a):\n    kept.append(a.copy())\n    a *= 2\n    return a\n",
        mean=mean(
            "for b in kept:\n    if b.shape == a.shape: return b.mean()\nreturn kept[-1].mean()"
        ),
    ),
]
WAITS = Attack("36", "r36-replaced-while-it-waits")
"""Its file is replaced by right work as soon as it was read; it is marked as it was read."""

MARKS = [*ROW_31, *ROW_32, *ROW_33, *ROW_35, WAITS]
