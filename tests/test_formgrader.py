"""Formgrader and the Validate button, in JupyterLab, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from support import needs
from support.jupyterlabs import PATIENCE, jupyterlab, lab_page
from support.looking import expect
from support.tinycourse import DOUBLE, MEAN, hand_in, make_course, student

from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class
from proctor.tell.feedback import write_feedback

pytestmark = needs.chromium


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A built course with one submission: exercise 1 wrong, exercise 2 right."""
    made = make_course(tmp_path_factory.mktemp("formgrader"))
    wrong = student(made, double=DOUBLE.replace("2 * a", "3 * a"), mean=MEAN)
    hand_in(made, "ada", wrong)
    nbformat.write(student(made, mean=MEAN), made.root / "blank.ipynb")
    done = student(made, double=DOUBLE, mean=MEAN)
    nbformat.write(done, made.root / "done.ipynb")
    return made


@pytest.fixture(scope="module")
def server(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab in the course's folder, as ``make lab`` starts it; yields its address."""
    with jupyterlab(course.root, course.folder, tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="module")
def tab(server: str) -> Iterator[Any]:
    with lab_page() as page:
        yield page


def test_the_autograde_button_marks_as_proctor_does(course: Course, server: str, tab: Any) -> None:
    tab.goto(f"{server}/formgrader/manage_submissions/tiny")
    tab.locator("td.autograde a").first.click()
    tab.get_by_text("Successfully autograded").first.wait_for()
    verdict = read_class(course, course.lab("tiny")).verdicts["ada"]
    assert verdict.score == 4
    tab.goto(f"{server}/formgrader/manage_submissions/tiny")
    tab.locator("td.score", has_text="4").wait_for()


def test_a_comment_and_a_manual_mark_reach_the_gradebook(
    course: Course, server: str, tab: Any
) -> None:
    db_url = f"sqlite:///{course.folder / 'gradebook.db'}"
    with open_gradebook(db_url, "tiny") as book:
        submission = book.find_submission_notebook("tiny", "tiny", "ada").id
    tab.goto(f"{server}/formgrader/submissions/{submission}/?index=0", wait_until="networkidle")
    expect(tab.locator("body")).to_contain_text("It is not twice the input.", timeout=PATIENCE)
    tab.locator("#double-comment").fill("Look at the example once more.")
    with tab.expect_response(re.compile("/formgrader/api/comment/")):
        tab.locator("#double-comment").blur()
    tab.locator("#test_double").fill("2.5")
    with tab.expect_response(re.compile("/formgrader/api/grade/")):
        tab.locator("#test_double").blur()
    data = read_class(course, course.lab("tiny"))
    assert data.score("ada") == 6.5 and data.entries["ada"].manual
    with open_gradebook(db_url, "tiny") as book:
        comment = book.find_comment("double", "tiny", "tiny", "ada")
        assert comment.comment == "Look at the example once more."


def test_the_feedback_button_makes_proctors_page_with_mark_and_comment(
    course: Course, server: str, tab: Any
) -> None:
    tab.goto(f"{server}/formgrader/manage_submissions/tiny")
    tab.locator("td.generate-feedback a").first.click()
    expect(tab.locator("body")).to_contain_text("Successfully generated feedback", timeout=PATIENCE)
    page = course.folder / "feedback" / "ada" / "tiny" / "tiny.html"
    text = page.read_text("utf-8")
    assert "<strong>6.5</strong> of 10 points" in text
    assert "Look at the example once more." in text and "Mend this first" in text
    page.unlink()
    write_feedback(course.coursedir("tiny"), ["ada"])
    assert page.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("notebook", "says"),
    [("done.ipynb", "Success! Your notebook passes all the tests."), ("blank.ipynb", "NotStarted")],
)
def test_the_validate_button_tells_done_from_not_started(
    server: str, tab: Any, notebook: str, says: str
) -> None:
    tab.goto(f"{server}/lab/tree/{notebook}?reset")
    tab.get_by_role("button", name="Validate").click()
    dialog = tab.locator(".jp-Dialog")
    expect(dialog).to_contain_text(says, timeout=PATIENCE)
    dialog.get_by_role("button", name="OK").click()
