"""Mark one submission: all its notebooks, one after the other, each in a kernel of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.errors import ProtocolError
from proctor.examine import assignment
from proctor.examine.check_results import JUDGING_TIME, status_of
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.notebook_session import JudgingTooLong, NotebookSession, Setting
from proctor.kernel.arrays import ValueFormatError
from proctor.kernel.cell_run import KernelStopped, TimeLimit
from proctor.kernel.check_values import StudentError
from proctor.kernel.kept_records import packed, unpacked
from proctor.kernel.session import StudentKernel
from proctor.kernel.student_side import RemoteSide
from proctor.scratch import scratch_folder
from proctor.submission import Part, Submission
from proctor.verdict import ExerciseResult, Problem, Verdict, total


def examine(
    submission: Submission,
    setting: Setting,
    reference: Reference | None = None,
    *,
    record: bool = False,
    told: Callable[[Sequence[ExerciseResult], Sequence[Problem]], None] = lambda *_: None,
) -> Marked:
    """Mark one submission.

    Parameters
    ----------
    submission : Submission
        What the student handed in, read by :mod:`proctor.intake.submissions`.
    reference : Reference, optional
        What the run on the instructor's own solution showed.
    record : bool
        Whether this is that run: the helpers record what later ones may use.
    told : callable
        Told after each exercise what is known so far.

    Raises
    ------
    KernelStartError
        If the kernel does not start.
    """
    began = time.monotonic()
    reference, lab = reference or Reference(), setting.lab
    if lab.ordinary is not None:
        return assignment.examine(
            submission, lab, lab.ordinary, setting.launcher, reference.records, told
        )
    results: dict[str, ExerciseResult] = {}
    sessions: dict[str, NotebookSession] = {}
    sides: dict[str, RemoteSide | None] = {}
    records: dict[str, Any] = {}
    with ExitStack() as kernels:  # all live to the end: a check may ask a notebook that came before
        for name, source, part in _notebooks(setting, submission):
            session = sessions[name] = NotebookSession(
                replace(setting, source=source), part, results, reference.withdrawn, told,
                notebook=name if lab.own else "", tell_all=record,
            )  # fmt: skip
            if lab.own and not part.cells:
                sides[name] = None
                continue
            folder = kernels.enter_context(scratch_folder("proctor-"))
            kernel = kernels.enter_context(
                StudentKernel(
                    setting.launcher,
                    folder,
                    helper_sources(setting.root, lab),
                    cell_seconds=lab.cell_seconds,
                    total_seconds=lab.total_seconds,
                    records=unpacked(reference.records),
                )
            )
            try:
                if lab.records and record:
                    RemoteSide(kernel).evaluate("begin_records()")
                sides[name] = session.run(kernel, sides)
            except KernelStopped as stop:
                session.stopped(stop)
            except JudgingTooLong:
                session.stopped(KernelStopped("judging-time", JUDGING_TIME, "cpu"))
            sides.setdefault(name, None)
            if lab.records and record:
                records |= _recorded(RemoteSide(kernel))
    marked = _marked(setting, submission, sessions)
    kept = packed(records) if records else b""
    return replace(marked, records=kept, seconds=time.monotonic() - began)


def _notebooks(
    setting: Setting, submission: Submission
) -> Iterator[tuple[str, NotebookNode, Submission]]:
    """Yield each notebook of a lab: its name, the instructor's, and what was handed in for it."""
    if setting.lab.own is None:
        yield setting.lab.name, setting.source, submission
        return
    parts = {part.name: part for part in submission.parts}
    for book in setting.lab.own.notebooks:
        part = parts.get(book.name, Part(book.name))
        problems = (*submission.problems, *part.problems)
        yield (
            book.name,
            book.node,
            replace(submission, cells=part.cells, problems=problems, parts=()),
        )


def _marked(
    setting: Setting, submission: Submission, sessions: dict[str, NotebookSession]
) -> Marked:
    """Put together what was found in each notebook."""
    lab = setting.lab
    if lab.own is None:
        return sessions[lab.name].result()
    found = {name: session.result() for name, session in sessions.items()}
    known = {one.id: one for marked in found.values() for one in marked.verdict.exercises}
    exercises = tuple(known[exercise.id] for exercise in lab.exercises)
    problems = [one for marked in found.values() for one in marked.verdict.problems]
    verdict = Verdict(
        student=submission.student,
        lab=lab.name,
        status=status_of(problems),
        isolation=setting.launcher.isolation,
        score=total([one.score for one in exercises]),
        max_score=total([one.max_score for one in exercises]),
        problems=tuple(dict.fromkeys(problems)),
        exercises=exercises,
    )
    texts = json.dumps({name: marked.notebook for name, marked in found.items()})
    broken = {check: why for marked in found.values() for check, why in marked.broken.items()}
    met = frozenset[str]().union(*(marked.met for marked in found.values()))
    return Marked(verdict, texts, broken, met)


def helper_sources(root: Path, lab: Lab) -> dict[str, str]:
    """Return the sources of what a lab's checks use in the student's process, by file name."""
    return {path.name: (root / path).read_text("utf-8") for path in lab.helpers}


def _recorded(side: RemoteSide) -> dict[str, Any]:
    """Return what the helpers kept; nothing, if the kernel is gone."""
    try:
        return dict(side.evaluate("all_records()"))
    except (KernelStopped, StudentError, TimeLimit, ProtocolError, ValueFormatError):
        return {}
