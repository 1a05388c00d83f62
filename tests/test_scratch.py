"""Folders of graders that were killed are cleared; those of the living are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tinycourse import CHECKS, DOUBLE, hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.scratch import PREFIXES, Scratch, clear_abandoned, scratch_folder

ROOT = Path(__file__).parents[1]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own; short, since kernels' sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="t-") as name:
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(name)


def ours(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(PREFIXES)}


def test_the_run_after_a_kill_clears_what_the_killed_one_left(
    tiny: Course, temporary: Path
) -> None:
    path = tiny.folder / "checks" / "tiny.py"
    path.write_text(
        CHECKS.replace("cell_seconds=3.0", "cell_seconds=300.0").replace("=20.0", "=600.0")
    )
    waits = "print('begun')\nimport time\nwhile True:\n    time.sleep(0.01)"
    notebook = hand_in(tiny, "slow", student(tiny, double=waits))
    command = [sys.executable, "-m", "proctor", "--course", str(tiny.folder), "grade", "tiny"]
    run = subprocess.Popen(
        [*command, "-q"], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    reference = tiny.folder / "verdicts" / ".keys" / ".reference-tiny"
    while not (reference.exists() and any(temporary.glob("proctor-*"))):
        assert run.poll() is None
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    left = ours(temporary)
    assert {name.partition("-")[0] for name in left} >= {"nb", "proctor"}
    hand_in(tiny, "slow", student(tiny, double=DOUBLE))
    assert notebook.is_file()
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    assert ours(temporary) == set()


def test_folders_of_the_living_and_of_other_programs_stay(temporary: Path) -> None:
    for name in ("k-none-of-ours", "nb-of-another-program"):
        (temporary / name).mkdir()
        (temporary / name / "file").write_text("kept")
    (temporary / "k-link").symlink_to(temporary)
    mine = Scratch("k-")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    theirs = Path(other.stdout.readline().decode().strip())
    before = ours(temporary)
    assert clear_abandoned() == []
    assert ours(temporary) == before
    other.kill()
    other.communicate()
    assert clear_abandoned() == [theirs]
    mine.remove()
    assert ours(temporary) == {"k-none-of-ours", "nb-of-another-program", "k-link"}


HOLD = """
import sys
from proctor.scratch import Scratch
folder = Scratch("nb-")
print(folder.path, flush=True)
sys.stdin.read()
"""


def test_clearing_takes_nothing_from_those_who_begin_meanwhile(temporary: Path) -> None:
    stop = threading.Event()
    cleared: list[Path] = []

    def clear() -> None:
        while not stop.is_set():
            cleared.extend(clear_abandoned())

    clearers = [threading.Thread(target=clear) for _ in range(2)]
    for thread in clearers:
        thread.start()
    try:
        for _ in range(200):
            with scratch_folder("k-") as folder:
                (folder / "file").write_text("mine")
                assert (folder / "file").read_text() == "mine"
    finally:
        stop.set()
        for thread in clearers:
            thread.join()
    assert cleared == [] and ours(temporary) == set()


def test_a_folder_goes_whatever_its_permissions(temporary: Path) -> None:
    with scratch_folder("proctor-") as folder:
        (folder / "work" / "inner").mkdir(parents=True)
        (folder / "work" / "inner").chmod(0o000)
        (folder / "work").chmod(0o000)
    assert not folder.exists()
