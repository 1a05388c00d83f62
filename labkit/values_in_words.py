"""Values and numbers as words that a student reads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from labkit import inspection

Array = np.ndarray[Any, Any]


def type_name(value: object) -> str:
    """Name the type of a value, or the type that it had in the process that it came from."""
    known = getattr(value, "type_name", None)
    return known if isinstance(known, str) else inspection.type_name(value)


def a_type(value: object) -> str:
    """Name a value's type and shape for a reader: 'a list', 'an array of shape (3,)'."""
    if value is None:
        return "None"
    name = type_name(value).rpartition(".")[2]
    shape = getattr(value, "shape", getattr(getattr(value, "array", None), "shape", None))
    if name == "ndarray" and shape is not None:
        return f"an array of shape {tuple(shape)}"
    if isinstance(value, list | tuple):
        return f"a {name} of {len(value)}"
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name}" + (f" of shape {tuple(shape)}" if shape else "")


def number(value: float, digits: int = 4) -> str:
    """Write one number with `digits` decimals, or in powers of ten where that says nothing."""
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    if value and not 10.0**-digits <= abs(value) < 1e6:
        return f"{value:.{max(digits - 1, 2)}e}"
    return f"{value:.{digits}f}"


def show(values: Any, digits: int = 4, most: int = 8) -> str:
    """Write numbers for a reader: every one, or the first `most` and the shape."""
    array = np.asarray(values)
    if array.dtype.kind in "biu":
        texts = [str(v) for v in array.ravel()[:most].tolist()]
    else:
        texts = [number(v, digits) for v in array.ravel()[:most]]
    if array.ndim == 0:
        return texts[0]
    if array.ndim > 1 and array.size <= most:
        width = array.shape[-1] or 1
        rows = [" ".join(texts[i : i + width]) for i in range(0, len(texts), width)]
        return "[" + " ".join(f"[{row}]" for row in rows) + "]"
    more = f" ...], shape {array.shape}" if array.size > most or array.ndim > 1 else "]"
    return f"[{' '.join(texts)}{more}"


def show_input(values: Any) -> str:
    """Write an input as briefly as its numbers allow: [1000. 1001. 1002.]."""
    with np.printoptions(precision=4, suppress=True, threshold=12, linewidth=100):
        return str(np.asarray(values)).replace("\n", "")


def show_both(expected: Any, got: Any) -> tuple[str, str]:
    """Write two arrays with as many decimals as it takes to see that they differ."""
    for digits in (4, 6, 8, 10, 12, 16):
        texts = show(expected, digits), show(got, digits)
        if texts[0] != texts[1]:
            break
    return texts


def as_numbers(value: Any) -> Array | None:
    """Return a value as a numeric array (bool, integer or real); None if it is not one."""
    try:
        parts = isinstance(value, list | tuple)
        array = np.asarray([np.asarray(part) for part in value] if parts else value)
    except (ValueError, TypeError):  # a ragged list; an object that refuses
        return None
    return array if array.dtype.kind in "biuf" else None
