"""What a person marks in a lab of ours: code, an answer in words, a task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from support.doors import proctor
from support.tinycourse import CHECKS, DOUBLE, MASTER, MEAN, hand_in, make_course

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.errors import CourseError, MasterError
from proctor.record.gradebook import open_gradebook

MORE = """
# %% graded="plot" points=3 by="person"
# UNQ_T3
### START CODE HERE ###
### BEGIN SOLUTION
picture = "a plot of the instructor's"
### END SOLUTION
### END CODE HERE ###

# %% [markdown]
# Why is the mean of nothing not a number?

# %% [markdown] written="why" points=4
# The model answer: there is nothing to divide by.

# %% [markdown] task="poster" points=2
# Make a poster, in cells of your own below.
"""
LAB = """
lab.exercise("plot", "Exercise 3, a plot", points=3, by="person")
lab.exercise(
    "why", "Exercise 4, why", points=4, by="person", rubric={"names the division": 3, "is clear": 1}
)
lab.exercise("poster", "Exercise 5, a poster", points=2, by="person")
"""
ANSWER = "Since 0 is what one would divide by."


def answered(course: Course, **answers: str) -> nbformat.NotebookNode:
    notebook = nbformat.read(course.root / "tiny.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    root = tmp_path_factory.mktemp("person")
    made = make_course(root, master=MASTER + MORE, checks=CHECKS + LAB)
    whole = {"double": DOUBLE, "mean": MEAN, "plot": "# UNQ_T3\npicture = 'mine'", "why": ANSWER}
    ada = answered(made, **whole)
    ada.cells.append(nbformat.v4.new_markdown_cell("# My poster"))
    hand_in(made, "ada", ada)
    hand_in(made, "ben", answered(made, double=DOUBLE))
    stripped = json.loads(nbformat.writes(answered(made, **whole)))
    for cell in stripped["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    hand_in(made, "cleo", json.dumps({**stripped, "nbformat_minor": 4}).encode())
    hand_in(made, "dan", b"no notebook")
    grade(made, made.lab("tiny"), made.folder / "submitted")
    yield made


def results(course: Course, student: str) -> dict[str, dict[str, object]]:
    verdict = json.loads((course.folder / "verdicts" / f"{student}.json").read_text())
    return {one["id"]: one for one in verdict["exercises"]}


def marked(course: Course, student: str) -> nbformat.NotebookNode:
    path = course.folder / "autograded" / student / "tiny" / "tiny.ipynb"
    return nbformat.read(path, as_version=4)


def book(course: Course) -> Gradebook:
    return open_gradebook(f"sqlite:///{course.folder}/gradebook.db", "tiny")


def test_a_student_gets_neither_the_answer_nor_the_rubric(course: Course) -> None:
    for path in (course.root / "tiny.ipynb", course.folder / "release/tiny/tiny.ipynb"):
        text = path.read_text()
        assert "model answer" not in text and "instructor's" not in text
        assert "names the division" not in text
        assert "YOUR ANSWER HERE" in text and "Make a poster" in text


def test_an_answer_waits_for_a_person_and_a_blank_one_does_not(course: Course) -> None:
    ada, ben = results(course, "ada"), results(course, "ben")
    assert {id: ada[id]["waiting"] for id in ("plot", "why", "poster")} == dict.fromkeys(
        ("plot", "why", "poster"), True
    )
    assert [ben[id]["waiting"] for id in ("plot", "why", "poster")] == [False, False, True]
    assert ada["double"]["score"] == 6 and ada["why"]["score"] == 0
    assert ada["why"]["max_score"] == 4 and ada["why"]["by"] == "person"


def test_whoever_lost_the_ids_waits_for_a_person_with_what_they_wrote(course: Course) -> None:
    assert results(course, "cleo")["why"]["waiting"] is True
    assert results(course, "cleo")["plot"]["waiting"] is True
    assert any(ANSWER in cell.source for cell in marked(course, "cleo").cells)


def test_formgrader_shows_rubric_answer_and_the_students_own_text(course: Course) -> None:
    cells = marked(course, "ada").cells
    place = next(i for i, cell in enumerate(cells) if cell.id == "why")
    assert cells[place].source == ANSWER
    assert "names the division: 3" in cells[place - 1].source
    assert "# My poster" in [cell.source for cell in cells]
    assert "model answer" not in str(cells) and "instructor's" not in str(cells)
    assert "model answer" not in str(marked(course, "dan").cells)


def test_a_students_page_shows_the_answer_and_no_rubric(course: Course) -> None:
    page = (course.folder / "feedback/ada/tiny/tiny.html").read_text()
    assert ANSWER in page and "A person marks this" in page and "still marked by a person" in page
    assert "9 points wait for a person and are not in it yet." in page
    assert '–<span class="of"> of 4</span>' in page
    assert "names the division" not in page and "no student sees" not in page


def test_a_persons_mark_and_comment_stay_and_reach_the_page(course: Course) -> None:
    with book(course) as gradebook:
        grade_ = gradebook.find_grade("why", "tiny", "tiny", "ada")
        assert (grade_.auto_score, grade_.max_score, grade_.needs_manual_grade) == (None, 4, True)
        blank = gradebook.find_grade("why", "tiny", "tiny", "ben")
        assert (blank.auto_score, blank.needs_manual_grade) == (0, False)
        grade_.manual_score, grade_.needs_manual_grade = 3, False
        gradebook.find_comment("why", "tiny", "tiny", "ada").manual_comment = "Nearly."
        gradebook.db.commit()
    grade(course, course.lab("tiny"), course.folder / "submitted", student="ada")
    with book(course) as gradebook:
        assert gradebook.find_submission("tiny", "ada").score == 13
    page = (course.folder / "feedback/ada/tiny/tiny.html").read_text()
    assert "Nearly." in page and "<strong>13</strong> of 19" in page
    assert proctor(course, "export", "tiny", "--to", "text", "-o", "mail").code == 0
    text = (course.root / "mail/ada/tiny/tiny.txt").read_text()
    assert text.count("Nearly.") == 1
    assert "given by a person\n  A comment from your instructor: Nearly.\n" in text


def test_every_way_out_says_that_a_person_marks(course: Course) -> None:
    seen = proctor(course, "check", "course/submitted/ada/tiny/tiny.ipynb", "--lab", "tiny")
    assert "Exercise 4, why: a person marks this (4 points)" in seen.out
    assert "tiny: 10 of 19 points; 9 wait for a person" in seen.out
    assert proctor(course, "export", "tiny", "--to", "text", "-o", "texts").code == 0
    assert "there is no answer" in (course.root / "texts/ben/tiny/tiny.txt").read_text()
    assert proctor(course, "report", "tiny").code == 0
    assert "A person marks this" in (course.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("master", "checks", "said"),
    [
        (('written="why" points=4', 'written="why"'), ("", ""), "written cell 'why' has no points"),
        (("points=4", "points=5"), ("", ""), "5 points here, 4 in course/checks"),
        ((' by="person"', ""), ("", ""), "checks mark the exercise 'plot' here, and a person"),
        (('task="poster"', 'task="flyer"'), ("", ""), "'flyer' is not in course/checks"),
        (('# %% [markdown] task', '# %% test="why"\n1\n\n# %% [markdown] task'), ("", ""), "no test cell"),
        (("", ""), ('"is clear": 1', '"is clear": 2'), "rubric of exercise 'why' adds up to 5 points"),
        (("", ""), ('by="person")\nlab.exercise(\n', 'by="tutor")\nlab.exercise(\n'), "is marked by 'tutor'"),
        (("", ""), ('points=2, by="person")', 'points=2, rubric={"x": 2})'), "has a rubric and no by"),
    ],
)  # fmt: skip
def test_what_is_said_twice_has_to_agree(
    tmp_path: Path, master: tuple[str, str], checks: tuple[str, str], said: str
) -> None:
    changed = MASTER + MORE.replace(*master) if master[0] else MASTER + MORE
    lab = LAB.replace(*checks) if checks[0] else LAB
    with pytest.raises((MasterError, CourseError), match=said):
        make_course(tmp_path, master=changed, checks=CHECKS + lab)
