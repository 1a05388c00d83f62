"""The dictionary in which a test cell runs, and what `type` means there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proctor.lift import standin

if TYPE_CHECKING:
    from proctor.lift.namespace import Namespace


class Names(dict[str, Any]):
    """The names that a test cell sees."""

    def __init__(self, judge: Namespace) -> None:
        super().__init__()
        self.judge = judge

    def __getitem__(self, name: str) -> Any:
        if name in self.judge.theirs:
            if not dict.__contains__(self, name):
                return self.judge.fetch(name)
            # A function's `global` statement stored it, past this dictionary's own methods.
            self.judge.bind(name, dict.__getitem__(self, name))
        if name == "type":
            return TypeOf
        return dict.__getitem__(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.judge.bind(name, value)

    def __delitem__(self, name: str) -> None:
        self.judge.unbind(name)

    def __contains__(self, name: object) -> bool:
        if name in self.judge.theirs:
            return self.judge.ask({"op": "has", "name": name}) is True
        return dict.__contains__(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a name's value, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> Any:
        """List the names, the student's among them."""
        return dict.fromkeys(
            [*dict.keys(self), *(n for n in self.judge.theirs if n in self)]
        ).keys()

    def __iter__(self) -> Any:
        return iter(self.keys())

    def pop(self, name: str, *default: Any) -> Any:
        """Delete a name and return its value."""
        if name in self:
            value = self[name]
            del self[name]
            return value
        if default:
            return default[0]
        raise KeyError(name)


class _TypeOf(type):
    """What `type` means in a test cell: of a stand-in, the type of what it stands for."""

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        if len(args) == 1 and standin.is_stand_in(args[0]):
            kind = args[0].__class__
            if not issubclass(kind, standin.StandIn):
                return kind
            judge = object.__getattribute__(args[0], "_judge")
            return judge.operate("getattr", args[0], "__class__")
        return type(*args, **keywords)

    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, type)

    def __eq__(cls, other: object) -> bool:
        return other is type or other is cls

    __hash__ = type.__hash__


class TypeOf(metaclass=_TypeOf):
    """Stands for `type`."""
