"""A test cell says from outside what it says in the student's process."""

from __future__ import annotations

import ast
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lifting import ALWAYS, LIFTED, Playing, a_bench, cells, planned, playing, step_of

from proctor.kernel.channel import Channel, pack_text
from proctor.lift import Bench, Cell, Judge, Outcome, Plan, lift, name_owners
from proctor.lift.admitted import LostError, RefusedError
from proctor.lift.both_ends import read_random
from proctor.lift.namespace import Namespace


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One bench for all tests: each notebook is played in processes of its own."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "tools.py").write_text(
        "class Box:\n    def __init__(self, v):\n        self.v = v\n\ndef double(x):\n    return 2 * x\n"
    )
    with a_bench(folder) as made:
        yield made


def judged(
    bench: Bench, notebook: list[Cell], answers: dict[str, str], plan: Plan | None = None
) -> dict[str, Outcome]:
    """Mark a submission: `answers` take the place of the solutions."""
    plan = plan or planned(bench, notebook, mutants=False)
    found: dict[str, Outcome] = {}
    with playing(bench) as student, Judge(plan, bench, student, cell_seconds=10.0) as judge:
        for cell in notebook:
            if cell.kind == "test":
                found[cell.id] = lift(cell, student, judge)
                continue
            source = answers.get(cell.id, cell.source)
            student.run(source)
            judge.ran(cell, source)
    return found


SQUARES = cells(
    ("given", "import math\nLIMIT = 3\n"),
    ("solution", "def squares(n):\n    return [i ** 2 for i in range(n)]\n"),
    ("test", "assert squares(LIMIT) == [0, 1, 4]\nassert squares(0) == []\n"),
)


@pytest.mark.parametrize("what", LIFTED)
def test_it_is_judged_outside(bench: Bench, what: str) -> None:
    solution, test = LIFTED[what]
    plan = planned(bench, cells(("solution", solution), ("test", test)))
    step = step_of(plan, "c1")
    assert (step.judged, step.reason) == ("outside", "")
    assert step.noticed


def test_a_right_answer_passes_and_a_wrong_one_does_not(bench: Bench) -> None:
    right = {"c1": "def squares(n):\n    return list(map(lambda i: i * i, range(n)))\n"}
    wrong = {"c1": "def squares(n):\n    return [i for i in range(n)]\n"}
    assert judged(bench, SQUARES, right)["c2"].passed
    outcome = judged(bench, SQUARES, wrong)["c2"]
    assert (outcome.ended, outcome.type, outcome.line) == ("failed", "AssertionError", 1)


def test_what_a_test_binds_reaches_the_next_cell(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f(x):\n    return x + BASE\n"),
        ("test", "BASE = 10\nassert f(1) == 11\n"),
        ("test", "assert f(2) == 12 and BASE == 10\n"),
    )
    outcomes = judged(bench, notebook, {})
    assert outcomes["c1"].passed and outcomes["c2"].passed


def test_a_given_function_can_be_taken_away_and_put_back(bench: Bench) -> None:
    notebook = cells(
        ("given", "def base(x):\n    return x + 1\n"),
        ("solution", "def f(x):\n    return base(x) * 2\n"),
        (
            "test",
            "mine = base\ndel base\ntry:\n    f(1)\nexcept NameError:\n    pass\nelse:\n"
            "    assert False\nfinally:\n    base = mine\n",
        ),
        ("test", "assert f(1) == 4\n"),
    )
    plan = planned(bench, notebook)
    assert [(step.judged, step.reason) for step in plan.tests] == [("outside", "")] * 2


def test_given_data_that_the_student_changes_is_the_students(bench: Bench) -> None:
    notebook = cells(
        ("given", "rows = [3, 1, 2]\n"),
        ("solution", "rows.sort()\n"),
        ("test", "assert rows == [1, 2, 3]\n"),
    )
    plan = planned(bench, notebook)
    assert step_of(plan, "c2").judged == "outside"
    assert not judged(bench, notebook, {"c1": "pass\n"}, plan)["c2"].passed


def test_an_instance_of_a_class_of_the_courses_travels_by_its_attributes(bench: Bench) -> None:
    notebook = cells(
        ("given", "from tools import Box, double\n"),
        ("solution", "def box(v):\n    return Box(double(v))\n"),
        ("test", "b = box(2)\nassert isinstance(b, Box) and b.v == 4\n"),
    )
    plan = planned(bench, notebook)
    assert step_of(plan, "c2").judged == "outside"
    assert step_of(plan, "c2").strength == "calls"


# What a notebook does from one cell to the next; each of its tests is judged outside.
ACROSS = {
    "a function handed over outlives its cell": cells(
        ("solution", "def f(x):\n    return helper(x) + 1\n"),
        ("test", "helper = lambda x: 10 * x\nassert f(1) == 11\n"),
        ("test", "assert f(2) == 21\n"),
    ),
    "a library's function is bound by a test": cells(
        ("solution", "def f(x):\n    y = copy(x)\n    y.append(1)\n    return y\n"),
        ("test", "from copy import copy\nassert f([]) == [1]\n"),
        ("test", "mine = [2]\nassert f(mine) == [2, 1] and mine == [2]\n"),
    ),
    "a given object of a module's class is changed": cells(
        ("given", "from tools import Box\nbox = Box(3)\n"),
        ("solution", "box.v = 4\n"),
        ("test", "assert box.v == 4\n"),
    ),
    "what a cell prints is captured": cells(
        ("solution", "def hello():\n    print('hi')\n"),
        ("test", "%%capture seen\nhello()\n"),
        ("test", "assert seen.stdout == 'hi\\n'\n"),
    ),
    "a name that is read is bound to what cannot be carried": cells(
        ("solution", "def f(x):\n    source = x + 1\n    return source\nsource = 2\n"),
        ("test", "import tempfile\nsource = tempfile.TemporaryFile()\nassert f(1) == 2\n"),
    ),
}


@pytest.mark.parametrize("what", ACROSS)
def test_what_a_notebook_does_across_cells_is_judged_outside(bench: Bench, what: str) -> None:
    plan = planned(bench, ACROSS[what])
    assert [(step.judged, step.reason) for step in plan.tests] == [("outside", "")] * len(
        plan.tests
    )


def test_who_reads_what_could_not_be_carried_waits_for_a_person(bench: Bench) -> None:
    notebook = ACROSS["a name that is read is bound to what cannot be carried"]
    other = {"c0": "def f(x):\n    return x + (1 if source else 0)\nsource = 2\n"}
    outcome = judged(bench, notebook, other)["c1"]
    assert (outcome.ended, "source" in outcome.message) == ("refused", True)


def test_a_cell_that_the_solution_does_not_pass_is_named(bench: Bench) -> None:
    plan = planned(bench, cells(("solution", "x = 1\n"), ("test", "assert x == 2\n")))
    step = step_of(plan, "c1")
    assert step.judged == "inside" and "AssertionError" in step.error


def test_a_test_of_identity_stays_inside_and_says_why(bench: Bench) -> None:
    notebook = cells(
        ("solution", "a = [1]\nb = a\n"),
        ("test", "assert a is b\n"),
    )
    step = step_of(planned(bench, notebook), "c1")
    assert step.judged == "inside" and "assert a is b" in step.reason


def test_what_is_left_inside_is_judged_there_and_later_cells_go_on(bench: Bench) -> None:
    notebook = cells(
        ("solution", "a = [1]\nb = a\ndef f():\n    return 1\n"),
        ("test", "assert a is b\nk = f() + 1\n"),
        ("test", "assert f() == 1 and k == 2\n"),
    )
    plan = planned(bench, notebook)
    assert [step.judged for step in plan.tests] == ["inside", "outside"]
    outcomes = judged(bench, notebook, {}, plan)
    assert outcomes["c1"].passed and outcomes["c2"].passed
    outcomes = judged(bench, notebook, {"c0": "a = [1]\nb = [1]\ndef f():\n    return 1\n"}, plan)
    assert not outcomes["c1"].passed


INSIDE_AS_IN_A_NOTEBOOK = {
    "await at the top": (
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 3\n",
        "assert await f() == 3\nf.asked = True\nawait f()\n",
    ),
    "the history": (
        "answer = 6 * 7\n",
        "assert '6 * 7' in In[-2] and In[-1].endswith('5 == 5') and 5 == 5\n",
    ),
    "a magic": ("a = [1]\nb = a\n", "%matplotlib inline\nassert a is b\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", INSIDE_AS_IN_A_NOTEBOOK)
def test_a_cell_judged_inside_is_run_as_in_a_notebook(bench: Bench, what: str) -> None:
    solution, test = INSIDE_AS_IN_A_NOTEBOOK[what]
    first = ("solution", "def g():\n    return 1\n"), ("test", "assert g() == 1\n")
    notebook = cells(*first, ("solution", solution), ("test", test))
    plan = planned(bench, notebook)
    assert [step.judged for step in plan.tests] == ["outside", "inside"]
    assert not step_of(plan, "c3").error
    assert judged(bench, notebook, {}, plan)["c3"].passed


def test_what_passes_in_a_notebook_and_not_as_it_is_marked_is_named(bench: Bench) -> None:
    """The solution would get nothing for it: better that nobody is marked on it."""
    notebook = cells(
        ("solution", "x = 1\n"),
        (
            "test",
            "import inspect\nassert x is x and any(f.function == 'run_ast_nodes' for f in inspect.stack())\n",
        ),
    )
    step = step_of(planned(bench, notebook), "c1")
    assert step.judged == "inside" and "not as it is marked: AssertionError" in step.error


FORGERIES = {
    "an object that equals everything": ALWAYS + "def squares(n):\n    return Yes()\n",
    "an object that equals everything in the function's place": ALWAYS + "squares = Yes()\n",
    "a list that equals everything": "class L(list):\n    def __eq__(s, o): return True\n"
    "def squares(n):\n    return L()\n",
    "patched libraries": "import builtins, numpy as np, numpy.testing, unittest, hashlib\n"
    "np.allclose = np.array_equal = lambda *a, **k: True\ndef squares(n):\n    return None\n",
    "a forged exception": "class AssertionError(BaseException):\n    pass\n"
    "def squares(n):\n    raise StopIteration\n",
    "a hook on comparisons": "get_ipython().ast_transformers.append(type('T', (), {'visit': lambda s, n: "
    "__import__('ast').parse('1')})())\ndef squares(n):\n    return 0\n",
    "another answer each time": ALWAYS + "import itertools\nturn = itertools.count()\n"
    "def squares(n):\n    return [[], Yes(), [0, 1, 4]][next(turn) % 3]\n",
    "a value that never ends": "def squares(n):\n    a = []\n    a.append(a)\n    return a\n",
    "decoys": "LIMIT = 0\nmath = None\nassert_equal = print\ndef squares(n):\n    return []\n",
    "the judge looked for": "def squares(n):\n    import gc, sys\n"
    "    return [o for o in gc.get_objects() if isinstance(o, list) and o == [0, 1, 4]][:1] or 0\n",
    "leaving": "def squares(n):\n    raise SystemExit(0)\n",
}


@pytest.mark.parametrize("attack", FORGERIES)
def test_a_forgery_earns_nothing(bench: Bench, attack: str) -> None:
    outcome = judged(bench, SQUARES, {"c1": FORGERIES[attack]})["c2"]
    assert not outcome.passed


def test_a_stand_in_that_the_solution_does_not_need_asks_for_a_person(bench: Bench) -> None:
    answers = {"c1": "class Thing:\n    pass\ndef squares(n):\n    return Thing()\n"}
    outcome = judged(bench, SQUARES, answers)["c2"]
    assert outcome.ended == "refused" and "Thing" in outcome.message


def test_a_tests_helper_cannot_be_overwritten(bench: Bench) -> None:
    notebook = cells(
        ("given", "def check(a, b):\n    assert a == b\n"),
        ("solution", "def f():\n    return 1\n"),
        ("test", "check(f(), 1)\n"),
    )
    answers = {"c1": "def check(a, b):\n    pass\ndef f():\n    return 2\n"}
    assert not judged(bench, notebook, answers)["c2"].passed


HISTORY = "import re\ndef sq(x):\n    return eval(re.search(r'sq\\(%s\\) == (.+)' % x, In[-1]).group(1))\n"
NUMPY = "import numpy as np\n"
S = "class S:\n    def __init__(self):\n        self._i = [1]\n    def items(self):\n"
# What a test cell asks -> the solution, the cell, and a wrong answer that once earned its point.
WRONG_ONCE = {
    "the test's text in the history": (
        "def sq(x):\n    return x * x\n", "assert sq(2) == 4\nassert sq(7) == 49\n", HISTORY,
    ),
    "a function with attributes": (
        "def top(n):\n    return {1, 2, n}\n", "assert top(3).issuperset({1, 3})\n",
        "def top(n):\n    def r(): pass\n    r.issuperset = lambda other: True\n    return r\n",
    ),
    "a class with attributes": (
        "def top(n):\n    return {1, 2, n}\n", "assert top(3).issuperset({1, 3})\n",
        "class R:\n    issuperset = staticmethod(lambda other: True)\ndef top(n):\n    return R\n",
    ),
    "a class in a library's place": (
        NUMPY + "def dbl(x):\n    return [2 * i for i in x]\n", "assert np.allclose(dbl([1, 2]), [2, 4])\n",
        "class np:\n    allclose = staticmethod(lambda *a, **k: True)\ndef dbl(x):\n    return [0]\n",
    ),
    "a function in a library's place": (
        "from math import isclose\ndef half(x):\n    return x / 2\n", "assert isclose(half(3), 1.5)\n",
        "def isclose(*a):\n    return True\nisclose.__module__ = 'math'\ndef half(x):\n    return 0.0\n",
    ),
    "a function of one's own in a library's place": (
        "from math import isclose\ndef half(x):\n    return x / 2\n",
        "assert isclose(half(3), 1.5)\n",
        "def isclose(*a):\n    return True\ndef half(x):\n    return 0.0\n",
    ),
    "rows that are one": (
        "def grid(n):\n    return [[0] * n for _ in range(n)]\n",
        "g = grid(2)\ng[0][0] = 1\nassert g == [[1, 0], [0, 0]]\n",
        "def grid(n):\n    return [[0] * n] * n\n",
    ),
    "parts of an argument": (
        "def clone(m):\n    return [list(row) for row in m]\n",
        "m = [[1], [2]]\nc = clone(m)\nassert c == m and c[0] is not m[0]\n",
        "def clone(m):\n    return list(m)\n",
    ),
    "parts of an instance": (
        S + "        return list(self._i)\n",
        "s = S()\ni = s.items()\ni.append(2)\nassert s.items() == [1]\n",
        S + "        return self._i\n",
    ),
    "another name's object": (
        "a = [1, 2]\nb = list(a)\n", "assert b == a and b is not a\n", "a = [1, 2]\nb = a\n",
    ),
    "a method of one's own": (
        "def box(v):\n    return Box(v)\n", "assert box(1).good()\n",
        "def box(v):\n    b = Box(0)\n    b.good = lambda: True\n    return b\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_ONCE)
def test_a_wrong_answer_earns_nothing_by(bench: Bench, what: str) -> None:
    solution, test, answer = WRONG_ONCE[what]
    box = "class Box:\n    def __init__(self, v):\n        self.v = v\n"
    box += "    def good(self):\n        return self.v == 1\n"
    notebook = cells(("given", box), ("solution", solution), ("test", test))
    plan = planned(bench, notebook)
    assert judged(bench, notebook, {}, plan)["c2"].passed
    assert not judged(bench, notebook, {"c1": answer}, plan)["c2"].passed


TUPLE = "from collections import Counter, defaultdict, namedtuple\n"
POINT = "        return Point(self.x + other.x, self.y + other.y)\n"
# What a right answer is made of -> the solution, the cell, and the answer that once lost its point.
RIGHT_ONCE = {
    "a function with a cache": (
        "def f(n):\n    return n + 1",
        "assert f(2) == 3 and callable(f) and [f(k) for k in range(3)] == [1, 2, 3]",
        "import functools\n@functools.lru_cache(maxsize=None)\ndef f(n):\n    return n + 1",
    ),
    "a decorator that is a class": (
        "def f(n):\n    return n + 1",
        "assert f(2) == 3 and f(n=4) == 5",
        "class Counted:\n    def __init__(self, f): self.f, self.calls = f, 0\n"
        "    def __call__(self, *a, **k):\n        self.calls += 1\n        return self.f(*a, **k)\n"
        "@Counted\ndef f(n):\n    return n + 1",
    ),
    "an iterator that is a class": (
        "def up(n):\n    for k in range(n):\n        yield k",
        "it = up(3)\nassert next(it) == 0 and list(it) == [1, 2]\nassert sum(up(4)) == 6",
        "class up:\n    def __init__(self, n): self.k, self.n = -1, n\n    def __iter__(self): return self\n"
        "    def __next__(self):\n        self.k += 1\n        if self.k >= self.n: raise StopIteration\n"
        "        return self.k",
    ),
    "a named tuple with methods": (
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n"
        "    def __add__(self, other):\n" + POINT,
        "p = Point(1, 2) + Point(3, 4)\nassert (p.x, p.y) == (4, 6)\n",
        "from typing import NamedTuple\nclass Point(NamedTuple):\n    x: int\n    y: int\n"
        "    def __add__(self, other):\n" + POINT,
    ),
    "a named tuple with a default": (
        TUPLE + "Pt = namedtuple('Pt', 'x y')\ndef f():\n    return Pt(1, 2)\n",
        "p = f()\nassert isinstance(p, Pt) and p.y == 2\n",
        TUPLE + "Pt = namedtuple('Pt', 'x y', defaults=[0])\ndef f():\n    return Pt(1, 2)\n",
    ),
    "a default from a lambda": (
        TUPLE + "def f():\n    return defaultdict(int, a=1)\n",
        "assert f()['z'] == 0\n",
        TUPLE + "def f():\n    return defaultdict(lambda: 0, a=1)\n",
    ),
    "an exception with words of its own": (
        "class E(Exception):\n    pass\ndef f(n):\n    raise E(f'need {n}')\n",
        "try:\n    f(5)\nexcept E as e:\n    assert str(e) == 'need 5'\nelse:\n    assert False\n",
        "class E(Exception):\n    def __init__(self, n):\n        self.n = n\n    def __str__(self):\n"
        "        return f'need {self.n}'\ndef f(n):\n    raise E(n)\n",
    ),
    "an exception with an attribute of its class": (
        "class E(Exception):\n    def __init__(self):\n        self.code = 404\ndef f():\n    raise E()\n",
        "try:\n    f()\nexcept E as e:\n    assert e.code == 404\n",
        "class E(Exception):\n    code = 404\ndef f():\n    raise E()\n",
    ),
    "a subclass of Counter": (
        TUPLE + "def f(t):\n    return Counter(t)\n",
        "assert f('aab').most_common(1) == [('a', 2)]\n",
        TUPLE + "class C(Counter):\n    pass\ndef f(t):\n    return C(t)\n",
    ),
    "a function that a call binds anew": (
        "def one():\n    return 1\ndef two():\n    return 2\ncurrent = one\n"
        "def switch():\n    global current\n    current = two\n",
        "assert current() == 1\nswitch()\nassert current() == 2\n",
        "def one():\n    return 1\ndef two():\n    return 2\ncurrent = one\n"
        "def switch():\n    global current\n    current = two\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", RIGHT_ONCE)
def test_a_right_answer_keeps_its_point_with(bench: Bench, what: str) -> None:
    solution, test, answer = RIGHT_ONCE[what]
    notebook = cells(("solution", solution), ("test", test))
    plan = planned(bench, notebook)
    assert step_of(plan, "c1").judged == "outside"
    for answers in ({}, {"c0": answer}):
        outcome = judged(bench, notebook, answers, plan)["c1"]
        assert outcome.passed, (step_of(plan, "c1").judged, outcome)


def test_what_an_earlier_test_imports_is_there_for_one_that_is_judged_inside(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def w(p):\n    open(p, 'w').write('hi')\ndef f(x):\n    return x + 1\n"),
        ("test", "import pathlib\nlimit = 2\nassert f(1) == limit\n"),
        ("test", "w('z.txt')\nassert pathlib.Path('z.txt').read_text() == 'hi' and limit == 2\n"),
        ("test", "assert f(2) == 3\n"),
    )
    plan = planned(bench, notebook)
    found = [(step.judged, step.error) for step in plan.tests]
    assert found == [("outside", ""), ("inside", ""), ("outside", "")]
    assert all(one.passed for one in judged(bench, notebook, {}, plan).values())


def test_a_copy_of_the_students_process_tells_a_judge_nothing(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f():\n    return True\ndef g():\n    return [1]\n"),
        ("test", "assert [f(), f(), f()] == [True] * 3 and g() == [1]\n"),
    )
    own = "import os\ndef f():\n    return os.fork() > 0\ndef g():\n    return [1]\n"
    assert judged(bench, notebook, {"c0": own})["c1"].passed


def test_a_name_of_a_function_alone_is_not_the_notebooks(bench: Bench) -> None:
    """The test binds `res` to what cannot be carried; the answer's `res` is another."""
    notebook = cells(
        ("solution", "def f(x):\n    return x + 1\n"),
        ("test", "import tempfile\nres = tempfile.TemporaryFile()\nassert f(1) == 2\n"),
    )
    answers = {
        "c0": "def f(x):\n    res = x + 1\n    def g():\n        return res\n    return g()\n"
    }
    plan = planned(bench, notebook)
    with (
        playing(bench) as student,
        Judge(
            plan,
            bench,
            student,
            reads=name_owners.reads(ast.parse(answers["c0"])),
            cell_seconds=10.0,
        ) as judge,
    ):
        student.run(answers["c0"])
        judge.ran(notebook[0], answers["c0"])
        assert lift(notebook[1], student, judge).passed


def test_who_fails_by_an_object_of_another_kind_waits_for_a_person(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def mean():\n    x = 0\n    while True:\n        x = (yield x)\n"),
        ("test", "m = mean()\nnext(m)\nassert m.send(4) == 4\n"),
    )
    own = "class mean:\n    def send(self, x): return x\n"
    outcome = judged(bench, notebook, {"c0": own})["c1"]
    assert (outcome.ended, "StandIn" in outcome.message) == ("refused", False)


def test_what_travels_as_json_has_it_keeps_its_type_and_its_value(bench: Bench) -> None:
    """In a call of numbers and short text alone, and where the answer needs another form."""
    values = (
        "0, True, False, None, 1, -1, 1.0, -0.0, 0.1, 1e308, 5e-324, 2**53 - 1, 2**53, -2**53, 2**70, "
        "float('inf'), '', 'a', 'ü', '\\ud800', '\"\\\\\\n\\x00', 'x' * 2000, 1e16, (1,), [1]"
    )
    notebook = cells(
        ("solution", f"values = [{values}]\ndef same(x):\n    return x\ndef number(i):\n"
         "    print('told')\n    return values[i]\n"),
        ("test", f"""
import contextlib, io
mine = [{values}]
for i, v in enumerate(mine):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        back = number(i)
    assert out.getvalue() == 'told\\n'
    for got in (same(v), back):
        assert type(got) is type(v) and repr(got) == repr(v), (got, v)
assert same(float('nan')) != same(float('nan'))
"""),
    )  # fmt: skip
    plan = planned(bench, notebook, mutants=False)
    assert (step_of(plan, "c1").judged, step_of(plan, "c1").reason) == ("outside", "")
    assert judged(bench, notebook, {}, plan)["c1"].passed


@pytest.mark.parametrize("plain", ["[1]", "{}", '"\\ud800"', "1" * 5000])
def test_what_is_no_plain_value_is_not_taken_for_one(plain: str) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall(pack_text(f'{{"n":1,"plain":{plain}}}'))
        conversation = Namespace()
        conversation.channel = Channel(mine)
        with pytest.raises((RefusedError, LostError)):
            conversation.ask({"op": "get", "name": "x"})


def test_a_random_state_that_would_end_the_judge_is_refused() -> None:
    for place in (625, -1, 10**40):
        with pytest.raises(ValueError, match="another kind"):
            read_random([[3, [0] * 625, None], ["MT19937", [0] * 624, place, 0, 0.0]])


def test_a_range_that_nobody_can_go_through_costs_its_own_cell(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f():\n    return range(3)\n"),
        ("test", "assert sum(f()) == 3\n"),
        ("test", "assert f\n"),
    )
    outcomes = judged(bench, notebook, {"c0": "def f():\n    return range(2 ** 52)\n"})
    assert (outcomes["c1"].ended, outcomes["c2"].passed) == ("refused", True)


LEFT_ALONE = {
    "let fall": "draw(1)\nassert drawn == [1]\n",
    "shown": "assert drawn == []\ndraw(2)\n",
    "given a name": "result = draw(3)\nassert drawn == [3]\n",
    "handed back": "assert size(draw(4)) == 4\n",
}
LOOKED_AT = {
    "compared": "assert not draw(1) == 5\n",
    "asked for its class": "assert not isinstance(draw(1), int)\n",
    "asked for a part": "assert getattr(draw(1), 'size', 1) == 1\n",
    "written out": "assert str(draw(1)) != ''\n",
    "taken for true": "assert (1 if draw(1) else 1) == 1\n",
    "hashed": "assert len({draw(1)}) == 1\n",
    "counted, and swallowed": "try:\n    len(draw(1))\nexcept BaseException:\n    pass\n",
    "copied": "import copy\ncopy.copy(draw(1))\n",
}


@pytest.mark.parametrize("what", [*LEFT_ALONE, *LOOKED_AT])
def test_an_object_more_costs_a_point_only_where_it_is_looked_at(bench: Bench, what: str) -> None:
    """The solution returns nothing; this answer, also right, returns what it drew."""
    test = LEFT_ALONE.get(what) or LOOKED_AT[what]
    log = "drawn = []\ndef size(x):\n    return getattr(x, 'size', 4)\n"
    notebook = cells(("solution", log + "def draw(n):\n    drawn.append(n)\n"), ("test", test))
    own = "class Text:\n    size = 4\n"
    answers = {"c0": log + own + "def draw(n):\n    drawn.append(n)\n    return Text()\n"}
    outcome = judged(bench, notebook, answers)["c1"]
    assert outcome.ended == ("passed" if what in LEFT_ALONE else "refused")
    assert what in LEFT_ALONE or "of class Text where the solution gives another" in outcome.message


def test_a_bare_except_does_not_hide_a_refusal(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f():\n    return 1\n"),
        ("test", "try:\n    ok = f() == 1\nexcept:\n    ok = True\nassert ok\n"),
    )
    answers = {"c0": "class T:\n    pass\ndef f():\n    return T()\n"}
    assert judged(bench, notebook, answers)["c1"].ended == "refused"


def test_a_loop_ends_at_its_limit_and_the_next_cell_is_judged(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f(n):\n    return n\n"),
        ("test", "while f(1) == 1 and f(2) != 3:\n    if f(0) == 0: break\n"),
        ("test", "assert f(1) == 1\n"),
    )
    plan = planned(bench, notebook, mutants=False)
    with playing(bench) as student, Judge(plan, bench, student, cell_seconds=0.5) as judge:
        student.run("def f(n):\n    return 1\n")
        judge.ran(notebook[0], "")
        first = lift(notebook[1], student, judge)
        second = lift(notebook[2], student, judge)
    assert first.ended == "time" and second.passed


def test_partial_credit_is_the_last_value(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f():\n    return 1\n"), ("test", "score = 0.5 * f()\nscore\n")
    )
    assert judged(bench, notebook, {})["c1"].shown == "0.5"


def test_a_playing_student_is_a_student(bench: Bench) -> None:
    with playing(bench) as student:
        assert isinstance(student, Playing)


RUNS = (
    "import inspect\nexec(inspect.getsource(f))\nassert f() == 1\n",
    "assert eval(text()) == 2\n",
    "import builtins\nbuiltins.exec(text())\nassert f() == 1\n",
    "import pickle\nassert pickle.loads(data()) == 1\n",
    "helper(text())\nassert f() == 1\n",
    "from pickle import loads as read\nassert read(data()) == 1\n",
    "import pickle as p\nassert p.loads(data()) == 1\n",
    "run = eval\nassert run(text()) == 2\n",
    "import io, numpy as np\nnp.load(io.BytesIO(data()), allow_pickle=True)\n",
    "%%time\nresult = eval(text())\nassert result == 2\n",
    "%time result = eval(text())\nassert result == 2\n",
    "assert sum(map(eval, [text()])) == 2\n",
    "import functools\nrun = functools.partial(eval)\nassert run(text()) == 2\n",
    "run, other = eval, 1\nassert run(text()) == 2\n",
    "import builtins as b\nassert b.eval(text()) == 2\n",
    "assert eval('eval(text())') == 2\n",
    "import io\nassert pickle.Unpickler(io.BytesIO(data())).load() == 1\n",
    "import pandas as pd\nassert len(pd.DataFrame({'a': [1]}).query('a == ' + text()[0])) == 1\n",
    "class Checker:\n    def run(self, t):\n        return eval(t)\n"
    "checker = Checker()\nassert checker.run(text()) == 2\n",
    "import doctest\nassert doctest.testmod().failed == 0\n",
    "f_ = open('tools.py', 'rb')\nimport io, pickle\nf_ = io.BytesIO(data())\nassert pickle.load(f_) == 1\n",
)


@pytest.mark.parametrize("test", RUNS)
def test_a_cell_that_runs_what_the_student_wrote_is_not_judged_outside(
    bench: Bench, test: str
) -> None:
    """The student's text would run in the judge, where it could make every assertion hold."""
    notebook = cells(
        ("given", "import pickle\ndef helper(text):\n    exec(text)\n"),
        (
            "solution",
            "def f():\n    return 1\ndef text():\n    return '1 + 1'\n"
            "def data():\n    return pickle.dumps(1)\n",
        ),
        ("test", test),
    )
    step = step_of(planned(bench, notebook, mutants=False), "c2")
    assert step.judged == "inside"
    assert "runs text" in step.reason


PICKLED = (
    "import pickle\nwith open('given.pkl', 'rb') as file:\n    data = pickle.load(file)\n",
    "import pickle\ndata = pickle.load(open('given.pkl', 'rb'))\n",
    "import pandas as pd\ndata = pd.read_pickle('given.pkl')\n",
)


@pytest.mark.parametrize("loads", PICKLED)
def test_a_pickle_that_the_course_gives_may_be_read_by_given_cells_and_tests(
    tmp_path: Path, loads: str
) -> None:
    notebook = cells(
        ("given", loads),
        ("solution", "def f(data):\n    return sum(data)\n"),
        ("test", "assert f(data) == 6\n"),
        ("test", loads + "assert f(data) == 6 and len(data) == 3\n"),
    )
    with a_bench(tmp_path) as bench:
        (tmp_path / "given.pkl").write_bytes(pickle.dumps([1, 2, 3]))
        plan = planned(bench, notebook, mutants=False)
    assert [(step.judged, step.reason) for step in plan.tests] == [("outside", "")] * 2


def test_a_cell_that_runs_its_own_text_is_judged_outside(bench: Bench) -> None:
    notebook = cells(
        ("solution", "def f():\n    return 1\n"), ("test", "assert eval('f() + 1') == 2\n")
    )
    assert step_of(planned(bench, notebook, mutants=False), "c1").judged == "outside"
