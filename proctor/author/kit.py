"""What the checks of a lab and its students share: copied into each lab that releases it.

`proctor build` writes it beside the notebook as ``proctor_kit.py``. It needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Callable


class NotStarted(Exception):
    """The cell still holds the line that stands for your code."""


class Finding(AssertionError):
    """Something is not right yet: what was called, expected and got, the likely cause, what to do next."""

    def __init__(
        self, cause: str, called: str = "", expected: str = "", got: str = "", next: str = ""
    ) -> None:
        self.cause, self.called, self.expected = cause, called, expected
        self.got, self.next = got, next
        parts = (("Called", called), ("Expected", expected), ("Got", got), ("Likely", cause))
        lines = [f"  {name:<9} {text}" for name, text in (*parts, ("Next", next)) if text]
        super().__init__("\n" + "\n".join(lines))


def run(*checks: tuple[str, Callable[[], object]]) -> None:
    """Run an exercise's public checks and say what each found.

    Parameters
    ----------
    *checks : (str, callable)
        A title, and a function without arguments that raises `Finding`.

    Raises
    ------
    Finding
        The first, once all have been run.
    """
    first: Finding | None = None
    for title, check in checks:
        try:
            check()
        except Finding as finding:
            print(f"✗ NOT YET  {title}{finding}")
            first = first or finding
        else:
            print(f"✓ PASSED   {title}")
    if first is not None:
        raise first
