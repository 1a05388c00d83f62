"""How a class's submissions lie: which entry of a folder or an archive is whose."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from proctor.intake.files import Entry, hidden, junk, on_disk, walk, walk_student
from proctor.intake.lms_file_names import composed, file_owner, is_copy, lms_owner
from proctor.submission import Owner

_NOTEBOOK = (".ipynb", ".ipynb.txt", ".ipynb.json")
_WRAPPER = re.compile(r"submissions?|submitted|assignment_\d+_export", re.I)

Item = tuple[tuple[str, ...], str | None, Entry]
"""Path within the student's folder, time of the attempt, entry."""


@dataclass
class Group:
    """The entries of one student, and when they were handed in, if the archive says so."""

    owner: Owner
    entries: list[Item] = field(default_factory=list)
    timestamp: str | None = None


def is_notebook(name: str) -> bool:
    """Tell whether a name is a notebook's, or one that a browser or a mail program made of it."""
    return name.lower().endswith(_NOTEBOOK)


def is_archive(name: str) -> bool:
    """Tell whether a name is a zip archive's."""
    return name.lower().endswith(".zip")


def list_folder(top: Path, lab: str) -> list[Entry]:
    """List a folder of submissions, or one student's own."""
    names = [name for name in os.listdir(top) if not hidden(name)]
    if names == [lab]:
        if os.path.lexists(top / lab / f"{lab}.ipynb"):
            student = top.resolve().name
            return list(walk_student(Entry((student,), "folder", path=top)))
        return list(_walk_inner(top, lab))
    if len(names) == 1 and _WRAPPER.fullmatch(names[0]):
        return list(_walk_inner(top, names[0]))
    return list(walk(top))


def _walk_inner(top: Path, name: str) -> Iterable[Entry]:
    """Step into the one folder that some exports put around all others."""
    inner = on_disk(top / name, (name,))
    return walk(top / name) if inner.kind == "folder" else walk(top)


def unwrap(entries: list[Entry], lab: str) -> list[Entry]:
    """Take off the one folder that some exports put around all others in an archive."""
    tops = {entry.parts[0] for entry in entries if entry.parts and not junk(entry.parts[0])}
    if len(tops) != 1:
        return entries
    top = tops.pop()
    inner = [replace(entry, parts=entry.parts[1:]) for entry in entries if len(entry.parts) > 1]
    students = {entry.parts[0] for entry in inner if len(entry.parts) > 1}
    names = {entry.parts[0] for entry in inner if len(entry.parts) == 1}
    flat = sum(is_notebook(name) and lms_owner(name) is not None for name in names)
    one_student = lab in students or f"{lab}.ipynb" in names
    wrapper = top == lab or _WRAPPER.fullmatch(top) or len(students) > 1 or flat > 1
    return inner if wrapper and not one_student else entries


def group(entries: Iterable[Entry], lab: str, others: Collection[str] = ()) -> dict[str, Group]:
    """Sort entries by the student whose they are, who is named by the original id.

    What belongs to another lab is left out, and whoever handed in nothing else: what lies in a student's
    folder of the name of one of the course's `others`, or evidently in nbgrader's tree.
    """
    groups: dict[str, Group] = {}
    for entry in entries:
        if not entry.parts or junk(entry.parts[0]) or any(map(hidden, entry.parts[1:])):
            continue
        found = _owner(entry, lab)
        if found is not None:
            owner, rest = found
            one = groups.setdefault(owner.student, Group(owner))
            if owner.late and not one.owner.late:
                one.owner = replace(one.owner, late=True)
            one.entries.append((rest, owner.timestamp, entry))
    return _without_other_labs(groups, lab, others)


def folder_owner(name: str) -> Owner:
    """Tell whose a folder among other students' folders is, by its name."""
    owner = lms_owner(name) or Owner(name)
    return replace(owner, student=composed(owner.student))


def _owner(entry: Entry, lab: str) -> tuple[Owner, tuple[str, ...]] | None:
    """Tell whose an entry is, and its path in that student's folder; None if it is nobody's."""
    found = _owner_as_written(entry, lab)
    if found is None:
        return None
    owner, rest = found
    return replace(owner, student=composed(owner.student)), rest


def _owner_as_written(entry: Entry, lab: str) -> tuple[Owner, tuple[str, ...]] | None:
    name, rest = entry.parts[0], entry.parts[1:]
    if entry.problem is not None and entry.problem.code == "unsafe-path" and not rest:
        return Owner(name), ()
    if is_notebook(name) or is_archive(name):
        owner = file_owner(name, lab)
        return owner, rest or (owner.file,)
    if rest or entry.kind == "folder" or (entry.kind == "refused" and "." not in name):
        return folder_owner(name), rest
    known = lms_owner(name)
    return (known, (known.file,)) if known else None


def _without_other_labs(
    groups: dict[str, Group], lab: str, known: Collection[str]
) -> dict[str, Group]:
    """Drop what lies in folders of other labs.

    These are ``STUDENT/OTHER`` for a known one, and ``STUDENT/OTHER/OTHER.ipynb`` where the class evidently
    lies in nbgrader's tree.
    """
    in_tree: Counter[str] = Counter()
    beside: set[str] = set()
    for one in groups.values():
        own = {
            rest[0]
            for rest, _, _ in one.entries
            if len(rest) == 2 and rest[1] == f"{rest[0]}.ipynb" and not is_copy(rest[0], lab)
        }
        in_tree.update(own)
        if any(rest[:1] == (lab,) for rest, _, _ in one.entries):
            in_tree[lab] += 1
            beside |= own
    enough = 2 if in_tree[lab] else max(2, len(groups))
    others = beside | {name for name, count in in_tree.items() if name != lab and count >= enough}
    others |= set(known) - {lab}
    kept = {}
    for original, one in groups.items():
        mine = [item for item in one.entries if not (item[0] and item[0][0] in others)]
        no_lab = others and len(mine) < len(one.entries) and not any(rest for rest, _, _ in mine)
        if not no_lab:
            kept[original] = Group(one.owner, mine)
    return kept
