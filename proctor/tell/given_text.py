"""Markdown as HTML, with mathematics as MathML: a page needs neither a network nor a script for it.

What is given comes from the instructor and may hold HTML (hints that fold). Headings become bold
lines: on a page they stand inside a folded part and would tear its outline.
"""

from __future__ import annotations

import html
from functools import lru_cache
from typing import Any

import mistune
from latex2mathml import converter, exceptions

KEPT = 2_000
"""Texts that are kept, the same on every page of a class."""
PLUGINS = ["table", "strikethrough", "math"]
UNREADABLE = (
    exceptions.DenominatorNotFoundError,
    exceptions.DoubleSubscriptsError,
    exceptions.DoubleSuperscriptsError,
    exceptions.ExtraLeftOrMissingRightError,
    exceptions.InvalidAlignmentError,
    exceptions.InvalidStyleForGenfracError,
    exceptions.InvalidWidthError,
    exceptions.LimitsMustFollowMathOperatorError,
    exceptions.MissingEndError,
    exceptions.MissingSuperScriptOrSubscriptError,
    exceptions.NoAvailableTokensError,
    exceptions.NumeratorNotFoundError,
    IndexError,
    KeyError,
    ValueError,
)
"""What the converter raises for TeX that it cannot read."""


def mathml(tex: str, *, block: bool = False) -> str:
    """Return TeX as MathML; what cannot be read is shown as it was written."""
    try:
        found = converter.convert(tex, display="block" if block else "inline")
    except UNREADABLE:
        return f"<code>{html.escape(tex)}</code>"
    return str(found)


class _Page(mistune.HTMLRenderer):
    """mistune's, for a file that stands alone."""

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        return f'<p class="heading">{text}</p>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("data:image/"):
            return str(super().image(text, url, title))
        return f"<em>[{html.escape(text or 'a picture')}, in the notebook]</em>"

    def block_math(self, text: str) -> str:
        return f'<div class="math">{mathml(text, block=True)}</div>\n'

    def inline_math(self, text: str) -> str:
        return mathml(text)


def _converter(*, escape: bool) -> mistune.Markdown:
    renderer = _Page(escape=escape)
    made = mistune.create_markdown(renderer=renderer, plugins=PLUGINS)
    renderer.register("block_math", lambda _, text: renderer.block_math(text))
    renderer.register("inline_math", lambda _, text: renderer.inline_math(text))
    return made


_given, _comment = _converter(escape=False), _converter(escape=True)


@lru_cache(KEPT)
def given_html(text: str) -> str:
    """Return the instructor's Markdown as HTML; HTML in it stays."""
    return str(_given(text))


def comment_html(text: str) -> str:
    """Return a comment, Markdown that a person wrote in formgrader, as HTML; HTML in it is text."""
    return str(_comment(text))
