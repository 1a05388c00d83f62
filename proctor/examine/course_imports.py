"""Which files of a course a module needs: itself and what it imports from the course, and so on."""

from __future__ import annotations

import ast
import functools
from pathlib import Path


def needed_files(root: Path, start: Path) -> list[Path]:
    """Return `start` and every module below `root` that it imports, directly or not, sorted.

    Parameters
    ----------
    root : Path
        The folder from which ``import course.checks`` is meant.
    start : Path
        A Python file.
    """
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in imported_names(path):
            parts = name.split(".")
            packages = (root.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1))
            waiting += [file for file in packages if file.is_file()]
            module = root.joinpath(*parts).with_suffix(".py")
            waiting += [module] if module.is_file() else []
    return sorted(found)


def check_files(root: Path, checks: Path, lab: str) -> list[Path]:
    """Return what a lab's checks consist of: their modules, and the data files beside them."""
    data = [path for path in checks.rglob("*") if path.is_file() and path.suffix != ".py"]
    data = [path for path in data if "__pycache__" not in path.parts]
    return sorted({*needed_files(root, checks / f"{lab}.py"), *data})


def imported_names(path: Path) -> tuple[str, ...]:
    """Return the dotted names in a file that could be modules; see :func:`names_imported`."""
    return names_imported(path.read_text("utf-8"))


@functools.lru_cache(maxsize=256)
def names_imported(source: str) -> tuple[str, ...]:
    """Return the dotted names in a text that could be modules; one imported from a package may be."""
    names: list[str] = []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()  # whoever imports it says what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)
