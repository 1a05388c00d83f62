"""Wrong answers that a check must name, and right answers of other forms that must pass.

One table per lab. What a mutant's check says of it is part of the table, so that the diagnosis that
a student reads is tested as a result, not as prose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from proctor.author.mutate import Mutant, Variant

IMPORT = "import tensorflow as tf\n"
"""What a student who uses TensorFlow beside Keras adds; the notebook imports Keras alone."""

Answer = TypeVar("Answer", Mutant, Variant)


@dataclass(frozen=True)
class Listed(Mutant):
    """A wrong answer of the catalogue.

    Attributes
    ----------
    row : int or str
        Number of its kind in the catalogue of wrong answers ("33a"); 0 for one found later.
    """

    row: int | str = 0


def complete(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return the answers, those that use TensorFlow with its import."""
    return tuple(
        replace(one, code=IMPORT + one.code)
        if "tf." in one.code and "import tensorflow" not in one.code
        else one
        for one in answers
    )
