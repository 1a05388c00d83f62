"""Marking on many machines: the workers of a Dask scheduler, each with its own warm fork server.

A worker needs the same environment and the same course on its own disk, and shares nothing else with
the grader: a task carries the submission as it was read, and the key of source, checks and engine; what comes
back is the verdict and the notebook that ran, as JSON. A worker whose course is another one refuses.

::

    dask scheduler --port 8786
    PROCTOR_COURSE=/srv/digits/course dask worker tcp://HOST:8786 --nthreads 2 --no-nanny
    proctor grade lab_digits --scheduler tcp://HOST:8786
"""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
import uuid
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

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
        self._counted, self._workers = -COUNTED_EVERY, 0
        if not self._count():
            self._client.close()
            raise CourseError(
                f"The scheduler at {address} has no workers. Start some: dask worker {address}"
            )
        self.isolation = marker.pool.isolation
        self._executor = self._client.get_executor(retries=RETRIES, pure=False)
        self._records = ""  # name of what every worker was given
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

    def _count(self) -> int:
        if time.monotonic() > self._counted + COUNTED_EVERY:
            self._workers = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return self._workers

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(self, *error: object) -> None:
        """Say goodbye; the workers stay for the next run."""
        self._executor.shutdown(wait=error[0] is None)
        if self._records:
            self._client.unregister_worker_plugin(self._records)
        self._client.close()

    def submit(
        self, submission: Submission, reference: Reference, *, record: bool = False
    ) -> Future[Marked]:
        """Send one submission, as it was read, to a worker."""
        marked: Future[Marked] = Future()
        if not self._records:
            self._records = f"proctor-{uuid.uuid4()}"  # this run's: another may end before it
            self._client.register_plugin(_Records(self._records, reference.records))
        order = {
            **self._order,
            "withdrawn": reference.withdrawn,
            "records": self._records,
            "record": record,
            "submission": submission.to_json(),
        }
        answer = self._executor.submit(mark_order, json.dumps(order))

        def take(done: Future[str]) -> None:
            try:
                marked.set_result(read_answer(done.result()))
            except BaseException as error:  # noqa: BLE001  whatever a worker met is raised there
                marked.set_exception(error)

        answer.add_done_callback(take)
        return marked

    def stop(self) -> None:
        """Take back what was sent."""
        self._executor.shutdown(wait=False)


def read_answer(text: str) -> Marked:
    """Read what :func:`mark_order` returned."""
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


def mark_order(text: str) -> str:
    """Mark one submission on this worker; order and answer are JSON."""
    order = json.loads(text)
    try:
        opened = _lab(order["course"], order["lab"], order["isolation"], order["secret"])
    except CourseError as error:
        return json.dumps({"error": f"A worker cannot mark {order['lab']}: {error}"})
    if opened.engine != order["engine"]:
        return json.dumps(
            {
                "error": f"The course of a worker ({opened.course.folder}) is not the grader's: its "
                "source, checks, engine or packages differ. Bring both to the same state and "
                "start the workers again."
            }
        )
    reference = Reference(order["withdrawn"], get_worker().plugins[order["records"]].records)
    submission = Submission.from_json(order["submission"])
    try:
        return opened.pool.submit(submission, reference, record=order["record"]).result().to_json()
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
