"""From handing in to the page, by ``proctor watch``: ``python -m bench.watch``, with ``--help`` for options.

A class hands `lab_digits` in to a folder at ten a minute, right and wrong answers that train what the
solution trains, all distinct; then some that train something else, five a minute; then a hundred at once
of the first kind. The engine is warm, and nothing else runs.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from course.mutants import lab_digits as answers
from course.sample_class import SampleClass
from proctor.author.build import build
from proctor.course import Course

ROOT = Path(__file__).resolve().parents[1]
LAB = "lab_digits"
UNTRAINED = ("softmax", "dense", "predict", "preprocess")
"""Exercises whose answer has no part in what is trained."""
OTHERWISE = ("train", "split")
"""Exercises whose wrong answers mostly train something else than the solution."""
EVERY = 6.0
"""Seconds between two hand-ins: ten a minute."""
PATIENCE = 900.0
"""Longest wait for all pages."""


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=20, help="at ten a minute (default: 20)")
    parser.add_argument("--other", type=int, default=6, help="that train otherwise (default: 6)")
    parser.add_argument("--burst", type=int, default=100, help="at once (default: 100)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        course = copy_course(Path(name) / "root")
        box, pages = course.root / "box", course.root / "pages"
        box.mkdir()
        notebooks = hand_ins(course, options.number + options.burst, UNTRAINED, every=2)
        others = hand_ins(course, options.other, OTHERWISE, every=1)
        groups = (
            (
                f"10 a minute, {options.number} in all (at most 3 and 6)",
                EVERY,
                notebooks[: options.number],
            ),
            (f"training otherwise, {options.other} in all (at most 12)", 2 * EVERY, others),
            (f"{options.burst} at once", 0.0, notebooks[options.number :]),
        )
        with Watching(course, box, pages) as process:
            measured = [
                (title, one_by_one(box, pages, handed, every, process))
                for title, every, handed in groups
                if handed
            ]
    print(f"{LAB + ', seconds from handing in to the page':46}    median      95 %   longest")
    for title, seconds in measured:
        print(f"  {title:44}{row(seconds)}")


def row(seconds: list[float]) -> str:
    """Return median, 95th percentile and longest of what was measured."""
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):9.2f} {high:9.2f} {ordered[-1]:9.2f}"


def copy_course(root: Path) -> Course:
    """Return a copy of the course in which the lab is built and nothing has been handed in."""
    made = ("source", "release", "submitted", "autograded", "feedback", "verdicts", ".watch")
    ignored = shutil.ignore_patterns(*made, "gradebook.db*", "__pycache__")
    for folder in ("course", "Data", "explorer", "labkit"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for pattern in ("*.py", "requirements.txt", "*.md"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, root)
    course = Course((root / "course").resolve())
    build(course, course.lab(LAB))
    return course


def hand_ins(course: Course, number: int, exercises: tuple[str, ...], every: int) -> list[bytes]:
    """Return distinct notebooks; one of `every` has a wrong answer in one of these exercises."""
    right = SampleClass(course, LAB).right
    wrong = itertools.cycle(one for one in answers.MUTANTS if one.exercise in exercises)
    made = []
    for index in range(number):
        cells = dict(right)
        if index % every == every - 1:
            one = next(wrong)
            cells |= {one.exercise: one.code, **one.also}
        notebook = nbformat.read(course.root / f"{LAB}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = cells.get(cell.id, cell.source)
        notebook.cells[0].source += f"\n\nHanded in by {exercises[0]} {index}"
        made.append(nbformat.writes(notebook).encode())
    return made


class Watching:
    """`proctor watch` as a process, warm when this has begun."""

    def __init__(self, course: Course, box: Path, pages: Path) -> None:
        command = [sys.executable, "-m", "proctor", "watch", LAB, str(box), "--pages", str(pages)]
        self.process = subprocess.Popen(
            command, cwd=course.root, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __enter__(self) -> subprocess.Popen[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Watching" in line:
                break
        self._drain = subprocess.Popen(
            ["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL
        )
        return self.process

    def __exit__(self, *error: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self._drain.wait()


def one_by_one(
    box: Path, pages: Path, notebooks: list[bytes], every: float, process: subprocess.Popen[str]
) -> list[float]:
    """Hand in every so many seconds; return what each page took."""
    handed: dict[Path, float] = {}
    first = len(list(box.iterdir()))
    for number, data in enumerate(notebooks, first):
        folder = box / f"s{number:03d}"
        folder.mkdir()
        whole = folder / ".whole"
        whole.write_bytes(data)
        handed[pages / folder.name / f"{LAB}.html"] = time.time()
        os.replace(whole, folder / f"{LAB}.ipynb")
        time.sleep(every)
    end = time.monotonic() + PATIENCE
    while not all(path.is_file() for path in handed):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("proctor watch did not mark all of it.")
        time.sleep(0.2)
    return [path.stat().st_mtime - at for path, at in handed.items()]


if __name__ == "__main__":
    main()
