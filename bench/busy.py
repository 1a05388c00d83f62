"""Mark the same class on an idle machine and beside six busy loops: ``python -m bench.busy [--lab LAB]``.

The verdicts must be the same to the byte. ``--lab tiny`` (the default) is a lab without TensorFlow whose
answers use half of the processor time that they may; ``--lab lab_digits`` is the real one, with right and
wrong answers of every form.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.grading import LAB, write_class
from proctor.course import Course

ROOT = Path(__file__).resolve().parents[1]
LOOPS = 6
LIMIT = 3.0
"""Seconds of processor time that a cell of the tiny lab may use."""


@contextmanager
def busy(loops: int = LOOPS) -> Iterator[None]:
    """Keep the processors busy with that many endless loops."""
    command = [sys.executable, "-c", "while True: pass"]
    started = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


@dataclass(frozen=True)
class Compared:
    """What marking a class twice gave.

    Attributes
    ----------
    count : int
        Verdicts on the idle machine.
    different : tuple of str
        Students whose verdicts differ, or are there once only.
    statuses : tuple of str
        The statuses that were given.
    idle_seconds, busy_seconds : float
        How long each run took.
    """

    count: int
    different: tuple[str, ...]
    statuses: tuple[str, ...]
    idle_seconds: float
    busy_seconds: float


def compare(course: Course, lab: str, submitted: Path, out: Path, jobs: int = 4) -> Compared:
    """Mark a class twice, from nothing each time, and compare the verdicts byte for byte."""
    seconds = []
    for name in ("idle", "busy"):
        words = ["grade", lab, str(submitted), "-o", str(out / name), "-q", "--jobs", str(jobs)]
        command = [sys.executable, "-m", "proctor", "--course", str(course.folder), *words]
        began = time.monotonic()
        with busy(LOOPS if name == "busy" else 0):
            done = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        seconds.append(time.monotonic() - began)
    idle, loaded = (
        {path.stem: path.read_bytes() for path in (out / name / "verdicts").glob("*.json")}
        for name in ("idle", "busy")
    )
    names = sorted(idle.keys() | loaded.keys())
    different = tuple(name for name in names if idle.get(name) != loaded.get(name))
    statuses = {json.loads(data)["status"] for data in idle.values()}
    return Compared(len(idle), different, tuple(sorted(statuses)), *seconds)


def tiny_class(folder: Path, number: int) -> Course:
    """Write a class of the tiny lab: right and wrong work that uses half of the time it may."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import tinycourse as tiny

    course = tiny.make_course(folder)
    spend = f"    import time\n    end = time.process_time() + {LIMIT / 2}\n"
    spend += "    while time.process_time() < end:\n        pass\n    return"
    for index in range(number):
        mean = tiny.MEAN if index % 4 else tiny.MEAN.replace("a.sum()", "1 + a.sum()")
        answers = {"double": tiny.DOUBLE, "mean": mean.replace("    return", spend)}
        notebook = tiny.student(course, **answers)
        notebook.cells[0].source += f"\n\nHanded in by {index}"
        tiny.hand_in(course, f"s{index:02d}", notebook)
    return course


def main() -> int:
    """Parse the arguments, print what came out, and return 1 if the verdicts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", choices=["tiny", LAB], default="tiny")
    parser.add_argument("--number", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if given.lab == "tiny":
            course = tiny_class(folder / "tiny", given.number)
            submitted = course.folder / "submitted"
        else:
            course, submitted = Course(ROOT / "course"), folder / "submitted"
            write_class(course, submitted, given.number)
        found = compare(course, given.lab, submitted, folder / "out", given.jobs)
    print(f"{found.count} verdicts: {', '.join(found.statuses)}")
    print(
        f"idle machine: {found.idle_seconds:.0f} s; beside {LOOPS} loops: {found.busy_seconds:.0f} s"
    )
    print(f"different: {', '.join(found.different) or 'none'}")
    return 1 if found.different else 0


if __name__ == "__main__":
    sys.exit(main())
