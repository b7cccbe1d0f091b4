"""Vera's mouth: closed, at ease, a little amused."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, colour, curve, over, shade
from workers.lipsync.generator.skin import Relief, lit

LIP = colour("#c96a68")
MOUTH_Y, MOUTH_HALF = 0.644, 0.063
LIP_LINE = (
    (-MOUTH_HALF, -0.0088),
    (-0.042, -0.0022),
    (-0.018, 0.0016),
    (0, 0.0036),
    (0.018, 0.0016),
    (0.042, -0.0022),
    (MOUTH_HALF, -0.0088),
)
UPPER_LIP = (
    (-MOUTH_HALF, -0.0088),
    (-0.035, -0.0142),
    (-0.013, -0.0180),
    (0, -0.0146),
    (0.013, -0.0180),
    (0.035, -0.0142),
    (MOUTH_HALF, -0.0088),
)
LOWER_LIP = (
    (-MOUTH_HALF, -0.0088),
    (-0.042, 0.0105),
    (-0.016, 0.0235),
    (0, 0.0245),
    (0.016, 0.0235),
    (0.042, 0.0105),
    (MOUTH_HALF, -0.0088),
)


def mouth(canvas: Canvas, picture: np.ndarray) -> None:
    middle, top, bottom = (lip(each) for each in (LIP_LINE, UPPER_LIP, LOWER_LIP))
    upper_mask = canvas.fill(np.concatenate([top, middle[::-1]]), 0.0013)
    lower_mask = canvas.fill(np.concatenate([middle, bottom[::-1]]), 0.0016)
    lips = np.maximum(upper_mask, lower_mask)
    height = canvas.inflate(upper_mask, 0.012) * 0.9 + canvas.inflate(lower_mask, 0.016) * 1.15
    height += 0.008 * canvas.spot(0.5, MOUTH_Y + 0.011, 0.03, 0.010)
    lines = np.sin(canvas.x * 520 + 3 * np.sin(canvas.x * 77)) * canvas.spot(0.5, MOUTH_Y, 0.045, 0.020)
    height = canvas.blur(height, 0.0035) + (0.00013 * lines).astype(np.float32)
    gloss = (0.35 + 0.9 * canvas.spot(0.487, MOUTH_Y + 0.0125, 0.022, 0.006)).astype(np.float32)
    paint_ = lit(canvas, Relief(height, gloss), np.broadcast_to(LIP, picture.shape))
    shade(paint_, np.array([0.80, 0.74, 0.76], np.float32), upper_mask * 0.75)
    over(picture, paint_, lips * 0.88)
    swell = np.sin(np.linspace(0, np.pi, len(middle))) ** 0.5
    shade(
        picture, np.array([0.30, 0.14, 0.14], np.float32), canvas.stroke(middle, 0.0010 + 0.0022 * swell, 0.0010) * 0.85
    )
    for sign in (-1, 1):
        corner = canvas.spot(0.5 + sign * (MOUTH_HALF + 0.001), MOUTH_Y - 0.0092, 0.0042, 0.0036)
        shade(picture, np.array([0.50, 0.32, 0.29], np.float32), corner * 0.75)
    shade(picture, np.array([0.78, 0.62, 0.56], np.float32), canvas.spot(0.5, MOUTH_Y + 0.0305, 0.026, 0.0048) * 0.7)


def lip(line: tuple[tuple[float, float], ...], count: int = 160) -> np.ndarray:
    return curve([(0.5 + x, MOUTH_Y + y) for x, y in line], count)
