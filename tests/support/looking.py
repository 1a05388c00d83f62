"""How a test looks at a page: by asking again until it is so. No test looks once, straight after an action.

A page is drawn at the next frame, which on a busy machine is a while off. What the page shows is
looked at with `expect`; what has to be computed in the page with `eventually_js`, both of which ask
again; what a test goes on with (a box to click in, a number to compare) comes from `steady_js` and
`box`, which wait until two looks with a frame between them agree. `test_looking.py` keeps it so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

PATIENCE = 30_000
"""Milliseconds after which a page that is still not as expected is wrong; it may be a busy machine's."""

expect.set_options(timeout=PATIENCE)

__all__ = [
    "PATIENCE",
    "act",
    "box",
    "eventually",
    "eventually_js",
    "expect",
    "fits",
    "steady_js",
    "text",
    "workers",
]

_PAUSE = 0.05
_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def eventually(look: Callable[[], Any], right: Callable[[Any], bool], what: str) -> Any:
    """Look until what is seen is right, and return it; after `PATIENCE` say what was seen last."""
    limit = time.monotonic() + PATIENCE / 1000
    while not right(seen := look()):
        assert time.monotonic() < limit, f"{what}: at last {seen!r}"
        time.sleep(_PAUSE)
    return seen


def workers(page: Any, count: int) -> None:
    """Wait until a page has so many workers: Playwright hears of them only while it is asked something."""
    eventually(lambda: (page.evaluate("0"), len(page.workers))[1], lambda n: n == count, "workers")


def eventually_js(page: Any, expression: str, wanted: Any = True, argument: Any = None) -> None:
    """Wait until an expression of the page (or a function of `argument`) equals `wanted`."""
    eventually(
        lambda: page.evaluate(expression, argument),
        lambda seen: bool(seen == wanted),
        f"{expression} should be {wanted!r}",
    )


def _at_rest(page: Any, look: Callable[[], Any], what: str) -> Any:
    """Look once a frame until two looks agree and there is something to see."""
    seen: list[Any] = []

    def two() -> list[Any]:
        page.evaluate(_FRAME)
        seen[:] = [*seen[-1:], look()]
        return seen

    return eventually(two, lambda s: len(s) == 2 and s[0] == s[1] and s[0] is not None, what)[1]


def steady_js(page: Any, expression: str, argument: Any = None) -> Any:
    """Return an expression's value, not null, once it has stayed the same over two frames."""
    return _at_rest(page, lambda: page.evaluate(expression, argument), f"{expression} should rest")


def text(locator: Any) -> str:
    """Return what an element says once it says the same over two frames."""
    return str(_at_rest(locator.page, locator.inner_text, "the text should come to rest"))


def act(page: Any, script: str, argument: Any = None) -> None:
    """Do something in the page by a script; it gives nothing back, so nothing is looked at."""
    page.evaluate(script, argument)


def box(locator: Any) -> dict[str, float]:
    """Where an element is, once it has stopped moving: x, y, width, height in CSS pixels."""
    expect(locator).to_be_visible()
    return dict(_at_rest(locator.page, locator.bounding_box, "the element should come to rest"))


def fits(page: Any, width: int) -> None:
    """Wait until nothing is wider than the page."""
    eventually(
        lambda: page.evaluate("document.documentElement.scrollWidth"),
        lambda seen: seen <= width,
        f"the page should be at most {width} px wide",
    )
