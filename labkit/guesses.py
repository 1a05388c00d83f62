"""Predict, then run: what a student guessed, and what came."""

from __future__ import annotations

import numpy as np

from labkit.values_in_words import Array


def look_back(guess: object, right: str, why: str) -> None:
    """Print one line that comes back to a guess (a letter; anything else is no guess)."""
    if not isinstance(guess, str) or len(guess.strip()) != 1:
        print(f'Your guess: none yet; it would have been "{right}". {why}')
    elif guess.strip().lower() == right:
        print(f'Your guess, "{right}", was right. {why}')
    else:
        print(f'Your guess: "{guess.strip()}"; it is "{right}". {why}')


def share_of_pairs(y: Array, digits: Array, most: int = 10) -> str:
    """Say how many of all mistakes are in the fullest of the 90 cells beside the diagonal."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (np.asarray(y), np.asarray(digits)), 1)
    np.fill_diagonal(counts, 0)
    in_few = np.sort(counts, axis=None)[-most:].sum()
    return f"{in_few} of {counts.sum()} mistakes are in the {most} fullest of the 90 cells."
