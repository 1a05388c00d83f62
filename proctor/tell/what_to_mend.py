"""What a feedback page says on top: each exercise with its faults, and which of them to mend first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from proctor.record.person_marks import ByHand
from proctor.tell.given_text import comment_html
from proctor.verdict import CheckResult, ExerciseResult, Verdict

GRAVE = 0.25
"""Share of an exercise's points whose loss makes it worth mending before smaller things."""
MOST_NEXT = 3
"""Most exercises that are named after the one to mend first."""


@dataclass(frozen=True)
class Fault:
    """Checks of one exercise that did not pass for one and the same reason."""

    checks: tuple[CheckResult, ...]

    @property
    def cause(self) -> str:
        """The likely cause; every check that did not pass has one."""
        return self.checks[0].cause or "It did not pass."

    @property
    def next(self) -> str:
        """What to do next; empty if nothing is known."""
        return self.checks[0].next

    @property
    def points(self) -> float:
        """What mending it can earn, at least."""
        return sum(check.max_points for check in self.checks)


@dataclass(frozen=True)
class Told:
    """An exercise as its line on top tells it.

    Attributes
    ----------
    score : float
        The final points: a person's where a person gave them.
    by_hand : bool
        Whether they are a person's.
    line : str
        Id of this line; no cell's id has a dot.
    place : str
        Id of its cell on the page; empty if it is not there.
    """

    of: ExerciseResult
    score: float
    by_hand: bool
    faults: tuple[Fault, ...]
    line: str
    place: str = ""
    comment: str = ""

    @property
    def name(self) -> str:
        """How findings call it: "Exercise 2" of "Exercise 2, model"."""
        return self.of.title.partition(",")[0]

    @property
    def waits(self) -> bool:
        """Whether a person has still to give the points."""
        return self.of.waiting and not self.by_hand

    @property
    def passed(self) -> list[CheckResult]:
        """The checks that passed."""
        return [check for check in self.of.checks if check.passed]

    @property
    def lost(self) -> float:
        """Points that are missing to all of this exercise's."""
        return max(0.0, self.of.max_score - self.score)

    @property
    def skipped(self) -> int:
        """How many checks were not asked because another one comes first."""
        return sum(check.skipped for check in self.of.checks)

    @property
    def why_skipped(self) -> str:
        """Why nothing was asked, where that is all there is to say; else empty."""
        unasked = [check.cause for check in self.of.checks if check.skipped]
        return unasked[0] if unasked and not self.faults else ""

    @property
    def state(self) -> str:
        """``whole``, ``part`` or ``none``, by its points; ``waits`` where a person gives them."""
        if self.waits:
            return "waits"
        if self.score >= self.of.max_score:
            return "whole"
        return "part" if self.score > 0 else "none"


def told_of(verdict: Verdict, hand: ByHand, places: set[str]) -> list[Told]:
    return [
        Told(
            of=one,
            score=hand.marks.get(one.grade_cell, one.score),
            by_hand=one.grade_cell in hand.marks,
            faults=tuple(_faults(one.checks)),
            line=f"told.{number}",
            place=one.id if one.id in places else "",
            comment=comment_html(hand.comments[one.id]) if one.id in hand.comments else "",
        )
        for number, one in enumerate(verdict.exercises, 1)
    ]


def plan(told: Iterable[Told]) -> dict[str, Any]:
    """Return what to mend first, what after that, what could not be asked, and what else there is.

    Exercises build on those before them, so that the first one in their order comes first; but not one that
    lacks a trifle before one that lacks much, unless what is found there begins with the other's name.
    """
    faulty = [one for one in told if one.faults and one.lost]
    grave = (one for one in faulty if one.lost >= GRAVE * one.of.max_score)
    first = next(grave, faulty[0] if faulty else None)
    if first is not None:
        first = _blamed(first, faulty) or first

    def weight(one: Told) -> float:
        return one.lost + sum(other.lost for other in faulty if _blamed(other, faulty) is one)

    others = sorted((one for one in faulty if one is not first), key=lambda one: -weight(one))
    rest = others[MOST_NEXT:]
    return {
        "first": first,
        "unasked": next((one for one in told if one.skipped and one.lost), None),
        "then": others[:MOST_NEXT],
        "more": len(rest),
        "more_points": sum(one.lost for one in rest),
    }


def _blamed(one: Told, faulty: Iterable[Told]) -> Told | None:
    """Return the exercise with whose name begins what was found first in this one."""
    cause = one.faults[0].cause
    return next((other for other in faulty if cause.startswith(f"{other.name} ")), None)


def _faults(checks: Iterable[CheckResult]) -> Iterator[Fault]:
    """Put checks that failed for the same reason together, in the order of the first of each."""
    found: dict[tuple[str, str], list[CheckResult]] = {}
    for check in checks:
        if not check.passed and not check.skipped:
            found.setdefault((check.cause, check.next), []).append(check)
    return (Fault(tuple(members)) for members in found.values())
