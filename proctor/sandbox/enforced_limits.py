"""What a submission's processes may use, each by itself and all together (Linux)."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from proctor.sandbox.limits import MIB, Limits, Used

_TICKS = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2
_IDLE_SHARE = 0.01
"""Share of a processor below which processes that wait for none are idle."""


def descendants(root: int) -> list[int]:
    """All living processes below process `root`, in no order; `root` itself is not among them."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields is not None and fields[0] != "Z":
                parents[int(entry)] = int(fields[1])
    found: list[int] = []
    wave = [root]
    while wave:
        wave = [pid for pid, parent in parents.items() if parent in wave]
        found += wave
    return found


def _stat(pid: int | str) -> list[str] | None:
    """Fields 3 and on of ``/proc/PID/stat`` (state, parent...); None if the process has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _processor_seconds(pid: int) -> float:
    """Processor time of a living process and of the children that it buried.

    Its own is read from its clock, since work of a few percent of a processor hides for long below
    the ticks of ``/proc``; see clock_getcpuclockid(3) for the clock's number.
    """
    fields = _stat(pid)
    try:
        own = time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    except OSError:  # it has gone
        return 0.0
    return own + sum(map(int, fields[13:15])) / _TICKS if fields is not None else own


def _kib(path: str, names: tuple[str, ...]) -> int | None:
    """Sum of the lines `names` of a ``/proc`` file, in KiB; None if it cannot be read."""
    try:
        lines = Path(path).read_text("ascii", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return sum(int(line.split()[1]) for line in lines if line.startswith(names))


class Meter:
    """Compares the sums over all processes below this one with their limits.

    Parameters
    ----------
    limits : Limits
        The bounds.
    kernel : int
        The student's kernel, measured now: what it has from the warm parent is not counted.
    """

    def __init__(self, limits: Limits, kernel: int) -> None:
        self.limits = limits
        self._shared = _kib(f"/proc/{kernel}/status", ("RssAnon:",)) or 0
        self.used = Used(time.monotonic(), 0.0, 0.0)

    def look(self) -> str | None:
        """Measure all processes; return the code of a limit that is exceeded, or None.

        What was measured is in :attr:`used`.
        """
        processes = descendants(os.getpid())
        now, cpu = time.monotonic(), self._cpu_seconds(processes)
        since, before = now - self.used.at, self.used
        idle = cpu - before.cpu <= _IDLE_SHARE * since and not any(map(_wants_processor, processes))
        self.used = Used(now, cpu, before.idle + (since if idle else 0.0))
        if cpu > self.limits.cpu_seconds:
            return "cpu-time"
        # The quick sum counts twice what processes share; the exact one takes milliseconds each.
        most = self.limits.memory_mb * MIB // 1024
        if sum(map(self._quick_kib, processes)) > most and (
            sum(map(self._exact_kib, processes)) > most
        ):
            return "memory"
        return None

    def _cpu_seconds(self, processes: list[int]) -> float:
        buried = resource.getrusage(resource.RUSAGE_CHILDREN)
        return buried.ru_utime + buried.ru_stime + sum(map(_processor_seconds, processes))

    def _quick_kib(self, pid: int) -> int:
        resident = _kib(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:")) or 0
        return max(0, resident - self._shared)

    def _exact_kib(self, pid: int) -> int:
        exact = _kib(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:", "SwapPss:"))
        return self._quick_kib(pid) if exact is None else exact


def _wants_processor(pid: int) -> bool:
    """Whether a thread of the process runs, or would if there were a processor for it."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return False
    states = (_stat(f"{pid}/task/{thread}") for thread in threads)
    return any(fields is not None and fields[0] in "RD" for fields in states)


def apply(limits: Limits, *, own_user: bool) -> None:
    """Set this process's resource limits, soft and hard alike.

    Memory is granted on top of what the process has already mapped: the warm parent's modules are
    not the submission's. The address space is only bounded against abuse of page tables, since
    libraries reserve far more of it than they use.

    Parameters
    ----------
    limits : Limits
        The bounds.
    own_user : bool
        Whether the process has a user namespace of its own. Only there are its processes counted by
        themselves; elsewhere, all that the same person runs would count.
    """
    size, data = (_kib("/proc/self/status", (name,)) or 0 for name in ("VmSize:", "VmData:"))
    memory = limits.memory_mb * MIB
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: max(1, round(limits.cpu_seconds)),
        resource.RLIMIT_FSIZE: limits.file_mb * MIB,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_DATA: data * 1024 + memory,
        resource.RLIMIT_AS: size * 1024 + 4 * memory + 2**32,
    }
    if own_user:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        # One second between the signal that may be caught and the one that may not.
        hard = value + 1 if kind == resource.RLIMIT_CPU else value
        resource.setrlimit(kind, (value, hard))
