"""The course that ``nbgrader quickstart`` makes, as it is, from release to feedback."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import get_osusername
from support import needs
from support.doors import proctor, run
from support.jupyterlabs import PATIENCE, jupyterlab, lab_page
from support.looking import expect

from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class

STEPS = """
import json, sys
from nbgrader import apps
for name, *words in json.loads(sys.argv[1]):
    app = getattr(apps, name)()
    app.initialize(words)
    app.start()
"""
SQUARES = (
    "def squares(n):\n    if n < 1:\n        raise ValueError(n)\n"
    "    return [i * i for i in range(1, n + 1)]"
)
EQUATION = "It is the sum of $i^2$ over $i$."
COMMENT = "Say from where to where."


@dataclass(frozen=True)
class Hub:
    """The course, its exchange, and a student who is whoever runs the tests."""

    course: Course
    base: Path
    student: str

    def nbgrader(self, folder: Path, *steps: tuple[str, ...]) -> None:
        """Run nbgrader's applications, one after the other, in a process of their own."""
        common = (f"--Exchange.root={self.base / 'exchange'}", "--course=course101")
        words = json.dumps([(*step, *common) for step in steps])
        home = {"HOME": str(self.base / "home"), "JUPYTER_DATA_DIR": str(self.base / "data")}
        done = run([sys.executable, "-c", STEPS, words], folder, home)
        assert done.code == 0, done.err

    @property
    def work(self) -> Path:
        """Where the student works."""
        return self.base / "home" / "ps1"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The course released, worked on, submitted, collected and marked; nothing of it is changed."""
    base = tmp_path_factory.mktemp("quickstart")
    (base / "home").mkdir()
    (base / "exchange").mkdir()
    (base / "exchange").chmod(0o777)
    made = run([sys.executable, "-m", "nbgrader", "quickstart", "course101"], base)
    assert made.code == 0, made.err
    hub = Hub(Course((base / "course101").resolve()), base, get_osusername())
    here = hub.course.folder
    hub.nbgrader(here, ("GenerateAssignmentApp", "ps1"), ("ReleaseAssignmentApp", "ps1"))
    hub.nbgrader(base / "home", ("FetchAssignmentApp", "ps1"))
    book = nbformat.read(hub.work / "problem1.ipynb", as_version=4)
    for cell in book.cells:
        id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = {"squares": SQUARES, "sum_of_squares_equation": EQUATION}.get(id, cell.source)
    nbformat.write(book, hub.work / "problem1.ipynb")
    hub.nbgrader(base / "home", ("SubmitApp", "ps1"))
    hub.nbgrader(here, ("CollectApp", "ps1"))
    marked = proctor(hub.course, "grade", "ps1")
    assert marked.code == 0, marked.all
    yield hub


@needs.chromium
def test_an_untouched_course_goes_from_release_to_feedback(hub: Hub, tmp_path: Path) -> None:
    course, db_url = hub.course, f"sqlite:///{hub.course.folder / 'gradebook.db'}"
    assert read_class(course, course.lab("ps1")).score(hub.student) == 2
    with open_gradebook(db_url, "course101") as book:
        assert book.find_submission("ps1", hub.student).needs_manual_grade
        page = book.find_submission_notebook("problem1", "ps1", hub.student).id
    with jupyterlab(course.root, course.folder, tmp_path) as address, lab_page() as tab:
        tab.goto(f"{address}/formgrader/submissions/{page}/?index=0", wait_until="networkidle")
        expect(tab.locator("body")).to_contain_text("It is the sum of", timeout=PATIENCE)
        tab.locator("#sum_of_squares_equation-comment").fill(COMMENT)
        with tab.expect_response(re.compile("/formgrader/api/comment/")):
            tab.locator("#sum_of_squares_equation-comment").blur()
        tab.locator("#sum_of_squares_equation").fill("0.5")
        with tab.expect_response(re.compile("/formgrader/api/grade/")):
            tab.locator("#sum_of_squares_equation").blur()
        tab.goto(f"{address}/formgrader/manage_submissions/ps1")
        expect(tab.locator("td.score").first).to_contain_text("2.5", timeout=PATIENCE)
    assert read_class(course, course.lab("ps1")).score(hub.student) == 2.5
    feedback = ("GenerateFeedbackApp", "ps1", "--force")
    hub.nbgrader(course.folder, feedback, ("ReleaseFeedbackApp", "ps1"))
    hub.nbgrader(hub.base / "home", ("FetchFeedbackApp", "ps1"))
    (mine,) = (hub.work / "feedback").rglob("problem1.html")
    text = mine.read_text("utf-8")
    assert COMMENT in text and "2.5" in text and "BEGIN SOLUTION" not in text
