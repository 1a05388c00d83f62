"""A Chromium that looks at pages, and the library that judges how accessible they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.looking import steady_js

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@contextmanager
def chromium(*options: str) -> Iterator[Any]:
    """Start Debian's Chromium, with command-line options."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *options]
        )
        yield browser
        browser.close()


def violations(tab: Any) -> list[tuple[str, str]]:
    """What axe-core finds on a page, each with the first element that shows it."""
    tab.add_script_tag(path=str(AXE))
    found = steady_js(tab, "axe.run().then(found => found.violations)")
    return [(one["id"], one["nodes"][0]["html"]) for one in found]
