"""A photograph of a face, judged: what will animate badly, how that is known, and what to do about it.

Bounds were set by measuring scikit-image's astronaut, the three reference portraits, and these made darker, blurred and
smaller. What lies over the face is told in covered.py.
"""

from __future__ import annotations

import cv2
import numpy as np

from workers.lipsync.adding.covered import covered
from workers.lipsync.adding.findings import Finding, Level
from workers.lipsync.framing import MIN_FACE_HEIGHT
from workers.lipsync.landmark_finder import FoundFace
from workers.lipsync.landmarks import (
    CHIN,
    EYES,
    FOREHEAD,
    LEFT_CHEEK,
    LEFT_CORNER,
    LEFT_EYE_OUTER,
    LOWER_LIP_MIDDLE,
    MESH_POINTS,
    NOSE_TIP,
    RIGHT_CHEEK,
    RIGHT_CORNER,
    RIGHT_EYE_OUTER,
    UPPER_LIP_MIDDLE,
)

GOOD_HEIGHT = 220
"""Pixels of face for a sharp picture of 512."""
SURE_PRESENCE = 8.0
"""Below it the mesh network doubts: hidden, very blurred, or turned."""
TURNED = 0.2
"""Nose tip off the cheeks' middle, in half face widths, from which the far cheek is guessed."""
TILTED_DEG = 25.0
PARTED = 0.1
"""Between the lips, in mouth widths: teeth show. The astronaut's smile has 0.17, a mouth at rest 0.02."""
GAPING = 0.45
SHUT = 0.16
"""Height of an open eye in its widths is 0.3 to 0.4, blurred 0.26."""
SHARP = 0.45
"""Energy of the finest details over that of coarser ones, the face scaled to 256: sharp pictures 0.57 and more;
the same blurred by 1.5 pixels in 100 of face 0.34."""
DARK, BRIGHT = 60.0, 225.0
"""Mean grey of a face. The astronaut has 158, the darkest reference portrait 118."""
BURNT = 0.12
"""Share of the face that is white without any drawing."""
UNEVEN = 2.2
"""One half of the face this much brighter than the other."""
CROWDED = 0.5
"""A second face of this share of the largest one's height makes the choice unclear."""


def face_height(found: FoundFace) -> float:
    """Pixels from chin to forehead."""
    return float(np.linalg.norm(found.points[CHIN, :2] - found.points[FOREHEAD, :2]))


def judge(pixels: np.ndarray, found: FoundFace) -> list[Finding]:
    """What there is to say of one face, the gravest first; at least one finding. `pixels` (h, w, 3) uint8 BGR."""
    said = [*_shape(found), *_room(pixels, found), *_light(pixels, found), *covered(pixels, found)]
    if not said:
        said = [_finding("good", "good", "A clear, well lit face that looks into the camera.")]
    order = ("refusal", "warning", "note", "good")
    return sorted(said, key=lambda finding: order.index(finding.level))


def _finding(level: Level, code: str, text: str) -> Finding:
    return Finding(level=level, code=code, text=text)


def _shape(found: FoundFace) -> list[Finding]:
    """Size, direction, mouth and eyes."""
    said = []
    points = found.points[:, :2]
    height = face_height(found)
    if MIN_FACE_HEIGHT <= height < GOOD_HEIGHT:
        text = f"The face is {height:.0f} pixels high and will look soft; {GOOD_HEIGHT} or more make a sharp one."
        said.append(_finding("warning", "face_small", text))
    if found.presence < SURE_PRESENCE:
        text = "The face is hard to make out – hidden, very blurred or turned away; use a clearer picture."
        said.append(_finding("warning", "unsure", text))
    across = points[RIGHT_CHEEK] - points[LEFT_CHEEK]
    half = float(np.linalg.norm(across)) / 2
    middle = (points[LEFT_CHEEK] + points[RIGHT_CHEEK]) / 2
    turned = abs(float((points[NOSE_TIP] - middle) @ across)) / (2 * half * half)
    if turned > TURNED:
        text = "The face is turned to one side; the far side will be stretched. Use one that looks into the camera."
        said.append(_finding("warning", "face_turned", text))
    eyes = points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]
    tilt = abs(float(np.degrees(np.arctan2(eyes[1], eyes[0]))))
    if tilt > TILTED_DEG:
        text = f"The head is tilted by {tilt:.0f} degrees; turn the picture upright."
        said.append(_finding("warning", "face_tilted", text))
    wide = float(np.linalg.norm(points[RIGHT_CORNER] - points[LEFT_CORNER]))
    gap = float(np.linalg.norm(points[LOWER_LIP_MIDDLE] - points[UPPER_LIP_MIDDLE])) / max(wide, 1e-6)
    if gap > GAPING:
        text = "The mouth is wide open; it cannot be closed believably. Use a picture with closed lips."
        said.append(_finding("warning", "mouth_open", text))
    elif gap > PARTED:
        text = "The lips are apart and teeth show. It works; with closed lips the mouth moves more truly."
        said.append(_finding("note", "mouth_open", text))
    if max(eye_openness(points)) < SHUT:
        text = "The eyes are shut; they cannot be opened. Use a picture that looks at you."
        said.append(_finding("warning", "eyes_shut", text))
    return said


def eye_openness(points: np.ndarray) -> tuple[float, float]:
    """Each eye's height in its widths."""

    def of(upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
        wide = float(np.linalg.norm(points[upper[-1], :2] - points[upper[0], :2]))
        return float(np.linalg.norm(points[upper[4], :2] - points[lower[4], :2])) / max(wide, 1e-6)

    return of(*EYES[0]), of(*EYES[1])


def _room(pixels: np.ndarray, found: FoundFace) -> list[Finding]:
    """Whether the head is wholly in the picture."""
    points, height = found.points[:MESH_POINTS, :2], face_height(found)
    low, high = points.min(0), points.max(0)
    if low.min() < 0 or high[0] > pixels.shape[1] or high[1] > pixels.shape[0]:
        text = "The face is cut off at the picture's edge; use a picture with the whole head."
        return [_finding("warning", "face_cut", text)]
    if low[1] < 0.15 * height:
        text = "There is hardly any room above the forehead, so the hair is cut off; leave some space around the head."
        return [_finding("note", "no_room", text)]
    return []


def _light(pixels: np.ndarray, found: FoundFace) -> list[Finding]:
    """Brightness, evenness and sharpness, of the face alone."""
    grey = _face_grey(pixels, found)
    if grey is None:
        return []
    said = []
    mean = float(grey.mean())
    if mean < DARK:
        said.append(_finding("warning", "dark", "The face is very dark; use more light, from the front."))
    elif mean > BRIGHT or float((grey > 250).mean()) > BURNT:
        text = "The face is overexposed, parts of it are plain white; use softer light or a shorter exposure."
        said.append(_finding("warning", "bright", text))
    else:
        halves = sorted((float(grey[:, :100].mean()) + 1, float(grey[:, -100:].mean()) + 1))
        if halves[1] > UNEVEN * halves[0]:
            text = "One side of the face is much darker than the other; light it from the front."
            said.append(_finding("warning", "uneven", text))
    if sharpness(grey) < SHARP:
        text = "The face is blurred; use a sharper picture, the camera held still and focused on the eyes."
        said.append(_finding("warning", "blurred", text))
    return said


def _face_grey(pixels: np.ndarray, found: FoundFace) -> np.ndarray | None:
    """The face's box as float32 grey, 256 high and about 210 wide; None when it is hardly in the picture."""
    points = found.points[:MESH_POINTS, :2]
    x0, y0 = np.maximum(points.min(0), 0).astype(int)
    x1, y1 = np.minimum(points.max(0), (pixels.shape[1], pixels.shape[0])).astype(int)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    grey = cv2.cvtColor(pixels[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
    width = max(200, round(256 * (x1 - x0) / (y1 - y0)))
    shrinks = y1 - y0 > 256
    scaled = cv2.resize(grey, (width, 256), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return scaled.astype(np.float32)


def sharpness(grey: np.ndarray) -> float:
    """How much is left of the finest details, whatever the contrast; `grey` float32, a face 256 high."""
    one, two, four = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0))
    return float(np.std(one - two) / max(float(np.std(two - four)), 1e-3))
