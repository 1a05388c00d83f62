"""What a submission may see and do: namespaces, a root of its own, no rights (Linux).

Nothing of the host is there unless :class:`Layout` names it. The same steps serve root and an
ordinary user; they differ in who owns the outer namespaces. A kernel always ends up in a user
namespace below the one that owns its mounts, without a capability even there, so no mount can be
undone. In order:

1. :func:`enter_namespaces`, before the fork that makes pid 1;
2. :func:`build_root`, in pid 1: a tmpfs as root, the whitelist bound read-only, a fresh ``/proc``;
3. :func:`confine`, in the kernel: an unprivileged user, resource limits, no capabilities, seccomp;
4. :func:`seal`, in pid 1, once the kernel's sockets exist: their folder becomes read-only too.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proctor import limits as limits_module
from proctor import seccomp, syscalls
from proctor.limits import MIB, Limits

HOME = "/home/student"
WORK = "/home/student/work"
SOCKETS = "/run/jupyter"
INSIDE_ID = 1000
NOBODY = 65534
"""User and group that a kernel runs as when the grader is root."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
_PREFIX_PARTS = ("bin", "lib", "lib64", "include", "share", "etc", "ssl", "pyvenv.cfg")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV
_FILES = {
    "etc/passwd": f"root:x:0:0::/:/bin/sh\nstudent:x:{INSIDE_ID}:{INSIDE_ID}::{HOME}:/bin/sh\n",
    "etc/group": f"root:x:0:\nstudent:x:{INSIDE_ID}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
}


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
    """

    visible: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    stage: str
    scratch_mb: int

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
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)):
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
        tuple(tops), tuple(links), tuple(given), tuple(inside), str(stage), limits.scratch_mb
    )


def enter_namespaces(layout: Layout) -> None:
    """Leave the host's namespaces; the caller's next child will be pid 1 of the new ones.

    Raises
    ------
    OSError
        Where the system does not allow it; :func:`proctor.probe.missing` says what to do.
    """
    if os.geteuid() != 0:
        user, group = os.geteuid(), os.getegid()
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        syscalls.map_ids(user, group, user, group)
    syscalls.unshare(
        syscalls.CLONE_NEWNS
        | syscalls.CLONE_NEWPID
        | syscalls.CLONE_NEWNET
        | syscalls.CLONE_NEWIPC
        | syscalls.CLONE_NEWUTS
        | syscalls.CLONE_NEWCGROUP
    )
    socket.sethostname("notebook")


def build_root(layout: Layout, folder: str, address: str) -> str:
    """Make the new root, in pid 1, and enter it.

    Parameters
    ----------
    layout : Layout
        What is to be seen.
    folder : str
        The submission's run folder on the host; it appears as :data:`SOCKETS`.
    address : str
        Prefix of the kernel's ipc sockets, a path in `folder`.

    Returns
    -------
    str
        The same prefix as the kernel sees it.
    """
    if os.path.dirname(address) != folder:
        raise ValueError(f"the kernel's sockets are to be in {folder}, not at {address}")
    root = layout.stage
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", root, "tmpfs", _FLAGS, "size=1m,nr_inodes=8k,mode=755")
    for place in layout.visible:
        _show(place, root + place)
    for place, target in layout.links:
        os.symlink(target, root + place)
    for name, text in _FILES.items():
        file = Path(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "ascii")
    for place in layout.hidden:
        syscalls.mount("tmpfs", root + place, "tmpfs", _FLAGS | syscalls.MS_RDONLY, "size=4k,mode=755")
    _make_devices(root)
    _make_scratch(layout, root)
    _show_folder(folder, root + SOCKETS)
    os.makedirs(f"{root}/proc")
    syscalls.mount("proc", f"{root}/proc", "proc", _FLAGS | syscalls.MS_NOEXEC)
    syscalls.enter_root(root)
    syscalls.set_mount_attributes("/", syscalls.ATTR_RDONLY, recursive=False)
    return f"{SOCKETS}/{Path(address).name}"


def _show(source: str, target: str) -> None:
    """Bind `source` and the mounts below it at `target`, read-only."""
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    syscalls.mount(source, target, None, syscalls.MS_BIND | syscalls.MS_REC)
    syscalls.set_mount_attributes(
        target, syscalls.ATTR_RDONLY | syscalls.ATTR_NOSUID | syscalls.ATTR_NODEV
    )


def _show_folder(folder: str, target: str) -> None:
    """Bind the run folder, writable until :func:`seal`, for the user that the kernel will be."""
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    os.makedirs(target)
    syscalls.mount(folder, target, None, syscalls.MS_BIND)
    syscalls.set_mount_attributes(
        target, syscalls.ATTR_NOSUID | syscalls.ATTR_NODEV | syscalls.ATTR_NOEXEC
    )


def _make_devices(root: str) -> None:
    os.mkdir(f"{root}/dev")
    for name in _DEVICES:
        Path(root, "dev", name).touch()
        syscalls.mount(f"/dev/{name}", f"{root}/dev/{name}", None, syscalls.MS_BIND)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")


def _make_scratch(layout: Layout, root: str) -> None:
    """Mount one tmpfs of bounded size and show its parts as home, ``/tmp`` and ``/dev/shm``."""
    owner = NOBODY if os.geteuid() == 0 else os.geteuid()
    group = NOBODY if os.geteuid() == 0 else os.getegid()
    scratch = f"{root}/scratch"
    os.mkdir(scratch)
    size = f"size={layout.scratch_mb * MIB},nr_inodes={16 * layout.scratch_mb + 4096},mode=755"
    syscalls.mount("tmpfs", scratch, "tmpfs", _FLAGS, size)
    for place in (HOME, "/tmp", "/dev/shm"):
        part = os.path.join(scratch, os.path.basename(place))
        os.mkdir(part)
        os.makedirs(root + place)
        syscalls.mount(part, root + place, None, syscalls.MS_BIND)
    os.mkdir(root + WORK)
    for source, target in layout.given:
        _show(source, os.path.join(root + WORK, target))
    for folder, names, _ in os.walk(scratch):
        for name in names:
            os.chown(os.path.join(folder, name), owner, group)
    # Its parts stay; the whole is out of sight.
    syscalls.umount(scratch)
    os.rmdir(scratch)


def confine(layout: Layout, limits: Limits) -> None:
    """Give up every right, in the process that will run the student's code."""
    if os.geteuid() == 0:
        _become_nobody()
        syscalls.set_dumpable(True)  # else /proc/self belongs to root, and the map cannot be written
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    syscalls.map_ids(INSIDE_ID, INSIDE_ID, user, group)
    limits_module.apply(limits)
    os.umask(0o022)
    syscalls.drop_capabilities()
    syscalls.set_no_new_privileges()
    seccomp.install()


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def seal(layout: Layout) -> None:
    """Close the sockets' folder for writing and give up pid 1's own rights."""
    syscalls.set_mount_attributes(SOCKETS, syscalls.ATTR_RDONLY)
    if os.geteuid() == 0:
        _become_nobody()
    syscalls.drop_capabilities()
    syscalls.set_dumpable(False)
    syscalls.set_no_new_privileges()


def copy_given(given: Iterable[tuple[Path, str]], folder: Path) -> list[tuple[str, str]]:
    """Copy the lab's files, readable to all, so that what a kernel sees cannot change in a run.

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
    return copies
