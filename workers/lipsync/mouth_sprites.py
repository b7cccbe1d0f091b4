"""The pictures of which the mouth's inside is laid: teeth, tongue, and the portrait's own teeth where it shows them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.geometry import FaceGeometry

SUPERSAMPLE = 4
ARCH = 0.80
"""Half width of the rows of teeth, in half mouth widths: beyond them the corners are dark."""


@dataclass(frozen=True)
class Sprite:
    """`pixels` (h, w, 4) float32 premultiplied, alpha 0..1; `anchor` the pixel that is laid on a given place."""

    pixels: np.ndarray
    anchor: tuple[float, float]


def _canvas(face: FaceGeometry, across: float, along: float) -> tuple[np.ndarray, np.ndarray]:
    """Supersampled x in half mouth widths (0 in the middle) and y in jaw heights (0 at the top), each (h, w)."""
    columns = max(4, int(across * face.mouth_width)) * SUPERSAMPLE
    rows = max(4, int(along * face.jaw_height)) * SUPERSAMPLE
    x = ((np.arange(columns) + 0.5) / columns * 2 - 1) * across
    y = (np.arange(rows) + 0.5) / rows * along
    return np.meshgrid(x, y)[0].astype(np.float32), np.meshgrid(x, y)[1].astype(np.float32)


def _shrink(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    picture = np.concatenate([colour * alpha[..., None], alpha[..., None]], 2).astype(np.float32)
    size = (picture.shape[1] // SUPERSAMPLE, picture.shape[0] // SUPERSAMPLE)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def teeth(face: FaceGeometry, enamel: np.ndarray, widths: tuple[float, ...], tall: float, upper: bool) -> Sprite:
    """A row on an arch: teeth get narrower and darker to the sides, edges are a little uneven."""
    x, y = _canvas(face, 0.92, tall + 0.02)
    ends = np.cumsum((0.0, *widths))
    ends = ends / ends[-1] * 2 - 1
    around = np.arcsin(np.clip(x / ARCH, -1, 1)) / (np.pi / 2)
    down = y if upper else tall + 0.02 - y  # from the gum to the edge
    colour = np.zeros((*x.shape, 3), np.float32)
    alpha = np.zeros_like(x)
    for number, (start, end) in enumerate(itertools.pairwise(ends)):
        middle, half = (start + end) / 2, (end - start) / 2
        q = (around - middle) / half
        lateral = number in (len(widths) // 2 - 2, len(widths) // 2 + 1)
        edge = tall * (1 - 0.20 * abs(middle) ** 1.6) * (0.982 if lateral else 1.0) * (1 - 0.05 * np.abs(q) ** 5)
        solid = np.clip((1.0 - np.abs(q)) * half * 60, 0, 1) ** 0.5 * np.clip((edge - down) * 90, 0, 1)
        v = down / edge
        shade = (1 - 0.10 * np.abs(q) ** 4) * (0.84 + 0.18 * np.clip(v, 0, 1)) * (1 - 0.78 * abs(middle) ** 1.8)
        tint = enamel * shade[..., None] * (1 - 0.05 * np.clip(v - 0.8, 0, 1))[..., None]
        better = solid > alpha
        colour[better] = tint[better]
        alpha = np.maximum(alpha, solid)
    # Between teeth there is shade, not a hole.
    filled = np.clip((1.0 - np.abs(around)) * 30, 0, 1) * np.clip(
        (0.93 * tall * (1 - 0.2 * np.abs(around) ** 1.6) - down) * 90, 0, 1
    )
    gap = enamel * 0.62 * (1 - 0.78 * np.abs(around)[..., None] ** 1.8)
    colour = colour * alpha[..., None] + gap * (1 - alpha)[..., None]
    sprite = _shrink(colour, np.maximum(alpha, filled))
    return Sprite(sprite, ((sprite.shape[1] - 1) / 2, tall * face.jaw_height if upper else 0.02 * face.jaw_height))


def tongue(face: FaceGeometry, flesh: np.ndarray) -> Sprite:
    x, y = _canvas(face, 0.78, 1.0)
    round_ = (x / 0.66) ** 2 + ((y - 0.44) / 0.42) ** 2
    alpha = np.clip((1 - round_) * 3.0, 0, 1)
    lit = (0.52 + 0.55 * np.clip((y - 0.02) / 0.5, 0, 1)) * (1 - 0.14 * np.exp(-((x / 0.06) ** 2)))
    lit = lit * (1 - 0.40 * np.clip(round_ - 0.35, 0, 1))
    sprite = _shrink(flesh * lit[..., None], alpha)
    return Sprite(sprite, ((sprite.shape[1] - 1) / 2, 0.0))


def tongue_tip(face: FaceGeometry, flesh: np.ndarray) -> Sprite:
    """Its blade seen from the front: pale where the light falls, a groove in the middle, dark where it goes in."""
    x, y = _canvas(face, 0.56, 0.20)
    round_ = np.abs(x / 0.42) ** 2.4 + np.abs((y - 0.09) / 0.075) ** 2.2
    alpha = np.clip((1 - round_) * 3.0, 0, 1)
    lit = 0.88 + 0.20 * np.exp(-(((y - 0.08) / 0.035) ** 2)) - 0.20 * np.clip(round_, 0, 1) ** 2
    lit *= 1 - 0.08 * np.exp(-((x / 0.05) ** 2))
    sprite = _shrink(flesh * 1.38 * lit[..., None], alpha)
    return Sprite(sprite, ((sprite.shape[1] - 1) / 2, 0.12 * face.jaw_height))


def own_teeth(pixels: np.ndarray, face: FaceGeometry) -> Sprite:
    """What the portrait shows between its lips, upright in the face's axes."""
    half_w, half_h = int(0.62 * face.mouth_width), int(0.6 * face.jaw_height)
    outline = face.points[list(mesh.UPPER_LIP_INNER + mesh.LOWER_LIP_INNER[::-1])]
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8)))
    # A lip that rises or narrows must not bare a black gap: what borders the teeth goes on a little.
    reach = max(1, int(0.05 * face.jaw_height))
    wider = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    below = (np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].transpose(1, 2, 0)[..., ::-1] - face.mouth) @ face.down
    edge = 0.6 * face.flat[mesh.LOWER_LIP_MIDDLE, 1]
    wider = np.where(below < edge, wider, mask)
    around = (wider > mask).astype(np.uint8) * 255
    grown = cv2.inpaint(pixels, around, 3, cv2.INPAINT_TELEA)
    soft = cv2.GaussianBlur(wider, (0, 0), 0.7)
    right, down, mouth = face.right, face.down, face.mouth
    back = np.array([[right[0], down[0], 0.0], [right[1], down[1], 0.0]])
    back[:, 2] = mouth - back[:, :2] @ (half_w, half_h)
    size = (2 * half_w + 1, 2 * half_h + 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    alpha = cv2.warpAffine(soft, back, size, flags=flags).astype(np.float32) / 255
    colour = cv2.warpAffine(grown, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    premultiplied = np.concatenate([colour * alpha[..., None], alpha[..., None]], 2)
    return Sprite(premultiplied.astype(np.float32), (half_w, half_h))
