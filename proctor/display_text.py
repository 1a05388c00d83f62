"""What a student wrote, in a form and a length that are fit to be shown to people.

A page costs its reader and its maker what is on it, so one submission's code is bounded, wherever it
is shown; what is left out is said to be. Characters that reorder the text around them are written as
escapes: nobody should read another program than the one that ran ("Trojan Source", N. Boucher and
R. Anderson, 2021).
"""

from __future__ import annotations

import re
from itertools import islice

MAX_CODE = 10_000
"""Longest code of one cell that is shown, in characters; a graded cell of the labs has some 1,500."""
MAX_LINES = 500
"""Most lines of one cell that are shown."""
MAX_WORDS = 4_000
"""Most words and signs of one cell that are shown: each is an element of its own on formgrader's page."""
MAX_ALL_CODE = 60_000
"""Most code of one submission's own cells that is shown, in characters: nbconvert, which makes
formgrader's pages, takes a tenth of a second for a thousand."""
_WORD = re.compile(r"\w+|[^\w\s]")
REORDERING = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""The embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9), as escapes."""


def escaped(text: str) -> str:
    """Return text with what reorders it written as escapes."""
    return text if text.isascii() else text.translate(REORDERING)


class Code:
    """The code of one submission on its way to be shown: what it has room for."""

    def __init__(self, room: int = MAX_ALL_CODE) -> None:
        self.room = room

    def take(self, source: str) -> str:
        """Return the part of a cell's code that is shown, with a note where the rest was cut."""
        end = min(MAX_CODE, self.room)
        kept = source[:end]
        if kept.count("\n") >= MAX_LINES:
            kept = "\n".join(kept.split("\n", MAX_LINES)[:MAX_LINES])
        beyond = next(islice(_WORD.finditer(kept), MAX_WORDS, None), None)
        if beyond is not None:
            kept = kept[: beyond.start()]
        self.room -= len(kept)
        cut = len(source) - len(kept)
        shown = escaped(kept)
        if not cut:
            return shown
        note = f"# [Cut here: {cut:,} more characters are in the notebook that was handed in.]"
        return f"{shown.rstrip()}\n{note}".lstrip("\n")
