"""The one writer to nbgrader's gradebook.

nbgrader's database is the system of record: scores go where `nbgrader autograde` would put them, so
formgrader, late penalties, manual marks, the exchange and feedback work on them unchanged. Only the
automatic score is ever written; a mark that a person gave stays.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.api import Base, Gradebook, MissingEntry
from nbgrader.dbutil import ALEMBIC_DIR
from nbgrader.preprocessors import AssignLatePenalties, ComputeChecksums, SaveCells
from sqlalchemy import create_engine
from traitlets.config import Config

from proctor.cells import marking
from proctor.errors import CourseError
from proctor.ordinary import Assignment
from proctor.record import write_scores
from proctor.record.gradebook_lock import named, patient
from proctor.verdict import Verdict


def open_gradebook(db_url: str, course_id: str) -> Gradebook:
    """Open the gradebook, making it if it is new.

    A new SQLite file appears whole: nbgrader takes one without the number of its schema, which a crash
    between the two could leave, for a very old one. In another database nbgrader makes its tables, and
    runs the ``alembic`` command for that number; it lies beside this interpreter, which need not be on
    the PATH.
    """
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join((beside, os.environ.get("PATH", "")))
    path = Path(db_url.removeprefix("sqlite:///"))
    return _open(db_url, course_id, path)


@patient
def _open(db_url: str, course_id: str, path: Path) -> Gradebook:
    if db_url.startswith("sqlite:///") and not path.exists():
        new = path.with_name(f".{path.name}-{os.getpid()}")
        new.unlink(missing_ok=True)
        _make(f"sqlite:///{new}")
        with contextlib.suppress(FileExistsError):  # another process was first
            os.link(new, path)
        new.unlink()
    return Gradebook(db_url, course_id)


def _make(db_url: str) -> None:
    """Make the tables of a new gradebook, and note the number of their schema.

    As nbgrader does, but for a process of its own for that number, which takes two seconds.
    """
    engine = create_engine(db_url)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        MigrationContext.configure(connection).stamp(ScriptDirectory(ALEMBIC_DIR), "head")
    engine.dispose()


@patient
def record_ordinary(db_url: str, course_id: str, assignment: Assignment) -> None:
    """Make sure that the gradebook knows an assignment of nbgrader's own as its source is.

    Raises
    ------
    CourseError
        If there are submissions in it to an assignment of other notebooks.
    """
    names = {notebook.name for notebook in assignment.notebooks}
    with open_gradebook(db_url, course_id) as book:
        known = book.update_or_create_assignment(assignment.name)
        gone = {notebook.name for notebook in known.notebooks} - names
        if gone and known.submissions:
            raise CourseError(
                f"The gradebook holds submissions to {assignment.name} with the notebook "
                f"{sorted(gone)[0]}, which is no longer in its source. Put it back."
            )
        for name in sorted(gone):
            book.remove_notebook(name, assignment.name)
    for notebook in assignment.notebooks:
        resources = _resources(db_url, assignment.name, "", notebook.name)
        _save_cells(copy.deepcopy(notebook.saved), resources, course_id)


@patient
def record_assignment(db_url: str, course_id: str, lab: str, source: NotebookNode) -> None:
    """Make sure that the gradebook knows the lab, its notebook and the points of its test cells."""
    resources = _resources(db_url, lab, "")
    with open_gradebook(db_url, course_id) as book:
        book.update_or_create_assignment(lab)
    notebook, resources = ComputeChecksums().preprocess(copy.deepcopy(source), resources)
    _save_cells(notebook, resources, course_id)


def _save_cells(notebook: NotebookNode, resources: dict[str, Any], course_id: str) -> None:
    """Have the gradebook know a notebook's cells; with submissions in it, it lets nobody add or take any."""
    now = {known.id for cell in notebook.cells if (known := marking(cell.metadata)).kind != "plain"}
    try:
        SaveCells().preprocess(notebook, resources)
    except RuntimeError as error:  # nbgrader's only word for it
        details = resources["nbgrader"]
        lab, name = details["assignment"], details["notebook"]
        with open_gradebook(details["db_url"], course_id) as book:
            kept = book.find_notebook(name, lab)
            cells = (*kept.grade_cells, *kept.solution_cells, *kept.task_cells, *kept.source_cells)
            before = {cell.name for cell in cells}
        changes = [
            f"{word} '{sorted(names)[0]}'"
            for word, names in (("lacks", before - now), ("has a new", now - before))
            if names
        ]
        raise CourseError(
            f"The gradebook holds submissions to {lab}, whose notebook {name} "
            f"{' and '.join(changes) or 'has other cells'} since then, and nbgrader lets nobody add or "
            "take away cells. Give the cells their old ids; or begin anew, which takes all marks of it, "
            f"those by hand too, out of the gradebook: nbgrader db assignment remove {lab} --force"
        ) from error


class Writer:
    """The gradebook, open for a whole run.

    Parameters
    ----------
    db_url : str
        SQLAlchemy URL of the gradebook.
    course_id : str
        nbgrader's course id.
    config : Config, optional
        The course's nbgrader configuration, with its late-submission plugin.
    """

    def __init__(self, db_url: str, course_id: str, config: Config | None = None) -> None:
        self.db_url, self.config = db_url, config
        self.book = open_gradebook(db_url, course_id)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.book.close()

    def record(
        self, verdict: Verdict, timestamp: str | None = None, *, unchanged: bool = False
    ) -> None:
        """Write one verdict; see :meth:`record_all`."""
        self.record_all([(verdict, timestamp)], unchanged=unchanged)

    def record_all(
        self, verdicts: Sequence[tuple[Verdict, str | None]], *, unchanged: bool = False
    ) -> None:
        """Write verdicts' scores in one transaction, and late penalties that the course's plugin asks for.

        Parameters
        ----------
        verdicts : sequence of (Verdict, str or None)
            What marking gave, and when it was handed in, as nbgrader's ``timestamp.txt`` says it; what is
            no time is ignored. A grade cell ``test_ID`` gets the score of exercise ``ID``.
        unchanged : bool
            Whether these very verdicts were written before: a cell that a person has marked since is
            not put before them again.

        Raises
        ------
        CourseError
            If the gradebook lacks a grade cell, because it belongs to another course or an older
            build.
        """
        for verdict in self._record(verdicts, unchanged=unchanged):
            if self.config is not None:
                apply_late_penalty(
                    self.db_url, verdict.lab, verdict.student, new_notebook(), self.config
                )

    @patient
    def _record(
        self, verdicts: Sequence[tuple[Verdict, str | None]], *, unchanged: bool
    ) -> list[Verdict]:
        with self.book.engine.begin() as connection:
            return [
                verdict
                for verdict, timestamp in verdicts
                if write_scores.write(connection, verdict, timestamp, unchanged=unchanged)
            ]


def record(
    db_url: str,
    course_id: str,
    verdict: Verdict,
    timestamp: str | None = None,
    config: Config | None = None,
) -> None:
    """Write a single verdict; see :meth:`Writer.record`."""
    with Writer(db_url, course_id, config) as writer:
        writer.record(verdict, timestamp)


@patient
def apply_late_penalty(
    db_url: str, lab: str, student: str, notebook: NotebookNode, config: Config
) -> None:
    """Run nbgrader's late-submission plugin for one submission."""
    AssignLatePenalties(config=config).preprocess(notebook, _resources(db_url, lab, student))


@patient
def late_penalty(
    db_url: str, course_id: str, verdict: Verdict, timestamp: str | None, config: Config
) -> float:
    """Return what lateness would cost a submission that is not in the gradebook."""
    with open_gradebook(db_url, course_id) as book:
        try:
            due = book.find_assignment(verdict.lab).duedate
        except MissingEntry:
            return 0.0
        try:
            more = book.find_submission(verdict.lab, verdict.student).extension or timedelta()
        except MissingEntry:
            more = timedelta()
    if due is None or (moment := write_scores.when(timestamp)) is None:
        return 0.0
    late = (moment - due - more).total_seconds()
    if late <= 0:
        return 0.0
    plugin = AssignLatePenalties(config=config)
    plugin.init_plugin()
    cost = plugin.plugin_inst.late_submission_penalty(verdict.student, verdict.score, late)
    return min(max(float(cost or 0.0), 0.0), verdict.score)


@patient
def scores(db_url: str, course_id: str, lab: str) -> Mapping[str, float]:
    """Return each student's total score in the gradebook, manual marks included."""
    with open_gradebook(db_url, course_id) as book:
        return {
            submission.student.id: float(submission.score)
            for submission in book.assignment_submissions(lab)
        }


@patient
def roster(db_url: str, course_id: str) -> list[str]:
    """Return the ids of all students whom the gradebook knows, sorted."""
    with open_gradebook(db_url, course_id) as book:
        return sorted(student.id for student in book.students)


@patient
def named_students(db_url: str, course_id: str) -> list[dict[str, str]]:
    """Return the students of whom the gradebook knows more than the id, as a roster would say it."""
    found = []
    with open_gradebook(db_url, course_id) as book:
        for student in book.students:
            known = {
                name: str(getattr(student, name) or "")
                for name in ("first_name", "last_name", "email", "lms_user_id")
            }
            if any(known.values()):
                found.append({"id": str(student.id), **known})
    return found


@patient
def automatic_scores(
    db_url: str, course_id: str, lab: str
) -> dict[str, dict[tuple[str, str], float]]:
    """Return each student's automatic score of each test cell, by notebook and grade id."""
    with open_gradebook(db_url, course_id) as book:
        try:
            submissions = book.assignment_submissions(lab)
        except MissingEntry as error:
            raise CourseError(
                f"The gradebook {named((db_url,))} does not know the assignment '{lab}'."
            ) from error
        return {
            submission.student.id: {
                (notebook.name, grade.name): float(grade.auto_score)
                for notebook in submission.notebooks
                for grade in notebook.grades
                if grade.auto_score is not None
            }
            for submission in submissions
        }


@patient
def most_points(db_url: str, course_id: str, lab: str) -> dict[tuple[str, str], float]:
    """Return what the gradebook says each graded cell is worth, by notebook and grade id."""
    with open_gradebook(db_url, course_id) as book:
        return {
            (notebook.name, cell.name): float(cell.max_score)
            for notebook in book.find_assignment(lab).notebooks
            for cell in notebook.grade_cells
        }


def _resources(db_url: str, lab: str, student: str, notebook: str = "") -> dict[str, Any]:
    details = {
        "notebook": notebook or lab,
        "assignment": lab,
        "student": student,
        "db_url": db_url,
    }
    return {"nbgrader": details, "unique_key": notebook or lab}
