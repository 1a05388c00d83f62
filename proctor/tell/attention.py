"""Who needs a person, and why: the few lines at the end of a run, in the order of what to do first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from proctor.record.read_results import ClassData
from proctor.record.run_record import ClassResult
from proctor.tell.itemstats import not_started
from proctor.verdict import Problem, Verdict

MOST_LINES = 10
MOST_NAMES = 6
MOST_CHECKS = 2
COPY = "copy-more-finished"
WAITS = "waits"
_GRAVITY = {"rejected": 0, "needs_attention": 1, "graded": 2}


def attention_lines(result: ClassResult, data: ClassData) -> list[str]:
    """Return at most :data:`MOST_LINES` lines; a single one where nothing is to be done."""
    fixed = [*_checks(result), *_class(result, data)]
    reasons = list(_reasons(result, data))
    room = max(1, MOST_LINES - len(fixed))
    if len(reasons) > room:
        left = {name for names, _ in reasons[room - 1 :] for name in names}
        reasons = reasons[: room - 1]
        rest = [
            f"{names_of(sorted(left))}: other reasons; proctor report {data.lab.name} says which"
        ]
    else:
        rest = []
    people = [f"! {names_of(names)}: {why}" for names, why in reasons]
    return [*people, *(f"! {line}" for line in rest), *fixed] or ["Nobody needs a person."]


def names_of(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return names, the first few and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _reasons(result: ClassResult, data: ClassData) -> Iterator[tuple[list[str], str]]:
    """Yield who needs a person and why, the gravest and then the most frequent first."""
    groups: dict[str, list[tuple[Verdict, Problem]]] = defaultdict(list)
    for student, verdict in result.verdicts.items():
        problem = next((one for one in verdict.problems if one.attention), None)
        if problem is not None:
            groups[problem.code].append((verdict, problem))
        # What a person marks waits for them, whatever the problem.
        answers = any(one.waiting for one in verdict.exercises)
        if data.entries[student].waiting and (problem is None or answers):
            waits = Problem(WAITS, "The gradebook waits for a person's mark (see formgrader).")
            groups[WAITS].append((verdict, waits))
    ranked = sorted(groups.items(), key=lambda item: (*_rank(item[0], item[1]), item[0]))
    for _, members in ranked:
        names = [verdict.student for verdict, _ in members]
        messages = list(dict.fromkeys(problem.message for _, problem in members))
        others = "" if len(messages) == 1 else " (and the like)"
        not_marked = "not marked: " if members[0][0].status == "rejected" else ""
        yield names, f"{not_marked}{messages[0]}{others}"


def _rank(code: str, members: list[tuple[Verdict, Problem]]) -> tuple[bool, int, bool, int]:
    """Order reasons: what was not marked, then what was perhaps not the right file, then the many.

    What waits for a person in any case, often of the whole class, comes last.
    """
    gravity = min(_GRAVITY[verdict.status] for verdict, _ in members)
    return code == WAITS, gravity, code != COPY, -len(members)


def _checks(result: ClassResult) -> Iterator[str]:
    """Yield what is wrong with the lab's own checks."""
    withdrawn = sorted(result.broken.items())
    for check, error in withdrawn[:MOST_CHECKS]:
        yield f"The check '{check}' is broken and withdrawn ({error}). Mend it and mark again."
    if len(withdrawn) > MOST_CHECKS:
        yield f"Withdrawn too: {names_of([check for check, _ in withdrawn[MOST_CHECKS:]])}"
    for check, error in sorted(result.unjudged.items())[:1]:
        more = (
            f" So did {len(result.unjudged) - 1} more checks." if len(result.unjudged) > 1 else ""
        )
        yield (
            f"The check '{check}' raised on a submission ({error}), though not on the solution. Look "
            f"at the submission, and make the check bear such an answer.{more}"
        )


def _class(result: ClassResult, data: ClassData) -> Iterator[str]:
    """Yield what concerns several students and is no single verdict's matter."""
    changed = [f"{one.student} {one.before:g} -> {one.after:g}" for one in result.changed]
    untouched = [name for name, verdict in result.verdicts.items() if not_started(verdict)]
    strangers = [name for name in data.arrived.strangers if name in result.verdicts]
    groups: Iterable[tuple[str, Sequence[str]]] = (
        ("Changed since the last run (automatic scores)", changed),
        ("Not in the roster", strangers),
        ("Handed in an untouched notebook", untouched),
        ("Marked before, and no longer handed in (exports leave them out)", result.gone),
    )
    for title, names in groups:
        if names:
            yield f"{title}: {names_of(names)}"
    absent = (
        ("Handed in nothing", result.missing),
        ("Not in this folder, but marked from another one before", result.elsewhere),
    )
    if parts := [f"{title}: {names_of(names)}" for title, names in absent if names]:
        yield ". ".join(parts)
