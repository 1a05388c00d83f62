"""What a first-time visitor looks for: the way to what a question claims, back from a stroke, to a weight."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Watched
from support.looking import box, expect

Open = Callable[..., Watched]


def stroke(watched: Watched) -> None:
    """Draw a line on the sheet."""
    at = box(watched.page.locator(".dlx-paper"))
    watched.page.mouse.move(at["x"] + 40, at["y"] + 40)
    watched.page.mouse.down()
    watched.page.mouse.move(at["x"] + 120, at["y"] + 60, steps=4)
    watched.page.mouse.up()
    watched.has(source="ink")


@pytest.mark.parametrize("how", ["stroke", "clear"])
def test_undo_brings_back_the_digit_that_a_stroke_wiped_away(open_page: Open, how: str) -> None:
    watched = open_page("sample=7&hide=105.106")
    before, x = watched.state(), watched.value("[...d.pass.x]")
    undo = watched.page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    if how == "clear":
        watched.page.get_by_role("button", name="Clear").click()
        watched.has(source="ink", ink="")
    stroke(watched)
    stroke(watched)
    for _ in range(3 if how == "clear" else 2):
        undo.click()
    watched.has(**before)
    watched.becomes("[...d.pass.x]", x)
    expect(undo).to_be_disabled()


def test_undo_of_strokes_that_came_with_the_address_ends_at_the_bare_sheet(
    open_page: Open,
) -> None:
    watched = open_page("source=ink&ink=0a0b1c1d")
    undo = watched.page.get_by_role("button", name="Undo")
    undo.click()
    watched.has(source="ink", ink="")
    expect(undo).to_be_disabled()
