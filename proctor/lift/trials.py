"""Trials of test cells in forks of the three processes that play an instructor's notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from proctor.lift import name_owners
from proctor.lift.plan import Cell, Step
from proctor.lift.process_handle import Worker, talking
from proctor.lift.time_limit import PATIENCE


@dataclass
class Trial:
    """How a test cell ended in the judge, and what the judge did for it."""

    outcome: dict[str, Any]
    forward: list[str] = field(default_factory=list)
    define: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.outcome.get("passed") is True


class Trials:
    """What is known of a notebook's cells, and the processes in which they are tried.

    Attributes
    ----------
    trees : list of ast.Module or None
        Each cell's code; None where it is no Python.
    reads, shared : set of str
        Names that the student's cells read, and those that their functions rebind.
    theirs, structures : list of str
        Names that are the student's now, and classes of given cells.
    steps : list of Step
        What was found so far.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        unlifted: Worker,
        student: Worker,
        judge: Worker,
        cell_seconds: float,
        mutants: bool,
    ) -> None:
        self.cells, self.cell_seconds, self.mutants = cells, cell_seconds, mutants
        self.unlifted, self.student, self.judge = unlifted, student, judge
        self.wait = PATIENCE * cell_seconds + 60.0
        self.trees = [name_owners.parse(cell.source) for cell in cells]
        self.reads: set[str] = set()
        for cell, tree in zip(cells, self.trees, strict=True):
            if cell.kind == "solution" and tree is not None:
                self.reads |= name_owners.reads(tree)
        self.shared: set[str] = set()
        for cell, tree in zip(cells, self.trees, strict=True):
            if cell.kind == "solution" and tree is not None:
                self.shared |= name_owners.rebinds(tree)
        self.runners: set[str] = set()  # what the instructor defined that runs text
        for cell, tree in zip(cells, self.trees, strict=True):
            for node in tree.body if tree is not None and cell.kind != "solution" else ():
                self.runners |= name_owners.running(node, self.runners)
        self.shares_random = any(name_owners.draws(c.source) for c in cells if c.kind != "solution")
        self.steps: list[Step] = []
        self.errors: dict[str, str] = {}
        self.structures: list[str] = []
        self.theirs: list[str] = []
        self.judge.ask(
            "setup",
            learning=True,
            needed=[],
            remote_modules=[],
            used=sorted(self.reads),
            shares_random=self.shares_random,
            shared=sorted(self.shared),
        )

    def ways(self, place: int, cell: Cell) -> Iterator[Trial]:
        """Lift a cell as it is; then with the classes of the course and Matplotlib over there."""
        yield Trial(self.trial(place, cell))
        tree = self.trees[place]
        forward = [name for name in self.structures if name not in self.theirs]
        define = []
        if tree is not None:
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    define.append(ast.unparse(node))
                    forward.append(node.name)
        forward += [n for n in ("plt", "pyplot") if n not in self.theirs]
        if forward or define:
            yield Trial(self.trial(place, cell, forward=forward, define=define), forward, define)

    def trial(
        self,
        place: int,
        cell: Cell,
        *,
        mutant: Sequence[str] | None = None,
        needed: Sequence[str] | None = None,
        forward: Sequence[str] = (),
        define: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Judge the cell in forks of both processes."""
        limit = self.cell_seconds
        with talking() as (one, other):
            self.student.send("serve", one, fork=True, seconds=limit, mutant=mutant)
            self.judge.send(
                "judge",
                other,
                **self.request(place, cell, needed, forward, define),
                trial=True,
            )
        outcome = self.judge.answer(self.wait)
        self.student.answer(self.wait)
        return outcome

    def request(
        self,
        place: int,
        cell: Cell,
        needed: Sequence[str] | None,
        forward: Sequence[str],
        define: Sequence[str],
    ) -> dict[str, Any]:
        return {
            "source": cell.source,
            "name": cell_file(place),
            "seconds": self.cell_seconds,
            "learning": needed is None,
            "needed": list(needed or ()),
            "used": self.later(place),
            "forward": list(forward),
            "define": list(define),
        }

    def later(self, place: int) -> list[str]:
        """Names that a test cell binds and a later cell of another kind reads."""
        tree = self.trees[place]
        if tree is None:
            return []
        read: set[str] = set()
        for cell, other in zip(self.cells[place + 1 :], self.trees[place + 1 :], strict=True):
            if other is not None and cell.kind != "test":
                read |= name_owners.reads(other)
        return sorted(name_owners.binds_of(tree) & read)


def cell_file(place: int) -> str:
    return f"<cell {place}>"
