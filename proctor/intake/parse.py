"""From a notebook's bytes to its cells, for bytes that nobody vouches for.

nbformat's own reader validates, upgrades and stops at the first thing it does not expect. Here only
the few fields that marking needs are read, each for what it is, and time and memory are bounded
before the JSON is parsed.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from proctor.errors import RejectedError
from proctor.submission import CellKind, StudentCell
from proctor.verdict import Problem

MAX_BYTES = 64 * 2**20
"""Largest notebook that is read, in bytes."""
MAX_DEPTH = 200
"""Deepest nesting that is parsed; interactive figures saved in outputs reach about 30."""
MAX_VALUES = 2_000_000
"""Most values in a notebook; each takes about 100 bytes once it is parsed."""
MAX_CELLS = 2_000
MAX_SOURCE = 1_000_000
"""Longest cell that is run, in characters."""

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_CONFLICT = re.compile(r"^(<{7} |>{7} )", re.MULTILINE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CONTROLS = bytes(range(0x80, 0xA0))
_HIGH = bytes(byte >= 0x80 for byte in range(256))
_SAVE_AGAIN = "Save it again in Jupyter, see that it opens, and hand in that file."
_CLEAR = "Clear all outputs, save, and hand in again."


def parse(data: bytes) -> tuple[tuple[StudentCell, ...], tuple[Problem, ...]]:
    """Read the cells of a notebook of any format since 1, and what is odd about it.

    Raises
    ------
    RejectedError
        If there is nothing in it that could be marked; the message is for the student.
    """
    problems: list[Problem] = []
    notebook = _load_json(data, problems)
    cells = [_cell(item, position, problems) for position, item in enumerate(_cells_of(notebook))]
    if not cells:
        raise RejectedError("no-cells", f"The notebook has no cells. {_SAVE_AGAIN}")
    if "nbformat" not in notebook:
        problems.append(
            Problem("no-nbformat", "The file does not say which notebook format it is in.")
        )
    return tuple(cells), tuple(dict.fromkeys(problems))


def _load_json(data: bytes, problems: list[Problem]) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    text = _decode(data, problems).strip(" \t\r\n")
    if not text.strip("\x00"):
        raise RejectedError("empty", f"The file is empty. {_SAVE_AGAIN}")
    if text[0] not in "{[":
        raise _not_a_notebook(text, open_brackets=0)
    open_brackets = _bounded(text)
    try:
        notebook = json.loads(text, strict=False, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise _not_a_notebook(text, open_brackets) from error
    if not isinstance(notebook, dict):
        raise RejectedError("not-a-notebook", f"The file is JSON, but no notebook. {_SAVE_AGAIN}")
    return notebook


def too_large(size: int) -> RejectedError:
    """Make the error for a notebook of more than :data:`MAX_BYTES` bytes."""
    return RejectedError(
        "too-large",
        f"The notebook is {size / 2**20:.0f} MB large; at most {MAX_BYTES // 2**20} MB are read. "
        + _CLEAR,
    )


def _integer(digits: str) -> int:
    """Read an integer; what no notebook needs (Python refuses 4,301 digits) becomes 0."""
    return int(digits) if len(digits) < 20 else 0


def _decode(data: bytes, problems: list[Problem]) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            problems.append(Problem("byte-order-mark", "The file begins with a byte order mark."))
            try:
                return data[len(mark) :].decode(encoding, "surrogatepass")
            except UnicodeDecodeError as error:
                raise _undecodable(data) from error
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        if not _surely_latin_1(data):
            raise _undecodable(data) from error
    problems.append(
        Problem("latin-1", "The file is not in UTF-8; it was read as Latin-1 (ISO 8859-1).")
    )
    return data.decode("latin-1")


_BINARY = {
    b"\x89PNG": "a picture, not a notebook",
    b"\xff\xd8\xff": "a picture, not a notebook",
    b"GIF8": "a picture, not a notebook",
    b"RIFF": "a picture, not a notebook",
    b"PK\x03\x04": "a zip archive under a notebook's name",
    b"%PDF": "a PDF file, not a notebook",
}


def _undecodable(data: bytes) -> RejectedError:
    for start, what in _BINARY.items():
        if data.startswith(start):
            return RejectedError("not-json", f"The file is {what}: it is not JSON. {_SAVE_AGAIN}")
    return RejectedError(
        "bad-encoding",
        f"The file's text is in an encoding that cannot be told with certainty. {_SAVE_AGAIN}",
    )


def _surely_latin_1(data: bytes) -> bool:
    """Tell whether bytes that are not UTF-8 can only be Latin-1.

    Accented letters stand alone or in pairs there; longer runs are another alphabet or another
    encoding, 0x80 to 0x9f are no characters in it, and a valid UTF-8 sequence among the rest says
    that two encodings were mixed.
    """
    return (
        data.lstrip().startswith(b"{")
        and len(data.translate(None, _CONTROLS)) == len(data)
        and b"\x01" * 3 not in data.translate(_HIGH)
        and not re.search(rb"[\xc2-\xdf][\xa0-\xbf]", data)
    )


def _bounded(text: str) -> int:
    """Refuse what would take too much time or memory to parse, before parsing it.

    Strings are taken out (every second piece between unescaped quotes), which leaves the brackets
    and commas that count.

    Returns
    -------
    int
        Brackets left open at the end: more than none if the file is truncated.
    """
    data = text.encode("utf-8", "surrogatepass")
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 2 * MAX_VALUES:
        raise _too_complex()
    skeleton = b"".join(plain.split(b'"')[::2])
    if skeleton.count(b",") + skeleton.count(b"[") + skeleton.count(b"{") > MAX_VALUES:
        raise _too_complex()
    depth = 0
    for byte in skeleton.translate(None, _BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RejectedError(
                "too-deep",
                f"The file is nested more than {MAX_DEPTH} levels deep, as no notebook is. "
                + _SAVE_AGAIN,
            )
    return depth


def _too_complex() -> RejectedError:
    return RejectedError(
        "too-complex", f"The notebook holds more than {MAX_VALUES:,} values. {_CLEAR}"
    )


def _not_a_notebook(text: str, open_brackets: int) -> RejectedError:
    """Say what a file is that is no JSON."""
    head = text[:1000].lower()
    if _CONFLICT.search(text):
        return RejectedError(
            "merge-conflict",
            "The file contains the marks of an unresolved merge conflict (<<<<<<<). Resolve it, "
            "see that the notebook opens in Jupyter, and hand in again.",
        )
    if "<html" in head or head.startswith("<!doctype"):
        return RejectedError(
            "html-page",
            "The file is a web page, not a notebook: perhaps a log-in page that was saved under "
            "its name. Download the notebook again and hand in that file.",
        )
    if text[0] == "{" and open_brackets > 0:
        return RejectedError(
            "truncated", f"The file ends in the middle of the notebook. {_SAVE_AGAIN}"
        )
    what = "a damaged notebook" if text[0] == "{" else "no notebook"
    for start, name in (
        ("%pdf", "a PDF file, not a notebook"),
        ("pk\x03\x04", "a zip archive under a notebook's name"),
        ("import ", "a Python script, not a notebook"),
        ("# %%", "a Python script, not a notebook"),
    ):
        if head.startswith(start):
            what = name
    return RejectedError("not-json", f"The file is {what}: it is not JSON. {_SAVE_AGAIN}")


def _cells_of(notebook: dict[str, Any]) -> list[Any]:
    """List the cells: ``cells`` since format 4, ``worksheets[].cells`` in formats 2 and 3."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        sheets = notebook.get("worksheets")
        if not isinstance(sheets, list):
            raise RejectedError(
                "no-cells", f"The file is JSON, but it has no list of cells. {_SAVE_AGAIN}"
            )
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for one in lists if isinstance(one, list) for cell in one]
    if len(cells) > MAX_CELLS:
        raise RejectedError(
            "too-many-cells",
            f"The notebook has {len(cells):,} cells; at most {MAX_CELLS:,} are read. Delete those "
            "that are not needed and hand in again.",
        )
    return cells


def _cell(item: Any, position: int, problems: list[Problem]) -> StudentCell:
    if not isinstance(item, dict):
        problems.append(Problem("bad-cell", "Something in the list of cells is not a cell."))
        return StudentCell("", "raw", "", "", position)
    value = item["source"] if "source" in item else item.get("input", "")
    source = _text(value)
    if source is None:
        problems.append(Problem("bad-source", "A cell's source is not text; it counts as empty."))
        source = ""
    broken = _why_broken(source)
    return StudentCell(
        source=_UNREADABLE.sub("\ufffd", source[:MAX_SOURCE]).replace("\r\n", "\n"),
        kind=_kind(item),
        grade_id=_grade_id(item.get("metadata")),
        cell_id=_id(item.get("id")),
        position=position,
        broken=broken,
    )


def _text(value: Any) -> str | None:
    """Join a source, which is a string or a list of them; numbers are taken as they would print."""
    if isinstance(value, list):
        value = "".join(part if isinstance(part, str) else _text(part) or "" for part in value[:])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _why_broken(source: str) -> str:
    if len(source) > MAX_SOURCE:
        return f"This cell is longer than {MAX_SOURCE:,} characters and was not run."
    found = _UNREADABLE.search(source)
    if not found:
        return ""
    line = source.count("\n", 0, found.start()) + 1
    name = "a NUL character" if found.group() == "\x00" else "half a Unicode character"
    return (
        f"Line {line} of this cell contains {name}, which Python cannot read. "
        "Delete that line and type it again."
    )


def _kind(item: dict[str, Any]) -> CellKind:
    kind = item.get("cell_type")
    if kind == "code":
        return "code"
    if kind in ("markdown", "heading", "html", "text"):
        return "markdown"
    if kind is None and ("outputs" in item or "input" in item or "execution_count" in item):
        return "code"
    return "raw"


def _grade_id(metadata: Any) -> str:
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return _id(nbgrader.get("grade_id")) if isinstance(nbgrader, dict) else ""


def _id(value: Any) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
