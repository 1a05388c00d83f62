"""Nothing is lost: a run that was killed or interrupted goes on to the same end."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tinycourse import CHECKS, DOUBLE, MEAN, hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record.run_record import ClassResult

ROOT = Path(__file__).parents[1]
CLASS, KILLS = (50, 20) if os.environ.get("PROCTOR_LONG_TESTS") else (16, 4)
UUID = re.compile(r"[0-9a-f]{32}")


def mark(course: Course, **options: object) -> ClassResult:
    return grade(course, course.lab("tiny"), course.folder / "submitted", **options)  # type: ignore[arg-type]


def start(course: Course, out: Path) -> subprocess.Popen[bytes]:
    """Start `proctor grade` as a process of its own, in a session of its own."""
    command = [sys.executable, "-m", "proctor", "--course", str(course.folder)]
    return subprocess.Popen(
        [*command, "grade", "tiny", "-o", str(out), "--quiet"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # What runs in a shell's background ignores interrupts, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def contents(out: Path) -> dict[str, object]:
    """Everything that a run leaves and that a person reads: verdicts, notebooks, pages, gradebook."""
    kinds = ("verdicts/*.json", "autograded/*/tiny/*.ipynb", "feedback/*/tiny/*.html")
    found: dict[str, object] = {
        str(path.relative_to(out)): path.read_bytes() for kind in kinds for path in out.glob(kind)
    }
    found["gradebook"] = dump(out / "gradebook.db")
    return found


def dump(path: Path) -> dict[str, list[str]]:
    """All rows of all tables, sorted; ids drawn at random are replaced by what they stand for."""
    book = sqlite3.connect(path)
    tables = [name for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    rows = {name: book.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    book.close()
    names: dict[str, str] = {}
    for _ in range(6):  # an id is named by its row, whose ids are named first
        for table, found in rows.items():
            for row in found:
                known = [names.get(str(value), str(value)) for value in row[1:]]
                names[str(row[0])] = (
                    f"{table}({', '.join(known)})" if is_id(row[0]) else str(row[0])
                )
    return {
        table: sorted(str([names.get(str(v), v) if is_id(v) else v for v in row]) for row in found)
        for table, found in rows.items()
    }


def is_id(value: object) -> bool:
    return isinstance(value, str) and UUID.fullmatch(value) is not None


@pytest.fixture
def classroom(tiny: Course) -> Course:
    """A class of distinct submissions: right, wrong, unfinished, and one that cannot be read."""
    answers = ({"double": DOUBLE, "mean": MEAN}, {"double": DOUBLE.replace("2 *", "3 *")}, {})
    for number in range(CLASS - 1):
        notebook = student(tiny, **answers[number % 3])
        notebook.cells[0].source += f"\n\nHanded in by {number}"
        hand_in(tiny, f"s{number:02d}", notebook)
    hand_in(tiny, "torn", b'{"cells": [')
    return tiny


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    classroom: Course, tmp_path: Path
) -> None:
    began = time.monotonic()
    mark(classroom, out=tmp_path / "whole", jobs=2)
    whole = time.monotonic() - began
    draw = random.Random(1234)
    killed = 0
    for _ in range(KILLS):
        run = start(classroom, tmp_path / "killed")
        try:
            run.communicate(timeout=draw.uniform(0.2, 1.5 * whole))
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            killed += 1
    mark(classroom, out=tmp_path / "killed", jobs=2)
    assert killed >= KILLS // 4
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_a_torn_verdict_a_torn_key_and_a_lost_page_are_made_again(
    tiny: Course,
) -> None:
    for name in ("a", "b", "c", "d", "e"):
        notebook = student(tiny, double=DOUBLE)
        notebook.cells[0].source += name
        hand_in(tiny, name, notebook)
    mark(tiny)
    before = contents(tiny.folder)
    verdicts = tiny.folder / "verdicts"
    text = (verdicts / "a.json").read_bytes()
    (verdicts / "a.json").write_bytes(text[: len(text) // 2])
    (verdicts / ".keys" / "b").write_bytes(b"\xff")
    (tiny.folder / "feedback" / "c" / "tiny" / "tiny.html").unlink()
    (verdicts / ".keys" / ".page-d").unlink()
    result = mark(tiny)
    assert (result.marked, result.kept) == (2, 3)
    assert contents(tiny.folder) == before


def test_a_changed_check_marks_everybody_again_and_says_who_lost_what(tiny: Course) -> None:
    hand_in(tiny, "half", student(tiny, double=DOUBLE))
    hand_in(tiny, "right", student(tiny, double=DOUBLE, mean=MEAN))
    mark(tiny)
    path = tiny.folder / "checks" / "tiny.py"
    checks = CHECKS.replace("points=3, needs", "points=2, needs")
    path.write_text(checks.replace("points=1, needs", "points=2, needs"))
    in_place = DOUBLE.replace("return 2 * a", "a *= 2\n    return a")
    hand_in(tiny, "half", student(tiny, double=in_place))
    result = mark(tiny)
    assert (result.marked, result.kept) == (2, 0)
    assert [(c.student, c.before, c.after) for c in result.changed] == [("half", 6.0, 4.0)]
    assert "double-untouched" in result.changed[0].checks


@pytest.fixture
def endless(tiny: Course) -> Course:
    """One that is quick and one that never ends, for longer than this test waits."""
    path = tiny.folder / "checks" / "tiny.py"
    text = CHECKS.replace("cell_seconds=3.0", "cell_seconds=300.0")
    path.write_text(text.replace("total_seconds=20.0", "total_seconds=600.0"))
    hand_in(tiny, "quick", student(tiny, double=DOUBLE))
    loop = "import time\nwhile True:\n    time.sleep(0.01)"
    hand_in(tiny, "slow", student(tiny, double=loop))
    return tiny


def test_an_interrupt_stops_at_once_and_leaves_no_process(endless: Course, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = start(endless, out)
    verdict = out / "verdicts" / "quick.json"
    for _ in until(60):
        if verdict.exists():
            break
    started = descendants(run.pid)
    assert started
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=30)
    assert run.returncode == 130
    assert b"the same command goes on" in told
    assert verdict.exists() and not (out / "verdicts" / "slow.json").exists()
    for _ in until(10):
        if not any(Path(f"/proc/{pid}").exists() for pid in started):
            break
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def until(seconds: float) -> Iterator[None]:
    """Look again and again for as long as that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
    yield


def descendants(pid: int) -> list[int]:
    """Processes that `pid` started, and theirs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it ended while we looked
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, left = [], [pid]
    while left:
        new = children.get(left.pop(), [])
        found += new
        left += new
    return found
