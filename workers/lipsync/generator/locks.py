"""Short hair as little locks, each a ribbon of hairs that bends and ends in a point, the far ones first."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, curve, over
from workers.lipsync.generator.character import Crop, HairColours
from workers.lipsync.generator.skin import KEY
from workers.lipsync.generator.strands import FULL_SIDE, Ink, strand

POINTS = 15
"""Along a lock."""


def plant(canvas: Canvas, picture: np.ndarray, crop: Crop, colours: HairColours) -> None:
    """Draw the crop into `picture` (linear light): its ground, then lock by lock."""
    random = np.random.default_rng(crop.seed)
    ink = Ink(colours)
    outline = curve(crop.outline, 300, closed=True)
    mass = canvas.fill(outline)
    over(picture, ink.at(0.10), canvas.blur(mass, crop.soft) * crop.solid)
    reach = canvas.blur(mass, max(crop.overhang, 1e-4)) > 0.12 if crop.overhang else mass > 0.5
    normal = canvas.normals(canvas.blur(canvas.inflate(mass, 0.13) * 0.8, 0.012))
    light = np.clip(normal @ (KEY / np.linalg.norm(KEY)), 0, 1)
    roots = _roots(random, canvas, reach, crop)
    for root in roots:
        column, row = (np.clip(root * canvas.side, 0, canvas.side - 1)).astype(int)
        shine = crop.light[0] + crop.light[1] * float(light[row, column])
        white = random.uniform() < crop.whites
        _lock(random, canvas, picture, crop, ink, root, shine + (0.40 if white else 0.0))


def _roots(random: np.random.Generator, canvas: Canvas, reach: np.ndarray, crop: Crop) -> np.ndarray:
    """(n, 2) places, those from which hair grows towards the viewer last."""
    rows, columns = np.nonzero(reach)
    count = round(crop.locks * min(1.0, 0.35 + 0.65 * canvas.side / FULL_SIDE))
    chosen = random.integers(0, len(rows), count)
    places = (np.stack([columns[chosen], rows[chosen]], 1) + random.uniform(0, 1, (count, 2))) / canvas.side
    depth = places[:, 1] + random.normal(0, 0.02, count)
    return places[np.argsort(depth)]


def _direction(crop: Crop, root: np.ndarray) -> float:
    """Radians in which hair grows at a place: the flows, the nearest first."""
    flows = np.array(crop.flows)
    near = 1 / (np.sum((flows[:, :2] - root) ** 2, axis=1) + 1e-5)
    turn = flows[:, 2] * 2 * np.pi
    return float(np.arctan2((near * np.sin(turn)).sum(), (near * np.cos(turn)).sum()))


def _lock(
    random: np.random.Generator,
    canvas: Canvas,
    picture: np.ndarray,
    crop: Crop,
    ink: Ink,
    root: np.ndarray,
    shine: float,
) -> None:
    along = np.linspace(0, 1, POINTS)
    heading = _direction(crop, root) + random.normal(0, crop.spread) * 2 * np.pi
    bend = crop.curl * random.uniform(0.6, 1.2) * random.choice((-1, 1))
    length = crop.length * random.uniform(0.65, 1.2)
    angle = heading - bend * 0.4 + bend * along
    spine = root + np.cumsum(np.stack([np.cos(angle), np.sin(angle)], 1), 0) * length / POINTS
    aside = np.stack([-np.sin(angle), np.cos(angle)], 1)
    shape = crop.breadth * (0.35 + 0.65 * np.sin(np.pi * np.clip(along * 0.85 + 0.15, 0, 1)))
    tint = random.normal(0, crop.unlike)
    facing = aside @ KEY[:2]  # which side of the ribbon the light falls on
    for u in random.permutation(np.linspace(-1, 1, crop.hairs)):
        line = spine + aside * (shape * u / 2)[:, None]
        tone = -0.14 + 0.74 * shine + tint + 0.24 * facing * u + 0.20 * np.sin(np.pi * along) - 0.14 * u * u
        tone = np.clip(tone + random.normal(0, 0.07), 0, 1.25)
        strand(canvas, picture, line, tone, ink, random.uniform(0.0009, 0.0019))
