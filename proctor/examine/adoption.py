"""Look at an nbgrader assignment before it is marked: how each of its test cells is judged, and why.

The plan is made on the instructor's own solution (:func:`proctor.lift.adopt`) and kept under a digest of
all that determines it: the notebooks, the files beside them, the engine, the libraries.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.kernel.forked import ForkLauncher
from proctor.kernel.link import Launcher
from proctor.lift import Bench, Cell, CourtError, Plan, Step, adopt
from proctor.ordinary import Assignment, Notebook
from proctor.otter.reading import is_otter
from proctor.sandbox.forkserver import Isolation
from proctor.sandbox.isolation import fork_server, require

KEPT = ".proctor"
"""Name of the folder, in the course's, where plans are kept."""


@dataclass(frozen=True)
class Adopted:
    """An assignment with a plan for each of its notebooks.

    Attributes
    ----------
    assignment : Assignment
    plans : dict of str to Plan
        By the notebook's name.
    """

    assignment: Assignment
    plans: Mapping[str, Plan]

    def to_bytes(self) -> bytes:
        """Serialise the plans."""
        return to_bytes(self.plans)

    def failing(self) -> list[str]:
        """Say which test cells do not pass on the instructor's own solution, and what stopped before."""
        tests = [
            f"{name}: the test cell '{step.id}' does not pass on the instructor's own solution "
            f"({step.error})."
            for name, plan in self.plans.items()
            for step in plan.tests
            if step.error
        ]
        return [*self.stopped(), *tests] if tests else []

    def stopped(self) -> Iterator[str]:
        """Say which other cells stop on the instructor's own solution."""
        for notebook in self.assignment.notebooks:
            errors = self.plans[notebook.name].errors
            for number, cell in enumerate(notebook.code, 1):
                if (error := errors.get(cell.id)) is None:
                    continue
                which = f"code cell {number}" if cell.kind == "plain" else f"the cell '{cell.id}'"
                said = f"{notebook.name}: {which} stops on the instructor's own solution ({error})."
                if error.startswith("FileNotFoundError"):
                    said += (
                        f" Put the file beside the notebook, into source/{self.assignment.name}."
                    )
                yield said

    def summary(self) -> str:
        """Say in one line how the assignment is judged."""
        tests = [step for plan in self.plans.values() for step in plan.tests]
        outside = sum(step.judged == "outside" for step in tests)
        failing = sum(bool(step.error) for step in tests)
        inside = len(tests) - outside - failing
        judged = [f"{outside} judged outside"]
        judged += [f"{inside} inside"] if inside else []
        judged += [f"{failing} not passing on its own solution"] if failing else []
        waits = sum(e.points for e in self.assignment.lab.exercises if e.by == "person")
        books = len(self.assignment.notebooks)
        parts = [
            f"{self.assignment.name}: {_count(books, 'notebook')}, "
            f"{self.assignment.points:g} points.",
            f"{_count(len(tests), 'test cell')}: {', '.join(judged)}.",
        ]
        if waits:
            parts.append(f"{waits:g} points wait for a person (formgrader).")
        return " ".join(parts)

    def lines(self) -> Iterator[str]:
        """Yield a line for each test cell, and what its author may want to know."""
        yield from self.stopped()
        for name, plan in self.plans.items():
            for step in plan.tests:
                yield f"{name}  {step.id}  {told(step)}"
            path = self.assignment.folder / f"{name}.ipynb"
            if is_otter(nbformat.read(path, as_version=4)):
                own = self.assignment.name
                yield (
                    f"{name}  is written for otter assign. To release it with nbgrader, make it one of "
                    f"nbgrader's: proctor adopt {own} --write, then proctor build {own}"
                )


def told(step: Step) -> str:
    """Say how a test cell is judged, what that rests on, and what could be done better."""
    if step.error:
        return f"does not pass on the instructor's own solution: {step.error}"
    said = f"judged {step.judged}"
    if step.judged == "outside":
        said += f", rests on {step.strength}"
    if step.mutants:
        said += f"; notices {step.noticed} of {step.mutants} wrong answers"
        if not step.noticed:
            said += " (a weak test: it passes whatever the answer is)"
    if step.reason:
        said += f". {step.reason}"
        if advice := advised(step.reason):
            said += f" {advice}"
    return said


_ADVICE = (
    (r"It cannot be carried: .*an array of \d+ MB", "Test a smaller value."),
    (r"It takes too long from outside", "Let it call the student's code less often."),
    (r"It calls the student's code", "Let it call the student's code less often."),
    (
        r"Outside, it raises FileNotFoundError",
        "The file is made while the notebook runs, where the student's code does. Test what is written "
        "into it instead, or give the file beside the notebook.",
    ),
    (r"It cannot be carried: a class of the test's", "Define the class in a given cell."),
    (r"It runs text", "Call the student's function in place of running its text."),
    (r"It cannot be carried: the magic", "Take the magic out of the test cell."),
    (r"It cannot be carried: a command of the system", "Use Python instead of a command."),
)


def advised(reason: str) -> str:
    """Return an edit of the test cell that would lift it; empty where none is known."""
    return next((advice for sign, advice in _ADVICE if re.match(sign, reason)), "")


def lifted(notebook: Notebook) -> tuple[Cell, ...]:
    """Return a notebook's code cells as :mod:`proctor.lift` takes them."""
    kinds: dict[str, Any] = {"solution": "solution", "manual": "solution", "test": "test"}
    return tuple(
        Cell(cell.id, kinds.get(cell.kind, "given"), cell.source) for cell in notebook.code
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def make(
    assignment: Assignment, bench: Bench, tell: Callable[[str], None] = lambda text: None
) -> Adopted:
    """Make the plans of an assignment.

    Raises
    ------
    CourseError
        If a process that this needs ends.
    """
    plans = {}
    for notebook in assignment.notebooks:
        try:
            plans[notebook.name] = adopt(
                lifted(notebook), bench, cell_seconds=assignment.lab.cell_seconds, tell=tell
            )
        except CourtError as error:
            raise CourseError(
                f"{assignment.name}/{notebook.name}.ipynb could not be looked at: {error}"
            ) from error
    return Adopted(assignment, plans)


class _Apart:
    """A bench whose judges share no folder, and so no temporary file, with the players."""

    def __init__(self, players: Bench, judges: Bench) -> None:
        self._players, self._judges = players, judges

    def fork(self, role: str, *sockets: socket.socket) -> None:
        """Start a process of that role."""
        (self._judges if role == "judge" else self._players).fork(role, *sockets)


@contextmanager
def open_bench(course: Course, lab: Lab, isolation: Isolation | None) -> Iterator[Bench]:
    """Start a bench for the reference run, isolated as the submissions will be."""
    require(isolation)
    with (
        fork_server(lab, course, isolation or "namespaces") as server,
        _benches(ForkLauncher(server)) as bench,
    ):
        yield bench


@contextmanager
def _benches(launcher: Launcher) -> Iterator[Bench]:
    with launcher.bench() as players, launcher.bench() as judges:
        yield _Apart(players, judges)


def plans(
    course: Course,
    lab: Lab,
    isolation: Isolation | None = None,
    say: Callable[[str], None] = lambda text: None,
    *,
    launcher: Callable[[], Launcher] | None = None,
) -> bytes:
    """Return the plans of an assignment, made now if none are kept for it as it is.

    Parameters
    ----------
    launcher : callable
        Returns where processes come from, if one is running for this assignment: the libraries are then
        not imported another time.

    Raises
    ------
    CourseError
        If a test cell does not pass on the instructor's own solution, unless it is to be marked anyway.
    """
    assert lab.ordinary is not None
    adopted = kept(lab.ordinary, course.folder)
    if adopted is None:
        say("Looking at the assignment's own solution first")
        benches = _benches(launcher()) if launcher else open_bench(course, lab, isolation)
        with benches as bench:
            adopted = make(lab.ordinary, bench, say)
        keep(adopted, course.folder)
    failing = adopted.failing()
    if failing and not lab.anyway:
        raise CourseError(
            "Nobody was marked, since nobody could earn these points:\n"
            + "\n".join(f"  {line}" for line in failing)
            + f"\nMend the source, look again with: proctor adopt {lab.name}; or mark all the same: "
            f"proctor grade {lab.name} --anyway"
        )
    return adopted.to_bytes()


def kept(assignment: Assignment, folder: Path) -> Adopted | None:
    """Return the plans that were kept for the assignment as it is now; None if there are none."""
    path = _path(assignment, folder)
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if head.decode("ascii") != digest(assignment):
            return None
        return Adopted(assignment, from_bytes(body))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def keep(adopted: Adopted, folder: Path) -> None:
    """Keep plans for later runs."""
    path = _path(adopted.assignment, folder)
    write_whole(path, digest(adopted.assignment).encode() + b"\n" + adopted.to_bytes())


def _path(assignment: Assignment, folder: Path) -> Path:
    return folder / KEPT / f"{assignment.name}.plan"


def digest(assignment: Assignment) -> str:
    """Hash of all that determines a plan: notebooks, files, engine, libraries."""
    total = hashlib.sha256()
    for notebook in assignment.notebooks:
        total.update(f"{notebook.name}\n{_cells(notebook)}".encode())
    for name in assignment.lab.files:
        data = (assignment.folder / name).read_bytes()
        total.update(str(name).encode() + hashlib.sha256(data).digest())
    here = Path(__file__).resolve().parents[1]
    rooms = [here / "lift", here / "kernel", here / "sandbox"]
    for path in sorted(path for room in rooms for path in room.glob("*.py")):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    total.update(platform.python_version().encode())
    for package in sorted({name.partition(".")[0] for name in assignment.lab.warm}):
        total.update(f"{package}={_version(package)}".encode())
    return total.hexdigest()


def _cells(notebook: Notebook) -> str:
    return str(nbformat.writes(notebook.node, sort_keys=True))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def to_bytes(plans: Mapping[str, Plan]) -> bytes:
    """Serialise the plans of an assignment."""
    return json.dumps({name: asdict(plan) for name, plan in plans.items()}, sort_keys=True).encode()


@lru_cache(maxsize=8)
def from_bytes(data: bytes) -> Mapping[str, Plan]:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is something else.
    """
    return {name: Plan.from_dict(plan) for name, plan in json.loads(data).items()}
