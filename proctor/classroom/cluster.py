"""Marking on many machines: the workers of a Dask scheduler, each with its own warm fork server.

A worker needs the same environment and the same course on its own disk, and shares nothing else with
the grader: a task carries submissions as they were read, and the key of source, checks and engine; what comes
back is each verdict and the notebook that ran, as JSON. A worker whose course is another one refuses. What
takes a worker long is handed over one by one; of what is quick, a task carries many, so that a thousand
small submissions do not wait for a thousand messages.

::

    dask scheduler --port 8786
    PROCTOR_COURSE=/srv/digits/course dask worker tcp://HOST:8786 --nthreads 2 --no-nanny
    proctor grade lab_digits --scheduler tcp://HOST:8786
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import threading
import time
import uuid
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from proctor.course import Course
from proctor.errors import CourseError, KernelStartError
from proctor.examine.mark_result import Marked, Reference
from proctor.examine.marker import Marker
from proctor.examine.pool import Pool, open_pool
from proctor.examine.verdict_key import engine_key
from proctor.submission import Submission

try:
    from distributed import Client, WorkerPlugin, get_worker
except ImportError as missing:
    raise CourseError(
        "--scheduler needs Dask. Install it with: pip install 'digits-lab[cluster]'"
    ) from missing

if TYPE_CHECKING:
    from proctor.sandbox.forkserver import Isolation

RETRIES = 3
"""How often a task is given to another worker after one was lost with it."""
BATCH_SECONDS = 2.0
"""How long what one task carries may take, by what submissions took until now."""
BATCHES = 2
"""How many full tasks each worker has: it marks one while the other is on its way."""
SHARE = 4
"""Most submissions of one task, for each that a worker runs at once."""
GATHER_SECONDS = 0.01
"""How long the next submission of a task is waited for."""
COUNTED_EVERY = 2.0
"""Seconds after which the workers are counted again."""
COURSE = "PROCTOR_COURSE"
"""Environment variable that tells a worker where its course is."""


class ClusterPool:
    """The workers of a Dask scheduler, as a pool. Use as a context manager.

    Raises
    ------
    CourseError
        If nobody answers at the address, or there is no worker.
    """

    def __init__(
        self,
        address: str,
        marker: Marker,
    ) -> None:
        try:
            self._client = Client(address, timeout="5s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(f"No Dask scheduler answers at {address}: {error}") from error
        self._counted, self._threads, self._workers = -COUNTED_EVERY, 0, 0
        if not self._count():
            self._client.close()
            raise CourseError(
                f"The scheduler at {address} has no workers. Start some: dask worker {address}"
            )
        self.isolation = marker.pool.isolation
        self._executor = self._client.get_executor(retries=RETRIES, pure=False)
        self._records = ""  # name of what every worker was given
        self._waiting: SimpleQueue[_Sent | None] = SimpleQueue()
        self._seconds = BATCH_SECONDS  # what a submission takes, lately
        self._sent, self._closing, self._answered = 0, False, threading.Condition()
        self._sender = threading.Thread(target=self._send_all, daemon=True)
        self._sender.start()
        self._order = {
            "course": str(marker.course.folder),
            "lab": marker.lab.name,
            "engine": marker.engine,
            "isolation": self.isolation,
            "secret": marker.secret.hex(),
        }

    @property
    def size(self) -> int:
        """How many submissions the workers run at once; workers come and go."""
        return max(1, self._count())

    @property
    def ahead(self) -> int:
        """How many may be handed over at a time."""
        return BATCHES * SHARE * self.size

    def _count(self) -> int:
        if time.monotonic() > self._counted + COUNTED_EVERY:
            threads = self._client.nthreads().values()
            self._threads, self._workers = sum(threads), len(threads)
            self._counted = time.monotonic()
        return self._threads

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(self, *error: object) -> None:
        """Say goodbye; the workers stay for the next run."""
        self._waiting.put(None)
        with self._answered:
            self._closing = True
            self._answered.notify()
        self._sender.join()
        self._executor.shutdown(wait=error[0] is None)
        if self._records:
            self._client.unregister_worker_plugin(self._records)
        self._client.close()

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Have one submission, as it was read, sent to a worker."""
        if not self._records:
            self._records = f"proctor-{uuid.uuid4()}"  # this run's: another may end before it
            self._client.register_plugin(_Records(self._records, reference.records))
        order = {"submission": submission.to_json(), "record": record}
        sent = _Sent(order, reference.withdrawn, Future())
        self._waiting.put(sent)
        return sent.marked

    def _send_all(self) -> None:
        """Send what is handed over, as many in one task as are quick together.

        What the workers have no use for yet waits here, so that a task takes many of it.
        """
        while (first := self._waiting.get()) is not None:
            with self._answered:
                while self._sent >= BATCHES * self.size and not self._closing:
                    self._answered.wait(COUNTED_EVERY)
                self._sent += 1
            batch: list[_Sent] = [first]
            with contextlib.suppress(Empty):
                while len(batch) < self._most():
                    if (one := self._waiting.get(timeout=GATHER_SECONDS)) is None:
                        self._waiting.put(None)
                        break
                    batch.append(one)
            self._send(batch)

    def _most(self) -> int:
        """Return how many submissions the next task may carry."""
        share = SHARE * self.size // max(1, self._workers)
        return max(1, min(share, int(BATCH_SECONDS / max(self._seconds, 1e-3))))

    def _send(self, batch: list[_Sent]) -> None:
        def take(done: Future[str]) -> None:
            with self._answered:
                self._sent -= 1
                self._answered.notify()
            try:
                answers = json.loads(done.result())
            except BaseException as error:  # noqa: BLE001  whatever a worker met is raised there
                for one in batch:
                    one.marked.set_exception(error)
                return
            for one, answer in zip(batch, answers, strict=True):
                try:
                    marked = read_answer(answer)
                except Exception as error:  # noqa: BLE001  raised where it is waited for
                    one.marked.set_exception(error)
                    continue
                self._seconds += (marked.seconds / self.threads_each() - self._seconds) / 4
                one.marked.set_result(marked)

        order = {
            **self._order,
            "withdrawn": batch[0].withdrawn,
            "records": self._records,
            "orders": [one.order for one in batch],
        }
        try:
            self._executor.submit(mark_orders, json.dumps(order)).add_done_callback(take)
        except BaseException as error:  # noqa: BLE001  the scheduler has gone
            with self._answered:
                self._sent -= 1
            for one in batch:
                one.marked.set_exception(error)

    def threads_each(self) -> float:
        """Return how many submissions a worker runs at once, on average."""
        return max(1.0, self._threads / max(1, self._workers))

    def stop(self) -> None:
        """Take back what was sent."""
        self._executor.shutdown(wait=False)


@dataclass(frozen=True)
class _Sent:
    """A submission on its way: its order, what is withdrawn, and what will come of it."""

    order: dict[str, Any]
    withdrawn: dict[str, str]
    marked: Future[Marked]


def read_answer(text: str) -> Marked:
    """Read one of what :func:`mark_orders` returned."""
    if text.startswith('{"error"'):
        raise CourseError(json.loads(text)["error"])
    if text.startswith('{"no_kernel"'):
        raise KernelStartError(json.loads(text)["no_kernel"])
    return Marked.from_json(text)


# --- On the worker ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Open:
    """A lab that a worker has open, and the key of what is open."""

    course: Course
    pool: Pool
    engine: str


_opened: dict[tuple[str, str, str, str], _Open] = {}
_open = ExitStack()
_lock = threading.Lock()


class _Records(WorkerPlugin):  # type: ignore[misc]
    """What the reference run recorded, on every worker there is and every one that comes later.

    As scattered data it would be lost with a worker: of its copies Dask keeps only one.
    """

    def __init__(self, name: str, records: bytes) -> None:
        self.name, self.records = name, records


def mark_orders(text: str) -> str:
    """Mark submissions on this worker, side by side; orders and answers are JSON."""
    order = json.loads(text)
    try:
        opened = _lab(order["course"], order["lab"], order["isolation"], order["secret"])
    except CourseError as error:
        return _refused(order, f"A worker cannot mark {order['lab']}: {error}")
    if opened.engine != order["engine"]:
        return _refused(
            order,
            f"The course of a worker ({opened.course.folder}) is not the grader's: its "
            "source, checks, engine or packages differ. Bring both to the same state and "
            "start the workers again.",
        )
    reference = Reference(order["withdrawn"], get_worker().plugins[order["records"]].records)
    running = [
        opened.pool.submit(Submission.from_json(one["submission"]), reference, record=one["record"])
        for one in order["orders"]
    ]
    return json.dumps([_answer(future) for future in running])


def _refused(order: dict[str, Any], why: str) -> str:
    return json.dumps([json.dumps({"error": why})] * len(order["orders"]))


def _answer(future: Future[Marked]) -> str:
    try:
        return future.result().to_json()
    except KernelStartError as error:
        return json.dumps({"no_kernel": str(error)})


def _lab(folder: str, name: str, isolation: str, secret: str) -> _Open:
    """Return what is warm for a lab; the first call warms it up."""
    key = (folder, name, isolation, secret)
    with _lock:
        if key not in _opened:
            if not _opened:
                atexit.register(_open.close)
            course = _course(Path(folder))
            lab, source = course.lab(name), course.source_notebook(name)
            pool = _open.enter_context(
                open_pool(
                    course,
                    lab,
                    source,
                    secret=bytes.fromhex(secret),
                    isolation=cast("Isolation", isolation),
                    jobs=get_worker().state.nthreads,
                )
            )
            engine = engine_key(course, lab, source, pool.isolation, bytes.fromhex(secret))
            _opened[key] = _Open(course, pool, engine)
        return _opened[key]


def _course(folder: Path) -> Course:
    """The worker's own course: where its environment says, or where the grader's lies."""
    told = os.environ.get(COURSE)
    return Course.find(Path(told) if told else folder if folder.is_dir() else None)
