"""The notebook as it was marked: the instructor's cells, the student's code, what came out.

This is what nbgrader keeps under ``autograded/``, shows in formgrader and turns into feedback. Cells
come from the source notebook, so their nbgrader metadata is the instructor's; under each test cell
stands the outcome of every check, as plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from proctor.cells import marking
from proctor.checks import Exercise
from proctor.display_text import Code
from proctor.examine.assemble import Step
from proctor.examine.pictures import Pictures
from proctor.kernel.cell_run import CellRun
from proctor.notebooks import separate
from proctor.plain import plain
from proctor.submission import StudentCell
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
RUBRIC = "rubric-"
"""How the id of a cell begins that only those who mark read."""


def is_extra(id: str) -> bool:
    """Tell whether a cell of such a notebook is one of the student's own further ones."""
    return id.startswith(EXTRA)


def keep_verdict(notebook: NotebookNode, verdict: Verdict) -> None:
    """Put a verdict into a notebook's metadata, but for the name: who sent the same bytes shares it."""
    told = plain(verdict)
    del told["student"]
    notebook.metadata[VERDICT] = told


def executed(
    source: NotebookNode,
    runs: Sequence[tuple[Step, CellRun]],
    verdict: Verdict,
    *,
    exercises: Sequence[Exercise] = (),
    answers: Mapping[str, str | None] | None = None,
    cells: Sequence[StudentCell] = (),
) -> NotebookNode:
    """Return the source notebook with the student's code, outputs and the verdict in it.

    Solutions never appear: a graded cell that the student did not hand in is empty. Code is there as
    far as it is shown; see :mod:`proctor.display_text`.

    Parameters
    ----------
    exercises : sequence of Exercise
        The lab's: a rubric stands above the answer that a person marks by it.
    answers : mapping, optional
        What the student wrote, by exercise.
    cells : sequence of StudentCell
        What was handed in: where a person marks, the student's own text is there too.
    """
    notebook = separate(source)
    # The lexer that is the default, IPython's, takes time in the square of a cell's length.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python"}
    keep_verdict(notebook, verdict)
    own, graded = Code(), Code()  # no cell of the student's own takes the room of a graded one
    pictures = Pictures()
    steps = {step.cell_index: (step, run) for step, run in runs if step.kind != "extra"}
    extras: dict[int, list[tuple[int, NotebookNode]]] = {}
    for step, run in runs:
        if step.kind == "extra":
            code = new_code_cell(own.take(step.source), outputs=pictures.smaller(run.outputs))
            extras.setdefault(step.cell_index, []).append((step.position, code))
    by_person = {one.id: one for one in exercises if one.by == "person"}
    for index, text in own_text(notebook, notebook, cells) if by_person else ():
        written = new_markdown_cell(own.take(text.source), id=f"{OWN_TEXT}{text.position}")
        extras.setdefault(index, []).append((text.position, written))
    results = {exercise.id: exercise for exercise in verdict.exercises}
    known = {cell.id for cell in notebook.cells}
    made: list[NotebookNode] = []
    for index, cell in enumerate(notebook.cells):
        if cell.id in by_person and by_person[cell.id].rubric:
            made.append(_rubric(by_person[cell.id]))
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
        elif nbgrader.get("solution"):
            cell.source = own.take((answers or {}).get(cell.id) or "")
        made.append(cell)
        made.extend(_in_order(extras.get(index, [])))
    made[:0] = _in_order(extras.get(-1, []))
    if verdict.problems:
        made.insert(0, _problems(verdict))
    for number, cell in enumerate(made):
        if cell.id not in known and not cell.id.startswith((OWN_TEXT, RUBRIC)):
            cell.id = f"{EXTRA}{number}"
    notebook.cells = made
    return notebook


def _in_order(cells: list[tuple[int, NotebookNode]]) -> list[NotebookNode]:
    return [cell for _, cell in sorted(cells, key=lambda pair: pair[0])]


def _rubric(exercise: Exercise) -> NotebookNode:
    """Return what a person looks for in an answer, for formgrader alone."""
    lines = [f"- {_as_text(text)}: {points:g}" for text, points in exercise.rubric.items()]
    head = f"**What {_as_text(exercise.title)} is marked by** (no student sees this)"
    return new_markdown_cell("\n".join([head, "", *lines]), id=f"{RUBRIC}{exercise.id}")


def own_text(
    source: NotebookNode, released: NotebookNode, cells: Sequence[StudentCell]
) -> Iterator[tuple[int, StudentCell]]:
    """Yield text of the student's own, and the index of the instructor's cell that it follows.

    Answers to a task stand there; a given text that the student wrote into counts, too.
    """
    given = {_plain(cell.source) for one in (source, released) for cell in one.cells}
    places = {
        id: index
        for index, cell in enumerate(source.cells)
        for id in (cell.get("id", ""), marking(cell.metadata).id)
        if id
    }
    answers = {
        index for index, cell in enumerate(source.cells) if marking(cell.metadata).kind == "manual"
    }
    last = -1
    for cell in cells:
        place = places.get(cell.grade_id, places.get(cell.cell_id, -1))
        last = place if place >= 0 else last
        text = _plain(cell.source)
        if cell.kind == "markdown" and place not in answers and text and text not in given:
            yield last, cell


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


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
    if result.by == "person":
        return f"{result.title}: {person_line(result)}\n"
    lines = [f"{result.title}: {result.score:g} of {result.max_score:g} points", ""]
    for check in result.checks:
        lines += check_lines(check)
    return "\n".join(lines).rstrip() + "\n"


def person_line(result: ExerciseResult) -> str:
    """Say what becomes of an exercise that a person marks."""
    if result.waiting:
        return f"a person marks this ({result.max_score:g} points)"
    return f"there is no answer (of {result.max_score:g} points)"


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
