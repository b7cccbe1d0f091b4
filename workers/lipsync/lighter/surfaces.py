"""The surfaces of a light file: colours as low quality shows them (static/js/avatar3d/plain_surface.mjs), in pictures
that are no larger than its drawing can use."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from workers.lipsync.glb import Table
from workers.lipsync.lighter.glb_numbers import GlbReader, GlbWriter

LARGEST_PX, SMALLEST_PX = 512, 128
"""Of a picture that the head itself wears, and of what is far smaller, such as an eye."""
JPEG_QUALITY = 88
UNLIT = "KHR_materials_unlit"
"""The one extension of a surface that low quality shows."""


def coordinates(table: Table, part: Table) -> str:
    """The attribute by which a part's colours lie on it; empty without a picture of them."""
    shown = _shown(table, part)
    if shown is None:
        return ""
    moved = shown.get("extensions", {}).get("KHR_texture_transform", {})
    return f"TEXCOORD_{moved.get('texCoord', shown.get('texCoord', 0))}"


def add_surfaces(reader: GlbReader, writer: GlbWriter, parts: list[Table]) -> None:
    """Materials without bumps and gloss, and the pictures that are left."""
    table = writer.table
    textures, images = table.pop("textures", []), table.pop("images", [])
    sizes = _sizes(reader, parts)
    kept: dict[int, int] = {}
    for material in table.get("materials", []):
        for what in ("normalTexture", "occlusionTexture", "emissiveTexture"):
            material.pop(what, None)
        surface = material.get("pbrMetallicRoughness", {})
        surface.pop("metallicRoughnessTexture", None)
        if (unlit := material.pop("extensions", {}).get(UNLIT)) is not None:
            material["extensions"] = {UNLIT: unlit}
        if "baseColorTexture" in surface:
            shown = surface["baseColorTexture"]
            shown["index"] = kept.setdefault(shown["index"], len(kept))
    if not kept:
        return
    sources: dict[int, int] = {}
    table["textures"], table["images"] = [textures[old] for old in kept], []
    for old, texture in zip(kept, table["textures"], strict=True):
        for place in (texture, *texture.get("extensions", {}).values()):
            if "source" not in place:
                continue
            if place["source"] not in sources:
                sources[place["source"]] = len(table["images"])
                table["images"].append(_picture(reader, writer, images[place["source"]], sizes.get(old, LARGEST_PX)))
            place["source"] = sources[place["source"]]


def _shown(table: Table, part: Table) -> Any:
    if "material" not in part:
        return None
    return table["materials"][part["material"]].get("pbrMetallicRoughness", {}).get("baseColorTexture")


def _sizes(reader: GlbReader, parts: list[Table]) -> dict[int, int]:
    """Most pixels of each texture, by how large what wears it is beside the largest part that has shapes."""
    extents = [float(np.ptp(reader.numbers(part["attributes"]["POSITION"]), axis=0).max()) for part in parts]
    whole = max([extent for part, extent in zip(parts, extents, strict=True) if part.get("targets")] or extents)
    sizes: dict[int, int] = {}
    for part, extent in zip(parts, extents, strict=True):
        if (shown := _shown(reader.table, part)) is not None:
            size = int(np.clip(2 * LARGEST_PX * extent / max(whole, 1e-9), SMALLEST_PX, LARGEST_PX))
            sizes[shown["index"]] = max(size, sizes.get(shown["index"], 0))
    return sizes


def _picture(reader: GlbReader, writer: GlbWriter, image: Table, most_px: int) -> Table:
    """As it was where it is small enough, or of a kind that is not read here."""
    data, kind = reader.view(image["bufferView"]), image.get("mimeType", "image/jpeg")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is not None and pixels.dtype == np.uint8 and max(pixels.shape[:2]) > most_px:
        scale = most_px / max(pixels.shape[:2])
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        seen_through = pixels.ndim == 3 and pixels.shape[2] == 4
        ending, kind = (".png", "image/png") if seen_through else (".jpg", "image/jpeg")
        _, packed = cv2.imencode(ending, pixels, [] if seen_through else [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        data = packed.tobytes()
    return image | {"mimeType": kind, "bufferView": writer.add_bytes(data)}
