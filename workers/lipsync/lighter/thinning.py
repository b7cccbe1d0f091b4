"""Which triangles of a head its light file has: as many as the page draws as they are, a like share of each part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.glb import Table
from workers.lipsync.lighter.fewer import Array, fewer
from workers.lipsync.lighter.glb_numbers import GlbReader

TRIANGLES = 11_500
"""The page draws a head of 12 000 as it is (static/js/avatar3d/coarser.mjs)."""
SMALL = 300
"""A part of so few triangles keeps them all: lashes, a speck."""
LOOKED_AT = (
    "eyeBlinkLeft", "eyeBlinkRight", "viseme_aa", "viseme_O", "viseme_U", "viseme_FF", "viseme_E", "viseme_CH",
    "mouthSmileLeft", "mouthSmileRight", "jawOpen", "mouthPucker", "mouthFunnel", "eyesClosed", "mouthSmile",
    "mouthOpen",
)  # fmt: skip
"""Shapes by which a face is read: triangles stay where these bend it."""
SHAPE_WEIGHT = 1.5
NORMAL_WEIGHT, COLOUR_WEIGHT = 0.05, 0.05
"""A turn by one radian, or white for black, is as far as this part of the part's size."""

Faces = NDArray[np.int64]
"""(n, 3) vertices of a part."""


def faces_of(reader: GlbReader, part: Table) -> Faces:
    """None of a part that is no list of triangles."""
    if part.get("mode", 4) != 4:
        return np.zeros((0, 3), np.int64)
    if "indices" in part:
        flat = reader.rows(part["indices"]).astype(np.int64).ravel()
    else:
        flat = np.arange(reader.table["accessors"][part["attributes"]["POSITION"]]["count"])
    return flat[: len(flat) // 3 * 3].reshape(-1, 3)


def thinned(reader: GlbReader, before: list[Faces]) -> Iterator[Faces]:
    """Of each part in the file's order. By the outermost vertices the page frames a head: they stay."""
    parts = [(mesh, part) for mesh in reader.table["meshes"] for part in mesh["primitives"]]
    places = [reader.numbers(part["attributes"]["POSITION"]) for _, part in parts]
    spared = sum(len(faces) for faces in before if len(faces) <= SMALL)
    share = (TRIANGLES - spared) / (sum(map(len, before)) - spared)
    seen = np.concatenate([place[faces].reshape(-1, 3) for place, faces in zip(places, before, strict=True)])
    ends = np.stack([seen.min(0), seen.max(0)])
    for (mesh, part), place, faces in zip(parts, places, before, strict=True):
        if len(faces) <= SMALL:
            yield faces
            continue
        names = mesh.get("extras", {}).get("targetNames") or part.get("extras", {}).get("targetNames") or []
        outermost = np.flatnonzero((place[:, None, :] == ends).any((1, 2)))
        yield fewer(place, faces, _beside(reader, part, place, names), int(share * len(faces)), outermost)


def _beside(reader: GlbReader, part: Table, place: Array, names: list[str]) -> Array:
    """(vertices, columns): normals and colours, as lengths, and how far the shapes that are looked at move each."""
    size = float(np.linalg.norm(np.ptp(place, 0)))
    columns = [np.zeros((len(place), 0))]
    for name, weight in (("NORMAL", NORMAL_WEIGHT), ("COLOR_0", COLOUR_WEIGHT)):
        if name in part["attributes"]:
            columns.append(weight * size * reader.numbers(part["attributes"][name])[:, :3])
    for name, target in zip(names, part.get("targets", ()), strict=False):
        if name in LOOKED_AT and "POSITION" in target:
            move = reader.numbers(target["POSITION"])
            if move.any():
                columns.append(SHAPE_WEIGHT * move)
    return np.concatenate(columns, 1)
