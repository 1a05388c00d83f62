"""nbgrader's collector, for a lab of which the best attempt counts.

``nbgrader collect --update`` puts the newest attempt over the one before. Where the lab's policy has the best
one count, what is marked already stays where it is; ``proctor watch`` compares the newer one with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from proctor.course import Course
from proctor.record.store import store_of


class BestStays(ExchangeCollect):  # type: ignore[misc]
    """Collects what nbgrader collects, but puts nothing over an attempt that may be the better one."""

    src_records: list[dict[str, Any]]

    def init_src(self) -> None:
        """List what is to be collected, without those who have an attempt that is marked."""
        super().init_src()
        course, name = Course.find(Path(self.coursedir.root)), str(self.coursedir.assignment_id)
        if name not in course.labs() or course.lab(name).policy.counts != "best":
            return
        store = store_of(course.lab(name), course.folder)
        stay = sorted(
            one["username"]
            for one in self.src_records
            if store.last(one["username"]) is not None and self._place(one["username"]).is_dir()
        )
        if not stay:
            return
        self.src_records = [one for one in self.src_records if one["username"] not in stay]
        self.log.warning(
            "Left as it is, since of %s the best attempt counts and theirs is marked: %s. Newer attempts "
            "are compared with it by: proctor watch %s --once",
            name,
            ", ".join(stay),
            name,
        )

    def _place(self, student: str) -> Path:
        folder = self.coursedir.submitted_directory
        return Path(self.coursedir.format_path(folder, student, str(self.coursedir.assignment_id)))
