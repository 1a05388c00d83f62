"""Arrays as bytes, each an ``.npy`` image, and back; and what is said of a value that cannot travel.

Shipped to the student's process (:mod:`proctor.kernel.agent`), like all that the codec is made of.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

Tree = dict[str, Any]
"""A value written down: its form under ``t``, and what the form needs."""
NUMERIC = "?bhilqBHILQefdgFDpP"
WORDS = "USMm"
"""Further array types that have a form: text, bytes, times."""


class ValueFormatError(ValueError):
    """What came from the other side is not a value of the agreed form."""


class UnsendableError(ValueError):
    """A value has no form in which it could travel whole."""


def read_npy(data: bytes, types: str = NUMERIC) -> np.ndarray:
    """Read an ``.npy`` image that must be exactly as long as its header says.

    Raises
    ------
    ValueFormatError
        If the header is wrong, the type is not among `types`, or the length does not match.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueFormatError("an array in an unknown format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=1000)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueFormatError("an array with a broken header") from error
    if dtype.char not in types or dtype.hasobject:
        raise ValueFormatError("an array that is not numeric")
    if any(type(n) is not int or n < 0 for n in shape) or len(shape) > 8:
        raise ValueFormatError("an array with an impossible shape")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - file.tell():
        raise ValueFormatError("an array whose size and shape disagree")
    if not dtype.itemsize or not count:
        return np.zeros(shape, dtype, "F" if fortran else "C")
    flat = np.frombuffer(data, dtype=dtype, offset=file.tell())
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array.copy(order="K")


def of(kind: type, value: Any) -> Any:
    """Return a part of a tree that must be exactly of that type."""
    if type(value) is not kind:
        raise ValueFormatError(f"a part of the reply is no {kind.__name__}")
    return value
