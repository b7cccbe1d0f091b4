"""Long hair: on each half one sheet between guide lines, furrowed into locks, with a lining and loose locks above it.

The sheet's own grid is its texture: u runs around the head, v along the strands, so painted strands and their normals
follow the hair wherever it goes.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from workers.lipsync.generator3d.character import HairColours, LongHair
from workers.lipsync.generator3d.colours import bump_normals, mix, noise, pixels, srgb
from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.head import smooth_curve
from workers.lipsync.generator3d.part import Part, grid_faces, joined
from workers.lipsync.generator3d.surface import face_normals

ROWS, COLUMNS = 30, 88
EAR_Y = 30.0
ON_HEAD = 0.46
"""Share of the rows that lie above the ears."""
SHEET_U = 0.9
"""The sheet's part of the texture's width; the rest is the dark lining's."""


class Sheet:
    """The surface of one half as a function of (around, along), both 0..1."""

    def __init__(self, hair: LongHair, side: int) -> None:
        self.hair, self.side = hair, side
        at = [guide.at for guide in hair.guides]
        self._guide = PchipInterpolator(
            at, np.array([[*g.root, *g.rise, *g.bend, *g.ear] for g in hair.guides]), extrapolate=True
        )
        self._hang, self._tip = smooth_curve(hair.hang), smooth_curve(hair.tip)
        rng = np.random.default_rng(hair.seed + (side > 0))
        edges = np.linspace(0, 1, hair.locks + 1)
        edges[1:-1] += rng.uniform(-0.28, 0.28, hair.locks - 1) / hair.locks
        self._edges = edges
        self._cut = rng.uniform(-9, 11, hair.locks)
        self._phase = rng.uniform(0, 2 * np.pi, hair.locks)

    def points(self, around: Array, along: Array, lift: Array | float = 0.0) -> Array:
        """(..., 3) at broadcastable parameters; `lift` in millimetres above the sheet, furrows included."""
        around, along = np.broadcast_arrays(np.asarray(around, float), np.asarray(along, float))
        lock = np.clip(np.searchsorted(self._edges, around) - 1, 0, self.hair.locks - 1)
        low, high = self._edges[lock], self._edges[lock + 1]
        within = np.clip((around - low) / (high - low), 0, 1)
        gather = 0.86 * smoothstep(0.70, 1.0, along) ** 1.2
        middle = (low + high) / 2
        drawn = around + (middle - around) * gather
        drawn = drawn + 0.016 * np.sin(7.5 * along + 0.5 * self._phase[lock]) * smoothstep(0.3, 0.7, along)
        base = self._at(drawn, along, lock, within)
        ridge = np.sqrt(np.clip(1 - (2 * within - 1) ** 2, 0, 1))
        fine = 0.5 + 0.5 * np.cos(2 * np.pi * (3 * within + 0.2 * np.sin(4 * along + self._phase[lock])))
        depth = self.hair.groove * smoothstep(0.02, 0.30, along) * (0.7 + 0.5 * along)
        out = depth * (0.8 * ridge + 0.2 * fine - 0.5) + lift
        return cast(Array, base + out[..., None] * self._outwards(base))

    def _at(self, around: Array, along: Array, lock: NDArray[np.int64], within: Array) -> Array:
        p0, p1, p2, p3 = np.split(self._guide(around), 4, axis=-1)
        t = np.clip(along / ON_HEAD, 0, 1)[..., None]
        over = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3
        fall = np.clip((along - ON_HEAD) / (1 - ON_HEAD), 0, 1)
        tip = self._tip(np.clip(around, 0, 1))[..., 0] + self._cut[lock] + 17 * np.abs(2 * within - 1) ** 1.5
        y = EAR_Y + (tip - EAR_Y) * fall
        wide, deep, shift = (self._hang(y)[..., k] for k in range(3))
        sway = 3.2 * np.sin(0.075 * (EAR_Y - y) + 2.2 * around) * smoothstep(0, 0.3, fall)
        x, z = p3[..., 0] * wide + sway * np.sign(p3[..., 0]), p3[..., 2] * deep + shift
        hanging = np.stack([x, y, z], -1)
        found = np.where((fall > 0)[..., None], hanging, over)
        return cast(Array, found * (self.side, 1, 1) + self._parting(found))

    def _parting(self, points: Array) -> Array:
        """Both halves meet beside the middle, on the person's right."""
        return cast(
            Array, np.stack([-7.0 * smoothstep(60, 130, points[..., 1]), 0 * points[..., 1], 0 * points[..., 1]], -1)
        )

    def _outwards(self, points: Array) -> Array:
        """Roughly away from the head; level where the hair hangs."""
        away = points - (0, 20, -25)
        away = away * np.stack(
            [1 + 0 * points[..., 1], smoothstep(20, 110, points[..., 1]), 1 + 0 * points[..., 1]], -1
        )
        return cast(Array, away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-6))


def long_hair(hair: LongHair) -> Part:
    pieces: list[tuple[Array, NDArray[np.int64]]] = []
    uvs: list[Array] = []
    colours: list[Array] = []
    for side in (1, -1):
        sheet = Sheet(hair, side)
        for points, faces, uv, shade in (_outer(sheet), _lining(sheet), *_loose_locks(sheet)):
            outwards = faces if side < 0 else faces[:, ::-1]
            pieces.append((points, outwards))
            uvs.append(uv)
            colours.append(shade)
    points, faces = joined(pieces)
    below = smoothstep(20, -110, points[:, 1])
    return Part(
        name="Wolf3D_Hair",
        material="Wolf3D_Hair",
        points=points,
        faces=faces,
        normals=face_normals(points, faces),
        weights={"Head": 1 - 0.65 * below, "Spine2": 0.65 * below},
        uv=np.concatenate(uvs),
        colour=np.repeat(np.concatenate(colours)[:, None], 3, 1),
    )


Piece = tuple[Array, NDArray[np.int64], Array, Array]


def _outer(sheet: Sheet) -> Piece:
    """From a rolled edge at the face to the middle behind."""
    around = np.concatenate([[-0.085, -0.05, -0.02], np.linspace(0, 1, COLUMNS)])
    along = np.concatenate([np.linspace(0, ON_HEAD, 13)[:-1], np.linspace(ON_HEAD, 1, ROWS - 12)])
    v, u = np.meshgrid(along, around, indexing="ij")
    rolled = np.where(u < 0, -9 * (u / 0.085) ** 2, 0.0) * smoothstep(0.0, 0.25, v) * smoothstep(1.0, 0.7, v)
    points = sheet.points(u, v, rolled)
    uv = np.stack([np.clip(u, 0, 1) * SHEET_U + 0.005, v * 0.98 + 0.01], -1).reshape(-1, 2)
    within = np.interp(u, sheet._edges, np.arange(len(sheet._edges))) % 1
    ridge = np.sqrt(np.clip(1 - (2 * within - 1) ** 2, 0, 1))
    shade = (0.62 + 0.38 * ridge) * (1 - 0.8 * smoothstep(-0.005, -0.07, u))
    shade = shade * (0.70 + 0.30 * smoothstep(0.0, 0.10, v))
    return points.reshape(-1, 3), grid_faces(len(along), len(around)), uv, shade.reshape(-1)


def _lining(sheet: Sheet) -> Piece:
    """Dark and smaller: no light comes through, and the neck lies in shade."""
    around, along = np.linspace(-0.01, 1, 22), np.linspace(0.03, 0.96, 18)
    v, u = np.meshgrid(along, around, indexing="ij")
    points = sheet.points(u, v, -7.0)
    uv = np.stack([0.955 + 0.03 * np.clip(u, 0, 1), v], -1).reshape(-1, 2)
    return points.reshape(-1, 3), grid_faces(len(along), len(around)), uv, np.full(points.size // 3, 0.42)


def _loose_locks(sheet: Sheet) -> list[Piece]:
    """Narrow locks a little above the sheet: its outline is not a helmet's."""
    rng = np.random.default_rng(sheet.hair.seed + 60 + sheet.side)
    found: list[Piece] = []
    for k in range(17):
        start = float(rng.uniform(0.0, 0.22)) if k < 7 else float(rng.uniform(0.05, 0.95))
        width = float(rng.uniform(0.016, 0.030))
        first = float(rng.uniform(0.03, 0.35))
        along = np.linspace(first, float(rng.uniform(0.93, 1.0)), 16)
        share = (along - first) / (along[-1] - first)
        half = width * np.sqrt(np.clip(np.sin(np.pi * np.clip(0.06 + 0.92 * share, 0, 1)), 0.0, 1))
        drift = start + 0.03 * np.sin(3.2 * along + rng.uniform(0, 6)) * smoothstep(0.2, 0.8, along)
        u = drift[:, None] + half[:, None] * np.array([-1, 0, 1])
        lift = float(rng.uniform(1.2, 3.0)) * np.sin(np.pi * np.clip(share, 0, 1))[:, None] * np.array([1, 1.7, 1])
        points = sheet.points(np.clip(u, 0.0, 1), along[:, None], lift)
        tone = float(rng.uniform(0.85, 1.08))
        uv = np.stack([np.clip(u, 0, 1) * SHEET_U + 0.005, np.broadcast_to(along[:, None], u.shape) * 0.98 + 0.01], -1)
        found.append((points.reshape(-1, 3), grid_faces(16, 3), uv.reshape(-1, 2), np.full(48, min(tone, 1.0))))
    return found


def strands(
    colours: HairColours, width_px: int, height_px: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colour and normals of strands that run down the texture, with the soft band of light that hair shows."""
    thick = noise((height_px, width_px), (height_px * 0.9, 9), seed)
    thin = noise((height_px, width_px), (height_px * 0.5, 2.2), seed + 1)
    tress = noise((height_px, width_px), (height_px * 0.8, 44), seed + 2)
    v = np.linspace(0, 1, height_px)[:, None]
    tone = 0.40 + 0.045 * thick + 0.075 * thin + 0.035 * tress
    gleam = np.exp(-(((v - 0.27 - 0.022 * thick - 0.03 * tress) / 0.085) ** 2))
    gleam2 = np.exp(-(((v - 0.66 - 0.05 * tress) / 0.13) ** 2))
    tone = tone + gleam * (0.26 + 0.12 * thin + 0.06 * thick) + 0.10 * gleam2 * (1 + 0.7 * thin)
    tone = tone - 0.26 * smoothstep(0.16, 0.0, v) + 0.08 * smoothstep(0.5, 1.0, v)
    base = np.tile(srgb(colours.base), (height_px, width_px, 1))
    c = mix(base, colours.dark, smoothstep(0.42, 0.06, tone))
    c = mix(c, colours.light, 0.92 * smoothstep(0.42, 0.95, tone))
    edge = int(width_px * (SHEET_U + 0.03))
    c[:, edge:] = srgb(colours.dark) * 0.8
    return pixels(c), bump_normals(0.55 * thick + 0.55 * thin, 0.8)
