"""lab_mnist's own networks through its own cells: notebook, explorer, browser, Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import IPython.display
import jupytext
import keras
import numpy as np
import pytest
from conftest import Watched
from standin import ROOT
from support.looking import expect
from test_explorer_pack import read

import utils
import utils_mnist


class _Nothing:
    """The table of results, which this has no use for."""

    def add(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def shown() -> tuple[Any, dict[str, Any]]:
    """What the lab's last cells display, run on 500 digits, and their names."""
    data = np.load(ROOT / "Data" / "mnist_5k.npz")
    order = np.random.default_rng(0).permutation(5000)
    rows = data["images"].reshape(5000, 784)[order].astype(np.float32) / 255
    labels = data["labels"][order]
    names: dict[str, Any] = {"keras": keras, "utils": utils, "utils_mnist": utils_mnist}
    names |= {"Sequential": keras.Sequential, "Input": keras.Input}
    names |= {"Flatten": keras.layers.Flatten, "Dense": keras.layers.Dense}
    names |= {"X_train": rows[:500], "y_train": labels[:500], "results": _Nothing()}
    names |= {"X_test": rows[4000:4300], "y_test": labels[4000:4300]}
    dense = keras.layers.Dense
    for name in ("baseline", "deep"):
        names[name] = keras.Sequential([keras.Input((784,)), dense(8, "relu"), dense(10)])
    names |= {"recorder": None, "deep_history": None}
    displayed: list[Any] = []
    cells = jupytext.read(ROOT / "course" / "lab_mnist.py", fmt="py:percent").cells
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IPython.display, "display", displayed.append)
        for cell in cells:
            if cell.metadata.get("id") in ("convolutional", "explorer"):
                exec(compile(cell.source, cell.metadata["id"], "exec"), names)
    return displayed[-1], names


def test_the_labs_convolutional_network_goes_through_the_door_and_equals_keras_on_300_digits(
    shown: tuple[Any, dict[str, Any]], open_page: Any, tmp_path: Path
) -> None:
    explorer, names = shown
    watched: Watched = open_page(file=explorer.save_html(tmp_path / "lab.html"))
    watched.page.get_by_label("Model").select_option("convolutional")
    watched.has(model=2)
    expect(watched.page.locator(".dlx-layer-name").first).to_contain_text("5×5 filters")
    header, sections = read(explorer.bundle)
    packed = header["samples"]
    samples = ((sections["samples"] - packed["zero"]) * packed["scale"]).astype(np.float32)
    assert packed["count"] == 300
    ours = watched.value(
        "(() => { const out = []; for (let s = 0; s < 300; s++) { app.store.set({sample: s});"
        " out.push([...app.now().pass.a.at(-1)]); } return out; })()"
    )
    expected = np.asarray(names["convolutional"](samples.reshape(-1, 28, 28, 1)))
    assert (expected.argmax(axis=1) == sections["labels"]).mean() > 0.6, "it has learnt"
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    watched.becomes("Number(app.root.dataset.difference) < 1e-4")
