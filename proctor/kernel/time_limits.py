"""How long a cell or a question may take, counted in what it uses by itself.

What a whole submission may take is counted where its cells run, in :mod:`proctor.kernel.hold`.

A busy machine makes everything slow, and that is not the student's. So what is compared with a limit is
the processor time of the submission's own processes and, since a program that sleeps or waits for
ever uses none, the time in which none of them wanted a processor. The clock on the wall is a ceiling far
above, for what would else never end, and the measure where a system tells nothing better.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from proctor.sandbox.limits import PATIENCE, Used

Exceeded = Literal["", "cpu", "idle", "wall"]


class Allowance:
    """A limit that began to run when this was made.

    Parameters
    ----------
    seconds : float
        The limit.
    measure : callable
        Returns what the submission has used so far, or None if that is not known yet.
    measured : bool
        Whether it ever will be; if not, `seconds` are seconds on the wall.
    """

    def __init__(
        self, seconds: float, measure: Callable[[], Used | None], *, measured: bool = True
    ) -> None:
        self.seconds = seconds
        self._measure = measure
        self._patience = PATIENCE if measured else 1.0
        self._began = time.monotonic()
        self._first: Used | None = None
        self.idle = 0.0  # seconds in which it wanted no processor

    def exceeded(self) -> Exceeded:
        """Return by what the limit is exceeded; an empty string if it is not."""
        if time.monotonic() - self._began >= self._patience * self.seconds:
            return "wall"
        used = self._measure()
        if used is None or used.at < self._began:
            return ""
        if self._first is None:
            self._first = used
        if used.cpu - self._first.cpu >= self.seconds:
            return "cpu"
        self.idle = used.idle - self._first.idle
        return "idle" if self.idle >= self.seconds else ""
