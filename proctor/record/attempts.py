"""How often a student handed in, and what was wrong each time: one small file a student.

An attempt is what the graded cells hold. The same answers marked again, by better checks, are the same
attempt. Verdicts know nothing of it; the class report tells from it how a mistake went away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proctor.atomic_files import write_whole
from proctor.examine.mark_result import split_notebooks
from proctor.record.store import Store
from proctor.verdict import Verdict

FOLDER = ".attempts"
MOST = 50
"""Most attempts of one student that are kept: the last ones."""
MAX_CAUSE = 400


@dataclass(frozen=True)
class Attempt:
    """One time that a student handed in.

    Attributes
    ----------
    score : float
        The automatic score.
    causes : mapping of str to str
        Check -> why it did not pass; those that were not asked are not in it.
    """

    score: float
    causes: Mapping[str, str] = field(default_factory=dict)


def note_attempt(store: Store, verdict: Verdict, notebook: str) -> None:
    """Add an attempt, or put it in the place of the last one if the answers are the same."""
    texts = split_notebooks(notebook).values() if store.names else (notebook,)
    answers = _digest(texts)
    path = store.verdicts / FOLDER / store.verdict(verdict.student).name
    before = _load(path)
    if before and before[-1].get("answers") == answers:
        before.pop()
    causes = {
        check.id: check.cause[:MAX_CAUSE]
        for exercise in verdict.exercises
        for check in exercise.checks
        if not check.passed and not check.skipped and verdict.status != "rejected"
    }
    entries = [*before, {"answers": answers, "score": verdict.score, "causes": causes}]
    write_whole(
        path, json.dumps(entries[-MOST:], sort_keys=True, ensure_ascii=False) + "\n", lasting=False
    )


def read_attempts(store: Store, student: str) -> list[Attempt]:
    """Return a student's attempts, the first one first; none, if nothing was kept."""
    try:
        return [
            Attempt(float(one["score"]), {str(k): str(v) for k, v in one["causes"].items()})
            for one in _load(store.verdicts / FOLDER / store.verdict(student).name)
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _load(path: Any) -> list[dict[str, Any]]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _digest(notebooks: Iterable[str]) -> str:
    """Digest of what the graded cells hold."""
    cells = [cell for notebook in notebooks for cell in json.loads(notebook)["cells"]]
    answers = [
        [cell.get("id", ""), "".join(cell["source"])]
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("solution")
    ]
    return hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:16]
