"""A painted eye with its lids and lashes, and its brow."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, Points, colour, curve, moved, over, shade
from workers.lipsync.generator.character import Brows, Eyes, Skin
from workers.lipsync.generator.skin import shadow_tint

LASH = "#1c100d"


def lid(eyes: Eyes, points: Points, sign: int, count: int = 120) -> np.ndarray:
    """A lid of the left (-1) or right (1) eye, from the inner to the outer corner, (count, 2)."""
    return curve([(0.5 + sign * (eyes.x + x), eyes.y + y) for x, y in points], count)


def iris_middle(eyes: Eyes, sign: int) -> tuple[float, float]:
    """Where the iris sits."""
    return 0.5 + sign * (eyes.x + 0.0005), eyes.y - eyes.lift


def eye(canvas: Canvas, picture: np.ndarray, eyes: Eyes, skin: Skin, sign: int) -> None:
    up, low = lid(eyes, eyes.upper, sign), lid(eyes, eyes.lower, sign)
    over(picture, _ball(canvas, picture, eyes, up, sign), canvas.fill(np.concatenate([up, low[::-1]]), 0.0007))
    _lids(canvas, picture, eyes, skin, (up, low), sign)
    _lashes(canvas, picture, eyes, up, sign)


def _ball(canvas: Canvas, picture: np.ndarray, eyes: Eyes, up: np.ndarray, sign: int) -> np.ndarray:
    x, y = iris_middle(eyes, sign)
    inner = float(np.asarray(eyes.upper)[0][0])
    white = np.broadcast_to(colour("#eee6df"), picture.shape).copy()
    white *= (0.62 + 0.36 * canvas.spot(x, eyes.y + 0.004, 0.034, 0.022))[..., None]
    corner = canvas.spot(0.5 + sign * (eyes.x + inner + 0.0025), eyes.y + 0.0065, 0.0055, 0.0045)
    over(white, colour("#c98d80"), corner * 0.9)
    _iris(canvas, white, eyes, x, y)
    shade(white, np.array([0.36, 0.30, 0.31], np.float32), canvas.stroke(moved(up, 0, 0.0036), 0.0125, 0.0032) * 0.85)
    for dx, dy, radius, strength in ((-0.0066, -0.0074, 0.0050, 0.97), (0.0074, 0.0078, 0.0026, 0.35)):
        disc = ((canvas.x - x - dx) ** 2 + (canvas.y - y - dy) ** 2 < radius**2).astype(np.float32)
        over(white, np.float32(1.0), canvas.blur(disc, 0.0008) * strength)
    return white


def _iris(canvas: Canvas, white: np.ndarray, eyes: Eyes, x: float, y: float) -> None:
    dx, dy = canvas.x - x, canvas.y - y
    r = np.sqrt(dx**2 + dy**2) / eyes.radius
    angle = np.arctan2(dy, dx)
    fibres = 0.5 + 0.5 * np.sin(angle * 46 + 2.2 * np.sin(angle * 7) + 5 * r) * np.sin(angle * 19 + 1.3)
    tone = 0.30 + 0.26 * fibres * np.clip(1.15 - r, 0, 1) + 0.60 * canvas.spot(x + 0.003, y + 0.011, 0.013, 0.009)
    dark, light = colour(eyes.iris_dark), colour(eyes.iris_light)
    ink = dark + (light - dark) * np.clip(tone, 0, 1)[..., None]
    over(ink, colour(eyes.iris_ring), np.exp(-(((r - 0.56) / 0.13) ** 2)) * 0.5)
    over(ink, dark * 0.22, np.clip((r - 0.78) / 0.22, 0, 1) ** 1.4 * 0.92)
    over(ink, colour("#0a0807"), 1 / (1 + np.exp(np.clip((r - 0.47) / 0.022, -30, 30))))
    over(white, ink.astype(np.float32), canvas.blur((r < 1).astype(np.float32), 0.0013))


def _lids(
    canvas: Canvas, picture: np.ndarray, eyes: Eyes, skin: Skin, lids: tuple[np.ndarray, np.ndarray], sign: int
) -> None:
    up, low = lids
    crease = lid(eyes, [(x * 1.04, y - eyes.crease + 0.004 * abs(x) / 0.045) for x, y in eyes.upper], sign)[12:-4]
    width = 0.0014 + 0.0020 * np.sin(np.linspace(0.3, np.pi, len(crease)))
    shade(picture, shadow_tint(skin.shadow, 1.2), canvas.stroke(crease, width, 0.0018) * 0.75)
    over(picture, colour(skin.blush), canvas.stroke(moved(low, 0, 0.0012), 0.0022, 0.0010) * 0.35)
    shade(picture, shadow_tint(skin.shadow, 1.4), canvas.stroke(moved(low[45:], 0, 0.0006), 0.0018, 0.0011) * 0.6)
    # The pouch of a lower lid that smiles.
    pouch = lid(eyes, [(x * 0.95, y + 0.0105) for x, y in eyes.lower], sign)[15:-12]
    shade(picture, shadow_tint(skin.shadow, 0.8), canvas.stroke(pouch, 0.0030, 0.0030) * (0.35 + 0.25 * skin.lines))
    if skin.lines:
        outer = up[-1]
        for dy, lean in ((-0.003, -0.32), (0.003, -0.02), (0.009, 0.30)):
            root = outer + np.array([sign * 0.008, dy])
            tip = root + 0.022 * np.array([sign * np.cos(lean), np.sin(lean)])
            line = curve([tuple(root), tuple((root + tip) / 2 + (0, 0.001)), tuple(tip)], 24)
            width = 0.0018 * np.sin(np.linspace(0.3, np.pi, 24))
            shade(picture, shadow_tint(skin.shadow, 1.0), canvas.stroke(line, width, 0.0012) * 0.5 * skin.lines)


def _lashes(canvas: Canvas, picture: np.ndarray, eyes: Eyes, up: np.ndarray, sign: int) -> None:
    swell = np.clip(np.sin(np.linspace(0.10, np.pi, len(up))) + 0.35, 0, 1)
    thick = 0.0016 + (0.0018 + 0.0026 * eyes.lashes) * np.linspace(0.35, 1, len(up)) * swell
    over(picture, colour(LASH), canvas.stroke(up - (0, 0.0008), thick, 0.0007) * 0.94)
    if eyes.lashes < 0.3:
        return
    random = np.random.default_rng(3)
    lines = []
    for t in np.linspace(0.42, 0.985, 24):
        root = up[int(t * (len(up) - 1))]
        length = eyes.lashes * (0.0030 + 0.0072 * t**2 + random.normal(0, 0.0006))
        lean = sign * (0.05 + 1.20 * t) + random.normal(0, 0.05)
        tip = root + length * np.array([np.sin(lean), -np.cos(lean)])
        bend = (root + tip) / 2 + np.array([sign * 0.0016, 0.0018])
        lines.append(curve([tuple(root), tuple(bend), tuple(tip)], 16))
    over(picture, colour(LASH), canvas.hairs(lines, [0.0018] * len(lines)) * 0.85)


def brow(canvas: Canvas, picture: np.ndarray, brows: Brows, sign: int) -> None:
    spine = curve([(0.5 + sign * x, y) for x, y in brows.spine], 100)
    width = np.interp(np.linspace(0, 1, 100), np.linspace(0, 1, len(brows.widths)), brows.widths)
    over(picture, colour(brows.ground), canvas.stroke(spine, width, 0.0030) * brows.strength * 0.85)
    random = np.random.default_rng(8)
    lines = []
    for t in np.linspace(0.0, 0.96, 190):
        i = int(t * 99)
        off = random.uniform(-0.48, 0.48) * width[i]
        root = spine[i] + (0, off)
        lean = sign * (0.50 + 1.05 * t) + random.normal(0, 0.10)
        length = (0.0125 - 0.0055 * t) * random.uniform(0.7, 1.1)
        rise = 1.0 if off > -0.1 * width[i] else 0.35
        lines.append(np.linspace(root, root + length * np.array([np.sin(lean), -np.cos(lean) * rise]), 6))
    over(picture, colour(brows.hairs), canvas.hairs(lines, [0.0015] * len(lines)) * brows.strength)
