"""A head of hair: what lies behind the neck, and what lies over the head with its shadow on the face."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, curve, moved, shade
from workers.lipsync.generator.character import Hair, Skin
from workers.lipsync.generator.locks import plant
from workers.lipsync.generator.skin import shadow_tint
from workers.lipsync.generator.strands import comb


def back_hair(canvas: Canvas, picture: np.ndarray, hair: Hair) -> None:
    """Behind the neck."""
    for fall in hair.back:
        comb(canvas, picture, fall, hair.colours)


def front_hair(canvas: Canvas, picture: np.ndarray, hair: Hair, skin: Skin) -> None:
    """Over the head, shadows on the face first."""
    for fall in hair.falls:
        if fall.casts:
            inner, outer = curve(fall.guides[0], 80), curve(fall.guides[-1], 80)
            _cast(canvas, picture, np.concatenate([inner, outer[::-1]]), skin, 0.75)
    for crop in hair.crops:
        if crop.casts:
            _cast(canvas, picture, curve(crop.outline, 300, closed=True), skin, 0.6)
    for fall in hair.falls:
        comb(canvas, picture, fall, hair.colours)
    for crop in hair.crops:
        plant(canvas, picture, crop, hair.colours)


def _cast(canvas: Canvas, picture: np.ndarray, outline: np.ndarray, skin: Skin, strength: float) -> None:
    shadow = canvas.fill(moved(outline, 0.006, 0.010), 0.012)
    shade(picture, shadow_tint(skin.shadow, 1.0), shadow * strength)
