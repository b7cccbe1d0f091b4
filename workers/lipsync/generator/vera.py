"""Paints Vera, the reference portrait: `python -m workers.lipsync.generator.vera -o static/avatars/vera`.

A made-up person, so no one's likeness is used. Shapes and numbers below were tuned by looking.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from broker.config import load
from workers.lipsync import landmarks as mesh
from workers.lipsync.avatars import save_points
from workers.lipsync.generator.canvas import Canvas, colour, curve, mirrored, moved, over, shade, to_screen
from workers.lipsync.generator.skin import Relief, lit
from workers.lipsync.generator.vera_eyes import EYE_X, EYE_Y, IRIS_LIFT, IRIS_RADIUS, LOWER_LID, UPPER_LID, brow, eye
from workers.lipsync.generator.vera_hair import back_hair, front_hair
from workers.lipsync.generator.vera_mouth import LIP_LINE, LOWER_LIP, MOUTH_Y, UPPER_LIP, lip, mouth
from workers.lipsync.landmark_finder import LandmarkFinder

SIDE = 1024
FRAME = (0.045, 0.030, 0.91)
"""Left, top and side of the part of the painting that is shown."""
POSTER_SIDE = 512
"""What a page shows before the first picture of a call."""
SUPERSAMPLE = 2

SKIN, BLUSH = colour("#eab897"), colour("#e08a78")
TOP, BACK_LIGHT, BACK_DARK = colour("#2f7f86"), colour("#cfdadb"), colour("#7f9aa3")

FACE = mirrored(
    [(0, 0.225), (0.085, 0.238), (0.146, 0.285), (0.174, 0.365), (0.178, 0.45), (0.172, 0.53), (0.155, 0.60),
     (0.120, 0.665), (0.073, 0.710), (0.031, 0.728), (0, 0.731)]
)  # fmt: skip
NECK = [
    (0, 0.60), (0.088, 0.62), (0.086, 0.72), (0.094, 0.785), (0.135, 0.825), (0.20, 0.87), (0.16, 1.02), (0, 1.02)
]  # fmt: skip
SHIRT = [
    (0, 0.922), (0.055, 0.908), (0.105, 0.865), (0.142, 0.829), (0.20, 0.848), (0.30, 0.885), (0.38, 0.93),
    (0.44, 1.05), (0, 1.05)
]  # fmt: skip
COLLAR = (
    (0.358, 0.829), (0.395, 0.865), (0.445, 0.908), (0.5, 0.922), (0.555, 0.908), (0.605, 0.865), (0.642, 0.829)
)  # fmt: skip


def paint(side: int) -> np.ndarray:
    """(side, side, 3) uint8 BGR."""
    canvas = Canvas(side)
    picture = _background(canvas)
    back_hair(canvas, picture)
    _body(canvas, picture)
    face = canvas.fill(curve(FACE, 400, closed=True), 0.0008)
    over(picture, _face_skin(canvas, face), face)
    _nose_lines(canvas, picture)
    mouth(canvas, picture)
    for sign in (-1, 1):
        eye(canvas, picture, sign)
        brow(canvas, picture, sign)
    front_hair(canvas, picture)
    return to_screen(picture)


def _background(canvas: Canvas) -> np.ndarray:
    glow = canvas.spot(0.38, 0.36, 0.42, 0.42)
    picture = BACK_DARK + (BACK_LIGHT - BACK_DARK) * glow[..., None]
    return np.ascontiguousarray(picture, np.float32)


def _body(canvas: Canvas, picture: np.ndarray) -> None:
    neck = curve(mirrored(NECK), 300, closed=True)
    mask = canvas.fill(neck, 0.001)
    height = canvas.inflate(canvas.fill(neck, 0.0), 0.085) * 0.75
    height += 0.005 * canvas.spot(0.455, 0.81, 0.014, 0.05, 0.5) + 0.005 * canvas.spot(0.545, 0.81, 0.014, 0.05, -0.5)
    height -= 0.005 * canvas.spot(0.5, 0.855, 0.014, 0.012)
    height = canvas.blur(height, 0.008)
    flesh = lit(canvas, Relief(height, np.full_like(height, 0.3)), np.broadcast_to(SKIN * 0.97, picture.shape))
    cast = canvas.fill(moved(curve(FACE, 300, closed=True), 0.012, 0.060), 0.020)
    shade(flesh, np.array([0.56, 0.42, 0.38], np.float32), cast)
    over(picture, flesh, mask)
    shirt = curve(mirrored(SHIRT), 300, closed=True)
    cloth_mask = canvas.fill(shirt, 0.0012)
    over(picture, np.float32(0.0), canvas.fill(shirt - (0, 0.004), 0.006) * mask * 0.28)
    cloth = canvas.inflate(canvas.fill(shirt, 0.0), 0.10) * 0.8
    for x, y, turn in ((0.33, 0.965, 0.5), (0.67, 0.965, -0.5), (0.42, 0.985, 0.25), (0.60, 0.99, -0.2)):
        cloth += 0.010 * canvas.spot(x, y, 0.010, 0.045, turn)
    knit = 0.0009 * np.sin(canvas.x * 900 + 14 * np.sin(canvas.y * 40)) * np.sin(canvas.y * 700)
    cloth = canvas.blur(cloth, 0.006) + knit.astype(np.float32)
    over(picture, lit(canvas, Relief(cloth, np.zeros_like(cloth)), np.broadcast_to(TOP, picture.shape)), cloth_mask)
    for depth in (0.0, 0.012):
        edge = moved(curve(COLLAR), 0, depth)
        shade(picture, np.array([0.62, 0.66, 0.68], np.float32), canvas.stroke(edge, 0.003, 0.0012) * cloth_mask)


def _face_skin(canvas: Canvas, face: np.ndarray) -> np.ndarray:
    spot = canvas.spot
    dome = np.sqrt(np.maximum(1 - ((canvas.x - 0.5) / 0.215) ** 2 - ((canvas.y - 0.47) / 0.33) ** 2, 0.0)) * 0.13
    height = dome.astype(np.float32) + 0.45 * canvas.inflate(face, 0.07)
    height = canvas.blur(height, 0.012)
    height += 0.010 * spot(0.5, 0.37, 0.07, 0.05)
    # The nose: a bridge that rises to the tip, wings beside it.
    along = np.clip((canvas.y - 0.435) / 0.15, 0, 1)
    end = 1 / (1 + np.exp(np.clip((canvas.y - 0.594) / 0.0055, -30, 30)))
    bridge = np.exp(-(((canvas.x - 0.5) / (0.0135 + 0.010 * along)) ** 2) / 2)
    height += (
        bridge * (0.004 + 0.024 * along**1.4) * end / (1 + np.exp(np.clip((0.43 - canvas.y) / 0.012, -30, 30)))
    ).astype(np.float32)
    height += 0.017 * spot(0.5, 0.580, 0.0165, 0.0145)
    for sign in (-1, 1):
        side = 0.5 + sign * EYE_X
        height += 0.0085 * spot(0.5 + sign * 0.0265, 0.588, 0.0095, 0.0105)
        height -= 0.019 * spot(side - sign * 0.004, EYE_Y - 0.004, 0.044, 0.026)
        height += 0.012 * spot(side, EYE_Y, 0.030, 0.020)
        height += 0.006 * spot(side, 0.425, 0.045, 0.014)
        height += 0.017 * spot(0.5 + sign * 0.106, 0.572, 0.040, 0.034)
        height -= 0.0035 * spot(0.5 + sign * 0.062, 0.612, 0.007, 0.024, sign * 0.55)
        height -= 0.003 * spot(0.5 + sign * 0.072, MOUTH_Y - 0.002, 0.008, 0.010)
    height += 0.010 * spot(0.5, MOUTH_Y, 0.050, 0.030)
    height -= 0.0045 * spot(0.5, 0.613, 0.006, 0.009)
    height -= 0.007 * spot(0.5, 0.6755, 0.030, 0.007)
    height += 0.010 * spot(0.5, 0.700, 0.028, 0.019)
    albedo = np.broadcast_to(SKIN, (*face.shape, 3)).copy()
    for sign in (-1, 1):
        over(albedo, BLUSH, 0.42 * spot(0.5 + sign * 0.112, 0.572, 0.044, 0.032))
        over(albedo, colour("#c98f7c"), 0.38 * spot(0.5 + sign * EYE_X, 0.452, 0.042, 0.014))
        over(albedo, colour("#cf9180"), 0.22 * spot(0.5 + sign * EYE_X, 0.516, 0.036, 0.010))
    over(albedo, BLUSH, 0.22 * spot(0.5, 0.583, 0.026, 0.016) + 0.12 * spot(0.5, 0.700, 0.03, 0.02))
    gloss = 0.25 + 0.5 * spot(0.5, 0.52, 0.016, 0.09) + 0.4 * spot(0.5, 0.37, 0.09, 0.05)
    skin = lit(canvas, Relief(height, gloss.astype(np.float32)), albedo)
    shade(skin, np.array([0.80, 0.66, 0.60], np.float32), canvas.spot(0.655, 0.60, 0.035, 0.10) * 0.8)
    # The hair's shadow on the forehead and cheeks.
    rim = 1 - canvas.blur(face, 0.020)
    shade(
        skin,
        np.array([0.62, 0.46, 0.40], np.float32),
        np.clip(rim * 1.1 - 0.12, 0, 1) * (0.35 + 0.65 * (canvas.y < 0.40)),
    )
    return skin


def _nose_lines(canvas: Canvas, picture: np.ndarray) -> None:
    for sign in (-1, 1):
        hole = curve(
            [(0.5 + sign * x, y) for x, y in ((0.0085, 0.5985), (0.0150, 0.5955), (0.0225, 0.5985), (0.0160, 0.6015))],
            60,
            True,
        )
        shade(picture, np.array([0.38, 0.20, 0.17], np.float32), canvas.fill(hole, 0.0022) * 0.85)
        wing = curve(
            [(0.5 + sign * x, y) for x, y in ((0.0310, 0.5780), (0.0365, 0.5870), (0.0335, 0.5965), (0.0255, 0.6000))]
        )
        shade(picture, np.array([0.66, 0.48, 0.42], np.float32), canvas.stroke(wing, 0.0042, 0.0030) * 0.6)
    under = canvas.spot(0.5, 0.6075, 0.024, 0.0055)
    shade(picture, np.array([0.72, 0.56, 0.50], np.float32), under * 0.55)


def place_points(found: np.ndarray) -> np.ndarray:
    """(478, 3) points of the side's units as a network saw them, put right where the brush knows better: lids, irises
    and lips."""
    points = found.copy()
    for sign, (upper, lower), iris in zip((-1, 1), mesh.EYES, (mesh.LEFT_IRIS, mesh.RIGHT_IRIS), strict=True):
        for indices, lid in ((upper, UPPER_LID), (lower, LOWER_LID)):
            edge = curve([(0.5 + sign * (EYE_X + x), EYE_Y + y) for x, y in lid], len(indices))
            points[list(indices), :2] = _in_frame(
                edge[::sign]
            )  # lids are given from the inner corner, points from the left
        middle = np.array([0.5 + sign * (EYE_X + 0.0005), EYE_Y - IRIS_LIFT])
        rim = IRIS_RADIUS * np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)])
        points[list(iris), :2] = _in_frame(middle + rim)
    for line, outer in ((UPPER_LIP, mesh.UPPER_LIP_OUTER), (LOWER_LIP, mesh.LOWER_LIP_OUTER)):
        points[list(outer), :2] = _in_frame(lip(line, len(outer)))
    inner = _in_frame(lip(LIP_LINE, 160))[np.linspace(9, 150, len(mesh.UPPER_LIP_INNER)).astype(int)]
    points[list(mesh.UPPER_LIP_INNER), :2] = inner
    points[list(mesh.LOWER_LIP_INNER), :2] = inner
    return points


def paint_portrait(side: int) -> np.ndarray:
    """(side, side, 3) uint8 BGR: what is shown of the painting."""
    large = _framed(paint(round(side * SUPERSAMPLE / FRAME[2])))
    return cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)


def _framed(painting: np.ndarray) -> np.ndarray:
    left, top, side = (round(part * painting.shape[0]) for part in FRAME)
    return painting[top : top + side, left : left + side]


def _in_frame(points: np.ndarray) -> np.ndarray:
    """The painting's coordinates as the portrait's."""
    return (points - FRAME[:2]) / FRAME[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True, help="the avatar's folder")
    parser.add_argument("--side", type=int, default=SIDE)
    options = parser.parse_args()
    portrait = paint_portrait(options.side)
    found = LandmarkFinder(load().path("weights") / "mediapipe").find(portrait)
    if found is None:
        raise SystemExit("No face is seen in what was painted.")
    points = found.points.copy()
    points[:, :2] = (points[:, :2] + 0.5) / options.side
    points[:, 2] = (points[:, 2] - points[[mesh.LEFT_CHEEK, mesh.RIGHT_CHEEK], 2].mean()) / options.side
    options.out.mkdir(parents=True, exist_ok=True)
    poster = cv2.resize(portrait, (POSTER_SIDE, POSTER_SIDE), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(options.out / "portrait.jpg"), portrait, [cv2.IMWRITE_JPEG_QUALITY, 93])
    cv2.imwrite(str(options.out / "poster.jpg"), poster, [cv2.IMWRITE_JPEG_QUALITY, 88])
    save_points(place_points(points), options.out / "portrait.json")


if __name__ == "__main__":
    main()
