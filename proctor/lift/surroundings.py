"""What a test cell finds around it in a judge: IPython's shell, `__main__`, source texts."""

from __future__ import annotations

import contextlib
import inspect
import types
from typing import Any

from IPython.utils.capture import capture_output

from proctor.lift import name_owners, standin
from proctor.lift.namespace import Namespace


class Shell:
    """What `get_ipython()` gives in a judge, for the magics that test cells hold."""

    def __init__(self, space: Namespace) -> None:
        self._space = space
        self.user_ns = space.names

    def run_line_magic(self, name: str, line: str, *rest: Any, **more: Any) -> Any:
        """Run what can be run; pass over what only changes how things are shown."""
        if name in ("time", "timeit"):
            exec(compile(line.strip(), "<magic>", "exec"), self.user_ns)
        elif name in ("run", "cd", "pwd", "ls", "who", "whos", "store", "system", "sx", "pip"):
            raise self._space.refusal(f"the magic %{name}")

    def run_cell_magic(self, name: str, line: str, body: str) -> Any:
        """Run the body of the few cell magics that only watch it."""
        if name not in ("time", "timeit", "capture", "prun"):
            raise self._space.refusal(f"the magic %%{name}")
        code = compile(name_owners.plain(body), "<magic>", "exec")
        if name != "capture":
            exec(code, self.user_ns)
            return
        with capture_output() as captured, contextlib.suppress(Exception):  # IPython shows it only
            exec(code, self.user_ns)
        for output in [word for word in line.split() if not word.startswith("-")][:1]:
            self.user_ns[output] = captured

    def magic(self, line: str) -> Any:
        """Run a magic in its old spelling."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def system(self, command: str) -> Any:
        """Refuse: a command of the system runs where the student's files are."""
        raise self._space.refusal("a command of the system")

    getoutput = system


class Main(types.ModuleType):
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


def look_for_sources(space: Namespace) -> None:
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


def display(*values: Any, **more: Any) -> None:
    for value in values:
        print(repr(value)[:1000])
