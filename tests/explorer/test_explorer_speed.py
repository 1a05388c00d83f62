"""Idle means idle, views leave nothing behind, the bundle stays small.

Times depend on the machine: `make bench` measures them. What is asserted here holds on any.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable

from conftest import Watched
from standin import ROOT
from support.looking import act, eventually, eventually_js, expect

Open = Callable[..., Watched]


def test_no_frame_is_drawn_when_nothing_happens(open_page: Open) -> None:
    watched = open_page()
    expect(watched.page.get_by_text("judged on")).to_be_visible()
    # A second's worth of frames passes by, and the explorer has asked for none of them.
    watched.becomes(
        """new Promise((done) => {
          const count = () => Number(document.querySelector('.dlx').dataset.frames);
          const before = count();
          let n = 0;
          const tick = () => (++n < 60 ? requestAnimationFrame(tick) : done(count() - before));
          tick();
        })""",
        0,
    )


def test_playing_ends_at_the_last_position_and_stops(open_page: Open) -> None:
    watched = open_page()
    watched.page.get_by_label("Unit", exact=True).check(force=True)
    slider = watched.page.get_by_label("Position in the forward pass")
    expect(slider).to_have_attribute("max", "51")
    slider.fill("45")
    watched.page.get_by_label("Play", exact=True).click()
    expect(watched.page.get_by_label("Play", exact=True)).to_be_visible()
    watched.has(t=51)


def test_many_views_leave_no_memory_and_no_listener_behind(open_page: Open) -> None:
    """200 times: a view is made on a model, destroyed, and the model has no listener left."""
    watched = open_page()
    session = watched.page.context.new_cdp_session(watched.page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"])

    script = (ROOT / "explorer" / "static" / "explorer.js").read_text()
    act(
        watched.page,
        """async (script) => {
          const url = URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
          window.widget = (await import(url)).default;
          const text = document.querySelector('[data-digits-bundle]').textContent;
          const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
          const bundle = new DataView(await new Response(stream).arrayBuffer());
          window.heard = new Set();
          window.model = { get: (k) => ({ bundle, state: {}, _picture_shape: [] })[k],
            set() {}, save_changes() {}, on: (n, f) => heard.add(f), off: (n, f) => heard.delete(f) };
          window.mounts = (times) => { for (let k = 0; k < times; k++) {
            const el = document.createElement('div'); if (k % 2) document.body.append(el);
            widget.render({model, el})(); el.remove(); } };
        }""",
        script,
    )
    act(watched.page, "mounts(20)")
    before = heap()
    act(watched.page, "mounts(200)")
    eventually_js(watched.page, "heard.size", 0)
    eventually(
        heap, lambda now: now - before < 3e6, f"the heap of {before:.0f} bytes should be freed"
    )


def test_bundle_is_small() -> None:
    script = (ROOT / "explorer" / "static" / "explorer.js").read_bytes()
    assert len(script) <= 120_000
    assert len(gzip.compress(script, 9)) <= 48_000
