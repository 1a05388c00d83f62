"""Idle means idle, views leave nothing behind, the bundle stays small.

Times depend on the machine: `make bench` measures them. What is asserted here holds on any.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable

from conftest import Watched
from standin import ROOT

Open = Callable[..., Watched]


def test_no_frame_is_drawn_when_nothing_happens(open_page: Open) -> None:
    watched = open_page()
    watched.page.get_by_text("judged on").wait_for()
    count = "Number(document.querySelector('.dlx').dataset.frames)"
    # Let a second's worth of frames pass by; the explorer asks for none of them.
    wait = """new Promise((done) => { let n = 0; const tick = () => (++n < 60 ? requestAnimationFrame(tick)
              : done()); tick(); })"""
    watched.js(wait)
    before = watched.js(count)
    watched.js(wait)
    assert watched.js(count) == before


def test_playing_ends_at_the_last_position_and_stops(open_page: Open) -> None:
    watched = open_page()
    watched.page.get_by_label("Unit", exact=True).check(force=True)
    watched.set()
    watched.page.get_by_label("Position in the forward pass").fill("45")
    watched.page.get_by_label("Play", exact=True).click()
    watched.page.get_by_label("Pause", exact=True).wait_for()
    watched.page.get_by_label("Play", exact=True).wait_for()
    assert watched.state()["t"] == 51


def test_many_views_leave_no_memory_and_no_listener_behind(open_page: Open) -> None:
    """200 times: a view is made on a model, destroyed, and the model has no listener left."""
    watched = open_page()
    session = watched.page.context.new_cdp_session(watched.page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"])

    script = (ROOT / "explorer" / "static" / "explorer.js").read_text()
    watched.page.evaluate(
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
    watched.page.evaluate("mounts(20)")
    before = heap()
    watched.page.evaluate("mounts(200)")
    assert watched.page.evaluate("heard.size") == 0
    assert heap() - before < 3e6


def test_bundle_is_small() -> None:
    script = (ROOT / "explorer" / "static" / "explorer.js").read_bytes()
    assert len(script) <= 60_000
    assert len(gzip.compress(script, 9)) <= 27_000
