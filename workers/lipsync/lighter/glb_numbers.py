"""Takes the numbers out of a .glb and puts others in: accessors as arrays of what the file keeps, quantised or not.

The format: registry.khronos.org/glTF/specs/2.0, section 3.6 (binary data).
"""

from __future__ import annotations

import copy
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.lipsync.glb import ARRAY_BUFFER, COMPONENTS, DTYPES, GlbBuffer, Table

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
        kind, width, count = (
            np.dtype(DTYPES[accessor["componentType"]]),
            COMPONENTS[accessor["type"]],
            accessor["count"],
        )
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
        kind = np.dtype(DTYPES[place.get("componentType", accessor["componentType"])])
        count = sparse["count"]
        return np.frombuffer(self.view(place["bufferView"]), kind, count * width, place.get("byteOffset", 0)).reshape(
            count, width
        )


class GlbWriter:
    """Collects accessors and pictures for a table that is like another one's."""

    def __init__(self, like: Table) -> None:
        """`like`: of it accessors, views and buffers are left out, they are made here."""
        kept = {key: value for key, value in like.items() if key not in ("accessors", "bufferViews", "buffers")}
        self._buffer = GlbBuffer()
        self.table: Table = copy.deepcopy(kept) | {"accessors": [], "bufferViews": self._buffer.views}
        self._still: dict[tuple[int, int], int] = {}

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
            self._buffer.views[-1]["byteStride"] = padded.shape[1] * padded.itemsize
        return self._added(accessor)

    def add_sparse(self, rows: Rows, like: Table) -> int:
        """Only the rows that are not zero; those without any share one accessor."""
        at = np.flatnonzero(rows.any(1))
        if not len(at):
            key = (like["componentType"], len(rows))
            if key not in self._still:
                self._still[key] = self._added(self._accessor(rows, like))
            return self._still[key]
        code = index_type(len(rows))
        accessor = self._accessor(rows, like)
        accessor["sparse"] = {
            "count": len(at),
            "indices": {"bufferView": self.add_bytes(at.astype(DTYPES[code]).tobytes()), "componentType": code},
            "values": {"bufferView": self.add_bytes(np.ascontiguousarray(rows[at]).tobytes())},
        }
        return self._added(accessor)

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """A view's index."""
        return self._buffer.add(data, target)

    def packed(self) -> bytes:
        """The file."""
        return self._buffer.packed(self.table)

    def _accessor(self, rows: Rows, like: Table) -> Table:
        accessor: Table = {key: like[key] for key in ("componentType", "type", "normalized") if key in like}
        accessor["count"] = len(rows)
        if "min" in like and len(rows):
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        return accessor

    def _added(self, accessor: Table) -> int:
        self.table["accessors"].append(accessor)
        return len(self.table["accessors"]) - 1


def index_type(count: int) -> int:
    """The component type that can name so many vertices."""
    return 5123 if count <= 0xFFFF else 5125
