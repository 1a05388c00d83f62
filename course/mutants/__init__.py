"""Wrong answers that a check must name, and right answers of other forms that must pass.

One table a lab. What a mutant's check says of it is part of the table, so that the diagnosis that
a student reads is tested as a result, not as prose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

IMPORT = "import tensorflow as tf\n"
"""What a student who uses TensorFlow beside Keras adds; the notebook imports Keras alone."""


@dataclass(frozen=True)
class Mutant:
    """A wrong answer.

    Attributes
    ----------
    id : str
        Its name, unique within the lab.
    row : int
        Number of its kind in the catalogue of wrong answers; 0 for one found later.
    exercise : str
        Id of the graded cell.
    code : str
        The whole graded cell as a student might write it.
    check : str
        Id of the check that must not pass.
    says : str
        What that check's cause must contain.
    also : mapping of str to str
        Other graded cells that the mistake needs, by id; where there are none, the right ones.
    """

    id: str
    row: int
    exercise: str
    code: str
    check: str
    says: str
    also: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _import_tensorflow(self)


@dataclass(frozen=True)
class Variant:
    """A right answer of another form: every check of its exercise must pass.

    Attributes
    ----------
    id : str
        Its name, unique within the lab.
    exercise : str
        Id of the graded cell.
    code : str
        The whole graded cell.
    """

    id: str
    exercise: str
    code: str

    def __post_init__(self) -> None:
        _import_tensorflow(self)


def _import_tensorflow(answer: Mutant | Variant) -> None:
    if "tf." in answer.code and "import tensorflow" not in answer.code:
        object.__setattr__(answer, "code", IMPORT + answer.code)
