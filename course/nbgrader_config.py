"""nbgrader's configuration for this course: `nbgrader ...` run in this folder reads it."""

from pathlib import Path

from proctor.nbgrader_plugin import plug_in

c = get_config()  # type: ignore[name-defined]  # noqa: F821  given by traitlets

c.CourseDirectory.course_id = "digits"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)

# What stands in a graded cell in place of its solution; NotStarted comes from public_tests.py.
c.ClearSolutions.code_stub = {"python": "raise NotStarted"}

# Given cells stay open to experiment: marking takes them from the source whatever became of them.
c.LockCells.lock_readonly_cells = False

# Autograding asks the examiner; see docs/marking.md.
plug_in(c)
