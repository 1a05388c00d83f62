"""From a lab's master to nbgrader's source notebook, and on to what the student opens.

:func:`build` writes ``course/source/LAB/LAB.ipynb``, runs nbgrader's own generate step, and copies
the notebook that it gives to the top level.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.apps import NbGrader
from nbgrader.converters import GenerateAssignment

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import MasterError
from proctor.intake.master import KERNELSPEC, LANGUAGE, source_notebooks
from proctor.notebooks import dumps
from proctor.record import gradebook

KIT = "proctor_kit.py"
"""Name of the module of ours that a lab may release: `NotStarted`, `Finding` and the public runner."""


def build(course: Course, lab: Lab, log: Callable[[str], None] = lambda _: None) -> Path:
    """Build one lab and return the path of the student's notebook, the first if there are several.

    Raises
    ------
    MasterError
        If the master cannot be built; the message names the file and the line.
    """
    made = source_notebooks(course.own_masters(lab.name), lab)
    folder = course.source(lab.name).parent
    for name, notebook in made.items():
        write_whole(folder / f"{name}.ipynb", dumps(notebook))
        log(f"source   {course.relative(folder / f'{name}.ipynb')}")
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem not in made:  # of a master that is gone, and nbgrader would release it
            path.unlink()
    if KIT in lab.release:
        write_kit(course.root)
    released = generate(course, lab.name)
    tops = []
    for name in made:
        path = released / f"{name}.ipynb"
        log(f"release  {course.relative(path)}")
        tops.append(course.root / path.name)
        write_whole(tops[-1], dumps(student_notebook(path)))
        log(f"lab      {course.relative(tops[-1])}")
    _lay_beside(course, lab, released, list(made))
    return tops[0]


def write_kit(root: Path) -> None:
    """Write what a lab's public checks share, :mod:`proctor.author.kit`, where students receive it."""
    write_whole(root / KIT, Path(__file__).with_name("kit.py").read_text("utf-8"))


def _lay_beside(course: Course, lab: Lab, folder: Path, names: list[str]) -> None:
    """Put what the notebook needs beside the released one: nbgrader's exchange hands out this folder."""
    for pattern in lab.release:
        for path in course.root.glob(pattern):
            target = folder / released_name(course, path)
            if path.is_file() and path.name not in {f"{name}.ipynb" for name in names}:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def released_name(course: Course, path: Path) -> str:
    """Return what a file is called where students receive it: their guide is the README there."""
    name = path.relative_to(course.root).as_posix()
    return "README.md" if name == "docs/student.md" else name


def generate(course: Course, name: str) -> Path:
    """Run nbgrader's generate step in process and return the folder of the released notebooks.

    Raises
    ------
    MasterError
        If nbgrader refuses the source notebook; its own words are in the message.
    """
    folder = course.folder / "release" / name
    if folder.exists():
        shutil.rmtree(folder)
    records = _Records()
    app = NbGrader()
    app.log_level = logging.WARNING
    app.config.merge(course.nbgrader_config())
    converter = GenerateAssignment(coursedir=course.coursedir(name), parent=None, config=app.config)
    converter.force = True
    converter.log = records.logger
    gradebook.open_gradebook(converter.coursedir.db_url, converter.coursedir.course_id).close()
    try:
        converter.start()
    except Exception as error:
        raise MasterError(f"nbgrader refuses {name}: {error} {records.text()}".strip()) from error
    return folder


class _Records(logging.Handler):
    """Keeps nbgrader's own words for our message."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self.logger = logging.Logger("nbgrader")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def text(self) -> str:
        return " ".join(self.lines)


def student_notebook(released: Path) -> NotebookNode:
    """Read nbgrader's released notebook; nothing of this machine or day is left in it."""
    notebook = nbformat.read(released, as_version=4)
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info=LANGUAGE)
    return notebook
