"""A kernel that sends a message without end: the grader keeps its memory, the others their points."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from full_setup import may_skip
from tinycourse import CHECKS, DOUBLE, MEAN, hand_in, make_course, student

from proctor import examiner, flood
from proctor.course import Course
from proctor.grade import grade
from proctor.sandbox import missing
from proctor.side import RemoteSide

pytestmark = pytest.mark.skipif(may_skip(missing()), reason="this system cannot isolate")

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
ROOM_MB = 120
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


def test_a_kernel_that_is_ended_before_its_first_cell_is_marked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flood of another may come while this one is given what the reference run recorded."""
    helper = (
        "\ndef record_fits(): pass\ndef recorded_fits(): return np.zeros(3, np.uint8)\n"
        "def use_fits(records): pass\nimport numpy as np\n"
    )
    course = make_course(
        tmp_path / "course", checks=CHECKS.replace("files=(", "records=True,\n    files=(", 1)
    )
    (course.root / "given.py").open("a").write(helper)
    hand_in(course, "a", student(course, double=DOUBLE, mean=MEAN))
    begin, ended = examiner._begin_records, []

    def begin_in_a_flood(side: RemoteSide, records: bytes, *, record: bool) -> None:
        if not record and not ended:
            ended.append(side.kernel)
            side.kernel.end_for_flood()
            assert side.kernel._handle().wait(10) is not None
        begin(side, records, record=record)

    monkeypatch.setattr(examiner, "_begin_records", begin_in_a_flood)
    result = grade(course, course.lab("tiny"), course.folder / "submitted", tmp_path / "out")
    assert ended
    assert (result.verdicts["a"].score, result.verdicts["a"].status) == (10.0, "graded")


def test_a_flood_costs_only_who_sent_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "ROOM_MB", ROOM_MB)
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
    assert [problem.message for problem in guilty.problems] == [flood.MESSAGE]
    assert guilty.status == "needs_attention"
    assert seen[-1] - before < ROOM_MB + 600
