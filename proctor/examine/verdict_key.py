"""The key that a verdict is kept under: all that decides it. Another key, and the work is marked again."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.examine.course_imports import check_files
from proctor.examine.versions import package_versions

_PACKAGE = Path(__file__).resolve().parents[1]
_DECIDING = [
    _PACKAGE / room for room in ("otter", "intake", "sandbox", "kernel", "lift", "examine")
]
"""The rooms that decide a mark; a change to a report re-marks nobody."""
_DOORS = ("__main__", "cli", "gradescope", "nbgrader_plugin")


def engine_key(
    course: Course, lab: Lab, source: NotebookNode, isolation: str, secret: bytes
) -> str:
    """Hash of all but the submission that a verdict depends on: source, checks, engine, versions."""
    digest = hashlib.sha256(hashlib.sha256(secret).digest())
    engine = sorted(path for folder in _DECIDING for path in folder.rglob("*.py"))
    engine += sorted(path for path in _PACKAGE.glob("*.py") if path.stem not in _DOORS)
    checks = []
    if lab.ordinary is None:
        checks = check_files(course.root, course.folder / "checks", lab.name)
    base = lab.ordinary.folder if lab.ordinary else course.root
    given = [base / name for name in (*lab.files, *lab.helpers)]
    given += [path for folder in given if folder.is_dir() for path in sorted(folder.rglob("*"))]
    for path in (*engine, *checks, *given):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    digest.update(nbformat.writes(source, sort_keys=True).encode())
    digest.update(f"{isolation} {platform.python_version()} {lab.seed} {lab.asserted}".encode())
    for name, version in package_versions(course, lab).items():
        digest.update(f"{name}={version}\n".encode())
    return digest.hexdigest()
