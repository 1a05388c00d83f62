"""Which installed packages a lab's marks depend on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from support.tinycourse import CHECKS

from proctor.checks import Lab
from proctor.course import Course
from proctor.examine import versions
from proctor.examine.versions import package_versions


def install(folder: Path, name: str, module: str, version: str, *requires: str) -> None:
    """Put a distribution of one module into a folder."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text("")
    (info / "top_level.txt").write_text(f"{module}\n")
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {r}" for r in requires)]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with seven distributions."""
    folder = tmp_path / "lib"
    install(folder, "In-Checks", "in_checks", "1.5", "Needed_there (>=2) ; python_version > '3'")
    install(folder, "needed-there", "needed", "2.25", 'extra-one ; extra == "all"')
    install(folder, "extra-one", "extra_one", "3.5")
    install(folder, "in-helper", "in_helper", "4.5", "nowhere-installed")
    install(folder, "in-warm", "in_warm", "5.5")
    install(folder, "in-cell", "in_cell", "7.5")
    install(folder, "unused", "unused", "6.5")
    monkeypatch.syspath_prepend(folder)
    versions.installed.cache_clear()
    yield folder
    versions.installed.cache_clear()


def test_what_checks_helpers_and_warm_modules_import_is_there_with_what_it_requires(
    tiny: Course, installed: Path
) -> None:
    checks = tiny.folder / "checks"
    (checks / "aside.py").write_text("def late():\n    import in_checks.inner\n")
    (checks / "__init__.py").touch()
    (tiny.folder / "__init__.py").touch()
    text = CHECKS.replace("from pathlib", "from course.checks import aside\nfrom pathlib", 1)
    (checks / "tiny.py").write_text(text)
    with (tiny.root / "given.py").open("a") as given:
        given.write("import os\nfrom in_helper import nothing\n")
    source = tiny.source_notebook("tiny")
    next(cell for cell in source.cells if cell.id == "setup").source += "\n%time\nimport in_cell\n"
    nbformat.write(source, tiny.source("tiny"))
    lab = Lab("tiny", title="", helpers=(Path("given.py"),), warm=("in_warm.part",))
    found = package_versions(tiny, lab)
    wanted = {"in-checks": "1.5", "needed-there": "2.25", "in-helper": "4.5", "in-warm": "5.5"}
    wanted["in-cell"] = "7.5"
    assert wanted.items() <= found.items()
    assert not {"unused", "extra-one", "digits-lab"} & found.keys()
    assert {"numpy", "ipykernel"} <= found.keys()
    assert list(found) == sorted(found)
