"""Find out, on the instructor's own solution, which test cells can be judged from outside.

Three processes play the notebook: one runs every cell as nbgrader does; one is a student with the
instructor's solution; one is the judge. At each test cell trials run in forks of them: the reference,
and mutants of it. A lift is accepted where it passes on the reference and says of every mutant what the
unlifted cell says.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proctor.lift import name_owners
from proctor.lift.plan import Cell, Plan, Step, Strength
from proctor.lift.process_handle import Bench, CourtError, Worker, talking
from proctor.lift.time_limit import PATIENCE

MAX_NAMES = 6
"""Most of the student's names of which mutants are made, for one cell."""
MAX_MUTANTS = 32
MAX_CALLS = 100_000
"""Most calls and questions of a test cell that is judged outside."""
RUNS_TEXT = "It runs text that the student wrote or could write, which would run in the judge."
SHARED_TEXT = (
    "It asks whether two things are one, or changes what it was given: what comes over is a copy."
)
_HARMLESS = ("subclass", "numpy", "plain")
"""Mutants that are right, of another type: a lift may ask for a person there, not pass or fail alone."""
_NO_SOURCE = "source code"
_EQUAL = (*_HARMLESS, "shared")
"""Mutants that are equal to the reference: a test need not notice them."""


@dataclass
class _Trial:
    """How a test cell ended in the judge, and what the judge did for it."""

    outcome: dict[str, Any]
    forward: list[str] = field(default_factory=list)
    define: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.outcome.get("passed") is True


def adopt(
    cells: Sequence[Cell],
    bench: Bench,
    *,
    cell_seconds: float = 60.0,
    mutants: bool = True,
    tell: Callable[[str], None] = lambda text: None,
) -> Plan:
    """Plan how a notebook's test cells are judged.

    Parameters
    ----------
    cells : sequence of Cell
        The instructor's code cells, in order, with the solutions in them.
    bench : Bench
        Where processes come from; they find the notebook's files in their working folder.
    cell_seconds : float
        How long a cell may take.
    mutants : bool
        Whether to try mutants; without, a lift is accepted when it passes on the reference.
    tell : callable
        Is told which cell is tried.
    """
    with (
        Worker(bench, "player") as unlifted,
        Worker(bench, "player") as student,
        Worker(bench, "judge") as judge,
    ):
        run = _Run(cells, unlifted, student, judge, cell_seconds, mutants)
        for place, cell in enumerate(cells):
            tell(cell.id)
            run.cell(place, cell)
    reads, shared = tuple(sorted(run.reads)), tuple(sorted(run.shared))
    return Plan(tuple(run.steps), reads, run.shares_random, run.errors, shared)


class _Run:
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

    def cell(self, place: int, cell: Cell) -> None:
        if cell.kind == "test":
            self.test(place, cell)
            return
        seconds = self.wait
        request: dict[str, Any] = {"source": cell.source, "seconds": self.cell_seconds}
        self.unlifted.send("run", watch=False, **request)
        here = self.student.ask("run", seconds, watch=True, **request)
        there = self.unlifted.answer(seconds)
        if there["error"]:
            self.errors[cell.id] = there["error"]
        tree, changed = self.trees[place], here["changed"]
        keep: list[int] = []
        if cell.kind == "solution":
            bound = name_owners.binds_of(tree) - {"*"} if tree else set()
            names = sorted(bound | set(changed))
            told = self.judge.ask("theirs", names=names, sources=name_owners.sources(cell.source))
        else:
            name = _file(place)
            told = self.judge.ask(
                "given", seconds, source=cell.source, name=name, changed=changed, keep=None
            )
            keep = told["ran"]
        self.theirs, self.structures = told["theirs"], told["structures"]
        self.steps.append(Step(cell.id, cell.kind, tuple(keep), tuple(self.theirs)))

    # Test cells.

    def test(self, place: int, cell: Cell) -> None:
        limit = self.cell_seconds
        plain = self.unlifted.ask(
            "trial", self.wait, source=cell.source, seconds=limit, mutant=None
        )
        if not plain.get("passed"):
            error = str(plain.get("error") or plain.get("message") or "it does not pass")
            reason = f"It does not pass on the instructor's own solution: {error}"
            self.steps.append(self.inside(place, cell, reason, error=error))
            return
        trial, step = self.lift(place, cell)
        if trial is None:
            self.steps.append(step)
            return
        after = self.keep(place, cell, trial, step)
        self.steps.append(after)

    def lift(self, place: int, cell: Cell) -> tuple[_Trial | None, Step]:
        """Try the ways of lifting a cell; the first that is accepted, or why none is."""
        reason, tried = "", Step(cell.id, "test")
        tree = self.trees[place]
        if tree is not None and name_owners.runs_text(tree, self.runners):
            return None, self.inside(place, cell, RUNS_TEXT)
        for trial in self.ways(place, cell):
            if not trial.passed:
                reason = reason or _why(trial.outcome, cell)
                continue
            calls = trial.outcome["seen"].get("call", 0)
            if calls > MAX_CALLS:
                reason = f"It calls the student's code {calls:,} times."
                continue
            tried, disagrees = self.try_mutants(place, cell, trial)
            if not disagrees:
                return trial, tried
            reason = disagrees
        return None, self.inside(place, cell, reason, mutants=tried.mutants, noticed=tried.noticed)

    def ways(self, place: int, cell: Cell) -> Any:
        """Lift a cell as it is; then with the classes of the course and Matplotlib over there."""
        yield _Trial(self.trial(place, cell))
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
            yield _Trial(self.trial(place, cell, forward=forward, define=define), forward, define)

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
            "name": _file(place),
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

    def try_mutants(self, place: int, cell: Cell, trial: _Trial) -> tuple[Step, str]:
        """Compare lifted and unlifted on wrong answers; say where they differ."""
        outcome = trial.outcome
        tree = self.trees[place]
        touched = set(outcome["accessed"])
        touched |= (name_owners.reads(tree) if tree else set()) & set(self.theirs)
        strength = _strength(outcome["seen"])
        step = Step(
            cell.id,
            "test",
            judged="outside",
            needed=tuple(outcome["needed"]),
            forward=tuple(trial.forward),
            define=tuple(trial.define),
            later=tuple(self.later(place)),
            strength=strength,
            seconds=outcome["seconds"],
        )
        if not self.mutants:
            return step, ""
        menu = self.unlifted.ask("kinds", names=sorted(touched))
        chosen = [(name, kind) for name in sorted(menu)[:MAX_NAMES] for kind in menu[name]]
        wrong = [one for one in chosen if one[1] not in _EQUAL]
        if strength != "source text":  # their text is not the solution's
            wrong += [one for one in chosen if one[1] == "shared"]
            wrong += [one for one in chosen if one[1] in _HARMLESS]
        chosen = wrong[:MAX_MUTANTS]
        tried = noticed = 0
        limit = self.cell_seconds
        for name, kind in chosen:
            mutant = [name, kind]
            self.unlifted.send("trial", source=cell.source, seconds=limit, mutant=mutant)
            there = self.trial(
                place,
                cell,
                mutant=mutant,
                needed=outcome["needed"],
                forward=trial.forward,
                define=trial.define,
            )
            here = self.unlifted.answer(self.wait)
            if (
                strength == "source text"
                and _NO_SOURCE in f"{here.get('error')}{there.get('message')}"
            ):
                continue  # a wrong answer of ours has no text that could be read
            tried += kind not in _EQUAL
            noticed += kind not in _EQUAL and not here["passed"]
            if here["passed"] != there["passed"]:
                if kind in _HARMLESS and ("refused" in there or there["passed"]):
                    continue  # it is right; a plain value of it may be all that comes over
                if kind == "shared":
                    return step, SHARED_TEXT
                return step, (
                    f"Where '{name}' is changed ({kind}), it {_word(here)} inside the student's "
                    f"process and {_word(there)} outside."
                )
        return _with(step, mutants=tried, noticed=noticed), ""

    def keep(self, place: int, cell: Cell, trial: _Trial, step: Step) -> Step:
        """Judge the cell for good, so that later cells find what it did."""
        limit = self.cell_seconds
        self.unlifted.send("run", source=cell.source, seconds=limit, watch=False)
        with talking() as (one, other):
            self.student.send("serve", one, fork=False, seconds=limit, mutant=None)
            request = self.request(place, cell, None, trial.forward, trial.define)
            self.judge.send("judge", other, **request, trial=False, carried=True)
        outcome = self.judge.answer(self.wait)
        self.student.answer(self.wait)
        self.unlifted.answer(self.wait)
        if not outcome["passed"]:
            raise CourtError(
                f"The test cell '{cell.id}' passed on trial and does not pass again: "
                f"{outcome['type']}: {outcome['message']}"
            )
        return _with(step, theirs=tuple(self.theirs_now()))

    def theirs_now(self) -> list[str]:
        told = self.judge.ask("theirs", names=[], sources={})
        self.theirs, self.structures = told["theirs"], told["structures"]
        return self.theirs

    def hand_over(self, place: int) -> None:
        """Give the student's process what earlier test cells bound in the judge and this one reads."""
        tree = self.trees[place]
        reads = name_owners.reads(tree) if tree else set()
        wanted: set[str] = set()
        for number, step in enumerate(self.steps):
            before = self.trees[number]
            if step.kind != "test" or step.judged != "outside" or before is None:
                continue
            if names := name_owners.binds_of(before) & reads:
                wanted |= names
                self.steps[number] = replace(step, later=tuple(sorted({*step.later, *names})))
        if not wanted:
            return
        with talking() as (one, other):
            seconds = self.cell_seconds
            self.student.send("serve", one, fork=False, seconds=seconds, mutant=None)
            handing = Cell("", "test", "\n".join(f"{name} = {name}" for name in sorted(wanted)))
            request = {**self.request(place, handing, None, (), ()), "used": sorted(wanted)}
            self.judge.send("judge", other, **request, trial=False, carried=True)
        self.judge.answer(self.wait)
        self.student.answer(self.wait)

    def inside(
        self,
        place: int,
        cell: Cell,
        reason: str,
        *,
        error: str = "",
        mutants: int = 0,
        noticed: int = 0,
    ) -> Step:
        """Run the cell in the student's process; let the judge take over what it defines."""
        limit = self.cell_seconds
        self.unlifted.send("run", source=cell.source, seconds=limit, watch=False)
        self.hand_over(place)
        marked = self.student.ask(
            "cell",
            self.wait,
            source=name_owners.plainly(cell.source),
            name=_file(place),
            seconds=limit,
        )
        self.unlifted.answer(self.wait)
        if not error and not marked.get("passed"):
            ended = f"{marked.get('type')}: {marked.get('message')}"
            error = f"it passes in a notebook, but not as it is marked: {ended}"
        told = self.judge.ask("inside", self.wait, source=cell.source, name=_file(place), keep=None)
        return Step(
            cell.id,
            "test",
            keep=tuple(told["ran"]),
            theirs=tuple(self.theirs_now()),
            reason=reason,
            error=error,
            mutants=mutants,
            noticed=noticed,
        )


def _word(outcome: dict[str, Any]) -> str:
    if outcome["passed"]:
        return "passes"
    told = outcome.get("refused") or outcome.get("error")
    told = told or f"{outcome.get('type')}: {outcome.get('message')}"
    return f"does not pass ({' '.join(str(told).split())[:150]})"


def _with(step: Step, **values: Any) -> Step:
    return replace(step, **values)


def _file(place: int) -> str:
    return f"<cell {place}>"


def _strength(seen: dict[str, int]) -> Strength:
    if "callback" in seen or "function given" in seen:
        return "call-backs"
    if "source" in seen:
        return "source text"
    if seen.keys() & {"instance", "callable", "class", "iterator"}:
        return "stand-ins"
    return "calls" if "call" in seen else "values"


def _why(outcome: dict[str, Any], cell: Cell) -> str:
    """Say why a lift does not pass on the reference."""
    if "refused" in outcome:
        return f"It cannot be carried: {outcome['refused']}."
    lines = cell.source.splitlines()
    number = outcome.get("line", 0)
    where = f" in `{lines[number - 1].strip()[:100]}`" if 0 < number <= len(lines) else ""
    message = re.sub(r"\s+", " ", str(outcome.get("message", "")))[:200]
    if outcome.get("kind") == "time":
        return "It takes too long from outside."
    if outcome.get("type") == "AssertionError" and where and not message:
        return f"Outside, {where.removeprefix(' in ')} does not hold."
    raised = f"{outcome.get('type')}: {message}" if message else str(outcome.get("type"))
    return f"Outside, it raises {raised}{where}."
