"""Mark what is handed in while it comes in: a queue that survives, one warm marker, pages within seconds.

One loop: look for what is new, mark what has its turn, write. It marks only while nobody else writes to
the lab's store; `proctor grade` in between, or afterwards, finds the same verdicts under the same keys.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from proctor.classroom.arrivals import arrivals
from proctor.classroom.grade import workers_of
from proctor.classroom.hand_in_sources import Source
from proctor.classroom.one_hand_in import Settler
from proctor.classroom.waiting_queue import Spool, Waiting
from proctor.course import Course
from proctor.errors import CourseError, KernelStartError, RejectedError
from proctor.examine.mark_result import Marked
from proctor.examine.marker import Marker, Reading, open_marker
from proctor.examine.verdict_key import engine_key
from proctor.record.keeper import Keeper
from proctor.record.store import Store, store_of
from proctor.sandbox.forkserver import Isolation
from proctor.tell.page_delivery import Outlet

POLL = 0.2
"""Seconds between two looks at what was handed in."""
PAUSE = 5.0
"""Seconds after which trouble that somebody must mend (a full disk) is tried again."""
CHECKED = 20.0
"""Seconds after which it is asked again whether the course has changed, and what a person has marked."""

Say = Callable[[str], None]


def watch(
    course: Course,
    name: str,
    spool: Spool,
    sources: Sequence[Source],
    outlet: Outlet,
    say: Say,
    *,
    stop: threading.Event,
    once: bool = False,
    jobs: int = 1,
    isolation: Isolation | None = None,
    scheduler: str | None = None,
) -> None:
    """Mark what comes in until `stop` is set, or, with `once`, until nothing waits.

    Raises
    ------
    CourseError
        If the lab cannot be marked as it is when this begins.
    """
    first = True
    while not stop.is_set():
        try:
            lab = course.lab(name)
            store, spool.policy = store_of(lab, course.folder), lab.policy
            with ExitStack() as opened:
                with locked(store, stop, say):  # the reference run is kept in the store
                    say(f"Getting ready for {name}: its libraries and its own solution.")
                    marker = opened.enter_context(
                        open_marker(
                            course,
                            lab,
                            store.receipts,
                            isolation=isolation,
                            jobs=jobs,
                            at_once=not once,  # who hands in does not wait for that
                            elsewhere=workers_of(scheduler) if scheduler is not None else None,
                        )
                    )
                    keeper = Keeper(course, store, marker.source)
                    keeper.open_gradebook()
                opened.enter_context(keeper)
                settler = Settler(course, keeper, spool, outlet)
                say(f"Watching {', '.join(one.where for one in sources)}. Ctrl-C ends it.")
                _Watch(marker, settler, sources, say, once).run(stop)
                if once:
                    return
        except CourseError as error:
            if first:
                raise
            say(f"{error} Nothing is lost: what comes in waits until that is mended.")
            stop.wait(PAUSE)
        first = False


@contextmanager
def locked(store: Store, stop: threading.Event, say: Say) -> Iterator[None]:
    """Be the only one who marks; wait for it, since `grade` may take hours."""
    told = False
    with ExitStack() as held:
        while not stop.is_set():
            try:
                held.enter_context(store.writing(wait=False))
                break
            except CourseError:
                if not told:
                    say("Another program marks this lab now; what comes in waits until it is done.")
                told = True
                stop.wait(POLL)
        yield


@dataclass
class _Taken:
    """A hand-in that is being marked."""

    one: Waiting
    reading: Reading
    strangers: list[str]
    last_time: bool = False


class _Watch:
    """One open lab: what runs, what waits for a run of its own, and who may write."""

    def __init__(
        self, marker: Marker, settler: Settler, sources: Sequence[Source], say: Say, once: bool
    ) -> None:
        self.marker, self.settler, self.sources = marker, settler, sources
        self.spool, self.say, self.once = settler.spool, say, once
        self.running: dict[Future[Marked], _Taken] = {}
        self.alone: list[_Taken] = []  # met a limit of time: once more, when nothing else runs
        self.read: dict[int, _Taken] = {}
        self.told: set[int] = set()
        self.held: ExitStack | None = None
        self.trouble = ""
        self.rest = 0.0  # nothing is begun before this time
        self.checked, self.pause = time.monotonic(), CHECKED
        self.changed = False

    def run(self, stop: threading.Event) -> None:
        """Go on until stopped, until the course has changed, or until nothing waits."""
        try:
            while not stop.is_set() and (self.running or not self.changed):
                seen = self.look()
                self.begin()
                if self.running:
                    done, _ = wait(self.running, timeout=POLL, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.take(self.running.pop(future), future)
                elif self.once and seen and not self.spool.waiting():
                    return
                else:
                    self.idle()
            if self.running:
                self.marker.pool.stop()  # stopped: what runs is lost, and still in the queue
        finally:
            self.let_go()

    def look(self) -> bool:
        """Put what is new into the queue, and tell who handed in; return whether all is in it."""
        seen = True
        for source in self.sources:
            try:
                seen = source.look(self.spool) and seen
            except (OSError, CourseError, RejectedError) as error:
                seen = False
                self.troubled(error)
        for one in self.spool.waiting():
            if one.number in self.told:
                continue
            self.told.add(one.number)
            self.say(f"{one.student}: handed in, {self.spool.expect(one)}")
            if self.spool.place(one) >= self.marker.pool.size or one.start > time.time():
                self.settler.waits(one)
        return seen

    def begin(self) -> None:
        """Have marked what has its turn, as many at once as the pool has places."""
        now = time.monotonic()
        if self.held and now - self.checked > CHECKED:
            self.check()
        if now < self.rest or self.changed:
            return
        try:
            if self.alone and not self.running and self.may_write():
                self.submit(replace(self.alone.pop(), last_time=True))
            while not self.alone and len(self.running) < self.marker.pool.size:
                one = self.next()
                if one is None or not self.may_write():
                    return
                self.plan(one)
        except (OSError, CourseError, RejectedError) as error:
            self.troubled(error)

    def next(self) -> Waiting | None:
        """Return whose turn it is."""
        now = time.time()
        taken = [*self.running.values(), *self.alone]
        busy = {other.one.student for other in taken}
        keys = {other.reading.key for other in taken}
        ready = [one for one in self.spool.waiting() if self.once or one.start <= now]
        newest = {one.student: one.number for one in sorted(ready, key=lambda one: one.number)}
        for one in ready:
            read = self.read.get(one.number)
            if one.student in busy or (read and read.reading.key in keys):
                continue  # the same bytes are being marked: their verdict will do
            if self.spool.policy.counts == "last" and one.number != newest[one.student]:
                self.settler.superseded(one)
                continue
            return one
        return None

    def plan(self, one: Waiting) -> None:
        """Settle what is known; have the rest marked."""
        if one.number not in self.read:
            self.read[one.number] = self.open(one)
            return  # its turn comes again at once, unless the same bytes are being marked
        taken = self.read[one.number]
        verdict = self.settler.known(one, taken.reading, taken.strangers)
        if verdict is None:
            self.submit(taken)
        else:
            self.settled(one, f"{verdict.score:g} of {verdict.max_score:g}, as before")

    def open(self, one: Waiting) -> _Taken:
        """Read a hand-in, as `grade` reads it where it will lie."""
        arrived = arrivals(self.marker.course, self.spool.path(one), self.spool.lab)
        for stranger in arrived.strangers:
            self.say(stranger.told())
        strangers = [stranger.student for stranger in arrived.strangers]
        return _Taken(one, self.marker.read(arrived.handed[0]), strangers)

    def submit(self, taken: _Taken) -> None:
        """Have it marked beside others."""
        self.running[self.marker.submit(taken.reading)] = taken

    def take(self, taken: _Taken, future: Future[Marked]) -> None:
        """Write what was marked."""
        try:
            marked = future.result()
            if marked.met and not taken.last_time:
                self.alone.append(taken)
                return
            counts = self.settler.marked(taken.one, taken.reading, marked, taken.strangers)
        except KernelStartError as error:
            self.alone.append(taken)
            self.troubled(error)
        except (OSError, CourseError) as error:  # it is in the queue, and will be marked again
            self.troubled(error)
        else:
            self.spool.pace += 0.2 * (marked.seconds / self.marker.pool.size - self.spool.pace)
            verdict = marked.verdict
            told = f"{verdict.score:g} of {verdict.max_score:g}"
            if verdict.status == "rejected":
                told = "not marked: " + " ".join(one.message for one in verdict.problems)
            elif verdict.status == "needs_attention":
                told += ", a person should look"
            self.settled(taken.one, told if counts else f"{told}; an earlier attempt counts")

    def settled(self, one: Waiting, told: str) -> None:
        """Tell what came of a hand-in."""
        self.read.pop(one.number, None)
        self.told.discard(one.number)
        self.trouble = ""
        self.say(f"{one.student}: {told}, {time.time() - one.at:.1f} s after handing in")

    def idle(self) -> None:
        """Let others write, and wait for what comes."""
        began = time.monotonic()
        if began - self.checked > self.pause and self.may_write():
            try:
                for student in self.settler.rewrite():
                    self.say(f"{student}: page written again")
            except (OSError, CourseError) as error:
                self.troubled(error)
            self.check()
            # In a class of thousands this takes seconds, in which nobody is marked.
            self.pause = max(CHECKED, 20 * (time.monotonic() - began))
        self.let_go()
        self.spool.came.wait(POLL)
        self.spool.came.clear()

    def may_write(self) -> bool:
        """Be the only one who marks, if nobody else is."""
        if self.held is None:
            held = ExitStack()
            try:
                held.enter_context(self.settler.store.writing(wait=False))
            except CourseError as error:
                self.troubled(error, POLL)
                return False
            self.held = held
        return True

    def let_go(self) -> None:
        """Let others mark."""
        if self.held is not None:
            self.held.close()
            self.held = None

    def check(self) -> None:
        """See whether the course is still the one that was opened."""
        course, lab = self.marker.course, self.marker.lab
        self.checked = time.monotonic()
        source = course.source_notebook(lab.name)
        pool, secret = self.marker.pool, self.marker.secret
        if engine_key(course, lab, source, pool.isolation, secret) != self.marker.engine:
            self.changed = True
            self.say("The course has changed; it is opened again.")

    def troubled(self, error: Exception, pause: float = PAUSE) -> None:
        """Say what is in the way, once, and try again later; nothing is taken from the queue."""
        self.rest = time.monotonic() + pause
        if str(error) != self.trouble:
            self.trouble = str(error)
            self.say(f"{error} What comes in waits; this is tried again.")
