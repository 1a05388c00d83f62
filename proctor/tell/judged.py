"""Where an ordinary assignment's test cells were judged: outside the student's process, or inside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proctor.verdict import Verdict

MOST_NAMES = 10


@dataclass(frozen=True)
class Judged:
    """How many test cells were judged where.

    Attributes
    ----------
    cells, outside : int
        All test cells, and those of them that were judged outside for everybody.
    points, outside_points : float
        What they are worth.
    inside : tuple of str
        Notebook and id of the others.
    """

    cells: int = 0
    outside: int = 0
    points: float = 0.0
    outside_points: float = 0.0
    inside: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the cells that were judged outside, from 0 to 1."""
        return self.outside / self.cells if self.cells else 1.0

    @property
    def names(self) -> str:
        """Those that were judged inside, the first few."""
        return ", ".join(self.inside[:MOST_NAMES]) + (" ..." * (len(self.inside) > MOST_NAMES))


def judged(verdicts: Iterable[Verdict]) -> Judged:
    """Count the test cells of an assignment of nbgrader's own; none of a lab's."""
    known: dict[tuple[str, str], float] = {}
    inside: set[tuple[str, str]] = set()
    for verdict in verdicts:
        for one in verdict.exercises:
            if one.notebook and one.checks and not one.cell:
                known[one.notebook, one.id] = one.max_score
                if any(check.judged == "inside" for check in one.checks):
                    inside.add((one.notebook, one.id))
    outside = [points for key, points in known.items() if key not in inside]
    names = tuple(f"{notebook} {id}" for notebook, id in sorted(inside))
    return Judged(len(known), len(outside), sum(known.values()), sum(outside), names)
