"""Which cell of the student's notebook is which cell of the instructor's.

A graded cell is known by its grade id, its cell id, its ``# UNQ_C1`` marker, its ``# GRADED
CELL:`` title or, at last, by what it defines, in this order; a given cell by its ids, by equal code,
or by code that is much alike where nothing else is left that it could be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proctor.examine.bindings import Defined, find_defined, telling
from proctor.examine.edited_copies import pair_alike
from proctor.examine.source_cells import Known, markers, plain_code, titles
from proctor.submission import StudentCell
from proctor.verdict import Problem


@dataclass
class Match:
    """What was found.

    Attributes
    ----------
    graded : dict
        From exercise to the student's cell that is marked.
    places : dict
        From position in the student's notebook to index in the instructor's, for known cells.
    extra : set of int
        Positions of the student's own code cells.
    problems : list of Problem
    """

    graded: dict[str, StudentCell] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    extra: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def match(known: list[Known], cells: tuple[StudentCell, ...]) -> Match:
    """Find the instructor's cells among the student's."""
    student = _Student(cells)
    found = Match()
    claimed: set[int] = set()
    for cell in known:
        if cell.role == "written":
            answers = _by_id(cell, student.cells)
            claimed.update(copy.position for copy in answers)
            if answers:
                found.graded[cell.id] = answers[-1]
                found.places.setdefault(answers[-1].position, cell.index)
        elif cell.role == "graded":
            copies = _copies(cell, known, student, found)
            claimed.update(copy.position for copy in copies)
            if copies:
                _choose(cell, copies, student, found)
    claimed |= _match_defined(known, student, claimed, found)
    _note_whole(known, cells, found)
    _match_given(known, student, claimed, found)
    found.extra = {
        cell.position
        for cell in cells
        if cell.kind == "code"
        and cell.position not in claimed
        and (cell.source.strip() or cell.broken)
    }
    return found


class _Student:
    """The student's cells, with what is asked of each more than once, by position."""

    def __init__(self, cells: tuple[StudentCell, ...]) -> None:
        self.cells = cells
        self.markers = {cell.position: markers(cell.source) for cell in cells}
        self.titles = {cell.position: titles(cell.source) for cell in cells}
        self.plain = {cell.position: plain_code(cell.source) for cell in cells}


def _by_id(cell: Known, cells: Sequence[StudentCell]) -> list[StudentCell]:
    """List the cells with a cell's grade id or, if there is none, with its cell id and no other."""
    found = [copy for copy in cells if copy.grade_id == cell.id != ""]
    return found or [
        copy for copy in cells if not copy.grade_id and copy.cell_id == cell.cell_id != ""
    ]


def _copies(cell: Known, known: list[Known], student: _Student, found: Match) -> list[StudentCell]:
    """List the student's copies of a graded cell, in the notebook's order."""
    exercises = {other.id for other in known if other.role == "graded"}
    by_id = _by_id(cell, student.cells)
    marked = [
        copy
        for copy in student.cells
        if cell.marker and cell.marker in student.markers[copy.position]
    ]
    if any(copy in marked for copy in by_id):
        # An id that was copied along with a cell says less than the marker of another exercise.
        others = {other.marker for other in known if other.marker}
        by_id = [
            copy for copy in by_id if copy in marked or not others & student.markers[copy.position]
        ]
    code = [copy for copy in marked if copy.kind == "code" and copy not in by_id]
    own = [copy for copy in code if copy.grade_id not in exercises]
    copies = by_id + own or code or marked
    if not copies and cell.title:
        copies = [copy for copy in student.cells if cell.title in student.titles[copy.position]]
        if copies:
            message = f"The cell of exercise '{cell.id}' was recognised by its title line alone."
            found.problems.append(Problem("marker-missing", message, cell.id, attention=True))
    code = [copy for copy in copies if copy.kind == "code"]
    return sorted(code or copies, key=lambda copy: copy.position)


def _choose(cell: Known, copies: list[StudentCell], student: _Student, found: Match) -> None:
    """Take the last copy, and say what is odd about it."""
    chosen = copies[-1]

    def note(code: str, message: str, *, attention: bool = False) -> None:
        found.problems.append(Problem(code, message, cell.id, attention=attention))

    if len({student.plain[copy.position] for copy in copies}) > 1:
        note(
            "duplicate-cell",
            f"The cell of exercise '{cell.id}' is there {len(copies)} times with different code; "
            "the last copy was marked.",
            attention=True,
        )
    elif len(copies) > 1:
        note("duplicate-cell", f"The cell of exercise '{cell.id}' is there {len(copies)} times.")
    if chosen.grade_id != cell.id:
        note(
            "metadata-stripped",
            f"The cell of exercise '{cell.id}' has lost its nbgrader metadata; it was recognised "
            "all the same.",
        )
    if chosen.kind != "code":
        note(
            "not-code",
            f"The cell of exercise '{cell.id}' is a {chosen.kind} cell; it was marked as code.",
        )
    if chosen.broken:
        note("unreadable-characters", chosen.broken)
    for exercise, other in found.graded.items():
        if other.position == chosen.position:
            note(
                "merged-cells",
                f"The exercises '{exercise}' and '{cell.id}' are in one cell, which was run once.",
                attention=True,
            )
    found.graded[cell.id] = chosen
    found.places.setdefault(chosen.position, cell.index)


def _match_defined(
    known: list[Known], student: _Student, claimed: set[int], found: Match
) -> set[int]:
    """Find the graded cells that are still missing by what they define; return the cells taken."""
    graded = [cell for cell in known if cell.role == "graded"]
    if all(cell.id in found.graded for cell in graded):
        return set()
    given = {plain_code(cell.source) for cell in known if cell.role != "graded"}
    ids = {id for cell in known for id in (cell.id, cell.cell_id)} - {""}
    free = {
        copy.position: copy.source
        for copy in student.cells
        if copy.kind == "code"
        and copy.position not in claimed
        and not {copy.grade_id, copy.cell_id} & ids
        and student.plain[copy.position] not in given
    }
    wanted = {
        cell.id: telling(cell.source, [other.source for other in known if other is not cell])
        for cell in graded
    }
    places = {exercise: copy.position for exercise, copy in found.graded.items()}
    cells = {copy.position: copy for copy in student.cells}
    taken = set()
    alone = bool(places)  # one bare cell among others is odd; a whole bare notebook is an editor's
    for exercise, one in find_defined(wanted, places, free).items():
        found.problems += _defined_problems(exercise, one, found, alone=alone)
        found.graded[exercise] = cells[one.position]
        index = next(cell.index for cell in graded if cell.id == exercise)
        found.places.setdefault(one.position, index)
        taken.add(one.position)
    return taken


def _defined_problems(exercise: str, one: Defined, found: Match, *, alone: bool) -> list[Problem]:
    """Say that a cell was known by what it defines alone, and what is doubtful about it."""
    message = (
        f"The cell of exercise '{exercise}' has lost its ids and its marker; it was recognised by "
        f"what it defines ({', '.join(one.names)})"
    )
    if one.rivals > 1:
        message += f"; {one.rivals} cells define that, and the last that fits the order was marked"
    if not one.in_order:
        message += "; it does not stand where the lab has it"
    doubtful = alone or one.rivals > 1 or not one.in_order
    problems = [Problem("known-by-definition", f"{message}.", exercise, attention=doubtful)]
    for other, copy in found.graded.items():
        if copy.position == one.position:
            text = f"The exercises '{other}' and '{exercise}' are in one cell, which was run once."
            problems.append(Problem("merged-cells", text, exercise, attention=True))
    return problems


def _note_whole(known: list[Known], cells: tuple[StudentCell, ...], found: Match) -> None:
    """Say what is missing, and what concerns the notebook as a whole."""
    answered = [cell.id for cell in known if cell.role in ("graded", "written")]
    missing = [id for id in answered if id not in found.graded]
    if not found.graded:
        message = (
            "None of the lab's graded cells is in this notebook. Hand in the notebook of this lab."
        )
        found.problems.append(Problem("wrong-notebook", message, attention=True))
        missing = []
    for id in missing:
        message = f"The cell of exercise '{id}' is not in the notebook, or cannot be recognised."
        found.problems.append(Problem("cell-missing", message, id, attention=True))
    ids = {cell.id for cell in known}
    if not any(cell.grade_id in ids for cell in cells):
        message = (
            "The notebook has lost all of nbgrader's metadata, as some online editors do; its "
            "cells were recognised by their markers, or by what they define."
        )
        found.problems = [p for p in found.problems if p.code != "metadata-stripped"]
        found.problems.insert(0, Problem("metadata-stripped", message))


def _match_given(known: list[Known], student: _Student, claimed: set[int], found: Match) -> None:
    """Find the cells that marking takes from the source whatever the student's copy says."""
    cells, plain = student.cells, student.plain
    left: list[Known] = []
    changed: list[str] = []
    for cell in known:
        if cell.role in ("graded", "written"):
            continue
        code = plain_code(cell.source)
        free = [copy for copy in cells if copy.position not in claimed]
        by_id = _by_id(cell, free)
        kind = "markdown" if cell.role == "text" else "code"
        equal = [copy for copy in free if copy.kind == kind and plain[copy.position] == code != ""]
        # A test or a figure is never the student's; another copy of given code is one of theirs.
        copies = by_id + equal if cell.role in ("test", "figure") else by_id or equal[:1]
        claimed.update(copy.position for copy in copies)
        if copies:
            found.places[copies[0].position] = cell.index
        elif cell.role != "text":
            left.append(cell)
        if by_id and cell.role == "given" and cell.locked:
            changed += [cell.id] if plain[by_id[-1].position] != code else []
    free = [copy for copy in cells if copy.position not in claimed and copy.kind == "code"]
    pairs = pair_alike(
        {cell.index: cell.source for cell in left}, {copy.position: copy.source for copy in free}
    )
    for cell in [cell for cell in left if cell.index in pairs]:
        claimed.add(pairs[cell.index])
        found.places[pairs[cell.index]] = cell.index
        left.remove(cell)
        changed += [cell.id] if cell.role == "given" and cell.locked else []
    changed += [cell.id for cell in left if cell.role == "given" and cell.locked]
    if changed and found.graded:
        message = (
            f"Cells that the lab gives were changed or deleted ({', '.join(sorted(changed)[:5])}); "
            "marking used the lab's own."
        )
        found.problems.append(Problem("given-changed", message))
