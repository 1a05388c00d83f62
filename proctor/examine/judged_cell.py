"""A kernel as a judge needs it, and what a test cell that was judged shows in a notebook."""

from __future__ import annotations

import re
import socket
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from proctor.errors import ProtocolError
from proctor.kernel.outputs import clean
from proctor.kernel.session import StudentKernel
from proctor.lift import Outcome
from proctor.ordinary import OrdinaryCell

MAX_PART = 2_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class KernelSide:
    """A kernel, as a judge needs it."""

    def __init__(self, kernel: StudentKernel) -> None:
        self.kernel = kernel

    def connect(self) -> socket.socket:
        """Take the line on which the kernel answers."""
        return self.kernel.hand_over()

    def serve(self) -> None:
        """Have it answer the judge."""
        self.kernel.order({"op": "serve"})

    def run_cell(self, source: str, name: str) -> dict[str, Any]:
        """Run a test cell in the kernel."""
        content, parts = self.kernel.order({"op": "cell", "source": source, "file": name})
        told = self.kernel.value(content.get("value"), parts)
        if not isinstance(told, dict):
            raise ProtocolError("the kernel does not say how the cell ended")
        return told


def credit(shown: str | None, points: float) -> float:
    """Return what a cell that ran to its end earns: a number as its last value is partial credit.

    nbgrader's rule, but for a number above the cell's points, at which nbgrader stops: all of them.
    """
    if shown is None or not _NUMBER.fullmatch(shown.strip()):
        return points
    value = float(shown)
    return round(value, 6) if 0 <= value <= points else points


def test_outputs(cell: OrdinaryCell, outcome: Outcome | None) -> list[NotebookNode]:
    """Return a test cell's outputs as a notebook has them: nbgrader's own rule gives the same points."""
    if not cell.source.strip():
        return []
    if outcome is None:
        return [_error("NotReached", "This test was not reached.")]
    outputs: list[NotebookNode] = []
    if outcome.printed:
        outputs.append(new_output("stream", name="stdout", text=clean(outcome.printed, 100_000)))
    if outcome.passed:
        if outcome.shown is not None:
            data = {"text/plain": clean(outcome.shown, 1000)}
            outputs.append(new_output("execute_result", data=data, execution_count=None))
        return outputs
    name = outcome.type or {"time": "TimeLimit", "refused": "NotJudged"}.get(outcome.ended, "Error")
    return [*outputs, _error(name, outcome.message)]


def _error(name: str, message: str) -> NotebookNode:
    name, message = clean(name, 200), clean(message, MAX_PART)
    lines = [f"{name}: {message}" if message else name]
    return new_output("error", ename=name, evalue=message, traceback=lines)
