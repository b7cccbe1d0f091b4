"""A head's light file: what low quality draws of it, and nothing else, so that a page has it sooner.

Its vertices are some of the head's own, where they were, with all shapes, bones and names; its triangles are fewer.
Colours come in smaller pictures; bumps and gloss, which plain surfaces do not show, do not come at all.
"""

from __future__ import annotations

import numpy as np

from workers.lipsync.glb import ARRAY_BUFFER, DTYPES, ELEMENT_BUFFER, Table
from workers.lipsync.lighter.glb_numbers import GlbReader, GlbWriter, index_type
from workers.lipsync.lighter.surfaces import add_surfaces, coordinates
from workers.lipsync.lighter.thinning import TRIANGLES, Faces, faces_of, thinned

MOST_TRIANGLES = 120_000
"""Finer heads take too long here; the page thins them itself."""
KEPT = ("POSITION", "NORMAL", "COLOR_0", "JOINTS", "WEIGHTS")
"""Beginnings of the attributes that are kept whatever the surface is; texture coordinates only where it shows them."""


def light_file(data: bytes) -> bytes | None:
    """Of a .glb that was looked over before; None where there is none to be had, and the page thins the head itself."""
    reader = GlbReader(data)
    if not _plain(reader.table):
        return None
    parts = [part for mesh in reader.table.get("meshes", []) for part in mesh["primitives"]]
    before = [faces_of(reader, part) for part in parts]
    if not TRIANGLES < sum(map(len, before)) <= MOST_TRIANGLES:
        return None
    writer = GlbWriter(reader.table)
    writer.table.pop("animations", None)
    add_surfaces(reader, writer, parts)
    made = (_part(reader, writer, part, faces) for part, faces in zip(parts, thinned(reader, before), strict=True))
    for mesh in writer.table["meshes"]:
        mesh["primitives"] = [next(made) for _ in mesh["primitives"]]
    for skin in writer.table.get("skins", []):
        if "inverseBindMatrices" in skin:
            index = skin["inverseBindMatrices"]
            skin["inverseBindMatrices"] = writer.add(reader.rows(index), reader.table["accessors"][index])
    return writer.packed()


def _plain(table: Table) -> bool:
    """Nothing in it is packed, elsewhere, or of a kind whose parts refer to each other in ways of their own."""
    buffers = table.get("buffers", [])
    names = set(table.get("extensionsUsed", ()))
    foreign = {name for name in names if name.startswith(("VRM", "EXT_mesh", "KHR_draco", "KHR_meshopt"))}
    outside = any("uri" in image for image in table.get("images", ()))
    return len(buffers) == 1 and "uri" not in buffers[0] and not foreign and not outside


def _part(reader: GlbReader, writer: GlbWriter, part: Table, faces: Faces) -> Table:
    """With the vertices that its triangles use; what is no list of triangles stays as it is."""
    accessors = reader.table["accessors"]
    if part.get("mode", 4) == 4:
        used, flat = np.unique(faces, return_inverse=True)
    else:
        used = np.arange(accessors[part["attributes"]["POSITION"]]["count"])
        flat = reader.rows(part["indices"]).astype(np.int64) if "indices" in part else used
    made: Table = {key: part[key] for key in ("mode", "material", "extras") if key in part}
    shown = coordinates(reader.table, part)
    made["attributes"] = {
        name: writer.add(reader.rows(index)[used], accessors[index], ARRAY_BUFFER)
        for name, index in part["attributes"].items()
        if name.startswith(KEPT) or name == shown
    }
    code = index_type(len(used))
    corners = {"componentType": code, "type": "SCALAR"}
    made["indices"] = writer.add(flat.reshape(-1, 1).astype(DTYPES[code]), corners, ELEMENT_BUFFER)
    if "targets" in part:
        made["targets"] = [
            {
                name: writer.add_sparse(reader.rows(index)[used], accessors[index])
                for name, index in target.items()
                if name in ("POSITION", "NORMAL")
            }
            for target in part["targets"]
        ]
    return made
