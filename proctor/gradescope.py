"""The door of Gradescope's container: ``python -m proctor.gradescope`` marks one upload.

The zip that brings it there is made by :mod:`proctor.author.gradescope_zip`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import ProctorError
from proctor.examine.autograded import PART_NAMES, person_line
from proctor.examine.marker import open_marker
from proctor.intake.submissions import collect
from proctor.record.store import Store
from proctor.scratch import scratch_folder
from proctor.submission import Handed
from proctor.verdict import CheckResult, Verdict

STUDENT = "student"


def results(verdict: Verdict, seconds: float) -> dict[str, Any]:
    """Return a verdict as Gradescope's ``results.json``."""
    tests: list[dict[str, Any]] = []
    for number, exercise in enumerate(verdict.exercises, 1):
        if exercise.by == "person":
            told = {"name": exercise.title, "number": f"{number}", "output": person_line(exercise)}
            tests.append({**told, "output_format": "text", "visibility": "visible"})
        for place, check in enumerate(exercise.checks, 1):
            tests.append(
                {
                    "name": f"{exercise.title}: {check.title}",
                    "number": f"{number}.{place}",
                    "score": check.points,
                    "max_score": check.max_points,
                    "status": "passed" if check.passed else "failed",
                    "output": _output(check),
                    "output_format": "text",
                    "visibility": "visible",
                }
            )
    return {
        "score": verdict.score,
        "execution_time": round(seconds),
        "output": "\n".join(problem.message for problem in verdict.problems),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"lab": verdict.lab, "status": verdict.status},
    }


def _output(check: CheckResult) -> str:
    if check.passed:
        return check.cause
    lines = [f"{name}: {getattr(check, part)}" for part, name in PART_NAMES if getattr(check, part)]
    return "\n".join(lines)


def mark_folder(course: Course, lab: Lab, folder: Path) -> Verdict:
    """Mark what one student uploaded: the notebook in `folder`, under whatever name."""
    with scratch_folder("proctor-") as scratch:
        own = scratch / STUDENT
        shutil.copytree(folder, own, symlinks=True)
        handed = [one for one in collect(scratch, lab.name) if one.student == STUDENT]
        one = handed[0] if handed else Handed(STUDENT, STUDENT)
        with open_marker(course, lab, Store(course.folder, lab.name).receipts) as marker:
            return marker.mark(one).verdict


def main(arguments: list[str] | None = None) -> None:
    """Mark one submission in Gradescope's container."""
    parser = argparse.ArgumentParser(prog="python -m proctor.gradescope", description=main.__doc__)
    parser.add_argument("lab")
    parser.add_argument("--submission", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    given = parser.parse_args(arguments)
    began = time.monotonic()
    course = Course.find()
    try:
        verdict = mark_folder(course, course.lab(given.lab), given.submission)
    except ProctorError as error:  # for the instructor, to whom Gradescope shows it
        parser.exit(2, f"proctor: {error}\n")
    report = results(verdict, time.monotonic() - began)
    write_whole(given.results, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(f"{verdict.score:g} of {verdict.max_score:g}, {verdict.status}, {verdict.isolation}")


if __name__ == "__main__":
    main()
