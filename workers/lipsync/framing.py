"""A photograph to a square with head and shoulders, and its points moved along."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync.errors import AvatarError
from workers.lipsync.landmark_finder import FoundFace
from workers.lipsync.landmarks import CHIN, FOREHEAD, LEFT_CHEEK, MESH_POINTS, NOSE_TIP, RIGHT_CHEEK

SOURCE_SIDE = 1024
"""Largest side of the square that is kept; also the largest picture that is drawn."""
MIN_FACE_HEIGHT = 80
"""Pixels from forehead to chin below which there is too little to animate."""
FRAME_HEIGHTS = 2.35
"""Side of the frame in face heights: head with hair, and shoulders."""
TIGHTEST_FRAME_HEIGHTS = 1.6
MAX_TURN = 0.38
"""Nose tip off the middle of the cheeks, in half face widths, beyond which a face is too far from frontal."""


@dataclass(frozen=True)
class FramedFace:
    """`pixels` (side, side, 3) uint8 BGR; `points` (478, 3) in units of the side, z relative to the cheeks."""

    pixels: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Square:
    """A part of a picture, in its pixels; it may reach beyond the edge."""

    side: int
    corner: tuple[int, int]
    """x, y of its top left."""


def frame_face(pixels: np.ndarray, found: FoundFace, name: str = "the picture") -> FramedFace:
    """Raises AvatarError for a face that is too small or turned too far."""
    points = found.points
    height = float(np.linalg.norm(points[CHIN, :2] - points[FOREHEAD, :2]))
    if height < MIN_FACE_HEIGHT:
        raise AvatarError(
            "face_small",
            f"The face in {name} is only {height:.0f} pixels high; use a closer or larger picture (80 or more).",
        )
    middle = (points[LEFT_CHEEK, :2] + points[RIGHT_CHEEK, :2]) / 2
    across = points[RIGHT_CHEEK, :2] - points[LEFT_CHEEK, :2]
    half = float(np.linalg.norm(across)) / 2
    turned = abs(float((points[NOSE_TIP, :2] - middle) @ (across / (2 * half)))) / half
    if turned > MAX_TURN:
        raise AvatarError("face_turned", f"The face in {name} looks to the side; use one that looks into the camera.")
    return cut_face(
        pixels, points, square_of(pixels.shape[1], pixels.shape[0], height, points[:MESH_POINTS, :2].mean(0))
    )


def cut_face(pixels: np.ndarray, points: np.ndarray, square: Square) -> FramedFace:
    """A square of a picture, kept at `SOURCE_SIDE` at most, with a face's points (478, 3) in pixels moved along."""
    side, corner = square.side, np.array(square.corner)
    cut = _cut_square(pixels, corner, side)
    kept = min(side, SOURCE_SIDE)
    if kept < side:
        cut = cv2.resize(cut, (kept, kept), interpolation=cv2.INTER_AREA)
    moved = points.copy()
    moved[:, :2] = (points[:, :2] - corner) / side
    moved[:, 2] = (points[:, 2] - points[[LEFT_CHEEK, RIGHT_CHEEK], 2].mean()) / side
    return FramedFace(cut, moved)


def square_of(width: int, height: int, face: float, centre: np.ndarray) -> Square:
    """Where a picture of this size is cut around a face `face` pixels high."""
    side, corner = _frame(width, height, face, centre)
    return Square(side, (int(corner[0]), int(corner[1])))


def _frame(width: int, height: int, face: float, centre: np.ndarray) -> tuple[int, np.ndarray]:
    """Side and top left corner in pixels: generous where the picture allows it, inside the picture if it can be."""
    side = int(max(TIGHTEST_FRAME_HEIGHTS * face, min(FRAME_HEIGHTS * face, width, height)))
    corner = np.array([centre[0] - side / 2, centre[1] - 0.50 * side])
    for axis, length in ((0, width), (1, height)):
        if side <= length:
            corner[axis] = min(max(corner[axis], 0), length - side)
        else:
            corner[axis] = (length - side) / 2 if axis == 0 else min(corner[axis], 0)
    return side, np.round(corner)


def _cut_square(pixels: np.ndarray, corner: np.ndarray, side: int) -> np.ndarray:
    x, y = int(corner[0]), int(corner[1])
    height, width = pixels.shape[:2]
    left, top = max(0, -x), max(0, -y)
    right, bottom = max(0, x + side - width), max(0, y + side - height)
    inside = pixels[max(0, y) : y + side, max(0, x) : x + side]
    if left or top or right or bottom:
        return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(inside)
