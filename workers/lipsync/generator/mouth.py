"""A painted mouth: closed, at ease, a little amused."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, Points, colour, curve, over, shade
from workers.lipsync.generator.character import Mouth, Skin
from workers.lipsync.generator.skin import Relief, lit, shadow_tint


def lip(shape: Mouth, line: Points, count: int = 160) -> np.ndarray:
    """A lip line from the left corner to the right, (count, 2)."""
    return curve([(0.5 + x, shape.y + y) for x, y in line], count)


def mouth(canvas: Canvas, picture: np.ndarray, shape: Mouth, skin: Skin) -> None:
    middle, top, bottom = (lip(shape, each) for each in (shape.between, shape.upper, shape.lower))
    upper_mask = canvas.fill(np.concatenate([top, middle[::-1]]), 0.0013)
    lower_mask = canvas.fill(np.concatenate([middle, bottom[::-1]]), 0.0016)
    height = canvas.inflate(upper_mask, 0.012) * 0.9 + canvas.inflate(lower_mask, 0.016) * 1.15
    height += 0.008 * canvas.spot(0.5, shape.y + 0.011, 0.03, 0.010)
    lines = np.sin(canvas.x * 520 + 3 * np.sin(canvas.x * 77)) * canvas.spot(0.5, shape.y, 0.045, 0.020)
    height = canvas.blur(height, 0.0035) + (0.00013 * lines).astype(np.float32)
    gloss = shape.gloss * (0.35 + 0.9 * canvas.spot(0.487, shape.y + 0.0125, 0.022, 0.006))
    flesh = lit(canvas, Relief(height, gloss.astype(np.float32)), np.broadcast_to(colour(shape.colour), picture.shape))
    shade(flesh, np.array([0.80, 0.74, 0.76], np.float32), upper_mask * shape.upper_shade)
    over(picture, flesh, np.maximum(upper_mask, lower_mask) * shape.cover)
    swell = np.sin(np.linspace(0, np.pi, len(middle))) ** 0.5
    line = canvas.stroke(middle, 0.0010 + 0.0022 * swell, 0.0010)
    shade(picture, np.array([0.30, 0.14, 0.14], np.float32), line * 0.85)
    corner_x, corner_y = (float(v) for v in np.asarray(shape.between)[-1])
    for sign in (-1, 1):
        corner = canvas.spot(0.5 + sign * (corner_x + 0.0015), shape.y + corner_y - 0.0006, 0.0040, 0.0034)
        shade(picture, shadow_tint(skin.shadow, 1.0), corner * 0.5)
    bottom_y = float(np.asarray(shape.lower)[:, 1].max())
    shade(picture, shadow_tint(skin.shadow, 0.5), canvas.spot(0.5, shape.y + bottom_y + 0.006, 0.026, 0.0048) * 0.7)
