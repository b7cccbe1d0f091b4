"""A head of hair: what lies behind the neck, and what lies over the head with its shadow on the face."""

from __future__ import annotations

import numpy as np

from workers.lipsync.generator.canvas import Canvas, curve, moved, shade
from workers.lipsync.generator.character import Crop, Fall, Hair, Skin
from workers.lipsync.generator.locks import plant
from workers.lipsync.generator.skin import shadow_tint
from workers.lipsync.generator.strands import comb


def back_hair(canvas: Canvas, picture: np.ndarray, hair: Hair) -> None:
    """Behind the neck."""
    for fall in hair.back:
        comb(canvas, picture, fall, hair.colours)


def front_hair(canvas: Canvas, picture: np.ndarray, hair: Hair, skin: Skin) -> None:
    """Over the head, shadows on the face first."""
    for part in hair.front:
        if part.casts:
            _cast(canvas, picture, _outline(part), skin)
    for part in hair.front:
        if isinstance(part, Fall):
            comb(canvas, picture, part, hair.colours)
        else:
            plant(canvas, picture, part, hair.colours)


def _outline(part: Fall | Crop) -> np.ndarray:
    if isinstance(part, Crop):
        return curve(part.outline, 300, closed=True)
    return np.concatenate([curve(part.guides[0], 80), curve(part.guides[-1], 80)[::-1]])


def _cast(canvas: Canvas, picture: np.ndarray, outline: np.ndarray, skin: Skin) -> None:
    shadow = canvas.fill(moved(outline, 0.006, 0.010), 0.012)
    shade(picture, shadow_tint(skin.shadow, 1.0), shadow * 0.7)
