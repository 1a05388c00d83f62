"""Run a test cell assertion by assertion: what each one says, and what was called, expected and got."""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import Callable
from typing import Any

from proctor.assertions import asserts
from proctor.lift import name_owners, standin
from proctor.lift.admitted import RefusedError
from proctor.lift.namespace import Namespace

MAX_SHOWN = 300
"""Most characters of a value that is told."""
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("", operator.eq),
    ast.NotEq: ("something else than ", operator.ne),
    ast.Lt: ("less than ", operator.lt),
    ast.LtE: ("at most ", operator.le),
    ast.Gt: ("more than ", operator.gt),
    ast.GtE: ("at least ", operator.ge),
    ast.Is: ("", operator.is_),
    ast.In: ("one of ", lambda one, many: one in many),
}


def run(
    source: str,
    name: str,
    space: Namespace,
    ended: Callable[[BaseException, str], dict[str, Any]],
    told: list[dict[str, Any]],
) -> None:
    """Run a cell; an assertion that does not hold does not end it.

    Parameters
    ----------
    ended : callable
        Describes an exception.
    told : list of dict
        Gets one for each assertion that was reached: whether it held and, if not, how it ended and
        what it compared.
    """
    for node in ast.parse(source).body:
        if not asserts(node):
            _execute(node, name, space)
            continue
        said: dict[str, Any] = {"passed": False}
        told.append(said)
        try:
            _hold(node, name, space, said)
            space.flush()
            said["passed"] = True
        except Exception as error:  # noqa: BLE001  what the student's code raised, or the assertion
            said.update(ended(error, name))
            said["line"] = said["line"] or node.lineno


def _execute(node: ast.stmt, name: str, space: Namespace) -> None:
    exec(compile(ast.Module([node], []), name, "exec"), space.names)


def _hold(node: ast.stmt, name: str, space: Namespace, said: dict[str, Any]) -> None:
    """Run one assertion; of a comparison, tell both sides if it does not hold."""
    test = node.test if isinstance(node, ast.Assert) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in _COMPARE:
        _execute(node, name, space)
        return
    words, compare = _COMPARE[type(test.ops[0])]
    sides = [test.left, test.comparators[0]]
    left, right = (_value(side, name, space) for side in sides)
    if compare(left, right):
        return
    if isinstance(test.ops[0], ast.Eq) and not name_owners.reads(sides[0]) & space.theirs:
        sides, left, right = [sides[1], sides[0]], right, left
    said["called"] = ast.unparse(sides[0])[:MAX_SHOWN]
    said["expected"] = words + _shown(right, space)
    said["got"] = _shown(left, space)
    assert isinstance(node, ast.Assert)
    message = [] if node.msg is None else [_value(node.msg, name, space)]
    raise AssertionError(*message)


def _value(node: ast.expr, name: str, space: Namespace) -> Any:
    return eval(compile(ast.Expression(node), name, "eval"), space.names)


def _shown(value: Any, space: Namespace) -> str:
    """Return how a value is written; of what is no value, its type alone."""
    if standin.is_stand_in(value):
        return "an object"
    refused = space.refused
    with contextlib.suppress(RefusedError, Exception):
        return repr(value)[:MAX_SHOWN]
    space.refused = refused
    return "an object"
