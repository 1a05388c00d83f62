"""Feedback as plain text, short enough for an e-mail: the points, and what to do about the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from proctor.checks import Lab
from proctor.examine.autograded import person_line
from proctor.verdict import CheckResult, Verdict

WIDTH = 72
"""Columns; mail programs break longer lines (RFC 3676 suggests at most 78)."""
PARTS = (("called", "Called"), ("expected", "Expected"), ("got", "Got"), ("next", "Next"))
LONGEST = 300
"""Most characters of one part; the page has the rest."""


def feedback_text(
    lab: Lab,
    verdict: Verdict,
    name: str = "",
    final: float | None = None,
    given: Mapping[str, float] | None = None,
    penalty: float = 0.0,
    comments: Mapping[str, str] | None = None,
) -> str:
    """Return a student's feedback as text.

    Parameters
    ----------
    name : str
        How to address the student; default the id.
    final : float, optional
        The gradebook's score, where a person or a late penalty changed it.
    given : mapping of str to float, optional
        Points that a person gave, by exercise.
    penalty : float
        Points that are taken off because it came late.
    comments : mapping of str to str, optional
        What a person wrote, by cell.
    """
    said_by_person = dict(comments or {})
    score = verdict.score if final is None else final
    lines = [
        f"{lab.title}: {score:g} of {verdict.max_score:g} points",
        f"for {name or verdict.student}",
        "",
    ]
    if score != verdict.score or given or penalty:
        said = f"The automatic marking gave {verdict.score:g}."
        said += " A person gave marks too." if given else ""
        said += f" Late: {penalty:g} {'point' if penalty == 1 else 'points'} less." * bool(penalty)
        lines += [*_wrap(said), ""]
    for problem in verdict.problems:
        lines += [*_wrap(f"! {problem.message}", "  "), ""]
    if verdict.status != "rejected":
        for exercise in verdict.exercises:
            if exercise.by == "person":
                points = (given or {}).get(exercise.id)
                said = person_line(exercise)
                if points is not None:
                    said = f"{points:g} of {exercise.max_score:g}, given by a person"
                lines += [f"{exercise.title}: {said}"]
                lines += [*_comments(exercise.id, said_by_person), ""]
                continue
            points = (given or {}).get(exercise.id, exercise.score)
            by = f", given by a person (automatic: {exercise.score:g})" * (
                exercise.id in (given or {})
            )
            lines.append(f"{exercise.title}: {points:g} of {exercise.max_score:g}{by}")
            open_ = [check for check in exercise.checks if not check.passed]
            asked = [check for check in open_ if not check.skipped]
            for check in asked:
                lines += _check(check)
            skipped = len(open_) - len(asked)
            if skipped:
                word = "check was" if skipped == 1 else "checks were"
                lines.append(f"  - {skipped} more {word} not asked because of that.")
            lines += [*_comments(exercise.id, said_by_person), ""]
    for text in said_by_person.values():
        lines += [*_wrap(f"A comment from your instructor: {text}", "  "), ""]
    return "\n".join(lines).rstrip() + "\n"


def _comments(exercise: str, comments: dict[str, str]) -> list[str]:
    """Take out the comments on an exercise's answer and on its test, as lines."""
    texts = [comments.pop(id) for id in (exercise, f"test_{exercise}") if id in comments]
    return [
        line
        for text in texts
        for line in _wrap(f"  A comment from your instructor: {text}", "    ")
    ]


def _check(check: CheckResult) -> list[str]:
    """Return the lines on a check that did not pass."""
    lines = _wrap(f"  x {check.title} ({check.max_points:g}): {check.cause}", "    ")
    for part, word in PARTS:
        text = getattr(check, part)
        if text:
            lines += _wrap(f"    {word}: {_short(text)}", "      ")
    return lines


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, drop_whitespace=True, replace_whitespace=True
    )
