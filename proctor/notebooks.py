"""Notebooks as text."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines, strip_transient


def dumps(notebook: NotebookNode) -> str:
    """Serialise a notebook so that equal notebooks are equal bytes.

    The text is that of ``nbformat.writes``, which validates a second time, copies all of it, and has
    it written by the part of ``json`` that is in Python: three quarters of the time.
    """
    nbformat.validate(notebook)
    written = strip_transient(split_lines(separate(notebook)))
    return _text(written, "\n") + "\n"


def separate(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of which every cell, its outputs and all metadata can be given other values.

    What these hold further inside is shared with the notebook.
    """
    made = NotebookNode(notebook, metadata=NotebookNode(notebook.metadata))
    made["cells"] = [_separate(cell) for cell in notebook.cells]
    return made


def _separate(cell: NotebookNode) -> NotebookNode:
    made = NotebookNode(cell, metadata=NotebookNode(cell.metadata))
    if "attachments" in cell:
        made["attachments"] = {k: NotebookNode(v) for k, v in cell.attachments.items()}
    if "outputs" in cell:
        made["outputs"] = [NotebookNode(output) for output in cell.outputs]
        for output in made["outputs"]:
            if "data" in output:
                output["data"] = NotebookNode(output["data"])
    return made


def _text(value: Any, line: str) -> str:
    """Write JSON as ``json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)`` does."""
    if type(value) is str:
        return encode_basestring(value)
    inner = line + " "
    if isinstance(value, dict) and value:
        items = (f"{encode_basestring(key)}: {_text(value[key], inner)}" for key in sorted(value))
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}"
    if isinstance(value, (list, tuple)) and value:
        return f"[{inner}{f',{inner}'.join([_text(one, inner) for one in value])}{line}]"
    return json.dumps(value, ensure_ascii=False)
