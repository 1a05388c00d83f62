"""The rooms of the engine: who may import whom, and no two modules that need each other."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_room_imports_only_rooms_below_it() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_module_needs_one_that_needs_it() -> None:
    """Imports within functions count too; those for type checkers alone do not."""
    graph = {}
    names = {module(path): path for path in sorted((ROOT / "proctor").rglob("*.py"))}
    for name, path in names.items():
        needed = set()
        for node in imports(ast.parse(path.read_text("utf-8"))):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                needed.add(whole if whole in names else str(node.module))
        graph[name] = needed & set(names) - {name}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_what_the_measurements_import_of_the_engine_is_there() -> None:
    """They run by hand, so that a name that moved would be missed for long."""
    for path in sorted((ROOT / "bench").glob("*.py")):
        for node in imports(ast.parse(path.read_text("utf-8"))):
            for alias in node.names:
                if str(node.module).partition(".")[0] == "proctor":
                    assert hasattr(importlib.import_module(str(node.module)), alias.name), path


def test_each_room_says_what_comes_in_and_what_goes_out() -> None:
    for init in (ROOT / "proctor").glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text("utf-8"))), init


def module(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(tree: ast.AST) -> list[ast.ImportFrom]:
    found: list[ast.ImportFrom] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom):
            found.append(node)
        waiting += ast.iter_child_nodes(node)
    return found
