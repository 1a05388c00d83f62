"""The student's side, as a check sees it: names, calls and expressions in a live kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from proctor.checks import Finding
from proctor.errors import ProtocolError
from proctor.intake.name_uses import used_by
from proctor.kernel.check_values import Opaque, StudentError, encode
from proctor.kernel.session import StudentKernel


@dataclass
class RemoteSide:
    """The :class:`proctor.checks.Side` of a live kernel.

    Attributes
    ----------
    in_place : bool
        Whether a call writes into the arrays it was given what the student's function left in
        theirs. Only for a check that asks for it: any other would compare with what it has been told.
    cells : tuple of str
        All the code that the student wrote, cell by cell.
    before : dict of str to RemoteSide or None
        The notebooks that come before this one; None for one that is missing or was stopped.
    """

    raises: ClassVar[type[Exception]] = StudentError
    """What a call raises when it is the student's own code that raised."""

    kernel: StudentKernel
    sources: dict[str, str | None] = field(default_factory=dict)
    in_place: bool = False
    cells: tuple[str, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict)
    before: dict[str, RemoteSide | None] = field(default_factory=dict)
    _functions: dict[str, _Remote] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget what was kept for the exercise before."""
        self.kept.clear()
        self._functions.clear()

    def get(self, name: str) -> Any:
        """Return the student's object `name`; see :meth:`proctor.checks.Side.get`.

        That it can be called is asked once an exercise: a call goes by the name, to what it is then.
        """
        if name in self._functions:
            return self._functions[name]
        content, parts = self.kernel.ask({"op": "get", "name": name})
        tree = content.get("value")
        value = self.kernel.value(tree, parts)
        if isinstance(value, Opaque):
            if isinstance(tree, dict) and tree.get("call") is True:
                return self._functions.setdefault(name, _Remote(self, name, value.type_name))
            return Opaque(value.type_name, name)
        return value

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Evaluate `expression` there; see :meth:`proctor.checks.Side.evaluate`."""
        buffers: list[bytes] = []
        kwargs = {key: self._encode(value, buffers) for key, value in values.items()}
        request = {"op": "evaluate", "expression": expression, "args": [], "kwargs": kwargs}
        content, parts = self.kernel.ask(request, buffers)
        return self.kernel.value(content.get("value"), parts)

    def notebook(self, name: str) -> RemoteSide:
        """Return the side of a notebook that comes before; see :meth:`proctor.checks.Side.notebook`."""
        if name not in self.before:
            raise KeyError(f"no notebook '{name}' comes before this one")
        found = self.before[name]
        if found is None or found.kernel.stopped is not None:
            raise Finding(
                f"This needs your notebook {name}, which is missing or did not run to its end.",
                next=f"Run {name}.ipynb from top to bottom, and hand in all notebooks of the lab.",
            )
        return found

    def figure(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Describe what is drawn there; see :meth:`proctor.checks.Side.figure`."""
        content, parts = self._ask("figure", name, args, kwargs)
        return self.kernel.value(content.get("value"), parts)

    def source(self, exercise: str) -> str:
        """Return the student's code for `exercise`, or an empty string."""
        return self.sources.get(exercise) or ""

    def written(self, exercise: str, *names: str) -> str | None:
        """Return the code for `exercise` with what it uses; see :meth:`proctor.checks.Side.written`."""
        return used_by(self.source(exercise), self.cells, names)

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return what `ask` gives, asked once an exercise; see :meth:`proctor.checks.Side.once`."""
        if name not in self.kept:
            self.kept[name] = ask()
        return self.kept[name]

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the student's function `name` with data."""
        content, parts = self._ask("call", name, args, kwargs)
        if self.in_place:
            for index, tree in _pairs(content.get("changed")):
                self._update(args, index, self.kernel.value(tree, parts))
        return self.kernel.value(content.get("value"), parts)

    def _ask(self, op: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        buffers: list[bytes] = []
        request = {
            "op": op,
            "name": name,
            "args": [self._encode(arg, buffers) for arg in args],
            "kwargs": {key: self._encode(arg, buffers) for key, arg in kwargs.items()},
        }
        return self.kernel.ask(request, buffers)

    def _encode(self, value: Any, buffers: list[bytes]) -> dict[str, Any]:
        if isinstance(value, _Remote):
            if value._side is not self:
                raise TypeError(
                    f"'{value.__name__}' of another notebook cannot be an argument here"
                )
            return {"t": "name", "v": value.__name__}
        return encode(value, buffers)

    @staticmethod
    def _update(args: tuple[Any, ...], index: Any, after: Any) -> None:
        if type(index) is not int or not 0 <= index < len(args):
            raise ProtocolError("a changed argument that was not given")
        given = args[index]
        if not isinstance(given, np.ndarray) or not isinstance(after, np.ndarray):
            return
        if given.flags.writeable and (given.shape, given.dtype) == (after.shape, after.dtype):
            np.copyto(given, after)


class _Remote:
    """Stands for a callable of the student's; calling it calls theirs."""

    def __init__(self, side: RemoteSide, name: str, type_name: str) -> None:
        self._side = side
        self.__name__ = name
        self.type_name = type_name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._side.call(self.__name__, args, kwargs)


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or any(not isinstance(p, list) or len(p) != 2 for p in value):
        raise ProtocolError("a list of changes that is not one")
    return [(pair[0], pair[1]) for pair in value]
