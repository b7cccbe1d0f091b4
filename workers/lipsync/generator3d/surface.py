"""Triangles from a distance: marching cubes on a grid that is fine where it matters, evened out, thinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import fast_simplification
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from workers.lipsync.generator3d.distance import Array, Points

Distance = Callable[[Points], Array]
Spans = tuple[tuple[float, float, float], ...]
"""(from, to, step) one after the other along an axis."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """`points` (n, 3) millimetres, `faces` (m, 3) counter-clockwise seen from outside, `normals` (n, 3) unit."""

    points: Array
    faces: NDArray[np.int64]
    normals: Array


def axis(spans: Spans) -> Array:
    """Monotone coordinates through the spans."""
    found = [spans[0][0]]
    for start, end, step in spans:
        count = max(1, round((end - start) / step))
        found += list(start + (end - start) * np.arange(1, count + 1) / count)
    return np.array(found)


def march(
    distance: Distance, xs: Array, ys: Array, zs: Array, mirrored: bool = True
) -> tuple[Array, NDArray[np.int64]]:
    """The surface's largest connected part. With `mirrored`, `xs` covers the left half from below zero on."""
    grid = np.empty((len(xs), len(ys), len(zs)), np.float32)
    y, z = np.meshgrid(ys.astype(np.float32), zs.astype(np.float32), indexing="ij")
    for i in range(0, len(xs), 8):
        x = np.broadcast_to(xs[i : i + 8, None, None].astype(np.float32), (len(xs[i : i + 8]), *y.shape))
        grid[i : i + 8] = distance((x, np.broadcast_to(y, x.shape), np.broadcast_to(z, x.shape)))
    if mirrored:
        middle = int(np.argmin(np.abs(xs)))
        grid = np.concatenate([grid[middle + 1 :][::-1], grid[middle:]])
        xs = np.concatenate([-xs[middle + 1 :][::-1], xs[middle:]])
    points, faces, _, _ = marching_cubes(grid, 0.0)
    columns = [np.interp(points[:, k], np.arange(len(line)), line) for k, line in enumerate((xs, ys, zs))]
    return largest_part(np.stack(columns, 1), faces[:, ::-1].astype(np.int64))


def largest_part(points: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Without islands; faces wound outwards."""
    labels = connected_components(neighbours(faces, len(points)), directed=False)[1]
    faces = faces[labels[faces[:, 0]] == np.bincount(labels[faces[:, 0]]).argmax()]
    points, faces = used(points, faces)
    a, b, c = (points[faces[:, k]] for k in range(3))
    volume = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum())
    return points, faces if volume > 0 else faces[:, ::-1]


def used(points: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Without points that no face needs."""
    kept, flat = np.unique(faces, return_inverse=True)
    return points[kept], flat.reshape(-1, 3)


def neighbours(faces: NDArray[np.int64], count: int) -> sparse.csr_matrix:
    i = np.concatenate([faces[:, k] for k in (0, 1, 2, 1, 2, 0)])
    j = np.concatenate([faces[:, k] for k in (1, 2, 0, 0, 1, 2)])
    matrix = sparse.coo_matrix((np.ones(len(i)), (i, j)), shape=(count, count)).tocsr()
    matrix.data[:] = 1
    return matrix


def gradient(distance: Distance, points: Array, step_mm: float = 0.15) -> Array:
    """Unit normals of the body at `points` (n, 3)."""
    columns = []
    for k in range(3):
        ahead, behind = points.copy(), points.copy()
        ahead[:, k] += step_mm
        behind[:, k] -= step_mm
        columns.append(distance(split(ahead)) - distance(split(behind)))
    found = np.stack(columns, 1)
    return cast(Array, found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))


def split(points: Array) -> Points:
    """(n, 3) as three contiguous float64 columns."""
    x, y, z = np.ascontiguousarray(points.T, dtype=float)
    return x, y, z


def even_out(distance: Distance, points: Array, faces: NDArray[np.int64], rounds: int = 4) -> Array:
    """Points slide along the surface to the middle of their neighbours: marching cubes' slivers go, detail stays."""
    near = neighbours(faces, len(points))
    weights = sparse.diags(1 / np.maximum(np.asarray(near.sum(1)).ravel(), 1)) @ near
    for _ in range(rounds):
        points = points + 0.5 * (weights @ points - points)
        points = points - np.clip(distance(split(points)), -0.6, 0.6)[:, None] * gradient(distance, points)
    return points


def thin_out(points: Array, faces: NDArray[np.int64], keep_points: int) -> tuple[Array, NDArray[np.int64]]:
    """Fewer triangles where the surface is flat."""
    share = max(0.0, 1 - keep_points / len(points))
    fewer, thinned = fast_simplification.simplify(
        points.astype(np.float32), faces.astype(np.int32), target_reduction=share, agg=7
    )
    return used(fewer.astype(float), thinned.astype(np.int64))


def face_normals(points: Array, faces: NDArray[np.int64]) -> Array:
    """Unit normals (n, 3) at the points, from the faces around them."""
    across = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    found = np.zeros_like(points)
    for k in range(3):
        np.add.at(found, faces[:, k], across)
    size = np.linalg.norm(found, axis=1, keepdims=True)
    return cast(Array, np.where(size > 1e-12, found / np.maximum(size, 1e-12), (0.0, 0.0, 1.0)))
