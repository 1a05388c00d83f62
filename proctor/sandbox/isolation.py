"""How a lab's kernels are kept apart, and what they find beside them."""

from __future__ import annotations

import functools
from pathlib import Path

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError
from proctor.sandbox.forkserver import ForkServer, Isolation
from proctor.sandbox.limits import lab_limits
from proctor.sandbox.probe import missing


def fork_server(lab: Lab, course: Course, isolation: Isolation, agent: bytes = b"") -> ForkServer:
    """Return the server of a lab's kernels, not started yet."""
    return ForkServer(
        lab.warm,
        isolation=isolation,
        limits=lab_limits(lab),
        given=given_files(course, lab),
        hidden=[course.folder],
        agent=agent,
    )


_gaps = functools.cache(missing)
"""Asked once in a process: the answer takes a process of its own."""


def require(isolation: Isolation | None) -> None:
    """Raise :class:`CourseError` if this system cannot isolate and nobody said that it need not."""
    if isolation != "process" and (gaps := _gaps()):
        raise CourseError(
            "Submissions cannot be isolated on this system:\n"
            + "\n".join(f"  - {gap}" for gap in gaps)
            + "\nMend that, or mark without isolation, and then only work of people you trust: "
            "--isolation process. Every verdict will say so."
        )


def given_files(course: Course, lab: Lab) -> list[tuple[Path, str]]:
    """Return the files that a notebook finds beside itself: where they lie, and their place.

    Raises
    ------
    CourseError
        If one is missing.
    """
    found: list[tuple[Path, str]] = []
    base = lab.ordinary.folder if lab.ordinary else course.root
    for name in lab.files:
        origin = base / name
        if not origin.exists():
            raise CourseError(f"{lab.name} needs {name}, which is not in {base}.")
        parts = sorted(origin.rglob("*")) if origin.is_dir() else [origin]
        found += [(part, part.relative_to(base).as_posix()) for part in parts if part.is_file()]
    return found
