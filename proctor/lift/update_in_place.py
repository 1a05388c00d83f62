"""Make an object like another in place: what a call changed in its arguments."""

from __future__ import annotations

import collections
import io
import sys
from typing import Any

import numpy as np

from proctor.lift.both_ends import FILES


def make_like(old: Any, new: Any) -> bool:
    """Make `old` like `new`; False if that cannot be.

    What is equal in both keeps its identity as far as possible: a test may hold a part of it.
    """
    if isinstance(old, FILES) and isinstance(new, io.StringIO | io.BytesIO):
        old.read(new.tell())  # as far as was read
        return True
    if type(old) is not type(new):
        return False
    if type(old) is list:
        if len(old) != len(new):
            old[:] = new
            return True
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            if not (type(one) in (list, dict) and make_like(one, other)):
                old[place] = other
        return True
    if isinstance(old, dict):
        old.clear()
        dict.update(old, new)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is collections.deque:
        old.clear()
        old.extend(new)
    elif type(old) is bytearray:
        old[:] = new
    elif isinstance(old, np.ndarray):
        if (old.shape, old.dtype) != (new.shape, new.dtype) or not old.flags.writeable:
            return False
        np.copyto(old, new)
    elif type(old) in (io.StringIO, io.BytesIO):
        place = new.tell()
        old.seek(0)
        old.truncate()
        old.write(new.getvalue())
        old.seek(place)
    elif isinstance(old, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, np.random.RandomState):
        old.set_state(new.get_state())
    elif _is_frame(old):
        old._update_inplace(new)
        if hasattr(old, "name"):
            old.name = new.name
    elif hasattr(old, "__dict__"):
        vars(old).clear()
        vars(old).update(vars(new))
    else:
        return False
    return True


def _is_frame(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(value) in (pandas.DataFrame, pandas.Series)
