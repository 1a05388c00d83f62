"""Intake: what a class handed in, one :class:`Handed` a student, and each of them read.

:func:`collect` looks at names and kinds of files only; :func:`read` opens one student's notebook.
Nothing is run, no link is followed, and nothing but regular files is opened.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from proctor.errors import CourseError, RejectedError
from proctor.intake.files import Entry, entry_bytes, hidden, not_a_file, on_disk, read_file
from proctor.intake.gradescope_metadata import name_submitters
from proctor.intake.layout import Group, Item, group, is_archive, is_notebook, list_folder, unwrap
from proctor.intake.lms_file_names import composed, likeness, printable, quotable, unique_ids
from proctor.intake.parse import MAX_BYTES, parse
from proctor.intake.zip_archive import list_archive
from proctor.submission import Candidate, Handed, Part, StudentCell, Submission
from proctor.verdict import Problem

__all__ = [
    "Candidate",
    "Handed",
    "StudentCell",
    "Submission",
    "collect",
    "read",
    "read_bytes",
    "read_parts",
]

MAX_CANDIDATES = 20
"""Most notebooks of one student that are considered."""


def collect(
    path: Path, lab: str, *, others: Collection[str] = (), workdir: Path | None = None
) -> list[Handed]:
    """List what was handed in at `path`, sorted by student.

    Parameters
    ----------
    path : Path
        nbgrader's tree (``STUDENT/LAB/LAB.ipynb``), a folder of folders (``STUDENT/LAB.ipynb``), a
        flat folder of notebooks, one notebook, or a zip archive of any of these as Canvas, Moodle,
        Blackboard and Gradescope make them. Archives within count as folders, one level deep.
    lab : str
        The lab's name.
    others : collection of str
        The course's other labs: what lies in a student's folder of such a name is theirs.
    workdir : Path, optional
        Where notebooks out of archives are put, under names of ours; otherwise they are kept in
        memory.

    Raises
    ------
    CourseError
        If there is nothing at `path`.
    RejectedError
        If `path` is an archive that cannot be read.
    """
    if path.is_dir():
        try:
            entries = list_folder(path, lab)
        except OSError as error:
            raise CourseError(f"The folder '{path}' cannot be read: {error.strerror}.") from error
    elif path.suffix.lower() == ".zip" and path.is_file():
        entries = unwrap(list_archive(path, path.name), lab)
    elif is_notebook(path.name) and os.path.lexists(path):
        entries = [on_disk(path, (path.name,))]
    else:
        raise CourseError(
            f"There is no folder, zip archive or notebook at '{path}'. Give the place where the "
            "class's submissions are."
        )
    groups = name_submitters(group(entries, lab, others), entries)
    ids = unique_ids({original: one.owner.numbered for original, one in groups.items()})
    store = _Store(workdir)
    handed = (_handed(ids[original], original, one, lab, store) for original, one in groups.items())
    return sorted((one for one in handed if one is not None), key=lambda one: one.student)


def read(handed: Handed, lab: str) -> Submission:
    """Read a student's notebook.

    Raises
    ------
    RejectedError
        If there is nothing that could be marked; its message is one sentence for the student.
    """
    if not handed.candidates:
        if handed.problems:
            raise RejectedError(handed.problems[0].code, handed.problems[0].message)
        raise RejectedError(
            "no-notebook", f"There is no notebook in what was handed in. Hand in {lab}.ipynb."
        )
    first, failures, best = None, [], None
    unclear = unclear_which(handed.candidates, lab)
    for candidate in handed.candidates:
        try:
            submission = read_bytes(load(candidate), handed.student, lab)
        except RejectedError as error:
            failures.append(error)
            continue
        first = first or (candidate, submission)
        if not unclear:
            break
        if best is None or _graded_cells(submission) > _graded_cells(best[1]):
            best = (candidate, submission)
    chosen = best or first
    if chosen is None:
        raise failures[0]
    candidate, submission = chosen
    problems = [*handed.problems, *_notes(handed, candidate, lab, unclear or bool(failures))]
    return replace(submission, problems=(*problems, *submission.problems))


def read_parts(handed: Handed, lab: str, names: Sequence[str]) -> Submission:
    """Read what a student handed in for an assignment of several notebooks.

    A file belongs to the notebook whose name its own is most like. A notebook that is missing or cannot
    be read costs its own cells.

    Raises
    ------
    RejectedError
        If none of them can be read; its message is one sentence for the student.
    """
    if not handed.candidates:
        read(handed, lab)  # says why
    parts, digest, failures = [], hashlib.sha256(), []
    for name in names:
        mine = [one for one in handed.candidates if _nearest(one.name, names) == name]
        mine.sort(key=lambda one: likeness(one.name, name), reverse=True)
        try:
            part = read(replace(handed, candidates=tuple(mine), problems=()), name)
        except RejectedError as error:
            code, message = error.code, error.message
            if not mine:
                code = "notebook-missing"
                message = f"The notebook {name}.ipynb was not handed in."
            failures.append(RejectedError(code, f"{name}: {message}" if mine else message))
            parts.append(Part(name, (), (Problem(code, message, attention=bool(mine)),)))
            digest.update(f"{name} {code}\n".encode())
            continue
        parts.append(Part(name, part.cells, part.problems))
        digest.update(f"{name} {part.digest}\n".encode())
    if len(failures) == len(names):
        raise failures[0]
    return Submission(handed.student, lab, (), handed.problems, digest.hexdigest(), tuple(parts))


def _nearest(name: str, names: Sequence[str]) -> str:
    return max(names, key=lambda one: (likeness(name, one), len(one)))


def read_bytes(data: bytes, student: str, lab: str) -> Submission:
    """Read a notebook from its bytes.

    Raises
    ------
    RejectedError
        If there is nothing in it that could be marked.
    """
    cells, problems = parse(data)
    return Submission(student, lab, cells, problems, hashlib.sha256(data).hexdigest())


def _notes(handed: Handed, candidate: Candidate, lab: str, attention: bool) -> Iterator[Problem]:
    shown = quotable(candidate.found or candidate.name)
    # A learning platform numbers what is handed in again.
    again = bool(candidate.found) and re.fullmatch(rf"{re.escape(lab)}-\d+\.ipynb", candidate.name)
    if candidate.name != f"{lab}.ipynb" and not again:
        yield Problem("renamed", f"The notebook is named '{shown}' instead of '{lab}.ipynb'.")
    if len(handed.candidates) > 1:
        yield Problem(
            "several-notebooks",
            f"{len(handed.candidates)} notebooks were handed in; '{shown}' is the one that was "
            "marked.",
            attention=attention,
        )


def unclear_which(candidates: tuple[Candidate, ...], lab: str) -> bool:
    """Tell whether names and times leave it open which notebook is meant."""
    if len(candidates) < 2:
        return False
    first, second = candidates[:2]
    rank = likeness(first.name, lab)
    if (first.timestamp, rank) != (second.timestamp, likeness(second.name, lab)):
        return False
    # The same exact name in two folders is decided by the folder, unless the two are one student's
    # whose name is written in two forms.
    return rank < (2, 0) or first.found != second.found or _one_name(first.path, second.path)


def _one_name(first: Path | None, second: Path | None) -> bool:
    """Tell whether two paths are the same but for how letters with accents are written."""
    return (
        first is not None and second is not None and composed(str(first)) == composed(str(second))
    )


def _graded_cells(submission: Submission) -> int:
    return sum(bool(cell.grade_id) or "# UNQ_" in cell.source for cell in submission.cells)


def load(candidate: Candidate) -> bytes:
    """Return a notebook's bytes.

    Raises
    ------
    RejectedError
        If the file cannot be read, or is too large.
    """
    if candidate.data is not None:
        return candidate.data
    assert candidate.path is not None
    return read_file(candidate.path, MAX_BYTES)


def _handed(student: str, original: str, mine: Group, lab: str, store: _Store) -> Handed | None:
    """Find one student's notebooks; None if it is not a student's folder."""
    entries = list(_expanded(mine.entries))
    if original.startswith(".") and not any(
        entry.problem or (rest and is_notebook(rest[-1])) for rest, _, entry in entries
    ):
        return None  # a program's own folder
    problems = [entry.problem for _, _, entry in entries if entry.problem]
    ranked: list[tuple[tuple[bool, str, tuple[int, int], int, tuple[str, ...]], Entry]] = []
    timestamp = None
    for rest, attempt, entry in entries:
        if entry.kind == "folder" and rest and is_notebook(rest[-1]):
            problems.append(not_a_file(quotable(rest[-1])))
        elif entry.kind == "file" and rest and rest[-1] == "timestamp.txt":
            timestamp = _timestamp(entry) or timestamp
        elif entry.kind == "file" and rest and is_notebook(rest[-1]):
            in_lab = lab.lower() in (part.lower() for part in rest[:-1])
            like = likeness(rest[-1], lab)
            ranked.append(((in_lab, attempt or "", like, -len(rest), rest), entry))
    ranked.sort(key=lambda item: item[0], reverse=True)
    candidates: list[Candidate] = []
    room = MAX_BYTES
    for (_, time, _, _, rest), entry in ranked[:MAX_CANDIDATES]:
        if room <= 0:
            break
        try:
            candidates.append(store.keep(rest[-1], time or None, entry))
        except RejectedError as error:
            problems.append(Problem(error.code, error.message, attention=True))
        else:
            room -= len(candidates[-1].data or b"")
    unique = tuple(dict.fromkeys(problems))[:MAX_CANDIDATES]
    timestamp = timestamp or mine.timestamp
    return Handed(
        student, printable(original), tuple(candidates), timestamp, unique, owner=mine.owner
    )


def _expanded(entries: Iterable[Item], *, nested: bool = False) -> Iterator[Item]:
    """Put in place of each archive among a student's entries what it holds."""
    for rest, attempt, entry in entries:
        if entry.kind != "file" or not rest or not is_archive(rest[-1]):
            yield rest, attempt, entry
            continue
        name = entry.parts[-1]
        try:
            if nested:
                message = f"The archive '{quotable(name)}' lies inside another archive."
                raise RejectedError("nested-archive", f"{message} Hand in the notebook alone.")
            inner = list_archive(entry_bytes(entry), name)
        except RejectedError as error:
            problem = Problem(error.code, error.message, attention=True)
            yield rest, attempt, Entry(entry.parts, "refused", problem)
            continue
        visible = [one for one in inner if not any(hidden(part) for part in one.parts)]
        yield from _expanded(
            (((*rest[:-1], *one.parts), attempt, one) for one in visible), nested=True
        )


def _timestamp(entry: Entry) -> str | None:
    """Read nbgrader's ``timestamp.txt``; None if it holds anything but a time."""
    try:
        text = entry_bytes(entry)[:100].decode("ascii", "replace").strip()
    except RejectedError:
        return None  # the time is worth knowing, not worth a verdict
    return text if re.fullmatch(r"\d{4}-\d\d-\d\d[ T][\w:.,+ /-]{4,60}", text) else None


class _Store:
    """Where notebooks out of archives are kept: in files of ours, or in memory."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.count = 0

    def keep(self, name: str, timestamp: str | None, entry: Entry) -> Candidate:
        found = entry.parts[-1]
        if entry.path is not None:
            return Candidate(name, timestamp, entry.path, found=found)
        data = entry_bytes(entry)
        if self.folder is None:
            return Candidate(name, timestamp, data=data, found=found)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.count:06d}.ipynb"
        self.count += 1
        path.write_bytes(data)
        return Candidate(name, timestamp, path, found=found)
