"""What marking keeps of a lab: verdicts with the keys they were given under, notebooks, pages.

A verdict counts as known only if its receipt says so: one line with the key under which it was given
and a digest of its bytes. The receipt goes first and comes last, so whatever interrupts a change leaves
something that is marked again, never something old that looks new. All doors write through here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.checks import Lab
from proctor.errors import CourseError
from proctor.examine.mark_result import Marked, split_notebooks
from proctor.verdict import Verdict

if sys.platform != "win32":
    import fcntl

OWNER = ".lab"
"""Name of the file in ``verdicts/`` that names the lab whose verdicts lie there directly."""


def store_of(lab: Lab, folder: Path) -> Store:
    """Return where `folder` keeps what marking a lab gives."""
    return Store(folder, lab.name, lab.several.names if lab.several else ())


@dataclass(frozen=True)
class Store:
    """Where a run writes: a course folder, or another folder of the same form.

    Attributes
    ----------
    folder : Path
        Holds ``gradebook.db``, ``verdicts/``, ``autograded/``, ``feedback/``.
    lab : str
        The lab's name. Two labs of one course share the folder: the first one's verdicts lie in
        ``verdicts/``, another one's in ``verdicts/LAB/``.
    names : tuple of str
        Names of the notebooks of an assignment of nbgrader's own; empty for a lab, which has one.
    """

    folder: Path
    lab: str
    names: tuple[str, ...] = ()

    @property
    def verdicts(self) -> Path:
        """Folder of this lab's verdicts."""
        top = self.folder / "verdicts"
        return top if _owner(top) in ("", self.lab) else top / self.lab

    @property
    def receipts(self) -> Path:
        """Folder of the receipts, and of what else a run keeps for the next one."""
        return self.verdicts / ".keys"

    @property
    def db_url(self) -> str:
        """SQLAlchemy URL of the gradebook there."""
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def claim(self) -> None:
        """Make the folder of the verdicts, and note that it is this lab's."""
        folder = self.verdicts
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / OWNER).is_file():
            write_whole(folder / OWNER, self.lab)

    def verdict(self, student: str) -> Path:
        """Path of a student's verdict."""
        return self.verdicts / f"{_name(student)}.json"

    def notebook(self, student: str) -> Path:
        """Path of the notebook as it ran."""
        first = self.names[0] if self.names else self.lab
        return self.folder / "autograded" / _name(student) / self.lab / f"{first}.ipynb"

    def write_notebooks(self, student: str, text: str) -> None:
        """Write what marking made of the notebook, or of each of an assignment's."""
        place = self.notebook(student)
        if not self.names:
            write_whole(place, text)
            return
        for name, notebook in split_notebooks(text).items():
            write_whole(place.with_name(f"{name}.ipynb"), notebook)

    def read_notebooks(self, student: str) -> str:
        """Read what :meth:`write_notebooks` wrote."""
        place = self.notebook(student)
        if not self.names:
            return place.read_text("utf-8")
        texts = {name: place.with_name(f"{name}.ipynb").read_text("utf-8") for name in self.names}
        return json.dumps(texts)

    def page(self, student: str) -> Path:
        """Path of the feedback page."""
        first = self.names[0] if self.names else self.lab
        return self.folder / "feedback" / _name(student) / self.lab / f"{first}.html"

    def last(self, student: str) -> Verdict | None:
        """Return the last verdict on a student, under whatever key; None if none can be read."""
        try:
            verdict = Verdict.from_json(self.verdict(student).read_bytes())
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return verdict if verdict.lab == self.lab else None

    def known(self, student: str, key: str) -> Verdict | None:
        """Return the verdict that was given under `key`; None if there is none, or not all of it."""
        try:
            data = self.verdict(student).read_bytes()
        except OSError:
            return None
        if not key or self._receipt(student)[:3] != [self.lab, key, _digest(data)]:
            return None
        return self.last(student) if self.notebook(student).is_file() else None

    def marked(self, student: str, key: str) -> Marked | None:
        """Return all that was kept under `key`, to be kept for another student as well."""
        verdict = self.known(student, key)
        if verdict is None:
            return None
        return Marked(verdict, self.read_notebooks(student))

    def forget(self, student: str, origin: str = "") -> None:
        """Begin to change what is kept of a student: until :meth:`keep`, nothing of it counts as known.

        Where the submission came from stays known: if it is taken away before it is marked again, what
        is left of it is nobody's work.
        """
        self._give_receipt(student, "", "", origin)

    def keep(self, verdict: Verdict, key: str, origin: str = "") -> None:
        """Write a verdict, and last of all that it was given under `key`.

        Parameters
        ----------
        key : str
            Key of everything that determines it; an empty one if the next run must mark again.
        origin : str
            The submissions' folder that it came from.
        """
        text = verdict.to_json()
        write_whole(self.verdict(verdict.student), text)
        self._give_receipt(verdict.student, key, _digest(text.encode()), origin)

    def came_from(self, student: str, origin: str) -> None:
        """Note another submissions' folder for a verdict that is known."""
        _, key, digest, before = self._receipt(student)
        if origin != before:
            self._give_receipt(student, key, digest, origin)

    def origins(self) -> dict[str, str]:
        """Return, for each student of whom anything was kept, where the submission came from."""
        students = [path.name for path in self.receipts.glob("[!.]*")]
        receipts = {student: self._receipt(student) for student in sorted(students)}
        return {name: lines[3] for name, lines in receipts.items() if lines[:1] == [self.lab]}

    def has_page(self, student: str, key: str) -> bool:
        """Whether the feedback page is there, whole, and tells the verdict given under `key`."""
        try:
            told = self._page_receipt(student).read_text("utf-8")
        except (OSError, ValueError):
            return False
        return told == f"{self.lab} {key}" and self.page(student).is_file()

    def page_told(self, student: str) -> list[str]:
        """Return the words under which a page was noted: key and state; none if it was not."""
        try:
            lab, *words = self._page_receipt(student).read_text("utf-8").split()
        except (OSError, ValueError):
            return []
        return words if lab == self.lab and self.page(student).is_file() else []

    def page_done(self, student: str, key: str) -> None:
        """Note that a page is whole."""
        write_whole(self._page_receipt(student), f"{self.lab} {key}", lasting=False)

    def __iter__(self) -> Iterator[Verdict]:
        """Yield every verdict on the lab, by student.

        Raises
        ------
        CourseError
            If one cannot be read.
        """
        for path in sorted(self.verdicts.glob("*.json")):
            try:
                verdict = Verdict.from_json(path.read_bytes())
            except (ValueError, TypeError, KeyError) as error:
                raise CourseError(
                    f"{path} is not a verdict ({error}). Delete it and run: proctor grade {self.lab}"
                ) from error
            if verdict.lab == self.lab:
                yield verdict

    @contextlib.contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[None]:
        """Be the only one who writes here.

        Raises
        ------
        CourseError
            If somebody else does and `wait` is false.
        """
        self.receipts.mkdir(parents=True, exist_ok=True)
        if sys.platform == "win32":  # where classes are not marked
            yield
            return
        with (self.receipts / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise CourseError(
                    f"Another program is marking {self.lab} into {self.folder} now. Wait until it "
                    "is done, or stop it."
                ) from error
            yield

    def _receipt_path(self, student: str) -> Path:
        return self.receipts / _name(student)

    def _receipt(self, student: str) -> list[str]:
        """Return a receipt's lines: lab, key, digest of the verdict, where it came from; or none."""
        try:
            lines = self._receipt_path(student).read_text("utf-8").split("\n")
        except (OSError, ValueError):
            return []
        return lines if len(lines) == 4 else []

    def _give_receipt(self, student: str, key: str, digest: str, origin: str) -> None:
        # The digest tells a torn one, and what has none is marked again.
        receipt = "\n".join((self.lab, key, digest, origin))
        write_whole(self._receipt_path(student), receipt, lasting=False)

    def _page_receipt(self, student: str) -> Path:
        return self.receipts / f".page-{_name(student)}"


def _digest(verdict: bytes) -> str:
    return hashlib.sha256(verdict).hexdigest()


def _name(student: str) -> str:
    """The one spelling of an id: letters with accents in one piece."""
    return unicodedata.normalize("NFC", student)


def _owner(top: Path) -> str:
    """Return the lab whose verdicts lie in `top`; an empty string where there are none."""
    try:
        return (top / OWNER).read_text("utf-8").strip()
    except (OSError, ValueError):
        pass
    for path in sorted(top.glob("*.json")):
        try:
            return str(json.loads(path.read_bytes())["lab"])
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return ""
