"""Colours: `#rrggbb` to numbers, mixing, and noise to keep them from looking plastic."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.distance import Array


def srgb(colour: str) -> Array:
    """(3,) in 0..1, as screens count."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(colour: Array) -> Array:
    """From sRGB to light."""
    return np.where(colour <= 0.04045, colour / 12.92, ((np.maximum(colour, 0.04045) + 0.055) / 1.055) ** 2.4)


def screen(light: Array) -> Array:
    """From light to sRGB."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)


def mix(under: Array, colour: str | Array, weight: Array) -> Array:
    """`weight` (...,) of `colour` over `under` (..., 3)."""
    over = srgb(colour) if isinstance(colour, str) else colour
    return under + (over - under) * weight[..., None]


def noise(shape: tuple[int, int], size_px: float | tuple[float, float], seed: int, wrap: bool = False) -> Array:
    """Smooth random values, mean 0 and deviation 1; `size_px` is one blob's, (rows, columns) if they differ."""
    rng = np.random.default_rng(seed)
    down, across = size_px if isinstance(size_px, tuple) else (size_px, size_px)
    raw: NDArray[Any] = rng.standard_normal(shape).astype(np.float32)
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REFLECT
    if wrap:  # OpenCV filters do not wrap: lay a margin around
        margin = int(3 * max(down, across)) + 1
        raw = cv2.copyMakeBorder(raw, margin, margin, margin, margin, border)
    soft = cv2.GaussianBlur(raw, (0, 0), sigmaX=max(across / 2, 0.01), sigmaY=max(down / 2, 0.01))
    if wrap:
        soft = soft[margin:-margin, margin:-margin]
    return cast(Array, (soft - soft.mean()) / max(float(soft.std()), 1e-6))


def bump_normals(height: Array, strength: float, wrap: bool = False) -> NDArray[np.uint8]:
    """A tangent-space normal map (h, w, 3), green up, of a height in pixels times `strength`."""
    padded = np.pad(height, 1, mode="wrap") if wrap else np.pad(height, 1, mode="edge")
    dx = (padded[1:-1, 2:] - padded[1:-1, :-2]) * 0.5 * strength
    dy = (padded[2:, 1:-1] - padded[:-2, 1:-1]) * 0.5 * strength
    normal = np.stack([-dx, dy, np.ones_like(dx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return cast(NDArray[np.uint8], np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8))


def pixels(colour: NDArray[Any]) -> NDArray[np.uint8]:
    """0..1 to bytes."""
    return np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)
