"""Fixtures that many tests share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absl import logging as absl_logging
from support.browsers import chromium
from support.tinycourse import make_course

from proctor.author.build import build
from proctor.course import Course

ROOT = Path(__file__).parents[1]

# TensorFlow's logger closes the stream that was stderr when it was imported, unless it still is, as soon
# as one of nbgrader's applications sets its logging up; that stream would be pytest's capture.
absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)

SLOW = (
    "sequences",
    "load",
    "doors",
    "ordinary",
    "doors_names",
    "explorer_page",
    "marking_lab_digits",
)
"""Test files that take minutes: begun first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files."""
    places = {f"test_{name}": place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def built_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the tiny course, built once; do not change it."""
    return make_course(tmp_path_factory.mktemp("tiny")).root


@pytest.fixture
def tiny(built_tiny: Path, tmp_path: Path) -> Course:
    """A copy of the tiny course that the test may change."""
    root = tmp_path / "tiny"
    shutil.copytree(built_tiny, root)
    return Course((root / "course").resolve())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for the tests of a file."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def real_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A copy of the real course, built afresh, so that no test writes to the checkout."""
    root = tmp_path_factory.mktemp("real")
    generated = ("source", "release", "submitted", "autograded", "feedback", "verdicts")
    ignored = shutil.ignore_patterns(*generated, "gradebook.db*", "__pycache__")
    shutil.copytree(ROOT / "course", root / "course", ignore=ignored)
    for folder in ("Data", "docs", "explorer", "labkit"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for pattern in ("*.py", "requirements.txt", "*.md"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, root)
    course = Course((root / "course").resolve())
    for name in course.labs():
        build(course, course.lab(name))
    return course
