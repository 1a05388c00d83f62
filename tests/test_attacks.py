"""A class of attackers, marked once by `proctor grade`: nobody gains, nobody loses, nothing is left.

The attacks are in ``attack_class.py`` and ``attacks_on_marks.py`` (the rows of the table) and
``attacks_on_design.py`` (our own).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from support import needs
from support.attack_class import HONEST, LAB_CHECKS, TABLE, WRONG_DOUBLE, WRONG_MEAN, Attack
from support.attacks_on_design import NAMES, OWN, ROW_22
from support.attacks_on_marks import MARKS, WAITS
from support.doors import after_first_read, proctor
from support.tinycourse import DOUBLE, MEAN, hand_in, make_course, student

from proctor.intake.lms_file_names import safe_id
from proctor.intake.submissions import collect
from proctor.record import gradebook

ATTACKS = [*TABLE, *ROW_22, *MARKS, *OWN]
LINKS = ("r08-link", "r08-zip")
RIGHT = ("zz-right", "zz-right-and-noisy")
NOISY = (
    "import sys, warnings\nwarnings.warn('careful')\nprint('progress\\r' * 500, file=sys.stderr)\n"
    "def helper(a):\n    return a + a\n"
)
ROOT = Path(__file__).parents[1]

pytestmark = needs.isolation


@dataclass
class Marked:
    """The class after marking.

    Attributes
    ----------
    verdicts : dict of str to dict
        By student.
    said : str
        What the command printed.
    before, after : dict of str to str
        Hashes of every file of the course.
    scratch : list of str
        What is left in the folder for temporary files.
    """

    out: Path
    said: str
    before: dict[str, str]
    after: dict[str, str]
    scratch: list[str]
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def page(self, name: str) -> str:
        return (self.out / "feedback" / name / "tiny" / "tiny.html").read_text("utf-8")

    def printed(self, name: str) -> str:
        """Everything that the student's cells put out, as it is kept."""
        notebook = json.loads((self.out / "autograded" / name / "tiny" / "tiny.ipynb").read_bytes())
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        own = [cell for cell in cells if not cell["metadata"].get("nbgrader", {}).get("grade")]
        return json.dumps([cell["outputs"] for cell in own])


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    """The class, marked by the command that an instructor uses."""
    root = tmp_path_factory.mktemp("attacked")
    course = make_course(root, checks=LAB_CHECKS)
    out, scratch = root / "out", Path(tempfile.mkdtemp(prefix="a-"))

    def mark() -> str:
        words = ("grade", "tiny", "-o", str(out), "--jobs", "2")
        env = {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
        done = proctor(course, *words, env=env, patience=500)
        assert done.code in (0, 1), done.all
        return done.out + done.err

    hand_in(course, "r02-tests-deleted", student(course, double=DOUBLE, mean=MEAN))
    mark()
    released = student(course)
    for attack in ATTACKS:
        place = hand_in(course, attack.name, attack.notebook(released)).parent
        for name, data in attack.files:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(data)
    wrong = student(course, double=WRONG_DOUBLE, mean=WRONG_MEAN)
    for name in ("aa-wrong", *NAMES):
        hand_in(course, name, wrong)
    source = course.folder / "source" / "tiny" / "tiny.ipynb"
    link = hand_in(course, LINKS[0], b"")
    link.unlink()
    link.symlink_to(source)
    with zipfile.ZipFile(hand_in(course, LINKS[1], b"").with_suffix(".zip"), "w") as archive:
        info = zipfile.ZipInfo("tiny.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, str(source))
    hand_in(course, LINKS[1], b"").unlink()
    right = student(course, double=DOUBLE, mean=MEAN)
    hand_in(course, RIGHT[0], right)
    right.cells.insert(1, nbformat.v4.new_code_cell(NOISY, id="noise"))
    hand_in(course, RIGHT[1], right)

    waits = course.folder / "submitted" / WAITS.name / "tiny" / "tiny.ipynb"
    before = hashes(root)
    before = {name: value for name, value in before.items() if not name.startswith("out/")}
    before.pop(str(waits.relative_to(root)))
    new = out / "new.ipynb"
    new.write_text(nbformat.writes(right))
    replaced = after_first_read(waits, lambda: os.replace(new, waits))
    said = mark()
    replaced.join(10)
    assert not new.exists()
    after = {name: value for name, value in hashes(root).items() if not name.startswith("out/")}
    after.pop(str(waits.relative_to(root)))
    left = [path.name for path in scratch.rglob("*")]
    shutil.rmtree(scratch)
    result = Marked(out, said, before, after, left)
    for path in (out / "verdicts").glob("*.json"):
        result.verdicts[path.stem] = json.loads(path.read_bytes())
    yield result


def texts(verdict: dict[str, Any]) -> str:
    return json.dumps(verdict, ensure_ascii=False)


def test_the_wrong_solution_honestly_earns_half(marked: Marked) -> None:
    assert marked.verdicts["aa-wrong"]["score"] == HONEST


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"row {attack.row}: {attack.name}")
def test_an_attack_earns_what_the_wrong_solution_earns(marked: Marked, attack: Attack) -> None:
    verdict = marked.verdicts[attack.name]
    printed = marked.printed(attack.name)
    if attack.score < 0:
        assert verdict["score"] <= HONEST
    else:
        assert verdict["score"] == attack.score, texts(verdict)
    assert attack.code in {problem["code"] for problem in verdict["problems"]} | {""}
    assert attack.says in texts(verdict)
    assert "STOLEN" not in printed, printed
    assert "TRIED" in printed or not attack.runs, printed


@pytest.mark.parametrize("name", LINKS)
def test_row_8_a_link_to_a_file_of_the_graders_is_refused(marked: Marked, name: str) -> None:
    verdict = marked.verdicts[name]
    assert (verdict["status"], verdict["score"]) == ("rejected", 0)
    assert verdict["problems"][0]["code"] == "link"


@pytest.mark.parametrize("name", RIGHT)
def test_who_is_right_gets_all_points_after_the_attackers(marked: Marked, name: str) -> None:
    assert marked.verdicts[name]["score"] == 10, texts(marked.verdicts[name])
    assert marked.verdicts[name]["status"] == "graded"


def test_everybody_has_a_verdict_of_their_own_whatever_their_name(marked: Marked) -> None:
    everyone = len(ATTACKS) + len(NAMES) + len(LINKS) + len(RIGHT) + 1
    everyone -= 1  # two of the names are one, in letters of one piece and of two
    assert len(marked.verdicts) == everyone
    known = {attack.name for attack in ATTACKS} | {*LINKS, *RIGHT}
    others = {name for name in marked.verdicts if name not in known}
    assert {marked.verdicts[name]["score"] for name in others} == {HONEST}
    for name, verdict in marked.verdicts.items():
        assert name == verdict["student"] == safe_id(name) and len(name) <= 100
        assert not set(name) & set("/\\\n\x1b<>[]{}$ ")
    folders = [path.name for path in (marked.out / "feedback").iterdir()]
    assert sorted(folders) == sorted(marked.verdicts)


def test_the_gradebook_says_what_the_verdicts_say_and_holds_nothing_else(marked: Marked) -> None:
    path = marked.out / "gradebook.db"
    scores = gradebook.scores(f"sqlite:///{path}", "tiny", "tiny")
    assert scores == {name: verdict["score"] for name, verdict in marked.verdicts.items()}
    with sqlite3.connect(path) as database:
        triggers = database.execute("select count(*) from sqlite_master where type = 'trigger'")
        assert triggers.fetchone() == (0,)


def test_no_check_is_withdrawn_because_of_an_attacker(marked: Marked) -> None:
    lost = [
        check["cause"]
        for name in RIGHT
        for exercise in marked.verdicts[name]["exercises"]
        for check in exercise["checks"]
        if not check["passed"] or check["cause"]
    ]
    assert lost == []


def test_nothing_is_left_behind(marked: Marked) -> None:
    assert marked.before == marked.after
    assert marked.scratch == []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        assert b"98765" not in command
    for top in ("/tmp", "/dev/shm", "/var/tmp", "/", str(Path.home())):
        assert not list(Path(top).glob("*-98765"))


ALL = [attack.name for attack in ATTACKS]


@pytest.mark.parametrize(
    "name", [n for n in ALL if n.startswith(("r07", "own-s", "own-h", "own-t"))]
)
def test_a_page_carries_nothing_of_the_students_that_runs(marked: Marked, name: str) -> None:
    clean = BeautifulSoup(marked.page("aa-wrong"), "html.parser")
    page = BeautifulSoup(marked.page(name), "html.parser")
    assert len(page.find_all(["script", "svg", "iframe", "object", "embed"])) == len(
        clean.find_all(["script", "svg", "iframe", "object", "embed"])
    )
    for script in page.find_all("script"):
        assert "owned" not in script.text
    for tag in page.find_all(True):
        for attribute, value in tag.attrs.items():
            assert not attribute.lower().startswith("on"), tag
            assert not str(value).strip().lower().startswith("javascript:"), tag
    assert "\x1b" not in page.text


def test_mathjax_is_given_nothing_of_the_students_to_read(marked: Marked) -> None:
    """It reads what formgrader shows; the student's own page has no script at all."""
    name = "own-script-in-a-problem"
    page = BeautifulSoup(marked.page(name), "html.parser")
    assert "javascript:owned()" in page.find(id="about").text  # it is told, as text
    notebook = json.loads((marked.out / "autograded" / name / "tiny" / "tiny.ipynb").read_bytes())
    problems = "".join(notebook["cells"][0]["source"])
    assert "About your submission" in problems and "owned" in problems
    assert "$" not in problems and "\\" not in problems


def test_texts_hold_no_control_characters(marked: Marked) -> None:
    for verdict in marked.verdicts.values():
        text = json.dumps(verdict, ensure_ascii=False).replace("\\n", "")
        assert all(ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 and c != "\u202e" for c in text)
        assert "\\u001b" not in text
    assert "\x1b]0;" not in marked.said


def test_outputs_are_bounded_together(marked: Marked) -> None:
    sizes = [path.stat().st_size for path in (marked.out / "autograded").rglob("tiny.ipynb")]
    assert max(sizes) < 40 * 2**20
    assert "was cut" in marked.printed("own-many-large-outputs")


def test_a_file_cannot_pass_for_another_students_newer_attempt(tmp_path: Path) -> None:
    """The student chooses what follows the platform's own part of a file's name."""
    victim = "Lab 1_victim_attempt_2026-01-01-10-00-00_tiny.ipynb"
    attacker = "Lab 1_mallory_attempt_2026-01-01-10-00-00_"
    attacker += "Lab 1_victim_attempt_2030-01-01-10-00-00_tiny.ipynb"
    for name in (victim, attacker):
        (tmp_path / name).write_bytes(b"{}")
    handed = {one.student: len(one.candidates) for one in collect(tmp_path, "tiny")}
    assert handed == {"mallory": 1, "victim": 1}
