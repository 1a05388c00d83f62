"""No finding of axe-core at WCAG 2.1 A or AA, in any panel, light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import PANELS, Watched
from standin import ROOT
from support.looking import act, eventually_js, expect

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(open_page: Callable[..., Watched], scheme: str, width: int) -> None:
    axe = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.is_file(), f"{axe} is missing: run `npm ci` in the project's folder"
    watched = open_page(
        "quiz=shift_1.zeros_0&edits=0_5_3_1.5&epoch=3&actual=4&predicted=4",
        width=width,
        color_scheme=scheme,
    )
    act(watched.page, axe.read_text())
    expect(watched.page.get_by_role("tab")).to_have_count(len(PANELS))
    for panel in [*PANELS, "tour"]:
        watched.set(panel="network", tour=1) if panel == "tour" else watched.set(panel=panel)
        act(watched.page, "document.querySelectorAll('details').forEach((d) => (d.open = true))")
        watched.set()
        # Nothing to find is found at the first look; a finding may be of a panel that is half drawn.
        eventually_js(
            watched.page,
            f"(tags) => axe.run({{runOnly: tags}}).then(({{violations}}) => violations.map((v) => "
            f"['{panel}', v.id, ...v.nodes.slice(0, 3).map((n) => n.html + ' ' + n.failureSummary)]))",
            [],
            TAGS,
        )
