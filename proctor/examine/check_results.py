"""What is recorded of a check and of an exercise, and the sentences that stand in for a finding."""

from __future__ import annotations

from typing import Any

from proctor.checks import Check, Exercise, Told
from proctor.kernel.outputs import clean
from proctor.verdict import CheckResult, ExerciseResult, Problem, Status, total

PARTS = ("called", "expected", "got", "cause", "next")
MAX_PART = 2_000
NOT_STARTED = (
    "This exercise is not started: its cell still holds the line that stands for your code."
)
NOT_STARTED_PARTS = {
    "cause": NOT_STARTED,
    "next": "Replace that line with your code and run the cell.",
}
WITHDRAWN = "This check is withdrawn, because it does not work; its points are given to everybody."
NOT_JUDGED = "A check could not judge what your code gave, so a person will look at it."
JUDGING_TIME = (
    "What your notebook's process sent takes too long to judge, so what came after it could not be "
    "marked."
)
CHECK_BROKEN = "check-broken"
"""Code of the problem that a check raised by itself."""
NO_CELL = "The cell of this exercise is not in your notebook."
NO_CELL_NEXT = (
    "Take the cell from a fresh copy of the notebook, put your code into it and hand in again."
)


def status_of(problems: list[Problem]) -> Status:
    """Whether a person must look at a submission with these problems."""
    return "needs_attention" if any(problem.attention for problem in problems) else "graded"


def check_result(
    check: Check,
    parts: dict[str, str] | None = None,
    *,
    passed: bool = False,
    skipped: bool = False,
) -> CheckResult:
    """How a check ended, with what is told of it."""
    return CheckResult(
        id=check.id,
        title=check.title,
        hidden=check.hidden,
        passed=passed,
        points=float(check.points) if passed else 0.0,
        max_points=float(check.points),
        skipped=skipped,
        **cleaned(parts or {}),
    )


def cleaned(parts: dict[str, str]) -> Any:
    """Bound and clean each part of what is told."""
    return {part: clean(text, MAX_PART) for part, text in parts.items()}


def finding(error: Told, tell: tuple[str, ...]) -> dict[str, str]:
    """The parts of a finding that may be told."""
    return {part: str(getattr(error, part, "")) for part in PARTS if part in tell}


def exercise_result(exercise: Exercise, results: list[CheckResult]) -> ExerciseResult:
    """An exercise's result from its checks'."""
    return ExerciseResult(
        id=exercise.id,
        title=exercise.title,
        score=total([result.points for result in results]),
        max_score=float(exercise.points),
        checks=tuple(results),
        notebook=exercise.notebook,
        cell=exercise.cell,
    )
