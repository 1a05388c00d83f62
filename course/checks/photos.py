"""Photographs that no student has seen, and how a ``preprocess`` is judged by them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import public_tests as public
from course.checks.network import digits28, reference_logits
from course.make_photographs import as_cut_out, as_grey, as_opaque
from course.photographs import photograph
from proctor.checks import Finding

POOL = 60
"""How many photographs there are to draw from; each is made when it is first needed (35 ms)."""
DRAWN = 30
"""How many of them one submission is judged by."""
SEED = 20_251
"""Start of the pool's random numbers: not that of the photographs in ``Data/handwriting``."""
LEAST = 0.5
"""The accuracy that is asked for; see :func:`judge`."""


FORMS = (lambda p: p, as_grey, lambda p: p, as_opaque, lambda p: p, as_cut_out)
"""What becomes of the photographs, ten by ten."""


@functools.lru_cache(maxsize=POOL)
def unseen(index: int) -> tuple[np.ndarray, int]:
    """Photograph number `index` of the pool: uint8 (H, W), (H, W, 3) or (H, W, 4), and its digit."""
    images, labels = digits28()
    rng = np.random.default_rng([SEED, index])
    row = int(rng.choice(np.flatnonzero(labels == index % 10)))
    photo = photograph(images[row], rng)
    return FORMS[(index // 10) % len(FORMS)](photo), int(labels[row])


def make_pool() -> None:
    """Make all photographs of the pool."""
    for index in range(POOL):
        unseen(index)


def judge(preprocess: Any, draw: np.random.Generator) -> None:
    """Raise :class:`Finding` unless the reference network reads enough of the preprocessed photographs.

    Three photographs of each digit are drawn from the pool. Measured on the whole pool: the model
    solution reaches 0.88, simpler right answers (a global blur for the paper, a box for the centre)
    0.68 to 0.73, no crop 0.13, rows for columns 0.17, upside down 0.33. Half of them is asked for,
    so that chance fails none of the former and passes none of the latter: both are 2.7 standard
    deviations away, of 30 drawn from 60 without putting back.
    """
    public.need_function(preprocess, "preprocess")
    chosen = [
        int(tens) * 10 + digit
        for digit in range(10)
        for tens in draw.choice(POOL // 10, DRAWN // 10, replace=False)
    ]
    right = failed = 0
    for index in chosen:
        photo, label = unseen(index)
        called = f"preprocess(photograph), uint8, shape {photo.shape}"
        value = public.attempt(called, preprocess, photo.copy())
        row = None if value is None else public.as_numbers(public.as_row(value))
        if row is None or row.shape != (400,) or not np.isfinite(row).all():
            failed += 1
            continue
        right += int(public.accuracy(reference_logits(row[np.newaxis]), np.array([label])))
    if right >= LEAST * len(chosen):
        return
    cause = "On photographs that you have not seen the network reads too few of the digits."
    if failed:
        cause += f" For {failed} of them no 400 finite numbers came back."
    raise Finding(
        cause,
        expected=f"{LEAST:.0%} of the digits read",
        got=f"{right / len(chosen):.0%}",
        next="Plot what your function makes of each picture in Data/handwriting beside a digit "
        "of X: uneven light, faint ink, lines on the paper?",
    )
