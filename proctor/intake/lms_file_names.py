"""Whose file is this? Student ids out of the names that people and LMSs give to files and folders."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from proctor.errors import LabNotFoundError
from proctor.submission import Owner

MAX_ID = 100
"""Longest safe id, in characters."""
MAX_ID_BYTES = 200
"""Longest id in UTF-8, in bytes: a file system takes 255 for a name, and some of ours have endings."""
MAX_ORIGINAL = 500
"""Longest original id that is kept, in characters."""
MAX_QUOTED = 100
"""Longest name that is quoted in a message, in characters."""

_SAFE = re.compile(r"\w(?:[\w. -]*[\w.-])?")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing: two ids could look alike."""
_COPY = re.compile(
    r"([ _-]*\((?P<a>\d{1,6})\)|[ _-]+copy ?(?P<b>\d{0,6})|[-_ ](?P<c>\d{1,2}))+", re.I
)
_SEPARATORS = " _-.+"

# Moodle, mod/assign: the full name and the number of the participant, which counts in this
# assignment only; with groups the group's name and a hyphen before it.
_MOODLE = re.compile(
    r"(?P<student>(?P<name>.{1,200}?)_(?P<user>\d{1,20}))_assignsubmission_(file|onlinetext)_?"
    r"(?P<rest>.*)",
    re.S,
)
# Canvas, lib/content_zipper.rb: the sortable name in small letters without blanks and signs, LATE
# where it was, the user's number, the file's number, the file's name; anonymous: anon_ and five letters.
_CANVAS = re.compile(
    r"(?P<name>[^_]{1,200}?)(?P<late>_LATE)?_(?P<user>\d{1,20})_\d{1,20}_(?P<rest>.+)", re.S
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<student>anon_[A-Za-z0-9]{3,12})_\d{1,20}_(?P<rest>.+)", re.S
)
# Blackboard's names, which nbgrader's own collector expects by default.
_ATTEMPT = re.compile(
    r"(?P<name>(.*?_)??(?P<student>[^_]{1,200}))_attempt_(?P<timestamp>[0-9][0-9-]{7,30})_?"
    r"(?P<rest>.*)",
    re.S,
)


def lms_owner(name: str) -> Owner | None:
    """Read the names that Moodle, Canvas and Blackboard give to files and folders."""
    if match := _MOODLE.fullmatch(name):
        return Owner(
            match["student"],
            match["rest"],
            numbered=True,
            system="moodle",
            name=match["name"],
            number=match["user"],
        )
    if match := _ATTEMPT.fullmatch(name):
        time = match["timestamp"]
        return Owner(match["student"], match["rest"], time, system="blackboard", name=match["name"])
    if match := _CANVAS_ANONYMOUS.fullmatch(name):
        late = match["late"] is not None
        return Owner(match["student"], match["rest"], system="canvas", late=late)
    if match := _CANVAS.fullmatch(name):
        return Owner(
            f"{match['name']}_{match['user']}",
            match["rest"],
            numbered=True,
            system="canvas",
            name=match["name"],
            number=match["user"],
            late=match["late"] is not None,
        )
    return None


def file_owner(name: str, lab: str) -> Owner:
    """Find the student in the name of a file that lies among other students' files.

    ``s001_lab_digits-2.ipynb``, ``lab_digits_s001.ipynb`` and ``s001.ipynb`` are all s001's.
    """
    owner = lms_owner(name)
    if owner:
        return owner
    stem, dot, suffix = name.rpartition(".")
    stem = stem if dot else name
    start = _lab_in(stem, lab)
    if start is None:
        student = re.sub(r"[ _-]*\(\d{1,6}\)$", "", stem) or stem
        return Owner(student, f"{lab}{stem[len(student) :]}{dot}{suffix}")
    before = stem[:start].strip(_SEPARATORS)
    after = stem[start + len(lab) :]
    if before:
        return Owner(before, f"{lab}{after}{dot}{suffix}")
    if _COPY.fullmatch(after) or not after.strip(_SEPARATORS):
        return Owner(stem, name)
    return Owner(after.strip(_SEPARATORS), f"{lab}{dot}{suffix}")


def _lab_in(stem: str, lab: str) -> int | None:
    """Find the lab's name as a word of its own in a file's name, whatever its case."""
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(lab)}(?![A-Za-z0-9])", re.I)
    found = [match.start() for match in word.finditer(stem)]
    return found[-1] if found else None


def likeness(name: str, lab: str) -> tuple[int, int]:
    """Rank a file's name: how much it is like the lab's notebook, and which copy it is.

    Returns
    -------
    (int, int)
        3 for the exact name, 2 for it in another case, 1 if it contains the lab's name, else 0;
        and the number of the copy (``lab_digits (2).ipynb``), 0 if there is none.
    """
    stem = name.rpartition(".")[0]
    if name == f"{lab}.ipynb":
        return 3, 0
    if stem.lower() == lab.lower():
        return 2, 0
    start = _lab_in(stem, lab)
    tail = stem if start is None else stem[start + len(lab) :]
    copy = _COPY.search(tail)
    digits = (copy["a"] or copy["b"] or copy["c"] or "1") if copy else "0"
    return (0 if start is None else 1), int(digits)


def is_copy(stem: str, lab: str) -> bool:
    """Tell whether a name without its suffix is the lab's, whatever its case, or that of a copy."""
    start = _lab_in(stem, lab)
    if start is None:
        return False
    tail = stem[start + len(lab) :]
    return not tail or _COPY.fullmatch(tail) is not None


def lab_of(name: str, labs: Iterable[str]) -> str:
    """Tell which lab a notebook's name is of: ``lab_digits (1).ipynb`` is a copy of ``lab_digits``.

    Raises
    ------
    LabNotFoundError
        If it is of none, or of several.
    """
    known = list(labs)
    stem = name.rpartition(".")[0] or name
    if stem in known:
        return stem
    found = [lab for lab in known if _lab_in(stem, lab) is not None]
    found = [lab for lab in found if not any(lab != other and lab in other for other in found)]
    if len(found) == 1:
        return found[0]
    raise LabNotFoundError(
        f"The name '{quotable(name)}' does not say which lab it is of. Say it with --lab: "
        f"{', '.join(known) or 'this course has none'}."
    )


def printable(text: str) -> str:
    """Make a name printable: what is no UTF-8 and what controls a terminal is written as an escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text[:MAX_ORIGINAL]
    )


def quotable(name: str) -> str:
    """Make a name fit to be quoted in a message, which may end in Markdown, HTML or a terminal.

    Whatever those could read as more than text becomes a question mark.
    """
    shown = "".join(c if c.isalnum() or c in " ._-+,()@/:" else "?" for c in name[:MAX_QUOTED])
    return shown if len(name) <= MAX_QUOTED else f"{shown}…"


def composed(text: str) -> str:
    """Write letters with accents as one character each (NFC), as most systems do.

    An ``ü`` may also be a ``u`` and a mark (NFD): so a Mac writes the names of files. Both are the
    same student.
    """
    return unicodedata.normalize("NFC", text)


def safe_id(original: str, *, numbered: bool = False) -> str:
    """Make an id that is a harmless file name, the same on every machine and in every class.

    An id that is harmless already stays as it is, in its composed form: ``s001``, ``Müller``,
    ``anna s``. Of any other, and of what an LMS made of a name and its own number (`numbered`), letters
    are kept as far as ASCII has them; eight digits of a hash of the original keep two originals apart,
    unless that number does.
    """
    original = composed(original)
    if _harmless(original) and not (numbered and re.search(r"[^A-Za-z0-9._-]", original)):
        return original
    plain = unicodedata.normalize("NFKD", original[:MAX_ORIGINAL])
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-.") or "student"
    if numbered and len(slug) <= MAX_ID and slug != "student":
        return slug
    return f"{slug[: MAX_ID - 9].rstrip('-.')}-{_hash(original)}"


def _harmless(name: str) -> bool:
    """Tell whether a composed name is harmless as a folder's, in a shell's pattern and on a page."""
    plain = "".join(c for c in name if unicodedata.category(c) not in ("Mn", "Mc"))  # accents
    return (
        len(name) <= MAX_ID
        and name[:1] == plain[:1]
        and _SAFE.fullmatch(plain) is not None
        and _UNSEEN.search(name) is None
        and len(name.encode()) <= MAX_ID_BYTES
    )


def unique_ids(originals: dict[str, bool]) -> dict[str, str]:
    """Give each original id (mapped to `numbered`) a safe id that no other has.

    The order of `originals` does not matter: an id that is safe already keeps its own.
    """
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for original in sorted(originals, key=lambda o: (safe_id(o, numbered=originals[o]) != o, o)):
        wanted = safe_id(original, numbered=originals[original])
        while wanted in taken:
            wanted = f"{wanted[: MAX_ID - 9]}-{_hash(wanted + original)}"
        taken.add(wanted)
        ids[original] = wanted
    return ids


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
