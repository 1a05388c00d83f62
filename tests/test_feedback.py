"""The feedback page: what it tells, that every door gives the same, and how it opens."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.converters import GenerateFeedback
from PIL import Image
from support import needs
from support.browsers import violations
from support.looking import act, eventually_js, expect, fits
from support.tinycourse import CHECKS, DOUBLE, MASTER, MEAN, hand_in, make_course, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.examine.pictures import Pictures
from proctor.record.gradebook import open_gradebook
from proctor.tell.code_colours import coloured
from proctor.tell.feedback import write_feedback
from proctor.tell.feedback_page import feedback_page
from proctor.tell.given_text import comment_html, given_html
from proctor.tell.what_to_mend import Fault, Told, plan
from proctor.verdict import CheckResult, ExerciseResult

SCRIPT = "<script>document.title='pwned'</script>"
MATHS = MASTER.replace("# # Two exercises\n", "# # Two exercises\n#\n# $$p_i = \\frac{1}{2}$$\n")
WRONG = DOUBLE.replace("2 * a", "3 * a") + "print('printed <b>by ada</b>')\n"
FAILS = f"def mean(a):\n    return [][1]  # {SCRIPT}\nmean(2)\n"


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of four: wrong, right, not started, and a file that is none; do not change it."""
    course = make_course(tmp_path_factory.mktemp("feedback"), master=MATHS)
    wrong = student(course, double=WRONG, mean=FAILS)
    wrong.cells.insert(2, new_code_cell(f"own = 41 + 1  # {SCRIPT}\nown"))
    hand_in(course, "ada", wrong)
    hand_in(course, "bob", student(course, double=DOUBLE, mean=MEAN))
    hand_in(course, "cyd", student(course))
    hand_in(course, "dan", b'{"cells": [')
    grade(course, course.lab("tiny"), course.folder / "submitted")
    return course


def path_of(course: Course, name: str) -> Path:
    return course.folder / "feedback" / name / "tiny" / "tiny.html"


def page_of(course: Course, name: str) -> BeautifulSoup:
    return BeautifulSoup(path_of(course, name).read_text("utf-8"), "html.parser")


def words(element: Any) -> str:
    return " ".join(element.get_text(" ").split())


def test_on_top_stands_the_score_and_what_to_mend_first(marked: Course) -> None:
    page = page_of(marked, "ada")
    assert words(page.find(class_="score")) == "0 of 10 points"
    first = page.find(id="first")
    assert words(first.h2) == "Mend this first Exercise 1, double: values"
    assert "It is not twice the input." in words(first) and "Next. Look." in words(first)
    assert first.find("a")["href"] == "#double"
    assert words(page_of(marked, "bob").find(id="first").h2) == "Everything passed"


def test_what_to_mend_first_shows_what_was_called_expected_and_got(marked: Course) -> None:
    first = page_of(marked, "ada").find(id="first")
    assert "Expected [2. -4.] Got [ 3. -6.]" in words(first.dl)
    then = first.find(class_="then")
    assert words(then) == "Then: Exercise 2, mean (4 points)."
    assert words(page_of(marked, "ada").find(id=then.a["href"][1:])).startswith("Exercise 2, mean")
    assert page_of(marked, "bob").find(class_="then") is None


def test_a_trifle_does_not_come_before_what_costs_much(tiny: Course) -> None:
    in_place = DOUBLE.replace("return 2 * a", "a *= 2\n    return a")
    hand_in(tiny, "ada", student(tiny, double=in_place, mean=FAILS))
    hand_in(tiny, "bob", student(tiny, double=in_place, mean=MEAN))
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    first = page_of(tiny, "ada").find(id="first")
    assert words(first.h2) == "Mend this first Exercise 2, mean: the mean"
    assert words(first.find(class_="then")) == "Then: Exercise 1, double (1 point)."
    assert "leaves its input alone" in words(page_of(tiny, "bob").find(id="first").h2)


def test_what_another_exercise_is_blamed_for_comes_after_that_one(tmp_path: Path) -> None:
    cause = "Exercise 1 is not right yet, and this builds on it."
    checks = CHECKS.replace("It is not the mean.", cause)
    assert cause in checks
    course = make_course(tmp_path / "tiny", checks=checks)
    in_place = DOUBLE.replace("return 2 * a", "a *= 2\n    return a")
    wrong = MEAN.replace("return", "return 1 +")
    hand_in(course, "ada", student(course, double=in_place, mean=wrong))
    grade(course, course.lab("tiny"), course.folder / "submitted")
    first = page_of(course, "ada").find(id="first")
    assert words(first.h2) == "Mend this first Exercise 1, double: leaves its input alone"
    assert words(first.find(class_="then")) == "Then: Exercise 2, mean (4 points)."


def test_what_others_blame_comes_before_them_in_what_is_next() -> None:
    def told(number: int, lost: float, cause: str) -> Told:
        check = CheckResult(f"c{number}", "it", False, False, 0, lost, cause=cause)
        title = f"Exercise {number}, it"
        of = ExerciseResult(f"e{number}", title, 10 - lost, 10, (check,))
        return Told(of, 10 - lost, False, (Fault((check,)),), "")

    found = plan(
        [told(1, 5, "No."), told(2, 1, "No."), told(3, 3, "Exercise 2 is not right yet."), told(4, 2, "No.")]
    )  # fmt: skip
    assert found["first"].name == "Exercise 1"
    assert [one.name for one in found["then"]] == ["Exercise 2", "Exercise 3", "Exercise 4"]


def test_each_exercise_tells_what_passed_what_did_not_and_why(marked: Course) -> None:
    double, mean = page_of(marked, "ada").find(class_="told").find_all("li", recursive=False)
    assert "0 of 6" in words(double) and "2 more checks were not asked" in words(double)
    assert "hidden check" in words(mean) and "IndexError" in words(mean)
    double, mean = page_of(marked, "bob").find(class_="told").find_all("li", recursive=False)
    assert "Passed: values; other inputs; leaves its input alone" in words(double)
    blank = words(page_of(marked, "cyd").find(class_="told"))
    assert blank.count("This exercise is not started") == 2


def test_every_link_leads_to_a_place_on_the_page(marked: Course) -> None:
    for name in ("ada", "bob", "cyd", "dan"):
        page = page_of(marked, name)
        links = [link["href"] for link in page.find_all("a")]
        assert all(link[0] == "#" and page.find(id=link[1:]) is not None for link in links)
        ids = [element["id"] for element in page.find_all(id=True)]
        assert len(ids) == len(set(ids))


def test_below_are_the_students_cells_their_outputs_and_the_checks_beside_them(
    marked: Course,
) -> None:
    group, other = page_of(marked, "ada").find_all("article")
    own, graded = group.find_all(class_="cell")
    assert "own = 41 + 1" in words(own) and words(own.find(class_="outputs")) == "42"
    assert "return 3 * a" in words(graded).replace("  ", " ")
    assert "printed <b>by ada</b>" in graded.get_text()
    checks = words(group.find(class_="checks"))
    assert "Expected [2. -4.] Got [ 3. -6.] Likely It is not twice the input." in checks
    assert "IndexError: list index out of range" in words(other.find(class_="error"))


def test_what_was_given_is_folded_and_its_mathematics_is_mathml(marked: Course) -> None:
    given = page_of(marked, "ada").find("details", class_="given")
    assert not given.has_attr("open")
    assert given.find("math").find("mfrac") is not None
    assert "import numpy as np" in given.get_text()


def test_a_page_tells_nothing_of_solutions_and_hidden_inputs(marked: Course) -> None:
    for name in ("ada", "cyd", "dan"):
        text = page_of(marked, name).get_text()
        assert "secret" not in text and "BEGIN SOLUTION" not in text and "a.sum()" not in text


def test_a_rejected_submission_gets_the_sentence_and_what_to_do(marked: Course) -> None:
    page = page_of(marked, "dan")
    assert words(page.find(id="first").h2) == "Your notebook could not be marked"
    assert "hand in that file" in words(page.find(id="first"))
    assert page.find(id="notebook") is None and page.find(id="exercises") is None


def test_a_page_is_one_file_that_loads_and_runs_nothing(marked: Course) -> None:
    for name in ("ada", "bob", "dan"):
        page = page_of(marked, name)
        assert page.find_all(["script", "link", "iframe", "object", "embed", "svg"]) == []
        assert not [one for one in page.find_all(src=True) if not one["src"].startswith("data:")]
        policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        assert policy.startswith("default-src 'none'")
    assert SCRIPT in page_of(marked, "ada").get_text()


def test_nbgraders_command_makes_the_same_page(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=WRONG, mean=MEAN))
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    ours = path_of(tiny, "ada").read_bytes()
    path_of(tiny, "ada").unlink()
    generate_feedback(tiny, "ada")
    assert path_of(tiny, "ada").read_bytes() == ours


def generate_feedback(course: Course, name: str) -> None:
    """Run `nbgrader generate_feedback` as its command does, with the course's configuration."""
    coursedir = course.coursedir("tiny", student_id=name)
    converter = GenerateFeedback(coursedir=coursedir, config=coursedir.config)
    converter.force = True
    converter.start()


def test_an_assignment_that_proctor_did_not_mark_keeps_nbgraders_page(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=WRONG, mean=MEAN))
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    path = tiny.folder / "autograded" / "ada" / "tiny" / "tiny.ipynb"
    notebook = json.loads(path.read_bytes())
    del notebook["metadata"]["proctor"]
    path.write_text(json.dumps(notebook))
    generate_feedback(tiny, "ada")
    assert "<h4>tiny (Score: 4.0 / 10.0)</h4>" in path_of(tiny, "ada").read_text("utf-8")


def test_a_persons_marks_and_comments_and_a_late_penalty_are_on_it(tiny: Course) -> None:
    hand_in(tiny, "ada", student(tiny, double=WRONG, mean=MEAN))
    hand_in(tiny, "bob", student(tiny, double=WRONG, mean=MEAN))
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    with open_gradebook(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
        given = book.find_grade("test_double", "tiny", "tiny", "ada")
        given.manual_score, given.needs_manual_grade = 2.5, False
        comment = book.find_comment("double", "tiny", "tiny", "ada")
        comment.manual_comment = f"The *idea* is right: $a_i$. {SCRIPT}"
        book.find_submission_notebook("tiny", "tiny", "ada").late_submission_penalty = 1.0
        book.db.commit()
    generate_feedback(tiny, "ada")
    page = page_of(tiny, "ada")
    assert words(page.find(class_="score")) == "5.5 of 10 points"
    assert "automatic marking gave 4" in words(page.header)
    assert "Late: 1 point less" in words(page.header)
    assert "Ada Lovelace (ada)" in words(page.header)
    double = page.find(class_="told").li
    assert "2.5 of 6" in words(double) and "given by a person" in words(double)
    assert len(page.find_all(class_="comment")) == 2
    assert page.find(class_="comment").find("em").text == "idea"
    assert page.find(class_="comment").find("math") is not None
    assert page.find("script") is None
    generate_feedback(tiny, "bob")
    other = page_of(tiny, "bob")
    assert other.find(class_="comment") is None and words(other.find(class_="score"))[0] == "4"
    by_command = path_of(tiny, "ada").read_bytes()
    write_feedback(tiny.coursedir("tiny"), ["ada"])
    assert path_of(tiny, "ada").read_bytes() == by_command


def test_a_page_costs_milliseconds(marked: Course) -> None:
    path = marked.folder / "autograded" / "ada" / "tiny" / "tiny.ipynb"
    notebook = json.loads(path.read_bytes())
    feedback_page(notebook, "ada")
    began = time.process_time()
    for number in range(50):
        notebook["cells"][2]["source"] = f"own = {number}"
        feedback_page(notebook, "ada")
    assert (time.process_time() - began) / 50 < 0.05


# --- What is on a page --------------------------------------------------------------------------


def test_code_is_coloured_and_stays_the_same_text() -> None:
    code = 'def f(a):  # x < y\n    """Doc & "quotes"."""\n    return f"{a}" + r\'\\\' + 0x1F\n'
    shown = coloured(code)
    assert BeautifulSoup(f"<pre>{shown}</pre>", "html.parser").get_text() == code
    assert '<i class="k">def</i> f(a):  <i class="c"># x &lt; y</i>' in shown
    assert '<i class="s">f"{a}"</i>' in shown and "define" in coloured("define")
    assert '<i class="k">' not in coloured("define = undefined")


@pytest.mark.parametrize(
    "code",
    ["'\"", "'''\n\"\"\"\n", "a.", "r'", "\\", "'\\", " \n", "'''\\", "0,", "# \n", '"""'],
)
def test_colouring_takes_time_in_proportion_to_the_text(code: str) -> None:
    text = (code * 100_000)[:100_000] + "\\"
    began = time.process_time()
    assert BeautifulSoup(f"<pre>{coloured(text)}</pre>", "html.parser").get_text() == text
    assert time.process_time() - began < 10


@pytest.mark.parametrize("tex", [r"\left( x", "{", "a_b_c", r"\begin{matrix} a"])
def test_mathematics_that_cannot_be_read_is_shown_as_it_was_written(tex: str) -> None:
    assert f"<code>{tex}</code>" in given_html(f"Here: ${tex}$.")


def test_a_comment_holds_no_html_of_its_own() -> None:
    assert "&lt;script&gt;" in comment_html(SCRIPT)
    assert "javascript:" not in comment_html("[x](javascript:alert(1))")


def png(width: int, height: int, noise: bool = True) -> str:
    draw = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 255, np.uint8)
    for number in range(400 if noise else 1):
        row = int(draw.integers(height - 2))
        pixels[row : row + 2, :, number % 3] = draw.integers(0, 255, width)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode()


def shown(data: str, pictures: Pictures | None = None) -> str:
    """What becomes of a PNG that a cell displayed."""
    output = NotebookNode(output_type="display_data", data=NotebookNode({"image/png": data}))
    (kept,) = (pictures or Pictures()).smaller([output])
    return str(kept.data["image/png"])


def test_a_large_figure_becomes_small_enough_for_a_page() -> None:
    figure = png(1600, 900)
    found = shown(figure)
    assert 0 < len(found) < len(figure) / 3
    assert Image.open(io.BytesIO(base64.b64decode(found))).size == (960, 540)
    small = png(40, 30, noise=False)
    assert shown(small) == small


def test_a_picture_that_claims_to_be_huge_or_is_none_is_not_decoded() -> None:
    raw = bytearray(base64.b64decode(png(1600, 900)))
    torn = bytes(raw[: len(raw) // 2])
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    for data in (bytes(raw), torn, b"\x89PNG\r\n\x1a\n" + bytes(40_000), bytes(40_000)):
        began = time.process_time()
        text = base64.b64encode(data).decode()
        assert shown(text) == text
        assert time.process_time() - began < 1


def test_the_pixels_that_are_decoded_for_one_submission_are_bounded() -> None:
    pictures, figure = Pictures(pixels=2_000_000), png(1600, 900)
    assert len(shown(figure, pictures)) < len(figure)
    assert shown(figure, pictures) == figure


def test_a_figure_of_a_students_reaches_the_page_and_one_that_is_too_large_a_note(
    tiny: Course,
) -> None:
    cells = [
        "import os\nimport numpy as np\nfrom IPython.display import Image, display\n"
        "from PIL import Image as Pillow\n"
        "rows = np.random.default_rng(0).integers(0, 255, (400, 1, 3), np.uint8)\n"
        "Pillow.fromarray(np.repeat(rows, 600, 1)).save('figure.png', compress_level=0)\n"
        "display(Image('figure.png'))",
        "display(Image(os.urandom(300_000), format='png'))  # called a picture, and none",
    ]
    notebook = student(tiny, double=DOUBLE, mean=MEAN)
    notebook.cells[2:2] = [new_code_cell(source) for source in cells]
    hand_in(tiny, "ada", notebook)
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    page = page_of(tiny, "ada")
    (figure,) = page.find_all("img")
    assert figure["src"].startswith("data:image/png;base64,") and len(figure["src"]) < 150_000
    assert figure["alt"]
    assert "A picture is left out" in page.get_text()


def test_many_outputs_are_shown_as_far_as_there_is_room(tiny: Course) -> None:
    loud = "for i in range(3): print('x' * 50_000)\n"
    notebook = student(tiny, double=DOUBLE, mean=MEAN)
    notebook.cells[2:2] = [new_code_cell(loud + f"print({number})") for number in range(30)]
    hand_in(tiny, "ada", notebook)
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    page = path_of(tiny, "ada")
    assert page.stat().st_size < 300_000
    text = page.read_text("utf-8")
    assert "characters are left out here" in text and "this page has no room for it" in text


# --- In a browser -------------------------------------------------------------------------------


@needs.axe
@pytest.mark.parametrize("name", ["ada", "bob", "cyd", "dan"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_is_accessible_and_fits(
    marked: Course, browser: Any, name: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    tab = context.new_page()
    tab.goto(path_of(marked, name).as_uri())
    act(tab, "document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    expect(tab.locator("h1")).to_have_text("Two exercises")
    fits(tab, width)
    assert violations(tab) == []
    context.close()


@needs.axe
def test_it_is_read_without_a_script_and_dark_where_asked(marked: Course, browser: Any) -> None:
    context = browser.new_context(color_scheme="dark", java_script_enabled=False)
    tab = context.new_page()
    tab.goto(path_of(marked, "ada").as_uri())
    expect(tab).to_have_title("Two exercises: feedback for ada")
    expect(tab.locator("body")).to_have_css("background-color", "rgb(21, 24, 27)")
    given = tab.locator(".given").first
    expect(given.locator("math").first).to_be_hidden()
    given.locator("summary").click()
    expect(given.locator("math").first).to_be_visible()
    context.close()


@needs.axe
def test_printed_it_is_light_and_leaves_out_what_was_given(marked: Course, browser: Any) -> None:
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto(path_of(marked, "ada").as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    expect(tab.locator("body")).to_have_css("color", "rgb(28, 30, 33)")
    expect(tab.locator(".given").first).to_be_hidden()
    expect(tab.get_by_text("Traceback").first).to_be_visible()
    expect(tab.locator(".cell").first).to_be_visible()
    eventually_js(tab, "getComputedStyle(document.querySelector('pre')).overflowX", "visible")
    context.close()


def test_the_titles_of_the_colours_are_those_of_the_style() -> None:
    """A class that the style does not know would be shown like plain text."""
    style = (Path(__file__).parents[1] / "proctor/tell/templates/feedback.css").read_text("utf-8")
    for kind in "csnk":
        assert re.search(rf"code \.{kind} {{", style)
