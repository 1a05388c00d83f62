"""One verdict's rows in nbgrader's gradebook, in a handful of statements.

nbgrader's own calls look each row up by itself, through all that it belongs to: some sixty statements
for a submission of eight exercises. The tables are its public classes; what a new submission consists of
is what its ``add_submission`` makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, Row, Table, bindparam, insert, select, update

from proctor.errors import CourseError
from proctor.verdict import Verdict

_GRADED, _ANSWERED = ("GradeCell", "TaskCell"), ("SolutionCell", "TaskCell")
"""Kinds of cells that have a grade, and those that have a comment."""


def write(
    connection: Connection, verdict: Verdict, timestamp: str | None, *, unchanged: bool
) -> bool:
    """Write a verdict's scores; see :meth:`proctor.record.gradebook.Writer.record`.

    Returns
    -------
    bool
        Whether the submission is late, or was held to be late before.
    """
    find = select(Assignment.id, Assignment.duedate).where(Assignment.name == verdict.lab)
    assignment = connection.execute(find).one_or_none()
    if assignment is None:
        raise _lacks(verdict, "place for it")
    known = select(Student.id).where(Student.id == verdict.student)
    if connection.execute(known).first() is None:
        connection.execute(insert(Student).values(id=verdict.student))
    submission = _submission(connection, verdict.student, assignment.id, when(timestamp))
    notebooks = connection.execute(
        select(SubmittedNotebook.id, Notebook.name, SubmittedNotebook.late_submission_penalty)
        .join_from(SubmittedNotebook, Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .where(SubmittedNotebook.assignment_id == submission.id)
    ).all()
    _grades(connection, verdict, {row.id: row.name for row in notebooks}, unchanged=unchanged)
    if assignment.duedate is None:
        return False
    due = assignment.duedate + (submission.extension or timedelta())
    late = submission.timestamp is not None and submission.timestamp > due
    return late or any(row.late_submission_penalty for row in notebooks)


def when(timestamp: str | None) -> datetime | None:
    """Read nbgrader's ``timestamp.txt``; what is no time is none."""
    try:
        moment: datetime | None = parse_utc(timestamp) if timestamp else None
    except (ValueError, OverflowError, TypeError):
        return None
    return moment


def _submission(
    connection: Connection, student: str, assignment: str, moment: datetime | None
) -> Row[Any]:
    """Find a student's submission, or make it; note when it was handed in, if that is known."""
    find = select(
        SubmittedAssignment.id, SubmittedAssignment.timestamp, SubmittedAssignment.extension
    ).where(
        SubmittedAssignment.student_id == student,
        SubmittedAssignment.assignment_id == assignment,
    )
    found = connection.execute(find).one_or_none()
    if found is None:
        _add(connection, student, assignment, moment)
    elif moment is not None and moment != found.timestamp:
        connection.execute(
            update(SubmittedAssignment)
            .where(SubmittedAssignment.id == found.id)
            .values(timestamp=moment)
        )
    else:
        return found
    return connection.execute(find).one()


def _add(connection: Connection, student: str, assignment: str, moment: datetime | None) -> None:
    submission = new_uuid()
    connection.execute(
        insert(SubmittedAssignment).values(
            id=submission, student_id=student, assignment_id=assignment, timestamp=moment
        )
    )
    cells = connection.execute(
        select(Notebook.id.label("notebook"), BaseCell.id, BaseCell.type)
        .join_from(Notebook, BaseCell, BaseCell.notebook_id == Notebook.id, isouter=True)
        .where(Notebook.assignment_id == assignment)
        .order_by(Notebook.name)
    ).all()
    places = {notebook: new_uuid() for notebook in dict.fromkeys(row.notebook for row in cells)}
    rows = [
        {"id": id, "assignment_id": submission, "notebook_id": notebook}
        for notebook, id in places.items()
    ]
    _insert(connection, SubmittedNotebook, rows)
    for kind, types in ((Grade, _GRADED), (Comment, _ANSWERED)):
        of = [row for row in cells if row.type in types]
        _insert(
            connection,
            kind,
            [{"notebook_id": places[row.notebook], "cell_id": row.id} for row in of],
        )


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _grades(
    connection: Connection, verdict: Verdict, notebooks: dict[str, str], *, unchanged: bool
) -> None:
    """Write the score of each exercise; one that a person marks is put before them."""
    attention = {problem.cell for problem in verdict.problems if problem.attention}
    whole = "" in attention or verdict.status == "rejected"
    wanted = (Grade.manual_score, Grade.needs_manual_grade)
    grades = _by_cell(connection, Grade, wanted, notebooks)
    comments: dict[tuple[str, str], Row[Any]] = {}
    if any(exercise.by == "person" for exercise in verdict.exercises):
        comments = _by_cell(connection, Comment, (), notebooks)
    changed, said = [], []
    for exercise in verdict.exercises:
        notebook = exercise.notebook or verdict.lab
        grade = grades.get((notebook, exercise.grade_cell))
        if grade is None:
            raise _lacks(verdict, f"cell '{exercise.grade_cell}'")
        marked = grade.manual_score is not None
        if exercise.by == "person":  # as nbgrader does; one without an answer gets nothing
            score, needs = None if exercise.waiting else 0.0, exercise.waiting or marked
            comment = comments.get((notebook, exercise.id))
            if comment is None:
                raise _lacks(verdict, f"comment on '{exercise.id}'")
            said.append({"of": comment.id, "text": None if exercise.waiting else "No response."})
        else:
            score, needs = exercise.score, marked or whole or exercise.id in attention
        if unchanged and marked:
            needs = bool(grade.needs_manual_grade)
        changed.append({"of": grade.id, "score": score, "needs": needs})
    _update(connection, Grade, changed, auto_score="score", needs_manual_grade="needs")
    _update(connection, Comment, said, auto_comment="text")


def _by_cell(
    connection: Connection, kind: Any, columns: Iterable[Any], notebooks: dict[str, str]
) -> dict[tuple[str, str], Row[Any]]:
    """Return a submission's grades or comments by notebook and cell."""
    rows = connection.execute(
        select(kind.id, kind.notebook_id, BaseCell.name, *columns)
        .join_from(kind, BaseCell, BaseCell.id == kind.cell_id)
        .where(kind.notebook_id.in_(notebooks))
    )
    return {(notebooks[row.notebook_id], row.name): row for row in rows}


def _update(connection: Connection, kind: Any, rows: list[dict[str, Any]], **columns: str) -> None:
    """Set columns, each named by a key of the rows; the key ``of`` is a row's id."""
    if rows:
        table: Table = kind.__table__
        values = {name: bindparam(key) for name, key in columns.items()}
        connection.execute(update(table).where(table.c.id == bindparam("of")).values(values), rows)


def _lacks(verdict: Verdict, what: str) -> CourseError:
    return CourseError(
        f"The gradebook has no {what} in {verdict.lab}: it belongs to another course, "
        f"or the lab has changed. Run: proctor build {verdict.lab}"
    )
