"""The run on the instructor's own solution: which checks work, and what later runs need not repeat."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.check_results import CHECK_BROKEN
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.pool import Pool
from proctor.intake.submissions import read_bytes, read_parts
from proctor.notebooks import dumps
from proctor.sandbox.limits import PATIENCE
from proctor.submission import Candidate, Handed, Submission
from proctor.verdict import CheckResult

ALONE = 2
"""How often the reference is tried before trouble of the machine ends the run."""


def run_reference(
    course: Course, lab: Lab, source: NotebookNode, pool: Pool, key: str, kept: Path
) -> Reference:
    """Mark the instructor's own solution, or read what that gave before.

    A check that fails there, while all went well around it, is withdrawn: everybody gets its points,
    since nobody could have earned them. What a check needs and does not get because of that, is asked
    again.

    Parameters
    ----------
    key : str
        Key under which the answer is kept until the engine, the source or the checks change.
    kept : Path
        Folder in which it is.

    Raises
    ------
    CourseError
        If the solution could not be run to its end on this machine, or a whole exercise fails on it.
    """
    path, recorded = kept / f".reference-{lab.name}", kept / f".records-{lab.name}"
    before, records = _kept(path, key), _kept(recorded, key)
    if before is not None and records is not None:
        return Reference(json.loads(before), records)
    failed: dict[str, CheckResult] = {}
    withdrawn: dict[str, str] = {}
    while True:
        marked = _quietly(course, lab, source, pool, Reference(withdrawn))
        new = _failed(marked, withdrawn)
        if not new:
            break
        failed |= new
        withdrawn = {name: check.cause or "does not pass" for name, check in failed.items()}
        _require_something(course, lab, failed)
    write_whole(recorded, key.encode() + b"\n" + marked.records)
    write_whole(path, f"{key}\n{json.dumps(withdrawn, sort_keys=True)}")
    return Reference(withdrawn, marked.records)


def reference_submission(lab: Lab, source: NotebookNode) -> Submission:
    """Return the instructor's own solution as if it had been handed in."""
    if lab.own is None:
        return read_bytes(dumps(source).encode(), "reference", lab.name)
    return hand_in_all({one.name: one.node for one in lab.own.notebooks}, "reference", lab.name)


def hand_in_all(notebooks: Mapping[str, NotebookNode], student: str, lab: str) -> Submission:
    """Return the notebooks of a lab that has several as if they had been handed in."""
    files = [
        Candidate(f"{name}.ipynb", data=dumps(notebook).encode())
        for name, notebook in notebooks.items()
    ]
    return read_parts(Handed(student, student, tuple(files)), lab, list(notebooks))


def _quietly(
    course: Course, lab: Lab, source: NotebookNode, pool: Pool, reference: Reference
) -> Marked:
    """Run the solution until nothing goes wrong around its checks."""
    own = reference_submission(lab, source)
    for _ in range(ALONE):
        marked = pool.submit(own, reference, record=True).result()
        trouble = [
            problem
            for problem in marked.verdict.problems
            if problem.attention and problem.code != CHECK_BROKEN
        ]
        if not trouble:
            return marked
    why = trouble[0]
    raise CourseError(
        f"The instructor's own solution of {lab.name} did not run to its end, so nobody was marked: "
        f"{why.message}{f' (cell {why.cell})' if why.cell else ''}\n"
        f"Limits: {lab.cell_seconds:g} s of processor time a cell, {lab.total_seconds:g} s in all, "
        f"{PATIENCE:g} times as long by the clock. If this machine is very busy, wait and run the same "
        f"command again; else raise cell_seconds in {_checks(course, lab)}."
    )


def _failed(marked: Marked, withdrawn: Collection[str]) -> dict[str, CheckResult]:
    """Return the checks that were asked and did not pass; one that broke says what it raised."""
    found = {}
    for exercise in marked.verdict.exercises:
        for check in exercise.checks:
            if not check.passed and not check.skipped and check.id not in withdrawn:
                raised = marked.broken.get(check.id)
                told = replace(check, cause=f"It raised {raised}.", next="") if raised else check
                found[check.id] = told
    return found


def _require_something(course: Course, lab: Lab, failed: Mapping[str, CheckResult]) -> None:
    """Raise if an exercise has no check left that works: that is the author's, not a check's."""
    for exercise in lab.exercises:
        if exercise.checks and all(check.id in failed for check in exercise.checks):
            first = failed[exercise.checks[0].id]
            lines = [
                f"Nobody was marked: no check of exercise '{exercise.id}' passes on the instructor's "
                f"own solution. The first that fails is '{first.id}' ({first.title}):"
            ]
            for part in ("called", "expected", "got", "cause", "next"):
                if text := getattr(first, part):
                    lines.append(f"  {part.capitalize():<9} {text}")
            raise CourseError(
                "\n".join(lines)
                + f"\nMend the check in {_checks(course, lab)}, or the solution in "
                f"{course.relative(course.master(lab.name))} and run: proctor build {lab.name}"
            )


def _checks(course: Course, lab: Lab) -> str:
    return course.relative(course.folder / "checks" / f"{lab.name}.py")


def _kept(path: Path, key: str) -> bytes | None:
    """Return what was kept in a file under this key; None if there is no such thing."""
    if not path.is_file():
        return None
    head, _, body = path.read_bytes().partition(b"\n")
    return body if head == key.encode() else None
