"""The figure cut out of a portrait: how much of each pixel is person, and the colours on both sides of its edge.

The selfie segmentation network out of MediaPipe's wheel (Apache-2.0) says roughly where the person is; a guided filter
(He, Sun and Tang, "Guided image filtering", 2010) follows hair by the picture's own colours. Done once a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.lipsync.geometry import smoothstep

NET = "selfie_segmentation.tflite"
SEEN = 256
"""The network's own resolution."""
WORKED = 512
"""Side at which the guide is fitted; it is applied at the picture's own."""
BAND = 0.020
"""Half width of the uncertain edge, in sides."""
WINDOW = 0.012
"""Radius of the guided filter, in sides."""
NOISE = 2e-4
"""Variance of colour (of 1) below which the guide is not believed."""

MARGIN = 0.008
"""In sides: so near to the figure the background's colours are not believed to be its own."""
MOST_ADDED = 0.35
"""By so much the figure's share may grow where its edge was taken for background."""


@dataclass(frozen=True)
class Matte:
    """`figure` (h, w, 4) uint8: the person's colours times alpha, and alpha; `ground` (h, w, 3) uint8: the background,
    gone on behind the person. The one laid over the other is the portrait."""

    figure: np.ndarray
    ground: np.ndarray


def cut_figure(pixels: np.ndarray, weights: Path) -> Matte | None:
    """`pixels` (side, side, 3) uint8 BGR. None where the network is missing or sees nobody."""
    if not (weights / NET).is_file():
        return None
    rough = _rough(pixels, weights)
    if not 0.05 < float((rough > 0.5).mean()) < 0.98:
        return None
    alpha = _refined(pixels.astype(np.float32) / 255, rough)
    return _parted(pixels.astype(np.float32), alpha)


def _rough(pixels: np.ndarray, weights: Path) -> np.ndarray:
    """(256, 256) float32, one piece without holes."""
    net = cv2.dnn.readNetFromTFLite(str(weights / NET))
    small = cv2.resize(pixels, (SEEN, SEEN), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32) / 255
    net.setInput(np.ascontiguousarray(small.transpose(2, 0, 1)[None]))
    rough = net.forward().reshape(SEEN, SEEN)
    outlines, _ = cv2.findContours((rough > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    person = np.zeros((SEEN, SEEN), np.uint8)
    if outlines:
        cv2.drawContours(person, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    inside = cv2.erode(person, np.ones((5, 5), np.uint8), borderValue=1)
    near = cv2.dilate(person, np.ones((5, 5), np.uint8))
    return np.asarray(np.where(inside > 0, 1.0, np.where(near > 0, rough, 0.0)), np.float32)


def _refined(picture: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """(side, side) float32 0..1."""
    side = picture.shape[0]
    small = cv2.resize(picture, (WORKED, WORKED), interpolation=cv2.INTER_AREA) if side > WORKED else picture
    size = small.shape[0]
    guess = cv2.resize(rough, (size, size), interpolation=cv2.INTER_LINEAR)
    slope, offset = _guide(small, guess, max(2, round(WINDOW * size)))
    slope, offset = (cv2.resize(each, (side, side), interpolation=cv2.INTER_LINEAR) for each in (slope, offset))
    alpha = smoothstep(0.06, 0.94, (slope * picture).sum(2) + offset)
    band = 2 * max(1, round(BAND * side)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (band, band))
    person = cv2.resize(rough, (side, side), interpolation=cv2.INTER_LINEAR)
    sure = cv2.erode((person > 0.5).astype(np.uint8), kernel, borderValue=1)
    maybe = cv2.dilate((person > 0.5).astype(np.uint8), kernel)
    soft = (band // 4) / 2
    alpha = np.maximum(alpha, cv2.GaussianBlur(sure.astype(np.float32), (0, 0), soft))
    return np.asarray(np.minimum(alpha, cv2.GaussianBlur(maybe.astype(np.float32), (0, 0), soft)), np.float32)


def _guide(picture: np.ndarray, wanted: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) and (h, w): the linear function of colour that is nearest to `wanted` in each neighbourhood."""
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT))

    colour, target = mean(picture), mean(wanted)
    shared = mean(picture * wanted[..., None]) - colour * target[..., None]
    spread = np.empty((*wanted.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            spread[..., i, j] = mean(picture[..., i] * picture[..., j]) - colour[..., i] * colour[..., j]
            spread[..., j, i] = spread[..., i, j]
    spread[..., range(3), range(3)] += NOISE
    slope = np.linalg.solve(spread, shared[..., None])[..., 0]
    offset = target - (slope * colour).sum(2)
    return mean(slope.astype(np.float32)), mean(offset.astype(np.float32))


def _parted(picture: np.ndarray, alpha: np.ndarray) -> Matte:
    """Colours of both sides. The ground is smooth where the person was, or their outline would stay behind when the
    head moves; what is then missing at the edge is the person's: their colours are moved, and where those do not reach,
    there is a little more of them."""
    margin = 2 * max(1, round(MARGIN * picture.shape[0])) + 1
    near = cv2.dilate((alpha > 0.02).astype(np.uint8), np.ones((margin, margin), np.uint8))
    person = go_on(picture, (alpha > 0.97).astype(np.float32))
    smooth = go_on(picture, (near == 0).astype(np.float32))
    ground = np.where((alpha <= 0.02)[..., None], picture, smooth)
    ground = cv2.GaussianBlur(ground, (0, 0), margin / 4)
    ground = np.where((near == 0)[..., None], picture, ground)
    alpha = np.clip(np.maximum(alpha, np.minimum(_needed(picture, ground), alpha + MOST_ADDED)), 0, 1)
    share = np.round(alpha[..., None] * 255) / 255
    person += share * (picture - share * person - (1 - share) * ground) / np.maximum(share**2, 1e-3)
    figure = (np.dstack([person.clip(0, 255) * share, share * 255]) + 0.5).astype(np.uint8)
    return Matte(figure, (ground + 0.5).clip(0, 255).astype(np.uint8))


def _needed(picture: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """(h, w): how much of the person there must be at least, so that some colour over `ground` makes the picture."""
    darker = 1 - picture / np.maximum(ground, 1)
    lighter = (picture - ground) / np.maximum(255 - ground, 1)
    return np.maximum(darker, lighter).max(2).clip(0, 1)


def go_on(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Colours where `known` (h, w) float32 is 1, elsewhere those of the nearest known ones, ever broader averages.

    `picture` (h, w, 3) float32.
    """
    height, width = known.shape
    if min(height, width) <= 2:
        weight = max(float(known.sum()), 1e-6)
        return np.broadcast_to((picture * known[..., None]).sum((0, 1)) / weight, picture.shape).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    colour /= np.maximum(share, 1e-6)[..., None]
    broader = cv2.resize(go_on(colour, np.minimum(1, 4 * share)), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture * known[..., None] + broader * (1 - known[..., None]), np.float32)
