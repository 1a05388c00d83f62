"""The class table that `proctor grade` prints."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from proctor.checks import Lab
from proctor.record.read_results import ClassData
from proctor.record.run_record import ClassResult
from proctor.tell.attention import attention_lines
from proctor.tell.judged import judged
from proctor.verdict import Verdict

SIGNS = {"graded": "✓ graded", "needs_attention": "! look at it", "rejected": "✗ rejected"}


def class_table(lab: Lab, result: ClassResult, data: ClassData, console: Console) -> RenderableType:
    """Return a table with a line a student, in the gradebook's numbers: exercises, total, status.

    Where a person's marks or penalties make the total another one than marking gave, the automatic
    score stands in a column of its own. Where the exercises' names do not fit, they are numbered.
    """
    names = [name for name, _ in _columns(lab)]
    table, notes = _table(lab, result, data, names)
    if Measurement.get(console, console.options.update_width(9_999), table).maximum > console.width:
        table, notes = _table(lab, result, data, [str(n) for n, _ in enumerate(names, 1)])
        told = ", ".join(f"{number} {name}" for number, name in enumerate(names, 1))
        notes.insert(0, Text(f"Columns: {told}."))
    return Group(table, *notes)


def _table(
    lab: Lab, result: ClassResult, data: ClassData, names: list[str]
) -> tuple[Table, list[Text]]:
    differ = any(data.score(name) != data.automatic(name) for name in result.verdicts)
    count = len(result.verdicts)
    title = f"{lab.title}: {count} submission{'' if count == 1 else 's'}"
    table = Table(title=title, title_justify="left")
    table.add_column("student", no_wrap=True)
    columns = _columns(lab)
    for name, (_, points) in zip(names, columns, strict=True):
        table.add_column(f"{name}\n/{points:g}", justify="right", overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    if differ:
        table.add_column("automatic", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for student, verdict in result.verdicts.items():
        entry = data.entries[student]
        scores = _scores(lab, verdict, data)
        totals = [f"{data.score(student):g}", *([f"{verdict.score:g}"] if differ else [])]
        late = ", late" if entry.late else ""
        table.add_row(student, *scores, *totals, f"{SIGNS[verdict.status]}{late}")
    for student in result.missing:
        empty = [""] * (len(columns) + 1 + differ)
        table.add_row(student, *empty, "– not handed in")
    notes = []
    if any(data.entries[student].by_hand for student in result.verdicts):
        notes.append(Text("* a person's mark; totals are the gradebook's, penalties taken off."))
    elif differ:
        notes.append(Text("Totals are the gradebook's, penalties taken off."))
    notes += [Text(line) for line in (*_inside(result), *_waiting(result, data))]
    notes.append(Text(f"{result.marked} marked now, {result.kept} kept from before."))
    return table, notes


def _columns(lab: Lab) -> list[tuple[str, float]]:
    """Names and points of the columns: exercises, or an assignment's notebooks."""
    if lab.ordinary is None:
        return [(exercise.id, exercise.points) for exercise in lab.exercises]
    return [(notebook.name, notebook.points) for notebook in lab.ordinary.notebooks]


def _scores(lab: Lab, verdict: Verdict, data: ClassData) -> list[str]:
    by_hand = data.entries[verdict.student].by_hand
    if lab.ordinary is None:
        return [
            f"{data.mark(verdict.student, exercise.id):g}{'*' if exercise.id in by_hand else ''}"
            for exercise in lab.exercises
        ]
    ids = [one.id for one in verdict.exercises]
    columns = []
    for name in lab.ordinary.names:
        inside = [one for one in verdict.exercises if one.notebook == name]
        alone = all(ids.count(one.id) == 1 for one in inside)  # the gradebook's are known by id
        marks = [data.mark(verdict.student, one.id) if alone else one.score for one in inside]
        star = "*" if alone and any(one.id in by_hand for one in inside) else ""
        columns.append(f"{sum(marks):g}{star}")
    return columns


def _inside(result: ClassResult) -> list[str]:
    """Name the test cells that were judged inside the student's process."""
    found = judged(result.verdicts.values())
    if not found.inside:
        return []
    count = len(found.inside)
    cells = "1 test cell was" if count == 1 else f"{count} test cells were"
    return [f"{cells} judged inside the student's process, which could say anything: {found.names}"]


def _waiting(result: ClassResult, data: ClassData) -> list[str]:
    """Say what waits for a person, by the gradebook."""
    waits = {
        student: [one.max_score for one in verdict.exercises if one.waiting]
        for student, verdict in result.verdicts.items()
        if data.entries[student].waiting
    }
    students = sum(bool(points) for points in waits.values())
    if not students:
        return []
    most = max(sum(points) for points in waits.values())
    who = f"{students} student{'' if students == 1 else 's'}"
    verb = "wait" if most != 1 else "waits"
    return [f"{most:g} points of {who} {verb} for a person, in formgrader"]


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
