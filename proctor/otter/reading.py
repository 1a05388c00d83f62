"""An otter-assign notebook becomes one of nbgrader's: questions, solutions and tests as graded cells.

The format is what ``otter assign`` reads (`otter-grader <https://otter-grader.readthedocs.io>`_, "Notebook
Format"): raw cells, or Markdown cells fenced as ``otter``, that begin and end questions, prompts,
solutions and tests. A test case becomes a test cell: an assertion of what the notebook shows under it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import yaml
from nbformat import NotebookNode

from proctor.errors import CourseError
from proctor.otter.cells import Case, Question, answers, test_cell
from proctor.otter.text import TextError, exception_test, output_of, shown_test, without_ignored

_MARK = re.compile(r"#\s*(BEGIN|END)\s+(QUESTION|PROMPT|SOLUTION|TESTS)\b", re.I)
_CONFIG = re.compile(r"#\s*ASSIGNMENT\s+CONFIG\b", re.I)
_FENCED = re.compile(r"\A```otter[ \t]*\n(.*?)\n?```\s*\Z", re.S)
_TEST_CONFIG = re.compile(
    r"\A(?:\w+\s*=\s*)?(\"\"\"|''')\s*#\s*BEGIN\s+TEST\s+CONFIG[^\n]*\n(.*?)\1\s*;?\s*#\s*END\s+TEST\s+CONFIG"
    r"[^\n]*\n?",
    re.S | re.I,
)


def is_otter(node: NotebookNode) -> bool:
    """Whether a notebook is written for ``otter assign``."""
    return any(_boundary(cell) is not None for cell in node.cells)


def translated(node: NotebookNode, where: str) -> NotebookNode:
    """Return an otter-assign notebook as nbgrader's source notebook.

    Parameters
    ----------
    node : NotebookNode
        In format 4, with the outputs that it was saved with.
    where : str
        What errors call it.

    Raises
    ------
    CourseError
        If it breaks the format, or a test has no output to compare with.
    """
    made = copy.deepcopy(node)
    reading = _Reading(where)
    for number, cell in enumerate(node.cells, 1):
        reading.cell(number, cell)
    made.cells = reading.finished()
    made.nbformat, made.nbformat_minor = 4, 5
    return made


def _boundary(cell: NotebookNode) -> str | None:
    """Text of a cell that begins or ends something; None if it is another."""
    text = str(cell.source).strip()
    if cell.cell_type == "markdown":
        fenced = _FENCED.match(text)
        text = fenced[1].strip() if fenced else ""
    elif cell.cell_type != "raw":
        return None
    return text if _MARK.match(text) or _CONFIG.match(text) else None


class _Reading:
    """Takes the cells one by one; keeps what has begun and not ended."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.made: list[NotebookNode] = []
        self.ok_format = True
        self.question: Question | None = None
        self.block = ""
        self.names: set[str] = set()

    def error(self, number: int, what: str) -> CourseError:
        return CourseError(f"{self.where}, cell {number}: {what}")

    def cell(self, number: int, cell: NotebookNode) -> None:
        """Take a cell."""
        text = _boundary(cell)
        if text is None:
            self.content(number, copy.deepcopy(cell))
        elif _CONFIG.match(text):
            tests = self.settings(number, text).get("tests")
            if isinstance(tests, dict) and tests.get("ok_format") is False:
                self.ok_format = False
        else:
            mark = _MARK.match(text)
            assert mark is not None
            self.mark(number, mark[1].upper(), mark[2].upper(), text)

    def settings(self, number: int, text: str) -> dict[str, Any]:
        """Read the YAML of a cell; its first line is a comment."""
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            told = " ".join(str(error).split())[:200]
            raise self.error(number, f"its settings are no YAML: {told}") from error
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self.error(number, "its settings must be lines of the form 'name: value'.")
        return found

    def mark(self, number: int, side: str, what: str, text: str) -> None:
        """Begin or end something."""
        if what == "QUESTION" and side == "BEGIN":
            if self.question is not None:
                raise self.error(
                    number,
                    f"a question begins within the question '{self.question.name}'. Put a raw cell "
                    "`# END QUESTION` before it.",
                )
            self.begin_question(number, self.settings(number, text))
        elif self.question is None:
            raise self.error(number, f"`# {side} {what}` stands outside of a question.")
        elif side == "BEGIN":
            if self.block:
                raise self.error(number, f"{what} begins before `# END {self.block}`.")
            self.block = what
        elif what == "QUESTION":
            if self.block:
                raise self.error(number, f"the question ends before `# END {self.block}`.")
            self.end_question(self.question)
            self.question = None
        elif self.block != what:
            raise self.error(number, f"`# END {what}` without `# BEGIN {what}`.")
        else:
            self.block = ""

    def begin_question(self, number: int, settings: dict[str, Any]) -> None:
        name = re.sub(r"[^\w-]+", "-", str(settings.get("name") or "")).strip("-")
        if not name:
            raise self.error(number, "the question has no name. Add a line `name: q1`.")
        if name in self.names:
            raise self.error(
                number, f"there is another question '{name}'. Change one of the names."
            )
        self.names.add(name)
        self.question = Question(name, number, settings)

    def content(self, number: int, cell: NotebookNode) -> None:
        """Take a cell that begins and ends nothing."""
        if cell.cell_type == "code":
            try:
                cell.source = without_ignored(cell.source)
            except TextError as error:
                raise self.error(number, str(error)) from error
        if self.question is None or not self.block:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            self.made.append(cell)
        elif self.block == "TESTS":
            if cell.cell_type == "code" and cell.source.strip():
                self.question.cases.append(self.case(number, cell))
        else:
            kept = self.question.prompt if self.block == "PROMPT" else self.question.answers
            kept.append(cell)

    def case(self, number: int, cell: NotebookNode) -> Case:
        source, settings = str(cell.source), dict[str, Any]()
        if found := _TEST_CONFIG.match(source):
            settings, source = self.settings(number, found[2]), source[found.end() :]
        first = source.lstrip().partition("\n")[0]
        hidden = first.startswith("#") and re.search(r"\bhidden\b", first, re.I) is not None
        if hidden:
            source = source.lstrip().partition("\n")[2]
        points = settings.get("points")
        if points is not None and (isinstance(points, bool) or not isinstance(points, int | float)):
            raise self.error(number, f"the points of a test are a number, not {points!r}.")
        return Case(
            source.strip("\n"),
            output_of(cell),
            cell.execution_count is not None or bool(cell.outputs),
            number,
            bool(settings.get("hidden", hidden)),
            points,
            str(settings.get("failure_message") or ""),
        )

    def end_question(self, question: Question) -> None:
        """Write a question's cells: the answers, then the tests."""
        try:
            own = list(answers(question))
        except TextError as error:
            raise self.error(question.number, f"question '{question.name}': {error}") from error
        tests = list(self.tests(question))
        self.made += own + tests

    def tests(self, question: Question) -> Iterator[NotebookNode]:
        """Write a question's test cells: one a test case, or one for all or nothing."""
        cases = self.pointed(question)
        if question.settings.get("all_or_nothing") is True and cases:
            cases.sort(key=lambda case: case.hidden)
            body = "\n".join(self.text(question, case) for case in cases)
            points = round(sum(case.points or 0.0 for case in cases), 6)
            yield test_cell(f"{question.name}-test", f"# {question.name}\n{body}", points)
            return
        for place, case in enumerate(cases, 1):
            id = f"{question.name}-test-{place}"
            head = f"# {question.name}: test {place} of {len(cases)}\n"
            yield test_cell(id, head + self.text(question, case), case.points or 0.0)

    def text(self, question: Question, case: Case) -> str:
        """Return a test case as code that raises unless it passes."""
        try:
            if self.ok_format:
                body = shown_test(case.source, case.output, case.failure, ran=case.ran)
            else:
                body = exception_test(case.source, case.failure)
        except (TextError, SyntaxError) as error:
            told = error if isinstance(error, TextError) else f"it is no Python: {error.msg}."
            raise self.error(
                case.number, f"a test of question '{question.name}': {told}"
            ) from error
        return f"### BEGIN HIDDEN TESTS\n{body}\n### END HIDDEN TESTS" if case.hidden else body

    def pointed(self, question: Question) -> list[Case]:
        """Give each test case its points, as otter does."""
        cases, total = question.cases, question.settings.get("points")
        number = question.number
        if isinstance(total, dict):
            total = total.get("each", 1) * len(cases)
        if isinstance(total, list):
            if len(total) != len(cases):
                raise self.error(
                    number,
                    f"question '{question.name}' has {len(total)} points for {len(cases)} tests.",
                )
            for case, points in zip(cases, total, strict=True):
                case.points = points
            total = None
        if total is not None and (isinstance(total, bool) or not isinstance(total, int | float)):
            raise self.error(
                number, f"the points of '{question.name}' are not a number: {total!r}."
            )
        known = sum(case.points or 0.0 for case in cases)
        open_ = [case for case in cases if case.points is None]
        if total is not None and known > total:
            raise self.error(
                number,
                f"the tests of '{question.name}' are worth {known:g} points, the question {total:g}.",
            )
        if total is None:
            total = known or (1.0 if open_ else 0.0)
        for case in open_:
            case.points = (total - known) / len(open_)
        return cases

    def finished(self) -> list[NotebookNode]:
        """Return all cells, each with an id."""
        if self.question is not None:
            raise self.error(
                self.question.number,
                f"the question '{self.question.name}' does not end. Add a raw cell `# END QUESTION`.",
            )
        for number, cell in enumerate(self.made):
            marks = cell.metadata.get("nbgrader", {})
            cell["id"] = str(marks.get("grade_id") or f"cell-{number}")[:64]
        return self.made
