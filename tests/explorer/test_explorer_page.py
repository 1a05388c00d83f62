"""The offline page in a real browser: what it shows, and that it can be used in every way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Trained, Watched

Open = Callable[..., Watched]
STROKE = [(70, 60), (200, 60), (190, 90), (150, 220)]


def draw(page: Any, points: list[tuple[int, int]] = STROKE) -> None:
    """Draw with the mouse, points in CSS pixels of the sheet."""
    box = page.locator(".dlx-paper").bounding_box()
    x, y = points[0]
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.wait_for_function("document.querySelector('main').explorer.store.state.ink.length > 8")


def test_page_opens_from_disk_without_a_request_or_an_error(open_page: Open) -> None:
    watched = open_page(offline=True)
    assert watched.page.locator(".dlx-answer").inner_text() in "0123456789"
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    for panel in watched.page.locator("[role=tab]").all():
        panel.click()
        watched.set()
        # Every text has all its values.
        assert not re.search(r"\{\d\}|undefined|NaN", watched.page.locator(".dlx").inner_text())
    assert watched.errors == []


def test_every_digit_is_read_as_numpy_reads_it(open_page: Open, trained: Trained) -> None:
    watched = open_page()
    watched.set(panel="mistakes")
    table = np.array(
        [
            [int(cell.replace("·", "0")) for cell in row]
            for row in watched.page.eval_on_selector_all(
                ".dlx-confusion tbody tr",
                "rows => rows.map(r => [...r.querySelectorAll('button')].map(b => b.textContent))",
            )
        ]
    )
    samples, labels = watched.js(
        "[Array.from({length: 600}, (_, s) => [...d.sample(s)]), [...d.bundle.labels]]"
    )
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels, trained.model(np.array(samples)).argmax(axis=1)), 1)
    assert table.tolist() == expected.tolist()


def test_difference_to_keras_is_measured_and_shown(open_page: Open) -> None:
    watched = open_page()
    assert float(watched.page.locator(".dlx").get_attribute("data-difference")) < 1e-4
    assert "matches Keras: largest difference" in watched.page.locator(".dlx-facts").inner_text()


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_touch_and_pen_draw_what_the_mouse_draws(open_page: Open, kind: str) -> None:
    """All three send pointer events; Chromium's own touch input is tried in the scrolling test."""
    watched = open_page()
    strokes = {}
    for pointer in ("mouse", kind):
        watched.set(source="ink", ink="")
        watched.page.evaluate(
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
        strokes[pointer] = watched.js("[app.store.state.ink, [...d.input.picture.data]]")
    assert strokes["mouse"][0]
    assert strokes["mouse"] == strokes[kind]


def test_page_does_not_scroll_under_a_drawing_finger(open_page: Open) -> None:
    watched = open_page(width=390, height=700, has_touch=True)
    box = watched.page.locator(".dlx-paper").bounding_box()
    session = watched.page.context.new_cdp_session(watched.page)
    x, y = box["x"] + 100, box["y"] + 200
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in range(1, 8):
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * k}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})
    assert watched.page.evaluate("scrollY") == 0
    assert watched.state()["source"] == "ink"
    assert len(watched.state()["ink"]) > 16


def test_keyboard_alone_draws_predicts_opens_a_unit_steps_and_scrubs(open_page: Open) -> None:
    page = (watched := open_page()).page

    def tab_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                outline = page.evaluate(
                    "() => { const at = document.activeElement; const seen = (e) =>"
                    " e && getComputedStyle(e).outlineStyle !== 'none';"
                    " return seen(at) || seen(at.nextElementSibling) || seen(at.parentElement); }"
                )
                assert outline, f"the focus on {selector} cannot be seen"
                return
        raise AssertionError(f"the Tab key does not lead to {selector}")

    tab_to(".dlx-paper")
    page.keyboard.press("Space")
    for key, times in (("ArrowRight", 5), ("ArrowDown", 14)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Space")
    assert watched.state()["source"] == "ink"
    watched.set()
    assert page.locator(".dlx-answer").inner_text() in list("0123456789")
    tab_to("[role=tab]")
    tab_to("[aria-label='One step back']")
    page.keyboard.press("Enter")
    assert watched.state()["t"] == 3
    tab_to("[aria-label='Position in the forward pass']")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert watched.state()["t"] == 1
    tab_to(".dlx-unit")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert (watched.state()["layer"], watched.state()["unit"]) == (1, 1)
    page.locator("[data-part=unit] .dlx-h", has_text="L2, unit 1").wait_for()
    # No trap: the Tab key leads out of the network again.
    tab_to("[aria-label='Terms of the sum']")


@pytest.mark.parametrize("layer, unit", [(0, 3), (0, 24), (1, 7), (2, 9)])
def test_a_units_numbers_add_up_and_what_is_cut_off_is_said(
    open_page: Open, layer: int, unit: int
) -> None:
    watched = open_page(f"layer={layer}&unit={unit}")
    panel = watched.page.locator("[data-part=unit]")
    total, bias, z, a = (float(panel.get_attribute(f"data-{n}")) for n in ("sum", "bias", "z", "a"))
    assert total + bias == pytest.approx(z, abs=1e-9)
    assert a == pytest.approx(z if layer == 2 else max(0, z))
    shown = f"{abs(z):.3f}"
    assert shown in panel.locator(".dlx-formula").first.inner_text()
    rest = panel.locator("[data-part=rest]").inner_text()
    count = [400, 25, 15][layer]
    assert rest.startswith(f"{count - 8} more terms, together")
    cells = panel.locator(".dlx-terms tbody td:nth-child(4)").all_inner_texts()
    listed = sum(float(text.replace("−", "-")) for text in cells)
    remainder = float(re.search(r"together ([+−][\d.]+)", rest)[1].replace("−", "-"))
    assert listed + remainder == pytest.approx(total, abs=0.01)
    watched.page.get_by_text("every term").click()
    watched.page.wait_for_function(
        "n => document.querySelectorAll('.dlx-terms tbody tr').length === n", arg=count
    )


@pytest.mark.parametrize("grain", ["layer", "unit", "term"])
def test_scrubbing_there_and_back_gives_the_same_state(open_page: Open, grain: str) -> None:
    watched = open_page()
    watched.page.get_by_label(grain.capitalize(), exact=True).check(force=True)
    watched.set()  # the slider's end is another one now
    slider = watched.page.get_by_label("Position in the forward pass")
    slider.fill("7" if grain != "layer" else "2")
    before = watched.state()
    watched.page.get_by_text("judged on").wait_for()
    watched.set()
    look = (
        "[document.querySelector('.dlx-stage').innerHTML,"
        " ...[...document.querySelectorAll('canvas')].map((c) => c.toDataURL())]"
    )
    picture = watched.js(look)
    slider.fill("3")
    assert watched.state() != before
    slider.fill("7" if grain != "layer" else "2")
    assert watched.state() == before
    watched.set()
    assert watched.js(look) == picture
    for label in ("One step on", "One step on", "One step back", "One step back"):
        watched.page.get_by_label(label).click()
    assert watched.state() == before


def test_epoch_slider_shows_the_recorded_metrics_and_confusion(
    open_page: Open, trained: Trained
) -> None:
    watched = open_page("panel=training")
    draw(watched.page)
    ink = watched.state()["ink"]
    samples = np.array(watched.js("Array.from({length: 600}, (_, s) => [...d.sample(s)])"))
    for epoch in (0, 3, 8):
        watched.page.get_by_label("Epoch", exact=True).fill(str(epoch))
        watched.set()
        text = watched.page.locator(".dlx-training table").first.inner_text()
        for name, value in trained.recorder.epochs[epoch].items():
            if name != "epoch":
                assert f"Keras: {name}\t{value:.4f}" in text
        signal = samples
        arrays = [array.astype(np.float64) for array in trained.recorder.snapshots[epoch]]
        for at in range(0, len(arrays), 2):
            signal = signal @ arrays[at] + arrays[at + 1]
            if at < len(arrays) - 2:
                signal = np.maximum(signal, 0)
        expected = np.zeros((10, 10), int)
        np.add.at(expected, (watched.js("[...d.bundle.labels]"), signal.argmax(axis=1)), 1)
        assert watched.js("d.statistics().confusion") == expected.tolist()
        assert watched.state()["ink"] == ink


def test_confusion_cell_leads_to_digits_and_to_the_units_responsible(open_page: Open) -> None:
    watched = open_page("panel=mistakes")
    page = watched.page
    counts = page.eval_on_selector_all(
        ".dlx-confusion button", "all => all.map(b => parseInt(b.textContent) || 0)"
    )
    assert sum(counts) == 600
    off = [(n, k) for k, n in enumerate(counts) if k // 10 != k % 10]
    most, at = max(off)
    page.locator(".dlx-confusion button").nth(at).click()
    page.locator("[aria-label='Digits of this cell'] button").first.wait_for()
    assert page.locator("[aria-label='Digits of this cell'] button").count() == min(most, 24)
    page.locator("[aria-label='Digits of this cell'] button").first.click()
    page.wait_for_function("document.querySelector('.dlx-truth').dataset.right === 'false'")
    assert watched.js("[d.label, d.pass.digit]") == [at // 10, at % 10]
    page.locator("[data-part=blame] button").first.click()
    assert watched.state()["panel"] == "network"
    assert watched.state()["layer"] == 1


def test_gradients_agree_with_differences_and_a_step_lowers_the_loss(open_page: Open) -> None:
    watched = open_page("panel=learning&sample=5&lr=0.01")
    assert float(watched.page.locator("[data-part=check]").get_attribute("data-difference")) < 1e-6
    watched.page.get_by_text("Take one step").click()
    step = watched.page.locator("[data-part=step]")
    step.get_by_text("lower").wait_for()
    before, after = (float(step.get_attribute(f"data-{k}")) for k in ("before", "after"))
    assert after < before


def test_prediction_is_spoken_once_when_the_digit_has_settled(open_page: Open) -> None:
    watched = open_page()
    watched.page.evaluate(
        """() => { window.spoken = [];
          new MutationObserver(() => spoken.push(document.querySelector('[data-live]').textContent))
            .observe(document.querySelector('[data-live]'), {childList: true}); }"""
    )
    draw(watched.page)
    watched.page.wait_for_function("spoken.length > 0")
    watched.set(panel="softmax")
    watched.page.wait_for_function("location.hash.includes('softmax')")
    spoken = watched.page.evaluate("spoken")
    assert len(spoken) == 1
    assert re.fullmatch(r"Prediction: \d, \d+ %\.", spoken[0])


def test_hash_brings_back_the_same_state(open_page: Open) -> None:
    watched = open_page()
    draw(watched.page)
    watched.set(panel="network", grain="term", t=17, layer=1, unit=3, epoch=2, off="centre")
    watched.page.wait_for_function("location.hash.includes('centre')")
    saved, address = watched.state(), watched.page.evaluate("location.hash.slice(1)")
    again = open_page(address)
    assert again.state() == saved
    assert again.js("[...d.pass.logits]") == watched.js("[...d.pass.logits]")


def test_nonsense_in_the_hash_is_ignored(open_page: Open) -> None:
    watched = open_page(
        "panel=nowhere&sample=999999&layer=-4&unit=1e9&t=NaN&hide=x.y&edits=9_9_9_9&ink=!!"
        "&source=photo&photo=abc"
    )
    watched.page.get_by_text("The picture in this address cannot be read.").wait_for()
    assert watched.errors == []
    assert watched.page.locator(".dlx-answer").inner_text() in "0123456789"


@pytest.mark.parametrize("width", [390, 640, 1280])
def test_nothing_scrolls_sideways(open_page: Open, width: int) -> None:
    """640 px is what 200 % zoom leaves of 1280."""
    watched = open_page("other=e1&actual=4&predicted=9", width=width)
    for panel in watched.page.locator("[role=tab]").all():
        panel.click()
        watched.set()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        # Nor does a table run into what stands beside it.
        assert watched.page.evaluate(
            "[...document.querySelectorAll('.dlx-panel:not([hidden]) table')].every((table) => {"
            " const [one, two] = [table, table.nextElementSibling].map((e) => e?.getBoundingClientRect());"
            " return !two || two.top >= one.bottom || two.left >= one.right; })"
        )


def test_digit_stays_in_view_while_scrolling(open_page: Open) -> None:
    for width, selector in ((1280, ".dlx-paper"), (390, ".dlx-mini canvas")):
        watched = open_page(width=width, height=720)
        watched.page.evaluate("scrollTo(0, 500)")
        assert watched.page.evaluate("scrollY") > 300
        box = watched.page.locator(selector).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 720


def test_reduced_motion_takes_the_transitions_away(open_page: Open) -> None:
    still = open_page(reduced_motion="reduce").page
    moving = open_page(reduced_motion="no-preference").page
    read = "getComputedStyle(document.querySelector('.dlx-bar-fill')).transitionDuration"
    assert still.evaluate(read) == "0s"
    assert moving.evaluate(read) != "0s"


def test_signs_can_be_told_without_colour(open_page: Open) -> None:
    """A negative activation has a dashed border, a negative number its minus."""
    watched = open_page()
    negative = watched.page.locator(".dlx-unit[data-sign='-']").first
    assert negative.evaluate("e => getComputedStyle(e).borderStyle") == "dashed"
    assert "−" in watched.page.locator(".dlx-terms").inner_text()
    assert watched.page.locator(".dlx-key").inner_text().startswith("positive")


def test_first_look_says_why_the_answer_is_what_it_is(open_page: Open) -> None:
    """The units that made the lead stand under the network; one click opens their arithmetic."""
    watched = open_page()
    blame = watched.page.locator("[data-panel=network] [data-part=blame]")
    digit, rival = watched.js(
        "[...d.pass.logits.keys()].sort((a, b) => d.pass.logits[b] - d.pass.logits[a])"
    )[:2]
    assert blame.locator(".dlx-h").inner_text() == f"This digit: why {digit} and not {rival}"
    pushes = watched.js(
        "(() => { const {weights, units} = d.layers[2]; return [...d.pass.a[1]].map((a, j) =>"
        " a * (weights[j * units + arg[0]] - weights[j * units + arg[1]])); })()",
        [digit, rival],
    )
    assert float(blame.locator(".dlx-num").first.inner_text()) == pytest.approx(
        max(pushes), abs=6e-4
    )
    blame.get_by_role("button").first.click()
    assert (watched.state()["layer"], watched.state()["unit"]) == (1, int(np.argmax(pushes)))
    # While the pass is on its way there is no answer to explain.
    watched.page.get_by_label("One step back").click()
    blame.wait_for(state="hidden")


def test_questions_reveal_after_an_answer_and_keep_it(open_page: Open) -> None:
    watched = open_page("panel=questions")
    question = watched.page.locator("[data-question=shift]")
    assert question.locator(".dlx-reveal").inner_text() == ""
    question.get_by_label("They stay").check()
    question.locator(".dlx-reveal").get_by_text("Right.").wait_for()
    assert watched.state()["quiz"] == "shift_0"


def test_leaving_out_a_stage_puts_the_digit_on_paper_and_changes_the_input(open_page: Open) -> None:
    watched = open_page("panel=input")
    watched.page.locator(".dlx-card", has_text="centre").get_by_role("checkbox").uncheck()
    watched.set()
    assert watched.js("[d.input.picture.rows, d.input.picture.cols]") == [112, 112]
    image = np.array(watched.js("[...d.image]")).reshape(20, 20)
    assert image[:14, :14].sum() > 0.9 * image.sum()
    assert "With every stage" in watched.page.locator("[data-part=outcome]").inner_text()
    assert "without centre" in watched.page.locator(".dlx-truth").inner_text()
    watched.page.wait_for_function("location.hash.includes('centre')")
    again = open_page(watched.page.evaluate("location.hash.slice(1)"))
    assert again.js("[...d.image]") == watched.js("[...d.image]")


def test_hiding_pixels_takes_them_from_the_network(open_page: Open) -> None:
    watched = open_page()
    before = watched.js("[...d.pass.logits]")
    watched.page.get_by_label("Hide").check(force=True)
    box = watched.page.locator(".dlx-paper").bounding_box()
    watched.page.mouse.click(box["x"] + 140, box["y"] + 140)
    watched.page.wait_for_function(
        "document.querySelector('main').explorer.store.state.hide !== ''"
    )
    assert watched.state()["source"] == "sample"
    assert watched.js("[...d.pass.logits]") != before
    assert watched.js("[...d.input.hidden].every((k) => d.pass.x[k] === 0)")


def test_a_changed_weight_changes_every_number_after_it(open_page: Open) -> None:
    watched = open_page()
    before = float(watched.page.locator("[data-part=unit]").get_attribute("data-z"))
    slider = watched.page.locator("[data-part=grip] input")
    slider.fill("2")
    watched.set()
    assert float(watched.page.locator("[data-part=unit]").get_attribute("data-z")) != before
    watched.page.get_by_text("changed by hand").wait_for()


def test_a_picture_from_a_file_is_read(open_page: Open) -> None:
    from standin import ROOT

    watched = open_page()
    photo = ROOT / "Data" / "handwriting" / "photo_01.png"
    watched.page.locator("input[type=file]").set_input_files(photo)
    watched.page.wait_for_function(
        "document.querySelector('main').explorer.store.state.source === 'photo'"
    )
    watched.page.get_by_text("your picture").wait_for()
    # The address holds the picture, and is short enough to be sent.
    watched.page.wait_for_function("location.hash.includes('photo=')")
    address = watched.page.evaluate("location.hash.slice(1)")
    assert len(address) < 12_000
    again = open_page(address)
    again.page.get_by_text("your picture").wait_for()
    assert again.js("[...d.input.picture.data]") == watched.js("[...d.input.picture.data]")
    assert again.js("[...d.pass.logits]") == watched.js("[...d.pass.logits]")
    # Another digit is looked at: the picture leaves the address again.
    again.page.get_by_label("Show a 3 from the data").click()
    again.page.wait_for_function("!location.hash.includes('photo')")
    assert again.errors == []
    watched.page.locator("input[type=file]").set_input_files(ROOT / "pyproject.toml")
    watched.page.get_by_text("is not a picture that this browser can read").wait_for()
    assert watched.state()["source"] == "photo"


@pytest.mark.parametrize("width", [1280, 390])
def test_tour_has_at_most_eight_stops_and_each_points_at_something_in_view(
    open_page: Open, width: int
) -> None:
    watched = open_page(width=width)
    watched.page.get_by_text("Take the tour").click()
    stops = watched.js("d.bundle.tour.length")
    assert stops <= 8
    for stop in range(stops):
        watched.set()
        assert watched.page.evaluate(
            "(() => { const [target, text] = ['[data-pointed]', '.dlx-tour'].map((s) =>"
            " document.querySelector(s).getBoundingClientRect());"
            " return target.top < innerHeight - 80 && target.bottom > text.bottom && text.top >= 0"
            " && text.bottom <= innerHeight; })()"
        )
        watched.page.locator(".dlx-tour").get_by_text(f"{stop + 1} of {stops}").wait_for()
        watched.page.locator(".dlx-tour [data-main]").click()
    watched.set()
    assert watched.page.locator("[data-pointed]").count() == 0
    assert watched.errors == []


def test_broken_data_gives_a_sentence(open_page: Open, page_file: Any, tmp_path: Any) -> None:
    text = page_file.read_text()
    data = re.search(r"data-digits-bundle>([^<]+)<", text)[1]
    for name, broken in (("cut", data[: len(data) // 2]), ("empty", ""), ("foreign", "aGVsbG8=")):
        file = tmp_path / f"{name}.html"
        file.write_text(text.replace(data, broken))
        watched = open_page(file=file)
        said = watched.page.locator("[role=alert]").inner_text()
        assert "The explorer cannot be shown." in said
        assert "data" in said and said.endswith(".")
