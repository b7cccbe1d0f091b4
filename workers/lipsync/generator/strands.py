"""Long hair as strands between guide lines, with a band of light across them."""

from __future__ import annotations

import cv2
import numpy as np

from workers.lipsync.generator.canvas import Canvas, across, colour, curve
from workers.lipsync.generator.character import Fall, HairColours

FULL_SIDE = 2048
"""Pixels of a canvas from which all strands are drawn; a smaller one has room for fewer."""
POINTS = 120
"""Along a strand."""


def comb(canvas: Canvas, picture: np.ndarray, fall: Fall, colours: HairColours) -> None:
    """Draw the fall into `picture` (linear light): first its ground, then strand by strand."""
    random = np.random.default_rng(fall.seed)
    ink = Ink(colours)
    guides = np.stack([curve(points, POINTS) for points in fall.guides])
    body = guides[:, : int(0.84 * POINTS)]
    ground = canvas.fill(np.concatenate([body[0], body[:, -1], body[-1][::-1], body[::-1, 0]]), 0.0025)
    picture += ground[..., None] * (ink.at(0.25) - picture)
    shadows = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(fall.shadow)), fall.shadow)
    clumps = smooth_noise(random, 256, 26) * 0.6 + smooth_noise(random, 256, 90) * 0.4
    phases = smooth_noise(random, 256, 7) * 1.3
    lengths = smooth_noise(random, 256, 18)
    gather = _gathered(random, 40)
    along = np.linspace(0, 1, POINTS)
    count = round(fall.strands * min(1.0, canvas.side / FULL_SIDE))
    for s in random.permutation(np.linspace(0.002, 0.998, count)):
        here = int(s * 255)
        line = _between(guides, s + (gather[here] - s) * fall.gather * along**3)
        wander = random.normal(0, 1, 4)
        swing = fall.wave * along**1.3 * np.sin(2 * np.pi * fall.waves * along + phases[here] + 0.15 * wander[1])
        drift = wander[0] * np.sin(along * 5 + wander[1]) * 0.0018 + wander[2] * 0.0045 * along**2
        line = line + across(line) * (swing + drift)[:, None]
        clump = clumps[here]
        gleam = np.exp(-(((along - fall.gleam - 0.05 * clump - 0.03 * wander[3]) / 0.13) ** 2)) * fall.gleam_strength
        second = 0.28 * np.exp(-(((along - fall.gleam - 0.42) / 0.12) ** 2)) * fall.gleam_strength
        tone = 0.50 + 0.30 * clump + 0.10 * random.normal() + 0.55 * gleam + second - 0.25 * along**3
        tone += 2.4 * swing * np.sqrt(fall.waves) / 0.1 - fall.roots * np.exp(-((along / 0.055) ** 2))
        tone = np.clip(tone - shadows[here], 0, 1.25)
        end = int(POINTS * np.clip(0.93 + 0.05 * lengths[here] + random.normal(0, 0.025), 0.7, 1))
        strand(canvas, picture, line[:end], tone, ink, random.uniform(0.0011, 0.0024))


def _between(guides: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The line whose points lie at `at` (0 the first guide, 1 the last)."""
    place = np.clip(at, 0, 1) * (len(guides) - 1)
    low = np.minimum(place.astype(int), len(guides) - 2)
    points = np.arange(guides.shape[1])
    first, second = guides[low, points], guides[low + 1, points]
    return first + (second - first) * (place - low)[:, None]


def _gathered(random: np.random.Generator, locks: int) -> np.ndarray:
    """(256,) where the strands from 0 to 1 meet at their tips: the middle of their lock."""
    ends = np.sort(np.concatenate([[0.0, 1.0], random.uniform(0, 1, locks)]))
    at = np.clip(np.searchsorted(ends, np.linspace(0, 1, 256), "right"), 1, len(ends) - 1)
    return (ends[at - 1] + ends[at]) / 2


class Ink:
    """The colours of one head of hair by tone: 0 dark, 0.6 base, 1.2 light, linear red, green and blue."""

    def __init__(self, colours: HairColours) -> None:
        stops = np.stack([colour(colours.dark), colour(colours.base), colour(colours.light)])
        tones = np.linspace(0, 1.25, 64)
        self._table = np.stack([np.interp(tones, (0, 0.6, 1.2), stops[:, c]) for c in range(3)], 1)

    def at(self, tone: float) -> np.ndarray:
        """One colour, (3,)."""
        return self.along(np.array([tone]))[0]

    def along(self, tones: np.ndarray) -> np.ndarray:
        """A colour for each tone, (n, 3)."""
        return self._table[np.clip(tones * (63 / 1.25), 0, 63).astype(int)].astype(np.float32)


def strand(canvas: Canvas, picture: np.ndarray, line: np.ndarray, tone: np.ndarray, ink: Ink, width: float) -> None:
    """One hair (or a few side by side) along a line, `tone` at each of its points, thinner to its tip."""
    points = np.round((line * canvas.side - 0.5) * 16).astype(np.int32)
    starts = np.arange(0, len(points) - 1)
    taper = 1 - 0.75 * (starts / len(points)) ** 5
    thick = np.maximum(1, np.round(width * taper * canvas.side)).astype(int).tolist()
    paints = ink.along(tone[starts]).tolist()
    for start, (paint, wide) in enumerate(zip(paints, thick, strict=True)):
        cv2.polylines(picture, [points[start : start + 2]], False, paint, wide, cv2.LINE_8, 4)


def smooth_noise(random: np.random.Generator, count: int, waves: int) -> np.ndarray:
    """-1..1, with about `waves` bumps."""
    knots = random.uniform(-1, 1, waves + 1)
    x = np.linspace(0, waves, count)
    low = np.minimum(x.astype(int), waves - 1)
    t = x - low
    t = t * t * (3 - 2 * t)
    return knots[low] * (1 - t) + knots[low + 1] * t
