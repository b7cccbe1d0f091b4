"""Signed distances to simple bodies, and how bodies melt into each other; millimetres, negative inside.

Points are three arrays of one shape, `(x, y, z)`: contiguous coordinates are several times faster than triples.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Points = tuple[Array, Array, Array]
Triple = tuple[float, float, float]


def smoothstep(start: float, end: float, x: Array) -> Array:
    """0 at `start`, 1 at `end` (which may be the smaller), without a kink."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def ellipsoid(p: Points, centre: Triple, radii: Triple) -> Array:
    """Approximate off the surface, exact on it."""
    x, y, z = ((a - c) / r for a, c, r in zip(p, centre, radii, strict=True))
    near = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-4)
    slope = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2 + (z / radii[2]) ** 2)
    return near * (near - 1) / np.maximum(slope, 1e-4 / max(radii))


def capsule(p: Points, start: Triple, end: Triple, start_radius: float, end_radius: float | None = None) -> Array:
    """A rod with round ends, thinner or thicker towards `end`."""
    dx, dy, dz = (b - a for a, b in zip(start, end, strict=True))
    x, y, z = (a - c for a, c in zip(p, start, strict=True))
    t = np.clip((x * dx + y * dy + z * dz) / (dx * dx + dy * dy + dz * dz), 0, 1)
    away = np.sqrt((x - t * dx) ** 2 + (y - t * dy) ** 2 + (z - t * dz) ** 2)
    return away - (start_radius + ((start_radius if end_radius is None else end_radius) - start_radius) * t)


def rod(p: Points, spine: Array) -> Array:
    """Capsules along `spine`, rows of (x, y, z, radius)."""
    found: Array | None = None
    for a, b in itertools.pairwise(spine):
        piece = capsule(p, tuple(a[:3]), tuple(b[:3]), float(a[3]), float(b[3]))
        found = piece if found is None else np.minimum(found, piece)
    assert found is not None
    return found


def union(a: Array, b: Array, round_mm: float) -> Array:
    """Both bodies, melted together over `round_mm`."""
    h = np.clip(0.5 + 0.5 * (b - a) / round_mm, 0, 1)
    return b + (a - b) * h - round_mm * h * (1 - h)


def common(a: Array, b: Array, round_mm: float) -> Array:
    """What both bodies share, its edge rounded."""
    return -union(-a, -b, round_mm)


def carve(a: Array, b: Array, round_mm: float) -> Array:
    """`a` without `b`, the rim rounded."""
    return -union(-a, b, round_mm)
