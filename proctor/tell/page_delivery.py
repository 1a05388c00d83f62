"""Where a student fetches a page as soon as it is there: nbgrader's exchange, or a folder of pages."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from pathlib import Path

from nbgrader.utils import notebook_hash

from proctor.atomic_files import write_whole
from proctor.intake.exchange_files import FILES

WAITING = "waiting"
"""Name of the page that says what place a hand-in has; gone when the page is there."""
NOTICE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{lab}: {student}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto }}</style>
</head><body><main><h1>{lab}</h1><p>{text}</p></main></body></html>
"""


class Outlet:
    """Puts pages where students fetch them.

    Parameters
    ----------
    pages : Path
        Folder of pages: ``PAGES/STUDENT/LAB.html``.
    feedback : Path, optional
        The exchange's folder of feedback. There a page lies under a name that only who handed in can
        know, as `nbgrader release_feedback` writes it.
    """

    def __init__(self, lab: str, pages: Path, feedback: Path | None = None) -> None:
        self.lab, self.pages, self.feedback = lab, pages, feedback
        if feedback is not None and not feedback.is_dir():
            feedback.mkdir(parents=True)
            os.chmod(feedback, 0o711)  # to be entered, not to be listed

    def publish(self, student: str, pages: Mapping[str, str], handed: Path | None = None) -> None:
        """Put a student's pages out.

        Parameters
        ----------
        pages : mapping of str to str
            Notebook's name -> HTML.
        handed : Path, optional
            Folder of what was handed in: its notebooks' names, and nbgrader's secret.
        """
        for name, page in pages.items():
            write_whole(self.path(student, name), page)
        self.path(student, WAITING).unlink(missing_ok=True)
        self._to_exchange(pages, handed)

    def notice(self, student: str, text: str, handed: Path | None = None) -> None:
        """Tell, where a page will be, why it is not there; an earlier page in the folder stays."""
        page = NOTICE.format(
            lab=html.escape(self.lab), student=html.escape(student), text=html.escape(text)
        )
        write_whole(self.path(student, WAITING), page)
        self._to_exchange({self.lab: page}, handed)

    def _to_exchange(self, pages: Mapping[str, str], handed: Path | None) -> None:
        if self.feedback is None or handed is None or not (handed / FILES[1]).is_file():
            return
        secret = (handed / FILES[1]).read_text("utf-8")
        any_page = next(iter(pages.values()))
        names = {path.stem for path in handed.glob("*.ipynb")} | set(pages)
        for name in names:  # a notebook that a browser has renamed is looked for by its own name
            place = self.feedback / f"{notebook_hash(secret=secret, notebook_id=name)}.html"
            write_whole(place, pages.get(name, any_page))

    def path(self, student: str, name: str = "") -> Path:
        """Path of a student's page."""
        return self.pages / student / f"{name or self.lab}.html"
