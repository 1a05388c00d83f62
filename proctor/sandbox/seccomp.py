"""The system calls that a notebook never needs, refused by a seccomp filter.

The filter is a classic BPF program over ``struct seccomp_data`` (``linux/seccomp.h``,
``linux/bpf_common.h``), the same for a submission and all it starts. It is a list of refusals, not a
list of what is allowed: what a numerical library calls changes with every release, and the filter is
the last of several walls, not the only one. Calls newer than the list cannot be named by number in
advance, so every number from :data:`FIRST_UNKNOWN` on is answered as an old kernel would.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct

from proctor.sandbox.libc_calls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""``AUDIT_ARCH_*`` of ``linux/audit.h``."""
_X32 = 0x40000000
FIRST_UNKNOWN = 470
"""First system call number (the same everywhere from 424 on) that this list has not seen."""

# Numbers by name: x86_64, aarch64; None where an architecture has no such call.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "sched_setaffinity": (203, 122),
    # namespaces, mounts, roots
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "fanotify_init": (300, 262),
    # the kernel itself
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "personality": (135, 92),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "_sysctl": (156, None),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "vhangup": (153, 58),
    # keys
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # clock and names
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    # memory that belongs to no process and so escapes the limit on memory
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_IOCTL = (16, 29)
_GETSOCKOPT = (55, 209)
_SETSOCKOPT = (54, 208)
_SO_PASSPIDFD, _SO_PEERPIDFD = 76, 77
_TIOCSTI = 0x5412
_TIOCLINUX = 0x541C
_SIOC_FIRST, _SIOC_BEHIND = 0x8900, 0x8A00
"""Requests about network devices. The connections that the grader makes belong to the *host's* network
namespace, so through them these would reach the host's devices and the namespace itself."""
_NAMESPACES = (
    CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWTIME
)

# Classic BPF opcodes, and the actions and offsets of seccomp.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENT = 0, 4, 16
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def _operation(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _operation(_RETURN, _ERRNO | error)


def _refuse_if(code: int, value: int) -> bytes:
    return _operation(code, value, 0, 1) + _refuse(errno.EPERM)


def _refuse_unless(code: int, value: int) -> bytes:
    return _operation(code, value, 1, 0) + _refuse(errno.EPERM)


def _when_argument(number: int, argument: int, tests: bytes) -> bytes:
    """On call `number`, apply `tests` to the low half of an argument, then allow the call."""
    body = _operation(_LOAD, _AT_ARGUMENT + 8 * argument) + tests + _operation(_RETURN, _ALLOW)
    return _operation(_EQUAL, number, 0, len(body) // 8) + body


def program(machine: str) -> bytes:
    """Assemble the filter for an architecture.

    Raises
    ------
    KeyError
        For an architecture whose call numbers are not listed.
    """
    column = list(_ARCH).index(machine) if machine in _ARCH else -1
    code = _operation(_LOAD, _AT_ARCH)
    code += _operation(_EQUAL, _ARCH[machine], 1, 0) + _operation(_RETURN, _KILL)
    code += _operation(_LOAD, _AT_NUMBER)
    if machine == "x86_64":
        code += _operation(_AT_LEAST, _X32, 0, 1) + _refuse(errno.ENOSYS)
    code += _operation(_AT_LEAST, FIRST_UNKNOWN, 0, 1) + _refuse(errno.ENOSYS)
    # Its flags lie in memory, where a filter cannot look; C libraries fall back to clone.
    code += _operation(_EQUAL, _CLONE3[column], 0, 1) + _refuse(errno.ENOSYS)
    for number in sorted(pair[column] or -1 for pair in _NUMBERS.values()):
        if number >= 0:
            code += _operation(_EQUAL, number, 0, 1) + _refuse(errno.EPERM)
    only_unix = _refuse_unless(_EQUAL, socket.AF_UNIX)
    devices = _operation(_AT_LEAST, _SIOC_BEHIND, 2, 0) + _refuse_if(_AT_LEAST, _SIOC_FIRST)
    terminals = _refuse_if(_EQUAL, _TIOCSTI) + _refuse_if(_EQUAL, _TIOCLINUX)
    code += _when_argument(_CLONE[column], 0, _refuse_if(_ANY_BIT, _NAMESPACES))
    code += _when_argument(_SOCKET[column], 0, only_unix)
    code += _when_argument(_SOCKETPAIR[column], 0, only_unix)
    code += _when_argument(_IOCTL[column], 1, terminals + devices)
    # Nor may a connection give a handle on the process at its other end.
    code += _when_argument(_GETSOCKOPT[column], 2, _refuse_if(_EQUAL, _SO_PEERPIDFD))
    code += _when_argument(_SETSOCKOPT[column], 2, _refuse_if(_EQUAL, _SO_PASSPIDFD))
    return code + _operation(_RETURN, _ALLOW)


def supported() -> bool:
    """Whether there is a filter for this machine's architecture."""
    return platform.machine() in _ARCH


def install() -> None:
    """Filter the caller and all its future children. Needs no_new_privs; cannot be undone.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    code = ctypes.create_string_buffer(program(platform.machine()))
    length = (len(code) - 1) // 8
    header = struct.pack("HxxxxxxP", length, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(_MODE_FILTER), ctypes.c_char_p(header)]
    if libc.prctl(ctypes.c_int(_PR_SET_SECCOMP), *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the seccomp filter was refused: {os.strerror(number)}")
