"""How marking grows: 1 and 2 submissions at once, and 2 workers of a Dask scheduler.

Run with ``python -m bench.scaling [--number N]``. The class is that of :mod:`bench.grading`. Timed is
marking alone: the warm parents are up, the reference solution is marked, pages are not written yet.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.grading import LAB, ROOT, write_class
from proctor.classroom.grade import Listener, grade
from proctor.course import Course


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=30, help="submissions (default: 30)")
    number = parser.parse_args().number
    course = Course(ROOT / "course")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_class(course, folder / "class", number)
        write_class(course, folder / "first", 6, first=number)
        one = seconds(course, folder, "one", jobs=1)
        two = seconds(course, folder, "two", jobs=2)
        with scheduler(course, folder) as address:
            far = seconds(course, folder, "far", scheduler=address)
    print(f"{number} submissions of {LAB}                  seconds a submission")
    print(f"  1 at once                               {one / number:8.2f}")
    print(f"  2 at once                               {two / number:8.2f}")
    print(f"  2 workers of a scheduler                {far / number:8.2f}")
    print(f"  1 to 2 at once (at least 1.8)           {one / two:8.2f} times the rate")
    print(f"  workers beside threads (at least 0.85)  {two / far:8.2f} times the rate")


def seconds(course: Course, folder: Path, name: str, **options: object) -> float:
    """Mark a few submissions to warm all workers up, then the class; return the seconds of the class."""
    said: dict[str, float] = {}
    listener = Listener(say=lambda text: said.__setitem__(text, time.monotonic()))
    lab, out = course.lab(LAB), folder / name
    grade(course, lab, folder / "first", out, **options)  # type: ignore[arg-type]
    grade(course, lab, folder / "class", out, listener=listener, **options)  # type: ignore[arg-type]
    return said["Writing feedback pages"] - said["Marking the reference solution first"]


@contextmanager
def scheduler(course: Course, folder: Path) -> Iterator[str]:
    """Start a scheduler and two workers; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    commands = [("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PROCTOR_COURSE": str(course.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in [*commands, worker, worker]
    ]
    from distributed import Client

    try:
        with Client(address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(20)


if __name__ == "__main__":
    main()
