"""Random damage to notebooks, bytes, archives and folders: always an outcome, never anything else.

2,000 examples where ``CI`` is set, fewer otherwise.
"""

from __future__ import annotations

import copy
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.malformed_class import DEEP, Notebook, cell_of, dumps, make_zip, zipped
from support.sample_lab import LAB, solved, source_notebook

from proctor.errors import RejectedError
from proctor.examine.assemble import assemble
from proctor.intake.submissions import Handed, Submission, collect, read, read_bytes

EXAMPLES = 2_000 if os.environ.get("CI") else 300
NAME = f"{LAB}.ipynb"
SOURCE = source_notebook()
SOLVED = solved()
RIGHT = dumps(SOLVED)
EXERCISES = ("softmax", "dense", "predict")

pytestmark = pytest.mark.timeout(300)


def share(part: float) -> settings:
    """Settings for one property, which takes this part of all examples."""
    return settings(
        max_examples=int(EXAMPLES * part),
        deadline=None,  # the whole test has a time limit; single examples share two cores
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def outcome(handed: Handed) -> None:
    """Check what must be true of every submission, whatever it is."""
    assert re.fullmatch(r"\w[\w. -]{0,99}", handed.student) and handed.student[-1] != " "
    assert unicodedata.is_normalized("NFC", handed.student)
    handed.original.encode("utf-8")
    try:
        submission = read(handed, LAB)
    except RejectedError as error:
        assert error.code and error.message.encode("utf-8") and error.message[-1] == "."
        return
    marked(submission)


def marked(submission: Submission) -> None:
    assert Submission.from_json(submission.to_json()) == submission
    assembled = assemble(SOURCE, submission)
    assert [step.id for step in assembled.steps if step.kind == "test"] == list(EXERCISES)
    assert [step.id for step in assembled.steps if step.kind == "given"] == [
        "packages",
        "load",
        "use",
    ]
    for step in assembled.steps:
        step.source.encode("utf-8")
        assert "\x00" not in step.source
    for problem in (*submission.problems, *assembled.problems):
        problem.message.encode("utf-8")
    if not any(assembled.answers.values()):
        assert any(problem.attention for problem in assembled.problems)
    for exercise, answer in assembled.answers.items():
        missing = [p for p in assembled.problems if p.attention and p.cell in (exercise, "")]
        assert answer is not None or missing


def outcome_of_bytes(data: bytes) -> None:
    try:
        submission = read_bytes(data, "s001", LAB)
    except RejectedError as error:
        assert error.code and error.message
    else:
        marked(submission)


TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Cc", "Co"]), max_size=4),
    st.sampled_from(
        ["softmax", "test_softmax", "load", "# UNQ_C1\n", "# UNQ_C3\n# UNQ_C6", "code", "markdown"]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            TEXTS | st.sampled_from(["cells", "source", "cell_type", "metadata", "nbgrader", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the paths to everything in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """Draw a notebook to which a few things were done."""
    notebook: Any = copy.deepcopy(SOLVED)
    for _ in range(draw(st.integers(1, 6))):
        path = draw(st.sampled_from(list(places(notebook))))
        notebook = mutate(draw, notebook, path)
        if not isinstance(notebook, dict):
            break
    return notebook


def mutate(draw: st.DrawFn, notebook: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return draw(VALUES) if draw(st.integers(0, 9)) == 0 else notebook
    parent = notebook
    for key in path[:-1]:
        parent = parent[key]
    key, old = path[-1], parent[path[-1]]
    what = draw(st.sampled_from(["replace", "delete", "repeat", "swap", "edit", "reverse"]))
    if what == "delete":
        del parent[key]
    elif what == "repeat" and isinstance(parent, list):
        parent.insert(draw(st.integers(0, len(parent))), copy.deepcopy(old))
    elif what == "swap":
        other = draw(
            st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent)))
        )
        parent[key], parent[other] = parent[other], old
    elif what == "edit" and isinstance(old, str):
        cut = draw(st.integers(0, len(old)))
        parent[key] = old[:cut] + draw(TEXTS) + old[draw(st.integers(cut, len(old))) :]
    elif what == "reverse" and isinstance(old, list):
        parent[key] = old[::-1]
    else:
        parent[key] = draw(VALUES)
    return notebook


@given(notebook=mutants())
@share(0.4)
def test_any_mutant_of_a_notebook_has_an_outcome(notebook: Any):
    outcome_of_bytes(json.dumps(notebook).encode())


@given(value=VALUES, number=st.integers(0, len(SOLVED["cells"]) - 1))
@share(0.1)
def test_whatever_becomes_of_one_cell_the_other_exercises_are_marked(value: Any, number: int):
    notebook: Notebook = copy.deepcopy(SOLVED)
    id = notebook["cells"][number].get("id")
    notebook["cells"][number] = value
    assembled = assemble(SOURCE, read_bytes(dumps(notebook), "s001", LAB))
    for exercise in EXERCISES:
        if exercise != id:
            assert assembled.answers[exercise] == cell_of(SOLVED, exercise)["source"]


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw bytes of which a few were cut out, changed or put in."""
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 1, 2, 8, 100, len(data)])))
        what = draw(st.sampled_from(["bytes", "known", "move", "double"]))
        if what == "bytes":
            data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
        elif what == "known":
            data = data[:start] + draw(st.sampled_from(KNOWN)) + data[end:]
        elif what == "move":
            data = data[:start] + data[end:] + data[start:end]
        else:
            data = data[:end] + data[start:]
    return data


KNOWN = [
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xe9",
    b"\\ud800",
    b"\\u0000",
    b"<<<<<<< HEAD\n",
    b"[" * 300,
    b"]",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"PK\x05\x06",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"\xff\xff\xff\xff",
]


@given(data=damaged(RIGHT))
@example(data=DEEP)
@example(data=b"\xef\xbb\xbf")
@share(0.2)
def test_any_damage_to_a_notebooks_bytes_has_an_outcome(data: bytes):
    outcome_of_bytes(data)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a class's archive, in which most entries are broken already."""
    path = tmp_path_factory.mktemp("zip") / "class.zip"
    make_zip(path, LAB, SOLVED)
    return path.read_bytes()


@given(data=st.data())
@share(0.15)
def test_any_damage_to_a_classs_archive_has_an_outcome(archive: bytes, data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "class.zip"
        path.write_bytes(data.draw(damaged(archive)))
        try:
            handed = collect(path, LAB)
        except RejectedError as error:
            assert error.code == "bad-archive"
            return
        for one in handed:
            outcome(one)


PARTS = st.one_of(
    st.sampled_from(
        [LAB, NAME, "s001", "s002", f"s003_{NAME}", f"{LAB} (1).ipynb", "timestamp.txt", "x.zip"]
    ),
    st.sampled_from(
        ["..", ".", "", "C:", "__MACOSX", ".git", "a_1_2_b.ipynb", "B C_9_assignsubmission_file"]
    ),
    st.text(max_size=30),
)
CONTENTS = st.one_of(
    st.just(RIGHT),
    st.binary(max_size=30),
    st.builds(lambda name: zipped({name: RIGHT}), st.sampled_from([NAME, "x.zip", "../x.ipynb"])),
)
TREES = st.dictionaries(st.lists(PARTS, min_size=1, max_size=4).map("/".join), CONTENTS, max_size=6)


@given(files=TREES)
@share(0.1)
def test_any_names_in_an_archive_have_an_outcome_each(files: dict[str, bytes]):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "class.zip"
        path.write_bytes(zipped({encodable(name) or "/": data for name, data in files.items()}))
        handed = collect(path, LAB, workdir=Path(folder) / "work")
        assert len({one.student for one in handed}) == len(handed)
        for one in handed:
            outcome(one)


@given(files=TREES, kinds=st.lists(st.sampled_from(["file", "file", "link", "fifo"]), max_size=6))
@share(0.05)
def test_any_folder_has_an_outcome_for_everybody(files: dict[str, bytes], kinds: list[str]):
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / "class"
        top.mkdir()
        for number, (name, data) in enumerate(files.items()):
            parts = [part for part in name.split("/") if part not in ("", ".", "..")]
            place(top, parts, data, kinds[number] if number < len(kinds) else "file")
        handed = collect(top, LAB)
        assert len({one.student for one in handed}) == len(handed)
        for one in handed:
            outcome(one)


def encodable(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\x00", "%")


def place(top: Path, parts: list[str], data: bytes, kind: str) -> None:
    """Write a file, a link or a FIFO if the file system takes the name."""
    try:
        path = top.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to("/dev/zero")
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.write_bytes(data)
    except (OSError, ValueError):  # a name that is taken, or that no file system has
        return
