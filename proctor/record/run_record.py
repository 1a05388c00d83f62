"""How a marking run went: times, versions, what was marked and what was kept.

Verdicts hold no times, so that two runs compare byte for byte; what differs from run to run is
written beside them, to ``OUT/marking.json``, one record a lab. Nothing depends on the file: the
class report shows what is there.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from proctor import __version__
from proctor.atomic_files import write_whole
from proctor.verdict import Verdict

NAME = "marking.json"
TOLD_PACKAGES = ("nbgrader", "nbclient", "ipykernel", "numpy", "tensorflow", "keras")


@dataclass(frozen=True)
class ChangedScore:
    """A score that differs from an earlier marking, and the checks that made it differ."""

    student: str
    before: float
    after: float
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarkingRecord:
    """One marking run.

    Attributes
    ----------
    finished : str
        When it ended, ISO 8601 in UTC; empty if unknown.
    seconds : float
        Wall-clock time of the whole run.
    jobs : int
        How many submissions ran at once.
    isolation : str
        How students' kernels were kept apart.
    marked, kept : int
        How many were marked in this run, and how many were unchanged since an earlier one.
    versions : mapping of str to str
        Versions of Python, of the engine and of the packages that may change a verdict.
    broken : mapping of str to str
        Checks that were withdrawn -> why.
    changed : tuple of ChangedScore
        Scores that differ from an earlier marking.
    gone : tuple of str
        Students who were marked before, and whose submission was no longer there.
    took : mapping of str to float
        Student -> seconds that marking took.
    """

    finished: str = ""
    seconds: float = 0.0
    jobs: int = 1
    isolation: str = ""
    marked: int = 0
    kept: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[ChangedScore, ...] = ()
    gone: tuple[str, ...] = ()
    took: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MarkingRecord:
        """Build a record from its dictionary form; keys of a later version are left out."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        changed = tuple(
            ChangedScore(**{**one, "checks": tuple(one.get("checks", ()))})
            for one in known.get("changed", ())
        )
        gone = tuple(known.get("gone", ()))
        return cls(**{**known, "changed": changed, "gone": gone})


@dataclass
class ClassResult:
    """What marking a class gave.

    Attributes
    ----------
    verdicts : dict of str to Verdict
        By student id, sorted.
    missing : list of str
        Students of the roster who handed in nothing.
    gone : list of str
        Students who were marked before, and whose submission is no longer where it was.
    elsewhere : list of str
        Students of the roster who were marked before, with what another folder held.
    marked, kept : int
        How many were marked now, and how many were marked before and are unchanged.
    broken : dict of str to str
        Check id -> what it raised on the instructor's own solution: it is withdrawn.
    unjudged : dict of str to str
        Check id -> what it raised on a submission, which a person has to look at.
    changed : list of ChangedScore
        Scores that differ from an earlier marking.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    marked: int = 0
    kept: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    changed: list[ChangedScore] = field(default_factory=list)

    @property
    def needs_attention(self) -> bool:
        """Whether anything in the class needs a person."""
        return bool(self.broken or self.gone) or any(
            v.status != "graded" for v in self.verdicts.values()
        )


def versions() -> dict[str, str]:
    """Return the versions of Python, of the engine and of the packages that may change a verdict."""
    found = {"python": platform.python_version(), "proctor": __version__}
    for name in TOLD_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # a course need not have every one of them
    return found


def write_marking(out: Path, lab: str, record: MarkingRecord) -> None:
    """Write a lab's record to ``out/marking.json``; other labs' records stay."""
    records = {**_records(out), lab: asdict(record)}
    write_whole(
        out / NAME, json.dumps(records, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    )


def read_marking(out: Path, lab: str) -> MarkingRecord | None:
    """Read a lab's record; None if there is none, or none that can be read."""
    data = _records(out).get(lab)
    try:
        return MarkingRecord.from_dict(data) if isinstance(data, dict) else None
    except TypeError:
        return None


def _records(out: Path) -> dict[str, Any]:
    try:
        data = json.loads((out / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
