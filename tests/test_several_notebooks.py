"""A lab of several notebooks: a master for each, a kernel for each, checks that reach over them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from support.doors import Gradescope, command

from proctor.course import Course
from proctor.errors import MasterError
from proctor.intake.master import source_notebooks
from proctor.verdict import ExerciseResult, Verdict

CONFIG = """from pathlib import Path

from proctor.nbgrader_plugin import plug_in

c = get_config()
c.CourseDirectory.course_id = "texts"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
plug_in(c)
"""
READING = """# %% [markdown]
# # Reading

# %% graded="split" points=4
def split(text):
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    words = text.lower().split()
    ### END SOLUTION
    ### END CODE HERE ###
    return words

# %% test="split"
split("a b")
"""
COUNTING = """# %% id="setup" given
TOP = 2

# %% graded="count" points=6
def count(words):
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    found = {word: words.count(word) for word in words}
    ### END SOLUTION
    ### END CODE HERE ###
    return found

# %% test="count"
count(["a"])

# %% [markdown] written="why" points=2
# ### BEGIN SOLUTION
# Since a dict has each key once.
# ### END SOLUTION
"""
CHECKS = '''from proctor.checks import Finding, Lab

lab = Lab("texts", title="Texts", release=("reading.ipynb", "counting.ipynb"))
split = lab.exercise("split", "Exercise 1, split", points=4)
count = lab.exercise("count", "Exercise 2, count", points=6)
lab.exercise("why", "Exercise 3, why", points=2, by="person")


@split.check(points=4, hidden=False)
def split_lower(side, draw):
    """words in small letters"""
    if side.get("split")("A b") != ["a", "b"]:
        raise Finding("Capital letters are left.")


@count.check(points=3, hidden=False)
def count_example(side, draw):
    """an example"""
    if side.get("count")(["a", "b", "a"]) != {"a": 2, "b": 1}:
        raise Finding("The counts differ.")


@count.check(points=3, hidden=False)
def count_after_split(side, draw):
    """what the notebook before gives"""
    words = side.notebook("reading").get("split")("to be or not to be")
    if side.get("count")(words) != {"to": 2, "be": 2, "or": 1, "not": 1}:
        raise Finding("The two do not fit together.")
'''
MUTANTS = """from proctor.author.mutate import Mutant, Variant

MUTANTS = (
    Mutant("capitals", "split", "def split(text):\\n    return text.split()", check="split-lower"),
    Mutant("ones", "count", "def count(words):\\n    return {w: 1 for w in words}",
           check="count-after-split"),
)
VARIANTS = (
    Variant("counter", "count", "from collections import Counter\\ndef count(words):\\n"
            "    return dict(Counter(words))"),
)
"""


def write(folder: Path, **other: str) -> Path:
    files = {
        "course/nbgrader_config.py": CONFIG, "course/texts/1_reading.py": READING,
        "course/texts/2_counting.py": COUNTING, "course/checks/texts.py": CHECKS,
        "course/mutants/texts.py": MUTANTS,
    }  # fmt: skip
    for name, text in files.items():
        path = folder / name.replace("1_", "").replace("2_", "")
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.parent.name in ("checks", "mutants")
        path.write_text(other.get(path.parent.name if own else path.stem, text))
    (folder / "course" / "texts" / "counting.py").rename(folder / "course" / "texts" / "words.py")
    return folder


def hand_in(folder: Path, student: str, **answers: str) -> None:
    """Hand in the notebooks for which there is an answer: of their graded cells, or ``right``."""
    for name, answer in answers.items():
        book: NotebookNode = nbformat.read(
            folder / "course" / "source" / "texts" / f"{name}.ipynb", 4
        )
        for cell in book.cells:
            if cell.cell_type == "code" and cell.metadata.nbgrader.get("solution") and answer:
                cell.source = answer
        path = folder / "course" / "submitted" / student / "texts" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)


COUNTS = "def count(words):\n    return {w: words.count(w) for w in words}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab built, with a class, marked."""
    folder = write(
        tmp_path_factory.mktemp("several"),
        checks=CHECKS.replace("counting.ipynb", "words.ipynb"),
    )
    built = command(folder, "proctor", "build", "texts")
    assert built.code == 0, built.all
    hand_in(folder, "right", reading="", words="")
    hand_in(folder, "capitals", reading="def split(text):\n    return text.split()", words="")
    hand_in(folder, "leans", reading="", words="def count(words):\n    return split('a')")
    hand_in(folder, "half", words=COUNTS)
    hand_in(folder, "dies", reading="import os\nos._exit(1)", words=COUNTS)
    hand_in(folder, "later", reading="def split(text):\n    import os\n    os._exit(1) if 'or' in text"
            " else 0\n    return text.lower().split()", words=COUNTS)  # fmt: skip
    marked = command(folder, "proctor", "grade", "texts")
    assert marked.code in (0, 1), marked.all
    yield folder


def verdict(folder: Path, student: str) -> Verdict:
    path = folder / "course" / "verdicts" / f"{student}.json"
    return Verdict.from_json(path.read_bytes())


def exercises(folder: Path, student: str) -> dict[str, ExerciseResult]:
    return {one.id: one for one in verdict(folder, student).exercises}


def test_each_master_is_a_notebook_that_a_student_opens(lab: Path) -> None:
    for name in ("reading", "words"):
        text = (lab / f"{name}.ipynb").read_text()
        assert "BEGIN SOLUTION" not in text and "text.lower()" not in text
        assert (lab / "course" / "release" / "texts" / f"{name}.ipynb").is_file()
    done = command(lab, "proctor", "release", "texts", "-o", str(lab / "out"))
    assert done.code == 0, done.all
    with zipfile.ZipFile(lab / "out" / "texts.zip") as zipped:
        assert sorted(zipped.namelist()) == ["texts/reading.ipynb", "texts/words.ipynb"]


def test_a_right_answer_earns_all_and_each_exercise_names_its_notebook(lab: Path) -> None:
    found = exercises(lab, "right")
    assert verdict(lab, "right").score == 10.0
    places = {id: one.notebook for id, one in found.items()}
    assert places == {"split": "reading", "count": "words", "why": "words"}
    assert found["why"].waiting


def test_a_check_asks_the_notebook_before(lab: Path) -> None:
    checks = {check.id: check for check in exercises(lab, "capitals")["count"].checks}
    assert checks["count-after-split"].passed  # 'to be or not to be' has no capitals
    assert verdict(lab, "capitals").score == 6.0


def test_a_name_of_one_notebook_is_not_there_in_the_next(lab: Path) -> None:
    (example, _) = exercises(lab, "leans")["count"].checks
    assert not example.passed and "NameError" in example.cause


@pytest.mark.parametrize("student", ["half", "dies"])
def test_a_notebook_that_is_missing_or_dies_costs_its_own_and_what_reaches_for_it(
    lab: Path, student: str
) -> None:
    found = exercises(lab, student)
    assert found["split"].score == 0 and found["count"].score == 3
    after = found["count"].checks[1]
    assert "your notebook reading" in after.cause and "reading.ipynb" in after.next
    missing = [one for one in verdict(lab, student).problems if one.code == "notebook-missing"]
    assert bool(missing) == (student == "half")


def test_a_notebook_that_dies_when_a_later_one_asks_it_keeps_what_it_earned(lab: Path) -> None:
    found = exercises(lab, "later")
    assert (found["split"].score, found["count"].score) == (4, 3)
    assert "notebook before this one" in found["count"].checks[1].cause
    assert found["why"].waiting


def test_the_gradebook_pages_and_notebooks_have_both(lab: Path) -> None:
    with Gradebook(f"sqlite:///{lab / 'course' / 'gradebook.db'}") as book:
        submission = book.find_submission("texts", "half")
        assert {one.name for one in submission.assignment.notebooks} == {"reading", "words"}
        assert submission.score == 3.0
    for name in ("reading", "words"):
        assert (lab / "course" / "autograded" / "right" / "texts" / f"{name}.ipynb").is_file()
        assert (lab / "course" / "feedback" / "right" / "texts" / f"{name}.html").is_file()


def test_a_second_run_marks_nothing_again_and_autograde_gives_the_same(lab: Path) -> None:
    assert "0 marked now" in command(lab, "proctor", "grade", "texts").out
    before = {path.name: path.read_bytes() for path in (lab / "course" / "verdicts").glob("*.json")}
    done = command(lab / "course", "nbgrader", "autograde", "texts", "--force")
    assert done.code == 0, done.all
    with Gradebook(f"sqlite:///{lab / 'course' / 'gradebook.db'}") as book:
        scores = {one.student.id: one.score for one in book.assignment_submissions("texts")}
    assert scores == {name[:-5]: json.loads(text)["score"] for name, text in before.items()}


def test_check_takes_the_notebooks_that_lie_together(lab: Path) -> None:
    path = lab / "course" / "submitted" / "right" / "texts" / "words.ipynb"
    done = command(lab, "proctor", "check", str(path), "--lab", "texts")
    assert done.code == 0 and "10 of 12" in " ".join(done.out.replace("/", " of ").split()), (
        done.all
    )
    heads = [line for line in done.out.splitlines() if line.startswith("== ")]
    assert [line.split(":")[0] for line in heads] == [
        "== words.ipynb",
        "== reading.ipynb, which lies beside it",
    ]


def test_its_wrong_answers_are_tried(lab: Path) -> None:
    done = command(lab, "proctor", "mutate", "texts")
    assert done.code == 0 and "2 of 2 wrong answers" in done.out, done.all


def test_gradescopes_container_marks_both(lab: Path, tmp_path: Path) -> None:
    there = Gradescope(Course(lab / "course"), tmp_path / "autograder", "texts")
    assert there.made.code == 0, there.made.all
    handed = (lab / "course" / "submitted" / "right" / "texts").glob("*.ipynb")
    said, found = there.mark_all({path.name: path.read_bytes() for path in handed})
    assert found.get("score") == 10.0, said.all


BAD = {
    "the exercise 'split' is in reading.py, too": {"counting": COUNTING + READING},
    "the exercise 'count' of the checks has no graded cell": {"counting": "# %% [markdown]\n# Words\n"},
    "the exercise 'count' has no checks": {
        "checks": CHECKS.partition("@count.check")[0].replace('count = lab.exercise("count"', '# ("')
    },
}  # fmt: skip


@pytest.mark.parametrize("said", BAD)
def test_one_sentence_says_what_is_wrong_with_the_masters(said: str, tmp_path: Path) -> None:
    course = Course(write(tmp_path, **BAD[said]) / "course")
    with pytest.raises(MasterError) as error:
        source_notebooks(course.own_masters("texts"), course.lab("texts"))
    assert said in str(error.value)


def test_a_check_that_asks_an_unknown_notebook_is_named_to_its_author(tmp_path: Path) -> None:
    wrong = CHECKS.replace('side.notebook("reading")', 'side.notebook("later")')
    folder = write(tmp_path, checks=wrong.replace("counting.ipynb", "words.ipynb"))
    assert command(folder, "proctor", "build", "texts").code == 0
    hand_in(folder, "ann", reading="", words="")
    done = command(folder, "proctor", "grade", "texts")
    assert "count-after-split" in done.all and "no notebook 'later' comes before" in done.all


def test_a_master_that_changed_is_to_be_built_first(tmp_path: Path) -> None:
    folder = write(tmp_path, checks=CHECKS.replace("counting.ipynb", "words.ipynb"))
    handed = folder / "course" / "submitted" / "ann" / "texts" / "words.ipynb"
    handed.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), handed)
    done = command(folder, "proctor", "grade", "texts")
    assert done.code == 2 and "proctor build texts" in done.all
    assert command(folder, "proctor", "build", "texts").code == 0
    path = folder / "course" / "texts" / "words.py"
    path.write_text(path.read_text().replace("TOP = 2", "TOP = 3"))
    done = command(folder, "proctor", "grade", "texts")
    assert done.code == 2 and "words.py" in done.all and "proctor build texts" in done.all
