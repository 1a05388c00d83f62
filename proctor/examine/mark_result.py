"""What marking one submission gives, as every door takes it and as it crosses a process's border."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nbformat import NotebookNode

from proctor.checks import Exercise, Lab
from proctor.errors import RejectedError
from proctor.examine.autograded import executed, keep_verdict
from proctor.notebooks import dumps
from proctor.ordinary import Assignment, emptied
from proctor.plain import fields_of
from proctor.submission import Handed
from proctor.verdict import CheckResult, ExerciseResult, Problem, Status, Verdict, total

LOST = "The examiner could not finish judging this notebook, so a person will look at it."


@dataclass(frozen=True)
class Reference:
    """What marking the instructor's own solution showed, for marking the class.

    Attributes
    ----------
    withdrawn : dict of str to str
        Id of each check that fails there, and why: everybody gets its points.
    records : bytes
        What the lab's helpers recorded in that run; see :attr:`proctor.checks.Lab.records`.
    """

    withdrawn: dict[str, str] = field(default_factory=dict)
    records: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Marked:
    """A verdict, and what came with it.

    Attributes
    ----------
    verdict : Verdict
    notebook : str
        The notebook as it ran, nbformat's JSON, for feedback and formgrader.
    broken : mapping of str to str
        Id of each check that raised by itself -> what it raised.
    met : frozenset of str
        What the verdict rests on beside the notebook itself: ``cpu``, ``idle`` or ``wall`` where a
        limit of time was met, ``machine`` where a process was lost. Empty for nearly all.
    seconds : float
        How long it took.
    records : bytes
        What the lab's helpers recorded, if that was asked for.
    """

    verdict: Verdict
    notebook: str = field(repr=False)
    broken: Mapping[str, str] = field(default_factory=dict)
    met: frozenset[str] = frozenset()
    seconds: float = 0.0
    records: bytes = field(default=b"", repr=False)

    @property
    def lasts(self) -> bool:
        """Whether another run on another day could only give the same."""
        return not self.met & {"wall", "machine"}

    def of(self, student: str) -> Marked:
        """Return the same in the name of one of those who sent the same bytes."""
        return replace(self, verdict=replace(self.verdict, student=student))

    def to_json(self) -> str:
        """Serialise."""
        return json.dumps(
            {
                "verdict": self.verdict,
                "notebook": self.notebook,
                "broken": dict(self.broken),
                "met": sorted(self.met),
                "seconds": self.seconds,
                "records": base64.b64encode(self.records).decode("ascii"),
            },
            default=fields_of,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Marked:
        """Read what :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(
            Verdict.from_dict(data["verdict"]),
            data["notebook"],
            data["broken"],
            frozenset(data["met"]),
            data["seconds"],
            base64.b64decode(data["records"]),
        )


def refused(
    handed: Handed, lab: Lab, source: NotebookNode, isolation: str, error: RejectedError
) -> Marked:
    """Return the verdict on something that cannot be marked: no points, and why."""
    problems = dict.fromkeys((*handed.problems, Problem(error.code, error.message, attention=True)))
    results = [unasked(exercise, error.message) for exercise in lab.exercises]
    return _marked(handed.student, lab, source, isolation, "rejected", tuple(problems), results)


def unfinished(
    student: str,
    lab: Lab,
    source: NotebookNode,
    isolation: str,
    done: Sequence[ExerciseResult],
    problems: Sequence[Problem],
) -> Marked:
    """Return the verdict on a submission whose judging was lost: what was judged before counts."""
    known = {(result.notebook, result.id): result for result in done}
    results = [
        known.get((exercise.notebook, exercise.id)) or unasked(exercise, problems[-1].message)
        for exercise in lab.exercises
    ]
    marked = _marked(student, lab, source, isolation, "needs_attention", tuple(problems), results)
    return replace(marked, met=frozenset({"machine"}))


def not_asked(lab: Lab, exercise_id: str, cause: str) -> ExerciseResult:
    """Return the result of an exercise of which nothing was asked, and why."""
    return unasked(next(one for one in lab.exercises if one.id == exercise_id), cause)


def answered(answer: str | None, blank: str) -> bool:
    """Whether an answer that a person marks differs from the cell as it was given."""
    return answer is not None and answer.strip() != blank.strip()


def left_to_person(exercise: Exercise, *, waiting: bool) -> ExerciseResult:
    """Return the result of what a person marks; it waits for them if there is an answer."""
    points = float(exercise.points)
    place = exercise.notebook
    return ExerciseResult(
        exercise.id, exercise.title, 0.0, points, notebook=place, by="person", waiting=waiting
    )


def unasked(exercise: Exercise, cause: str) -> ExerciseResult:
    """Return the result of an exercise of which nothing was asked, and why."""
    checks = tuple(
        CheckResult(
            id=check.id,
            title=check.title,
            hidden=check.hidden,
            passed=False,
            points=0.0,
            max_points=float(check.points),
            cause=cause,
            skipped=True,
        )
        for check in exercise.checks
    )
    return ExerciseResult(
        exercise.id,
        exercise.title,
        0.0,
        float(exercise.points),
        checks,
        notebook=exercise.notebook,
        by=exercise.by,
        cell=exercise.cell,
    )


def _marked(
    student: str,
    lab: Lab,
    source: NotebookNode,
    isolation: str,
    status: Status,
    problems: tuple[Problem, ...],
    results: Sequence[ExerciseResult],
) -> Marked:
    verdict = Verdict(
        student=student,
        lab=lab.name,
        status=status,
        isolation=isolation,
        score=total([result.score for result in results]),
        max_score=total([result.max_score for result in results]),
        problems=problems,
        exercises=tuple(results),
    )
    if lab.several is not None:
        return Marked(verdict, unmarked_notebooks(lab.several, verdict))
    return Marked(verdict, dumps(executed(source, (), verdict)))


def unmarked_notebooks(assignment: Assignment, verdict: Verdict) -> str:
    """Return an assignment's notebooks without any answer, each with what the verdict says of it."""
    made = {}
    for one in assignment.notebooks:
        exercises = tuple(known for known in verdict.exercises if known.notebook == one.name)
        score, most = (
            total([getattr(known, name) for known in exercises]) for name in ("score", "max_score")
        )
        made[one.name] = emptied(one)
        keep_verdict(
            made[one.name], replace(verdict, score=score, max_score=most, exercises=exercises)
        )
    return join_notebooks(made)


def join_notebooks(notebooks: Mapping[str, NotebookNode]) -> str:
    """Write the notebooks of an assignment as one text: a JSON object, by name."""
    return json.dumps({name: dumps(notebook) for name, notebook in notebooks.items()})


def split_notebooks(text: str) -> dict[str, str]:
    """Read what :func:`join_notebooks` wrote: each notebook's own text."""
    return {str(name): str(notebook) for name, notebook in json.loads(text).items()}
