"""What a cell put out, reduced to forms that cannot harm a page, a terminal or whoever reads them.

Everything here comes from a process that is not trusted, so nothing is taken for granted: messages of
any form go in, plain nbformat outputs of bounded size come out, in time linear in their size.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Any

from nbformat import NotebookNode

from proctor.display_text import escaped

MAX_CELL_BYTES = 2 * 2**20
"""Sum of one cell's outputs that is kept, in bytes; the rest is dropped and said to be."""
MAX_ALL_BYTES = 32 * 2**20
"""Sum of one submission's outputs that is kept, in bytes."""
MAX_OUTPUTS = 500
"""Most outputs of one cell; what is printed counts as one."""
MAX_COLOURS = 500
"""Most colour changes in one output: what turns them into HTML takes time in their square."""
_IMAGES = ("image/png", "image/jpeg")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_ESCAPE = re.compile("\x1b(\\[[0-9;:?]*[ -/]*[@-~]?|.?)")


def clean(text: object, limit: int) -> str:
    """Make text from the other process fit for a page and a terminal.

    No control characters but newline and tab, no half characters that no UTF-8 file can hold; what
    reorders text is written as an escape; at most `limit` characters. What is no text is left out.
    """
    text = text[: 4 * limit] if isinstance(text, str) else ""
    return escaped("".join(c for c in _ESCAPE.sub("", text) if _harmless(c)))[:limit]


def _harmless(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")


def shown(text: str) -> str:
    """Return what a terminal shows of printed text: backspaces and returns done, colours kept."""
    lines = text.split("\n")
    if "\b" in text:
        lines = [_backspaced(line) for line in lines]
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    if text.count("\x1b") > MAX_COLOURS:
        text = _ESCAPE.sub("", text)
    if text.isascii() and not any(c in text for c in _CONTROLS):
        return text
    return escaped("".join(c for c in text if c == "\x1b" or _harmless(c)))


_CONTROLS = [chr(code) for code in (*range(32), 127) if chr(code) not in "\n\t\x1b"]


def _backspaced(line: str) -> str:
    kept: list[str] = []
    for char in line:
        if char != "\b":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)


class Outputs:
    """The outputs of one cell, as messages bring them."""

    def __init__(self, room: int = MAX_ALL_BYTES) -> None:
        self.room = min(room, MAX_CELL_BYTES)
        self.used = 0
        self.cut = False
        self._parts: list[tuple[str, Any]] = []
        self._error: NotebookNode | None = None
        self._clear = False

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Take what a message of a cell's says; messages of other kinds have no effect."""
        if kind == "clear_output":
            self._clear = True
            if content.get("wait") is not True:
                self._make_room()
        elif kind == "error":
            self._error = _error(content)
        elif kind == "stream" and isinstance(text := content.get("text"), str):
            self._keep("stderr" if content.get("name") == "stderr" else "stdout", text, len(text))
        elif kind in ("display_data", "execute_result"):
            data = _data(content.get("data"))
            self._keep("data", data, sum(map(len, data.values())))

    def _make_room(self) -> None:
        if self._clear:
            self._parts, self._clear = [], False

    def _keep(self, kind: str, value: Any, size: int) -> None:
        self._make_room()
        printed = kind != "data"
        full = not printed and sum(part[0] == "data" for part in self._parts) >= MAX_OUTPUTS
        if full or self.used + size > self.room:
            self.cut = True
            return
        self.used += size
        for name, texts in self._parts:
            if printed and name == kind:
                texts.append(value)
                return
        self._parts.append((kind, [value] if printed else value))

    @property
    def error(self) -> tuple[str, str] | None:
        """Type and message of the exception that ended the cell."""
        return None if self._error is None else (self._error.ename, self._error.evalue)

    def nodes(self) -> list[NotebookNode]:
        """Return nbformat's outputs: printed text in one piece, stdout before an adjoining stderr."""
        nodes = [
            NotebookNode(output_type="display_data", data=NotebookNode(value), metadata={})
            if kind == "data"
            else NotebookNode(output_type="stream", name=kind, text=shown("".join(value)))
            for kind, value in self._parts
        ]
        for place, (one, two) in enumerate(pairwise(nodes)):
            if one.get("name") == "stderr" and two.get("name") == "stdout":
                nodes[place], nodes[place + 1] = two, one
                break
        if self._error is not None:
            nodes.append(self._error)
        if self.cut:
            note = "[The rest of this cell's output was cut: there was too much of it.]\n"
            nodes.append(NotebookNode(output_type="stream", name="stdout", text=note))
        return nodes


def _data(data: Any) -> dict[str, str]:
    """Keep the forms that cannot carry a script: plain text, and images that are base64."""
    if not isinstance(data, dict):
        return {}
    kept = {}
    if isinstance(text := data.get("text/plain"), str):
        kept["text/plain"] = shown(text[: MAX_CELL_BYTES + 1])
    for mime in _IMAGES:
        if isinstance(image := data.get(mime), str) and _BASE64.fullmatch(image):
            kept[mime] = image
    return kept


def _error(content: dict[str, Any]) -> NotebookNode:
    lines = content.get("traceback")
    lines = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    return NotebookNode(
        output_type="error",
        ename=clean(content.get("ename"), 200),
        evalue=clean(content.get("evalue"), 2000),
        traceback=shown("\n".join(line[:5000] for line in lines[:60])).split("\n"),
    )
