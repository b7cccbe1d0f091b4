"""Takes the numbers out of a .glb and puts others in: accessors as arrays of what the file keeps, quantised or not.

The format: registry.khronos.org/glTF/specs/2.0, section 3.6 (binary data).
"""

from __future__ import annotations

import copy
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942

Table = dict[str, Any]
Rows = NDArray[Any]
"""(count, width), as the file keeps them: integers of a quantised accessor are not yet fractions."""


class GlbReader:
    """A file that was looked over before (`workers.lipsync.adding.model_file`), with one buffer, its own."""

    def __init__(self, data: bytes) -> None:
        size = struct.unpack_from("<I", data, 12)[0]
        self.table: Table = json.loads(data[20 : 20 + size])
        self._binary = data[28 + size :]

    def rows(self, index: int) -> Rows:
        """Of an accessor, sparse or not."""
        accessor = self.table["accessors"][index]
        kind, width, count = np.dtype(KINDS[accessor["componentType"]]), WIDTHS[accessor["type"]], accessor["count"]
        found = np.zeros((count, width), kind)
        if "bufferView" in accessor and count:
            view = self.table["bufferViews"][accessor["bufferView"]]
            strides = (view.get("byteStride", width * kind.itemsize), kind.itemsize)
            found[:] = np.ndarray(
                (count, width), kind, self.view(accessor["bufferView"]), accessor.get("byteOffset", 0), strides
            )
        if "sparse" in accessor:
            found[self._sparse(accessor, "indices", 1).ravel()] = self._sparse(accessor, "values", width)
        return found

    def numbers(self, index: int) -> NDArray[np.float64]:
        """The same as what they mean."""
        rows = self.rows(index)
        if not self.table["accessors"][index].get("normalized"):
            return rows.astype(float)
        return np.maximum(rows / np.iinfo(rows.dtype).max, -1.0)

    def view(self, index: int) -> bytes:
        view = self.table["bufferViews"][index]
        start = view.get("byteOffset", 0)
        return self._binary[start : start + view["byteLength"]]

    def _sparse(self, accessor: Table, what: str, width: int) -> Rows:
        sparse = accessor["sparse"]
        place = sparse[what]
        kind = np.dtype(KINDS[place.get("componentType", accessor["componentType"])])
        count = sparse["count"]
        return np.frombuffer(self.view(place["bufferView"]), kind, count * width, place.get("byteOffset", 0)).reshape(
            count, width
        )


@dataclass
class GlbWriter:
    """Collects accessors and pictures for a table that is like another one's."""

    table: Table
    """Without accessors, views and buffers: these are made here."""
    _data: bytearray = field(default_factory=bytearray)
    _still: dict[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def like(cls, table: Table) -> GlbWriter:
        kept = {key: value for key, value in table.items() if key not in ("accessors", "bufferViews", "buffers")}
        return cls(copy.deepcopy(kept) | {"accessors": [], "bufferViews": []})

    def add(self, rows: Rows, like: Table, target: int | None = None) -> int:
        """An accessor of the same type as `like`; rows of a vertex attribute lie on multiples of four bytes."""
        width = rows.shape[1]
        padded = rows
        if target == ARRAY_BUFFER and rows.strides[0] % 4:
            step = -(-width * rows.itemsize // 4) * 4 // rows.itemsize
            padded = np.zeros((len(rows), step), rows.dtype)
            padded[:, :width] = rows
        accessor = self._accessor(rows, like)
        accessor["bufferView"] = self.add_bytes(np.ascontiguousarray(padded).tobytes(), target)
        if padded.shape[1] != width:
            self.table["bufferViews"][-1]["byteStride"] = padded.shape[1] * padded.itemsize
        return self._added(accessor)

    def add_sparse(self, rows: Rows, like: Table) -> int:
        """Only the rows that are not zero; those without any share one accessor."""
        at = np.flatnonzero(rows.any(1))
        if not len(at):
            key = (like["componentType"], len(rows))
            if key not in self._still:
                self._still[key] = self._added(self._accessor(rows, like))
            return self._still[key]
        index_kind, code = (np.dtype("<u2"), 5123) if len(rows) <= 0xFFFF else (np.dtype("<u4"), 5125)
        accessor = self._accessor(rows, like)
        accessor["sparse"] = {
            "count": len(at),
            "indices": {"bufferView": self.add_bytes(at.astype(index_kind).tobytes()), "componentType": code},
            "values": {"bufferView": self.add_bytes(np.ascontiguousarray(rows[at]).tobytes())},
        }
        return self._added(accessor)

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """A view's index."""
        self._data += bytes(-len(self._data) % 4)
        view: Table = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        if target:
            view["target"] = target
        self._data += data
        self.table["bufferViews"].append(view)
        return len(self.table["bufferViews"]) - 1

    def packed(self) -> bytes:
        """The file."""
        self._data += bytes(-len(self._data) % 4)
        text = json.dumps(self.table | {"buffers": [{"byteLength": len(self._data)}]}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(self._data))
        parts = (head, struct.pack("<II", len(text), JSON_CHUNK), text)
        return b"".join((*parts, struct.pack("<II", len(self._data), BINARY_CHUNK), bytes(self._data)))

    def _accessor(self, rows: Rows, like: Table) -> Table:
        accessor: Table = {key: like[key] for key in ("componentType", "type", "normalized") if key in like}
        accessor["count"] = len(rows)
        if "min" in like and len(rows):
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        return accessor

    def _added(self, accessor: Table) -> int:
        self.table["accessors"].append(accessor)
        return len(self.table["accessors"]) - 1


ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
