"""Run a cell's code outside IPython, as a notebook would; shipped with :mod:`proctor.lift.student_end`."""

from __future__ import annotations

import ast
import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any


def run_source(
    source: str, name: str, names: dict[str, Any], show: Callable[[Any], str] = repr
) -> list[str]:
    """Run a cell; return how `show` shows the value of its last expression, if there is one."""
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        _run(tree, name, "exec", names)
        return []
    _run(ast.Module(tree.body[:-1], []), name, "exec", names)
    value = _run(ast.Expression(last.value), name, "eval", names)
    return [] if value is None else [show(value)[:1000]]


def _run(tree: ast.AST, name: str, mode: str, names: dict[str, Any]) -> Any:
    """Run code; what awaits at its top, as a notebook's cells may, in an event loop of its own."""
    code = compile(tree, name, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # type: ignore[call-overload]
    result = eval(code, names)
    if not code.co_flags & inspect.CO_COROUTINE:
        return result
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as beside:  # in this thread the kernel's own loop is running
        return beside.submit(asyncio.run, result).result()


def own_line(error: BaseException) -> str:
    """Return the last line of a notebook's cell on the way to `error`, or an empty string."""
    line = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if "ipykernel_" in name or name.startswith("<ipython-input"):
            line = linecache.getline(name, number).strip() or line
    return line[:500]
