"""The class table that `proctor grade` prints."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from proctor.checks import Lab
from proctor.record.run_record import ClassResult
from proctor.tell.itemstats import not_started
from proctor.verdict import Verdict

SIGNS = {"graded": "✓ graded", "needs_attention": "! look at it", "rejected": "✗ rejected"}


def class_table(lab: Lab, result: ClassResult) -> RenderableType:
    """Return a table with a line a student: exercises, total, status; and what needs attention."""
    table = Table(title=f"{lab.title}: {len(result.verdicts)} submissions", title_justify="left")
    table.add_column("student", no_wrap=True)
    for exercise in lab.exercises:
        table.add_column(f"{exercise.id}\n/{exercise.points:g}", justify="right", overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for student, verdict in result.verdicts.items():
        scores = [f"{exercise.score:g}" for exercise in verdict.exercises]
        table.add_row(student, *scores, f"{verdict.score:g}", SIGNS[verdict.status])
    for student in result.missing:
        table.add_row(student, *("" for _ in lab.exercises), "", "– not handed in")
    lines = [_attention(student, verdict) for student, verdict in result.verdicts.items()]
    notes = [Text(line) for line in lines if line]
    notes += [
        Text(f"The check '{check}' is broken and withdrawn ({error}). Mend it and mark again.")
        for check, error in sorted(result.broken.items())
    ]
    notes += [
        Text(
            f"The check '{check}' raised on a submission ({error}), though not on the solution. Look at "
            "the submission, and make the check bear such an answer."
        )
        for check, error in sorted(result.unjudged.items())
    ]
    untouched = [name for name, verdict in result.verdicts.items() if not_started(verdict)]
    if untouched:
        notes.append(Text(f"Handed in an untouched notebook: {', '.join(untouched)}"))
    summary = Text(f"{result.marked} marked now, {result.kept} kept from before.")
    return Group(table, *notes, summary)


def _attention(student: str, verdict: Verdict) -> str:
    if verdict.status == "graded":
        return ""
    reasons = " ".join(problem.message for problem in verdict.problems if problem.attention)
    return f"{student}: {reasons}"


def print_changes(console: Console, result: ClassResult, explain: bool) -> None:
    """Say whose score differs from an earlier marking, and with `explain` because of which checks."""
    for change in result.changed:
        why = f": {', '.join(change.checks)}" if explain else ""
        console.print(f"{change.student}: {change.before:g} -> {change.after:g}{why}")
