"""The wrong and the right answers of lab_digits, collected from one module an exercise."""

from __future__ import annotations

from course.mutants import Mutant, Variant, softmax

MUTANTS: tuple[Mutant, ...] = (*softmax.MUTANTS,)
"""Wrong answers; each names the check that must not pass and what its cause must contain."""

VARIANTS: tuple[Variant, ...] = (*softmax.VARIANTS,)
"""Right answers of other forms."""

RIGHT: dict[str, str] = {"softmax": softmax.RIGHT}
"""A right graded cell for each exercise."""
