"""How a face moves: for any points in or on a head, each ARKit movement as a displacement in millimetres.

The same fields move skin, lashes, teeth and tongue, so that parts that touch stay together. They are closed formulas
over the resting place of a point; nothing is captured from a person.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.head import GAP, Head
from workers.lipsync.generator3d.morphs import ARKIT, EXTRAS, NAMES, VISEMES, Recipe
from workers.lipsync.generator3d.surface import split

Kind = Literal["skin", "lash", "upper", "lower"]
"""`upper` and `lower`: what is fixed to the skull, and what to the jaw."""
Vector = tuple[float, float, float]
HINGE_Y, HINGE_Z = -2.0, -2.0
OPEN_DEGREES = 15.0


def near(points: Array, centre: Vector, reach: Vector) -> Array:
    """1 at `centre`, falling like a bell."""
    return cast(Array, np.exp(-(((points - np.array(centre)) / np.array(reach)) ** 2).sum(1)))


class Tissue:
    """Points of one part of the head. `rest` is where they lie with the mouth closed."""

    def __init__(self, head: Head, built: Array, kind: Kind = "skin") -> None:
        self.head, self.kind = head, kind
        x, y, z = built.T
        self.lower = self._below_the_lips(x, y, z)
        self.rest = built.copy()
        if kind == "skin":
            self.rest[:, 1] += self._closing(x, y, z)
        self.jaw = self._follows_jaw(x, y, z)

    def displacements(self) -> dict[str, Array]:
        """Every morph target of `NAMES`, (n, 3) each."""
        moves = self.movements()
        return {name: self._mix(name, moves) for name in NAMES}

    def movements(self) -> dict[str, Array]:
        """Every ARKit movement at its full weight."""
        if self.kind in ("upper", "lower"):
            moves = {name: np.zeros_like(self.rest) for name in ARKIT}
            moves["jawOpen"] = self._opened()
            moves["jawForward"], moves["jawLeft"], moves["jawRight"] = (
                self.jaw[:, None] * np.array(v) for v in ((0, 0, 5), (5, 0, 0), (-5, 0, 0))
            )
            return moves
        moves = self._middle_movements()
        for side, sign in (("Left", 1.0), ("Right", -1.0)):
            moves |= {name + side: move for name, move in self._side_movements(sign).items()}
        assert set(moves) == set(ARKIT)
        return moves

    def _mix(self, name: str, moves: dict[str, Array]) -> Array:
        recipe: Recipe
        if name in moves:
            return moves[name]
        recipe = VISEMES[name.removeprefix("viseme_")] if name.startswith("viseme_") else EXTRAS[name]
        total = np.zeros_like(self.rest)
        for part, weight in recipe.items():
            if part in moves:
                total += weight * moves[part]
        return total

    def _below_the_lips(self, x: Array, y: Array, z: Array) -> Array:
        if self.kind in ("upper", "lash"):
            return np.zeros_like(x)
        if self.kind == "lower":
            return np.ones_like(x)
        half = self.head.shape.mouth.half_width
        blur = 0.4 + 0.8 * np.maximum(0, np.abs(x) - half + 0.5) + 0.25 * np.maximum(0, 74 - z)
        t = np.clip((self.head.built_line(x) - y + blur) / (2 * blur), 0, 1)
        return cast(Array, t * t * (3 - 2 * t))

    def _closing(self, x: Array, y: Array, z: Array) -> Array:
        """How far the lower lip, built too low, rises; further down the lift spreads out and fades."""
        head, my = self.head, self.head.shape.mouth.y
        exact = 1.1 * head.gap(x)  # a little too far: no light shows between the lips
        wide = GAP * np.exp(-((x / (head.shape.mouth.half_width - 4)) ** 2))
        below = smoothstep(2, 16, head.built_line(x) - y)
        lift = exact * (1 - below) + wide * below
        return cast(Array, lift * self.lower * smoothstep(my - 46, my - 13, y) * smoothstep(35, 62, z))

    def _follows_jaw(self, x: Array, y: Array, z: Array) -> Array:
        """0 at the skull, 1 at the jaw."""
        if self.kind in ("upper", "lash", "lower"):
            return self.lower
        head, away = self.head, np.abs(x)
        my, half = head.shape.mouth.y, head.shape.mouth.half_width
        line = head.built_line(x)
        line = line + (-2 - 0.46 * z - line) * smoothstep(half - 3, half + 21, away)
        blur = np.minimum(0.4 + 0.55 * np.maximum(0, away - half + 2) + 0.25 * np.maximum(0, 74 - z), 18)
        t = np.clip((line - y + blur) / (2 * blur), 0, 1)
        jaw = t * t * (3 - 2 * t) * smoothstep(-10, 45, z + 0.8 * (y + 72)) * smoothstep(-40, 0, z)
        lips = np.exp(-(((y - my + 4) / 26) ** 2)) * smoothstep(46, 66, z) * smoothstep(48, 30, away)
        t = np.clip(away / (half + 0.5), 0, 1.25)
        taper = np.clip(1 - 0.66 * t**2.6, 0.34, 1)
        corner = 0.34 * np.minimum(t, 1) ** 3.5 * np.exp(-((np.maximum(0, away - half - 0.5) / 14) ** 2))
        jaw = jaw * (1 - lips * (1 - taper) * smoothstep(my - 32, my - 8, y))
        return cast(Array, jaw + (1 - self.lower) * lips * corner * smoothstep(my + 24, my + 6, y))

    def _opened(self) -> Array:
        turn = np.radians(OPEN_DEGREES)
        y, z = self.rest[:, 1] - HINGE_Y, self.rest[:, 2] - HINGE_Z
        moved = np.zeros_like(self.rest)
        moved[:, 1] = np.cos(turn) * y - np.sin(turn) * z - y
        moved[:, 2] = np.sin(turn) * y + np.cos(turn) * z - z
        return cast(Array, moved * self.jaw[:, None])

    def _lips(self) -> tuple[Array, Array]:
        """How much a point belongs to the upper and to the lower lip."""
        x, y, z = self.rest.T
        mouth = self.head.shape.mouth
        rise = y - self.head.mouth_line(x)
        sides = np.exp(-((x / (mouth.half_width + 3.5)) ** 6)) * smoothstep(mouth.front - 30, mouth.front - 14, z)
        if self.kind == "lash":
            sides = np.zeros_like(x)
        upper = (1 - self.lower) * np.exp(-((np.maximum(0, np.abs(rise - 3.5) - 2.5) / 7.5) ** 2)) * sides
        lower = self.lower * np.exp(-((np.maximum(0, np.abs(rise + 4.0) - 2.5) / 8.5) ** 2)) * sides
        return upper, lower

    def _middle_movements(self) -> dict[str, Array]:
        p = self.rest
        x, y, z = p.T
        upper, lower = self._lips()
        lips = np.maximum(upper, lower)
        mouth = self.head.shape.mouth
        my, front, half = mouth.y, mouth.front, mouth.half_width
        skin = 1.0 if self.kind == "skin" else 0.0
        around = skin * near(p, (0, my, front - 5), (half + 9, 20, 26))
        across = np.clip(x / half, -1.3, 1.3) ** 2
        ring = skin * np.exp(-((x / (half + 14)) ** 4) - ((y - my) / 20) ** 2) * smoothstep(front - 40, front - 16, z)
        level = mouth.smile * np.minimum(across, 1) * ring
        zero = np.zeros_like(p)
        opened = self._opened()
        chin = self.lower * smoothstep(my - 38, my - 10, y) * smoothstep(56, 72, z) * np.exp(-((x / (half + 5)) ** 6))
        bags = near(p, (42, my + 12, 58), (17, 17, 24)) + near(p, (-42, my + 12, 58), (17, 17, 24))
        outward = p * (1, 0, 1)
        outward = outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1)
        brows = near(p, (13, 48, 78), (15, 15, 26)) + near(p, (-13, 48, 78), (15, 15, 26))
        pout = near(p, (0, my - 24, front - 10), (20, 14, 26)) * self.lower
        return {
            "jawOpen": opened,
            "jawForward": along(self.jaw, (0, 0, 5)),
            "jawLeft": along(self.jaw, (5, 0, 0)),
            "jawRight": along(self.jaw, (-5, 0, 0)),
            "mouthClose": -0.80 * chin[:, None] * opened + along(upper, (0, -4.2, 0)),
            "mouthFunnel": np.stack(
                [
                    -0.26 * x * ring,
                    (3.4 * upper - 4.2 * lower) * (1 - 0.5 * across) - 0.4 * level,
                    5.0 * lips + 1.5 * around,
                ],
                1,
            ),
            "mouthPucker": np.stack(
                [
                    -0.46 * x * ring,
                    0.8 * upper - 0.9 * lower - 0.8 * level,
                    6.5 * lips * (1 - 0.3 * across) + 2.0 * around,
                ],
                1,
            ),
            "mouthLeft": along(around, (7, 0, 0)),
            "mouthRight": along(around, (-7, 0, 0)),
            "mouthRollLower": along(lower, (0, 2.6, -4.2)),
            "mouthRollUpper": along(upper, (0, -2.0, -3.4)),
            "mouthShrugLower": along(np.maximum(lower, 0.8 * pout), (0, 3.6, 1.4)),
            "mouthShrugUpper": along(upper, (0, 2.8, 1.2)),
            "browInnerUp": along(brows, (0, 7.0, 0.3)),
            "cheekPuff": 7 * bags[:, None] * outward + along(lips, (0, 0, 1.5)),
            "tongueOut": zero,
        }

    def _side_movements(self, side: float) -> dict[str, Array]:
        """Of the left (`side` 1) or the right (-1) half; names without it."""
        p = self.rest
        x = p[:, 0]
        upper, lower = self._lips()
        mouth = self.head.shape.mouth
        my, half, front = mouth.y, mouth.half_width, mouth.front
        here = smoothstep(-6, 6, side * x)
        at_lips = np.maximum(upper, lower) * here
        across = np.abs(np.clip(x / half, -1.3, 1.3))
        cy = my + mouth.smile
        corner = near(p, (half * side, cy, front - 13), (13, 11, 18)) * here
        cheek = near(p, (38 * side, -8, 64), (18, 16, 22))
        s = side

        def brow(at: Vector, reach: Vector) -> Array:
            return near(p, (at[0] * s, at[1], at[2]), reach)

        zero = np.zeros_like(p)
        inner = smoothstep(1.25, 0.4, across)
        return {
            "mouthSmile": along(np.maximum(corner, 0.42 * at_lips), (4.5 * s, 6.0, -3.5))
            + along(cheek, (1.5 * s, 3.2, 1.2)),
            "mouthFrown": along(np.maximum(corner, 0.25 * at_lips), (1.0 * s, -6.0, -1.0)),
            "mouthDimple": along(near(p, ((half + 2) * s, cy, front - 14), (9, 9, 14)) * here, (3.5 * s, 0.5, -3.5)),
            "mouthStretch": along(np.maximum(corner, 0.40 * at_lips * across), (6.0 * s, -1.5, -3.5)),
            "mouthPress": along(upper * here, (0, -1.0, -0.8)) + along(lower * here, (0, 1.2, -0.8)),
            "mouthLowerDown": along(lower * here * inner, (0, -6.0, 0.6)),
            "mouthUpperUp": along(upper * here * inner, (0, 5.2, 0.3))
            + along(brow((13, -14, 84), (10, 8, 12)), (0, 1.2, 0)),
            "browDown": along(brow((25, 47, 70), (22, 12, 26)), (-1.8 * s, -5.0, 0.8)),
            "browOuterUp": along(brow((43, 48, 62), (17, 14, 26)), (0, 6.0, -0.5)),
            "cheekSquint": along(brow((35, 2, 66), (16, 13, 22)), (0, 4.5, 1)),
            "noseSneer": along(brow((12, -5, 86), (10, 12, 14)), (0, 3.6, 0.5)) + along(upper * here, (0, 1.8, 0)),
            "eyeBlink": self._lids(s),
            "eyeSquint": self._lids(s, 0.22, 2.6) + along(brow((33, 6, 68), (15, 9, 20)), (0, 2.0, 0.5)),
            "eyeWide": self._lids(s, -0.20, -0.6),
            "eyeLookDown": self._lids(s, 0.33, -1.8),
            "eyeLookUp": self._lids(s, -0.15, 0.6),
            "eyeLookIn": zero,
            "eyeLookOut": zero,
        }

    def _lids(self, side: float, upper_share: float = 1.0, lower_share: float = 1.0) -> Array:
        """Lids slide along the eyeball: nine tenths of the way is the upper lid's."""
        head = self.head
        local = self.rest * (side, 1, 1)
        yaw, pitch, away = head.eye_angles(split(local))
        reach = head.shape.eye.radius
        top, bottom = head.lid_upper(yaw), head.lid_lower(yaw)
        opening = np.maximum(top - bottom, 0)
        close = smoothstep(reach + 12, reach + 3.5, away) * smoothstep(1.4, 1.05, np.abs(yaw))
        close = close * (local[:, 2] > head.shape.eye.centre[2] - 3)
        is_upper = smoothstep(-0.05, 0.05, pitch - (top + bottom) / 2)
        moves_up = is_upper * smoothstep(0.60, 0.0, pitch - top) * close
        moves_low = (1 - is_upper) * smoothstep(0.5, 0.0, bottom - pitch) * close
        pitch = pitch - 0.9 * moves_up * upper_share * opening + 0.1 * moves_low * lower_share * opening
        flat = np.cos(pitch) * away
        moved = np.stack([flat * np.sin(yaw), np.sin(pitch) * away, flat * np.cos(yaw)], 1)
        return cast(Array, (moved + np.array(head.shape.eye.centre) - local) * (side, 1, 1))


def along(weight: Array, direction: Vector) -> Array:
    return cast(Array, weight[:, None] * np.array(direction))
