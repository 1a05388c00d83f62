"""The public checks of a lab, asked for by the marking: bodies, titles and order are labkit's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from labkit.run_checks import Check, ask
from proctor.checks import Exercise, Side
from proctor.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]

LABKIT = tuple(path.relative_to(ROOT) for path in sorted((ROOT / "labkit").rglob("*.py")))
"""What lies beneath the students' files, file by file: a folder would bring its caches along."""

INSIDE = Path("labkit/inspection.py")
"""What the public checks ask of the student's process."""

Step = Callable[[Side, np.random.Generator], object]


def looks_elsewhere(exercise: Exercise) -> Callable[[Step], Callable[..., None]]:
    """Return a decorator: what a check of `exercise` finds names an earlier exercise if that is at fault."""

    def around(step: Step) -> Callable[..., None]:
        @functools.wraps(step)
        def run(side: Side, draw: np.random.Generator) -> None:
            ask(Check("", "", lambda student: step(side, draw)), side, exercise.id)

        return run

    return around


class Public:
    """Registers an exercise's public checks by id; what the id's body does, the student has run.

    Parameters
    ----------
    exercise : Exercise
    checks : sequence of labkit.run_checks.Check
        The table that the notebook runs.
    first : callable, optional
        Tells each of them what the examiner knows better than the notebook.
    """

    def __init__(
        self,
        exercise: Exercise,
        checks: Sequence[Check],
        first: Callable[[Side], object] = lambda side: None,
    ) -> None:
        self.exercise = exercise
        self.first = first
        self.table = {check.id: check for check in checks}

    def __call__(
        self,
        id: str,
        *,
        points: float,
        needs: tuple[str, ...] = (),
        first: Callable[[Side], object] | None = None,
        then: Step | None = None,
    ) -> None:
        """Register the public check `id`.

        Parameters
        ----------
        points, needs
            As in :meth:`proctor.checks.Exercise.check`.
        first : callable, optional
            In place of the exercise's own.
        then : callable, optional
            More of the same, on inputs that are drawn for the submission.

        Raises
        ------
        CourseError
            If the table has no such check.
        """
        if id not in self.table:
            known = ", ".join(self.table)
            raise CourseError(
                f"No public check '{id}' of exercise '{self.exercise.id}'. There are: {known}."
            )
        check, prepare = self.table[id], first or self.first

        @looks_elsewhere(self.exercise)
        def run(side: Side, draw: np.random.Generator) -> None:
            prepare(side)
            check.body(side)
            if then is not None:
                then(side, draw)

        self.exercise.check(
            id=id,
            title=check.title,
            points=points,
            hidden=False,
            needs=needs,
            in_place=check.in_place,
        )(run)
