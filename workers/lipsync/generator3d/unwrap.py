"""The skin's texture coordinates: a cylinder around the head, wider where the face is, and a strip for the inside.

The mouth's lining would fall onto the face's own texels; it gets the strip below, where only depth and the side count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.distance import Array
from workers.lipsync.generator3d.head import Head

AXIS_Z = -10.0
STRETCH = 2.4
FACE_TOP, FACE_BOTTOM, TOP, BOTTOM = 68.0, -82.0, 140.0, -175.0
OUTSIDE_DENSITY = 0.32
STRIP = 0.94
"""Below this v lies the inside."""


@dataclass(frozen=True, kw_only=True)
class Unwrapped:
    """A mesh cut for its texture. `source` says which of the head's points each point is."""

    source: NDArray[np.int64]
    faces: NDArray[np.int64]
    uv: Array
    inside: NDArray[np.bool_]
    """Per point: on the strip."""


def around(points: Array) -> Array:
    """u, v of points on the cylinder."""
    x, y, z = points.T
    turn = np.arctan2(x, z - AXIS_Z) / np.pi
    u = 0.5 + 0.5 * np.arctan(STRETCH * turn) / np.arctan(STRETCH)
    heights = np.array([BOTTOM, FACE_BOTTOM, FACE_TOP, TOP])
    spans = np.diff(heights) * (OUTSIDE_DENSITY, 1, OUTSIDE_DENSITY)
    v = np.interp(y, heights, np.concatenate([[0], np.cumsum(spans)]) / spans.sum())
    return np.stack([u, (1 - v) * STRIP], 1)


def in_strip(head: Head, points: Array) -> Array:
    """u by depth from the lips backwards, v by the side."""
    x, _, z = points.T
    return np.stack(
        [
            np.clip((head.lip_front(x) - z) / 60, 0.01, 0.99),
            STRIP + 0.01 + (0.98 - STRIP) * np.clip(np.abs(x) / 30, 0, 1),
        ],
        1,
    )


def is_inside(head: Head, points: Array) -> NDArray[np.bool_]:
    """The mouth's lining behind the lips' contact, as built."""
    x, y, z = points.T
    mouth = head.shape.mouth
    behind = z < head.lip_front(x) - 4.8 + 2.4 * np.clip(np.abs(x) / mouth.half_width, 0, 1) ** 2
    between = (np.abs(y - head.built_line(x)) < head.gap(x) / 2 + 1.3) & (np.abs(x) < mouth.half_width + 2.2)
    bag = np.abs(head.mouth_bag((np.abs(x), y, z))) < 2.2
    return cast(NDArray[np.bool_], behind & (between | bag) & (z > 25))


def unwrap(head: Head, points: Array, faces: NDArray[np.int64]) -> Unwrapped:
    """Cuts along the back of the head and around the inside."""
    inner = is_inside(head, points)[faces].any(1)
    uv = around(points)
    shown = faces[~inner]
    u = uv[shown, 0]
    crosses = (u.max(1) - u.min(1)) > 0.5
    count = len(points)
    moved = np.where(crosses[:, None] & (u < 0.5), shown + count, shown)
    hidden = faces[inner] + 2 * count
    kept, flat = np.unique(np.concatenate([moved, hidden]), return_inverse=True)
    all_uv = np.concatenate([uv, uv + np.array([1, 0]), in_strip(head, points)])
    return Unwrapped(
        source=kept % count, faces=flat.reshape(-1, 3).astype(np.int64), uv=all_uv[kept], inside=kept >= 2 * count
    )


def rasterised(uv: Array, faces: NDArray[np.int64], values: Array, side_px: int) -> tuple[Array, NDArray[np.bool_]]:
    """`values` (n, k) at every texel of a square texture, and where there are any; of two faces the first stays."""
    found = np.zeros((side_px, side_px, values.shape[1]), np.float32)
    seen = np.zeros((side_px, side_px), bool)
    corners = uv[faces] * side_px - 0.5
    for triangle, (a, b, c) in zip(faces, corners, strict=True):
        x0, y0 = np.maximum(np.floor(np.minimum(np.minimum(a, b), c) - 0.5).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(np.maximum(np.maximum(a, b), c) + 0.5).astype(int) + 1, side_px)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if x0 >= x1 or y0 >= y1 or abs(area) < 1e-9:
            continue
        y, x = np.mgrid[y0:y1, x0:x1]
        wb = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        wc = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        wa = 1 - wb - wc
        hit = (wa > -0.02) & (wb > -0.02) & (wc > -0.02) & ~seen[y0:y1, x0:x1]
        if hit.any():
            weights = np.stack([wa[hit], wb[hit], wc[hit]], 1)
            found[y0:y1, x0:x1][hit] = weights @ values[triangle]
            seen[y0:y1, x0:x1] |= hit
    return found, seen
