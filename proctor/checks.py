"""What the author of a check imports.

A lab's checks live in ``course/checks/LAB.py``, which defines one :class:`Lab` named ``lab``::

    from proctor.checks import Finding, Lab, Side

    lab = Lab("lab_digits", title="Handwritten digits", seed=1234)
    softmax = lab.exercise("softmax", "Exercise 1, softmax", points=15)

    @softmax.check(points=3, hidden=True, needs=("softmax-values",))
    def softmax_large_inputs(side: Side, draw: np.random.Generator) -> None:
        '''large inputs'''
        z = draw.normal(1000, 3, size=4)
        p = side.get("my_softmax")(z)
        if np.shape(p) != z.shape or not np.allclose(p, reference(z)):
            raise Finding("exp(1000) is too large for a float", next="Shift z first.")

The function runs in the examiner's process. `side` is the student's side: everything it returns is
data that came out of the student's process and was parsed strictly. Returning means passed; raising
:class:`Finding` (or any exception that is :class:`Told`) means not passed. Any other
exception is a broken check: on the instructor's own solution it is withdrawn, and everybody gets its
points; on one submission only it gives no points, and the verdict asks for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from proctor.errors import CourseError
from proctor.policy import Policy
from proctor.side import Side as Side

if TYPE_CHECKING:
    from proctor.assertions import Assertion
    from proctor.ordinary import Assignment


class Finding(Exception):
    """A check did not pass; what the student reads about it.

    Parameters
    ----------
    cause : str
        The likely cause, in words ("exp(1000) is too large for a float").
    called, expected, got, next : str
        What was called, what should have come, what came, and what to do next.
    """

    def __init__(
        self, cause: str, *, called: str = "", expected: str = "", got: str = "", next: str = ""
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.called = called
        self.expected = expected
        self.got = got
        self.next = next


@runtime_checkable
class Told(Protocol):
    """What makes an exception a finding: the five parts, as :class:`Finding` has them.

    A course's own exception, which its public tests raise in the notebook too, needs no more.
    """

    cause: str
    called: str
    expected: str
    got: str
    next: str


CheckFunction = Callable[[Side, np.random.Generator], None]


@dataclass(frozen=True)
class Check:
    """One check: a function with its points, title, and the checks it depends on."""

    id: str
    exercise: str
    title: str
    points: float
    hidden: bool
    function: CheckFunction
    needs: tuple[str, ...] = ()
    tell: tuple[str, ...] = ("cause", "next")
    in_place: bool = False


@dataclass
class Exercise:
    """A graded cell and its checks, in the order in which they are asked.

    Attributes
    ----------
    id : str
        Grade id of the solution cell; its test cell is ``test_<id>``.
    title : str
        What the student sees.
    points : float
        Sum of its checks' points.
    notebook : str
        Name of the notebook that it stands in, where that is not the lab's own.
    cell : str
        Grade id of its test cell, in a lab of several notebooks.
    by : {"", "person"}
        Who marks it; what a person marks has no checks.
    rubric : mapping of str to float
        What the person looks for, and its points: shown in formgrader, never to a student.
    seconds : float, optional
        Limit of processor time of its cell and of each question about it; default the lab's `cell_seconds`.
    """

    id: str
    title: str
    points: float
    checks: list[Check] = field(default_factory=list)
    notebook: str = ""
    cell: str = ""
    by: Literal["", "person"] = ""
    rubric: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None

    def check(
        self,
        *,
        points: float,
        id: str | None = None,
        title: str | None = None,
        hidden: bool = True,
        needs: tuple[str, ...] = (),
        tell: tuple[str, ...] | None = None,
        in_place: bool = False,
    ) -> Callable[[CheckFunction], CheckFunction]:
        """Register the decorated function as a check of this exercise.

        Parameters
        ----------
        points : float
            What passing it earns.
        id : str, optional
            Default: the function's name, with hyphens.
        title : str, optional
            Default: the first line of the function's docstring.
        hidden : bool
            Whether the student's files lack it.
        needs : tuple of str
            Ids of checks without which this one is skipped rather than failed again.
        tell : tuple of str, optional
            Which of ``called, expected, got, cause, next`` the student may read. Default: all of
            them for a public check, ``("cause", "next")`` for a hidden one.
        in_place : bool
            Whether arrays given to the student's function hold, after the call, what it left in
            them. For a check of just that; never give it an array that is needed again.
        """

        def register(function: CheckFunction) -> CheckFunction:
            doc = (function.__doc__ or "").strip().splitlines()
            name = id or function.__name__.replace("_", "-")
            heading = title or (doc[0].rstrip(".") if doc else name)
            shown = tell
            if shown is None:
                shown = ("cause", "next")
                if not hidden:
                    shown = ("called", "expected", "got", "cause", "next")
            self.checks.append(
                Check(name, self.id, heading, points, hidden, function, needs, shown, in_place)
            )
            return function

        return register


@dataclass
class Lab:
    """All that is particular to a lab and that the engine needs to know.

    Attributes
    ----------
    name : str
        The lab's id: name of its notebook, its nbgrader assignment and its checks' module.
    title : str
        For people.
    seed : int
        Mixed with the submission's own bytes into the seed of what hidden checks draw.
    helpers : tuple of Path
        Python files whose source is run in the student's process, in a namespace of its own, before
        the student's code: the functions that :meth:`Side.evaluate` may use. Relative to the
        course's root folder, the one above ``course/``.
    files : tuple of Path
        What the notebook finds beside itself while it is marked, files or folders, relative to the
        same root: ``utils.py``, ``Data/ex3data1.mat``...
    release : tuple of str
        Allow-list of what the student receives, as glob patterns relative to the same folder.
    warm : tuple of str
        Modules that the fork server imports once.
    records : bool
        Whether the helpers can spare a kernel work that the run on the instructor's own solution did
        already: that run calls their ``begin_records()`` before and ``all_records()`` after, a dict
        of bytes (uint8) by name. In every later one they get the bytes of a name by
        ``ask_examiner(name)``, None if there are none; the name should be a digest of all that the
        work depends on, so that only who did the exercise can ask.
    prepare : callable, optional
        Called without arguments in the examiner's process while the instructor's own solution runs:
        makes what checks compute once and keep.
    cell_seconds, total_seconds : float
        Limits of processor time for one cell or one question, and for a whole submission.
    memory_mb : int
        Limit of memory for a submission, in MiB.
    ordinary : Assignment, optional
        The assignment of nbgrader's own that this is, which is marked as it is; `files` are relative to
        its folder. None for a lab that has checks of its own.
    own : Assignment, optional
        The notebooks of a lab that has several and checks of its own, ``course/LAB/*.py``.
    anyway : bool
        Whether an assignment is marked although a test cell does not pass on its own solution.
    policy : Policy
        How it is handed in: how often, which attempt counts, what a page shows when.
    asserted : dict
        Of an assignment that was converted: the assertions of each test cell, by notebook and cell.
    """

    name: str
    title: str
    seed: int = 1234
    helpers: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    release: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    records: bool = False
    prepare: Callable[[], object] | None = None
    cell_seconds: float = 60.0
    total_seconds: float = 240.0
    memory_mb: int = 4096
    ordinary: Assignment | None = None
    own: Assignment | None = None
    anyway: bool = False
    policy: Policy = field(default_factory=Policy)
    asserted: dict[tuple[str, str], tuple[Assertion, ...]] = field(default_factory=dict)
    exercises: list[Exercise] = field(default_factory=list)

    def exercise(
        self,
        id: str,
        title: str,
        *,
        points: float,
        by: Literal["", "person"] = "",
        rubric: Mapping[str, float] | None = None,
        seconds: float | None = None,
    ) -> Exercise:
        """Add an exercise; see :class:`Exercise`."""
        exercise = Exercise(id, title, points, by=by, rubric=dict(rubric or {}), seconds=seconds)
        self.exercises.append(exercise)
        return exercise

    @property
    def several(self) -> Assignment | None:
        """The notebooks, where each has a name of its own; None for a lab of one notebook."""
        return self.ordinary or self.own

    def validate(self) -> None:
        """Raise :class:`~proctor.errors.CourseError` if points, ids or dependencies do not add up."""
        self.policy.validate(self.name)
        seen: set[str] = set()
        where = f"Change it in course/checks/{self.name}.py."
        for exercise in self.exercises:
            if exercise.by not in ("", "person"):
                raise CourseError(
                    f"{self.name}: exercise '{exercise.id}' is marked by '{exercise.by}'; by is "
                    f"'person' or left out. {where}"
                )
            if exercise.by == "person":
                if exercise.checks:
                    raise CourseError(
                        f"{self.name}: a person marks exercise '{exercise.id}', so it can have no "
                        f"checks. {where}"
                    )
                said = round(sum(exercise.rubric.values()), 6)
                if exercise.rubric and said != exercise.points:
                    raise CourseError(
                        f"{self.name}: the rubric of exercise '{exercise.id}' adds up to {said:g} "
                        f"points, not {exercise.points:g}. {where}"
                    )
                continue
            if exercise.rubric:
                raise CourseError(
                    f"{self.name}: exercise '{exercise.id}' has a rubric and no by=\"person\". {where}"
                )
            earned = round(sum(check.points for check in exercise.checks), 6)
            if earned != exercise.points:
                raise CourseError(
                    f"{self.name}: the checks of exercise '{exercise.id}' add up to {earned:g} points, "
                    f"not {exercise.points:g}. Change the points in course/checks/{self.name}.py."
                )
            for check in exercise.checks:
                if check.id in seen:
                    raise CourseError(f"{self.name}: the check id '{check.id}' is used twice.")
                missing = [need for need in check.needs if need not in seen]
                if missing:
                    raise CourseError(
                        f"{self.name}: check '{check.id}' needs '{missing[0]}', which is not an "
                        "earlier check."
                    )
                seen.add(check.id)
