"""What a submission sends back costs its own marking alone: neither the grader's memory nor the class."""

from __future__ import annotations

from typing import Any

import pytest
from support import needs
from support.attacks_on_design import MESSAGES, NPY
from support.attacks_on_marks import FAKE, LARGE, MANY_TIMES, MODELS
from support.doors import book, proctor, scores, statuses, verdicts
from support.measured import Measured
from support.one_reference import one_reference
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from course.sample_class import SampleClass
from proctor.course import Course

pytestmark = needs.isolation
MOST_MIB = 1024
"""What the grader may use of memory."""


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


@pytest.fixture(scope="module")
def shapes(
    real_course: Course, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, dict[str, Any]], float]:
    """A class of models of such shapes and a right one: the verdicts, and the grader's memory."""
    folder, maker = tmp_path_factory.mktemp("shapes"), SampleClass(real_course, "lab_digits")
    fakes = {form: {"train": FAKE.replace("{layers}", layers)} for form, layers in MODELS.items()}
    for name, code in {**fakes, "right": {}}.items():
        _, data = maker.file(maker.notebook(maker.right | code))
        path = folder / "in" / name / "lab_digits" / "lab_digits.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    out, measured = folder / "out", Measured()
    with one_reference(real_course, "lab_digits", out):
        words = (str(folder / "in"), "-o", str(out), "--jobs", "2")
        said = measured.grade(real_course, "lab_digits", *words)
    assert said.code in (0, 1), said.all
    return verdicts(real_course, out), measured.mib


@pytest.mark.parametrize("form", MODELS)
def test_a_model_of_huge_or_empty_shapes_costs_its_own_submission_alone(
    shapes: tuple[dict[str, dict[str, Any]], float], form: str
) -> None:
    found, mib = shapes
    assert mib < MOST_MIB
    assert found["right"]["score"] == 100.0
    points = {one["id"]: one["score"] for one in found[form]["exercises"]}
    assert (
        points["train"] <= 5.0
    )  # what the form of the training earns; nothing for what was learnt
    assert points["softmax"] == 10.0
