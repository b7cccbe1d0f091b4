"""The portrait cut along its lips: the face without its upper lip, and the upper lip to lie over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.geometry import FaceGeometry
from workers.lipsync.warp_field import Grid

PARTED = 0.05
"""Jaw heights of opening from which a portrait's lips count as apart."""


@dataclass(frozen=True)
class LipLayers:
    """`under` (size, size, 3) uint8: what lies over it filled with what is beside it. `upper` (h, w, 4) uint8 over the
    upper layer's grid, premultiplied."""

    under: np.ndarray
    upper: np.ndarray


def cut_lips(pixels: np.ndarray, face: FaceGeometry, lines: tuple[np.ndarray, np.ndarray], over: Grid) -> LipLayers:
    """`lines`: inner upper and lower lip, (11, 2) pixels. The cut is crisp at the lip's edge and wide and soft in the
    skin, where both layers move nearly alike."""
    upper_line, lower_line = lines
    x0, y0, x1, y1 = over.box
    part = pixels[y0:y1, x0:x1]
    shape, corner = part.shape[:2], np.array([x0, y0])

    def fill(points: np.ndarray) -> np.ndarray:
        mask = np.zeros(shape, np.uint8)
        cv2.fillPoly(mask, [np.round((points - corner) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask

    around = [(-0.60, -0.02), (-0.74, -0.30), (-0.60, -0.80), (0, -1.0), (0.60, -0.80), (0.74, -0.30), (0.60, -0.02)]
    patch = fill(np.concatenate([upper_line, np.array([face.to_picture(x, y) for x, y in around])[::-1]]))
    feather = 0.035 * face.mouth_width
    inside = cv2.erode(patch, np.ones((3, 3), np.uint8), iterations=max(1, int(feather)), borderValue=0)
    soft = cv2.GaussianBlur(inside, (0, 0), feather)
    crisp = cv2.GaussianBlur(patch, (0, 0), 0.7)
    lip = fill(np.concatenate([face.points[list(mesh.UPPER_LIP_OUTER)], upper_line[::-1]]))
    near = cv2.GaussianBlur(cv2.dilate(lip, np.ones((3, 3), np.uint8), iterations=2), (0, 0), 1.5)
    share = near.astype(np.float32) / 255
    alpha = (crisp * share + soft * (1 - share)).clip(0, 255).astype(np.uint8)

    hidden = (cv2.erode(alpha, np.ones((5, 5), np.uint8), borderValue=0) > 250).astype(np.uint8) * 255
    # The dark line between closed lips stays with the lower one, else closed lips become one.
    parted = face.lip_gap > PARTED * face.jaw_height
    end = lower_line + face.down * (0.004 if parted else -0.016) * face.jaw_height
    hidden = np.maximum(hidden, fill(np.concatenate([face.points[list(mesh.UPPER_LIP_OUTER[2:-2])], end[::-1]])))
    hidden[fill(np.concatenate([end, face.points[list(mesh.LOWER_LIP_OUTER)][::-1]])) > 127] = 0
    under = pixels.copy()
    under[y0:y1, x0:x1] = cv2.inpaint(part, hidden, 3, cv2.INPAINT_TELEA)

    # The upper lip's edge must not carry a rim of the lower lip or of teeth.
    below = fill(np.concatenate([upper_line, face.points[list(mesh.LOWER_LIP_OUTER)][::-1]]))
    rim = max(1, round(0.012 * face.jaw_height))
    foreign = cv2.dilate(below, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    colour = cv2.inpaint(part, foreign, 3, cv2.INPAINT_TELEA)
    premultiplied = (colour.astype(np.uint16) * alpha[..., None] + 127) // 255
    return LipLayers(under, np.dstack([premultiplied.astype(np.uint8), alpha]))
