"""Who handed in what in Gradescope's export: its ``submission_metadata.yml``.

The export holds a folder ``submission_98`` for each submission, and this file::

    submission_98:
      :submitters:
      - :name: Ada Lovelace
        :sid: '101'
        :email: ada@example.org
      :created_at: 2026-03-01 12:00:00.123456000 Z
      :results: ...

Only submitters and time are read; the rest, which may be many megabytes, is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import yaml

from proctor.errors import RejectedError
from proctor.intake.files import Entry, entry_bytes
from proctor.intake.layout import Group
from proctor.submission import Owner

NAME = "submission_metadata.yml"
MAX_BLOCK = 200
"""Most lines that are read of one submission's submitters."""

_FOLDER = re.compile(r"(?P<quote>[\"']?)(?P<name>submission_\d{1,20})(?P=quote):\s*")
_TIME = re.compile(r"  :created_at: ['\"]?(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(.*)")
_UTC = re.compile(r"['\"]?\s*(Z|UTC|\+00:?00)?['\"]?\s*")


@dataclass
class Submitted:
    """What the export says of one folder."""

    submitters: list[dict[str, str]] = field(default_factory=list)
    timestamp: str | None = None


def name_submitters(groups: dict[str, Group], entries: Iterable[Entry]) -> dict[str, Group]:
    """Name Gradescope's folders by who handed them in; a group's folder belongs to each of them.

    Where there is no such file, or it says nothing of a folder, that folder keeps its own name.
    """
    file = next((one for one in entries if one.parts == (NAME,) and one.kind == "file"), None)
    if file is None:
        return groups
    try:
        text = entry_bytes(file).decode("utf-8", "replace")
    except RejectedError:
        return groups  # then the folders' own names have to do
    known = {name: one for name, one in read_metadata(text.splitlines()) if one.submitters}
    named: dict[str, Group] = {}
    for folder, one in groups.items():
        submitted = known.get(folder)
        if submitted is None:
            named[folder] = one
            continue
        for person in submitted.submitters:
            owner = _owner(person, folder)
            if owner.student in named:  # two submissions in one name: each keeps its number
                owner = replace(owner, student=f"{owner.student}_{folder}")
            named[owner.student] = Group(owner, one.entries, submitted.timestamp)
    return named


def _owner(person: dict[str, str], folder: str) -> Owner:
    email, sid, name = (person.get(key, "") for key in ("email", "sid", "name"))
    student = sid or email.partition("@")[0] or name or folder
    return Owner(student, system="gradescope", name=name, number=sid, email=email)


def read_metadata(lines: Iterable[str]) -> Iterator[tuple[str, Submitted]]:
    """Yield each submission's folder, its submitters and its time (UTC)."""
    folder, found, block = "", Submitted(), None
    for line in lines:
        if line[:1] not in (" ", "-", ""):
            if folder:
                yield folder, _closed(found, block)
            match = _FOLDER.fullmatch(line)
            folder, found, block = (match["name"] if match else ""), Submitted(), None
            continue
        if line.startswith("  :") and not line.startswith("   "):
            if line.startswith("  :submitters:"):
                block = [line]
                continue
            found, block = _closed(found, block), None
            if match := _TIME.fullmatch(line):
                zone = _UTC.fullmatch(match[4])
                found.timestamp = f"{match[1]} {match[2]}{match[3] or ''} UTC" if zone else None
        elif block is not None and len(block) < MAX_BLOCK:
            block.append(line)
    if folder:
        yield folder, _closed(found, block)


def _closed(found: Submitted, block: list[str] | None) -> Submitted:
    """Take over what a block of submitters said; a block that is no such thing says nothing."""
    if not block:
        return found
    try:
        loaded = yaml.safe_load("\n".join(block))
        people = loaded[":submitters"]
        found.submitters = [
            {str(key).lstrip(":"): str(value or "").strip() for key, value in person.items()}
            for person in people
        ]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
        found.submitters = []
    return found
