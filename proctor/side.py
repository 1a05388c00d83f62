"""The student's side, as a check sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol


class Side(Protocol):
    """The student's side, seen from the examiner: names become values or callable stand-ins."""

    raises: ClassVar[type[Exception]]
    """What a call raises when it is the student's own code that raised."""

    in_place: bool
    """Whether arrays given to a call hold afterwards what the student's function left in its own."""

    def get(self, name: str) -> Any:
        """Return the student's object of that name.

        Numbers, strings, lists, tuples, dicts, numeric arrays, and pandas' DataFrames and Series with
        their index and types arrive as values, and may be arguments of a call. Another array-like
        that is not a NumPy array arrives as :class:`proctor.kernel.check_values.Foreign`; a callable as a
        stand-in that calls the student's function with data and returns data; anything else as
        :class:`proctor.kernel.check_values.Opaque`. Arrays given as arguments stay as they are, whatever the
        student's function does to its own, unless the check is registered with ``in_place=True``.

        Raises
        ------
        proctor.kernel.check_values.StudentError
            If the name does not exist there (``type_name`` is ``NameError``) or a call raises.
        """

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Evaluate the course's own `expression` in the student's process.

        It sees the functions of the lab's helper files, the student's names, and `values`. What
        comes back is data from an untrusted process, like that of :meth:`get`.
        """

    def notebook(self, name: str) -> Side:
        """Return the student's side in another notebook of the lab, one that comes before this one.

        It has run to its end. If the student did not hand it in, or it was stopped, the check does not
        pass, and the student reads which notebook is missing.
        """

    def figure(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return what a figure shows, as data: what the student's process says is drawn there.

        The student's object of that name is a figure, axes, or a function that draws, which is called.

        Returns
        -------
        dict
            ``title`` and ``axes``: of each pair its title, xlabel, ylabel, xscale, yscale,
            xticklabels, legend, lines (x, y, label), bars (x, y, width, height), points (xy, label)
            and images.

        Raises
        ------
        proctor.kernel.check_values.StudentError
            If there is no such name, or nothing is drawn (``type_name`` is ``TypeError``).
        """

    def source(self, exercise: str) -> str:
        """Return the code that the student wrote in the graded cell of `exercise`."""

    def written(self, exercise: str, *names: str) -> str | None:
        """Return that code and, before it, what it uses of the student's other cells.

        With `names`, also what defines these: what a graded cell should define may stand elsewhere.
        IPython's magics are undone. None if the graded cell cannot be read as Python.
        """

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return what `ask` gives, but ask only once for all checks of an exercise.

        For what several checks look at. An exception is not kept: the next check asks again.
        """
