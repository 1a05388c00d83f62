"""A kernel that sends a message without end: the grader keeps its memory, the others their points."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support import needs
from support.tinycourse import DOUBLE, MEAN, hand_in, make_course, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.kernel.cell_run import MISUSED, KernelStopped
from proctor.kernel.forked import ForkLauncher
from proctor.kernel.hold import MAX_UNREAD
from proctor.kernel.session import StudentKernel
from proctor.kernel.student_side import RemoteSide
from proctor.sandbox.forkserver import ForkServer

pytestmark = needs.isolation

FLOOD = """# UNQ_T2
# GRADED CELL: mean
import os, socket, stat
part = b"\\x01\\xff" + 255 * b"x"  # a frame of ZeroMQ's protocol, with the flag that more will come
def connections():
    for name in os.listdir("/proc/self/fd"):
        try:
            s = socket.socket(fileno=os.dup(int(name)))
            s.getpeername()
            if s.type == socket.SOCK_STREAM and s.family == socket.AF_UNIX:
                yield s
        except OSError:
            pass
def mean(a):
    ours = list(connections())
    for s in ours:
        s.setblocking(False)
    block = 4000 * part
    left = {s: b"" for s in ours}
    while True:
        for s in ours:
            try:
                data = left[s] or block
                left[s] = data[s.send(data):]
            except OSError:
                pass
"""
SLOW = "import time\ntime.sleep(1.5)\n" + MEAN
HONEST = ("a", "b", "c")


def make_class(folder: Path) -> Course:
    """Three honest submissions, of which two take a while, and one that floods."""
    course = make_course(folder)
    for name in HONEST:
        own = student(course, double=DOUBLE, mean=MEAN if name == "c" else SLOW)
        own.cells[0].source += f"\n\nHanded in by {name}"
        hand_in(course, name, own)
    hand_in(course, "flood", student(course, double=DOUBLE, mean=FLOOD))
    return course


@contextmanager
def largest_memory() -> Iterator[list[float]]:
    """Look at this process's resident memory meanwhile; the list's last is the largest, in MiB."""
    seen, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            seen.append(max(seen[-1], psutil.Process().memory_info().rss / 2**20))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_a_flood_costs_only_who_sent_it(tmp_path: Path) -> None:
    course = make_class(tmp_path / "course")
    submitted = course.folder / "submitted"
    before = psutil.Process().memory_info().rss / 2**20
    with largest_memory() as seen:
        result = grade(course, course.lab("tiny"), submitted, tmp_path / "out", jobs=4)
    verdicts = result.verdicts
    assert {name: verdicts[name].score for name in HONEST} == dict.fromkeys(HONEST, 10.0)
    assert all(not verdicts[name].problems for name in HONEST)
    guilty = verdicts["flood"]
    assert guilty.score == 6.0
    assert [(problem.code, problem.message) for problem in guilty.problems] == [MISUSED]
    assert guilty.status == "needs_attention"
    assert seen[-1] - before < 100


def test_a_flood_is_ended_before_it_fills_who_reads_it(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss / 2**20
    with ForkServer(("numpy",)) as server:
        launcher = ForkLauncher(server)
        with StudentKernel(launcher, tmp_path, {}, cell_seconds=6, total_seconds=60) as kernel:
            kernel.run(FLOOD)
            with largest_memory() as seen, pytest.raises(KernelStopped) as stopped:
                RemoteSide(kernel).call("mean", (1.0,), {})
    assert (stopped.value.code, stopped.value.message) == MISUSED
    assert seen[-1] - before < 3 * MAX_UNREAD / 2**20
