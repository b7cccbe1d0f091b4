"""A small writer of binary glTF 2.0: meshes with morph targets and skins, nodes, one buffer."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

Json = dict[str, Any]

FLOAT, UNSIGNED_SHORT, UNSIGNED_INT, UNSIGNED_BYTE = 5126, 5123, 5125, 5121
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Glb:
    """Build `json` with the methods, change it at will, take `bytes()`."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.json: Json = {
            "asset": {"version": "2.0", "generator": "visavis tests"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "materials": [],
        }

    def accessor(self, values: npt.NDArray[Any], component: int = FLOAT, bounds: bool = False) -> int:
        """`values` (n, k) or (n,) in the buffer."""
        table = values.reshape(len(values), -1)
        dtype = {FLOAT: "<f4", UNSIGNED_SHORT: "<u2", UNSIGNED_INT: "<u4", UNSIGNED_BYTE: "u1"}[component]
        data = table.astype(dtype).tobytes()
        self.json["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data + bytes(-len(data) % 4)
        entry: Json = {
            "bufferView": len(self.json["bufferViews"]) - 1,
            "componentType": component,
            "count": len(table),
            "type": KINDS[table.shape[1]],
        }
        if bounds:
            entry |= {"min": table.min(0).astype(float).tolist(), "max": table.max(0).astype(float).tolist()}
        self.json["accessors"].append(entry)
        return len(self.json["accessors"]) - 1

    def material(self, name: str, colour: tuple[float, float, float], roughness: float = 0.6) -> int:
        pbr = {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": roughness}
        self.json["materials"].append({"name": name, "pbrMetallicRoughness": pbr})
        return len(self.json["materials"]) - 1

    def mesh(
        self,
        name: str,
        points: npt.NDArray[np.float64],
        triangles: npt.NDArray[np.int64],
        material: int,
        colours: npt.NDArray[np.float64] | None = None,
        joints: npt.NDArray[np.int64] | None = None,
        morphs: dict[str, npt.NDArray[np.float64]] | None = None,
    ) -> int:
        """`points` (n, 3), `triangles` (m, 3), `colours` (n, 3), `joints` (n,): each point hangs on one bone."""
        attributes = {
            "POSITION": self.accessor(points, bounds=True),
            "NORMAL": self.accessor(normals(points, triangles)),
        }
        if colours is not None:
            attributes["COLOR_0"] = self.accessor(colours)
        if joints is not None:
            bones = np.zeros((len(points), 4), int)
            bones[:, 0] = joints
            weights = np.zeros((len(points), 4))
            weights[:, 0] = 1
            attributes |= {"JOINTS_0": self.accessor(bones, UNSIGNED_SHORT), "WEIGHTS_0": self.accessor(weights)}
        primitive: Json = {
            "attributes": attributes,
            "indices": self.accessor(triangles.reshape(-1), UNSIGNED_INT),
            "material": material,
        }
        mesh: Json = {"name": name, "primitives": [primitive]}
        if morphs:
            primitive["targets"] = [{"POSITION": self.accessor(move, bounds=True)} for move in morphs.values()]
            mesh["extras"] = {"targetNames": list(morphs)}
        self.json["meshes"].append(mesh)
        return len(self.json["meshes"]) - 1

    def node(self, name: str, parent: int | None = None, **fields: Any) -> int:
        self.json["nodes"].append({"name": name, **fields})
        number = len(self.json["nodes"]) - 1
        if parent is None:
            self.json["scenes"][0]["nodes"].append(number)
        else:
            self.json["nodes"][parent].setdefault("children", []).append(number)
        return number

    def bytes(self) -> bytes:
        return packed(self.json | {"buffers": [{"byteLength": len(self.binary)}]}, bytes(self.binary))


def packed(table: Json, binary: bytes) -> bytes:
    """A .glb file of a JSON table and a buffer."""
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def normals(points: npt.NDArray[np.float64], triangles: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(n, 3) unit normals, from the areas around each point."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    sums = np.zeros_like(points)
    for k in range(3):
        np.add.at(sums, triangles[:, k], faces)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 1e-12, sums / np.maximum(lengths, 1e-12), [0.0, 1.0, 0.0])
