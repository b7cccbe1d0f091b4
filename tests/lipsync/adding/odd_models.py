"""3D models that are none, are spoilt, or cannot speak: by name, with the words that the answer must hold."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable

import numpy as np

from tests.lipsync.adding.small_glb import VISEME_SHAPES, SmallGlb, pack


def good() -> SmallGlb:
    return SmallGlb(VISEME_SHAPES)


def spoilt(change: Callable[[SmallGlb], None]) -> bytes:
    model = good()
    change(model)
    return model.bytes()


def png_header(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0) + bytes(20) + b"IEND"
    )


def _texture(model: SmallGlb, data: bytes) -> None:
    model.table["images"] = [{"bufferView": model.view(data), "mimeType": "image/png"}]


def _circle(model: SmallGlb) -> None:
    model.table["nodes"][1]["children"] = [2]
    model.table["nodes"][2]["children"] = [1]


def _two_parents(model: SmallGlb) -> None:
    model.table["nodes"][1]["children"] = [3]
    model.table["nodes"][2]["children"] = [3]


def _float(value: float) -> Callable[[SmallGlb], None]:
    def put(model: SmallGlb) -> None:
        model.binary[4:8] = np.float32(value).tobytes()

    return put


def _set(path: tuple[str | int, ...], value: object) -> Callable[[SmallGlb], None]:
    def put(model: SmallGlb) -> None:
        at = model.table
        for key in path[:-1]:
            at = at[key]  # type: ignore[index]  # lists and tables alike
        at[path[-1]] = value  # type: ignore[index]

    return put


def odd_models() -> dict[str, tuple[bytes, str]]:
    whole = good().bytes()
    return {
        "empty.glb": (b"", "no 3D model"),
        "a letter.glb": (b"Dear Sir, " * 50, "no 3D model"),
        "a picture.vrm": (png_header(64, 64), "no 3D model"),
        "loose parts.gltf": (b'{"asset": {"version": "2.0"}}', "one .glb file"),
        "half.glb": (whole[: len(whole) // 2], "cut off"),
        "only a header.glb": (whole[:12], "cut off"),
        "no json.glb": (pack(b"}{"), "cut off or broken"),
        "a list.glb": (pack(b"[1, 2, 3]"), "cut off or broken"),
        "deep.glb": (pack(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "cut off or broken"),
        "long number.glb": (pack(b'{"asset": {"version": "2.0"}, "nodes": [' + b"9" * 50_000 + b"]}"), "broken"),
        "old.glb": (pack(b"{}", version=1), "glTF 2"),
        "future.glb": (spoilt(_set(("asset", "version"), "3.0")), "glTF 2"),
        "not a number.glb": (spoilt(_float(float("nan"))), "nowhere"),
        "infinite.glb": (spoilt(_float(float("inf"))), "nowhere"),
        "bounds that are text.glb": (spoilt(_set(("accessors", 0, "max"), ["x", 1, 2])), "nowhere"),
        "a circle.glb": (spoilt(_circle), "circle"),
        "its own child.glb": (spoilt(_set(("nodes", 1, "children"), [1])), "circle"),
        "two parents.glb": (spoilt(_two_parents), "circle"),
        "a child that is not.glb": (spoilt(_set(("nodes", 1, "children"), [99])), "broken"),
        "a chain of nodes.glb": (
            spoilt(_set(("nodes",), [{"mesh": 0, "children": [n + 1]} for n in range(999)] + [{}])),
            "circle",
        ),
        "a million nodes.glb": (spoilt(_set(("nodes",), [{}] * 5_000)), "too many parts"),
        "two billion points.glb": (spoilt(_set(("accessors", 0, "count"), 2_000_000_000)), "too fine"),
        "points beyond.glb": (spoilt(_set(("accessors", 0, "count"), 1000)), "broken"),
        "minus one point.glb": (spoilt(_set(("accessors", 0, "count"), -1)), "broken"),
        "a type that is not.glb": (spoilt(_set(("accessors", 0, "type"), ["VEC3"])), "broken"),
        "a view beyond.glb": (spoilt(_set(("bufferViews", 0, "byteLength"), 10**9)), "broken"),
        "a view nowhere.glb": (spoilt(_set(("accessors", 0, "bufferView"), 77)), "broken"),
        "shapes of another size.glb": (spoilt(_set(("accessors", 1, "count"), 2)), "broken"),
        "parts on the web.glb": (spoilt(_set(("buffers",), [{"uri": "http://127.0.0.1:9/steal"}])), "other files"),
        "parts beside.glb": (spoilt(_set(("images",), [{"uri": "../../etc/passwd"}])), "other files"),
        "a broken address.glb": (spoilt(_set(("buffers",), [{"uri": "data:x;base64,%%%"}])), "broken"),
        "huge textures.glb": (
            spoilt(lambda model: _texture(model, png_header(30_000, 30_000))),
            "textures are too large",
        ),
        "a texture of nothing.glb": (spoilt(lambda model: _texture(model, b"nothing at all")), "texture"),
        "needs more.glb": (spoilt(_set(("extensionsRequired",), ["KHR_texture_basisu"])), "not supported"),
        "nothing to draw.glb": (spoilt(_set(("meshes",), [])), "nothing to draw"),
        "meshes that are numbers.glb": (spoilt(_set(("meshes",), [1, 2])), "nothing to draw"),
        "no shapes.glb": (SmallGlb().bytes(), "cannot speak"),
        "shapes of a hand.glb": (SmallGlb(["fist", "point"]).bytes(), "cannot speak"),
        "only json.glb": (pack(json.dumps({"asset": {"version": "2.0"}}).encode()), "nothing to draw"),
    }
