"""Which files of a course a module needs: itself and what it imports from the course, and so on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError):
            continue  # whoever imports it says what is wrong
        for name in _imported(tree):
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


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that could be modules; a name imported from a package may be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
