"""Hair as strands between guide lines, with a band of light across them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync.generator.canvas import Canvas, Points, curve

FULL_SIDE = 2048
"""Pixels of a canvas from which all strands are drawn; a smaller one has room for fewer."""
POINTS = 120
"""Along a strand."""


@dataclass(frozen=True)
class Lock:
    """`guides`: lines from root to tip, neighbours side by side. `gleam`: where along a strand the light lies, 0..1.
    `shadow`: how much darker than the hair's own colour, per guide (0 none)."""

    guides: tuple[Points, ...]
    strands: int
    gleam: float = 0.3
    gleam_strength: float = 1.0
    shadow: tuple[float, ...] = (0.0,)


def comb(
    canvas: Canvas, picture: np.ndarray, lock: Lock, dark: np.ndarray, base: np.ndarray, light: np.ndarray, seed: int
) -> None:
    """Draw the lock into `picture` (linear light): first its ground, then strand by strand."""
    random = np.random.default_rng(seed)
    guides = np.stack([curve(points, POINTS) for points in lock.guides])
    body = guides[:, : int(0.90 * POINTS)]
    ground = canvas.fill(np.concatenate([body[0], body[:, -1], body[-1][::-1], body[::-1, 0]]), 0.0015)
    picture += ground[..., None] * (dark * 1.15 - picture)
    shadows = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(lock.shadow)), lock.shadow)
    clumps = _smooth_noise(random, 256, 26) * 0.6 + _smooth_noise(random, 256, 90) * 0.4
    along = np.linspace(0, 1, POINTS)
    count = round(lock.strands * min(1.0, canvas.side / FULL_SIDE))
    for s in random.permutation(np.linspace(0.002, 0.998, count)):
        at = s * (len(guides) - 1)
        low = min(int(at), len(guides) - 2)
        line = guides[low] + (guides[low + 1] - guides[low]) * (at - low)
        wander = random.normal(0, 1, 4)
        drift = (wander[0] * np.sin(along * 5 + wander[1]) * 0.0018 + wander[2] * 0.0045 * along**2)[:, None]
        line = line + drift * np.array([1.0, 0.25])
        clump = clumps[int(s * 255)]
        gleam = np.exp(-(((along - lock.gleam - 0.05 * clump - 0.02 * wander[3]) / 0.13) ** 2)) * lock.gleam_strength
        second = 0.28 * np.exp(-(((along - lock.gleam - 0.42) / 0.12) ** 2)) * lock.gleam_strength
        tone = 0.50 + 0.30 * clump + 0.10 * random.normal() + 0.55 * gleam + second - 0.25 * along**3
        tone = np.clip(tone - shadows[int(s * 255)], 0, 1.25)
        end = int(POINTS * random.uniform(0.90, 1.0))
        _strand(canvas, picture, line[:end], tone, dark, base, light, random.uniform(0.0011, 0.0026))


def _strand(
    canvas: Canvas,
    picture: np.ndarray,
    line: np.ndarray,
    tone: np.ndarray,
    dark: np.ndarray,
    base: np.ndarray,
    light: np.ndarray,
    width: float,
) -> None:
    points = np.round((line * canvas.side - 0.5) * 16).astype(np.int32)
    for i in range(0, len(points) - 1, 2):
        t = float(tone[i : i + 3].mean())
        ink = dark + (base - dark) * min(1.0, t / 0.6) if t < 0.6 else base + (light - base) * min(1.0, (t - 0.6) / 0.6)
        taper = 1 - 0.75 * (i / len(points)) ** 5
        thick = max(1, round(width * taper * canvas.side))
        cv2.polylines(picture, [points[i : i + 3]], False, tuple(float(v) for v in ink), thick, cv2.LINE_8, 4)


def _smooth_noise(random: np.random.Generator, count: int, waves: int) -> np.ndarray:
    """-1..1, with about `waves` bumps."""
    knots = random.uniform(-1, 1, waves + 1)
    x = np.linspace(0, waves, count)
    low = np.minimum(x.astype(int), waves - 1)
    t = x - low
    t = t * t * (3 - 2 * t)
    return knots[low] * (1 - t) + knots[low + 1] * t
