"""Wrong answers made from a right one: what a lifted cell and the same cell unlifted must agree on."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import math
import sys
import types
from typing import Any

import numpy as np

from proctor.lift.both_ends import own_module

_LIBRARIES = (type, types.FunctionType, types.BuiltinFunctionType)


def kinds(value: Any) -> list[str]:
    """List the ways in which an object of the reference solution can be made wrong, or other."""
    module = getattr(value, "__module__", None)
    library = isinstance(module, str) and module != "__main__" and not own_module(module)
    if isinstance(value, types.ModuleType) or (library and isinstance(value, _LIBRARIES)):
        return []
    if isinstance(value, type):
        return ["none", "perturb", "delete", "shared"]
    if callable(value):
        changes = ["none", "constant", "perturb", "raises", "delete"]
        return [*changes, "shared", "subclass", "numpy", "plain"]
    return ["none", "perturb", "delete", "shared", "subclass", "numpy", "plain"]


def mutate(names: dict[str, Any], name: str, kind: str) -> None:
    """Put a mutant in the place of an object.

    Parameters
    ----------
    names : dict
        The namespace.
    name, kind : str
        Whose object, and how; ``attack:equal`` and ``attack:patch`` try what a forger would, on all of
        the names that `name` lists, with blanks between.
    """
    if kind.startswith("attack:"):
        for one in name.split():
            if not isinstance(names.get(one), types.ModuleType):
                names[one] = Always() if kind == "attack:equal" else None
        if kind == "attack:patch":
            patch(names)
        return
    value = names[name]
    if kind == "delete":
        del names[name]
    elif kind == "raises":
        names[name] = _raises
    elif kind == "constant":
        names[name] = lambda *args, **keywords: 42
    elif kind == "none":
        names[name] = (lambda *args, **keywords: None) if callable(value) else None
    elif kind == "shared":
        _share(names, name)
    elif isinstance(value, type):
        for key, method in list(vars(value).items()):
            if isinstance(method, types.FunctionType) and key != "__init__":
                setattr(value, key, _wrapped(method, perturb))
    else:
        change = _CHANGES[kind]
        names[name] = _wrapped(value, change) if callable(value) else change(value)


def _share(names: dict[str, Any], name: str) -> None:
    """Put something equal in its place, whose parts are those of other objects where these are equal.

    A value becomes the object of another name; a function gives parts of its arguments, of what it gave
    before, or one part several times; a method, parts of its instance. Only who asks whether two things
    are one sees a difference.
    """
    value = names[name]
    if isinstance(value, type):
        for key, method in list(vars(value).items()):
            if isinstance(method, types.FunctionType) and not key.startswith("__"):
                setattr(value, key, _sharing(method))
    elif callable(value):
        names[name] = _sharing(value)
    else:
        others = [one for key, one in names.items() if key != name and not key.startswith("_")]
        names[name] = shared(value, others)


def _sharing(function: Any) -> Any:
    given: list[Any] = []

    def call(*args: Any, **keywords: Any) -> Any:
        held = [
            vars(one)
            for one in args[:1]
            if type(one).__module__ == "__main__" and hasattr(one, "__dict__")
        ]
        result = function(*args, **keywords)
        made = shared(result, [*args, *keywords.values(), *held, *given[-20:]])
        given.append(made)
        return made

    return _named(call, function)


def shared(value: Any, others: list[Any]) -> Any:
    """Return an equal value made of the lists, dictionaries, sets and arrays of `others` where possible."""
    known: list[Any] = []

    def note(one: Any, depth: int) -> None:
        if depth > 4 or len(known) > 200 or type(one) not in _SHARED:
            return
        if type(one) is not tuple:
            known.append(one)
        for part in _parts(one):
            note(part, depth + 1)

    def build(one: Any, depth: int) -> Any:
        kind = type(one)
        if depth > 4 or kind not in _SHARED:
            return one
        whole = depth or not any(type(part) in _SHARED for part in _parts(one))
        if kind is not tuple and whole:
            for other in known:
                if type(other) is kind and _equal(other, one):
                    return other
        made = one
        if kind in (list, tuple) and len(one) <= 1000:
            made = kind([build(part, depth + 1) for part in one])
        elif kind is dict and len(one) <= 1000:
            made = {key: build(part, depth + 1) for key, part in one.items()}
        if kind is not tuple:
            known.append(made)
        return made

    for other in others:
        note(other, 0)
    return build(value, 0)


def _parts(value: Any) -> list[Any]:
    """What lies in a list, a tuple or a dictionary, and could be shared by itself."""
    if type(value) is dict:
        return list(value.values())
    return list(value) if type(value) in (list, tuple) else []


_SHARED = (list, dict, set, tuple, np.ndarray, bytearray)


def _equal(one: Any, other: Any) -> bool:
    with contextlib.suppress(Exception):
        if type(one) is np.ndarray:
            return one.dtype == other.dtype and np.array_equal(one, other)
        return len(one) == len(other) and repr(one) == repr(other)
    return False


def _wrapped(function: Any, change: Any) -> Any:
    def call(*args: Any, **keywords: Any) -> Any:
        return change(function(*args, **keywords))

    return _named(call, function)


def _named(call: Any, function: Any) -> Any:
    """Give a function the name and the signature of the one that it stands for."""
    if hasattr(function, "__name__"):
        functools.update_wrapper(call, function)
        del vars(call)["__wrapped__"]  # some look behind it, and some do not
        with contextlib.suppress(TypeError, ValueError):
            call.__signature__ = inspect.signature(function)
    return call


def _raises(*args: Any, **keywords: Any) -> Any:
    raise NotImplementedError


def perturb(value: Any, depth: int = 0) -> Any:
    """Return something else of the same kind."""
    kind = type(value)
    if kind is bool or isinstance(value, np.bool_):
        return not value
    if isinstance(value, int | np.integer):
        return value + 1
    if isinstance(value, float | complex | np.floating):
        return value * 1.5 + 1
    if isinstance(value, str):
        return value + "x"
    if kind is list or kind is tuple:
        if not value or depth >= 3:
            return kind([0])
        return kind([perturb(value[0], depth + 1), *value[1:]])
    if kind is dict:
        if not value or depth >= 3:
            return {0: 0}
        return {key: perturb(one, depth + 1) for key, one in value.items()}
    if kind in (set, frozenset):
        return kind(list(value)[1:]) if value else kind([0])
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "iufc":
            return value + 1
        return ~value if value.dtype.kind == "b" else value[:-1]
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return value.iloc[:-1]
    return 0 if value is None else None


class SubList(list[Any]):
    """A list by another name."""


class SubFloat(float):
    """A float by another name."""


class SubStr(str):
    """A string by another name."""


class SubDict(dict[Any, Any]):
    """A dictionary by another name."""


_SUBCLASSES = {list: SubList, float: SubFloat, str: SubStr, dict: SubDict}


def _subclass(value: Any) -> Any:
    kind = _SUBCLASSES.get(type(value))
    return kind(value) if kind else copy.deepcopy(value)


def _numpy(value: Any) -> Any:
    if type(value) is bool:
        return np.bool_(value)
    if type(value) is int and abs(value) < 2**62:
        return np.int64(value)
    if type(value) is float:
        return np.float64(value)
    if type(value) is list and value and all(type(one) in (int, float) for one in value):
        return np.array(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if type(value) is tuple else value


_CHANGES = {"perturb": perturb, "subclass": _subclass, "numpy": _numpy, "plain": _plain}


class Always:
    """Equal to everything, and whatever else a test may ask."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def _yes(self, *args: Any) -> bool:
        return True

    def _self(self, *args: Any) -> Any:
        return self

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _yes
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _self
    __rtruediv__ = __pow__ = __abs__ = __neg__ = __round__ = __getitem__ = _self

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0

    def __len__(self) -> int:
        return 1

    __int__ = __index__ = __len__

    def __float__(self) -> float:
        return 0.0

    def __iter__(self) -> Any:
        return iter([self])


def patch(names: dict[str, Any]) -> None:
    """Do to a process what a student might who knows that it also judges."""
    import hashlib
    import unittest

    import numpy.testing as testing

    def yes(*args: Any, **keywords: Any) -> bool:
        return True

    def nothing(*args: Any, **keywords: Any) -> None:
        return None

    for name in ("allclose", "isclose", "array_equal"):
        setattr(np, name, yes)
    for module in (testing, unittest.TestCase):
        for name in dir(module):
            if name.startswith("assert"):
                setattr(module, name, nothing)
    math.isclose = yes
    vars(hashlib).update(dict.fromkeys(("md5", "sha1", "sha256"), lambda *a, **k: Always()))
    for name, value in list(names.items()):
        if getattr(value, "__module__", None) in ("numpy.testing", "numpy.testing._private.utils"):
            names[name] = nothing
