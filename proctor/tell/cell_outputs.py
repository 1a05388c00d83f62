"""What a cell put out, as a page shows it: text and pictures, as much of them as there is room for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT, HEAD = 6_000, 4_000
"""Most characters of one output, and how many of them come from its beginning where it is longer."""
MAX_ALL_TEXT = 60_000
MAX_ALL_PICTURES = 160_000
"""Most characters of all pictures of a page together, written as base64."""
TOO_LARGE = "[A picture is left out: it is too large for this page.]"
_COLOUR = re.compile("\x1b(?:\\[[0-9;:?]*+[ -/]*+[@-~]?|.?)", re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """One output: printed text, an error with where it came from, a picture, or a note."""

    kind: str
    text: str
    source: str = ""


class Room:
    """How much of a submission's outputs its page still has room for."""

    def __init__(self) -> None:
        self.text = MAX_ALL_TEXT
        self.pictures = MAX_ALL_PICTURES

    def take(self, outputs: Iterable[Mapping[str, Any]]) -> Iterator[Shown]:
        """Yield what is shown of a cell's outputs, nbformat's."""
        for output in outputs:
            kind = output.get("output_type")
            if kind == "stream":
                name = "warning" if output.get("name") == "stderr" else "text"
                yield from self._some(name, _joined(output.get("text", "")))
            elif kind == "error":
                title = f"{output.get('ename', '')}: {output.get('evalue', '')}"
                trace = "\n".join(output.get("traceback", ()))
                yield from self._some("error", trace or title, title)
            elif kind in ("display_data", "execute_result"):
                yield from self._data(output.get("data", {}))

    def _some(self, kind: str, text: str, title: str = "") -> Iterator[Shown]:
        text = _COLOUR.sub("", text).strip("\n")
        if text and self.text <= 0:
            yield Shown("note", "[There was more; this page has no room for it.]")
        elif text:
            shown = _cut(text, min(MAX_TEXT, max(self.text, 200)))
            self.text -= len(shown)
            yield Shown(kind, shown, _cut(title, 300))

    def _data(self, data: Mapping[str, Any]) -> Iterator[Shown]:
        said = _joined(data.get("text/plain", ""))
        for mime in ("image/png", "image/jpeg"):
            if mime in data:
                found = "".join(_joined(data[mime]).split())
                if len(found) <= self.pictures:
                    self.pictures -= len(found)
                    source = f"data:{mime};base64,{found}"
                    plain = "" if said.startswith("<") else said
                    yield Shown("picture", _cut(plain, 300) or "Figure drawn by this cell", source)
                else:
                    yield Shown("note", TOO_LARGE)
                return
        yield from self._some("text", said)


def _cut(text: str, most: int) -> str:
    """Return a text's beginning and end, with a note between them of what is left out."""
    if len(text) <= most:
        return text
    head, tail = text[: most * HEAD // MAX_TEXT], text[-(most - most * HEAD // MAX_TEXT) :]
    left = len(text) - most
    return f"{head}\n[… {left:,} characters are left out here …]\n{tail}"


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)
