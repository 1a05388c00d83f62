"""The assertions of a test cell, one by one: how a cell that is judged outside becomes several checks."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass

HIDDEN = "a hidden test"


@dataclass(frozen=True)
class Assertion:
    """One assertion of a test cell, as an author tells it: see ``course/checks/NAME.py`` of a conversion.

    Attributes
    ----------
    text : str
        Its first line, as it stands in the cell.
    points : float
        What it earns.
    title : str
        What a student reads of it.
    cause, next : str
        The likely cause if it does not hold, and what to do next; the assertion's own words if empty.
    """

    text: str
    points: float
    title: str
    cause: str = ""
    next: str = ""


def asserts(node: ast.stmt) -> bool:
    """Whether a statement at the top of a test cell is an assertion, or holds one and runs it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    if isinstance(node, ast.Assert | ast.Raise):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name.startswith("assert")
    for part in ast.iter_child_nodes(node):
        inner = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else [part]
        if any(isinstance(one, ast.stmt) and asserts(one) for one in inner):
            return True
    return False


def found(source: str) -> list[tuple[str, str]]:
    """List a cell's assertions: each with its first line, and a title.

    The title is the comment right above it, or else the line, if that is all of it; of what is hidden
    it says no more than that.

    Raises
    ------
    SyntaxError
        If the cell is no Python.
    """
    lines = source.splitlines()
    comments, hidden = _comments(source), hidden_lines(source)
    listed = []
    for node in ast.parse(source).body:
        if asserts(node):
            text = lines[node.lineno - 1].strip()
            whole = text if node.lineno == node.end_lineno else ""
            title = comments.get(node.lineno - 1, "") or whole
            listed.append((text, HIDDEN if node.lineno in hidden else title))
    return listed


def hidden_lines(source: str) -> set[int]:
    """Lines of a test cell, from 1, that its students do not receive."""
    found: set[int] = set()
    inside = False
    for number, line in enumerate(source.splitlines(), 1):
        if "BEGIN HIDDEN TESTS" in line:
            inside = True
        if inside:
            found.add(number)
        if "END HIDDEN TESTS" in line:
            inside = False
    return found


def gives_value(source: str) -> bool:
    """Whether the cell's last statement is a value, which may be partial credit."""
    body = ast.parse(source).body
    return bool(body) and isinstance(body[-1], ast.Expr) and not asserts(body[-1])


def _comments(source: str) -> dict[int, str]:
    """Return the comments that stand on a line of their own, by line."""
    said = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
            text = token.string.lstrip("# ").strip()
            said[token.start[0]] = "" if "HIDDEN TESTS" in text else text
    return said
