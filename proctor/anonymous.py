"""Examples out of a class that name nobody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

SHORTEST = 3
"""Names shorter than this would take out letters of ordinary words."""


def anonymous_code(code: str) -> str:
    """Return code without comments and docstrings, where people sign; empty if it does not parse."""
    try:
        tree = ast.parse(code)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                kept = [one for one in body if not is_text(one)]
                if not kept and not isinstance(node, ast.Module):
                    kept = [ast.Pass()]
                node.body = kept  # type: ignore[attr-defined]
        return ast.unparse(ast.fix_missing_locations(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


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
