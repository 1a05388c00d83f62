"""What a photograph's result or crash shows of its cause (exercise 5 of lab_mnist)."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from labkit.findings import NotYet
from labkit.letters import letter
from labkit.values_in_words import Array

GIVEN = {
    "read_image": "utils",
    "paper_light": "utils",
    "resize": "utils",
    "centre_by_mass": "utils",
    "plot_picture": "utils",
    "ink_box": "utils_mnist",
    "keep": "utils_mnist",
}
"""In which file the functions are that the exercise speaks of."""


def explain_crash(finding: NotYet) -> None:
    """Say in a finding on an exception what it means here, where that is known."""
    if found := re.search(r"module '(\w+)' has no attribute '(\w+)'", finding.got):
        file, name = found.groups()
        if GIVEN.get(name, file) != file:
            finding.cause += f" {name} is in {GIVEN[name]}, not in {file}."
            finding.next = f"Write {GIVEN[name]}.{name}."
    elif found := re.search(r"(\w+) needs a grey picture .*, not (\(.*?\))", finding.got):
        name, shape = found.groups()
        finding.cause += (
            f" {name} wants a grey, two-dimensional picture; an array of shape {shape} came."
        )
        if shape.count(",") == 2:
            finding.next = (
                "Make one grey number of each pixel first, whatever came in: grey, RGB or RGBA."
            )
    elif "no digit to be seen" in finding.got and "divided by 0" in finding.got:
        finding.got = "values that are no numbers (nan or inf)"
        finding.cause += " Something was divided by 0 before, though the photograph is not blank."
        finding.next = "Print what you divide by, for small digits on large sheets too."
    elif "no digit to be seen" in finding.got:
        finding.got = finding.got.partition(":")[2].partition(":")[0].strip()
        finding.cause += (
            " No ink is left, though the photograph has plenty: what is darker than paper was lost before. "
            "Grey minus paper is negative there, and a clip at 0 takes it away."
        )
        finding.next = (
            "Subtract the other way round, paper minus grey. If you did, print the largest value of each "
            "step: grey may have been divided by 255 twice."
        )


def why_shape(got: tuple[int, ...], size: tuple[int, int]) -> tuple[str, str]:
    """Say why a photograph of `size` has become an array of the shape `got`."""
    then = "Print the shape after each step."
    if got == (28, 28):
        return (
            "The batch axis is missing: a network takes a batch, and this is to be a batch of one.",
            "Reshape at the end: one picture of 28 by 28.",
        )
    if got in ((28, 28, 1), (28, 28, 3), (28, 28, 4)) or got[-3:] in ((28, 28, 3), (28, 28, 4)):
        if got[-1] > 1:
            return (
                "The colours were kept: each pixel still has its red, green and blue.",
                "Make one grey number of each pixel first.",
            )
        return "The batch axis is at the end, or is missing: it comes first.", then
    if got == (1, 28, 28, 1):
        return "There is an axis for colour at the end; (1, 28, 28) was asked for.", then
    if got in ((784,), (1, 784)):
        return "The picture is flattened; a picture of 28 by 28 was asked for.", then
    if got[:2] == size or got[1:3] == size:
        return (
            "The picture was not resized: it has as many pixels as the photograph.",
            "Crop, then resize to the size of MNIST's digits.",
        )
    if got in ((20, 20), (1, 20, 20)):
        return "The digit fills 20 by 20; the margin around it is missing.", then
    return f"The result has shape {got}.", then


_TURNS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("", lambda p: p),
    ("The picture is transposed: rows and columns are exchanged.", lambda p: p.T),
    ("The picture is mirrored, left and right.", lambda p: p[:, ::-1]),
    ("The picture is upside down.", lambda p: p[::-1]),
    ("The picture is turned by 180 degrees.", lambda p: p[::-1, ::-1]),
    ("The picture is turned by 90 degrees.", lambda p: p.T[::-1]),
    ("The picture is turned by 90 degrees.", lambda p: p.T[:, ::-1]),
    ("The picture is transposed and turned.", lambda p: p[::-1, ::-1].T),
)


def which_turn(got: Array) -> str:
    """Say how the F in a picture (28, 28), 20 by 18 pixels large, is turned; '' if it is upright."""
    model = np.zeros((28, 28))
    model[4:24, 5:23] = letter(20, 18, 3)
    flat = got - got.mean()

    def likeness(turned: Array) -> float:
        shifts = [(i, j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2, 3)]
        return max(float((np.roll(turned, s, (0, 1)) * flat).sum()) for s in shifts)

    return max(_TURNS, key=lambda turn: likeness(turn[1](model)))[0]
