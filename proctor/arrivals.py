"""A class's submissions as they arrive: refused where they cannot be a class's, and looked through.

What is handed in is listed by :mod:`proctor.intake`; here it meets the course.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from proctor.copies import more_finished
from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake import collect
from proctor.submission import Handed


def collect_class(course: Course, path: Path, lab: str) -> list[Handed]:
    """List what a class handed in, sorted by student.

    Raises
    ------
    CourseError
        If there is nothing at `path`, or no notebook in it: then it is not the class's folder.
    RejectedError
        If `path` is an archive that cannot be read.
    """
    handed = collect(path, lab)
    if not any(one.candidates or one.problems for one in handed):
        raise CourseError(
            f"There is no notebook in {course.relative(path.resolve())}, so nothing was marked and "
            f"nobody was enrolled. Name the folder or the archive of the submissions: proctor grade "
            f"{lab} SUBMISSIONS"
        )
    return [_looked_through(one, course, lab) for one in handed]


def _looked_through(one: Handed, course: Course, lab: str) -> Handed:
    problem = more_finished(one, course, lab) if len(one.candidates) > 1 else None
    return replace(one, problems=(*one.problems, problem)) if problem else one
