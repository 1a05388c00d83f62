"""What marking left behind, read back: verdicts, gradebook, who handed in nothing.

The class report and every export start here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.record.gradebook import open_gradebook, patient
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

    @property
    def name(self) -> str:
        """First and last name, or the id where the roster has neither."""
        return f"{self.first_name} {self.last_name}".strip() or self.student


@dataclass(frozen=True)
class ClassData:
    """A marked class.

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
    """

    lab: Lab
    course_id: str
    out: Path
    verdicts: Mapping[str, Verdict]
    entries: Mapping[str, StudentEntry] = field(default_factory=dict)
    marking: MarkingRecord | None = None

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

    def notebook(self, student: str) -> Path:
        """Path of a student's notebook as it ran."""
        return self.out / "autograded" / student / self.lab.name / f"{self.lab.name}.ipynb"


def read_class(course: Course, lab: Lab, out: Path | None = None) -> ClassData:
    """Read what marking wrote to `out` (default: the course's folder).

    Raises
    ------
    CourseError
        If nothing of this lab was marked there, a verdict cannot be read, or the gradebook is
        another course's.
    """
    folder = out or course.folder
    verdicts = read_verdicts(course, lab, folder)
    config = course.nbgrader_config()
    course_id = str(config.CourseDirectory.get("course_id", ""))
    file = folder / "gradebook.db"
    db_url = str(config.CourseDirectory.get("db_url", "") or f"sqlite:///{file}")
    if db_url.endswith(str(file)) and not file.is_file():
        raise CourseError(
            f"{course.relative(file)} is missing, so there are no names and no manual marks. "
            f"Run: proctor grade {lab.name}"
        )
    entries = read_entries(db_url, course_id, lab.name)
    strangers = sorted(name for name in verdicts if name not in entries)
    if strangers:
        raise CourseError(
            f"The gradebook {course.relative(file)} does not know {strangers[0]}"
            + (f" and {len(strangers) - 1} others" if len(strangers) > 1 else "")
            + f", who were marked: it belongs to another course. Run: proctor grade {lab.name}"
        )
    return ClassData(lab, course_id, folder, verdicts, entries, read_marking(folder, lab.name))


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
            )
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == lab)
        )
        for student_id, score, penalty, timestamp in submissions:
            manual, waiting = marks.get(student_id, (False, False))
            found[student_id] = replace(
                found[student_id],
                handed_in=True,
                score=max(0.0, round(float(score or 0.0) - float(penalty or 0.0), 2)),
                penalty=float(penalty or 0.0),
                manual=manual,
                waiting=waiting,
                timestamp=f"{timestamp:%Y-%m-%d %H:%M:%S}" if timestamp else "",
            )
    return found


def _marks(book: Gradebook, lab: str) -> dict[str, tuple[bool, bool]]:
    """Return, for each student, whether a person gave a mark and whether one is still due."""
    rows = (
        book.db.query(SubmittedAssignment.student_id, Grade.manual_score, Grade.needs_manual_grade)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .filter(Assignment.name == lab)
    )
    marks: dict[str, tuple[bool, bool]] = {}
    for student, manual, waiting in rows:
        before = marks.get(student, (False, False))
        marks[student] = (before[0] or manual is not None, before[1] or bool(waiting))
    return marks
