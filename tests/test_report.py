"""The class report: its numbers, what it may not tell, and how it opens."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import classroom, looking, needs
from support.browsers import violations

from proctor.cli import main
from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class
from proctor.record.run_record import (
    ChangedScore,
    MarkingRecord,
    read_marking,
    versions,
    write_marking,
)
from proctor.tell import itemstats
from proctor.tell.anonymous import anonymous_code, redact
from proctor.tell.report import write_report
from proctor.verdict import Problem

SCRIPT = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture(scope="module")
def marked(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of 15, one of them an attacker, one absent; do not change it."""
    root = tmp_path_factory.mktemp("report") / "tiny"
    shutil.copytree(built_tiny, root)
    course = Course((root / "course").resolve())
    lab = course.lab("tiny")
    classroom.draw_class(course, lab, 11, seed=1)
    forgets = {"double-untouched"}
    for student in ("mallory", "nina", "oskar"):
        problems = (Problem("cell-time", f"Stopped: {SCRIPT}", attention=True),)
        verdict = classroom.verdict(
            lab,
            student,
            lambda check: check.id not in forgets,
            cause=lambda check: f"It changes the array, as `*=` does. {SCRIPT}",
            problems=problems if student == "mallory" else (),
        )
        code = f"# by {student}\ndef double(a):\n    a *= 2\n    x = {SCRIPT + student!r}\n    return a"
        classroom.keep(course, verdict, {"double": code})
    with open_gradebook(classroom.db_url(course), "tiny") as book:
        book.add_student("absent", first_name="Ada", last_name="Lovelace")
    record = MarkingRecord(
        finished="2026-01-31T12:00:00Z",
        seconds=75.0,
        jobs=2,
        isolation="namespaces",
        marked=21,
        kept=2,
        versions=versions(),
        broken={"mean-value": "TypeError: none"},
        changed=(ChangedScore("s001", 4.0, 6.0, ("double-value",)),),
        took={"mallory": 20.0},
    )
    write_marking(course.folder, "tiny", record)
    write_report(course, lab, course.folder)
    return course


@pytest.fixture(scope="module")
def page(marked: Course) -> str:
    return (marked.folder / "report.html").read_text("utf-8")


def test_scores_fall_into_tenths_of_the_scale_and_a_bonus_into_the_last() -> None:
    found = itemstats.scores([0, 9.9, 10, 55, 100, 103], 100)
    assert found.counts == (2, 1, 0, 0, 0, 1, 0, 0, 0, 2)
    assert (found.low, found.high, found.median) == (0, 103, 32.5)


def test_discrimination_is_the_point_biserial_correlation_with_the_rest() -> None:
    passed = [True] * 6 + [False] * 6
    rest = np.array([9.0, 8, 7, 9, 6, 8, 3, 2, 4, 1, 2, 3])
    ones, zeros = rest[:6], rest[6:]
    by_hand = (ones.mean() - zeros.mean()) / rest.std() * np.sqrt(0.5 * 0.5)
    assert itemstats.point_biserial(passed, rest) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("value", "asked", "word"),
    [(-0.04, 10, "weak"), (-0.4, 10, "negative"), (-0.04, 1000, "negative"), (0.0, 10, "weak")],
)
def test_what_chance_alone_gives_is_not_called_negative(
    value: float, asked: int, word: str
) -> None:
    half = asked // 2
    one = itemstats.CheckStats("c", "c", False, 1.0, half, asked - half, 0, value)
    assert one.word == word


@pytest.mark.parametrize(
    ("passed", "rest"),
    [([True] * 20, range(20)), ([True, False] * 10, [5] * 20), ([True, False] * 4, range(8))],
    ids=["everybody passed", "no spread", "too small a class"],
)
def test_discrimination_is_not_made_up_where_there_is_none(passed: Any, rest: Any) -> None:
    assert itemstats.point_biserial(passed, np.array(rest, dtype=float)) is None


def test_causes_that_differ_in_numbers_and_names_are_one_misconception(marked: Course) -> None:
    lab = marked.lab("tiny")
    verdicts = {
        name: classroom.verdict(
            lab,
            name,
            lambda check: check.id != "mean-value",
            cause=lambda check, name=name: (
                f"It gave {len(name)}.5 for '{name}' in `x[{len(name)}]`."
            ),
        )
        for name in ("a", "bb", "ccc")
    }
    (only,) = itemstats.misconceptions(verdicts)
    assert only.students == ("a", "bb", "ccc")
    assert only.check == "mean-value"


def test_what_was_not_started_or_not_asked_is_no_misconception(marked: Course) -> None:
    lab = marked.lab("tiny")
    blank = classroom.verdict(
        lab, "s", lambda check: False, cause=lambda check: "This exercise is not started."
    )
    assert itemstats.misconceptions({"s": blank}) == []
    released = classroom.verdict(
        lab, "s", lambda check: False, cause=lambda check: "NotImplementedError"
    )
    assert itemstats.misconceptions({"s": released}) == []  # the line that nbgrader puts there
    wrong = classroom.verdict(lab, "t", lambda check: False)
    double = itemstats.exercises(lab, [blank, wrong])[0]
    assert double.not_started == 1
    assert [(check.asked, check.skipped) for check in double.checks] == [(1, 0), (1, 1), (1, 1)]


def test_the_report_counts_who_fell_for_what(page: str) -> None:
    item = re.search(r'<div class="count">3 <small>of 14</small>.*?</li>', page, re.S)
    assert item is not None
    assert "It changes the array, as <code>*=</code> does." in item[0]
    assert "leaves its input alone" in item[0]


def test_code_in_a_sentence_is_shown_as_code_everywhere(page: str) -> None:
    lecture = page[page.index('id="lecture"') : page.index('id="scores"')]
    assert "as <code>*=</code> does" in lecture
    assert "`" not in re.sub(r"<summary>.*?</summary>", "", page)


def test_one_cause_of_several_checks_of_an_exercise_is_told_once(marked: Course) -> None:
    lab = marked.lab("tiny")
    stopped = classroom.verdict(lab, "s", lambda check: False, cause=lambda check: "It stopped.")
    stopped = replace(
        stopped,
        exercises=tuple(
            replace(
                one,
                checks=tuple(
                    replace(check, skipped=False, cause="It stopped.") for check in one.checks
                ),
            )
            for one in stopped.exercises
        ),
    )
    double, mean = itemstats.misconceptions({"s": stopped})
    titles = [check.title for check in lab.exercises[0].checks]
    assert sorted(double.check_title.split("; ")) == sorted(titles)
    assert mean.exercise == "mean"


def test_an_example_names_nobody(page: str) -> None:
    part = page[page.index('id="mistakes"') : page.index('id="attention"')]
    assert "a *= 2" in part
    for name in ("mallory", "nina", "oskar"):
        assert name not in part


def test_anonymous_code_loses_comments_docstrings_and_names() -> None:
    code = 'def f(a):\n    """By Ada."""\n    # Ada\n    return "ada l. " + str(a)\n'
    plain = redact(anonymous_code(code), ("ada", "", "l."))
    assert "ada" not in plain.lower()
    assert "return" in plain and "str(a)" in plain
    assert anonymous_code("def f(:") == ""
    assert anonymous_code('def f():\n    """only words,\n    many"""\n') == "def f():\n    ..."
    assert anonymous_code("def f():\n    'é' 'by Ada'; return 'é'  # Ada") == (
        "def f():\n    ...; return 'é'"
    )
    assert anonymous_code("x = [1,  # one\n\n     2]\ns = '# no comment'") == (
        "x = [1,\n     2]\ns = '# no comment'"
    )


def test_the_report_names_who_needs_attention_and_who_is_missing(page: str) -> None:
    attention = page[page.index('id="attention"') : page.index('id="alike"')]
    assert "mallory" in attention and "nina" not in attention
    assert "1 of 15 in the roster: absent." in attention


def test_the_report_tells_how_marking_went(page: str) -> None:
    marking = page[page.index('id="marking"') : page.index('id="everyone"')]
    for words in ("namespaces (14)", "1 min 15 s", "21 marked, 2 unchanged", "mallory (20.0 s)"):
        assert words in marking
    assert "s001: 4 → 6 (double-value)" in marking
    assert f"numpy {np.__version__}" in marking


def test_without_a_record_of_the_run_the_report_says_so(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.draw_class(tiny, lab, 2)
    assert read_marking(tiny.folder, "tiny") is None
    assert "not recorded" in write_report(tiny, lab, tiny.folder).read_text("utf-8")
    (tiny.folder / "marking.json").write_text("{ half")
    write_report(tiny, lab, tiny.folder)


def test_the_report_loads_nothing_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page


@needs.axe
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_is_accessible_and_fits(
    marked: Course, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    tab = context.new_page()
    tab.goto((marked.folder / "report.html").as_uri())
    looking.fits(tab, width)
    assert violations(tab) == []
    context.close()


@needs.axe
def test_no_script_of_a_student_lives_in_the_page(marked: Course, browser: Any) -> None:
    tab = browser.new_page()
    tab.goto((marked.folder / "report.html").as_uri())
    looking.expect(tab.locator("#everyone")).to_be_attached()
    looking.expect(tab).to_have_title("Two exercises: class report")
    looking.expect(tab.locator("img")).to_have_count(0)
    tab.close()


@needs.axe
def test_printed_the_examples_are_open_and_the_ground_is_white(
    marked: Course, browser: Any
) -> None:
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto((marked.folder / "report.html").as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    looking.expect(tab.locator("nav")).to_be_hidden()
    looking.expect(tab.locator("body")).to_have_css("color", "rgb(28, 30, 33)")
    # What is folded on the screen is there on paper.
    looking.act(tab, "document.querySelectorAll('details').forEach((d) => (d.open = false))")
    folded = "[...document.querySelectorAll('details > :not(summary)')]"
    looking.eventually_js(tab, f"{folded}.length > 0 && {folded}.every((e) => e.checkVisibility())")
    looking.expect(tab.locator("summary").first).to_be_visible()  # and says what it is
    context.close()


def test_report_says_what_to_do_where_nothing_was_marked(tiny: Course) -> None:
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "report", "tiny"])
    assert done.exit_code == 2
    assert "Run first: proctor grade tiny" in done.output
    assert not (tiny.folder / "report.html").exists()


def test_a_gradebook_of_another_course_is_named(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.draw_class(tiny, lab, 3)
    path = write_report(tiny, lab, tiny.folder)
    before = path.read_bytes()
    (tiny.folder / "gradebook.db").unlink()
    classroom.enrol(tiny, lab)
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "report", "tiny"])
    assert done.exit_code == 2
    assert "does not know s001 and 2 others" in done.output
    (tiny.folder / "gradebook.db").write_bytes(b"no database at all, just some bytes " * 40)
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "report", "tiny"])
    assert done.exit_code == 2 and "cannot be read" in done.output
    assert path.read_bytes() == before


def test_the_report_takes_the_gradebooks_scores(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.draw_class(tiny, lab, 3)
    with open_gradebook(classroom.db_url(tiny), "tiny") as book:
        grade = book.find_grade("test_mean", "tiny", "tiny", "s001")
        grade.manual_score = 2.5
        book.db.commit()
    data = read_class(tiny, lab)
    automatic = data.verdicts["s001"]
    mean = next(one for one in automatic.exercises if one.id == "mean")
    assert data.score("s001") == pytest.approx(automatic.score - mean.score + 2.5)
    assert data.entries["s001"].manual
    assert "1 with a person" in write_report(tiny, lab, tiny.folder).read_text("utf-8")


def test_who_is_not_in_the_roster_is_named(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.draw_class(tiny, lab, 2)
    page = write_report(tiny, lab, tiny.folder, similar=False)
    assert "Not in the roster" not in page.read_text("utf-8")
    (tiny.folder / "roster.csv").write_text("id\ns001\nzoe\n")
    text = write_report(tiny, lab, tiny.folder, similar=False).read_text("utf-8")
    assert "not in <code>course/roster.csv</code>: s002." in text
    assert "--similarity" in text
