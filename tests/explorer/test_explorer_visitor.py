"""What a first-time visitor looks for: the way to what a question claims, back from a stroke, to a weight."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import standin
from conftest import Trained, Watched
from support.looking import box, eventually_js, expect, text

from explorer import Explorer

Open = Callable[..., Watched]


def number(shown: str) -> float:
    """A number as the page writes it, with a true minus."""
    return float(shown.replace("−", "-"))


def stroke(watched: Watched) -> None:
    """Draw a line on the sheet."""
    at = box(watched.page.locator(".dlx-paper"))
    watched.page.mouse.move(at["x"] + 40, at["y"] + 40)
    watched.page.mouse.down()
    watched.page.mouse.move(at["x"] + 120, at["y"] + 60, steps=4)
    watched.page.mouse.up()
    watched.has(source="ink")


SEEN = {
    "zeros": {"panel": "network", "t": -1},
    "corner": {"panel": "input", "off": "centre"},
    "shift": {"panel": "softmax", "plus": 100, "shift": 1},
    "step": {"panel": "learning", "lr": 0.1, "steps": 1},
    "hardest": {"panel": "mistakes"},
    "halfway": {"panel": "training"},
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("question", SEEN)
def test_what_a_question_claims_is_shown_where_one_asks_to_see_it(
    open_page: Open, question: str, width: int
) -> None:
    """The digit and the network it was asked of, its situation set up, what is meant marked."""
    watched = open_page("panel=questions&sample=4", width=width, height=844)
    asked = watched.page.locator(f"[data-question={question}]")
    asked.locator("input").first.check()
    reveal = asked.locator(".dlx-reveal")
    why = re.sub(r"^(Right\.|“.*” is not so; “.*” is\.)|See it$", "", text(reveal)).strip()
    # Meanwhile another digit and another epoch are looked at.
    watched.set(sample=9, epoch=2)
    asked.get_by_role("button", name="See it").click()
    watched.has(sample=4, **SEEN[question])
    watched.has(epoch=-1) if question != "halfway" else watched.becomes("app.store.state.epoch > 0")
    claim, marked = watched.page.locator(".dlx-seen"), watched.page.locator("[data-seen]")
    expect(claim).to_contain_text(why)
    expect(claim).to_be_in_viewport(ratio=1)
    expect(marked.first).to_be_in_viewport()
    over, under = box(claim), box(marked.first)
    assert over["y"] + over["height"] <= under["y"], "what is claimed lies above what shows it"
    if question == "zeros":
        expect(marked).to_have_count(watched.value("d.pass.a[0].filter((a) => a === 0).length"))
    if question == "corner":
        reading = re.search(r"It reads (\d \([\d.]+\s%\))", why)[1]
        expect(marked).to_contain_text(f"Now: {reading}")
    if question == "step":
        before, after = re.search(r"From ([\d.]+) to ([\d.]+)", why).groups()
        watched.becomes(
            "Number(document.querySelector('[data-seen]').dataset.before).toFixed(4)", before
        )
        watched.becomes(
            "Number(document.querySelector('[data-seen]').dataset.after).toFixed(4)", after
        )
    if question == "hardest":
        hardest = re.match(r"\d", why)[0]
        expect(marked.get_by_role("rowheader")).to_have_text(hardest)
        watched.has(actual=int(hardest))
    if question == "halfway":
        epoch = re.search(r"epoch (\d+)", why)[1]
        expect(marked.first).to_contain_text(f"after epoch {epoch} of")
        expect(marked.last).to_contain_text(re.search(r"at ([\d.]+) then", why)[1])
    # The way back puts everything back, and the focus where it was.
    watched.page.get_by_role("button", name="Back to the questions").click()
    expect(reveal).to_contain_text(why)
    expect(marked).to_have_count(0)
    watched.has(panel="questions", sample=9, epoch=2, off="", plus=0, steps=0)
    expect(asked.get_by_role("button", name="See it")).to_be_focused()


def test_a_mark_goes_when_another_digit_is_looked_at(open_page: Open) -> None:
    watched = open_page("panel=questions&quiz=zeros_1")
    watched.page.get_by_role("button", name="See it").click()
    expect(watched.page.locator("[data-seen]").first).to_be_visible()
    watched.page.get_by_label("Show a 3 from the data").click()
    expect(watched.page.locator("[data-seen]")).to_have_count(0)
    expect(watched.page.locator(".dlx-seen")).to_be_hidden()


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


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_weight_to_change_is_chosen_in_the_table(open_page: Open, by: str) -> None:
    watched = open_page("layer=1&unit=2")
    page = watched.page
    lines = page.locator(".dlx-terms tbody tr")
    weights = lines.get_by_role("button")
    expect(weights).to_have_count(8)
    name = text(lines.nth(3).locator("th"))
    if by == "mouse":
        weights.nth(3).click()
    else:
        weights.first.focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        expect(weights.nth(3)).to_be_focused()
        page.keyboard.press("Enter")
    grip = page.locator("[data-part=grip]")
    expect(grip).to_contain_text(f"Weight from {name}")
    slider = grip.locator("input")
    expect(slider).to_be_focused()
    expect(slider).to_be_in_viewport()
    held = lines.filter(has=page.locator("button[aria-pressed=true]")).locator("th")
    expect(held).to_have_text(name)
    page.keyboard.press("ArrowRight")
    watched.becomes("app.store.state.edits.startsWith('1_')")
    # The line that is held is still the same one, wherever its size has moved it.
    expect(grip).to_contain_text(f"Weight from {name}")
    expect(held).to_have_text(name)


@pytest.mark.parametrize("width", [1280, 390])
def test_units_are_numbered(open_page: Open, width: int) -> None:
    watched = open_page("layer=1&unit=11", width=width)
    numbers = watched.page.locator(".dlx-unit > .dlx-no")
    # The last layer's have their class and its probability beside them.
    expect(numbers).to_have_text([*map(str, range(25)), *map(str, range(15))])
    for at in (0, 24, 36):
        expect(numbers.nth(at)).to_be_visible()
    eventually_js(
        watched.page,
        "[...document.querySelectorAll('.dlx-no')].every((e) =>"
        " parseFloat(getComputedStyle(e).fontSize) >= 10 && e.scrollWidth <= e.clientWidth + 1"
        " && e.getBoundingClientRect().width <= 0.8 * e.parentElement.getBoundingClientRect().width)",
    )


def test_a_number_too_large_for_its_unit_is_shown_on_the_open_one_alone(
    open_page: Open, trained: Trained, tmp_path: Path
) -> None:
    model = standin.make_model((300, 10))
    file = Explorer(model, trained.X[:20], trained.y[:20]).save_html(tmp_path / "wide.html")
    watched = open_page("layer=0&unit=120", width=390, file=file)
    numbers = watched.page.locator(".dlx-unit > .dlx-no:visible")
    expect(numbers).to_have_text(["120"])


def test_what_is_named_under_why_outweighs_the_others(
    open_page: Open, trained: Trained, tmp_path: Path
) -> None:
    """Ten units that all speak as loud for one answer: five are half of it."""
    model = standin.make_model((10, 10))
    speaks = np.zeros((10, 10))
    speaks[:, 3] = 1
    model.layers[0].set_weights([np.full((400, 10), 0.01), np.zeros(10)])
    model.layers[1].set_weights([speaks, np.zeros(10)])
    file = Explorer(model, trained.X[:20], trained.y[:20]).save_html(tmp_path / "alike.html")
    blame = open_page(file=file).page.locator("[data-panel=network] [data-part=blame]")
    expect(blame.get_by_role("button")).to_have_count(5)
    *named, others, lead = (number(text(blame.locator(".dlx-num").nth(k))) for k in range(7))
    assert sum(named) == pytest.approx(others, abs=0.003)
    assert sum(named) + others == pytest.approx(lead, abs=0.006)
    expect(blame).not_to_contain_text("they weigh more")


def test_others_that_weigh_more_than_all_that_have_room_are_said(
    open_page: Open, trained: Trained, tmp_path: Path
) -> None:
    """Hundreds of pixels, each of the same small weight."""
    model = standin.make_model((10,))
    weights = np.zeros((400, 10))
    weights[:, 3] = 0.01
    model.layers[0].set_weights([weights, np.zeros(10)])
    file = Explorer(model, trained.X[:20], trained.y[:20]).save_html(tmp_path / "even.html")
    blame = open_page(file=file).page.locator("[data-panel=network] [data-part=blame]")
    expect(blame).to_contain_text("The others are small, but together they weigh more")


#: What each stop of the tour speaks of, in its own order.
ASKED = [
    [".dlx-paper", ".dlx-picks", ".dlx-bars"],
    ["[aria-label=Play]", "[aria-label='Position in the forward pass']", ".dlx-unit"],
    ["[data-part=unit] .dlx-h", ".dlx-pictures canvas"],
    ["[data-part=formula]", "[data-part=formula] + .dlx-formula"],
    ["[data-panel=softmax] .dlx-seg", "[data-panel=softmax] .dlx-check", ".dlx-softmax thead"],
    ["[data-part=epochs] input"],
    [".dlx-confusion caption", ".dlx-confusion tbody tr:nth-child(4)"],
    [".dlx-card"],
]


@pytest.mark.parametrize("height", [844, 667])
def test_the_tours_card_does_not_cover_what_it_speaks_of_on_a_phone(
    open_page: Open, height: int
) -> None:
    watched = open_page(width=390, height=height)
    watched.page.get_by_text("Take the tour").click()
    card = watched.page.locator(".dlx-tour")
    for stop, asked in enumerate(ASKED):
        expect(card).to_contain_text(f"{stop + 1} of {len(ASKED)}")
        for selector in asked:
            # What is found in the middle of it is itself.
            eventually_js(
                watched.page,
                "(s) => { const e = [...document.querySelectorAll(s)].find((e) => e.checkVisibility());"
                " const {left, top, width, height} = e.getBoundingClientRect();"
                " const found = document.elementFromPoint(left + width / 2, top + height / 2);"
                " return Boolean(found && !found.closest('.dlx-tour')"
                " && (e.contains(found) || found.contains(e))); }",
                argument=selector,
            )
        card.locator("[data-main]").click()
    assert watched.errors == []


def test_a_unit_can_be_turned_off_and_on_again(open_page: Open) -> None:
    watched = open_page("layer=1&unit=13")
    page = watched.page
    before = watched.value("[...d.pass.logits]")
    told = watched.value("`${d.pass.digit} (${(100 * d.pass.share).toFixed(1)}`")
    switch = page.get_by_label("This unit is on")
    expect(switch).to_be_checked()
    switch.uncheck()
    watched.has(silent="1_13")
    watched.becomes("d.pass.a[1][13]", 0)
    # The logits are those of a network whose unit adds nothing.
    watched.becomes(
        "(() => { const {weights, bias, units} = d.layers[2]; return Array.from(bias, (b, k) =>"
        " d.pass.a[1].reduce((sum, a, j) => sum + (j === 13 ? 0 : a * weights[j * units + k]), b))"
        ".every((z, k) => Math.abs(z - d.pass.logits[k]) < 1e-6); })()"
    )
    unit = page.locator("[data-part=unit]")
    now = watched.value("`${d.pass.digit} (${(100 * d.pass.share).toFixed(1)}`")
    said = unit.locator("[data-part=silent]")
    expect(said).to_contain_text(f"With it off the network says {now}")
    expect(said).to_contain_text(f"with it on, {told}")
    expect(unit.locator(".dlx-formula").nth(1)).to_contain_text("turned off: a = 0")
    expect(page.get_by_role("button", name=re.compile("^L2 unit 13,.*turned off"))).to_be_visible()
    # The address keeps it; above the panels it is said, and taken back.
    page.wait_for_function("location.hash.includes('silent=1_13')")
    again = open_page(watched.value("location.hash.slice(1)"))
    again.becomes("d.pass.a[1][13]", 0)
    note = page.locator(".dlx-notice", has_text="turned off: L2 unit 13")
    expect(note).to_be_visible()
    switch.check()
    expect(note).to_be_hidden()
    watched.becomes("[...d.pass.logits]", before)
    switch.uncheck()
    note.get_by_role("button").click()
    watched.has(silent="")
    expect(switch).to_be_checked()


def test_an_answer_cannot_be_turned_off_and_nonsense_turns_nothing_off(open_page: Open) -> None:
    watched = open_page("layer=2&unit=3&silent=2_3~9_9~x_y~0_999")
    before = open_page()
    watched.becomes("[...d.pass.logits]", before.value("[...d.pass.logits]"))
    expect(watched.page.get_by_label("This unit is on")).to_be_hidden()
    assert watched.errors == []


@pytest.mark.parametrize("width", [1280, 390])
def test_from_a_unit_there_is_a_way_back_to_why(open_page: Open, width: int) -> None:
    watched = open_page(width=width, height=800)
    page = watched.page
    page.get_by_role("button", name=re.compile("^L2 unit 3,")).click()
    formula = page.locator("[data-part=formula]")
    heading = page.locator("[data-panel=network] .dlx-blame .dlx-h")
    expect(formula).to_be_in_viewport()
    why = text(heading)
    back = page.locator("[data-part=unit]").get_by_role("button", name=why)
    back.click()
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport(ratio=1)
    # While the answer is not there, there is no why to go back to.
    watched.set(t=1)
    expect(back).to_be_hidden()


def test_the_difference_of_two_logits_is_tied_to_their_shares(open_page: Open) -> None:
    watched = open_page("panel=softmax")
    said = watched.page.locator("[data-part=tie]")
    for sample in (0, 12):
        watched.set(sample=sample)
        z, p = (
            np.array(watched.value(f"[...d.pass.{name}]")) for name in ("logits", "probabilities")
        )
        two, one = np.argsort(z)[-2:]
        lead = z[one] - z[two]
        expect(said).to_contain_text(f"The logit of {one} is {lead:.3f} above that of {two}.")
        if np.exp(lead) < 1000:
            expect(said).to_contain_text(f"exp({lead:.3f}) = {np.exp(lead):.3f} times")
        expect(said).to_contain_text(f"= {100 * p[one]:.3f}\u00a0% of the whole")
        assert p[two] == pytest.approx(p[one] / np.exp(lead))
    # Where the sum overflows there are no shares to tie anything to.
    watched.set(plus=1000, shift=0)
    expect(said).to_be_hidden()
