"""What a student handed in, as data: before it is read (`Handed`) and after (`Submission`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from proctor.plain import fields_of
from proctor.verdict import Problem

CellKind = Literal["code", "markdown", "raw"]


@dataclass(frozen=True)
class Owner:
    """What a name says.

    Attributes
    ----------
    student : str
        The student's id as found.
    file : str
        What is left for the file's own name; empty if nothing is.
    timestamp : str or None
        The attempt's time.
    numbered : bool
        Whether the LMS's number in `student` makes it unique.
    system : {"", "canvas", "moodle", "blackboard", "gradescope"}
        Whose names look like this.
    name, number, email : str
        What the system says of the student, as it writes it: for Canvas the name without blanks, for
        Blackboard the assignment's name and the login.
    late : bool
        Whether the system calls it late.
    """

    student: str
    file: str = ""
    timestamp: str | None = None
    numbered: bool = False
    system: str = ""
    name: str = ""
    number: str = ""
    email: str = ""
    late: bool = False


@dataclass(frozen=True)
class Candidate:
    """A regular file that may be the notebook: on disk (`path`) or out of an archive (`data`).

    Attributes
    ----------
    name : str
        Its file name without what an LMS put in front: ``lab_digits (1).ipynb``.
    timestamp : str or None
        When it was handed in, if its name or its archive says so, in a form that sorts by time.
    path : Path or None
        Where it lies.
    data : bytes or None
        Its bytes, where there is no `path`.
    found : str
        Its whole file name, as it was found; empty if that is `name`.
    """

    name: str
    timestamp: str | None = None
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    found: str = ""


@dataclass(frozen=True)
class Handed:
    """What one student handed in, before it is read.

    Attributes
    ----------
    student : str
        Safe id, see :func:`proctor.names.safe_id`: a harmless folder name, unique in its class.
    original : str
        The id as it was found, printable.
    candidates : tuple of Candidate
        The files that may be the notebook, the likeliest first.
    timestamp : str or None
        What nbgrader's ``timestamp.txt`` says.
    problems : tuple of Problem
        What was refused on the way.
    owner : Owner or None
        What the names said of whose it is.
    """

    student: str
    original: str
    candidates: tuple[Candidate, ...] = ()
    timestamp: str | None = None
    problems: tuple[Problem, ...] = ()
    owner: Owner | None = None


@dataclass(frozen=True)
class StudentCell:
    """One cell of the student's notebook.

    Attributes
    ----------
    source : str
        Its text; characters that no UTF-8 file can hold are replaced by U+FFFD.
    kind : {"code", "markdown", "raw"}
    grade_id, cell_id : str
        nbgrader's id and Jupyter's; empty if there is none or it is malformed.
    position : int
        Its place in the student's notebook, from 0.
    broken : str
        Why Python cannot read this cell at all, as a sentence; empty if there is no such reason.
    """

    source: str
    kind: CellKind
    grade_id: str
    cell_id: str
    position: int
    broken: str = ""


@dataclass(frozen=True)
class Part:
    """One notebook of a submission to an assignment of several.

    Attributes
    ----------
    name : str
        Which of the assignment's notebooks it is.
    cells : tuple of StudentCell
        Empty if it was not handed in, or cannot be read.
    problems : tuple of Problem
        What is worth knowing of the file.
    """

    name: str
    cells: tuple[StudentCell, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Submission:
    """A notebook that was read: plain data.

    Attributes
    ----------
    student, lab : str
    cells : tuple of StudentCell
    problems : tuple of Problem
        What is worth knowing of the file, those of :class:`Handed` among them.
    digest : str
        SHA-256 of the notebook's bytes, in hexadecimal.
    parts : tuple of Part
        The notebooks of an assignment of nbgrader's own; `cells` is then empty.
    """

    student: str
    lab: str
    cells: tuple[StudentCell, ...]
    problems: tuple[Problem, ...]
    digest: str
    parts: tuple[Part, ...] = ()

    def to_json(self) -> str:
        """Serialise, ASCII only, keys sorted."""
        return json.dumps(self, default=fields_of, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Submission:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If `text` is not JSON.
        TypeError, KeyError
            If it is not a submission.
        """
        data = cast(dict[str, Any], json.loads(text))
        parts = tuple(Part(**{**part, **_cells(part)}) for part in data["parts"])
        return cls(**{**data, **_cells(data), "parts": parts})


def _cells(data: dict[str, Any]) -> dict[str, Any]:
    """Read the cells and problems of a submission or of a part of one."""
    cells = tuple(StudentCell(**cell) for cell in data["cells"])
    return {"cells": cells, "problems": tuple(Problem(**one) for one in data["problems"])}
