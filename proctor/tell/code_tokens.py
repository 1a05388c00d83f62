"""Python code as tokens without what is the writer's own: names, comments, docstrings, layout."""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from dataclasses import dataclass

from proctor.tell.anonymous import is_text

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_WORDS = re.compile(r"\w+|[^\w\s]")
_KNOWN = frozenset(keyword.kwlist) | frozenset(dir(builtins))


@dataclass(frozen=True)
class Token:
    """A token without what is the writer's own, and the line it stands on (from 0)."""

    text: str
    line: int


def tokens(code: str, names: frozenset[str] = frozenset()) -> list[Token]:
    """Return code as tokens: no comments, docstrings or layout, and one sign for every own name.

    Keywords, builtins, attributes (``.mean``) and `names` stay. Code that Python cannot read is
    split into words instead.
    """
    skip = _docstrings(code)
    try:
        raw = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):  # ValueError: text it cannot decode
        return [
            Token(_name(word, "", names), number)
            for number, line in enumerate(code.split("\n"))
            for word in _WORDS.findall(line.partition("#")[0])
        ]
    found: list[Token] = []
    before = ""
    for token in raw:
        line = token.start[0] - 1
        if token.type in _LAYOUT or token.type == tokenize.ENDMARKER or line in skip:
            continue
        text = _name(token.string, before, names)
        if token.type == tokenize.STRING:
            text = "''"
        found.append(Token(text, line))
        before = token.string
    return found


def _name(text: str, before: str, names: frozenset[str]) -> str:
    own = text.isidentifier() and before != "." and text not in _KNOWN and text not in names
    return "name" if own else text


def _docstrings(code: str) -> set[int]:
    """Return the lines (from 0) that docstrings take."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    lines: set[int] = set()
    for node in (one for one in ast.walk(tree) if isinstance(one, ast.stmt)):
        if is_text(node):
            lines |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
    return lines
