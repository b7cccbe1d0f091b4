"""Neck, ears and the skin of the face."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, colour, curve, mirrored, moved, over, shade
from workers.lipsync.generator.character import Beard, Character, Skin
from workers.lipsync.generator.skin import Relief, lit, shadow_tint

EAR = (
    (0.160, 0.480), (0.176, 0.456), (0.195, 0.452), (0.2045, 0.472), (0.202, 0.505), (0.194, 0.532), (0.185, 0.556),
    (0.173, 0.566), (0.160, 0.552)
)  # fmt: skip
HELIX = ((0.176, 0.470), (0.188, 0.462), (0.1955, 0.474), (0.194, 0.503), (0.187, 0.528))
CONCHA = ((0.176, 0.492), (0.187, 0.489), (0.186, 0.512), (0.178, 0.532), (0.172, 0.520))


def neck(canvas: Canvas, picture: np.ndarray, person: Character) -> None:
    outline = curve(mirrored(person.head.neck), 300, closed=True)
    height = canvas.inflate(canvas.fill(outline), 0.085) * 0.75
    for sign in (-1, 1):
        height += 0.005 * canvas.spot(0.5 + sign * 0.045, 0.81, 0.014, 0.05, -sign * 0.5)
    height -= 0.005 * canvas.spot(0.5, 0.855, 0.014, 0.012)
    height = canvas.blur(height, 0.008)
    albedo = np.broadcast_to(colour(person.skin.base) * 0.97, picture.shape)
    flesh = lit(canvas, Relief(height, np.full_like(height, 0.3 * person.skin.gloss)), albedo)
    cast = canvas.fill(moved(_outline(person), 0.012, 0.060), 0.020)
    shade(flesh, shadow_tint(person.skin.shadow, 1.15), cast)
    over(picture, flesh, canvas.fill(outline, 0.001))


def ears(canvas: Canvas, picture: np.ndarray, skin: Skin) -> None:
    for sign in (-1, 1):
        outline = curve([(0.5 + sign * x, y) for x, y in EAR], 200, closed=True)
        helix, concha = (np.array([(0.5 + sign * x, y) for x, y in line]) for line in (HELIX, CONCHA))
        mask = canvas.fill(outline, 0.0009)
        height = canvas.blur(canvas.inflate(canvas.fill(outline), 0.016), 0.0025)
        height -= 0.006 * canvas.fill(curve(concha, 100, closed=True), 0.005)
        albedo = np.broadcast_to(colour(skin.base), picture.shape).copy()
        over(albedo, colour(skin.blush), mask * 0.35)
        flesh = lit(canvas, Relief(height, np.full_like(height, 0.25 * skin.gloss)), albedo)
        shade(flesh, shadow_tint(skin.shadow, 1.3), canvas.fill(curve(concha, 100, closed=True), 0.004) * 0.8)
        shade(flesh, shadow_tint(skin.shadow, 1.0), canvas.stroke(curve(helix), 0.0034, 0.0020) * 0.7)
        shade(flesh, shadow_tint(skin.shadow, 0.7), canvas.blur(canvas.fill(_side(sign, 0.168)), 0.010) * 0.8)
        over(picture, flesh, mask)


def face(canvas: Canvas, picture: np.ndarray, person: Character) -> None:
    mask = canvas.fill(_outline(person), 0.0008)
    skin = lit(canvas, _relief(canvas, person, canvas.fill(_outline(person))), _colours(canvas, person))
    tint = person.skin.shadow
    shade(skin, shadow_tint(tint, 0.5), canvas.spot(0.655, 0.60, 0.035, 0.10) * 0.8)
    # The hair's shadow on the forehead, and the face's turning away at its sides.
    rim = np.clip((1 - canvas.blur(mask, 0.020)) * 1.1 - 0.12, 0, 1)
    shade(skin, shadow_tint(tint, 1.0), rim * (0.35 + 0.65 * (canvas.y < 0.40)))
    over(picture, skin, mask)
    _nose_lines(canvas, picture, person)
    _life(canvas, picture, person)


def stubble(canvas: Canvas, picture: np.ndarray, person: Character, beard: Beard) -> None:
    """Before the mouth is painted."""
    area = canvas.fill(curve(mirrored(beard.outline), 300, closed=True), 0.012)
    bare = canvas.fill(curve(mirrored(beard.free), 200, closed=True), 0.005)
    inside = canvas.fill(_outline(person), 0.002)
    area = area * (1 - bare) * inside
    shade(picture, colour(beard.ground) / np.maximum(colour(person.skin.base), 0.01), area * beard.strength)
    random = np.random.default_rng(11)
    rows, columns = np.nonzero(area > 0.15)
    for code in beard.hairs:
        lines, widths = [], []
        for at in random.integers(0, len(rows), 2200):
            root = np.array([columns[at], rows[at]]) / canvas.side
            if random.uniform() > area[rows[at], columns[at]]:
                continue
            lean = np.arctan2(0.9, (root[0] - 0.5) * 2.5) + random.normal(0, 0.35)
            tip = root + random.uniform(0.0022, 0.0045) * np.array([np.cos(lean), np.sin(lean)])
            lines.append(np.linspace(root, tip, 3))
            widths.append(random.uniform(0.0006, 0.0011))
        over(picture, colour(code), canvas.hairs(lines, widths) * area * beard.strength * 0.8)


def _outline(person: Character) -> np.ndarray:
    return curve(mirrored(person.head.outline), 400, closed=True)


def _side(sign: int, x: float) -> np.ndarray:
    return np.array([(0.5, 0.3), (0.5 + sign * x, 0.3), (0.5 + sign * x, 0.7), (0.5, 0.7)])


def _relief(canvas: Canvas, person: Character, mask: np.ndarray) -> Relief:
    spot, eyes, mouth_y = canvas.spot, person.eyes, person.mouth.y
    dome = np.sqrt(np.maximum(1 - ((canvas.x - 0.5) / 0.215) ** 2 - ((canvas.y - 0.47) / 0.33) ** 2, 0.0)) * 0.13
    height = canvas.blur(dome.astype(np.float32) + 0.45 * canvas.inflate(mask, 0.07), 0.012)
    height += 0.010 * spot(0.5, 0.37, 0.07, 0.05)
    height += _nose(canvas, person)
    for sign in (-1, 1):
        side = 0.5 + sign * eyes.x
        height -= 0.019 * spot(side - sign * 0.004, eyes.y - 0.004, 0.044, 0.026)
        height += 0.012 * spot(side, eyes.y, 0.030, 0.020)
        height += 0.006 * spot(side, 0.425, 0.045, 0.014)
        height += 0.018 * person.head.cheek * spot(0.5 + sign * 0.106, 0.568, 0.040, 0.032)
        height -= 0.0036 * spot(0.5 + sign * 0.064, 0.612, 0.007, 0.024, sign * 0.55)
        height -= 0.003 * spot(0.5 + sign * 0.074, mouth_y - 0.002, 0.008, 0.010)
    height += 0.010 * spot(0.5, mouth_y, 0.050, 0.030)
    height -= 0.0045 * spot(0.5, mouth_y - 0.031, 0.006, 0.009)
    height -= 0.007 * spot(0.5, mouth_y + 0.0315, 0.030, 0.007)
    height += 0.010 * person.head.chin * spot(0.5, mouth_y + 0.056, 0.028, 0.019)
    gloss = 0.25 + 0.5 * spot(0.5, 0.52, 0.016, 0.09) + 0.4 * spot(0.5, 0.37, 0.09, 0.05)
    for sign in (-1, 1):
        gloss += 0.25 * spot(0.5 + sign * 0.105, 0.545, 0.032, 0.018)
    return Relief(height, (gloss * person.skin.gloss).astype(np.float32))


def _nose(canvas: Canvas, person: Character) -> np.ndarray:
    """A bridge that rises to the tip, wings beside it."""
    nose = person.nose
    low = nose.tip_y - 0.580
    along = np.clip((canvas.y - 0.435) / (0.15 + low), 0, 1)
    end = 1 / (1 + np.exp(np.clip((canvas.y - 0.594 - low) / 0.0055, -30, 30)))
    begin = 1 / (1 + np.exp(np.clip((0.43 - canvas.y) / 0.012, -30, 30)))
    bridge = np.exp(-(((canvas.x - 0.5) / (nose.width * (0.0135 + 0.010 * along))) ** 2) / 2)
    height = bridge * (0.004 + 0.024 * along**1.4) * end * begin * nose.bridge
    height += 0.017 * canvas.spot(0.5, nose.tip_y, 0.0165 * nose.width, 0.0145)
    for sign in (-1, 1):
        height += 0.0085 * canvas.spot(0.5 + sign * 0.0275 * nose.width, nose.tip_y + 0.008, 0.0095, 0.0105)
    return height.astype(np.float32)


def _colours(canvas: Canvas, person: Character) -> np.ndarray:
    skin, eyes, spot = person.skin, person.eyes, canvas.spot
    albedo = np.broadcast_to(colour(skin.base), (canvas.side, canvas.side, 3)).copy()
    for sign in (-1, 1):
        over(albedo, colour(skin.blush), 0.40 * spot(0.5 + sign * 0.112, 0.570, 0.044, 0.032))
        over(albedo, colour(skin.lid), 0.38 * spot(0.5 + sign * eyes.x, eyes.y - 0.030, 0.042, 0.014))
        over(albedo, colour(skin.lid), 0.22 * spot(0.5 + sign * eyes.x, eyes.y + 0.034, 0.036, 0.010))
    nose_and_chin = 0.22 * spot(0.5, person.nose.tip_y + 0.003, 0.026, 0.016) + 0.12 * spot(0.5, 0.700, 0.03, 0.02)
    over(albedo, colour(skin.blush), nose_and_chin)
    return albedo


def _nose_lines(canvas: Canvas, picture: np.ndarray, person: Character) -> None:
    wide, low, tint = person.nose.width, person.nose.tip_y - 0.580, person.skin.shadow
    for sign in (-1, 1):
        hole = [(0.0115, 0.5988), (0.0175, 0.5955), (0.0245, 0.5978), (0.0180, 0.6010)]
        nostril = curve([(0.5 + sign * wide * x, y + low) for x, y in hole], 60, closed=True)
        shade(picture, shadow_tint(tint, 1.9), canvas.fill(nostril, 0.0018) * 0.85)
        edge = [(0.0310, 0.5760), (0.0375, 0.5865), (0.0345, 0.5965), (0.0265, 0.6000)]
        wing = curve([(0.5 + sign * wide * x, y + low) for x, y in edge])
        shade(picture, shadow_tint(tint, 0.9), canvas.stroke(wing, 0.0042, 0.0028) * 0.65)
    shade(picture, shadow_tint(tint, 0.7), canvas.spot(0.5, 0.6075 + low, 0.022 * wide, 0.0050) * 0.5)


def _life(canvas: Canvas, picture: np.ndarray, person: Character) -> None:
    """The fold from nose to mouth that a smile makes, and with the years lines on the forehead."""
    lines, tint = person.skin.lines, person.skin.shadow
    for sign in (-1, 1):
        fold = curve([(0.5 + sign * x, y) for x, y in ((0.044, 0.594), (0.064, 0.612), (0.077, 0.634))])
        width = 0.0015 + 0.0040 * np.sin(np.linspace(0, np.pi, len(fold)))
        shade(picture, shadow_tint(tint, 0.9), canvas.stroke(fold, width, 0.0032) * (0.26 + 0.5 * lines))
    if lines:
        for y, half in ((0.352, 0.075), (0.380, 0.085)):
            crease = curve(
                [
                    (0.5 - half, y + 0.004),
                    (0.46, y - 0.001),
                    (0.5, y + 0.002),
                    (0.54, y - 0.001),
                    (0.5 + half, y + 0.004),
                ]
            )
            width = 0.0026 * np.sin(np.linspace(0, np.pi, len(crease))) ** 0.6
            shade(picture, shadow_tint(tint, 0.8), canvas.stroke(crease, width, 0.0024) * 0.5 * lines)
