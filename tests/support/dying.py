"""A run that dies at a write of its own, in the test's process; ``dying_grader.py`` is one that is killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session


class Killed(BaseException):
    """Stands for SIGKILL: no code of ours may handle it, and nothing is written after it."""


@contextmanager
def dying(below: Path, moment: int) -> Iterator[None]:
    """Die at the n-th write below a folder or to a gradebook: nothing is written from then on.

    nbgrader's button makes a message of whatever ends it.
    """
    left, inside = moment, str(below.resolve()) + os.sep

    def pass_away() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(first: Any, *rest: Any, **options: Any) -> Any:
            target = rest[0] if rest else first
            if os.path.realpath(target).startswith(inside):
                pass_away()
            return function(first, *rest, **options)

        return wrapped

    commit = Session.commit

    def committed(session: Session) -> None:
        pass_away()
        commit(session)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "rename", "unlink", "remove"):
            patch.setattr(os, name, wrap(getattr(os, name)))
        patch.setattr(Session, "commit", committed)
        with suppress(Killed):
            yield
    for torn in below.rglob(".tmp-*"):
        torn.unlink()
