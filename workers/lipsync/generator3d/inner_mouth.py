"""Teeth, gums and tongue: bands around an arch, and a flattened body that can lift its tip and its back."""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.colours import linear, srgb
from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.expressions import Tissue
from workers.lipsync.generator3d.head import Head
from workers.lipsync.generator3d.morphs import EXTRAS, NAMES, VISEMES
from workers.lipsync.generator3d.part import Part, grid_faces, joined, only
from workers.lipsync.generator3d.surface import face_normals

UPPER_WIDTHS = (8.2, 6.5, 7.2, 6.8, 6.6, 8.0)
LOWER_WIDTHS = (5.4, 5.8, 6.6, 6.8, 6.8, 8.5)
UPPER_LENGTHS = (9.4, 8.5, 9.0, 8.0, 7.4, 6.8)
"""From the middle outwards."""


def teeth(head: Head) -> Part:
    """Both rows, the lower one moving with the jaw."""
    upper, lower = _row(head, True), _row(head, False)
    points, faces = joined([(upper[0], upper[1]), (lower[0], lower[1])])
    moves = Tissue(head, upper[0], "upper").displacements()
    moves_low = Tissue(head, lower[0], "lower").displacements()
    return Part(
        name="Wolf3D_Teeth",
        material="Wolf3D_Teeth",
        points=points,
        faces=faces,
        normals=face_normals(points, faces),
        weights=only("Head", len(points)),
        colour=np.concatenate([upper[2], lower[2]]),
        morphs={name: np.concatenate([moves[name], moves_low[name]]) for name in NAMES},
    )


def _row(head: Head, upper: bool) -> tuple[Array, NDArray[np.int64], Array]:
    """Points, faces and colours of one row with its gum."""
    mouth = head.shape.mouth
    widths = UPPER_WIDTHS if upper else LOWER_WIDTHS
    wide, deep = (21.5, 25.0) if upper else (19.5, 23.4)
    edge_y = mouth.y - 2.6 if upper else mouth.y - 4.2
    middle_z = mouth.front - 36.8 if upper else mouth.front - 38.0
    turn = np.linspace(0, 1.45, 600)
    arc = np.concatenate([[0], np.cumsum(np.hypot(np.diff(wide * np.sin(turn)), np.diff(deep * np.cos(turn))))])
    borders = np.concatenate([[0], np.cumsum(widths)])
    along = np.concatenate([np.linspace(a, b, 5)[:-1] for a, b in itertools.pairwise(borders)])
    within = np.tile([0.0, 0.25, 0.5, 0.75], len(widths))
    tooth = np.repeat(np.arange(len(widths)), 4)
    theta = np.interp(along, arc, turn)
    theta = np.concatenate([-theta[:0:-1], theta])
    within, tooth = np.concatenate([within[:0:-1], within]), np.concatenate([tooth[:0:-1], tooth])
    bulge = np.sqrt(np.clip(1 - (2 * within - 1) ** 2, 0, 1))
    sign = 1.0 if upper else -1.0
    lengths = np.array(UPPER_LENGTHS if upper else [0.9 * v for v in UPPER_LENGTHS])[tooth]
    rows: list[Array] = []
    colours: list[Array] = []
    white, gum = linear(srgb("#f1ebdf")), linear(srgb("#c2686a"))
    fade = np.interp(np.abs(theta), (0, 0.5, 0.9, 1.45), (1, 0.9, 0.62, 0.25))[:, None]
    # (share of the tooth's length from its edge, how far out, is it gum)
    for share, out, is_gum in (
        (0.10, -2.6, 0), (0.0, -1.3, 0), (0.05, 0.1, 0), (0.30, 0.6, 0), (0.75, 0.7, 0), (0.97, 0.2, 0), (1.02, 0.7, 1),
        (1.35, 1.0, 1), (1.8, -1.5, 1),
    ):  # fmt: skip
        rounded = 0.55 * (1 - bulge) * (share < 0.2)
        y = edge_y + sign * (share * lengths + rounded)
        spread = out + (1.15 * (bulge - 1) if not is_gum else 0)
        x, z = (wide + spread) * np.sin(theta), middle_z + (deep + spread) * np.cos(theta)
        rows.append(np.stack([x, y, z], 1))
        between = (0.62 + 0.38 * bulge)[:, None] ** np.array([0.8, 1.0, 1.15])
        tint = gum if is_gum else white * between * (1 - 0.10 * share)
        colours.append(np.broadcast_to(tint, (len(theta), 3)) * fade)
    points = np.concatenate(rows)
    faces = grid_faces(len(rows), len(theta))
    outwards = (face_normals(points, faces) * (points - (0, 0, middle_z)) * (1, 0, 1)).sum() > 0
    return points, faces if outwards else faces[:, ::-1], np.concatenate(colours)


def tongue(head: Head) -> Part:
    mouth = head.shape.mouth
    rows, turns = 16, 18
    b, t = np.meshgrid(
        np.linspace(0.02, np.pi - 0.02, rows), np.linspace(0, 2 * np.pi, turns, endpoint=False), indexing="ij"
    )
    points = np.stack(
        [15.0 * np.sin(b) * np.cos(t) * (1 - 0.12 * np.cos(b)), 5.4 * np.sin(b) * np.sin(t), 23 * np.cos(b)], -1
    ).reshape(-1, 3)
    points[:, 1] -= np.exp(-((points[:, 0] / 2.4) ** 2)) * (points[:, 1] > 0) * 1.1
    points[:, 1] -= 0.0045 * (points[:, 2] - 2) ** 2 * (points[:, 2] > 2)
    local = points.copy()
    points = points + np.array([0, mouth.y - 9.5, mouth.front - 37.5])
    faces = grid_faces(rows, turns, closed=True)
    moves = Tissue(head, points, "lower").displacements()
    tip = smoothstep(0, 20, local[:, 2])
    back = np.exp(-(((local[:, 2] + 6) / 12) ** 2))
    own = {
        "_tip": np.stack([0 * tip, 8.5 * tip, -1.5 * tip], 1),
        "_out": np.stack([0 * tip, 0.5 * tip, 9 * tip], 1),
        "_back": np.stack([0 * back, 6 * back, -back], 1),
        "tongueOut": np.stack([-0.1 * points[:, 0] * tip, 10 * tip, 25 * tip], 1),
    }
    moves["tongueOut"] = own["tongueOut"]
    for name in NAMES:
        recipe = VISEMES.get(name.removeprefix("viseme_"), EXTRAS.get(name, {}))
        for move, weight in recipe.items():
            if move.startswith("_"):
                moves[name] = moves[name] + weight * own[move]
    colour = linear(srgb("#c96f70")) * (0.45 + 0.55 * smoothstep(-20, 18, local[:, 2]))[:, None]
    faces = faces if _outwards(points, faces) else faces[:, ::-1]
    return Part(
        name="Wolf3D_Tongue",
        material="Tongue",
        points=points,
        faces=faces,
        normals=face_normals(points, faces),
        weights=only("Head", len(points)),
        colour=colour,
        morphs=moves,
    )


def _outwards(points: Array, faces: NDArray[np.int64]) -> bool:
    a, b, c = (points[faces[:, k]] - points.mean(0) for k in range(3))
    return cast(bool, float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) > 0)
