"""Rows of X, known by their numbers: which row of X is this one?"""

from __future__ import annotations

import numpy as np

from labkit.values_in_words import Array


def row_table(X: Array) -> dict[bytes, int]:
    """Return the row numbers of X by the rows' bytes, for :func:`find_rows`."""
    return {row: index for index, row in enumerate(_rows(X))}


def find_rows(part: Array, table: dict[bytes, int]) -> Array:
    """Find each row of `part` in a table: its row numbers, -1 where there is none (int64)."""
    return np.array([table.get(row, -1) for row in _rows(part)], dtype=int)


def _rows(X: Array) -> list[bytes]:
    """Return the bytes of each row, as float32."""
    data = np.asarray(X, dtype=np.float32).tobytes()
    size = len(data) // max(1, len(X))
    return [data[i * size : (i + 1) * size] for i in range(len(X))]
