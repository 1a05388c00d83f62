"""Pictures of a student's cells, in a size that a page can carry.

A PNG from the student's process is read only after its header has said that it is small enough to be
decoded; it is brought to the width that a page shows and to a palette, which makes a figure a third
as large. Pillow reads it with its PNG reader alone. What is too large all the same is left out.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from functools import lru_cache

from PIL import Image

MAX_PIXELS = 4_000_000
"""Most pixels that are decoded; a figure of Matplotlib's has 300,000."""
AS_IT_IS = 20_000
"""Bytes up to which a picture is taken as it is."""
WIDTH = 960
COLOURS = 96
KEPT = 200
PNG = b"\x89PNG\r\n\x1a\n"


@lru_cache(KEPT)
def picture(mime: str, data: str) -> str:
    """Return a picture as a data address, as small as it can be made; empty if it cannot be read.

    Parameters
    ----------
    mime : str
        ``image/png`` or ``image/jpeg``.
    data : str
        Base64.
    """
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    if mime == "image/png" and raw.startswith(PNG) and len(raw) > AS_IT_IS:
        raw = _smaller(raw)
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}" if raw else ""


def _smaller(raw: bytes) -> bytes:
    """Bring a PNG to the page's width and to a palette; empty if it cannot be decoded."""
    width, height = struct.unpack(">II", raw[16:24])
    if not 0 < width * height <= MAX_PIXELS:
        return b""
    try:
        with Image.open(io.BytesIO(raw), formats=["PNG"]) as image:
            image.load()
            found = image.convert("RGBA")
    except (
        OSError,
        SyntaxError,
        ValueError,
        zlib.error,
        struct.error,
        Image.DecompressionBombError,
    ):
        return b""
    if width > WIDTH:
        found = found.resize((WIDTH, max(1, height * WIDTH // width)), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", found.size, "white")
    flat = Image.alpha_composite(paper, found).convert("RGB")
    made = io.BytesIO()
    flat.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(made, "PNG")
    return min(made.getvalue(), raw, key=len)
