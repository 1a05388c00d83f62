"""What `course/quick` stands on inside of Keras and TensorFlow is what was read there."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
from importlib import metadata
from typing import Any

import pytest

from course.quick import HELPERS, PRIVATE, READ_IN
from proctor.course import Course

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def found(path: str) -> Any:
    """The function of that name, of a module or of a class in it."""
    names = path.split(".")
    for length in range(len(names) - 1, 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(names[:length]))
        except ImportError:
            continue
        for name in names[length:]:
            thing = inspect.getattr_static(thing, name)
            thing = getattr(thing, "__func__", thing)
        return thing
    raise ImportError(path)


@pytest.mark.parametrize("path", PRIVATE)
def test_a_function_of_the_inside_is_the_one_that_was_read(path: str) -> None:
    source = inspect.getsource(inspect.unwrap(found(path)))
    assert hashlib.sha256(source.encode()).hexdigest()[:12] == PRIVATE[path], (
        f"{path} has changed since {READ_IN}. Read it again, and what uses it in course/quick; run "
        "tests/test_quick_*.py; then note its new sum in course/quick/__init__.py."
    )


@pytest.mark.parametrize("name", READ_IN)
def test_the_versions_are_those_that_were_read(name: str) -> None:
    assert metadata.version(name) == READ_IN[name]


def test_every_lab_that_opts_in_takes_all_files_in_their_order(real_course: Course) -> None:
    for name in real_course.labs():
        helpers = real_course.lab(name).helpers
        assert [helper for helper in helpers if helper in HELPERS] == list(HELPERS)
