"""The text of otter-assign's cells: what a student does not get, and what a test compares."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from nbformat import NotebookNode

_BEGIN_IGNORE = re.compile(r"\s*#\s*BEGIN\s+IGNORE\b", re.I)
_BEGIN_SOLUTION = re.compile(r"(\s*)#\s*BEGIN\s+SOLUTION(\s+NO\s+PROMPT)?\s*$", re.I)
_SOLUTION = re.compile(r"\s*#\s?(SOLUTION|SOLUTION NO PROMPT|SEED)\s*$")
_ASSIGNED = re.compile(r"(\s*[A-Za-z_][\w.]*(?:\[[^\]]*\])*(?:\s*,\s*[A-Za-z_][\w.]*)*\s*=)(?!=)")
_BEGIN_PROMPT = re.compile(r"\s*(\"\"\"|''')\s*#\s*BEGIN\s+PROMPT\s*$", re.I)
_END_PROMPT = re.compile(r"(\"\"\"|''')\s*;?\s*#\s*END\s+PROMPT\s*$", re.I)
_NUMPY_BOOL = re.compile(r"np\.(True|False)_")
_NUMPY_NUMBER = re.compile(r"\Anp\.\w+\((-?[\d.e+-]+)\)\Z")
_TRUTHS = ("isinstance", "issubclass", "callable", "all", "any", "allclose", "isclose", "hasattr",
           "array_equal", "startswith", "endswith", "issubset", "bool")  # fmt: skip
"""Functions and methods that give True or False."""


class TextError(Exception):
    """A cell breaks otter's format."""


def without_ignored(source: str) -> str:
    """Leave out the lines that otter leaves out of every version.

    Raises
    ------
    TextError
        If a block of them does not end.
    """
    kept, within = [], False
    for line in source.split("\n"):
        if _BEGIN_IGNORE.match(line):
            within = True
        elif line.rstrip().endswith("# END IGNORE"):
            within = False
        elif not within and not line.rstrip().endswith("# IGNORE"):
            kept.append(line)
    if within:
        raise TextError("`# BEGIN IGNORE` without `# END IGNORE`.")
    return "\n".join(kept)


def with_regions(source: str) -> str:
    """Put what a student does not get between nbgrader's marks; a prompt becomes a comment.

    Raises
    ------
    TextError
        If a solution or a prompt does not end.
    """
    kept: list[tuple[bool, str]] = []  # whether a line is the solution's, and the line
    block, prompt = False, False
    for line in source.split("\n"):
        begins = _BEGIN_SOLUTION.match(line)
        if prompt:
            prompt = _END_PROMPT.search(line) is None
            indent = line[: len(line) - len(line.lstrip())]
            told = f"{indent}# {line.strip().lstrip('# ')}"
            kept += [(False, told)] if prompt and line.strip() else []
        elif block:
            block = not line.rstrip().endswith("# END SOLUTION")
            kept += [(True, line)] if block else []
        elif begins:
            block = True
        elif line.rstrip().endswith("# END SOLUTION"):
            raise TextError("`# END SOLUTION` without `# BEGIN SOLUTION`.")
        elif _BEGIN_PROMPT.match(line):
            prompt = True
        elif found := _SOLUTION.search(line):
            bare = line[: found.start()]
            target = _ASSIGNED.match(bare) if found[1] == "SOLUTION" else None
            kept += [(False, f"{target[1]} ...")] if target else []
            kept.append((True, bare))
        else:
            kept.append((False, line))
    if block or prompt:
        what = "SOLUTION" if block else "PROMPT"
        raise TextError(f"`# BEGIN {what}` without `# END {what}`.")
    return "\n".join(_regions(kept))


def _regions(lines: list[tuple[bool, str]]) -> Iterator[str]:
    """Write nbgrader's marks around each run of lines of the solution's."""
    within, indent = False, ""
    for solution, line in lines:
        if solution and not within:
            indent = line[: len(line) - len(line.lstrip())]
            yield f"{indent}### BEGIN SOLUTION"
        elif within and not solution:
            yield f"{indent}### END SOLUTION"
        within = solution
        yield line
    if within:
        yield f"{indent}### END SOLUTION"


def output_of(cell: NotebookNode) -> tuple[str, str]:
    """Return what a test cell printed, and how its value is shown."""
    printed, value = "", ""
    for one in cell.get("outputs", ()):
        if one.get("output_type") == "stream" and one.get("name", "stdout") == "stdout":
            printed += _joined(one.get("text", ""))
        elif one.get("output_type") == "execute_result":
            value += _joined(one.get("data", {}).get("text/plain", ""))
    return printed, value.rstrip("\n")


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shown_test(source: str, output: tuple[str, str], failure: str, *, ran: bool) -> str:
    """Return a test that compares what a cell shows, as an assertion.

    Parameters
    ----------
    source : str
        The cell's code.
    output : (str, str)
        What it printed when the notebook was saved, and how its value was shown.
    failure : str
        What a student reads if it does not pass; empty for what the assertion says by itself.
    ran : bool
        Whether it had run when the notebook was saved.

    Raises
    ------
    TextError
        If it shows a value and was not run.
    SyntaxError
        If it is no Python.
    """
    printed, value = output
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return _printing(source, printed, failure) if printed else _told(source, failure)
    before = "\n".join(source.split("\n")[: last.lineno - 1]).rstrip()
    expression = ast.get_source_segment(source, last.value) or ast.unparse(last.value)
    if not ran and not _gives_none(last.value):
        raise TextError(
            f"`{expression[:80]}` was not run before the notebook was saved, so there is nothing to "
            "compare with. Run all cells and save."
        )
    if printed:
        ends = f"print(repr({expression}))" if value else expression
        return _printing(f"{before}\n{ends}".lstrip("\n"), f"{printed}{value}", failure)
    if value:
        asserted = f"assert {_comparison(last.value, expression, value)}"
    elif _gives_none(last.value):
        return _told(before if isinstance(last.value, ast.Constant) else source, failure)
    else:
        asserted = f"assert ({expression}) is None"
    asserted += f", {failure!r}" if failure else ""
    return f"{before}\n{asserted}".lstrip("\n")


def _gives_none(node: ast.expr) -> bool:
    """Whether an expression shows no value by its very form."""
    name = getattr(getattr(node, "func", None), "id", "")
    return name == "print" or (isinstance(node, ast.Constant) and node.value is None)


def _comparison(node: ast.expr, expression: str, value: str) -> str:
    """Compare an expression with what was shown: as a value where that can be read, else as text."""
    value = _NUMPY_BOOL.sub(r"\1", value)
    if number := _NUMPY_NUMBER.match(value):
        value = number[1]
    if value == "True" and _is_truth(node):
        return expression
    bare = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.Constant)
    left = expression if bare else f"({expression})"
    if value == "False" and _is_truth(node):
        return f"not {left}"
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return f"repr({expression}) == {value!r}"
    return f"{left} == {value}"


def _is_truth(node: ast.expr) -> bool:
    """Whether an expression gives True or False by its very form."""
    if isinstance(node, ast.BoolOp):
        return all(_is_truth(one) for one in node.values)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name in _TRUTHS
    return isinstance(node, ast.Compare)


def _printing(source: str, expected: str, failure: str) -> str:
    """Compare what code prints."""
    told = f", {failure!r}" if failure else ""
    return (
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as printed:\n"
        f"{_indented(source)}\n"
        f"assert printed.getvalue().rstrip() == {expected.rstrip()!r}{told}"
    )


def _indented(source: str) -> str:
    """Move code to the right; of text over several lines nothing is moved."""
    if '"""' in source or "'''" in source:
        source = ast.unparse(ast.parse(source))
    return textwrap.indent(source, "    ")


def _told(source: str, failure: str) -> str:
    """Let code that raises say what its author has to say."""
    if not failure or not source.strip():
        return source
    return (
        f"try:\n{_indented(source)}\n"
        f"except Exception as error:\n    raise AssertionError({failure!r}) from error"
    )


def exception_test(source: str, failure: str) -> str:
    """Return a test that is a function, with the call that otter makes of it.

    Raises
    ------
    TextError
        If it is no function.
    SyntaxError
        If it is no Python.
    """
    tree = ast.parse(source)
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(made) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise TextError("with `ok_format: false` a test cell holds one function and its call.")
    (function,) = made
    parameters = [*function.args.posonlyargs, *function.args.args]
    needed = parameters[: len(parameters) - len(function.args.defaults)]
    args = ", ".join("globals()" if one.arg == "env" else one.arg for one in needed)
    text = "\n".join(source.split("\n")[: function.end_lineno])
    return f"{text}\n{_told(f'{function.name}({args})', failure)}"
