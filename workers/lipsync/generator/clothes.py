"""Cloth: panels laid over each other, each with its folds and seams."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, colour, curve, moved, over, shade
from workers.lipsync.generator.character import Panel
from workers.lipsync.generator.skin import Relief, lit

SEAM = np.array([0.62, 0.66, 0.68], np.float32)


def lay(canvas: Canvas, picture: np.ndarray, panel: Panel) -> None:
    """One panel, its shadow on what is below first."""
    outline = curve(panel.outline, 400, closed=True)
    mask = canvas.fill(outline, 0.0010)
    over(picture, np.float32(0.0), canvas.fill(moved(outline, 0.003, 0.005), 0.007) * (1 - mask) * panel.casts)
    height = canvas.inflate(canvas.fill(outline), panel.thick) * 0.8
    for x, y, turn, high in panel.folds:
        height += high * canvas.spot(x, y, 0.010, 0.045, turn)
    knit = 0.0009 * panel.knit * np.sin(canvas.x * 900 + 14 * np.sin(canvas.y * 40)) * np.sin(canvas.y * 700)
    height = canvas.blur(height, 0.006 if panel.thick > 0.02 else 0.002) + knit.astype(np.float32)
    cloth = lit(canvas, Relief(height, np.zeros_like(height)), np.broadcast_to(colour(panel.colour), picture.shape))
    over(picture, cloth, mask)
    for seam in panel.seams:
        shade(picture, SEAM, canvas.stroke(curve(seam), 0.0030, 0.0012) * mask)
