"""A class of lab_digits, with and without one submission that would harm the grader.

Run with ``python -m bench.hostile [--number N]``. Among twenty right ones each of them may make the run a
tenth longer at the most, and the memory of the grader stays below 1 GB. Runs without and with it take turns,
since a machine's speed changes within minutes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from bench.grading import LAB, ROOT
from course.sample_class import SampleClass
from proctor.author.build import build
from proctor.course import Course

sys.path.insert(0, str(ROOT / "tests"))

from support.attacks_on_design import MESSAGES, NPY
from support.attacks_on_marks import FAKE, LARGE, LONG, MANY_TIMES, MODELS
from support.measured import Measured

Make = Callable[[SampleClass], NotebookNode]


def many_times(form: str) -> Make:
    """G1: a reply that names one buffer a thousand times."""
    reply = f"{MANY_TIMES[form]!r}.encode(), buffers=[{LARGE}]"
    body = f"# UNQ_C1\ndef my_softmax(z):\n    reply({reply})\n    return z\n"
    return lambda maker: answered(maker, next(iter(maker.right)), MESSAGES + NPY + body)


def shapes(form: str) -> Make:
    """G2: a model of huge or empty shapes."""
    return lambda maker: answered(maker, "train", FAKE.replace("{layers}", MODELS[form]))


def long_cells(form: str) -> Make:
    """G3, G4: cells that a page can hardly show."""

    def make(maker: SampleClass) -> NotebookNode:
        notebook = maker.notebook(maker.right)
        notebook.cells[2:2] = [new_code_cell(LONG[form]) for _ in range(4)]
        return notebook

    return make


def answered(maker: SampleClass, exercise: str, code: str) -> NotebookNode:
    """Right answers but for one."""
    return maker.notebook(maker.right | {exercise: code})


HOSTILE: dict[str, Make] = {
    **{f"one buffer a thousand times, {form}": many_times(form) for form in MANY_TIMES},
    **{f"a model of shapes: {form}": shapes(form) for form in MODELS},
    **{f"a page of {form}": long_cells(form) for form in LONG},
}


def main() -> None:
    """Mark the class without and with each, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=20, help="right submissions (default: 20)")
    parser.add_argument("--pairs", type=int, default=2, help="runs without and with (default: 2)")
    parser.add_argument("--only", default="", help="those whose name holds this")
    options = parser.parse_args()
    number = options.number
    course = Course(ROOT / "course")
    build(course, course.lab(LAB))
    maker = SampleClass(course, LAB)
    print(
        f"{number} right submissions of {LAB} and one that is  "
        "  seconds  times   processor  times   largest process"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for index in range(number):
            notebook = maker.notebook(maker.right)
            notebook.cells[0].source += f"\n\nHanded in by {index}"
            put(maker, notebook, folder / "class" / f"s{index:03d}")
        for what, make in HOSTILE.items():
            if options.only not in what:
                continue
            put(maker, make(maker), folder / "hostile")
            pairs = [pair(course, folder) for _ in range(options.pairs)]
            alone, spent, took, cpu = (
                sum(times) / len(pairs) for times in list(zip(*pairs, strict=True))[:4]
            )
            print(
                f"  {what:44} {took:7.1f} s {took / alone:5.2f}   {cpu:7.1f} s {cpu / spent:5.2f}"
                f"   {max(one[4] for one in pairs):6.0f} MiB",
                flush=True,
            )
            shutil.rmtree(folder / "hostile")


def pair(course: Course, folder: Path) -> tuple[float, float, float, float, float]:
    """Mark the class alone, then with the hostile one: seconds and processor seconds of both, and MiB."""
    alone, spent, _ = run(course, folder, folder / "out")
    shutil.rmtree(folder / "out")
    shutil.copytree(folder / "hostile", folder / "class" / "hostile")
    took, cpu, mib = run(course, folder, folder / "out")
    shutil.rmtree(folder / "out")
    shutil.rmtree(folder / "class" / "hostile")
    return alone, spent, took, cpu, mib


def put(maker: SampleClass, notebook: NotebookNode, folder: Path) -> None:
    """Hand a notebook in."""
    (folder / LAB).mkdir(parents=True, exist_ok=True)
    (folder / LAB / f"{LAB}.ipynb").write_bytes(maker.file(notebook)[1])


def run(course: Course, folder: Path, out: Path) -> tuple[float, float, float]:
    """Mark the class; return the seconds, those of processors, and the size of the largest process.

    The students' are not looked at for their size. What processors took says more than the clock where
    others run on the same machine.
    """
    measured, began = Measured(), time.monotonic()
    said = measured.grade(course, LAB, str(folder / "class"), "-o", str(out))
    assert said.code in (0, 1), said.all
    return time.monotonic() - began, measured.processor_seconds, measured.mib


if __name__ == "__main__":
    main()
