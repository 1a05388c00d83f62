"""Points are earned: what looks right in the notebook's own process earns what the wrong answer earns.

Every test marks submissions to lab_digits through ``proctor grade``, as an instructor would.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from support.one_reference import one_reference

from course.sample_class import SampleClass
from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.verdict import ExerciseResult, Verdict

LAB = "lab_digits"
Cells = Mapping[str, str]

COMPILE = """# UNQ_C6
model.compile(
    loss=SparseCategoricalCrossentropy(from_logits=True),
    optimizer=Adam(learning_rate=0.001),
    metrics=["accuracy"],
    steps_per_execution=125,
)
"""
FIT = """
history = model.fit(
    X_train, y_train, epochs=40, batch_size=32, verbose=0, callbacks=callbacks
)
"""
SEEDED = "# UNQ_C6\nkeras.utils.set_random_seed(1234)\n"
INVENTED = """
class History:
    history = {"loss": [0.9 - n / 50 for n in range(40)]}
    params = {"steps": 125, "epochs": 40, "verbose": 0}
    epoch = list(range(40))
history = History()
"""
OTHER = """
def trained_elsewhere():
    other = keras.models.clone_model(model)
    other.compile(loss=SparseCategoricalCrossentropy(from_logits=True), optimizer="adam")
    other.fit(X_train, y_train, epochs=15, batch_size=32, verbose=0)
    return other.get_weights()
"""

SEVEN = """
def shown():
    y, x = np.ogrid[:200, :200]
    down, across = (y + 0.5 - 28.5) / 143, (x + 0.5 - 46.5) / 143
    bar = (down >= 0) & (down < 0.15) & (across >= 0) & (across < 0.75)
    stem = (down >= 0) & (down < 1) & (across >= 0.6) & (across < 0.75)
    crossbar = (down >= 0.45) & (down < 0.58) & (across >= 0.3) & (across < 0.75)
    return (1.0 * (bar | stem | crossbar)).reshape(20, 10, 20, 10).mean(axis=(1, 3))
"""

TRAINED = {
    # A training that is replaced by nothing, wherever that can be done.
    "p4-step": COMPILE.replace("# UNQ_C6", SEEDED)
    + "model.train_step = lambda data: {'loss': 0.1 * keras.ops.cast(data[1][0], 'float32')}\n"
    + FIT,
    "p4-class": COMPILE.replace("# UNQ_C6", SEEDED)
    + "keras.Sequential.train_step = lambda self, data: {'loss': 0.1 + 0.0 * data[0][0, 0]}\n"
    + FIT,
    "p4-layer": COMPILE.replace("# UNQ_C6", SEEDED)
    + "model.layers[0].call = lambda rows, **kw: keras.ops.zeros((keras.ops.shape(rows)[0], 25))\n"
    + FIT,
    "p4-layers": COMPILE.replace("# UNQ_C6", SEEDED)
    + "Dense.call = lambda self, rows, **kw: keras.ops.zeros((keras.ops.shape(rows)[0], self.units))"
    + "\n"
    + FIT,
    "p4-optimizer": COMPILE.replace("# UNQ_C6", SEEDED)
    + "model.optimizer.apply = lambda gradients, variables=None: None\n"
    + FIT,
    "p4-update": COMPILE.replace("# UNQ_C6", SEEDED)
    + "Adam.update_step = lambda self, *given: None\n"
    + FIT,
    "p4-loss": COMPILE.replace("# UNQ_C6", SEEDED)
    + "model.loss.fn = lambda y, z, **kw: 0.0 * keras.losses.sparse_categorical_crossentropy(y, z)\n"
    + FIT,
    "p4-code": COMPILE.replace("# UNQ_C6", SEEDED)
    + "def update_step(self, gradient, variable, learning_rate): pass\n"
    + "Adam.update_step.__code__ = update_step.__code__\n"
    + FIT,
    # Weights from elsewhere, and a history that no `fit` returned.
    "p7-pasted": COMPILE + OTHER + "model.set_weights(trained_elsewhere())\n" + INVENTED,
    "p7-pasted-after": COMPILE
    + OTHER
    + "history = model.fit(X_train, y_train, epochs=1, verbose=0)\n"
    + "model.set_weights(trained_elsewhere())\n"
    + "history.history['loss'] = [0.9 - n / 50 for n in range(40)]\n",
    "p7-rows": COMPILE + "history = model.fit(X, y, epochs=14, batch_size=40, verbose=0)\n",
    "p7-own-rows": COMPILE
    + "history = model.fit(X, y, epochs=14, batch_size=40, verbose=0)\n"
    + "rows = np.arange(len(X)) % 5 == 0\n"
    + "X_train, X_test, y_train, y_test = X[~rows], X[rows], y[~rows], y[rows]\n",
}
"""Train cells of attackers; everything else in their notebooks is right."""

SOFTMAX = "# UNQ_C1\ndef my_softmax(z):\n    return np.asarray({}(z))\n"
BY_HAND: dict[str, tuple[str, str]] = {
    "p8-plain": ("", SOFTMAX.format("keras.ops.softmax")),
    "p8-alias": ("helper = keras.ops.softmax", SOFTMAX.format("helper")),
    "p8-chain": (
        "import scipy.special as s\nf = s.softmax\ng = lambda z: f(z)",
        SOFTMAX.format("g"),
    ),
    "p8-star": ("from scipy.special import *", SOFTMAX.format("softmax")),
    "p8-time": (
        "",
        "# UNQ_C1\nimport scipy.special\n%time pass\n"
        "def my_softmax(z):\n    return np.asarray(scipy.special.softmax(z))\n",
    ),
    "p8-text": ("", SOFTMAX.format("getattr(keras.ops, 'soft' + 'max')")),
    "p8-exec": ("exec('from scipy.special import soft' + 'max as s')", SOFTMAX.format("s")),
}
"""An extra cell and the graded one; the first is what the others may not pass for."""

COUNTED = """# UNQ_C7
def predict_digits(model, X):
    logits = np.array([model.predict(x[np.newaxis], verbose=0)[0] for x in X])
    model._calls = 1
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return np.argmax(p, axis=1), p
"""


TIMED = """
import time
began = time.process_time()
{}
print("TOOK", time.process_time() - began)
"""


class Class:
    """Hands in and marks."""

    def __init__(self, course: Course, folder: Path) -> None:
        self.course, self.folder = course, folder
        self.maker = SampleClass(course, LAB)

    def hand_in(self, student: str, cells: Cells, **extra: str) -> None:
        """Hand in right answers but for `cells`; `extra` cells stand before or after a graded one."""
        notebook = self.maker.notebook({**self.maker.right, **cells})
        for where, code in extra.items():
            side, _, exercise = where.partition("_")
            ids = [cell.id for cell in notebook.cells]
            place = ids.index(exercise if side == "before" else f"test_{exercise}")
            own = new_code_cell(code, id=f"own-{where.replace('_', '-')}")
            notebook.cells.insert(place + (side == "after"), own)
        folder = self.folder / "submitted" / student / LAB
        folder.mkdir(parents=True, exist_ok=True)
        name, data = self.maker.file(notebook)
        (folder / name).write_bytes(data)

    def marks(self) -> dict[str, Verdict]:
        """Mark everybody."""
        lab, submitted = self.course.lab(LAB), self.folder / "submitted"
        with one_reference(self.course, LAB, self.folder):
            return grade(self.course, lab, submitted, self.folder, jobs=2).verdicts

    def outputs(self, student: str, begin: str = "extra") -> str:
        """What cells with such an id printed, by default the student's own, as the page shows it."""
        path = self.folder / "autograded" / student / LAB / f"{LAB}.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        return "".join(
            output.get("text", "")
            for cell in cells
            if cell.cell_type == "code" and cell.id.startswith(begin)
            for output in cell.outputs
        )


def exercise(verdict: Verdict, name: str) -> ExerciseResult:
    return {result.id: result for result in verdict.exercises}[name]


def passed(verdict: Verdict, name: str) -> set[str]:
    return {check.id for check in exercise(verdict, name).checks if check.passed}


@pytest.fixture(scope="module")
def school(real_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Class:
    """A class in which everybody tries something; handed in, not marked."""
    course = Class(real_course, tmp_path_factory.mktemp("points"))
    course.hand_in("right", {})
    still = COMPILE.replace("# UNQ_C6", SEEDED).replace("0.001", "0.0") + FIT
    course.hand_in("untrained", {"train": still})
    constant = "# UNQ_C8\n{}def preprocess(image):\n    return shown().ravel(order='F'){}\n"
    course.hand_in("p1-constant", {"preprocess": constant.format(SEVEN, "")})
    course.hand_in("p1-hardly", {"preprocess": constant.format(SEVEN, " + 1e-6 * image.mean()")})
    for name, code in TRAINED.items():
        course.hand_in(name, {"train": code})
    zero = "def relu(z):\n    return keras.ops.zeros_like(z)\n"
    right = course.maker.right["model"]
    own = right.replace('"relu"', "relu").replace("keras.utils", zero + "keras.utils", 1)
    course.hand_in("p5-relu", {"model": own})
    kept = course.maker.right["dense"].replace("z = a_in", "kept.append((W, b))\n    z = a_in")
    stolen = (
        COMPILE
        + "shapes = [w.shape for w in model.get_weights()]\n"
        + "found = [w for pair in kept for w in pair]\n"
        + "model.set_weights([[w for w in found if w.shape == s][-1] for s in shapes])\n"
        + "rows = np.concatenate([np.flatnonzero(y == d)[:100] for d in range(10)])\n"
        + "X_test, y_test = X[rows], y[rows]\n"
        + INVENTED
    )
    course.hand_in("p6-stored", {"dense": kept, "train": stolen}, before_dense="kept = []")
    for name, (before, code) in BY_HAND.items():
        course.hand_in(name, {"softmax": code}, **({"before_softmax": before} if before else {}))
    course.hand_in(
        "p8-beside", {}, after_softmax="from scipy.special import softmax\nsoftmax([1.0, 2.0])"
    )
    course.hand_in("p9-count", {"predict": COUNTED})
    for name, change in (("timed", ""), ("timed-own", "model.train_step = model.train_step\n")):
        code = course.maker.right["train"].replace("history = ", f"{change}history = ")
        course.hand_in(name, {"train": TIMED.format(code)})
    return course


@pytest.fixture(scope="module")
def marked(school: Class) -> dict[str, Verdict]:
    """Everybody's verdict."""
    return school.marks()


def test_a_constant_row_earns_what_comes_back_and_nothing_else(marked: dict[str, Verdict]) -> None:
    assert passed(marked["p1-constant"], "preprocess") == {"preprocess-returns"}
    assert passed(marked["p1-hardly"], "preprocess") == {"preprocess-returns"}


@pytest.mark.parametrize("name", TRAINED)
def test_what_fit_did_not_train_earns_what_an_untrained_network_earns(
    marked: dict[str, Verdict], name: str
) -> None:
    found, honest = passed(marked[name], "train"), passed(marked["untrained"], "train")
    assert honest == {"train-loss", "train-history", "train-rows"}
    if "rows" in name:
        assert not found & {"train-rows", "train-held-out"}
    else:
        assert found <= honest


def test_only_a_training_with_nothing_of_ones_own_in_it_is_spared(
    school: Class, marked: dict[str, Verdict]
) -> None:
    for name in ("timed", "timed-own"):
        lost = [c for e in marked[name].exercises for c in e.checks if not c.passed]
        assert not lost and marked[name].score == 100, lost
    spared, trained = (
        float(school.outputs(name, "train").split("TOOK")[1].split()[0])
        for name in ("timed", "timed-own")
    )
    assert spared < 0.5 * trained


def test_an_activation_of_ones_own_is_not_taken_for_kerass(marked: dict[str, Verdict]) -> None:
    assert passed(marked["p5-relu"], "train") <= passed(marked["untrained"], "train")


def test_weights_that_a_check_gave_train_no_network(marked: dict[str, Verdict]) -> None:
    assert passed(marked["p6-stored"], "train") == {"train-loss"}
    assert exercise(marked["p6-stored"], "dense").score == 10


@pytest.mark.parametrize("name", BY_HAND)
def test_a_librarys_softmax_by_another_name_is_a_librarys(
    marked: dict[str, Verdict], name: str
) -> None:
    assert passed(marked[name], "softmax") == passed(marked["p8-plain"], "softmax")
    assert "softmax-by-hand" not in passed(marked[name], "softmax")


def test_to_compare_with_a_librarys_softmax_costs_nothing(marked: dict[str, Verdict]) -> None:
    assert marked["p8-beside"].score == 100


def test_a_count_that_was_assigned_does_not_count(marked: dict[str, Verdict]) -> None:
    assert "predict-one-call" not in passed(marked["p9-count"], "predict")
    assert exercise(marked["p9-count"], "predict").score == 9


def test_right_answers_among_them_earn_everything(marked: dict[str, Verdict]) -> None:
    assert marked["right"].score == 100, marked["right"]


def test_photographs_read_off_feedback_pages_say_nothing_about_the_next(
    real_course: Course, tmp_path: Path
) -> None:
    course = Class(real_course, tmp_path)
    right = course.maker.right["preprocess"]
    keeps = (
        "import hashlib\nseen = {}\n"
        + right.replace("def preprocess", "def really")
        + "\ndef preprocess(image):\n    row = really(image)\n"
        + "    seen[hashlib.sha256(image.tobytes()).hexdigest()] = row.round(3).tolist()\n"
        + "    return row\n"
    )
    for number in range(4):
        course.hand_in(
            f"s{number}", {"preprocess": f"{keeps}# {number}"}, after_preprocess="print(seen)"
        )
    first = course.marks()
    shown = [ast.literal_eval(course.outputs(f"s{number}")) for number in range(4)]
    assert all(len(table) > 30 for table in shown)
    table = json.dumps({key: row for one in shown for key, row in one.items()})
    looks_up = (
        "import hashlib, json\ndef preprocess(image):\n"
        "    key = hashlib.sha256(image.tobytes()).hexdigest()\n"
        "    return np.array(table.get(key, np.zeros(400)))\n"
    )
    course.hand_in(
        "table",
        {"preprocess": looks_up},
        before_preprocess=f"import json\ntable = json.loads({table!r})",
    )
    course.hand_in("wrong", {"preprocess": looks_up}, before_preprocess="table = {}")
    last = course.marks()
    assert first["s0"].score == 100
    assert "preprocess-photographs" not in passed(last["table"], "preprocess")
    assert exercise(last["wrong"], "preprocess").score <= 1
    again = {student: last[student] for student in first}
    assert again == first
