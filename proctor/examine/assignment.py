"""Mark a submission to an nbgrader assignment that has no checks of ours: its own test cells are run.

The student's cells run in the instructor's notebook, in an isolated kernel, one for each notebook. A
test cell is judged by a process outside that kernel wherever the plan says that this is the same;
elsewhere inside it, as nbgrader does, and the verdict says so. Points need evidence: a cell that did
not run to its end earns nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.examine import adoption
from proctor.examine.assignment_session import AssignmentSession, Played
from proctor.examine.mark_result import Marked, join_notebooks
from proctor.kernel.cell_run import KernelStopped
from proctor.kernel.link import Launcher
from proctor.kernel.session import StudentKernel
from proctor.lift import Bench, Plan
from proctor.ordinary import Assignment, Notebook
from proctor.submission import Part, Submission
from proctor.verdict import ExerciseResult, Problem, Verdict, total


def examine(
    submission: Submission,
    lab: Lab,
    assignment: Assignment,
    launcher: Launcher,
    plans: bytes,
    told: Callable[[Sequence[ExerciseResult], Sequence[Problem]], None] = lambda *_: None,
) -> Marked:
    """Mark a submission, notebook by notebook: one that dies costs its own cells.

    Parameters
    ----------
    plans : bytes
        How the assignment's test cells are judged; see :mod:`proctor.adoption`.
    told : callable
        Told after each notebook what is known so far.

    Raises
    ------
    KernelStartError
        If a kernel does not start.
    """
    began = time.monotonic()
    known = adoption.from_bytes(plans)
    bench = _bench(launcher)
    exercises: list[ExerciseResult] = []
    problems = list(submission.problems)
    notebooks: dict[str, NotebookNode] = {}
    met: set[str] = set()
    parts = {part.name: part for part in submission.parts}
    for notebook in assignment.notebooks:
        part = parts.get(notebook.name, Part(notebook.name))
        played = examine_part(
            submission, part, notebook, lab, known[notebook.name], launcher, bench
        )
        exercises += played.exercises
        problems += played.problems
        notebooks[notebook.name] = played.notebook
        met |= played.met
        told(exercises, problems)
    attention = any(problem.attention for problem in problems)
    verdict = Verdict(
        student=submission.student,
        lab=lab.name,
        status="needs_attention" if attention else "graded",
        isolation=launcher.isolation,
        score=total([one.score for one in exercises]),
        max_score=total([one.max_score for one in exercises]),
        problems=tuple(dict.fromkeys(problems)),
        exercises=tuple(exercises),
    )
    return Marked(
        verdict,
        join_notebooks(notebooks),
        met=frozenset(met),
        seconds=time.monotonic() - began,
    )


_benches: dict[int, tuple[Launcher, Bench]] = {}
_open = ExitStack()


def _bench(launcher: Launcher) -> Bench:
    """Return this process's bench, started with the first submission; it ends with the process."""
    if id(launcher) not in _benches:
        _benches[id(launcher)] = launcher, _open.enter_context(launcher.bench())
    return _benches[id(launcher)][1]


def examine_part(
    submission: Submission,
    part: Part,
    notebook: Notebook,
    lab: Lab,
    plan: Plan,
    launcher: Launcher,
    bench: Bench,
) -> Played:
    """Mark one notebook of a submission.

    Raises
    ------
    KernelStartError
        If the kernel does not start.
    """
    own = replace(submission, cells=part.cells, problems=part.problems, parts=())
    session = AssignmentSession(notebook, lab, plan, own, launcher.isolation)
    if part.cells:
        with (
            tempfile.TemporaryDirectory(prefix="proctor-") as folder,
            StudentKernel(
                launcher,
                Path(folder),
                {},
                cell_seconds=lab.cell_seconds,
                total_seconds=lab.total_seconds,
            ) as kernel,
        ):
            try:
                session.run(kernel, bench)
            except KernelStopped as stop:
                session.met |= {stop.by} - {""}
                session.problems.append(Problem(stop.code, stop.message, attention=True))
    return session.played()
