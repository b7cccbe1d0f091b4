"""A mesh that is ready for the file, and the grids that most of them are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.distance import Array


@dataclass(frozen=True, kw_only=True)
class Part:
    """Points in millimetres as they rest, (n, 3); `weights` bone by bone, each (n,), together 1 everywhere."""

    name: str
    material: str
    points: Array
    faces: NDArray[np.int64]
    normals: Array
    weights: Mapping[str, Array]
    uv: Array | None = None
    colour: Array | None = None
    """(n, 3) light, multiplied with the material's."""
    morphs: Mapping[str, Array] | None = None
    """Displacements, (n, 3) each."""
    morph_normals: bool = False


def grid_faces(rows: int, columns: int, closed: bool = False) -> NDArray[np.int64]:
    """Two triangles a cell of points that are counted row by row; `closed` joins the last column to the first."""
    i, j = np.mgrid[0 : rows - 1, 0 : columns if closed else columns - 1]
    a, b = (i * columns + j).ravel(), (i * columns + (j + 1) % columns).ravel()
    return np.concatenate([np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)])


def joined(pieces: list[tuple[Array, NDArray[np.int64]]]) -> tuple[Array, NDArray[np.int64]]:
    """Points and faces of several meshes as one."""
    starts = np.cumsum([0, *(len(points) for points, _ in pieces)])
    faces = [faces + start for (_, faces), start in zip(pieces, starts, strict=False)]
    return np.concatenate([points for points, _ in pieces]), np.concatenate(faces)


def only(bone: str, count: int) -> dict[str, Array]:
    return {bone: np.ones(count)}
