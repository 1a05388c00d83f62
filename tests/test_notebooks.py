"""Notebooks as text: the bytes of nbformat, without its second look and its copies."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as some
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from proctor.notebooks import _text, dumps

ROOT = Path(__file__).resolve().parents[1]
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)


def expected(notebook: nbformat.NotebookNode) -> str:
    return str(nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)) + "\n"


@pytest.mark.parametrize("name", ["lab_digits", "lab_mnist"])
def test_a_lab_is_written_as_nbformat_writes_it(name: str) -> None:
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    assert dumps(notebook) == expected(notebook)


def test_all_kinds_of_cells_and_outputs_are_written_as_nbformat_writes_them() -> None:
    data = {"text/plain": "a\nb", "image/png": "aGk=", "application/json": {"x": [1, {}]}}
    outputs = [
        new_output("stream", text="one\ntwo\u2028three"),
        new_output("display_data", data=data),
        new_output("execute_result", data={"text/html": "<b>\n</b>"}, execution_count=2),
        new_output("error", ename="E", evalue="ü", traceback=["1\n2"]),
    ]
    cells = [
        new_code_cell("x = 1\n\ny", outputs=outputs, metadata={"trusted": True, "n": {"b": 1}}),
        new_markdown_cell("![](attachment:a)", attachments={"a": {"text/plain": "x\ny"}}),
        new_code_cell(""),
    ]
    notebook = new_notebook(cells=cells, metadata={"signature": "s", "z": [], "a": 0.1})
    before = copy.deepcopy(notebook)
    assert dumps(notebook) == expected(notebook)
    assert notebook == before


@given(VALUES)
def test_any_value_is_written_as_json_writes_it(value: object) -> None:

    assert _text(value, "\n") == json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
