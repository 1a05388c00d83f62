"""What the class report says in words: the next lecture, sections, lateness, attempts, who is gone."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support import classroom, looking, needs
from support.browsers import violations
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from proctor.cli import main
from proctor.course import Course
from proctor.record.attempts import Attempt, read_attempts
from proctor.record.gradebook import open_gradebook
from proctor.record.run_record import ChangedScore, MarkingRecord, write_marking
from proctor.record.store import Store
from proctor.tell import itemstats, lecture
from proctor.tell.lecture import faded
from proctor.tell.report import write_report

TRIPLE = DOUBLE.replace("2 * a", "3 * a")


@pytest.fixture(scope="module")
def marked(built_tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Twelve students in two sections; do not change it."""
    root = tmp_path_factory.mktemp("words") / "tiny"
    shutil.copytree(built_tiny, root)
    course = Course((root / "course").resolve())
    lab = course.lab("tiny")
    classroom.enrol(course, lab)
    lines = ["id,first_name,section,tutor"]
    for number in range(12):
        name = f"s{number:02d}"
        lines.append(f"{name},N{number},{'A' if number < 8 else 'B'},")
        fails = {"mean-value"} if number < 5 else {"double-drawn"} if number < 8 else set()
        classroom.keep(
            course, classroom.verdict(lab, name, lambda check, fails=fails: check.id not in fails)
        )
    classroom.keep(course, classroom.verdict(lab, "left", lambda check: False))
    lines.append("absent,Nobody,B,")
    (course.folder / "roster.csv").write_text("\n".join(lines) + "\n")
    with open_gradebook(classroom.db_url(course), "tiny") as book:
        book.add_student("absent")
        due = datetime(2026, 3, 1, 12, 0)
        book.update_or_create_assignment("tiny", duedate=due)
        book.update_or_create_submission("tiny", "s00", timestamp=due + timedelta(hours=2))
        book.grant_extension("tiny", "s01", days=1)
        book.db.commit()
    changed = (ChangedScore("s02", 4.0, 6.0, ("double-value",)),)
    record = MarkingRecord(finished="2026-03-02T12:00:00Z", changed=changed, gone=("left",))
    write_marking(course.folder, "tiny", record)
    write_report(course, lab, course.folder)
    return course


@pytest.fixture(scope="module")
def page(marked: Course) -> str:
    return (marked.folder / "report.html").read_text("utf-8")


def text_of(page: str, start: str, end: str) -> str:
    part = page[page.index(start) : page.index(end, page.index(start))]
    return " ".join(re.sub("<[^>]+>", " ", part).split())


@needs.axe
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_with_all_its_parts_is_accessible_and_fits(
    marked: Course, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    tab = context.new_page()
    tab.goto((marked.folder / "report.html").as_uri())
    looking.expect(tab.locator("#lecture li")).to_have_count(2)
    looking.expect(tab.locator("#everyone tbody tr")).to_have_count(12)
    looking.fits(tab, width)
    assert violations(tab) == []
    context.close()


def test_what_to_say_in_the_next_lecture_stands_on_top(page: str) -> None:
    words = text_of(page, 'id="lecture"', "</section>")
    assert words.index("5 of 12") < words.index("3 of 12")
    assert "It fails at the mean." in words and "Exercise 2, mean: the mean" in words
    assert page.index('id="lecture"') < page.index('id="scores"')


def test_checks_that_everybody_passed_are_folded_away(page: str) -> None:
    words = text_of(page, 'id="checks"', 'id="mistakes"')
    assert "2 checks that everybody passed" in words
    start = page.index('<table class="checks">')
    table = page[start : page.index("</table>", start)]
    assert "other inputs" in table and "leaves its input alone" not in table


def test_an_untouched_notebook_says_nothing_of_the_checks(tiny: Course) -> None:
    """Else one of them in a class unfolds every check, and makes each tell the able from the others."""
    lab = tiny.lab("tiny")
    right = [classroom.verdict(lab, f"s{n}", lambda check: True) for n in range(12)]
    blank = classroom.verdict(
        lab, "zoe", lambda check: False, cause=lambda check: "This exercise is not started."
    )
    for exercise in itemstats.exercises(lab, [*right, blank]):
        assert exercise.not_started == 1
        assert all(one.by_all and one.asked == 12 for one in exercise.checks)
    assert all(one.share == 0 for e in itemstats.exercises(lab, [blank]) for one in e.checks)


def test_an_untouched_notebook_is_named_under_attention(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    classroom.enrol(tiny, lab)
    blank = {"passes": lambda check: False, "cause": lambda check: "This exercise is not started."}
    classroom.keep(tiny, classroom.verdict(lab, "zoe", **blank))
    classroom.keep(tiny, classroom.verdict(lab, "ada", lambda check: True))
    page = write_report(tiny, lab, tiny.folder).read_text("utf-8")
    words = text_of(page, 'id="attention"', "</section>")
    assert "Handed in an untouched notebook zoe." in words and "ada" not in words


def test_what_fails_several_checks_is_one_thing_to_say(tiny: Course) -> None:
    lab = tiny.lab("tiny")
    verdicts = {
        name: classroom.verdict(
            lab,
            name,
            lambda check, fails=fails: check.id not in fails,
            cause=lambda check: "The cell stopped.",
        )
        for name, fails in {
            "ada": {"double-drawn", "double-untouched"},
            "bob": {"double-drawn", "double-untouched"},
            "cleo": {"double-drawn"},
        }.items()
    }
    found = itemstats.misconceptions(verdicts)
    (told,) = lecture.points(found, itemstats.exercises(lab, verdicts.values()), 3)
    assert (told.count, told.text) == (3, "The cell stopped.")


def test_sections_are_told_apart_where_the_roster_has_them(page: str) -> None:
    words = text_of(page, "<h3>Sections</h3>", "</table>")
    assert "A 8 0" in words and "B 4 1" in words
    assert "<h3>Tutors</h3>" not in page


def test_late_and_more_time_are_said(page: str) -> None:
    words = text_of(page, "Late, and more time", "</div>")
    assert "s00 (2 h 0 min)" in words and "extension: s01" in words


def test_what_changed_and_who_is_gone_are_said_and_the_gone_are_in_no_number(page: str) -> None:
    assert "s02 4 → 6" in text_of(page, "Changed since the last run", "</div>")
    assert "left" in text_of(page, "No longer handed in", "</div>")
    assert ">left<" not in page[page.index('id="everyone"') :]
    assert "12" in text_of(page, "<dt>handed in</dt>", "</div>")


def test_a_mistake_is_followed_from_attempt_to_attempt() -> None:
    again = {"double-value": "It is not twice 3."}
    attempts = {
        "a": [Attempt(0, again), Attempt(1, again), Attempt(6)],
        "b": [Attempt(0, {"double-value": "It is not twice 5."}), Attempt(6)],
        "once": [Attempt(0, again)],
    }
    (one,) = faded(attempts).values()
    assert one.counts == (2, 1, 0) and one.check == "double-value"
    assert faded({"once": attempts["once"]}) == {}


def test_a_class_that_hands_in_twice_is_followed_through_the_door(tiny: Course) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["--course", str(tiny.folder), *arguments])
        return done.output

    for name in ("ada", "bob"):
        hand_in(tiny, name, student(tiny, double=TRIPLE, mean=MEAN))
    run("grade", "tiny", "--quiet")
    run("grade", "tiny", "--quiet", "--student", "ada")  # the same answers: the same attempt
    hand_in(tiny, "ada", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "bob", student(tiny, double="# again\n" + TRIPLE, mean=MEAN))
    run("grade", "tiny", "--quiet")
    store = Store(tiny.folder, "tiny")
    assert [one.score for one in read_attempts(store, "ada")] == [4.0, 10.0]
    run("report", "tiny", "--no-similarity")
    page = (tiny.folder / "report.html").read_text("utf-8")
    assert "of those who handed in more than once: 2 → 1" in page
