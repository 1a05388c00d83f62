"""The code of graded cells: what was run last, and what it shows of a mistake."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection

from labkit.findings import NotYet


def last_run(pattern: str) -> str:
    """Return the cell run last in this notebook that has a line like `pattern`, or ''."""
    cells = getattr(sys.modules.get("__main__"), "In", None)
    for cell in reversed(cells if isinstance(cells, list) else []):
        if isinstance(cell, str) and re.search(pattern, cell, re.MULTILINE):
            return cell
    return ""


def written_in(marker: str) -> str:
    """Return the graded cell with this marker as it was last run in this notebook, or ''."""
    return last_run(rf"^# *{marker}\b")


def parsed(source: str) -> ast.Module | None:
    """Parse a cell; None if it is not Python (an unfinished line, a magic command)."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def names_made(source: str) -> list[str] | None:
    """Return the names that a cell's own lines make, in order; None if that cannot be told."""
    tree = parsed(source)
    if tree is None or {"exec", "eval", "globals", "vars", "setattr"} & names_used(tree):
        return None
    made: dict[str, None] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            made[statement.name] = None
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                made[node.id] = None
            elif isinstance(node, ast.alias):
                made[(node.asname or node.name).partition(".")[0]] = None
    return list(made)


def names_used(tree: ast.AST) -> set[str]:
    """Return every name that stands in a piece of code."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def model_trouble(source: str) -> tuple[str, str] | None:
    """Find in a graded cell why it raised while it made the model: a cause and what to do next."""
    tree = parsed(source)
    for node in ast.walk(tree) if tree else ():
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        one_by_one = node.args and (len(node.args) > 1 or isinstance(node.args[0], ast.Call))
        if name == "Sequential" and one_by_one:
            return (
                "Sequential was given its layers one by one: it takes one list of layers.",
                "Put square brackets around all the layers.",
            )
        shape = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "shape")]
        if name == "Input" and shape and isinstance(getattr(shape[0], "value", None), int):
            return (
                "Input was given a number as its shape; a shape is a tuple, even of one number.",
                f"Write the tuple: ({ast.unparse(shape[0])},), with the comma.",
            )
        for keyword in node.keywords:
            value = getattr(keyword.value, "value", None)
            if not isinstance(keyword.arg, str) or keyword.arg.lower() != "activation":
                continue
            if keyword.arg != "activation":
                return (
                    f"{name} has no argument '{keyword.arg}'.",
                    "Write it in lower case: activation.",
                )
            if not isinstance(value, str) or f" {value} " in KERAS_NAMES:
                continue
            close = value.lower().strip().replace("re_lu", "relu")
            hint = f": did you mean '{close}'?" if f" {close} " in KERAS_NAMES else "."
            return (
                f"Keras knows no activation '{value}'{hint}",
                "Names of activations are written in lower case; correct it, then rerun.",
            )
    return None


KERAS_NAMES = (
    " celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh "
    "leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu softmax "
    "soft_shrink softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh "
    "tanh_shrink threshold "
)
"""The names of activations that Keras knows, with a space before and after each."""


def need_by_hand(source: str, names: Collection[str], cause: str, expected: str, then: str) -> None:
    """Raise `NotYet` if a cell uses one of `names` of a library; `cause` says what of `{used}`.

    '' and a cell that cannot be parsed pass, and a method of the student's own class.
    """
    tree = parsed(source)
    nodes = list(ast.walk(tree)) if tree else []
    own = {f"self.{node.name}" for node in nodes if isinstance(node, ast.FunctionDef)}
    for node in nodes:
        used = ""
        if isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node) not in own:
            used = ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            taken = [alias.name for alias in node.names if alias.name in names]
            used = f"{node.module}." + "/".join(taken) if taken else ""
        if used:
            raise NotYet(
                cause.format(used=used),
                called="(your graded cell)",
                expected=expected,
                got=used,
                next=then,
            )
