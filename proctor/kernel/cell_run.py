"""What comes of running a cell or asking a question, and how either ends early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nbformat import NotebookNode
from nbformat.v4 import new_output

from proctor.kernel.check_values import StudentError
from proctor.kernel.time_limits import Exceeded

MAX_CODE = 500_000
"""Longest cell that is run, in characters: IPython takes minutes to read one of a megabyte that is no
Python, and people's own cells reach a few thousand."""
MISUSED = (
    "bad-message",
    "Your notebook's process sent messages that no notebook sends, so what came after them could not "
    "be marked.",
)
"""Code and sentence for whoever breaks the rules of talking with the examiner, however it shows."""
Met = Exceeded | Literal["machine"]
"""What a result rests on beside the notebook: a limit, or something that happened to the machine."""


class KernelStopped(Exception):
    """The kernel is gone; nothing more can be asked of it.

    Attributes
    ----------
    code, message : str
        Short name and one sentence.
    by : {"", "cpu", "idle", "wall", "machine"}
        What it rests on, if that is a limit of time or lies outside the notebook.
    """

    def __init__(self, code: str, message: str, by: Met = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.by = by


class TimeLimit(Exception):
    """The student's code ran longer than a cell or a check may; the kernel lives on.

    Attributes
    ----------
    by : {"cpu", "idle", "wall"}
        What the limit was exceeded by.
    """

    def __init__(self, by: Exceeded) -> None:
        super().__init__(f"no answer within the limit ({by})")
        self.by = by


@dataclass
class CellRun:
    """What came of running one cell.

    Attributes
    ----------
    outputs : list of NotebookNode
        nbformat outputs, in safe forms only.
    error : StudentError or None
        What the cell raised.
    stopped_by : {"", "cpu", "idle", "wall"}
        By what it exceeded its limit, if it was interrupted for that.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    error: StudentError | None = None
    stopped_by: Exceeded = ""


def too_long(source: str) -> CellRun:
    """Return what comes of a cell that is not run."""
    name = "CodeTooLong"
    message = (
        f"The cell holds {len(source):,} characters of code; more than {MAX_CODE:,} are not run."
    )
    shown = new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
    return CellRun([shown], StudentError(name, message))
