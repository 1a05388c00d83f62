"""Dataclasses as JSON's plain values, without the copies that ``dataclasses.asdict`` makes."""

from __future__ import annotations

import json
from typing import Any


def fields_of(value: Any) -> dict[str, Any]:
    """Return a dataclass's fields by name: the `default` of ``json.dumps``.

    Raises
    ------
    TypeError
        If it is none.
    """
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is None or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} is no dataclass and nothing that JSON has")
    return {name: getattr(value, name) for name in fields}


def plain(value: Any) -> Any:
    """Return dataclasses, and all in them, as the dictionaries and lists that JSON has."""
    return json.loads(json.dumps(value, default=fields_of))
