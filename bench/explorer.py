"""Measure the explorer in headless Chromium: engine, stroke to prediction, playback, start, size."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "explorer")]

FORWARD = """import { forward } from "./explorer/src/engine.js";
const random = (n) => Float32Array.from({ length: n }, () => Math.random() - 0.5);
const layers = [[400, 25, "relu"], [25, 15, "relu"], [15, 10, "linear"]].map(([inputs, units, activation]) =>
  ({ inputs, units, activation, weights: random(inputs * units), bias: random(units) }));
const x = random(400).map((v) => (v > 0.2 ? v : 0));
let n = 0;
for (let k = 0; k < 2000; k++) forward(layers, x);
const start = performance.now();
while (performance.now() - start < 1000) { forward(layers, x); n++; }
console.log(n / ((performance.now() - start) / 1000));"""

STROKE = """async () => { const app = document.querySelector('main').explorer; const times = [];
  app.store.set({source: 'ink', ink: '', epoch: -1});
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const two = (v) => Math.round(v).toString(36).padStart(2, '0');
  let ink = '';
  const original = window.requestAnimationFrame; let draw = null;
  for (let k = 0; k < 120; k++) {
    ink += two(56 + 30 * Math.cos(k / 12)) + two(56 + 40 * Math.sin(k / 19));
    await frame();
    window.requestAnimationFrame = (f) => { draw = f; return 1; };
    const from = performance.now(); app.store.set({ink}); draw(from); times.push(performance.now() - from);
    window.requestAnimationFrame = original;
  }
  return times.slice(20).sort((a, b) => a - b); }"""

PLAY = """async () => { const app = document.querySelector('main').explorer;
  app.store.set({panel: 'network', source: 'sample', grain: 'term', layer: 0, unit: 3, t: 0});
  await new Promise((done) => requestAnimationFrame(done));
  document.querySelector('[aria-label=Play]').click();
  const root = document.querySelector('.dlx'); const before = Number(root.dataset.frames);
  const from = performance.now();
  await new Promise((done) => setTimeout(done, 3000));
  const rate = (Number(root.dataset.frames) - before) / ((performance.now() - from) / 1000);
  document.querySelector('[aria-label=Pause]').click();
  return rate; }"""


def measure() -> list[tuple[str, str, str]]:
    """Return (what, measured, wanted) rows."""
    import standin
    from playwright.sync_api import sync_playwright

    from explorer import Explorer

    chromium = shutil.which("chromium")
    if chromium is None:
        return [("explorer", "chromium is not installed (apt install chromium)", "")]
    X, y = standin.load_digits()
    model = standin.make_model()
    recorder = standin.train(model, X[:1000], y[:1000], epochs=8)
    script = (ROOT / "explorer" / "static" / "explorer.js").read_bytes()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        explorer = Explorer(model, X[1000:2000], y[1000:2000], history=recorder)
        page_file = explorer.save_html(Path(folder) / "explorer.html")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*flags, *(["--no-sandbox"] if root else [])]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        starts = [_start(page, page_file) for _ in range(5)]
        forwards = float(
            subprocess.run(
                [ROOT / ".venv" / "bin" / "node", "--input-type=module", "-e", FORWARD],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        strokes = page.evaluate(STROKE)
        playback = page.evaluate(PLAY)
        browser.close()
    return [
        ("forward passes a second (400-25-15-10)", f"{forwards:,.0f}", ""),
        ("stroke to prediction, median", f"{strokes[len(strokes) // 2]:.1f} ms", ""),
        ("stroke to prediction, p95", f"{strokes[int(0.95 * len(strokes))]:.1f} ms", "under 16 ms"),
        ("playback, term by term", f"{playback:.0f} frames a second", "at least 50"),
        ("page interactive, median of 5", f"{sorted(starts)[2]:.0f} ms", "under 1,000 ms"),
        (
            "bundle, minified (gzipped)",
            f"{len(script) / 1000:.1f} kB ({len(gzip.compress(script, 9)) / 1000:.1f} kB)",
            "at most 60 kB",
        ),
    ]


def _start(page: Any, file: Path) -> float:
    """Milliseconds from the navigation to the first complete picture."""
    page.goto("about:blank")
    page.goto(file.as_uri())
    page.wait_for_selector(".dlx[data-ready]")
    return float(page.evaluate("document.querySelector('.dlx').dataset.readyAt"))


def main() -> None:
    """Print the table."""
    rows = measure()
    print(f"{'explorer':44} {'measured':26} wanted")
    for what, measured, wanted in rows:
        print(f"{what:44} {measured:26} {wanted}")


if __name__ == "__main__":
    main()
