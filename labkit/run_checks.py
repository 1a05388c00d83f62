"""Running the public checks of an exercise in the notebook, and summing up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labkit.cell_runs import need_fresh, need_whole_run
from labkit.exercises import LAB_DIGITS, TITLES
from labkit.findings import NotYet
from labkit.other_causes import FUNCTIONS, look_elsewhere
from labkit.student import Student, ThisNotebook


class Check(NamedTuple):
    """A public check: what the marking calls it, what the student reads, and what it does.

    The body gets the student's side, returns nothing, and raises `NotYet` if it does not pass. One with
    `in_place` looks at what the student's function leaves in its arguments.
    """

    id: str
    title: str
    body: Callable[[Student], object]
    in_place: bool = False


def ask(check: Check, student: Student, exercise: str) -> None:
    """Run one check; a finding whose cause lies elsewhere says so."""
    try:
        check.body(student)
    except NotYet as finding:
        if finding.unstarted and finding.exercise not in ("", TITLES[exercise]):
            finding.unstarted = False
            finding.cause = f"{finding.exercise} is not started yet, and this builds on it."
            finding.next = f"Do {finding.exercise.partition(',')[0]} first, then this one."
        elif not finding.unstarted:
            look_elsewhere(finding, student, exercise)
        raise


_outcomes: dict[str, bool] = {}


def run_checks(exercise: str, checks: Sequence[Check], names: Mapping[str, Any]) -> None:
    """Run the checks of one exercise in order; stop at the first that does not pass.

    Parameters
    ----------
    exercise : str
        Id of the exercise.
    checks : sequence of Check
    names : mapping of str to object
        The student's objects, by the names that the checks know them by.

    Raises
    ------
    NotYet
        By the first check that does not pass, with its heading filled in.
    """
    title, student = TITLES[exercise], ThisNotebook(names)
    _outcomes[exercise] = False
    heading = f"{title}: your graded cell"
    try:
        need_fresh(exercise, names)
        if exercise not in FUNCTIONS:  # what its lines make one by one: not a function to be called
            need_whole_run(exercise)
        for number, check in enumerate(checks, 1):
            heading = f"{title}: {check.title} (check {number} of {len(checks)})"
            ask(check, student, exercise)
        heading = f"{title}: your graded cell"
        need_whole_run(exercise)
    except NotYet as finding:
        finding.heading = heading
        raise
    _outcomes[exercise] = True
    print(f"✓ {title}: all public checks passed ({len(checks)} of {len(checks)}).")


def summary(exercises: Iterable[str] = tuple(LAB_DIGITS)) -> None:
    """Print how many exercises pass all their public checks, and which do not yet.

    Parameters
    ----------
    exercises : iterable of str
        Ids of the exercises to sum up. Default: those of lab_digits.
    """
    exercises = list(exercises)
    passed = [exercise for exercise in exercises if _outcomes.get(exercise)]
    print(f"{len(passed)} of {len(exercises)} exercises pass all their public checks.")
    for exercise in exercises:
        state = {True: "✓ passes its public checks", False: "✗ not yet", None: "… not checked yet"}
        print(f"  {TITLES.get(exercise, exercise):<24} {state[_outcomes.get(exercise)]}")
    if len(passed) == len(exercises):
        print("Marking runs further checks of the same kind, on inputs that you have not seen.")
