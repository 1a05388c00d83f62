"""The secret of a course: what hidden checks draw cannot be drawn by anybody who does not have it.

A seed made of the submission's bytes alone could be computed at home, and the file changed until the
draw is kind. The secret is made when it is first needed and lies beside the gradebook, for its owner
to read alone; with the same secret the same submission gets the same verdict, so it is backed up
with the gradebook. It belongs to whoever marks: no release and no kernel contains it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from proctor.errors import CourseError

NAME = ".proctor-secret"
"""Name of the file in the course's folder."""
BYTES = 32


def course_secret(folder: Path, say: Callable[[str], object]) -> bytes:
    """Return the secret of a course; make one if there is none, and say so.

    Of several processes that make one at once, all return the same.

    Parameters
    ----------
    folder : Path
        The course's folder, in which ``gradebook.db`` is too.
    say : callable
        Told, in a sentence, that a new secret was made.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    CourseError
        If the file cannot be read or written, or holds something else.
    """
    path = folder / NAME
    try:
        made = not path.exists() and _make(path)
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"The course's secret {path} cannot be read or written ({error}). Make the folder "
            "writable, or restore the file from the backup that holds the gradebook."
        ) from error
    if not re.fullmatch(f"[0-9a-f]{{{2 * BYTES}}}", text):
        raise CourseError(
            f"The course's secret {path} should hold {2 * BYTES} hexadecimal digits and does not. "
            "Restore it from the backup that holds the gradebook; if there is none, delete it: then a "
            "new one is made, and hidden inputs differ from earlier runs."
        )
    if made:
        say(
            f"Note: made a new secret, {path}; hidden inputs differ from earlier runs. Back it up with "
            "the gradebook."
        )
    return bytes.fromhex(text)


def _make(path: Path) -> bool:
    """Write a new secret unless another process is sooner; tell whether this one did."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")  # for its owner alone
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
            return True
        return False
    finally:
        os.unlink(temporary)
