"""A .glb or .vrm file taken apart and looked over before a browser has to: whole, self-contained, of a sensible size,
without circles and without points that are no numbers.

The format: registry.khronos.org/glTF/specs/2.0, sections 4 (binary container) and 5 (properties). The bounds are those
of the page that draws it (static/js/avatar3d/glb.mjs), so that what is accepted here is shown there.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from broker.foreign_json import read_json
from workers.lipsync.errors import AvatarError
from workers.lipsync.glb import BINARY_CHUNK, COMPONENTS, DTYPES, JSON_CHUNK, Table
from workers.lipsync.photo import promised_size

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_JSON = 16 * 1024 * 1024
MOST_NODES = 4000
DEEPEST = 200
MOST_VERTICES = 1_500_000
MOST_MORPHED = 24_000_000
"""Vertices times shapes."""
LARGEST_TEXTURE_PX = 8192
MOST_TEXTURE_PIXELS = 96_000_000
FURTHEST = 1e7
"""A coordinate beyond it is an accident."""

COMPRESSED = frozenset({"KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression"})
KNOWN = COMPRESSED | {
    "KHR_mesh_quantization", "KHR_texture_transform", "KHR_materials_unlit", "KHR_lights_punctual", "EXT_texture_webp",
    "EXT_texture_avif", "KHR_materials_clearcoat", "KHR_materials_emissive_strength", "KHR_materials_ior",
    "KHR_materials_sheen", "KHR_materials_specular", "KHR_materials_transmission", "KHR_materials_volume",
    "KHR_materials_iridescence", "KHR_materials_anisotropy", "KHR_materials_dispersion", "EXT_mesh_gpu_instancing",
    "VRM", "VRMC_vrm", "VRMC_springBone", "VRMC_node_constraint", "VRMC_materials_mtoon",
}  # fmt: skip
"""Extensions a file may insist on."""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """What is known of a model that can be drawn."""

    table: Table
    """Its JSON."""
    vertices: int
    triangles: int
    shapes: int
    """Morph targets of all meshes."""
    texture_pixels: int
    compressed: bool
    """Its points are packed; nobody but the page has seen them."""


def read_model(path: Path) -> ModelFile:
    """Raises AvatarError with what is wrong and what to do."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise AvatarError("too_big", "The 3D model is larger than 64 MB; reduce its textures and export it again.")
        data = path.read_bytes()
    except OSError as exc:
        raise AvatarError("unreadable", f"{path.name} cannot be read ({exc.strerror}); check its rights.") from exc
    return look_over(data)


def look_over(data: bytes) -> ModelFile:
    """As `read_model`, from memory."""
    table, binary = _chunks(data)
    _check_version(table)
    buffers = _buffers(table, binary)
    _check_tree(table)
    views = [_view(each, buffers) for each in tables(table, "bufferViews")]
    vertices, triangles, shapes = _check_meshes(table, views)
    pixels = _check_textures(table, views)
    used = {str(name) for name in as_list(table.get("extensionsUsed"))}
    return ModelFile(
        table=table,
        vertices=vertices,
        triangles=triangles,
        shapes=shapes,
        texture_pixels=pixels,
        compressed=bool(used & COMPRESSED),
    )


def tables(parent: Any, key: str) -> list[Table]:
    """A list of tables; what is none becomes an empty one, so that numbers still count."""
    found = parent.get(key) if isinstance(parent, dict) else None
    return [each if isinstance(each, dict) else {} for each in as_list(found)]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_table(value: Any) -> Table:
    return value if isinstance(value, dict) else {}


def whole(value: Any, default: int = -1) -> int:
    """A number that counts or points at something; -1 for everything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _broken() -> AvatarError:
    return AvatarError("damaged", "The 3D model is cut off or broken; copy it again, or export it again.")


def _chunks(data: bytes) -> tuple[Table, bytes]:
    if not data.startswith(b"glTF"):
        if data.lstrip()[:1] == b"{":
            raise AvatarError("format", "This is a .gltf file with its parts elsewhere; export it as one .glb file.")
        raise AvatarError("format", "This is no 3D model; a .glb or .vrm file is needed.")
    if len(data) < 20:
        raise _broken()
    _, version, length = struct.unpack_from("<III", data)
    if version != 2:
        raise AvatarError("version", "The 3D model is of glTF version 1; export it as glTF 2 (.glb).")
    if length > len(data):
        raise _broken()
    table: Table | None = None
    binary = b""
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise _broken()
        if kind == JSON_CHUNK and table is None:
            table = _json(data[at + 8 : at + 8 + size])
        elif kind == BINARY_CHUNK and not binary:
            binary = data[at + 8 : at + 8 + size]
        at += 8 + size + (-size % 4)
    if table is None:
        raise _broken()
    return table, binary


def _json(text: bytes) -> Table:
    if len(text) > LARGEST_JSON:
        raise AvatarError("too_big", "The 3D model has too many parts to be a face; reduce it and export it again.")
    try:
        table = read_json(text)
    except ValueError as exc:
        raise _broken() from exc
    if not isinstance(table, dict):
        raise _broken()
    return table


def _check_version(table: Table) -> None:
    if not str(as_table(table.get("asset")).get("version", "")).startswith("2."):
        raise AvatarError("version", "The 3D model is not of glTF version 2; export it as glTF 2 (.glb).")
    unknown = [str(each) for each in as_list(table.get("extensionsRequired")) if str(each) not in KNOWN]
    if unknown:
        text = f"The 3D model needs {', '.join(unknown)[:120]}, which is not supported; export it without."
        raise AvatarError("extension", text)


def _buffers(table: Table, binary: bytes) -> list[bytes]:
    """Every buffer's bytes; the first one without an address is the file's own."""
    for each in (*tables(table, "buffers"), *tables(table, "images")):
        address = each.get("uri")
        if address is not None and not (isinstance(address, str) and address[:5].lower() == "data:"):
            text = "The 3D model keeps parts in other files or on the web; save it as one .glb file that holds all."
            raise AvatarError("outside", text)
    return [_inline(str(each["uri"])) if "uri" in each else binary for each in tables(table, "buffers")]


def _inline(address: str) -> bytes:
    head, _, text = address.partition(",")
    if not head.endswith(";base64"):
        raise _broken()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _broken() from exc


def _check_tree(table: Table) -> None:
    """Nodes are trees: nobody is their own ancestor, nobody has two parents."""
    nodes = tables(table, "nodes")
    if len(nodes) > MOST_NODES:
        raise AvatarError("too_big", "The 3D model has too many parts to be a face; reduce it and export it again.")
    parents = [-1] * len(nodes)
    circle = AvatarError(
        "circle", "The 3D model's parts hang on each other in a circle; repair its hierarchy and export it again."
    )
    for number, node in enumerate(nodes):
        for child in map(whole, as_list(node.get("children"))):
            if not 0 <= child < len(nodes):
                raise _broken()
            if parents[child] >= 0 or child == number:
                raise circle
            parents[child] = number
    for number in range(len(nodes)):
        depth, up = 0, parents[number]
        while up >= 0:
            depth, up = depth + 1, parents[up]
            if depth > DEEPEST:
                raise circle


def _view(view: Table, buffers: list[bytes]) -> bytes | None:
    """A part of a buffer; None for one that is compressed."""
    if as_table(view.get("extensions")).keys() & COMPRESSED:
        return None
    number, start, size = whole(view.get("buffer")), whole(view.get("byteOffset", 0)), whole(view.get("byteLength"))
    if not 0 <= number < len(buffers) or start < 0 or size < 0 or start + size > len(buffers[number]):
        raise _broken()
    return buffers[number][start : start + size]


def _check_meshes(table: Table, views: list[bytes | None]) -> tuple[int, int, int]:
    """Vertices, triangles and shapes of all meshes together."""
    accessors = tables(table, "accessors")
    strides = [whole(view.get("byteStride", 0), 0) for view in tables(table, "bufferViews")]
    for accessor in accessors:
        _bounded(accessor, views, strides)
    vertices = triangles = shapes = morphed = 0
    for primitive in (part for mesh in tables(table, "meshes") for part in tables(mesh, "primitives")):
        attributes = as_table(primitive.get("attributes"))
        own = _count(accessors, attributes.get("POSITION"))
        drawn = _count(accessors, primitive["indices"]) if "indices" in primitive else own
        targets = tables(primitive, "targets")
        vertices, triangles = vertices + own, triangles + drawn // 3
        shapes, morphed = shapes + len(targets), morphed + own * len(targets)
        for target in targets:
            moves = target.get("POSITION")
            if moves is not None and _count(accessors, moves) != own:
                raise _broken()
        if vertices > MOST_VERTICES or morphed > MOST_MORPHED:
            text = "The 3D model is too fine to be drawn live; reduce it to 100 000 triangles or fewer."
            raise AvatarError("too_big", text)
        for each in (attributes, *targets):
            for key in ("POSITION", "NORMAL"):
                if key in each:
                    _check_numbers(accessors[whole(each[key])], views, strides)
    if not triangles:
        raise AvatarError("nothing", "The 3D model has nothing to draw; export it together with its meshes.")
    return vertices, triangles, shapes


def _count(accessors: list[Table], index: Any) -> int:
    number = whole(index)
    if not 0 <= number < len(accessors):
        raise _broken()
    return whole(accessors[number].get("count"), 0)


def _bounded(accessor: Table, views: list[bytes | None], strides: list[int]) -> None:
    """Raises AvatarError for an accessor that reaches beyond its bytes, or counts more than a face can have."""
    count, size = whole(accessor.get("count")), _size(accessor)
    if count < 0 or size <= 0:
        raise _broken()
    if count > 4 * MOST_VERTICES:
        text = "The 3D model is too fine to be drawn live; reduce it to 100 000 triangles or fewer."
        raise AvatarError("too_big", text)
    if whole(as_table(accessor.get("sparse")).get("count", 0)) not in range(count + 1):
        raise _broken()
    if "bufferView" not in accessor:
        return
    number = whole(accessor["bufferView"])
    if not 0 <= number < len(views):
        raise _broken()
    view = views[number]
    start = whole(accessor.get("byteOffset", 0))
    if start < 0 or (view is not None and count and start + (count - 1) * (strides[number] or size) + size > len(view)):
        raise _broken()


def _size(accessor: Table) -> int:
    """Bytes of one element; 0 for a type that does not exist."""
    kind, component = accessor.get("type"), accessor.get("componentType")
    if not isinstance(kind, str) or not isinstance(component, int) or component not in DTYPES:
        return 0
    return COMPONENTS.get(kind, 0) * np.dtype(DTYPES[component]).itemsize


def _check_numbers(accessor: Table, views: list[bytes | None], strides: list[int]) -> None:
    """Raises AvatarError for points that are nowhere."""
    nowhere = AvatarError("numbers", "The 3D model has points that are nowhere (no numbers); export it again.")
    for bound in (*as_list(accessor.get("min")), *as_list(accessor.get("max"))):
        if not isinstance(bound, int | float) or not abs(bound) <= FURTHEST:
            raise nowhere
    number = whole(accessor.get("bufferView"))
    view = views[number] if number >= 0 else None
    if view is None or accessor.get("componentType") != 5126 or not whole(accessor["count"]):
        return
    size = _size(accessor)
    values = np.ndarray(
        (accessor["count"], size // 4), "<f4", view, whole(accessor.get("byteOffset", 0)), (strides[number] or size, 4)
    )
    if not (np.abs(values) <= FURTHEST).all():  # also false for what is no number
        raise nowhere


def _check_textures(table: Table, views: list[bytes | None]) -> int:
    """All textures' pixels together."""
    pixels = 0
    for image in tables(table, "images"):
        number = whole(image.get("bufferView"))
        if "uri" in image:
            data: bytes | None = _inline(str(image["uri"]))
        elif 0 <= number < len(views):
            data = views[number]
        else:
            raise _broken()
        if not data or image.get("mimeType") in ("image/avif", "image/ktx2"):
            continue
        try:
            width, height = promised_size(data, "A texture")
        except AvatarError as error:
            raise AvatarError("texture", f"{error} It is inside the 3D model: export that again.") from error
        pixels += width * height
        if max(width, height) > LARGEST_TEXTURE_PX or pixels > MOST_TEXTURE_PIXELS:
            text = f"The 3D model's textures are too large ({width} × {height} pixels); 2048 × 2048 are plenty."
            raise AvatarError("too_big", text)
    return pixels
