"""How graded cells were last run in this notebook, so that no check judges what an earlier run left."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from labkit.cell_code import model_trouble, names_made, names_used, parsed
from labkit.exercises import MARKERS, TESTS, TITLES
from labkit.findings import NOT_STARTED, UNSTARTED, NotStarted, NotYet, touched


class Run(NamedTuple):
    """A graded cell's last run: its text, what it raised, and when."""

    source: str
    error: BaseException | None
    at: float


runs: dict[str, Run] = {}
"""By the exercise's id; only what was run since the lab's first cell."""


def exercise_in(source: str) -> str | None:
    """Return the exercise whose graded cell this is, by the marker at the beginning of a line."""
    for marker, exercise in MARKERS.items():
        if re.search(rf"^# *{marker}\b", source, re.MULTILINE):
            return exercise
    return None


def note(result: Any) -> None:
    """Keep how a cell was run: IPython's result of it."""
    source = str(getattr(result.info, "raw_cell", ""))
    exercise = exercise_in(source)
    if exercise:
        runs[exercise] = Run(source, result.error_before_exec or result.error_in_exec, time.time())


def watch_cells() -> None:
    """Have every cell of this notebook noted from now on."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and note not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", note)


def need_fresh(exercise: str, names: Collection[str] = ()) -> None:
    """Raise if what a check would judge is not what the graded cell says now.

    Parameters
    ----------
    exercise : str
        Its id.
    names : collection of str
        What the check looks at; the first is what the cell makes.

    Raises
    ------
    NotYet
        The cell is no Python, is not finished, was changed since it was run, or has nothing to do with
        what would be judged.
    """
    run = runs.get(exercise)
    if run is None:
        return
    if isinstance(run.error, SyntaxError):
        at = f" in line {run.error.lineno}" if run.error.lineno else ""
        raise NotYet(
            f"The graded cell could not be read as Python when it was last run ({run.error.msg}{at}). "
            "Whatever ran before is not what the cell says now.",
            called="(your graded cell)",
            got=type(run.error).__name__,
            next="Correct that line, run the cell, then this check.",
        )
    if isinstance(run.error, NotStarted):
        raise unfilled(str(run.error))
    if newer_text(exercise, run):
        raise NotYet(
            "The graded cell was changed after it was last run: its old text would be judged.",
            called="(your graded cell)",
            next="Run the cell, then this check.",
        )
    if other := made_instead(run, names):
        asked = next(iter(names))
        raise NotYet(
            f"The graded cell makes no `{asked}`: what would be judged is left from an earlier run.",
            called="(your graded cell)",
            expected=f"a cell that makes `{asked}`",
            got=other,
            next=f"Call what the cell makes `{asked}`, run the cell, then this check.",
        )


def made_instead(run: Run, names: Collection[str]) -> str:
    """Say what a cell that ran to its end makes, if none of `names` stands in it; '' otherwise."""
    tree = parsed(run.source)
    made = names_made(run.source)
    if run.error is not None or tree is None or not made or not names:
        return ""
    if {*made, *names_used(tree)} & set(names):
        return ""
    return "a cell that makes " + ", ".join(f"`{name}`" for name in made[:4])


def need_whole_run(exercise: str) -> None:
    """Raise `NotYet` if the cell's last run stopped with an error: something older would be judged."""
    run = runs.get(exercise)
    if run is None or run.error is None:
        return
    cause, then = model_trouble(run.source) or ("", "Correct what the error names.")
    raise NotYet(
        f"The graded cell stopped with {type(run.error).__name__} when it was last run. What would be "
        "judged is what an earlier run left, or what was made before it stopped. "
        f"{cause}".rstrip(),
        called="(your graded cell)",
        got=f"{type(run.error).__name__}: {run.error}".splitlines()[0][:200],
        next=f"{then} Run the cell again, see that it ends without an error, then run this check.",
    )


def stopped(exercise: str) -> str:
    """Say why the cell of an exercise ("Exercise 2") did not run to its end when it last ran, or ''."""
    for id, run in runs.items():
        if run.error is None or TITLES[id].partition(",")[0] != exercise:
            continue
        if isinstance(run.error, NotStarted):
            return UNSTARTED.format(exercise=TITLES[id])
        cause, then = model_trouble(run.source) or (
            f"{type(run.error).__name__}: {getattr(run.error, 'msg', run.error)}".splitlines()[0]
            + ".",
            "Correct that and run the cell again.",
        )
        return f"the cell of {exercise} stopped with an error. {cause} {then}"
    return ""


def missed(exercise: str, name: str) -> str:
    """Say that the cell of an exercise ("Exercise 2") ran, but makes another name; '' otherwise."""
    for id, run in runs.items():
        if TITLES[id].partition(",")[0] == exercise and (other := made_instead(run, [name])):
            return f"{exercise} has {other}. Call it `{name}` and run the cell again."
    return ""


def unfilled(message: str) -> NotYet:
    """Return the finding for a cell that raised :class:`NotStarted`, by its message."""
    if "leftover" in message:
        return NotYet(
            "There is code of yours in this cell, and a leftover `raise NotStarted` that stops it.",
            next="Delete that line, or write the part that it stands for; then run the cell again.",
        )
    finding = NotYet(
        "This exercise is not started yet.",
        next="Write your code between START CODE HERE and END CODE HERE, then rerun.",
    )
    finding.unstarted = True
    other = message.partition(" is not started")[0]
    if other in TITLES.values():
        finding.exercise = other
    return finding


def newer_text(exercise: str, run: Run) -> bool:
    """Tell whether the notebook's file, saved since that run, has another text in the graded cell."""
    main = vars(sys.modules["__main__"])
    named = main.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    path = Path(str(named))
    if path.suffix != ".ipynb":
        return False
    try:
        if path.stat().st_mtime <= run.at:
            return False
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):  # no file, or not the form of a notebook
        return False
    mine = [text for text in texts if exercise_in(text) == exercise]
    return bool(mine) and all(_bare(text) != _bare(run.source) for text in mine)


def _bare(text: str) -> str:
    """Return a text without what an editor may change: blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def unstarted_check(source: str) -> str | None:
    """Say that an exercise is not started, if `source` is the cell of its check."""
    for test, exercise in TESTS.items():
        run = runs.get(exercise)
        if re.search(rf"\b{test}\(", source) and run:
            if isinstance(run.error, NotStarted):
                return str(run.error)
            if "raise NotStarted" in run.source and not touched(run.source):
                return NOT_STARTED.format(exercise=TITLES[exercise])
    return None
