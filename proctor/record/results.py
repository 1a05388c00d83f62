"""What marking left behind, read back: verdicts, gradebook, who handed in nothing.

The class report and every export start here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
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

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.record.arrived import Noted, read_arrivals
from proctor.record.gradebook import open_gradebook, patient
from proctor.record.roster import NAME as ROSTER
from proctor.record.roster import students
from proctor.record.run_record import MarkingRecord, read_marking
from proctor.record.store import Store
from proctor.verdict import Verdict


@dataclass(frozen=True)
class StudentEntry:
    """One student in the gradebook.

    Attributes
    ----------
    student, first_name, last_name, email, lms_user_id : str
        As the roster has them; empty where it says nothing.
    handed_in : bool
        Whether there is a submission.
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
    handed_in: bool = False
    score: float = 0.0
    penalty: float = 0.0
    manual: bool = False
    waiting: bool = False
    timestamp: str = ""
    seconds_late: float = 0.0
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


@dataclass(frozen=True)
class ClassData:
    """A marked class.

    Scores are the gradebook's wherever people read them; a verdict's are called automatic.

    Attributes
    ----------
    course_id : str
        nbgrader's course id.
    out : Path
        Where marking wrote.
    verdicts : mapping of str to Verdict
        By student, sorted.
    entries : mapping of str to StudentEntry
        Everybody in the gradebook, by id, sorted.
    marking : MarkingRecord or None
        How the last run went, if it was recorded.
    arrived : Noted
        How the submissions arrived.
    """

    lab: Lab
    course_id: str
    out: Path
    verdicts: Mapping[str, Verdict]
    entries: Mapping[str, StudentEntry] = field(default_factory=dict)
    marking: MarkingRecord | None = None
    arrived: Noted = field(default_factory=Noted)

    @property
    def gone(self) -> tuple[str, ...]:
        """Students who were marked, and whose submission was no longer there in the last run."""
        gone = self.marking.gone if self.marking else ()
        return tuple(student for student in gone if student in self.verdicts)

    @property
    def missing(self) -> list[str]:
        """Students of the roster who handed in nothing."""
        return [
            name
            for name, entry in self.entries.items()
            if name not in self.verdicts and not entry.handed_in
        ]

    @property
    def max_score(self) -> float:
        """Points of the whole lab."""
        return float(sum(exercise.points for exercise in self.lab.exercises))

    def score(self, student: str) -> float:
        """Return a student's final score: the gradebook's, or the verdict's where it has none."""
        entry = self.entries.get(student)
        if entry is not None and entry.handed_in:
            return entry.score
        return self.verdicts[student].score if student in self.verdicts else 0.0

    def automatic(self, student: str) -> float:
        """Return the score that marking gave, before marks by hand and penalties."""
        return self.verdicts[student].score if student in self.verdicts else 0.0

    def mark(self, student: str, exercise: str) -> float:
        """Return the gradebook's score of one exercise, or the verdict's where it has none."""
        entry, verdict = self.entries.get(student), self.verdicts.get(student)
        if entry is not None and exercise in entry.marks:
            return entry.marks[exercise]
        scores = {one.id: one.score for one in verdict.exercises} if verdict else {}
        return scores.get(exercise, 0.0)

    def notebook(self, student: str) -> Path:
        """Path of a student's notebook as it ran."""
        return self.out / "autograded" / student / self.lab.name / f"{self.lab.name}.ipynb"


def read_class(
    course: Course,
    lab: Lab,
    out: Path | None = None,
    *,
    verdicts: Mapping[str, Verdict] | None = None,
) -> ClassData:
    """Read what marking wrote to `out` (default: the course's folder).

    Parameters
    ----------
    verdicts : mapping of str to Verdict, optional
        Those that are meant, where they are at hand; default all that were written.

    Raises
    ------
    CourseError
        If nothing of this lab was marked there, a verdict cannot be read, or the gradebook is
        another course's.
    """
    folder = out or course.folder
    verdicts = read_verdicts(course, lab, folder) if verdicts is None else verdicts
    config = course.nbgrader_config()
    course_id = str(config.CourseDirectory.get("course_id", ""))
    file = folder / "gradebook.db"
    db_url = str(config.CourseDirectory.get("db_url", "") or f"sqlite:///{file}")
    if db_url.endswith(str(file)) and not file.is_file():
        raise CourseError(
            f"{course.relative(file)} is missing, so there are no names and no manual marks. "
            f"Run: proctor grade {lab.name}"
        )
    arrived = read_arrivals(folder, lab.name)
    entries = _with_roster(course, read_entries(db_url, course_id, lab.name), arrived)
    strangers = sorted(name for name in verdicts if name not in entries)
    if strangers:
        raise CourseError(
            f"The gradebook {course.relative(file)} does not know {strangers[0]}"
            + (f" and {len(strangers) - 1} others" if len(strangers) > 1 else "")
            + f", who were marked: it belongs to another course. Run: proctor grade {lab.name}"
        )
    marking = read_marking(folder, lab.name)
    return ClassData(lab, course_id, folder, verdicts, entries, marking, arrived)


def _with_roster(
    course: Course, entries: Mapping[str, StudentEntry], arrived: Noted
) -> dict[str, StudentEntry]:
    """Add what the roster says of students besides, and whom the learning platform calls late."""
    path = course.folder / ROSTER
    more = {one["id"]: one for one in students(path)} if path.is_file() else {}
    found = {}
    for id, entry in entries.items():
        one = more.get(id, {})
        found[id] = replace(
            entry,
            late=entry.late or id in arrived.late,
            login=one.get("login", ""),
            id_number=one.get("id_number", ""),
            section=one.get("section", ""),
            tutor=one.get("tutor", ""),
        )
    return found


def read_verdicts(course: Course, lab: Lab, out: Path) -> dict[str, Verdict]:
    """Read the verdicts on `lab` below ``out/verdicts``, sorted by student.

    Raises
    ------
    CourseError
        If there are none, or one cannot be read.
    """
    verdicts = {}
    for path in sorted(Store(out, lab.name).verdicts.glob("*.json")):
        try:
            verdict = Verdict.from_json(path.read_bytes())
        except (ValueError, TypeError, KeyError) as error:
            raise CourseError(
                f"{course.relative(path)} is not a verdict ({error}). Delete it and run: "
                f"proctor grade {lab.name}"
            ) from error
        if verdict.lab == lab.name:
            verdicts[verdict.student] = verdict
    if not verdicts:
        raise CourseError(
            f"No verdict on {lab.name} in {course.relative(out / 'verdicts')}. "
            f"Run first: proctor grade {lab.name}"
        )
    return dict(sorted(verdicts.items()))


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
                score=max(0.0, round(float(score or 0.0) - float(penalty or 0.0), 2)),
                penalty=float(penalty or 0.0),
                manual=any(one.by_hand for one in mine.values()),
                waiting=any(one.waiting for one in mine.values()),
                marks={name: one.score for name, one in mine.items()},
                by_hand=frozenset(name for name, one in mine.items() if one.by_hand),
                seconds_late=max(0.0, after),
                late=after > 0,
                extended=bool(extension),
                timestamp=f"{timestamp:%Y-%m-%d %H:%M:%S}" if timestamp else "",
            )
    return found


class _Mark(NamedTuple):
    score: float
    by_hand: bool
    waiting: bool


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
        mark = _Mark(round(score + float(extra or 0.0), 2), manual is not None, bool(waiting))
        marks.setdefault(student, {})[str(cell).removeprefix("test_")] = mark
    return marks
