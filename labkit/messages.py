"""Sentences in place of tracebacks: for what is missing, too old, or was run too early."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from labkit.cell_runs import missed, stopped, unstarted_check, watch_cells
from labkit.findings import UNSTARTED, NotStarted

OLDEST = {"keras": (3, 10), "numpy": (2, 0), "tensorflow": (2, 20)}
"""The oldest versions that the labs were tested with."""


RUN_IT = (
    "Run that cell first, and whatever it asks for; if it was deleted, use Edit > Undo Delete Cells or "
    "take it from a fresh copy of the notebook."
)

exercises: dict[str, str] = {}
given_in: dict[str, str] = {}
"""Which exercise, and which given cell, makes a name: those of the lab at hand."""


class LabError(Exception):
    """Something outside your code is not as the lab needs it; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def use_names(of_exercises: Mapping[str, str], of_given_cells: Mapping[str, str]) -> None:
    """Explain names that are missing by these tables, in this notebook's cells too."""
    for table, names in ((exercises, of_exercises), (given_in, of_given_cells)):
        table.clear()
        table.update(names)
    explain_missing_names()
    watch_cells()


def where_from(error: BaseException) -> str | None:
    """Say which cell makes the name that a ``NameError`` misses; None for other names or errors."""
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    if not isinstance(name, str):
        return None
    if name in exercises:
        if told := stopped(exercises[name]):
            return told if "not started" in told else f"`{name}` does not exist yet: {told}"
        if told := missed(exercises[name], name):
            return f"`{name}` does not exist yet: {told}"
        return (
            f"`{name}` does not exist yet: {exercises[name]} is not started, or its cell was not run. "
            f"{RUN_IT}"
        )
    if len(name) == 1 and "my_guess" in _line(error):
        return f'A guess is a letter in quotes: my_guess = "{name}".'
    if name in given_in and not _in_a_function(error):
        return f"`{name}` does not exist yet: it comes from {given_in[name]}. {RUN_IT}"
    if name in ("np", "keras", "Sequential", "Dense", "Input", "Image", "Adam", "NotStarted"):
        return f"`{name}` is imported in section 1: run the notebook's first code cell again."
    return None


def _line(error: BaseException) -> str:
    """Return the line of code at which it was raised, as far as it is known."""
    places = traceback.extract_tb(error.__traceback__)
    return str(places[-1].line) if places else ""


def _in_a_function(error: BaseException) -> bool:
    """Tell whether it was raised in a function with a name, where names are usually its own."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and not frames[-1].f_code.co_name.startswith("<")


def explain_missing_names() -> None:
    """Let IPython answer a cell that was run too early with one sentence instead of a traceback."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def explain(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        unstarted = unstarted_check(str(shell.user_ns.get("In", [""])[-1]))
        sentence = where_from(error)
        if unstarted:
            error._render_traceback_ = lambda: [f"… {unstarted}"]
        elif sentence:
            error._render_traceback_ = lambda: [f"✗ {sentence}"]
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((NameError,), explain)


class needs:
    """Run a cell's body only as far as earlier exercises allow, and say so in one sentence.

    NumPy does not warn of 0/0 meanwhile: a blank photograph gives that, and the sentence says so.

    Parameters
    ----------
    *exercises : str
        What the body uses: ``needs("Exercise 2", "Exercise 5")``.
    """

    def __init__(self, *exercises: str) -> None:
        self.exercises = " and ".join(exercises)
        self._quiet = np.errstate(divide="ignore", invalid="ignore")

    def __enter__(self) -> None:
        self._quiet.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._quiet.__exit__(kind, error, trace)
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        if isinstance(error, NotStarted):
            print(f"… {UNSTARTED.format(exercise=error.exercise)}")
        elif isinstance(error, LabError):
            print(f"✗ {error}")
        elif sentence := where_from(error):
            print(f"… {sentence}")
        else:
            print(
                f"✗ This cell needs {self.exercises}, and could not use what came from there "
                f"({kind.__name__}: {first_line(error)}). Run the check of that exercise."
            )
        return True


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no message"


def check_packages(oldest: dict[str, tuple[int, int]] = OLDEST) -> None:
    """Raise :class:`LabError` if a package is missing or too old for the lab."""
    for package, least in oldest.items():
        wanted = ".".join(map(str, least))
        remedy = "Run `pip install -r requirements.txt` in a terminal, then restart the kernel."
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise LabError(f"{package} is not installed. {remedy}") from None
        if tuple(int(n) for n in re.findall(r"\d+", found)[:2]) < least:
            raise LabError(
                f"{package} {found} is too old: the lab needs {wanted} or newer. {remedy}"
            )


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep the start-up notes that TensorFlow writes past Python; show them if the start fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as notes:
        screen = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(screen, notes.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


def why_unusable(error: Exception) -> str:
    """Say why an exercise's function cannot be used, when calling it raised `error`."""
    if isinstance(error, NotStarted):
        return "it is not finished yet"
    return where_from(error) or f"it raises {type(error).__name__}"
