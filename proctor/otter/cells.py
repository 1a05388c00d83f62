"""The cells that a question of otter's becomes: where a student answers, and what tests it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from proctor.otter.text import with_regions

INCLUDE = "otter_include"


@dataclass
class Case:
    """A test case: its cell's code after its configuration, and what the notebook shows under it."""

    source: str
    output: tuple[str, str]
    ran: bool
    number: int
    hidden: bool = False
    points: float | None = None
    failure: str = ""


@dataclass
class Question:
    """A question: its settings, its prompt, the answers in it and its test cases."""

    name: str
    number: int
    settings: dict[str, Any]
    prompt: list[NotebookNode] = field(default_factory=list)
    answers: list[NotebookNode] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    @property
    def manual(self) -> bool:
        """Whether a person marks it."""
        return self.settings.get("manual") is True


def answers(question: Question) -> Iterator[NotebookNode]:
    """Write the cells in which a student answers a question."""
    first = (question.answers or question.prompt or [None])[0]
    if question.manual and (first is None or first.cell_type != "code"):
        prompt = "\n\n".join(str(cell.source) for cell in question.prompt)
        text = "\n\n".join(str(cell.source) for cell in question.answers)
        source = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        yield _marked(
            new_markdown_cell(f"{prompt}\n\n{source}" if prompt else source),
            question.name, solution=True, grade=True, points=_manual_points(question),
        )  # fmt: skip
        return
    code = [cell for cell in question.answers if cell.cell_type == "code"]
    number = 0
    for cell in question.answers:
        if cell.cell_type != "code":
            if INCLUDE in cell.metadata.get("tags", ()):
                yield new_markdown_cell(cell.source)
            continue
        source = with_regions(str(cell.source))
        by_person = question.manual and cell is code[-1]
        if source == cell.source and not by_person:  # nothing of it is taken out: it is given
            yield new_code_cell(source)
            continue
        number += 1
        id = question.name if number == 1 else f"{question.name}-{number}"
        points = _manual_points(question) if by_person else None
        yield _marked(new_code_cell(source), id, solution=True, grade=by_person, points=points)


def _manual_points(question: Question) -> float:
    points = question.settings.get("points")
    points = sum(points) if isinstance(points, list) else points
    if question.cases:  # they earn the points
        return 0.0
    return float(points) if isinstance(points, int | float) else 1.0


def test_cell(id: str, source: str, points: float) -> NotebookNode:
    return _marked(new_code_cell(source), id, grade=True, locked=True, points=round(points, 6))


def _marked(cell: NotebookNode, id: str, **marks: Any) -> NotebookNode:
    fields = {"schema_version": 3, "grade_id": id, "grade": False, "solution": False}
    fields |= {"locked": False, "task": False} | marks
    if fields.get("points") is None:
        fields.pop("points", None)
    cell.metadata["nbgrader"] = fields
    return cell
