"""Whether the notebooks that students were given are those of the instructor's source as it is now."""

from __future__ import annotations

import copy

from nbformat import NotebookNode
from traitlets.config import Config

from proctor import nbgrader_steps
from proctor.cells import marking
from proctor.course import Course
from proctor.errors import CourseError
from proctor.ordinary import Assignment, Notebook


def stale_release(course: Course, assignment: Assignment) -> str:
    """Say in one sentence that the source was changed after its release; nothing if it was not.

    Parameters
    ----------
    course : Course
        Where nbgrader released it, ``release/NAME``; that need not be there.
    assignment : Assignment
        As its source is now.

    Returns
    -------
    str
        Names cells that differ in kind, points, or in what a test shows. What is hidden,
        solutions and given text may be mended without a new release.
    """
    config = course.nbgrader_config()
    for notebook in assignment.notebooks:
        path = course.folder / "release" / assignment.name / f"{notebook.name}.ipynb"
        if not path.is_file():
            continue
        try:
            node = nbgrader_steps.read(path)
        except CourseError:
            continue  # a release that cannot be read says nothing of the source
        now, then = _cells(_released(notebook, config)), _cells(node)
        if changed := [id for id in {**now, **then} if now.get(id) != then.get(id)]:
            few, more = changed[:3], len(changed) - 3
            named = ", ".join(f"'{id}'" for id in few) + (f" and {more} more" if more > 0 else "")
            which = f"cell {named} differs" if len(changed) == 1 else f"cells {named} differ"
            here = f"{assignment.name}/{notebook.name}.ipynb"
            return (
                f"The source of {here} was changed after its release: {which}, and "
                "students have the older one. Marked is the source as it is now; to hand it out: "
                f"nbgrader generate_assignment {assignment.name} --force, then release it again."
            )
    return ""


def _released(notebook: Notebook, config: Config) -> NotebookNode:
    from nbgrader.preprocessors import ClearHiddenTests

    node, _ = ClearHiddenTests(config=config).preprocess(copy.deepcopy(notebook.saved), {})
    return node


def _cells(node: NotebookNode) -> dict[str, tuple[str, float, str]]:
    """What earns points in a notebook: grade id -> kind, points, and the text of a test."""
    known = [(marking(cell.metadata), cell.source) for cell in node.cells]
    return {
        one.id: (one.kind, one.points, text.strip() if one.kind == "test" else "")
        for one, text in known
        if one.kind in ("test", "manual", "task")
    }
