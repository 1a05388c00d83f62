"""What becomes of one hand-in: its place among the submissions, its mark, its page, its end in the queue.

The order survives a crash at any point: until the last step the hand-in is in the queue and all of it is
done again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.classroom.waiting_queue import Spool, Waiting
from proctor.course import Course
from proctor.examine.mark_result import Marked, split_notebooks
from proctor.examine.marker import Reading
from proctor.record.arrival_record import note_arrivals
from proctor.record.attempts import note_attempt
from proctor.record.gradebook import late_penalty
from proctor.record.keeper import Keeper
from proctor.record.person_marks import read_by_hand
from proctor.tell.feedback import page_states, write_feedback
from proctor.tell.feedback_page import feedback_page
from proctor.tell.page_delivery import Outlet
from proctor.verdict import Verdict


class Settler:
    """Writes all that a hand-in leads to.

    Parameters
    ----------
    keeper : Keeper
        Open.
    """

    def __init__(self, course: Course, keeper: Keeper, spool: Spool, outlet: Outlet) -> None:
        self.keeper, self.store = keeper, keeper.store
        self.spool, self.outlet, self.policy = spool, outlet, spool.policy
        self._submitted = course.folder / "submitted"
        self._coursedir = course.coursedir(
            self.store.lab,
            db_url=keeper.db_url,
            autograded_directory=str(self.store.folder / "autograded"),
            feedback_directory=str(self.store.folder / "feedback"),
        )

    def known(self, one: Waiting, reading: Reading, strangers: Iterable[str]) -> Verdict | None:
        """Settle what needs no marking; return its verdict, None if it has to be marked."""
        student = reading.handed.student
        verdict = self.store.known(student, reading.key)
        if verdict is None:
            return None
        if self.policy.counts == "last":
            self._place(one, student)
            origin = str(self._submitted.resolve())
            self.keeper.confirm(reading.handed, verdict, reading.key, origin)
        else:
            self.keeper.keys[student] = reading.key  # it stands already, in its own time
        self._told(one, reading, self._pages(student), strangers)
        return verdict

    def marked(
        self, one: Waiting, reading: Reading, marked: Marked, strangers: Iterable[str]
    ) -> bool:
        """Settle what was marked; return whether it counts."""
        student = reading.handed.student
        if counts := self._counts(reading, marked.verdict):
            self._place(one, student)
            origin = str(self._submitted.resolve())
            self.keeper.keep(reading.handed, marked, reading.key, origin)
            pages = self._pages(student)
        else:
            note_attempt(self.store, marked.verdict, marked.notebook)
            pages = self._other_pages(student, marked)
        self._told(one, reading, pages, strangers)
        return counts

    def superseded(self, one: Waiting) -> None:
        """Settle a hand-in that a later one of the same student has overtaken in the queue."""
        self.outlet.notice(
            one.student,
            "You handed in again before this was marked. The later one counts, and is marked.",
            self._folder(one),
        )
        self.spool.settle(one)

    def waits(self, one: Waiting) -> None:
        """Tell a student, where the page will be, what place the hand-in has."""
        text = f"Your notebook has arrived: {self.spool.expect(one)}. The page will be here."
        self.outlet.notice(one.student, text, self._folder(one))

    def rewrite(self) -> list[str]:
        """Make the pages anew that a person's marks, the due date, or a new name have made old."""
        students = [verdict.student for verdict in self.store]
        states = page_states(self._coursedir, students, self.policy)
        told = {student: self.store.page_told(student) for student in students}
        stale = [s for s in students if told[s] and told[s][-1] != states[s]]
        for student in stale:
            self.keeper.keys[student] = told[student][0]
            pages = self._pages(student)
            self.outlet.publish(student, pages, self._submitted / student / self.store.lab)
        return stale

    def _counts(self, reading: Reading, verdict: Verdict) -> bool:
        standing = self.store.last(verdict.student)
        if self.policy.counts == "last" or standing is None:
            return True
        path = self._submitted / verdict.student / self.store.lab / "timestamp.txt"
        before = path.read_text("utf-8").strip() if path.is_file() else None
        return self._worth(verdict, reading.handed.timestamp) > self._worth(standing, before)

    def _worth(self, verdict: Verdict, timestamp: str | None) -> float:
        keeper = self.keeper
        cost = late_penalty(keeper.db_url, keeper.course_id, verdict, timestamp, keeper.config)
        return verdict.score - cost

    def _place(self, one: Waiting, student: str) -> None:
        """Put what was handed in among the submissions, in the place of what was there."""
        place = self._submitted / student / self.store.lab
        new, old = place.with_name(f".new-{place.name}"), place.with_name(f".old-{place.name}")
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        source = self._folder(one)
        new.mkdir(parents=True)
        for path in source.rglob("*"):
            if path.is_file():
                write_whole(new / path.relative_to(source), path.read_bytes())
        if place.exists():
            os.rename(place, old)
        os.rename(new, place)
        shutil.rmtree(old, ignore_errors=True)

    def _folder(self, one: Waiting) -> Path:
        return self.spool.path(one) / one.student / self.store.lab

    def _pages(self, student: str) -> dict[str, str]:
        """Write a student's page and return it, or all pages of an assignment of several notebooks."""
        keeper, lab = self.keeper, self.store.lab
        hand = read_by_hand(keeper.db_url, keeper.course_id, lab, [student])
        states = page_states(self._coursedir, [student], self.policy, hand)

        def done(name: str) -> None:
            self.keeper.page_done(name, states[name])

        names, policy = self.store.names, self.policy
        paths = write_feedback(self._coursedir, [student], done, names, policy, hand)
        return {path.stem: path.read_text("utf-8") for path in paths}

    def _other_pages(self, student: str, marked: Marked) -> dict[str, str]:
        """Return the pages of an attempt that does not count."""
        standing = self.store.last(student)
        note = "This attempt is not the one that counts: an earlier one is as good or better."
        if standing is not None:
            note += f" That one has {standing.score:g} of {standing.max_score:g} points."
        texts = {self.store.lab: marked.notebook}
        if self.store.names:
            texts = split_notebooks(marked.notebook)
        keeper, lab = self.keeper, self.store.lab
        hand = read_by_hand(keeper.db_url, keeper.course_id, lab, [student]).get(student)
        told = self.policy.told(hand.due if hand else None)
        return {
            name: feedback_page(json.loads(text), student, None, told, note)
            for name, text in texts.items()
        }

    def _told(
        self, one: Waiting, reading: Reading, pages: dict[str, str], strangers: Iterable[str]
    ) -> None:
        self.outlet.publish(reading.handed.student, pages, self._folder(one))
        note_arrivals(self.store.folder, self.store.lab, [reading.handed], list(strangers))
        self.spool.settle(one)
