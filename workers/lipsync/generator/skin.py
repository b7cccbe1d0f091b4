"""Light on skin: a relief of soft hills, lit as if light went a little way into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.lipsync.generator.canvas import Canvas

KEY = np.array([-0.42, -0.48, 0.77], np.float32)
FILL = np.array([0.70, -0.05, 0.71], np.float32)
WRAP = np.array([0.62, 0.40, 0.33], np.float32)
"""How far round the edge light reaches, red most: the warm rim of shadows on skin."""
KEY_LIGHT = np.array([1.02, 0.93, 0.83], np.float32)
FILL_LIGHT = np.array([0.15, 0.17, 0.21], np.float32)
AMBIENT = np.array([0.16, 0.145, 0.145], np.float32)


@dataclass(frozen=True)
class Relief:
    """`height` (side, side) in units of the side, `gloss` 0..1 where skin shines."""

    height: np.ndarray
    gloss: np.ndarray


def shadow_tint(shadow: tuple[float, float, float], depth: float) -> np.ndarray:
    """What is left of each colour in a shadow: `depth` 1 is half shade, 2 a crease, 0 none."""
    return np.array(shadow, np.float32) ** np.float32(depth)


def lit(canvas: Canvas, relief: Relief, albedo: np.ndarray) -> np.ndarray:
    """Linear light from a relief and its colours."""
    normal = canvas.normals(relief.height)
    key = _wrapped(normal, KEY) * KEY_LIGHT
    fill = _wrapped(normal, FILL) * FILL_LIGHT
    hollow = np.clip((canvas.blur(relief.height, 0.018) - relief.height) * 26, -0.10, 0.40)[..., None]
    occlusion = 1 - hollow * np.array([0.75, 1.0, 1.05], np.float32)
    half = KEY + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    shine = np.clip(normal @ half, 0, 1) ** 26 * relief.gloss * 0.16
    return (albedo * (AMBIENT + key + fill) * occlusion + shine[..., None] * KEY_LIGHT).astype(np.float32)


def _wrapped(normal: np.ndarray, light: np.ndarray) -> np.ndarray:
    facing = (normal @ (light / np.linalg.norm(light)))[..., None]
    return np.clip((facing + WRAP) / (1 + WRAP), 0, 1) ** 1.35
