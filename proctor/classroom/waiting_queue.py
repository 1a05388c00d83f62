"""What was handed in and waits to be marked: a folder each, on disk, so that no crash loses any.

A hand-in gets its name only when it is whole, and its folder goes only when its mark, its page and its
place among the submissions are written; whatever is interrupted in between is done again, which gives the
same. What a student handed in before is in one small file a student.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.policy import Policy

FOLDER = ".watch"
ENTRY = ".entry.json"
HOUR = 3600.0
SECONDS = 2.0
"""What each hand-in is taken to need until some were marked."""
MOST = 1000
"""Most attempts of one student that are remembered."""


@dataclass(frozen=True)
class Waiting:
    """One hand-in that is not settled yet.

    Attributes
    ----------
    number : int
        In the order in which they came.
    student : str
    attempt : int
        Which of this student's it is, from 1.
    at : float
        When it was handed in, seconds since 1970.
    source : str
        Where it came from; the same words, the same hand-in.
    start : float
        Not marked before this time; see :attr:`proctor.policy.Policy.attempts_an_hour`.
    """

    number: int
    student: str
    attempt: int
    at: float
    source: str
    start: float = 0.0

    @property
    def turn(self) -> tuple[int, float, int]:
        """Sorts: who hands in for the fifth time comes after those who hand in for the first."""
        return self.attempt, self.at, self.number


class Spool:
    """The queue of one lab. Its methods may be called from any thread.

    Parameters
    ----------
    folder : Path
        The course's folder.

    Attributes
    ----------
    came : Event
        Set when something was taken.
    pace : float
        Seconds between two that are done, when many wait.
    """

    def __init__(self, folder: Path, lab: str, policy: Policy) -> None:
        self.folder = folder / FOLDER / lab
        self.lab, self.policy = lab, policy
        self.came = threading.Event()
        self.pace = SECONDS
        self._lock = threading.Lock()
        self._place = self.folder / "waiting"
        self._place.mkdir(parents=True, exist_ok=True)
        self._history: dict[str, list[tuple[float, str]]] = {}
        for path in (self.folder / "students").glob("*.json"):
            known = json.loads(path.read_text("utf-8"))
            self._history[known["student"]] = [(at, source) for at, source in known["attempts"]]
        self._waiting: dict[int, Waiting] = {}
        for path in sorted(self._place.iterdir()):
            if not path.name.isdigit():
                shutil.rmtree(path)  # was being put in when the program ended
                continue
            one = Waiting(**json.loads((path / ENTRY).read_text("utf-8")))
            self._waiting[one.number] = one
            if not self.knows(one.student, one.source):
                self._remember(one)
        self._next = 1 + max(self._waiting, default=0)

    def knows(self, student: str, source: str) -> bool:
        """Whether this hand-in was taken before."""
        return any(source == before for _, before in self._history.get(student, ()))

    def last(self, student: str) -> str:
        """Return the source of a student's last hand-in; an empty string if there was none."""
        return (self._history.get(student) or [(0.0, "")])[-1][1]

    def take(self, student: str, files: Mapping[str, bytes], source: str, at: float) -> Waiting:
        """Put a hand-in into the queue; when this returns, it is on the disk."""
        with self._lock:
            before = self._history.get(student, [])
            often = self.policy.attempts_an_hour
            start = before[-often][0] + HOUR if often and len(before) >= often else 0.0
            one = Waiting(self._next, student, len(before) + 1, at, source, start)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._place))
            try:
                for name, data in files.items():
                    write_whole(new / student / self.lab / name, data)
                (new / student / self.lab).mkdir(parents=True, exist_ok=True)
                write_whole(new / ENTRY, json.dumps(asdict(one), sort_keys=True))
                os.rename(new, self.path(one))
                self._remember(one)
            except BaseException:  # a full disk: it is not taken, and comes again
                shutil.rmtree(new, ignore_errors=True)
                shutil.rmtree(self.path(one), ignore_errors=True)
                raise
            self._next += 1
            self._waiting[one.number] = one
        self.came.set()
        return one

    def path(self, one: Waiting) -> Path:
        """Folder of a hand-in, laid out as nbgrader's tree of submissions."""
        return self._place / f"{one.number:08d}"

    def waiting(self) -> list[Waiting]:
        """All that is not settled, in the order of its turn."""
        with self._lock:
            return sorted(self._waiting.values(), key=lambda one: one.turn)

    def of(self, student: str) -> list[Waiting]:
        """What waits of one student."""
        return [one for one in self.waiting() if one.student == student]

    def place(self, one: Waiting) -> int:
        """Return how many are before it."""
        now = time.time()

        def turn(some: Waiting) -> tuple[float, tuple[int, float, int]]:
            return some.start if some.start > now else 0.0, some.turn

        with self._lock:
            return sum(turn(other) < turn(one) for other in self._waiting.values())

    def expect(self, one: Waiting) -> str:
        """Say at which place it is, and about when it will be marked."""
        place, now = self.place(one) + 1, time.time()
        at = time.strftime("%H:%M:%S UTC", time.gmtime(max(now + place * self.pace, one.start)))
        if one.start > now:
            often = self.policy.attempts_an_hour
            return f"attempt {one.attempt}; {often} an hour are marked, so it is kept and marked after {at}"
        return f"attempt {one.attempt}, place {place}, expected at {at}"

    def settle(self, one: Waiting) -> None:
        """Take a hand-in out: all that comes of it is written."""
        gone = self._place / f".gone-{one.number}"
        os.rename(self.path(one), gone)
        with self._lock:
            del self._waiting[one.number]
        shutil.rmtree(gone)

    def _remember(self, one: Waiting) -> None:
        attempts = [*self._history.get(one.student, ()), (one.at, one.source)][-MOST:]
        name = hashlib.sha256(one.student.encode()).hexdigest()[:24]
        text = json.dumps({"student": one.student, "attempts": attempts}, ensure_ascii=False)
        write_whole(self.folder / "students" / f"{name}.json", text)
        self._history[one.student] = attempts


def waiting_in(folder: Path, lab: str) -> int:
    """Return how many hand-ins a queue in the course's folder holds; nothing is read or changed."""
    place = folder / FOLDER / lab / "waiting"
    return sum(path.name.isdigit() for path in place.iterdir()) if place.is_dir() else 0
