"""An nbgrader course that knows nothing of the engine, marked as it is, beside plain nbgrader."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbgrader
import pytest
from nbgrader.api import Gradebook
from support import ordinary_course as course
from support.doors import Gradescope, command

from proctor.course import Course
from proctor.errors import CourseError
from proctor.examine.adoption import advised
from proctor.verdict import Verdict

HONEST = {
    "right": course.right,
    "wrong": course.wrong,
    "partial": course.partial,
    "blank": course.blank,
}
OTHERS = {"forged": course.forged, "crashing": course.crashing, "looping": course.looping}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The course with its class, marked by `proctor grade`."""
    folder = course.write_course(tmp_path_factory.mktemp("ordinary"), seconds=3)
    for student, answer in {**HONEST, **OTHERS}.items():
        course.hand_in(folder, student, answer)
    course.hand_in(folder, "broken", course.right)
    (folder / "submitted" / "broken" / course.NAME / "three.ipynb").write_text('{"cells": [')
    done = command(folder, "proctor", "grade", course.NAME)
    assert done.code in (0, 1), done.err
    yield folder


def verdict(folder: Path, student: str) -> Verdict:
    return Verdict.from_json((folder / "verdicts" / f"{student}.json").read_bytes())


def scores(folder: Path) -> dict[tuple[str, str, str], float | None]:
    """What the gradebook says of each cell."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        return {
            (submission.student.id, notebook.name, grade.name): grade.auto_score
            for submission in book.assignment_submissions(course.NAME)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def test_it_has_every_kind_of_cell(marked: Path) -> None:
    exercises = verdict(marked, "right").exercises
    tests = [one for one in exercises if not one.by]
    assert len(tests) >= 60 and {one.notebook for one in exercises} == set(course.NOTEBOOKS)
    assert sum(one.by == "person" for one in exercises) == 18


# What real test cells do, as any course's cells were counted -> how it looks here.
ROWS = {
    "a plain assertion": r"^assert ",
    "a variable of the student's": r"^assert x == ",
    "a function of the student's": r"assert adder\(2\)",
    "a class of the student's": r"isinstance\(s, Stack\)",
    "a name of an earlier test cell": r"score \+= got == 4",
    "a hidden test": "### BEGIN HIDDEN TESTS",
    "numpy.testing": r"np\.testing\.assert_",
    "allclose": r"np\.allclose",
    "isinstance": "isinstance",
    "type()": r"\btype\(",
    "an import": r"^import ",
    "an exception expected": r"except ValueError",
    "printed text": r"StringIO|redirect_stdout",
    "a student's name rebound": r"^rate = lambda",
    "a seed": r"random\.seed",
    "a hash of the answer": r"hashlib",
    "a data frame": r"assert_frame_equal",
    "a figure": r"get_title",
    "source text": r"getsource",
    "a file": r"len\(TABLE\)",
    "partial credit": r"^score / 2",
}


@pytest.mark.parametrize("row", ROWS)
def test_it_holds_what_real_test_cells_do(row: str) -> None:
    tests = [
        cell.source
        for number in range(len(course.NOTEBOOKS))
        for cell in course.notebook(number).cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"
    ]
    assert len(tests) >= 60 + len(course.NOTEBOOKS)
    assert any(re.search(ROWS[row], source, re.M) for source in tests)


def test_nearly_all_cells_are_judged_outside(marked: Path) -> None:
    checks = [check for one in verdict(marked, "right").exercises for check in one.checks]
    outside = [check for check in checks if check.judged == "outside"]
    assert len(outside) >= 0.95 * len(checks), [c.id for c in checks if c.judged == "inside"]


def test_honest_submissions_get_what_plain_nbgrader_gives(marked: Path, tmp_path: Path) -> None:
    folder = course.write_course(tmp_path / "plain")
    for student in HONEST:
        shutil.copytree(marked / "submitted" / student, folder / "submitted" / student)
    assert command(folder, "nbgrader", "generate_assignment", course.NAME).code == 0
    done = command(folder, "nbgrader", "autograde", course.NAME)
    assert done.code == 0, done.err[-3000:]
    ours, theirs = scores(marked), scores(folder)
    differ = {cell: (ours[cell], theirs[cell]) for cell in theirs if ours[cell] != theirs[cell]}
    # unittest's runner writes to stderr, for which nbgrader gives nothing; here that costs nothing.
    assert differ == {
        ("right", "six", "a-class-of-tests-test"): (1.0, 0.0),
        ("right", "six", "a-class-of-tests-hidden"): (0.5, 0.0),
    }


def test_a_forged_answer_earns_what_the_wrong_one_earns(marked: Path) -> None:
    wrong = {(o.notebook, o.id): o.score for o in verdict(marked, "wrong").exercises}
    for one in verdict(marked, "forged").exercises:
        for check in one.checks:
            if check.judged == "outside":
                assert one.score <= wrong[one.notebook, one.id], one.id


@pytest.mark.parametrize(
    ("student", "notebook"), [("crashing", "one"), ("looping", "two"), ("broken", "three")]
)
def test_a_notebook_that_dies_costs_its_own_cells(
    marked: Path, student: str, notebook: str
) -> None:
    found = verdict(marked, student)
    assert found.status == "needs_attention"
    right = {(o.notebook, o.id): o.score for o in verdict(marked, "right").exercises}
    for one in found.exercises:
        if one.notebook != notebook:
            assert one.score == right[one.notebook, one.id], one.id
    assert any(o.score < right[o.notebook, o.id] for o in found.exercises if o.notebook == notebook)


def test_what_a_person_marks_waits_with_the_answer_in_it(marked: Path) -> None:
    waiting = [one for one in verdict(marked, "right").exercises if one.waiting]
    assert len(waiting) == 18
    cells = json.loads((marked / "autograded" / "right" / course.NAME / "one.ipynb").read_text())[
        "cells"
    ]
    assert any("Because." in "".join(cell["source"]) for cell in cells)
    left = [one.id for one in verdict(marked, "blank").exercises if one.waiting]
    assert sorted(left) == sorted(f"task-{name}" for name in course.NOTEBOOKS)


def test_no_solution_is_in_what_a_blank_submission_gets_back(marked: Path) -> None:
    for name in course.NOTEBOOKS:
        text = (marked / "autograded" / "blank" / course.NAME / f"{name}.ipynb").read_text()
        assert "BEGIN SOLUTION" not in text and "Because." not in text
        page = (marked / "feedback" / "blank" / course.NAME / f"{name}.html").read_text()
        assert "Because." not in page


def test_a_second_run_marks_nothing_again(marked: Path) -> None:
    done = command(marked, "proctor", "grade", course.NAME)
    assert "0 marked now" in done.out, done.out + done.err
    told = " ".join(done.out.split()).partition("judged inside the student's process")
    assert "six same-test" in told[2], done.out


def test_the_report_says_what_share_was_judged_outside_and_names_the_rest(marked: Path) -> None:
    cells = [one for one in verdict(marked, "right").exercises if not one.by]
    inside = [one for one in cells if any(check.judged == "inside" for check in one.checks)]
    assert ("six", "same-test") in [(one.notebook, one.id) for one in inside]
    done = command(marked, "proctor", "report", course.NAME)
    assert done.code == 0, done.err
    (note,) = re.findall(r'id="judged">(.*?)</p>', (marked / "report.html").read_text("utf-8"))
    said = re.match(r"(\d+) of (\d+) test cells \((\d+)\s%; ([\d.]+) of ([\d.]+) points\)", note)
    assert said is not None, note
    outside, points = len(cells) - len(inside), sum(one.max_score for one in cells)
    worth = points - sum(one.max_score for one in inside)
    share = round(100 * outside / len(cells))
    assert [float(one) for one in said.groups()] == [outside, len(cells), share, worth, points]
    told = note.partition("Judged inside it, where the process could say anything: ")[2]
    assert "six same-test" in told


def test_gradescopes_zip_marks_the_assignment_as_grade_does(marked: Path, tmp_path: Path) -> None:
    there = Gradescope(Course(marked), tmp_path / "autograder", course.NAME)
    assert there.made.code == 0, there.made.all
    names = {path.name for path in (there.base / "source").rglob("*")}
    assert {"table.txt", "helpers.py"} < names
    assert not names & {"submitted", "gradebook.db", "verdicts", "autograded"}
    handed = (marked / "submitted" / "right" / course.NAME).glob("*.ipynb")
    said, found = there.mark_all({path.name: path.read_bytes() for path in handed})
    assert found.get("score") == verdict(marked, "right").score, said.all


def test_the_gate_names_what_differs_and_writes_nothing(marked: Path) -> None:
    before = (marked / "gradebook.db").read_bytes()
    done = command(marked, "proctor", "adopt", course.NAME, "--compare")
    assert "0 scores differ" in done.out, done.out + done.err
    assert (marked / "gradebook.db").read_bytes() == before


def test_a_title_tells_nothing_of_a_solution_or_a_hidden_test(tmp_path: Path) -> None:
    by_hand = course.solution("# the secret way", "h")
    by_hand.metadata["nbgrader"] |= {"grade": True, "points": 1}
    source = '### BEGIN HIDDEN TESTS\n"""the secret test"""\n### END HIDDEN TESTS'
    lab = Course(small(tmp_path, by_hand, course.test(source, "t"))).lab("a")
    assert [one.title for one in lab.exercises] == ["h", "t"]


def small(folder: Path, *cells: object) -> Path:
    """A course with one notebook of few cells."""
    import nbformat

    book = course.new_notebook()
    book.cells = list(cells)
    (folder / "source" / "a").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(course.CONFIG.format(seconds=20))
    nbformat.write(book, folder / "source" / "a" / "a.ipynb")
    return folder


def test_a_source_that_fails_on_itself_is_named_and_nobody_is_marked(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 2", "x-test"))
    (folder / "submitted" / "ann" / "a").mkdir(parents=True)
    shutil.copy(folder / "source" / "a" / "a.ipynb", folder / "submitted" / "ann" / "a")
    done = command(folder, "proctor", "grade", "a")
    assert done.code == 2 and "'x-test'" in done.err and "AssertionError" in done.err
    assert not list((folder / "verdicts").glob("*.json"))
    done = command(folder, "proctor", "grade", "a", "--anyway")
    assert done.code in (0, 1) and (folder / "verdicts" / "ann.json").is_file()


def test_one_sentence_says_what_is_wrong_with_a_source(tmp_path: Path) -> None:
    twice = small(tmp_path / "t", course.test("pass", "x"), course.test("pass", "x"))
    with pytest.raises(CourseError, match="uses the grade id 'x' twice"):
        Course(twice).lab("a")
    none = small(tmp_path / "n", course.new_code_cell("1"))
    with pytest.raises(CourseError, match="earns points"):
        Course(none).lab("a")
    broken = small(tmp_path / "c", course.test("pass", "x"))
    (broken / "nbgrader_config.py").write_text("c = get_config()\n1 / 0\n")
    with pytest.raises(CourseError, match="ZeroDivisionError"):
        Course(broken).lab("a")
    other = small(tmp_path / "r", course.test("pass", "x"))
    path = other / "source" / "a" / "a.ipynb"
    data = json.loads(path.read_text())
    data["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    path.write_text(json.dumps(data))
    with pytest.raises(CourseError, match="is in r, and this engine marks Python"):
        Course(other).lab("a")


def test_a_source_changed_after_its_release_is_said(tmp_path: Path) -> None:
    hidden = "assert x == 1\n### BEGIN HIDDEN TESTS\nassert x > 0\n### END HIDDEN TESTS"
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test(hidden, "x-test"))
    made = command(folder, "nbgrader", "generate_assignment", "a", "--create")
    assert made.code == 0, made.all
    handed = folder / "submitted" / "ann" / "a"
    handed.mkdir(parents=True)
    shutil.copy(folder / "release" / "a" / "a.ipynb", handed)
    said = command(folder, "proctor", "grade", "a").all
    assert "after its release" not in said
    source = folder / "source" / "a" / "a.ipynb"
    source.write_text(source.read_text().replace("x > 0", "x >= 0"))  # hidden: nobody was given it
    assert "after its release" not in command(folder, "proctor", "grade", "a").all
    source.write_text(source.read_text().replace("x == 1", "x is not None"))
    said = command(folder, "proctor", "grade", "a").all
    assert "a/a.ipynb was changed after its release: cell 'x-test' differs" in said
    assert "nbgrader generate_assignment a --force" in said
    assert "changed after its release" in command(folder, "proctor", "adopt", "a").all
    (folder / "nbgrader_config.py").write_text(course.CONFIG.format(seconds=20) + PLUG_IN)
    assert "changed after its release" in command(folder, "nbgrader", "autograde", "a").err


def handed_in(folder: Path, *students: str) -> None:
    """Let students hand the instructor's own notebook in."""
    for student in students:
        (folder / "submitted" / student / "a").mkdir(parents=True)
        shutil.copy(folder / "source" / "a" / "a.ipynb", folder / "submitted" / student / "a")


def test_a_graded_cell_with_another_id_is_said_once_there_are_submissions(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    handed_in(folder, "ann")
    assert command(folder, "proctor", "grade", "a").code == 0
    before = scores_of(folder)
    source = folder / "source" / "a" / "a.ipynb"
    source.write_text(source.read_text().replace("x-test", "x-other"))
    for words in (("proctor", "grade", "a"), ("nbgrader", "autograde", "a", "--force")):
        (folder / "nbgrader_config.py").write_text(course.CONFIG.format(seconds=20) + PLUG_IN)
        done = command(folder, *words)
        assert done.code != 0 and "Traceback" not in done.all, done.all
        assert "lacks 'x-test' and has a new 'x-other'" in done.all
        assert "nbgrader db assignment remove a --force" in done.all
    assert scores_of(folder) == before


def scores_of(folder: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        return {one.student.id: one.score for one in book.assignment_submissions("a")}


PLUG_IN = "\nfrom proctor.nbgrader_plugin import plug_in\nplug_in(c)\n"


def test_nbgraders_log_says_what_was_marked_and_who_needs_a_person(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    (folder / "nbgrader_config.py").write_text(course.CONFIG.format(seconds=20) + PLUG_IN)
    handed_in(folder, "ann", "bob")
    (folder / "submitted" / "bob" / "a" / "a.ipynb").write_text('{"cells": [')
    said = command(folder, "nbgrader", "autograde", "a", "--create").all
    assert "proctor marked a of ann: 1 of 1 points" in said
    assert "WARNING] a of bob: " in said, said


def test_who_handed_in_nothing_that_can_be_read_has_a_page_and_so_have_the_others(
    tmp_path: Path,
) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    handed_in(folder, "ann", "bob")
    (folder / "submitted" / "ann" / "a" / "a.ipynb").write_text('{"cells": [')
    done = command(folder, "proctor", "grade", "a")
    assert done.code == 1, done.all
    page = (folder / "feedback" / "ann" / "a" / "a.html").read_text()
    assert "Your notebook could not be marked" in page
    assert "Everything passed" in (folder / "feedback" / "bob" / "a" / "a.html").read_text()


def test_the_screen_says_who_waits_by_the_gradebook_and_stars_a_persons_mark(
    tmp_path: Path,
) -> None:
    by_hand = course.solution("# in words", "h")
    by_hand.metadata["nbgrader"] |= {"grade": True, "points": 2}
    test = course.test("assert (\n    x == 1\n)", "x-test")
    folder = small(tmp_path, course.solution("x = 1", "x"), test, by_hand)
    (folder / "nbgrader_config.py").write_text(course.CONFIG.format(seconds=2))
    handed_in(folder, "ann", "bob", "eva", "gus")
    for student, answer in (("eva", "while True: pass"), ("gus", "x = 2")):
        path = folder / "submitted" / student / "a" / "a.ipynb"
        path.write_text(path.read_text().replace("x = 1", answer))
    said = command(folder, "proctor", "grade", "a").all
    assert "2 points of 4 students wait" in said
    assert (
        "the cell 'x' was stopped: it took longer than the 2 seconds of processor" in said.lower()
    )
    waits, stopped = "! ann, bob, eva, gus: The gradebook waits for a person's mark", "! eva: "
    assert waits in said and said.index(stopped) < said.index(waits)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        grade = book.find_grade("h", "a", "a", "ann")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        book.db.commit()
    done = command(folder, "proctor", "grade", "a")
    assert "2 points of 3 students wait" in done.all, done.all
    assert "* a person's mark" in done.all
    (row,) = [line for line in done.out.splitlines() if "ann" in line and "│" in line]
    assert "3*" in row
    page = (folder / "feedback" / "gus" / "a" / "a.html").read_text()
    assert "<dt>Why</dt><dd><code>x == 1</code> does not hold.</dd>" in page
    assert "After the last exercise" not in page, "h is an exercise, which a person reads"
    assert "Likely" not in page and "common mistakes" not in page


def test_a_figure_that_one_test_leaves_open_is_not_there_for_the_next(tmp_path: Path) -> None:
    given = course.new_code_cell("import matplotlib.pyplot as plt")
    right = "def draw(): plt.title('T')\ndef draw2(): plt.title('T')"
    tests = [
        course.test(f"{name}()\nassert plt.gca().get_title() == 'T'", f"{name}-test")
        for name in ("draw", "draw2")
    ]
    shows = course.test("plt.plot([1, 2])\nplt.show()\nassert callable(draw)", "shows")
    folder = small(tmp_path, given, course.solution(right, "d"), *tests, shows)
    said = command(folder, "proctor", "adopt", "a")
    assert "3 test cells: 3 judged outside" in said.out, said.all
    handed_in(folder, "ann", "eva")
    path = folder / "submitted" / "eva" / "a" / "a.ipynb"
    path.write_text(path.read_text().replace("def draw2():", "def draw2(): return  #"))
    done = command(folder, "proctor", "grade", "a")
    assert done.code == 0, done.all
    assert [verdict(folder, student).score for student in ("ann", "eva")] == [3, 2]


def test_what_autotests_import_and_lack_is_one_sentence(tmp_path: Path) -> None:
    given = course.new_code_cell("import not_installed")
    test = course.test("### AUTOTEST x", "x-test")
    folder = small(tmp_path, given, course.solution("x = 3", "x"), test)
    source = folder / "source" / "a" / "a.ipynb"
    data = json.loads(source.read_text())
    data["metadata"]["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    source.write_text(json.dumps(data))
    guide = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
    shutil.copy(guide / "autotests.yml", folder)
    said = command(folder, "proctor", "adopt", "a")
    assert "nbgrader cannot prepare a.ipynb" in said.err and "not_installed" in said.err, said.all
    assert "Traceback" not in said.all


def test_commands_of_the_system_cost_no_points(tmp_path: Path) -> None:
    """In a given cell, an answer and a test; a right answer beside them earns what nbgrader gives."""
    test = course.test("!true\nassert x == 1", "x-test")
    folder = small(tmp_path, course.solution("!echo hi\nx = 1", "x"), test)
    said = command(folder, "proctor", "adopt", "a")
    assert "a command of the system. Use Python instead of a command." in said.out, said.all
    handed_in(folder, "ann")
    assert command(folder, "proctor", "grade", "a").code == 0
    assert verdict(folder, "ann").score == 1


def test_check_knows_the_assignment_by_its_folder(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    source = folder / "source" / "a"
    (source / "a.ipynb").rename(source / "one.ipynb")
    (folder / "submitted" / "ann" / "a").mkdir(parents=True)
    own = course.new_notebook(
        cells=[course.solution("x = 2", "x"), course.test("assert x == 1", "x-test")]
    )
    course.nbformat.write(own, folder / "submitted" / "ann" / "a" / "one.ipynb")
    done = command(folder, "proctor", "check", "submitted/ann/a/one.ipynb")
    assert "a: 0 of 1 points" in done.out, done.all
    assert "`assert x == 1` does not hold." in done.all
    assert done.out.count("x-test") == 1, "a title that is the check's is said once"


def test_another_assignments_notebooks_are_not_this_ones(tmp_path: Path) -> None:
    """Assignments of a course may have notebooks of the same name."""
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    shutil.copytree(folder / "source" / "a", folder / "source" / "b")
    handed_in(folder, "ann")
    said = command(folder, "proctor", "grade", "b")
    assert "There is no notebook in submitted" in said.err, said.all
    assert not (folder / "verdicts" / "ann.json").exists()
    assert command(folder, "proctor", "grade", "a").code == 0


def test_a_file_that_a_test_writes_elsewhere_costs_no_points(tmp_path: Path) -> None:
    """The judge's files are not the student's: where the solution must read one, it is judged inside."""
    test = course.test(
        "import pathlib, tempfile\nwith tempfile.TemporaryDirectory() as d:\n"
        "    p = pathlib.Path(d) / 's.txt'\n    p.write_text('a')\n    assert load(str(p)) == 'a'",
        "x-test",
    )
    load = "def load(path):\n    try:\n        return open(path).read()\n"
    load += "    except OSError:\n        return ''"
    folder = small(tmp_path, course.solution(load, "x"), test)
    said = command(folder, "proctor", "adopt", "a")
    assert "1 test cell: 0 judged outside, 1 inside." in said.out, said.all
    handed_in(folder, "ann")
    assert command(folder, "proctor", "grade", "a").code == 0
    assert verdict(folder, "ann").score == 1


def test_a_test_that_fails_on_its_solution_is_counted_as_that(tmp_path: Path) -> None:
    tests = (course.test("assert x == 1", "x-test"), course.test("assert x == 2", "y-test"))
    folder = small(tmp_path, course.solution("x = 1", "x"), *tests)
    said = command(folder, "proctor", "adopt", "a")
    assert "2 test cells: 1 judged outside, 1 not passing on its own solution." in said.all


def test_a_test_that_reads_the_source_is_not_put_inside_by_our_wrong_answers(
    tmp_path: Path,
) -> None:
    test = course.test("import inspect\nassert 'for' not in inspect.getsource(f)", "x-test")
    failing = course.test("assert f() == 2", "y-test")
    folder = small(tmp_path, course.solution("def f():\n    return 1", "x"), test, failing)
    said = command(folder, "proctor", "adopt", "a").all
    assert "judged outside, rests on source text" in said
    assert (
        "does not pass on the instructor's own solution: AssertionError in `assert f() == 2`"
        in said
    )


ADVISED = {
    "It calls the student's code 100,001 times.": "less often",
    "Outside, it raises AssertionError: called 3 times in `assert n == 2`.": "",
    "Outside, it raises FileNotFoundError: [Errno 2] No such file or directory.": "is made while",
    "Outside, it raises AssertionError: No such file, and 3 MB in `assert a`.": "",
    "It cannot be carried: an array of 70 MB.": "smaller value",
    "It cannot be carried: a class of the test's.": "Define the class",
}


@pytest.mark.parametrize("reason", ADVISED)
def test_advice_fits_its_reason(reason: str) -> None:
    told = advised(reason)
    assert ADVISED[reason] in told and bool(told) == bool(ADVISED[reason])


def test_looking_at_a_whole_course_goes_on_after_what_cannot_be_marked(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    other = folder / "source" / "R"
    other.mkdir()
    text = (folder / "source" / "a" / "a.ipynb").read_text()
    data = json.loads(text)
    data["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    (other / "lab.ipynb").write_text(json.dumps(data))
    done = command(folder, "proctor", "adopt")
    assert done.code == 1
    assert "is in r, and this engine marks Python" in done.err
    assert "1 test cell: 1 judged outside" in done.out


def test_the_gate_tells_other_points_and_what_it_could_not_compare(tmp_path: Path) -> None:
    folder = small(tmp_path, course.solution("x = 1", "x"), course.test("assert x == 1", "x-test"))
    handed_in(folder, "ann", "bob")
    assert command(folder, "proctor", "grade", "a").code == 0
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        book.find_grade("x-test", "a", "a", "bob").auto_score = None
        book.db.commit()
    source = folder / "source" / "a" / "a.ipynb"
    source.write_text(source.read_text().replace('"points": 1', '"points": 3'))
    done = command(folder, "proctor", "adopt", "a", "--compare")
    assert "ann  a  x-test  1 -> 3  Its points are others now." in done.out
    assert "(test cells): bob (1)" in done.out
    assert "1 score differs" in done.out


def test_the_gate_says_how_a_cell_ended_that_nbgrader_gave_nothing_for(tmp_path: Path) -> None:
    """What it says is read off the notebook that nbgrader marked."""
    test = course.test("import sys\nprint('a warning', file=sys.stderr)\nassert x == 1", "x-test")
    folder = small(tmp_path, course.solution("x = 1", "x"), test)
    handed_in(folder, "ann", "bob")
    for step in ("generate_assignment", "autograde"):
        assert command(folder, "nbgrader", step, "a").code == 0
    shutil.rmtree(folder / "autograded" / "bob")
    done = command(folder, "proctor", "adopt", "a", "--compare")
    wrote = "nbgrader gives nothing for a cell that writes to stderr, and it wrote: a warning"
    assert f"ann  a  x-test  0 -> 1  It passes. {wrote}" in done.out, done.all
    assert "bob  a  x-test  0 -> 1  It passes. How it ended before is not known" in done.out


def test_the_page_of_a_broken_notebook_does_not_say_that_all_passed(marked: Path) -> None:
    page = (marked / "feedback" / "broken" / course.NAME / "three.html").read_text()
    assert "Every check passed" not in page and "Nothing could be asked" in page


def test_a_data_file_that_is_missing_is_named(tmp_path: Path) -> None:
    given = course.new_code_cell("table = open('table.csv').read()")
    test = course.test("assert x == 1 and table", "x-test")
    folder = small(tmp_path, given, course.solution("x = 1", "x"), test)
    handed_in(folder, "ann")
    for words, code in (("adopt", 1), ("grade", 2)):
        done = command(folder, "proctor", words, "a")
        assert done.code == code
        assert "code cell 1 stops on the instructor's own solution (FileNotFoundError" in done.all
        assert "'table.csv'). Put the file beside the notebook, into source/a." in done.all
