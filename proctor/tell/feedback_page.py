"""The feedback page: one file, offline, without a script, made from the notebook as it was marked.

On top the score, what to mend first, and each exercise with what passed, what did not and why; below,
the student's own cells with what they put out and the checks beside them; what was given is folded
away. All that came from a student is text here, bounded in length.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from proctor.examine.autograded import OWN_TEXT, RUBRIC, VERDICT
from proctor.policy import Told as ToldOfHidden
from proctor.policy import shown
from proctor.record.person_marks import ByHand
from proctor.tell.cell_outputs import Room, Shown
from proctor.tell.code_colours import coloured
from proctor.tell.given_text import comment_html, given_html
from proctor.tell.what_to_mend import Told, plan, told_of
from proctor.verdict import Verdict

Cell = Mapping[str, Any]
MAX_ANSWER = 50_000
"""Longest written answer that is shown, in characters."""


@dataclass(frozen=True)
class Part:
    """A stretch of the notebook: a cell of the student's, or a run of given ones, folded."""

    kind: str
    id: str = ""
    code: str = ""
    outputs: tuple[Shown, ...] = ()
    comment: str = ""
    inner: tuple[Part, ...] = ()


@dataclass
class Group:
    """What belongs to one exercise below: its cells, and the checks beside them."""

    parts: list[Part] = field(default_factory=list)
    told: Told | None = None


def feedback_page(
    notebook: Mapping[str, Any],
    student: str,
    by_hand: ByHand | None = None,
    told_of_hidden: ToldOfHidden = "cause",
    note: str = "",
) -> str:
    """Return a student's page as HTML.

    Parameters
    ----------
    notebook : mapping
        The notebook as it was marked (:func:`proctor.examine.autograded.executed`), in nbformat's JSON.
    student : str
        The student's id.
    by_hand : ByHand, optional
        What the gradebook adds.
    told_of_hidden : {"title", "cause"}
        What a hidden check that did not pass says.
    note : str
        A sentence to stand under the score.
    """
    kept = read_verdict(notebook, student)
    assert kept is not None, "the caller has looked"
    verdict = shown(kept, told_of_hidden)
    hand = by_hand or ByHand(score=verdict.score)
    cells = notebook["cells"]
    told = told_of(verdict, hand, {str(cell.get("id", "")) for cell in cells})
    rejected = verdict.status == "rejected"
    ordinary = any(one.notebook for one in verdict.exercises)
    explained = not any(one.notebook and not one.cell for one in verdict.exercises)
    return _template().render(
        lab=_title(cells) or verdict.lab,
        verdict=verdict,
        name=hand.name,
        # A notebook of several tells its own points.
        score=sum(one.score for one in told) if ordinary else hand.score,
        penalty=hand.penalty,
        by_hand=bool(hand.marks),
        told=told,
        waiting=sum(one.of.max_score for one in told if one.waits),
        told_of_hidden=told_of_hidden,
        note=note,
        rejected=rejected,
        explained=explained,
        **plan(told),
        groups=[] if rejected else list(_groups(cells, told, hand.comments)),
        comments=[comment_html(text) for _, text in sorted(hand.comments.items())],
    )


def read_verdict(notebook: Mapping[str, Any], student: str) -> Verdict | None:
    """Return the verdict that is kept in a notebook as it was marked; None if there is none."""
    data = notebook.get("metadata", {}).get(VERDICT)
    return Verdict.from_dict({**data, "student": student}) if data else None


def _groups(
    cells: Iterable[Cell], told: list[Told], comments: Mapping[str, str]
) -> Iterator[Group]:
    """Cut the notebook after each exercise's last cell; what was given comes in folded runs.

    The last cell is the test, or the answer itself where a person reads it.
    """
    exercises = {one.of.id: one for one in told}
    room, group, given = Room(), Group(), list[Part]()

    def fold() -> None:
        if given:
            group.parts.append(Part("given", inner=tuple(given)))
            given.clear()

    for cell in cells:
        role, id = _role(cell), str(cell.get("id", ""))
        source = _source(cell)
        comment = comment_html(comments[id]) if id in comments else ""
        if role == "answer":
            fold()
            text = html.escape(source[:MAX_ANSWER], quote=False)
            group.parts.append(Part("answer", id, text, comment=comment))
        elif role in ("own", "graded"):
            fold()
            outputs = tuple(room.take(cell.get("outputs", ())))
            group.parts.append(Part(role, id, coloured(source), outputs, comment))
        if role in ("answer", "graded") and id in exercises and exercises[id].of.by == "person":
            group.told = exercises[id]
            yield group
            group = Group()
        elif role == "test":
            fold()
            grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", id)
            group.told = exercises.get(grade_id) or exercises.get(id.removeprefix("test_"))
            yield group
            group = Group()
        elif role == "text":
            given.append(Part("text", id, given_html(source), comment=comment))
        elif role == "code":
            outputs = tuple(room.take(cell.get("outputs", ())))
            given.append(Part("code", id, coloured(source), outputs))
    fold()
    if group.parts:
        yield group


def _role(cell: Cell) -> str:
    """Return what a cell of the notebook as it was marked is, by the instructor's metadata."""
    nbgrader = cell.get("metadata", {}).get("nbgrader", {})
    added = str(cell.get("id", "")).startswith("extra-") and not nbgrader
    if cell.get("cell_type") == "markdown" and (
        nbgrader.get("solution") or str(cell.get("id", "")).startswith(OWN_TEXT)
    ):
        return "answer"
    if cell.get("cell_type") == "markdown":
        hidden = added or str(cell.get("id", "")).startswith(RUBRIC)
        return "not shown" if hidden else "text"
    if cell.get("cell_type") != "code":
        return "raw"
    if nbgrader.get("solution"):
        return "graded"
    if nbgrader.get("grade"):
        return "test"
    return "own" if added else "code"


def _source(cell: Cell) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _title(cells: Iterable[Cell]) -> str:
    """Return the notebook's first heading."""
    for cell in cells:
        if _role(cell) == "text" and (found := re.match(r"#\s+(.+)", _source(cell))):
            return found[1].strip()
    return ""


# --- Words and numbers --------------------------------------------------------------------------


@lru_cache(1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("proctor.tell"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"n": _number, "prose": prose}
    return environment.get_template("feedback.html")


def _number(value: float) -> str:
    """At most two decimal places, none that are 0."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def prose(text: str) -> Markup:
    """Return a sentence as HTML: what stands between backticks is code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text, quote=False)))
