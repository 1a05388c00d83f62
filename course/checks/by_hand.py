"""Is an answer written by hand, or does a library's function do the work under another name?"""

from __future__ import annotations

from typing import Any

from proctor.checks import Finding, Side

SOFTMAX = (
    "softmax",
    "softmax_v2",
    "log_softmax",
    "log_softmax_v2",
    "logsumexp",
    "reduce_logsumexp",
)
"""What libraries call the softmax, and what has it inside."""
CONFUSION = ("confusion_matrix", "crosstab")
"""What libraries call the confusion matrix."""


def whole(side: Side, exercise: str, name: str) -> str:
    """Return the code of an answer, `name`, with what it uses of the student's other cells.

    Raises
    ------
    Finding
        If the graded cell cannot be read as Python.
    """
    written = side.written(exercise, name)
    if written is None:
        raise Finding(
            "The cell of this exercise cannot be read as Python, so nobody can see that it is written "
            "by hand.",
            called="(your graded cell)",
            expected="plain Python",
            next="Run the cell by itself, and take out what is not Python.",
        )
    return written


def need_none_called(side: Side, name: str, libraries: tuple[str, ...], *arguments: Any) -> None:
    """Raise :class:`Finding` if the student's function calls one of a library's of these names."""
    called = side.evaluate(
        f"library_calls({name}, names, arguments)",
        names=list(libraries),
        arguments=list(arguments),
    )
    if not isinstance(called, list):
        raise Finding(
            f"What {name} calls could not be seen.", next="Restart the kernel and run all cells."
        )
    if called:
        raise Finding(
            f"{called[0]} does the work here: a library's function is not NumPy by hand.",
            called=f"{name}, and what it calls",
            expected="your own code, written with NumPy",
            got=str(called[0])[:200],
            next="Write it yourself: two or three short lines are enough.",
        )
