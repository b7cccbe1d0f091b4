"""A .glb file of one triangle with whatever shapes, bones and mistakes a test asks for."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

VISEME_SHAPES = tuple(
    f"viseme_{name}" for name in ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
)
ARKIT_SHAPES = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "mouthPressLeft", "mouthPressRight",
    "mouthRollLower", "mouthRollUpper", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthStretchLeft", "mouthStretchRight", "eyeBlinkLeft", "eyeBlinkRight", "browInnerUp",
    "eyeLookOutLeft", "eyeLookInRight",
)  # fmt: skip

TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)


class SmallGlb:
    """`table` and `binary` are the file's JSON and buffer, to be spoilt at will before `bytes`."""

    def __init__(
        self, shapes: Iterable[str] = (), bones: Iterable[str] = ("Neck", "Head", "LeftEye", "RightEye")
    ) -> None:
        names = list(shapes)
        self.binary = bytearray()
        self.table: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": "Face", "mesh": 0}],
            "bufferViews": [],
            "accessors": [],
        }
        primitive: dict[str, Any] = {"attributes": {"POSITION": self.points(TRIANGLE)}}
        if names:
            primitive["targets"] = [{"POSITION": self.points(TRIANGLE * 0.1)} for _ in names]
        self.table["meshes"] = [{"primitives": [primitive], "extras": {"targetNames": names}}]
        for bone in bones:
            self.table["nodes"].append({"name": bone})

    def points(self, values: np.ndarray) -> int:
        """A new accessor of (n, 3) floats; its number."""
        bounds = {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        accessor = {"bufferView": self.view(values.astype("<f4").tobytes()), "componentType": 5126, "type": "VEC3"}
        self.table["accessors"].append(accessor | {"count": len(values)} | bounds)
        return len(self.table["accessors"]) - 1

    def view(self, data: bytes) -> int:
        self.table["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data + bytes(-len(data) % 4)
        return len(self.table["bufferViews"]) - 1

    def bytes(self) -> bytes:
        table = {"buffers": [{"byteLength": len(self.binary)}]} | self.table
        return pack(json.dumps(table).encode(), bytes(self.binary))


def pack(text: bytes, binary: bytes = b"", version: int = 2) -> bytes:
    """The container around a JSON text and a buffer."""
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, version, 12 + len(chunks)) + chunks
