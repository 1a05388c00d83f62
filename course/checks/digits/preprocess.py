"""How exercise 8 of lab_digits is marked, photographs: its checks and points."""

from __future__ import annotations

from collections.abc import Callable

import labkit.exercises.preprocess
from course.checks import photos, sheets
from course.checks.digits import QUICK, Draw
from course.checks.public import Public
from labkit.exercises import TITLES
from proctor.checks import Exercise, Side

exercise = Exercise("preprocess", TITLES["preprocess"], points=15, seconds=QUICK)
public = Public(exercise, labkit.exercises.preprocess.CHECKS)


public("preprocess-returns", points=1)


@exercise.check(points=1)
def preprocess_looks(side: Side, draw: Draw) -> None:
    """another picture, another row"""
    sheets.told_apart(side, draw)


def on_another(check: Callable[..., None], *forms: str) -> Callable[[Side, Draw], None]:
    """Return what runs the body of a public check on a sheet drawn for this submission."""
    return lambda side, draw: check(side, *forms, sheet=sheets.drawn(draw))


public(
    "preprocess-ink",
    points=1,
    needs=("preprocess-looks",),
    then=on_another(labkit.exercises.preprocess.ink),
)
public(
    "preprocess-crop",
    points=2,
    needs=("preprocess-ink",),
    then=on_another(labkit.exercises.preprocess.crop),
)
public(
    "preprocess-centre",
    points=1,
    needs=("preprocess-crop",),
    then=on_another(labkit.exercises.preprocess.centre),
)
public(
    "preprocess-order",
    points=2,
    needs=("preprocess-ink", "preprocess-returns"),
    then=on_another(labkit.exercises.preprocess.order),
)
public("preprocess-wide", points=1, needs=("preprocess-order",))
public("preprocess-shade", points=1, needs=("preprocess-crop", "preprocess-order"))
public(
    "preprocess-colour",
    points=1,
    needs=("preprocess-looks",),
    then=on_another(labkit.exercises.preprocess.colour, "rgb", "rgba"),
)
public(
    "preprocess-transparency",
    points=1,
    needs=("preprocess-colour",),
    then=on_another(labkit.exercises.preprocess.colour, "cut out"),
)


@exercise.check(points=3, needs=("preprocess-looks",))
def preprocess_photographs(side: Side, draw: Draw) -> None:
    """photographs that you have not seen"""
    photos.judge(side, draw)
