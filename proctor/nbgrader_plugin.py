"""Plugs the examiner into nbgrader: `nbgrader autograde` and formgrader's Autograde button.

nbgrader's converter reads, converts and writes each submission through an exporter. Ours takes its
place for the labs of this course: the submitted file is marked as `proctor grade` marks it, the
scores go to the gradebook, and what nbgrader writes to ``autograded/`` is the notebook that ran.
Assignments without checks of ours are left to nbgrader.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import AssignLatePenalties

from proctor.course import Course


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
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        if not self.parent._sanitizing:
            self._preprocessors = []
            self.register_preprocessor(AssignLatePenalties)
            return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]
        return self._mark(course, name, Path(filename), dict(resources or {}))

    def _mark(
        self, course: Course, name: str, path: Path, resources: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        # Imported here, since every nbgrader command loads this module with its configuration.
        from proctor import gradebook
        from proctor.build import dumps
        from proctor.isolation import choose_launcher
        from proctor.mark import handed_file, mark

        coursedir = self.parent.coursedir
        lab, source = course.lab(name), course.source_notebook(name)
        handed = handed_file(path, resources["nbgrader"]["student"])
        with choose_launcher(lab, course) as launcher:
            examined = mark(handed, course, lab, source, launcher)
        for check, error in sorted(examined.broken.items()):
            self.log.error("The check '%s' is broken: %s", check, error)
        verdict = examined.verdict
        gradebook.record_assignment(coursedir.db_url, coursedir.course_id, name, source)
        gradebook.record(coursedir.db_url, coursedir.course_id, verdict)
        verdicts = Path(coursedir.root) / "verdicts"
        verdicts.mkdir(exist_ok=True)
        (verdicts / f"{verdict.student}.json").write_text(verdict.to_json(), "utf-8")
        resources.setdefault("metadata", {})["name"] = name
        resources["output_extension"] = ".ipynb"
        return dumps(examined.notebook), resources
