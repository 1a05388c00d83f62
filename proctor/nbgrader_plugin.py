"""Plugs the examiner into nbgrader: `nbgrader autograde`, `generate_feedback`, formgrader's buttons.

nbgrader's converter reads, converts and writes each submission through an exporter. Ours takes its
place for the labs of this course: the submitted file is marked as `proctor grade` marks it, the
scores go to the gradebook, and what nbgrader writes to ``autograded/`` is the notebook that ran.
Assignments without checks of ours are left to nbgrader, and that is said.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import AssignLatePenalties

from proctor.course import Course

if TYPE_CHECKING:
    from proctor.checks import Lab
    from proctor.examine.marker import Marker
    from proctor.record.store import Store


def plug_in(config: Any) -> None:
    """Add the examiner to an nbgrader configuration."""
    config.Autograde.exporter_class = ProctorExporter
    config.GenerateFeedback.exporter_class = "proctor.tell.feedback.FeedbackExporter"


class ProctorExporter(NotebookExporter):  # type: ignore[misc]
    """Marks a submission where nbgrader would execute it.

    nbgrader calls it twice a notebook: with the submitted file (its sanitising pass), and with what
    the first call wrote (its grading pass), where only late penalties are left to apply.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Mark `filename` if it belongs to a lab of ours; else do what nbgrader does."""
        nbgrader = (resources or {}).get("nbgrader", {})
        name = nbgrader.get("assignment", "")
        course = Course.find(Path(self.parent.coursedir.root))
        if name not in course.labs():
            self._warn(name)
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        if not self.parent._sanitizing:
            self._preprocessors: list[Any] = []
            self.register_preprocessor(AssignLatePenalties)
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        return self._mark(course, name, Path(filename), dict(resources or {}))

    def _warn(self, name: str) -> None:
        """Say once an assignment that it is run as nbgrader runs it."""
        if name not in _left and self.parent._sanitizing:
            _left.add(name)
            self.log.warning(
                "The assignment '%s' has no checks in course/checks/%s.py: nbgrader itself runs it, and "
                "students' code is not isolated.",
                name,
                name,
            )

    def _mark(
        self, course: Course, name: str, path: Path, resources: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        # Imported here, since every nbgrader command loads this module with its configuration.
        from proctor.examine.marker import handed_file
        from proctor.record.keeper import Keeper
        from proctor.record.store import Store

        coursedir = self.parent.coursedir
        store = Store(Path(coursedir.root), name)
        marker = _marker(course, course.lab(name), store)
        reading = marker.read(handed_file(path, resources["nbgrader"]["student"]))
        marked = marker.finish(reading)
        for check, error in sorted({**marked.broken, **marker.reference.withdrawn}.items()):
            self.log.error("The check '%s' is broken: %s", check, error)
        keeper = Keeper(course, store, marker.source, coursedir.db_url)
        keeper.open_gradebook()
        with store.writing(), keeper:
            keeper.keep(reading.handed, marked, reading.key, _origin(coursedir))
        resources.setdefault("metadata", {})["name"] = name
        resources["output_extension"] = ".ipynb"
        return marked.notebook, resources


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
    from proctor.examine.reference import engine_key

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
