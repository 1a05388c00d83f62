"""A notebook played in a process of ours: the reference run's student, or the cell as nbgrader runs it.

IPython's own shell runs the cells, without a kernel around it, so that the process has one thread and
can be forked: at each test cell, trials run in forks, and a mutant costs no second run.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import socket
import sys
import types
from typing import Any

import numpy as np
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

from proctor.lift import mutants
from proctor.lift.both_ends import fingerprint
from proctor.lift.cell_code import own_line
from proctor.lift.connection import Line, Server, in_child
from proctor.lift.student_end import Hand, close_figures
from proctor.lift.time_limit import PATIENCE, time_limit

MAX_WATCHED = 20_000_000
"""Largest array whose contents are watched for changes, in bytes."""


class _Shell(InteractiveShell):  # type: ignore[misc]
    system = InteractiveShell.system_raw  # `!command` asks for a terminal, and there is none

    def enable_gui(self, gui: Any = None) -> None:
        """Nothing to do: figures are drawn in memory."""

    def showtraceback(self, *args: Any, **more: Any) -> None:
        """Nothing to do."""

    showsyntaxerror = showtraceback


def shell() -> InteractiveShell:
    """Return IPython's shell without history, as a kernel's behaves."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = (
        "Minimal"  # nobody reads a traceback, and it takes longest of all
    )
    _Shell.clear_instance()
    InteractiveShell.clear_instance()  # the warm parent has one ready for kernels
    made = _Shell.instance(config=config)
    made.run_cell("0", silent=True)  # what the first cells import, no fork has to
    made.InteractiveTB.structured_traceback(ValueError, ValueError(), None)
    made.user_ns["__name__"] = "__main__"
    sys.modules["__main__"] = made.user_module
    return made


class Process(Server):
    """Does what the driver asks; see :class:`proctor.lift.judge_process.Process`."""

    def __init__(self, control: Line) -> None:
        random.seed(0)
        np.random.seed(0)
        super().__init__(control)
        self.shell = shell()
        self.names: dict[str, Any] = self.shell.user_ns
        self.hand = Hand(self.names)
        sys.path.insert(0, "")

    def run(self, source: str, seconds: float) -> dict[str, Any]:
        """Run a cell as a kernel would."""
        printed = io.StringIO()
        result: ExecutionResult | None = None
        error: BaseException | None = None
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                time_limit(seconds),
            ):
                result = self.shell.run_cell(source, store_history=True)
        except BaseException as raised:  # noqa: BLE001  the time is over, or worse
            error = raised
        close_figures()
        if result is not None:
            error = result.error_before_exec or result.error_in_exec
        told = "" if error is None else _told(error)[:1000]
        shown = [] if result is None or result.result is None else [repr(result.result)[:1000]]
        return {"passed": error is None, "error": told, "shown": shown}

    def do_run(self, source: str, seconds: float, watch: bool) -> dict[str, Any]:
        """Run a cell; with `watch`, tell which names it changed."""
        before = self.marks() if watch else {}
        answer = self.run(source, seconds)
        after = self.marks() if watch else {}
        changed = [name for name, mark in after.items() if before.get(name) != mark]
        return {**answer, "changed": changed}

    def do_cell(self, source: str, name: str, seconds: float) -> dict[str, Any]:
        """Run a test cell as the student's process does when it is marked."""
        with time_limit(seconds):
            return self.hand.run_cell(source, name)

    def marks(self) -> dict[str, Any]:
        """What each name holds, in a form that differs when it is changed."""
        skip = {"In", "Out", "get_ipython", "exit", "quit", "open"}
        return {
            name: (id(value), _mark(value))
            for name, value in list(self.names.items())
            if not name.startswith("_") and name not in skip
        }

    def do_trial(self, source: str, seconds: float, mutant: list[str] | None) -> dict[str, Any]:
        """Run a test cell as it is, in a fork."""

        def run() -> dict[str, Any]:
            if mutant:
                mutants.mutate(self.names, *mutant)
            return self.run(source, seconds)

        return in_child(run, PATIENCE * seconds + 5.0)

    def do_kinds(self, names: list[str]) -> dict[str, Any]:
        """Say how each of some objects can be made wrong."""
        return {name: mutants.kinds(self.names[name]) for name in names if name in self.names}

    def do_serve(self, fork: bool, seconds: float, mutant: list[str] | None) -> dict[str, Any]:
        """Answer a judge over the socket that came, here or in a fork."""
        talk = self.control.take_socket()

        def run() -> dict[str, Any]:
            if mutant:
                mutants.mutate(self.names, *mutant)
            with time_limit(seconds):
                self.hand.serve(talk)
            return {}

        try:
            return in_child(run, PATIENCE * seconds + 10.0) if fork else run()
        finally:
            talk.close()


def _told(error: BaseException) -> str:
    """Say what an exception is; of one without words, where the cell raised it."""
    if text := _text(error):
        return f"{type(error).__name__}: {text}"
    line = own_line(error)
    return type(error).__name__ + (f" in `{line[:200]}`" if line else "")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  an exception may do anything
        return ""


def _mark(value: Any) -> Any:
    if isinstance(value, types.ModuleType | types.FunctionType | type):
        return 0
    if getattr(value, "nbytes", 0) is not None and _size(value) > MAX_WATCHED:
        return 0
    with contextlib.suppress(Exception):
        return hash(repr(fingerprint(value, 20_000)))
    return 0


def _size(value: Any) -> int:
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0


def main(control: socket.socket) -> None:
    """Play until the driver has gone."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    Process(Line(control)).serve()
