"""On any value, a test says from outside what it says inside: random examples."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.lifting import a_bench

from proctor.lift.process_handle import Worker, talking

EXAMPLES = 2_000 if os.environ.get("CI") else 100

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.complex_numbers(allow_nan=False, allow_infinity=False),
)
keys = st.one_of(st.integers(), st.text(max_size=5), st.booleans(), st.tuples(st.integers()))
nested = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.sets(st.integers(), max_size=5),
        st.frozensets(st.text(max_size=3), max_size=4),
    ),
    max_leaves=12,
)
literal = nested.map(repr).map(lambda text: text.replace("inf", "float('inf')"))
made = st.sampled_from(
    (
        "range(3, 30, 4)", "np.float32(1.5)", "np.arange(6).reshape(2, 3)", "np.array(['a', 'bc'])",
        "pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", "pd.Series([1.5, 2], index=['p', 'q'])",
        "Counter('abca')", "deque([1, 2], 5)", "Decimal('1.10')", "Fraction(1, 3)",
        "datetime(2024, 2, 29)", "slice(1, None)", "lambda a, b=2: a + b", "(n for n in [1, 2])",
        "pd.Timestamp('2024-01-01')", "np.int64(7)", "b'x' * 70000", "'y' * 70000", "2 ** 300",
        "Path('a/b.txt')", "Point(1, [2])",
    )
)  # fmt: skip
values = st.one_of(literal, made)
tests = st.sampled_from(
    (
        "assert type(x).__name__ == type(WANT).__name__",
        "assert repr(x) == repr(WANT)",
        "assert bool((np.asarray(x == WANT)).all())",
        "assert len(x) == len(WANT)",
        "assert list(x) == list(WANT)",
        "assert isinstance(x, type(WANT))",
        "assert hash(x) == hash(WANT)",
        "assert sorted(x) == sorted(WANT)",
        "assert x(1) == WANT(1)",
        "assert f(x) == f(WANT)",
        "y = [x, x]\nassert g(y) == 2 and len(y) == 3",
        "assert x is not None",
        "assert str(type(x)) == str(type(WANT))",
    )
)
IMPORTS = (
    "import numpy as np, pandas as pd\nfrom collections import Counter, deque\n"
    "from datetime import datetime\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
    "from pathlib import Path\nfrom collections import namedtuple\nPoint = namedtuple('Point', 'a b')\n"
)
FUNCTIONS = "def f(v):\n    return repr(v)\ndef g(v):\n    v.append(1)\n    return len(v) - 1\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Worker, Worker]]:
    with (
        a_bench(tmp_path_factory.mktemp("agreement")) as bench,
        Worker(bench, "player") as student,
        Worker(bench, "judge") as judge,
    ):
        student.ask("run", source=IMPORTS + FUNCTIONS, seconds=30.0, watch=False)
        judge.ask(
            "setup",
            learning=True,
            used=[],
            needed=[],
            shares_random=False,
            shared=[],
            remote_modules=[],
        )
        judge.ask("given", source=IMPORTS, name="<given>", changed=[], keep=None)
        judge.ask("theirs", names=["x", "f", "g"], sources={})
        yield student, judge


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(answer=values, wanted=values, same=st.booleans(), test=tests)
@example(answer="frozenset({8, 0})", wanted="0", same=True, test="assert repr(x) == repr(WANT)")
@example(answer="{0, 1, 2, 14, -1}", wanted="0", same=True, test="assert repr(x) == repr(WANT)")
def test_lifted_and_unlifted_agree(
    pair: tuple[Worker, Worker], answer: str, wanted: str, same: bool, test: str
) -> None:
    student, judge = pair
    wanted = answer if same else wanted
    source = f"{test.replace('WANT', f'({wanted})')}\n"
    student.ask("run", source=f"x = {answer}\n", seconds=30.0, watch=False)
    inside = student.ask("run", 400.0, source=source, seconds=30.0, watch=False)
    student.ask("run", source=f"x = {answer}\n", seconds=30.0, watch=False)  # a test may use it up
    with talking() as (one, other):
        student.send("serve", one, fork=False, seconds=30.0, mutant=None)
        judge.send(
            "judge", other, source=source, name="<test>", seconds=30.0, learning=True, needed=[],
            used=[], forward=[], define=[], trial=False, carried=True,
        )  # fmt: skip
    outside = judge.answer(400.0)
    student.answer(400.0)
    if "refused" not in outside:
        assert outside["passed"] == inside["passed"], (answer, source, outside, inside)
