"""An nbgrader course as it is: what judging its test cells outside the student's process costs.

Three figures. *Calls*: how many calls of a student's function a loop in a test cell makes a second. *Share*:
the time of a submission, test cells judged outside, against the same cells one after the other in a warm
kernel alone, without a judge and without a verdict; the two alternate, so that both meet the same
neighbours. *Class*: a class marked by plain ``nbgrader autograde`` and by ``proctor grade``, one after the
other in this run, each as its command does it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode, write
from nbformat.v4 import new_code_cell, new_notebook

from proctor.checks import Lab
from proctor.course import Course
from proctor.examine import adoption, assignment
from proctor.examine.marker import read_lab
from proctor.kernel.forked import ForkLauncher
from proctor.kernel.session import Launcher, StudentKernel
from proctor.sandbox.isolation import fork_server
from proctor.submission import Candidate, Handed

ROOT = Path(__file__).resolve().parents[1]
CALLS = 15_000
CONFIG = (
    "c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.ExecutePreprocessor.timeout = 60\n"
)
LOOP = f"for i in range({CALLS}):\n    assert add(i, 1) == i + 1"
Pairs = list[tuple[str, str]]


def notebook(pairs: Pairs, remark: str = "") -> NotebookNode:
    """Make a notebook: pairs of a solution and a test of it."""
    book = new_notebook()
    for number, pair in enumerate(pairs):
        for source, test in zip(pair, (False, True), strict=True):
            cell = new_code_cell(source if test else f"{source}\n{remark}")
            cell["id"] = f"{'test' if test else 'cell'}{number}"
            cell.metadata["nbgrader"] = {
                "schema_version": 3, "grade_id": cell["id"], "grade": test, "solution": not test,
                "locked": test, "task": False, "points": 1,
            }  # fmt: skip
            book.cells.append(cell)
    return book


def write_assignment(folder: Path, name: str, pairs: Pairs) -> Course:
    """Write an assignment of one notebook."""
    (folder / "source" / name).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    write(notebook(pairs), folder / "source" / name / f"{name}.ipynb")
    return Course(folder)


def calls(folder: Path) -> None:
    """Print the calls a second of a loop that is judged outside, or where it is judged instead."""
    course = write_assignment(folder, "loop", [("def add(a, b):\n    return a + b", LOOP)])
    lab = course.lab("loop")
    assert lab.ordinary is not None
    with adoption.open_bench(course, lab, None) as bench:
        (step,) = adoption.make(lab.ordinary, bench).plans["loop"].tests
    if step.judged == "inside":
        print(f"calls  judged inside, and said: {step.reason}")
        return
    print(f"calls  {CALLS / step.seconds:,.0f} a second ({CALLS:,} in {step.seconds:.2f} s)")


def share(folder: Path, pairs: Pairs, rounds: int) -> None:
    """Print the median times of a submission judged outside, and of its cells in a kernel alone."""
    course = write_assignment(folder, "cells", pairs)
    lab = course.lab("cells")
    assert lab.ordinary is not None
    own = folder / "source" / "cells" / "cells.ipynb"
    submission = read_lab(Handed("s", "s", (Candidate(own.name, path=own),)), lab)
    plans = adoption.plans(course, lab)
    tests = adoption.from_bytes(plans)["cells"].tests
    outside = sum(step.judged == "outside" for step in tests)
    sources = [cell.source for cell in lab.ordinary.notebooks[0].code]
    with fork_server(lab, course, "namespaces") as server:
        launcher = ForkLauncher(server)

        def judged() -> None:
            marked = assignment.examine(submission, lab, lab.ordinary, launcher, plans)  # type: ignore[arg-type]
            if marked.verdict.score != len(tests):
                raise SystemExit(f"judged outside: {marked.verdict.score:g} of {len(tests)}")

        ways: dict[str, Callable[[], None]] = {
            "outside": judged,
            "alone": lambda: _alone(launcher, lab, sources),
        }
        times = _alternating(ways, rounds)
    there, here = (statistics.median(times[name]) for name in ways)
    print(f"share  {outside} of {len(tests)} test cells outside: {there:.3f} s a submission")
    print(f"       the same cells in a warm kernel alone: {here:.3f} s; ratio {there / here:.2f}")


def _alone(launcher: Launcher, lab: Lab, sources: list[str]) -> None:
    """Run all cells in a kernel, and nothing else."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        StudentKernel(
            launcher,
            Path(folder),
            {},
            cell_seconds=lab.cell_seconds,
            total_seconds=lab.total_seconds,
        ) as kernel,
    ):
        for source in sources:
            if (error := kernel.run(source).error) is not None:
                raise SystemExit(f"in the kernel alone: {error}")


def _alternating(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Time each way `rounds` times, in turns; what comes first warms up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number, name in itertools.product(range(rounds + 1), ways):
        began = time.perf_counter()
        ways[name]()
        if number:
            times[name].append(time.perf_counter() - began)
    return times


def compare(folder: Path, pairs: Pairs, number: int, jobs: int) -> None:
    """Print how long plain nbgrader and the engine take for one class of different submissions."""
    took = {}
    for name, command in {
        "nbgrader": ["nbgrader", "autograde", "cells"],
        "proctor": ["proctor", "grade", "cells", "--jobs", str(jobs)],
    }.items():
        write_assignment(folder / name, "cells", pairs)
        for student in range(number):
            path = folder / name / "submitted" / f"s{student:02d}" / "cells" / "cells.ipynb"
            path.parent.mkdir(parents=True)
            write(notebook(pairs, f"# student {student}"), path)
        if name == "nbgrader":
            _command(folder / name, ["nbgrader", "generate_assignment", "cells"])
        took[name] = _command(folder / name, command)
    for name, seconds in took.items():
        print(f"class  {name:<8} {seconds:6.1f} s, {number / seconds:5.2f} submissions a second")
    ratio = took["nbgrader"] / took["proctor"]
    print(f"       class of {number}, {jobs} at once, commands with their start: {ratio:.1f} times")


def _command(folder: Path, command: list[str]) -> float:
    beside = Path(sys.executable).parent
    began = time.perf_counter()
    done = subprocess.run(
        [str(beside / command[0]), *command[1:]],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return time.perf_counter() - began


def main() -> None:
    """Parse the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="submissions of each kind")
    parser.add_argument(
        "--number", type=int, default=40, help="submissions of the class; 0: no class"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many proctor marks at once")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support.lifting import LIFTED

    # unittest's runner writes to stderr, for which nbgrader gives nothing.
    heavy = ("numpy", "pandas", "PIL", "matplotlib", "unittest")
    pairs = [pair for pair in LIFTED.values() if not any(name in "".join(pair) for name in heavy)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        calls(Path(folder) / "a")
        share(Path(folder) / "b", pairs, options.rounds)
        if options.number:
            compare(Path(folder) / "c", pairs, options.number, options.jobs)


if __name__ == "__main__":
    main()
