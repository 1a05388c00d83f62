"""What helpers keep, as one piece of bytes and back."""

from __future__ import annotations

import numpy as np
import pytest

from proctor.errors import ProtocolError
from proctor.kernel.kept_records import packed, unpacked


def test_records_come_back_by_name() -> None:
    given = {
        "b": np.arange(5, dtype=np.uint8),
        "a": np.zeros(0, np.uint8),
        "é\n": np.ones(3, np.uint8),
    }
    found = unpacked(packed(given))
    assert {name: bytes(record) for name, record in found.items()} == {
        name: record.tobytes() for name, record in given.items()
    }
    assert packed(dict(reversed(given.items()))) == packed(given)


def test_nothing_kept_is_no_record() -> None:
    assert unpacked(b"") == {} and unpacked(packed({})) == {}


@pytest.mark.parametrize(
    "value", [None, [], {"a": b"x"}, {1: np.zeros(1, np.uint8)}, {"a": np.zeros(2)}]
)
def test_what_is_no_bytes_by_name_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError):
        packed(value)
