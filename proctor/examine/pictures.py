"""Pictures of a student's cells, made as small as a page needs them.

This happens where a submission is marked, in the worker whose memory and time are limited: a PNG that
a student's process sent is decoded nowhere else, only after its header has said that it is small
enough, and as long as the submission's share of pixels lasts. It is brought to the width that a page
shows and to a palette, which makes a figure a third as large. Other pictures stay as they are.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from collections.abc import Iterable
from functools import lru_cache

from nbformat import NotebookNode

MAX_PIXELS = 4_000_000
"""Most pixels of a picture that is decoded; a figure of Matplotlib's has 300,000."""
MAX_ALL_PIXELS = 40_000_000
"""Most pixels that are decoded for one submission: a few seconds' work."""
AS_IT_IS = 20_000
"""Bytes up to which a picture is taken as it is."""
WIDTH = 960
COLOURS = 96
KEPT = 50
PNG = b"\x89PNG\r\n\x1a\n"


class Pictures:
    """The pictures of one submission: how much of them may still be decoded."""

    def __init__(self, pixels: int = MAX_ALL_PIXELS) -> None:
        self.pixels = pixels

    def smaller(self, outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
        """Return a cell's outputs with large PNGs made smaller where they can be."""
        return [self._output(output) for output in outputs]

    def _output(self, output: NotebookNode) -> NotebookNode:
        data = output.get("data", {})
        text = data.get("image/png")
        if not isinstance(text, str) or len(text) * 3 // 4 <= AS_IT_IS:
            return output
        size = _pixels(text)
        if not 0 < size <= min(MAX_PIXELS, self.pixels):
            return output
        self.pixels -= size
        made = NotebookNode(output)
        made.data = NotebookNode({**data, "image/png": _smaller(text)})
        return made


def _pixels(text: str) -> int:
    """Return how many pixels a PNG's header says it has; 0 if it is none."""
    try:
        head = base64.b64decode(text[:64].encode())
    except (binascii.Error, ValueError):
        return 0
    if not head.startswith(PNG) or len(head) < 24:
        return 0
    width, height = struct.unpack(">II", head[16:24])
    return int(width) * int(height)


@lru_cache(KEPT)
def _smaller(text: str) -> str:
    """Bring a PNG to the page's width and to a palette; unchanged if it cannot be decoded."""
    from PIL import Image  # few submissions hold a figure, and every worker imports this module

    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
        with Image.open(io.BytesIO(raw), formats=["PNG"]) as image:
            image.load()
            found = image.convert("RGBA")
    except (binascii.Error, OSError, SyntaxError, ValueError, zlib.error, struct.error):
        return text
    width, height = found.size
    if width > WIDTH:
        found = found.resize((WIDTH, max(1, height * WIDTH // width)), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", found.size, "white")
    flat = Image.alpha_composite(paper, found).convert("RGB")
    made = io.BytesIO()
    flat.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(made, "PNG")
    return min(base64.b64encode(made.getvalue()).decode(), text, key=len)
