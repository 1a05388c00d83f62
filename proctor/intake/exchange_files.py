"""What nbgrader's exchange put beside a submission, by which its feedback finds the way back."""

from __future__ import annotations

from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.errors import RejectedError
from proctor.intake.files import read_file
from proctor.submission import Handed

FILES = ("timestamp.txt", "submission_secret.txt")
LIMIT = 1_000
"""Most bytes of such a file; nbgrader's are below a hundred."""


def carry(handed: Handed, folder: Path) -> bool:
    """Copy these files to the autograded notebook, as `nbgrader autograde` does.

    Parameters
    ----------
    folder : Path
        The folder of the autograded notebook.

    Returns
    -------
    bool
        Whether anything there changed: a new submission of the same bytes has a new secret, and its
        feedback must be made again.
    """
    changed = False
    beside = {one.path.parent for one in handed.candidates if one.path is not None}
    for name in FILES:
        for path in sorted(beside):
            try:
                data = read_file(path / name, LIMIT)
            except RejectedError:
                continue  # not from an exchange, or not an ordinary file
            target = folder / name
            if not target.is_file() or target.read_bytes() != data:
                write_whole(target, data)
                changed = True
            break
    return changed
