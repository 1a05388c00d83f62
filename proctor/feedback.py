"""Feedback pages, made by nbgrader's own converter from the autograded notebooks.

One converter serves the whole class: its templates are compiled once, and what every notebook shares
(the given cells' text and code) is rendered once.
"""

from __future__ import annotations

import html
import logging
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.writers import FilesWriter
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from proctor.errors import CourseError

NO_ALT = "No description has been provided for this image"
"""What nbconvert calls an image without a description."""
STYLE = "<style>td, th { padding: 0.15em 0.7em } .anchor-link { visibility: hidden }</style>"
"""What nbgrader's page lacks: room between the columns of a table; links at headings out of sight."""
KEPT_CELLS = 1_000
_IMAGE = re.compile(r"<img\b(?![^>]*\salt=)([^>]*?)(\s*/?)>")


class PageExporter(HTMLExporter):  # type: ignore[misc]
    """nbconvert's exporter without its last pass; what it makes of a cell is kept between pages.

    That pass parses the whole page with BeautifulSoup to describe images, which takes half of the
    time; here they are described in the text. Apart from the exercises' titles and a style, the page
    is the same document: parsed and written by BeautifulSoup, it is nbgrader's byte for byte.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.optimistic_validation = True  # once a page, not after each of its preprocessors
        self.highlight = lru_cache(KEPT_CELLS)(self._highlight)
        self.rendered: dict[str, Any] = {}

    @pass_context
    def markdown2html(self, context: Context, source: str) -> Any:
        """Convert Markdown; most of it is the instructor's, the same on every page."""
        if self.embed_images or context.get("cell", {}).get("attachments"):
            return super().markdown2html(context, source)
        if source not in self.rendered:
            if len(self.rendered) >= KEPT_CELLS:
                self.rendered.clear()
            self.rendered[source] = super().markdown2html(context, source)
        return self.rendered[source]

    def _highlight(self, lexer: str, source: str, language: str | None) -> Any:
        return Highlight2HTML(pygments_lexer=lexer, parent=self)(source, language)

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert a notebook into a page; its contents name the exercises, not "Test cell"s."""
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name", None))
        resources = self._init_resources(resources)
        self.register_filter(
            "highlight_code",
            lambda source, language=None, metadata=None: self.highlight(lexer, source, language),
        )
        self.register_filter(
            "filter_data_type",
            WidgetsDataTypeFilter(self._nb_metadata, parent=self, resources=resources),
        )
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **options)
        for cell in nb.cells:
            if "title" in cell.metadata:
                link = f'<a href="#{html.escape(str(cell.metadata.nbgrader.grade_id))}">'
                title = html.escape(str(cell.metadata.title))
                page = page.replace(f"{link}Test cell</a>", f"{link}{title}</a>", 1)
        page = page.replace("</head>", f"{STYLE}</head>", 1)
        return _IMAGE.sub(rf'<img\1 alt="{NO_ALT}"\2>', page), resources


def write_feedback(
    coursedir: CourseDirectory,
    students: Iterable[str],
    done: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write ``feedback/STUDENT/LAB/LAB.html`` for each student and return the paths.

    Raises
    ------
    CourseError
        If nbgrader cannot make a page; its own words are in the message.
    """
    lab = coursedir.assignment_id
    pages = []
    converter = _Converter(coursedir=coursedir, config=coursedir.config)
    for student in students:
        coursedir.student_id = student
        try:
            converter.start()
        except Exception as error:
            why = converter.words.last or str(error)
            raise CourseError(
                f"The feedback page of {student} could not be made: {why}. What was marked is kept; mend "
                "that and give the same command again."
            ) from error
        folder = coursedir.format_path(coursedir.feedback_directory, student, lab)
        pages.append(Path(folder) / f"{lab}.html")
        done(student)
    return pages


class _LastWords(logging.Handler):
    """Keeps what an error said: nbgrader writes its traceback to the log and raises another one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        if lines and lines[0].startswith("Traceback"):
            self.last = lines[-1]


class _Converter(GenerateFeedback):  # type: ignore[misc]
    """nbgrader's converter, with an exporter that lasts for many pages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        quiet = logging.Logger("feedback")  # we say ourselves what was made
        self.words = _LastWords()
        quiet.addHandler(self.words)
        self.force, self.log = True, quiet
        self.exporter = PageExporter(parent=self, config=self.config)
        for preprocessor in self.preprocessors:
            self.exporter.register_preprocessor(preprocessor)

    def start(self) -> None:
        """Make the pages of the students that the course folder is set to."""
        self.init_notebooks()
        self.writer = FilesWriter(parent=self, config=self.config)
        here = os.getcwd()
        os.chdir(self.coursedir.root)  # as nbgrader does: relative paths are meant from there
        try:
            self.convert_notebooks()
        finally:
            os.chdir(here)
