"""A student's side inside the test's own process, with the real border between.

:class:`LocalKernel` stands for the kernel: it hands each request to the agent that a real kernel
runs, and every value goes through ``proctor.kernel.check_values`` both ways. What is left out is the process.
"""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from labkit.findings import NotYet
from proctor.checks import Exercise, Lab, Told
from proctor.kernel import agent, check_values
from proctor.kernel.student_side import RemoteSide

ROOT = Path(__file__).resolve().parents[2]


class LocalKernel:
    """Answers as :class:`proctor.kernel.session.StudentKernel` does, without a kernel."""

    def __init__(self, names: dict[str, Any], helpers: dict[str, str]) -> None:
        self.names = names
        codes = [compile(source, name, "exec") for name, source in helpers.items()]
        modules = {name: vars(importlib.import_module(name)) for name in agent.MODULES}
        self.agent = agent._Agent(
            SimpleNamespace(user_ns=names), modules, agent.load("helpers", codes)
        )

    def ask(
        self, request: dict[str, Any], buffers: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[Any]]:
        content, parts = self.agent.answer(request, buffers)
        error = content.get("error")
        if error is not None:
            raise check_values.StudentError(error["type"], error["message"], error["line"])
        return content, list(parts)

    def value(self, tree: Any, parts: list[Any]) -> Any:
        return check_values.decode(tree, parts)


@dataclass
class Classroom:
    """Makes student's sides: the names that the given cells define, and the lab's helpers."""

    lab: Lab
    given: Mapping[str, Any]
    helpers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.helpers = {
            path.name: (ROOT / path).read_text(encoding="utf-8") for path in self.lab.helpers
        }

    def side(self, cells: Mapping[str, str]) -> RemoteSide:
        """Run graded cells (by exercise) in a fresh namespace; one that raises defines nothing."""
        names = dict(self.given)
        kernel = LocalKernel(names, self.helpers)
        for exercise, code in cells.items():
            run_cell(code, names, exercise)
        return RemoteSide(kernel, dict(cells), cells=tuple(cells.values()))  # type: ignore[arg-type]


def in_the_notebook(
    test: Callable[..., None], names: Mapping[str, Any], wanted: str, cells: Iterable[str]
) -> NotYet | None:
    """Run an exercise's check as the notebook does, with the `wanted` of its names; return its finding.

    A name that is missing is explained by the notebook itself: then there is no finding here.
    """
    if not names.keys() >= set(wanted.split()):
        return None
    with patch.dict(vars(sys.modules["__main__"]), {**names, "In": list(cells)}):
        try:
            test(*[names[name] for name in wanted.split()])
        except NotYet as finding:
            return finding
    return None


def run_cell(code: str, names: dict[str, Any], label: str = "cell") -> Exception | None:
    """Run code as a notebook cell would; return what it raised."""
    file = f"/ipykernel_1/{label}-{abs(hash(code))}.py"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    try:
        exec(compile(code, file, "exec"), names)
    except Exception as error:  # noqa: BLE001  a student's cell may raise anything
        return error
    return None


def judge(
    exercise: Exercise, side: RemoteSide, seed: int = 0, until: str = ""
) -> dict[str, Exception | str | None]:
    """Ask the checks of an exercise: None if passed, "skipped", or what it raised.

    All of them, or those up to the one with the id `until`.

    A check that breaks by itself breaks the test: only findings and the student's own exceptions
    are outcomes.
    """
    side.kept.clear()
    outcomes: dict[str, Exception | str | None] = {}
    for check in exercise.checks:
        if any(outcomes.get(need) is not None for need in check.needs):
            outcomes[check.id] = "skipped"
            continue
        side.in_place = check.in_place
        try:
            check.function(side, np.random.default_rng([seed, len(outcomes)]))
        except check_values.StudentError as error:
            outcomes[check.id] = error
        except Exception as error:
            if not isinstance(error, Told):
                raise
            outcomes[check.id] = error
        else:
            outcomes[check.id] = None
        if check.id == until:
            break
    return outcomes


def score(exercise: Exercise, outcomes: Mapping[str, Exception | str | None]) -> float:
    """Points of the checks that passed."""
    return sum(check.points for check in exercise.checks if outcomes[check.id] is None)
