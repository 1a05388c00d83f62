"""What a submission may see and do: namespaces, a root of its own, no rights (Linux).

Nothing of the host is there unless :class:`~proctor.sandbox.filesystem.Layout` names it. The same steps serve
root and an ordinary user; they differ in who owns the outer namespaces. A kernel always ends up in a
user namespace below the one that owns its mounts, without a capability even there, so no mount can
be undone. In order:

1. :func:`enter_namespaces`, before the fork that makes pid 1;
2. :func:`build_root`, in pid 1: a tmpfs as root, the whitelist bound read-only, a fresh ``/proc``;
3. :func:`confine`, in the kernel: an unprivileged user, resource limits, no capabilities, seccomp;
4. :func:`seal`, in pid 1, once the kernel's sockets exist: their folder becomes read-only too.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from proctor.sandbox import enforced_limits, libc_calls, seccomp
from proctor.sandbox.filesystem import HOME, INSIDE_ID, NOBODY, SOCKETS, WORK, Layout
from proctor.sandbox.limits import MIB, Limits

_DEVICES = ("null", "zero", "full", "random", "urandom")
_FLAGS = libc_calls.MS_NOSUID | libc_calls.MS_NODEV
_FILES = {
    "etc/passwd": f"root:x:0:0::/:/bin/sh\nstudent:x:{INSIDE_ID}:{INSIDE_ID}::{HOME}:/bin/sh\n",
    "etc/group": f"root:x:0:\nstudent:x:{INSIDE_ID}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
}


def enter_namespaces(layout: Layout) -> None:
    """Leave the host's namespaces; the caller's next child will be pid 1 of the new ones.

    Raises
    ------
    OSError
        Where the system does not allow it; :func:`proctor.sandbox.probe.missing` says what to do.
    """
    if not layout.privileged:
        user, group = os.geteuid(), os.getegid()
        libc_calls.unshare(libc_calls.CLONE_NEWUSER)
        libc_calls.map_ids(user, group, user, group)
    libc_calls.unshare(
        libc_calls.CLONE_NEWNS
        | libc_calls.CLONE_NEWPID
        | libc_calls.CLONE_NEWNET
        | libc_calls.CLONE_NEWIPC
        | libc_calls.CLONE_NEWUTS
        | libc_calls.CLONE_NEWCGROUP
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
    libc_calls.mount("none", "/", None, libc_calls.MS_REC | libc_calls.MS_PRIVATE)
    libc_calls.mount("tmpfs", root, "tmpfs", _FLAGS, "size=1m,nr_inodes=8k,mode=755")
    # The scratch first: an interpreter that lies under /tmp is then shown inside it.
    _make_devices(root)
    _make_scratch(layout, root)
    for place in layout.visible:
        _show(place, root + place)
    for place, target in layout.links:
        os.symlink(target, root + place)
    for name, text in _FILES.items():
        file = Path(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "ascii")
    for place in layout.hidden:
        libc_calls.mount(
            "tmpfs", root + place, "tmpfs", _FLAGS | libc_calls.MS_RDONLY, "size=4k,mode=755"
        )
    if layout.privileged:
        os.chown(folder, NOBODY, NOBODY)
    _show_folder(folder, root + SOCKETS)
    os.makedirs(f"{root}/proc")
    libc_calls.mount("proc", f"{root}/proc", "proc", _FLAGS | libc_calls.MS_NOEXEC)
    libc_calls.enter_root(root)
    libc_calls.set_mount_attributes("/", libc_calls.ATTR_RDONLY, recursive=False)
    return f"{SOCKETS}/{Path(address).name}"


def _show(source: str, target: str) -> None:
    """Bind `source` and the mounts below it at `target`, read-only."""
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    libc_calls.mount(source, target, None, libc_calls.MS_BIND | libc_calls.MS_REC)
    libc_calls.set_mount_attributes(
        target, libc_calls.ATTR_RDONLY | libc_calls.ATTR_NOSUID | libc_calls.ATTR_NODEV
    )


def _show_folder(folder: str, target: str) -> None:
    """Bind the run folder, writable until :func:`seal`."""
    os.makedirs(target)
    libc_calls.mount(folder, target, None, libc_calls.MS_BIND)
    libc_calls.set_mount_attributes(
        target, libc_calls.ATTR_NOSUID | libc_calls.ATTR_NODEV | libc_calls.ATTR_NOEXEC
    )


def _make_devices(root: str) -> None:
    os.mkdir(f"{root}/dev")
    for name in _DEVICES:
        Path(root, "dev", name).touch()
        libc_calls.mount(f"/dev/{name}", f"{root}/dev/{name}", None, libc_calls.MS_BIND)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")


def _make_scratch(layout: Layout, root: str) -> None:
    """Mount one tmpfs of bounded size and show its parts as home, ``/tmp`` and ``/dev/shm``."""
    owner = NOBODY if layout.privileged else os.geteuid()
    group = NOBODY if layout.privileged else os.getegid()
    scratch = f"{root}/scratch"
    os.mkdir(scratch)
    size = f"size={layout.scratch_mb * MIB},nr_inodes={16 * layout.scratch_mb + 4096},mode=755"
    libc_calls.mount("tmpfs", scratch, "tmpfs", _FLAGS, size)
    for place in (HOME, "/tmp", "/dev/shm"):
        part = os.path.join(scratch, os.path.basename(place))
        os.mkdir(part)
        os.makedirs(root + place)
        libc_calls.mount(part, root + place, None, libc_calls.MS_BIND)
    os.mkdir(root + WORK)
    for source, target in layout.given:
        _show(source, os.path.join(root + WORK, target))
    for folder, names, _ in os.walk(scratch):
        for name in names:
            os.chown(os.path.join(folder, name), owner, group)
    # Its parts stay; the whole is out of sight.
    libc_calls.umount(scratch)
    os.rmdir(scratch)


def confine(layout: Layout, limits: Limits) -> None:
    """Give up every right, in the process that will run the student's code."""
    if layout.privileged:
        _become_nobody()
        libc_calls.set_dumpable(
            True
        )  # else /proc/self belongs to root, and the map cannot be written
    user, group = os.geteuid(), os.getegid()
    libc_calls.unshare(libc_calls.CLONE_NEWUSER)
    libc_calls.map_ids(INSIDE_ID, INSIDE_ID, user, group)
    enforced_limits.apply(limits, own_user=True)
    os.umask(0o022)
    libc_calls.drop_capabilities()
    libc_calls.set_no_new_privileges()
    seccomp.install()


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def seal(layout: Layout) -> None:
    """Close the sockets' folder for writing and give up pid 1's own rights."""
    libc_calls.set_mount_attributes(SOCKETS, libc_calls.ATTR_RDONLY)
    if layout.privileged:
        _become_nobody()
    libc_calls.drop_capabilities()
    libc_calls.set_dumpable(False)
    libc_calls.set_no_new_privileges()
