"""Eyeballs, their painted iris, and the lashes."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.lipsync.generator3d.character import EyeShape
from workers.lipsync.generator3d.colours import mix, noise, pixels, srgb
from workers.lipsync.generator3d.distance import Array, smoothstep
from workers.lipsync.generator3d.expressions import Tissue
from workers.lipsync.generator3d.head import LID, Head
from workers.lipsync.generator3d.morphs import NAMES
from workers.lipsync.generator3d.part import Part, grid_faces, joined, only
from workers.lipsync.generator3d.surface import face_normals

SHOWN_DEGREES = 76.0
"""Of the ball around its pole, on the texture."""
LOOK = {"eyeLookDown": (17.0, 0.0), "eyeLookUp": (-20.0, 0.0), "eyeLookIn": (0.0, -28.0), "eyeLookOut": (0.0, 28.0)}
"""Degrees about x and y at full weight, of the left eye."""


def eyeball(shape: EyeShape, side: int) -> Part:
    """Of the left (`side` 1) or right (-1) eye, with the cornea's bulge; it turns about its own middle."""
    turns = 36
    polar = np.concatenate([np.linspace(0, 0.62, 12), np.linspace(0.62, 2.2, 10)[1:]])
    round_about = np.linspace(0, 2 * np.pi, turns + 1)
    b, t = np.meshgrid(polar, round_about, indexing="ij")
    iris = np.arcsin(shape.iris_radius / shape.radius)
    bulge = shape.radius + 0.15 + 1.1 * np.clip(1 - (b / (iris * 1.12)) ** 2, 0, 1)
    ball = np.stack([np.sin(b) * np.cos(t), np.sin(b) * np.sin(t), np.cos(b)], -1).reshape(-1, 3)
    points = ball * bulge.reshape(-1, 1)
    far = np.minimum(b / np.radians(SHOWN_DEGREES), 1).ravel() * 0.5
    uv = np.stack([0.5 + far * np.cos(t.ravel()), 0.5 - far * np.sin(t.ravel())], 1)
    hand = "Left" if side > 0 else "Right"
    morphs = {name: np.zeros_like(points) for name in NAMES}
    for name, (down, out) in LOOK.items():
        moved = _turned(points, down, out * side) - points
        morphs[name + hand] = moved
        if out == 0:
            morphs["eyesLook" + name.removeprefix("eyeLook")] = moved
    shadow = 0.60 + 0.40 * smoothstep(0.60, 0.12, ball[:, 1]) * smoothstep(0.95, 0.55, np.abs(ball[:, 0]))
    colour = shadow[:, None] ** np.array([0.9, 1.0, 1.05])
    faces = grid_faces(len(polar), turns + 1)
    centre = np.array(shape.centre) * (side, 1, 1)
    return Part(
        name=f"Eye{hand}",
        material="Wolf3D_Eye",
        points=points + centre,
        faces=faces,
        normals=_radial(ball),
        weights=only(f"{hand}Eye", len(points)),
        uv=uv,
        colour=colour,
        morphs=morphs,
    )


def _radial(ball: Array) -> Array:
    return ball / np.maximum(np.linalg.norm(ball, axis=1, keepdims=True), 1e-9)


def _turned(points: Array, down: float, out: float) -> Array:
    a, b = np.radians([down, out])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return cast(Array, points @ (about_y @ about_x).T)


def paint_iris(shape: EyeShape, side_px: int = 512, seed: int = 1) -> NDArray[np.uint8]:
    """The front of the eyeball along its axis, RGB: fibres, a warm ring, a soft dark rim and a still catchlight."""
    dark, light, ring = (srgb(colour) for colour in shape.iris)
    y, x = (np.mgrid[0:side_px, 0:side_px] + 0.5) / side_px - 0.5
    degrees = np.hypot(x, y) * 2 * SHOWN_DEGREES
    rim = np.degrees(np.arcsin(shape.iris_radius / shape.radius))
    q = degrees / rim
    turn = np.arctan2(y, x)
    across, down = x * 2 * SHOWN_DEGREES / rim, y * 2 * SHOWN_DEGREES / rim
    fibres = noise((side_px, 720), (side_px * 0.5, 5), seed, wrap=True)
    fibre = cv2.remap(
        fibres.astype(np.float32),
        ((turn / (2 * np.pi) + 0.5) * 719).astype(np.float32),
        np.clip(q * side_px * 0.5, 0, side_px - 1).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    white = np.tile(srgb("#eee7e1"), (side_px, side_px, 1))
    white = mix(white, "#dba79c", 0.50 * smoothstep(rim + 14, rim + 42, degrees))
    iris = np.tile(light, (side_px, side_px, 1))
    iris = mix(iris, ring, 0.85 * np.exp(-(((q - 0.44) / 0.13) ** 2)) * (0.75 + 0.25 * np.clip(fibre, -1, 1)))
    iris = mix(iris, dark, np.clip(0.16 * fibre + 0.10, 0, 0.6))
    iris = mix(iris, "#ffffff", 0.22 * np.clip(fibre - 0.4, 0, 1) * smoothstep(0.4, 0.7, q) * smoothstep(1, 0.8, q))
    iris = mix(iris, dark, 0.92 * smoothstep(0.72, 1.02, q))
    lower = np.exp(
        -(((x / rim * SHOWN_DEGREES * 2) / 0.62) ** 2) - (((y / rim * SHOWN_DEGREES * 2) - 0.52) / 0.34) ** 2
    )
    iris = mix(iris, light * 1.25, 0.55 * lower * smoothstep(1.0, 0.8, q))
    iris = iris * (1 - 0.50 * smoothstep(0.15, -0.95, down))[..., None]
    c = mix(white, iris, smoothstep(1.05, 0.95, q))
    c = mix(c, "#070506", smoothstep(0.43, 0.37, q))
    for at, size, strength in (((-0.34, -0.42), 0.20, 0.95), ((0.36, 0.38), 0.11, 0.35)):
        away = np.hypot(across - at[0], down - at[1])
        c = mix(c, "#ffffff", strength * smoothstep(size, size * 0.55, away))
    return pixels(c)


def lashes(head: Head) -> Part:
    """A dark rim on each upper lid that ends in points, longer outwards."""
    pieces: list[tuple[Array, NDArray[np.int64]]] = []
    roots: list[Array] = []
    for side in (1, -1):
        points, faces, root = _lash_row(head)
        pieces.append((points * (side, 1, 1), faces if side > 0 else faces[:, ::-1]))
        roots.append(root * (side, 1, 1))
    points, faces = joined(pieces)
    tissue = Tissue(head, np.concatenate(roots), "lash")
    return Part(
        name="Wolf3D_Eyelashes",
        material="Lashes",
        points=points,
        faces=faces,
        normals=face_normals(points, faces),
        weights=only("Head", len(points)),
        morphs=tissue.displacements(),
    )


def _lash_row(head: Head) -> tuple[Array, NDArray[np.int64], Array]:
    """Points, faces, and for each point the place on the lid that it moves with."""
    eye = head.shape.eye
    rng = np.random.default_rng(11)
    count = 34
    yaws = np.linspace(-0.54, 1.0, count)
    step = (yaws[1] - yaws[0]) * 0.85
    points: list[Array] = []
    faces: list[tuple[int, int, int]] = []
    roots: list[Array] = []
    reach = eye.radius + LID - 0.2
    for k, yaw in enumerate(yaws):
        share = k / (count - 1)
        root = [
            _on_ball(eye, reach, u, float(head.lid_upper(np.array([u]))[0]) + 0.02) for u in (yaw - step, yaw + step)
        ]
        long = (2.4 + 4.0 * share**1.1) * eye.lashes * rng.uniform(0.85, 1.12) * (0.8 if k % 3 == 1 else 1.0)
        fan = yaw * 0.9 + 0.34 * share
        ahead = np.array([np.sin(fan), 0.04, np.cos(fan)])
        ahead /= np.linalg.norm(ahead)
        middle = (root[0] + root[1]) / 2
        mid = middle + ahead * long * 0.52 + np.array([0, long * 0.14, 0])
        tip = middle + ahead * long * 0.90 + np.array([0, long * 0.58, 0])
        across = (root[1] - root[0]) * 0.34
        start = len(points)
        points += [root[0], root[1], mid - across, mid + across, tip]
        roots += [root[0], root[1], middle, middle, middle]
        faces += [(start, start + 1, start + 3), (start, start + 3, start + 2), (start + 2, start + 3, start + 4)]
    return np.array(points), np.array(faces, dtype=np.int64), np.array(roots)


def _on_ball(eye: EyeShape, reach: float, yaw: float, pitch: float) -> Array:
    return np.array(eye.centre) + reach * np.array(
        [np.cos(pitch) * np.sin(yaw), np.sin(pitch), np.cos(pitch) * np.cos(yaw)]
    )
