"""How each landmark moves when one articulator is at 1: the sculpting of the portrait engine.

Amounts are in mouth widths across and jaw heights along the face. What was learned by looking: points below the lower
lip travel with it, else the field folds over and the lip smears; the chin hangs on a hinge (its travel follows its
depth); corners follow the jaw by a quarter.
"""

from __future__ import annotations

import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.geometry import FaceGeometry, smoothstep

Moves = dict[int, np.ndarray]
"""Landmark → (across, along) in pixels, in the face's axes."""

JAW_TRAVEL = 0.30
"""Of the jaw height, the lower lip's way at jaw = 1."""

STRAIGHTER = 0.85
"""Of a mouth's own curve, how much a full pucker takes away."""

UPPER_LIP = mesh.UPPER_LIP_OUTER + mesh.UPPER_LIP_INNER[1:-1]
LOWER_LIP = mesh.LOWER_LIP_OUTER[1:-1] + mesh.LOWER_LIP_INNER[1:-1]
CORNERS = (61, 78, 291, 308)
LIPS = tuple(dict.fromkeys(UPPER_LIP + LOWER_LIP + CORNERS))


def mouth_moves(face: FaceGeometry) -> dict[str, Moves]:
    """Articulator → moves, for those of the mouth."""
    sculptor = _Sculptor(face)
    return {
        "jaw": sculptor.jaw(),
        "upper_up": sculptor.upper_up(),
        "lower_down": sculptor.lower_down(),
        "wide": sculptor.wide(),
        "pucker": sculptor.pucker(),
        "close": sculptor.close(),
        "fold": sculptor.fold(),
        "smile": sculptor.smile(),
        "press": sculptor.press(),
        "skew": sculptor.skew(),
    }


def brow_moves(face: FaceGeometry) -> dict[str, Moves]:
    """Articulator → moves, for brows and lids."""
    up: Moves = {}
    inner: Moves = {}
    skew: Moves = {}
    squint: Moves = {}
    widen: Moves = {}
    rise = 0.085 * face.face_width
    for brow, sign in ((mesh.LEFT_BROW, -1.0), (mesh.RIGHT_BROW, 1.0)):
        xs = face.flat[list(brow), 0]
        low, high = xs.min(), xs.max()
        for index in brow:
            outwards = (face.flat[index, 0] - low) / (high - low)
            outwards = outwards if sign > 0 else 1 - outwards
            up[index] = np.array([0.0, -rise * (1 - 0.25 * outwards)])
            across = -sign * 0.12 * rise * (1 - outwards)
            inner[index] = np.array([across, rise * (0.25 * outwards - 0.75 * (1 - outwards))])
            skew[index] = np.array([0.0, -rise * (0.75 + 0.2 * outwards if sign > 0 else -0.35 * (1 - 0.3 * outwards))])
    for (upper, lower), crease in zip(mesh.EYES, mesh.LID_CREASES, strict=True):
        height = abs(face.flat[upper[4], 1] - face.flat[lower[4], 1])
        for index in lower[2:-2]:
            squint[index] = np.array([0.0, -0.22 * height])
            widen[index] = np.array([0.0, 0.1 * height])
        for index, arch in zip(upper, np.sin(np.linspace(0, np.pi, len(upper))), strict=True):
            widen[index] = np.array([0.0, -0.1 * height * arch])
        for index in crease[1:-1]:
            widen[index] = np.array([0.0, -0.1 * height])
    return {"brow_up": up, "brow_inner": inner, "squint": squint, "brow_skew": skew, "widen": widen}


class _Sculptor:
    def __init__(self, face: FaceGeometry) -> None:
        self.face = face
        self.flat = face.flat
        self.wide_px, self.high_px = face.mouth_width, face.jaw_height
        self.half = face.mouth_width / 2
        self.reach = self.flat[:, 0] / self.half  # -1 left corner .. 1 right corner
        self.side = np.sign(self.reach)
        self.midness = np.clip(1 - self.reach**2, 0, 1)  # 1 in the middle of the lips, 0 at the corners
        self.lip_line = (self.flat[mesh.UPPER_LIP_MIDDLE, 1] + self.flat[mesh.LOWER_LIP_MIDDLE, 1]) / 2

    def jaw(self) -> Moves:
        """A hinge: the chin's way follows its depth; the skin under the lip goes with the lip."""
        travel = JAW_TRAVEL * self.high_px
        moves: Moves = {}
        chin_depth = self.face.depth[mesh.CHIN]
        for i in range(mesh.MESH_POINTS):
            along = self.flat[i, 1]
            if i in LIPS or along <= 0.02 * self.high_px:
                continue
            hinge = np.clip(self.face.depth[i] / chin_depth, 0, 1.15) if chin_depth > 0 else 1.0
            outer = min(1.0, abs(self.reach[i]) / 1.25) ** 1.6  # 0 under the lips .. 1 at the cheeks
            hinge *= smoothstep(-0.02, 0.02 + 0.42 * outer, along / self.high_px)
            share = hinge * outer + 0.97 * (1 - outer)
            moves[i] = np.array([-0.02 * self.wide_px * self.reach[i] * share, 0.92 * travel * share])
        for i in LOWER_LIP:
            k = self.midness[i] ** 0.55
            moves[i] = np.array([-self.side[i] * 0.035 * self.wide_px * (1 - k), travel * (0.26 * (1 - k) + 0.98 * k)])
        for i in UPPER_LIP:
            k = self.midness[i]
            moves[i] = np.array([-self.side[i] * 0.03 * self.wide_px * (1 - k), travel * (0.22 * (1 - k) - 0.02 * k)])
        for i in CORNERS:
            moves[i] = np.array([-self.side[i] * 0.035 * self.wide_px, 0.26 * travel])
        return moves

    def upper_up(self) -> Moves:
        moves: Moves = {}
        for i in UPPER_LIP:
            share = 1.0 if i in mesh.UPPER_LIP_INNER else 0.72
            moves[i] = np.array([0.0, -0.10 * self.high_px * self.midness[i] * share])
        for i in (97, 326, 2, 94):
            moves[i] = np.array([0.0, -0.012 * self.high_px])
        return moves

    def lower_down(self) -> Moves:
        moves: Moves = {}
        for i in LOWER_LIP:
            share = 1.0 if i in mesh.LOWER_LIP_INNER else 0.62
            moves[i] = np.array([0.0, 0.11 * self.high_px * self.midness[i] ** 0.7 * share])
        return moves

    def wide(self) -> Moves:
        moves: Moves = {}
        for i in LIPS:
            out = 0.13 * self.wide_px * self.side[i] * abs(self.reach[i]) ** 1.1
            thin = 0.12 * (self.lip_line - self.flat[i, 1]) * self.midness[i]
            moves[i] = np.array([out, thin])
        for i, sign in ((205, -1), (425, 1)):
            moves[i] = np.array([sign * 0.02 * self.wide_px, 0.0])
        return moves

    def pucker(self) -> Moves:
        """Corners in, the mouth's line straight, lips fuller and forward (drawn as larger), thin ones most."""
        moves: Moves = {}
        for i in LIPS:
            inwards = -0.24 * self.wide_px * self.side[i] * abs(self.reach[i]) ** 1.25
            moves[i] = np.array([inwards, STRAIGHTER * self.lip_line * (0.55 - self.midness[i])])
        for up, low, outer_up, outer_low in self._pairs():
            for inner, outer, least, sign in ((up, outer_up, 0.12, -1), (low, outer_low, 0.15, 1)):
                thick = abs(self.flat[outer, 1] - self.flat[inner, 1])
                fuller = 0.12 * thick + 0.65 * max(0.0, least * self.high_px * self.midness[outer] ** 0.5 - thick)
                moves[outer] += (0.0, sign * fuller)
        for i, sign in ((205, 1), (425, -1)):
            moves[i] = np.array([sign * 0.03 * self.wide_px, 0.0])
        return moves

    def smile(self) -> Moves:
        """Corners out and up, and the cheeks with them."""
        moves: Moves = {}
        for i in LIPS:
            r = abs(self.reach[i])
            moves[i] = np.array([0.085 * self.wide_px * self.side[i] * r**1.5, -0.13 * self.high_px * r**2])
        for i, sign in ((205, -1), (425, 1)):
            moves[i] = np.array([sign * 0.02 * self.wide_px, -0.07 * self.high_px])
        for i, sign in ((50, -1), (280, 1)):
            moves[i] = np.array([sign * 0.01 * self.wide_px, -0.035 * self.high_px])
        return moves

    def skew(self) -> Moves:
        """The closed mouth drawn to one side, as of somebody who weighs an answer: that corner a little up."""
        moves: Moves = {}
        for i in LIPS:
            lift = 0.035 * self.high_px * max(0.0, self.reach[i]) ** 2
            moves[i] = np.array([0.075 * self.wide_px * (1 - 0.3 * abs(self.reach[i])), -lift])
        for i in (205, 425):
            moves[i] = np.array([0.02 * self.wide_px, 0.0])
        return moves

    def close(self) -> Moves:
        """The portrait's own gap shut, at a line nearer the upper lip's rest than the lower's."""
        moves: Moves = {}
        for up, low, outer_up, outer_low in self._pairs():
            gap = self.flat[low, 1] - self.flat[up, 1]
            touch = 0.003 * self.high_px + 0.04 * gap  # spreading smooths: without it a hairline stays
            moves[up] = np.array([0.0, 0.45 * gap + touch])
            moves[low] = np.array([0.0, -0.55 * gap - touch])
            moves[outer_up] = np.array([0.0, 0.28 * gap])
            moves[outer_low] = np.array([0.0, -0.38 * gap])
        return moves

    def press(self) -> Moves:
        """Lips rolled in: the outer edges come to the line between them."""
        moves: Moves = {}
        for up, low, outer_up, outer_low in self._pairs():
            moves[outer_up] = np.array([0.0, 0.34 * (self.flat[up, 1] - self.flat[outer_up, 1])])
            moves[outer_low] = np.array([0.0, -0.30 * (self.flat[outer_low, 1] - self.flat[low, 1])])
            moves[up] = np.zeros(2)
            moves[low] = np.zeros(2)
        return moves

    def fold(self) -> Moves:
        """The lower lip up and in, under the upper teeth."""
        moves: Moves = {}
        for up, low, _outer_up, outer_low in self._pairs():
            gap = self.flat[low, 1] - self.flat[up, 1]
            k = self.midness[low]
            moves[low] = np.array([0.0, -(0.80 * gap + 0.010 * self.high_px) * k])
            moves[outer_low] = np.array([0.0, -(0.45 * gap + 0.050 * self.high_px) * k])
        for i in (199, 200, 18, 83, 313):
            moves[i] = np.array([0.0, -0.045 * self.high_px])
        return moves

    def _pairs(self) -> list[tuple[int, int, int, int]]:
        """Inner upper, inner lower, outer upper, outer lower, without the corners."""
        return list(
            zip(
                mesh.UPPER_LIP_INNER[1:-1],
                mesh.LOWER_LIP_INNER[1:-1],
                mesh.UPPER_LIP_OUTER[1:-1],
                mesh.LOWER_LIP_OUTER[1:-1],
                strict=True,
            )
        )
