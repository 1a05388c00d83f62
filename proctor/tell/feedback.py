"""Where feedback pages come from and go to: one page, by `proctor grade` and by nbgrader's commands."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbgrader.coursedir import CourseDirectory

from proctor.atomic_files import write_whole
from proctor.course import Course
from proctor.errors import CourseError, LabNotFoundError
from proctor.intake import exchange_files
from proctor.policy import Policy
from proctor.record.person_marks import ByHand, read_by_hand
from proctor.tell.feedback_page import feedback_page, read_verdict

EVERYTHING = Policy()


def write_feedback(
    coursedir: CourseDirectory,
    students: Iterable[str],
    done: Callable[[str], None] = lambda _: None,
    names_of: Sequence[str] = (),
    policy: Policy = EVERYTHING,
    by_hand: Mapping[str, ByHand] | None = None,
) -> list[Path]:
    """Write ``feedback/STUDENT/LAB/LAB.html`` for each student and return the paths.

    Parameters
    ----------
    names_of : sequence of str
        Names of the notebooks of an assignment that has several: one page each.
    policy : Policy
        What a page shows when.
    by_hand : mapping of str to ByHand, optional
        What the gradebook adds, where it was read already.

    Raises
    ------
    CourseError
        If the notebook of one as it was marked is not there or was not marked by proctor, or a page
        cannot be written.
    """
    lab, names = coursedir.assignment_id, list(students)
    if by_hand is None:
        by_hand = read_by_hand(coursedir.db_url, coursedir.course_id, lab, names)
    pages = []
    for student in names:
        marked = Path(coursedir.format_path(coursedir.autograded_directory, student, lab))
        folder = Path(coursedir.format_path(coursedir.feedback_directory, student, lab))
        try:
            for name in names_of or (lab,):
                notebook = _read(marked / f"{name}.ipynb", lab, student)
                pages.append(folder / f"{name}.html")
                hand = by_hand.get(student)
                told = policy.told(hand.due if hand else None)
                write_whole(pages[-1], feedback_page(notebook, student, hand, told))
            _carry(marked, folder, shared=bool(coursedir.groupshared))
        except OSError as error:
            raise CourseError(
                f"The feedback page of {student} could not be made: {pages[-1]}: {error.strerror}. "
                "What was marked is kept; mend that and give the same command again."
            ) from error
        done(student)
    return pages


def page_states(
    coursedir: CourseDirectory,
    students: Iterable[str],
    policy: Policy,
    by_hand: Mapping[str, ByHand] | None = None,
) -> dict[str, str]:
    """Return a digest, for each student, of what the page tells beside the verdict.

    A person's marks and comments, the penalty, the name, and what may be shown now.
    """
    names, lab = list(students), coursedir.assignment_id
    if by_hand is None:
        by_hand = read_by_hand(coursedir.db_url, coursedir.course_id, lab, names)
    states = {}
    for student in names:
        hand = by_hand.get(student)
        told = policy.told(hand.due if hand else None)
        states[student] = hashlib.sha256(f"{hand} {told}".encode()).hexdigest()[:16]
    return states


def _read(path: Path, lab: str, student: str) -> dict[str, Any]:
    """Read a notebook as it was marked."""
    try:
        notebook: dict[str, Any] = json.loads(path.read_bytes())
        known = read_verdict(notebook, student) is not None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CourseError(
            f"The page of {student} cannot be made: {path} cannot be read ({error}). Run: "
            f"proctor grade {lab} --student {student}"
        ) from error
    if not known:
        raise CourseError(
            f"The page of {student} cannot be made: {path} was not marked by this version of "
            f"proctor. Run: proctor grade {lab} --student {student}"
        )
    return notebook


def _carry(marked: Path, folder: Path, *, shared: bool) -> None:
    """Put what nbgrader's exchange asks for beside the page, and the rights that a group needs."""
    for name in exchange_files.FILES:
        if (marked / name).is_file():
            write_whole(folder / name, (marked / name).read_bytes())
    if shared:
        for path in folder.iterdir():
            os.chmod(path, 0o664)
        os.chmod(folder, 0o2775)


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]
    """Gives `nbgrader generate_feedback` the same page; see :func:`proctor.nbgrader_plugin.plug_in`.

    An assignment that was not marked by proctor gets nbgrader's own page.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of one notebook as it was marked."""
        told = dict(resources or {})
        notebook = json.loads(Path(filename).read_bytes())
        student = told.get("nbgrader", {}).get("student", "")
        if read_verdict(notebook, student) is None:
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        lab, coursedir = told["nbgrader"]["assignment"], self.parent.coursedir
        by_hand = read_by_hand(told["nbgrader"]["db_url"], coursedir.course_id, lab, [student])
        told.setdefault("metadata", {})["name"] = Path(filename).stem
        told["output_extension"] = self.file_extension
        hand = by_hand.get(student)
        shown = _policy(Path(coursedir.root), lab).told(hand.due if hand else None)
        return feedback_page(notebook, student, hand, shown), told


def _policy(folder: Path, lab: str) -> Policy:
    try:
        return Course.find(folder).lab(lab).policy
    except LabNotFoundError:
        return EVERYTHING  # marked once; the lab is gone
