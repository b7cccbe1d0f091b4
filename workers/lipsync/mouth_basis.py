"""The mouth's movement as two layers of fields: the face with the lower lip, and the upper lip that lies over it.

Two layers, because one smooth field cannot part two lips. A layer simply does not know the other lip's points.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from workers.lipsync import landmarks as mesh
from workers.lipsync.articulators import MOUTH_ARTICULATORS
from workers.lipsync.control_points import CORNERS, LIPS, LOWER_LIP, Moves, mouth_moves
from workers.lipsync.geometry import FaceGeometry
from workers.lipsync.lip_layers import PARTED
from workers.lipsync.warp_field import Grid, grid_over, look_up, sample, spread, turn_round

CONTOUR_POINTS = 41
RING = 9
"""Points per side of the ring around the face that does not move."""


@dataclass(frozen=True)
class Layer:
    """`basis` (articulators, rows·columns·2) float32, forward moves in nodes; `contour` (41, 2) the inner lip at rest
    in pixels, from corner to corner; `contour_basis` (articulators, 82) its moves in pixels."""

    grid: Grid
    basis: np.ndarray
    contour: np.ndarray
    contour_basis: np.ndarray
    numbers: np.ndarray

    def backward(self, weights: np.ndarray) -> np.ndarray:
        """(rows, columns, 2) float32, in nodes: where each node's picture comes from, relative to it."""
        field = (weights @ self.basis).reshape(self.grid.rows, self.grid.columns, 2)
        return turn_round(field, self.numbers)

    def moved_contour(self, weights: np.ndarray) -> np.ndarray:
        """(41, 2) float32 pixels."""
        return self.contour + (weights @ self.contour_basis).reshape(-1, 2)


@dataclass(frozen=True)
class MouthBasis:
    """Both layers. The upper one's grid covers only the patch around the upper lip."""

    face: Layer
    upper: Layer


def build_mouth_basis(face: FaceGeometry, lip_lines: tuple[np.ndarray, np.ndarray], size: int, step: int) -> MouthBasis:
    """`lip_lines`: inner upper and lower lip, (11, 2) pixels each, as found in the picture."""
    points = face.points[: mesh.MESH_POINTS].copy()
    points[list(mesh.UPPER_LIP_INNER)], points[list(mesh.LOWER_LIP_INNER)] = lip_lines
    grid = _face_grid(face, size, step)
    ring = _ring(grid)
    where = np.concatenate([points, ring])
    moves = mouth_moves(face)
    ring_indices = np.arange(mesh.MESH_POINTS, len(where))
    hidden_below = _hidden_from_face_layer(face)
    hidden_above = _hidden_from_upper_layer(face)

    def chosen(name: str, hidden: set[int]) -> tuple[np.ndarray, np.ndarray]:
        known = sorted((set(moves[name]) | _still(face, name, moves[name])) - hidden)
        values = np.array([moves[name].get(i, np.zeros(2)) for i in known])
        turned = values[:, :1] * face.right + values[:, 1:] * face.down
        return np.concatenate([known, ring_indices]), np.concatenate([turned, np.zeros((len(ring), 2))])

    upper_grid = grid_over(_upper_box(face), size, step)
    layers = []
    for over, hidden, lip, line, edge in (
        (grid, hidden_below, mesh.LOWER_LIP_INNER, lip_lines[1], True),
        (upper_grid, hidden_above, mesh.UPPER_LIP_INNER, lip_lines[0], False),
    ):
        fields = spread(over, where, [chosen(name, hidden) for name in MOUTH_ARTICULATORS], edge)
        layers.append(_layer(over, fields, points[list(lip)], line))
    return MouthBasis(*layers)


def _layer(grid: Grid, fields: np.ndarray, lip: np.ndarray, line: np.ndarray) -> Layer:
    knots = np.arange(len(lip))
    finer = CubicSpline(knots, np.eye(len(lip)))(np.linspace(0, len(lip) - 1, CONTOUR_POINTS))
    moved = np.einsum("ij,ajk->aik", finer, sample(fields, grid, lip))
    basis = fields.reshape(len(fields), -1) / np.float32(grid.step)
    return Layer(
        grid,
        np.ascontiguousarray(basis, np.float32),
        (finer @ line).astype(np.float32),
        np.ascontiguousarray(moved.reshape(len(fields), -1), np.float32),
        grid.numbers(),
    )


def _face_grid(face: FaceGeometry, size: int, step: int) -> Grid:
    margin = 0.10 * face.face_width
    xs = face.points[[mesh.LEFT_CHEEK, 132, mesh.RIGHT_CHEEK, 361], 0]
    eyes = face.points[[159, 386], 1].min()
    chin = face.points[mesh.CHIN, 1]
    return grid_over(
        (xs.min() - margin, eyes - 0.02 * face.jaw_height, xs.max() + margin, chin + 0.95 * face.jaw_height), size, step
    )


def _upper_box(face: FaceGeometry) -> tuple[float, float, float, float]:
    corners = np.array([face.to_picture(x, y) for x in (-0.82, 0.82) for y in (-1.08, 0.14)])
    return (*corners.min(0), *corners.max(0))


def _ring(grid: Grid) -> np.ndarray:
    x0, y0, x1, y1 = grid.box
    x0, y0, x1, y1 = x0 - 8, y0 - 8, x1 + 8, y1 + 8
    xs, ys = np.linspace(x0, x1, RING), np.linspace(y0, y1, RING)
    sides = [(x, y) for x in xs for y in (y0, y1)] + [(x, y) for y in ys[1:-1] for x in (x0, x1)]
    return np.array(sides, float)


def _still(face: FaceGeometry, name: str, moved: Moves) -> set[int]:
    """Points that hold the field at nothing: all above the nose's base, and for everything but the jaw the far cheeks
    and the chin's end."""
    flat, high, wide = face.flat, face.jaw_height, face.mouth_width
    nose = flat[mesh.NOSE_BASE, 1]
    still = {i for i in range(mesh.MESH_POINTS) if flat[i, 1] < nose - 0.02 * high}
    still |= {i for i in mesh.FACE_OVAL if flat[i, 1] < 0}
    if name != "jaw":
        still |= {
            i
            for i in range(mesh.MESH_POINTS)
            if i not in LIPS
            and (abs(flat[i, 0]) > 0.95 * wide or flat[i, 1] > 0.62 * high or flat[i, 1] < nose + 0.02 * high)
        }
    return still - set(moved)


def _hidden_from_face_layer(face: FaceGeometry) -> set[int]:
    """The upper lip and the skin above it. The corners belong to both layers, so that they never part."""
    flat, high, wide = face.flat, face.jaw_height, face.mouth_width
    above = {
        i
        for i in range(mesh.MESH_POINTS)
        if abs(flat[i, 0]) < 0.52 * wide and -0.95 * high < flat[i, 1] < 0.02 * high and i not in LOWER_LIP
    }
    return (above | set(mesh.UPPER_LIP_INNER) | set(mesh.UPPER_LIP_OUTER)) - set(CORNERS)


def _hidden_from_upper_layer(face: FaceGeometry) -> set[int]:
    """The lower lip and the chin below it."""
    flat = face.flat
    chin = {
        i
        for i in range(mesh.MESH_POINTS)
        if i not in LIPS and flat[i, 1] > 0.02 * face.jaw_height and abs(flat[i, 0]) < 0.75 * face.mouth_width
    }
    return (chin | set(LOWER_LIP)) - set(CORNERS)


def lip_lines(pixels: np.ndarray, face: FaceGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Inner upper and lower lip, (11, 2) pixels each. Where lips touch, the line is where the picture is darkest:
    the network is off by a pixel or two there, which would show as a second mouth line."""
    upper = face.points[list(mesh.UPPER_LIP_INNER)].copy()
    lower = face.points[list(mesh.LOWER_LIP_INNER)].copy()
    if face.lip_gap > PARTED * face.jaw_height:
        return upper, lower
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (0, 0), max(0.6, 0.01 * face.mouth_width))
    steps = np.linspace(-0.055, 0.055, 23) * face.jaw_height
    middle = (upper + lower) / 2
    along = middle[:, None] + steps[None, :, None] * face.down
    looked = look_up(grey, along.astype(np.float32)).astype(float)
    looked += 40 * (steps / (0.055 * face.jaw_height))[None] ** 2  # rather near than far
    found = steps[looked.argmin(1)]
    smooth = np.convolve(np.pad(found, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    line = middle + smooth[:, None] * face.down
    return line, line.copy()
