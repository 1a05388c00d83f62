"""A page, a report and an export are bounded in the size and the time that one submission can cost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell
from support import classroom
from support.attacks_on_marks import LONG
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from proctor.cli import main
from proctor.course import Course

MOST_SECONDS = 10.0
MOST_BYTES = 1_500_000
ORDER = "\u202e\u2066"
"""A reader sees what follows these in another order than Python does."""


def grade(course: Course) -> None:
    done = CliRunner().invoke(main, ["--course", str(course.folder), "grade", "tiny", "-q"])
    assert done.exit_code in (0, 1), done.output


def marked_with(course: Course, *cells: str) -> Path:
    """Mark a right answer with cells of the student's own; return the notebook as it ran."""
    notebook = student(course, double=DOUBLE, mean=MEAN)
    notebook.cells[2:2] = [new_code_cell(source) for source in cells]
    hand_in(course, "long", notebook)
    grade(course)
    return course.folder / "autograded" / "long" / "tiny" / "tiny.ipynb"


@pytest.mark.parametrize("source", LONG.values(), ids=LONG.keys())
def test_long_code_costs_a_page_neither_time_nor_size(tiny: Course, source: str) -> None:
    """Neither the feedback page nor what formgrader shows, which nbconvert makes."""
    began = time.process_time()
    marked = marked_with(tiny, *[source] * 4)
    page = tiny.folder / "feedback" / "long" / "tiny" / "tiny.html"
    shown, _ = HTMLExporter().from_filename(str(marked))
    assert time.process_time() - began < MOST_SECONDS
    assert page.stat().st_size < MOST_BYTES
    assert len(shown) < MOST_BYTES
    assert "more characters are in the notebook that was handed in" in page.read_text("utf-8")


def test_code_of_an_ordinary_length_is_not_cut(tiny: Course) -> None:
    source = "".join(f"value_{number} = {number} ** 2  # squared\n" for number in range(300))
    marked = marked_with(tiny, source)
    assert "value_299 = 299 ** 2" in marked.read_text("utf-8")


def test_two_long_expressions_are_compared_in_bounded_memory(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    sums = " + ".join(f"a[{number % 7}] * {number % 11}" for number in range(30_000))
    for name, code in (("ada", f"double = {sums}"), ("bob", f"double = [{sums}][0]")):
        right = classroom.verdict(lab, name, lambda check: True)
        classroom.keep(tiny, right, {"double": code})
    command = [sys.executable, "-c", MEMORY, "--course", str(tiny.folder), "report", "tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    assert kilobytes < 600_000
    assert seconds < MOST_SECONDS
    report = tiny.folder / "report.html"
    assert report.stat().st_size < MOST_BYTES
    assert "ada" in report.read_text("utf-8").partition('id="alike"')[2].partition("</section>")[0]


MEMORY = """
import sys, time
import proctor.tell.report
from proctor.cli import main
began = time.process_time()  # on a slow machine the imports alone take seconds
main(sys.argv[1:], standalone_mode=False)
status = open("/proc/self/status").read()  # getrusage would tell the size of who started this one
print(time.process_time() - began, status.partition("VmHWM:")[2].split()[0])
"""


def test_what_reorders_text_is_shown_as_an_escape_everywhere(tiny: Course) -> None:
    """On the page, in formgrader, in the report, on the terminal, in the text for e-mail."""
    notebook = student(
        tiny,
        double=f'# admin{ORDER}\ndef double(a):\n    raise ValueError("r{ORDER}")  # {ORDER}\n',
        mean=f'# {ORDER}\ndef mean(a):\n    return "{ORDER}"\nprint("out{ORDER}")\n"{ORDER}"\n',
    )
    path = hand_in(tiny, "ada", notebook)
    grade(tiny)
    command = ["--course", str(tiny.folder)]
    screen = CliRunner().invoke(main, [*command, "check", str(path)]).output
    CliRunner().invoke(main, [*command, "report", "tiny"])
    mail = tiny.folder / "mail"
    CliRunner().invoke(main, [*command, "export", "tiny", "--to", "text", "-o", str(mail)])
    places = {
        "page": tiny.folder / "feedback" / "ada" / "tiny" / "tiny.html",
        "formgrader": tiny.folder / "autograded" / "ada" / "tiny" / "tiny.ipynb",
        "verdict": tiny.folder / "verdicts" / "ada.json",
        "report": tiny.folder / "report.html",
        "mail": mail / "ada" / "tiny" / "tiny.txt",
    }
    texts = {name: path.read_text("utf-8") for name, path in places.items()} | {"screen": screen}
    assert {name for name, text in texts.items() if set(ORDER) & set(text)} == set()
    escaped = {name for name, text in texts.items() if "u202e" in text and "u2066" in text}
    assert escaped == set(texts)
