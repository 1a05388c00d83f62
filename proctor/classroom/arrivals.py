"""A class's submissions as they arrive: whose they are, who is a stranger, what cannot be a class.

What is handed in is listed by :mod:`proctor.intake.submissions`; here it meets the course and its
roster. All of this is said before anything is marked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proctor.classroom.further_copy import more_finished
from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake.lms_file_names import quotable
from proctor.intake.roster_lookup import Directory, Person
from proctor.intake.submissions import collect
from proctor.record.gradebook import named_students
from proctor.record.roster import NAME, students
from proctor.submission import Handed

MOST_SHOWN = 20
"""Most strangers that are listed one by one."""


@dataclass(frozen=True)
class Stranger:
    """Somebody who handed in and is not in the roster: under which id, as found, and who is near.

    Attributes
    ----------
    namesakes : tuple of str
        Those of the roster who share the name, where several do: it may be any of them.
    """

    student: str
    original: str
    nearest: str = ""
    namesakes: tuple[str, ...] = ()

    def told(self) -> str:
        """Say who it is, in a line."""
        known_as = f" (found as '{quotable(self.original)}')" * (self.original != self.student)
        if self.namesakes:
            return (
                f"Fits several of the roster: {self.student}{known_as} may be "
                f"{' or '.join(self.namesakes)}. Hand it in under the id that is meant."
            )
        near = f"; the nearest is {self.nearest}" if self.nearest else ""
        return f"Not in the roster: {self.student}{known_as}{near}"


@dataclass(frozen=True)
class Arrivals:
    """What a class handed in.

    Attributes
    ----------
    handed : tuple of Handed
        Sorted by student; where the roster knows somebody, under the roster's id.
    strangers : tuple of Stranger
        Those whom the roster does not know; empty where there is no roster.
    enrolled : int
        Students in the roster; 0 where there is none.
    """

    handed: tuple[Handed, ...]
    strangers: tuple[Stranger, ...] = ()
    enrolled: int = 0

    @property
    def late(self) -> tuple[str, ...]:
        """Students whose submission the learning platform itself calls late."""
        return tuple(one.student for one in self.handed if one.owner and one.owner.late)

    def sentences(self) -> list[str]:
        """Say what has to be known before marking, a line each."""
        lines = []
        if not self.enrolled:
            lines.append(
                f"There is no roster ({NAME}), so nobody is missed and nobody is a stranger: all "
                f"{len(self.handed)} are taken as they come. Make one with: proctor roster FILE"
            )
        lines += [one.told() for one in self.strangers[:MOST_SHOWN]]
        if len(self.strangers) > MOST_SHOWN:
            lines.append(f"Not in the roster: {len(self.strangers) - MOST_SHOWN} more")
        return lines


def collect_class(course: Course, path: Path, lab: str) -> Arrivals:
    """List what a class handed in, under the roster's ids.

    Raises
    ------
    CourseError
        If there is nothing at `path`, no notebook in it, or nobody of the roster: then it is not the
        class's folder.
    RejectedError
        If `path` is an archive that cannot be read.
    """
    arrived = arrivals(course, path, lab)
    handed = arrived.handed
    shown = course.relative(path.resolve())
    if not any(one.candidates or one.problems for one in handed):
        raise CourseError(
            f"There is no notebook in {shown}, so nothing was marked and nobody was enrolled. Name the "
            f"folder or the archive of the submissions: proctor grade {lab} SUBMISSIONS"
        )
    if arrived.enrolled and len(arrived.strangers) == len(handed):
        some = ", ".join(quotable(one.original) for one in arrived.strangers[:3])
        wanted = ", ".join(one["id"] for one in known_people(course)[:3])
        raise CourseError(
            f"Nobody of the roster handed in anything in {shown}: it holds submissions of {some}, the "
            f"roster has {wanted}. Name the right folder, or mend course/{NAME}: its ids, or the "
            "columns lms_user_id, login, email, first_name, last_name, by which archives are matched."
        )
    return arrived


def arrivals(course: Course, path: Path, lab: str) -> Arrivals:
    """List what was handed in at `path`, under the roster's ids, whatever it is."""
    handed = collect(path, lab, others=course.others(lab))
    people = known_people(course)
    arrived = meet(handed, people) if people else Arrivals(tuple(handed))
    looked = tuple(_looked_through(one, course, lab) for one in arrived.handed)
    return replace(arrived, handed=looked)


def known_people(course: Course) -> Sequence[Person]:
    """Return ``course/roster.csv``; without it, those in the gradebook who have more than an id."""
    path = course.folder / NAME
    if path.is_file():
        return students(path)
    config = course.nbgrader_config().CourseDirectory
    file = course.folder / "gradebook.db"
    db_url = str(config.get("db_url", "") or f"sqlite:///{file}")
    if db_url.endswith(str(file)) and not file.is_file():
        return []
    return named_students(db_url, str(config.get("course_id", "")))


def meet(handed: list[Handed], people: Sequence[Person]) -> Arrivals:
    """Match what was handed in to the roster; what fits nobody, or two at once, is a stranger's."""
    directory = Directory(people)
    found: dict[str, list[Handed]] = defaultdict(list)
    unmatched: list[Handed] = []
    for one in handed:
        id = directory.find(one)
        found[id].append(one) if id else unmatched.append(one)
    matched: dict[str, Handed] = {}
    for id, rivals in found.items():
        exact = [one for one in rivals if id in (one.original, one.student)]
        owner = exact[0] if len(exact) == 1 else rivals[0] if len(rivals) == 1 else None
        unmatched += [one for one in rivals if one is not owner]
        if owner is not None:
            matched[id] = replace(owner, student=id)
    strangers = []
    for number, one in enumerate(sorted(unmatched, key=lambda one: one.student)):
        same = directory.namesakes(one) if number < MOST_SHOWN else []
        near = directory.nearest(one) if number < MOST_SHOWN and not same else ""
        shown = directory.shown(near) if near else ""
        shown += ", who has handed in" if near in matched else ""
        student = one.student if one.student not in matched else f"{one.student}-2"
        namesakes = tuple(directory.shown(id) for id in same)
        strangers.append(Stranger(student, one.original, shown, namesakes))
        matched[student] = replace(one, student=student)
    return Arrivals(
        tuple(matched[student] for student in sorted(matched)),
        tuple(strangers),
        len(people),
    )


def _looked_through(one: Handed, course: Course, lab: str) -> Handed:
    problem = more_finished(one, course, lab) if len(one.candidates) > 1 else None
    return replace(one, problems=(*one.problems, problem)) if problem else one
