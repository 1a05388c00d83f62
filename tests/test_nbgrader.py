"""nbgrader as the system of record: its own commands give our scores."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook
from support.doors import command
from support.tinycourse import DOUBLE, MEAN, hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record import gradebook

IN_PLACE = DOUBLE.replace("return 2 * a", "a *= 2\n    return a")
SCRIPT = "<script>document.title='owned'</script>"


def nbgrader(course: Course, *words: str) -> str:
    """Run an nbgrader command in the course's folder and return what it said."""
    done = command(course.folder, "nbgrader", *words)
    return done.out + done.err


def scores(folder: Path) -> dict[str, float]:
    return dict(gradebook.scores(f"sqlite:///{folder / 'gradebook.db'}", "tiny", "tiny"))


@pytest.fixture
def handed_in(tiny: Course) -> Course:
    hand_in(tiny, "right", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "half", student(tiny, double=IN_PLACE))
    hand_in(tiny, "broken", b"<html>Please log in</html>")
    return tiny


def test_autograde_and_proctor_grade_give_the_same(handed_in: Course, tmp_path: Path) -> None:
    said = nbgrader(handed_in, "autograde", "tiny")
    ours = grade(handed_in, handed_in.lab("tiny"), handed_in.folder / "submitted", tmp_path)
    expected = {"broken": 0.0, "half": 5.0, "right": 10.0}
    assert scores(handed_in.folder) == expected, said
    assert scores(tmp_path) == expected
    assert {name: verdict.score for name, verdict in ours.verdicts.items()} == expected
    for name in expected:
        by_nbgrader = (handed_in.folder / "verdicts" / f"{name}.json").read_bytes()
        assert by_nbgrader == (tmp_path / "verdicts" / f"{name}.json").read_bytes()


def test_autograding_again_does_not_lose_a_manual_mark(handed_in: Course) -> None:
    nbgrader(handed_in, "autograde", "tiny", "--student", "half")
    db_url = f"sqlite:///{handed_in.folder / 'gradebook.db'}"
    with gradebook.open_gradebook(db_url, "tiny") as book:
        book.find_grade("test_mean", "tiny", "tiny", "half").manual_score = 4.0
        book.db.commit()
    nbgrader(handed_in, "autograde", "tiny", "--student", "half", "--force")
    assert scores(handed_in.folder)["half"] == 9.0


def test_feedback_shows_each_check_and_no_hidden_source(handed_in: Course) -> None:
    nbgrader(handed_in, "autograde", "tiny", "--student", "half")
    nbgrader(handed_in, "generate_feedback", "tiny", "--student", "half")
    page = (handed_in.folder / "feedback" / "half" / "tiny" / "tiny.html").read_text()
    page = BeautifulSoup(page, "html.parser").get_text()
    assert "It changes the array that it was given." in page
    assert re.search(r"other inputs\s+hidden", page)
    assert "draw.normal" not in page and "double_drawn" not in page
    assert "2 * a" not in page.replace("return 2 * a", ""), "a solution line leaked"


def test_no_script_of_a_student_reaches_the_page(tiny: Course) -> None:
    shows = (
        "from IPython.display import HTML, SVG, display\n"
        f'display(HTML("{SCRIPT}"))\n'
        f'display(SVG("<svg xmlns=\\"http://www.w3.org/2000/svg\\">{SCRIPT}</svg>"))\n'
        f'print("{SCRIPT}")\n' + DOUBLE
    )
    notebook = student(tiny, double=shows, mean=MEAN)
    notebook.cells[0].source = SCRIPT  # a markdown cell that the student changed
    hand_in(tiny, "s", notebook)
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    page = (tiny.folder / "feedback" / "s" / "tiny" / "tiny.html").read_text()
    assert SCRIPT not in page
    ran = json.loads((tiny.folder / "autograded" / "s" / "tiny" / "tiny.ipynb").read_text())
    kinds = {k for c in ran["cells"] for o in c.get("outputs", []) for k in o.get("data", {})}
    assert kinds <= {"text/plain", "image/png", "image/jpeg"}


def test_a_new_gradebook_is_what_nbgrader_makes(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.db", tmp_path / "theirs.db"
    gradebook.open_gradebook(f"sqlite:///{ours}", "tiny").close()
    Gradebook(f"sqlite:///{theirs}", "tiny").close()

    def held(path: Path) -> list[str]:
        with sqlite3.connect(path) as database:
            lines = sorted(database.iterdump())
        return [line for line in lines if not line.startswith("CREATE TABLE alembic_version")]

    assert held(ours) == held(theirs)
    assert any("alembic_version" in line for line in held(ours))
