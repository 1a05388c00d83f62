"""What stays of the widget in a saved notebook: a picture and a sentence, for when no kernel knows it."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

import numpy as np

SIZE = 160
BAR = 220
MOST = 10

# Without a kernel Jupyter writes "model not found" where the widget was: the picture takes its place.
_STYLE = (
    ".jp-OutputArea-child:not(:has(.dlx)):has(+ .jp-OutputArea-child .dlx-saved) { display: none }"
)


def _read(bundle: bytes) -> tuple[dict[str, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The header, the first input and what Keras returned for it."""
    length = int(np.frombuffer(bundle[8:12], "<u4")[0])
    header: dict[str, Any] = json.loads(bundle[16 : 16 + length])
    start = -(-(16 + length) // 8) * 8
    kinds = {"f32": "<f4", "u8": "u1"}

    def first(name: str, count: int) -> np.ndarray[Any, Any]:
        entry = header["sections"][name]
        return np.frombuffer(bundle, kinds[entry["dtype"]], count, start + entry["offset"])

    layers = header["models"][0]["layers"]
    place = header["input"]
    digit = first("samples", place["rows"] * place["cols"] * place["channels"]).astype(np.float64)
    output = first("reference0", layers[-1]["units"]).astype(np.float64)
    if layers[-1]["activation"] != "softmax":
        output = np.exp(output - output.max())
        output /= output.sum()
    return header, digit, output


def picture(bundle: bytes) -> str:
    """Return an SVG of the first input and of the probabilities that the network gives it."""
    header, digit, shares = _read(bundle)
    place = header["input"]
    rows, cols = place["rows"], place["cols"]
    if place["kind"] == "image":
        image = digit.reshape(rows, cols, -1).mean(axis=2)
        image = image.T if place["order"] == "F" else image
    else:
        image = digit.reshape(1, -1)
    image = (image - image.min()) / (np.ptp(image) or 1)
    high, wide = SIZE / image.shape[0], SIZE / image.shape[1]
    ink = [
        f'<rect x="{col * wide:.2f}" y="{row * high:.2f}" width="{wide:.2f}" height="{high:.2f}" '
        f'opacity="{image[row, col]:.2f}"/>'
        for row, col in zip(*np.nonzero(image > 0.03), strict=True)
    ]
    bars = []
    for at, k in enumerate(sorted(np.argsort(-shares)[:MOST])):
        y = 8 + 15 * at
        bars.append(
            f'<text x="{SIZE + 24}" y="{y + 10}">{k}</text>'
            f'<rect x="{SIZE + 44}" y="{y + 2}" width="{BAR * shares[k]:.1f}" height="9" fill="#0b6e69"/>'
            f'<text x="{SIZE + 50 + BAR * shares[k]:.1f}" y="{y + 10}">{100 * shares[k]:.1f} %</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE + BAR + 110}" height="{SIZE}" '
        f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
        f"<g>{''.join(ink)}</g>{''.join(bars)}</svg>"
    )


def saved(bundle: bytes, title: str, key: str) -> str:
    """Return HTML for beside the widget; the widget hides it by its key while it is alive."""
    data = base64.b64encode(picture(bundle).encode()).decode("ascii")
    name = html.escape(title)
    return (
        f'<div class="dlx-saved" data-key="{key}"><style>{_STYLE}</style>'
        f'<img alt="{name}: a digit, and the probability of each class" '
        f'src="data:image/svg+xml;base64,{data}">'
        f"<p>{name}: a picture of the explorer as it began. Run this cell again to bring it to life."
        "</p></div>"
    )
