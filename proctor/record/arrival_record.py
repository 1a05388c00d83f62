"""How a class's submissions arrived: ``OUT/arrivals.json``, one record a lab.

Verdicts hold none of it, and nothing depends on the file; tables, the class report and exports show what
is there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proctor.atomic_files import write_whole
from proctor.submission import Handed

NAME = "arrivals.json"


@dataclass(frozen=True)
class Noted:
    """What is kept of how a class's submissions arrived; verdicts hold none of it.

    Attributes
    ----------
    late : tuple of str
        Whom the learning platform calls late.
    strangers : tuple of str
        Who is not in the roster.
    found_as : dict of str to str
        From a student's id to the name in the archive, where these differ.
    """

    late: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    found_as: dict[str, str] = field(default_factory=dict)


def note_arrivals(
    out: Path, lab: str, handed: Sequence[Handed], strangers: Collection[str]
) -> None:
    """Keep how they arrived in ``out/arrivals.json``; what was noted of others stays."""
    before = read_arrivals(out, lab)
    here = {one.student for one in handed}
    late = {one.student for one in handed if one.owner and one.owner.late}
    found_as = {one.student: one.original for one in handed if one.original != one.student}
    kept = {
        "late": sorted(late | set(before.late) - here),
        "strangers": sorted({*strangers, *set(before.strangers) - here}),
        "found_as": {k: v for k, v in before.found_as.items() if k not in here} | found_as,
    }
    records = {**_noted(out), lab: kept}
    write_whole(
        out / NAME, json.dumps(records, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    )


def read_arrivals(out: Path, lab: str) -> Noted:
    """Read what was kept; nothing, if there is no such file or it is damaged."""
    data = _noted(out).get(lab) or {}
    try:
        late, strangers, found_as = data["late"], data["strangers"], data["found_as"]
        return Noted(tuple(map(str, late)), tuple(map(str, strangers)), dict(found_as))
    except (KeyError, TypeError, ValueError):
        return Noted()


def strangers_of(out: Path) -> set[str]:
    """Return whom the roster did not know, of any lab that was marked into `out`."""
    return {name for lab in _noted(out) for name in read_arrivals(out, lab).strangers}


def _noted(out: Path) -> dict[str, Any]:
    try:
        data = json.loads((out / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
