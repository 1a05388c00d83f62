"""The judge: a disposable process that runs given statements and test cells.

It holds what the course's author wrote, hidden tests among it, and talks to one student's process
over a socket of its own. What an author's cell does to it (patches a library, loops, fills the memory)
costs one submission at most.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import sys
import time
import traceback
import types
from typing import Any

from proctor.lift import by_assertion, name_owners, standin
from proctor.lift.admitted import LostError, RefusedError
from proctor.lift.cell_code import run_source
from proctor.lift.namespace import Namespace
from proctor.lift.surroundings import Main, Shell, display, look_for_sources
from proctor.lift.time_limit import TimeUpError, time_limit

MAX_PRINTED = 2**20
"""Most text of a test cell that is kept for the notebook, in characters."""


class Judge:
    """One submission's judge.

    Attributes
    ----------
    space : Namespace
        Its names.
    dependent : set of str
        Functions of the course's that reach a student's name when they are called.
    """

    def __init__(self) -> None:
        self.space = Namespace()
        self.dependent: set[str] = set()
        dict.update(
            self.space.names,
            __name__="__main__",
            __builtins__=builtins,
            get_ipython=lambda: Shell(self.space),
            display=display,
        )
        sys.modules["__main__"] = Main(self.space.names)
        look_for_sources(self.space)

    # Given code.

    def given(
        self, source: str, name: str, changed: list[str], keep: list[int] | None
    ) -> list[int]:
        """Run a given cell's statements that do not depend on the student.

        Parameters
        ----------
        changed : list of str
            Names that the cell changed in the student's process, in the reference run.
        keep : list of int, optional
            Which statements to run; default: find out.

        Returns
        -------
        list of int
            Which ran.
        """
        tree = name_owners.parse(source)
        if tree is None:
            return []
        _remember(name, source)
        ran = []
        for place, node in enumerate(tree.body):
            bound = name_owners.binds(node) - {"*"}
            if keep is None and self.depends(node):
                self.space.forward(bound | (name_owners.reads(node) & set(changed)))
                continue
            if keep is not None and place not in keep:
                self.space.forward(bound)
                continue
            try:
                self._run_quietly(node, name)
            except BaseException:  # noqa: BLE001  the student's process has what it would have made
                self.space.forward(bound)
                continue
            ran.append(place)
            self._own(node, bound)
        return ran

    def _run_quietly(self, node: ast.stmt, name: str) -> None:
        code = compile(ast.Module([node], []), name, "exec")
        dirty = set(self.space._dirty)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(code, self.space.names)
        self.space._dirty = dirty  # the student's process ran it too

    def depends(self, node: ast.AST) -> bool:
        """Whether running a statement needs something of the student's."""
        return bool(name_owners.reads(node, deep=False) & (self.space.theirs | self.dependent))

    def _own(self, node: ast.stmt, bound: set[str]) -> None:
        needs = name_owners.reads(node) & (self.space.theirs | self.dependent)
        for name in bound:
            self.space.theirs.discard(name)
            self.dependent.discard(name)
            if isinstance(node, name_owners.Function | ast.ClassDef) and needs:
                self.dependent.add(name)
            value = dict.get(self.space.names, name)
            if isinstance(node, ast.ClassDef):
                self.space.structures.add(name)
            if isinstance(value, types.FunctionType | type) and value.__module__ == "__main__":
                self.space.originals[id(value)] = (name, value)

    # Test cells.

    def judge(
        self, source: str, name: str, seconds: float, *, each: bool = False
    ) -> dict[str, Any]:
        """Run a test cell, with `each` assertion by assertion; say how it ended."""
        space = self.space
        space.refused, space.seen, space.accessed = "", {}, set()
        space.strange = ""
        _remember(name, source)
        printed = _Printed()
        began = time.perf_counter()
        outcome: dict[str, Any] = {
            "passed": False,
            "type": "",
            "message": "",
            "line": 0,
            "asserted": [],
        }
        shown: list[str] = []
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                time_limit(seconds),
            ):
                if each:
                    by_assertion.run(
                        name_owners.plain(source), name, space, _ended, outcome["asserted"]
                    )
                else:
                    shown = run_source(name_owners.plain(source), name, space.names, standin.shown)
                space.flush()
            failed = next((one for one in outcome["asserted"] if not one["passed"]), None)
            outcome.update(failed or {}, passed=failed is None and not space.refused)
        except BaseException as error:  # noqa: BLE001  what it was is the answer
            outcome.update(_ended(error, name))
        if not outcome["passed"] and "StandIn" in outcome["message"]:
            space.strange = space.strange or "an object that cannot do what the solution's can"
        if not outcome["passed"]:
            space.refused = space.refused or space.strange
        if space.lost:
            outcome.update(passed=False, lost=space.lost[:500])
        elif space.refused:
            outcome.update(passed=False, refused=space.refused[:500])
        outcome.update(
            shown=shown[:1],
            printed=printed.getvalue()[:MAX_PRINTED],
            seconds=round(time.perf_counter() - began, 4),
            seen=space.seen,
            accessed=sorted(space.accessed),
        )
        return outcome

    def after(self, source: str) -> None:
        """Own what a test cell that was judged here defined."""
        tree = name_owners.parse(source)
        for node in tree.body if tree else ():
            needs = name_owners.reads(node) & (self.space.theirs | self.dependent)
            if isinstance(node, name_owners.Function | ast.ClassDef) and needs:
                self.dependent.add(node.name)

    def inside(self, source: str, name: str, keep: list[int] | None) -> list[int]:
        """Take over the definitions of a test cell that was judged in the student's process."""
        tree = name_owners.parse(source)
        if tree is None:
            return []
        if keep is None:
            kinds = (name_owners.Function, ast.ClassDef, ast.Import, ast.ImportFrom)
            keep = [
                place
                for place, node in enumerate(tree.body)
                if isinstance(node, kinds) and not self.depends(node)
            ]
        return self.given(source, name, [], keep)


class _Printed(io.StringIO):
    def write(self, text: str) -> int:
        room = MAX_PRINTED - self.tell()
        return super().write(text[: max(0, room)]) if room < len(text) else super().write(text)


def _ended(error: BaseException, name: str) -> dict[str, Any]:
    """Describe what ended a cell: the line of the cell, and whose exception it was."""
    message = ""
    with contextlib.suppress(BaseException):
        message = str(error)[:2000]
    number = 0
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == name:
            number = line
    if isinstance(error, SyntaxError) and error.filename == name:
        number = error.lineno or 0
    kind = "time" if isinstance(error, TimeUpError) else "raised"
    if isinstance(error, RefusedError | LostError):
        kind = "refused"
    students = str(getattr(error, "__dict__", {}).get("_students_line", ""))
    return {
        "kind": kind,
        "type": type(error).__name__,
        "message": message,
        "line": number,
        "theirs": "_students_line" in getattr(error, "__dict__", {}),
        "students": students,
    }


def _remember(name: str, source: str) -> None:
    """Let tracebacks and `inspect` find a cell's text."""
    try:
        text = name_owners.plain(source)
    except SyntaxError:
        return
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
