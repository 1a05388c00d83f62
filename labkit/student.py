"""Whom a check asks: the student, seen from the notebook or from the marking.

The body of a check gets one argument, the student's side. In the notebook that is
:class:`ThisNotebook`, which has the objects themselves; in the marking it is a stand-in with the same
methods that asks another process for data. So one body serves both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from labkit import cell_code, inspection
from labkit.exercises import MARKERS

T = TypeVar("T")


class Student(Protocol):
    """The student's side, as a check sees it."""

    raises: ClassVar[type[Exception]]
    """What a call raises when it is the student's own code that raised."""

    in_place: bool
    """Whether arrays given to a call hold afterwards what the student's function left in them."""

    def get(self, name: str) -> Any:
        """Return the student's object of that name: a value, or something to call."""

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Evaluate an expression of ours where the student's objects live.

        It sees the functions of :mod:`labkit.inspection`, the student's names, and `values`.
        """

    def source(self, exercise: str) -> str:
        """Return the code in the graded cell of `exercise`, or an empty string."""

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return what `ask` gives, but ask only once for all checks of an exercise."""


class ThisNotebook:
    """The student's side in the student's own notebook.

    Parameters
    ----------
    names : mapping of str to object
        What the ``test_...`` function was given, by the name that the notebook has for it.
    """

    raises: ClassVar[type[Exception]] = Exception

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = dict(names)
        self._kept: dict[str, Any] = {}
        self.in_place = True

    def get(self, name: str) -> Any:
        """Return the object of that name: what the check was given, or what the notebook has."""
        return self._names[name] if name in self._names else vars(sys.modules["__main__"])[name]

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Evaluate an expression on these objects."""
        return eval(expression, {**self._names, **vars(inspection), **values})

    def source(self, exercise: str) -> str:
        """Return the graded cell of `exercise` as it was last run in this notebook."""
        marker = next(marker for marker, known in MARKERS.items() if known == exercise)
        return cell_code.written_in(marker)

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return what `ask` gives, asked once."""
        if name not in self._kept:
            self._kept[name] = ask()
        return self._kept[name]


def value_of(student: Student, name: str) -> Any:
    """Return the student's object of that name; None if no cell has made one."""
    try:
        return student.get(name)
    except (student.raises, KeyError) as error:
        if getattr(error, "type_name", "NameError") != "NameError":  # in another process
            raise
        return None


class Fact(Generic[T]):
    """Something that checks need to know: found out from the student, unless the marking tells it.

    Parameters
    ----------
    name : str
        Under which it is kept while the checks of an exercise run.
    find : function of the student's side
        Finds it out.
    """

    def __init__(self, name: str, find: Callable[[Student], T]) -> None:
        self.name = name
        self.find = find

    def __call__(self, student: Student) -> T:
        """Return the fact."""
        return cast(T, student.once(self.name, lambda: self.find(student)))

    def tell(self, student: Student, know: Callable[[], T]) -> None:
        """Let checks take what `know` gives, in place of what would be found out."""
        student.once(self.name, know)
