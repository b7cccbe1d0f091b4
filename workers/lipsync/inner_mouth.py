"""What is seen between parted lips: the dark, the tongue, two rows of teeth, and the lips' shadow on them.

The upper teeth stay with the skull, the lower ones and the tongue go with the jaw. Colours follow the portrait's
light. A portrait that smiles with its teeth keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.articulators import MOUTH_ARTICULATORS, Articulation
from workers.lipsync.control_points import JAW_TRAVEL
from workers.lipsync.geometry import FaceGeometry, smoothstep
from workers.lipsync.lip_layers import PARTED
from workers.lipsync.mouth_sprites import Sprite, own_teeth, teeth, tongue, tongue_tip
from workers.lipsync.warp_field import look_up

UPPER_SHOWS = 0.075
"""Jaw heights of upper teeth below the resting lip line."""


_JAW, _LOWER_DOWN, _PUCKER, _CLOSE = (
    MOUTH_ARTICULATORS.index(name) for name in ("jaw", "lower_down", "pucker", "close")
)


@dataclass(frozen=True)
class MouthFrame:
    """Where the mouth's middle is in the drawn picture, and its axes there (unit vectors turned with the head)."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray


class InnerMouth:
    """The sprites of one portrait at one size."""

    def __init__(self, pixels: np.ndarray, face: FaceGeometry) -> None:
        self._face = face
        self._lip_up = float(face.flat[mesh.UPPER_LIP_MIDDLE, 1])
        self._lip_low = float(face.flat[mesh.LOWER_LIP_MIDDLE, 1])
        skin = _skin_colour(pixels, face)
        light = float(skin.mean())
        self.warmth = warmth = _warmth(skin)
        self._cavity = np.array([22, 18, 46], np.float32) * min(1.0, light / 150)
        # Dark skin in good light does not have dark teeth: half of their colour is their own.
        enamel = np.array([0.845, 0.925, 0.965], np.float32) * min(238.0, 0.61 * light + 118)
        flesh = np.array([0.46, 0.45, 0.80], np.float32) * min(205.0, 0.5 * light + 85)
        self._cavity, enamel, flesh = (_greyed(colour, warmth) for colour in (self._cavity, enamel, flesh))
        self._upper = teeth(face, enamel, (0.52, 0.64, 0.70, 0.74, 0.90, 0.90, 0.74, 0.70, 0.64, 0.52), 0.30, True)
        self._lower = teeth(
            face,
            enamel * np.array([0.80, 0.80, 0.82], np.float32),
            (0.6, 0.66, 0.7, 0.62, 0.6, 0.6, 0.62, 0.7, 0.66, 0.6),
            0.26,
            False,
        )
        self._tongue = tongue(face, flesh)
        self._tip = tongue_tip(face, flesh)
        self._own = own_teeth(pixels, face) if face.lip_gap > PARTED * face.jaw_height else None

    def draw(self, out: np.ndarray, upper: np.ndarray, lower: np.ndarray, art: Articulation, frame: MouthFrame) -> None:
        """Fill `out` (h, w, 3) uint8 between the two lip contours (n, 2), which run from corner to corner."""
        low, high = (f(np.concatenate([upper, lower])) for f in (_floor, _ceil))
        x0, y0 = max(0, low[0] - 2), max(0, low[1] - 2)
        x1, y1 = min(out.shape[1], high[0] + 3), min(out.shape[0], high[1] + 3)
        if x1 - x0 < 3 or y1 - y0 < 3:
            return
        corner = np.array([x0, y0], np.float32)
        hole = _opening(upper - corner, lower - corner, (y1 - y0, x1 - x0))
        inside = self.inside(hole, art, MouthFrame(frame.origin - corner, frame.right, frame.down))
        part = out[y0:y1, x0:x1]
        part[:] = (part + hole[..., None] * (inside - part) + 0.5).clip(0, 255).astype(np.uint8)

    def inside(self, hole: np.ndarray, art: Articulation, frame: MouthFrame) -> np.ndarray:
        """(h, w, 3) float32: what would be seen were there no lips. `hole` (h, w) 0..1 is what they leave open."""
        high = self._face.jaw_height
        jaw, down = float(art.mouth[_JAW]), float(art.mouth[_LOWER_DOWN])
        pucker = max(0.0, float(art.mouth[_PUCKER]))
        close = min(1.0, float(art.mouth[_CLOSE])) * 0.55 * self._face.lip_gap
        lip = self._lip_low - close + high * (JAW_TRAVEL * 0.98 * jaw + 0.11 * down)
        picture = np.empty((*hole.shape, 3), np.float32)
        picture[:] = self._cavity
        shows = high * (0.075 * down * (1 - 0.6 * jaw))
        rise = high * (0.07 + 0.28 * art.tongue + 0.10 * jaw)
        _lay(picture, self._tongue, frame, lip - rise)
        bare = 1 - float(smoothstep(0.50, 0.82, pucker))  # rounded lips stand out before the teeth and shade them
        behind = 0.08 * high * (1 - bare)
        _lay(picture, self._lower, frame, lip - shows + behind, bare)
        if self._own is not None:
            _lay(picture, self._own, frame, -behind, bare)
        else:
            _lay(picture, self._upper, frame, self._lip_up + UPPER_SHOWS * high - behind, bare)
        width = max(3, int(0.10 * high)) | 1
        shadow = cv2.blur(hole, (width, width))
        shift = np.array([[1, 0, 0], [0, 1, 0.03 * high]], np.float32)
        shadow = cv2.warpAffine(shadow, shift, (hole.shape[1], hole.shape[0]))
        shadow = shadow * (1 / max(0.30, float(shadow.max())))  # a narrow slit is not a dark one
        picture *= np.array(
            (1 - 0.10 * min(1.0, pucker), 1 - 0.04 * min(1.0, pucker), 1.0), np.float32
        )  # shade is warm
        picture *= ((0.34 + 0.74 * np.minimum(shadow, 1)) * (1 - 0.28 * min(1.0, pucker)))[..., None]
        tip = float(smoothstep(0.2, 0.7, art.tongue_tip))
        if tip > 0:  # between the teeth, out in the light
            _lay(picture, self._tip, frame, lip, tip)
        return picture


def _floor(points: np.ndarray) -> np.ndarray:
    return np.floor(points.min(0)).astype(int)


def _ceil(points: np.ndarray) -> np.ndarray:
    return np.ceil(points.max(0)).astype(int)


def _opening(upper: np.ndarray, lower: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    outline = np.concatenate([upper, lower[::-1]])
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (3, 3), 0.7).astype(np.float32) * (1 / 255)


def _lay(picture: np.ndarray, sprite: Sprite, frame: MouthFrame, along: float, amount: float = 1.0) -> None:
    """The sprite's anchor on the point `along` pixels below the mouth's middle."""
    place = frame.origin + frame.down * along
    ax, ay = sprite.anchor
    matrix = np.array(
        [
            [frame.right[0], frame.down[0], place[0] - frame.right[0] * ax - frame.down[0] * ay],
            [frame.right[1], frame.down[1], place[1] - frame.right[1] * ax - frame.down[1] * ay],
        ],
        np.float32,
    )
    size = (picture.shape[1], picture.shape[0])
    laid = np.asarray(cv2.warpAffine(sprite.pixels, matrix, size, flags=cv2.INTER_LINEAR)) * np.float32(amount)
    picture *= 1 - laid[..., 3:]
    picture += laid[..., :3]


def _warmth(skin: np.ndarray) -> float:
    """1 where skin has the colour of skin, 0 in a drawing in grey: it has a grey mouth."""
    return float(smoothstep(0.04, 0.20, (skin.max() - skin.min()) / max(1.0, float(skin.max()))))


def _greyed(colour: np.ndarray, warmth: float) -> np.ndarray:
    grey = np.float32(colour @ (0.114, 0.587, 0.299))
    return np.asarray(grey + (colour - grey) * np.float32(warmth), np.float32)


def _skin_colour(pixels: np.ndarray, face: FaceGeometry) -> np.ndarray:
    """BGR of the cheeks and chin."""
    spots = face.points[[50, 280, 205, 425, 199, 200]]
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(1.0, 0.02 * face.face_width)).astype(np.float32)
    return np.median(look_up(blurred, spots.astype(np.float32)[None])[0], 0)
