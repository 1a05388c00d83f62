"""Files of strangers on disk: listed without following links, opened only if they are regular."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from proctor.errors import RejectedError
from proctor.intake.lms_file_names import quotable
from proctor.intake.parse import MAX_BYTES, too_large
from proctor.verdict import Problem

MAX_FOLDER = 2_000
"""Most files that are looked at in one student's folder."""
MAX_LEVELS = 6
"""Deepest folder that is looked into."""

_JUNK = {
    ".DS_Store",
    ".git",
    ".ipynb_checkpoints",
    ".svn",
    "Thumbs.db",
    "__MACOSX",
    "__pycache__",
    "desktop.ini",
}


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a refused thing, in a folder of submissions or in an archive.

    Attributes
    ----------
    parts : tuple of str
        Its path from the top, without ``.``, ``..`` and drives.
    kind : {"file", "folder", "refused"}
    problem : Problem or None
        Why it is refused.
    path : Path or None
        Where it lies on disk.
    read : callable or None
        Returns the bytes of an archive's member; raises :class:`~proctor.errors.RejectedError`.
    """

    parts: tuple[str, ...]
    kind: Literal["file", "folder", "refused"]
    problem: Problem | None = None
    path: Path | None = None
    read: Callable[[], bytes] | None = None


def link(shown: str) -> Problem:
    """Say that a symbolic link was refused."""
    return Problem(
        "link",
        f"'{shown}' is a link to another file, and links are not followed. Hand in the file itself.",
        attention=True,
    )


def not_a_file(shown: str) -> Problem:
    """Say that something is neither a file nor a folder of files."""
    return Problem(
        "not-a-file",
        f"'{shown}' is not an ordinary file. Hand in the notebook itself.",
        attention=True,
    )


def read_file(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes without following links or waiting."""
    shown = quotable(path.name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            problem = not_a_file(shown)
            raise RejectedError(problem.code, problem.message)
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise too_large(size)
            data = file.read(limit + 1)
    except OSError as error:
        raise RejectedError(
            "unreadable", f"The file '{shown}' cannot be read ({error.strerror}). Hand it in again."
        ) from error
    if len(data) > limit:
        raise too_large(len(data))
    return data


def on_disk(path: Path, parts: tuple[str, ...]) -> Entry:
    """Make an entry of what lies at `path`, without opening it."""
    shown = quotable(path.name)
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        message = f"'{shown}' cannot be read ({error.strerror}). Hand it in again."
        return Entry(parts, "refused", Problem("unreadable", message, attention=True))
    if stat.S_ISLNK(mode):
        return Entry(parts, "refused", link(shown))
    if stat.S_ISDIR(mode):
        return Entry(parts, "folder", path=path)
    if stat.S_ISREG(mode):
        return Entry(parts, "file", path=path)
    return Entry(parts, "refused", not_a_file(shown))


def walk(top: Path) -> Iterator[Entry]:
    """List a folder of submissions."""
    for name in sorted(os.listdir(top)):
        first = on_disk(top / name, (name,))
        yield first
        if first.kind == "folder" and not junk(name):
            yield from walk_student(first)


def walk_student(first: Entry) -> Iterator[Entry]:
    """List one student's folder, its shallow files before its deep ones."""
    seen = 0
    folders = deque([first])
    while folders:
        folder = folders.popleft()
        assert folder.path is not None
        try:
            names = sorted(os.listdir(folder.path))
        except OSError as error:
            message = f"The folder cannot be read ({error.strerror}). Hand it in again."
            problem = Problem("unreadable", message, attention=True)
            yield Entry((*folder.parts, ""), "refused", problem)
            continue
        for name in names:
            if hidden(name):
                continue
            seen += 1
            if seen > MAX_FOLDER:
                message = f"Only the first {MAX_FOLDER:,} files of the folder were looked at."
                problem = Problem("too-many-files", message, attention=True)
                yield Entry((*first.parts, ""), "refused", problem)
                return
            entry = on_disk(folder.path / name, (*folder.parts, name))
            yield entry
            if entry.kind == "folder" and len(entry.parts) <= MAX_LEVELS:
                folders.append(entry)


def junk(name: str) -> bool:
    """Tell whether a name is an editor's, an operating system's or a version control's own."""
    return name in _JUNK or name.startswith("._")


def hidden(name: str) -> bool:
    """Tell whether a name within a student's folder is not looked at."""
    return junk(name) or name.startswith(".")


def entry_bytes(entry: Entry) -> bytes:
    """Return what a file holds, on disk or in an archive.

    Raises
    ------
    RejectedError
        If it cannot be read, or is too large.
    """
    if entry.read is not None:
        return entry.read()
    assert entry.path is not None
    return read_file(entry.path, MAX_BYTES)
