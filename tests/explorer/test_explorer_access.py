"""Forced colours, targets, the tour's focus, the phone, and what is kept on leaving."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import PANELS, Watched
from standin import ROOT
from support.looking import act, box, eventually_js, expect, steady_js

Open = Callable[..., Watched]
DIGIT = re.compile(r"^\d$")


def test_with_forced_colours_the_digit_can_be_seen(open_page: Open) -> None:
    """Ink and paper are two colours, in the sheet and in the network."""
    watched = open_page(forced_colors="active")
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    for canvas in (".dlx-paper", ".dlx-stage canvas"):
        watched.becomes(
            "(() => { const c = document.querySelector(arg); const seen = {};"
            " const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
            " for (let k = 0; k < data.length; k += 4) if (data[k + 3]) seen[data[k] >> 5] = true;"
            " return Object.keys(seen).length > 3; })()",
            argument=canvas,
        )


@pytest.mark.parametrize("width", [390, 1280])
def test_targets_are_24_pixels_or_stand_apart(open_page: Open, width: int) -> None:
    """WCAG 2.5.8: a target is 24 by 24, or a circle of 24 around it meets no other target."""
    watched = open_page("quiz=shift_1&actual=4&predicted=4", width=width)
    for panel in PANELS:
        watched.set(panel=panel)
        expect(watched.page.locator(f".dlx-panel[data-panel={panel}]")).not_to_be_empty()
        eventually_js(
            watched.page,
            """(() => { const seen = [...document.querySelectorAll('.dlx :is(button, select, summary, .dlx-seg label, .dlx-check)')]
              .filter((e) => e.checkVisibility()).map((e) => ({ e, r: e.getBoundingClientRect() }));
            const middle = ({ r }) => [r.x + r.width / 2, r.y + r.height / 2];
            return seen.filter((a) => (a.r.width < 23.9 || a.r.height < 23.9) && seen.some((b) => b !== a &&
              Math.hypot(middle(a)[0] - middle(b)[0], middle(a)[1] - middle(b)[1]) < 24)).map(({ e }) => e.outerHTML.slice(0, 90)); })()""",  # noqa: E501  the page's own script
            [],
        )


def test_no_table_has_an_empty_header(open_page: Open) -> None:
    watched = open_page("panel=mistakes")
    act(watched.page, (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text())
    for panel in PANELS:
        watched.set(panel=panel)
        rule = "axe.run({runOnly: {type: 'rule', values: ['empty-table-header']}})"
        found = steady_js(
            watched.page, f"{rule}.then((found) => found.violations.map((v) => v.id))"
        )
        assert found == [], panel


def test_the_focus_goes_into_the_tour_and_back_and_escape_ends_it(open_page: Open) -> None:
    page = open_page().page
    opener = page.get_by_role("button", name="Take the tour")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".dlx-tour [data-main]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".dlx-tour")).to_contain_text("2 of")
    expect(page.locator(".dlx-tour [data-main]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".dlx-tour")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_phone_shows_sheet_and_network_together(open_page: Open) -> None:
    page = open_page(width=390, height=844).page
    sheet, stage = box(page.locator(".dlx-paper")), box(page.locator(".dlx-stage-box"))
    assert sheet["y"] + sheet["height"] <= stage["y"] <= 844 - 210
    # No panel's name is cut off, and what is not needed at once is asked for.
    for panel in PANELS:
        at = box(page.locator(f"[role=tab][data-panel={panel}]"))
        assert at["x"] >= 0 and at["x"] + at["width"] <= 390
    load = page.get_by_text("Load a picture…")
    expect(load).to_be_hidden()
    page.get_by_role("button", name="More", exact=True).click()
    expect(load).to_be_visible()
    # The strip with the digit comes when the sheet has gone.
    strip = page.locator(".dlx-mini")
    expect(strip).not_to_be_visible()
    page.locator(".dlx-figures").scroll_into_view_if_needed()
    expect(strip.locator("canvas")).to_be_in_viewport()


def test_inverted_and_not_inverted_look_different(open_page: Open) -> None:
    watched = open_page("panel=input")
    look = (
        "[...document.querySelectorAll('.dlx-card canvas')].slice(0, 2).map((c) => c.toDataURL())"
    )
    grey, inverted = watched.value(look)
    assert grey != inverted
    watched.page.locator(".dlx-card", has_text="invert").get_by_role("checkbox").uncheck()
    watched.becomes(f"{look}[1] !== arg", argument=inverted)


def test_the_quiz_says_which_choice_was_wrong(open_page: Open) -> None:
    watched = open_page("panel=questions")
    question = watched.page.locator("[data-question=shift]")
    question.get_by_label("The largest grows").check()
    expect(question.locator(".dlx-reveal")).to_contain_text(
        "“The largest grows” is not so; “They stay” is."
    )


def test_the_running_sum_is_labelled_and_a_weight_in_reach(open_page: Open) -> None:
    page = open_page().page
    expect(page.get_by_text("Running sum: each term is added")).to_be_visible()
    panel, grip = box(page.locator("[data-part=unit]")), box(page.locator("[data-part=grip]"))
    assert grip["y"] - panel["y"] < 200


def test_what_was_done_last_is_kept_by_who_leaves_at_once(open_page: Open) -> None:
    watched = open_page()
    act(
        watched.page,
        "() => { document.querySelector('main').explorer.store.set({panel: 'softmax', plus: 100});"
        " window.dispatchEvent(new PageTransitionEvent('pagehide')); window.kept = location.hash; }",
    )
    eventually_js(watched.page, "kept.includes('softmax') && kept.includes('plus=100')")


@pytest.mark.parametrize("scale", [1, 1.25, 2, 3])
def test_the_network_lies_on_its_stage_on_every_screen(open_page: Open, scale: float) -> None:
    """A canvas has more pixels where the screen has more, and the same place on the page."""
    watched = open_page(device_scale_factor=scale)
    page = watched.page
    stage = box(page.locator(".dlx-stage"))
    canvases = page.locator(".dlx-stage > canvas")
    for canvas in (canvases.first, canvases.last):
        assert box(canvas) == pytest.approx(stage, abs=0.5)
    for layer, unit in ((1, 3), (2, 9)):
        name = re.compile(f"^L{layer + 1} unit {unit},")
        at = box(page.get_by_role("button", name=name))
        page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
        expect(page.locator(".dlx-unit:hover")).to_have_attribute("aria-label", name)
        page.mouse.down()
        page.mouse.up()
        watched.has(layer=layer, unit=unit)


def test_every_picture_is_as_large_on_a_fine_screen(open_page: Open) -> None:
    where = (
        "[...document.querySelectorAll('.dlx canvas')].filter((c) => c.checkVisibility()).map((c) =>"
        " { const {width, height} = c.getBoundingClientRect();"
        " return [c.className, Math.round(width), Math.round(height)]; })"
    )
    pages = [open_page("actual=4&predicted=4", device_scale_factor=scale) for scale in (1, 3)]
    for panel in PANELS:
        for watched in pages:
            watched.set(panel=panel)
            watched.becomes("d.counted() !== undefined")
        coarse, fine = (watched.value(where) for watched in pages)
        assert fine == coarse, panel
