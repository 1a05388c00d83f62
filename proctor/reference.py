"""The instructor's own solution, marked before the class: what fails there is a broken check."""

from __future__ import annotations

import hashlib
import json
import platform
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from proctor.build import dumps
from proctor.checks import Lab
from proctor.course import Course
from proctor.examiner import Reference
from proctor.imports import check_files
from proctor.intake import read_bytes
from proctor.kernel import Launcher
from proctor.mark import mark_submission
from proctor.whole import write_whole

PACKAGES = ("numpy", "ipykernel", "nbclient", "keras", "tensorflow", "scipy", "matplotlib")
"""Packages whose versions may change a verdict and so belong to its key."""


def run_reference(
    course: Course, lab: Lab, source: NotebookNode, launcher: Launcher, keys: Path
) -> Reference:
    """Mark the instructor's own solution: which checks it does not pass, and what was recorded.

    Such a check is withdrawn: everybody gets its points, since nobody could have earned them.

    Parameters
    ----------
    keys : Path
        Folder in which the answer is kept until the engine, the source or the checks change.
    """
    key = engine_key(course, lab, source, launcher.isolation)
    path, recorded = keys / f".reference-{lab.name}", keys / f".records-{lab.name}"
    before, records = _kept(path, key), _kept(recorded, key)
    if before is not None and records is not None:
        return Reference(json.loads(before), records)
    own = read_bytes(dumps(source).encode(), "reference", lab.name)
    with ThreadPoolExecutor(1) as aside, launcher.alone():
        if lab.prepare is not None:
            aside.submit(lab.prepare)  # what it raises, the check that needs it raises too
        examined = mark_submission(own, course, lab, source, launcher, record=True)
    known = {
        check.id: examined.broken.get(check.id, "") or check.cause or "does not pass"
        for exercise in examined.verdict.exercises
        for check in exercise.checks
        if not check.passed
    }
    write_whole(recorded, key.encode() + b"\n" + examined.records)
    write_whole(path, f"{key}\n{json.dumps(known, sort_keys=True)}")
    return Reference(known, examined.records)


def _kept(path: Path, key: str) -> bytes | None:
    """Return what was kept in a file under this key; None if there is no such thing."""
    if not path.is_file():
        return None
    head, _, body = path.read_bytes().partition(b"\n")
    return body if head == key.encode() else None


def engine_key(course: Course, lab: Lab, source: NotebookNode, isolation: str) -> str:
    """Hash of all but the submission that a verdict depends on: source, checks, engine, versions."""
    digest = hashlib.sha256()
    engine = sorted(Path(__file__).parent.glob("*.py"))
    checks = check_files(course.root, course.folder / "checks", lab.name)
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
