"""Vera's eyes and brows."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, colour, curve, moved, over, shade

EYE_X, EYE_Y = 0.083, 0.482
UPPER_LID = (
    (-0.0435, 0.0075),
    (-0.031, -0.0070),
    (-0.009, -0.0188),
    (0.014, -0.0185),
    (0.033, -0.0092),
    (0.0460, -0.0030),
)
LOWER_LID = ((-0.0435, 0.0075), (-0.028, 0.0140), (-0.002, 0.0185), (0.022, 0.0145), (0.0460, -0.0030))
"""From the inner to the outer corner, around the eye's middle."""
IRIS_RADIUS, IRIS_LIFT = 0.0218, 0.0022


def eye(canvas: Canvas, picture: np.ndarray, sign: int) -> None:
    def place(points: tuple[tuple[float, float], ...]) -> np.ndarray:
        return curve([(0.5 + sign * (EYE_X + x), EYE_Y + y) for x, y in points], 120)

    up, low = place(UPPER_LID), place(LOWER_LID)
    ball = canvas.fill(np.concatenate([up, low[::-1]]), 0.0007)
    x, y = 0.5 + sign * (EYE_X + 0.0005), EYE_Y - IRIS_LIFT
    white = np.broadcast_to(colour("#f1ebe6"), picture.shape).copy()
    white *= (0.70 + 0.30 * canvas.spot(x, EYE_Y + 0.004, 0.034, 0.022))[..., None]
    over(white, colour("#d9a193"), canvas.spot(0.5 + sign * (EYE_X - 0.041), EYE_Y + 0.0065, 0.0055, 0.0045) * 0.9)
    _iris(canvas, white, x, y)
    shade(white, np.array([0.46, 0.40, 0.42], np.float32), canvas.stroke(moved(up, 0, 0.0030), 0.0100, 0.0028) * 0.8)
    for dx, dy, radius, strength in ((-0.0070, -0.0075, 0.0046, 1.0), (0.0078, 0.0078, 0.0021, 0.5)):
        over(
            white,
            np.float32(1.0),
            canvas.blur(((canvas.x - x - dx) ** 2 + (canvas.y - y - dy) ** 2 < radius**2).astype(np.float32), 0.0007)
            * strength,
        )
    over(picture, white, ball)
    swell = np.sin(np.linspace(0.10, np.pi, len(up)))
    crease = place(tuple((px * 1.04, py - 0.0135 + 0.004 * abs(px) / 0.045) for px, py in UPPER_LID[:]))[14:-4]
    shade(picture, np.array([0.55, 0.38, 0.34], np.float32), canvas.stroke(crease, 0.0030, 0.0020) * 0.65)
    over(picture, colour("#c98f80"), canvas.stroke(moved(low, 0, 0.0012), 0.0022, 0.0010) * 0.6)
    shade(
        picture,
        np.array([0.45, 0.30, 0.27], np.float32),
        canvas.stroke(moved(low[45:], 0, 0.0006), 0.0020, 0.0011) * 0.75,
    )
    lash = canvas.stroke(
        up - (0, 0.0008), 0.0016 + 0.0044 * np.linspace(0.35, 1, len(up)) * np.clip(swell + 0.35, 0, 1), 0.0006
    )
    over(picture, colour("#20120f"), lash * 0.96)
    random = np.random.default_rng(3)
    for t in np.linspace(0.42, 0.995, 22):
        root = up[int(t * (len(up) - 1))]
        length = 0.0035 + 0.0085 * t**2 + random.normal(0, 0.0006)
        lean = sign * (0.05 + 1.20 * t) + random.normal(0, 0.05)
        tip = root + length * np.array([np.sin(lean), -np.cos(lean)])
        bend = (root + tip) / 2 + np.array([sign * 0.0016, 0.0018])
        over(
            picture,
            colour("#20120f"),
            canvas.stroke(curve([tuple(root), tuple(bend), tuple(tip)], 16), np.linspace(0.0019, 0.0003, 16), 0.0003)
            * 0.9,
        )


def _iris(canvas: Canvas, white: np.ndarray, x: float, y: float) -> None:
    radius = IRIS_RADIUS
    dx, dy = canvas.x - x, canvas.y - y
    r = np.sqrt(dx**2 + dy**2) / radius
    angle = np.arctan2(dy, dx)
    fibres = 0.5 + 0.5 * np.sin(angle * 46 + 2.2 * np.sin(angle * 7) + 5 * r) * np.sin(angle * 19 + 1.3)
    tone = 0.42 + 0.30 * fibres * np.clip(1.15 - r, 0, 1) + 0.55 * canvas.spot(x + 0.003, y + 0.010, 0.013, 0.009)
    ink = colour("#2f5d4e") + (colour("#8fb894") - colour("#2f5d4e")) * np.clip(tone, 0, 1)[..., None]
    over(ink, colour("#8a6a3a"), np.exp(-(((r - 0.50) / 0.13) ** 2)) * 0.55)
    over(ink, colour("#16261f"), np.clip((r - 0.80) / 0.20, 0, 1) ** 1.5 * 0.92)
    over(ink, colour("#0a0908"), 1 / (1 + np.exp(np.clip((r - 0.42) / 0.018, -30, 30))))
    over(white, ink.astype(np.float32), canvas.blur((r < 1).astype(np.float32), 0.0011))


def brow(canvas: Canvas, picture: np.ndarray, sign: int) -> None:
    spine = curve(
        [
            (0.5 + sign * x, y)
            for x, y in ((0.036, 0.4325), (0.062, 0.4215), (0.092, 0.4155), (0.118, 0.4215), (0.136, 0.4330))
        ],
        100,
    )
    width = np.interp(np.linspace(0, 1, 100), (0, 0.12, 0.5, 1), (0.0085, 0.0128, 0.0112, 0.0015))
    over(picture, colour("#4a2e22"), canvas.stroke(spine, width, 0.0026) * 0.62)
    random = np.random.default_rng(8)
    ink = np.zeros(picture.shape[:2], np.float32)
    for t in np.linspace(0.0, 0.96, 150):
        i = int(t * 99)
        off = random.uniform(-0.46, 0.46) * width[i]
        root = spine[i] + (0, off)
        lean = sign * (0.45 + 1.05 * t) + random.normal(0, 0.10)
        length = (0.0125 - 0.0055 * t) * random.uniform(0.8, 1.15)
        rise = 1.0 if off > -0.1 * width[i] else 0.35
        tip = root + length * np.array([np.sin(lean), -np.cos(lean) * rise])
        ink = np.maximum(ink, canvas.stroke(np.linspace(root, tip, 6), np.linspace(0.0015, 0.0004, 6), 0.0003))
    over(picture, colour("#3a231a"), ink * 0.62)
