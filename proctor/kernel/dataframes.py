"""The forms of pandas: frames, series, indexes with their types, and what may stand in them.

A part of :mod:`proctor.kernel.values`, shipped with it. pandas itself is imported only where it is in use:
a process that has no frame to send has none loaded.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from proctor.kernel.values import Decoder, Encoder

Tree = dict[str, Any]
MAX_BYTES = 64 * 2**20
COLUMN = "?bhilqBHILQefdgFDmM"
"""Types of a column: numbers and times, also where other arrays are numbers alone."""
_DTYPE = re.compile(r"[A-Za-z0-9_\[\], ]{1,60}")


def write(encoder: Encoder, value: Any, depth: int) -> Tree | None:
    """Write a value of pandas; None if it is none, or has no form."""
    pandas = sys.modules.get("pandas")
    kind = type(value)
    if pandas is None or kind.__module__.partition(".")[0] != "pandas":
        return None
    if value is pandas.NaT or value is pandas.NA:
        return {"t": "missing", "v": "NaT" if value is pandas.NaT else "NA"}
    if kind is pandas.Timestamp:
        zone = str(value.tz) if value.tz is not None else ""
        return {"t": "Timestamp", "u": value.unit, "z": zone, "v": hex(value.value)}
    if kind is pandas.Timedelta:
        return {"t": "Timedelta", "u": value.unit, "v": hex(value.value)}
    if issubclass(kind, pandas.Index):
        return {"t": "Index", **_index(encoder, value, depth)}
    if kind is pandas.Series:
        column = _column(encoder, value, depth)
        index = _index(encoder, value.index, depth)
        return {"t": "Series", "i": index, "n": encoder.value(value.name, depth + 1), "v": column}
    if kind is pandas.DataFrame:
        columns = [_column(encoder, value.iloc[:, k], depth) for k in range(value.shape[1])]
        rows, names = (_index(encoder, axis, depth) for axis in (value.index, value.columns))
        return {"t": "DataFrame", "i": rows, "c": names, "v": columns}
    return None


def _index(encoder: Encoder, index: Any, depth: int) -> Tree:
    import pandas as pd

    names = encoder.values(index.names, depth)
    if isinstance(index, pd.RangeIndex):
        return {"k": "range", "n": names, "v": [index.start, index.stop, index.step]}
    if isinstance(index, pd.MultiIndex):
        levels = [pd.Series(index.get_level_values(n)) for n in range(index.nlevels)]
        return {"k": "multi", "n": names, "v": [_column(encoder, level, depth) for level in levels]}
    column = _column(encoder, pd.Series(index), depth)
    return {"k": "flat", "n": names, "f": getattr(index, "freqstr", None), "v": column}


def _column(encoder: Encoder, series: Any, depth: int) -> Tree:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufcmM":
        return {"d": "numpy", "v": encoder.array(series.to_numpy())}
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _index(encoder, series.cat.categories, depth)
        codes = encoder.array(series.cat.codes.to_numpy())
        return {"d": "category", "o": bool(series.cat.ordered), "c": categories, "v": codes}
    if isinstance(dtype, pd.DatetimeTZDtype):
        plain = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return {"d": "zoned", "z": str(dtype.tz), "v": encoder.array(plain)}
    return {"d": str(dtype), "v": encoder.values(series.tolist(), depth)}


def _read_index(decoder: Decoder, tree: Any, depth: int) -> Any:
    import pandas as pd

    names = decoder.values(tree["n"], depth)
    if tree["k"] == "range":
        start, stop, step = (int(number) for number in tree["v"])
        return pd.RangeIndex(start, stop, step, name=names[0])
    if tree["k"] == "multi":
        arrays = [_read_column(decoder, column, depth) for column in tree["v"]]
        return pd.MultiIndex.from_arrays(arrays, names=names)
    values = _read_column(decoder, tree["v"], depth)
    dtype = object if isinstance(values, np.ndarray) and values.dtype == object else None
    index = pd.Index(values, name=names[0], dtype=dtype)
    frequency = tree.get("f")
    if isinstance(frequency, str) and isinstance(index, pd.DatetimeIndex):
        index = index._with_freq(pd.tseries.frequencies.to_offset(frequency[:20]))
    return index


def _read_column(decoder: Decoder, tree: Any, depth: int) -> Any:
    import pandas as pd

    kind = tree["d"]
    if kind == "numpy":
        return decoder.array(tree["v"], COLUMN)
    if kind == "category":
        categories = _read_index(decoder, tree["c"], depth)
        codes = decoder.array(tree["v"])
        return pd.Categorical.from_codes(codes, categories=categories, ordered=tree["o"] is True)
    if kind == "zoned":
        return (
            pd.DatetimeIndex(decoder.array(tree["v"], COLUMN))
            .tz_localize("UTC")
            .tz_convert(tree["z"])
        )
    values = decoder.values(tree["v"], depth)
    if kind == "object":
        array = np.empty(len(values), object)
        for place, value in enumerate(values):
            array[place] = value
        return array
    if not isinstance(kind, str) or not _DTYPE.fullmatch(kind):
        raise ValueError("a column of an unknown type")
    return pd.array(values, dtype=kind)


def _series(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    import pandas as pd

    index = _read_index(decoder, tree["i"], depth)
    name = decoder.value(tree["n"], depth + 1)
    values = _read_column(decoder, body, depth)
    return pd.Series(values, index=index, name=name, dtype=_dtype(values))


def _dtype(values: Any) -> Any:
    """Keep objects objects: pandas would make text of an array that holds text alone."""
    return object if isinstance(values, np.ndarray) and values.dtype == object else None


def _frame(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    import pandas as pd

    index = _read_index(decoder, tree["i"], depth)
    arrays = [_read_column(decoder, column, depth) for column in body]
    columns = {
        place: pd.Series(values, index=index, dtype=_dtype(values))
        for place, values in enumerate(arrays)
    }
    frame = pd.DataFrame(columns, index=index)
    frame.columns = _read_index(decoder, tree["c"], depth)
    return frame


def _missing(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    import pandas as pd

    return {"NaT": pd.NaT, "NA": pd.NA}[body]


def _timestamp(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    import pandas as pd

    stamp = pd.Timestamp(int(body, 16), unit="ns").as_unit(tree["u"])
    return stamp.tz_localize("UTC").tz_convert(tree["z"]) if tree["z"] else stamp


def _timedelta(decoder: Decoder, body: Any, tree: Tree, depth: int) -> Any:
    import pandas as pd

    return pd.Timedelta(int(body, 16), unit="ns").as_unit(tree["u"])


READERS: dict[str, Callable[[Decoder, Any, Tree, int], Any]] = {
    "missing": _missing,
    "Timestamp": _timestamp,
    "Timedelta": _timedelta,
    "Index": lambda decoder, body, tree, depth: _read_index(decoder, tree, depth),
    "Series": _series,
    "DataFrame": _frame,
}
