"""Zip archives whose bytes depend on their files alone, written whole or not at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.errors import CourseError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date in an archive that says nothing of the day it was made on."""


def write_archive(
    path: Path,
    files: Mapping[str, bytes],
    programs: tuple[str, ...] = (),
    date: tuple[int, int, int, int, int, int] = EPOCH,
) -> None:
    """Write an archive of `files`, by name; those in `programs` may be run, all have one `date`.

    Raises
    ------
    CourseError
        If `path` cannot be written; what was there before is unchanged.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o755 if name in programs else 0o644) << 16
            archive.writestr(info, data)
    try:
        write_whole(path, buffer.getvalue())
    except OSError as error:
        raise CourseError(
            f"{path} could not be written ({error.strerror}); what was there before is unchanged."
        ) from error
