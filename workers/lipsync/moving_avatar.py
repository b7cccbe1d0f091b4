"""A filmed face that speaks: the film moves head, eyes and shoulders, the portrait engine's mouth is laid into it.

The mouth is drawn on one picture of the film, as on a photograph, and carried to where the face is now.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.articulators import articulate
from workers.lipsync.clip import Clip
from workers.lipsync.face import FaceState
from workers.lipsync.geometry import smoothstep

if TYPE_CHECKING:  # it imports this file
    from workers.lipsync.portrait_engine import PortraitAvatar

FADE = 0.06
"""Mouth weight over which the drawn mouth takes the place of the film's closed one."""

ANCHORS = (
    *mesh.UPPER_LIP_OUTER, mesh.NOSE_BASE, mesh.NOSE_TIP, 98, 327, 205, 425, 50, 280, 168, 6, 33, 263, 133, 362,
    mesh.LEFT_CHEEK, mesh.RIGHT_CHEEK,
)  # fmt: skip
"""Points that speech hardly moves: they say where the face is."""
EDGE = ((0.55, -0.34), (0.76, 0.1), (0.7, 0.62), (0.4, 1.24))
"""One side of the mouth's part, in mouth widths across and jaw heights down: inside the cheeks, whose outlines turn
with the head, and a little below the chin, where an opened jaw has to fit."""
FEATHER = 0.24
"""Width of its soft edge, in jaw heights."""


class MovingAvatar:
    """A film at one size, ready to be drawn. Not for two threads at once."""

    def __init__(self, still: PortraitAvatar, clip: Clip) -> None:
        self.size = still.size
        self.still = still
        self._clip = clip
        own = still.face.points[list(ANCHORS)]
        self._carry = [_similarity(own, points[list(ANCHORS)] * still.size - 0.5) for points in clip.points]
        self._mask, self._box = _mouth_mask(still)

    @property
    def portrait(self) -> np.ndarray:
        """(size, size, 3) uint8 BGR: the film's picture that the mouth is drawn on."""
        return self.still.portrait

    @property
    def cut_out(self) -> bool:
        """A film keeps its background: its figure is not cut out."""
        return False

    def draw(self, face: FaceState, at_ns: int) -> bytes:
        """Planar yuv420p (I420, BT.601 limited range)."""
        return cv2.cvtColor(self.paint(face, at_ns), cv2.COLOR_BGR2YUV_I420).tobytes()

    def draw_cutout(self, face: FaceState, at_ns: int) -> bytes:
        """I420 of twice the width: the whole picture, and white."""
        picture = self.paint(face, at_ns)
        return cv2.cvtColor(np.hstack([picture, np.full_like(picture, 255)]), cv2.COLOR_BGR2YUV_I420).tobytes()

    def paint(self, face: FaceState, at_ns: int) -> np.ndarray:
        """(size, size, 3) uint8 BGR. A silent face is the film itself, where its mouth is closed there."""
        number = self._clip.at(at_ns)
        picture = np.asarray(cv2.imdecode(np.frombuffer(self._clip.jpegs[number], np.uint8), cv2.IMREAD_COLOR))
        spoken = dataclasses.replace(face, blink=0.0, gaze=(0.0, 0.0), pose=(0.0, 0.0, 0.0), brows=0.0, breath=0.0)
        moves = articulate(spoken).mouth_moves
        share = float(smoothstep(0.0, FADE, moves)) if self._clip.closed[number] else 1.0
        if share > 0:
            self._lay_mouth(picture, self.still.paint(spoken), self._carry[number], share)
        return picture

    def _lay_mouth(self, picture: np.ndarray, spoken: np.ndarray, carry: np.ndarray, share: float) -> None:
        """Into `picture`, the part of `spoken` around the mouth, moved by `carry` (2, 3)."""
        x0, y0, x1, y1 = self._box
        corners = cv2.transform(np.array([[(x0, y0), (x1, y0), (x0, y1), (x1, y1)]], np.float64), carry)[0]
        left, top = np.maximum(np.floor(corners.min(0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(0)) + 1, self.size).astype(int)
        if right <= left or bottom <= top:
            return
        moved = carry.copy()
        moved[:, 2] -= (left, top)
        size = (int(right - left), int(bottom - top))
        mouth = cv2.warpAffine(spoken, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(self._mask, moved, size, flags=cv2.INTER_LINEAR) * np.float32(share)
        part = picture[top:bottom, left:right]
        part[:] = cv2.blendLinear(mouth, part, mask, 1 - mask)


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3): turn, scale and shift that bring points (n, 2) nearest to their targets (Umeyama 1991, in the plane)."""
    middle, goal = source.mean(0), target.mean(0)
    a = (source - middle) @ np.array([1, 1j])
    b = (target - goal) @ np.array([1, 1j])
    turn = np.vdot(a, b) / np.vdot(a, a)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([matrix, goal - matrix @ middle])


def _mouth_mask(still: PortraitAvatar) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """(size, size) float32, 1 around the mouth and 0 from the nose up; and the box it fills, x0, y0, x1, y1."""
    face = still.face
    ring = [face.to_picture(0.0, -0.42)]
    ring += [face.to_picture(across, along) for across, along in EDGE]
    ring += [face.to_picture(-across, along) for across, along in reversed(EDGE)]
    mask = np.zeros((still.size, still.size), np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(ring)).astype(np.int32)], 255)
    feather = max(1.0, FEATHER * face.jaw_height / 2)
    soft = cv2.GaussianBlur(mask, (0, 0), feather).astype(np.float32) / 255
    rows, columns = np.flatnonzero(soft.max(1) > 0.004), np.flatnonzero(soft.max(0) > 0.004)
    return soft, (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
