"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str | bytes, *, lasting: bool = True) -> None:
    """Write a file so that it is there whole or not at all; text is written as UTF-8.

    Parameters
    ----------
    lasting : bool
        Whether it must outlive a power failure from now on. To wait for the disk costs more than
        all else; what a reader recognises as torn, and what is made again, need not.
    """
    data = text.encode() if isinstance(text, str) else text
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
