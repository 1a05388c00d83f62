"""Which cell is an edited copy of which, by the tokens that they have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

ALIKE = 0.7
"""Least share of tokens in common (Dice coefficient) for an edited copy."""
_FEW = 5
"""Cells of fewer tokens than this are too short to be alike without being equal."""
_LONGER = 10
"""Cells that are longer by more than this factor than any original cannot be alike."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


def pair_alike(originals: Mapping[int, str], copies: Mapping[int, str]) -> dict[int, int]:
    """Pair originals with edited copies of them, the most alike first; each is used once."""
    longest = max(map(len, originals.values()), default=0)
    tokens = {
        place: _tokens(source)
        for place, source in copies.items()
        if len(source) <= _LONGER * longest
    }
    found = []
    for index, source in originals.items():
        mine = _tokens(source)
        for place, theirs in tokens.items():
            share = _dice(mine, theirs)
            if share >= ALIKE:
                found.append((-share, place, index))
    taken: set[int] = set()
    pairs: dict[int, int] = {}
    for _, place, index in sorted(found):
        if place not in taken and index not in pairs:
            taken.add(place)
            pairs[index] = place
    return pairs


def _tokens(source: str) -> Counter[str]:
    found = _TOKEN.findall(source)
    return Counter(found) if len(found) >= _FEW else Counter()


def _dice(one: Counter[str], other: Counter[str]) -> float:
    sizes = one.total(), other.total()
    if 2 * min(sizes) < ALIKE * sum(sizes) or not min(sizes):
        return 0.0
    return 2 * (one & other).total() / sum(sizes)
