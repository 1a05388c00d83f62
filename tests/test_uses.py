"""What a cell uses of other cells, read off the code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proctor.intake.name_uses import MOST, plain_python, used_by

GRADED = "def f(z):\n    return helper(z)\n"


@pytest.mark.parametrize(
    "cell",
    [
        "helper = lib.softmax",
        "def helper(z):\n    return lib.softmax(z)",
        "from lib import softmax as helper",
        "from lib import *",
        "if True:\n    helper = lib.softmax",
        "def make():\n    global helper\n    helper = lib.softmax\nmake()",
        "other = lib.softmax\nhelper = other",
        "class Tools: pass\nTools.of = lib.softmax\nhelper = Tools().of",
        "%time helper = lib.softmax",
        "%%time\nhelper = lib.softmax",
        "%timeit -n 3 -r 1 pass\nhelper = lib.softmax",
    ],
)
def test_what_a_cell_uses_is_found_wherever_it_is_defined(cell: str) -> None:
    found = used_by(GRADED, ["unused = lib.argmax", cell, GRADED])
    assert found is not None and "lib" in found and "argmax" not in found
    assert found.endswith(GRADED)


def test_a_local_name_is_nobody_elses(cell: str = "p = lib.softmax(x)") -> None:
    assert used_by("def f(z):\n    p = z\n    return p\n", [cell]) == (
        "def f(z):\n    p = z\n    return p\n"
    )


def test_cells_in_a_chain_over_several_cells_are_followed() -> None:
    cells = ["a = lib.softmax", "def b(z): return a(z)", "def c(z): return b(z)", "d = 1"]
    found = used_by("def f(z): return c(z)", cells)
    assert found == "\n".join([*cells[:3], "def f(z): return c(z)"])


def test_a_decorator_comes_along() -> None:
    cells = ["def twice(g): return lib.softmax", "@twice\ndef helper(z): return z"]
    found = used_by(GRADED, cells)
    assert found is not None and "lib.softmax" in found and "@twice" in found


@pytest.mark.parametrize(
    "code", ["x = 1\n" + " \n" * 40_000 + "x", "?" + " " * 90_000 + "x", "%a\n" * 30_000]
)
def test_a_cell_is_read_in_time_in_proportion_to_its_length(code: str) -> None:
    began = time.process_time()
    plain_python(code)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("code", ["def f(:", "x = (", "\x00", "(" * 5000, "x" * (MOST + 1)])
def test_what_is_no_python_is_said_to_be_none(code: str) -> None:
    assert plain_python(code) is None and used_by(code, []) is None
    assert used_by(GRADED, [code]) == GRADED


def test_what_a_magic_is_given_is_read_as_code() -> None:
    code = "def f(z):\n    %time p = lib.softmax(z)\n    return p\n"
    found = plain_python(code)
    assert found is not None and found.endswith("\np = lib.softmax(z)")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_text_at_all_can_be_asked_about(code: str, cell: str) -> None:
    used_by(code, [cell, code])
