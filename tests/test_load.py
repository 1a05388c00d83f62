"""The machine's load is not the student's: marks on a busy machine, and a reference run in trouble.

Load is made by busy loops on the one processor that the grader is given.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import needs
from support.doors import (
    Gradescope,
    autograde,
    book,
    check,
    check_result,
    proctor,
    scores,
    statuses,
    verdicts,
)
from support.tinycourse import CHECKS, DOUBLE, MASTER, MEAN, hand_in, make_course, student

import bench.busy
import bench.grading
from course.sample_class import SampleClass
from proctor.course import Course

LONG = bool(os.environ.get("PROCTOR_LONG_TESTS"))
CPU = max(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
SPEND = (
    "import time\n"
    "{0}end = time.process_time() + {1}\n"
    "{0}while time.process_time() < end:\n"
    "{0}    pass\n"
)
"""Python that uses so many seconds of processor time; its second and later lines are indented."""


SHORT = CHECKS.replace("cell_seconds=3.0", "cell_seconds=1.0").replace(
    "total_seconds=20.0", "total_seconds=5.0"
)
"""Checks with a third of the time."""


def spends(seconds: float) -> str:
    """The second exercise's right answer, which first spends processor time in its function."""
    return MEAN.replace(
        "    return a.sum", "    " + SPEND.format("    ", seconds) + "    return a.sum"
    )


def solution(line: str) -> str:
    """The master, in whose solution of the second exercise these lines come first."""
    return MASTER.replace("    m = a.sum()", f"    {line}\n    m = a.sum()")


@contextmanager
def busy(loops: int = 3) -> Iterator[None]:
    """Keep processor `CPU` busy with that many endless loops."""
    command = [sys.executable, "-c", "while True: pass"]
    started = [
        subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {CPU}))
        for _ in range(loops)
    ]
    try:
        yield
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


def own(course: Course, name: str, **answers: str) -> Path:
    """Hand in a notebook that differs from everybody else's."""
    notebook = student(course, **answers)
    notebook.cells[0].source += f"\n\nHanded in by {name}"
    return hand_in(course, name, notebook)


def nothing_recorded(course: Course) -> bool:
    return not verdicts(course) and not any(book(course).values())


# --- L1, L2: the reference run on a machine in trouble --------------------------------------------


@needs.linux
def test_a_busy_machine_withdraws_no_check(tmp_path: Path) -> None:
    """The solution needs half of what it may; beside three busy loops that takes twice as long."""
    course = make_course(tmp_path / "tiny", master=solution(SPEND.format("    ", 1.6)))
    own(course, "right", double=DOUBLE, mean=MEAN)
    own(course, "wrong", double=DOUBLE, mean=MEAN.replace("a.sum()", "1 + a.sum()"))
    with busy():
        said = proctor(course, "grade", "tiny", "-q", cpu=CPU)
    assert said.code == 0, said.all
    for _ in range(2):
        assert scores(course) == book(course) == {"right": 10.0, "wrong": 6.0}
        assert statuses(course) == {"right": "graded", "wrong": "graded"}
        said = proctor(course, "grade", "tiny", "-q")  # the load has gone
        assert said.code == 0, said.all


@needs.linux
@pytest.mark.parametrize("door", ["grade", "check", "autograde", "gradescope"])
def test_a_solution_that_needs_more_time_than_there_is_stops_the_run(
    tmp_path: Path, door: str
) -> None:
    course = make_course(tmp_path / "tiny", master=solution(SPEND.format("    ", 60)), checks=SHORT)
    path = own(course, "blank")
    if door == "gradescope":
        there = Gradescope(course, tmp_path / "autograder")
        if there.made.code == 0:
            said, results = there.mark(path.read_bytes())
            assert not results.get("score") and not any(
                test["score"] for test in results.get("tests", ())
            )
        else:
            said = there.made
    else:
        said = {
            "grade": lambda: proctor(course, "grade", "tiny", "-q"),
            "check": lambda: check(course, path)[0],
            "autograde": lambda: autograde(course),
        }[door]()
        assert said.code == 2 if door != "autograde" else said.code != 0, said.all
    assert "mean" in said.all and "1 second" in said.all, said.all
    assert nothing_recorded(course)
    # Nothing was kept of it either: with time enough the same class is marked.
    path = course.folder / "checks" / "tiny.py"
    path.write_text(CHECKS.replace("a = draw.normal(size=4)", "a = draw.normal(size=3)"))
    (course.folder / "tiny.py").write_text(MASTER.lstrip())
    assert proctor(course, "build", "tiny").code == 0
    assert proctor(course, "grade", "tiny", "-q").code == 0
    assert scores(course) == {"blank": 0.0}


def test_a_solution_whose_kernel_dies_stops_the_run(tmp_path: Path) -> None:
    course = make_course(tmp_path / "tiny", master=solution("import os; os._exit(3)"))
    own(course, "blank")
    own(course, "right", double=DOUBLE, mean=MEAN)
    for _ in range(2):
        said = proctor(course, "grade", "tiny", "-q")
        assert said.code == 2, said.all
        assert "exit status 3" in said.all or "ended" in said.all, said.all
        assert nothing_recorded(course)
    (course.folder / "tiny.py").write_text(MASTER.lstrip())
    assert proctor(course, "build", "tiny").code == 0
    assert proctor(course, "grade", "tiny", "-q").code == 0
    assert scores(course) == {"blank": 0.0, "right": 10.0}


@contextmanager
def killer(name: str) -> Iterator[list[int]]:
    """Kill the first process that calls itself `name`; the list holds its id when that is done."""
    killed: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not killed and not ended.wait(0.01):
            for comm in Path("/proc").glob("[0-9]*/comm"):
                try:
                    if comm.read_text().strip() == name:
                        os.kill(int(comm.parent.name), signal.SIGKILL)
                        killed.append(int(comm.parent.name))
                        return
                except OSError:
                    continue  # it ended while we looked

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


@needs.linux
def test_a_reference_whose_kernel_is_killed_once_is_run_again(tmp_path: Path) -> None:
    """As the system does that runs out of memory: no fault of the course."""
    victim = f"v{os.getpid()}"
    lines = f'open("/proc/self/comm", "w").write("{victim}")\n    import time; time.sleep(0.5)'
    course = make_course(tmp_path / "tiny", master=solution(lines))
    own(course, "blank")
    own(course, "right", double=DOUBLE, mean=MEAN)
    with killer(victim) as killed:
        said = proctor(course, "grade", "tiny", "-q")
    assert killed
    assert said.code == 0, said.all
    assert scores(course) == book(course) == {"blank": 0.0, "right": 10.0}


# --- L3, L4: submissions on a machine in trouble --------------------------------------------------


@needs.linux
def test_a_submission_whose_kernel_is_killed_once_is_marked_again(tmp_path: Path) -> None:
    victim = f"w{os.getpid()}"
    lines = (
        f'    open("/proc/self/comm", "w").write("{victim}")\n    import time; time.sleep(0.5)\n'
    )
    course = make_course(tmp_path / "tiny")
    own(course, "killed", double=DOUBLE, mean=MEAN.replace("    return", f"{lines}    return"))
    own(course, "other", double=DOUBLE, mean=MEAN)
    with killer(victim) as killed:
        said = proctor(course, "grade", "tiny", "-q")
    assert killed
    assert said.code == 0, said.all
    assert scores(course) == book(course) == {"killed": 10.0, "other": 10.0}
    assert statuses(course) == {"killed": "graded", "other": "graded"}


@needs.linux
@pytest.mark.parametrize("where", ["function", "cell"])
def test_right_answers_within_the_limit_lose_nothing_on_a_busy_machine(
    tmp_path: Path, where: str
) -> None:
    """Half of the processor time that they may use, four at once on one processor."""
    course = make_course(tmp_path / "tiny")
    mean = spends(1.6) if where == "function" else SPEND.format("", 1.6) + MEAN
    for number in range(4):
        own(course, f"s{number}", double=DOUBLE, mean=mean)
    for _ in range(2):
        said = proctor(course, "grade", "tiny", "-q", "--jobs", "4", cpu=CPU)
        assert said.code == 0, said.all
        expected = {f"s{number}": 10.0 for number in range(4)}
        assert scores(course) == book(course) == expected
        assert set(statuses(course).values()) == {"graded"}


@needs.linux
@pytest.mark.parametrize("where", ["function", "cell"])
def test_who_uses_more_processor_time_than_allowed_is_put_before_a_person(
    tmp_path: Path, where: str
) -> None:
    course = make_course(tmp_path / "tiny", checks=SHORT)
    loop = "while True:\n{0}    pass\n"
    mean = MEAN.replace("    return", "    " + loop.format("    ") + "    return")
    mean = mean if where == "function" else loop.format("") + MEAN
    own(course, "endless", double=DOUBLE, mean=mean)
    own(course, "right", double=DOUBLE, mean=MEAN)
    said = proctor(course, "grade", "tiny")
    assert said.code == 1
    assert scores(course) == {"endless": 6.0, "right": 10.0}
    assert statuses(course) == {"endless": "needs_attention", "right": "graded"}
    cause = check_result(verdicts(course)["endless"], "mean-value")["cause"]
    assert "1 second" in cause, cause
    said = proctor(course, "grade", "tiny")
    assert "0 marked now, 2 kept" in said.all  # the same work meets the same limit on any machine


@needs.linux
def test_an_exercise_may_have_a_limit_of_its_own(tmp_path: Path) -> None:
    checks = SHORT.replace("=1.0", "=300.0").replace("=5.0", "=600.0")
    checks = checks.replace(
        '"Exercise 2, mean", points=4', '"Exercise 2, mean", points=4, seconds=1.0'
    )
    assert "seconds=1.0" in checks
    course = make_course(tmp_path / "tiny", checks=checks)
    own(course, "endless", double=DOUBLE, mean="while True:\n    pass\n" + MEAN)
    said = proctor(course, "grade", "tiny")
    assert said.code == 1
    assert scores(course) == {"endless": 6.0}
    cause = check_result(verdicts(course)["endless"], "mean-value")["cause"]
    assert "after 1 seconds of processor time" in cause, cause


@needs.linux
def test_who_sleeps_longer_than_allowed_is_put_before_a_person(tmp_path: Path) -> None:
    course = make_course(tmp_path / "tiny", checks=SHORT)
    sleeps = MEAN.replace("    return", "    import time; time.sleep(10**6)\n    return")
    own(course, "asleep", double=DOUBLE, mean=sleeps)
    own(course, "right", double=DOUBLE, mean=MEAN)
    for marked, kept in ((2, 0), (0, 2)):  # it would sleep as long on any machine
        said = proctor(course, "grade", "tiny")
        assert said.code == 1
        assert f"{marked} marked now, {kept} kept" in said.all, said.all
        assert scores(course) == {"asleep": 6.0, "right": 10.0}
        assert statuses(course) == {"asleep": "needs_attention", "right": "graded"}


@needs.linux
def test_who_met_the_clock_on_the_wall_is_put_before_a_person_and_marked_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    """It uses too little of the processor to meet that limit, and too much to be asleep."""
    short = CHECKS.replace("cell_seconds=3.0", "cell_seconds=0.3")
    course = make_course(tmp_path / "tiny", checks=short)
    drowsy = (
        "    import time\n"
        "    began, spent = time.monotonic(), time.process_time()\n"
        "    while True:\n"
        "        time.sleep(0.1)\n"
        "        share = 0.025 * (time.monotonic() - began)\n"
        "        while time.process_time() - spent < share: pass\n"
        "    return"
    )
    own(course, "drowsy", double=DOUBLE, mean=MEAN.replace("    return", drowsy))
    own(course, "right", double=DOUBLE, mean=MEAN)
    for marked, kept in ((2, 0), (1, 1)):
        said = proctor(course, "grade", "tiny")
        assert said.code == 1
        assert f"{marked} marked now, {kept} kept" in said.all, said.all
        assert scores(course) == {"drowsy": 6.0, "right": 10.0}
        assert statuses(course) == {"drowsy": "needs_attention", "right": "graded"}
        assert check_result(verdicts(course)["drowsy"], "mean-value")["cause"]


@needs.linux
@pytest.mark.skipif(not LONG, reason="takes ten minutes")
def test_twelve_right_ones_of_the_real_lab_at_once_on_one_processor(
    real_course: Course, tmp_path: Path
) -> None:
    maker = SampleClass(real_course, "lab_digits")
    for number in range(12):
        notebook = maker.notebook(maker.right)
        notebook.cells[0].source += f"\n\nHanded in by {number}"
        _, data = maker.file(notebook)
        path = tmp_path / "in" / f"s{number:02d}" / "lab_digits" / "lab_digits.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    out = tmp_path / "out"
    words = ("grade", "lab_digits", str(tmp_path / "in"), "-o", str(out), "-q", "--jobs", "12")
    proctor(real_course, *words, cpu=CPU, patience=3000)
    found = verdicts(real_course, out)
    assert len(found) == 12
    for name, verdict in found.items():
        whole = verdict["score"] == 100.0 and verdict["status"] == "graded"
        assert whole or "stopped after" in str(verdict["problems"]), (name, verdict["problems"])
    assert {verdict["score"] for verdict in found.values()} == {100.0}


# --- The whole of it: the same bytes at any load --------------------------------------------------


@needs.linux
def test_six_busy_loops_change_no_byte_of_a_verdict(tmp_path: Path) -> None:
    course = bench.busy.tiny_class(tmp_path / "tiny", 20 if LONG else 6)
    submitted = course.folder / "submitted"
    found = bench.busy.compare(course, "tiny", submitted, tmp_path / "out")
    assert found.count == (20 if LONG else 6)
    assert found.different == ()
    assert found.statuses == ("graded",)


@needs.linux
@pytest.mark.skipif(not LONG, reason="takes ten minutes")
def test_six_busy_loops_change_no_byte_of_the_real_labs_verdicts(
    real_course: Course, tmp_path: Path
) -> None:
    bench.grading.write_class(real_course, tmp_path / "in", 20)
    found = bench.busy.compare(real_course, "lab_digits", tmp_path / "in", tmp_path / "out")
    assert found.count == 20
    assert found.different == ()


# --- L5: an author's mistake ----------------------------------------------------------------------

MEAN_FAILS = CHECKS.replace("np.asarray(got, dtype=float), a.mean()", "got, 1 + a.mean()").replace(
    'raise Finding("It is not the mean.")',
    'raise Finding("It is not the mean.", called="mean(a)", expected="one more", '
    'got="the mean", next="Add one.")',
)


@pytest.mark.parametrize("door", ["grade", "check", "autograde", "gradescope"])
def test_an_exercise_that_the_solution_fails_wholly_records_nothing_and_tells_the_author(
    tmp_path: Path, door: str
) -> None:
    course = make_course(tmp_path / "tiny", checks=MEAN_FAILS)
    path = own(course, "blank")
    if door == "gradescope":
        there = Gradescope(course, tmp_path / "autograder")
        said = there.made
        if said.code == 0:
            said, results = there.mark(path.read_bytes())
            assert not results.get("score")
            assert not any(test["score"] for test in results.get("tests", ()))
    elif door == "autograde":
        said = autograde(course)
        assert said.code != 0
    else:
        words = {"grade": ("grade", "tiny"), "check": ("check", str(path), "--lab", "tiny")}[door]
        said = proctor(course, *words)
        assert said.code == 2, said.all
    assert nothing_recorded(course)
    assert "Traceback" not in said.err or door == "autograde"
    for part in (
        "mean-value",
        "It is not the mean.",
        "mean(a)",
        "one more",
        "the mean",
        "Add one.",
    ):
        assert part in said.all, (part, said.all)
    assert "solution" in said.all and "your code" not in said.all.lower()
