"""Examples out of a class that name nobody."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable

SHORTEST = 3
"""Names shorter than this would take out letters of ordinary words."""


def anonymous_code(code: str) -> str:
    """Return code without comments, docstrings and empty lines; empty if it does not parse.

    Comments and docstrings are where people sign.
    """
    try:
        tree = ast.parse(code)
        found = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return ""
    lines = code.split("\n")
    cuts = [(token.start, token.end, "") for token in found if token.type == tokenize.COMMENT]
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and is_text(node):
            end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
            cuts.append((_place(lines, node.lineno, node.col_offset), _place(lines, *end), "..."))
    for (row, start), (last, stop), instead in sorted(cuts, reverse=True):
        rest = lines[last - 1][stop:]
        lines[row - 1 : last] = [(lines[row - 1][:start] + instead + rest).rstrip()]
    return "\n".join(line for line in lines if line.strip())


def _place(lines: list[str], row: int, offset: int) -> tuple[int, int]:
    """Turn ast's column, in bytes, into one in characters."""
    return row, len(lines[row - 1].encode()[:offset].decode())


def is_text(node: ast.AST) -> bool:
    """Tell whether a statement is a bare string, as a docstring is."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def redact(text: str, names: Iterable[str]) -> str:
    """Put an ellipsis in place of a student's names and id."""
    words = sorted({name for name in names if len(name) >= SHORTEST}, key=len, reverse=True)
    if not words:
        return text
    pattern = "|".join(re.escape(word) for word in words)
    return re.sub(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", "…", text, flags=re.I)
