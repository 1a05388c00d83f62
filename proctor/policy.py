"""What a lab allows while it is handed in: how often, which attempt counts, what a page tells when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from proctor.errors import CourseError
from proctor.verdict import CheckResult, Verdict

Told = Literal["title", "cause"]


@dataclass(frozen=True)
class Policy:
    """How a lab is handed in; ``Lab(..., policy=Policy(attempts_an_hour=4))`` in its checks' file.

    Attributes
    ----------
    attempts_an_hour : int
        How often a student's work is marked within an hour by ``proctor watch``; what comes more often
        is kept and marked when the hour is over. 0: as often as it comes.
    counts : {"last", "best"}
        Which attempt ``proctor watch`` leaves for the gradebook.
    before_due, after_due : {"title", "cause"}
        What a page shows of a hidden check that did not pass, before and after the student's due date.
        A lab without a due date is always before it.
    """

    attempts_an_hour: int = 0
    counts: Literal["last", "best"] = "last"
    before_due: Told = "cause"
    after_due: Told = "cause"

    def validate(self, lab: str) -> None:
        """Raise :class:`~proctor.errors.CourseError` if a value means nothing."""
        allowed = {
            "counts": ("last", "best"),
            "before_due": ("title", "cause"),
            "after_due": ("title", "cause"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise CourseError(
                    f"course/checks/{lab}.py: Policy({name}={getattr(self, name)!r}) is neither "
                    f"'{values[0]}' nor '{values[1]}'."
                )
        if not isinstance(self.attempts_an_hour, int) or self.attempts_an_hour < 0:
            raise CourseError(
                f"course/checks/{lab}.py: Policy(attempts_an_hour={self.attempts_an_hour!r}) is no "
                "number of attempts; 0 stands for any number."
            )

    def told(self, due: datetime | None, now: datetime | None = None) -> Told:
        """Return what is shown of a hidden check now; `due` is in UTC and without a zone, as nbgrader's."""
        now = now or datetime.now(UTC).replace(tzinfo=None)
        return self.after_due if due is not None and now > due else self.before_due


def shown(verdict: Verdict, told: Told) -> Verdict:
    """Return a verdict as a student may read it: with titles alone, hidden checks say no more."""
    if told == "cause":
        return verdict
    exercises = (
        replace(one, checks=tuple(_title_only(check) for check in one.checks))
        for one in verdict.exercises
    )
    return replace(verdict, exercises=tuple(exercises))


def _title_only(check: CheckResult) -> CheckResult:
    if not check.hidden or check.passed or check.skipped:
        return check
    return replace(check, called="", expected="", got="", cause="", next="")
