"""A sample class: a dozen notebooks as students hand them in, made from the lab itself.

Used by ``make demo`` and the tests. The right answers are the master's, the others come from the
table of wrong and right answers in ``course/mutants/``.
"""

from __future__ import annotations

import copy
import importlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from proctor.course import Course

LOOP = "while True:\n    pass\n"


def write_class(course: Course, lab: str, folder: Path) -> list[str]:
    """Write the class as nbgrader's tree, ``folder/STUDENT/LAB/LAB.ipynb``, and return the ids.

    Parameters
    ----------
    course : Course
        A course in which the lab is built.
    lab : str
        The lab's name.
    folder : Path
        Where to; an older class there is replaced.
    """
    if folder.exists():
        shutil.rmtree(folder)
    makers = SampleClass(course, lab).makers()
    for student, make in makers.items():
        target = folder / student / lab
        target.mkdir(parents=True)
        name, data = make()
        (target / name).write_bytes(data)
    return list(makers)


class SampleClass:
    """Makes each student's notebook.

    Attributes
    ----------
    right : dict of str to str
        The solution of each graded cell.
    """

    def __init__(self, course: Course, lab: str) -> None:
        self.lab = lab
        self.released: NotebookNode = nbformat.read(course.root / f"{lab}.ipynb", as_version=4)
        source = course.source_notebook(lab)
        self.right = {
            cell.id: cell.source
            for cell in source.cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }
        table = importlib.import_module(f"course.mutants.{lab}")
        self.mutants = {mutant.id: mutant for mutant in table.MUTANTS}
        self.variants = list(table.VARIANTS)
        checks = [check.id for e in course.lab(lab).exercises for check in e.checks]
        self.order = {check: place for place, check in enumerate(checks)}

    def makers(self) -> dict[str, Callable[[], tuple[str, bytes]]]:
        """Return what makes each student's file, by id: a file name and bytes."""
        exercises = list(self.right)
        return {
            "s01-ada": lambda: self.file(self.notebook(self.right)),
            # Early, so that the others are marked while it goes on.
            "s02-jana": lambda: self.file(self.notebook(self.endless(exercises[2]))),
            "s03-chloe": lambda: self.file(self.notebook(self.wrong(self.typical()[0::3]))),
            "s04-david": lambda: self.file(self.notebook(self.wrong(self.typical()[1::3]))),
            "s05-emil": lambda: self.file(self.notebook(self.wrong(self.typical()[2::3]))),
            "s06-fay": lambda: self.file(self.notebook(self.wrong(self.typical()))),
            "s07-gus": lambda: self.file(self.notebook(self.first(len(exercises) // 2))),
            "s08-hana": lambda: self.file(self.notebook({})),
            "s09-ivan": lambda: self.file(self.stripped(self.notebook(self.right))),
            "s10-ben": lambda: self.file(self.notebook(self.other_forms())),
            "s11-karl": lambda: self.truncated(),
            "s12-lena": lambda: self.file(self.notebook(self.right), f"{self.lab} (1).ipynb"),
        }

    def notebook(self, answers: Mapping[str, str]) -> NotebookNode:
        """Return the released notebook with these graded cells filled in."""
        notebook = copy.deepcopy(self.released)
        for cell in notebook.cells:
            if cell.id in answers:
                cell.source = answers[cell.id]
        return notebook

    def other_forms(self) -> dict[str, str]:
        """Return right answers, in another form wherever the table has one."""
        answers = dict(self.right)
        for variant in reversed(self.variants):
            answers[variant.exercise] = variant.code
        return answers

    def typical(self) -> list[str]:
        """Return one mutant's id an exercise: the one that gets furthest before a check stops it."""
        chosen: dict[str, tuple[int, str]] = {}
        for mutant in self.mutants.values():
            if mutant.also or "raise NotStarted" in mutant.code:
                continue
            got, _ = chosen.get(mutant.exercise, (-1, ""))
            if self.order[mutant.check] > got:
                chosen[mutant.exercise] = (self.order[mutant.check], mutant.id)
        return [name for _, name in chosen.values()]

    def wrong(self, ids: list[str]) -> dict[str, str]:
        """Return right answers but for these mutants."""
        chosen = [self.mutants[name] for name in ids]
        return self.right | {mutant.exercise: mutant.code for mutant in chosen}

    def first(self, count: int) -> dict[str, str]:
        """Return the first answers only: an unfinished notebook."""
        return dict(list(self.right.items())[:count])

    def endless(self, exercise: str) -> dict[str, str]:
        """Return right answers but for one cell that never ends."""
        return self.right | {exercise: f"{LOOP}\n{self.right[exercise]}"}

    def stripped(self, notebook: NotebookNode) -> NotebookNode:
        """Take away what an online editor takes away: all metadata and the cells' ids."""
        for number, cell in enumerate(notebook.cells):
            cell.metadata, cell.id = NotebookNode(), f"cell-{number}"
        notebook.metadata = NotebookNode()
        return notebook

    def file(self, notebook: NotebookNode, name: str | None = None) -> tuple[str, bytes]:
        """Return a file's name and bytes."""
        return name or f"{self.lab}.ipynb", nbformat.writes(notebook).encode()

    def truncated(self) -> tuple[str, bytes]:
        """Return a file whose upload broke off."""
        name, data = self.file(self.notebook(self.right))
        return name, data[: len(data) * 2 // 3]
