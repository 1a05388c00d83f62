"""Assembly: the instructor's notebook with the student's code in it, as a list of steps to run.

Graded cells are the student's; the student's own extra code cells come along in their order; all
the rest, tests above all, comes from the instructor's source. So what the student did to tags,
locked cells and tests has nothing to act on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from proctor.examine.match import Match, match
from proctor.examine.source_cells import Known, known_cells
from proctor.submission import StudentCell, Submission
from proctor.verdict import Problem

StepKind = Literal["given", "graded", "extra", "test"]


@dataclass(frozen=True)
class Step:
    """One thing to do, in order.

    Attributes
    ----------
    kind : {"given", "graded", "extra", "test"}
        The instructor's code; the student's graded code; the student's own code; a place where the
        checks of an exercise are due.
    id : str
        Grade id (``softmax``, ``load_data``); of a test, the id of its exercise (``softmax``, not
        ``test_softmax``); ``extra_1``... for the student's own cells.
    source : str
        The code to run.
    cell_index : int
        Position in the instructor's notebook; for a cell of the student's own, of the cell that it
        follows, -1 if none.
    position : int
        Position in the student's notebook; -1 for cells that are not the student's.
    """

    kind: StepKind
    id: str
    source: str
    cell_index: int
    position: int = -1


@dataclass(frozen=True)
class Assembled:
    """What is to be run, in order, and what was odd about putting it together.

    Attributes
    ----------
    steps : tuple of Step
    problems : tuple of Problem
        Those found here; a submission's own are not repeated.
    answers : dict
        From exercise to the student's code, or to None if its graded cell is not there.
    """

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    answers: dict[str, str | None]

    def written(self) -> tuple[str, ...]:
        """Return the student's own code, cell by cell."""
        return tuple(step.source for step in self.steps if step.kind in ("graded", "extra"))


def assemble(source_nb: Any, submission: Submission, *, ordinary: bool = False) -> Assembled:
    """Put a student's code into the instructor's notebook.

    Parameters
    ----------
    source_nb : nbformat.NotebookNode
        The source notebook, in format 4.5, every code cell with nbgrader's metadata.
    submission : Submission
    ordinary : bool
        Whether the notebook is nbgrader's own: a given cell that is not locked then runs as the student
        left it, and a test's id is its own.
    """
    known = known_cells(source_nb, ordinary=ordinary)
    found = match(known, submission.cells)
    kept = _not_moved(sorted(found.places.items()))
    steps = [
        *_source_steps(known, found, submission.cells, ordinary),
        *_extra_steps(found, kept, submission.cells),
    ]
    answers = {
        cell.id: found.graded[cell.id].source if cell.id in found.graded else None
        for cell in known
        if cell.role in ("graded", "written")
    }
    ordered = sorted(steps, key=lambda item: item[0])
    problems = (*found.problems, *_moved(found, kept))
    return Assembled(tuple(step for _, step in ordered), problems, answers)


def _source_steps(
    known: list[Known], found: Match, cells: tuple[StudentCell, ...], ordinary: bool
) -> Iterator[tuple[tuple[int, int], Step]]:
    """Make the steps that have a place in the instructor's notebook."""
    run: set[int] = set()
    copies = {index: cells[position] for position, index in found.places.items()}
    for cell in known:
        place = (cell.index, -1)
        if cell.role in ("given", "test"):
            kind: StepKind = "given" if cell.role == "given" else "test"
            id = cell.id.removeprefix("test_") if kind == "test" and not ordinary else cell.id
            source, copy = cell.source, copies.get(cell.index)
            if not cell.locked and copy is not None and copy.source.strip():
                source = runnable(copy)
            yield place, Step(kind, id, source, cell.index)
        elif cell.role == "graded" and cell.id in found.graded:
            copy = found.graded[cell.id]
            if copy.position in run:  # two exercises in one cell: it runs once, with the first
                continue
            run.add(copy.position)
            yield place, Step("graded", cell.id, runnable(copy), cell.index, copy.position)


def _extra_steps(
    found: Match, kept: dict[int, int], cells: tuple[StudentCell, ...]
) -> Iterator[tuple[tuple[int, int], Step]]:
    """Place the student's own cells after the last known cell before them that was not moved."""
    last, number = -1, 0
    for cell in cells:
        last = kept.get(cell.position, last)
        if cell.position in found.extra:
            number += 1
            step = Step("extra", f"extra_{number}", runnable(cell), last, cell.position)
            yield (last, cell.position), step


def _not_moved(pairs: list[tuple[int, int]]) -> dict[int, int]:
    """Keep the longest sequence of cells that are in the same order in both notebooks.

    Parameters
    ----------
    pairs : list of (int, int)
        Position in the student's notebook, ascending, and in the instructor's.
    """
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            ends.append(number)
        else:
            tails[length] = place
            ends[length] = number
    kept: dict[int, int] = {}
    number = ends[-1] if ends else -1
    while number >= 0:
        position, place = pairs[number]
        kept[position] = place
        number = before[number]
    return kept


def _moved(found: Match, kept: dict[int, int]) -> Iterator[Problem]:
    """Say so where the student's own cells may have depended on another order."""
    for exercise, cell in found.graded.items():
        if found.extra and cell.position not in kept:
            yield Problem(
                "moved-cell",
                f"The cell of exercise '{exercise}' was moved; marking runs it in the lab's order, "
                "with your own cells where the cells around them are.",
                exercise,
                attention=True,
            )


def runnable(cell: StudentCell) -> str:
    """Return what to run for a cell: its code, or code that fails with the reason it cannot run."""
    return f"raise SyntaxError({cell.broken!r})" if cell.broken else cell.source
