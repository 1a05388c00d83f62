"""What the gradebook has of every student: names, marks by exercise, lateness, penalties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from proctor.record.gradebook import open_gradebook
from proctor.record.gradebook_lock import patient


@dataclass(frozen=True)
class StudentEntry:
    """One student in the gradebook.

    Attributes
    ----------
    student, first_name, last_name, email, lms_user_id : str
        As the roster has them; empty where it says nothing.
    enrolled : bool
        Whether the student is on the course, and no stranger who handed in.
    handed_in : bool
        Whether there is a submission.
    marked : bool
        Whether anything in it was marked, by a person or not.
    score : float
        The gradebook's score: automatic or manual marks, less the penalty, never below 0.
    penalty : float
        Late penalty in points.
    manual : bool
        Whether a person gave a mark, whether or not it differs from the automatic one.
    waiting : bool
        Whether the gradebook waits for a person's mark.
    timestamp : str
        When it was handed in (UTC), empty if unknown.
    seconds_late : float
        How long after the due date, an extension counted in; 0 if in time or unknown.
    due : datetime or None
        Until when it is to be handed in, an extension counted in (UTC, without a zone).
    extended : bool
        Whether the gradebook gives more time.
    late : bool
        Whether it came late, by the gradebook's dates or by what the learning platform says.
    marks : mapping of str to float
        Exercise -> the gradebook's score: a person's where there is one, else the automatic one.
    by_hand : frozenset of str
        The exercises that a person has marked.
    login, id_number, section, tutor : str
        What ``course/roster.csv`` says besides.
    """

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    enrolled: bool = True
    handed_in: bool = False
    marked: bool = False
    score: float = 0.0
    penalty: float = 0.0
    manual: bool = False
    waiting: bool = False
    timestamp: str = ""
    seconds_late: float = 0.0
    due: datetime | None = None
    extended: bool = False
    late: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)
    by_hand: frozenset[str] = frozenset()
    login: str = ""
    id_number: str = ""
    section: str = ""
    tutor: str = ""

    @property
    def name(self) -> str:
        """First and last name, or the id where the roster has neither."""
        return f"{self.first_name} {self.last_name}".strip() or self.student


@patient
def read_entries(db_url: str, course_id: str, lab: str) -> dict[str, StudentEntry]:
    """Read every student of the gradebook with the score of `lab`."""
    found: dict[str, StudentEntry] = {}
    with open_gradebook(db_url, course_id) as book:
        for student in book.db.query(Student).order_by(Student.id):
            found[student.id] = StudentEntry(
                student=str(student.id),
                first_name=str(student.first_name or ""),
                last_name=str(student.last_name or ""),
                email=str(student.email or ""),
                lms_user_id=str(student.lms_user_id or ""),
            )
        marks = _marks(book, lab)
        submissions = (
            book.db.query(
                SubmittedAssignment.student_id,
                SubmittedAssignment.score,
                SubmittedAssignment.late_submission_penalty,
                SubmittedAssignment.timestamp,
                SubmittedAssignment.extension,
                Assignment.duedate,
            )
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == lab)
        )
        for student_id, score, penalty, timestamp, extension, due in submissions:
            mine = marks.get(student_id, {})
            end = due + (extension or timedelta()) if due else None
            after = (timestamp - end).total_seconds() if timestamp and end else 0.0
            found[student_id] = replace(
                found[student_id],
                handed_in=True,
                marked=any(one.given for one in mine.values()),
                score=max(0.0, round(float(score or 0.0) - float(penalty or 0.0), 2)),
                penalty=float(penalty or 0.0),
                manual=any(one.by_hand for one in mine.values()),
                waiting=any(one.waiting for one in mine.values()),
                marks={name: one.score for name, one in mine.items()},
                by_hand=frozenset(name for name, one in mine.items() if one.by_hand),
                seconds_late=max(0.0, after),
                late=after > 0,
                due=end,
                extended=bool(extension),
                timestamp=f"{timestamp:%Y-%m-%d %H:%M:%S}" if timestamp else "",
            )
    return found


class _Mark(NamedTuple):
    score: float
    by_hand: bool
    waiting: bool
    given: bool
    """Whether anything was marked, by a person or not."""


def _marks(book: Gradebook, lab: str) -> dict[str, dict[str, _Mark]]:
    """Return each student's marks by exercise: a person's where there is one."""
    rows = (
        book.db.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .select_from(Grade)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .filter(Assignment.name == lab)
    )
    marks: dict[str, dict[str, _Mark]] = {}
    for student, cell, auto, manual, extra, waiting in rows:
        score = float(auto or 0.0) if manual is None else float(manual)
        given = auto is not None or manual is not None
        mark = _Mark(
            round(score + float(extra or 0.0), 2), manual is not None, bool(waiting), given
        )
        mine = marks.setdefault(student, {})
        mine[str(cell)] = mark
        mine.setdefault(
            str(cell).removeprefix("test_"), mark
        )  # the exercise that a test cell is of
    return marks
