"""What a submission may use, and the sentence that says which limit ended it."""

from __future__ import annotations

import re
import signal
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proctor.checks import Lab

MIB = 2**20
SPARE_SECONDS = 30.0
"""How much longer than the examiner's own limit a kernel may live, so that ours is told first."""
PATIENCE = 20.0
"""How many times its limit of processor time a submission may take by the clock on the wall.

Limits count what a submission uses, not what its neighbours take from it; this ceiling is only for
what would else never end.
"""


@dataclass(frozen=True)
class Limits:
    """Bounds on one submission; each is enforced by the kernel of the operating system or by pid 1.

    Attributes
    ----------
    wall_seconds : float
        Life of the whole kernel.
    cpu_seconds : float
        CPU time of all its processes together.
    memory_mb : int
        Private memory of all its processes together, beyond what it shares with the warm parent, in
        MiB. One process that asks for more gets a ``MemoryError``; together they are ended.
    processes : int
        Processes and threads at one time.
    file_mb : int
        Size of one file, in MiB.
    scratch_mb : int
        Size of everything written, in MiB (in namespaces: a tmpfs of that size).
    open_files : int
        Descriptors a process may hold.
    """

    wall_seconds: float = 300.0
    cpu_seconds: float = 600.0
    memory_mb: int = 4096
    processes: int = 256
    file_mb: int = 256
    scratch_mb: int = 256
    open_files: int = 1024

    def to_dict(self) -> dict[str, Any]:
        """Plain form, for :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Limits:
        """Read what :meth:`to_dict` gave."""
        return cls(**data)


def lab_limits(lab: Lab) -> Limits:
    """Return the limits of a lab's submissions."""
    return Limits(
        wall_seconds=PATIENCE * lab.total_seconds + SPARE_SECONDS,
        cpu_seconds=lab.total_seconds + SPARE_SECONDS,
        memory_mb=lab.memory_mb,
    )


@dataclass(frozen=True)
class Used:
    """What all processes of a submission have used so far.

    Attributes
    ----------
    at : float
        When this was measured, in seconds of the system's monotonic clock.
    cpu : float
        Processor time, in seconds.
    idle : float
        Time in which none of them ran or waited for a processor, in seconds: a sleep is as long on a
        busy machine as on an idle one.
    """

    at: float
    cpu: float
    idle: float

    def to_bytes(self) -> bytes:
        """Fixed-size form, for :meth:`from_bytes`."""
        return _USED.pack(self.at, self.cpu, self.idle)

    @classmethod
    def from_bytes(cls, data: bytes) -> Used:
        """Read what :meth:`to_bytes` gave."""
        return cls(*_USED.unpack(data))


_USED = struct.Struct("=ddd")
USED_BYTES = _USED.size


@dataclass(frozen=True)
class Ending:
    """Why a kernel ended.

    Attributes
    ----------
    code : str
        ``wall-time``, ``cpu-time``, ``memory``, ``exited``, ``crashed``, ``killed`` or ``lost``.
    message : str
        One sentence for the student.
    cpu_seconds : float
        CPU time of all its processes, in seconds; 0 where it is not known.
    """

    code: str
    message: str
    cpu_seconds: float = 0.0


_AFTER = "so what came after it could not be marked."


def ending(code: str, limits: Limits, *, status: int = 0) -> tuple[str, str]:
    """Turn a cause and a wait status into the code and the sentence of an :class:`Ending`.

    Parameters
    ----------
    code : str
        A limit's code, or ``ended`` for a kernel that ended by itself.
    limits : Limits
        Named in the sentence.
    status : int
        Exit status, or minus the number of the signal.
    """
    if code == "ended" and -status == getattr(signal, "SIGXCPU", None):
        code = "cpu-time"
    sentences = {
        "wall-time": f"The notebook ran longer than the {limits.wall_seconds:g} seconds it may take "
        f"in all, {_AFTER}",
        "cpu-time": f"The notebook used more than the {limits.cpu_seconds:g} seconds of processor "
        f"time it may use in all, {_AFTER}",
        "memory": f"The notebook used more than the {limits.memory_mb} MiB of memory it may use, "
        f"{_AFTER}",
        "killed": f"The notebook's process was ended by the examiner, {_AFTER}",
        "lost": f"The notebook's process disappeared, {_AFTER}",
    }
    if code in sentences:
        return code, sentences[code]
    if status >= 0:
        return "exited", (
            "The code ended its own Python process (exit(), os._exit() or a restart of the kernel; "
            f"exit status {status}), {_AFTER}"
        )
    if -status == getattr(signal, "SIGKILL", None):
        return "killed-outside", (
            "The notebook's Python process was killed (by the code itself, or by the system), "
            f"{_AFTER}"
        )
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return "crashed", f"The notebook's Python process crashed ({name}), {_AFTER}"


_ERRORS = (
    # A limit that shows as an exception: pattern over "Type: message", code, sentence.
    (r"MemoryError|Unable to allocate|std::bad_alloc|Errno 12\b", "memory"),
    (r"Errno 27\b|File too large", "file-size"),
    (r"Errno 28\b|No space left on device", "scratch"),
    (r"BlockingIOError.*Errno 11\b|can't start new thread", "processes"),
    (r"Errno 24\b|Too many open files", "open-files"),
)


def explain_error(text: str, limits: Limits) -> tuple[str, str] | None:
    """Say which limit an exception in the student's code comes from.

    Parameters
    ----------
    text : str
        ``"TypeName: message"`` of the exception.

    Returns
    -------
    tuple of str or None
        Code and sentence; None if no limit is behind it.
    """
    sentences = {
        "memory": f"The notebook may use {limits.memory_mb} MiB of memory and asked for more.",
        "file-size": f"The notebook may write files of up to {limits.file_mb} MiB and wrote a "
        "larger one.",
        "scratch": f"The notebook may write {limits.scratch_mb} MiB of files in all and wrote more.",
        "processes": f"The notebook may run {limits.processes} processes and threads at a time and "
        "started more.",
        "open-files": f"The notebook may hold {limits.open_files} files open and opened more.",
    }
    for pattern, code in _ERRORS:
        if re.search(pattern, text):
            return code, sentences[code]
    return None
