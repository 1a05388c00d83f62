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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nbformat
from nbformat import NotebookNode

from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, RejectedError
from proctor.examiner import Examined, Reference
from proctor.intake import read
from proctor.isolation import choose_launcher
from proctor.kernel import Launcher
from proctor.mark import mark_submission, rejected
from proctor.pool import Marked
from proctor.reference import engine_key
from proctor.submission import Handed, Submission
from proctor.verdict import Verdict

try:
    from distributed import Client, WorkerPlugin, get_worker
except ImportError as missing:
    raise CourseError(
        "--scheduler needs Dask. Install it with: pip install 'digits-lab[cluster]'"
    ) from missing

if TYPE_CHECKING:
    from proctor.forkserver import Isolation

RETRIES = 3
"""How often a task is given to another worker after one was lost with it."""
COURSE = "PROCTOR_COURSE"
"""Environment variable that tells a worker where its course is."""


class ClusterPool:
    """The workers of a Dask scheduler, as a pool.

    Raises
    ------
    CourseError
        If nobody answers at the address, or there is no worker.
    """

    def __init__(
        self,
        address: str,
        course: Course,
        lab: Lab,
        source: NotebookNode,
        engine: str,
        isolation: str,
    ) -> None:
        try:
            self._client = Client(address, timeout="5s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(f"No Dask scheduler answers at {address}: {error}") from error
        self.size = sum(self._client.nthreads().values())
        if not self.size:
            self._client.close()
            raise CourseError(
                f"The scheduler at {address} has no workers. Start some: dask worker {address}"
            )
        self._executor = self._client.get_executor(retries=RETRIES, pure=False)
        self._lab, self._source = lab, source
        self._records = ""  # name of what every worker was given
        self._order = {
            "course": str(course.folder),
            "lab": lab.name,
            "engine": engine,
            "isolation": isolation,
        }

    def submit(self, handed: Handed, reference: Reference) -> Future[Marked]:
        """Send one submission to a worker."""
        marked: Future[Marked] = Future()
        try:
            submission = read(handed, self._lab.name)
        except RejectedError as error:  # it changed since the class was listed
            refused = rejected(handed, self._lab, self._source, self._order["isolation"], error)
            marked.set_result(Marked(refused, 0.0))
            return marked
        if not self._records:
            self._records = f"proctor-{uuid.uuid4()}"  # this run's: another may end before it
            self._client.register_plugin(_Records(self._records, reference.records))
        order = {
            **self._order,
            "withdrawn": reference.withdrawn,
            "records": self._records,
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

    def close(self) -> None:
        """Say goodbye; the workers stay for the next run."""
        self._executor.shutdown()
        if self._records:
            self._client.unregister_worker_plugin(self._records)
        self._client.close()

    def stop(self) -> None:
        """Take back what was sent."""
        self._executor.shutdown(wait=False)
        self._client.close()


def read_answer(text: str) -> Marked:
    """Read what :func:`mark_order` returned."""
    answer = json.loads(text)
    if answer.get("error"):
        raise CourseError(answer["error"])
    notebook = nbformat.from_dict(answer["notebook"])
    verdict = Verdict.from_dict(answer["verdict"])
    return Marked(Examined(verdict, notebook, answer["broken"]), answer["seconds"])


# --- On the worker ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bench:
    """What a worker keeps warm for one lab."""

    course: Course
    lab: Lab
    source: NotebookNode
    launcher: Launcher
    engine: str


_benches: dict[tuple[str, str, str], _Bench] = {}
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
        bench = _bench(order["course"], order["lab"], order["isolation"])
    except CourseError as error:
        return json.dumps({"error": f"A worker cannot mark {order['lab']}: {error}"})
    if bench.engine != order["engine"]:
        return json.dumps(
            {
                "error": f"The course of a worker ({bench.course.folder}) is not the grader's: its "
                "source, checks, engine or packages differ. Bring both to the same state and "
                "start the workers again."
            }
        )
    began = time.monotonic()
    submission = Submission.from_json(order["submission"])
    records = get_worker().plugins[order["records"]].records
    reference = Reference(order["withdrawn"], records)
    examined = mark_submission(
        submission, bench.course, bench.lab, bench.source, bench.launcher, reference
    )
    return json.dumps(
        {
            "verdict": asdict(examined.verdict),
            "notebook": examined.notebook,
            "broken": examined.broken,
            "seconds": time.monotonic() - began,
        }
    )


def _bench(folder: str, name: str, isolation: str) -> _Bench:
    """Return what is warm for a lab; the first call warms it up."""
    key = (folder, name, isolation)
    with _lock:
        if key not in _benches:
            if not _benches:
                atexit.register(_open.close)
            course = _course(Path(folder))
            lab, source = course.lab(name), course.source_notebook(name)
            launcher = _open.enter_context(
                choose_launcher(lab, course, cast("Isolation", isolation))
            )
            engine = engine_key(course, lab, source, launcher.isolation)
            _benches[key] = _Bench(course, lab, source, launcher, engine)
        return _benches[key]


def _course(folder: Path) -> Course:
    """The worker's own course: where its environment says, or where the grader's lies."""
    told = os.environ.get(COURSE)
    return Course.find(Path(told) if told else folder if folder.is_dir() else None)
