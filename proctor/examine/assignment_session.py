"""Mark one notebook of an ordinary assignment: run it, have its test cells judged, say what came of it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from proctor.assertions import Assertion, hidden_lines
from proctor.checks import Exercise, Lab
from proctor.errors import ProtocolError
from proctor.examine import adoption
from proctor.examine.assemble import Assembled, Step, assemble
from proctor.examine.autograded import EXTRA, OWN_TEXT, keep_verdict, own_text
from proctor.examine.judged_cell import MAX_PART, KernelSide, credit, test_outputs
from proctor.examine.mark_result import answered, left_to_person
from proctor.kernel.arrays import ValueFormatError
from proctor.kernel.cell_run import CellRun, TimeLimit
from proctor.kernel.check_values import StudentError
from proctor.kernel.outputs import clean
from proctor.kernel.session import StudentKernel
from proctor.lift import Bench, Cell, Judge, Outcome, Plan, lift, name_owners
from proctor.ordinary import Notebook, OrdinaryCell
from proctor.submission import Submission
from proctor.verdict import CheckResult, ExerciseResult, Problem, Verdict, total

HIDDEN = "A hidden test of this cell did not pass."
PERSON = "It could not be judged on this notebook, so a person will look at it"
FAILED = "An assertion does not hold."
TOO_LONG = "It took longer than the {:g} seconds of processor time that a cell may take."
"""`timeout` of nbgrader's ExecutePreprocessor, in the course's nbgrader_config.py, sets them."""


@dataclass
class Played:
    """What marking one notebook gave.

    Attributes
    ----------
    exercises : list of ExerciseResult
    problems : list of Problem
    notebook : NotebookNode
        The notebook as it ran.
    met : set of str
        Limits of time that were met; see :class:`proctor.examine.mark_result.Marked`.
    """

    exercises: list[ExerciseResult]
    problems: list[Problem]
    notebook: NotebookNode
    met: set[str]


class AssignmentSession:
    """The state of marking one notebook: what ran, how each test cell ended."""

    def __init__(
        self, notebook: Notebook, lab: Lab, plan: Plan, submission: Submission, isolation: str
    ) -> None:
        self.isolation = isolation
        self.notebook, self.lab, self.plan, self.submission = notebook, lab, plan, submission
        self.assembled: Assembled = assemble(notebook.node, submission, ordinary=True)
        self.cells = {cell.index: cell for cell in notebook.cells}
        self.lifted = {cell.id: cell for cell in adoption.lifted(notebook)}
        self.judged = {step.id: step.judged for step in plan.tests}
        self.problems = list(submission.problems)
        if submission.cells:
            self.problems += self.assembled.problems
        self.runs: dict[int, tuple[str, CellRun]] = {}
        self.extras: list[tuple[Step, CellRun]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.met: set[str] = set()

    def run(self, kernel: StudentKernel, bench: Bench) -> None:
        """Run the notebook cell by cell."""
        side = KernelSide(kernel)
        reads: set[str] = set()
        rebinds: set[str] = set()
        for step in self.assembled.steps:
            if step.kind in ("graded", "extra") and (tree := name_owners.parse(step.source)):
                reads |= name_owners.reads(tree)
                rebinds |= name_owners.rebinds(tree)
        with Judge(
            self.plan,
            bench,
            side,
            reads=reads,
            rebinds=rebinds,
            cell_seconds=self.lab.cell_seconds,
            each={id for name, id in self.lab.asserted if name == self.notebook.name},
        ) as judge:
            for step in self.assembled.steps:
                cell = self.cells.get(step.cell_index)
                if step.kind == "test" and cell is not None:
                    if cell.id in self.lifted:
                        self.outcomes[cell.id] = self.test(self.lifted[cell.id], side, judge)
                else:
                    self.step(step, cell, kernel, judge)

    def step(
        self, step: Step, cell: OrdinaryCell | None, kernel: StudentKernel, judge: Judge
    ) -> None:
        """Run a cell of the instructor's or of the student's."""
        if step.kind == "extra":
            run = CellRun()
            self.extras.append((step, run))
        else:
            run = CellRun()
            self.runs[step.cell_index] = (step.source, run)
        if cell is not None and not cell.code:
            return  # a written answer
        done = kernel.run(step.source)
        run.outputs, run.error = done.outputs, done.error
        if done.stopped_by:
            self.limit_met(done.stopped_by, step.id)
        if step.kind != "extra" and step.id in self.lifted:
            judge.ran(self.lifted[step.id], step.source)

    def limit_met(self, by: str, cell: str) -> None:
        """Note that a limit of time was met; a person is asked to look."""
        self.met.add(by)
        message = (
            f"The cell '{cell}' was stopped: it took longer than the {self.lab.cell_seconds:g} seconds "
            "of processor time that a cell may take."
        )
        self.problems.append(Problem("cell-time", message, cell, attention=True))

    def test(self, cell: Cell, side: KernelSide, judge: Judge) -> Outcome:
        """Judge a test cell."""
        try:
            return lift(cell, side, judge)
        except TimeLimit as limit:
            self.limit_met(limit.by, cell.id)
            return Outcome("time", message=TOO_LONG.format(self.lab.cell_seconds))
        except StudentError as error:  # the agent itself was interrupted, or replaced
            return Outcome("failed", type=error.type_name, message=error.message)
        except (ProtocolError, ValueFormatError) as error:
            return Outcome("refused", message=f"the kernel's answer cannot be read: {error}")

    def played(self) -> Played:
        """Say what came of it."""
        exercises = [
            self.by_person(cell) if cell.kind != "test" else self.result(cell)
            for cell in self.notebook.cells
            if cell.kind in ("test", "manual", "task")
        ]
        notebook = self.executed()
        notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python"}
        keep_verdict(notebook, self.told(exercises))
        return Played(exercises, self.problems, notebook, self.met)

    def told(self, exercises: list[ExerciseResult]) -> Verdict:
        """Return the verdict on this notebook alone, from which its feedback page is made."""
        attention = any(problem.attention for problem in self.problems)
        return Verdict(
            student="",
            lab=self.lab.name,
            status="needs_attention" if attention else "graded",
            isolation=self.isolation,
            score=total([one.score for one in exercises]),
            max_score=total([one.max_score for one in exercises]),
            problems=tuple(dict.fromkeys(self.problems)),
            exercises=tuple(exercises),
        )

    def exercise(self, cell: OrdinaryCell) -> Exercise:
        """Return the exercise that a cell is."""
        key = self.notebook.name, cell.id
        return next(one for one in self.lab.exercises if (one.notebook, one.id) == key)

    def by_person(self, cell: OrdinaryCell) -> ExerciseResult:
        """A cell that a person marks; of one without an answer nothing waits."""
        blank = self.notebook.saved.cells[cell.index].source
        answer = self.assembled.answers.get(cell.id)
        waiting = bool(self.submission.cells) and (cell.kind == "task" or answered(answer, blank))
        return left_to_person(self.exercise(cell), waiting=waiting)

    def result(self, cell: OrdinaryCell) -> ExerciseResult:
        """A test cell's points."""
        outcome = self.outcomes.get(cell.id)
        title, judged = self.exercise(cell).title, self.judged.get(cell.id, "inside")
        parts: dict[str, str] = {}
        earned = 0.0
        if not cell.source.strip() and self.submission.cells:
            earned = cell.points  # nbgrader's rule: nothing was asked
        elif outcome is None:
            said = self.problems[-1].message if self.problems else "This was not reached."
            parts = {"cause": said}
        elif outcome.passed:
            earned = credit(outcome.shown, cell.points)
            if earned < cell.points:
                parts = {"cause": f"The test gives {earned:g} of {cell.points:g} points."}
        else:
            parts = self.explain(cell, outcome)
        if outcome is not None and outcome.ended in ("refused", "lost"):
            message = f"{PERSON} ({clean(outcome.message, 300)})."
            self.problems.append(Problem("not-judged", message, cell.id, attention=True))
        rows = self.lab.asserted.get((self.notebook.name, cell.id), ())
        if rows and judged == "outside":
            return self.divided(cell, rows, outcome, parts)
        told: Any = {part: clean(text, MAX_PART) for part, text in parts.items()}
        check = CheckResult(
            id=cell.id,
            title=title,
            hidden=False,
            passed=earned >= cell.points and not parts,
            points=earned,
            max_points=cell.points,
            skipped=outcome is None and bool(parts),
            judged=judged,
            **told,
        )
        return ExerciseResult(
            cell.id, title, earned, cell.points, (check,), notebook=self.notebook.name
        )

    def divided(
        self,
        cell: OrdinaryCell,
        rows: Sequence[Assertion],
        outcome: Outcome | None,
        ended: dict[str, str],
    ) -> ExerciseResult:
        """Return the result of a cell whose assertions are checks of their own."""
        exercise, checks = self.exercise(cell), []
        judged = outcome.asserted if outcome is not None else ()
        sound = outcome is not None and outcome.ended in ("passed", "failed")
        for place, (row, check) in enumerate(zip(rows, exercise.checks, strict=True)):
            known = judged[place] if place < len(judged) else None
            passed = known is not None and known["passed"] is True and sound
            parts = {} if passed else ended
            if known is not None and not passed and sound:
                assert outcome is not None
                of = replace(
                    outcome, **{k: known[k] for k in ("type", "message", "line", "theirs")}
                )
                parts = self.explain(cell, replace(of, students=known["students"]))
                if parts.get("cause") != HIDDEN:
                    parts |= {k: known[k] for k in ("called", "expected", "got") if k in known}
                    said = {"cause": row.cause, "next": row.next}
                    parts |= {part: text for part, text in said.items() if text}
            told: Any = {part: clean(text, MAX_PART) for part, text in parts.items()}
            points = row.points if passed else 0.0
            reached = passed or (known is not None and sound)
            checks.append(
                CheckResult(
                    check.id,
                    row.title,
                    False,
                    passed,
                    points,
                    row.points,
                    skipped=not reached,
                    **told,
                )
            )
        score = total([one.points for one in checks])
        place_ = self.notebook.name
        return ExerciseResult(
            cell.id, exercise.title, score, cell.points, tuple(checks), notebook=place_
        )

    def explain(self, cell: OrdinaryCell, outcome: Outcome) -> dict[str, str]:
        """Say why a test cell did not pass; of hidden lines, nothing."""
        if outcome.ended in ("refused", "lost"):
            return {"cause": f"{PERSON}: {outcome.message}."}
        if outcome.ended == "time":
            cause = TOO_LONG.format(self.lab.cell_seconds)
            return {"cause": cause, "next": "Look for a loop that never ends."}
        lines = cell.source.splitlines()
        if outcome.line in hidden_lines(cell.source):
            return {"cause": HIDDEN}
        line = lines[outcome.line - 1].strip() if 0 < outcome.line <= len(lines) else ""
        if outcome.type == "AssertionError" and not outcome.theirs and not outcome.message:
            return {"cause": f"`{line}` does not hold."} if _whole(line) else {"cause": FAILED}
        parts = {"cause": f"{outcome.type}: {outcome.message}" if outcome.message else outcome.type}
        if line:
            parts["called"] = line
        if outcome.theirs and outcome.students:
            parts["got"] = f"{outcome.type} in your line `{outcome.students}`"
        return parts

    def executed(self) -> NotebookNode:
        """Return the notebook as it ran: the instructor's cells, the student's answers, what came out."""
        notebook = copy.deepcopy(self.notebook.saved)
        cells: list[NotebookNode] = []
        own = self.own_cells()
        cells += own.get(-1, [])
        for index, cell in enumerate(notebook.cells):
            known = self.cells[index]
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            if known.kind in ("solution", "manual"):
                cell.source = self.assembled.answers.get(known.id) or ""
            if index in self.runs:
                cell.source, run = self.runs[index]
                if cell.cell_type == "code":
                    cell.outputs = list(run.outputs)
            if known.kind == "test" and known.code:
                cell.source = known.source
                cell.outputs = test_outputs(known, self.outcomes.get(known.id))
            cells.append(cell)
            cells += own.get(index, [])
        notebook.cells = cells
        return notebook

    def own_cells(self) -> dict[int, list[NotebookNode]]:
        """The student's own cells, code that ran and text, by the place that they follow."""
        placed: dict[int, list[tuple[int, NotebookNode]]] = {}
        for step, run in self.extras:
            made = new_code_cell(step.source, outputs=list(run.outputs))
            made["id"] = f"{EXTRA}{step.position}"
            placed.setdefault(step.cell_index, []).append((step.position, made))
        parts = self.notebook.node, self.notebook.saved, self.submission.cells
        for index, copy_ in own_text(*parts):
            text = new_markdown_cell(copy_.source)
            text["id"] = f"{OWN_TEXT}{copy_.position}"
            placed.setdefault(index, []).append((copy_.position, text))
        return {
            index: [cell for _, cell in sorted(found, key=lambda pair: pair[0])]
            for index, found in placed.items()
        }


def _whole(line: str) -> bool:
    """Whether a line of code is a statement by itself."""
    try:
        return bool(ast.parse(line).body)
    except (SyntaxError, ValueError):
        return False
