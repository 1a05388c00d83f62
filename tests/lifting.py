"""Run a notebook of a few cells through the lift, and the same without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proctor.lift import Bench, Cell, Plan, Step, adopt
from proctor.lift.court import Worker, local_bench, talking

__all__ = ["Playing", "a_bench", "cells", "planned", "playing", "step_of"]


def cells(*pairs: tuple[str, str]) -> list[Cell]:
    """Make cells from pairs of kind and source; their ids are c0, c1..."""
    return [Cell(f"c{n}", kind, source) for n, (kind, source) in enumerate(pairs)]  # type: ignore[arg-type]


@contextmanager
def a_bench(folder: Path) -> Iterator[Bench]:
    """Start a bench in an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with local_bench(folder) as bench:
        yield bench


def planned(bench: Bench, notebook: Sequence[Cell], *, mutants: bool = True) -> Plan:
    """Make the plan of a notebook."""
    return adopt(notebook, bench, cell_seconds=20.0, mutants=mutants)


def step_of(plan: Plan, id: str) -> Step:
    """Find a cell's step."""
    return next(step for step in plan.steps if step.id == id)


class Playing:
    """A submission in a player, with a judge beside it: what a kernel does when marking."""

    def __init__(self, bench: Bench, student: Worker) -> None:
        self.bench, self.student = bench, student
        self._serving = False

    def connect(self) -> Any:
        """Make the line to the judge; the player gets its end when it is to serve."""
        import socket

        self._line, other = socket.socketpair()
        return other

    def run(self, source: str) -> dict[str, Any]:
        """Run a cell of the student's."""
        return self.student.ask("run", source=source, seconds=20.0, watch=False)

    def serve(self) -> None:
        """Answer the judge until it is done."""
        line = self._line.dup()
        self.student.send("serve", line, fork=False, seconds=20.0, mutant=None)
        line.close()
        self.student.answer(40.0)

    def run_cell(self, source: str, name: str) -> dict[str, Any]:
        """Run a test cell there."""
        return self.run(source)


@contextmanager
def playing(bench: Bench) -> Iterator[Playing]:
    """Start a student's process."""
    with Worker(bench, "player") as student:
        yield Playing(bench, student)


_ = talking
