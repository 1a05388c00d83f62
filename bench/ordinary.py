"""An nbgrader course as it is: what judging its test cells outside the student's process costs.

Two figures, each from one run on one processor. *Calls*: how many calls of a student's function a loop in
a test cell makes a second. *Share*: the time of a submission, test cells judged outside, against the same
submission with the same cells run in its warm kernel (where a judge is started, too, and judges nothing);
the two alternate, so that both meet the same neighbours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

from proctor.course import Course
from proctor.examine import adoption
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.marker import Marker, open_marker
from proctor.submission import Candidate, Handed

ROOT = Path(__file__).resolve().parents[1]
CALLS = 15_000
CONFIG = (
    "c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.ExecutePreprocessor.timeout = 60\n"
)
LOOP = f"for i in range({CALLS}):\n    assert add(i, 1) == i + 1"


def write_assignment(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    """Write an assignment of one notebook: pairs of a solution and a test of it."""
    (folder / "source" / name).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    book = new_notebook()
    for number, pair in enumerate(pairs):
        for source, test in zip(pair, (False, True), strict=True):
            cell = new_code_cell(source)
            cell["id"] = f"{'test' if test else 'cell'}{number}"
            cell.metadata["nbgrader"] = {
                "schema_version": 3, "grade_id": cell["id"], "grade": test, "solution": not test,
                "locked": test, "task": False, "points": 1,
            }  # fmt: skip
            book.cells.append(cell)
    write(book, folder / "source" / name / f"{name}.ipynb")


def calls(folder: Path) -> None:
    """Print the calls a second of a loop that is judged outside, or where it is judged instead."""
    write_assignment(folder, "loop", [("def add(a, b):\n    return a + b", LOOP)])
    course = Course(folder)
    lab = course.lab("loop")
    assert lab.ordinary is not None
    with adoption.open_bench(course, lab, None) as bench:
        (step,) = adoption.make(lab.ordinary, bench).plans["loop"].tests
    if step.judged == "inside":
        print(f"calls  judged inside, and said: {step.reason}")
        return
    print(f"calls  {CALLS / step.seconds:,.0f} a second ({CALLS:,} in {step.seconds:.2f} s)")


def share(folder: Path, pairs: list[tuple[str, str]], rounds: int) -> None:
    """Print the median times of a submission judged outside and inside, and their ratio."""
    write_assignment(folder, "cells", pairs)
    course = Course(folder)
    own = folder / "source" / "cells" / "cells.ipynb"
    handed = Handed("s", "s", (Candidate(own.name, path=own),))
    with open_marker(course, course.lab("cells"), folder / "kept") as marker:
        plans = json.loads(marker.reference.records)
        steps = [step for step in plans["cells"]["steps"] if step["kind"] == "test"]
        outside = sum(step["judged"] == "outside" for step in steps)
        for step in steps:
            step["judged"] = "inside"
        inside = Reference(records=json.dumps(plans).encode())
        times: dict[str, list[float]] = {"outside": [], "inside": []}
        for _ in range(rounds + 1):  # the first of each warms up
            for name, reference in (("outside", marker.reference), ("inside", inside)):
                took, marked = _marked(marker, handed, reference)
                times[name].append(took)
                if marked.verdict.score != len(steps):
                    raise SystemExit(f"judged {name}: {marked.verdict.score:g} of {len(steps)}")
    there, here = (statistics.median(times[name][1:]) for name in ("outside", "inside"))
    print(f"share  {outside} of {len(steps)} test cells outside: {there:.3f} s a submission")
    print(f"       all of them in the warm kernel: {here:.3f} s; ratio {there / here:.2f}")


def _marked(marker: Marker, handed: Handed, reference: Reference) -> tuple[float, Marked]:
    submission = marker.read(handed).submission
    assert submission is not None
    began = time.perf_counter()
    marked = marker.pool.submit(submission, reference).result()
    return time.perf_counter() - began, marked


def main() -> None:
    """Parse the arguments and print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="submissions of each kind")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support.lifting import LIFTED

    heavy = ("numpy", "pandas", "PIL", "matplotlib")
    pairs = [pair for pair in LIFTED.values() if not any(name in "".join(pair) for name in heavy)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        calls(Path(folder) / "a")
        share(Path(folder) / "b", pairs, options.rounds)


if __name__ == "__main__":
    main()
