"""Signs drawn on sheets of paper: what the checks of exercise 8 of lab_digits hand to `preprocess`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.values_in_words import Array

Box = tuple[float, float, float, float]
"""Top, bottom, left and right of a stroke, as parts of the height of its sign."""


SEVEN: tuple[Box, ...] = ((0, 0.15, 0, 0.75), (0, 1, 0.6, 0.75), (0.45, 0.58, 0.3, 0.75))
"""A seven with a crossbar, 3/4 as wide as it is high; no turn and no mirror gives it back."""


@dataclass(frozen=True)
class Sheet:
    """A sign on a sheet of paper, 200 pixels high and 160 wide; the light falls off to the right.

    Attributes
    ----------
    strokes : tuple of Box
        The sign.
    name : str
        What it is called.
    top, left, height : float
        Where it is and how large, in pixels: the seven sits in the lower left.
    shade : float
        How bright the paper is on the right, as a part of its brightness on the left.
    """

    strokes: tuple[Box, ...] = SEVEN
    name: str = "seven"
    top: float = 92
    left: float = 24
    height: float = 80
    shade: float = 0.88

    @property
    def width(self) -> float:
        """Width of the sign as a part of its height."""
        return max(right for _, _, _, right in self.strokes)

    def image(self, form: str = "grey") -> Array:
        """Return the picture: uint8, (200, 160), (200, 160, 3) or (200, 160, 4)."""
        covered = self.drawn((200, 160), self.top, self.left, self.height)[..., np.newaxis]
        light = np.linspace(1.0, self.shade, 160)[np.newaxis, :, np.newaxis]
        paper, ink = np.array([238.0, 233.0, 222.0]), np.array([38.0, 48.0, 110.0])
        rgb = light * (paper + covered * (ink - paper))
        if form == "grey":
            return np.asarray(np.rint(rgb @ np.array([0.299, 0.587, 0.114])), dtype=np.uint8)
        if form == "rgb":
            return np.asarray(np.rint(rgb), dtype=np.uint8)
        alpha = np.full((200, 160, 1), 255.0)
        if form == "cut out":  # transparent outside of a frame, black there, as programs leave it
            alpha[:8] = alpha[-8:] = alpha[:, :8] = alpha[:, -8:] = 0
        opaque = np.concatenate([rgb * (alpha > 0), alpha], axis=2)
        return np.asarray(np.rint(opaque), dtype=np.uint8)

    def pattern(self) -> Array:
        """Return the sign as X would show it, upright: float64 (20, 20)."""
        left = round(200 - 143 * self.width) / 2
        fine = self.drawn((200, 200), 28.5, left, 143)
        pattern: Array = fine.reshape(20, 10, 20, 10).mean(axis=(1, 3))
        return pattern

    def drawn(self, shape: tuple[int, int], top: float, left: float, height: float) -> Array:
        """Return the sign: float64 of this shape, 1 where ink is."""
        picture = np.zeros(shape)
        y, x = np.ogrid[: shape[0], : shape[1]]
        down, across = (y + 0.5 - top) / height, (x + 0.5 - left) / height
        for above, below, before, behind in self.strokes:
            within = (down >= above) & (down < below) & (across >= before) & (across < behind)
            picture[within] = 1.0
        return picture


SHEET = Sheet()
SHADED = Sheet(shade=0.45)
"""The same sheet in uneven light: its dark paper is as dark as half the ink."""

WIDE: tuple[Box, ...] = ((0, 0.25, 0, 1.6), (0, 1, 0, 0.25), (0.75, 1, 0, 0.8))
"""A sign that is 1.6 times as wide as it is high; no turn and no mirror gives it back."""
SIDEWAYS = Sheet(WIDE, "wide sign", 60, 30, 60)
