"""``proctor watch``: what comes in is marked while it comes in, fairly, once, whatever happens."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from support import doors, warm_marking
from support.dying import dying
from support.tinycourse import DOUBLE, MEAN, hand_in, student

import proctor.atomic_files
from proctor.classroom.grade import Listener, grade
from proctor.classroom.hand_in_sources import FolderSource
from proctor.classroom.waiting_queue import HOUR, Spool, waiting_in
from proctor.classroom.watch import watch
from proctor.cli import main
from proctor.course import Course
from proctor.errors import CourseError
from proctor.policy import Policy
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class
from proctor.record.store import store_of
from proctor.tell.feedback import write_feedback
from proctor.tell.page_delivery import Outlet
from proctor.tell.report import write_report

WRONG = DOUBLE.replace("2 *", "3 *")


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    with warm_marking.remembered(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("proctor.classroom.grade.write_feedback", write_feedback)  # the real pages
        yield


@pytest.fixture
def box(tiny: Course) -> Path:
    """The folder that a class hands in to."""
    (tiny.root / "box").mkdir()
    return tiny.root / "box"


def put(tiny: Course, box: Path, name: str, note: str = "", **answers: str) -> None:
    """Hand in as `name`; with another `note` the bytes are others."""
    notebook = student(tiny, **answers)
    notebook.cells[0].source += note
    (box / name).mkdir(exist_ok=True)
    whole = box / f".{name}.ipynb"
    nbformat.write(notebook, whole)
    os.replace(whole, box / name / "tiny.ipynb")


def allow(tiny: Course, policy: str) -> None:
    """Write a policy into the lab's file."""
    path = tiny.folder / "checks" / "tiny.py"
    text = path.read_text().replace('"tiny",\n', f'"tiny",\n    policy={policy},\n', 1)
    path.write_text(text.replace("Finding, Lab", "Finding, Lab, Policy"))


def run(
    tiny: Course,
    box: Path,
    *,
    once: bool = True,
    stop: threading.Event | None = None,
    scheduler: str | None = None,
) -> list[str]:
    """Watch the folder; return what was said."""
    said: list[str] = []
    spool = Spool(tiny.folder, "tiny", tiny.lab("tiny").policy)
    source = FolderSource(tiny, "tiny", box, said.append)
    outlet = Outlet("tiny", tiny.root / "pages")
    stop = stop or threading.Event()
    watch(
        tiny,
        "tiny",
        spool,
        [source],
        outlet,
        said.append,
        stop=stop,
        once=once,
        jobs=2,
        scheduler=scheduler,
    )
    return said


def afterwards(tiny: Course) -> tuple[int, dict[str, float]]:
    """Run `proctor grade`; return how many it had to mark, and the scores."""
    done = grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    return done.marked, {name: one.score for name, one in done.verdicts.items()}


def page(tiny: Course, name: str) -> str:
    return (tiny.root / "pages" / name / "tiny.html").read_text("utf-8")


def test_what_was_handed_in_is_marked_told_and_found_done_by_grade(tiny: Course, box: Path) -> None:
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    put(tiny, box, "bob", double=WRONG)
    put(tiny, box, "cyd", double=WRONG)  # the same bytes
    (box / "dan").mkdir()
    (box / "dan" / "tiny.ipynb").write_bytes(b"%PDF-1.7")
    said = run(tiny, box)
    assert any(line.startswith("ada: 10 of 10") for line in said), said
    assert any(line.startswith("dan: not marked: ") for line in said), said
    assert "Everything passed" in page(tiny, "ada")
    assert "could not be marked" in page(tiny, "dan")
    kept = {name: page(tiny, name) for name in ("ada", "bob", "cyd", "dan")}
    feedback = tiny.folder / "feedback"
    times = {path: path.stat().st_mtime_ns for path in feedback.rglob("*.html")}
    assert afterwards(tiny) == (0, {"ada": 10, "bob": 0, "cyd": 0, "dan": 0})
    assert {p: p.stat().st_mtime_ns for p in feedback.rglob("*.html")} == times
    assert {n: (feedback / n / "tiny" / "tiny.html").read_text() for n in kept} == kept
    assert read_class(tiny, tiny.lab("tiny")).score("ada") == 10
    ready, watching, *more = run(tiny, box)
    assert ready.startswith("Getting ready") and watching.startswith("Watching")
    assert more == []  # nothing is taken twice


def test_handing_in_again_counts_as_the_next_attempt(tiny: Course, box: Path) -> None:
    put(tiny, box, "ada", double=WRONG)
    run(tiny, box)
    put(tiny, box, "ada", double=DOUBLE)
    said = run(tiny, box)
    assert any("attempt 2" in line for line in said)
    assert afterwards(tiny) == (0, {"ada": 6})


def test_the_workers_of_a_scheduler_mark_as_well(tiny: Course, box: Path, tmp_path: Path) -> None:
    """A scheduler and a worker are started: two processes that import much."""
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    with doors.dask(tiny, tmp_path) as address:
        said = run(tiny, box, scheduler=address)
    assert any(line.startswith("ada: 10 of 10") for line in said), said
    assert afterwards(tiny) == (0, {"ada": 10})


def test_the_report_tells_how_a_mistake_went_from_attempt_to_attempt(
    tiny: Course, box: Path
) -> None:
    for answers in ({"double": WRONG}, {"double": DOUBLE}):
        for name in ("ada", "bob"):
            put(tiny, box, name, name, **answers)
        run(tiny, box)
    path = write_report(tiny, tiny.lab("tiny"), tiny.folder)
    words = re.sub(r"<[^>]+>|\s+", " ", path.read_text("utf-8"))
    assert "Gone by the last attempt" in words
    assert re.search(r"It is not twice the input.*?2 → 0", words), words


# --- Fair -------------------------------------------------------------------------------------------


def test_the_fifth_hand_in_of_one_waits_behind_the_first_of_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "tiny", Policy())
    for number in range(5):
        last = spool.take("eager", {}, f"e{number}", 100.0 + number)
    slow = spool.take("slow", {}, "s", 200.0)
    order = [(one.student, one.attempt) for one in spool.waiting()]
    assert order[:2] == [("eager", 1), ("slow", 1)] and order[-1] == ("eager", 5)
    assert spool.place(slow) == 1 and spool.place(last) == 5
    assert "place 2" in spool.expect(slow) and "expected at" in spool.expect(slow)
    again = Spool(tmp_path, "tiny", Policy())  # another program, after a crash
    assert again.waiting() == spool.waiting() and again.knows("slow", "s")
    assert again.take("slow", {}, "s2", 300.0).attempt == 2


def test_who_waits_finds_a_page_that_tells_the_place_and_the_time(
    tiny: Course, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, str] = {}

    def notice(outlet: Outlet, name: str, text: str, folder: Path) -> None:
        write(outlet, name, text, folder)
        told[name] = outlet.path(name, "waiting").read_text("utf-8")

    write = Outlet.notice
    monkeypatch.setattr(Outlet, "notice", notice)
    for number in range(4):
        put(tiny, box, f"s{number}", f"\n\n{number}", double=DOUBLE)
    run(tiny, box)
    assert set(told) == {"s2", "s3"}  # two are marked at once
    assert re.search(r"attempt 1, place 4, expected at \d\d:\d\d:\d\d UTC", told["s3"])
    assert not list((tiny.root / "pages").rglob("waiting.html"))
    assert "6</strong> of 10 points" in page(tiny, "s3")


def test_what_comes_too_often_is_kept_and_marked_after_the_hour(tiny: Course, box: Path) -> None:
    allow(tiny, "Policy(attempts_an_hour=2)")
    spool = Spool(tiny.folder, "tiny", tiny.lab("tiny").policy)
    now = time.time()
    first, second, third = (spool.take("ada", {}, str(n), now + n) for n in range(3))
    assert first.start == second.start == 0 and third.start == now + HOUR
    assert spool.place(third) == 2 and "2 an hour are marked" in spool.expect(third)
    assert spool.take("bob", {}, "b", now).start == 0
    assert waiting_in(tiny.folder, "tiny") == 4
    hand_in(tiny, "eve", student(tiny, double=DOUBLE))
    said = list[str]()
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted", listener=Listener(note=said.append))
    assert any("4 hand-ins wait" in line and "watch tiny --once" in line for line in said)


def test_an_attempt_overtaken_in_the_queue_is_not_marked(tiny: Course, box: Path) -> None:
    spool = Spool(tiny.folder, "tiny", Policy())
    for note, answer in (("first", WRONG), ("second", DOUBLE)):
        notebook = student(tiny, double=answer)
        data = nbformat.writes(notebook).encode()
        spool.take("ada", {"tiny.ipynb": data}, note, time.time())
    said = run(tiny, box)
    assert sum(" of 10" in line for line in said) == 1
    assert afterwards(tiny) == (0, {"ada": 6})


# --- Policies ---------------------------------------------------------------------------------------


def test_the_best_attempt_counts_where_the_lab_says_so(tiny: Course, box: Path) -> None:
    allow(tiny, 'Policy(counts="best")')
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    run(tiny, box)
    put(tiny, box, "ada", double=DOUBLE)
    said = run(tiny, box)
    assert any("6 of 10; an earlier attempt counts" in line for line in said), said
    assert "not the one that counts" in page(tiny, "ada") and "10 of 10 points" in page(tiny, "ada")
    assert afterwards(tiny) == (0, {"ada": 10})
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as book:
        assert book.find_submission("tiny", "ada").score == 10


def test_grade_says_that_what_it_is_given_counts_although_the_best_should(
    tiny: Course, box: Path
) -> None:
    allow(tiny, 'Policy(counts="best")')
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    run(tiny, box)
    put(tiny, box, "ada", double=DOUBLE)
    noted: list[str] = []
    grade(tiny, tiny.lab("tiny"), box, listener=Listener(note=noted.append))
    assert any("1 who have one" in one and "proctor watch tiny" in one for one in noted), noted
    noted.clear()
    done = grade(
        tiny, tiny.lab("tiny"), tiny.folder / "submitted", listener=Listener(note=noted.append)
    )
    assert done.verdicts["ada"].score == 10 and not any("best" in one for one in noted)


def test_a_late_attempt_that_costs_more_than_it_gains_does_not_count(
    tiny: Course, box: Path
) -> None:
    allow(tiny, 'Policy(counts="best")')
    config = tiny.folder / "nbgrader_config.py"
    config.write_text(
        config.read_text() + "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Five(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return 5\n"
        "c.AssignLatePenalties.plugin_class = Five\n"
    )
    put(tiny, box, "ada", double=DOUBLE)
    run(tiny, box)
    set_due(tiny, -timedelta(hours=1), of_submission=timedelta(hours=-2))
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    said = run(tiny, box)
    assert any("10 of 10; an earlier attempt counts" in line for line in said), said
    assert afterwards(tiny)[1] == {"ada": 6}


def set_due(
    tiny: Course, from_now: timedelta, of_submission: timedelta = timedelta(hours=-2)
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    (tiny.folder / "submitted" / "ada" / "tiny" / "timestamp.txt").write_text(
        f"{now + of_submission:%Y-%m-%d %H:%M:%S} UTC"
    )
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as book:
        book.update_or_create_assignment("tiny", duedate=now + from_now)


def test_a_page_says_of_hidden_checks_what_the_policy_allows_before_and_after_the_due_date(
    tiny: Course, box: Path
) -> None:
    allow(tiny, 'Policy(before_due="title")')
    rounded = DOUBLE.replace("2 * a", "2 * np.round(a)")
    put(tiny, box, "ada", double=rounded, mean=MEAN.replace("/ len(a)", ""))
    run(tiny, box)
    before = page(tiny, "ada")
    assert "other inputs" in before and "It works for the example only." not in before
    assert "the mean" in before and "It is not the mean." not in before
    done = CliRunner().invoke(
        main,
        ["--course", str(tiny.folder), "export", "tiny", "--to", "text", "-o", str(box / "mail")],
    )
    text = (box / "mail" / "ada" / "tiny" / "tiny.txt").read_text()
    assert done.exit_code == 0 and "It is not the mean." not in text and "the mean" in text
    set_due(tiny, -timedelta(hours=1))
    assert afterwards(tiny)[0] == 0
    after = (tiny.folder / "feedback" / "ada" / "tiny" / "tiny.html").read_text()
    assert "It works for the example only." in after and "It is not the mean." in after


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("Policy(counts='first')", "counts='first'"),
        ("Policy(before_due='all')", "before_due='all'"),
        ("Policy(attempts_an_hour=-1)", "attempts_an_hour=-1"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(tiny: Course, policy: str, word: str) -> None:
    allow(tiny, policy)
    with pytest.raises(CourseError, match=word):
        tiny.lab("tiny")


# --- Beside others ----------------------------------------------------------------------------------


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_nothing_is_marked_while_grade_does(tiny: Course, box: Path) -> None:
    put(tiny, box, "ada", double=DOUBLE)
    run(tiny, box)
    stop, said = threading.Event(), list[str]()
    thread = threading.Thread(target=lambda: said.extend(run(tiny, box, once=False, stop=stop)))
    thread.start()
    store = store_of(tiny.lab("tiny"), tiny.folder)
    try:
        put(tiny, box, "first", double=DOUBLE)
        until(store.verdict("first").exists)  # from now on it watches
        with store.writing():
            put(tiny, box, "bob", double=DOUBLE)
            until(lambda: waiting_in(tiny.folder, "tiny"))
            time.sleep(1)  # several of its looks at the queue
            assert not store.verdict("bob").exists()
        until(store.verdict("bob").exists)
        until(lambda: not waiting_in(tiny.folder, "tiny"))
    finally:
        stop.set()
        thread.join()
    assert afterwards(tiny) == (0, {"ada": 6, "bob": 6, "first": 6})


def test_a_page_is_written_again_when_only_a_persons_mark_or_comment_changed(
    tiny: Course, box: Path
) -> None:
    for name in ("ada", "bob"):
        put(tiny, box, name, double=WRONG)
    run(tiny, box)
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as book:
        mark = book.find_grade("test_double", "tiny", "tiny", "ada")
        mark.manual_score = 2.5
        comment = book.find_comment("double", "tiny", "tiny", "ada")
        comment.manual_comment = "The idea is right."
        book.db.commit()
    pages = {n: tiny.folder / "feedback" / n / "tiny" / "tiny.html" for n in ("ada", "bob")}
    before = pages["bob"].stat().st_mtime_ns
    assert afterwards(tiny)[0] == 0
    assert "The idea is right." in pages["ada"].read_text()
    assert pages["bob"].stat().st_mtime_ns == before
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as book:
        book.find_comment("double", "tiny", "tiny", "ada").manual_comment = "Better still."
        book.db.commit()
    stop = threading.Event()
    thread = threading.Thread(target=lambda: run(tiny, box, once=False, stop=stop))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proctor.classroom.watch.CHECKED", 0.1)
        thread.start()
        try:
            until(lambda: "Better still." in page(tiny, "ada"))
        finally:
            stop.set()
            thread.join()
    assert "Better still." in pages["ada"].read_text()


# --- Trouble ----------------------------------------------------------------------------------------


def test_whatever_write_is_the_last_before_a_crash_the_queue_goes_on(
    tiny: Course, box: Path
) -> None:
    """Each of the writes of one hand-in; nothing is written after it, as by kill -9."""
    put(tiny, box, "ada", double=WRONG)
    run(tiny, box)
    moments, survived = 0, list[int]()
    for moment in range(1, 60, 1 if os.environ.get("PROCTOR_LONG_TESTS") else 5):
        put(tiny, box, "ada", f"\n\n{moment}", double=DOUBLE)
        with dying(tiny.folder, moment):
            run(tiny, box)
            survived.append(moment)
        run(tiny, box)
        assert not waiting_in(tiny.folder, "tiny")
        submitted = (tiny.folder / "submitted" / "ada" / "tiny" / "tiny.ipynb").read_bytes()
        assert submitted == (box / "ada" / "tiny.ipynb").read_bytes()
        assert "6</strong> of 10 points" in page(tiny, "ada")
        assert afterwards(tiny) == (0, {"ada": 6})
        if survived:
            break
        moments += 1
    assert moments >= 3 and survived


def test_a_full_disk_is_said_and_nothing_is_lost(
    tiny: Course, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proctor.classroom.watch.PAUSE", 0.1)
    put(tiny, box, "ada", double=DOUBLE)
    run(tiny, box)
    put(tiny, box, "ada", double=DOUBLE, mean=MEAN)
    full, whole = 8, os.replace

    def replace(source: str, target: str) -> None:
        nonlocal full
        full -= 1
        if full > 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        whole(source, target)

    monkeypatch.setattr(proctor.atomic_files.os, "replace", replace)
    said = run(tiny, box)
    assert full < 0 and sum("No space left" in line for line in said) >= 1
    assert any(line.startswith("ada: 10 of 10") for line in said)
    monkeypatch.undo()
    assert afterwards(tiny) == (0, {"ada": 10})


def test_killed_in_the_middle_it_loses_nothing_and_marks_nobody_twice(
    tiny: Course, box: Path
) -> None:
    """The real thing, in processes of their own; two starts of the engine."""
    for number in range(6):
        put(tiny, box, f"s{number}", f"\n\n{number}", double=DOUBLE)
    command = [sys.executable, "-m", "proctor", "watch", "tiny", str(box), "--jobs", "1"]
    first = subprocess.Popen(command, cwd=tiny.root, stdout=subprocess.DEVNULL)
    store = store_of(tiny.lab("tiny"), tiny.folder)
    until(lambda: list(store.verdicts.glob("*.json")))
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = {path: path.stat().st_mtime_ns for path in store.verdicts.glob("*.json")}
    assert 0 < len(done) < 6
    again = subprocess.run(
        [*command, "--once"], cwd=tiny.root, capture_output=True, text=True, check=True
    )
    assert again.stdout.count(" of 10") >= 6 - len(done), again.stdout
    now = {path: path.stat().st_mtime_ns for path in store.verdicts.glob("*.json")}
    assert len(now) == 6 and all(now[path] == at for path, at in done.items())
    assert afterwards(tiny) == (0, {f"s{number}": 6.0 for number in range(6)})
