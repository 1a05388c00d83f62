"""The doors to a mark, driven as a user drives them: commands in processes of their own.

Each returns what was said and the exit status; what was marked is read from the files and the
gradebook that are left.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.warm_command import run_warm

from proctor.course import Course
from proctor.record import gradebook

ROOT = Path(__file__).parents[2]
PATIENCE = 400
"""Seconds after which a command is held to hang."""


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Both streams, with runs of white space as one blank: a sentence may be wrapped."""
        return " ".join((self.out + " " + self.err).split())


def run(
    words: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    cpu: int | None = None,
    patience: float = PATIENCE,
) -> Said:
    """Run a program of this environment in `folder`; on processor `cpu` alone, if one is named."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": beside, "COLUMNS": "200", **(env or {})}
    if sys.platform == "linux":
        if words[:2] == [sys.executable, "-m"]:
            return Said(*run_warm(words[2:], str(folder), folder, env, cpu, patience))
        scripts = Path(sys.executable).parent
        if Path(words[0]).parent == scripts and Path(words[0]).name in ("proctor", "nbgrader"):
            words = [Path(words[0]).name, *words[1:]]
            return Said(*run_warm(words, str(scripts), folder, env, cpu, patience))
    done = subprocess.run(
        words,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
        preexec_fn=(lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def command(folder: Path, *words: str, **options: Any) -> Said:
    """Run ``proctor`` or ``nbgrader`` by its name in `folder`."""
    return run([str(Path(sys.executable).parent / words[0]), *words[1:]], folder, **options)


def proctor(
    course: Course, *words: str, python: str | Path = sys.executable, **options: Any
) -> Said:
    """Run a command of ``proctor`` in the course's root."""
    return run([str(python), "-m", "proctor", *words], course.root, **options)


def dying_proctor(course: Course, moment: int, *words: str) -> Said:
    """Run a command of ``proctor`` that is killed at its so manyth write below the course's folder."""
    program = [sys.executable, "-m", "support.dying_grader", str(moment), str(course.folder)]
    return run([*program, *words], course.root, {"PYTHONPATH": str(ROOT / "tests")})


def autograde(course: Course, *words: str, lab: str = "tiny", **options: Any) -> Said:
    """Run ``nbgrader autograde LAB`` in the course's folder."""
    command = [sys.executable, "-m", "nbgrader", "autograde", lab, *words]
    return run(command, course.folder, **options)


def check(course: Course, notebook: Path, **options: Any) -> tuple[Said, dict[str, Any]]:
    """Run ``proctor check --json`` on a notebook; return also the verdict, empty if there is none."""
    said = proctor(course, "check", str(notebook), "--lab", "tiny", "--json", **options)
    return said, json.loads(said.out) if said.out.startswith("{") else {}


class Gradescope:
    """A folder laid out as Gradescope lays out ``/autograder``, made from the exported zip."""

    def __init__(self, course: Course, base: Path, lab: str = "tiny") -> None:
        self.base = base
        self.made = proctor(course, "export", lab, "--to", "gradescope", "-o", f"{base}.zip")
        if self.made.code:
            return
        with zipfile.ZipFile(f"{base}.zip") as opened:
            opened.extractall(base / "source")
        shutil.copy(base / "source" / "run_autograder", base / "run_autograder")
        (base / "run_autograder").chmod(0o755)
        (base / "results").mkdir()

    def mark(self, notebook: bytes) -> tuple[Said, dict[str, Any]]:
        """Hand in a notebook; return what was said, and ``results.json``, empty if there is none."""
        return self.mark_all({"tiny.ipynb": notebook})

    def mark_all(self, notebooks: Mapping[str, bytes]) -> tuple[Said, dict[str, Any]]:
        """Hand in several, by name."""
        shutil.rmtree(self.base / "submission", ignore_errors=True)
        (self.base / "submission").mkdir()
        for name, data in notebooks.items():
            (self.base / "submission" / name).write_bytes(data)
        results = self.base / "results" / "results.json"
        results.unlink(missing_ok=True)
        env = {"AUTOGRADER": str(self.base), "PROCTOR_PYTHON": sys.executable}
        said = run([str(self.base / "run_autograder")], self.base, env)
        return said, json.loads(results.read_text()) if results.is_file() else {}


@contextmanager
def dask(course: Course, folder: Path) -> Iterator[str]:
    """Start a Dask scheduler and one worker of this course; yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    commands = (
        ["scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2]],
        ["worker", address, "--nthreads", "1", "--no-nanny"],
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--no-dashboard"],
            cwd=folder,
            env={**os.environ, "PROCTOR_COURSE": str(course.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in commands
    ]
    try:
        from distributed import Client

        with Client(address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# --- A file that changes ------------------------------------------------------------------------

IN_CLOSE_NOWRITE = 0x10


def after_first_read(path: Path, act: Callable[[], None]) -> threading.Thread:
    """Call `act` as soon as somebody has opened `path` for reading and closed it again."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(descriptor, os.fsencode(path), IN_CLOSE_NOWRITE) >= 0

    def wait() -> None:
        os.read(descriptor, 4096)
        act()
        os.close(descriptor)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


# --- What is left behind -----------------------------------------------------------------------


def verdicts(course: Course, out: Path | None = None) -> dict[str, dict[str, Any]]:
    """Every verdict file, by its name."""
    folder = (out or course.folder) / "verdicts"
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def scores(course: Course, out: Path | None = None) -> dict[str, float]:
    """Every verdict's score, by its file's name."""
    return {name: verdict["score"] for name, verdict in verdicts(course, out).items()}


def statuses(course: Course, out: Path | None = None) -> dict[str, str]:
    """Every verdict's status, by its file's name."""
    return {name: verdict["status"] for name, verdict in verdicts(course, out).items()}


def book(course: Course, out: Path | None = None) -> dict[str, float]:
    """What the gradebook holds, by student; nothing where there is no gradebook."""
    file = (out or course.folder) / "gradebook.db"
    return dict(gradebook.scores(f"sqlite:///{file}", "tiny", "tiny")) if file.is_file() else {}


def enrolled(course: Course) -> list[str]:
    """The ids of everybody whom the gradebook knows."""
    return list(gradebook.roster(f"sqlite:///{course.folder / 'gradebook.db'}", "tiny"))


def check_result(verdict: dict[str, Any], check_id: str) -> dict[str, Any]:
    """One check's part of a verdict."""
    for exercise in verdict["exercises"]:
        for one in exercise["checks"]:
            if one["id"] == check_id:
                return dict(one)
    raise AssertionError(f"the verdict has no check {check_id}")
