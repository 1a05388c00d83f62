"""The Linux system calls that Python 3.11 has no function for, through ctypes.

Numbers and constants are those of the kernel's user-space headers (``linux/sched.h``,
``linux/mount.h``, ``linux/prctl.h``, ``linux/capability.h``). ``mount_setattr`` has the same number
on every architecture.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import struct
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_NEWTIME = 0x00000080

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

ATTR_RDONLY = 0x1
ATTR_NOSUID = 0x2
ATTR_NODEV = 0x4
ATTR_NOEXEC = 0x8
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

_MADV_COLLAPSE = 25
_HUGE = 2**21

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Move the caller into new namespaces; with ``CLONE_NEWPID``, its children."""
    _check(_libc.unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def map_ids(inside_uid: int, inside_gid: int, outside_uid: int, outside_gid: int) -> None:
    """Map one user and one group of a new user namespace of the caller's onto its parent's."""
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{inside_uid} {outside_uid} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{inside_gid} {outside_gid} 1", "ascii")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """See mount(2)."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _check(result, f"mount {source or kind} on {target}")


def set_mount_attributes(target: str, attributes: int, *, recursive: bool = True) -> None:
    """Add mount attributes to a mount and, if `recursive`, to all below it."""
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        wanted,
        ctypes.c_size_t(len(wanted)),
    )
    _check(result, f"mount_setattr of {target}")


def umount(target: str) -> None:
    """Detach a mount from its place; what is bound elsewhere stays."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def enter_root(folder: str) -> None:
    """Make `folder`, a mount, the root of the caller's mount namespace and let go of the old one."""
    os.chdir(folder)
    _check(_libc.pivot_root(b".", b"."), f"pivot_root to {folder}")
    _check(_libc.umount2(b".", MNT_DETACH), "letting go of the old root")
    os.chdir("/")


def _prctl(option: int, argument: int = 0, second: int = 0) -> int:
    arguments = [ctypes.c_ulong(value) for value in (argument, second, 0, 0)]
    return int(_libc.prctl(ctypes.c_int(option), *arguments))


def set_dumpable(value: bool) -> None:
    """Say whether others of the same user may read the caller's memory and ``/proc`` entries."""
    _check(_prctl(_PR_SET_DUMPABLE, int(value)), "PR_SET_DUMPABLE")


def set_child_subreaper() -> None:
    """Become the parent of orphans among the caller's descendants."""
    if sys.platform == "linux":
        _check(_prctl(_PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER")


def set_no_new_privileges() -> None:
    """Give up, for good, what set-uid programs and file capabilities could give."""
    _check(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "PR_SET_NO_NEW_PRIVS")


def drop_capabilities() -> None:
    """Drop every capability of the caller, and its right to regain any."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text("ascii"))
    for capability in range(last + 1):
        # Without CAP_SETPCAP (an ordinary user outside a namespace of his own) there is none to drop.
        _prctl(_PR_CAPBSET_DROP, capability)
    _check(_prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL), "PR_CAP_AMBIENT_CLEAR_ALL")
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "capset")


def set_process_title(title: str) -> None:
    """Overwrite what ``/proc/self/cmdline`` shows, which would name the fork server and its file."""
    if sys.platform != "linux":
        return
    # Fields 48 and 49 of proc(5)'s stat, counted behind the name, which may hold spaces.
    fields = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, title.encode()[: end - start - 1], min(len(title), end - start - 1))


def collapse_pages() -> int:
    """Put the caller's private memory on huge pages, so that a fork has few to copy (Linux 6.1).

    A page that a child writes to is still copied by itself, 4 KiB at a time.

    Returns
    -------
    int
        How much was put there, in bytes; 0 where the kernel does not do it.
    """
    total = 0
    for line in Path("/proc/self/maps").read_text("utf-8", errors="replace").splitlines():
        place, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights != "rw-p" or inode != "0" or name not in ([], ["[heap]"]):
            continue
        start, end = (int(part, 16) for part in place.split("-"))
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if start < end and _madvise(start, end - start, _MADV_COLLAPSE):
            total += end - start
    return total


def _madvise(start: int, length: int, advice: int) -> bool:
    arguments = ctypes.c_void_p(start), ctypes.c_size_t(length), ctypes.c_int(advice)
    return bool(_libc.madvise(*arguments) == 0)
