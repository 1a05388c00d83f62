"""The offline page in a real browser: what it shows, and that it can be used in every way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import PANELS, Trained, Watched
from support.looking import act, box, eventually_js, expect, fits, steady_js, text

Open = Callable[..., Watched]
STROKE = [(70, 60), (200, 60), (190, 90), (150, 220)]
DIGIT = re.compile(r"^\d$")


def draw(watched: Watched, points: list[tuple[int, int]] = STROKE) -> None:
    """Draw with the mouse, points in CSS pixels of the sheet."""
    page = watched.page
    at = box(page.locator(".dlx-paper"))
    x, y = points[0]
    page.mouse.move(at["x"] + x, at["y"] + y)
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(at["x"] + x, at["y"] + y, steps=4)
    page.mouse.up()
    watched.becomes("app.store.state.ink.length > 8")


def number(shown: str) -> float:
    """A number as the page writes it, with a true minus."""
    return float(shown.replace("−", "-"))


def test_page_opens_from_disk_without_a_request_or_an_error(open_page: Open) -> None:
    watched = open_page(offline=True)
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    for panel in PANELS:
        watched.page.locator(f"[role=tab][data-panel={panel}]").click()
        expect(watched.page.locator(f".dlx-panel[data-panel={panel}]")).not_to_be_empty()
        # Every text has all its values.
        missing = re.compile(r"\{\d\}|undefined|NaN")
        expect(watched.page.locator(".dlx")).not_to_have_text(missing, use_inner_text=True)
    assert watched.errors == []


def test_every_digit_is_read_as_numpy_reads_it(open_page: Open, trained: Trained) -> None:
    watched = open_page()
    watched.set(panel="mistakes")
    expect(watched.page.locator(".dlx-confusion tbody tr")).to_have_count(10)
    table = np.reshape(
        watched.value(
            "[...document.querySelectorAll('.dlx-confusion tbody button')].map("
            "(b) => Number(b.textContent.replace('·', '0')))"
        ),
        (10, 10),
    )
    samples, labels = watched.value(
        "[Array.from({length: 600}, (_, s) => [...d.sample(s)]), [...d.bundle.labels]]"
    )
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels, trained.model(np.array(samples)).argmax(axis=1)), 1)
    assert table.tolist() == expected.tolist()


def test_difference_to_keras_is_measured_and_shown(open_page: Open) -> None:
    watched = open_page()
    watched.becomes("Number(app.root.dataset.difference) < 1e-4")
    expect(watched.page.locator(".dlx-facts")).to_contain_text("matches Keras: largest difference")


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_touch_and_pen_draw_what_the_mouse_draws(open_page: Open, kind: str) -> None:
    """All three send pointer events; Chromium's own touch input is tried in the scrolling test."""
    watched = open_page()
    strokes = {}
    for pointer in ("mouse", kind):
        watched.set(source="ink", ink="")
        act(
            watched.page,
            """([kind, points]) => {
              const paper = document.querySelector('.dlx-paper');
              paper.setPointerCapture = () => {};
              const box = paper.getBoundingClientRect();
              const send = (type, [x, y]) => paper.dispatchEvent(new PointerEvent(type, {
                pointerType: kind, pointerId: 7, isPrimary: true, bubbles: true, button: 0,
                clientX: box.left + x, clientY: box.top + y, pressure: 0.3 }));
              send('pointerdown', points[0]);
              points.slice(1).forEach((p) => send('pointermove', p));
              send('pointerup', points.at(-1));
            }""",
            [pointer, STROKE],
        )
        watched.becomes("app.store.state.ink.length > 8")
        strokes[pointer] = watched.value("[app.store.state.ink, [...d.input.picture.data]]")
    assert strokes["mouse"][0]
    assert strokes["mouse"] == strokes[kind]


def test_page_does_not_scroll_under_a_drawing_finger(open_page: Open) -> None:
    watched = open_page(width=390, height=700, has_touch=True)
    at = box(watched.page.locator(".dlx-paper"))
    session = watched.page.context.new_cdp_session(watched.page)
    x, y = at["x"] + at["width"] / 2, at["y"] + 0.95 * at["height"]
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in range(1, 8):
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * k}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})
    watched.has(source="ink")
    watched.becomes("app.store.state.ink.length > 16")
    eventually_js(watched.page, "scrollY", 0)


def test_keyboard_alone_draws_predicts_opens_a_unit_steps_and_scrubs(open_page: Open) -> None:
    page = (watched := open_page()).page

    def tab_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if steady_js(page, "(s) => document.activeElement.matches(s)", selector):
                # The focus can be seen.
                eventually_js(
                    page,
                    "() => { const at = document.activeElement; const seen = (e) =>"
                    " e && getComputedStyle(e).outlineStyle !== 'none';"
                    " return Boolean(seen(at) || seen(at.nextElementSibling) || seen(at.parentElement)); }",
                )
                return
        raise AssertionError(f"the Tab key does not lead to {selector}")

    tab_to("[role=tab]")
    tab_to(".dlx-paper")
    page.keyboard.press("Space")
    for key, times in (("ArrowRight", 5), ("ArrowDown", 14)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Space")
    watched.has(source="ink")
    expect(page.locator(".dlx-answer")).to_have_text(DIGIT)
    tab_to("[aria-label='One step back']")
    page.keyboard.press("Enter")
    watched.has(t=3)
    tab_to("[aria-label='Position in the forward pass']")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    watched.has(t=1)
    tab_to(".dlx-unit")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    watched.has(layer=1, unit=1)
    expect(page.locator("[data-part=unit] .dlx-h")).to_have_text("L2, unit 1")
    # No trap: the Tab key leads out of the network again.
    tab_to("[aria-label='Terms of the sum']")


def test_keys_that_come_faster_than_frames_are_all_obeyed(open_page: Open) -> None:
    """Two keys in one task: no frame is drawn between them, so the first unit has the focus still."""
    watched = open_page()
    watched.page.locator(".dlx-unit").first.focus()
    press = (
        "(keys) => keys.forEach((key) => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})))"
    )
    act(watched.page, press, ["ArrowRight", "ArrowDown", "ArrowDown"])
    watched.has(layer=1, unit=2)
    expect(watched.page.locator(".dlx-unit:focus")).to_have_attribute(
        "aria-label", re.compile("^L2 unit 2,")
    )
    act(watched.page, press, ["ArrowUp", "ArrowLeft"])
    watched.has(layer=0, unit=2)


def test_focus_stays_in_the_network_when_it_is_laid_out_anew(open_page: Open) -> None:
    watched = open_page()
    watched.page.locator(".dlx-unit").first.focus()
    watched.page.keyboard.press("ArrowDown")
    watched.has(unit=1)
    watched.page.set_viewport_size({"width": 1000, "height": 800})
    expect(watched.page.locator(".dlx-stage")).to_have_css("width", re.compile("^[67]"))
    expect(watched.page.locator(".dlx-unit:focus")).to_have_attribute(
        "aria-label", re.compile("^L1 unit 1,")
    )


@pytest.mark.parametrize("layer, unit", [(0, 3), (0, 24), (1, 7), (2, 9)])
def test_a_units_numbers_add_up_and_what_is_cut_off_is_said(
    open_page: Open, layer: int, unit: int
) -> None:
    watched = open_page(f"layer={layer}&unit={unit}")
    panel = watched.page.locator("[data-part=unit]")
    expect(panel).to_have_attribute("data-z", re.compile("."))
    total, bias, z, a = watched.value(
        "['sum', 'bias', 'z', 'a'].map((n) => Number("
        "document.querySelector('[data-part=unit]').dataset[n]))"
    )
    assert total + bias == pytest.approx(z, abs=1e-9)
    assert a == pytest.approx(z if layer == 2 else max(0, z))
    expect(panel.locator(".dlx-formula").first).to_contain_text(f"{abs(z):.3f}")
    count = [400, 25, 15][layer]
    rest = panel.locator("[data-part=rest]")
    expect(rest).to_have_text(re.compile(f"^{count - 8} more terms, together"))
    cells = panel.locator(".dlx-terms tbody td:nth-child(4)")
    expect(cells).to_have_count(8)
    listed = sum(number(text(cells.nth(k))) for k in range(8))
    remainder = number(re.search(r"together ([+−][\d.]+)", text(rest))[1])
    assert listed + remainder == pytest.approx(total, abs=0.01)
    watched.page.get_by_text("every term").click()
    expect(panel.locator(".dlx-terms tbody tr")).to_have_count(count)


@pytest.mark.parametrize("grain", ["layer", "unit", "term"])
def test_scrubbing_there_and_back_gives_the_same_state(open_page: Open, grain: str) -> None:
    watched = open_page()
    watched.page.get_by_label(grain.capitalize(), exact=True).check(force=True)
    slider = watched.page.get_by_label("Position in the forward pass")
    # The slider has another end now.
    expect(slider).to_have_attribute("max", {"layer": "4", "unit": "51", "term": "402"}[grain])
    slider.fill("7" if grain != "layer" else "2")
    expect(watched.page.get_by_text("judged on")).to_be_visible()
    before = watched.state()
    look = (
        "[document.querySelector('.dlx-stage').innerHTML,"
        " ...[...document.querySelectorAll('canvas')].map((c) => c.toDataURL())]"
    )
    picture = watched.value(look)
    slider.fill("3")
    watched.has(t=3)
    slider.fill("7" if grain != "layer" else "2")
    watched.has(**before)
    watched.becomes(look, picture)
    for label in ("One step on", "One step on", "One step back", "One step back"):
        watched.page.get_by_label(label).click()
    watched.has(**before)


def test_epoch_slider_shows_the_recorded_metrics_and_confusion(
    open_page: Open, trained: Trained
) -> None:
    watched = open_page("panel=training")
    draw(watched)
    ink = watched.state()["ink"]
    samples = np.array(watched.value("Array.from({length: 600}, (_, s) => [...d.sample(s)])"))
    for epoch in (0, 3, 8):
        watched.page.get_by_label("Epoch", exact=True).fill(str(epoch))
        figures = watched.page.locator(".dlx-training table").first
        for name, value in trained.recorder.epochs[epoch].items():
            if name != "epoch":
                line = figures.get_by_role("row").filter(has_text=f"Keras: {name}")
                expect(line).to_contain_text(f"{value:.4f}")
        signal = samples
        arrays = [array.astype(np.float64) for array in trained.recorder.snapshots[epoch]]
        for at in range(0, len(arrays), 2):
            signal = signal @ arrays[at] + arrays[at + 1]
            if at < len(arrays) - 2:
                signal = np.maximum(signal, 0)
        expected = np.zeros((10, 10), int)
        np.add.at(expected, (watched.value("[...d.bundle.labels]"), signal.argmax(axis=1)), 1)
        watched.becomes("d.statistics().confusion", expected.tolist())
        watched.has(ink=ink)


def test_confusion_cell_leads_to_digits_and_to_the_units_responsible(open_page: Open) -> None:
    watched = open_page("panel=mistakes")
    page = watched.page
    expect(page.locator(".dlx-confusion button")).to_have_count(100)
    counts = watched.value(
        "[...document.querySelectorAll('.dlx-confusion button')].map("
        "(b) => parseInt(b.textContent) || 0)"
    )
    assert sum(counts) == 600
    off = [(n, k) for k, n in enumerate(counts) if k // 10 != k % 10]
    most, at = max(off)
    page.locator(".dlx-confusion button").nth(at).click()
    digits = page.locator("[aria-label='Digits of this cell'] button")
    expect(digits).to_have_count(min(most, 24))
    digits.first.click()
    expect(page.locator(".dlx-truth")).to_have_attribute("data-right", "false")
    watched.becomes("[d.label, d.pass.digit]", [at // 10, at % 10])
    page.locator("[data-panel=mistakes] [data-part=blame] button").first.click()
    watched.has(panel="network", layer=1)


def test_gradients_agree_with_differences_and_a_step_lowers_the_loss(open_page: Open) -> None:
    watched = open_page("panel=learning&sample=5&lr=0.01")
    watched.becomes("Number(document.querySelector('[data-part=check]').dataset.difference) < 1e-6")
    watched.page.get_by_text("Take one step").click()
    step = watched.page.locator("[data-part=step]")
    expect(step).to_contain_text("lower")
    watched.becomes(
        "(({before, after}) => Number(after) < Number(before))("
        "document.querySelector('[data-part=step]').dataset)"
    )


def test_prediction_is_spoken_once_when_the_digit_has_settled(open_page: Open) -> None:
    watched = open_page()
    act(
        watched.page,
        """() => { window.spoken = []; window.moves = [];
          document.addEventListener('pointermove', () => moves.push(performance.now()), true);
          new MutationObserver(() => spoken.push(document.querySelector('[data-live]').textContent))
            .observe(document.querySelector('[data-live]'), {childList: true}); }""",
    )
    draw(watched)
    watched.page.wait_for_function("spoken.length > 0")
    watched.set(panel="softmax")
    watched.page.wait_for_function("location.hash.includes('softmax')")
    spoken = steady_js(watched.page, "spoken")
    # On a machine so busy that the mouse rests meanwhile, the digit settles at each rest.
    rests = watched.value("moves.filter((at, i) => i && at - moves[i - 1] > 600).length")
    assert 1 <= len(spoken) <= 1 + rests
    assert re.fullmatch(r"Prediction: \d, \d+\s%\.", spoken[0])


def test_hash_brings_back_the_same_state(open_page: Open) -> None:
    watched = open_page()
    draw(watched)
    watched.set(panel="network", grain="term", t=17, layer=1, unit=3, epoch=2, off="centre")
    watched.page.wait_for_function("location.hash.includes('centre')")
    saved, address = watched.state(), watched.value("location.hash.slice(1)")
    again = open_page(address)
    again.has(**saved)
    again.becomes("[...d.pass.logits]", watched.value("[...d.pass.logits]"))


def test_nonsense_in_the_hash_is_ignored(open_page: Open) -> None:
    watched = open_page(
        "panel=nowhere&sample=999999&layer=-4&unit=1e9&t=NaN&hide=x.y&edits=9_9_9_9&ink=!!"
        "&source=photo&photo=abc"
    )
    expect(watched.page.get_by_text("The picture in this address cannot be read.")).to_be_visible()
    expect(watched.page.locator(".dlx-answer")).to_have_text(DIGIT)
    assert watched.errors == []


@pytest.mark.parametrize("width", [390, 640, 1280])
def test_nothing_scrolls_sideways(open_page: Open, width: int) -> None:
    """640 px is what 200 % zoom leaves of 1280."""
    watched = open_page("other=e1&actual=4&predicted=9", width=width)
    for panel in PANELS:
        watched.page.locator(f"[role=tab][data-panel={panel}]").click()
        expect(watched.page.locator(f".dlx-panel[data-panel={panel}]")).not_to_be_empty()
        fits(watched.page, width)
        # Nor does a table run into what stands beside it.
        eventually_js(
            watched.page,
            "[...document.querySelectorAll('.dlx-panel:not([hidden]) table')].every((table) => {"
            " const [one, two] = [table, table.nextElementSibling].map((e) => e?.getBoundingClientRect());"
            " return !two || two.top >= one.bottom || two.left >= one.right; })",
        )


def test_digit_stays_in_view_while_scrolling(open_page: Open) -> None:
    for width, selector in ((1280, ".dlx-paper"), (390, ".dlx-mini canvas")):
        watched = open_page(width=width, height=720)
        act(watched.page, "scrollTo(0, 500)")
        eventually_js(watched.page, "scrollY > 300")
        at = box(watched.page.locator(selector))
        assert at["y"] >= 0 and at["y"] + at["height"] <= 720


def test_reduced_motion_takes_the_transitions_away(open_page: Open) -> None:
    still = open_page(reduced_motion="reduce").page
    moving = open_page(reduced_motion="no-preference").page
    for page, duration in ((still, re.compile("^0s$")), (moving, re.compile(r"^0\.\d+s$"))):
        expect(page.locator(".dlx-bar-fill").first).to_have_css("transition-duration", duration)


def test_signs_can_be_told_without_colour(open_page: Open) -> None:
    """A negative activation has a dashed border, a negative number its minus."""
    watched = open_page()
    negative = watched.page.locator(".dlx-unit[data-sign='-']").first
    expect(negative).to_have_css("border-style", "dashed")
    expect(watched.page.locator(".dlx-terms")).to_contain_text("−")
    expect(watched.page.locator(".dlx-key")).to_have_text(re.compile("^positive"))


def test_first_look_says_why_the_answer_is_what_it_is(open_page: Open) -> None:
    """The units that made the lead are on the first screen; one click opens their arithmetic."""
    watched = open_page()
    blame = watched.page.locator("[data-panel=network] [data-part=blame]")
    at = box(blame)
    assert at["y"] + at["height"] <= 800
    digit, rival = watched.value(
        "[...d.pass.logits.keys()].sort((a, b) => d.pass.logits[b] - d.pass.logits[a])"
    )[:2]
    expect(blame.locator(".dlx-h")).to_have_text(f"Why {digit} and not {rival}?")
    pushes = watched.value(
        "(() => { const {weights, units} = d.layers[2]; return [...d.pass.a[1]].map((a, j) =>"
        " a * (weights[j * units + arg[0]] - weights[j * units + arg[1]])); })()",
        [digit, rival],
    )
    shown = number(text(blame.locator(".dlx-num").first))
    assert shown == pytest.approx(max(pushes), abs=6e-4)
    # What is said adds up to the lead: what spoke for it, what spoke most against it, and the others.
    said = "[...document.querySelectorAll('[data-panel=network] .dlx-pushes .dlx-num')]"
    *shares, rest, lead = map(number, watched.value(f"{said}.map((e) => e.textContent)"))
    assert shares[-1] == pytest.approx(min(0, *pushes), abs=6e-4)
    logits = watched.value("[...d.pass.logits]")
    assert lead == pytest.approx(logits[digit] - logits[rival], abs=6e-4)
    assert sum(shares) + rest == pytest.approx(lead, abs=0.004)
    blame.get_by_role("button").first.click()
    watched.has(layer=1, unit=int(np.argmax(pushes)))
    # While the pass is on its way there is no answer to explain.
    watched.page.get_by_label("One step back").click()
    expect(blame).to_be_hidden()


def test_why_shows_the_ink_that_spoke_for_the_answer(open_page: Open, trained: Trained) -> None:
    """Each pixel times its slope: with the biases' part they add up to what the answer is ahead by."""
    watched = open_page()
    blame = watched.page.locator("[data-panel=network] [data-part=blame]")
    digit, rival = watched.value(
        "[...d.pass.logits.keys()].sort((a, b) => d.pass.logits[b] - d.pass.logits[a])"
    )[:2]
    expect(blame.locator(".dlx-legend")).to_contain_text(f"ink that speaks for {digit}")
    label = f"Ink that speaks for {digit}, filled, and for {rival}, hollow"
    expect(blame.get_by_role("img", name=label)).to_be_visible()
    blame.get_by_text("As a table").click()
    expect(blame.locator("tbody tr")).to_have_count(400)
    x, shown = np.array(
        watched.value(
            "[...document.querySelectorAll('[data-panel=network] [data-part=blame] tbody tr')].map("
            "(line) => [...line.querySelectorAll('td')].map((e) => Number(e.textContent.replace('−', '-'))))"
        )
    ).T
    w1, b1, w2, b2, w3, _ = trained.model.get_weights()
    exact = np.array(watched.value("[...d.pass.x]"))
    assert np.abs(x - exact).max() < 6e-4
    hidden = np.maximum(exact @ w1 + b1, 0)
    slope = (w3[:, digit] - w3[:, rival]) * (hidden @ w2 + b2 > 0)
    expected = exact * (w1 @ ((w2 @ slope) * (hidden > 0)))
    assert np.abs(shown - expected).max() < 6e-4
    assert expected.max() > 0.01, "some ink speaks for it"


def test_questions_reveal_after_an_answer_and_keep_it(open_page: Open) -> None:
    watched = open_page("panel=questions")
    question = watched.page.locator("[data-question=shift]")
    expect(question.locator(".dlx-reveal")).to_have_text("")
    question.get_by_label("They stay").check()
    expect(question.locator(".dlx-reveal")).to_contain_text("Right.")
    watched.has(quiz="shift_0")


def test_an_answer_stays_what_it_was_when_another_digit_comes(open_page: Open) -> None:
    watched = open_page("panel=questions")
    question = watched.page.locator("[data-question=zeros]")
    question.locator("input").first.check()
    reveal = question.locator(".dlx-reveal")
    expect(reveal).not_to_have_text("")
    told = text(reveal)
    before = watched.value("d.inputKey")
    for digit in (3, 8):
        watched.page.get_by_label(f"Show a {digit} from the data").click()
        watched.becomes("d.inputKey !== arg", argument=before)
        expect(reveal).to_have_text(told)
    watched.page.get_by_role("button", name="Ask again").click()
    expect(reveal).to_have_text("")


def test_compare_names_the_epoch_that_is_looked_at_and_offers_the_finished_model(
    open_page: Open,
) -> None:
    watched = open_page("panel=compare&epoch=2")
    heads = watched.page.locator("[data-part=versus] thead")
    expect(heads).to_contain_text("after epoch 2")
    name = watched.value("d.model.name")
    choices = watched.page.get_by_label("Compare with").locator("option")
    expect(choices.filter(has_text=name).first).to_be_attached()
    watched.set(epoch=-1)
    expect(heads).not_to_contain_text("after epoch 2")


def test_the_end_of_the_tour_puts_the_network_back(open_page: Open) -> None:
    watched = open_page("epoch=3")
    watched.page.get_by_text("Take the tour").click()
    stops = watched.value("d.bundle.tour.length")
    for stop in range(stops):
        expect(watched.page.locator(".dlx-tour")).to_contain_text(f"{stop + 1} of {stops}")
        if watched.value("d.state.epoch") == 0:
            break
        watched.page.locator(".dlx-tour [data-main]").click()
    watched.page.get_by_role("button", name="End the tour").click()
    watched.has(epoch=3, t=-1)


def test_what_a_tile_shows_is_said(open_page: Open) -> None:
    network = open_page().page.locator(".dlx-panel[data-panel=network]")
    expect(network).to_contain_text("Each tile: a unit's weights, and its value as a bar.")


def test_terms_that_were_added_before_those_shown_are_said(open_page: Open) -> None:
    watched = open_page("grain=term&t=20&order=size")
    rest = watched.page.locator("[data-part=rest]")
    expect(rest).to_contain_text("12 earlier terms add up to")


def test_leaving_out_a_stage_puts_the_digit_on_paper_and_changes_the_input(open_page: Open) -> None:
    watched = open_page("panel=input")
    watched.page.locator(".dlx-card", has_text="centre").get_by_role("checkbox").uncheck()
    watched.becomes("[d.input.picture?.rows, d.input.picture?.cols]", [112, 112])
    image = np.array(watched.value("[...d.image]")).reshape(20, 20)
    assert image[:14, :14].sum() > 0.9 * image.sum()
    expect(watched.page.locator("[data-part=outcome]")).to_contain_text("With every stage")
    expect(watched.page.locator(".dlx-truth")).to_contain_text("without centre")
    watched.page.wait_for_function("location.hash.includes('centre')")
    again = open_page(watched.value("location.hash.slice(1)"))
    again.becomes("[...d.image]", watched.value("[...d.image]"))


def test_hiding_pixels_takes_them_from_the_network(open_page: Open) -> None:
    watched = open_page()
    before = watched.value("[...d.pass.logits]")
    watched.page.get_by_label("Hide").check(force=True)
    at = box(watched.page.locator(".dlx-paper"))
    watched.page.mouse.click(at["x"] + 140, at["y"] + 140)
    watched.becomes("d.input.hidden.size > 0")
    watched.has(source="sample")
    watched.becomes("String([...d.pass.logits]) !== String(arg)", argument=before)
    watched.becomes("[...d.input.hidden].every((k) => d.pass.x[k] === 0)")


def test_a_changed_weight_changes_every_number_after_it(open_page: Open) -> None:
    watched = open_page()
    z = "document.querySelector('[data-part=unit]').dataset.z"
    before = watched.value(z)
    watched.page.locator("[data-part=grip] input").fill("2")
    expect(watched.page.get_by_text("changed by hand")).to_be_visible()
    watched.becomes(f"{z} !== arg", argument=before)


def test_a_picture_from_a_file_is_read(open_page: Open) -> None:
    from standin import ROOT

    watched = open_page()
    photo = ROOT / "Data" / "handwriting" / "photo_01.png"
    watched.page.locator("input[type=file]").set_input_files(photo)
    watched.has(source="photo")
    expect(watched.page.get_by_text("your picture")).to_be_visible()
    # The address holds the picture, and is short enough to be sent.
    watched.page.wait_for_function("location.hash.includes('photo=')")
    address = watched.value("location.hash.slice(1)")
    assert len(address) < 12_000
    again = open_page(address)
    expect(again.page.get_by_text("your picture")).to_be_visible()
    pixels = "d.input.picture.data.reduce((sum, v, k) => (31 * sum + v) % 1000003, 7)"
    for looked in ("d.input.picture.data.length", pixels, "[...d.pass.logits]"):
        again.becomes(looked, watched.value(looked))
    # Another digit is looked at: the picture leaves the address again.
    again.page.get_by_label("Show a 3 from the data").click()
    again.page.wait_for_function("!location.hash.includes('photo')")
    assert again.errors == []
    watched.page.locator("input[type=file]").set_input_files(ROOT / "pyproject.toml")
    refusal = watched.page.get_by_text("is not a picture that this browser can read")
    expect(refusal).to_be_visible()
    watched.has(source="photo")


@pytest.mark.parametrize("width", [1280, 390])
def test_tour_has_at_most_eight_stops_and_each_points_at_something_in_view(
    open_page: Open, width: int
) -> None:
    watched = open_page(width=width)
    watched.page.get_by_text("Take the tour").click()
    stops = watched.value("d.bundle.tour.length")
    assert stops <= 8
    for stop in range(stops):
        watched.page.locator(".dlx-tour").get_by_text(f"{stop + 1} of {stops}").wait_for()
        eventually_js(
            watched.page,
            "(() => { const [target, text] = ['[data-pointed]', '.dlx-tour'].map((s) =>"
            " document.querySelector(s).getBoundingClientRect());"
            " return target.top < innerHeight - 80 && target.bottom > text.bottom && text.top >= 0"
            " && text.bottom <= innerHeight; })()",
        )
        watched.page.locator(".dlx-tour [data-main]").click()
    expect(watched.page.locator("[data-pointed]")).to_have_count(0)
    assert watched.errors == []


def test_broken_data_gives_a_sentence(open_page: Open, page_file: Any, tmp_path: Any) -> None:
    text = page_file.read_text()
    data = re.search(r"data-digits-bundle>([^<]+)<", text)[1]
    for name, broken in (("cut", data[: len(data) // 2]), ("empty", ""), ("foreign", "aGVsbG8=")):
        file = tmp_path / f"{name}.html"
        file.write_text(text.replace(data, broken))
        watched = open_page(file=file)
        said = watched.page.locator("[role=alert]")
        expect(said).to_have_text(re.compile(r"The explorer cannot be shown\.[^{}]*data[^{}]*\.$"))
