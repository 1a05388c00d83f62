"""Plugs the examiner into nbgrader: `nbgrader autograde` and formgrader's Autograde button.

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
    from proctor.kernel import Launcher


def plug_in(config: Any) -> None:
    """Add the examiner to an nbgrader configuration."""
    config.Autograde.exporter_class = ProctorExporter


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
        from proctor import gradebook
        from proctor.build import dumps
        from proctor.mark import handed_file, mark
        from proctor.places import claim_verdict_folder
        from proctor.reference import run_reference
        from proctor.whole import write_whole

        coursedir = self.parent.coursedir
        lab, source = course.lab(name), course.source_notebook(name)
        handed = handed_file(path, resources["nbgrader"]["student"])
        launcher = _launcher(course, lab)
        verdicts = claim_verdict_folder(Path(coursedir.root), name)
        reference = run_reference(course, lab, source, launcher, verdicts / ".keys")
        examined = mark(handed, course, lab, source, launcher, reference)
        for check, error in sorted({**examined.broken, **reference.withdrawn}.items()):
            self.log.error("The check '%s' is broken: %s", check, error)
        verdict = examined.verdict
        gradebook.record_assignment(coursedir.db_url, coursedir.course_id, name, source)
        gradebook.record(coursedir.db_url, coursedir.course_id, verdict)
        write_whole(verdicts / f"{verdict.student}.json", verdict.to_json())
        resources.setdefault("metadata", {})["name"] = name
        resources["output_extension"] = ".ipynb"
        return dumps(examined.notebook), resources


_open = ExitStack()
_left: set[str] = set()
"""Assignments of which it was said that they are left to nbgrader."""
_launchers: dict[tuple[Path, str], Launcher] = {}


def _launcher(course: Course, lab: Lab) -> Launcher:
    """Return the lab's launcher, started once in this process and closed when it ends.

    nbgrader makes an exporter for every run of its converter, and formgrader runs it for every
    click; what is warm stays warm between them.
    """
    from proctor.isolation import choose_launcher

    key = (course.folder, lab.name)
    if key not in _launchers:
        if not _launchers:
            atexit.register(_open.close)
        _launchers[key] = _open.enter_context(choose_launcher(lab, course))
    return _launchers[key]
