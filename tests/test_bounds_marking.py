"""What a submission sends back costs its own marking alone: neither the grader's memory nor the class."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from attacks_on_design import MESSAGES, NPY
from attacks_on_marks import LARGE, MANY_TIMES
from doors import Said, book, proctor, scores, statuses, verdicts
from full_setup import may_skip
from tinycourse import DOUBLE, MEAN, hand_in, student

from course.sample_class import SampleClass
from proctor.course import Course
from proctor.sandbox.probe import missing

pytestmark = pytest.mark.skipif(may_skip(missing()), reason="this system cannot isolate")
MOST_MIB = 1024
"""What the grader may use of memory."""
TOO_MUCH_MIB = 3000
"""Where the test ends the run, so that a failure costs this machine nothing."""
UNTRAINED = """# UNQ_C6
model.compile(
    loss=SparseCategoricalCrossentropy(from_logits=True),
    optimizer=Adam(learning_rate=0.001),
    metrics=["accuracy"],
)
history = model.fit(X_train, y_train, epochs=2, batch_size=2000, verbose=0)
"""


class Measured:
    """Runs `proctor` and looks at the memory of all its processes but the students'.

    Attributes
    ----------
    mib : float
        The largest resident memory of one process.
    """

    def __init__(self) -> None:
        self.mib = 0.0

    def grade(self, course: Course, lab: str, *words: str) -> Said:
        """Run ``proctor grade``."""
        command = [sys.executable, "-m", "proctor", "grade", lab, "-q", *words]
        run = subprocess.Popen(
            command, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with self._watching(run.pid):
            out, err = run.communicate(timeout=500)
        return Said(run.returncode, out, err)

    @contextmanager
    def _watching(self, pid: int) -> Iterator[None]:
        ended = threading.Event()

        def look() -> None:
            grader = psutil.Process(pid)
            while not ended.wait(0.01):
                try:
                    for process in (grader, *grader.children(recursive=True)):
                        self._look(process, grader)
                except (psutil.Error, OSError):
                    continue  # one of them ended while we looked

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _look(self, process: psutil.Process, grader: psutil.Process) -> None:
        space = f"/proc/{process.pid}/ns/pid"
        if os.readlink(space) != os.readlink("/proc/self/ns/pid"):
            return  # a student's, which has a limit of its own
        self.mib = max(self.mib, process.memory_info().rss / 2**20)
        if self.mib > TOO_MUCH_MIB:
            grader.kill()


def forged(reply: str) -> str:
    """The second exercise, which answers for itself."""
    body = f"    reply({reply})\n    return 0.0\n"
    return MESSAGES + NPY + "# UNQ_T2\n# GRADED CELL: mean\ndef mean(a):\n" + body


@pytest.mark.parametrize("form", MANY_TIMES)
def test_one_large_buffer_named_many_times_costs_its_own_submission_alone(
    tiny: Course, form: str
) -> None:
    for name in ("a", "b", "y", "z"):
        notebook = student(tiny, double=DOUBLE, mean=MEAN)
        notebook.cells[0].source += f"\n\nHanded in by {name}"
        hand_in(tiny, name, notebook)
    reply = f"{MANY_TIMES[form]!r}.encode(), buffers=[{LARGE}]"
    hand_in(tiny, "many", student(tiny, double=DOUBLE, mean=forged(reply)))
    measured = Measured()
    said = measured.grade(tiny, "tiny", "--jobs", "2")
    assert measured.mib < MOST_MIB, said.all
    assert said.code in (0, 1), said.all
    right = dict.fromkeys(("a", "b", "y", "z"), 10.0)
    assert scores(tiny) == book(tiny) == {**right, "many": 6.0}
    assert {statuses(tiny)[name] for name in right} == {"graded"}
    for name in (*right, "many"):
        assert (tiny.folder / "feedback" / name / "tiny" / "tiny.html").is_file()
    said = proctor(tiny, "grade", "tiny", "-q")  # another run does not stumble over it again
    assert scores(tiny) == {**right, "many": 6.0}


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


@pytest.mark.parametrize("form", MODELS)
def test_a_model_of_huge_or_empty_shapes_costs_its_own_submission_alone(
    real_course: Course, tmp_path: Path, form: str
) -> None:
    maker = SampleClass(real_course, "lab_digits")
    for name, code in {"fake": FAKE.replace("{layers}", MODELS[form]), "right": None}.items():
        answers = maker.right | ({"train": code} if code else {})
        _, data = maker.file(maker.notebook(answers))
        path = tmp_path / "in" / name / "lab_digits" / "lab_digits.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    out, measured = tmp_path / "out", Measured()
    words = (str(tmp_path / "in"), "-o", str(out), "--jobs", "2")
    said = measured.grade(real_course, "lab_digits", *words)
    assert measured.mib < MOST_MIB, said.all
    found = verdicts(real_course, out)
    assert found["right"]["score"] == 100.0
    trained = {one["id"]: one["score"] for one in found["fake"]["exercises"]}["train"]
    assert trained <= 5.0  # what the form of the training earns; nothing for what was learnt
    assert {one["id"]: one["score"] for one in found["fake"]["exercises"]}["softmax"] == 10.0
