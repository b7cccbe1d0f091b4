"""What a picture shows, measured from its pixels alone: the mouth's opening, the eyes' openness."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from broker.visemes import VISEMES
from workers.lipsync.face import FaceState
from workers.lipsync.geometry import FaceGeometry


@dataclass(frozen=True)
class Mouth:
    """Pixels: the tallest column and the breadth of what is neither lip nor skin."""

    height: int
    width: int


def saying(viseme: str, weight: float = 1.0, **other: object) -> FaceState:
    """A face that shows one viseme and nothing else."""
    mouth = tuple(weight if name == viseme else 0.0 for name in VISEMES)
    return FaceState(mouth=mouth, **other)  # type: ignore[arg-type]  # tests name the fields they set


def mouth_in(picture: np.ndarray, face: FaceGeometry) -> Mouth:
    """Of the reference portrait: lips and skin are warm (much more red than blue), teeth are pale, the inside dark."""
    x, y = _lips(picture, face)
    half_w, half_h = int(0.56 * face.mouth_width), int(0.36 * face.jaw_height)
    part = picture[y - half_h : y + half_h, x - half_w : x + half_w].astype(int)
    grey = part @ np.array([0.114, 0.587, 0.299])
    inner = (grey < 62) | ((part[..., 2] - part[..., 0] < 42) & (grey > 62))
    inner = cv2.morphologyEx(inner.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    columns = inner.sum(0)
    seen = np.flatnonzero(columns >= 3)
    return Mouth(int(columns.max()), int(seen[-1] - seen[0] + 1) if len(seen) else 0)


def _lips(picture: np.ndarray, face: FaceGeometry) -> tuple[int, int]:
    """The middle of what is redder than skin, below the nose."""
    x, y = (int(v) for v in face.to_picture(0, 0.15))
    reach = int(face.mouth_width)
    part = picture[y - reach : y + reach, x - reach : x + reach].astype(int)
    rows, columns = np.nonzero(part[..., 2] - part[..., 1] > 80)
    return x - reach + int((columns.min() + columns.max()) / 2), y - reach + int((rows.min() + rows.max()) / 2)


def white_of_eyes(picture: np.ndarray, face: FaceGeometry) -> int:
    """Pixels of white and iris: not the colour of skin, between the lids' corners."""
    count = 0
    for left, right in ((33, 133), (362, 263)):
        a, b = face.points[left], face.points[right]
        x0, x1 = int(a[0]) + 2, int(b[0]) - 1
        y, half = int((a[1] + b[1]) / 2), int(0.32 * (b[0] - a[0]))
        part = picture[y - half : y + half, x0:x1].astype(int)
        count += int(((part[..., 2] - part[..., 0] < 35) & (part.sum(2) > 260)).sum())
    return count
