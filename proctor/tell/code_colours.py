"""Python code as HTML, with comments, strings, keywords and numbers told apart.

Pygments does more and does it well, but a submission may be anything, and its Python lexers take time
in the square of what some code is long (IPython's took a minute for 40,000 blank lines). Here every
alternative of one expression ends what it began, whatever follows, and gives nothing back, so that
the time goes with the text's length.
"""

from __future__ import annotations

import html
import keyword
import re
from functools import lru_cache

KEPT = 2_000
"""Cells that are kept: what is given is the same on every page of a class."""

_TOKEN = re.compile(
    rf"""
    (?P<c>\#[^\n]*+)
    |(?P<s>(?:\b[rRbBuUfF]{{1,2}}(?=['"]))?+
        (?:'''(?:[^'\\]|\\(?:.|\Z)|'(?!''))*+(?:'''|\Z)
        |\"\"\"(?:[^"\\]|\\(?:.|\Z)|"(?!""))*+(?:\"\"\"|\Z)
        |'(?:[^'\\\n]|\\(?:.|\Z))*+'?
        |"(?:[^"\\\n]|\\(?:.|\Z))*+"?))
    |(?P<k>\b(?:{"|".join(sorted(keyword.kwlist))})\b)
    |(?P<n>\b\d[\w.]*+)
    |\w++
    """,
    re.VERBOSE | re.DOTALL,
)


@lru_cache(KEPT)
def coloured(code: str) -> str:
    """Return code as HTML: in elements ``i``, of class c a comment, s a string, k a keyword, n a number."""
    parts = []
    end = 0
    for match in _TOKEN.finditer(code):
        if match.lastgroup is not None:
            plain = html.escape(code[end : match.start()], quote=False)
            token = html.escape(match[0], quote=False)
            parts.append(f'{plain}<i class="{match.lastgroup}">{token}</i>')
            end = match.end()
    return "".join(parts) + html.escape(code[end:], quote=False)
