"""Reads back a GLB of ours: accessors as numbers, meshes by name, morph targets by name."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS: dict[int, Any] = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<III", data)
        assert (magic, version, length) == (0x46546C67, 2, len(data))
        size = struct.unpack_from("<I", data, 12)[0]
        self.json: dict[str, Any] = json.loads(data[20 : 20 + size])
        self._data = data[28 + size :]

    @classmethod
    def of(cls, path: Path) -> Glb:
        return cls(path.read_bytes())

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        return {node["name"]: node for node in self.json["nodes"]}

    def mesh(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.json["meshes"][self.nodes[name]["mesh"]]
        return found

    def attribute(self, mesh: str, name: str) -> NDArray[np.float64]:
        return self._numbers(self.mesh(mesh)["primitives"][0]["attributes"][name])

    def faces(self, mesh: str) -> NDArray[np.int64]:
        return self._numbers(self.mesh(mesh)["primitives"][0]["indices"]).astype(np.int64).reshape(-1, 3)

    def targets(self, mesh: str) -> list[str]:
        names: list[str] = self.mesh(mesh)["extras"]["targetNames"]
        return names

    def move(self, mesh: str, target: str, attribute: str = "POSITION") -> NDArray[np.float64]:
        """(n, 3) displacement at full weight."""
        morph = self.mesh(mesh)["primitives"][0]["targets"][self.targets(mesh).index(target)]
        return self._numbers(morph[attribute])

    def _numbers(self, index: int) -> NDArray[np.float64]:
        accessor = self.json["accessors"][index]
        kind, width, count = np.dtype(KINDS[accessor["componentType"]]), WIDTHS[accessor["type"]], accessor["count"]
        found = np.zeros((count, width))
        if "bufferView" in accessor:
            stride = self.json["bufferViews"][accessor["bufferView"]].get("byteStride", width * kind.itemsize)
            rows = np.frombuffer(self._view(accessor["bufferView"]), kind).reshape(-1, stride // kind.itemsize)
            found = rows[:count, :width].astype(float)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            at = np.frombuffer(self._view(sparse["indices"]["bufferView"]), KINDS[sparse["indices"]["componentType"]])
            found[at] = np.frombuffer(self._view(sparse["values"]["bufferView"]), kind).reshape(-1, width)
        return found / np.iinfo(kind).max if accessor.get("normalized") else found

    def _view(self, index: int) -> bytes:
        view = self.json["bufferViews"][index]
        start = view.get("byteOffset", 0)
        return self._data[start : start + view["byteLength"]]
