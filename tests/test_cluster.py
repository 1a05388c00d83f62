"""Marking over Dask: a scheduler and workers as separate processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tinycourse import CHECKS, DOUBLE, MEAN, hand_in, student

from proctor.course import Course
from proctor.errors import CourseError
from proctor.grade import ClassResult, Listener, grade

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
ROOT = Path(__file__).parents[1]
SOON = {"DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__INTERVAL": "50ms"}
"""Have the scheduler drop copies of data at once, which it does every two seconds."""


class Cluster:
    """A scheduler and workers on the loopback."""

    def __init__(self, folder: Path, course: Course) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder, self.course = folder, course
        self.address = f"tcp://127.0.0.1:{port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.run("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PROCTOR_COURSE": str(self.course.folder),
                **SOON,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def workers(self, number: int) -> list[subprocess.Popen[bytes]]:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        started = [self.run("worker", self.address, *options) for _ in range(number)]
        with distributed.Client(self.address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(number, timeout=60)
        return started

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tiny: Course, tmp_path: Path) -> Iterator[Cluster]:
    for number in range(8):
        answers = ({"double": DOUBLE, "mean": MEAN}, {"mean": MEAN}, {})[number % 3]
        notebook = student(tiny, **answers)
        notebook.cells[0].source += f"\n\nHanded in by {number}"
        hand_in(tiny, f"s{number}", notebook)
    hand_in(tiny, "torn", b"{")
    one = Cluster(tmp_path, tiny)
    yield one
    one.close()


def mark(course: Course, out: Path, **options: object) -> ClassResult:
    return grade(course, course.lab("tiny"), course.folder / "submitted", out, **options)  # type: ignore[arg-type]


def test_a_class_gets_the_local_verdicts_though_a_worker_is_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    first, _ = cluster.workers(2)
    killed = threading.Event()

    def kill_one(student: str) -> None:
        if student != "torn" and not killed.is_set():
            killed.set()
            os.kill(first.pid, signal.SIGKILL)

    course = cluster.course
    listener = Listener(marked=kill_one)
    far = mark(course, tmp_path / "far", scheduler=cluster.address, listener=listener)
    assert killed.is_set() and first.wait(10) == -signal.SIGKILL
    near = mark(course, tmp_path / "near", jobs=2)
    assert far.verdicts == near.verdicts and len(near.verdicts) == 9
    for kind in ("verdicts/*.json", "autograded/*/tiny/*.ipynb"):
        names = sorted(
            path.relative_to(tmp_path / "near") for path in (tmp_path / "near").glob(kind)
        )
        assert names
        for name in names:
            assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()

    # A worker whose course is another one must not mark with it.
    path = course.folder / "checks" / "tiny.py"
    path.write_text(CHECKS.replace("It is not the mean.", "That is no mean."))
    with pytest.raises(CourseError, match="not the grader's"):
        mark(course, tmp_path / "other", scheduler=cluster.address)


def test_nobody_at_the_address_is_said(tiny: Course, tmp_path: Path) -> None:
    hand_in(tiny, "s", student(tiny))
    with pytest.raises(CourseError, match="No Dask scheduler answers"):
        mark(tiny, tmp_path / "out", scheduler="tcp://127.0.0.1:9")
