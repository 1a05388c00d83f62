"""Similarity: what a disguise cannot hide, and what is no likeness at all."""

from __future__ import annotations

import random
import textwrap

from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell
from support.tinycourse import hand_in, student

from proctor.classroom.grade import grade
from proctor.course import Course
from proctor.record.read_results import read_class
from proctor.tell.code_tokens import tokens
from proctor.tell.report import class_similarity
from proctor.tell.similarity import compare

GIVEN = ["import numpy as np\n", "def norm(a):\n    raise NotStarted\n"]
SOLUTION = {"norm": "def norm(a):\n    total = (a * a).sum()\n    return np.sqrt(total)\n"}
OWN = '''
def norm(a):
    """Length of a vector."""
    # by hand, in blocks of three
    total = 0.0
    for start in range(0, len(a), 3):
        block = a[start : start + 3]
        for value in block:
            if value != 0:
                total = total + abs(value) ** 2
    return total ** 0.5
'''
DISGUISED = """
def norm( a ):
    acc=0.0
    for i in range( 0,len(a),3 ):

        piece=a[ i:i+3 ]
        for x in piece:
            if x!=0:
                acc=acc+abs( x )**2   # my own idea
    return acc**0.5
"""
OTHER = """
def norm(a):
    squares = [float(np.power(item, 2)) for item in np.ravel(a).tolist()]
    while len(squares) > 1:
        left, right = squares.pop(), squares.pop()
        squares.append(left + right)
    return np.sqrt(np.asarray(squares, dtype=float).sum())
"""


def one_liner(number: int) -> str:
    return f"def norm(a):\n    # student {number}\n    return np.sqrt(np.dot(a, a)) * np.ones(())[()]\n"


def test_names_comments_and_layout_do_not_hide_a_copy() -> None:
    found = compare(
        {"ada": {"norm": OWN}, "bob": {"norm": DISGUISED}, "cyd": {"norm": OTHER}}, GIVEN
    )
    (pair,) = found.pairs
    assert pair.first == ("ada", "bob") and pair.second == ()
    assert pair.likeness == 1.0 and found.same == ()
    (alike,) = pair.exercises
    marked = [
        line for line, shared in zip(alike.second.lines, alike.second.shared, strict=True) if shared
    ]
    assert any("acc=acc+abs( x )**2" in line for line in marked)


def test_small_changes_leave_a_pair_alike_and_rank_it_below_a_copy() -> None:
    changed = DISGUISED.replace("if x!=0", "if x > 0 or x < 0").replace("acc**0.5", "np.sqrt(acc)")
    answers = {"a": {"norm": OWN}, "b": {"norm": DISGUISED}, "c": {"norm": changed}}
    first, second = compare(answers, GIVEN).pairs
    assert first.likeness == 1.0 and first.first == ("a", "b")
    assert 0.7 <= second.likeness < 1.0 and second.second == ("c",)


def test_what_everyone_writes_is_no_likeness() -> None:
    answers = {f"s{number}": {"norm": one_liner(number)} for number in range(12)}
    assert compare(answers, GIVEN).pairs == ()


def test_the_given_code_and_the_solution_are_discounted() -> None:
    long = "def norm(a):\n" + "".join(f"    a{n} = np.sqrt(a[{n}]) + {n}\n" for n in range(9))
    answers = {"a": {"norm": long}, "b": {"norm": long}}
    assert compare(answers, GIVEN).pairs
    assert compare(answers, [*GIVEN, long]).pairs == ()
    assert compare(answers, GIVEN, {"norm": long}).pairs == ()


def test_a_pair_stands_out_of_a_class_that_shares_most_of_its_code() -> None:
    common = textwrap.dedent(OTHER)
    answers = {f"s{number}": {"norm": common, "own": f"x = {number}"} for number in range(20)}
    answers["s03"] = {"norm": common, "own": OWN.replace("norm", "mine")}
    answers["s07"] = {"norm": common, "own": DISGUISED.replace("norm", "mine")}
    (pair,) = compare(answers, GIVEN).pairs
    assert pair.first == ("s03", "s07")
    assert [alike.exercise for alike in pair.exercises] == ["own"]


def test_letter_by_letter_copies_are_one_group() -> None:
    answers = {name: {"norm": OWN} for name in ("x", "y", "z")} | {"w": {"norm": OTHER}}
    found = compare(answers, GIVEN)
    assert found.same == (("x", "y", "z"),)
    assert [pair.first for pair in found.pairs] == [("x", "y", "z")]


def test_code_that_python_cannot_read_is_compared_too() -> None:
    broken = OWN.replace("len(a), 3):", "len(a), 3:").replace("block", "piece")
    found = compare({"a": {"norm": broken}, "b": {"norm": broken.replace("piece", "part")}}, GIVEN)
    assert found.pairs[0].likeness == 1.0


def test_the_order_of_the_class_does_not_matter() -> None:
    answers = {
        f"s{n}": {"norm": code} for n, code in enumerate([OWN, OTHER, DISGUISED, SOLUTION["norm"]])
    }
    names = list(answers)
    random.Random(3).shuffle(names)
    assert compare({name: answers[name] for name in names}, GIVEN) == compare(answers, GIVEN)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
@example("\r\x80")  # Python 3.13's tokenizer cannot decode it
def test_any_text_at_all_is_turned_into_tokens(text: str) -> None:
    for token in tokens(text):
        assert token.line >= 0 and token.text
    compare({"a": {"x": text}, "b": {"x": text}}, [text[:50]])


def test_an_answer_that_was_moved_to_another_cell_is_listed(tiny: Course) -> None:
    code = textwrap.dedent(OWN)
    notebook = student(tiny, double=code.replace("norm", "double"))
    hand_in(tiny, "ada", notebook)
    for name, moved in (("bob", code.replace("norm", "double")), ("cyd", DISGUISED)):
        graded = "double = double\n" if name == "bob" else "double = norm\n"
        notebook = student(tiny, double=graded)
        place = [cell.id for cell in notebook.cells].index("double")
        notebook.cells.insert(place, new_code_cell(moved, id="own"))
        hand_in(tiny, name, notebook)
    hand_in(tiny, "dan", student(tiny, double=textwrap.dedent(OTHER).replace("norm", "double")))
    grade(tiny, tiny.lab("tiny"), tiny.folder / "submitted")
    found = class_similarity(tiny, read_class(tiny, tiny.lab("tiny")))
    alike = {name for pair in found.pairs for name in (*pair.first, *pair.second)}
    assert alike == {"ada", "bob", "cyd"}
    assert all(pair.likeness > 0.9 for pair in found.pairs)
    shown = found.pairs[0].exercises[0]
    assert any("block" in line or "piece" in line for line in shown.first.lines)
