"""Where hand-ins come from: nbgrader's exchange, or a folder. What is new there goes into the queue."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Protocol

from jupyter_core.paths import jupyter_config_path
from nbgrader.utils import find_owner, parse_utc
from traitlets.config import Config, PyFileConfigLoader

from proctor.classroom.arrivals import known_people, meet
from proctor.classroom.waiting_queue import Spool
from proctor.course import CONFIG, Course
from proctor.errors import CourseError, RejectedError
from proctor.intake.exchange_files import FILES
from proctor.intake.files import read_file
from proctor.intake.layout import is_archive, is_notebook
from proctor.intake.parse import MAX_BYTES
from proctor.intake.submissions import MAX_CANDIDATES, collect, load
from proctor.submission import Handed

Say = Callable[[str], None]
Files = dict[str, bytes]


class Source(Protocol):
    """Looks for what is new."""

    where: str

    def look(self, spool: Spool) -> bool:
        """Put what was handed in since the last look into the queue; return whether that was all."""


class ExchangeSource:
    """The inbound folder of nbgrader's exchange, which is only read.

    Raises
    ------
    CourseError
        If the course has no exchange that can be read.
    """

    def __init__(self, course: Course, lab: str, say: Say) -> None:
        self._course, self._lab, self._say = course, lab, say
        config = full_config(course)
        root = Path(str(config.Exchange.get("root", "") or "/usr/local/share/nbgrader/exchange"))
        name = str(config.CourseDirectory.get("course_id", ""))
        others = config.get("ExchangeFactory", {}).values()
        if not all(str(one).startswith("proctor.") for one in others):
            raise CourseError(
                "The course has an exchange of another kind (c.ExchangeFactory), which watch cannot "
                f"read. Have it collect into a folder, and run: proctor watch {lab} FOLDER"
            )
        if not name:
            raise CourseError(
                f"The exchange needs the course's name: set c.CourseDirectory.course_id in {CONFIG}."
            )
        self.feedback = root / name / "feedback"
        self._inbound = root / name / "inbound"
        if not self._inbound.is_dir():
            raise CourseError(
                f"There is no exchange at {self._inbound}. Release the lab there first (nbgrader "
                f"release_assignment {lab}), set c.Exchange.root in {CONFIG}, or name a folder: "
                f"proctor watch {lab} FOLDER"
            )
        self.where = f"the exchange {self._inbound}"
        self._check_owner = bool(config.ExchangeCollect.get("check_owner", True))
        self._seen: set[str] = set()

    def look(self, spool: Spool) -> bool:
        """Take the folders that are whole and new, the oldest first."""
        names = [name for name in os.listdir(self._inbound) if name not in self._seen]
        new = []
        for name in names:
            parts = name.rsplit("+", 3)
            if len(parts) < 3 or parts[1] != self._lab:
                self._seen.add(name)
                continue
            new.append((parts[2], parts[0], name))
        for time_, user, name in sorted(new):
            folder = self._inbound / name
            if not (folder / FILES[1]).is_file():
                continue  # nbgrader writes the secret last
            student = identify(self._course, user)
            if not spool.knows(student, name) and self._is_theirs(folder, user):
                files = dict(_files(folder, self._say))
                at = parse_utc(time_).replace(tzinfo=UTC).timestamp()
                spool.take(student, files, name, at)
            self._seen.add(name)
        return True

    def _is_theirs(self, folder: Path, user: str) -> bool:
        if not self._check_owner or sys.platform == "win32":
            return True
        try:
            owner = str(find_owner(str(folder)))
        except KeyError:
            owner = "an unknown user"
        if owner != user:
            self._say(
                f"Not marked: {folder.name} belongs to {owner}, not to {user}. If all servers run as "
                "one user, set c.ExchangeCollect.check_owner = False."
            )
        return owner == user


class FolderSource:
    """A folder of submissions in any form that ``proctor grade`` takes."""

    def __init__(self, course: Course, lab: str, folder: Path, say: Say) -> None:
        self._course, self._lab, self._folder, self._say = course, lab, folder, say
        self._others = course.others(lab)
        self.where = f"the folder {folder}"
        self._seen: dict[str, object] = {}
        self._before: dict[str, object] = {}
        self._rest = 0.0

    def look(self, spool: Spool) -> bool:
        """Take what has changed and is the same in two looks, so that nobody is writing it."""
        began = time.monotonic()
        if began < self._rest:
            return False
        now: dict[str, object] = {}
        people = known_people(self._course)
        handed = collect(self._folder, self._lab, others=self._others)
        for one in meet(handed, people).handed if people else handed:
            state = now[one.student] = _state(one)
            if state == self._before.get(one.student) and state != self._seen.get(one.student):
                self._take(spool, one)
                self._seen[one.student] = state
        whole = now == self._before
        self._before = now
        # A folder that takes long to list is listed less often.
        self._rest = time.monotonic() + 4 * (time.monotonic() - began)
        return whole

    def _take(self, spool: Spool, one: Handed) -> None:
        files: Files = {}
        for candidate in one.candidates:
            try:
                data = load(candidate)
            except RejectedError as error:
                self._say(f"{one.student}: not marked: {error.message}")
                continue
            name = candidate.name
            files[name if name not in files else f"{len(files)}/{name}"] = data
        digest = hashlib.sha256()
        for name, data in sorted(files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
        source = digest.hexdigest()
        if files and spool.last(one.student) != source:
            at = max((os.lstat(c.path).st_ctime for c in one.candidates if c.path), default=0.0)
            at = at or time.time()
            files.setdefault(FILES[0], stamp(at))
            spool.take(one.student, files, source, at)


def stamp(at: float) -> bytes:
    """Write a time as nbgrader's ``timestamp.txt`` has it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at)).encode()


def identify(course: Course, user: str) -> str:
    """Return the roster's id of a user of the hub; a stranger keeps the name."""
    people = known_people(course)
    if not people:
        return user
    return meet([Handed(user, user)], people).handed[0].student


def full_config(course: Course) -> Config:
    """Return nbgrader's configuration as its own commands see it: the machine's, then the course's."""
    config = Config()
    for folder in reversed(jupyter_config_path()):
        if (Path(folder) / CONFIG).is_file():
            config.merge(PyFileConfigLoader(CONFIG, path=folder).load_config())
    config.merge(course.nbgrader_config())
    return config


def _state(one: Handed) -> object:
    """What changes when somebody hands in again."""
    return [
        (str(c.path), c.name, *_stat(c.path)) if c.path else (c.name, hash(c.data))
        for c in one.candidates
    ]


def _stat(path: Path) -> tuple[int, ...]:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return ()  # replaced at this moment
    return found.st_ino, found.st_size, found.st_mtime_ns


def _files(folder: Path, say: Say) -> Iterator[tuple[str, bytes]]:
    """Read what matters of a hand-in in the exchange: notebooks, archives, nbgrader's own two files."""
    names = (n for n in os.listdir(folder) if n in FILES or is_notebook(n) or is_archive(n))
    ranked = sorted(names, key=lambda name: (name not in FILES, name))
    for name in ranked[: MAX_CANDIDATES + len(FILES)]:
        try:
            yield name, read_file(folder / name, MAX_BYTES)
        except RejectedError as error:
            say(f"{folder.name}: {error.message}")
