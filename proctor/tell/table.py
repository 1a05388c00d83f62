"""The class table that `proctor grade` prints."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from proctor.checks import Lab
from proctor.record.results import ClassData
from proctor.record.run_record import ClassResult
from proctor.tell.attention import attention_lines

SIGNS = {"graded": "✓ graded", "needs_attention": "! look at it", "rejected": "✗ rejected"}


def class_table(lab: Lab, result: ClassResult, data: ClassData) -> RenderableType:
    """Return a table with a line a student, in the gradebook's numbers: exercises, total, status.

    Where a person's marks or penalties make the total another one than marking gave, the automatic
    score stands in a column of its own.
    """
    differ = any(data.score(name) != data.automatic(name) for name in result.verdicts)
    table = Table(title=f"{lab.title}: {len(result.verdicts)} submissions", title_justify="left")
    table.add_column("student", no_wrap=True)
    for exercise in lab.exercises:
        table.add_column(f"{exercise.id}\n/{exercise.points:g}", justify="right", overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    if differ:
        table.add_column("automatic", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for student, verdict in result.verdicts.items():
        entry = data.entries[student]
        scores = [
            f"{data.mark(student, exercise.id):g}{'*' if exercise.id in entry.by_hand else ''}"
            for exercise in lab.exercises
        ]
        totals = [f"{data.score(student):g}", *([f"{verdict.score:g}"] if differ else [])]
        late = ", late" if entry.late else ""
        table.add_row(student, *scores, *totals, f"{SIGNS[verdict.status]}{late}")
    for student in result.missing:
        empty = [""] * (len(lab.exercises) + 1 + differ)
        table.add_row(student, *empty, "– not handed in")
    notes = []
    if any(data.entries[student].by_hand for student in result.verdicts):
        notes.append(Text("* a person's mark; totals are the gradebook's, penalties taken off."))
    elif differ:
        notes.append(Text("Totals are the gradebook's, penalties taken off."))
    summary = Text(f"{result.marked} marked now, {result.kept} kept from before.")
    return Group(table, *notes, summary)


def print_changes(console: Console, result: ClassResult) -> None:
    """Say whose automatic score differs from an earlier marking, and because of which checks."""
    for change in result.changed:
        line = (
            f"{change.student}: {change.before:g} -> {change.after:g}: {', '.join(change.checks)}"
        )
        console.print(Text(line), soft_wrap=True)


def print_attention(console: Console, result: ClassResult, data: ClassData) -> None:
    """Say, in a few lines, what a person has to know and do now."""
    for line in attention_lines(result, data):
        console.print(Text(line), soft_wrap=True)
