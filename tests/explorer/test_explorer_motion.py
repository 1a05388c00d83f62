"""The first ten seconds, what moves, what lights up, and what is not shown before it is computed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PANELS, Watched, under
from support.looking import act, box, eventually_js, expect, steady_js, text

Open = Callable[..., Watched]
DIGIT = re.compile(r"^\d$")
#: Writes down every answer that was shown, and every frame in which something was on its way.
RECORD = """
  window.answers = []; window.times = []; window.moves = [];
  new MutationObserver(() => {
    const answer = document.querySelector('.dlx-answer')?.textContent;
    if (answer !== undefined && answer !== answers.at(-1)) {
      answers.push(answer);
      times.push(performance.now());
    }
    const moving = document.querySelector('.dlx-over')?.dataset.moving;
    if (moving && moving !== moves.at(-1)) moves.push(moving);
  }).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""


def moves(watched: Watched) -> list[tuple[int, float]]:
    """The frames: how many dots there were, and how far they had come."""
    found = steady_js(watched.page, "moves")
    return [(int(count), float(share)) for count, share in (move.split() for move in found)]


def test_first_screen_says_what_it_is_and_where_to_draw(open_page: Open) -> None:
    page = open_page().page
    sentence = page.locator(".dlx-head .dlx-lead")
    expect(sentence).to_contain_text("reads handwritten digits")
    expect(page.locator(".dlx-hint")).to_have_text("Draw a digit here")
    expect(page.locator(".dlx-figures")).not_to_have_attribute("open", re.compile(""))
    expect(page.locator(".dlx-facts")).to_be_hidden()
    expect(page.get_by_role("tab")).to_have_text([name.capitalize() for name in PANELS])
    # The sheet, the network, the answer, every class's bar and the reason are all on the first screen.
    for part in (".dlx-paper", ".dlx-stage", ".dlx-answer", ".dlx-bars", ".dlx-blame"):
        at = box(page.locator(part).first)
        assert at["y"] >= 0 and at["y"] + at["height"] <= 800, part
    lead = box(sentence)
    assert lead["height"] < 30, "one line"
    wide = box(page.locator(".dlx-stage"))
    assert wide["width"] > 0.7 * 1280


@pytest.mark.parametrize("width", [390, 900, 1280])
def test_nothing_jumps_while_the_pass_is_stepped_through(open_page: Open, width: int) -> None:
    """The words of a step and the reason for the answer have one place, as large as the larger of them."""
    watched = open_page("t=0", width=width)
    stage = watched.page.locator(".dlx-stage")
    before = box(stage)
    for at in range(1, 5):
        watched.page.get_by_label("One step on").click()
        watched.has(t=at)
        assert box(stage) == before, f"step {at}"
    expect(watched.page.locator("[data-panel=network] [data-part=blame]")).to_be_visible()


def test_a_step_is_said_in_plain_words(open_page: Open) -> None:
    page = open_page("t=0").page
    said = page.locator(".dlx-said")
    expect(said).to_have_text(
        "Step 0 of 4: the input is 400 numbers; nothing is computed yet. What will the answer be?"
    )
    page.get_by_label("One step on").click()
    expect(said).to_have_text(
        "Step 1 of 4: L1 has 25 units. Each multiplies the 400 numbers before it by weights of its own"
        " and adds them up; a sum below 0 becomes 0 (relu)."
    )
    slider = page.get_by_label("Position in the forward pass")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^Step 1 of 4: L1 has 25 units"))


def test_the_pass_plays_once_by_itself_and_leaves_the_state_alone(open_page: Open) -> None:
    watched = open_page(script=RECORD, reduced_motion="no-preference")
    eventually_js(watched.page, "answers.includes('?')")
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    watched.has(t=-1)
    assert watched.value("location.hash") == ""
    assert steady_js(watched.page, "answers.length") == 2, "hidden once, shown once"
    hidden, shown = steady_js(watched.page, "times")
    assert 2_500 < shown - hidden < 20_000, "it takes three seconds, on a busy machine a frame more"
    assert max(count for count, _ in moves(watched)) > 20


@pytest.mark.parametrize(
    "options",
    [{"reduced_motion": "reduce"}, {"reduced_motion": "no-preference", "hash": "panel=softmax"}],
)
def test_nothing_plays_by_itself_for_who_wants_no_motion_or_comes_by_an_address(
    open_page: Open, options: dict[str, Any]
) -> None:
    watched = open_page(script=RECORD, **options)
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    watched.becomes("document.getAnimations().length", 0)
    assert "?" not in steady_js(watched.page, "answers")
    assert moves(watched) == []


def test_whoever_touches_the_page_ends_the_first_pass(open_page: Open) -> None:
    watched = open_page(script=RECORD, reduced_motion="no-preference")
    watched.page.get_by_role("tab", name="Network").click()
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT, timeout=2_000)


def test_values_travel_while_playing_and_arrive(open_page: Open) -> None:
    watched = open_page("t=0", script=RECORD, reduced_motion="no-preference")
    watched.page.get_by_label("Play", exact=True).click()
    watched.has(t=4)
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    frames = moves(watched)
    assert len({share for _, share in frames}) > 3, "in between, not at the ends alone"
    assert all(0 <= share <= 1 for _, share in frames)
    expect(watched.page.locator(".dlx-over")).to_have_attribute("data-moving", "")


def test_pixels_go_into_a_unit_as_it_is_opened(open_page: Open) -> None:
    watched = open_page("t=-1&edges=weight", script=RECORD, reduced_motion="no-preference")
    watched.page.locator(".dlx-unit").nth(3).click()
    eventually_js(watched.page, "moves.length > 0")
    assert max(count for count, _ in moves(watched)) > 10
    expect(watched.page.locator(".dlx-over")).to_have_attribute("data-moving", "")


def test_without_motion_steps_are_there_at_once(open_page: Open) -> None:
    watched = open_page("t=0", script=RECORD)
    watched.page.locator(".dlx-unit").nth(3).click()
    watched.page.get_by_label("Play", exact=True).click()
    watched.has(t=4)
    assert moves(watched) == []


def test_what_is_not_computed_yet_is_not_shown(open_page: Open) -> None:
    watched = open_page("t=1&layer=2&unit=4")
    page = watched.page
    expect(page.locator(".dlx-answer")).to_have_text("?")
    expect(page.locator(".dlx-sure")).to_have_text("not computed yet")
    expect(page.locator(".dlx-bars .dlx-num")).to_have_text(["?"] * 10)
    expect(page.locator(".dlx-output .dlx-num")).to_have_text([""] * 10)
    panel = page.locator("[data-part=unit]")
    expect(panel.locator(".dlx-formula")).to_have_text(["z = Σ w·x + b = ?", "a = ?"])
    expect(panel).not_to_have_attribute("data-z", re.compile(""))
    expect(panel.locator(".dlx-terms tbody td:nth-child(4)").first).to_have_text("…")
    # What is to come can be seen as an outline, and is called so.
    ahead = page.get_by_role("button", name="L3 unit 4, not computed yet")
    expect(ahead).to_have_css("border-style", "dotted")
    eventually_js(page, "document.querySelector('[data-live]').textContent", "")
    for _ in range(3):
        page.get_by_label("One step on").click()
    expect(page.locator(".dlx-answer")).to_have_text(DIGIT)
    expect(panel).to_have_attribute("data-z", re.compile(r"\d"))


def test_a_unit_walked_through_shows_its_sum_and_activation_at_their_step(open_page: Open) -> None:
    watched = open_page("grain=term&layer=1&unit=2&t=5")
    formula = watched.page.locator("[data-part=unit] .dlx-formula")
    expect(formula.first).to_have_text(re.compile(r"^Σ w·x so far = "))
    expect(formula.last).to_have_text("a = ?")
    watched.set(t=26)  # the bias
    expect(formula.first).to_have_text(re.compile(r"^z = Σ w·x \+ b = \S+ [+−] \S+ = "))
    expect(formula.last).to_have_text("a = ?")
    watched.set(t=27)
    expect(formula.last).to_have_text(re.compile(r"^a = max"))
    expect(watched.page.locator(".dlx-answer")).to_have_text("?")


def test_first_layers_units_hold_their_weights(open_page: Open) -> None:
    """Other weights make another picture of the unit, and of no other part of the network."""
    watched = open_page("edges=weight&t=0")
    look = under("document.querySelector('.dlx-unit')")
    before = watched.value(look)
    watched.set(edits="~".join(f"0_{25 * pixel}_2" for pixel in range(100, 200)))
    watched.becomes(f"{look} !== arg", argument=before)


def test_pointing_at_a_unit_lights_its_line_of_the_formula_and_the_other_way_round(
    open_page: Open,
) -> None:
    watched = open_page("layer=1&unit=2&all=1")
    page = watched.page
    expect(page.locator(".dlx-terms tbody tr")).to_have_count(25)
    picture = "document.querySelector('.dlx-stage canvas').toDataURL()"
    before = watched.value(picture)
    page.get_by_role("button", name=re.compile("^L1 unit 3,")).hover()
    expect(page.locator(".dlx-terms tr[data-lit=true]")).to_have_attribute("data-i", "3")
    watched.becomes(f"{picture} !== arg", argument=before)
    line = page.locator(".dlx-terms tbody tr[data-i='7']")
    line.hover()
    expect(page.locator(".dlx-terms tr[data-lit=true]")).to_have_attribute("data-i", "7")
    page.locator(".dlx-title").hover()
    expect(page.locator(".dlx-terms tr[data-lit=true]")).to_have_count(0)
    watched.becomes(picture, before)


def test_pointing_at_a_pixel_lights_its_line_of_the_formula(open_page: Open) -> None:
    watched = open_page("layer=0&unit=2&all=1&order=place")
    page = watched.page
    expect(page.locator(".dlx-terms tbody tr")).to_have_count(400)
    stage = box(page.locator(".dlx-stage"))
    # The middle of the image: the centre of its height, some way in.
    page.mouse.move(stage["x"] + 90, stage["y"] + stage["height"] / 2 + 25)
    lit = page.locator(".dlx-terms tr[data-lit=true]")
    expect(lit).to_have_count(1)
    assert re.match(r"row \d+, col \d+", text(lit.locator("th")))


def test_a_bare_sheet_says_nothing_about_this_digit(open_page: Open) -> None:
    watched = open_page("source=ink")
    page = watched.page
    expect(page.locator(".dlx-hint")).to_have_text("Draw a digit")
    expect(page.locator(".dlx-answer")).to_have_text("–")
    expect(page.locator("[data-panel=network] [data-part=blame]")).to_be_hidden()
    for panel in ("input", "softmax", "learning", "questions"):
        watched.set(panel=panel)
        expect(page.locator(".dlx-blank")).to_be_visible()
        expect(page.locator(f".dlx-panel[data-panel={panel}]")).to_be_hidden()
    page.get_by_role("button", name="Show a digit of the data").click()
    expect(page.locator(".dlx-blank")).to_be_hidden()
    expect(page.locator(".dlx-answer")).to_have_text(DIGIT)


@pytest.mark.parametrize("how", ["draw", "erase"])
def test_a_digit_shown_can_be_drawn_on_and_undone(open_page: Open, how: str) -> None:
    watched = open_page()
    page = watched.page
    before = watched.value("[...d.pass.x]")
    page.get_by_label(how.capitalize(), exact=True).check(force=True)
    if how == "draw":
        page.get_by_label("draw on this").check()
    at = box(page.locator(".dlx-paper"))
    x, y = (0.1, 0.15) if how == "draw" else (0.5, 0.4)
    page.mouse.move(at["x"] + x * at["width"], at["y"] + y * at["height"])
    page.mouse.down()
    page.mouse.move(at["x"] + (x + 0.2) * at["width"], at["y"] + y * at["height"], steps=4)
    page.mouse.up()
    watched.has(source="ink", base="sample")
    expect(page.locator(".dlx-truth")).to_contain_text("drawn on")
    change = watched.value("[...d.pass.x].map((v, k) => v - arg[k])", before)
    assert (max(change) > 0.5) == (how == "draw") and (min(change) < -0.5) == (how == "erase")
    assert sum(abs(v) < 1e-12 for v in change) > 300, "where no stroke went, the digit stays"
    page.get_by_role("button", name="Undo").click()
    watched.has(source="sample", base="", ink="")
    watched.becomes("[...d.pass.x]", before)


def test_the_first_stroke_begins_a_clean_sheet(open_page: Open) -> None:
    """“Draw a digit here” means a new one: the digit of the data is gone, and so is what it is."""
    page = (watched := open_page()).page
    at = box(page.locator(".dlx-paper"))
    page.mouse.move(at["x"] + 30, at["y"] + 30)
    page.mouse.down()
    page.mouse.move(at["x"] + 90, at["y"] + 30, steps=4)
    page.mouse.up()
    watched.has(source="ink", base="", truth=-1)
    expect(page.locator(".dlx-truth")).to_have_text("your drawing")
    ink = watched.value("[...d.input.picture.data].filter((v) => v < 255).length")
    assert 0 < ink < 112 * 112 / 8, "the stroke alone"


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_who_opens_a_unit_sees_its_arithmetic(open_page: Open, by: str) -> None:
    """At 1280 by 800 the formula lies under the screen's end until a unit is opened."""
    page = (watched := open_page()).page
    formula = page.locator("[data-part=formula]")
    expect(formula).not_to_be_in_viewport()
    unit = page.get_by_role("button", name=re.compile("^L2 unit 3,"))
    if by == "mouse":
        unit.click()
    else:
        unit.focus()
        page.keyboard.press("Enter")
        expect(unit).to_be_focused()
    watched.has(layer=1, unit=3)
    expect(formula).to_be_in_viewport()
    # The unit that was opened is still in sight.
    expect(unit).to_be_in_viewport()


@pytest.mark.parametrize("panel", ["network", "mistakes"])
def test_why_leads_to_the_arithmetic_and_the_focus_goes_along(open_page: Open, panel: str) -> None:
    page = open_page(f"panel={panel}").page
    page.locator(f"[data-panel={panel}] [data-part=blame] button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=formula]")).to_be_in_viewport()
    expect(page.locator("[data-part=unit] .dlx-h")).to_be_focused()


def test_a_units_name_and_value_are_shown_where_it_is_pointed_at(open_page: Open) -> None:
    page = open_page().page
    tip = page.locator(".dlx-tip")
    expect(tip).to_be_hidden()
    unit = page.get_by_role("button", name=re.compile("^L2 unit 3,"))
    unit.hover()
    expect(tip).to_have_text(re.compile(r"^L2 unit 3, \d+\.\d\d"))
    # From its name under the answer to the unit in the picture, by mouse and by keyboard.
    why = page.locator("[data-panel=network] [data-part=blame] button").first
    name = str(steady_js(page, "document.querySelector('[data-part=blame] button').ariaLabel"))
    lit = page.locator(".dlx-unit[data-lit=true]")
    for point in (why.hover, why.focus):
        page.mouse.move(2, 2)
        expect(lit).to_have_count(0)
        point()
        expect(lit).to_have_attribute("aria-label", re.compile(f"^{name},"))
        expect(tip).to_have_text(re.compile(f"^{name},"))


def test_a_drawing_on_a_digit_survives_the_address(open_page: Open) -> None:
    watched = open_page("source=ink&base=sample&sample=3&ink=0a0b1c1d")
    expect(watched.page.locator(".dlx-truth")).to_contain_text("drawn on")
    again = open_page("sample=3")
    changed = "[...d.pass.x].filter((v, k) => v !== arg[k]).length"
    assert 0 < watched.value(changed, again.value("[...d.pass.x]")) < 100


def test_a_unit_walked_through_term_by_term_says_where_the_answer_is(open_page: Open) -> None:
    """One unit's terms give no answer; they take seconds, however few they are."""
    watched = open_page("layer=1&unit=2", reduced_motion="no-preference")
    page = watched.page
    page.get_by_label("Term", exact=True).check(force=True)
    expect(page.locator(".dlx-truth")).to_have_text("One unit alone: step by Layer to the answer.")
    # What passes is written down by the page: a look from outside may come too late for any one step.
    act(
        page,
        """() => { const { store } = document.querySelector('main').explorer;
          window.steps = [];
          store.subscribe(() => {
            const { t } = store.state;
            if (t !== steps.at(-1)?.[0]) steps.push([t, performance.now()]);
          }); }""",
    )
    page.get_by_label("Play", exact=True).click()
    watched.has(t=27)
    expect(page.get_by_label("Play", exact=True)).to_be_visible()
    (_, began), *_, (last, ended) = steady_js(page, "steps")
    assert last == 27
    assert ended - began > 2_000
