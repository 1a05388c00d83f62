"""The widget in JupyterLab 4 and Notebook 7, started for real, with everything else blocked."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import standin
from standin import ROOT
from support.looking import box, eventually, eventually_js, expect, text

from explorer import Explorer
from explorer.saved import saved

CELLS = [
    f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n"
    "import standin\nfrom explorer import Explorer\n"
    "X, y = standin.load_digits(); model = standin.make_model()\n"
    "recorder = standin.train(model, X[:400], y[:400], epochs=2)\n"
    "ex = Explorer(model, X[:100], y[:100], history=recorder)",
    "ex",
    "ex",
    "import numpy, pathlib\n"
    "numpy.save('drawing.npy', ex.drawing)\n"
    "pathlib.Path('said.txt').write_text(repr((dict(ex.state), ex.answers)))",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A Jupyter server with a notebook; it serves /lab and /notebooks alike."""
    folder = tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(source, id=f"cell{k}") for k, source in enumerate(CELLS)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, folder / "explorer.ipynb")
    settings = folder / "settings"
    # By default a cell out of sight is taken out of the page; here all are looked at together.
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter", "notebook", "--no-browser", "--allow-root",
            "--ServerApp.port=0", "--IdentityProvider.token=", "--ServerApp.password=",
            "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}",
            "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(settings),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        },
    )  # fmt: skip
    try:
        yield _address(process, folder), folder
    finally:
        process.terminate()
        process.wait(timeout=120)
        log.close()


def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    """The server's own file says where it listens; wait for it to be written."""
    import time

    runtime = folder / "runtime"
    limit = time.monotonic() + 90
    while time.monotonic() < limit and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                return str(json.loads(file.read_text())["url"]).rstrip("/")
            except json.JSONDecodeError:
                pass  # being written
        time.sleep(0.2)
    raise AssertionError(
        "the server did not start:\n" + (folder / "server.log").read_text()[-2000:]
    )


def _run(page: Any, cell: Any) -> None:
    """Run a cell and wait until it has been: its prompt then holds a new number."""
    prompt = cell.locator(".jp-InputPrompt")
    before = text(prompt)
    for _ in range(20):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        try:
            # Before Jupyter has set up its shortcuts the key is lost.
            expect(prompt).not_to_have_text(before, timeout=5_000)
            break
        except AssertionError:
            continue
    expect(prompt).to_have_text(re.compile(r"\d"))


def _ask_python(page: Any, cell: Any, folder: Path) -> tuple[dict[str, Any], list[Any]]:
    """Run the last cell until the widget's messages, which take their time, have come in."""

    def ask() -> tuple[dict[str, Any], list[Any]]:
        (folder / "said.txt").unlink(missing_ok=True)
        _run(page, cell)
        said: tuple[dict[str, Any], list[Any]] = ast.literal_eval((folder / "said.txt").read_text())
        return said

    found: tuple[dict[str, Any], list[Any]] = eventually(
        ask, lambda said: "source" in said[0], "the drawing should reach Python"
    )
    return found


@pytest.mark.parametrize("place", ["lab/tree", "notebooks"])
def test_two_views_stay_in_step_and_python_reads_what_was_done(
    browser: Any, server: tuple[str, Path], place: str
) -> None:
    address, folder = server
    context = browser.new_context(viewport={"width": 1400, "height": 2600})
    context.set_default_timeout(60_000)
    context.route(
        re.compile(".*"),
        lambda route: route.continue_() if route.request.url.startswith(address) else route.abort(),
    )
    page = context.new_page()
    page.goto(f"{address}/{place}/explorer.ipynb")
    page.locator(".jp-Cell").nth(3).wait_for()
    # The kernel must be there before cells are run.
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    for k in range(3):
        _run(page, cells.nth(k))
    views = page.locator(".dlx[data-ready]")
    views.nth(1).wait_for()
    one, two = views.nth(0), views.nth(1)

    # A change in one view shows in the other.
    one.get_by_role("tab", name="Questions").click()
    two.locator("[data-question=shift]").wait_for()
    two.locator("[data-question=shift]").get_by_label("The largest grows").check()
    one.locator("[data-question=shift]").get_by_text("Not so").wait_for()

    # Keys are the explorer's own: neither a nor b makes a cell, nor do arrows leave it.
    tab = one.get_by_role("tab", name="Questions")
    tab.click()
    for key in "ab":
        page.keyboard.press(key)
    page.keyboard.press("ArrowLeft")
    expect(one.get_by_role("tab", name="Compare")).to_be_focused()
    expect(cells).to_have_count(len(CELLS))
    two.locator("[role=tab][aria-selected=true]", has_text="Compare").wait_for()

    # What is drawn comes back to Python.
    one.get_by_role("button", name="Clear").click()
    paper = one.locator(".dlx-paper")
    paper.scroll_into_view_if_needed()
    at = box(paper)
    page.mouse.move(at["x"] + 120, at["y"] + 40)
    page.mouse.down()
    page.mouse.move(at["x"] + 130, at["y"] + 200, steps=8)
    page.mouse.up()
    two.locator(".dlx-truth", has_text="your drawing").wait_for()
    state, answers = _ask_python(page, cells.nth(3), folder)
    assert state["source"] == "ink" and len(state["ink"]) > 16
    assert [(a["id"], a["right"]) for a in answers] == [("shift", False)]
    drawing = np.load(folder / "drawing.npy")
    assert drawing.shape == (112, 112) and drawing.dtype == np.uint8
    assert drawing.min() == 0 and drawing[0, 0] == 255

    # A view that is taken away stops listening: the model has one view's listeners left.
    page.keyboard.press("Escape")
    cells.nth(2).locator(".jp-InputPrompt").click()
    for key in ("d", "d"):
        page.keyboard.press(key)
    views.nth(1).wait_for(state="detached")
    one.get_by_role("tab", name="Network").click()
    one.locator("[data-part=unit]").wait_for()

    # Circles are circles, whatever Jupyter's style says of buttons; the saved picture is out of sight.
    circle = box(one.locator(".dlx-unit:not(.dlx-square-unit)").first)
    assert circle["width"] == pytest.approx(circle["height"], abs=0.5)
    expect(page.locator(".dlx-saved").first).to_be_hidden()
    context.close()


def test_a_saved_notebook_in_a_fresh_kernel_shows_a_picture_and_a_sentence(
    browser: Any, server: tuple[str, Path]
) -> None:
    address, folder = server
    explorer = _small_explorer()
    live = explorer._repr_mimebundle_()
    data = live[0] if isinstance(live, tuple) else live
    shown = [data, {"text/html": saved(explorer.bundle, "The digits", explorer._key)}]
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in shown]
    cell = nbformat.v4.new_code_cell("ex", id="saved", outputs=outputs, execution_count=1)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
    nbformat.write(notebook, folder / "saved.ipynb")
    subprocess.run(
        [sys.executable, "-m", "jupyter", "trust", "saved.ipynb"],
        cwd=folder, check=True, env={**os.environ, "JUPYTER_DATA_DIR": str(folder / "data")},
    )  # fmt: skip
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{address}/lab/tree/saved.ipynb?reset")
    # The kernel is there, and knows no model; a server that is ended while one starts does not end.
    expect(page.get_by_text(re.compile(r"\| Idle$"))).to_be_visible(timeout=60_000)
    picture = page.locator(".dlx-saved img")
    expect(picture).to_be_visible(timeout=60_000)
    expect(page.locator(".dlx-saved")).to_contain_text("Run this cell again to bring it to life.")
    eventually_js(page, "document.querySelector('.dlx-saved img').naturalWidth > 300")
    expect(page.get_by_text("model not found")).to_be_hidden()
    context.close()


def _small_explorer() -> Explorer:
    X, y = standin.load_digits()
    return Explorer(standin.make_model(), X[:60], y[:60])
