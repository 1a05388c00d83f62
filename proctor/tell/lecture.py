"""What the class report says in words: for the next lecture, by section, from attempt to attempt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from proctor.record.attempts import Attempt
from proctor.record.read_results import ClassData
from proctor.tell.itemstats import ExerciseStats, Misconception, general

MOST_POINTS = 5
MOST_ATTEMPTS = 6
MOST_GROUPS = 60


@dataclass(frozen=True)
class Point:
    """One thing worth saying: how many, what, where, and what helps."""

    count: int
    text: str
    where: str
    advice: str = ""


def points(
    found: Sequence[Misconception], exercises: Sequence[ExerciseStats], marked: int
) -> list[Point]:
    """Return the five things that concern most students; what fails several checks is one thing."""
    same: dict[tuple[str, str], list[Misconception]] = defaultdict(list)
    for one in found:
        same[one.exercise, one.cause].append(one)
    told = []
    for alike in same.values():
        students = {student for one in alike for student in one.students}
        titles = dict.fromkeys(one.check_title for one in alike)
        first = alike[0]
        where = f"{first.exercise_title}: {'; '.join(titles)}"
        if len(students) > 1 or marked < 3:
            told.append(Point(len(students), first.cause, where, first.example.next))
    blank = [
        Point(one.not_started, "did not start this exercise.", one.title, "Show how it begins.")
        for one in exercises
        if one.not_started > 1
    ]
    return sorted([*told, *blank], key=lambda one: -one.count)[:MOST_POINTS]


@dataclass(frozen=True)
class GroupStats:
    """A section or a tutor's students: how many, how they did, in the gradebook's numbers."""

    name: str
    handed_in: int
    missing: int
    median: float
    mean: float
    attention: int


def groups(data: ClassData, by: str, needing: set[str]) -> list[GroupStats]:
    """Return how each section (``by="section"``) or tutor's students did; none if the roster has none."""
    members: dict[str, list[str]] = defaultdict(list)
    for student, entry in data.entries.items():
        members[getattr(entry, by)].append(student)
    if set(members) <= {""}:
        return []
    absent = set(data.missing)
    found = []
    for name, students in sorted(members.items())[:MOST_GROUPS]:
        scores = [data.score(one) for one in students if one in data.verdicts]
        found.append(
            GroupStats(
                name or "none",
                len(scores),
                sum(one in absent for one in students),
                median(scores) if scores else 0.0,
                mean(scores) if scores else 0.0,
                sum(one in needing for one in students),
            )
        )
    return found


@dataclass(frozen=True)
class Faded:
    """A mistake over attempts: how many had it in the first, the second, ... one."""

    check: str
    cause: str
    counts: tuple[int, ...]


def faded(
    attempts: Mapping[str, Sequence[Attempt]], least: int = 2
) -> dict[tuple[str, str], Faded]:
    """Count, attempt by attempt, who made which mistake, among those who handed in more than once.

    Whoever stops handing in stays as the last attempt was.

    Returns
    -------
    dict
        From check and general cause, as :func:`proctor.tell.itemstats.misconceptions` groups them.
    """
    several = [list(one) for one in attempts.values() if len(one) >= least]
    if not several:
        return {}
    length = min(MOST_ATTEMPTS, max(map(len, several)))
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * length)
    words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for mine in several:
        for number in range(length):
            for check, cause in mine[min(number, len(mine) - 1)].causes.items():
                key = (check, general(cause))
                counts[key][number] += 1
                words[key][cause] += 1
    return {
        key: Faded(key[0], words[key].most_common(1)[0][0], tuple(numbers))
        for key, numbers in counts.items()
    }
