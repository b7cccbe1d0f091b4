"""A knitted top: the body's own surface, a little thicker, with a rolled rim around the neck."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.character import Shirt
from workers.lipsync.generator3d.colours import bump_normals, linear, srgb
from workers.lipsync.generator3d.distance import Array, Points, carve, smoothstep, union
from workers.lipsync.generator3d.head import Head
from workers.lipsync.generator3d.part import Part, only
from workers.lipsync.generator3d.surface import axis, even_out, gradient, march, split, thin_out

BOTTOM = -204.0


def dress(head: Head, shirt: Shirt) -> Part:
    middle_z, half_x, half_z, rim = shirt.neck

    def hole(p: Points) -> Array:
        x, y, z = p
        lean = z - middle_z - 0.12 * (y + 130)
        reach = np.hypot(x / half_x, lean / half_z)
        return (reach - 1) * min(half_x, half_z)

    def distance(p: Points) -> Array:
        body = head.torso(p)
        away = hole(p)
        cloth = carve(body - 3.4, np.maximum(away, -40), 1.5)
        cloth = np.maximum(cloth, -(p[1] - BOTTOM))
        roll = np.hypot(body - rim - 0.3, away - 0.5) - rim
        return union(cloth, np.where(p[1] < -60, roll, 50), 1.4)

    fine, coarse = 2.0, 5.0
    xs = axis(((-2 * fine, half_x + 12, fine), (half_x + 12, 200, coarse)))
    ys = axis(((BOTTOM - 6, -166, coarse), (-166, -88, fine)))
    zs = axis(((-100, -88, coarse), (-88, 52, fine * 1.2), (52, 70, coarse)))
    points, faces = march(distance, xs, ys, zs)
    points = even_out(distance, points, faces, 3)
    points, faces = thin_out(points, faces, 5000)
    normals = gradient(distance, points, 0.4)
    on_rim = smoothstep(rim + 1.5, rim - 0.5, np.abs(hole(split(points)) - 0.5) + 0 * points[:, 0])
    cloth, collar = linear(srgb(shirt.colour)), linear(srgb(shirt.rim))
    base = cloth + (collar - cloth) * on_rim[:, None]
    under = smoothstep(-rim - 4, 2, hole(split(points)))
    fade = 0.78 + 0.22 * under
    uv = np.stack([np.arctan2(points[:, 0], points[:, 2] + 20) * 11, -points[:, 1] / 9], 1)
    return Part(
        name="Wolf3D_Outfit_Top",
        material="Wolf3D_Outfit_Top",
        points=points,
        faces=faces,
        normals=normals,
        weights=only("Spine2", len(points)),
        uv=uv,
        colour=base * fade[:, None],
    )


def knit(side_px: int = 128) -> NDArray[np.uint8]:
    """Normals of knitted stitches, tiling."""
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    columns, rows = 8, 8
    u, v = x * columns, y * rows
    slant = np.abs((u % 1) - 0.5) * 2
    stitch = np.sin(2 * np.pi * (v + 0.5 * slant)) * 0.5 + 0.5
    valley = np.abs(np.sin(np.pi * u))
    return bump_normals(3.0 * stitch * valley, 0.55, wrap=True)
