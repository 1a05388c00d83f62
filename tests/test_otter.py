"""A notebook that is written for otter assign is looked at, marked, and made one of nbgrader's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from support.doors import command

from proctor.course import Course
from proctor.errors import CourseError
from proctor.otter.reading import translated
from proctor.verdict import Verdict

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'otters'\n"


def raw(text: str) -> NotebookNode:
    return new_raw_cell(text)


def code(source: str, value: str = "", printed: str = "", *, ran: bool = True) -> NotebookNode:
    """A code cell as it is saved, with what it shows."""
    cell = new_code_cell(source, execution_count=1 if ran else None)
    if printed:
        cell.outputs.append(new_output("stream", name="stdout", text=printed))
    if value:
        cell.outputs.append(new_output("execute_result", {"text/plain": value}, execution_count=1))
    return cell


def question(
    name: str, answer: NotebookNode, *tests: NotebookNode, settings: str = ""
) -> list[NotebookNode]:
    """A question with its answer and its tests."""
    return [
        raw(f"# BEGIN QUESTION\nname: {name}\n{settings}"),
        new_markdown_cell(f"**Question {name}.** Do it."),
        raw("# BEGIN SOLUTION"), answer, raw("# END SOLUTION"),
        *([raw("# BEGIN TESTS"), *tests, raw("# END TESTS")] if tests else []),
        raw("# END QUESTION"),
    ]  # fmt: skip


def book(*cells: NotebookNode) -> NotebookNode:
    made = new_notebook(cells=list(cells))
    made.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    return made


SQUARE = """def square(x):
    # BEGIN SOLUTION NO PROMPT
    return x * x
    # END SOLUTION
    \"\"\" # BEGIN PROMPT
    # Return x times x.
    pass
    \"\"\"; # END PROMPT

nine = square(3) # SOLUTION
"""
GREET = "def greet(name):\n    print('hello', name) # SOLUTION\n"
FAILS = '""" # BEGIN TEST CONFIG\npoints: 2\nfailure_message: Think of the minus.\n""" # END TEST CONFIG\n'
HIDES = '""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n'


def lab() -> NotebookNode:
    """A notebook in otter's format with a question of every kind."""
    return book(
        raw("# ASSIGNMENT CONFIG\nname: lab01\nexport_cell: false"),
        code("import numpy as np"),
        *question(
            "q1", code(SQUARE), code("square(4)", "16"), code("nine", "np.int64(9)"),
            code(FAILS + "square(-2) == 4", "True"), code(HIDES + "square(1.5)", "2.25"),
            settings="points: 5",
        ),
        *question("q2", code(GREET), code("greet('Ada')", printed="hello Ada\n"), settings="points: 1"),
        *question(
            "q3", code("a = np.arange(3) # SOLUTION"), code("a", "array([0, 1, 2])"),
            code("# HIDDEN\nassert a.sum() == 3"), settings="all_or_nothing: true\npoints: 4",
        ),
        *question("q4", new_markdown_cell("Because."), settings="manual: true\npoints: 3"),
        *question("q5", code("2 + 2 # SOLUTION", "4"), settings="manual: true"),
        new_markdown_cell("The end."),
    )  # fmt: skip


def put(folder: Path, made: NotebookNode) -> Path:
    """A course folder with one otter notebook in it."""
    (folder / "source" / "lab01").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    nbformat.write(made, folder / "source" / "lab01" / "lab01.ipynb")
    return folder


ANSWERS = {
    "right": {},
    "wrong": {"q1": "def square(x):\n    return 16\nnine = 9", "q2": "def greet(n):\n    print(n)",
              "q3": "a = [0, 1, 2]"},
    "blank": {"q1": "def square(x):\n    ...\nnine = ...", "q2": "def greet(n):\n    ...",
              "q3": "a = ..."},
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course with a class that worked in what nbgrader releases of it, marked."""
    folder = put(tmp_path_factory.mktemp("otter"), lab())
    source = Course(folder).assignment("lab01").notebooks[0].node
    for student, answers in ANSWERS.items():
        handed = nbformat.from_dict(source)
        handed.cells = [nbformat.from_dict(cell) for cell in source.cells]
        for cell in handed.cells:
            cell.source = answers.get(
                cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source
            )
        path = folder / "submitted" / student / "lab01" / "lab01.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(handed, path)
    done = command(folder, "proctor", "grade", "lab01")
    assert done.code in (0, 1), done.err
    yield folder


def verdict(folder: Path, student: str) -> Verdict:
    return Verdict.from_json((folder / "verdicts" / f"{student}.json").read_bytes())


def test_its_questions_are_exercises_with_otters_points(course: Path) -> None:
    exercises = verdict(course, "right").exercises
    assert {one.id: one.max_score for one in exercises} == {
        "q1-test-1": 1, "q1-test-2": 1, "q1-test-3": 2, "q1-test-4": 1,
        "q2-test-1": 1, "q3-test": 4, "q4": 3, "q5": 1,
    }  # fmt: skip
    assert [one.id for one in exercises if one.by == "person"] == ["q4", "q5"]


def test_a_right_answer_earns_all_and_others_what_they_are_worth(course: Path) -> None:
    scores = {name: verdict(course, name).score for name in ANSWERS}
    assert scores == {"right": 10.0, "wrong": 2.0, "blank": 0.0}


def test_all_its_tests_are_judged_outside(course: Path) -> None:
    checks = [check for one in verdict(course, "right").exercises for check in one.checks]
    assert len(checks) == 6 and {check.judged for check in checks} == {"outside"}


def test_a_student_reads_the_failure_message_and_nothing_of_a_hidden_test(course: Path) -> None:
    found = {one.id: one.checks[0] for one in verdict(course, "wrong").exercises if one.checks}
    assert "Think of the minus." in found["q1-test-3"].cause
    assert "2.25" not in str(found["q1-test-4"]) and "hidden test" in found["q1-test-4"].cause


def test_adopt_says_how_it_is_released_and_writes_it_as_nbgraders(
    course: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "course"
    shutil.copytree(course / "source", folder / "source")
    shutil.copy(course / "nbgrader_config.py", folder)
    done = command(folder, "proctor", "adopt", "lab01", "--write")
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "6 test cells: 6 judged outside. 4 points wait for a person" in told
    assert "lab01 is written for otter assign" in told and "proctor build lab01" in told
    assert command(folder, "proctor", "build", "lab01").code == 0
    assert command(folder, "nbgrader", "generate_assignment", "lab01").code == 0
    released = (folder / "release" / "lab01" / "lab01.ipynb").read_text()
    assert "x * x" not in released and "2.25" not in released and "Because." not in released
    assert "# Return x times x." in json.dumps(json.loads(released), ensure_ascii=False)
    again = command(folder, "proctor", "adopt", "lab01")
    assert "6 judged outside" in again.out and "written for otter" not in again.out


def test_what_otters_own_release_leaves_of_a_notebook_is_marked(
    course: Path, tmp_path: Path
) -> None:
    """Cells without ids, otter's own cells between them: known by what they define."""
    handed = book(
        code('# Initialize Otter\nimport otter\ngrader = otter.Notebook("lab01.ipynb")'),
        code("import numpy as np"),
        code("def square(x):\n    return x ** 2\n\nnine = square(3)"), code('grader.check("q1")'),
        code("def greet(name):\n    print('hello', name)"), code('grader.check("q2")'),
        code("a = np.array([0, 1, 2])"), code('grader.check("q3")'),
        code("grader.export(force_save=True)"),
    )  # fmt: skip
    path = tmp_path / "handed" / "eve" / "lab01.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(handed, path)
    done = command(
        course, "proctor", "grade", "lab01", str(path.parent.parent), "-o", str(tmp_path)
    )
    assert done.code in (0, 1), done.err
    found = Verdict.from_json((tmp_path / "verdicts" / "eve.json").read_bytes())
    assert found.score == 10.0, done.out


def test_exception_based_tests_are_called_with_what_they_name(tmp_path: Path) -> None:
    made = book(
        new_markdown_cell("```otter\n# ASSIGNMENT CONFIG\ntests:\n    ok_format: false\n```"),
        *question(
            "q1", code("xs = [1, 2] # SOLUTION"),
            code("def test_long(xs):\n    assert len(xs) == 2\ntest_long(xs)  # IGNORE"),
            code(FAILS + "def test_env(env):\n    assert env['xs'][0] == 1"),
        ),
    )  # fmt: skip
    cells = Course(put(tmp_path, made)).assignment("lab01").notebooks[0].cells
    first, second = (cell for cell in cells if cell.kind == "test")
    assert first.source.endswith("test_long(xs)") and first.source.count("test_long(xs)") == 2
    assert "test_env(globals())" in second.source and "Think of the minus." in second.source
    assert (first.points, second.points) == (0.0, 2.0)


COMPARED = {
    ("x > 2", "True"): "assert x > 2",
    ("f(2)", "True"): "assert f(2) == True",
    ("isinstance(x, int)", "False"): "assert not isinstance(x, int)",
    ("x + 1", "'a'"): "assert (x + 1) == 'a'",
    ("v", "np.float64(2.5)"): "assert v == 2.5",
    ("np.isclose(v, 2)", "np.True_"): "assert np.isclose(v, 2)",
    ("d", "{1: [2, 3]}"): "assert d == {1: [2, 3]}",
    ("f", "<function f>"): "assert repr(f) == '<function f>'",
    ("y = 1\nf(y)", ""): "y = 1\nassert (f(y)) is None",
}


@pytest.mark.parametrize(("source", "value"), COMPARED)
def test_a_test_compares_what_the_notebook_shows(source: str, value: str) -> None:
    made = translated(book(*question("q", code("x = 3 # SOLUTION"), code(source, value))), "n")
    (test,) = (c.source for c in made.cells if c.metadata.get("nbgrader", {}).get("grade"))
    assert test == f"# q: test 1 of 1\n{COMPARED[source, value]}"


TESTED = code("x", "3")
BAD = {
    "does not end. Add a raw cell `# END QUESTION`": question("q", code("x = 3"), TESTED)[:-1],
    "a question begins within the question 'q'": [
        *question("q", code("x = 3"))[:-1], *question("p", code("y = 3")),
    ],
    "the question has no name": question("", code("x = 3")),
    "there is another question 'q'": [*question("q", code("x = 3")), *question("q", code("y = 3"))],
    "`# END SOLUTION` stands outside of a question": [raw("# END SOLUTION")],
    "`# END TESTS` without `# BEGIN TESTS`": [raw("# BEGIN QUESTION\nname: q"), raw("# END TESTS")],
    "SOLUTION begins before `# END TESTS`": [
        raw("# BEGIN QUESTION\nname: q"), raw("# BEGIN TESTS"), raw("# BEGIN SOLUTION"),
    ],
    "the question ends before `# END SOLUTION`": [
        raw("# BEGIN QUESTION\nname: q"), raw("# BEGIN SOLUTION"), raw("# END QUESTION"),
    ],
    "its settings are no YAML": question("q: [", code("x = 3")),
    "must be lines of the form 'name: value'": [raw("# BEGIN QUESTION\njust words")],
    "`# BEGIN SOLUTION` without `# END SOLUTION`": question("q", code("# BEGIN SOLUTION\nx = 3")),
    "`# BEGIN IGNORE` without `# END IGNORE`": question("q", code("# BEGIN IGNORE\nx = 3")),
    "was not run before the notebook was saved": question(
        "q", code("x = 3 # SOLUTION"), code("x", ran=False)
    ),
    "it is no Python": question("q", code("x = 3 # SOLUTION"), code("x +", "3")),
    "has 2 points for 1 tests": question("q", code("x = 3"), TESTED, settings="points: [1, 2]"),
    "worth 2 points, the question 1": question(
        "q", code("x = 3"), code(FAILS + "x", "3"), settings="points: 1"
    ),
    "are not a number": question("q", code("x = 3"), TESTED, settings="points: many"),
    "holds one function and its call": [
        raw("# ASSIGNMENT CONFIG\ntests:\n  ok_format: false"),
        *question("q", code("x = 3"), code("assert x == 3")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("said", BAD)
def test_one_sentence_says_what_breaks_the_format(said: str, tmp_path: Path) -> None:
    folder = put(tmp_path, book(*BAD[said]))
    with pytest.raises(CourseError) as error:
        Course(folder).lab("lab01")
    assert said in str(error.value) and "lab01/lab01.ipynb, cell " in str(error.value)
