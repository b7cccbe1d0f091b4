"""A character as one GLB: sculpts every part, paints the textures, binds all to the skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.character import Character, LongHair
from workers.lipsync.generator3d.curls import curl_texture, short_curls
from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.expressions import Tissue
from workers.lipsync.generator3d.eyes import eyeball, lashes, paint_iris
from workers.lipsync.generator3d.glb import GlbFile, part_normals
from workers.lipsync.generator3d.head import Head
from workers.lipsync.generator3d.inner_mouth import teeth, tongue
from workers.lipsync.generator3d.long_hair import long_hair, strands
from workers.lipsync.generator3d.part import Part
from workers.lipsync.generator3d.shirt import dress, knit
from workers.lipsync.generator3d.skeleton import bones
from workers.lipsync.generator3d.skin import SkinMaps, near_body, paint_skin, shade
from workers.lipsync.generator3d.surface import axis, even_out, gradient, march, thin_out, used
from workers.lipsync.generator3d.unwrap import unwrap

GENERATOR = "Visavis workers.lipsync.generator3d"


@dataclass(frozen=True, kw_only=True)
class Detail:
    """How fine to work: the defaults are for the committed files, coarser ones for tests."""

    grid_mm: float = 1.0
    coarse_mm: float = 3.6
    head_points: int = 9800
    texture_px: int = 1024


FINE = Detail()


@dataclass(frozen=True, kw_only=True)
class Sculpture:
    """All parts and pictures of one character, before they are a file."""

    person: Character
    parts: tuple[Part, ...]
    skin: SkinMaps
    pictures: dict[str, NDArray[np.uint8]]
    """By texture name, RGB."""


def sculpt(person: Character, detail: Detail = FINE) -> Sculpture:
    head = Head(person.head)
    built, faces, normals = _skin_surface(head, detail)
    hair = long_hair(person.hair) if isinstance(person.hair, LongHair) else short_curls(head, person.hair)
    top = dress(head, person.shirt)
    openness = shade(head, built, normals)
    openness *= 0.60 + 0.40 * near_body(built, hair.points, 15)
    openness *= 0.72 + 0.28 * near_body(built, top.points, 12)
    covered = built[:, 1] < -162
    faces = faces[~covered[faces].all(1)]
    cut = unwrap(head, built, faces)
    maps = paint_skin(person, head, built, normals, openness, cut, detail.texture_px)
    tissue = Tissue(head, built)
    moves = {name: move[cut.source] for name, move in tissue.displacements().items()}
    skin = Part(
        name="Wolf3D_Head",
        material="Wolf3D_Skin",
        points=tissue.rest[cut.source],
        faces=cut.faces,
        normals=_rest_normals(built, tissue.rest, faces, normals)[cut.source],
        weights=_neck_weights(tissue.rest[cut.source]),
        uv=cut.uv,
        morphs=moves,
        morph_normals=True,
    )
    eye = person.head.eye
    parts = (skin, teeth(head), tongue(head), eyeball(eye, 1), eyeball(eye, -1), lashes(head), hair, top, _feet())
    if isinstance(person.hair, LongHair):
        strand, strand_normal = strands(person.hair.colours, 512, 512, person.hair.seed)
    else:
        strand, strand_normal = curl_texture(person.hair, 512)
    pictures = {"hair": strand, "hair normal": strand_normal, "iris": paint_iris(eye), "knit": knit()}
    return Sculpture(person=person, parts=parts, skin=maps, pictures=pictures)


def to_glb(work: Sculpture) -> GlbFile:
    file = GlbFile(GENERATOR)
    _materials(file, work)
    file.skeleton(bones(work.person.head.eye.centre))
    for part in work.parts:
        file.mesh(part)
    return file


def _skin_surface(head: Head, detail: Detail) -> tuple[Array, NDArray[np.int64], Array]:
    fine, coarse = detail.grid_mm, detail.coarse_mm
    middle = (fine + coarse) / 2
    side = fine * 1.4 if head.shape.ears else coarse
    xs = axis(((-2 * fine, 56, fine), (56, 68, middle), (68, 92, side), (92, 200, coarse * 1.6)))
    ys = axis(((-205, -94, coarse), (-94, -78, middle), (-78, 60, fine), (60, 72, middle), (72, 136, coarse)))
    zs = axis(((-112, -34, coarse), (-34, 30, side), (30, 44, middle), (44, 106, fine)))
    points, faces = march(head.distance, xs, ys, zs)
    points = even_out(head.distance, points, faces, 4)
    front = points[:, 1] > -172
    points, faces = used(points, faces[front[faces].all(1)])
    points, faces = thin_out(points, faces, detail.head_points)
    return points, faces, gradient(head.distance, points)


def _rest_normals(built: Array, rest: Array, faces: NDArray[np.int64], exact: Array) -> Array:
    """The body's exact normals, except where closing the mouth has turned the surface."""
    moved = smoothstep(0.05, 0.6, np.linalg.norm(rest - built, axis=1))[:, None]
    mixed = exact * (1 - moved) + part_normals(rest, faces) * moved
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)


def _neck_weights(points: Array) -> dict[str, Array]:
    y = points[:, 1]
    head = smoothstep(-112, -72, y)
    neck = (1 - head) * smoothstep(-150, -112, y)
    return {"Head": head, "Neck": neck, "Spine2": 1 - head - neck}


def _feet() -> Part:
    """Two specks on the floor: TalkingHead takes an avatar's lowest point for its soles."""
    points = np.array([[90 * s + dx, -1600, 20 + dz] for s in (1, -1) for dx, dz in ((0, 0), (1, 0), (0, 1))], float)
    left = (points[:, 0] > 0).astype(float)
    return Part(
        name="Wolf3D_Outfit_Footwear",
        material="Wolf3D_Outfit_Top",
        points=points,
        faces=np.array([[0, 2, 1], [3, 5, 4]]),
        normals=np.tile((0.0, 1.0, 0.0), (6, 1)),
        weights={"LeftFoot": left, "RightFoot": 1 - left},
        uv=np.zeros((6, 2)),
        colour=np.zeros((6, 3)),
    )


def jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def _materials(file: GlbFile, work: Sculpture) -> None:
    def shown(texture: int, **more: Any) -> dict[str, Any]:
        return {"index": texture, **more}

    smooth = isinstance(work.person.hair, LongHair)
    skin = file.texture("skin", jpeg(work.skin.colour, 88), repeat=True)
    skin_normal = file.texture("skin normal", jpeg(work.skin.normal, 60), repeat=True)
    skin_rough = file.texture("skin roughness", jpeg(work.skin.roughness, 78), repeat=True)
    hair = file.texture("hair", jpeg(work.pictures["hair"], 88))
    hair_normal = file.texture("hair normal", jpeg(work.pictures["hair normal"], 84))
    iris = file.texture("iris", jpeg(work.pictures["iris"], 90))
    knitted = file.texture("knit", jpeg(work.pictures["knit"], 85), repeat=True)
    file.material(
        "Wolf3D_Skin",
        pbrMetallicRoughness={
            "baseColorTexture": shown(skin),
            "metallicRoughnessTexture": shown(skin_rough),
            "metallicFactor": 0.0,
            "roughnessFactor": 1.0,
        },
        normalTexture=shown(skin_normal, scale=0.7),
        extensions={"KHR_materials_specular": {"specularFactor": 0.6}},
    )
    file.material(
        "Wolf3D_Eye",
        pbrMetallicRoughness={"baseColorTexture": shown(iris), "metallicFactor": 0.0, "roughnessFactor": 0.22},
        extensions={"KHR_materials_clearcoat": {"clearcoatFactor": 1.0, "clearcoatRoughnessFactor": 0.03}},
    )
    file.material(
        "Wolf3D_Teeth",
        pbrMetallicRoughness={"metallicFactor": 0.0, "roughnessFactor": 0.3},
        emissiveFactor=[0.05, 0.046, 0.04],  # light that comes through the lips
    )
    file.material("Tongue", pbrMetallicRoughness={"metallicFactor": 0.0, "roughnessFactor": 0.4})
    file.material(
        "Lashes",
        pbrMetallicRoughness={
            "baseColorFactor": [0.012, 0.007, 0.006, 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.7,
        },
        doubleSided=True,
    )
    file.material(
        "Wolf3D_Hair",
        pbrMetallicRoughness={
            "baseColorTexture": shown(hair),
            "metallicFactor": 0.0,
            "roughnessFactor": 0.52 if smooth else 0.8,
        },
        normalTexture=shown(hair_normal, scale=0.8),
        extensions={"KHR_materials_specular": {"specularFactor": 0.7 if smooth else 0.35}},
        doubleSided=True,
    )
    file.material(
        "Wolf3D_Outfit_Top",
        pbrMetallicRoughness={"metallicFactor": 0.0, "roughnessFactor": 0.9},
        normalTexture=shown(knitted, scale=0.55),
    )
