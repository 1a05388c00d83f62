"""What a reference run found out, as data: for each cell whose each name is, and how it is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

CellKind = Literal["given", "solution", "test"]
Judged = Literal["outside", "inside"]
Strength = Literal["values", "calls", "stand-ins", "source text", "call-backs", ""]


@dataclass(frozen=True)
class Cell:
    """A code cell of the instructor's notebook.

    Attributes
    ----------
    id : str
        Unique in its notebook.
    kind : {"given", "solution", "test"}
        The instructor's code; the student's, here with the instructor's solution; a test that earns
        points.
    source : str
        Its code.
    """

    id: str
    kind: CellKind
    source: str


@dataclass(frozen=True)
class Step:
    """How one cell is treated when a submission is marked.

    Attributes
    ----------
    id : str
        The cell's.
    kind : {"given", "solution", "test"}
    keep : tuple of int
        Statements, by number, that the judge runs by itself: they need nothing of the student's.
    theirs : tuple of str
        Names that are the student's once the cell has run.
    judged : {"outside", "inside"}
        Of a test: in the judge, or in the student's process, as nbgrader does.
    needed : tuple of str
        What judging the reference needed: stand-ins by class, operators, types.
    forward, define : tuple of str
        Names that are the student's in this cell alone, and classes of the test's that are made there.
    later : tuple of str
        Names that the test binds and a later cell reads.
    strength : str
        What the judgement rests on.
    mutants, noticed : int
        How many wrong answers were tried, and how many of them the cell refuses.
    reason : str
        Why it is judged inside, or does not pass; empty if there is no such reason.
    error : str
        What the cell raised on the instructor's own solution.
    seconds : float
        How long it took there.
    """

    id: str
    kind: CellKind
    keep: tuple[int, ...] = ()
    theirs: tuple[str, ...] = ()
    judged: Judged = "inside"
    needed: tuple[str, ...] = ()
    forward: tuple[str, ...] = ()
    define: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    strength: Strength = ""
    mutants: int = 0
    noticed: int = 0
    reason: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How a notebook's submissions are judged.

    Attributes
    ----------
    steps : tuple of Step
        One for each code cell, in order.
    reads : tuple of str
        Names that the instructor's solutions read.
    shares_random : bool
        Whether the two shared random streams travel.
    errors : dict of str to str
        Cells other than tests that stopped on the instructor's own solution, and how.
    shared : tuple of str
        Names that the solutions' functions declare global.
    """

    steps: tuple[Step, ...] = ()
    reads: tuple[str, ...] = ()
    shares_random: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()

    @property
    def tests(self) -> tuple[Step, ...]:
        """The test cells' steps."""
        return tuple(step for step in self.steps if step.kind == "test")

    def to_json(self) -> str:
        """Serialise, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is none.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Plan:
        """Read the plain form."""
        steps = tuple(_step(step) for step in data["steps"])
        return cls(
            steps,
            tuple(data["reads"]),
            data["shares_random"],
            data["errors"],
            tuple(data["shared"]),
        )


def _step(data: dict[str, Any]) -> Step:
    fields: Any = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
    return Step(**fields)
