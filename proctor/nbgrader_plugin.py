"""Plugs the examiner into nbgrader: `nbgrader autograde`, `generate_feedback`, formgrader's buttons.

nbgrader's converter reads, converts and writes each submission through an exporter. Ours takes its
place for the labs of this course: the submitted file is marked as `proctor grade` marks it, the
scores go to the gradebook, and what nbgrader writes to ``autograded/`` is the notebook that ran.
An assignment without checks of ours is marked by its own test cells, isolated
(:mod:`proctor.ordinary`);
one that cannot be (another language) is left to nbgrader, and that is said.
"""

from __future__ import annotations

import atexit
import glob
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import AssignLatePenalties

from proctor.course import Course
from proctor.errors import CourseError
from proctor.intake.layout import folder_owner
from proctor.intake.lms_file_names import printable, safe_id

if TYPE_CHECKING:
    from nbgrader.converters import Autograde

    from proctor.checks import Lab
    from proctor.examine.marker import Marker
    from proctor.record.store import Store
    from proctor.submission import Handed
    from proctor.verdict import Verdict

STUDENTS_FOLDERS = os.path.join("{student_id}", "{assignment_id}")
"""How nbgrader's directory structure ends where a class's folders lie side by side, as it does by default."""

COLLECTOR = "proctor.classroom.collect.BestStays"


def plug_in(config: Any) -> None:
    """Add the examiner to an nbgrader configuration."""
    config.Autograde.exporter_class = ProctorExporter
    config.GenerateFeedback.exporter_class = "proctor.tell.feedback.FeedbackExporter"
    if "collect" not in config.ExchangeFactory:
        config.ExchangeFactory.collect = COLLECTOR


class ProctorExporter(NotebookExporter):  # type: ignore[misc]
    """Marks a submission where nbgrader would execute it.

    nbgrader calls it twice a notebook: with the submitted file (its sanitising pass), and with what
    the first call wrote (its grading pass), where only late penalties are left to apply.

    What was handed in, and whose it is, is decided as `proctor grade` decides it: nbgrader itself
    would leave out a notebook whose name a browser has changed, and take another id.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._handed: dict[str, Handed] = {}
        from nbgrader.converters import Autograde  # loaded already, where it is our parent

        if isinstance(self.parent, Autograde):
            self._take_over(self.parent)

    def _take_over(self, converter: Autograde) -> None:
        """Replace nbgrader's list of what it is going to convert by ours, for a lab of ours.

        The converter makes its exporter after it has listed the notebooks and before it reads one.
        """
        name = str(converter.coursedir.assignment_id)
        course = Course.find(Path(converter.coursedir.root))
        inside = converter.coursedir.directory_structure.endswith(STUDENTS_FOLDERS)
        if not inside or (name not in course.labs() and not self._ordinary(course, name)):
            return
        from nbgrader.converters.base import NbGraderException

        from proctor.intake.release_difference import stale_release

        try:
            lab = course.lab(name)
            converter.assignments = self._list(converter, course, lab)
            if lab.ordinary is not None and (sentence := stale_release(course, lab.ordinary)):
                self.log.warning("%s", sentence)
            self._prepare(course, lab)
        except CourseError as error:  # before nbgrader has touched anything
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error

    def _list(self, converter: Autograde, course: Course, lab: Lab) -> dict[str, list[str]]:
        """Return what was handed in as nbgrader lists it: a student's folder -> its notebooks.

        The folder is named by the student's id and a lab's notebook by the lab, whatever the two are
        called; an assignment that is marked as it is has the notebooks that nbgrader found.
        """
        from proctor.classroom.arrivals import collect_class

        def folder_of(student: str) -> str:
            return str(converter._format_source(lab.name, student))

        top = Path(folder_of("student")).parents[1]
        known = {one.original: one for one in collect_class(course, top, lab.name).handed}
        ours: dict[str, list[str]] = {}
        for found in sorted(glob.glob(folder_of(converter.coursedir.student_id))):
            handed = known.get(printable(folder_owner(Path(found).parent.name).student))
            if handed is None:
                names = converter.assignments.get(found, [])
                folder = found
            else:
                self._handed[handed.student] = handed
                folder = folder_of(handed.student)
                names = [f"{lab.name}.ipynb"]
                if lab.several is not None:
                    names = [Path(one).name for one in converter.assignments.get(found, ())]
            if names:
                ours[folder] = [str(Path(folder) / name) for name in names]
        return ours

    def _prepare(self, course: Course, lab: Lab) -> None:
        """See that the lab can be marked, and have the gradebook know its cells.

        Both have to be done before nbgrader takes away what it has of a submission and enters it
        anew: once there is a submission, the gradebook lets nobody add cells.
        """
        from proctor.record.keeper import Keeper
        from proctor.record.store import store_of

        coursedir = self.parent.coursedir
        store = store_of(lab, Path(coursedir.root))
        marker = _marker(course, lab, store)
        Keeper(course, store, marker.source, coursedir.db_url).open_gradebook()

    def handed(self, path: Path, student: str, lab: Lab) -> Handed:
        """Return what a student handed in; `path` is nbgrader's name for it."""
        from proctor.examine.marker import handed_files

        return self._handed.get(student) or handed_files(path, safe_id(student), lab)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Mark `filename` if it belongs to a lab of ours; else do what nbgrader does."""
        nbgrader = (resources or {}).get("nbgrader", {})
        name = nbgrader.get("assignment", "")
        course = Course.find(Path(self.parent.coursedir.root))
        if name not in course.labs() and not self._ordinary(course, name):
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        if not self.parent._sanitizing:
            self._preprocessors: list[Any] = []
            self.register_preprocessor(AssignLatePenalties)
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        return self._mark(course, name, Path(filename), dict(resources or {}))

    def _ordinary(self, course: Course, name: str) -> bool:
        """Whether it is an assignment that is marked as it is; if not, say once that nbgrader runs it."""
        why = f"its folder {course.source_folder / name} holds no notebook"
        if name in course.assignments():
            try:
                course.assignment(name)
            except CourseError as error:
                why = str(error)
            else:
                return True
        if name not in _left and self.parent._sanitizing:
            _left.add(name)
            self.log.warning(
                "The assignment '%s' is left to nbgrader, which runs students' code without isolation: %s",
                name,
                why,
            )
        return False

    def _mark(
        self, course: Course, name: str, path: Path, resources: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        # Imported here, since every nbgrader command loads this module with its configuration.
        from proctor.examine.mark_result import split_notebooks
        from proctor.record.keeper import Keeper
        from proctor.record.store import store_of

        coursedir = self.parent.coursedir
        lab = course.lab(name)
        store = store_of(lab, Path(coursedir.root))
        marker = _marker(course, lab, store)
        student = resources["nbgrader"]["student"]
        reading = marker.read(self.handed(path, student, lab))
        resources.setdefault("metadata", {})["name"] = path.stem if store.names else name
        resources["output_extension"] = ".ipynb"
        if path.stem in store.names[1:] and (known := store.marked(student, reading.key)):
            return split_notebooks(known.notebook)[path.stem], resources
        marked = marker.finish(reading)
        for check, error in sorted({**marked.broken, **marker.reference.withdrawn}.items()):
            self.log.error("The check '%s' is broken: %s", check, error)
        self._tell(student, marked.verdict)
        keeper = Keeper(course, store, marker.source, coursedir.db_url)
        keeper.open_gradebook()
        with store.writing(), keeper:
            keeper.keep(reading.handed, marked, reading.key, _origin(coursedir))
        if store.names:
            return split_notebooks(marked.notebook)[path.stem], resources
        return marked.notebook, resources

    def _tell(self, student: str, verdict: Verdict) -> None:
        """Say in nbgrader's log that the engine has marked, and who needs a person, and why."""
        self.log.info(
            "proctor marked %s of %s: %g of %g points",
            verdict.lab,
            student,
            verdict.score,
            verdict.max_score,
        )
        for problem in verdict.problems:
            if problem.attention:
                self.log.warning("%s of %s: %s", verdict.lab, student, problem.message)


def _origin(coursedir: Any) -> str:
    """The folder of submissions, as a run of `proctor grade` notes it."""
    return str((Path(coursedir.root) / coursedir.submitted_directory).resolve())


_open = ExitStack()
_left: set[str] = set()
"""Assignments of which it was said that they are left to nbgrader."""
_markers: dict[tuple[Path, str, str], Marker] = {}


def _marker(course: Course, lab: Lab, store: Store) -> Marker:
    """Return the lab's marker, opened once in this process and closed when it ends.

    nbgrader makes an exporter for every run of its converter, and formgrader runs it for every
    click; what is warm stays warm between them, until the lab changes.
    """
    from proctor.examine.marker import open_marker
    from proctor.examine.verdict_key import engine_key

    for (folder, name, engine), marker in _markers.items():
        if (folder, name) == (course.folder, lab.name):
            source = course.source_notebook(lab.name)
            if engine == engine_key(course, lab, source, marker.pool.isolation, marker.secret):
                return marker
    if not _markers:
        atexit.register(_open.close)
    marker = _open.enter_context(open_marker(course, lab, store.receipts))
    _markers[course.folder, lab.name, marker.engine] = marker
    return marker
