"""The explorer outside a notebook: one HTML file, and what nbconvert can keep."""

from __future__ import annotations

import base64
import gzip
import html
from pathlib import Path

from .errors import ExplorerError

STATIC = Path(__file__).parent / "static"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{css}</style>
</head>
<body class="dlx-page">
<main data-digits-explorer></main>
<noscript>The explorer computes the network in your browser: switch JavaScript on to see it.</noscript>
<script type="application/octet-stream" data-digits-bundle>{data}</script>
<script type="module">{js}</script>
</body>
</html>
"""


def asset(name: str) -> str:
    """Return the text of a built file.

    Raises
    ------
    ExplorerError
        If it is not there.
    """
    path = STATIC / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExplorerError(
            f"{path} is missing, so the explorer has nothing to show itself with. Install the "
            "package again, or run `npm ci && npm run build` in the project's folder."
        ) from None


def page(bundle: bytes, title: str) -> str:
    """Return a whole HTML page: styles, script and data in it, nothing loaded from elsewhere."""
    # mtime 0: the same model gives the same page, byte for byte.
    data = base64.b64encode(gzip.compress(bundle, 9, mtime=0)).decode("ascii")
    script = asset("explorer.js").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return _PAGE.format(title=html.escape(title), css=asset("explorer.css"), data=data, js=script)


class Static:
    """The page in a frame, as text/html alone: what stays of a notebook in nbconvert's HTML."""

    def __init__(self, text: str, title: str, height: int) -> None:
        self._frame = (
            f'<iframe title="{html.escape(title)}" sandbox="allow-scripts" loading="lazy" '
            f'style="width:100%;height:{int(height)}px;border:0" '
            f'srcdoc="{html.escape(text)}"></iframe>'
        )

    def _repr_html_(self) -> str:
        return self._frame

    def __repr__(self) -> str:
        return "Explorer.static(): an interactive page; open this notebook's HTML to see it"
