"""The dark line where lips meet: the cut-out upper lip covers the portrait's own, and lips without it look sewn up."""

from __future__ import annotations

import cv2
import numpy as np

TOUCHING_PX = 1.2
"""Between the lips, up to which there is a line instead of an opening."""
LIGHT = np.array([0.50, 0.46, 0.62], np.float32)
"""Blue, green, red that are left in the line: shade between lips is warm."""


def draw_seam(out: np.ndarray, upper: np.ndarray, lower: np.ndarray, thick: float, warmth: float = 1.0) -> None:
    """Darken `out` (h, w, 3) uint8 where the contours (n, 2) touch, thinner towards the corners. `thick` in pixels;
    `warmth` 0: in a grey picture."""
    gap = (lower - upper)[:, 1]
    line = (upper + lower) / 2
    x0, y0 = (max(0, int(v)) for v in line.min(0) - thick - 2)
    x1, y1 = int(line[:, 0].max() + thick + 3), int(line[:, 1].max() + thick + 3)
    part = out[y0:y1, x0:x1]
    if part.shape[0] < 3 or part.shape[1] < 3 or gap.min() > TOUCHING_PX:
        return
    touching = np.clip(1 - gap / TOUCHING_PX, 0, 1) * np.sin(np.linspace(0, np.pi, len(gap))) ** 0.5
    order = line[:, 0].argsort()
    x = np.arange(x0, x0 + part.shape[1])
    along = np.interp(x, line[order, 0], line[order, 1]).astype(np.float32)
    strength = np.interp(x, line[order, 0], touching[order], left=0, right=0).astype(np.float32)
    rows = np.arange(y0, y0 + part.shape[0], dtype=np.float32)[:, None]
    dark = cv2.exp(-(((rows - along) * np.float32(2 / thick)) ** 2)) * strength
    light = cv2.merge([1 - dark * (1 - (LIGHT[1] + (left - LIGHT[1]) * np.float32(warmth))) for left in LIGHT])
    part[:] = cv2.multiply(part, light, dtype=cv2.CV_8U)
