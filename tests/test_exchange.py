"""The whole cycle through nbgrader's exchange, as on a JupyterHub: three students, one late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader import apps
from support.tinycourse import DOUBLE, MEAN

from proctor.cli import main
from proctor.course import Course
from proctor.record.gradebook import open_gradebook
from proctor.record.read_results import read_class

LATE = '''
from nbgrader.plugins import LateSubmissionPlugin


class PointADay(LateSubmissionPlugin):
    """One point for each day that has begun."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 1 + total_seconds_late // 86400


c.AssignLatePenalties.plugin_class = PointADay
'''
SHARED = """
c = get_config()
c.Exchange.root = {exchange!r}
c.CourseDirectory.course_id = "tiny"
c.ExchangeCollect.check_owner = False
"""
ATTACK = "<script>document.title = 'pwned'</script>"

Nbgrader = Callable[..., None]


@pytest.fixture
def hub(tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nbgrader]:
    """A JupyterHub in small: ``hub(user, 'SubmitApp', 'tiny')`` runs nbgrader as that user.

    All users are 'jovyan' in their containers and JUPYTERHUB_USER tells who they are.
    """
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    shared = SHARED.format(exchange=str(exchange))
    config = tiny.folder / "nbgrader_config.py"
    config.write_text(config.read_text() + shared.replace("c = get_config()\n", "") + LATE)
    monkeypatch.setattr("nbgrader.utils.get_osusername", lambda: "jovyan")

    def run(user: str, command: str, *arguments: str) -> None:
        home = tiny.folder if user == "teacher" else tmp_path / "home" / user
        if user != "teacher" and not home.is_dir():
            home.mkdir(parents=True)
            (home / "nbgrader_config.py").write_text(shared)
        monkeypatch.chdir(home)
        for name, folder in (("HOME", home), ("JUPYTER_DATA_DIR", home / ".local")):
            monkeypatch.setenv(name, str(folder))
        monkeypatch.setenv("JUPYTERHUB_USER", user)
        app = getattr(apps, command)()
        app.initialize(list(arguments))
        app.start()

    yield run


def fill_in(path: Path, **answers: str) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    nbformat.write(notebook, path)


def grade(course: Course, *arguments: str) -> int:
    done = CliRunner().invoke(
        main, ["--course", str(course.folder), "grade", "tiny", "-q", *arguments]
    )
    assert done.exit_code in (0, 1), done.output
    return done.exit_code


def test_release_work_submit_collect_mark_comment_and_return(
    tiny: Course, hub: Nbgrader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    db_url = f"sqlite:///{tiny.folder / 'gradebook.db'}"
    hub("teacher", "ReleaseAssignmentApp", "tiny")

    # Students: list, fetch, work, submit; bob twice, the second time after the end.
    work = {
        "ada": {"double": DOUBLE, "mean": MEAN},
        "bob": {"double": DOUBLE},
        "cyd": {"mean": MEAN + f'print("{ATTACK}")\n# {ATTACK}\n'},
    }
    for student, answers in work.items():
        hub(student, "ListApp")
        hub(student, "FetchAssignmentApp", "tiny")
        notebook = tmp_path / "home" / student / "tiny" / "tiny.ipynb"
        assert {p.name for p in notebook.parent.iterdir()} == {"tiny.ipynb", "given.py"}
        fill_in(notebook, **answers)
        hub(student, "SubmitApp", "tiny")
    assert "tiny" in capfd.readouterr().err
    with open_gradebook(db_url, "tiny") as book:
        book.update_or_create_assignment("tiny", duedate=datetime.now(UTC).replace(tzinfo=None))
        book.add_student("dan")
    fill_in(tmp_path / "home" / "bob" / "tiny" / "tiny.ipynb", mean=MEAN)
    hub("bob", "SubmitApp", "tiny")

    # The instructor: collect, mark, comment, give a mark by hand.
    hub("teacher", "CollectApp", "tiny")
    assert {p.name for p in (tiny.folder / "submitted").iterdir()} == {"ada", "bob", "cyd"}
    assert grade(tiny) == 0
    data = read_class(tiny, tiny.lab("tiny"))
    assert {name: data.score(name) for name in data.verdicts} == {"ada": 10, "bob": 9, "cyd": 4}
    assert data.entries["bob"].penalty == 1 and data.missing == ["dan"]
    with open_gradebook(db_url, "tiny") as book:
        mark = book.find_grade("test_double", "tiny", "tiny", "cyd")
        mark.manual_score, mark.needs_manual_grade = 1.5, False
        comment = book.find_comment("double", "tiny", "tiny", "cyd")
        comment.manual_comment = "The idea in your sketch is right."
        book.db.commit()

    # Back to the students.
    hub("teacher", "GenerateFeedbackApp", "tiny", "--force")
    hub("teacher", "ReleaseFeedbackApp", "tiny")
    pages = {}
    for student in work:
        hub(student, "FetchFeedbackApp", "tiny")
        (page,) = (tmp_path / "home" / student / "tiny" / "feedback").rglob("*.html")
        pages[student] = page.read_text("utf-8")
    assert (
        "<strong>5.5</strong> of 10 points" in pages["cyd"]
        and "The idea in your sketch is right." in pages["cyd"]
    )
    assert "Everything passed" in pages["ada"] and "not started" in pages["cyd"]
    assert ATTACK not in pages["cyd"]
    assert "BEGIN SOLUTION" not in "".join(pages.values())

    # A regrade of one student: bob gets more time, and the penalty goes.
    with open_gradebook(db_url, "tiny") as book:
        book.grant_extension("tiny", "bob", days=2)
    others = {p: p.read_bytes() for p in (tiny.folder / "verdicts").glob("*.json")}
    assert grade(tiny, "--student", "bob") == 0
    again = read_class(tiny, tiny.lab("tiny"))
    assert again.score("bob") == 10 and again.entries["bob"].penalty == 0
    assert again.score("cyd") == 5.5
    assert {p: p.read_bytes() for p in (tiny.folder / "verdicts").glob("*.json")} == others


def test_a_time_that_is_none_costs_nobody_the_run(tiny: Course) -> None:
    from support.tinycourse import hand_in, student

    path = hand_in(tiny, "ada", student(tiny, mean=MEAN))
    (path.parent / "timestamp.txt").write_text("2026-99-99 99:99:99 UTC")
    assert grade(tiny) == 0
    assert read_class(tiny, tiny.lab("tiny")).score("ada") == 4


def test_a_regrade_of_somebody_who_handed_in_nothing_is_refused(tiny: Course) -> None:
    from support.tinycourse import hand_in, student

    hand_in(tiny, "ada", student(tiny, mean=MEAN))
    done = CliRunner().invoke(
        main, ["--course", str(tiny.folder), "grade", "tiny", "-q", "--student", "nobody"]
    )
    assert done.exit_code == 2
    assert "holds no submission of 'nobody'" in done.output


def watch(course: Course) -> str:
    done = CliRunner().invoke(main, ["--course", str(course.folder), "watch", "tiny", "--once"])
    assert done.exit_code == 0, done.output
    return done.output


def test_watch_marks_what_is_submitted_and_the_page_is_fetched_at_once(
    tiny: Course, hub: Nbgrader, tmp_path: Path
) -> None:
    hub("teacher", "ReleaseAssignmentApp", "tiny")
    for student, answers in (("ada", {"double": DOUBLE, "mean": MEAN}), ("bob", {"mean": MEAN})):
        hub(student, "FetchAssignmentApp", "tiny")
        fill_in(tmp_path / "home" / student / "tiny" / "tiny.ipynb", **answers)
        hub(student, "SubmitApp", "tiny")
    hub("teacher", "ListApp")
    said = watch(tiny)
    assert "ada: 10 of 10" in said and "bob: 4 of 10" in said

    def pages(student: str) -> list[str]:
        hub(student, "FetchFeedbackApp", "tiny")
        found = (tmp_path / "home" / student / "tiny" / "feedback").rglob("*.html")
        return [path.read_text("utf-8") for path in sorted(found)]

    assert "Everything passed" in pages("ada")[0] and "not started" in pages("bob")[0]
    fill_in(tmp_path / "home" / "bob" / "tiny" / "tiny.ipynb", double=DOUBLE)
    hub("bob", "SubmitApp", "tiny")
    hub("teacher", "ListApp")
    said = watch(tiny)
    assert "bob: handed in, attempt 2" in said and "ada" not in said
    first, second = pages("bob")
    assert "not started" in first and "Everything passed" in second

    # What nbgrader and `grade` do afterwards finds it done.
    hub("teacher", "CollectApp", "tiny", "--update")
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "grade", "tiny"])
    assert "0 marked now, 2 kept from before" in done.output
    data = read_class(tiny, tiny.lab("tiny"))
    assert {name: data.score(name) for name in data.verdicts} == {"ada": 10, "bob": 10}


def test_collecting_again_puts_nothing_over_the_best_attempt(
    tiny: Course, hub: Nbgrader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tiny.folder / "checks" / "tiny.py"
    text = path.read_text().replace("Finding, Lab", "Finding, Lab, Policy")
    path.write_text(text.replace('"tiny",\n', '"tiny",\n    policy=Policy(counts="best"),\n', 1))
    hub("teacher", "ReleaseAssignmentApp", "tiny")
    for student in ("ada", "bob"):
        hub(student, "FetchAssignmentApp", "tiny")
        fill_in(tmp_path / "home" / student / "tiny" / "tiny.ipynb", double=DOUBLE, mean=MEAN)
    hub("ada", "SubmitApp", "tiny")
    hub("teacher", "CollectApp", "tiny")
    assert grade(tiny) == 0
    fill_in(tmp_path / "home" / "ada" / "tiny" / "tiny.ipynb", mean="")
    for student in ("ada", "bob"):
        hub(student, "SubmitApp", "tiny")
    hub("teacher", "CollectApp", "tiny", "--update")
    told = capfd.readouterr().err
    assert "the best attempt counts" in told and "proctor watch tiny --once" in told
    assert {p.name for p in (tiny.folder / "submitted").iterdir()} == {"ada", "bob"}
    assert grade(tiny) == 0
    assert "ada: 6 of 10; an earlier attempt counts" in watch(tiny)
    hub("teacher", "CollectApp", "tiny", "--update")
    assert grade(tiny) == 0
    data = read_class(tiny, tiny.lab("tiny"))
    assert {name: data.score(name) for name in data.verdicts} == {"ada": 10, "bob": 10}


def test_watch_leaves_what_belongs_to_somebody_else_in_the_exchange(
    tiny: Course, hub: Nbgrader, tmp_path: Path
) -> None:
    config = tiny.folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("check_owner = False", "check_owner = True"))
    hub("teacher", "ReleaseAssignmentApp", "tiny")
    hub("ada", "FetchAssignmentApp", "tiny")
    hub("ada", "SubmitApp", "tiny")  # as the user who runs the tests, who is not called ada
    hub("teacher", "ListApp")
    said = watch(tiny)
    assert "not to ada" in said and "check_owner" in said
    assert not (tiny.folder / "submitted").exists()


def test_watch_says_what_is_missing_where_there_is_no_exchange(tiny: Course) -> None:
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "watch", "tiny", "--once"])
    assert done.exit_code == 2 and "There is no exchange at" in done.output
    assert "proctor watch tiny FOLDER" in done.output
