"""What nbconvert keeps, opened from disk without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from conftest import Trained
from nbconvert import HTMLExporter
from support.looking import PATIENCE, expect


def test_static_survives_nbconvert_and_works_offline(
    trained: Trained, browser: Any, tmp_path: Path
) -> None:
    frame = trained.explorer.static(height=700)._repr_html_()
    output = nbformat.v4.new_output("display_data", data={"text/html": frame})
    cell = nbformat.v4.new_code_cell("explorer.static()", outputs=[output])
    html, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    file = tmp_path / "notebook.html"
    file.write_text(html)
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    inside = page.frame_locator("iframe")
    inside.locator(".dlx[data-ready]").wait_for()
    inside.get_by_role("tab", name="Softmax").click()
    inside.locator("[data-part=softmax]").wait_for()
    expect(inside.locator(".dlx-answer")).to_have_text(re.compile(r"^\d$"))
    context.close()
