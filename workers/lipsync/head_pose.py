"""The head turned, nodded, tilted, and the chest that breathes: a photograph with a guessed depth.

Backward fields (where a pixel comes from) on a coarse grid over the whole picture. They fade out towards the body and
the picture's edge, so nothing tears and no border is pulled in.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.geometry import FaceGeometry, smoothstep
from workers.lipsync.warp_field import Grid, look_up, spread

COARSE = 64
BREATH_TRAVEL = 0.012
"""Of the face height, how far the shoulders rise."""


@dataclass(frozen=True)
class HeadPose:
    """`basis` (4, 64·64·2) float32: backward moves in pixels for yaw, pitch, roll (a radian each) and breath (1)."""

    basis: np.ndarray
    size: int

    def field(self, yaw: float, pitch: float, roll: float, breath: float) -> np.ndarray:
        """(64, 64, 2) backward, in pixels; node i is the middle of the i-th 64th of the picture."""
        weights = np.array([yaw, pitch, roll, breath], np.float32)
        return (weights @ self.basis).reshape(COARSE, COARSE, 2)

    def carry(self, field: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Points of the portrait to where the pose puts them: (n, 2) float32 pixels."""
        scale = COARSE / self.size
        there = points
        for _ in range(3):
            at = ((there + 0.5) * scale - 0.5).astype(np.float32)[None]
            there = points - look_up(field, at)[0]
        return there.astype(np.float32)


def build_head_pose(face: FaceGeometry, size: int) -> HeadPose:
    """Depth comes from the landmarks on the face and falls off behind the ears."""
    middle = (face.points[mesh.LEFT_CHEEK] + face.points[mesh.RIGHT_CHEEK]) / 2
    at = (np.arange(COARSE) + 0.5) * size / COARSE - 0.5
    offset = np.dstack(np.meshgrid(at, at)) - middle
    across = offset @ face.right / face.face_width
    along = offset @ face.down / face.face_height
    head = smoothstep(1.30, 0.62, along) * smoothstep(1.6, 0.75, np.abs(across)) * smoothstep(-1.9, -1.0, along)
    edge = np.minimum(np.minimum(at, size - 1 - at)[None], np.minimum(at, size - 1 - at)[:, None]) / size
    head *= smoothstep(0.0, 0.08, edge)
    depth = _depth(face, size) * head
    head = head[..., None]
    neck = middle + face.down * 0.75 * face.face_height
    from_neck = np.dstack(np.meshgrid(at, at)) - neck
    turn = np.dstack([-from_neck[..., 1], from_neck[..., 0]])
    chest = smoothstep(0.35, 1.0, along) * smoothstep(0.0, 0.10, edge) + 0.35 * head[..., 0]
    basis = np.stack(
        [
            -depth[..., None] * face.right,
            depth[..., None] * face.down,
            -turn * head,
            np.minimum(chest, 1)[..., None] * face.down * (BREATH_TRAVEL * face.face_height),
        ]
    )
    return HeadPose(np.ascontiguousarray(basis.reshape(4, -1), np.float32), size)


def _depth(face: FaceGeometry, size: int) -> np.ndarray:
    """(64, 64) pixels towards the viewer."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    middle = face.points[: mesh.MESH_POINTS].mean(0)
    around = middle + np.stack([np.cos(angles) * 1.15 * face.face_width, np.sin(angles) * 1.05 * face.face_height], 1)
    points = np.concatenate([face.points[: mesh.MESH_POINTS], around])
    depth = np.concatenate([face.depth[: mesh.MESH_POINTS], np.full(len(around), -0.06 * face.face_width)])
    grid = Grid(0, 0, COARSE, COARSE, 1)
    scaled = (points + 0.5) * COARSE / size - 0.5
    values = np.stack([depth, np.zeros_like(depth)], 1)
    field = spread(grid, scaled, [(np.arange(len(points)), values)], edge=False)[0, ..., 0]
    return cv2.GaussianBlur(field, (0, 0), 1.2)
