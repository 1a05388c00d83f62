"""What may cross the border between the student's process and the examiner's."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from proctor.kernel.arrays import ValueFormatError, read_npy
from proctor.kernel.check_values import Foreign, Opaque, decode, encode
from proctor.kernel.values import MAX_BYTES


def over(value: Any) -> Any:
    """Send a value across: encode, JSON, decode."""
    buffers: list[bytes] = []
    tree = json.loads(json.dumps(encode(value, buffers)))
    return decode(tree, buffers)


@pytest.mark.parametrize(
    "value", [None, True, 0, -7, 2.5, float("inf"), "é", [1, [2]], (1, "a"), {"a": 1, 2: None}]
)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    got = over(value)
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_small_set_is_gone_through_in_the_order_of_the_other_side(kind: Any) -> None:
    made = [
        kind(order) for size in (2, 3, 5, 6) for order in permutations([0, 8, -1, -2, 32, 7], size)
    ]
    made += [kind({0, 1, 2, 14, -1})]
    assert [list(over(one)) for one in made] == [list(one) for one in made]


def test_a_float_arrives_to_the_last_bit() -> None:
    assert over(0.1 + 0.2) == 0.1 + 0.2
    assert np.isnan(over(float("nan")))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros((0, 4), dtype=np.float32),
        np.array([True, False]),
        np.array(3.5),
        np.array([1 + 2j]),
    ],
)
def test_arrays_arrive_with_shape_and_type(array: np.ndarray) -> None:
    got = over(array)
    assert type(got) is np.ndarray
    assert got.dtype == array.dtype and got.shape == array.shape and np.array_equal(got, array)


def test_a_numpy_scalar_and_a_subclass_are_named_for_what_they_are() -> None:
    assert over(np.float64(2.0)) == Foreign("numpy.float64", np.array(2.0))
    got = over(np.ma.masked_array([1.0, 2.0]))
    assert isinstance(got, Foreign) and got.type_name.endswith("MaskedArray")


@pytest.mark.parametrize("value", [object(), np.array([object()]), iter([1]), lambda: 0])
def test_what_is_no_data_arrives_as_its_types_name_alone(value: Any) -> None:
    tree = encode(value, [])
    if tree["t"] != "helper":
        assert isinstance(decode(tree, []), Opaque)


def test_an_object_that_equals_everything_does_not_survive_the_border() -> None:
    class Chameleon:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert over(Chameleon()) != 1.0


def test_an_array_that_lies_about_its_shape_is_refused() -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f8", "fortran_order": False, "shape": (10**9,)}
    )
    with pytest.raises(ValueFormatError, match="size and shape"):
        read_npy(file.getvalue() + b"\0" * 8)


def test_an_array_of_objects_is_refused_without_unpickling() -> None:
    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(ValueFormatError):
        read_npy(file.getvalue())
    assert not Bomb.exploded


class Bomb:
    """Notes when it is unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (setattr, (Bomb, "exploded", True))


@pytest.mark.parametrize(
    "data", [b"", b"\x93NUMPY", pickle.dumps([1]), b"\x93NUMPY\x01\x00\xff\xff{", b"x" * 1000]
)
def test_bytes_that_are_no_array_are_refused(data: bytes) -> None:
    with pytest.raises(ValueFormatError):
        read_npy(data)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {"t": "nothing"},
        {"t": "int", "v": "1"},
        {"t": "int", "v": True},
        {"t": "float", "v": 1.0},
        {"t": "float", "v": "zz"},
        {"t": "array", "b": 0, "type": "numpy.ndarray"},
        {"t": "array", "b": -1, "type": "numpy.ndarray"},
        {"t": "dict", "v": [[{"t": "list", "v": []}, {"t": "none"}]]},
        {"t": "list", "v": "abc"},
        {"t": "name", "v": "model"},
    ],
)
def test_a_tree_of_another_form_is_refused(tree: Any) -> None:
    with pytest.raises(ValueFormatError):
        decode(tree, [])


def test_a_tree_that_is_too_deep_or_too_wide_is_refused() -> None:
    deep: Any = {"t": "none"}
    for _ in range(200):
        deep = {"t": "list", "v": [deep]}
    with pytest.raises(ValueFormatError, match="too many"):
        decode(deep, [])
    with pytest.raises(ValueFormatError, match="too many"):
        decode({"t": "list", "v": [{"t": "none"}] * 100_000}, [])


def test_too_many_bytes_are_refused_before_they_are_read() -> None:
    with pytest.raises(ValueFormatError, match="too large"):
        decode({"t": "none"}, [memoryview(bytes(MAX_BYTES + 2**17))])


def test_no_value_costs_the_import_of_masked_arrays() -> None:
    """It takes longer than all else that a kernel does for a small answer."""
    program = (
        "import sys, numpy as np\n"
        "from proctor.kernel import check_values as values\n"
        "values.encode([1, 'a', np.arange(3), np.float64(2), {1, 2}, print], [])\n"
        "values.encode([1, 'a', np.arange(3), np.float64(2), {1: (2, 3)}], [])\n"
        "assert 'numpy.ma' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
