"""Short curls: one cap of hair whose surface is heaped up of rounded curls, each with a furrow wound around it."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from workers.lipsync.generator3d.character import ShortCurls
from workers.lipsync.generator3d.colours import bump_normals, linear, mix, noise, pixels, srgb
from workers.lipsync.generator3d.distance import Array, Points, smoothstep, union
from workers.lipsync.generator3d.head import Head, smooth_curve
from workers.lipsync.generator3d.part import Part, only
from workers.lipsync.generator3d.surface import axis, even_out, gradient, march, split, thin_out


def short_curls(head: Head, hair: ShortCurls) -> Part:
    heap = _Heap(head, hair)
    step = 2.4
    points, faces = march(
        heap.distance,
        axis(((-118, 118, step),)),
        axis(((-70, 178, step),)),
        axis(((-140, 108, step),)),
        mirrored=False,
    )
    points = even_out(heap.distance, points, faces, 1)
    points, faces = thin_out(points, faces, 7600)
    normals = gradient(heap.distance, points, 0.5)
    depth = heap.depth(points)
    dark, base, light = (linear(srgb(c)) for c in (hair.colours.dark, hair.colours.base, hair.colours.light))
    top = smoothstep(60, 150, points[:, 1])
    tone = np.clip(0.15 + 0.75 * depth + 0.18 * top, 0, 1)[:, None]
    colour = np.where(tone < 0.5, dark + (base - dark) * tone * 2, base + (light - base) * (tone - 0.5) * 1.3)
    uv = np.stack([np.arctan2(points[:, 0], points[:, 2] + 14) / np.pi * 4, points[:, 1] / 55], 1)
    return Part(
        name="Wolf3D_Hair",
        material="Wolf3D_Hair",
        points=points,
        faces=faces,
        normals=normals,
        weights=only("Head", len(points)),
        uv=uv,
        colour=np.clip(colour * 1.15, 0, 1),
    )


class _Heap:
    """A thick cap over the scalp with balls along it."""

    def __init__(self, head: Head, hair: ShortCurls) -> None:
        self._head, self._hair = head, hair
        self._line, self._volume = smooth_curve(hair.line), smooth_curve(hair.volume)
        self._centres, self._radii, self._axes = self._scattered()
        self._tree = cKDTree(self._centres)

    def cap(self, p: Points) -> Array:
        x, y, z = p
        around = np.abs(np.arctan2(x, z + 14))
        edge = self._line(np.clip(around, 0, np.pi))[..., 0]
        thick = self._volume(np.clip(y, -40, 160))[..., 0] * (0.25 + 0.75 * smoothstep(-2, 26, y - edge))
        scalp = self._head.distance(p)
        return cast(Array, -union(-(scalp - thick), -(edge - y) * 0.8, 9.0))

    def distance(self, p: Points) -> Array:
        shape = np.broadcast(*p).shape
        flat = np.stack([np.broadcast_to(a, shape).ravel() for a in p], 1).astype(float)
        cap = self.cap((flat[:, 0], flat[:, 1], flat[:, 2]))
        found = cap + 3.0
        close = np.abs(cap) < 22
        if close.any():
            away, which = self._tree.query(flat[close], k=3, workers=1)
            balls = None
            for k in range(3):
                radius = self._radii[which[:, k]]
                local = flat[close] - self._centres[which[:, k]]
                along = (local * self._axes[which[:, k]]).sum(1)
                wound = 1.0 * np.cos(2 * np.pi * along / 5.2) * smoothstep(0, radius.max(), away[:, k])
                ball = away[:, k] - radius - wound
                balls = ball if balls is None else union(balls, ball, 1.2)
            assert balls is not None
            found[close] = union(found[close], balls, 2.2)
        return found.reshape(shape)

    def depth(self, points: Array) -> Array:
        """0 in the furrows between curls, 1 on top of them."""
        away, which = self._tree.query(points, k=2)
        own = away / self._radii[which]
        return cast(
            Array,
            smoothstep(-2.5, 3.5, self.cap(split(points))) * 0.6 + 0.4 * smoothstep(0.0, 0.8, own[:, 1] - own[:, 0]),
        )

    def _scattered(self) -> tuple[Array, Array, Array]:
        """Centres on the cap's surface, far enough from each other."""
        rng = np.random.default_rng(self._hair.seed)
        ways = rng.standard_normal((5200, 3))
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        centre = np.array([0, 50, -14.0])
        reach = np.full(len(ways), 150.0)
        for _ in range(40):
            reach -= np.clip(self.cap(split(centre + ways * reach[:, None])), -4, 6) * 0.7
        found = centre + ways * reach[:, None]
        good = np.abs(self.cap(split(found))) < 1
        found = found[good & (found[:, 1] > -60)]
        kept: list[Array] = []
        spacing = self._hair.curl * 0.72
        for point in found:
            if all(float(((point - other) ** 2).sum()) > spacing**2 for other in kept):
                kept.append(point)
        centres = np.array(kept)
        edge = self._line(np.abs(np.arctan2(centres[:, 0], centres[:, 2] + 14)))[:, 0]
        small = smoothstep(0, 30, centres[:, 1] - edge)
        radii = self._hair.curl * 0.5 * (0.62 + 0.38 * small) * rng.uniform(0.85, 1.2, len(centres))
        axes = rng.standard_normal((len(centres), 3))
        return centres - (centres - centre) * 0.02, radii, axes / np.linalg.norm(axes, axis=1, keepdims=True)


def curl_texture(hair: ShortCurls, side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Nearly white (the mesh has the colour): fine wound strands, tiling."""
    bend = noise((side_px, side_px), 40, hair.seed + 1, wrap=True)
    x, y = np.mgrid[0:side_px, 0:side_px] / side_px * 2 * np.pi
    wave = np.sin(26 * x + 3.0 * bend) * 0.5 + 0.5 * np.sin(22 * (x + y) + 3.4 * bend)
    fine = noise((side_px, side_px), 2.4, hair.seed + 2, wrap=True)
    height = 0.8 * wave + 0.5 * fine
    white = np.ones((side_px, side_px, 3))
    return pixels(mix(white, "#6b5a52", np.clip(0.30 - 0.22 * wave + 0.06 * fine, 0, 1))), bump_normals(
        height, 0.9, wrap=True
    )
