"""What a lab's helpers keep in the run on the instructor's own solution, by name, as one piece of bytes.

It is kept and sent to workers whole; a kernel is given the one record that it can name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from proctor.errors import ProtocolError

Records = Mapping[str, bytes | memoryview]


def packed(records: object) -> bytes:
    """Return what the helpers kept as one piece.

    Parameters
    ----------
    records : dict of str to ndarray of uint8, shape (n,)

    Raises
    ------
    ProtocolError
        If it is something else.
    """
    if not isinstance(records, dict) or not all(
        isinstance(name, str)
        and isinstance(record, np.ndarray)
        and record.dtype == np.uint8
        and record.ndim == 1
        for name, record in records.items()
    ):
        raise ProtocolError("records that are no bytes by name")
    sizes = {name: len(record) for name, record in sorted(records.items())}
    bodies = (records[name].tobytes() for name in sizes)
    return b"".join([json.dumps(sizes).encode(), b"\n", *bodies])


def unpacked(data: bytes) -> Records:
    """Return the records by name, without copying them."""
    if not data:
        return {}
    head, _, _ = data.partition(b"\n")
    start, found = len(head) + 1, {}
    for name, size in json.loads(head).items():
        found[name] = memoryview(data)[start : start + size]
        start += size
    return found
