"""A head as a body of signed distance: skull, face, nose, lips, lids, ears, neck and shoulders of a `HeadShape`.

The lips are built `GAP` millimetres apart and closed afterwards by moving them: so the surface knows an upper and a
lower lip, and both meet exactly when the mouth is at rest.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.interpolate import PchipInterpolator

from workers.lipsync.generator3d.character import Curve, HeadShape
from workers.lipsync.generator3d.distance import (
    Array,
    Points,
    capsule,
    carve,
    common,
    ellipsoid,
    rod,
    smoothstep,
    union,
)

GAP = 5.0
LID = 1.7
"""Thickness of the eyelids."""


def smooth_curve(rows: Curve) -> PchipInterpolator:
    """Through the rows' further columns over their first, whichever way that runs."""
    table = np.array(sorted(rows), dtype=float)
    return PchipInterpolator(table[:, 0], table[:, 1:], extrapolate=True)


class Head:
    """`shape`'s surface is where `distance` is zero. Everything is symmetric in x."""

    def __init__(self, shape: HeadShape) -> None:
        self.shape = shape
        self._face = smooth_curve(shape.face)
        self._upper, self._lower = smooth_curve(shape.eye.upper), smooth_curve(shape.eye.lower)

    # the lines that other parts follow

    def mouth_line(self, x: Array) -> Array:
        """Height of the line between the closed lips."""
        mouth = self.shape.mouth
        return mouth.y + mouth.smile * np.clip(np.abs(x) / mouth.half_width, 0, 1.15) ** 2

    def gap(self, x: Array) -> Array:
        """How far apart the lips are built."""
        return GAP * np.sqrt(np.clip(1 - (x / (self.shape.mouth.half_width + 0.5)) ** 2, 0, 1))

    def built_line(self, x: Array) -> Array:
        """The middle between the lips as built: the upper lip is at its place, the lower lies `gap` too low."""
        return self.mouth_line(x) - self.gap(x) / 2

    def lip_front(self, x: Array) -> Array:
        """How far forward the lips reach."""
        return self.shape.mouth.front - 17.0 * np.clip(np.abs(x) / self.shape.mouth.half_width, 0, 1.2) ** 2

    def upper_lip(self, x: Array) -> Array:
        """Height of the upper lip's red above the line."""
        t = np.clip(np.abs(x) / self.shape.mouth.half_width, 0, 1)
        return self.shape.mouth.upper * (1 - t**2.2) ** 0.8 * (1 - 0.17 * np.exp(-((x / 3.4) ** 2)))

    def lower_lip(self, x: Array) -> Array:
        t = np.clip(np.abs(x) / self.shape.mouth.half_width, 0, 1)
        return self.shape.mouth.lower * (1 - t**2.4) ** 0.75

    def lid_upper(self, yaw: Array) -> Array:
        """Pitch of the upper lid's edge, radians."""
        return self._edge(self._upper, self.shape.eye.upper, yaw)

    def lid_lower(self, yaw: Array) -> Array:
        return self._edge(self._lower, self.shape.eye.lower, yaw)

    def eye_angles(self, p: Points) -> tuple[Array, Array, Array]:
        """Yaw (outwards positive), pitch and distance of points about the left eyeball's middle."""
        x, y, z = (a - c for a, c in zip(p, self.shape.eye.centre, strict=True))
        return np.arctan2(x, z), np.arctan2(y, np.hypot(x, z)), np.sqrt(x * x + y * y + z * z)

    def mouth_bag(self, p: Points) -> Array:
        """Distance to the hollow behind the lips."""
        mouth = self.shape.mouth
        return ellipsoid(p, (0, mouth.y - 3.5 - GAP * 0.5, mouth.front - 33), (mouth.half_width + 1.5, 17, 20.5))

    # the body

    def distance(self, p: Points) -> Array:
        """Of points `(x, y, z)`, any shape, float32 or float64."""
        p = (np.abs(p[0]), p[1], p[2])
        body = self._skull_and_face(p)
        body = self._nose(p, body)
        body = self._mouth(p, body)
        body = self._neck(p, body)
        if self.shape.ears:
            body = self._ear(p, body)
        return self._lids(p, body)

    def _skull_and_face(self, p: Points) -> Array:
        x, y, z = p
        shape = self.shape
        a, b, c = shape.skull
        skull = ellipsoid(p, (0, 50, -14), (a, b, c))
        low = y - shape.jaw_slope * np.maximum(0, 70 - z) * smoothstep(25, -45, y)
        section = self._face(np.clip(low, -80, 110)).astype(x.dtype)
        half, front, roundness = (section[..., k] for k in range(3))
        middle = -4.0
        u, v = x / half, np.abs(z - middle) / np.where(z > middle, front - middle, 60)
        reach = np.maximum((u**roundness + v**roundness) ** (1 / roundness), 1e-3)
        slope = np.hypot((u / reach) ** (roundness - 1) / half, (v / reach) ** (roundness - 1) / 72)
        face = (reach - 1) / np.maximum(slope, 4e-3)
        face = common(face, (shape.chin_y - low) * 0.82, 13)
        face = common(face, y - 108, 34)
        body = union(skull, face, 24)
        chin_y, chin_z, chin_x, chin_h = shape.chin
        body = union(body, ellipsoid(p, (0, chin_y, chin_z), (chin_x, chin_h, 13)), 12)
        if shape.cheek:
            body = union(body, ellipsoid(p, (38, -5, 55), (16 * shape.cheek, 14, 17 * shape.cheek)), 20)
        body = union(body, ellipsoid(p, (30, -25, 47), (16, 18, 19)), 24)
        if shape.brow_ridge:
            ridge = union(
                capsule(p, (9, 41, 79), (34, 45, 72), 5, 5), capsule(p, (34, 45, 72), (51, 38, 55), 5, 4.5), 8
            )
            body = union(body, ridge + 2.5 * (1 - shape.brow_ridge), 16)
        ex, ey, ez = shape.eye.centre
        body = carve(body, ellipsoid(p, (ex + 0.5, ey + 1.5, ez + 37), (22, 14.5, 21.5)), 15)
        corner = ellipsoid(p, (ex - 14.6, ey - 2, ez + 24.5), (6.5, 10, 9.5))
        body = carve(body, corner, 9)
        return carve(body, ellipsoid(p, (98, 46, 42), (26, 34, 34)), 22)

    def _nose(self, p: Points, body: Array) -> Array:
        nose = self.shape.nose
        w, (_, ty, tz) = nose.width, nose.tip
        bridge = capsule(p, (0, 34, 75.5), (0, ty + 4, tz - 3.4), 4.3 * nose.bridge, 4.9 * w)
        sides = capsule(p, (4.2 * w, 20, 74), (8.6 * w, ty - 1, tz - 10), 4.0 * nose.bridge, 4.4 * w)
        made = union(bridge, sides, 9)
        made = union(made, ellipsoid(p, (0, ty, tz - 4.2), (nose.tip_radius * w, nose.tip_radius, 7.4)), 5)
        wing = ellipsoid(p, (9.0 * w, ty - 2.4, tz - 9.8), (4.6 * w, 4.7, 6.2))
        made = union(made, wing, 5)
        made = union(made, capsule(p, (0, ty - 2.4, tz - 2.6), (0, ty - 4.4, tz - 11), 2.5, 2.4), 4)
        body = union(body, made, 7.5)
        hole = ellipsoid(p, (5.0 * w, ty - 7.2, tz - 6.4), (2.3 * w, 2.8, 3.7))
        return carve(body, hole, 2.2)

    def _mouth(self, p: Points, body: Array) -> Array:
        x, y, z = p
        mouth = self.shape.mouth
        half, my, front = mouth.half_width, mouth.y, mouth.front
        body = union(body, ellipsoid(p, (0, my + 1 - GAP * 0.5, front - 31), (half + 7, 22, 22)), 16)
        body = carve(body, capsule(p, (0, my + 15, front + 6.2), (0, my + 8.5, front + 5.2), 2.4, 3.0), 4)
        xs = np.linspace(0, half + 0.2, 14)
        upper, lower = self._lip(xs, top=True), self._lip(xs, top=False)
        body = union(body, rod(p, upper), 2.6)
        body = union(body, rod(p, lower), 2.8)
        fold = my - mouth.lower - 8.5 - GAP * 0.6
        body = carve(body, ellipsoid(p, (0, fold, front + 4.5), (15, 4.6, 9)), 9)
        at = my + mouth.smile
        dent = capsule(p, (half + 0.6, at, front - 15.5), (half + 3.2, at + 1.2, front - 18.5), 1.0)
        body = carve(body, dent, 3.5)
        gap = self.gap(x)
        across = np.abs(y - (self.mouth_line(x) - gap / 2)) - gap / 2
        slit = np.maximum(np.maximum(across, x - half - 0.2), 58 - z)
        body = carve(body, slit, 1.0)
        return carve(body, self.mouth_bag(p), 2.0)

    def _lip(self, xs: Array, top: bool) -> Array:
        """The lip's core as rows of (x, y, z, radius)."""
        t = np.clip(xs / self.shape.mouth.half_width, 0, 1)
        height = self.upper_lip(xs) if top else self.lower_lip(xs)
        radius = np.maximum(0.58 * height, 1.5)
        line = self.mouth_line(xs)
        y = line + radius * 0.92 if top else line - self.gap(xs) - radius * 0.92
        z = self.lip_front(xs) - radius * (1.0 if top else 0.94) + (0.2 if top else 0.0) * (1 - t)
        return cast(Array, np.stack([xs, y, z, radius], axis=1))

    def torso(self, p: Points) -> Array:
        """Neck and shoulders without what stands out under the skin: clothes follow it."""
        p = (np.abs(p[0]), p[1], p[2])
        r = self.shape.neck
        body = capsule(p, (0, -20, -14), (0, -170, -28), r, r + 7)
        body = union(body, capsule(p, (18, -108, -42), (98, -158, -36), 16, 20), 34)
        return union(body, ellipsoid(p, (0, -192, -26), (176, 50, 62)), 30)

    def _neck(self, p: Points, body: Array) -> Array:
        body = union(body, capsule(p, (30, -24, -20), (9, -140, 8), 7, 5.5), 20)
        return union(body, self.torso(p), 20)

    def _ear(self, p: Points, body: Array) -> Array:
        x, y, z = p
        turned = (x - 0.35 * (-z - 8), y, z + 0.35 * (x - 74))
        ear = ellipsoid(turned, (74, 14, -9), (5.2, 29, 17))
        ear = union(ear, ellipsoid(turned, (73, -12, -3), (4.6, 10, 8.5)), 8)
        ear = carve(ear, ellipsoid(turned, (81, 16, -8), (6.2, 20, 11)), 4)
        ear = carve(ear, ellipsoid(turned, (78, 6, 0), (6, 8.5, 6.5)), 3)
        ear = union(ear, capsule(turned, (73, 4, 8), (75, -3, 6), 3.2, 2.6), 3)
        return union(body, ear, 5)

    def _lids(self, p: Points, body: Array) -> Array:
        z = p[2]
        eye = self.shape.eye
        ex, ey, ez = eye.centre
        yaw, pitch, away = self.eye_angles(p)
        body = union(body, np.where(z > ez - 4, away - (eye.radius + LID), 50), 6.5)
        upper, lower = self.lid_upper(yaw), self.lid_lower(yaw)
        inner, outer = eye.upper[0][0] - 0.02, eye.upper[-1][0] + 0.01
        opening = np.maximum(np.maximum(pitch - upper, lower - pitch), np.maximum(inner - yaw, yaw - outer))
        opening = opening * (eye.radius + 0.8)
        seen = (z > ez) & (np.abs(yaw) < 1.25)
        body = carve(body, np.maximum(np.where(seen, opening, 30), away - eye.radius - 9), 1.1)
        yaw_in, r = eye.upper[0][0] + 0.05, eye.radius + 0.6
        corner = ellipsoid(p, (ex + r * np.sin(yaw_in), ey - 0.16 * r, ez + r * np.cos(yaw_in)), (2.4, 1.8, 2.6))
        return union(carve(body, away - eye.radius - 0.25, 0.4), corner, 1.0)

    def _edge(self, curve: PchipInterpolator, rows: Curve, yaw: Array) -> Array:
        ends = sorted(row[0] for row in rows)
        return cast(Array, curve(np.clip(yaw, ends[0], ends[-1]))[..., 0].astype(np.asarray(yaw).dtype))
