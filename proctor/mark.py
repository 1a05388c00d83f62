"""Mark one submission, from what was handed in to a verdict: never an exception for bad input."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from proctor import flood
from proctor.autograded import executed
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import RejectedError
from proctor.examiner import Examined, Reference, examine
from proctor.intake import read
from proctor.kernel import Launcher
from proctor.scratch import scratch_folder
from proctor.submission import Candidate, Handed, Submission
from proctor.verdict import CheckResult, ExerciseResult, Problem, Verdict, total


def handed_file(path: Path, student: str) -> Handed:
    """Return one file as what `student` handed in."""
    return Handed(student, student, (Candidate(path.name, path=path),))


def mark(
    handed: Handed,
    course: Course,
    lab: Lab,
    source: NotebookNode,
    launcher: Launcher,
    reference: Reference | None = None,
) -> Examined:
    """Mark what one student handed in.

    Bad input gives a verdict ``rejected`` with the reason; only a fault of the course or of this
    machine raises.
    """
    try:
        submission = read(handed, lab.name)
    except RejectedError as error:
        return rejected(handed, lab, source, launcher.isolation, error)
    return mark_submission(submission, course, lab, source, launcher, reference)


def mark_submission(
    submission: Submission,
    course: Course,
    lab: Lab,
    source: NotebookNode,
    launcher: Launcher,
    reference: Reference | None = None,
    *,
    record: bool = False,
) -> Examined:
    """Mark a submission that was read; once more, alone, if a flood of messages ended it.

    The flood may have been another one's; see :mod:`proctor.flood`.
    """
    for alone in (False, True):
        with flood.GUARD.marking(alone=alone):
            examined = _examine(submission, course, lab, source, launcher, reference, record)
        if all(problem.code != flood.CODE for problem in examined.verdict.problems):
            break
    return examined


def _examine(
    submission: Submission,
    course: Course,
    lab: Lab,
    source: NotebookNode,
    launcher: Launcher,
    reference: Reference | None,
    record: bool,
) -> Examined:
    """Mark in a fresh scratch folder."""
    with scratch_folder("proctor-") as folder:
        scratch = folder / "work"
        scratch.mkdir()
        return examine(
            submission, source, lab, launcher, scratch, course.root, reference, record=record
        )


def rejected(
    handed: Handed, lab: Lab, source: NotebookNode, isolation: str, error: RejectedError
) -> Examined:
    """Return the verdict on something that cannot be marked: no points, and why."""
    exercises = tuple(
        ExerciseResult(
            exercise.id,
            exercise.title,
            0.0,
            float(exercise.points),
            tuple(
                CheckResult(
                    id=check.id,
                    title=check.title,
                    hidden=check.hidden,
                    passed=False,
                    points=0.0,
                    max_points=float(check.points),
                    cause=error.message,
                    skipped=True,
                )
                for check in exercise.checks
            ),
        )
        for exercise in lab.exercises
    )
    verdict = Verdict(
        student=handed.student,
        lab=lab.name,
        status="rejected",
        isolation=isolation,
        score=0.0,
        max_score=total([exercise.max_score for exercise in exercises]),
        problems=tuple(
            dict.fromkeys((*handed.problems, Problem(error.code, error.message, attention=True)))
        ),
        exercises=exercises,
    )
    return Examined(verdict, executed(source, (), verdict))
