"""What a cell defines at its top level, and which cells of a student are which by that.

For notebooks that lost every id and marker on the way: a student who writes a cell anew still calls
the function as the lab calls it, since everything after it does.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MAX_SOURCE = 50_000
"""Longest cell that is parsed, in characters; people's own cells reach a few thousand."""
MAX_TOTAL = 1_000_000
"""Most characters of one notebook that are parsed."""
MAX_CANDIDATES = 40
"""Most cells that are considered for one exercise: the last ones."""

_TIMED = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.M)
_CELL_MAGIC = re.compile(r"\A\s*%%[^\n]*\n?")
_LINE_MAGIC = re.compile(r"^([ \t]*)[%!?][^\n]*", re.M)
_BY_EYE = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.M
)


def definitions(source: str) -> tuple[str, ...]:
    """Return the names that code defines at its top level: functions, classes, assignments.

    What Python cannot parse is read line by line; IPython's magics count for nothing. Loop variables,
    imports and what is changed in place are no definitions.
    """
    if len(source) > MAX_SOURCE:
        return ()
    code = _CELL_MAGIC.sub("", source)
    code = _LINE_MAGIC.sub(r"\1pass", _TIMED.sub(r"\1", code))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a student's string
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = [one or other for one, other in _BY_EYE.findall(code)]
    else:
        names = [name for statement in tree.body for name in _defined(statement)]
    return tuple(dict.fromkeys(names))


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _targets(target)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from _targets(statement.target)
    elif not isinstance(statement, ast.expr):
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt):
                yield from _defined(child)
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                for inner in child.body:
                    yield from _defined(inner)


def _targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _targets(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _targets(element)


def telling(source: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return the names by which a graded cell can be known.

    Its functions and classes if it has any; else what it assigns and other cells use.
    """
    names = definitions(source)
    functions = {one or "" for one, _ in _BY_EYE.findall(source)}
    own = tuple(name for name in names if name in functions)
    if own:
        return own
    rest = "\n".join(others)
    used = tuple(name for name in names if re.search(rf"\b{re.escape(name)}\b", rest))
    return used or names


@dataclass(frozen=True)
class Defined:
    """The cell that defines what an exercise asks for.

    Attributes
    ----------
    position : int
        Its place in the student's notebook.
    names : tuple of str
        What it defines of the wanted.
    rivals : int
        How many cells define as much, this one among them.
    in_order : bool
        Whether it stands where the lab has it, between the other exercises.
    """

    position: int
    names: tuple[str, ...]
    rivals: int
    in_order: bool


def find_defined(
    wanted: Mapping[str, Sequence[str]], fixed: Mapping[str, int], cells: Mapping[int, str]
) -> dict[str, Defined]:
    """Find the cells that define what exercises ask for.

    Parameters
    ----------
    wanted : mapping of str to sequence of str
        From each exercise, in the lab's order, to the names its cell defines.
    fixed : mapping of str to int
        Exercises whose cell is known already, and its position.
    cells : mapping of int to str
        Position and code of the cells that are nobody's yet.

    Returns
    -------
    dict of str to Defined
        The order of the exercises is kept as far as most of them allow; of several cells that define
        the same the last one counts, as it would in the notebook.
    """
    found = _candidates({name: wanted[name] for name in wanted if name not in fixed}, cells)
    options = {name: {fixed[name]: 1.0} if name in fixed else found[name] for name in wanted}
    chosen = _in_order(list(options.items()))
    result = {}
    for name in (name for name in wanted if name not in fixed and found[name]):
        scores = found[name]
        position = chosen.get(name, max(scores, key=lambda place: (scores[place], place)))
        names = set(definitions(cells[position]))
        result[name] = Defined(
            position,
            tuple(one for one in wanted[name] if one in names),
            sum(score == scores[position] for score in scores.values()),
            name in chosen,
        )
    return result


def _candidates(
    wanted: Mapping[str, Sequence[str]], cells: Mapping[int, str]
) -> dict[str, dict[int, float]]:
    """Return, for each exercise, the cells that define some of its names, and what share of them."""
    every = sorted({name for names in wanted.values() for name in names})
    found: dict[str, dict[int, float]] = {name: {} for name in wanted}
    if not every:
        return found
    mentions = re.compile(rf"\b(?:{'|'.join(map(re.escape, every))})\b")
    room = MAX_TOTAL
    for position in sorted(cells, reverse=True):
        source = cells[position]
        room -= len(source)
        if room < 0:
            break
        names = set(definitions(source)) if mentions.search(source) else set()
        for exercise, own in wanted.items():
            share = len(names.intersection(own)) / max(1, len(own))
            if share and len(found[exercise]) < MAX_CANDIDATES:
                found[exercise][position] = share
    return found


_Way = tuple[float, int, tuple[int, ...]]
"""Score of a choice, less its shared cells, and the places it takes."""


def _in_order(options: list[tuple[str, dict[int, float]]]) -> dict[str, int]:
    """Choose a cell for as many exercises as can be had without turning their order round.

    Cells of their own go before one cell for two exercises, and later cells before earlier ones.
    """
    ways: dict[int, tuple[_Way, dict[str, int]]] = {-1: ((0.0, 0, ()), {})}
    for name, scores in options:
        following = dict(ways)  # without this exercise
        for position, score in scores.items():
            for last, ((total, shared, places), chosen) in ways.items():
                if last > position:
                    continue
                way = (total + score, shared - (last == position), (*places, position))
                if position not in following or following[position][0] < way:
                    following[position] = (way, {**chosen, name: position})
        ways = following
    return max(ways.values(), key=lambda item: item[0])[1]
