"""The skin's textures: colour with baked shade, roughness, and normals of pores and lip lines.

Everything is painted as a function of the place on the head, so it follows whatever the `HeadShape` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.spatial import cKDTree

from workers.lipsync.generator3d.character import BrowShape, Character
from workers.lipsync.generator3d.colours import bump_normals, linear, mix, noise, pixels, screen, srgb
from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.head import LID, Head, smooth_curve
from workers.lipsync.generator3d.surface import split
from workers.lipsync.generator3d.unwrap import STRIP, Unwrapped, rasterised

BROW_SCALE = 14
"""Pixels per millimetre in which brows are drawn."""
BROW_SPAN = 72


@dataclass(frozen=True, kw_only=True)
class SkinMaps:
    """8 bit, RGB, square."""

    colour: NDArray[np.uint8]
    roughness: NDArray[np.uint8]
    normal: NDArray[np.uint8]


def shade(head: Head, points: Array, normals: Array) -> Array:
    """How open to the light each point of the surface is, 0..1: the body itself stands in the way elsewhere."""
    hidden, weight, total = np.zeros(len(points)), 1.0, 0.0
    for reach in (2.0, 5.0, 10.0, 18.0):
        free = head.distance(split(points + normals * reach))
        hidden += weight * np.clip((reach - free) / reach, 0, 1)
        total += weight
        weight *= 0.72
    return cast(Array, np.clip(1 - 0.85 * hidden / total, 0.25, 1))


def near_body(points: Array, body: Array, reach_mm: float) -> Array:
    """0 at a body of points, 1 from `reach_mm` on."""
    away = cKDTree(body).query(points)[0]
    return smoothstep(0, reach_mm, away)


def paint_skin(
    person: Character, head: Head, points: Array, normals: Array, openness: Array, cut: Unwrapped, side_px: int
) -> SkinMaps:
    """`openness` (n,) as `shade` gives it, with hair and clothes already in it."""
    values = np.concatenate([points, normals, openness[:, None]], 1)[cut.source]
    outside = cut.faces[~cut.inside[cut.faces].any(1)]
    outside = outside[np.argsort(-np.hypot(values[outside, 0], values[outside, 2] + 10).mean(1))]
    found, seen = rasterised(cut.uv, outside, values, side_px)
    rows, columns = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    found = found[rows, columns]
    place, openness_map, up = found[..., :3], found[..., 6], found[..., 4]
    painter = _Painter(person, head, place.reshape(-1, 3), (side_px, side_px))
    colour = painter.colour()
    light = linear(colour) * np.clip(openness_map, 0, 1)[..., None] ** (np.array(person.skin.shadow) * 0.7)
    light *= (1 + 0.045 * up)[..., None]
    colour = screen(light)
    strip = slice(int(STRIP * side_px), side_px)
    colour[strip] = _lining(person.skin.lips, side_px)[None]
    return SkinMaps(colour=pixels(colour), roughness=painter.roughness(), normal=painter.normals())


def _lining(lips: str, side_px: int) -> Array:
    """The inside of the mouth, from the wet lip backwards."""
    depth = np.linspace(0, 60, side_px)
    lip, deep, black = srgb(lips) * 0.93, srgb("#8c3434"), srgb("#431516")
    near = lip + (deep - lip) * smoothstep(5, 16, depth)[:, None]
    return cast(Array, near + (black - near) * smoothstep(14, 44, depth)[:, None])


class _Painter:
    """`place` (n, 3) are the texels' places on the head as built."""

    def __init__(self, person: Character, head: Head, place: Array, shape: tuple[int, int]) -> None:
        self.person, self.head, self.shape = person, head, shape
        self.x, self.y, self.z = (place[:, k].astype(float) for k in range(3))
        self.away = np.abs(self.x)
        self.lips, self.seam = self._lips()

    def colour(self) -> Array:
        """(h, w, 3) sRGB without shade."""
        skin, head = self.person.skin, self.head.shape
        eye, mouth = head.eye.centre, head.mouth
        c = np.tile(srgb(skin.base), (len(self.x), 1))
        patch = noise(self.shape, self.shape[0] / 26, self.person.seed).ravel()
        fine = noise(self.shape, 3.0, self.person.seed + 1).ravel()
        c = c * (1 + 0.012 * patch + 0.010 * fine)[:, None] + np.outer(0.006 * patch, (1.0, -0.3, -0.5))
        bell = self._bell
        c = mix(c, skin.blush, 0.60 * bell((41, -6, 56), (19, 17, 30)))
        c = mix(c, skin.blush, 0.34 * bell((0, head.nose.tip[1], head.nose.tip[2]), (10, 9, 12)))
        c = mix(c, skin.blush, 0.16 * bell((0, head.chin[0], head.chin[1] + 12), (15, 10, 16)))
        c = mix(c, skin.blush, 0.25 * bell((74, 5, -8), (10, 30, 20)))
        c = mix(c, skin.lid, 0.30 * bell((eye[0], eye[1] + 9, eye[2] + 16), (19, 6.5, 20)))
        c = mix(c, skin.lid, 0.22 * bell((eye[0] - 2, eye[1] - 10, eye[2] + 16), (17, 5, 20)))
        c = mix(c, skin.lid, 0.20 * bell((10, head.nose.tip[1] + 3, 84), (7, 8, 8)))
        c = mix(
            c, skin.lid, 0.5 * bell((head.nose.tip[0] + 4.9 * head.nose.width, head.nose.tip[1] - 8.5, 88), (3, 3, 5))
        )
        c = mix(c, skin.lid, 0.30 * bell((0, mouth.y - mouth.lower - 4.5, mouth.front), (12, 3.0, 9)))
        c = mix(c, skin.lips, 0.90 * self.lips)
        below = self.head.built_line(self.x) - self.y
        rounding = self.lips * np.exp(-(((below - 4.6) / 2.6) ** 2)) * np.exp(-((self.x / 12) ** 2))
        c = mix(c, "#ffffff", 0.10 * rounding)
        c = mix(c, "#5a1f22", 0.72 * self.seam)
        c = mix(c, "#a4483f", 0.6 * bell(self._eye_corner(), (3.0, 2.6, 4)))
        c = mix(c, "#2a1712", 0.80 * self._lash_line())
        c = mix(c, "#6e3f31", 0.62 * self._crease())
        c = mix(c, head.brow.colour, head.brow.strength * self._brows())
        return c.reshape(*self.shape, 3)

    def roughness(self) -> NDArray[np.uint8]:
        """Grey in the green channel's sense: lips wet, forehead and nose a little shiny, the rest soft."""
        r = np.full(len(self.x), 0.60)
        gloss = self.person.skin.gloss
        for at, reach in (((0, 66, 80), (34, 20, 40)), ((0, 5, 92), (6, 22, 20)), ((36, 6, 62), (14, 10, 24))):
            r -= 0.10 * gloss * self._bell(at, reach)
        r += (0.42 - r) * self.lips
        r += (0.70 - r) * self._brows() * 0.8
        r += (0.45 - r) * 0.8 * self._bell(self._eye_corner(), (3.0, 2.6, 4))
        r += (0.92 - r) * self.seam
        r += 0.03 * noise(self.shape, 2.5, self.person.seed + 2).ravel()
        r.reshape(self.shape)[int(STRIP * self.shape[0]) :] = 0.88
        side = self.shape[0] // 2
        small = cv2.resize(r.reshape(self.shape).astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
        return cast(NDArray[np.uint8], np.repeat(pixels(small)[..., None], 3, -1))

    def normals(self) -> NDArray[np.uint8]:
        """Pores, and fine lines across the lips."""
        pores = noise(self.shape, 2.2, self.person.seed + 3) + 0.8 * noise(self.shape, 5.0, self.person.seed + 4)
        lips = self.lips.reshape(self.shape)
        lines = noise(self.shape, (26, 2.6), self.person.seed + 5)
        height = 0.07 * pores * (1 - lips) + 0.30 * lines * lips + 0.30 * self._brows().reshape(self.shape)
        return bump_normals(height, 0.75)

    def _bell(self, at: tuple[float, float, float], reach: tuple[float, float, float]) -> Array:
        """On both sides."""
        return cast(
            Array,
            np.exp(
                -(((self.away - at[0]) / reach[0]) ** 2)
                - ((self.y - at[1]) / reach[1]) ** 2
                - ((self.z - at[2]) / reach[2]) ** 2
            ),
        )

    def _lips(self) -> tuple[Array, Array]:
        """The red of the lips, and the dark line where they meet."""
        head, mouth = self.head, self.head.shape.mouth
        line, half_gap = head.built_line(self.x), head.gap(self.x) / 2
        top = line + half_gap + head.upper_lip(self.x) - self.y
        bottom = self.y - (line - half_gap - head.lower_lip(self.x))
        red = np.where(self.y > line, smoothstep(-0.7, 0.9, top), smoothstep(-0.9, 1.1, bottom))
        front = smoothstep(mouth.front - 24, mouth.front - 19, self.z) * (self.away < mouth.half_width + 0.6)
        red = red * front * smoothstep(mouth.half_width + 0.6, mouth.half_width - 1.6, self.away)
        edge = np.minimum(np.abs(self.y - line - half_gap), np.abs(self.y - line + half_gap))
        behind = smoothstep(-2.0, -6.0, self.z - head.lip_front(self.x))
        seam = np.exp(-((edge / 1.0) ** 2)) * (0.35 + 0.65 * behind) * front
        return red, np.clip(seam + 0.6 * behind * red * (np.abs(self.y - line) < half_gap + 1.5), 0, 1)

    def _eye_corner(self) -> tuple[float, float, float]:
        ex, ey, ez = self.head.shape.eye.centre
        r = self.head.shape.eye.radius
        return ex + r * np.sin(-0.93), ey - 0.17 * r, ez + r * np.cos(-0.93)

    def _eye(self) -> tuple[Array, Array, Array]:
        return self.head.eye_angles((self.away, self.y, self.z))

    def _lash_line(self) -> Array:
        """Dark along the lids' edges, more above and outwards."""
        yaw, pitch, reach = self._eye()
        near = smoothstep(self.head.shape.eye.radius + 5, self.head.shape.eye.radius + LID + 0.6, reach)
        above = smoothstep(0.085, 0.015, np.abs(pitch - self.head.lid_upper(yaw) - 0.012))
        below = smoothstep(0.045, 0.0, np.abs(pitch - self.head.lid_lower(yaw)))
        inner = smoothstep(-0.95, -0.55, yaw) * smoothstep(1.18, 1.05, yaw)
        make_up = self.head.shape.eye.lashes
        return (
            near
            * inner
            * (self.z > self.head.shape.eye.centre[2])
            * np.clip(above * (0.45 + 0.5 * make_up) + 0.40 * make_up * below * smoothstep(-0.4, 0.8, yaw), 0, 1)
        )

    def _crease(self) -> Array:
        yaw, pitch, reach = self._eye()
        fold = np.exp(-(((pitch - self.head.lid_upper(yaw) - 0.185) / 0.03) ** 2))
        near = smoothstep(self.head.shape.eye.radius + 7, self.head.shape.eye.radius + 3, reach)
        return (
            fold
            * near
            * smoothstep(-0.95, -0.5, yaw)
            * smoothstep(1.15, 0.8, yaw)
            * (self.z > self.head.shape.eye.centre[2])
        )

    def _brows(self) -> Array:
        drawn = _drawn_brow(self.head.shape.brow, self.person.seed)
        rows, columns = (BROW_SPAN - 2 - self.y) * BROW_SCALE, (self.away + 2) * BROW_SCALE
        sampled = map_coordinates(drawn, np.stack([rows, columns]), order=1, cval=0.0)
        return cast(Array, sampled * (self.z > 20))


def _drawn_brow(brow: BrowShape, seed: int) -> Array:
    """One brow hair by hair, in the plane: columns x from -2 mm, rows y downwards from 70 mm."""
    rng = np.random.default_rng(seed + 40)
    spine = smooth_curve(brow.spine)
    x0, x1 = brow.spine[0][0], brow.spine[-1][0]
    image = np.zeros((48 * BROW_SCALE, BROW_SPAN * BROW_SCALE), np.float32)

    def spot(px: Array, py: Array) -> NDArray[np.int32]:
        return np.round(np.stack([(px + 2) * BROW_SCALE, (BROW_SPAN - 2 - py) * BROW_SCALE], -1) * 16).astype(np.int32)

    heights = np.array(brow.heights)
    for layer in range(14):
        strength = (0.35, 0.5, 0.62, 0.45)[layer % 4]
        lines = []
        for _ in range(32):
            t = rng.random() if layer else rng.uniform(0.1, 1)
            half = 0.5 * float(np.interp(t, np.linspace(0, 1, len(heights)), heights))
            across = float(rng.uniform(-1, 1))
            x = x0 + (x1 - x0) * t + rng.normal(0, 0.3)
            y = float(spine(np.clip(x, x0, x1))[0]) + across * half
            slope = float(spine(np.clip(x, x0, x1) + 0.5)[0] - spine(np.clip(x, x0, x1) - 0.5)[0])
            upright = np.interp(t, (0, 0.25, 0.7, 1), (1.0, 0.55, 0.12, 0.0))
            angle = np.arctan(slope) + upright - 0.42 * across * (0.5 + 0.5 * t) + rng.normal(0, 0.07)
            length = np.interp(t, (0, 0.12, 0.4, 1), (2.6, 4.2, 5.6, 4.2)) * rng.uniform(0.75, 1.1)
            way = np.linspace(0, 1, 7)
            lines.append(
                spot(x + length * way * np.cos(angle), y + length * way * np.sin(angle) - 0.5 * across * way**2)
            )
        strands = np.zeros_like(image)
        cv2.polylines(strands, lines, False, 1.0, 5 if layer % 3 else 3, cv2.LINE_AA, 4)
        image = 1 - (1 - image) * (1 - strength * strands)
    columns = np.arange(image.shape[1]) / BROW_SCALE - 2
    middle = spine(np.clip(columns, x0, x1))[:, 0]
    along = np.clip((columns - x0) / (x1 - x0), 0, 1)
    thick = 0.4 * np.interp(along, np.linspace(0, 1, len(heights)), heights)
    rows = BROW_SPAN - 2 - np.arange(image.shape[0])[:, None] / BROW_SCALE
    body = smoothstep(1.5, 0.2, np.abs(rows - middle) / np.maximum(thick, 0.3)) * ((columns > x0) & (columns < x1 + 1))
    ground = 0.40 * cv2.GaussianBlur(body.astype(np.float32), (0, 0), 9)
    return cast(Array, np.clip(cv2.GaussianBlur(image, (0, 0), 2.2) * 0.85 + ground, 0, 1))
