"""The container of binary glTF 2.0: a table of JSON and one buffer, and the numbers by which it names types.

The format: registry.khronos.org/glTF/specs/2.0, sections 3.6 (binary data) and 4 (binary container).
"""

from __future__ import annotations

import json
import struct
from typing import Any

Table = dict[str, Any]

JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
DTYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963


class GlbBuffer:
    """Collects the one buffer of a file."""

    def __init__(self) -> None:
        self.views: list[Table] = []
        """The file's `bufferViews`."""
        self._data = bytearray()

    def add(self, data: bytes, target: int | None = None) -> int:
        """A view's index."""
        self._pad()
        view: Table = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        if target:
            view["target"] = target
        self._data += data
        self.views.append(view)
        return len(self.views) - 1

    def packed(self, table: Table) -> bytes:
        """The file of a table that has these views."""
        self._pad()
        text = json.dumps({**table, "buffers": [{"byteLength": len(self._data)}]}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(self._data))
        parts = (head, struct.pack("<II", len(text), JSON_CHUNK), text)
        return b"".join((*parts, struct.pack("<II", len(self._data), BINARY_CHUNK), bytes(self._data)))

    def _pad(self) -> None:
        self._data += bytes(-len(self._data) % 4)
