"""Mark one notebook of a lab: run it step by step in a kernel, and judge each exercise when its cell has run.

The checks run in this process. What they see of the student is data; what they expect never leaves.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from proctor.checks import Check, Exercise, Lab, Told
from proctor.errors import ProtocolError
from proctor.examine.assemble import Step, assemble
from proctor.examine.autograded import executed
from proctor.examine.check_results import (
    CHECK_BROKEN,
    MAX_PART,
    NO_CELL,
    NO_CELL_NEXT,
    NOT_JUDGED,
    NOT_STARTED_PARTS,
    PARTS,
    WITHDRAWN,
    check_result,
    exercise_result,
    finding,
    status_of,
)
from proctor.examine.mark_result import Marked, answered, left_to_person, not_asked
from proctor.kernel.arrays import ValueFormatError
from proctor.kernel.cell_run import CellRun, KernelStopped, TimeLimit
from proctor.kernel.check_values import StudentError
from proctor.kernel.link import Launcher
from proctor.kernel.outputs import clean
from proctor.kernel.session import StudentKernel
from proctor.kernel.student_side import RemoteSide
from proctor.notebooks import dumps
from proctor.sandbox.limits import PATIENCE, explain_error, lab_limits
from proctor.submission import Submission
from proctor.verdict import CheckResult, ExerciseResult, Problem, Verdict, total


@dataclass(frozen=True)
class Setting:
    """What all submissions of a class have in common.

    Attributes
    ----------
    lab : Lab
        Exercises, checks and limits.
    source : NotebookNode
        The instructor's notebook.
    launcher : Launcher
        Where kernels come from.
    root : Path
        The course's root, to which the lab's helper files are relative.
    secret : bytes
        Mixed into the seeds of what hidden checks draw, so that nobody can draw them at home.
    blanks : mapping of str to str
        What stands, as it is released, in each cell that a person marks.
    """

    lab: Lab
    source: NotebookNode
    launcher: Launcher
    root: Path
    secret: bytes = b""
    blanks: Mapping[str, str] = field(default_factory=dict)


class JudgingTooLong(BaseException):
    """What a notebook sent takes the examiner too long; raised by whoever watches its clock."""


class NotebookSession:
    """The state of marking one notebook: what ran, what was found.

    Parameters
    ----------
    results : dict
        What was found of each exercise, of the notebooks before this one, too.
    notebook : str
        Which of the lab's notebooks it is; empty if there is but one.
    """

    def __init__(
        self,
        setting: Setting,
        submission: Submission,
        results: dict[str, ExerciseResult],
        withdrawn: Collection[str],
        told: Callable[[Sequence[ExerciseResult], Sequence[Problem]], None],
        *,
        notebook: str,
        tell_all: bool,
    ) -> None:
        self.setting, self.lab = setting, setting.lab
        self.tell_all = tell_all  # to the author, of hidden checks too
        self.withdrawn = withdrawn
        self.assembled = assemble(setting.source, submission)
        self.submission = submission
        self.told = told
        self.exercises = {exercise.id: exercise for exercise in self.lab.exercises}
        self.runs: list[tuple[Step, CellRun]] = []
        self.results = results
        self.mine = [one for one in self.lab.exercises if one.notebook == notebook]
        self.problems: list[Problem] = [*submission.problems]
        if submission.cells or not notebook:
            self.problems += self.assembled.problems
        self.broken: dict[str, str] = {}
        self.met: set[str] = set()

    def run(self, kernel: StudentKernel, before: Mapping[str, RemoteSide | None]) -> RemoteSide:
        """Run and judge step by step; raise :class:`KernelStopped` where that ends early."""
        answers, written = dict(self.assembled.answers), self.assembled.written()
        side = RemoteSide(kernel, answers, cells=written, before=dict(before))
        for step in self.assembled.steps:
            kernel.cell_seconds = self.seconds(step.id.removeprefix("test_"))
            if step.kind == "test":
                self.judge(self.exercises[step.id.removeprefix("test_")], side)
                self.told(tuple(self.results.values()), tuple(self.problems))
            else:
                self.step(step, kernel)
        kernel.cell_seconds = self.lab.cell_seconds
        side.begin()
        return side

    def step(self, step: Step, kernel: StudentKernel) -> None:
        run = CellRun()
        self.runs.append((step, run))
        done = kernel.run(step.source)
        run.outputs, run.error, run.stopped_by = done.outputs, done.error, done.stopped_by
        if step.kind == "given" and run.error is not None:
            self.problems.append(
                Problem(
                    "given-cell",
                    f"The given cell '{step.id}' stopped with {clean(str(run.error), MAX_PART)}.",
                    attention=True,
                )
            )
        if run.stopped_by:
            what = {
                "extra": "A cell of your own",
                "graded": f"The cell of exercise '{step.id}'",
            }.get(step.kind, f"The given cell '{step.id}'")
            self.limit_met(run.stopped_by, f"{what} was stopped", step.id)

    def limit_met(self, by: str, what: str, cell: str) -> None:
        """Note that a limit of time was met; a person is asked to look."""
        self.met.add(by)
        message = f"{what} after {self.time_limit(by, cell)}."
        self.problems.append(Problem("cell-time", message, cell, attention=True))

    def seconds(self, cell: str) -> float:
        """Return how long a cell, or a question about the exercise of that id, may take."""
        exercise = self.exercises.get(cell)
        return (exercise.seconds if exercise else None) or self.lab.cell_seconds

    def time_limit(self, by: str, cell: str) -> str:
        """Say in words how long a cell or a question may take."""
        seconds = self.seconds(cell)
        return {
            "cpu": f"{seconds:g} seconds of processor time",
            "idle": f"{seconds:g} seconds in which it only waited",
            "wall": f"{PATIENCE * seconds:g} seconds",
        }[by]

    def judge(self, exercise: Exercise, side: RemoteSide) -> None:
        """Ask every check of one exercise; a check whose needs failed is skipped."""
        side.begin()
        results: list[CheckResult] = []
        stop: KernelStopped | None = None
        for check in exercise.checks:
            failed = [need for need in check.needs if not self.passed(need, results)]
            if check.id in self.withdrawn:
                results.append(check_result(check, {"cause": WITHDRAWN}, passed=True))
            elif stop is not None:
                results.append(check_result(check, {"cause": stop.message}, skipped=True))
            elif self.assembled.answers.get(exercise.id) is None:
                results.append(check_result(check, {"cause": NO_CELL, "next": NO_CELL_NEXT}))
            elif failed:
                results.append(
                    check_result(check, {"cause": self.because(failed[0], results)}, skipped=True)
                )
            else:
                try:
                    results.append(self.ask(check, side))
                except KernelStopped as error:
                    stop = error
                    results.append(check_result(check, {"cause": stop.message}))
        self.results[exercise.id] = exercise_result(exercise, results)
        if stop is not None:
            raise stop

    def passed(self, check_id: str, here: list[CheckResult]) -> bool:
        earlier = [c for result in self.results.values() for c in result.checks]
        return any(check.id == check_id and check.passed for check in [*earlier, *here])

    def because(self, check_id: str, here: list[CheckResult]) -> str:
        earlier = [c for result in self.results.values() for c in result.checks]
        title = next(check.title for check in [*earlier, *here] if check.id == check_id)
        return f'Not asked, because the check "{title}" comes first and has not passed.'

    def ask(self, check: Check, side: RemoteSide) -> CheckResult:
        """Run one check and turn whatever it raises into a result."""
        draw = np.random.default_rng(self.seed(check))
        side.in_place = check.in_place
        try:
            check.function(side, draw)
        except KernelStopped as stop:
            if side.kernel.stopped is not None:
                raise
            return check_result(
                check, {"cause": f"Your notebook before this one was stopped. {stop.message}"}
            )
        except StudentError as error:
            return check_result(check, self.explain(check, error))
        except TimeLimit as limit:
            self.limit_met(limit.by, "A check of this exercise was stopped", check.exercise)
            cause = f"Your code gave no answer within {self.time_limit(limit.by, check.exercise)}."
            return check_result(check, {"cause": cause, "next": "Look for a loop that never ends."})
        except (ProtocolError, ValueFormatError) as error:
            cause = f"What your notebook's process sent back could not be read: {error}."
            return check_result(check, {"cause": cause})
        except Exception as error:  # noqa: BLE001  a finding by its attributes, else a broken check
            run = self.graded_run(check.exercise)
            if run and run.error and run.error.not_started:
                return check_result(check, NOT_STARTED_PARTS)
            if isinstance(error, Told):
                return check_result(check, finding(error, PARTS if self.tell_all else check.tell))
            self.broken[check.id] = f"{type(error).__name__}: {error}"
            self.problems.append(Problem(CHECK_BROKEN, NOT_JUDGED, check.exercise, attention=True))
            return check_result(check, {"cause": NOT_JUDGED})
        return check_result(check, passed=True)

    def seed(self, check: Check) -> list[int]:
        """Seed of what a check draws: the course's secret, the lab, the submission's bytes, the check."""
        text = f"{self.lab.name}:{self.lab.seed}:{self.submission.digest}:{check.id}"
        return list(hmac.digest(self.setting.secret, text.encode(), "sha256"))

    def explain(self, check: Check, error: StudentError) -> dict[str, str]:
        """Say in words what the student's own exception means."""
        if error.not_started:
            return NOT_STARTED_PARTS
        run = self.graded_run(check.exercise)
        cell = run.error if run else None
        if error.type_name == "NameError" and run is not None and run.stopped_by:
            limit = self.time_limit(run.stopped_by, check.exercise)
            cause = f"The cell of this exercise was stopped after {limit}."
            return {"cause": cause, "next": "Look for a loop that never ends."}
        if error.type_name == "NameError" and cell is not None:
            if cell.not_started:
                return NOT_STARTED_PARTS
            return {
                "cause": f"The cell of this exercise stopped with {cell}.{self.limit(cell)}",
                "next": "Run the cell by itself, mend that, and hand in again.",
            }
        where = f" in the line `{error.line}`" if error.line else ""
        cause = f"Your code raised {error}{where}.{self.limit(error)}"
        return {"cause": cause, "next": "Mend that line first."}

    def limit(self, error: StudentError) -> str:
        """Say which limit an exception comes from; nothing if none is behind it."""
        known = explain_error(f"{error.type_name}: {error.message}", lab_limits(self.lab))
        return f" {known[1]}" if known else ""

    def graded_run(self, exercise: str) -> CellRun | None:
        """Return what came of running the graded cell of `exercise`."""
        for step, run in self.runs:
            if step.kind == "graded" and step.id == exercise:
                return run
        return None

    def by_person(self, exercise: Exercise) -> ExerciseResult:
        """Leave an answer to a person; where it stands as it was given, nothing waits."""
        blank = self.setting.blanks.get(exercise.id)
        answer = self.assembled.answers.get(exercise.id)
        return left_to_person(
            exercise, waiting=blank is None or answer is None or answered(answer, blank)
        )

    def stopped(self, stop: KernelStopped) -> None:
        """Record why marking ended early; what was marked before it counts."""
        self.met |= {stop.by} - {""}
        self.problems.append(Problem(stop.code, stop.message, attention=True))

    def result(self) -> Marked:
        exercises = []
        for exercise in self.mine:
            known = self.results.get(exercise.id)
            if exercise.by == "person":
                known = self.by_person(exercise)
            elif known is None:
                cause = self.problems[-1].message if self.problems else "This was not reached."
                known = not_asked(self.lab, exercise.id, cause)
            exercises.append(known)
        verdict = Verdict(
            student=self.submission.student,
            lab=self.lab.name,
            status=status_of(self.problems),
            isolation=self.setting.launcher.isolation,
            score=total([e.score for e in exercises]),
            max_score=total([e.max_score for e in exercises]),
            problems=tuple(self.problems),
            exercises=tuple(exercises),
        )
        ran = executed(
            self.setting.source,
            self.runs,
            verdict,
            exercises=self.mine,
            answers=self.assembled.answers,
            cells=self.submission.cells,
        )
        return Marked(verdict, dumps(ran), self.broken, frozenset(self.met))
