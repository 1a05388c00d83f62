"""Find out, on the instructor's own solution, which test cells can be judged from outside.

Three processes play the notebook: one runs every cell as nbgrader does; one is a student with the
instructor's solution; one is the judge. At each test cell trials run in forks of them: the reference,
and mutants of it. A lift is accepted where it passes on the reference and says of every mutant what the
unlifted cell says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from proctor.lift import name_owners
from proctor.lift.outcome_words import strength_of, why_not, word
from proctor.lift.plan import Cell, Plan, Step
from proctor.lift.process_handle import Bench, CourtError, Worker, talking
from proctor.lift.trials import Trial, Trials, cell_file

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


class _Run(Trials):
    """Plays the notebook and keeps what each test cell came to."""

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
            name = cell_file(place)
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

    def lift(self, place: int, cell: Cell) -> tuple[Trial | None, Step]:
        """Try the ways of lifting a cell; the first that is accepted, or why none is."""
        reason, tried = "", Step(cell.id, "test")
        tree = self.trees[place]
        if tree is not None and name_owners.runs_text(tree, self.runners):
            return None, self.inside(place, cell, RUNS_TEXT)
        for trial in self.ways(place, cell):
            if not trial.passed:
                reason = reason or why_not(trial.outcome, cell)
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

    def try_mutants(self, place: int, cell: Cell, trial: Trial) -> tuple[Step, str]:
        """Compare lifted and unlifted on wrong answers; say where they differ."""
        outcome = trial.outcome
        tree = self.trees[place]
        touched = set(outcome["accessed"])
        touched |= (name_owners.reads(tree) if tree else set()) & set(self.theirs)
        strength = strength_of(outcome["seen"])
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
                    f"Where '{name}' is changed ({kind}), it {word(here)} inside the student's "
                    f"process and {word(there)} outside."
                )
        return replace(step, mutants=tried, noticed=noticed), ""

    def keep(self, place: int, cell: Cell, trial: Trial, step: Step) -> Step:
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
        return replace(step, theirs=tuple(self.theirs_now()))

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
            name=cell_file(place),
            seconds=limit,
        )
        self.unlifted.answer(self.wait)
        if not error and not marked.get("passed"):
            ended = f"{marked.get('type')}: {marked.get('message')}"
            error = f"it passes in a notebook, but not as it is marked: {ended}"
        told = self.judge.ask(
            "inside", self.wait, source=cell.source, name=cell_file(place), keep=None
        )
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
