"""The main job from end to end: build the labs, mark the sample class, show what came of it.

Run by ``make demo``; everything it makes lies under ``build/``.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

from course.sample_class import write_class
from proctor.author.build import build
from proctor.classroom.grade import Listener, grade
from proctor.commands.shared import console as console_of_proctor
from proctor.course import Course
from proctor.examine.pool import default_jobs
from proctor.record.read_results import read_class
from proctor.tell.class_table import class_table, print_attention
from proctor.tell.report import write_report

LAB = "lab_digits"
PAGE_INPUTS = (
    "explorer/*.py",
    "explorer/*.json",
    "explorer/static/*",
    "course/explorer_page.py",
    "Data/ex3data1.mat",
    "requirements.lock",
)
"""What the explorer's page is made of: while none of it changes, the page is kept."""


def main() -> None:
    """Build, mark, print."""
    console = console_of_proctor()
    course = Course.find(Path(__file__).parent)
    page = course.root / "build" / "explorer.html"
    key = page_key(course.root)
    writing = None if is_made(page, key) else start_page(course.root, page)
    for name in course.labs():
        build(course, course.lab(name), console.print)
    folder = course.root / "build" / "demo"
    students = write_class(course, LAB, folder / "submitted")
    console.print(
        f"A sample class of {len(students)} is in {course.relative(folder / 'submitted')}"
    )
    began = time.monotonic()
    lab = course.lab(LAB)
    result = grade(
        course,
        lab,
        folder / "submitted",
        folder,
        jobs=default_jobs(),
        listener=Listener(
            marked=lambda student: console.print(f"  marked {student}"), say=console.print
        ),
    )
    data = read_class(course, lab, folder, verdicts=result.verdicts)
    console.print(class_table(lab, result, data, console))
    print_attention(console, result, data)
    console.print(f"{time.monotonic() - began:.0f} s for marking and feedback. To look at:")
    report = write_report(course, lab, folder)
    if writing is not None:
        finish_page(writing, page, key)
    for path in (report, *made(course, folder), page):
        console.print(f"  {course.relative(path)}")


def page_key(root: Path) -> str:
    """Hash of all that the explorer's page is made of."""
    digest = hashlib.sha256()
    for pattern in PAGE_INPUTS:
        for path in sorted(root.glob(pattern)):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {len(data)} ".encode() + data)
    return digest.hexdigest()


def is_made(page: Path, key: str) -> bool:
    """Whether the page is there, and was finished under this key."""
    kept = page.with_suffix(".key")
    return page.is_file() and kept.is_file() and kept.read_text("ascii") == key


def start_page(root: Path, page: Path) -> subprocess.Popen[str]:
    """Train the explorer's network in a process of its own, which gives way to the marking."""
    return subprocess.Popen(
        ["nice", sys.executable, "-m", "course.explorer_page", str(page)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where TensorFlow warns of graphics cards that nobody needs
        text=True,
    )


def finish_page(writing: subprocess.Popen[str], page: Path, key: str) -> None:
    """Wait for the page and keep its key; what its process said is shown only if it failed."""
    said, _ = writing.communicate()
    if writing.returncode:
        raise SystemExit(f"The explorer's page could not be written:\n{said}")
    page.with_suffix(".key").write_text(key, "ascii")


def made(course: Course, folder: Path) -> list[Path]:
    """Return the pages that are worth opening."""
    return [
        folder / "feedback" / "s06-fay" / LAB / f"{LAB}.html",
        course.root / f"{LAB}.ipynb",
    ]


if __name__ == "__main__":
    main()
