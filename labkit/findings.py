"""How a finding is told: what a check that does not pass says, and what an empty cell says."""

from __future__ import annotations

import linecache
import re
import sys
from typing import Protocol, runtime_checkable

from labkit.exercises import MARKERS, TITLES


class NotStarted(NotImplementedError):
    """Raised by a graded cell that nobody has filled in; it names the exercise by itself."""

    def __init__(self, *_: object) -> None:
        self.exercise = _exercise_of(sys._getframe(1).f_code.co_filename)
        super().__init__(
            f"{self.exercise} is not started yet. Write your code between START CODE HERE and "
            "END CODE HERE in place of `raise NotStarted`, then run the cell again."
        )

    def _render_traceback_(self) -> list[str]:
        return [f"… {self}"]


def _exercise_of(filename: str) -> str:
    """Name the exercise whose graded cell has the source file `filename`."""
    source = "".join(linecache.getlines(filename))
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

    def __str__(self) -> str:
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
