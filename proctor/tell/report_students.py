"""The class report's rows of students: marks, lateness, why a person should look, who is a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proctor.course import Course
from proctor.record.read_results import ClassData
from proctor.record.roster import read_roster
from proctor.record.store import store_of
from proctor.verdict import Verdict


@dataclass(frozen=True)
class Row:
    """One student: score, the share of each exercise, why a person should look."""

    student: str
    name: str
    score: float
    status: str
    automatic: float
    section: str
    late: bool
    extended: bool
    shares: tuple[tuple[float, float, bool], ...]
    reasons: tuple[str, ...]
    page: str


def attention_rows(data: ClassData, path: Path) -> Iterator[Row]:
    """Yield who needs a person, the gravest first."""
    rows = [row_of(data, student, path) for student in data.verdicts]
    order = {"rejected": 0, "needs_attention": 1, "graded": 2}
    yield from sorted((row for row in rows if row.reasons), key=lambda row: order[row.status])


def row_of(data: ClassData, student: str, path: Path) -> Row:
    verdict = data.verdicts[student]
    entry = data.entries[student]
    page = store_of(data.lab, data.out).page(student)
    link = ""
    if page.is_file() and page.is_relative_to(path.parent):
        link = page.relative_to(path.parent).as_posix()
    return Row(
        student=student,
        name=entry.name,
        score=data.score(student),
        status=verdict.status,
        automatic=verdict.score,
        section=entry.section,
        late=entry.late,
        extended=entry.extended,
        shares=tuple(
            (data.mark(student, one.id), one.max_score, one.id in entry.by_hand)
            for one in verdict.exercises
        ),
        reasons=_reasons(verdict, entry.waiting),
        page=link,
    )


def _reasons(verdict: Verdict, waiting: bool) -> tuple[str, ...]:
    reasons = [problem.message for problem in verdict.problems if problem.attention]
    if not reasons and waiting:
        reasons.append("The gradebook waits for a person's mark (formgrader shows the cell).")
    return tuple(dict.fromkeys(reasons))


def strangers(course: Course, data: ClassData) -> list[str]:
    """Return who was marked but is not in ``course/roster.csv``, if there is such a file."""
    roster = read_roster(course)
    return [] if roster is None else sorted(set(data.verdicts) - set(roster))
