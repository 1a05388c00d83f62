"""What marking left behind, read back: verdicts, gradebook, who handed in nothing.

The class report and every export start here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.record.arrival_record import Noted, read_arrivals
from proctor.record.gradebook_rows import StudentEntry, read_entries
from proctor.record.person_marks import read_by_hand
from proctor.record.roster import NAME as ROSTER
from proctor.record.roster import enrolled, students
from proctor.record.run_record import MarkingRecord, read_marking
from proctor.record.store import Store
from proctor.verdict import Verdict


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
    comments : mapping of str to mapping
        What people wrote on a student's work, by cell.
    """

    lab: Lab
    course_id: str
    out: Path
    verdicts: Mapping[str, Verdict]
    entries: Mapping[str, StudentEntry] = field(default_factory=dict)
    marking: MarkingRecord | None = None
    arrived: Noted = field(default_factory=Noted)
    comments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def gone(self) -> tuple[str, ...]:
        """Students who were marked, and whose submission was no longer there in the last run."""
        gone = self.marking.gone if self.marking else ()
        return tuple(one for one in gone if one in self.verdicts or one in self.entries)

    @property
    def missing(self) -> list[str]:
        """Students of the roster who handed in nothing."""
        return [
            name
            for name, entry in self.entries.items()
            if entry.enrolled and name not in self.verdicts and not entry.handed_in
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
    known = read_entries(db_url, course_id, lab.name)
    strangers = sorted(name for name in verdicts if name not in known)
    if strangers:
        raise CourseError(
            f"The gradebook {course.relative(file)} does not know {strangers[0]}"
            + (f" and {len(strangers) - 1} others" if len(strangers) > 1 else "")
            + f", who were marked: it belongs to another course. Run: proctor grade {lab.name}"
        )
    # nbgrader enters a submission before it marks: where that died, nothing was handed in.
    for id, one in known.items():
        if not one.marked and id not in verdicts:
            known[id] = replace(one, handed_in=False)
    entries = _with_roster(course, folder, known, arrived)
    marking = read_marking(folder, lab.name)
    hands = read_by_hand(db_url, course_id, lab.name, verdicts)
    comments = {name: hand.comments for name, hand in hands.items() if hand.comments}
    return ClassData(lab, course_id, folder, verdicts, entries, marking, arrived, comments)


def _with_roster(
    course: Course, out: Path, entries: Mapping[str, StudentEntry], arrived: Noted
) -> dict[str, StudentEntry]:
    """Add what the roster says of students besides, and whom the learning platform calls late.

    Whom the roster names and this gradebook does not know has an entry too.
    """
    path = course.folder / ROSTER
    more = {one["id"]: one for one in students(path)} if path.is_file() else {}
    on_course = enrolled(course, out, entries)
    found = {}
    for id in sorted({*entries, *on_course}):
        one, entry = more.get(id, {}), entries.get(id) or StudentEntry(id)
        found[id] = replace(
            entry,
            first_name=entry.first_name or one.get("first_name", ""),
            last_name=entry.last_name or one.get("last_name", ""),
            email=entry.email or one.get("email", ""),
            lms_user_id=entry.lms_user_id or one.get("lms_user_id", ""),
            enrolled=id in on_course,
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
