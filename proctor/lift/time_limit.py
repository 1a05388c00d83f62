"""How long a cell may take: processor time, so that a busy machine is nobody's fault."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

PATIENCE = 10.0
"""How many times its limit of processor time a cell may take by the clock."""


class TimeUpError(BaseException):
    """A cell's time is over."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeUpError` after `seconds` of this process's time, or many times that by the clock.

    It is raised again each second, should it be swallowed.
    """

    def up(*_: object) -> None:
        raise TimeUpError

    clocks = (
        (signal.SIGPROF, signal.ITIMER_PROF, seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, PATIENCE * seconds),
    )
    before = [(number, signal.signal(number, up)) for number, _, _ in clocks]
    for _, clock, limit in clocks:
        signal.setitimer(clock, limit, 1.0)
    try:
        yield
    finally:
        for _, clock, _ in clocks:
            signal.setitimer(clock, 0)
        for number, handler in before:
            signal.signal(number, handler)
