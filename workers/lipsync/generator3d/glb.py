"""Writes binary glTF 2.0: only what these avatars need, small, and the same bytes for the same head.

Morph targets are sparse and quantised (KHR_mesh_quantization): 16-bit displacements in steps of 0.03 mm, 8-bit normals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.distance import Array
from workers.lipsync.generator3d.part import Part
from workers.lipsync.generator3d.skeleton import Bone, metres, world
from workers.lipsync.glb import ARRAY_BUFFER, ELEMENT_BUFFER, GlbBuffer

COMPONENT = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
SMALLEST_MM, SMALLEST_TURN = 0.04, 0.03
"""Displacements below these are left out."""

Json = dict[str, Any]


class GlbFile:
    """Collects buffers and JSON; `packed()` is the file."""

    def __init__(self, generator: str) -> None:
        self._buffer = GlbBuffer()
        self.json: Json = {
            "asset": {"version": "2.0", "generator": generator},
            "extensionsUsed": ["KHR_mesh_quantization"],
            "extensionsRequired": ["KHR_mesh_quantization"],
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": "Armature", "children": []}],
            "meshes": [],
            "materials": [],
            "accessors": [],
            "bufferViews": self._buffer.views,
        }
        self._materials: dict[str, int] = {}
        self._bones: dict[str, int] = {}

    def packed(self) -> bytes:
        return self._buffer.packed(self.json)

    def texture(self, name: str, jpeg: bytes, repeat: bool = False) -> int:
        """The texture's index."""
        images, textures = self.json.setdefault("images", []), self.json.setdefault("textures", [])
        samplers = self.json.setdefault("samplers", [])
        images.append({"name": name, "mimeType": "image/jpeg", "bufferView": self._buffer.add(jpeg)})
        wrap = 10497 if repeat else 33071
        samplers.append({"magFilter": 9729, "minFilter": 9987, "wrapS": wrap, "wrapT": wrap})
        textures.append({"source": len(images) - 1, "sampler": len(samplers) - 1})
        return len(textures) - 1

    def material(self, name: str, **properties: Any) -> None:
        """glTF's own keys; extensions it uses are noted."""
        for extension in properties.get("extensions", {}):
            if extension not in self.json["extensionsUsed"]:
                self.json["extensionsUsed"].append(extension)
        self._materials[name] = len(self.json["materials"])
        self.json["materials"].append({"name": name, **properties})

    def skeleton(self, skeleton: tuple[Bone, ...]) -> None:
        nodes = self.json["nodes"]
        for bone in skeleton:
            node: Json = {"name": bone.name, "translation": [float(v) for v in bone.place]}
            if any(bone.turn):
                node["rotation"] = bone.quaternion()
            self._bones[bone.name] = len(nodes)
            parent = nodes[self._bones[bone.parent] if bone.parent else 0]
            parent.setdefault("children", []).append(len(nodes))
            nodes.append(node)
        rest = world(skeleton)
        inverse = np.stack([np.linalg.inv(rest[bone.name]).T for bone in skeleton]).astype(np.float32)
        inverse[:, :3, 3], inverse[:, 3, 3] = 0, 1
        self.json["skins"] = [
            {
                "name": "Armature",
                "joints": [self._bones[bone.name] for bone in skeleton],
                "inverseBindMatrices": self._accessor(inverse.reshape(-1, 16), "MAT4"),
                "skeleton": self._bones["Hips"],
            }
        ]

    def mesh(self, part: Part) -> None:
        """A node under Armature, skinned."""
        attributes: Json = {}
        index_type = np.uint32 if len(part.points) > 65535 else np.uint16
        primitive: Json = {
            "attributes": attributes,
            "indices": self._accessor(part.faces.astype(index_type).ravel(), "SCALAR", ELEMENT_BUFFER),
            "material": self._materials[part.material],
        }
        attributes["POSITION"] = self._accessor(
            metres(part.points).astype(np.float32), "VEC3", ARRAY_BUFFER, bounds=True
        )
        attributes["NORMAL"] = self._quantised(_unit(part.normals), np.int16, "VEC3")
        if part.uv is not None:
            if part.uv.min() >= 0 and part.uv.max() <= 1:
                attributes["TEXCOORD_0"] = self._quantised(part.uv, np.uint16, "VEC2")
            else:
                attributes["TEXCOORD_0"] = self._accessor(part.uv.astype(np.float32), "VEC2", ARRAY_BUFFER)
        if part.colour is not None:
            whole = np.concatenate([np.clip(part.colour, 0, 1), np.ones((len(part.points), 1))], 1)
            attributes["COLOR_0"] = self._quantised(whole, np.uint16, "VEC4")
        joints, weights = self._bound(part.weights, len(part.points))
        attributes["JOINTS_0"] = self._accessor(joints, "VEC4", ARRAY_BUFFER)
        attributes["WEIGHTS_0"] = self._accessor(weights, "VEC4", ARRAY_BUFFER, normalized=True)
        mesh: Json = {"name": part.name, "primitives": [primitive]}
        if part.morphs is not None:
            primitive["targets"] = [self._target(part, move) for move in part.morphs.values()]
            mesh["weights"] = [0.0] * len(part.morphs)
            mesh["extras"] = {"targetNames": list(part.morphs)}
        nodes = self.json["nodes"]
        nodes[0]["children"].append(len(nodes))
        nodes.append({"name": part.name, "mesh": len(self.json["meshes"]), "skin": 0})
        self.json["meshes"].append(mesh)

    def node(self, name: str) -> int:
        return next(i for i, node in enumerate(self.json["nodes"]) if node["name"] == name)

    def morphing(self) -> list[tuple[int, list[str]]]:
        """Nodes with morph targets, and their names."""
        meshes = self.json["meshes"]
        return [
            (i, meshes[node["mesh"]]["extras"]["targetNames"])
            for i, node in enumerate(self.json["nodes"])
            if "mesh" in node and "extras" in meshes[node["mesh"]]
        ]

    def _target(self, part: Part, move: Array) -> Json:
        moved = np.nonzero(np.abs(move).max(1) > SMALLEST_MM)[0]
        steps = np.round(move[moved] * 0.001 * 32767).astype(np.int16)
        target: Json = {"POSITION": self._sparse(moved, steps, len(move))}
        if part.morph_normals and len(moved):
            turn = part_normals(part.points + move, part.faces) - part_normals(part.points, part.faces)
            turned = np.nonzero((np.abs(turn).max(1) > SMALLEST_TURN) & (np.abs(move).max(1) > SMALLEST_MM))[0]
            values = np.round(np.clip(turn[turned], -1, 1) * 127).astype(np.int8)
            target["NORMAL"] = self._sparse(turned, values, len(move))
        return target

    def _sparse(self, at: NDArray[np.int64], values: NDArray[Any], count: int) -> int:
        accessor: Json = {
            "componentType": COMPONENT[str(values.dtype)],
            "normalized": True,
            "count": count,
            "type": "VEC3",
        }
        resting = np.zeros((1 if len(at) < count else 0, 3), values.dtype)
        spread = np.concatenate([values, resting])
        low, high = spread.min(0), spread.max(0)
        accessor |= {"min": [int(v) for v in low], "max": [int(v) for v in high]}
        if len(at):
            accessor["sparse"] = {
                "count": len(at),
                "indices": {"bufferView": self._buffer.add(at.astype(np.uint16).tobytes()), "componentType": 5123},
                "values": {"bufferView": self._buffer.add(values.tobytes())},
            }
        self.json["accessors"].append(accessor)
        return len(self.json["accessors"]) - 1

    def _accessor(
        self, values: NDArray[Any], kind: str, target: int | None = None, bounds: bool = False, normalized: bool = False
    ) -> int:
        values = np.ascontiguousarray(values)
        accessor: Json = {
            "bufferView": self._buffer.add(values.tobytes(), target),
            "componentType": COMPONENT[str(values.dtype)],
            "count": len(values),
            "type": kind,
        }
        if bounds:
            accessor |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        if normalized:
            accessor["normalized"] = True
        self.json["accessors"].append(accessor)
        return len(self.json["accessors"]) - 1

    def _quantised(self, values: Array, kind: type[np.integer[Any]], shape: str) -> int:
        """Normalised integers for a vertex attribute, each vertex on a multiple of four bytes."""
        steps = np.round(values * np.iinfo(kind).max).astype(kind)
        width = steps.shape[1]
        padded = np.zeros((len(steps), width + (-width * steps.itemsize % 4) // steps.itemsize), kind)
        padded[:, :width] = steps
        index = self._accessor(padded, shape, ARRAY_BUFFER, normalized=True)
        if padded.shape[1] != width:
            self._buffer.views[-1]["byteStride"] = padded.shape[1] * padded.itemsize
        return index

    def _bound(self, weights: Mapping[str, Array], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Joints and shares of 255, which together are 255."""
        order = self.json["skins"][0]["joints"]
        joints, shares = np.zeros((count, 4), np.uint8), np.zeros((count, 4))
        for column, (bone, weight) in enumerate(weights.items()):
            joints[:, column] = order.index(self._bones[bone])
            shares[:, column] = weight
        steps = np.floor(shares / shares.sum(1, keepdims=True) * 255 + 1e-6).astype(np.uint8)
        steps[np.arange(count), steps.argmax(1)] += (255 - steps.sum(1, dtype=int)).astype(np.uint8)
        joints[steps == 0] = 0
        return joints, steps


def part_normals(points: Array, faces: NDArray[np.int64]) -> Array:
    """As `surface.face_normals`, but points at one place share theirs: a cut for the texture shows no seam."""
    same = np.unique(np.round(points, 3), axis=0, return_inverse=True)[1].reshape(-1)
    across = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    found = np.zeros((same.max() + 1, 3))
    for k in range(3):
        np.add.at(found, same[faces[:, k]], across)
    return _unit(found[same])


def _unit(normals: Array) -> Array:
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    return cast(Array, np.where(size > 1e-9, normals / np.maximum(size, 1e-9), (0.0, 0.0, 1.0)))
