"""Folders for the time of a run, which the next run clears where a grader was killed.

Such a folder holds a file that its process keeps locked; the system lets go of the lock when the
process ends, however it ends. A folder whose lock can be had is nobody's. The file gets its name when
it is locked already, so a folder is never seen between the two.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

OWNER = ".owner"
"""The locked file; a folder without it is none of ours."""
PREFIXES = ("nb-", "k-", "proctor-")
"""Of the fork server, of a kernel's sockets, of one marking."""


class Scratch:
    """A new folder in the system's temporary folder, until it is removed.

    Parameters
    ----------
    prefix : str
        One of :data:`PREFIXES`.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock: int | None = None
        if sys.platform != "win32":  # where single notebooks are checked, and nothing is cleared
            new = self.path / f"{OWNER}-new"
            self._lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            os.rename(new, self.path / OWNER)

    def remove(self) -> None:
        """Remove the folder and what is in it; a second time does nothing."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder, which is gone when the context ends."""
    scratch = Scratch(prefix)
    try:
        yield scratch.path
    finally:
        scratch.remove()


def clear_abandoned() -> list[Path]:
    """Remove the folders of processes that are no more; return their paths."""
    cleared: list[Path] = []
    if sys.platform == "win32":
        return cleared
    with os.scandir(tempfile.gettempdir()) as entries:
        names = sorted(entry.path for entry in entries if entry.name.startswith(PREFIXES))
    for path in map(Path, names):
        try:
            lock = os.open(path / OWNER, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # not one of ours, another user's, or gone meanwhile
        try:
            # Its owner may have removed it, and let go of the lock, since it was opened.
            if _is_own_folder(path) and _take(lock) and os.fstat(lock).st_nlink:
                _remove(path)
                cleared.append(path)
        finally:
            os.close(lock)
    return cleared


def _is_own_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _take(lock: int) -> bool:
    """Lock a file unless a living process has; nobody is waited for."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(path: Path) -> None:
    """Remove a folder, whatever a student's process made of its permissions."""
    for folder, names, _ in os.walk(path):
        for name in names:
            inner = Path(folder, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(
        path, ignore_errors=True
    )  # what is left over harms nobody, and the next run tries
