"""Vera's hair: behind the neck, and two falls from a parting."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, colour, curve, moved, shade
from workers.lipsync.generator.strands import Lock, comb

HAIR_DARK, HAIR, HAIR_LIGHT = colour("#2a1712"), colour("#5f3826"), colour("#b47a52")

LEFT_FALL = (
    (
        (0.464, 0.246),
        (0.415, 0.268),
        (0.365, 0.325),
        (0.334, 0.420),
        (0.322, 0.530),
        (0.318, 0.640),
        (0.300, 0.745),
        (0.305, 0.835),
        (0.350, 0.905),
    ),
    (
        (0.461, 0.215),
        (0.390, 0.222),
        (0.328, 0.300),
        (0.298, 0.420),
        (0.284, 0.550),
        (0.284, 0.660),
        (0.258, 0.775),
        (0.266, 0.865),
        (0.318, 0.925),
    ),
    (
        (0.456, 0.155),
        (0.368, 0.158),
        (0.296, 0.255),
        (0.270, 0.405),
        (0.254, 0.555),
        (0.254, 0.685),
        (0.224, 0.795),
        (0.236, 0.882),
        (0.284, 0.928),
    ),
    (
        (0.452, 0.078),
        (0.355, 0.084),
        (0.268, 0.190),
        (0.248, 0.380),
        (0.232, 0.550),
        (0.226, 0.690),
        (0.194, 0.795),
        (0.204, 0.875),
        (0.238, 0.915),
    ),
)
RIGHT_FALL = (
    (
        (0.464, 0.246),
        (0.520, 0.262),
        (0.585, 0.296),
        (0.640, 0.362),
        (0.668, 0.460),
        (0.682, 0.570),
        (0.680, 0.670),
        (0.702, 0.765),
        (0.690, 0.850),
        (0.645, 0.910),
    ),
    (
        (0.461, 0.215),
        (0.545, 0.218),
        (0.640, 0.272),
        (0.692, 0.370),
        (0.714, 0.490),
        (0.722, 0.610),
        (0.716, 0.710),
        (0.744, 0.800),
        (0.728, 0.880),
        (0.680, 0.925),
    ),
    (
        (0.456, 0.155),
        (0.556, 0.152),
        (0.668, 0.225),
        (0.720, 0.358),
        (0.740, 0.500),
        (0.750, 0.630),
        (0.742, 0.730),
        (0.772, 0.815),
        (0.756, 0.890),
        (0.712, 0.930),
    ),
    (
        (0.452, 0.078),
        (0.566, 0.080),
        (0.690, 0.170),
        (0.744, 0.330),
        (0.764, 0.500),
        (0.776, 0.640),
        (0.770, 0.740),
        (0.804, 0.815),
        (0.786, 0.880),
        (0.756, 0.915),
    ),
)
"""Lines from the parting to the tips, from the face outwards."""


def back_hair(canvas: Canvas, picture: np.ndarray) -> None:
    """Behind the neck, down to the shoulders."""
    for sign in (-1, 1):
        guides = tuple(
            tuple((0.5 + sign * x, y) for x, y in line)
            for line in (
                ((0.00, 0.30), (0.03, 0.55), (0.02, 0.75), (0.03, 0.90)),
                ((0.08, 0.28), (0.13, 0.50), (0.12, 0.72), (0.11, 0.92)),
                ((0.14, 0.24), (0.20, 0.42), (0.215, 0.62), (0.215, 0.80), (0.17, 0.93)),
                ((0.12, 0.16), (0.215, 0.34), (0.240, 0.56), (0.252, 0.76), (0.222, 0.90)),
            )
        )
        comb(
            canvas, picture, Lock(guides, 1500, 0.5, 0.25, (0.5, 0.4, 0.18, 0.0)), HAIR_DARK, HAIR, HAIR_LIGHT, 5 + sign
        )


def front_hair(canvas: Canvas, picture: np.ndarray) -> None:
    """Two falls from a parting, a shadow of each on the face first."""
    for guides in (LEFT_FALL, RIGHT_FALL):
        inner, outer = curve(guides[0], 80), curve(guides[-1], 80)
        shadow = canvas.fill(moved(np.concatenate([inner, outer[::-1]]), 0.006, 0.010), 0.012)
        shade(picture, np.array([0.62, 0.48, 0.44], np.float32), shadow * 0.75)
    comb(canvas, picture, Lock(LEFT_FALL, 2600, 0.30, 1.0, (0.28, 0.0, 0.0, 0.18)), HAIR_DARK, HAIR, HAIR_LIGHT, 21)
    comb(canvas, picture, Lock(RIGHT_FALL, 3000, 0.30, 0.85, (0.25, 0.05, 0.05, 0.30)), HAIR_DARK, HAIR, HAIR_LIGHT, 22)
