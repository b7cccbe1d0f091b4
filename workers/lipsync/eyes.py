"""Eyes that look and blink: patches drawn into the portrait before it is warped.

Lids are painted, not stretched: skin of the lid and of below the eye, shaded like a ball, with the portrait's own lash
line. Stretching the narrow strip of lid a photograph shows smears its shadow over the whole eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from workers.lipsync import landmarks as mesh
from workers.lipsync.geometry import FaceGeometry, smoothstep
from workers.lipsync.warp_field import look_up

LID_LEVELS = 12
GAZE_ACROSS, GAZE_UP = 0.125, 0.07
"""Way of the iris at full gaze, in eye widths."""
SAME_GAZE = 0.005
SUPERSAMPLE = 4
BELOW = 0.075
"""How far a shut lid reaches below the points of the lower one, in eye widths: large eyes are larger than they say."""


@dataclass(frozen=True)
class _Eye:
    box: tuple[int, int, int, int]
    rest: np.ndarray
    """(h, w, 3) uint8: the portrait's own."""
    white: np.ndarray
    """(h, w, 3) float32: the eye without its iris."""
    iris: np.ndarray
    """(h, w, 4) float32: whole, premultiplied, alpha 0..1."""
    opening: np.ndarray
    """(h, w, 1) float32 0..1: between the lids."""
    lids: tuple[np.ndarray, ...]
    """LID_LEVELS of (h, w, 4) float32 premultiplied, from just closing to shut."""
    width: float


class Eyes:
    """Both eyes of one portrait at one size."""

    def __init__(self, pixels: np.ndarray, face: FaceGeometry) -> None:
        self._eyes = [
            _build_eye(pixels, face, upper, lower, iris)
            for (upper, lower), iris in zip(mesh.EYES, (mesh.LEFT_IRIS, mesh.RIGHT_IRIS), strict=True)
        ]
        self._right, self._down = face.right, face.down
        self._gaze = (0.0, 0.0)
        self._looked = [eye.rest for eye in self._eyes]
        """As they look at `_gaze`: eyes rest on a place for many pictures."""

    def paint(self, pixels: np.ndarray, gaze: tuple[float, float], blink: float) -> None:
        """Into `pixels` (size, size, 3 or 4), whatever was painted there before."""
        lowered = max(0.0, -gaze[1]) * 0.30  # lids follow eyes that look down
        level = round(min(1.0, blink + lowered * (1 - blink)) * LID_LEVELS)
        if abs(gaze[0] - self._gaze[0]) + abs(gaze[1] - self._gaze[1]) > SAME_GAZE:
            self._gaze = gaze
            straight = abs(gaze[0]) + abs(gaze[1]) < 2 * SAME_GAZE
            self._looked = [eye.rest if straight else self._looking(eye, gaze) for eye in self._eyes]
        for eye, drawn in zip(self._eyes, self._looked, strict=True):
            x0, y0, x1, y1 = eye.box
            if level:
                lid = eye.lids[level - 1]
                drawn = (drawn * (1 - lid[..., 3:]) + lid[..., :3] + 0.5).astype(np.uint8)
            pixels[y0:y1, x0:x1, :3] = drawn

    def _looking(self, eye: _Eye, gaze: tuple[float, float]) -> np.ndarray:
        way = self._right * (gaze[0] * GAZE_ACROSS * eye.width) - self._down * (gaze[1] * GAZE_UP * eye.width)
        shift = np.array([[1, 0, way[0]], [0, 1, way[1]]], np.float32)
        iris = cv2.warpAffine(eye.iris, shift, (eye.iris.shape[1], eye.iris.shape[0]), flags=cv2.INTER_LINEAR)
        ball = eye.white * (1 - iris[..., 3:]) + iris[..., :3]
        return (eye.rest + eye.opening * (ball - eye.rest) + 0.5).clip(0, 255).astype(np.uint8)


def _build_eye(
    pixels: np.ndarray, face: FaceGeometry, upper: tuple[int, ...], lower: tuple[int, ...], iris: tuple[int, ...]
) -> _Eye:
    size = pixels.shape[0]
    up, low = _fine(face.points[list(upper)]), _fine(face.points[list(lower)])
    width = float(np.linalg.norm(up[-1] - up[0]))
    both = np.concatenate([up, low])
    x0, y0 = (max(0, int(v)) for v in both.min(0) - width * np.array([0.30, 0.42]))
    x1, y1 = (min(size, int(v) + 1) for v in both.max(0) + width * 0.30)
    rest = pixels[y0:y1, x0:x1].copy()
    corner = np.array([x0, y0])
    opening = _polygon(np.concatenate([up, low[::-1]]) - corner, rest.shape[:2])
    opening = cv2.GaussianBlur(opening, (0, 0), max(0.5, 0.012 * width))[..., None]
    centre = face.points[iris[0]] - corner
    radius = float(np.linalg.norm(face.points[list(iris[1:])] - face.points[iris[0]], axis=1).mean())
    white = _white(rest, opening[..., 0], centre, radius)
    return _Eye(
        (x0, y0, x1, y1),
        rest,
        white,
        _iris(rest, opening[..., 0], centre, radius),
        opening,
        _lids(rest, up - corner, low - corner, width),
        width,
    )


def _fine(points: np.ndarray, count: int = 33) -> np.ndarray:
    knots = np.arange(len(points))
    return CubicSpline(knots, points)(np.linspace(0, len(points) - 1, count))


def _polygon(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _around(shape: tuple[int, ...], centre: np.ndarray) -> np.ndarray:
    """(h, w, 2) offsets from `centre`."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return np.dstack([xs - centre[0], ys - centre[1]])


def _white(rest: np.ndarray, opening: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """The eye with its iris painted over by the white's own colour, from left to right, darker under the upper lid."""
    offset = _around(rest.shape, centre)
    distance = np.linalg.norm(offset, axis=2)
    seen = (opening > 0.95) & (distance > 1.25 * radius)
    colours = []
    for sign in (-1, 1):
        part = rest[seen & (offset[..., 0] * sign > 0)].astype(np.float32)
        if len(part) >= 4:
            bright = part[part.sum(1) >= np.percentile(part.sum(1), 70)]  # neither veins nor the corner's red
            colours.append(bright.mean(0))
    if not colours:
        colours = [np.array([205, 208, 212], np.float32)]
    left, right = colours[0], colours[-1]
    share = np.clip(offset[..., :1] / (4 * radius) + 0.5, 0, 1)
    shade = 1 - 0.35 * smoothstep(-0.15 * radius, -1.1 * radius, offset[..., 1]).astype(np.float32)
    fill = (left * (1 - share) + right * share) * shade[..., None]
    gone = (1 - smoothstep(1.16 * radius, 1.40 * radius, distance)).astype(np.float32)[..., None]
    return (rest * (1 - gone) + fill * gone).astype(np.float32)


def _iris(rest: np.ndarray, opening: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """The whole iris: what the lids hide is taken from its other half, turned by 180°."""
    turn = np.array([[-1, 0, 2 * centre[0]], [0, -1, 2 * centre[1]]], np.float32)
    size = (rest.shape[1], rest.shape[0])
    turned = cv2.warpAffine(rest, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(cv2.erode(opening, np.ones((3, 3), np.uint8)), (0, 0), 0.8)
    seen_turned = cv2.warpAffine(seen, turn, size, flags=cv2.INTER_LINEAR)
    other = turned * seen_turned[..., None] + rest * 0.75 * (1 - seen_turned[..., None])
    whole = rest * seen[..., None] + other * (1 - seen[..., None])
    distance = np.linalg.norm(_around(rest.shape, centre), axis=2)
    alpha = (1 - smoothstep(1.04 * radius, 1.20 * radius, distance)).astype(np.float32)[..., None]
    return np.concatenate([whole * alpha, alpha], 2).astype(np.float32)


def _lids(rest: np.ndarray, up: np.ndarray, low: np.ndarray, width: float) -> tuple[np.ndarray, ...]:
    skin, eye = _skin_without_eye(rest, up, low, width)
    lash = _lash_colour(rest, up)
    return tuple(_lid(skin, eye, up, low, (level + 1) / LID_LEVELS, width, lash) for level in range(LID_LEVELS))


def _skin_without_eye(rest: np.ndarray, up: np.ndarray, low: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) float32: the eye and its lashes filled from the skin around; (h, w) 0..1: where."""
    arch = np.sin(np.linspace(0, np.pi, len(up)))[:, None]
    outline = np.concatenate(
        [up - (0.035 + 0.085 * arch) * (0, width), (low + (0.025 + 0.02 * arch) * (0, width))[::-1]]
    )
    around = max(1, round(0.05 * width))
    eye = _polygon(outline, rest.shape[:2])
    eye = cv2.dilate(eye, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * around + 1, 2 * around + 1)))
    hidden = cv2.dilate((eye > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) * 255
    filled = cv2.inpaint(rest, hidden, 5, cv2.INPAINT_TELEA)
    # Rough to smooth: only the broad light of the filling, and a little of the skin's grain.
    smooth = cv2.GaussianBlur(filled, (0, 0), 0.09 * width).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 1, rest.shape[:2]).astype(np.float32)
    smooth += 1.2 * cv2.GaussianBlur(grain, (0, 0), 0.8)[..., None]
    return smooth, cv2.GaussianBlur(eye, (0, 0), 0.03 * width)


def _lash_colour(rest: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The darkest quarter of what lies along the upper lid's edge."""
    at = up[6:-6].astype(np.float32)[None]
    colours = look_up(cv2.GaussianBlur(rest, (0, 0), 0.7).astype(np.float32), at)[0]
    order = colours.sum(1).argsort()
    return colours[order[: max(1, len(order) // 4)]].mean(0) * 0.8


def _lid(
    skin: np.ndarray, eye: np.ndarray, up: np.ndarray, low: np.ndarray, closed: float, width: float, lash: np.ndarray
) -> np.ndarray:
    """One level, (h, w, 4) float32 premultiplied: skin where the eye was, down to the lid's moving edge."""
    scale = SUPERSAMPLE
    size = (skin.shape[1] * scale, skin.shape[0] * scale)
    arch = np.sin(np.linspace(0, np.pi, len(up)))
    edge = up + (low - up) * closed + arch[:, None] * (0, BELOW * width * closed)
    columns = (np.arange(size[0]) + 0.5) / scale - 0.5
    rows = (np.arange(size[1]) + 0.5) / scale - 0.5
    end = np.interp(columns, edge[:, 0], edge[:, 1])
    above = end[None] - rows[:, None]  # pixels above the lid's edge
    covered = np.clip(above * scale / 2 + 0.5, 0, 1)
    alpha = cv2.resize(eye, size, interpolation=cv2.INTER_LINEAR) * covered
    # Light on a ball: brightest a third above the edge, in shade at the edge itself.
    height = max(1.0, float((edge - up)[:, 1].max()) + 0.12 * width)
    v = np.clip(above / height, 0, 1)
    shade = 1 + 0.045 * np.exp(-(((v - 0.42) / 0.22) ** 2)) - 0.13 * np.exp(-((v / 0.16) ** 2))
    # Paper is as white as can be: on it the light of the ball must not go beyond.
    lit = np.minimum(cv2.resize(skin, size, interpolation=cv2.INTER_LINEAR) * shade[..., None], 255)
    picture = np.concatenate([lit * alpha[..., None], alpha[..., None]], 2).astype(np.float32)
    line = np.zeros(size[::-1], np.float32)
    at = [np.round((edge * scale + (scale - 1) / 2) * 16).astype(np.int32)]
    cv2.polylines(line, at, False, 1.0, max(1, round(0.042 * width * scale)), cv2.LINE_8, 4)
    ends = np.interp(columns, edge[:, 0], arch**0.5, left=0, right=0)
    line = cv2.GaussianBlur(line, (0, 0), 0.5 * scale) * (0.85 * ends[None]).astype(np.float32)
    picture *= 1 - line[..., None]
    picture[..., :3] += lash * line[..., None]
    picture[..., 3] += line
    return cv2.resize(picture, (skin.shape[1], skin.shape[0]), interpolation=cv2.INTER_AREA)
