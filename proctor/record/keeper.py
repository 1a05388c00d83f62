"""Keep what marking gave: notebook, gradebook, verdict, receipt, in the one order that survives a crash."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nbformat import NotebookNode
from traitlets.config import Config

from proctor.course import Course
from proctor.examine.mark_result import Marked
from proctor.intake import exchange_files
from proctor.record import gradebook
from proctor.record.attempts import note_attempt
from proctor.record.store import Store
from proctor.submission import Handed
from proctor.verdict import Verdict

DISK_WRITERS = 8
"""How many files are written at once: what takes time is to wait until the disk has them."""
Result = tuple[Handed, Marked, str]
"""What was handed in, what marking it gave, and the key that it was marked under."""


class Keeper:
    """The one writer of a run. Use as a context manager.

    Parameters
    ----------
    db_url : str, optional
        SQLAlchemy URL of the gradebook; default the course's own setting, else the store's.
    """

    def __init__(
        self, course: Course, store: Store, source: NotebookNode, db_url: str | None = None
    ) -> None:
        config: Config = course.nbgrader_config()
        self.store = store
        self.config = config
        self.db_url = db_url or str(config.CourseDirectory.get("db_url", "") or store.db_url)
        self.course_id = str(config.CourseDirectory.get("course_id", ""))
        self.keys: dict[str, str] = {}
        self._source = source
        self._course = course

    def open_gradebook(self) -> None:
        """Make the gradebook, or see that the one there is knows the lab as it is."""
        self.store.folder.mkdir(parents=True, exist_ok=True)
        if self.store.names:
            assignment = self._course.lab(self.store.lab).several
            assert assignment is not None
            gradebook.record_ordinary(self.db_url, self.course_id, assignment)
        else:
            gradebook.record_assignment(self.db_url, self.course_id, self.store.lab, self._source)

    def __enter__(self) -> Keeper:
        self.store.claim()
        self._book = gradebook.Writer(self.db_url, self.course_id, self.config)
        self._disk = ThreadPoolExecutor(DISK_WRITERS)
        return self

    def __exit__(self, *error: object) -> None:
        self._disk.shutdown()
        self._book.__exit__(*error)

    def keep(self, handed: Handed, marked: Marked, key: str, origin: str = "") -> None:
        """Keep one result; see :meth:`keep_all`."""
        self.keep_all([(handed, marked, key)], origin)

    def keep_all(self, results: Sequence[Result], origin: str = "") -> None:
        """Keep results of different students, in one transaction of the gradebook.

        A result is known to the next run only if that could but give the same.
        """

        def begin(result: Result) -> None:
            handed, marked, _ = result
            student = marked.verdict.student
            self.store.forget(student, origin)
            self.store.write_notebooks(student, marked.notebook)
            exchange_files.carry(handed, self.store.notebook(student).parent)

        def end(result: Result) -> None:
            _, marked, key = result
            note_attempt(self.store, marked.verdict, marked.notebook)
            self.store.keep(marked.verdict, key if marked.lasts else "", origin)

        list(self._disk.map(begin, results))
        self._book.record_all([(marked.verdict, one.timestamp) for one, marked, _ in results])
        list(self._disk.map(end, results))
        self.keys.update((marked.verdict.student, key) for _, marked, key in results)

    def confirm(self, handed: Handed, verdict: Verdict, key: str, origin: str = "") -> bool:
        """Write again what was known before; return whether it was handed in anew."""
        student = verdict.student
        self._book.record(verdict, handed.timestamp, unchanged=True)
        if origin:
            self.store.came_from(student, origin)
        self.keys[student] = key
        return exchange_files.carry(handed, self.store.notebook(student).parent)

    def has_page(self, student: str, state: str) -> bool:
        """Whether the page is there that tells this verdict, and what else `state` is a digest of."""
        return self.store.has_page(student, f"{self.keys[student]} {state}")

    def page_done(self, student: str, state: str) -> None:
        """Note that a student's page is whole."""
        self.store.page_done(student, f"{self.keys[student]} {state}")

    def roster(self) -> list[str]:
        """Return the ids of all students whom the gradebook knows, sorted."""
        return gradebook.roster(self.db_url, self.course_id)
