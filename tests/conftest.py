"""Fixtures that many tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tinycourse import make_course

from proctor.course import Course


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
