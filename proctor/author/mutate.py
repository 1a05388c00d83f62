"""Checks that are tested: run a lab's own wrong and right answers through the real marking.

The table is ``course/mutants/LAB.py``. It defines ``MUTANTS``, wrong answers each of which must fail
the check that it names with a cause that holds its words, and ``VARIANTS``, right answers of other
forms, each of which must get all points of its exercise. ``RIGHT`` may map exercises to right
answers; where it has none, the instructor's own is used::

    from proctor.author.mutate import Mutant, Variant

    MUTANTS = (Mutant("mean-of-n-minus-1", "mean", CODE, check="mean-value", says="n - 1"),)
    VARIANTS = (Variant("mean-numpy", "mean", OTHER),)
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table
from rich.text import Text

from proctor.checks import Lab
from proctor.course import Course, load_module
from proctor.errors import CourseError
from proctor.examine.mark_result import Reference
from proctor.examine.marker import require_built
from proctor.examine.pool import open_pool
from proctor.examine.reference import hand_in_all
from proctor.intake.submissions import read_bytes
from proctor.notebooks import dumps
from proctor.sandbox.forkserver import Isolation
from proctor.submission import Submission
from proctor.verdict import CheckResult, ExerciseResult, Verdict


@dataclass(frozen=True)
class Mutant:
    """A wrong answer: the whole graded cell, the check that must fail, and what its cause must say."""

    id: str
    exercise: str
    code: str
    check: str
    says: str = ""
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """A right answer of another form: the whole graded cell."""

    id: str
    exercise: str
    code: str


@dataclass(frozen=True)
class Outcome:
    """What marking said of one of them.

    Attributes
    ----------
    wrong : bool
        Whether it is a mutant.
    caught : tuple of str
        Checks that did not pass, those not asked left out.
    trouble : str
        Why this is not as the table has it; empty if it is.
    """

    id: str
    exercise: str
    wrong: bool
    caught: tuple[str, ...]
    score: float
    max_score: float
    trouble: str = ""

    def told(self) -> str:
        """Say what is not as it should be."""
        return f"✗ {'wrong' if self.wrong else 'right'} answer {self.id}: {self.trouble}"


@dataclass(frozen=True)
class Result:
    """What all of them gave, in the table's order, and the checks that caught nothing."""

    outcomes: tuple[Outcome, ...]
    idle: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether every mutant was caught as the table says and every variant got full points."""
        return not any(outcome.trouble for outcome in self.outcomes)

    def by_check(self) -> dict[str, list[str]]:
        """Return, for each check that caught something, the mutants that it caught."""
        found: dict[str, list[str]] = {}
        for outcome in self.outcomes:
            for check in outcome.caught if outcome.wrong else ():
                found.setdefault(check, []).append(outcome.id)
        return found


@dataclass(frozen=True)
class WrongAnswers:
    """A lab's mutants and variants."""

    mutants: tuple[Any, ...]
    variants: tuple[Any, ...]
    right: Mapping[str, str]


def read_table(course: Course, lab: Lab) -> WrongAnswers:
    """Load ``course/mutants/LAB.py``.

    Raises
    ------
    CourseError
        If there is none, it does not load, or it names an exercise or a check that the lab lacks.
    """
    path = course.folder / "mutants" / f"{lab.name}.py"
    where = course.relative(path)
    if not path.is_file():
        raise CourseError(f"{where} is missing: it holds the wrong answers to try the checks with.")
    module = _load_answers(course, path)
    table = WrongAnswers(
        tuple(getattr(module, "MUTANTS", ())),
        tuple(getattr(module, "VARIANTS", ())),
        dict(getattr(module, "RIGHT", {})),
    )
    checks = {check.id: exercise.id for exercise in lab.exercises for check in exercise.checks}
    exercises = {exercise.id for exercise in lab.exercises}
    seen: set[str] = set()
    for one in (*table.mutants, *table.variants):
        if one.exercise not in exercises:
            raise CourseError(f"{where}: '{one.id}' is of no exercise of the lab: {one.exercise}.")
        if one.id in seen:
            raise CourseError(f"{where}: the id '{one.id}' is used twice.")
        seen.add(one.id)
    for mutant in table.mutants:
        if mutant.check not in checks:
            raise CourseError(f"{where}: '{mutant.id}' names no check of the lab: {mutant.check}.")
    return table


def _load_answers(course: Course, path: Path) -> Any:
    root = str(course.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        return load_module(path)
    except (ImportError, SyntaxError, NameError, TypeError, AttributeError) as error:
        raise CourseError(f"{course.relative(path)} cannot be loaded: {error}") from error


def mutate(
    course: Course,
    lab: Lab,
    *,
    isolation: Isolation | None = None,
    jobs: int = 1,
    exercise: str | None = None,
    start: Callable[[int], None] = lambda total: None,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> Result:
    """Mark every mutant and variant as a submission of its own.

    Parameters
    ----------
    jobs : int
        How many are marked at once.
    exercise : str, optional
        Only those of this exercise.
    start, done : callable
        Told how many there are, and what came of each as soon as it is known.
    """
    table = read_table(course, lab)
    require_built(course, lab)
    source = course.source_notebook(lab.name)
    wanted = [one for one in (*table.mutants, *table.variants) if exercise in (None, one.exercise)]
    start(len(wanted))
    found: dict[str, Outcome] = {}
    with open_pool(course, lab, source, isolation=isolation, jobs=jobs) as pool:
        futures = {
            pool.submit(_submission(lab, source, table, one), Reference()): one for one in wanted
        }
        for future in as_completed(futures):
            outcome = _outcome(futures[future], future.result().verdict)
            found[outcome.id] = outcome
            done(outcome)
    outcomes = tuple(found[one.id] for one in wanted)
    busy = {check for outcome in outcomes if outcome.wrong for check in outcome.caught}
    checks = (c.id for e in lab.exercises if exercise in (None, e.id) for c in e.checks)
    return Result(outcomes, tuple(check for check in checks if check not in busy))


def _submission(lab: Lab, source: NotebookNode, table: WrongAnswers, one: Any) -> Submission:
    answers = {**table.right, **dict(getattr(one, "also", {})), one.exercise: one.code}
    if lab.own is not None:
        books = {book.name: hand_in(book.node, answers) for book in lab.own.notebooks}
        return hand_in_all(books, one.id, lab.name)
    notebook = hand_in(source, answers)
    return read_bytes(dumps(notebook).encode(), one.id, lab.name)


def _outcome(one: Any, verdict: Verdict) -> Outcome:
    result = next(found for found in verdict.exercises if found.id == one.exercise)
    failed = [check for check in result.checks if not check.passed and not check.skipped]
    wrong = isinstance(one, Mutant)
    trouble = _mutant_trouble(one, verdict) if wrong else _variant_trouble(result, failed)
    caught = tuple(check.id for check in failed)
    points = (result.score, result.max_score)
    return Outcome(one.id, one.exercise, wrong, caught, *points, trouble)


def hand_in(source: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return the instructor's notebook with other answers in its graded cells."""
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def _mutant_trouble(mutant: Any, verdict: Verdict) -> str:
    checks = {check.id: check for found in verdict.exercises for check in found.checks}
    check = checks[mutant.check]
    if check.passed:
        others = [one.id for one in checks.values() if not one.passed and not one.skipped]
        return f"passes {check.id}" + (f"; caught by {', '.join(others)}" if others else "")
    if check.skipped:
        return f"{check.id} was not asked: {check.cause}"
    if mutant.says not in check.cause:
        return f"{check.id} says '{check.cause}', not '{mutant.says}'"
    return ""


def _variant_trouble(result: ExerciseResult, failed: Iterable[CheckResult]) -> str:
    if result.score == result.max_score:
        return ""
    why = "; ".join(f"{check.id}: {check.cause}" for check in failed)
    return f"{result.score:g} of {result.max_score:g} points ({why})"


def print_mutants(console: Console, result: Result) -> None:
    """Print which check catches which wrong answer, which catch none, and what is not as it should."""
    table = Table(title="Wrong answers, and the checks that catch them", title_justify="left")
    table.add_column("check", no_wrap=True)
    table.add_column("catches")
    for check, mutants in sorted(result.by_check().items()):
        table.add_row(check, ", ".join(mutants))
    console.print(table)
    if result.idle:
        console.print(Text(f"Catches none of them: {', '.join(result.idle)}"))
    for outcome in result.outcomes:
        if outcome.trouble:
            console.print(Text(outcome.told()))
    wrong = [outcome for outcome in result.outcomes if outcome.wrong]
    right = [outcome for outcome in result.outcomes if not outcome.wrong]
    caught = sum(not outcome.trouble for outcome in wrong)
    full = sum(not outcome.trouble for outcome in right)
    console.print(
        Text(
            f"{caught} of {len(wrong)} wrong answers are caught as they should be; "
            f"{full} of {len(right)} right ones get all points."
        )
    )
