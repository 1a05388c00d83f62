"""Notebooks as text."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode


def dumps(notebook: NotebookNode) -> str:
    """Serialise a notebook so that equal notebooks are equal bytes."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return text + "\n"
