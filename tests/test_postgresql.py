"""PostgreSQL as the gradebook: a server on a temporary folder, and a class marked into it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import needs
from support.tinycourse import CONFIG, DOUBLE, MEAN, hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record import gradebook

ORDINARY = "nobody"

pytestmark = needs.postgresql


def server(*command: str, folder: Path) -> None:
    """Run one of PostgreSQL's programs; it refuses to run as root."""
    assert needs.POSTGRESQL is not None, "PostgreSQL is not installed: apt install postgresql"
    user = ORDINARY if os.geteuid() == 0 else None
    subprocess.run(
        [needs.POSTGRESQL / command[0], *command[1:]],
        user=user,
        group=pwd.getpwnam(ORDINARY).pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture
def database() -> Iterator[str]:
    """URL of an empty database; the server listens on a socket in its folder and nowhere else."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(ORDINARY).pw_uid, -1)
    data, log = str(folder / "data"), str(folder / "log")
    try:
        options = ("--auth=trust", "--username=course", "--no-sync", "--encoding=UTF8")
        server("initdb", "-D", data, *options, folder=folder)
        how = f"-k {folder} -c listen_addresses= -c fsync=off"
        server("pg_ctl", "-D", data, "-l", log, "-w", "-o", how, "start", folder=folder)
        try:
            server("createdb", "-h", str(folder), "-U", "course", "marks", folder=folder)
            yield f"postgresql+psycopg2://course@/marks?host={folder}"
        finally:
            server("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", folder=folder)
    finally:
        shutil.rmtree(folder)


def test_a_class_is_marked_into_postgresql(tiny: Course, database: str) -> None:
    setting = f"c.CourseDirectory.db_url = {database!r}\n"
    (tiny.folder / "nbgrader_config.py").write_text(CONFIG + setting)
    hand_in(tiny, "right", student(tiny, double=DOUBLE, mean=MEAN))
    hand_in(tiny, "half", student(tiny, double=DOUBLE))
    hand_in(tiny, "torn", b"{")
    lab, submitted = tiny.lab("tiny"), tiny.folder / "submitted"
    result = grade(tiny, lab, submitted, jobs=2)
    expected = {"right": 10.0, "half": 6.0, "torn": 0.0}
    assert {name: verdict.score for name, verdict in result.verdicts.items()} == expected
    assert gradebook.scores(database, "tiny", "tiny") == expected
    assert gradebook.roster(f"sqlite:///{tiny.folder / 'gradebook.db'}", "tiny") == []
    for name in expected:
        assert (tiny.folder / "feedback" / name / "tiny" / "tiny.html").is_file()

    with gradebook.open_gradebook(database, "tiny") as book:
        book.find_grade("test_mean", "tiny", "tiny", "half").manual_score = 3.0
        book.db.commit()
    again = grade(tiny, lab, submitted)
    assert (again.marked, again.kept) == (0, 3)
    assert gradebook.scores(database, "tiny", "tiny") == {**expected, "half": 9.0}
