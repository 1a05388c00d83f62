"""What an isolated submission may see: the whitelist, as plain data made once in the grader."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proctor.sandbox.limits import Limits

HOME = "/home/student"
WORK = "/home/student/work"
SOCKETS = "/run/jupyter"
INSIDE_ID = 1000
NOBODY = 65534
"""User and group that a kernel runs as when the grader is root."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
_PREFIX_PARTS = ("bin", "lib", "lib64", "include", "share", "etc", "ssl", "pyvenv.cfg")
_CAP_SYS_ADMIN = 21
_UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


@dataclass(frozen=True)
class Layout:
    """What every sandbox of one fork server has in common.

    Attributes
    ----------
    visible : tuple of str
        Files and folders of the host that are bound read-only at their own places.
    links : tuple of (str, str)
        Symbolic links of the new root: place, destination (``/bin`` to ``usr/bin``).
    given : tuple of (str, str)
        The lab's files: source, and place relative to the working folder.
    hidden : tuple of str
        Folders that stay empty inside even where they lie in something visible.
    stage : str
        An empty folder of the grader's, on which the new root is mounted.
    scratch_mb : int
        Size of everything the submission may write, in MiB.
    privileged : bool
        Whether the grader may make namespaces without a user namespace of its own (root).
    """

    visible: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    stage: str
    scratch_mb: int
    privileged: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain form, for :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Layout:
        """Read what :meth:`to_dict` gave, perhaps through JSON."""
        return cls(
            visible=tuple(data["visible"]),
            links=tuple((place, target) for place, target in data["links"]),
            given=tuple((source, target) for source, target in data["given"]),
            hidden=tuple(data["hidden"]),
            stage=data["stage"],
            scratch_mb=data["scratch_mb"],
            privileged=data["privileged"],
        )


def plan(
    stage: Path, given: Iterable[tuple[str, str]], hidden: Sequence[Path], limits: Limits
) -> Layout:
    """Whitelist this interpreter, its packages and the system's libraries.

    Of the interpreter's prefixes only the folders that hold programs and packages are taken, since a
    virtual environment may well be a course's own folder.
    """
    visible = [place for place in _SYSTEM if os.path.isdir(place) and not os.path.islink(place)]
    links = [(place, os.readlink(place)) for place in _SYSTEM if os.path.islink(place)]
    for prefix in dict.fromkeys(
        (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    ):
        parts = (os.path.join(prefix, part) for part in _PREFIX_PARTS)
        visible += [part for part in parts if os.path.exists(part)]
    visible += [f"/etc/{name}" for name in _ETC if os.path.exists(f"/etc/{name}")]
    tops: list[str] = []
    for place in sorted(set(visible)):
        if not any(place == top or place.startswith(top + "/") for top in tops):
            tops.append(place)
    closed = [str(folder.resolve()) for folder in hidden if folder.is_dir()]
    inside = [folder for folder in closed if any(folder.startswith(top + "/") for top in tops)]
    return Layout(
        visible=tuple(tops),
        links=tuple(links),
        given=tuple(given),
        hidden=tuple(inside),
        stage=str(stage),
        scratch_mb=limits.scratch_mb,
        privileged=_privileged(),
    )


def _privileged() -> bool:
    """Whether this is a root that may mount and become nobody; root in a plain container may not."""
    status = Path("/proc/self/status").read_text("ascii", errors="replace")
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    maps = [Path(f"/proc/self/{kind}_map").read_text("ascii") for kind in ("uid", "gid")]
    return (
        os.geteuid() == 0 and bool(effective >> _CAP_SYS_ADMIN & 1) and all(map(_maps_nobody, maps))
    )


def _maps_nobody(ids: str) -> bool:
    ranges = [[int(field) for field in line.split()] for line in ids.splitlines()]
    return any(first <= NOBODY < first + count for first, _, count in ranges)


def copy_given(given: Iterable[tuple[Path, str]], folder: Path) -> list[tuple[str, str]]:
    """Copy the lab's files, readable to all, so that what a kernel sees cannot change in a run.

    Beside a Python file goes its compiled form, so that no kernel has to make one of its own.

    Returns
    -------
    list of (str, str)
        The copy's path and its place relative to the working folder.

    Raises
    ------
    ValueError
        If a place leads out of the working folder.
    """
    copies = []
    for number, (source, target) in enumerate(given):
        if Path(target).is_absolute() or ".." in Path(target).parts:
            raise ValueError(f"a given file must lie in the working folder, not at {target}")
        copy = folder / str(number)
        shutil.copyfile(source, copy)
        copy.chmod(0o444)
        copies.append((str(copy), target))
        if target.endswith(".py"):
            compiled = folder / f"{number}.pyc"
            py_compile.compile(str(copy), str(compiled), target, invalidation_mode=_UNCHECKED)
            if compiled.exists():  # else it has an error, which its import will tell
                compiled.chmod(0o444)
                copies.append((str(compiled), importlib.util.cache_from_source(target)))
    return copies
