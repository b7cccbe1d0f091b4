"""A plain head of a few thousand triangles, with whatever shapes, names and format a test asks for.

It is no beauty: a round face with lips that part, eyes on bones, lids, brows, shoulders – enough to see what moves.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from broker.visemes import VISEMES
from tests.avatar3d.glb import Glb, packed

Points = npt.NDArray[np.float64]
Names = Literal["visemes", "arkit", "jaw", "vowels", "none"]

SKIN, LIPS, INSIDE, HAIR, SHIRT = (
    (0.86, 0.62, 0.5),
    (0.72, 0.33, 0.3),
    (0.16, 0.03, 0.03),
    (0.22, 0.12, 0.07),
    (0.2, 0.36, 0.42),
)
CENTRE = np.array([0.0, 1.62, 0.0])
MOUTH = np.array([0.0, 1.565, 0.085])
FINE = 40
"""Columns and rows of the face."""
EYE_Y, EYE_X, EYE_Z, EYE_R = 1.638, 0.031, 0.068, 0.0125

BONES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "Hips": ("", (0, 1.0, 0)),
    "Spine": ("Hips", (0, 1.1, 0)),
    "Spine2": ("Spine", (0, 1.3, 0)),
    "Neck": ("Spine2", (0, 1.46, 0)),
    "Head": ("Neck", (0, 1.535, 0)),
    "LeftEye": ("Head", (EYE_X, EYE_Y, EYE_Z)),
    "RightEye": ("Head", (-EYE_X, EYE_Y, EYE_Z)),
}
for side, sign in (("Left", 1), ("Right", -1)):
    BONES |= {
        f"{side}Arm": ("Spine2", (sign * 0.16, 1.4, 0)),
        f"{side}ForeArm": (f"{side}Arm", (sign * 0.42, 1.4, 0)),
        f"{side}Hand": (f"{side}ForeArm", (sign * 0.66, 1.4, 0)),
        f"{side}UpLeg": ("Hips", (sign * 0.1, 0.95, 0)),
        f"{side}Leg": (f"{side}UpLeg", (sign * 0.1, 0.5, 0)),
        f"{side}Foot": (f"{side}Leg", (sign * 0.1, 0.08, 0)),
    }

VRM_BONES = {
    "hips": "Hips",
    "spine": "Spine",
    "chest": "Spine2",
    "neck": "Neck",
    "head": "Head",
    "leftEye": "LeftEye",
    "rightEye": "RightEye",
    **{
        f"{side}{vrm}": f"{side.capitalize()}{ours}"
        for side in ("left", "right")
        for vrm, ours in (
            *(("UpperArm", "Arm"), ("LowerArm", "ForeArm"), ("Hand", "Hand")),
            *(("UpperLeg", "UpLeg"), ("LowerLeg", "Leg"), ("Foot", "Foot")),
        )
    },
}

VISEME_MIXES: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {"mouthPressLeft": 0.5, "mouthPressRight": 0.5},
    "FF": {"jawOpen": 0.05, "mouthRollLower": 0.6},
    "TH": {"jawOpen": 0.18},
    "DD": {"jawOpen": 0.15},
    "kk": {"jawOpen": 0.2},
    "CH": {"jawOpen": 0.1, "mouthFunnel": 0.5},
    "SS": {"jawOpen": 0.06, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4},
    "nn": {"jawOpen": 0.12},
    "RR": {"jawOpen": 0.14, "mouthFunnel": 0.4},
    "aa": {"jawOpen": 0.75},
    "E": {"jawOpen": 0.4, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4},
    "I": {"jawOpen": 0.2, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5},
    "O": {"jawOpen": 0.5, "mouthFunnel": 0.7},
    "U": {"jawOpen": 0.2, "mouthPucker": 0.9},
}
VOWELS = {"aa": "aa", "ih": "I", "ou": "U", "ee": "E", "oh": "O"}


def head(
    names: Names = "visemes",
    vrm: Literal["", "0.x", "1.0"] = "",
    bones: bool = True,
    scale: float = 1.0,
    rename: Callable[[str], str] = lambda name: name,
) -> bytes:
    """A .glb file, or with `vrm` a .vrm one. `rename` gives the shapes another dialect's names."""
    return glb(names, vrm, bones, scale, rename).bytes()


def glb(
    names: Names = "visemes",
    vrm: Literal["", "0.x", "1.0"] = "",
    bones: bool = True,
    scale: float = 1.0,
    rename: Callable[[str], str] = lambda name: name,
) -> Glb:
    made = Glb()
    points, triangles, colours, joints, lower = _body()
    shapes = _shapes(points, lower)
    morphs = {rename(name): move for name, move in _named(names, shapes).items()}
    # A VRM 0.x looks the other way.
    turn = np.array([-1.0, 1.0, -1.0]) if vrm == "0.x" else np.ones(3)
    morphs = {name: move * turn * scale for name, move in morphs.items()}
    skin = made.material("Skin", (1.0, 1.0, 1.0))
    mesh = made.mesh("Part_7", points * turn * scale, triangles, skin, colours, joints if bones else None, morphs)
    at = {}
    if bones:
        at = {name: i for i, name in enumerate(BONES)}
        numbers: dict[str, int] = {}
        root = made.node("Armature")
        for name, (parent, place) in BONES.items():
            before = np.array(BONES[parent][1]) if parent else np.zeros(3)
            offset = (np.array(place) - before) * turn * scale
            numbers[name] = made.node(name, numbers[parent] if parent else root, translation=offset.tolist())
        made.json["skins"] = [
            {
                "joints": list(numbers.values()),
                "inverseBindMatrices": made.accessor(_inverse_binds(turn, scale)),
                "skeleton": numbers["Hips"],
            }
        ]
        made.node("Part_7", root, mesh=mesh, skin=0)
        eye = _eye(made, turn, scale)
        for name in ("LeftEye", "RightEye"):
            made.node(f"{name}_ball", numbers[name], mesh=eye)
        if vrm:
            _as_vrm(made, vrm, numbers, list(morphs), mesh, len(numbers) + 1)
    else:
        made.node("Part_7", mesh=mesh)
    assert not at or len(at) == len(BONES)
    return made


def odd_files() -> dict[str, bytes]:
    """Files a page must refuse with a sentence, by what is wrong with them."""
    good = glb()
    whole = good.bytes()

    def changed(change: Callable[[dict[str, Any]], None], binary: bytes | None = None) -> bytes:
        table = copy.deepcopy(good.json) | {"buffers": [{"byteLength": len(good.binary)}]}
        change(table)
        return packed(table, bytes(good.binary) if binary is None else binary)

    def circle(table: dict[str, Any]) -> None:
        table["nodes"][2].setdefault("children", []).append(1)

    def outside(table: dict[str, Any]) -> None:
        table["buffers"][0]["uri"] = "http://127.0.0.1:9/steal.bin"

    def huge(table: dict[str, Any]) -> None:
        table["accessors"][0]["count"] = 2_000_000_000

    def beyond(table: dict[str, Any]) -> None:
        table["bufferViews"][0]["byteLength"] = len(good.binary) * 4

    def no_mesh(table: dict[str, Any]) -> None:
        table["meshes"] = []
        for node in table["nodes"]:
            node.pop("mesh", None)
            node.pop("skin", None)

    def unknown(table: dict[str, Any]) -> None:
        table["extensionsRequired"] = table["extensionsUsed"] = ["KHR_texture_basisu"]

    def texture(table: dict[str, Any]) -> None:
        table["images"] = [{"bufferView": len(table["bufferViews"]), "mimeType": "image/png"}]
        table["bufferViews"].append({"buffer": 0, "byteOffset": len(good.binary), "byteLength": len(bomb)})
        table["buffers"][0]["byteLength"] += len(bomb)

    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 30_000, 30_000) + b"\x08\x06\x00\x00\x00"
    bomb += bytes(-len(bomb) % 4)
    nowhere = bytearray(good.binary)
    nowhere[0:4] = struct.pack("<f", float("nan"))
    return {
        "truncated": whole[: len(whole) // 2],
        "only a header": whole[:12],
        "text": b"This is a letter, not a head.",
        "empty": b"",
        "broken json": whole[:20] + b"}}}}" + whole[24:],
        "no numbers": changed(lambda _: None, bytes(nowhere)),
        "a circle of nodes": changed(circle),
        "two billion points": changed(huge),
        "a view beyond the file": changed(beyond),
        "parts elsewhere": changed(outside),
        "nothing to draw": changed(no_mesh),
        "an unknown extension": changed(unknown),
        "a texture of 900 megapixels": changed(texture, bytes(good.binary) + bomb),
        "version 1": whole[:4]
        + struct.pack("<I", 1)
        + whole[8:20]
        + b'{"asset":{"version":"1.0"}}'.ljust(28)
        + whole[48:],
    }


# --- the parts -------------------------------------------------------------------------------------------------------


def _sphere(columns: int, rows: int) -> tuple[Points, npt.NDArray[np.int64]]:
    """A unit sphere, poles up and down, column 0 at the back."""
    across, along = np.meshgrid(np.linspace(0, 2 * np.pi, columns + 1), np.linspace(0, np.pi, rows + 1))
    points = np.stack(
        [-np.sin(along) * np.sin(across), np.cos(along), -np.sin(along) * np.cos(across)], axis=-1
    ).reshape(-1, 3)
    corner = np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)[None]
    a, b, c, d = (each.ravel() for each in (corner, corner + 1, corner + columns + 1, corner + columns + 2))
    return points, np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def _body() -> tuple[Points, npt.NDArray[np.int64], Points, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Points, triangles, colours, bone of each point, and which points belong to the lower lip and jaw."""
    bone = {name: n for n, name in enumerate(BONES)}
    parts: list[tuple[Points, npt.NDArray[np.int64], Points, int, npt.NDArray[np.bool_]]] = []

    def add(
        points: Points, triangles: npt.NDArray[np.int64], colours: Points | tuple[float, ...], on: str, low: Any = None
    ) -> None:
        every = np.broadcast_to(np.asarray(colours, float), points.shape)
        below = np.zeros(len(points), bool) if low is None else low
        parts.append((points, triangles, every, bone[on], below))

    ball, faces = _sphere(FINE, FINE)
    shape = CENTRE + ball * [0.078, 0.118, 0.094]
    chin = np.clip((CENTRE[1] - shape[:, 1]) / 0.118, 0, 1)
    shape[:, 0] *= 1 - 0.28 * chin**1.5
    nose = np.exp(-(((shape[:, 0]) / 0.011) ** 2) - ((shape[:, 1] - 1.605) / 0.022) ** 2) * (ball[:, 2] > 0)
    shape[:, 2] += 0.02 * nose
    sockets = sum(
        np.exp(-(((shape[:, 0] - x) / 0.017) ** 2) - ((shape[:, 1] - EYE_Y) / 0.012) ** 2) for x in (-EYE_X, EYE_X)
    ) * (ball[:, 2] > 0)
    shape[:, 2] -= 0.012 * sockets
    colours = np.tile(np.array(SKIN), (len(shape), 1))
    lips = (np.abs(shape[:, 0]) < 0.026) & (np.abs(shape[:, 1] - MOUTH[1]) < 0.0085) & (ball[:, 2] > 0)
    colours[lips] = LIPS
    # The mouth is a cut: the row nearest to it is there twice, once on each lip.
    row = np.abs(shape[:, 1] - MOUTH[1]).reshape(FINE + 1, FINE + 1).mean(1).argmin()
    upper_faces = faces[faces.min(1) < row * (FINE + 1)]
    lower_faces = faces[faces.min(1) >= row * (FINE + 1)]
    corners = (np.abs(shape[:, 0]) < 0.026) & (ball[:, 2] > 0)
    double = np.where((np.arange(len(shape)) // (FINE + 1) == row) & corners)[0]
    again = np.arange(len(shape))
    again[double] = len(shape) + np.arange(len(double))
    low = np.concatenate([np.arange(len(shape)) // (FINE + 1) >= row, np.ones(len(double), bool)])
    low[double] = False
    skull = np.concatenate([shape, shape[double]])
    add(
        skull,
        np.concatenate([upper_faces, again[lower_faces]]),
        np.concatenate([colours, colours[double]]),
        "Head",
        low,
    )

    small, small_faces = _sphere(16, 12)
    add(MOUTH + [0, -0.012, -0.034] + small * [0.03, 0.026, 0.02], small_faces, INSIDE, "Head")
    hair = CENTRE + [0, 0.016, -0.014] + small * [0.086, 0.118, 0.098]
    keep = hair[:, 1] > 1.66 - 4 * np.clip(-hair[:, 2] - 0.01, 0, 0.03)
    add(hair, small_faces[keep[small_faces].all(1)], HAIR, "Head")
    for x in (-EYE_X, EYE_X):
        brow = np.array([x, EYE_Y + 0.026, 0.083]) + small * [0.015, 0.0028, 0.004]
        brow[:, 2] -= 2.2 * (np.abs(brow[:, 0]) - 0.015).clip(0) ** 1.6
        add(brow, small_faces, HAIR, "Head")
        lid = small * (EYE_R * 1.08)
        raised = lid[:, 2] < -0.1 * EYE_R
        add(np.array([x, EYE_Y, EYE_Z]) + lid, small_faces[raised[small_faces].all(1)], SKIN, "Head")
    neck = np.array([0, 1.49, -0.012]) + small * [0.047, 0.09, 0.05]
    add(neck, small_faces, SKIN, "Neck")
    add(np.array([0, 1.3, -0.015]) + small * [0.19, 0.15, 0.09], small_faces, SHIRT, "Spine2")
    offsets = np.cumsum([0, *(len(each[0]) for each in parts)])
    return (
        np.concatenate([each[0] for each in parts]),
        np.concatenate([each[1] + at for each, at in zip(parts, offsets, strict=False)]),
        np.concatenate([each[2] for each in parts]),
        np.concatenate([np.full(len(each[0]), each[3]) for each in parts]),
        np.concatenate([each[4] for each in parts]),
    )


def _shapes(points: Points, lower: npt.NDArray[np.bool_]) -> dict[str, Points]:
    """ARKit's names → (n, 3) moves of the points."""
    x, y, z = points.T
    front = z > 0.02
    near = np.exp(-((x / 0.03) ** 2) - ((y - MOUTH[1]) / 0.022) ** 2) * front
    face = (np.abs(x) < 0.075) & (y > 1.5) & (y < 1.72)
    left, right = (x > 0) * 1.0, (x < 0) * 1.0
    none = np.zeros_like(points)

    def move(dx: Any = 0.0, dy: Any = 0.0, dz: Any = 0.0) -> Points:
        made = none.copy()
        made[:, 0], made[:, 1], made[:, 2] = dx, dy, dz
        return made

    jaw = lower * face * front * np.exp(-((x / 0.055) ** 4)) * (1 - ((np.abs(x) / 0.026).clip(0, 1)) ** 4 * (y > 1.555))
    shapes = {
        "jawOpen": move(dy=-0.03 * jaw, dz=-0.006 * jaw),
        "mouthFunnel": move(dx=-0.32 * x * near, dz=0.01 * near),
        "mouthPucker": move(dx=-0.5 * x * near, dz=0.012 * near),
        "mouthRollLower": move(dz=-0.006 * near * lower, dy=0.002 * near * lower),
        "mouthRollUpper": move(dz=-0.005 * near * ~lower),
        "browInnerUp": move(dy=_brow(points) * 0.009 * np.exp(-((x / 0.028) ** 2))),
    }
    for side, half in (("Left", left), ("Right", right)):
        shapes |= {
            f"mouthSmile{side}": move(dx=0.007 * np.sign(x) * near * half, dy=0.011 * near * half * (np.abs(x) / 0.03)),
            f"mouthFrown{side}": move(dy=-0.009 * near * half * (np.abs(x) / 0.03)),
            f"mouthStretch{side}": move(dx=0.008 * np.sign(x) * near * half),
            f"mouthPress{side}": move(dz=-0.003 * near * half),
            f"mouthLowerDown{side}": move(dy=-0.006 * near * lower * half),
            f"mouthUpperUp{side}": move(dy=0.004 * near * ~lower * half),
            f"browOuterUp{side}": move(dy=_brow(points) * 0.009 * half),
            f"browDown{side}": move(dy=-_brow(points) * 0.007 * half),
            f"eyeBlink{side}": _blink(points, EYE_X if side == "Left" else -EYE_X),
        }
    return shapes


def _brow(points: Points) -> Points:
    return np.exp(-(((points[:, 1] - EYE_Y - 0.026) / 0.008) ** 2)) * (points[:, 2] > 0.05)


def _blink(points: Points, x: float) -> Points:
    """The lid, half a ball behind the eye, turned to the front about the eye's middle."""
    from_eye = points - [x, EYE_Y, EYE_Z]
    lid = np.abs(np.linalg.norm(from_eye, axis=1) - EYE_R * 1.08) < 2e-4
    turned = from_eye * [1, 1, -1]
    return np.where(lid[:, None], turned - from_eye, 0.0)


def _named(names: Names, shapes: dict[str, Points]) -> dict[str, Points]:
    mixes = {
        name: sum((shapes[shape] * weight for shape, weight in mix.items()), np.zeros_like(shapes["jawOpen"]))
        for name, mix in VISEME_MIXES.items()
    }
    if names == "visemes":
        return {f"viseme_{name}": mixes[name] for name in VISEMES} | shapes
    if names == "arkit":
        return shapes
    if names == "jaw":
        return {"jawOpen": shapes["jawOpen"]}
    if names == "vowels":
        return {f"Fcl_{name}": mixes[viseme] for name, viseme in VOWELS.items()} | {
            "Fcl_blink": shapes["eyeBlinkLeft"] + shapes["eyeBlinkRight"],
            "Fcl_joy": shapes["mouthSmileLeft"] + shapes["mouthSmileRight"],
        }
    return {}


def _inverse_binds(turn: Points, scale: float) -> Points:
    """(bones, 16) column by column."""
    matrices = np.tile(np.eye(4), (len(BONES), 1, 1))
    matrices[:, :3, 3] = -np.array([place for _, place in BONES.values()]) * turn * scale
    return matrices.transpose(0, 2, 1).reshape(len(BONES), 16)


def _eye(made: Glb, turn: Points, scale: float) -> int:
    points, triangles = _sphere(16, 16)
    off = np.arccos(np.clip(points[:, 2], -1, 1))
    colours = np.where(
        (off < 0.26)[:, None], [0.02, 0.02, 0.03], np.where((off < 0.55)[:, None], [0.2, 0.36, 0.42], 0.95)
    )
    material = made.material("Eye", (1.0, 1.0, 1.0), 0.15)
    return made.mesh("Part_3", points * EYE_R * turn * scale, triangles, material, colours)


def _as_vrm(made: Glb, version: str, bones: dict[str, int], morphs: list[str], mesh: int, node: int) -> None:
    """Add the extension: the humanoid, and expressions for the morphs that have a VRM name."""
    presets = {
        "aa": "Fcl_aa",
        "ih": "Fcl_ih",
        "ou": "Fcl_ou",
        "ee": "Fcl_ee",
        "oh": "Fcl_oh",
        "blink": "Fcl_blink",
        "happy": "Fcl_joy",
    }
    bound = {name: morphs.index(morph) for name, morph in presets.items() if morph in morphs}
    custom = {} if bound else {name: n for n, name in enumerate(morphs)}
    if version == "1.0":

        def binds(index: int) -> dict[str, Any]:
            return {"morphTargetBinds": [{"node": node, "index": index, "weight": 1.0}]}

        meta = {
            "name": "Test head",
            "version": "1",
            "authors": ["Visavis"],
            "licenseUrl": "https://vrm.dev/licenses/1.0/",
        }
        made.json["extensions"] = {
            "VRMC_vrm": {
                "specVersion": "1.0",
                "meta": meta,
                "humanoid": {"humanBones": {name: {"node": bones[ours]} for name, ours in VRM_BONES.items()}},
                "expressions": {
                    "preset": {name: binds(index) for name, index in bound.items()},
                    "custom": {name: binds(index) for name, index in custom.items()},
                },
                "lookAt": {"type": "bone", "offsetFromHeadBone": [0, 0.1, 0.06], **_ranges()},
            }
        }
        made.json["extensionsUsed"] = ["VRMC_vrm"]
    else:
        old = {"aa": "a", "ih": "i", "ou": "u", "ee": "e", "oh": "o", "blink": "blink", "happy": "joy"}
        groups = [
            {
                "name": name,
                "presetName": old.get(name, "unknown"),
                "binds": [{"mesh": mesh, "index": index, "weight": 100}],
            }
            for name, index in (bound | custom).items()
        ]
        made.json["extensions"] = {
            "VRM": {
                "specVersion": "0.0",
                "meta": {"title": "Test head", "author": "Visavis", "licenseName": "CC0"},
                "humanoid": {"humanBones": [{"bone": name, "node": bones[ours]} for name, ours in VRM_BONES.items()]},
                "blendShapeMaster": {"blendShapeGroups": groups},
                "firstPerson": {"lookAtTypeName": "Bone", "firstPersonBone": bones["Head"]},
                "materialProperties": [],
            }
        }
        made.json["extensionsUsed"] = ["VRM"]


def _ranges() -> dict[str, Any]:
    names = ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
    return {f"rangeMap{name}": {"inputMaxValue": 90, "outputScale": 90} for name in names}
