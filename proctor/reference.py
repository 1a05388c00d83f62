"""The instructor's own solution, marked before the class: what fails there is a broken check."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from proctor.build import dumps
from proctor.checks import Lab
from proctor.course import Course
from proctor.intake import read_bytes
from proctor.kernel import Launcher
from proctor.mark import mark_submission
from proctor.whole import write_whole

PACKAGES = ("numpy", "ipykernel", "nbclient", "keras", "tensorflow", "scipy", "matplotlib")
"""Packages whose versions may change a verdict and so belong to its key."""


def broken_checks(
    course: Course, lab: Lab, source: NotebookNode, launcher: Launcher, keys: Path
) -> dict[str, str]:
    """Return the checks that do not pass on the instructor's own solution, and why.

    They are withdrawn: everybody gets their points, since nobody could have earned them.

    Parameters
    ----------
    keys : Path
        Folder in which the answer is kept until the engine, the source or the checks change.
    """
    key = engine_key(course, lab, source, launcher.isolation)
    path = keys / f".reference-{lab.name}"
    if path.is_file():
        head, _, body = path.read_text("utf-8").partition("\n")
        if head == key:
            return {str(check): str(why) for check, why in json.loads(body).items()}
    own = read_bytes(dumps(source).encode(), "reference", lab.name)
    examined = mark_submission(own, course, lab, source, launcher)
    known = {
        check.id: examined.broken.get(check.id, "") or check.cause or "does not pass"
        for exercise in examined.verdict.exercises
        for check in exercise.checks
        if not check.passed
    }
    write_whole(path, f"{key}\n{json.dumps(known, sort_keys=True)}")
    return known


def engine_key(course: Course, lab: Lab, source: NotebookNode, isolation: str) -> str:
    """Hash of all but the submission that a verdict depends on: source, checks, engine, versions."""
    digest = hashlib.sha256()
    engine = sorted(Path(__file__).parent.glob("*.py"))
    checks = sorted((course.folder / "checks").glob("*"))
    given = [course.root / name for name in (*lab.files, *lab.helpers)]
    given += [path for folder in given if folder.is_dir() for path in sorted(folder.rglob("*"))]
    for path in (*engine, *checks, *given):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    digest.update(nbformat.writes(source, sort_keys=True).encode())
    digest.update(f"{isolation} {platform.python_version()} {lab.seed}".encode())
    for name in PACKAGES:
        try:
            digest.update(f"{name}={metadata.version(name)}".encode())
        except metadata.PackageNotFoundError:
            digest.update(f"{name}=none".encode())
    return digest.hexdigest()
