"""A class in which every submission is broken in another way, and a few are right.

:func:`make_class` writes nbgrader's tree, :func:`make_zip` an archive as Canvas makes it; both take
the notebook of a student who got everything right and return what must become of each submission.
"""

from __future__ import annotations

import copy
import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Notebook = dict[str, Any]
Outcome = Literal["graded", "needs_attention", "rejected"]

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>...</body></html>\n"
DEEP = b'{"cells": ' + b"[" * 20_000 + b"]" * 20_000 + b', "nbformat": 4}'
HUGE = 500 * 10**6


@dataclass(frozen=True)
class Case:
    """One submission and what must become of it.

    Attributes
    ----------
    row : int
        Of the table of malformed submissions; 0 for a right one.
    student : str
        The id as it is found.
    outcome : str
        Status of the verdict.
    code : str
        A problem that the verdict must have; empty if it must have none.
    lost : tuple of str
        Exercises that do not get their full points; every other one does, unless it is rejected.
    """

    row: int
    student: str
    outcome: Outcome = "graded"
    code: str = ""
    lost: tuple[str, ...] = ()


def exercises(notebook: Notebook) -> list[str]:
    """List the graded cells' ids."""
    metadata = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    return [one["grade_id"] for one in metadata if one.get("solution")]


def cell_of(notebook: Notebook, grade_id: str) -> Notebook:
    """Find a cell by its grade id."""
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def text_of(cell: Notebook) -> str:
    """Join a cell's source."""
    return "".join(cell["source"])


def own_cell(source: str, **fields: Any) -> Notebook:
    """Make a code cell that a student added."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "own-cell",
        "metadata": {},
        "outputs": [],
        "source": source,
        **fields,
    }


def strip(notebook: Notebook) -> None:
    """Do what an online editor does: drop all metadata and draw new cell ids."""
    notebook["metadata"] = {}
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        cell["id"] = f"c{number:07d}"


def unmark(notebook: Notebook, grade_id: str) -> None:
    """Delete the marker and the title line of a graded cell."""
    cell = cell_of(notebook, grade_id)
    lines = text_of(cell).splitlines(keepends=True)
    kept = [one for one in lines if "# UNQ_" not in one and "# GRADED " not in one]
    cell["source"] = "".join(kept)


def to_format_3(notebook: Notebook) -> Notebook:
    """Write a notebook in nbformat 3, as IPython 2 did."""
    cells = []
    for cell in notebook["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        lines = text_of(cell).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            old |= {"input": lines, "language": "python", "collapsed": False, "outputs": []}
        else:
            old |= {"source": lines}
        cells.append(old)
    return {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }


def dumps(notebook: Notebook) -> bytes:
    """Write a notebook as Jupyter does."""
    return json.dumps(notebook, indent=1, ensure_ascii=True).encode()


def notebook_cases(solved: Notebook) -> Iterator[tuple[Case, bytes]]:
    """Make every submission that is one file with the right name."""
    first = exercises(solved)[0]

    def variant(change: Callable[[Notebook], Any], data: Notebook | None = None) -> bytes:
        notebook = copy.deepcopy(solved if data is None else data)
        result = change(notebook)
        return dumps(result if isinstance(result, dict) and "nbformat" in result else notebook)

    def edit(grade_id: str, **fields: Any) -> Callable[[Notebook], Any]:
        return lambda nb: cell_of(nb, grade_id).update(fields)

    def add(source: str, **fields: Any) -> Callable[[Notebook], Any]:
        return lambda nb: nb["cells"].insert(1, own_cell(source, **fields))

    right = dumps(solved)
    yield Case(0, "good-1"), right

    yield Case(1, "text", "rejected", "not-json"), b"I could not finish, sorry.\n"
    yield Case(1, "login-page", "rejected", "html-page"), LOGIN_PAGE
    middle = right.index(b"\n", len(right) // 2) + 1
    conflict = b"<<<<<<< HEAD\n  1,\n=======\n  2,\n>>>>>>> theirs\n"
    merged = right[:middle] + conflict + right[middle:]
    yield Case(1, "conflict", "rejected", "merge-conflict"), merged
    yield Case(2, "truncated", "rejected", "truncated"), right[: len(right) // 2]
    yield Case(2, "empty", "rejected", "empty"), b""
    yield Case(6, "stripped", "graded", "metadata-stripped"), variant(strip)

    def strip_and_unmark(nb: Notebook) -> None:
        unmark(nb, first)
        strip(nb)

    yield (
        Case(7, "marker-gone", "needs_attention", "known-by-definition"),
        variant(strip_and_unmark),
    )
    yield Case(8, "unknown-id"), variant(add("helper = 1", id="no-such-cell"))
    yield Case(8, "same-id"), variant(add("helper = 1", id=cell_of(solved, first).get("id", "x")))

    def twice(nb: Notebook) -> None:
        other = copy.deepcopy(cell_of(nb, first))
        other["source"] = "# an earlier try\nraise NotImplementedError\n"
        nb["cells"].insert(1, other)

    yield Case(8, "two-copies", "needs_attention", "duplicate-cell"), variant(twice)
    yield Case(9, "format-3"), variant(to_format_3)

    def format_4_0(nb: Notebook) -> None:
        nb["nbformat_minor"] = 0
        for cell in nb["cells"]:
            cell.pop("id", None)

    yield Case(9, "format-4-0"), variant(format_4_0)
    yield Case(10, "no-nbformat", "graded", "no-nbformat"), variant(lambda nb: nb.pop("nbformat"))
    yield Case(11, "no-kernelspec"), variant(lambda nb: nb.update(metadata={}))
    wrong = {"kernelspec": {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}}
    yield Case(11, "wrong-kernelspec"), variant(lambda nb: nb.update(metadata=wrong))
    yield Case(12, "bom", "graded", "byte-order-mark"), b"\xef\xbb\xbf" + right
    comment = copy.deepcopy(solved)
    comment["cells"].insert(1, own_cell("# déjà vu"))
    accents = json.dumps(comment, ensure_ascii=False)
    yield Case(12, "latin-1", "graded", "latin-1"), _latin_1(accents)
    doubtful = (
        accents.replace("déjà", "прив")
        .encode("utf-8")
        .replace("прив".encode(), b"\xef\xf0\xe8\xe2")
    )
    yield Case(12, "cyrillic", "rejected", "bad-encoding"), doubtful

    bad = text_of(cell_of(solved, first)) + "\n# "
    broken = "unreadable-characters"
    yield Case(13, "nul", "graded", broken, (first,)), variant(edit(first, source=bad + "\x00"))
    yield (
        Case(13, "surrogate", "graded", broken, (first,)),
        variant(edit(first, source=bad + "\ud83d")),
    )
    for kind in ("markdown", "raw"):
        yield Case(15, f"as-{kind}", "graded", "not-code"), variant(edit(first, cell_type=kind))
    yield Case(16, "zero-cells", "rejected", "no-cells"), variant(lambda nb: nb.update(cells=[]))
    yield Case(16, "null-cells", "rejected", "no-cells"), variant(lambda nb: nb.update(cells=None))
    yield Case(16, "no-outputs"), variant(lambda nb: [c.pop("outputs", 0) for c in nb["cells"]])

    def as_list(nb: Notebook) -> None:
        for cell in nb["cells"]:
            cell["source"] = text_of(cell).splitlines(keepends=True)

    def as_string(nb: Notebook) -> None:
        for cell in nb["cells"]:
            cell["source"] = text_of(cell)

    yield Case(16, "source-lists"), variant(as_list)
    yield Case(16, "source-strings"), variant(as_string)
    yield Case(16, "source-number", lost=(first,)), variant(edit(first, source=7))
    yield (
        Case(16, "source-null", "graded", "bad-source", (first,)),
        variant(edit(first, source=None)),
    )
    for name, points in (("text", "many"), ("negative", -5), ("none", None)):
        yield (
            Case(17, f"points-{name}"),
            variant(lambda nb, p=points: _set_points(nb, f"test_{first}", p)),
        )
    yield Case(18, "deep", "rejected", "too-deep"), DEEP
    error = text_of(cell_of(solved, first)) + "\ndef f(:\n"
    yield Case(19, "syntax-error", lost=(first,)), variant(edit(first, source=error))
    for name, line in (
        ("input", "answer = input('Your name? ')"),
        ("pip", "%pip install numpy"),
        ("rm", "!rm -rf ~"),
        ("bash", "%%bash\necho hello"),
        ("widget", "%matplotlib widget"),
    ):
        yield Case(19, f"magic-{name}"), variant(add(line))
    yield Case(0, "good-2"), right
    yield Case(21, "Ada Lovelace"), right
    yield Case(21, "j. doe-smith.2"), right
    yield Case(21, "Żółć 数字"), right
    yield Case(21, "x" * 250), right


def _latin_1(text: str) -> bytes:
    """Encode in Latin-1 what it has; what else there is becomes an escape of JSON."""
    return "".join(c if ord(c) < 256 else json.dumps(c)[1:-1] for c in text).encode("latin-1")


def _set_points(notebook: Notebook, grade_id: str, points: Any) -> None:
    nbgrader = cell_of(notebook, grade_id)["metadata"]["nbgrader"]
    nbgrader.pop("points", None)
    if points is not None:
        nbgrader["points"] = points


def make_class(folder: Path, lab: str, solved: Notebook) -> list[Case]:
    """Write the whole class as nbgrader's tree ``STUDENT/LAB/LAB.ipynb`` under `folder`."""
    cases = []
    for case, data in notebook_cases(solved):
        cases.append(case)
        _place(folder, case.student, lab).write_bytes(data)
    right = dumps(solved)

    def place(row: int, student: str, outcome: Outcome, code: str, name: str = lab) -> Path:
        cases.append(Case(row, student, outcome, code))
        return _place(folder, student, lab).with_name(f"{name}.ipynb")

    (folder / "nothing").mkdir()
    cases.append(Case(3, "nothing", "rejected", "no-notebook"))
    place(3, "no-file", "rejected", "no-notebook").with_suffix(".pdf").write_bytes(b"%PDF-1.4")
    place(4, "renamed", "graded", "renamed", f"{lab} (1)").write_bytes(right)
    place(4, "s001", "graded", "renamed", f"s001_{lab}-2").write_bytes(right)
    place(4, "case", "graded", "renamed", lab.title()).write_bytes(right)
    both = place(5, "both", "graded", "several-notebooks")
    both.write_bytes(right)
    both.with_name(f"{lab} (1).ipynb").write_bytes(b"{}")
    os.mkfifo(place(14, "fifo", "rejected", "not-a-file"))
    place(14, "folder", "rejected", "not-a-file").mkdir()
    place(14, "dangling", "rejected", "link").symlink_to("/nowhere/at/all")
    place(14, "link", "rejected", "link").symlink_to("/etc/passwd")
    place(14, "endless", "rejected", "link").symlink_to("/dev/zero")
    if os.geteuid() == 0:
        device = place(14, "device", "rejected", "not-a-file")
        try:
            os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        except PermissionError:  # root of a container may not make devices
            os.mkfifo(device)
    else:
        secret = place(14, "unreadable", "rejected", "unreadable")
        secret.write_bytes(right)
        secret.chmod(0)
    with place(18, "huge", "rejected", "too-large").open("wb") as file:
        file.write(b'{"cells": [')
        file.truncate(HUGE)
    return sorted(cases, key=lambda case: case.student)


def _place(folder: Path, student: str, lab: str) -> Path:
    path = folder / student / lab / f"{lab}.ipynb"
    path.parent.mkdir(parents=True)
    return path


def make_zip(path: Path, lab: str, solved: Notebook) -> list[Case]:
    """Write a class as Canvas's archive, each entry but the right ones broken in another way."""
    right = dumps(solved)
    name = f"{{}}_{lab}.ipynb"
    cases = [
        Case(0, "ada_101"),
        Case(20, "bob_102", "rejected", "link"),
        Case(20, "cyd_103", "rejected", "encrypted"),
        Case(20, "dan_104", "rejected", "bad-archive"),
        Case(20, "eve_105"),
        Case(20, "fay_106", "rejected", "nested-archive"),
        Case(20, "gus_107", "rejected", "compression"),
        Case(20, "hal_108", "rejected", "unsafe-path"),
        Case(20, f"/etc/cron.d/{lab}.ipynb", "rejected", "unsafe-path"),
        Case(20, f"../../{lab}.ipynb", "rejected", "unsafe-path"),
        Case(20, f"C:/{lab}.ipynb", "rejected", "unsafe-path"),
        Case(0, "ida_109"),
        Case(20, "jan_110", "rejected", "bad-archive"),
        Case(21, "x" * 190 + "_111"),
        Case(0, "zoe_112"),
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name.format("ada_101_1"), right)
        link = zipfile.ZipInfo(name.format("bob_102_2"))
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(name.format("cyd_103_3"), right)
        archive.writestr(name.format("dan_104_4"), right)
        archive.writestr("eve_105_5_work.zip", zipped({f"work/{lab}.ipynb": right}))
        inner = zipped({f"{lab}.ipynb": right})
        archive.writestr("fay_106_6_work.zip", zipped({"again.zip": inner}))
        archive.writestr(name.format("gus_107_7"), bytes(10 * 2**20))
        archive.writestr(f"hal_108_8_x/../../../{lab}.ipynb", right)
        archive.writestr(f"/etc/cron.d/{lab}.ipynb", right)
        archive.writestr(f"../../{lab}.ipynb", right)
        archive.writestr(f"C:\\{lab}.ipynb", right)
        archive.writestr(name.format("ida_LATE_109_9"), right)
        archive.writestr("jan_110_10_work.zip", b"PK\x03\x04 and no more")
        archive.writestr(name.format("x" * 190 + "_111_11"), right)
        archive.writestr(name.format("zoe_112_12"), right)
    data = bytearray(path.read_bytes())
    _encrypt(data, name.format("cyd_103_3").encode())
    _corrupt(data, name.format("dan_104_4").encode())
    path.write_bytes(data)
    return cases


def zipped(files: dict[str, bytes]) -> bytes:
    """Make an archive in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _encrypt(data: bytearray, name: bytes) -> None:
    """Set the flag that says so in both of a member's headers."""
    for signature, flags, length in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = data.index(signature)
        while data[start + length : start + length + len(name)] != name:
            start = data.index(signature, start + 1)
        (old,) = struct.unpack_from("<H", data, start + flags)
        struct.pack_into("<H", data, start + flags, old | 1)


def _corrupt(data: bytearray, name: bytes) -> None:
    """Change bytes in the middle of a member's data."""
    start = data.index(name) + len(name) + 40
    for place in range(start, start + 20):
        data[place] ^= 0x55
