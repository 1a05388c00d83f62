"""The end of a run says who needs a person; everybody reads the gradebook's number."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from support import classroom
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from proctor.cli import main
from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import ClassData, read_class
from proctor.record.run_record import ChangedScore, ClassResult
from proctor.tell.attention import MOST_LINES, attention_lines
from proctor.tell.class_table import class_table
from proctor.verdict import Problem


def run(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--course", str(course.folder), *arguments])


def give(course: Course, name: str, cell: str, mark: float) -> None:
    with open_gradebook(classroom.db_url(course), "tiny") as book:
        book.find_grade(f"test_{cell}", "tiny", "tiny", name).manual_score = mark
        book.db.commit()


def large_class(course: Course, size: int = 60) -> tuple[ClassResult, ClassData]:
    """A class in which everything that can be told of is there, many times."""
    lab = course.lab("tiny")
    classroom.enrol(course, lab)
    verdicts = {}
    for number in range(size):
        name = f"s{number:03d}"
        problems = (
            (Problem(f"reason-{number % 20}", f"Something {number} happened.", attention=True),)
            if number % 2
            else ()
        )
        verdict = classroom.verdict(
            lab,
            name,
            lambda check: False,
            cause=lambda check: "This exercise is not started.",
            problems=problems,
        )
        verdicts[name] = verdict
        if number < 3:
            classroom.keep(course, verdict)
    result = ClassResult(
        verdicts=verdicts,
        missing=[f"m{number}" for number in range(30)],
        gone=["g1", "g2"],
        broken={f"check-{n}": "TypeError: none" for n in range(5)},
        unjudged={f"odd-{n}": "ValueError: two" for n in range(5)},
        changed=[ChangedScore(f"s{n:03d}", 1.0, 2.0, ("a",)) for n in range(40)],
    )
    few = {name: verdicts[name] for name in ("s000", "s001", "s002")}
    data = read_class(course, lab, course.folder, verdicts=few)
    entries = {name: data.entries.get(name, data.entries["s000"]) for name in verdicts}
    return result, ClassData(lab, "tiny", course.folder, verdicts, entries)


def test_however_much_there_is_to_say_it_is_ten_lines(tiny: Course) -> None:
    result, data = large_class(tiny)
    lines = attention_lines(result, data)
    assert len(lines) <= MOST_LINES == 10
    assert max(map(len, lines)) < 300
    text = "\n".join(lines)
    for part in ("s000 1 -> 2", "untouched", "g1, g2", "m0", "check-0", "odd-0", "proctor report"):
        assert part in text, part


def test_who_needs_a_person_stands_first_and_with_the_reason(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "bob", b"{")
    done = run(tiny, "grade", "tiny", "--quiet")
    assert done.exit_code == 1, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("! ")]
    assert line.startswith("! bob: not marked: ") and "ada" not in line
    assert "Nobody needs" not in done.output


def test_a_run_in_which_all_is_well_says_so(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    assert "Nobody needs a person." in run(tiny, "grade", "tiny").output


def test_what_changed_since_the_last_run_is_said(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=DOUBLE))
    run(tiny, "grade", "tiny", "--quiet")
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    output = run(tiny, "grade", "tiny", "--quiet", "--explain-changes").output
    assert "Changed since the last run (automatic scores): ada 6 -> 10" in output
    assert "ada: 6 -> 10: mean-value" in output


@pytest.fixture
def by_hand(tiny: Course) -> Course:
    """Ada was marked by hand (3 of 4 for an automatic 0) and came late: 6 + 3 - 1."""
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: check.exercise == "double"))
    classroom.keep(tiny, classroom.verdict(lab, "bob", lambda check: True))
    give(tiny, "ada", "mean", 3.0)
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        book.find_submission_notebook("tiny", "tiny", "ada").late_submission_penalty = 1.0
        book.db.commit()
    return tiny


def test_table_report_gradebook_and_exports_say_the_same_number(
    by_hand: Course, tmp_path: Path
) -> None:
    lab = by_hand.lab("tiny")
    data = read_class(by_hand, lab, by_hand.folder)
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(class_table(lab, ClassResult(verdicts=dict(data.verdicts)), data, console))
    row = next(line for line in console.export_text().splitlines() if " ada " in line)
    assert re.findall(r"[\d.]+\*?", row) == ["6", "3*", "8", "6"]

    path = tmp_path / "marks.csv"
    assert run(by_hand, "export", "tiny", "--to", "csv", "-o", str(path)).exit_code == 0
    ada = next(
        one for one in csv.DictReader(io.StringIO(path.read_text())) if one["student"] == "ada"
    )
    assert (ada["score"], ada["automatic"], ada["mean"], ada["late_penalty"]) == (
        "8",
        "6",
        "3",
        "1",
    )
    assert (ada["manual_mark"], ada["double"]) == ("yes", "6")

    assert run(by_hand, "report", "tiny", "--no-similarity").exit_code == 0
    page = (by_hand.folder / "report.html").read_text()
    everyone = page[page.index('id="everyone"') :]
    row = next(part for part in everyone.split("<tr>") if ">ada<" in part)
    cells = [re.sub("<[^>]+>", "", cell).strip() for cell in re.findall("<td.*?</td>", row)]
    assert cells == ["6", "3*", "8", "6"]


def test_without_marks_by_hand_there_is_one_number_only(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    data = read_class(tiny, lab, tiny.folder)
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(class_table(lab, ClassResult(verdicts=dict(data.verdicts)), data, console))
    assert "automatic" not in console.export_text()


def test_exercises_whose_names_do_not_fit_are_numbered(by_hand: Course) -> None:
    lab = by_hand.lab("tiny")
    data = read_class(by_hand, lab, by_hand.folder)
    console = Console(record=True, width=54, file=io.StringIO())
    console.print(class_table(lab, ClassResult(verdicts=dict(data.verdicts)), data, console))
    text = console.export_text()
    assert "Columns: 1 double, 2 mean." in text
    row = next(line for line in text.splitlines() if " ada " in line)
    assert re.findall(r"[\d.]+\*?", row)[:2] == ["6", "3*"]
