"""Feedback pages, made by nbgrader's own converter from the autograded notebooks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from proctor.errors import CourseError


def write_feedback(
    coursedir: CourseDirectory,
    students: Iterable[str],
    done: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write ``feedback/STUDENT/LAB/LAB.html`` for each student and return the paths.

    Raises
    ------
    CourseError
        If nbgrader cannot make a page; its own words are in the message.
    """
    lab = coursedir.assignment_id
    pages = []
    quiet = logging.Logger("feedback")  # we say ourselves what was made
    quiet.addHandler(logging.NullHandler())
    for student in students:
        coursedir.student_id = student
        converter = GenerateFeedback(coursedir=coursedir, config=coursedir.config)
        converter.force = True
        converter.log = quiet
        try:
            converter.start()
        except Exception as error:
            raise CourseError(
                f"nbgrader could not make the feedback of {student}: {error}"
            ) from error
        folder = coursedir.format_path(coursedir.feedback_directory, student, lab)
        pages.append(Path(folder) / f"{lab}.html")
        done(student)
    return pages
