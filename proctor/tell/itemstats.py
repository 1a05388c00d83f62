"""What a class's verdicts say of the lab: scores, checks, misconceptions. Numbers only, no page.

Discrimination tells whether those who pass a check also do well in the rest of the lab. It is the
point-biserial correlation of passing the check with the score without that check's own points
(S. Henrysson, "Correction of item-total correlations in item analysis", Psychometrika 28 (1963),
211-218). Its words are R. L. Ebel's bounds (Measuring Educational Achievement, 1965): 0.40 and more
is very good, 0.30 good, 0.20 fair, less is worth a look at the check.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from proctor.checks import Check, Lab
from proctor.verdict import CheckResult, Verdict

Floats = NDArray[np.float64]

BINS = 10
"""Bars of the distribution of scores."""
SMALLEST = 10
"""Fewest submissions for which a correlation is given at all."""
NOT_STARTED = re.compile(r"\bnot started\b|^NotImplementedError\b", re.I)
_PARTICULAR = re.compile(r"`[^`\n]*`|'[^'\n]*'|\"[^\"\n]*\"|[-+]?\d[\d.,eE+-]*")


@dataclass(frozen=True)
class Scores:
    """The distribution of a class's scores.

    Attributes
    ----------
    counts : tuple of int
        How many fall into each of :data:`BINS` equal parts of the scale; the last one holds its
        upper end.
    edges : tuple of float
        The bins' bounds, one more than counts.
    mean, median, low, high, quarter, three_quarters : float
        In points.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    mean: float
    median: float
    low: float
    high: float
    quarter: float
    three_quarters: float


@dataclass(frozen=True)
class CheckStats:
    """How one check did, among those who began its exercise.

    Attributes
    ----------
    passed, failed, skipped : int
        Submissions that passed it, that did not, and that were not asked.
    discrimination : float or None
        See the module's text; None where everybody, or nobody, passed or the class is too small.
    """

    id: str
    title: str
    hidden: bool
    points: float
    passed: int
    failed: int
    skipped: int
    discrimination: float | None

    @property
    def asked(self) -> int:
        """All who began its exercise."""
        return self.passed + self.failed + self.skipped

    @property
    def by_all(self) -> bool:
        """Whether everybody who began its exercise passed it."""
        return self.asked > 0 and self.passed == self.asked

    @property
    def share(self) -> float:
        """Share of those that passed, from 0 to 1."""
        return self.passed / self.asked if self.asked else 0.0

    @property
    def word(self) -> str:
        """What the discrimination means; below 0, only what is more than chance is called negative.

        Of two things that have nothing to do with each other, the correlation over n people has a
        standard error of 1 / sqrt(n - 1) (Fisher 1915).
        """
        value = self.discrimination
        if value is None:
            return "not to be had"
        if -1 / np.sqrt(max(1, self.asked - 1)) < value < 0:
            return "weak"
        bounds = ((0.40, "very good"), (0.30, "good"), (0.20, "fair"), (0.0, "weak"))
        return next((word for bound, word in bounds if value >= bound), "negative")


@dataclass(frozen=True)
class ExerciseStats:
    """How one exercise did: mean share of its points, how many did not start it, its checks."""

    id: str
    title: str
    points: float
    mean: float
    full: int
    not_started: int
    checks: tuple[CheckStats, ...]
    by: str = ""


@dataclass(frozen=True)
class Misconception:
    """What several people got wrong in the same way.

    Attributes
    ----------
    cause : str
        The words that most of them read.
    students : tuple of str
        Who they are, sorted.
    example : CheckResult
        One of the findings; it names nobody.
    owner : str
        Whose finding the example is, to fetch the code that goes with it.
    """

    exercise: str
    exercise_title: str
    check: str
    check_title: str
    cause: str
    students: tuple[str, ...]
    example: CheckResult
    owner: str


def scores(values: Sequence[float], max_score: float) -> Scores:
    """Summarise scores between 0 and `max_score`; a bonus above it counts into the last bin."""
    data = np.asarray(values, dtype=float)
    edges = np.linspace(0.0, max(max_score, 1e-9), BINS + 1)
    counts, _ = np.histogram(np.clip(data, 0.0, edges[-1]), bins=edges)
    quarter, median, three = (float(q) for q in np.percentile(data, (25, 50, 75)))
    return Scores(
        counts=tuple(int(count) for count in counts),
        edges=tuple(float(edge) for edge in edges),
        mean=float(data.mean()),
        median=median,
        low=float(data.min()),
        high=float(data.max()),
        quarter=quarter,
        three_quarters=three,
    )


def exercises(
    lab: Lab,
    verdicts: Iterable[Verdict],
    mark: Callable[[str, str], float] | None = None,
) -> list[ExerciseStats]:
    """Count, for each exercise and check of the lab, how the class did.

    Rejected submissions are left out: they say nothing of the lab. Who did not begin an exercise says
    nothing of its checks.

    Parameters
    ----------
    mark : callable, optional
        Gives a student's points in an exercise; default what the checks gave.
    """
    marked = [verdict for verdict in verdicts if verdict.status != "rejected"]
    totals = np.array([verdict.score for verdict in marked])
    found = []
    for exercise in lab.exercises:
        results = [_exercise(verdict, exercise.id) for verdict in marked]
        points = [
            mark(verdict.student, exercise.id)
            if mark
            else sum(check.points for check in one.values())
            for verdict, one in zip(marked, results, strict=True)
        ]
        began = np.array([not _not_started(one.values()) for one in results], dtype=bool)
        tried = [one for one, here in zip(results, began, strict=True) if here]
        checks = tuple(
            _check(check, [one.get(check.id) for one in tried], totals[began])
            for check in exercise.checks
        )
        found.append(
            ExerciseStats(
                id=exercise.id,
                title=exercise.title,
                points=float(exercise.points),
                mean=float(np.mean(points)) if points else 0.0,
                full=sum(earned >= exercise.points for earned in points),
                not_started=int((~began).sum()),
                checks=checks,
                by=exercise.by,
            )
        )
    return found


def _exercise(verdict: Verdict, exercise: str) -> dict[str, CheckResult]:
    results = (one for one in verdict.exercises if one.id == exercise)
    return {check.id: check for one in results for check in one.checks}


def not_started(verdict: Verdict) -> bool:
    """Tell whether a whole notebook was handed in as it was given."""
    started = [
        one.waiting if one.by == "person" else not _not_started(one.checks)
        for one in verdict.exercises
    ]
    return verdict.status != "rejected" and not any(started)


def _not_started(checks: Iterable[CheckResult]) -> bool:
    return any(not check.passed and NOT_STARTED.search(check.cause) for check in checks)


def _check(check: Check, results: list[CheckResult | None], totals: Floats) -> CheckStats:
    known = [one is not None and one.passed for one in results]
    skipped = sum(one is None or one.skipped for one in results)
    earned = np.array([one.points if one else 0.0 for one in results])
    return CheckStats(
        id=check.id,
        title=check.title,
        hidden=check.hidden,
        points=float(check.points),
        passed=sum(known),
        failed=len(results) - sum(known) - skipped,
        skipped=skipped,
        discrimination=point_biserial(known, totals - earned),
    )


def point_biserial(passed: Sequence[bool], rest: Floats) -> float | None:
    """Correlation of a yes-or-no outcome with a score.

    Parameters
    ----------
    passed : sequence of bool, length n
    rest : ndarray, shape (n,)
        Each one's score without the points of this check.

    Returns
    -------
    float or None
        Between -1 and 1; None if n is below :data:`SMALLEST` or one of the two does not vary.
    """
    outcome = np.asarray(passed, dtype=float)
    if len(outcome) < SMALLEST or np.ptp(outcome) == 0 or np.ptp(rest) == 0:
        return None
    return float(np.corrcoef(outcome, rest)[0, 1])


def misconceptions(verdicts: Mapping[str, Verdict]) -> list[Misconception]:
    """Group failed checks by what caused them, the most frequent first.

    Causes that differ only in numbers and in quoted names are one misconception. A check that was
    skipped, or whose exercise was not started, tells of none.
    """
    groups: dict[tuple[str, str], list[tuple[str, str, CheckResult]]] = defaultdict(list)
    for student, verdict in verdicts.items():
        if verdict.status == "rejected":
            continue
        for exercise in verdict.exercises:
            for check in exercise.checks:
                if check.passed or check.skipped or not check.cause:
                    continue
                if not NOT_STARTED.search(check.cause):
                    key = (check.id, general(check.cause))
                    groups[key].append((student, exercise.id, check))
    titles = {one.id: one.title for v in verdicts.values() for one in v.exercises}
    found = []
    for (check_id, _), members in groups.items():
        cause, _ = Counter(check.cause for _, _, check in members).most_common(1)[0]
        owner, where, example = next(one for one in members if one[2].cause == cause)
        found.append(
            Misconception(
                exercise=where,
                exercise_title=titles[where],
                check=check_id,
                check_title=example.title,
                cause=cause,
                students=tuple(sorted({student for student, _, _ in members})),
                example=example,
                owner=owner,
            )
        )
    # A cell that stopped fails several checks for one cause: that is told once, with their titles.
    merged: dict[tuple[str, str, tuple[str, ...]], Misconception] = {}
    for one in sorted(found, key=lambda one: (-len(one.students), one.check, one.cause)):
        known = merged.setdefault(same := (one.exercise, general(one.cause), one.students), one)
        if known is not one:
            merged[same] = replace(known, check_title=f"{known.check_title}; {one.check_title}")
    return list(merged.values())


def general(cause: str) -> str:
    """Return a cause without what is particular to one submission: numbers and quoted names."""
    return " ".join(_PARTICULAR.sub("…", cause).split())
