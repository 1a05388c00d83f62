"""The course's secret: made once, kept beside the gradebook, in no release."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support import doors
from support.tinycourse import CHECKS, hand_in, make_course, student

from proctor.author.release import release
from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.secret import NAME, course_secret

ROOT = Path(__file__).parents[1]


def test_a_secret_is_made_once_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    first = course_secret(tmp_path, said.append)
    assert len(first) == 32 and first == course_secret(tmp_path, said.append)
    assert len(said) == 1 and "made a new secret" in said[0]
    assert "hidden inputs differ from earlier runs" in said[0]
    assert first.hex() not in said[0]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    course_secret(tmp_path, print)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_two_courses_have_two_secrets_and_a_lost_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first = course_secret(tmp_path, print)
    assert course_secret(tmp_path / "other", print) != first
    (tmp_path / NAME).unlink()
    said: list[str] = []
    assert course_secret(tmp_path, said.append) != first and said


def test_processes_that_make_one_at_once_agree(tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: course_secret(tmp_path, said.append), range(64)))
    assert len(found) == 1 and len(said) == 1


@pytest.mark.parametrize("text", ["", "abc\n", "0" * 63 + "g", "\x00" * 64, "é" * 64])
def test_a_damaged_secret_is_said_and_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, "utf-8")
    with pytest.raises(CourseError, match=r"secret .* Restore it|restore the file"):
        course_secret(tmp_path, print)
    assert (tmp_path / NAME).read_text("utf-8") == text


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read or written"):
        course_secret(tmp_path / "gone", print)


def test_no_release_holds_the_secret(real_course: Course, tmp_path: Path) -> None:
    secret = course_secret(real_course.folder, print)
    for name in real_course.labs():
        path = release(real_course, real_course.lab(name), tmp_path / name)
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                assert not member.endswith(NAME)
                data = archive.read(member)
                assert secret not in data and secret.hex().encode() not in data


def test_git_does_not_take_it_along() -> None:
    assert f"course/{NAME}" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


@pytest.fixture
def telling(tmp_path: Path) -> Course:
    """The tiny course, whose last check says what it drew."""
    said = 'raise Finding(f"drawn: {a.tolist()}")'
    return make_course(
        tmp_path, checks=CHECKS.replace('raise Finding("It is not the mean.")', said)
    )


def drawn(course: Course, out: Path) -> list[float]:
    """Mark the one submission and return what the check drew for it."""
    grade(course, course.lab("tiny"), course.folder / "submitted", out)
    verdict = json.loads((out / "verdicts" / "s.json").read_text("utf-8"))
    cause = verdict["exercises"][-1]["checks"][-1]["cause"]
    return list(json.loads(cause.removeprefix("drawn: ")))


def test_who_knows_all_but_the_secret_cannot_draw_what_a_check_draws(
    telling: Course, tmp_path: Path
) -> None:
    path = hand_in(telling, "s", student(telling, mean="# UNQ_T2\ndef mean(a):\n    return 0.0\n"))
    first = drawn(telling, tmp_path / "first")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = f"tiny:{telling.lab('tiny').seed}:{digest}:mean-value".encode()
    for guess in (hashlib.sha256(text).digest(), hmac.digest(b"", text, "sha256")):
        assert np.random.default_rng(list(guess)).normal(size=4).tolist() != first
    known = hmac.digest(course_secret(telling.folder, print), text, "sha256")
    assert np.random.default_rng(list(known)).normal(size=4).tolist() == first
    assert drawn(telling, tmp_path / "again") == first
    (telling.folder / NAME).unlink()
    assert drawn(telling, tmp_path / "lost") != first


def test_check_draws_what_grade_draws_and_a_lost_secret_is_said(
    telling: Course, tmp_path: Path
) -> None:
    path = hand_in(telling, "s", student(telling, mean="# UNQ_T2\ndef mean(a):\n    return 0.0\n"))
    runs = [doors.proctor(telling, "check", str(path)) for _ in range(2)]
    words = [" ".join(run.out.split()) for run in runs]
    assert "made a new secret" in runs[0].all
    assert "made a new secret" not in runs[1].all
    first = drawn(telling, tmp_path / "out")
    for one in words:
        assert str(first[0]) in one, one


@pytest.mark.parametrize("door", ["autograde", "gradescope", "dask"])
def test_every_other_door_draws_what_grade_draws(
    telling: Course, tmp_path: Path, door: str
) -> None:
    """Gradescope makes a machine of its own for each upload: the zip brings the secret there."""
    work = student(telling, mean="# UNQ_T2\ndef mean(a):\n    return 0.0\n")
    path = hand_in(telling, "s", work)
    said = {}
    if door == "gradescope":
        there = doors.Gradescope(telling, tmp_path / "autograder")
        (telling.folder / NAME).rename(tmp_path / NAME)
        said[door] = there.mark(path.read_bytes())[1]["tests"][-1]["output"]
        (tmp_path / NAME).rename(telling.folder / NAME)
    elif door == "dask":
        with doors.dask(telling, tmp_path) as address:
            assert doors.proctor(telling, "grade", "tiny", "-q", "--scheduler", address).code == 0
    else:
        assert doors.autograde(telling).code == 0
    if door != "gradescope":
        said[door] = doors.check_result(doors.verdicts(telling)["s"], "mean-value")["cause"]
    expected = drawn(telling, tmp_path / "out")
    assert str(expected) in said[door]
