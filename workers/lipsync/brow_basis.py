"""Brows and lower lids as a field over the upper face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.lipsync import landmarks as mesh
from workers.lipsync.articulators import BROW_ARTICULATORS
from workers.lipsync.control_points import brow_moves
from workers.lipsync.geometry import FaceGeometry
from workers.lipsync.warp_field import Grid, grid_over, spread, turn_round


@dataclass(frozen=True)
class BrowBasis:
    """`basis` (articulators, rows·columns·2) float32, forward moves in nodes."""

    grid: Grid
    basis: np.ndarray
    numbers: np.ndarray

    def backward(self, weights: np.ndarray) -> np.ndarray:
        """(rows, columns, 2) float32, in nodes. Brows move little: few passes do."""
        field = (weights @ self.basis).reshape(self.grid.rows, self.grid.columns, 2)
        return turn_round(field, self.numbers, coarse=0, fine=2)


def build_brow_basis(face: FaceGeometry, size: int, step: int) -> BrowBasis:
    """Eyelids, nose and temples hold still; the forehead follows the brows."""
    points = face.points[: mesh.MESH_POINTS]
    top = points[mesh.FOREHEAD, 1] - 0.10 * face.face_height
    bottom = points[[145, 374], 1].max() + 0.14 * face.face_height
    sides = points[[mesh.LEFT_CHEEK, mesh.RIGHT_CHEEK], 0]
    grid = grid_over((sides.min(), top, sides.max(), bottom), size, step)
    lids = {i for eye in mesh.EYES for edge in eye for i in edge}
    nose = {i for i in range(mesh.MESH_POINTS) if abs(face.flat[i, 0]) < 0.25 * face.mouth_width} - {8, 9, 151}
    nose = {i for i in nose if face.points[i, 1] > points[[159, 386], 1].mean()}
    cheeks = {i for i in range(mesh.MESH_POINTS) if face.points[i, 1] > bottom - 0.05 * face.face_height}
    # Without the creases the brows would draw out the lashes that stand above the lids.
    lids |= {i for crease in mesh.LID_CREASES for i in crease}
    still = lids | nose | cheeks | set(mesh.FACE_OVAL)
    moves = brow_moves(face)
    chosen = []
    for name in BROW_ARTICULATORS:
        known = sorted(set(moves[name]) | still)
        values = np.array([moves[name].get(i, np.zeros(2)) for i in known])
        chosen.append((np.array(known), values[:, :1] * face.right + values[:, 1:] * face.down))
    fields = spread(grid, points, chosen)
    basis = np.ascontiguousarray(fields.reshape(len(fields), -1) / np.float32(step), np.float32)
    return BrowBasis(grid, basis, grid.numbers())
