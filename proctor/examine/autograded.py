"""The notebook as it was marked: the instructor's cells, the student's code, what came out.

This is what nbgrader keeps under ``autograded/``, shows in formgrader and turns into feedback. Cells
come from the source notebook, so their nbgrader metadata is the instructor's; under each test cell
stands the outcome of every check, as plain text.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from proctor.examine.assemble import Step
from proctor.examine.pictures import Pictures
from proctor.kernel.session import CellRun
from proctor.shown import Code
from proctor.verdict import CheckResult, ExerciseResult, Verdict

VERDICT = "proctor"
"""Where the notebook's metadata keeps the verdict, so that its page can be made from it alone."""
PART_NAMES = (
    ("called", "Called"),
    ("expected", "Expected"),
    ("got", "Got"),
    ("cause", "Likely"),
    ("next", "Next"),
)


EXTRA = "extra-"
"""How the ids of the student's own further cells begin."""
OWN_TEXT = "own-text-"
"""How the ids of the student's own text begin, in an assignment where that can be an answer."""


def is_extra(id: str) -> bool:
    """Tell whether a cell of such a notebook is one of the student's own further ones."""
    return id.startswith(EXTRA)


def executed(
    source: NotebookNode, runs: Sequence[tuple[Step, CellRun]], verdict: Verdict
) -> NotebookNode:
    """Return the source notebook with the student's code, outputs and the verdict in it.

    Solutions never appear: a graded cell that the student did not hand in is empty. Code is there as
    far as it is shown; see :mod:`proctor.shown`.
    """
    notebook = copy.deepcopy(source)
    # The lexer that is the default, IPython's, takes time in the square of a cell's length.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python"}
    told = asdict(verdict)
    del told["student"]  # who sent the same bytes shares the notebook
    notebook.metadata[VERDICT] = told
    own, graded = Code(), Code()  # no cell of the student's own takes the room of a graded one
    pictures = Pictures()
    steps = {step.cell_index: (step, run) for step, run in runs if step.kind != "extra"}
    extras: dict[int, list[NotebookNode]] = {}
    for step, run in runs:
        if step.kind == "extra":
            extras.setdefault(step.cell_index, []).append(
                new_code_cell(own.take(step.source), outputs=pictures.smaller(run.outputs))
            )
    results = {exercise.id: exercise for exercise in verdict.exercises}
    known = {cell.id for cell in notebook.cells}
    cells: list[NotebookNode] = []
    for index, cell in enumerate(notebook.cells):
        nbgrader = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if nbgrader.get("solution"):
                cell.source = ""
            if index in steps:
                step, run = steps[index]
                cell.outputs = pictures.smaller(run.outputs)
                cell.source = step.source if step.kind == "given" else graded.take(step.source)
            if nbgrader.get("grade") and (result := results.get(cell.id.removeprefix("test_"))):
                cell.outputs = [_text(exercise_text(result))]
                cell.metadata["title"] = result.title
        cells.append(cell)
        cells.extend(extras.get(index, []))
    cells[:0] = extras.get(-1, [])
    if verdict.problems:
        cells.insert(0, _problems(verdict))
    for number, cell in enumerate(cells):
        if cell.id not in known:
            cell.id = f"{EXTRA}{number}"
    notebook.cells = cells
    return notebook


def _text(text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stdout", text=text)


def _problems(verdict: Verdict) -> NotebookNode:
    lines = [f"- {_as_text(problem.message)}" for problem in verdict.problems]
    return new_markdown_cell("**About your submission**\n\n" + "\n".join(lines))


def _as_text(message: str) -> str:
    """Write a message so that Markdown, HTML and MathJax show it as it is: it may quote a student.

    MathJax reads the finished page, so what it acts on is shown by characters that look alike.
    """
    line = " ".join(message.split()).translate(_MATHS)
    return "".join(f"&#{ord(c)};" if c in _MARKUP else c for c in line)


_MATHS = str.maketrans("$\\", "\uff04\uff3c")
_MARKUP = set("&<>[]`*~|")


def exercise_text(result: ExerciseResult) -> str:
    """Return the outcome of an exercise as text: one line a check, and what a failed one found."""
    lines = [f"{result.title}: {result.score:g} of {result.max_score:g} points", ""]
    for check in result.checks:
        lines += check_lines(check)
    return "\n".join(lines).rstrip() + "\n"


def check_lines(check: CheckResult) -> list[str]:
    """Return the lines that tell one check's outcome, with a sign that needs no colour."""
    sign = "✓ passed " if check.passed else ("– skipped" if check.skipped else "✗ not yet")
    hidden = " (hidden check)" if check.hidden else ""
    lines = [f"{sign}  {check.points:g}/{check.max_points:g}  {check.title}{hidden}"]
    if not check.passed:
        for part, name in PART_NAMES:
            text = getattr(check, part)
            if text:
                first, *rest = text.splitlines()
                lines.append(f"             {name:<9} {first}")
                lines += [f"             {'':<9} {line}" for line in rest]
    elif check.cause:
        lines.append(f"             {check.cause}")
    return lines
