"""The folds from the nose's wings past the mouth's corners, which deepen as a face smiles: shade, not movement.

A photograph that smiles has its own; a painted face without them looks as if only its lips were glad.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from workers.lipsync.articulators import MOUTH_ARTICULATORS
from workers.lipsync.geometry import FaceGeometry
from workers.lipsync.warp_field import look_up

LEFT, RIGHT = (129, 203, 206, 212), (358, 423, 426, 432)
"""Along each fold, from the nose down."""
DARK, BRIGHT = 0.10, 0.05
"""Of the skin's light: taken away in the fold, given to the cheek beside it."""
LEAST = 0.04
"""Amount below which nobody sees it."""
MARGIN = 0.10
"""How far a turned head carries the folds, in face widths."""

_SMILE, _WIDE = MOUTH_ARTICULATORS.index("smile"), MOUTH_ARTICULATORS.index("wide")
_WEIGHTS = {_SMILE: 1.0, _WIDE: 0.45}


class Folds:
    """Both folds of one portrait at one size."""

    def __init__(self, face: FaceGeometry, size: int) -> None:
        shade = np.zeros((size, size), np.float32)
        for path, side in ((LEFT, -1.0), (RIGHT, 1.0)):
            points = CubicSpline(range(len(path)), face.points[list(path)])(np.linspace(0, len(path) - 1, 25))
            beside = points + face.right * (side * 0.075 * face.face_width) - face.down * 0.01 * face.face_height
            shade -= DARK * _stroke(points, size, 0.034 * face.face_width)
            shade += BRIGHT * _stroke(beside, size, 0.045 * face.face_width)
        low, high = (edge(face.points[list(LEFT + RIGHT)], axis=0) for edge in (np.min, np.max))
        reach = MARGIN * face.face_width
        (self._x0, self._y0), (self._x1, self._y1) = (
            (max(0, int(v)) for v in low - reach),
            (min(size, int(v)) for v in high + reach),
        )
        self._shade = shade

    def draw(self, out: np.ndarray, where: np.ndarray, mouth: np.ndarray) -> None:
        """Shade `out` (size, size, 3) uint8, whose pixels come from `where` (size, size, 2), by the articulators."""
        amount = min(1.0, sum(weight * max(0.0, float(mouth[i])) for i, weight in _WEIGHTS.items()))
        if amount < LEAST:
            return
        part = out[self._y0 : self._y1, self._x0 : self._x1]
        light = 1 + np.float32(amount) * look_up(self._shade, where[self._y0 : self._y1, self._x0 : self._x1])
        part[:] = cv2.multiply(part, cv2.merge((light, light, light)), dtype=cv2.CV_8U)


def _stroke(points: np.ndarray, size: int, width: float) -> np.ndarray:
    """(size, size) float32 0..1: soft, thin at both ends."""
    stroke = np.zeros((size, size), np.float32)
    strength = np.sin(np.linspace(0.15, np.pi - 0.15, len(points))) ** 0.8
    for (x, y), strong in zip(points, strength, strict=True):
        x0, y0, x1, y1 = (int(v) for v in (x - 3 * width, y - 3 * width, x + 3 * width + 1, y + 3 * width + 1))
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(size, x1), min(size, y1)
        ys, xs = np.mgrid[y0:y1, x0:x1]
        spot = strong * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (0.6 * width) ** 2))
        stroke[y0:y1, x0:x1] = np.maximum(stroke[y0:y1, x0:x1], spot)
    return cv2.GaussianBlur(stroke, (0, 0), 0.3 * width)
