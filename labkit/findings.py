"""How a finding is told: what a check that does not pass says, and what an empty cell says."""

from __future__ import annotations

import linecache
import re
import sys
from typing import Protocol, runtime_checkable

from labkit.exercises import MARKERS, TITLES

NOT_STARTED = (
    "{exercise} is not started yet. Write your code between START CODE HERE and END CODE HERE in place "
    "of `raise NotStarted`, then run the cell again."
)
"""What an empty cell says, and its check."""
UNSTARTED = "{exercise} is not started yet; this cell needs it."
"""What a given cell says that needs it."""


class NotStarted(NotImplementedError):
    """Raised by a graded cell that nobody has filled in; it names the exercise by itself."""

    def __init__(self, *_: object) -> None:
        source = "".join(linecache.getlines(sys._getframe(1).f_code.co_filename))
        self.exercise = _exercise_of(source)
        super().__init__(
            f"{self.exercise}: there is code of yours in this cell, and a leftover `raise NotStarted` "
            "that stops it. Delete that line, or write the part that it stands for; then run the cell "
            "again."
            if touched(source)
            else NOT_STARTED.format(exercise=self.exercise)
        )

    def _render_traceback_(self) -> list[str]:
        return [f"… {self}"]


def touched(source: str) -> bool:
    """Tell whether a graded cell has code of the student's between its marks."""
    for part in re.findall(r"### START CODE HERE ###(.*?)### END CODE HERE ###", source, re.S):
        lines = (line.strip() for line in part.splitlines())
        if any(
            line and line[0] != "#" and not line.startswith("raise NotStarted") for line in lines
        ):
            return True
    return False


def _exercise_of(source: str) -> str:
    """Name the exercise whose graded cell this is."""
    for marker, exercise in MARKERS.items():
        if re.search(rf"{marker}\b", source):
            return TITLES[exercise]
    named = re.search(r"GRADED CELL: *(.+)", source)
    return f"“{named[1].strip()}”" if named else "This exercise"


class NotYet(AssertionError):
    """A check did not pass; what there is to say about it.

    Parameters
    ----------
    cause : str
        The likely cause, in words.
    called, expected, got, next : str
        What was called, what should have come, what came, and what to do next.
    """

    def __init__(
        self, cause: str, *, called: str = "", expected: str = "", got: str = "", next: str = ""
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.called = called
        self.expected = expected
        self.got = got
        self.next = next
        self.heading = ""
        self.unstarted = False
        self.exercise = ""

    def __str__(self) -> str:
        if self.unstarted and self.heading:
            return "… " + NOT_STARTED.format(exercise=self.heading.partition(":")[0])
        parts = {
            "Called": self.called,
            "Expected": self.expected,
            "Got": self.got,
            "Likely": self.cause,
            "Next": self.next,
        }
        lines = [f"✗ NOT YET  {self.heading}".rstrip()]
        lines += [f"  {name:<9} {text}" for name, text in parts.items() if text]
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


@runtime_checkable
class Relayed(Protocol):
    """An exception of the student's code that comes from another process, as names and text."""

    type_name: str
    message: str
    line: str
