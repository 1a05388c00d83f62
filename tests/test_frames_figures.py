"""Checks of tables and of figures: what a student's function gives and draws, as data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.tinycourse import make_course

from proctor.checks import Lab
from proctor.kernel.check_values import StudentError, decode, encode
from proctor.kernel.session import StudentKernel
from proctor.kernel.student_side import RemoteSide
from proctor.sandbox.forkserver import ForkServer
from proctor.sandbox.isolation import fork_server

CODE = """
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt

def means(df):
    return df.groupby("kind")["size"].mean()

def days():
    return pd.DataFrame({"day": pd.to_datetime(["2024-02-29", "2024-03-01"]), "kind": ["a", "b"]})

def bars(df):
    plt.bar(df["kind"], df["size"])
    plt.title("Sizes")
    plt.ylabel("size")

def curve():
    figure, axes = plt.subplots(1, 2)
    figure.suptitle("Two")
    axes[0].plot([1, 2, 3], [1, 4, 9], label="squares")
    axes[0].legend()
    axes[1].scatter([0, 1], [5, 6])
    axes[1].set_xlabel("x")
    return figure

figure = curve()
plt.close("all")
picture = plt.figure()
axes = picture.add_subplot()
axes.imshow(np.eye(2))
"""


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=["p", "q"]),
        pd.DataFrame({"t": pd.to_datetime(["2024-01-01"]), "c": pd.Categorical(["u"])}),
        pd.Series([1.5, 2.0], index=pd.Index([3, 4], name="n"), name="s"),
        pd.DataFrame({"z": pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Vienna")}),
    ],
)
def test_a_table_crosses_with_its_index_and_types(value: Any) -> None:
    buffers: list[bytes] = []
    got = decode(encode(value, buffers), buffers)
    same = (
        pd.testing.assert_frame_equal
        if isinstance(value, pd.DataFrame)
        else pd.testing.assert_series_equal
    )
    same(got, value)


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteSide]:
    course = make_course(tmp_path_factory.mktemp("figures"))
    lab = course.lab("tiny")
    lab.warm = ("numpy", "pandas", "matplotlib.pyplot")
    with fork_server(lab, course, "namespaces") as server:
        yield from started(server, lab, tmp_path_factory.mktemp("kernel"))


def started(server: ForkServer, lab: Lab, folder: Path) -> Iterator[RemoteSide]:
    from proctor.kernel.forked import ForkLauncher

    with StudentKernel(
        ForkLauncher(server), folder, {}, cell_seconds=20.0, total_seconds=120.0
    ) as kernel:
        assert kernel.run(CODE).error is None
        yield RemoteSide(kernel)


def test_a_function_of_a_table_is_called_with_one(side: RemoteSide) -> None:
    table = pd.DataFrame({"kind": ["a", "b", "a"], "size": [1, 2, 4]})
    got = side.get("means")(table)
    assert isinstance(got, pd.Series) and got.to_dict() == {"a": 2.5, "b": 2.0}
    assert side.get("days")()["day"].dt.day.tolist() == [29, 1]


def test_what_a_function_draws_is_told(side: RemoteSide) -> None:
    table = pd.DataFrame({"kind": ["a", "b"], "size": [1, 2]})
    (axes,) = side.figure("bars", table)["axes"]
    assert [bar["height"] for bar in axes["bars"]] == [1, 2]
    assert (axes["title"], axes["ylabel"], axes["xticklabels"]) == ("Sizes", "size", ["a", "b"])


def test_a_figure_that_is_returned_or_kept_is_told(side: RemoteSide) -> None:
    for name in ("curve", "figure"):
        told = side.figure(name)
        left, right = told["axes"]
        assert told["title"] == "Two" and left["legend"] == ["squares"]
        assert left["lines"][0]["label"] == "squares"
        assert np.array_equal(left["lines"][0]["y"], [1, 4, 9])
        assert np.array_equal(right["points"][0]["xy"], [[0, 5], [1, 6]])
        assert right["xlabel"] == "x"
    assert np.array_equal(side.figure("axes")["axes"][0]["images"][0], np.eye(2))


def test_where_nothing_is_drawn_the_student_is_told_so(side: RemoteSide) -> None:
    with pytest.raises(StudentError, match="nothing was drawn"):
        side.figure("days")
    with pytest.raises(StudentError, match="'gone' is not defined"):
        side.figure("gone")
