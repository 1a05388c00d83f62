"""Judge a submission by a plan: one judge, the student's process, one cell after the other."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from proctor.lift import name_owners
from proctor.lift.plan import Cell, Plan
from proctor.lift.process_handle import SPARE_SECONDS, Bench, CourtError, Worker
from proctor.lift.time_limit import PATIENCE

ABANDON_SECONDS = 5.0
Ended = Literal["passed", "failed", "refused", "time", "lost"]


class Student(Protocol):
    """The student's process, as a judge needs it."""

    def connect(self) -> socket.socket:
        """Make a line to it, before any of the student's code has run."""

    def serve(self) -> None:
        """Have it answer on that line until the judge is done, within the student's limits."""

    def run_cell(self, source: str, name: str) -> dict[str, Any]:
        """Run a test cell there; see :meth:`proctor.lift.student_end.Hand.run_cell`."""


@dataclass(frozen=True)
class Outcome:
    """How a test cell ended.

    Attributes
    ----------
    ended : {"passed", "failed", "refused", "time", "lost"}
        It ran to its end; it raised; it cannot be judged on this submission; it took too long; a
        process was lost.
    type, message : str
        What it raised, or why it cannot be judged.
    line : int
        Line of the cell, from 1; 0 if that is not known.
    theirs : bool
        Whether the student's own code raised it, on the line of theirs that `students` quotes.
    shown : str or None
        The value of the last expression, as a notebook shows it.
    printed : str
    asserted : tuple of mapping
        How each assertion ended, of a cell that was asked one by one; see :mod:`proctor.lift.by_assertion`.
    """

    ended: Ended
    type: str = ""
    message: str = ""
    line: int = 0
    theirs: bool = False
    students: str = ""
    shown: str | None = None
    printed: str = ""
    asserted: tuple[Mapping[str, Any], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it ran to its end."""
        return self.ended == "passed"


class Judge:
    """A judge of one submission. Use as a context manager; leaving it ends the process.

    Parameters
    ----------
    plan : Plan
    bench : Bench
        Where judges come from.
    student : Student
        Whom it asks.
    reads, rebinds : iterable of str
        Names that this student's code reads, and those that its functions declare global.
    cell_seconds : float
        How long a cell may take.
    each : collection of str
        Test cells of which every assertion is asked.
    """

    def __init__(
        self,
        plan: Plan,
        bench: Bench,
        student: Student,
        *,
        reads: Iterable[str] = (),
        rebinds: Iterable[str] = (),
        cell_seconds: float = 60.0,
        each: Collection[str] = (),
    ) -> None:
        self.plan, self.cell_seconds, self.each = plan, cell_seconds, each
        self.steps = {step.id: (place, step) for place, step in enumerate(plan.steps)}
        self.lost = ""
        with student.connect() as talk:
            self.worker = Worker(bench, "judge", talk)
        try:
            self.worker.tell(
                "setup",
                learning=False,
                used=sorted({*plan.reads, *reads}),
                needed=[],
                shares_random=plan.shares_random,
                shared=sorted({*plan.shared, *rebinds}),
                remote_modules=[],
            )
        except BaseException:
            self.worker.close()
            raise

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *error: object) -> None:
        self.worker.close()

    def ran(self, cell: Cell, submitted: str = "") -> None:
        """Follow a given or a solution cell that the student's process has run; wait for nothing.

        Parameters
        ----------
        cell : Cell
            The instructor's.
        submitted : str
            What the student handed in for a solution cell: `inspect.getsource` shows it.
        """
        place, step = self.steps[cell.id]
        if self.lost:
            return
        try:
            if cell.kind == "solution":
                sources = name_owners.sources(submitted)
                self.worker.tell("theirs", names=list(step.theirs), sources=sources)
                return
            request = {"source": cell.source, "name": _file(place), "keep": list(step.keep)}
            wait = PATIENCE * self.cell_seconds + SPARE_SECONDS
            if cell.kind == "given":
                self.worker.tell("given", wait, changed=[], **request)
            else:
                self.worker.tell("inside", wait, **request)
            self.worker.tell("theirs", names=list(step.theirs), sources={})
        except CourtError as error:
            self.lost = str(error)

    def begin(self, cell: Cell) -> None:
        """Have it run a test cell; it waits for the student's process to answer."""
        place, step = self.steps[cell.id]
        self.worker.settle()
        self.worker.send(
            "judge",
            source=cell.source,
            name=_file(place),
            seconds=self.cell_seconds,
            learning=False,
            needed=list(step.needed),
            used=list(step.later),
            forward=list(step.forward),
            define=list(step.define),
            each=cell.id in self.each,
        )

    def abandon(self, cell: Cell) -> None:
        """Let it finish with a cell whose student's process was stopped; else end it."""
        if self.worker.ready(ABANDON_SECONDS):
            self.end(cell)
        else:
            self.worker.close()
            self.lost = "The test cell itself did not end."

    def end(self, cell: Cell) -> Outcome:
        """Return how the cell ended."""
        _, step = self.steps[cell.id]
        wait = PATIENCE * self.cell_seconds + SPARE_SECONDS
        outcome = _outcome(self.worker.answer(wait))
        if outcome.passed:
            self.worker.tell("theirs", names=list(step.theirs), sources={})
        return outcome


def lift(cell: Cell, student: Student, namespace: Judge) -> Outcome:
    """Judge a test cell by the plan: outside, or, where that says so, in the student's process.

    Whatever the student's process raises (its end, its limits) is raised here.
    """
    place, step = namespace.steps[cell.id]
    if step.judged == "inside":
        outcome = _outcome(student.run_cell(name_owners.plainly(cell.source), _file(place)))
        namespace.ran(cell)
        return outcome
    if namespace.lost:
        return Outcome("lost", message=namespace.lost)
    try:
        namespace.begin(cell)
        try:
            student.serve()
        except BaseException:
            namespace.abandon(cell)
            raise
        return namespace.end(cell)
    except CourtError as error:
        namespace.lost = str(error)
        return Outcome("lost", message=namespace.lost)


def _outcome(told: dict[str, Any]) -> Outcome:
    ended: Ended = "passed" if told.get("passed") is True else "failed"
    message = str(told.get("message", ""))
    if "lost" in told:
        ended, message = "lost", str(told["lost"])
    elif "refused" in told:
        ended, message = "refused", str(told["refused"])
    elif told.get("kind") == "time":
        ended = "time"
    shown = told.get("shown") or [None]
    return Outcome(
        ended,
        type=str(told.get("type", "")),
        message=message,
        line=int(told.get("line", 0)),
        theirs=told.get("theirs") is True,
        students=str(told.get("students", "")),
        shown=shown[0],
        printed=str(told.get("printed", "")),
        asserted=tuple(told.get("asserted", ())),
    )


def _file(place: int) -> str:
    return f"<cell {place}>"
