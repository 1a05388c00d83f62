"""Zip archives of strangers: listed and read in memory, never extracted by the names they give."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from proctor.errors import RejectedError
from proctor.intake.files import Entry, link, not_a_file
from proctor.intake.lms_file_names import quotable
from proctor.intake.parse import MAX_BYTES, too_large
from proctor.verdict import Problem

MAX_MEMBERS = 500_000
"""Most members of a class's archive: 30,000 students with a dozen files each, and room."""
MAX_NESTED_MEMBERS = 2_000
"""Most members of one student's archive."""
MAX_RATIO = 200
"""Highest compression of a member that is larger than 1 MiB; notebooks reach about 50."""

_CENTRAL = b"PK\x01\x02"
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,  # a compression or a version that zipfile does not know
    RuntimeError,  # a password is needed
    EOFError,
    OSError,
    ValueError,  # an impossible offset, a name that is not UTF-8
    LookupError,
    OverflowError,
)


def list_archive(source: Path | bytes, name: str) -> list[Entry]:
    """List an archive on disk, or (`bytes`) one that was found in what a student handed in.

    The entries read from the open archive, which is closed with the last of them.

    Raises
    ------
    RejectedError
        If it is not a zip archive that can be read.
    """
    shown = quotable(name)
    file: Path | io.BytesIO
    if isinstance(source, bytes):
        if source.count(_CENTRAL) > MAX_NESTED_MEMBERS:
            raise RejectedError(
                "bad-archive",
                f"The archive '{shown}' holds more than {MAX_NESTED_MEMBERS:,} files. Hand in the "
                "notebook alone.",
            )
        file = io.BytesIO(source)
    else:
        file = source
    try:
        archive = zipfile.ZipFile(file)
    except _READ_ERRORS as error:
        raise _unreadable(shown) from error
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        archive.close()
        raise RejectedError(
            "bad-archive",
            f"The archive '{shown}' holds more than {MAX_MEMBERS:,} files. Split it and mark the "
            "parts one after the other.",
        )
    return [_entry(archive, member) for member in members]


def _unreadable(shown: str) -> RejectedError:
    return RejectedError(
        "bad-archive",
        f"The archive '{shown}' is damaged or not a zip archive. Make it again, see that it opens, "
        "and hand in that one.",
    )


def _entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    name = member.orig_filename.split("\x00")[0].replace("\\", "/")
    steps = name.split("/")
    parts = tuple(
        step
        for step in steps
        if step not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", step)
    )
    if name.startswith("/") or ".." in steps or re.match("[A-Za-z]:", name):
        # What claims to lie elsewhere is nobody's: it is told by its whole name.
        owner = () if steps[0] in ("", "..") or ":" in steps[0] else parts[:1]
        return Entry((*owner, name), "refused", _unsafe(quotable(name)))
    problem = _refusal(member, name)
    if problem or not parts:
        return Entry(parts, "refused", problem)
    if name.endswith("/"):
        return Entry(parts, "folder")
    return Entry(parts, "file", read=lambda: _read(archive, member, name))


def _unsafe(shown: str) -> Problem:
    return Problem(
        "unsafe-path",
        f"The archive's entry '{shown}' points outside the archive and was refused.",
        attention=True,
    )


def _refusal(member: zipfile.ZipInfo, name: str) -> Problem | None:
    shown = quotable(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return link(shown)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return not_a_file(shown)
    if member.flag_bits & 0x1:
        return Problem(
            "encrypted",
            f"The archive's entry '{shown}' is encrypted. Hand in the notebook without a password.",
            attention=True,
        )
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Problem(
            "compression",
            f"The archive's entry '{shown}' is compressed by a method that is not read. Hand in "
            "the notebook alone.",
            attention=True,
        )
    if member.file_size > max(2**20, MAX_RATIO * member.compress_size):
        return Problem(
            "compression",
            f"The archive's entry '{shown}' is compressed more than {MAX_RATIO} to 1, as no notebook "
            "is, and was refused.",
            attention=True,
        )
    return None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    if member.file_size > MAX_BYTES:
        raise too_large(member.file_size)
    try:
        with archive.open(member) as file:
            data = file.read(MAX_BYTES + 1)
    except _READ_ERRORS as error:
        raise RejectedError(
            "bad-archive",
            f"The entry '{quotable(name)}' of the archive is damaged. Make the archive "
            "again and hand in that one.",
        ) from error
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    return data
