"""What a judge and the hand in the student's process do alike: forms, operators, the shared random streams.

Shipped to the student's process with :mod:`proctor.lift.student_end`.
"""

from __future__ import annotations

import collections
import copy
import functools
import io
import itertools
import operator
import os
import random
import sys
import types
from typing import Any

import numpy as np

from proctor.kernel.arrays import Tree, UnsendableError
from proctor.kernel.values import Decoder, Encoder

WATCHED_ITEMS = 1_000_000
"""Most nodes of an argument that is watched for changes."""
ITERATORS: tuple[type, ...] = (
    types.GeneratorType, map, filter, zip, enumerate, reversed, type(iter([])), type(iter(())),
    type(iter({})), type(iter({}.values())), type(iter({}.items())), type(iter(set())),
    type(iter("")), type(iter(range(0))), type(reversed([])), itertools.chain, itertools.count,
    itertools.cycle, itertools.islice, itertools.product, itertools.permutations,
    itertools.combinations, itertools.takewhile, itertools.dropwhile, itertools.accumulate,
    itertools.starmap, itertools.zip_longest, io.TextIOWrapper,
)  # fmt: skip
FUNCTIONS = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc, functools.partial,
    functools._lru_cache_wrapper,
)  # fmt: skip
"""Types of what is nothing but a function."""
FILES = (io.TextIOWrapper, io.BufferedReader)
"""Open files, which travel as what is left to read in them."""
BASES: tuple[Any, ...] = (
    str, int, float, tuple, list, dict, set, collections.Counter, collections.OrderedDict, collections.deque,
)  # fmt: skip
"""Types whose subclasses can travel as what they hold."""
MUTABLE = {
    "list", "dict", "set", "Counter", "OrderedDict", "defaultdict", "deque", "bytearray", "array",
    "objects", "matrix", "Series", "DataFrame", "memory", "structure", "generator", "random state",
}  # fmt: skip
"""Forms of what a call can change in place."""


OPERATORS = (
    "eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow",
    "matmul", "neg", "pos", "abs", "invert", "contains", "getitem", "setitem", "delitem", "iadd",
    "isub", "imul", "itruediv", "index",
)  # fmt: skip
"""Of Python's :mod:`operator`, those whose method has the same name."""


def operators() -> dict[str, Any]:
    """What the judge may do with an object, by name."""
    names = (*OPERATORS, "and_", "or_", "xor", "lshift", "rshift")
    known: dict[str, Any] = {name: getattr(operator, name) for name in names}
    for function in (
        len, iter, next, bool, str, repr, hash, format, int, float, complex, round, dir, divmod, bytes,
        isinstance, issubclass, getattr, setattr, delattr, reversed,
    ):  # fmt: skip
        known[function.__name__] = function
    known["array"] = np.asarray
    known["copy"], known["deepcopy"] = copy.copy, copy.deepcopy
    known["enter"] = lambda one: type(one).__enter__(one)
    known["exit"] = lambda one, *rest: type(one).__exit__(one, None, None, None)
    return known


def own_module(name: str) -> bool:
    """Whether a module lies beside the notebook: the course's, the same file on both sides."""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return bool(file) and name != "__main__" and os.path.abspath(file).startswith(os.getcwd() + "/")


def found_in(module: str, name: str) -> Any:
    """Return what a module that is loaded has under a qualified name; None if there is nothing."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found


def is_structure(kind: type, structures: set[str]) -> bool:
    """Whether a class is the course's own, so that its instances travel by their attributes."""
    if issubclass(kind, BaseException | type) or not kind.__flags__ & (1 << 9):
        return False
    return own_module(kind.__module__) or (
        kind.__module__ == "__main__" and kind.__name__ in structures
    )


def structure(encoder: Encoder, value: Any, depth: int) -> Tree:
    """Write an instance of a class of the course's: its base value, if any, and its attributes."""
    kind = type(value)
    tree: Tree = {"t": "structure", "m": kind.__module__, "c": kind.__name__}
    for base in BASES:
        if isinstance(value, base):
            tree["base"] = encoder.value(base(value), depth + 1)
            break
    attributes = vars(value) if hasattr(value, "__dict__") else {}
    tree["v"] = [[name, encoder.value(one, depth + 1)] for name, one in attributes.items()]
    return tree


def build(decoder: Decoder, kind: Any, tree: Tree, depth: int) -> Any:
    """Make such an instance again, without running its ``__init__``."""
    if "base" not in tree:
        made = kind.__new__(kind)
    else:
        base = decoder.value(tree["base"], depth + 1)
        plain: Any = type(base)
        if isinstance(base, str | int | float | tuple):
            made = plain.__new__(kind, base)
        else:
            made = plain.__new__(kind)
            made.extend(base) if isinstance(base, list | collections.deque) else made.update(base)
    for name, one in tree["v"]:
        made.__dict__[str(name)] = decoder.value(one, depth + 1)
    return made


RandomState = tuple[Any, Any]
"""Where the two shared random streams are: Python's, and NumPy's."""


def random_state() -> RandomState:
    """Return where the two shared random streams are."""
    return random.getstate(), np.random.get_state(legacy=True)


def same_random(one: RandomState | None, other: RandomState) -> bool:
    """Whether the streams stand where they stood."""
    if one is None or one[0] != other[0]:
        return False
    (_, keys, *rest), (_, others, *more) = one[1], other[1]
    return rest == more and bool((keys == others).all())


def written_random(state: RandomState) -> list[Any]:
    """Return a state as plain data."""
    (version, internal, gauss), (name, keys, place, has, cached) = state
    return [[version, list(internal), gauss], [name, keys.tolist(), int(place), int(has), cached]]


def set_random_state(state: RandomState) -> None:
    """Put the streams where they were."""
    random.setstate(state[0])
    np.random.set_state(state[1])


def read_random(data: Any) -> RandomState:
    """Read what :func:`written_random` wrote."""
    (version, internal, gauss), (name, keys, place, has, cached) = data
    if len(keys) != 624 or not 0 <= place <= 624:  # NumPy looks where this says
        raise ValueError("a state of another kind")
    python = (version, tuple(internal), gauss)
    return python, (name, np.array(keys, np.uint32), place, has, cached)


def fingerprint(value: Any, items: int = WATCHED_ITEMS) -> Any:
    """Something that differs if an argument was changed in place; its identity if it is too large."""
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.shape, value.dtype.str, value.tobytes()
    try:
        out: list[bytes] = []
        return _Whole(out, items, 20).value(value), out
    except (UnsendableError, RecursionError):
        return id(value)


class _Whole(Encoder):
    """Writes what has no form by its identity: for comparing, not for sending."""

    def other(self, value: Any, depth: int) -> Tree:
        module = type(value).__module__
        if (module == "__main__" or own_module(module)) and hasattr(value, "__dict__"):
            return {
                "t": "object",
                "v": [[k, self.value(v, depth + 1)] for k, v in vars(value).items()],
            }
        return {"t": "object", "v": id(value)}
