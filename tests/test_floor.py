"""The floor that grading is measured against: students' cells in forks of a warm process."""

from __future__ import annotations

from support.tinycourse import DOUBLE, MEAN, hand_in, student

from bench.floor import floor
from proctor.course import Course

BUSY = (
    "\nimport time\nend = time.process_time() + 0.5\nwhile time.process_time() < end:\n    pass\n"
)


def test_work_counts_and_waiting_does_not(tiny: Course) -> None:
    answers = {
        "busy": {"double": DOUBLE + BUSY},
        "fails": {"double": "import nothing_of_that_name", "mean": MEAN + BUSY},
        "sleeps": {"double": DOUBLE + "\nimport time\ntime.sleep(60)\n"},
    }
    for name, cells in answers.items():
        hand_in(tiny, name, student(tiny, **cells))
    busy, fails, sleeps = floor(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    assert min(busy, fails) >= 0.5 > sleeps
