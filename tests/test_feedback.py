"""Our feedback pages against those of `nbgrader generate_feedback`."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from nbgrader.converters import GenerateFeedback
from tinycourse import DOUBLE, hand_in, student

from proctor.course import Course
from proctor.feedback import STYLE
from proctor.grade import grade

FIGURE = DOUBLE + (
    "\nfrom IPython.display import Image, display\n"
    "display(Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(64), format='png'))\n"
    "print('<img src=x> & <b>text</b>')\n"
)


def test_a_page_is_the_document_that_nbgrader_makes(tiny: Course) -> None:
    """nbgrader's is written by BeautifulSoup: so is ours before the comparison, and nothing else."""
    hand_in(tiny, "plain", student(tiny, double=DOUBLE))
    hand_in(
        tiny, "s", student(tiny, double=FIGURE, mean="x = '<img>'  # <script>alert(1)</script>")
    )
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    for name in ("plain", "s"):
        page = tiny.folder / "feedback" / name / "tiny" / "tiny.html"
        ours = page.read_text("utf-8")
        coursedir = tiny.coursedir("tiny", student_id=name)
        converter = GenerateFeedback(coursedir=coursedir, config=coursedir.config)
        converter.force = True
        converter.start()
        theirs = page.read_text("utf-8")
        assert '<a href="#test_double">Exercise 1, double</a>' in ours
        assert ours.count(STYLE) == 1
        ours = ours.replace(STYLE, "")
        plainly = re.sub(r'(<a href="#test_\w+">)[^<]+</a>', r"\1Test cell</a>", ours)
        assert str(BeautifulSoup(plainly, "html.parser")) == theirs
    assert "No description has been provided for this image" in theirs
    assert "<script>alert(1)" not in ours
