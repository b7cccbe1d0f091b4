"""Brushes of the painted portraits: curves, soft masks and light, on a square of unit coordinates (x right, y down).

Colours are linear light, red green blue, 0..1; pictures (side, side, 3) float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

Points = Sequence[tuple[float, float]]


def colour(code: str) -> np.ndarray:
    """`#rrggbb` as linear light."""
    values = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_screen(picture: np.ndarray) -> np.ndarray:
    """Linear light to (side, side, 3) uint8 BGR, highlights rolled off softly."""
    soft = np.where(picture > 0.75, 0.75 + 0.25 * np.tanh((picture - 0.75) / 0.25), picture)
    soft = np.clip(soft, 0, 1)
    values = np.where(soft <= 0.0031308, soft * 12.92, 1.055 * soft ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray((values * 255 + 0.5).astype(np.uint8)[..., ::-1])


def curve(points: Points | np.ndarray, count: int = 120, closed: bool = False) -> np.ndarray:
    """A smooth line through the points, (count, 2), evenly along them."""
    line = np.asarray(points, float)
    if closed:
        line = np.concatenate([line, line[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1) ** 0.7)])
    spline = CubicSpline(length, line, bc_type="periodic" if closed else "natural")
    return spline(np.linspace(0, length[-1], count))


def mirrored(points: Points, axis: float = 0.5) -> list[tuple[float, float]]:
    """An outline's right half, given from the axis at the top to the axis at the bottom, closed by its mirror."""
    right = [(axis + x, y) for x, y in points]
    return right + [(axis - x, y) for x, y in reversed(points) if abs(x) > 1e-6]


class Canvas:
    """Masks and coordinate fields of one size."""

    def __init__(self, side: int) -> None:
        self.side = side
        at = (np.arange(side, dtype=np.float32) + 0.5) / side
        self.x, self.y = np.meshgrid(at, at)

    def fill(self, outline: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """Coverage of a closed outline, (side, side) 0..1; `soft` is the blur's sigma."""
        mask = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(mask, [self._fixed(outline)], 255, cv2.LINE_AA, 4)
        return self.blur(mask.astype(np.float32) / 255, soft)

    def stroke(self, line: np.ndarray, widths: np.ndarray | float, soft: float = 0.0) -> np.ndarray:
        """A brush along a line with a width (diameter) at each point."""
        wide = np.broadcast_to(np.asarray(widths, float), (len(line),))
        return self.fill(_ribbon(line, wide), soft)

    def hairs(self, lines: Sequence[np.ndarray], widths: Sequence[float]) -> np.ndarray:
        """Coverage of many fine lines, each tapering from its width (diameter) at the root to a point."""
        mask = np.zeros((self.side, self.side), np.uint8)
        for line, width in zip(lines, widths, strict=True):
            taper = width * np.linspace(1.0, 0.25, len(line))
            cv2.fillPoly(mask, [self._fixed(_ribbon(line, taper))], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def blur(self, mask: np.ndarray, soft: float) -> np.ndarray:
        """Gaussian of sigma `soft`."""
        return cv2.GaussianBlur(mask, (0, 0), soft * self.side) if soft * self.side > 0.3 else mask

    def spot(self, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> np.ndarray:
        """A Gaussian hill of height 1 with these sigmas, turned by `turn` radians."""
        dx, dy = self.x - x, self.y - y
        c, s = np.cos(turn), np.sin(turn)
        return np.exp(-(((dx * c + dy * s) / wide) ** 2 + ((dy * c - dx * s) / high) ** 2) / 2).astype(np.float32)

    def inflate(self, mask: np.ndarray, radius: float) -> np.ndarray:
        """A cushion over a mask, rising to `radius` at that distance from its edge."""
        inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / self.side
        t = np.clip(inside / radius, 0, 1)
        return (radius * np.sqrt(np.maximum(1 - (1 - t) ** 2, 0))).astype(np.float32)

    def normals(self, height: np.ndarray) -> np.ndarray:
        """(side, side, 3) unit normals of a height field, z to the viewer."""
        dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=self.side / 8)
        dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=self.side / 8)
        normal = np.dstack([-dx, -dy, np.ones_like(height)])
        return normal / np.linalg.norm(normal, axis=2, keepdims=True)

    def _fixed(self, outline: np.ndarray) -> np.ndarray:
        return np.round((np.asarray(outline) * self.side - 0.5) * 16).astype(np.int32)


def across(line: np.ndarray) -> np.ndarray:
    """(n, 2) unit vectors to the side of a line."""
    along = np.gradient(line, axis=0)
    return np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]


def _ribbon(line: np.ndarray, widths: np.ndarray) -> np.ndarray:
    aside = across(line) * widths[:, None] / 2
    return np.concatenate([line + aside, (line - aside)[::-1]])


def moved(line: np.ndarray, x: float, y: float) -> np.ndarray:
    """A line shifted."""
    return line + np.array([x, y])


def over(picture: np.ndarray, paint: np.ndarray | np.float32, mask: np.ndarray) -> None:
    """Lay `paint` (a colour or a picture) on `picture` where `mask` covers."""
    picture += mask[..., None] * (paint - picture)


def shade(picture: np.ndarray, tint: np.ndarray, mask: np.ndarray) -> None:
    """Multiply towards `tint` where `mask` covers."""
    picture *= 1 + mask[..., None] * (tint - 1)
