"""What a piece of a notebook's code uses of the rest: where a name that it reads is defined.

For looking at an answer whole, when a part of it stands in another cell than the one that is graded.
Code is read, never run; IPython's magics are undone first, and what they are given is read as code.
"""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

MOST = 100_000
"""Longest cell that is read, in characters; what is longer is not read at all."""
MOST_TOGETHER = 1_000_000
"""Most characters of all cells that are read."""
MOST_SIGNS = 200
"""Most signs of IPython's syntax in a cell that is read: each has the whole cell translated anew."""
_MAGIC = {"run_line_magic": 1, "run_cell_magic": 2, "system": 0, "getoutput": 0}
"""Methods of IPython's shell to which magics are translated, and the place of what they are given."""
_SIGNS = re.compile(r"^[ \t]*[%!?]|[?][ \t]*$|=[ \t]*[%!]", re.MULTILINE)
_OPTIONS = re.compile(r"^\s*(-\w+(\s+\d+)?\s+)*")


@dataclass(frozen=True)
class Piece:
    """A statement at the top of a cell: its text, what it binds, and what it reads of other code."""

    text: str
    binds: frozenset[str]
    reads: frozenset[str]


def plain_python(code: str) -> str | None:
    """Return a cell's code without IPython's own syntax; None if it is not Python even then.

    What a magic is given (``%time x = f(z)``) follows the code, where it is Python by itself.
    """
    if len(code) > MOST:
        return None
    if signs := len(_SIGNS.findall(code)):
        if signs > MOST_SIGNS:
            return None
        try:
            code = TransformerManager().transform_cell(code)
        except Exception:  # noqa: BLE001  IPython's transformers raise what they like at odd text
            return None
    tree = _parsed(code)
    if tree is None:
        return None
    given = [text for text in _given_to_magics(tree) if _parsed(text) is not None]
    return "\n".join([code, *given])


def used_by(code: str, cells: Sequence[str], names: Iterable[str] = ()) -> str | None:
    """Return a cell's code and what of other cells it uses, directly or not, as one text.

    Parameters
    ----------
    code : str
        The cell.
    cells : sequence of str
        All the code there is to be used; the cell itself may be among them.
    names : iterable of str
        What else is asked for, whether the cell mentions it or not.

    Returns
    -------
    str or None
        None if the cell itself cannot be read as Python.
    """
    own = plain_python(code)
    if own is None:
        return None
    room = MOST_TOGETHER
    pieces: list[Piece] = []
    for cell in cells:
        room -= len(cell)
        pieces += _pieces(cell) if cell != code and room >= 0 else ()
    wanted = {*names, *(name for piece in _pieces(own) for name in piece.reads | piece.binds)}
    chosen: set[int] = set()
    while True:
        new = {
            place
            for place, piece in enumerate(pieces)
            if place not in chosen and (piece.binds & wanted or "*" in piece.binds)
        }
        if not new:
            break
        chosen |= new
        wanted |= {name for place in new for name in pieces[place].reads}
    return "\n".join([*(pieces[place].text for place in sorted(chosen)), own])


def _pieces(code: str) -> Iterator[Piece]:
    """Yield the statements of a cell; none of a cell that is not Python, which defines nothing."""
    text = plain_python(code)
    tree = _parsed(text) if text is not None else None
    for node in tree.body if tree is not None else ():
        part = ast.get_source_segment(text or "", node) or ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            part = "\n".join([*(f"@{ast.unparse(d)}" for d in node.decorator_list), part])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = symtable.symtable(part, "cell", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        yield Piece(part, frozenset(_bound(node, table)), frozenset(_read(table)))


def _bound(node: ast.stmt, table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names that a statement gives a value, or changes an attribute or an item of."""
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from (name.get_name() for name in inner.get_symbols() if name.is_declared_global())
    for part in ast.walk(node):
        if isinstance(part, ast.alias) and part.name == "*":
            yield "*"
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
            while isinstance(part, ast.Attribute | ast.Subscript):
                part = part.value
            if isinstance(part, ast.Name):
                yield part.id


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names that code reads from the notebook, inside of functions too."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)


def _given_to_magics(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _MAGIC
        ):
            for argument in node.args[_MAGIC[node.func.attr] :]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield _OPTIONS.sub("", argument.value, count=1)


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a student's string
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
