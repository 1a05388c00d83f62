"""Stand-ins: what a judge holds in place of an object of the student's that is no value.

Whatever is done with one is done in the student's process, so what it answers is the student's word.
That is why a stand-in is made, and an operator goes over, only where judging the instructor's own
solution needed it; see :meth:`proctor.lift.admitted.Admitted.admit`.
"""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Any, ClassVar

from proctor.lift.both_ends import FUNCTIONS, OPERATORS

if TYPE_CHECKING:
    from proctor.lift.conversation import Conversation

_own = object.__getattribute__
_LOCAL = {"_judge", "_tree", "__class__", "__copy__", "__deepcopy__"}
_NEVER = {
    "__array_interface__", "__array_struct__", "__array_priority__", "__array_ufunc__",
    "__array_function__", "__dataframe__", "__reduce__", "__reduce_ex__",
}  # fmt: skip
"""What libraries look for, and would act on in the judge's own process."""


class StandIn:
    """Stands for an instance of a class of the student's or a library's."""

    LOCAL: ClassVar[set[str]] = set()
    TOLD: ClassVar[set[str]] = set()
    """Attributes that came with the reference."""

    def __init__(self, judge: Conversation, tree: dict[str, Any]) -> None:
        object.__setattr__(self, "_judge", judge)
        object.__setattr__(self, "_tree", tree)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return _own(self, "_judge").type_of(_own(self, "_tree")["line"]) or type(self)

    def __getattribute__(self, name: str) -> Any:
        if name in _LOCAL or name in type.__getattribute__(type(self), "LOCAL"):
            return _own(self, name)
        judge, tree = _own(self, "_judge"), _own(self, "_tree")
        if name in type.__getattribute__(type(self), "TOLD"):
            return tree.get(name) or (None if name == "__doc__" else "")
        absent = name == "__array__" and "__array__" not in tree.get("has", ())
        if name in _NEVER or absent or name.startswith("_ipython"):
            raise AttributeError(name)
        if tree["kind"] in ("function", "class"):
            what = f"attribute:{tree['kind']}:{name}"
            judge.admit(what, f"a {tree['kind']} where the solution gives another object ({name})")
        return judge.operate("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _own(self, "_judge").operate("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        _own(self, "_judge").operate("delattr", self, name)

    def __dir__(self) -> list[str]:
        return list(_own(self, "_judge").operate("dir", self))

    def __copy__(self) -> Any:
        return _own(self, "_judge").operate("copy", self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _own(self, "_judge").operate("deepcopy", self)


def _operator(name: str, *, swapped: bool = False) -> Any:
    def method(self: StandIn, *others: Any) -> Any:
        judge = _own(self, "_judge")
        if name in ("eq", "ne") and not judge.admits(f"operator:{name}"):
            return (self is others[0]) is (name == "eq")
        judge.admit(f"operator:{name}", f"a stand-in where the solution gives a value ({name})")
        args = (*others, self) if swapped else (self, *others)
        return judge.operate(name, *args)

    return method


for _name in (
    *OPERATORS,
    "len", "iter", "bool", "str", "repr", "hash", "format", "int", "float", "complex", "round",
    "divmod", "enter", "exit", "reversed",
):  # fmt: skip
    setattr(StandIn, f"__{_name}__", _operator(_name))
for _name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]:
    setattr(StandIn, f"__r{_name}__", _operator(_name, swapped=True))
for _name in ("and", "or", "xor"):
    setattr(StandIn, f"__{_name}__", _operator(f"{_name}_"))


class WithheldStandIn(StandIn):
    """Stands for an instance where the solution gives something else: to look at it is to be refused.

    A test that only hands it on, or lets it fall, is judged; so it is where it stays in the student's
    process.
    """

    def _refuse(self, *others: Any) -> Any:
        raise _own(self, "_judge").refusal(another(_own(self, "_tree")))

    def __getattribute__(self, name: str) -> Any:
        return _own(self, name) if name in ("_judge", "_tree") else _own(self, "_refuse")()

    __class__ = property(_refuse)


_OWN = {"__init__", "__getattribute__", "__class__", "__module__", "__doc__", "__dict__"}
for _name in vars(StandIn).keys() - _OWN:
    if _name.startswith("__") and callable(getattr(StandIn, _name)):
        setattr(WithheldStandIn, _name, WithheldStandIn._refuse)


class FunctionStandIn(StandIn):
    """Stands for a function; calling it calls the student's."""

    LOCAL: ClassVar[set[str]] = {"__signature__"}

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        known = _own(self, "_judge").type_of(_own(self, "_tree")["line"][:1])
        return known if known in FUNCTIONS else types.FunctionType

    TOLD: ClassVar[set[str]] = {"__name__", "__qualname__", "__doc__", "__module__"}

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return _own(self, "_judge").call(self, args, keywords)

    @property
    def __signature__(self) -> inspect.Signature:
        told = _own(self, "_tree").get("signature")
        if told is None:
            raise ValueError("no signature found")
        judge, parameters = _own(self, "_judge"), []
        for name, kind, default in told:
            value = inspect.Parameter.empty if default is None else judge.decode(default, [])
            parameters.append(inspect.Parameter(name, inspect._ParameterKind(kind), default=value))
        return inspect.Signature(parameters)

    def __eq__(self, other: object) -> bool:
        """A module's function equals the judge's own of that name: it is the same file."""
        if self is other:
            return True
        tree = _own(self, "_tree")
        same = isinstance(other, types.FunctionType) and (
            (other.__module__, other.__name__) == (tree.get("__module__"), tree.get("__name__"))
        )
        return same and _own(self, "_judge").is_own_module(tree.get("__module__", ""))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(_own(self, "_tree")["id"])

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"

    def __str__(self) -> str:
        return repr(self)


class CallableStandIn(StandIn):
    """Stands for an object that can be called."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return _own(self, "_judge").call(self, args, keywords)


class IteratorStandIn(StandIn):
    """Stands for an iterator; each step is taken there."""

    def __iter__(self) -> IteratorStandIn:
        return self

    def __next__(self) -> Any:
        return _own(self, "_judge").operate("next", self)


class ClassStandIn(FunctionStandIn):
    """Stands for a class; calling it makes an instance there."""

    LOCAL: ClassVar[set[str]] = FunctionStandIn.LOCAL | {"__bases__", "__mro_entries__"}

    def __instancecheck__(self, one: object) -> bool:
        judge = _own(self, "_judge")
        asked = is_stand_in(one) or hasattr(type(one), "_fields")  # a named tuple is one of theirs
        return asked and judge.operate("isinstance", one, self) is True

    def __subclasscheck__(self, one: object) -> bool:
        judge = _own(self, "_judge")
        return is_stand_in(one) and judge.operate("issubclass", one, self) is True

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type

    @property
    def __bases__(self) -> tuple[type, ...]:
        judge, line = _own(self, "_judge"), _own(self, "_tree")["line"]
        found = [judge.type_of([entry]) for entry in line[1:]]
        return tuple(one for one in found if one is not None) or (object,)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise _own(self, "_judge").refusal("a class of the test's that is made from a student's")


def is_stand_in(one: object) -> bool:
    """Whether an object is one, whatever class it says it is of."""
    return issubclass(type(one), StandIn)


def another(tree: dict[str, Any]) -> str:
    """Say of which class an object is that the solution does not give there."""
    return f"an object of class {str(tree['line'][0][1])[:100]} where the solution gives another"


def shown(one: Any) -> str:
    """Return how a notebook shows an object; of a withheld one only that there is one."""
    return "<object>" if type(one) is WithheldStandIn else repr(one)


def make(judge: Conversation, tree: dict[str, Any]) -> StandIn:
    """Make the stand-in for a reference that came."""
    kinds: dict[str, type[StandIn]] = {
        "function": FunctionStandIn,
        "callable": CallableStandIn,
        "iterator": IteratorStandIn,
        "class": ClassStandIn,
        "instance": StandIn,
    }
    return kinds[tree["kind"]](judge, tree)
