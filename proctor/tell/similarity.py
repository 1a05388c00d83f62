"""Pairs of submissions whose graded cells are worth a look side by side.

Names, comments, docstrings and layout are taken away; what is left are tokens. Runs of tokens that
the given code holds, that the instructor's solution holds, or that more than a few others wrote too
are common to everyone and count for nothing: one-line answers vanish. What remains of two
submissions is compared by rapidfuzz (longest common subsequence). A high figure says that two texts
are alike; why they are is for a person to find out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rapidfuzz.distance import LCSseq

from proctor.display_text import MAX_CODE
from proctor.tell.code_tokens import Token, tokens

RUN = 6
"""Length of a run of tokens, the smallest thing that can be common or one's own."""
LIKE = 0.7
"""Least likeness of a pair that is listed."""
LEAST = 30
"""Fewest tokens of one's own that a submission must have to be compared."""
SIDE_BY_SIDE = 50
"""How many pairs are put side by side."""
MOST_TOKENS = 5_000
"""Tokens of one exercise that are compared: putting two texts side by side takes room in their
product. Ten times what the labs' longest answer has."""
MOST_CARRIERS = 50
"""A run that more submissions than this hold is common, however large the class."""
MANY, FEW_CARRIERS = 2_000, 12
"""In a class this large the bound is lower, since the work grows with its square."""

Answers = Mapping[str, str]
"""Exercise -> the code in its graded cell."""


@dataclass(frozen=True)
class Copy:
    """One exercise of one submission: its lines, and which of them hold what both sides wrote."""

    lines: tuple[str, ...]
    shared: tuple[bool, ...]


@dataclass(frozen=True)
class Alike:
    """One exercise of a pair, side by side."""

    exercise: str
    tokens: int
    first: Copy
    second: Copy


@dataclass(frozen=True)
class Pair:
    """Two submissions that are worth a look.

    Attributes
    ----------
    first, second : tuple of str
        The students: several where their code is the same once names and layout are taken away.
        `second` is empty where the pair is within `first`.
    likeness : float
        Tokens in common over all tokens of their own, from 0 to 1.
    tokens : int
        How many tokens of their own they have in common.
    exercises : tuple of Alike
        Where they are alike, the most alike first; of the first :data:`SIDE_BY_SIDE` pairs only.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    likeness: float
    tokens: int
    exercises: tuple[Alike, ...] = ()


@dataclass(frozen=True)
class Similarity:
    """What the comparison gave.

    Attributes
    ----------
    pairs : tuple of Pair
        The most alike first.
    same : tuple of tuple of str
        Students whose graded cells are the same letter by letter, comments and names included.
    compared : int
        How many submissions had enough of their own to be compared.
    """

    pairs: tuple[Pair, ...] = ()
    same: tuple[tuple[str, ...], ...] = ()
    compared: int = 0


def compare(
    answers: Mapping[str, Answers], given: Iterable[str], solution: Answers | None = None
) -> Similarity:
    """Compare the graded cells of a class.

    Parameters
    ----------
    answers : mapping of str to mapping
        Student -> exercise -> code.
    given : iterable of str
        Code that everybody was given; its names stay as they are.
    solution : mapping, optional
        The instructor's answers.
    """
    given = list(given)
    names = frozenset(word for code in given for word in re.findall(r"[^\W\d]\w*", code))
    texts = {
        student: {
            exercise: tokens(code[:MAX_CODE], names)[:MOST_TOKENS]
            for exercise, code in sorted(cells.items())
        }
        for student, cells in sorted(answers.items())
    }
    common = _common(texts, [tokens(code, names) for code in (*given, *(solution or {}).values())])
    own = {student: _own(cells, common) for student, cells in texts.items()}
    own = {s: cells for s, cells in own.items() if sum(map(len, cells.values())) >= LEAST}
    coded = _coded(own)
    parties = _parties(coded)
    found = [_within(party, own) for party in parties.values() if len(party) > 1]
    for first, second in _candidates(parties, own, common):
        pair = _pair(parties[first], parties[second], coded)
        if pair is not None:
            found.append(pair)
    found.sort(key=lambda pair: (-pair.likeness, -pair.tokens, pair.first, pair.second))
    shown = [
        replace(
            pair, exercises=_sides(pair.first[0], (pair.second or pair.first[1:])[0], own, answers)
        )
        for pair in found[:SIDE_BY_SIDE]
    ]
    return Similarity((*shown, *found[SIDE_BY_SIDE:]), _same(answers, own), len(own))


def _runs(sequence: Sequence[Token]) -> list[tuple[str, ...]]:
    texts = [token.text for token in sequence]
    return [tuple(texts[i : i + RUN]) for i in range(len(texts) - RUN + 1)]


def _common(
    texts: Mapping[str, Mapping[str, Sequence[Token]]], given: Iterable[Sequence[Token]]
) -> set[tuple[str, ...]]:
    """Return the runs that the given code holds or that more than a few students wrote."""
    carriers: Counter[tuple[str, ...]] = Counter()
    for cells in texts.values():
        carriers.update({run for sequence in cells.values() for run in _runs(sequence)})
    few = min(max(3, len(texts) // 10), MOST_CARRIERS if len(texts) < MANY else FEW_CARRIERS)
    common = {run for run, count in carriers.items() if count > few}
    return common | {run for sequence in given for run in _runs(sequence)}


def _own(
    cells: Mapping[str, Sequence[Token]], common: set[tuple[str, ...]]
) -> dict[str, list[Token]]:
    """Keep the tokens that stand in at least one run of the student's own."""
    kept = {}
    for exercise, sequence in cells.items():
        mine = [False] * len(sequence)
        for start, run in enumerate(_runs(sequence)):
            if run not in common:
                mine[start : start + RUN] = [True] * RUN
        kept[exercise] = [token for token, own in zip(sequence, mine, strict=True) if own]
    return kept


def _texts(sequence: Iterable[Token]) -> list[str]:
    return [token.text for token in sequence]


def _coded(own: Mapping[str, Mapping[str, Sequence[Token]]]) -> dict[str, dict[str, str]]:
    """Write each sequence as a string, one character a token: what rapidfuzz compares fastest."""
    texts = sorted({t.text for cells in own.values() for one in cells.values() for t in one})
    signs = {text: chr(number + 0x10000) for number, text in enumerate(texts)}
    return {
        student: {e: "".join(signs[token.text] for token in one) for e, one in cells.items()}
        for student, cells in own.items()
    }


def _parties(coded: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Put students together whose own tokens are the same; each party goes by its first student."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for student, cells in coded.items():
        groups[tuple(cells.items())].append(student)
    return {members[0]: tuple(members) for members in groups.values()}


def _candidates(
    parties: Mapping[str, tuple[str, ...]],
    own: Mapping[str, Mapping[str, Sequence[Token]]],
    common: set[tuple[str, ...]],
) -> list[tuple[str, str]]:
    """Return the pairs that share runs enough for :data:`LIKE` to be possible at all."""
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    sizes = {}
    for party in parties:
        runs = {run for sequence in own[party].values() for run in _runs(sequence)} - common
        sizes[party] = len(runs)
        for run in runs:
            holders[run].append(party)
    shared: Counter[tuple[str, str]] = Counter()
    for members in holders.values():
        shared.update(combinations(sorted(members), 2))
    return sorted(
        pair for pair, count in shared.items() if 4 * count >= min(sizes[pair[0]], sizes[pair[1]])
    )


def _pair(
    first: tuple[str, ...],
    second: tuple[str, ...],
    coded: Mapping[str, Mapping[str, str]],
) -> Pair | None:
    """Compare two parties; None if they are not alike enough."""
    a, b = coded[first[0]], coded[second[0]]
    total = sum(LCSseq.similarity(a[exercise], b[exercise]) for exercise in a.keys() & b.keys())
    length = sum(map(len, a.values())) + sum(map(len, b.values()))
    if total < LEAST or 2 * total < LIKE * length:
        return None
    return Pair(first, second, 2 * total / length, total)


def _within(party: tuple[str, ...], own: Mapping[str, Mapping[str, Sequence[Token]]]) -> Pair:
    total = sum(map(len, own[party[0]].values()))
    return Pair(party, (), 1.0, total)


def _sides(
    first: str,
    second: str,
    own: Mapping[str, Mapping[str, Sequence[Token]]],
    answers: Mapping[str, Answers],
) -> tuple[Alike, ...]:
    """Put the exercises of two students side by side, the most alike first."""
    found = []
    for exercise in own[first].keys() & own[second].keys():
        a, b = own[first][exercise], own[second][exercise]
        blocks = [op for op in LCSseq.opcodes(_texts(a), _texts(b)) if op.tag == "equal"]
        in_a = {a[i].line for op in blocks for i in range(op.src_start, op.src_end)}
        in_b = {b[i].line for op in blocks for i in range(op.dest_start, op.dest_end)}
        tokens_ = sum(op.src_end - op.src_start for op in blocks)
        if tokens_ >= RUN:
            sides = (
                _side(answers[first][exercise], in_a),
                _side(answers[second][exercise], in_b),
            )
            found.append(Alike(exercise, tokens_, *sides))
    return tuple(sorted(found, key=lambda one: (-one.tokens, one.exercise)))


def _side(code: str, shared: set[int]) -> Copy:
    lines = tuple(code.rstrip().split("\n"))
    return Copy(lines, tuple(number in shared for number in range(len(lines))))


def _same(answers: Mapping[str, Answers], own: Mapping[str, object]) -> tuple[tuple[str, ...], ...]:
    """Group those whose graded cells are the same to the letter."""
    groups: dict[str, list[str]] = defaultdict(list)
    for student in own:
        cells = sorted(answers[student].items())
        groups["\0".join(f"{exercise}\0{code.strip()}" for exercise, code in cells)].append(student)
    return tuple(tuple(members) for members in groups.values() if len(members) > 1)
