"""docs/jupyterhub.md on a real hub: three students hand in, `watch` marks, they fetch their pages.

Two of the students press Assignment List's buttons through its own HTTP interface, one in Chromium; one
hands in again with the form of `watch`. About ten processes start here: it takes longer than others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support import needs
from support.hubs import PASSWORD, Hub, User, hub_of
from support.looking import expect, text
from support.tinycourse import DOUBLE, MEAN, make_course

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record.read_results import read_class

pytestmark = [
    needs.hub,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PATIENCE = 120_000


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The course, in the instructor's home."""
    (tmp_path / "homes").mkdir()
    return make_course(tmp_path / "homes" / "teacher")


@pytest.fixture
def hub(course: Course, tmp_path: Path) -> Iterator[Hub]:
    with hub_of(course, tmp_path, ("teacher", "ada", "bob", "cyd")) as running:
        yield running


def tab_of(browser: Any, user: User) -> Any:
    """Return a tab in which somebody has logged in."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{user.hub.url}hub/login")
    page.fill("#username_input", user.name)
    page.fill("#password_input", PASSWORD)
    page.click("#login_submit")
    page.wait_for_url("**/user/**")
    return page


def until(true: Callable[[], Any], hub: Hub) -> Any:
    end = time.monotonic() + 120
    while not (found := true()):
        assert time.monotonic() < end, hub.said()[-8000:]
        time.sleep(0.2)
    return found


def fill_in(hub: Hub, name: str, **answers: str) -> Path:
    path = hub.homes / name / "tiny" / "tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    nbformat.write(notebook, path)
    return path


def pages(hub: Hub, name: str) -> list[str]:
    found = (hub.homes / name / "tiny" / "feedback").rglob("*.html")
    return [path.read_text("utf-8") for path in sorted(found)]


def test_the_week_on_a_hub(course: Course, hub: Hub, browser: Any) -> None:
    teacher, ada, bob, cyd = (User(hub, name) for name in ("teacher", "ada", "bob", "cyd"))
    for user in (teacher, ada, bob, cyd):
        user.begin()
    teacher.start()
    teacher.run("nbgrader release_assignment tiny", course.folder)
    what = {"course_id": "tiny", "assignment_id": "tiny"}

    # Two through what Assignment List's buttons call.
    for user, answers in ((bob, {"double": DOUBLE, "mean": MEAN}), (cyd, {"mean": MEAN})):
        user.start()
        assert [one["status"] for one in user.assignments(course_id="tiny")] == ["released"]
        user.assignments("fetch", **what)
        fill_in(hub, user.name, **answers)
        user.assignments("submit", **what)

    # One in Chromium.
    tab = tab_of(browser, ada)
    tab.goto(f"{hub.url}user/ada/lab")
    tab.get_by_role("menuitem", name="Nbgrader").click()
    tab.get_by_text("Assignment List").click()
    tab.get_by_role("button", name="Fetch", exact=True).click()
    until((hub.homes / "ada" / "tiny" / "tiny.ipynb").is_file, hub)
    fill_in(hub, "ada", double=DOUBLE)
    tab.get_by_role("button", name="Submit", exact=True).click()
    fetch = tab.get_by_role("button", name="Fetch Feedback")
    until(lambda: "ada: 6 of 10" in hub.said() and "cyd: 4 of 10" in hub.said(), hub)
    tab.get_by_role("button", name="refresh").first.click()
    fetch.first.click()
    (page,) = until(lambda: pages(hub, "ada"), hub)
    assert "not started" in page and "6</strong> of 10 points" in page

    # The others' pages; cyd hands in again, with the form of `watch`.
    for user in (bob, cyd):
        user.assignments("fetch_feedback", **what)
    assert "Everything passed" in pages(hub, "bob")[0]
    path = fill_in(hub, "cyd", double=DOUBLE)
    form = tab_of(browser, cyd)
    form.goto(f"{hub.url}services/watch/")
    expect(form.locator("main")).to_contain_text("You are cyd")
    form.set_input_files("input[type=file]", path)
    form.get_by_role("button", name="Hand in").click()
    until(lambda: "cyd: 10 of 10" in hub.said(), hub)
    form.goto(f"{hub.url}services/watch/page")
    expect(form.locator("#first")).to_contain_text("Everything passed")

    # The instructor: formgrader in a tab of its own, and `grade`, which finds it done.
    own = tab_of(browser, teacher)
    own.goto(f"{hub.url}user/teacher/formgrader/manage_submissions/tiny")
    cells = own.locator("td.score")
    expect(cells).to_have_count(3, timeout=PATIENCE)
    assert sorted(text(cells.nth(k)).split()[0] for k in range(3)) == ["10", "10", "6"]
    done = grade(course, course.lab("tiny"), course.folder / "submitted")
    assert done.marked == 0
    data = read_class(course, course.lab("tiny"))
    assert {name: data.score(name) for name in data.verdicts} == {"ada": 6, "bob": 10, "cyd": 10}
