"""What lies over a face: the bar of glasses between the eyes, something over mouth and chin.

Measured on scikit-image's astronaut and the four reference portraits, plain, blurred and dark, and with glasses and
fingers of their own skin drawn over them. Rimless glasses, and frames of the skin's own brightness, are not told.
"""

from __future__ import annotations

import cv2
import numpy as np

from workers.lipsync.adding.findings import Finding
from workers.lipsync.landmark_finder import FoundFace
from workers.lipsync.landmarks import (
    CHIN,
    EYES,
    FACE_OVAL,
    FOREHEAD,
    LEFT_EYE_OUTER,
    LOWER_LIP_OUTER,
    MESH_POINTS,
    RIGHT_EYE_OUTER,
    UPPER_LIP_OUTER,
)

HIGH = 256
"""Pixels from chin to forehead in which is measured."""
SIDE = 320
NOSE = (168, 122, 196, 3, 51, 45, 44, 1, 274, 275, 281, 248, 419, 197, 64, 98, 97, 2, 326, 327, 294)
BAR = 0.12
"""How much darker than above and below a line across the nose's root is, in the face's mean grey. Without glasses at
most 0.04, with dark frames 0.75, with grey ones 0.3 on light skin."""
EDGES = 0.038
"""Steepness of the lower face's steepest 3 %, in mean greys a pixel. At most 0.035 (a broad smile), under fingers 0.041
and more."""
DOUBT = 18.0
"""Presence below which the mesh network has seen something else, too: under fingers 13 to 16, else 20 and more, unless
blurred – but then there are no edges."""


def covered(pixels: np.ndarray, found: FoundFace) -> list[Finding]:
    """What there is to say. `pixels` (h, w, 3) uint8 BGR."""
    grey, points = _upright(pixels, found.points[:, :2])
    face = _filled(points, FACE_OVAL, hull=False)
    level = max(1.0, float(grey[face > 0].mean()))
    said = []
    if _bar(grey, points) > BAR * level:
        text = "The person seems to wear glasses; frames bend when brows and head move. Use a picture without them."
        said.append(Finding(level="warning", code="glasses", text=text))
    if found.presence < DOUBT and _edges(grey, points, face) > EDGES * level:
        text = "Something seems to lie over mouth or chin – a hand, a cup, hair. Use a picture where both are free."
        said.append(Finding(level="warning", code="face_covered", text=text))
    return said


def _upright(pixels: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(SIDE, SIDE) float32 grey with level eyes and the face HIGH pixels high, and the points there."""
    across = points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]
    scale = HIGH / max(1.0, float(np.linalg.norm(points[CHIN] - points[FOREHEAD])))
    middle = points[:MESH_POINTS].mean(0)
    turn = cv2.getRotationMatrix2D(tuple(middle), float(np.degrees(np.arctan2(across[1], across[0]))), scale)
    turn[:, 2] += SIDE / 2 - middle
    shown = cv2.warpAffine(pixels, turn, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY).astype(np.float32), cv2.transform(points[None], turn)[0]


def _bar(grey: np.ndarray, points: np.ndarray) -> float:
    """How much darker the darkest row between the eyes is than those a little above and below it."""
    wide = float(np.linalg.norm(points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]))
    middle = (points[EYES[0][0][-1]] + points[EYES[1][0][0]]) / 2
    (left, top), (right, bottom) = (
        (middle + np.array(by) * wide).clip(0, SIDE).astype(int) for by in ((-0.09, -0.30), (0.09, 0.24))
    )
    reach = max(1, int(0.06 * wide))
    if right - left < 2 or bottom - top < 3 * reach:
        return 0.0
    rows = cv2.GaussianBlur(grey, (0, 0), 1.0)[top:bottom, left:right].mean(1)
    return float((np.minimum(rows[: -2 * reach], rows[2 * reach :]) - rows[reach:-reach]).max())


def _edges(grey: np.ndarray, points: np.ndarray, face: np.ndarray) -> float:
    """Steepness, in greys a pixel, of what is steepest in the skin of cheeks and chin."""
    skin = cv2.erode(face, np.ones((15, 15), np.uint8))
    for feature, margin in ((UPPER_LIP_OUTER + LOWER_LIP_OUTER, 13), (NOSE, 15)):
        skin[cv2.dilate(_filled(points, feature), np.ones((margin, margin), np.uint8)) > 0] = 0
    lower_lids = [points[lower[len(lower) // 2], 1] for _, lower in EYES]
    skin[: int(max(lower_lids) + 0.07 * HIGH)] = 0
    if not skin.any():
        return 0.0
    soft = cv2.GaussianBlur(grey, (0, 0), 2.5)
    steep = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    return float(np.percentile(steep[skin > 0], 97))


def _filled(points: np.ndarray, which: tuple[int, ...], hull: bool = True) -> np.ndarray:
    """(SIDE, SIDE) uint8: 1 within."""
    outline = points[list(which)].astype(np.int32)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [cv2.convexHull(outline) if hull else outline], 1)
    return mask
