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
_LOADING = ("load", "loads")
_DOCTESTS = ("testmod", "testfile", "run_docstring_examples", "DocTestFinder", "DocTestSuite")
_READING = (*_DOCTESTS, "read_pickle", "Unpickler", "sympify", "parse_expr")
"""Functions of libraries that run what they read."""
_MAGICS = ("run_cell_magic", "run_line_magic", "magic")


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


def plainly(source: str) -> str:
    """Return a cell's code as :func:`plain` does, as it is where IPython cannot read it."""
    try:
        return plain(source)
    except SyntaxError:
        return source


def parse(source: str) -> ast.Module | None:
    """Parse a cell; None if it is no Python."""
    try:
        return ast.parse(plain(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def reads(node: ast.AST, *, deep: bool = True) -> set[str]:
    """Names that running `node` reads; without `deep`, not those that only a later call reads.

    What a function binds for itself is no name of the notebook.
    """
    found: set[str] = set()

    def visit(one: ast.AST, own: frozenset[str]) -> None:
        if (
            isinstance(one, ast.Name)
            and isinstance(one.ctx, ast.Load | ast.Del)
            and one.id not in own
        ):
            found.add(one.id)
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            found.update({one.target.id} - own)
        if isinstance(one, Function | ast.Lambda):
            arguments = one.args
            now: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
            now += getattr(one, "decorator_list", [])
            now += [part for part in _annotations(one) if part is not None]
            for part in now:
                visit(part, own)
            if deep:
                inner = own - _declared(one) | _own_names(one)
                for part in one.body if isinstance(one.body, list) else [one.body]:
                    visit(part, inner)
            return
        for part in ast.iter_child_nodes(one):
            visit(part, own)

    visit(node, frozenset())
    return found


def _own_names(function: ast.AST) -> frozenset[str]:
    """Names that a function binds for itself: its parameters, and what it assigns without `global`."""
    arguments: ast.arguments = function.args  # type: ignore[attr-defined]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    body = function.body if isinstance(function.body, list) else [function.body]  # type: ignore[attr-defined]
    bound = {one.arg for one in every}.union(*(binds(part) for part in body))
    return frozenset(bound - _declared(function) - {"*"})


def _declared(function: ast.AST) -> frozenset[str]:
    """Names that a function declares global, or another function's."""
    every = [one for one in ast.walk(function) if isinstance(one, ast.Global | ast.Nonlocal)]
    return frozenset(name for one in every for name in one.names)


def _annotations(function: ast.AST) -> list[ast.expr | None]:
    arguments: ast.arguments = function.args  # type: ignore[attr-defined]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*(one.annotation for one in every), getattr(function, "returns", None)]


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
    """Whether code runs text or a pickle that is not written in it, by itself or by one of `runners`.

    A pickle in a file that the code names is the course's own: a judge has no others. The docstrings that
    doctest runs are the student's text.
    """
    files = _files(tree)
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return any(_runs_text(node, called.get(id(node)), runners, files) for node in ast.walk(tree))


def running(node: ast.stmt, runners: Collection[str] = ()) -> set[str]:
    """Names by which a statement makes text run: functions and classes, and other names of such."""
    if isinstance(node, Function | ast.ClassDef):
        names = {node.name, f"class {node.name}"} if isinstance(node, ast.ClassDef) else {node.name}
        return names if runs_text(node, runners) else set()
    if isinstance(node, ast.Import):
        return {
            f"{one.asname}.{name}"
            for one in node.names
            if one.asname and one.name in (*_PICKLES, *_BUILTINS)
            for name in (*_LOADING, *_RUNNING)
        }
    if isinstance(node, ast.ImportFrom):
        known = (
            _LOADING if node.module in _PICKLES else _RUNNING if node.module == "builtins" else ()
        )
        return {one.asname or one.name for one in node.names if one.name in known}
    if isinstance(node, ast.Assign):
        value = node.value
        inner = {id(one.func) for one in ast.walk(value) if isinstance(one, ast.Call)}
        given = [
            one for one in ast.walk(value) if isinstance(one, ast.expr) and id(one) not in inner
        ]
        made = isinstance(value, ast.Call) and f"class {getattr(value.func, 'id', '')}" in runners
        lazily = any(isinstance(one, ast.Lambda) and runs_text(one, runners) for one in given)
        if lazily or made or any(_runs(one, runners) for one in given):
            return binds(node)
    return set()


def _runs(function: ast.expr, runners: Collection[str]) -> bool:
    """Whether an expression names a function that runs what it is given."""
    if isinstance(function, ast.Name):
        return function.id in (*_RUNNING, *_READING) or function.id in runners
    if not isinstance(function, ast.Attribute):
        return False
    whose, name = getattr(function.value, "id", ""), function.attr
    return (
        name in _READING
        or f"{whose}.{name}" in runners
        or (whose in _BUILTINS and name in _RUNNING)
        or (whose in _PICKLES and name in _LOADING)
    )


def _runs_text(
    node: ast.AST, call: ast.Call | None, runners: Collection[str], files: Collection[str]
) -> bool:
    """Whether an expression runs text: it is called, as `call`, or handed on."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", "")
        first = node.args[0] if node.args else None
        if name in _MAGICS:
            return any(_written_runs(one, runners) for one in node.args)
        evaluates = name in ("eval", "query") and first is not None  # a frame's
        pickles = any(one.arg == "allow_pickle" for one in node.keywords)
        return (evaluates or pickles) and not _is_written(first, runners, files)
    if not isinstance(node, ast.expr) or not _runs(node, runners):
        return False
    if call is None or (isinstance(node, ast.Name) and node.id in runners):
        return isinstance(getattr(node, "ctx", None), ast.Load)
    if getattr(node, "id", getattr(node, "attr", "")) in _DOCTESTS:
        return True
    return not _is_written(call.args[0] if call.args else None, runners, files)


def _is_written(first: ast.expr | None, runners: Collection[str], files: Collection[str]) -> bool:
    """Whether what would run stands in the code, or in a file that the code names, and runs nothing else."""
    if isinstance(first, ast.Constant):
        return not _written_runs(first, runners)
    return _opens(first) or (isinstance(first, ast.Name) and first.id in files)


def _written_runs(one: ast.expr, runners: Collection[str]) -> bool:
    """Whether code that is written as text in the code runs text."""
    if not isinstance(one, ast.Constant) or not isinstance(one.value, str):
        return False
    tree = parse(one.value)
    return tree is not None and runs_text(tree, runners)


def _opens(node: ast.AST | None) -> bool:
    """Whether an expression opens a file whose name is written there."""
    if (
        not isinstance(node, ast.Call)
        or not node.args
        or not isinstance(node.args[0], ast.Constant)
    ):
        return False
    return getattr(node.func, "id", getattr(node.func, "attr", "")) == "open"


def _files(tree: ast.AST) -> set[str]:
    """Names that hold nothing but files whose names are written in the code."""
    opened: list[str] = []
    for node in ast.walk(tree):
        pairs: list[tuple[ast.AST | None, ast.AST]] = []
        if isinstance(node, ast.withitem):
            pairs = [(node.optional_vars, node.context_expr)]
        elif isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        opened += [to.id for to, value in pairs if isinstance(to, ast.Name) and _opens(value)]
    stored = [
        one.id
        for one in ast.walk(tree)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]
    return {name for name in opened if opened.count(name) == stored.count(name)}


def draws(source: str) -> bool:
    """Whether code sets or reads a random stream that both sides share."""
    return "random" in source or "seed" in source
