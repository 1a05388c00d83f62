"""The photographs that a submission is judged by: new for each, the same for the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import utils
from course.checks import photos
from course.mutants.preprocess import MUTANTS, VARIANTS
from labkit.student import ThisNotebook
from proctor.checks import Finding


def images(seed: int) -> list[bytes]:
    return [photo.tobytes() for photo, _ in photos.unseen(np.random.default_rng(seed))]


def written(code: str) -> Any:
    """The side of a student whose notebook defines what `code` defines."""
    names: dict[str, Any] = {"np": np, "Image": Image, "utils": utils}
    exec(code, names)
    return ThisNotebook(names)


def test_no_two_submissions_are_shown_the_same_photograph() -> None:
    shown = [photo for seed in range(20) for photo in images(seed)]
    assert len(shown) == 600 and len(set(shown)) == 600


def test_the_same_draw_gives_the_same_photographs() -> None:
    assert images(7) == images(7)


def test_every_digit_comes_three_times_and_every_form_comes() -> None:
    drawn = [one for seed in range(5) for one in photos.unseen(np.random.default_rng(seed))]
    assert np.bincount([label for _, label in drawn]).tolist() == [15] * 10
    assert {photo.shape[2:] for photo, _ in drawn} == {(), (3,), (4,)}
    assert all(photo.dtype == np.uint8 for photo, _ in drawn)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_every_form_of_a_right_answer_reads_enough_of_any_draw(variant: Any) -> None:
    side = written(variant.code)
    for seed in range(6):
        photos.judge(side, np.random.default_rng(seed))


@pytest.mark.parametrize("id", ["no-crop", "row-order", "upside-down", "not-inverted", "no-margin"])
def test_a_wrong_answer_reads_too_few_of_any_draw(id: str) -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.id == f"preprocess-{id}")
    side = written(mutant.code)
    for seed in range(6):
        with pytest.raises(Finding, match="too few of the digits"):
            photos.judge(side, np.random.default_rng(seed))
