"""The student's zip: what is on the lab's allow-list, and nothing else."""

from __future__ import annotations

import datetime
from pathlib import Path

from nbformat import ValidationError

from proctor.author.build import released_name, student_notebook
from proctor.author.write_zip import write_archive
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError


def release(course: Course, lab: Lab, folder: Path) -> Path:
    """Write ``folder/LAB.zip`` and return its path.

    Raises
    ------
    CourseError
        If a pattern of the allow-list matches nothing, the notebook cannot be read, or holds outputs or
        a solution, or the zip cannot be written.
    """
    files = released_files(course, lab)
    target = folder / f"{lab.name}.zip"
    inside = {f"{lab.name}/{released_name(course, path)}": path.read_bytes() for path in files}
    today = datetime.date.today()
    write_archive(target, inside, date=(today.year, today.month, today.day, 0, 0, 0))
    return target


def released_files(course: Course, lab: Lab) -> list[Path]:
    """Return the files that a student receives, sorted."""
    found: set[Path] = set()
    for pattern in lab.release:
        matches = {path for path in course.root.glob(pattern) if path.is_file()}
        if not matches:
            raise CourseError(f"{lab.name}: nothing in {course.root} matches '{pattern}'.")
        found |= matches
    for path in found:
        if path.is_relative_to(course.folder) or path.is_symlink():
            raise CourseError(f"{lab.name}: {course.relative(path)} may not be released.")
        if path.suffix == ".ipynb":
            _check_notebook(path)
    return sorted(found)


def _check_notebook(path: Path) -> None:
    try:
        cells = student_notebook(path).cells
    except (OSError, ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        raise CourseError(
            f"{path} is not a notebook that can be read. Run: proctor build {path.stem}"
        ) from error
    for cell in cells:
        if cell.cell_type == "code" and cell.outputs:
            raise CourseError(f"{path.name} holds outputs. Run: proctor build {path.stem}")
        if "BEGIN SOLUTION" in cell.source or "BEGIN HIDDEN" in cell.source:
            raise CourseError(f"{path.name} holds a solution. Run: proctor build {path.stem}")
