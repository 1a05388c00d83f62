"""The judge: a disposable process that runs given statements and test cells.

It holds what the course's author wrote, hidden tests among it, and talks to one student's process
over a socket of its own. What an author's cell does to it (patches a library, loops, fills the memory)
costs one submission at most.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import io
import linecache
import os
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable
from typing import Any

from proctor.lift import owner, standin
from proctor.lift.clock import PATIENCE, TimeUpError, time_limit
from proctor.lift.hand import run_source
from proctor.lift.line import Line, in_child
from proctor.lift.namespace import LostError, Namespace, RefusedError
from proctor.lift.wire import Channel

MAX_PRINTED = 2**20
"""Most text of a test cell that is kept for the notebook, in characters."""


class Shell:
    """What `get_ipython()` gives in a judge, for the magics that test cells hold."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.user_ns = judge.space.names

    def run_line_magic(self, name: str, line: str, *rest: Any, **more: Any) -> Any:
        """Run what can be run; pass over what only changes how things are shown."""
        if name in ("time", "timeit"):
            exec(compile(line.strip(), "<magic>", "exec"), self.user_ns)
        elif name in ("run", "cd", "pwd", "ls", "who", "whos", "store", "system", "sx", "pip"):
            raise self._judge.space.refusal(f"the magic %{name}")

    def run_cell_magic(self, name: str, line: str, body: str) -> Any:
        """Run the body of the few cell magics that only watch it."""
        if name not in ("time", "timeit", "capture", "prun"):
            raise self._judge.space.refusal(f"the magic %%{name}")
        exec(compile(owner.plain(body), "<magic>", "exec"), self.user_ns)

    def magic(self, line: str) -> Any:
        """Run a magic in its old spelling."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def system(self, command: str) -> Any:
        """Refuse: a command of the system runs where the student's files are."""
        raise self._judge.space.refusal("a command of the system")

    getoutput = system


class _Main(types.ModuleType):
    """`__main__`, whose attributes are the judge's names: `unittest` looks there."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__("__main__")
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_names"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return list(self.__dict__["_names"])


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
            get_ipython=lambda: Shell(self),
            display=_display,
        )
        sys.modules["__main__"] = _Main(self.space.names)
        _look_for_sources(self.space)

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
        tree = owner.parse(source)
        if tree is None:
            return []
        _remember(name, source)
        ran = []
        for place, node in enumerate(tree.body):
            bound = owner.binds(node) - {"*"}
            if keep is None and self.depends(node):
                self.space.forward(bound | (owner.reads(node) & set(changed)))
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
        return bool(owner.reads(node, deep=False) & (self.space.theirs | self.dependent))

    def _own(self, node: ast.stmt, bound: set[str]) -> None:
        needs = owner.reads(node) & (self.space.theirs | self.dependent)
        for name in bound:
            self.space.theirs.discard(name)
            self.dependent.discard(name)
            if isinstance(node, owner.Function | ast.ClassDef) and needs:
                self.dependent.add(name)
            value = dict.get(self.space.names, name)
            if isinstance(node, ast.ClassDef):
                self.space.structures.add(name)
            if isinstance(value, types.FunctionType | type) and value.__module__ == "__main__":
                self.space.originals[id(value)] = (name, value)

    # Test cells.

    def judge(self, source: str, name: str, seconds: float) -> dict[str, Any]:
        """Run a test cell; say how it ended."""
        space = self.space
        space.refused, space.seen, space.accessed = "", {}, set()
        space.callbacks.clear()
        _remember(name, source)
        printed = _Printed()
        began = time.perf_counter()
        outcome: dict[str, Any] = {"passed": False, "type": "", "message": "", "line": 0}
        shown: list[str] = []
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                time_limit(seconds),
            ):
                shown = run_source(owner.plain(source), name, space.names)
                space.flush()
            outcome["passed"] = not space.refused
        except BaseException as error:  # noqa: BLE001  what it was is the answer
            outcome.update(_ended(error, name))
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
        tree = owner.parse(source)
        for node in tree.body if tree else ():
            needs = owner.reads(node) & (self.space.theirs | self.dependent)
            if isinstance(node, owner.Function | ast.ClassDef) and needs:
                self.dependent.add(node.name)

    def inside(self, source: str, name: str, keep: list[int] | None) -> list[int]:
        """Take over the definitions of a test cell that was judged in the student's process."""
        tree = owner.parse(source)
        if tree is None:
            return []
        if keep is None:
            kinds = (owner.Function, ast.ClassDef, ast.Import, ast.ImportFrom)
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
        text = owner.plain(source)
    except SyntaxError:
        return
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def _look_for_sources(space: Namespace) -> None:
    """Have `inspect.getsource` answer for a stand-in with the text that the student handed in."""
    real, real_lines = inspect.getsource, inspect.getsourcelines

    def getsource(one: Any) -> str:
        if not standin.is_stand_in(one):
            return real(one)
        space.note("source")
        for name in (one.__qualname__, one.__name__):
            if name in space.sources:
                return space.sources[name]
        raise OSError("could not get source code")

    def getsourcelines(one: Any) -> tuple[list[str], int]:
        if not standin.is_stand_in(one):
            return real_lines(one)
        return getsource(one).splitlines(keepends=True), 1

    vars(inspect).update(getsource=getsource, getsourcelines=getsourcelines)


def _display(*values: Any, **more: Any) -> None:
    for value in values:
        print(repr(value)[:1000])


class Process:
    """Does what the driver asks, over `control`; forks for what is to leave no trace."""

    def __init__(self, control: Line, talk: socket.socket | None) -> None:
        self.control = control
        self.judge = Judge()
        self.judge.space.channel = None
        self.talk = None if talk is None else Channel(talk)

    def serve(self) -> None:
        """Work until the driver has gone."""
        while True:
            request, _ = self.control.receive()
            operation: Callable[..., Any] = getattr(self, f"do_{request.pop('op')}")
            try:
                answer = operation(**request)
            except Exception:  # noqa: BLE001  a mistake of ours is told, and stops one marking
                answer = {"broken": traceback.format_exc(limit=-6)[-4000:]}
            self.control.send(answer)

    def do_setup(
        self,
        learning: bool,
        used: list[str],
        needed: list[str],
        shares_random: bool,
        shared: list[str],
        remote_modules: list[str],
    ) -> dict[str, Any]:
        """Begin: what the student's code reads, and what the reference run needed."""
        space = self.judge.space
        space.learning, space.used, space.shared = learning, set(used), set(shared)
        space.needed, space.shares_random = set(needed), shares_random
        space.remote_modules = set(remote_modules)
        return {}

    def do_given(
        self, source: str, name: str, changed: list[str], keep: list[int] | None
    ) -> dict[str, Any]:
        """Run a given cell."""
        ran = self.judge.given(source, name, changed, keep)
        return {"ran": ran, "theirs": sorted(self.judge.space.theirs), **self._structures()}

    def _structures(self) -> dict[str, Any]:
        return {"structures": sorted(self.judge.space.structures)}

    def do_theirs(self, names: list[str], sources: dict[str, str]) -> dict[str, Any]:
        """Learn what the student's cells define."""
        self.judge.space.forward(names)
        self.judge.space.sources.update(sources)
        return {"theirs": sorted(self.judge.space.theirs), **self._structures()}

    def do_inside(self, source: str, name: str, keep: list[int] | None) -> dict[str, Any]:
        """Take over what a test cell that was judged inside defines."""
        ran = self.judge.inside(source, name, keep)
        tree = owner.parse(source)
        bound = owner.binds_of(tree) if tree else set()
        return {"ran": ran, "theirs": sorted(self.judge.space.theirs), "binds": sorted(bound)}

    def do_judge(
        self,
        source: str,
        name: str,
        seconds: float,
        learning: bool,
        needed: list[str],
        used: list[str],
        forward: list[str],
        define: list[str],
        trial: bool = False,
        carried: bool = False,
    ) -> dict[str, Any]:
        """Judge a test cell; as a trial, in a fork that is thrown away.

        Parameters
        ----------
        carried : bool
            Whether the line to the student came with the request, as it does for a trial.
        """
        line = Channel(self.control.take_socket()) if trial or carried else self.talk
        assert line is not None

        def run() -> dict[str, Any]:
            space = self.judge.space
            space.learning, space.needed = learning, set(needed)
            space.used |= set(used)
            self._begin(line, forward, define)
            outcome = self.judge.judge(source, name, seconds)
            outcome["needed"] = sorted(space.needed)
            if not trial:
                self.judge.after(source)
            with contextlib.suppress(Exception):
                assert space.channel is not None
                space.channel.send({"op": "bye"})
            space.channel = None
            space._cache.clear()
            return outcome

        try:
            return in_child(run, PATIENCE * seconds + 5.0) if trial else run()
        finally:
            if line is not self.talk:
                line.close()

    def _begin(self, line: Channel, forward: list[str], define: list[str]) -> None:
        space = self.judge.space
        space.channel, space.lost = line, ""
        space.ask({"op": "structures", "names": sorted(space.structures - set(forward))})
        for source in define:
            space.ask({"op": "define", "source": source})
        for name in forward:
            value = dict.get(space.names, name)
            if isinstance(value, types.ModuleType):
                space.remote_modules.add(value.__name__)
        space.forward(forward)


def main(control: socket.socket, talk: socket.socket | None = None) -> None:
    """Be a judge until the driver has gone."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    Process(Line(control), talk).serve()
