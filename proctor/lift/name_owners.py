"""Whose a name is: what code binds and reads, seen without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator

from IPython.core.inputtransformer2 import TransformerManager

Function = ast.FunctionDef | ast.AsyncFunctionDef
_RUNNING = ("exec", "eval", "compile")
_BUILTINS = ("builtins", "__builtins__")
_PICKLES = ("pickle", "dill", "cloudpickle", "joblib", "marshal")


def plain(source: str) -> str:
    """Return a cell's code as Python: magics become calls, as IPython makes them.

    What is Python already is left as it is: IPython needs several times as long to find that out.

    Raises
    ------
    SyntaxError
        If IPython cannot read the cell.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return str(TransformerManager().transform_cell(source))
    return source if source.endswith("\n") else f"{source}\n"


def parse(source: str) -> ast.Module | None:
    """Parse a cell; None if it is no Python."""
    try:
        return ast.parse(plain(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def reads(node: ast.AST, *, deep: bool = True) -> set[str]:
    """Names that running `node` reads; without `deep`, not those that only a later call reads."""
    found: set[str] = set()

    def visit(one: ast.AST) -> None:
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load | ast.Del):
            found.add(one.id)
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            found.add(one.target.id)
        if not deep and isinstance(one, Function | ast.Lambda):
            arguments = one.args
            now: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
            now += getattr(one, "decorator_list", [])
            for part in now:
                visit(part)
            return
        for part in ast.iter_child_nodes(one):
            visit(part)

    visit(node)
    return found


def binds(node: ast.AST) -> set[str]:
    """Names that running `node` at the top of a cell binds; ``*`` for a star import."""
    found: set[str] = set()

    def visit(one: ast.AST) -> None:
        if isinstance(one, Function | ast.ClassDef):
            found.add(one.name)
            for part in ast.walk(one):
                if isinstance(part, ast.Global):
                    found.update(part.names)
            return
        if isinstance(one, ast.Lambda):
            return
        if isinstance(one, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            for part in ast.walk(one):
                if isinstance(part, ast.NamedExpr):
                    found.add(part.target.id)
            return
        if isinstance(one, ast.Import | ast.ImportFrom):
            found.update(
                "*" if name.name == "*" else (name.asname or name.name).split(".")[0]
                for name in one.names
            )
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found.add(one.id)
        if isinstance(one, ast.ExceptHandler) and one.name:
            found.add(one.name)
        if isinstance(one, ast.MatchAs | ast.MatchStar) and one.name:
            found.add(one.name)
        for part in ast.iter_child_nodes(one):
            visit(part)

    visit(node)
    return found


def rebinds(node: ast.AST) -> set[str]:
    """Names that functions of the code declare global."""
    return {name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names}


def binds_of(tree: ast.Module) -> set[str]:
    """Names that a cell binds."""
    return set().union(*(binds(node) for node in tree.body)) if tree.body else set()


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions and classes of a cell with their qualified names."""

    def inside(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for node in body:
            if isinstance(node, Function | ast.ClassDef):
                yield prefix + node.name, node
                if isinstance(node, ast.ClassDef):
                    yield from inside(node.body, f"{prefix}{node.name}.")

    yield from inside(tree.body, "")


def sources(source: str) -> dict[str, str]:
    """Source text of each function and class that a cell defines, by qualified name."""
    tree = parse(source)
    if tree is None:
        return {}
    text = plain(source)
    found = {}
    for name, node in definitions(tree):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
        lines = text.splitlines(keepends=True)[first - 1 : node.end_lineno]  # type: ignore[attr-defined]
        found[name] = "".join(lines)
    return found


def runs_text(tree: ast.AST, runners: Collection[str] = ()) -> bool:
    """Whether code runs text or a pickle that is not written in it, by itself or by one of `runners`."""
    return any(_runs_text(node, runners) for node in ast.walk(tree))


def _runs_text(node: ast.AST, runners: Collection[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in runners
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = getattr(called, "id", None) or getattr(called, "attr", None)
    if isinstance(called, ast.Attribute) and name in ("load", "loads"):
        return isinstance(called.value, ast.Name) and called.value.id in _PICKLES
    whose = getattr(called, "value", None)
    builtin = whose is None or (isinstance(whose, ast.Name) and whose.id in _BUILTINS)
    written = bool(node.args) and isinstance(node.args[0], ast.Constant)
    return builtin and name in _RUNNING and not written


def draws(source: str) -> bool:
    """Whether code sets or reads a random stream that both sides share."""
    return "random" in source or "seed" in source
