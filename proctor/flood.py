"""What all kernels together may take of this process's memory by what they send.

ZeroMQ bounds the size of each part of a message and how many messages wait, but not how many parts
one message has: it keeps them until the last one has come. A kernel that never sends a last part
would fill the grader's memory, and with it end the marking of everybody. So while kernels run a
thread looks at this process's resident memory. When it has grown by more than :data:`ROOM_MB`, all
of them are ended, which frees it. Which one it was cannot be seen from here; so each is marked once more,
alone, and only the one that floods again is to blame.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

ROOM_MB = 1536
"""How much the resident memory may grow while kernels run, in MiB: twenty of the largest messages."""
EACH_MB = 32
"""What marking one submission may take beside that, in MiB; 12 were measured for lab_digits."""
KEPT_MB = 0.4
"""How much of what it grew by between two looks is taken for what a long run keeps, in MiB."""
LOOK_SECONDS = 0.1
CODE = "flood"
MESSAGE = (
    "Your notebook's process sent more at once than the examiner can hold, so what came after it "
    "could not be marked."
)


class Floods(Protocol):
    """What is watched: a kernel that can be told to end from another thread."""

    def end_for_flood(self) -> None:
        """Note that it is ended because of a flood, and have it end."""


class Guard:
    """Watches the memory of this process while kernels run; there is one, :data:`GUARD`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kernels: set[Floods] = set()
        self._marking = 0
        self._alone = False
        self._wanting_alone = 0
        self._calm_mb = 0.0
        self._watching = False

    @contextmanager
    def marking(self, *, alone: bool = False) -> Iterator[None]:
        """Mark one submission; with `alone`, wait until nothing else is marked and let nothing begin."""
        with self._changed:
            if alone:
                self._wanting_alone += 1
                self._changed.wait_for(lambda: not self._marking)
                self._wanting_alone -= 1
            else:
                self._changed.wait_for(lambda: not self._alone and not self._wanting_alone)
            if not self._marking:
                self._calm_mb = _resident_mb()
            self._marking += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._changed:
                self._marking -= 1
                self._alone = False
                self._changed.notify_all()

    def add(self, kernel: Floods) -> None:
        """Watch while this kernel runs."""
        with self._changed:
            self._kernels.add(kernel)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="flood", daemon=True).start()

    def remove(self, kernel: Floods) -> None:
        """The kernel has ended."""
        with self._changed:
            self._kernels.discard(kernel)
            self._changed.notify_all()

    def _watch(self) -> None:
        told: set[Floods] = set()  # those that were ended and are not closed yet
        while True:
            with self._changed:
                closed = bool(told) and told.isdisjoint(self._kernels)
                if not self._kernels and not told:
                    self._watching = False
                    return
                guilty = self._kernels - told if self._flooded() else set()
                if not guilty and not closed:
                    self._changed.wait(LOOK_SECONDS)
            for kernel in guilty:
                kernel.end_for_flood()
            told |= guilty
            if closed:
                told.clear()
                _give_back()

    def _flooded(self) -> bool:
        now = _resident_mb()
        if now - self._calm_mb > ROOM_MB + EACH_MB * self._marking:
            return True
        self._calm_mb = min(now, self._calm_mb + KEPT_MB)
        return False


GUARD = Guard()


def _give_back() -> None:
    """Return to the system what was freed."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _resident_mb() -> float:
    """Resident memory of this process in MiB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
