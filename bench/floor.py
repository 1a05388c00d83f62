"""The CPU time of the students' own code: their notebooks' cells in forks of a warm process.

Nothing of the examiner is there: no kernel, no question, no isolation, and each training is done. What
grading leaves out of a notebook (figures, tests) is left out here too.

``python -m bench.floor`` reads notebooks as JSON, a list of cells each, from its standard input and
writes their CPU seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from proctor.checks import Lab
from proctor.course import Course
from proctor.examine.assemble import assemble
from proctor.intake.submissions import collect, read
from proctor.sandbox.forkserver import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[1]


def floor(course: Course, lab: Lab, submitted: Path) -> list[float]:
    """Return the CPU seconds of each submission's code."""
    source = course.source_notebook(lab.name)
    notebooks = [
        [step.source for step in assemble(source, read(one, lab.name)).steps if step.kind != "test"]
        for one in collect(submitted, lab.name)
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench.floor", *lab.warm],
        input=json.dumps(notebooks).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=course.root,
        check=True,
    )
    return [float(seconds) for seconds in json.loads(done.stdout)]


def run(cells: list[str]) -> float:
    """Run cells in a fork of this process; return its CPU seconds."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        time.sleep = lambda seconds: None  # waiting costs nothing, here or there
        names: dict[str, Any] = {"__name__": "__main__"}
        for cell in cells:
            with contextlib.suppress(Exception):
                exec(compile(cell, "<cell>", "exec"), names)
        os._exit(0)
    used = os.wait4(child, 0)[2]
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Import the modules that are named on the command line, then run what standard input holds."""
    sys.path.insert(0, os.getcwd())
    for name in sys.argv[1:]:
        importlib.import_module(name)
    seconds = [run(cells) for cells in json.load(sys.stdin)]
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
