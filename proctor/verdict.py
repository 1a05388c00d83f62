"""The verdict on one submission: plain data, written as JSON that compares byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from proctor.plain import fields_of

Status = Literal["graded", "needs_attention", "rejected"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the submission that a person should know.

    Attributes
    ----------
    code : str
        Short, stable name of the condition, for example ``metadata-stripped``.
    message : str
        One sentence, for the student and the instructor.
    cell : str
        Id of the graded cell that it concerns; empty if it concerns the whole notebook.
    attention : bool
        Whether a person should look. Any such problem makes the verdict ``needs_attention``.
    """

    code: str
    message: str
    cell: str = ""
    attention: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check, in the form the student reads it.

    Attributes
    ----------
    id, title : str
        The check's id and the title that the student sees.
    hidden : bool
        Whether the check is absent from what the student received.
    passed : bool
        True only on positive evidence.
    points, max_points : float
        What it earned, and what it could.
    called, expected, got, cause, next : str
        The five parts of a finding; empty when the check passed or when a hidden check keeps them back.
    skipped : bool
        True if a check that this one needs did not pass, so that this one was not asked.
    judged : {"outside", "inside"}
        Whether it was judged by a process of ours, or in the student's, which could say anything.
    """

    id: str
    title: str
    hidden: bool
    passed: bool
    points: float
    max_points: float
    called: str = ""
    expected: str = ""
    got: str = ""
    cause: str = ""
    next: str = ""
    skipped: bool = False
    judged: Literal["outside", "inside"] = "outside"


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """The checks of one exercise and their sum.

    Attributes
    ----------
    notebook : str
        The notebook that it stands in, where an assignment has several or is nbgrader's own.
    by : {"", "person"}
        Who marks it; of what a person marks, `score` is 0 and there are no checks.
    waiting : bool
        Whether it waits for that person; not if there is no answer.
    cell : str
        Grade id of its test cell, in a lab of several notebooks; empty where `grade_cell` says it.
    """

    id: str
    title: str
    score: float
    max_score: float
    checks: tuple[CheckResult, ...] = ()
    notebook: str = ""
    by: Literal["", "person"] = ""
    waiting: bool = False
    cell: str = ""

    @property
    def grade_cell(self) -> str:
        """Grade id of the cell that earns its points: a lab's tests stand in a cell of their own."""
        if self.cell:
            return self.cell
        return self.id if self.notebook or self.by == "person" else f"test_{self.id}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that marking has to say of one submission. No times, no paths, no machine."""

    student: str
    lab: str
    status: Status
    isolation: str
    score: float
    max_score: float
    problems: tuple[Problem, ...] = ()
    exercises: tuple[ExerciseResult, ...] = field(default=())

    def to_json(self) -> str:
        """Serialise with sorted keys and a final newline, so that equal verdicts are equal bytes."""
        return (
            json.dumps(self, default=fields_of, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Verdict:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If `text` is not JSON.
        TypeError, KeyError
            If it is not a verdict.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """Build a verdict from the dictionary form of :meth:`to_json`."""
        exercises = tuple(
            ExerciseResult(**{**e, "checks": tuple(CheckResult(**c) for c in e["checks"])})
            for e in data["exercises"]
        )
        problems = tuple(Problem(**p) for p in data["problems"])
        return cls(**{**data, "problems": problems, "exercises": exercises})


def total(points: list[float]) -> float:
    """Sum points so that the order cannot matter: rounded to the hundredth that a mark is given in."""
    return round(sum(points), 2)
