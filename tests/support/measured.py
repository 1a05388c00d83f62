"""``proctor grade`` in a process of its own, with a look at its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from support.doors import Said

from proctor.course import Course

TOO_MUCH_MIB = 3000
"""Where the test ends the run, so that a failure costs this machine nothing."""


class Measured:
    """Runs `proctor` and looks at the memory of all its processes but the students'.

    Attributes
    ----------
    mib : float
        The largest resident memory of one process.
    processor_seconds : float
        What all of them took of processors, the students' too.
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._spent: dict[int, float] = {}

    @property
    def processor_seconds(self) -> float:
        return sum(self._spent.values())

    def grade(self, course: Course, lab: str, *words: str) -> Said:
        """Run ``proctor grade``."""
        command = [sys.executable, "-m", "proctor", "grade", lab, "-q", *words]
        run = subprocess.Popen(
            command, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with self._watching(run.pid):
            out, err = run.communicate(timeout=500)
        return Said(run.returncode, out, err)

    @contextmanager
    def _watching(self, pid: int) -> Iterator[None]:
        ended = threading.Event()

        def look() -> None:
            grader = psutil.Process(pid)
            while not ended.wait(0.01):
                try:
                    for process in (grader, *grader.children(recursive=True)):
                        self._spent[process.pid] = sum(process.cpu_times()[:2])
                        self._look(process, grader)
                except (psutil.Error, OSError):
                    continue  # one of them ended while we looked

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _look(self, process: psutil.Process, grader: psutil.Process) -> None:
        space = f"/proc/{process.pid}/ns/pid"
        if os.readlink(space) != os.readlink("/proc/self/ns/pid"):
            return  # a student's, which has a limit of its own
        self.mib = max(self.mib, process.memory_info().rss / 2**20)
        if self.mib > TOO_MUCH_MIB:
            grader.kill()
