"""Marking over Dask: a scheduler and workers as separate processes, one of which is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import distributed
import nbformat
import pytest
from distributed.cfexecutor import ClientExecutor
from nbformat.v4 import new_notebook
from support import ordinary_course
from support.tinycourse import CHECKS, DOUBLE, MEAN, hand_in, student

from proctor.classroom.grade import Listener, grade
from proctor.course import Course
from proctor.errors import CourseError
from proctor.record.run_record import ClassResult

SHARE = 4
"""As much of a class as one task carries to a worker that runs one submission at a time."""
ROOT = Path(__file__).parents[1]
SOON = {"DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__INTERVAL": "50ms"}
"""Have the scheduler drop copies of data at once, which it does every two seconds."""


@dataclass(frozen=True)
class Network:
    """A network namespace with a single link to ours: a machine of its own, for the network."""

    name: str
    ours: str
    theirs: str

    @classmethod
    def make(cls, number: int) -> Network | None:
        """Return a new one, or None where we may not make any."""
        if os.geteuid() or not shutil.which("ip"):
            return None
        net, name = f"10.213.{os.getpid() % 250}", f"pw{os.getpid()}-{number}"
        network = cls(name, f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}")
        commands = (
            f"netns add {name}",
            f"link add {name}h type veth peer name {name}n netns {name}",
            f"addr add {network.ours}/30 dev {name}h",
            f"link set {name}h up",
            f"-n {name} addr add {network.theirs}/30 dev {name}n",
            f"-n {name} link set {name}n up",
            f"-n {name} link set lo up",
        )
        for command in commands:
            if subprocess.run(["ip", *command.split()], capture_output=True).returncode:
                network.remove()
                return None
        return network

    def remove(self) -> None:
        """Take it away, and the link with it."""
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


class Cluster:
    """A scheduler here, and workers, each in a network of its own where that may be made."""

    def __init__(self, folder: Path, course: Course) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder, self.course = folder, course
        self.port, self.address = port, f"tcp://127.0.0.1:{port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.networks = [Network.make(number) for number in range(2)]
        host = "0.0.0.0" if all(self.networks) else "127.0.0.1"
        self.run("scheduler", "--host", host, "--port", str(port), "--no-dashboard")

    def run(self, *arguments: str, network: Network | None = None) -> subprocess.Popen[bytes]:
        inside = ["ip", "netns", "exec", network.name] if network else []
        process = subprocess.Popen(
            [*inside, sys.executable, "-m", "dask", *arguments],
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

    def worker(self, network: Network | None) -> subprocess.Popen[bytes]:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        if network is None:
            return self.run("worker", self.address, *options)
        scheduler = f"tcp://{network.ours}:{self.port}"
        return self.run("worker", scheduler, "--host", network.theirs, *options, network=network)

    def workers(self, number: int) -> list[subprocess.Popen[bytes]]:
        networks = self.networks if all(self.networks) else [None] * number
        started = [self.worker(network) for network in networks[:number]]
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
        for network in self.networks:
            if network is not None:
                network.remove()


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
    first, second = cluster.workers(2)
    if all(cluster.networks):
        spaces = {os.readlink(f"/proc/{p}/ns/net") for p in ("self", first.pid, second.pid)}
        assert len(spaces) == 3
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


def test_an_ordinary_assignment_gets_the_local_verdicts(tmp_path: Path) -> None:
    """Its plan travels: no worker looks at the assignment again."""
    folder = tmp_path / "ordinary"
    (folder / "source" / "a").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(ordinary_course.CONFIG.format(seconds=20))
    answers = {
        "right": "n = 3",
        "wrong": "n = 4",
        "stops": "1 / 0",
        "dies": "import os\nos._exit(1)",
    }
    for name in ("", *answers):
        book = new_notebook()
        book.cells = [
            ordinary_course.solution("n = 3", "n"),
            ordinary_course.test("assert n == 3", "n-test"),
            ordinary_course.test("a = [n]\nassert a is a and n == 3", "n-more"),
        ]
        if name:
            book.cells[0].source = answers[name]
        path = folder / (f"submitted/{name}/a/a.ipynb" if name else "source/a/a.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)
    course = Course(folder)
    cluster = Cluster(tmp_path, course)
    try:
        cluster.workers(1)
        submitted, far, near = folder / "submitted", tmp_path / "far", tmp_path / "near"
        there = grade(course, course.lab("a"), submitted, far, scheduler=cluster.address)
    finally:
        cluster.close()
    here = grade(course, course.lab("a"), submitted, near)
    assert {name: one.score for name, one in here.verdicts.items()} == {
        "right": 2.0, "wrong": 0.0, "stops": 0.0, "dies": 0.0,
    }  # fmt: skip
    assert there.verdicts == here.verdicts
    for path in (*near.glob("verdicts/*.json"), *near.glob("autograded/*/a/a.ipynb")):
        assert (far / path.relative_to(near)).read_bytes() == path.read_bytes()


def test_quick_submissions_go_many_in_one_task(
    cluster: Cluster, tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are handed over one by one until it is known that they are quick."""

    tasks: list[int] = []
    submit = ClientExecutor.submit

    def counted(self: ClientExecutor, function: object, order: str, **options: object) -> object:
        tasks.append(len(json.loads(order)["orders"]))
        return submit(self, function, order, **options)

    monkeypatch.setattr(ClientExecutor, "submit", counted)
    monkeypatch.setattr("proctor.classroom.cluster.BATCH_SECONDS", 1000.0)  # at any load
    for number in range(16):
        notebook = student(tiny, double=DOUBLE, mean=MEAN + f"# {number}\n")
        hand_in(tiny, f"q{number:02d}", notebook)
    cluster.workers(1)
    result = grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted", scheduler=cluster.address)
    ours = [verdict.score for name, verdict in result.verdicts.items() if name.startswith("q")]
    assert ours == [10.0] * 16
    assert sum(tasks) == 16 + 8
    assert tasks[0] == 1
    assert 1 < max(tasks) <= SHARE


def test_nobody_at_the_address_is_said(tiny: Course, tmp_path: Path) -> None:
    hand_in(tiny, "s", student(tiny))
    with pytest.raises(CourseError, match="No Dask scheduler answers"):
        mark(tiny, tmp_path / "out", scheduler="tcp://127.0.0.1:9")
