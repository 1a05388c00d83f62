"""nbgrader's own steps from an instructor's notebook to what it keeps and releases.

They are applied as ``nbgrader generate_assignment`` applies them, with the course's configuration.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from proctor.cells import marking
from proctor.errors import CourseError
from proctor.otter.reading import is_otter, translated

PYTHON = ("python", "ipython")


def read(path: Path) -> NotebookNode:
    """Read a notebook, with nbgrader's metadata in their present form and without random ids.

    One that is written for otter-assign is read as one of nbgrader's.

    Raises
    ------
    CourseError
        If it cannot be read, or is otter's and breaks its format.
    """
    try:
        return _read(path)
    except CourseError:
        raise
    except Exception as error:  # whatever nbformat raises for a broken file
        raise CourseError(f"{path} is not a notebook that can be read: {error}") from error


def _read(path: Path) -> NotebookNode:
    from nbgrader.nbgraderformat import MetadataValidator

    text = path.read_text("utf-8")
    known = [cell.get("id") for cell in json.loads(text).get("cells", [])]
    node = nbformat.reads(text, as_version=4)
    for index, cell in enumerate(node.cells):
        cell["id"] = (known[index] if index < len(known) else None) or f"cell-{index}"
    if is_otter(node) and language(node) in PYTHON:
        return translated(node, f"{path.parent.name}/{path.name}")
    return MetadataValidator().upgrade_notebook_metadata(node)


def language(node: NotebookNode) -> str:
    spec = node.metadata.get("kernelspec", {})
    info = node.metadata.get("language_info", {})
    language = spec.get("language") or info.get("name") or ""
    if not language:
        name = str(spec.get("name", "python"))
        language = "python" if name.startswith(("python", "conda")) or not name else name
    return str(language).lower()


def instantiated(node: NotebookNode, path: Path, config: Config, root: Path) -> NotebookNode:
    """Apply nbgrader's header, footer and AUTOTEST, and give every cell an id of ours."""
    from nbgrader.preprocessors import IncludeHeaderFooter, InstantiateTests

    resources = {"metadata": {"path": str(path.parent)}, "nbgrader": {}}
    node = copy.deepcopy(node)
    with chdir(root):
        try:
            node, _ = IncludeHeaderFooter(config=config).preprocess(node, resources)
            if any("AUTOTEST" in cell.source for cell in node.cells if cell.cell_type == "code"):
                node, _ = InstantiateTests(config=config).preprocess(node, resources)
        except Exception as error:  # whatever the course's header or autotests.yml makes of it
            raise CourseError(
                f"nbgrader cannot prepare {path.name}: {type(error).__name__}: {_words(error)}"
            ) from error
    node.nbformat, node.nbformat_minor = 4, max(5, node.nbformat_minor)
    ids: set[str] = set()
    for index, cell in enumerate(node.cells):
        if not cell.get("id") or cell.id in ids:
            cell["id"] = f"cell-{index}"
        ids.add(cell.id)
    return node


def _words(error: Exception) -> str:
    """What an exception says; nbgrader's of a cell that failed holds a list, which `str` refuses."""
    try:
        return str(error)
    except TypeError:
        lines = getattr(error, "traceback", error.args)
        return str(lines[-1] if isinstance(lines, list) and lines else lines).splitlines()[-1]


def saved(node: NotebookNode, path: Path, config: Config) -> NotebookNode:
    """Apply nbgrader's further steps up to the one that writes its gradebook."""
    from nbgrader.preprocessors import ClearOutput, ClearSolutions, ComputeChecksums, LockCells

    kept: NotebookNode = copy.deepcopy(node)
    resources: dict[str, Any] = {"metadata": {"path": str(path.parent)}, "nbgrader": {}}
    try:
        for step in (LockCells, ClearSolutions, ClearOutput, ComputeChecksums):
            kept, resources = step(config=config).preprocess(kept, resources)
    except Exception as error:
        raise CourseError(
            f"nbgrader cannot release {path.name}: {type(error).__name__}: {error}"
        ) from error
    return kept


def blanks(source: NotebookNode, config: Callable[[], Config]) -> dict[str, str]:
    """Return what stands, as it is released, in each cell whose answer a person marks, by cell id.

    `config` reads the course's configuration, which loads much of nbgrader: only where there is such a cell.
    """
    if not any(marking(cell.metadata).kind == "manual" for cell in source.cells):
        return {}
    from nbgrader.preprocessors import ClearSolutions

    released, _ = ClearSolutions(config=config()).preprocess(copy.deepcopy(source), {})
    return {
        cell.id: cell.source for cell in released.cells if marking(cell.metadata).kind == "manual"
    }
