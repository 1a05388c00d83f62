"""What the gradebook adds to a verdict: a person's marks and comments, late penalties, names.

Asked once for a whole class, since a page costs less than a question to the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from proctor.record.gradebook import open_gradebook


@dataclass(frozen=True)
class ByHand:
    """One student's row in the gradebook.

    Attributes
    ----------
    name : str
        First and last name; empty where the roster has neither.
    score : float
        The final score, penalty and marks by hand included.
    penalty : float
        Late penalty, in points.
    marks : dict of str to float
        Grade id -> points, where a person gave them.
    comments : dict of str to str
        Cell id -> what a person wrote.
    due : datetime or None
        Until when it is to be handed in, an extension counted in (UTC, without a zone).
    """

    name: str = ""
    score: float = 0.0
    penalty: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    due: datetime | None = None


def read_by_hand(
    db_url: str, course_id: str, lab: str, students: Iterable[str]
) -> dict[str, ByHand]:
    """Return what the gradebook has on each of `students` who handed in."""
    wanted = set(students)
    with open_gradebook(db_url, course_id) as book:
        marks: dict[str, dict[str, float]] = defaultdict(dict)
        only = next(iter(wanted)) if len(wanted) == 1 else None
        given = _of_cells(
            book, lab, only, Grade, Grade.manual_score, Grade.auto_score, Grade.extra_credit
        )
        for student, cell, manual, automatic, extra in given:
            if manual is not None or extra:
                marks[student][cell] = (automatic or 0.0 if manual is None else manual) + (
                    extra or 0
                )
        comments: dict[str, dict[str, str]] = defaultdict(dict)
        for student, cell, text in _of_cells(book, lab, only, Comment, Comment.manual_comment):
            if text and text.strip():
                comments[student][cell] = text
        rows = (
            book.db.query(
                Student.id,
                Student.first_name,
                Student.last_name,
                SubmittedAssignment.score,
                SubmittedAssignment.late_submission_penalty,
                SubmittedAssignment.extension,
                Assignment.duedate,
            )
            .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == lab)
        )
        if only is not None:
            rows = rows.filter(Student.id == only)
        return {
            student: ByHand(
                name=f"{first or ''} {last or ''}".strip(),
                score=max(0.0, round(float(score or 0.0) - float(penalty or 0.0), 2)),
                penalty=float(penalty or 0.0),
                marks=marks[student],
                comments=comments[student],
                due=due + (extension or timedelta()) if due else None,
            )
            for student, first, last, score, penalty, extension, due in rows
            if student in wanted
        }


def _of_cells(book: Gradebook, lab: str, only: str | None, table: Any, *columns: Any) -> Any:
    """Return rows of student, cell's name and `columns` where the first or last column says something."""
    said = columns[0].isnot(None)
    if len(columns) > 1:
        said = said | (columns[-1] != 0)
    rows = (
        book.db.query(SubmittedAssignment.student_id, BaseCell.name, *columns)
        .select_from(table)
        .join(SubmittedNotebook, SubmittedNotebook.id == table.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(BaseCell, BaseCell.id == table.cell_id)
        .filter(Assignment.name == lab)
        .filter(said)
    )
    return rows if only is None else rows.filter(SubmittedAssignment.student_id == only)
