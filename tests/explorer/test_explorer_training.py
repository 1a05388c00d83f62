"""Training in the page: in a worker and without one, with everything moving along, and back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import Watched
from support.looking import eventually_js, expect, workers

Open = Callable[..., Watched]
#: A browser, or a place in one, that lets no worker run.
NO_WORKER = (
    "window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } };"
)
NO_WEBASSEMBLY = "delete window.WebAssembly;"


@pytest.mark.parametrize(
    ("script", "count"),
    [("", 1), (NO_WORKER, 0), (NO_WORKER + NO_WEBASSEMBLY, 0)],
    ids=["worker", "page", "page-without-webassembly"],
)
def test_the_shown_network_is_trained_and_everything_moves_along(
    open_page: Open, script: str, count: int
) -> None:
    watched = open_page("panel=training", script=script)
    page = watched.page
    here = page.locator("[data-part=trainhere]")
    missing = NO_WEBASSEMBLY in script
    watched.becomes("typeof WebAssembly === 'undefined'", missing)
    before = watched.value("[...d.pass.logits]")
    accuracy = watched.value("d.statistics().accuracy")
    here.get_by_role("button", name="Train").click()
    expect(here.locator("[data-part=trained]")).to_have_attribute(
        "data-epoch", re.compile(r"^\d+\.?\d*$")
    )
    watched.becomes("Number(document.querySelector('[data-part=trained]').dataset.epoch) > 3")
    # A page from disk has its worker too: it is no module's.
    workers(page, count)
    # The drawing's answer, the weights and the confusion are those of the training.
    watched.becomes(
        "[...d.pass.logits].some((v, k) => Math.abs(v - arg[k]) > 0.01)", argument=before
    )
    watched.becomes("d.counted()?.accuracy > arg", argument=accuracy)
    eventually_js(
        page,
        "(least) => [...document.querySelectorAll('[data-part=trainhere] canvas')]"
        ".some((c) => Number(c.dataset.accuracy) > least)",
        argument=accuracy,
    )
    page.get_by_role("tab", name="Network").click()
    expect(page.get_by_text("The network as it was trained in this page.")).to_be_visible()
    # What is counted from now on is what it was trained on, and the panels say so.
    for panel in ("Mistakes", "Compare"):
        page.get_by_role("tab", name=panel).click()
        expect(page.get_by_text("count the very digits it was trained on")).to_be_visible()
    versus = page.locator("[data-part=versus] thead th")
    expect(versus.first).to_have_text(re.compile("trained in this page$"))
    expect(versus.last).to_have_text(re.compile("before the training in this page$"))
    # The page stays live meanwhile: another digit is shown.
    page.get_by_label("Show a 3 from the data").click()
    watched.becomes("d.label", 3)
    page.get_by_role("tab", name="Training").click()
    here.get_by_role("button", name="Pause").click()
    expect(here.get_by_role("button", name="Go on")).to_be_visible()
    watched.becomes("d.counted() !== undefined")
    stopped = watched.value("d.live.version")
    here.get_by_role("button", name="Back to the model").click()
    watched.becomes("d.live", None)
    workers(page, 0)
    watched.becomes("d.counted()?.accuracy", accuracy)
    assert stopped > 1 and watched.errors == []


def test_one_step_shows_and_does_not_jump(open_page: Open) -> None:
    watched = open_page("panel=training")
    here = watched.page.locator("[data-part=trainhere]")
    loss = watched.value("d.statistics().loss")
    for optimiser in ("Adam", "SGD"):
        here.get_by_label(optimiser, exact=True).check(force=True)
        here.get_by_role("button", name="One step").click()
        watched.becomes("d.live?.statistics !== null && d.live?.statistics !== undefined")
        change = watched.value("d.live.statistics.loss") - loss
        assert 1e-5 < abs(change) < 0.3 * loss, f"{optimiser}: {change}"
        here.get_by_role("button", name="Back to the model").click()
        watched.becomes("d.live", None)


def test_new_weights_begin_at_chance_and_learn(open_page: Open) -> None:
    watched = open_page("panel=training")
    here = watched.page.locator("[data-part=trainhere]")
    here.get_by_label("New weights").check(force=True)
    here.get_by_role("button", name="One step").click()
    watched.becomes("d.live?.statistics?.accuracy < 0.5")
    here.get_by_role("button", name="Go on").click()
    watched.becomes("d.counted()?.accuracy > 0.7")
    # Another epoch of the notebook's training is looked at: this one is over.
    here.get_by_role("button", name="Pause").click()
    expect(here.get_by_role("button", name="Go on")).to_be_visible()
    trained = watched.value("[...d.pass.logits]")
    # Its confusion is not taken for that of the notebook's network.
    expect(watched.page.locator(".dlx-training .dlx-square")).to_be_hidden()
    watched.page.get_by_label("Epoch", exact=True).fill("2")
    watched.becomes("d.live", None)
    expect(watched.page.locator(".dlx-training .dlx-square")).to_be_visible()
    # It was not thrown away, and goes on from where it was.
    expect(here.locator("[data-part=trained]")).to_have_attribute("data-epoch", "0")
    watched.page.get_by_role("button", name="Bring it back").click()
    watched.becomes("[...d.pass.logits]", trained)
    expect(here.locator("[data-part=trained]")).not_to_have_attribute("data-epoch", "0")
    here.get_by_role("button", name="One step").click()
    watched.becomes("[...d.pass.logits].some((v, k) => v !== arg[k])", argument=trained)
    watched.becomes("d.live.statistics?.accuracy > 0.6")


def test_steps_too_long_are_said(open_page: Open) -> None:
    watched = open_page("panel=training")
    here = watched.page.locator("[data-part=trainhere]")
    here.get_by_label("SGD").check(force=True)
    here.get_by_label("Learning rate of the training").fill("0")
    # A pixel in the middle wakes a unit, and from there on two weights multiply to more than a number holds.
    watched.set(edits="0_5250_1e3~1_0_1e300~2_0_1e300")
    here.get_by_role("button", name="Train").click()
    expect(here.locator("[data-part=trained]")).to_contain_text("not finite any more")


def test_the_backward_pass_is_drawn_on_the_network(open_page: Open) -> None:
    watched = open_page("sample=5")
    picture = "document.querySelector('.dlx-stage canvas').toDataURL()"
    before = watched.value(picture)
    watched.page.get_by_label("Backward", exact=True).check(force=True)
    expect(watched.page.locator(".dlx-network > .dlx-note")).to_contain_text(
        "the slope of the loss"
    )
    watched.becomes(f"{picture} !== arg", argument=before)


def test_a_default_step_of_descent_shows_rather_than_jumps(open_page: Open) -> None:
    watched = open_page("panel=learning&sample=5")
    watched.page.get_by_text("Take one step").click()
    step = watched.page.locator("[data-part=step]")
    expect(step).to_contain_text("lower")
    watched.becomes(
        "(({before, after}) => after / before > 0.3 && after / before < 0.999)("
        "document.querySelector('[data-part=step]').dataset)"
    )


def test_a_small_loss_keeps_its_figures(open_page: Open) -> None:
    watched = open_page("panel=learning")
    sure = watched.value(
        "[...d.bundle.labels.keys()].find((s) => d.statistics().losses[s] > 1e-6"
        " && d.statistics().losses[s] < 4e-5)"
    )
    watched.set(sample=sure)
    watched.page.get_by_text("Take one step").click()
    cells = watched.page.locator("[data-part=descent] tbody tr").first.locator("td")
    for cell in (cells.first, cells.last):
        expect(cell).to_have_text(re.compile(r"^\d\.\d × 10⁻[⁵⁶]$"))
