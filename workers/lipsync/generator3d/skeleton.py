"""The bones that Ready-Player-Me style clients look for, at rest: y runs along each limb, metres, feet on the floor.

Names and axes are Mixamo's; the head's sculpture hangs at `OFFSET` in this world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from workers.lipsync.generator3d.distance import Array

OFFSET = np.array([0.0, 1.60, -0.02])
"""Where the sculpture's zero lies, metres."""
QUARTER = np.pi / 2
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Bone:
    """`place` and `turn` (Euler angles x, y, z, radians) are relative to the parent."""

    name: str
    parent: str | None
    place: Vector
    turn: Vector = (0.0, 0.0, 0.0)

    def quaternion(self) -> list[float]:
        return [float(v) for v in Rotation.from_euler("XYZ", self.turn).as_quat()]


def metres(points_mm: Array) -> Array:
    return points_mm * 0.001 + OFFSET


def bones(eye_centre: Vector) -> tuple[Bone, ...]:
    """Parents before children."""
    found = [
        Bone("Hips", None, (0, 1.0, 0)),
        Bone("Spine", "Hips", (0, 0.10, -0.01)),
        Bone("Spine1", "Spine", (0, 0.11, -0.005)),
        Bone("Spine2", "Spine1", (0, 0.12, -0.005)),
        Bone("Neck", "Spine2", (0, 0.145, -0.015)),
        Bone("Head", "Neck", (0, 0.08, 0.005)),
        Bone("HeadTop_End", "Head", (0, 0.19, 0.01)),
    ]
    head = np.sum([bone.place for bone in found[:6]], axis=0)
    for side, sign in (("Left", 1), ("Right", -1)):
        eye = metres(np.array(eye_centre) * (sign, 1, 1)) - head
        found.append(Bone(f"{side}Eye", "Head", (float(eye[0]), float(eye[1]), float(eye[2]))))
        found += _arm(side, sign) + _leg(side, sign)
    return tuple(found)


def _arm(side: str, sign: int) -> list[Bone]:
    found = [
        Bone(f"{side}Shoulder", "Spine2", (0.06 * sign, 0.10, -0.01), (QUARTER, 0, -QUARTER * sign)),
        Bone(f"{side}Arm", f"{side}Shoulder", (0, 0.12, 0)),
        Bone(f"{side}ForeArm", f"{side}Arm", (0, 0.27, 0)),
        Bone(f"{side}Hand", f"{side}ForeArm", (0, 0.26, 0)),
    ]
    for finger, x in (("Thumb", -0.03), ("Index", -0.03), ("Middle", 0.0), ("Ring", 0.02), ("Pinky", 0.04)):
        parent = f"{side}Hand"
        for joint in (1, 2, 3, 4):
            name = f"{side}Hand{finger}{joint}"
            found.append(Bone(name, parent, (x * sign, 0.09, 0) if joint == 1 else (0, 0.03, 0)))
            parent = name
    return found


def _leg(side: str, sign: int) -> list[Bone]:
    return [
        Bone(f"{side}UpLeg", "Hips", (0.09 * sign, -0.05, 0), (0, 0, np.pi)),
        Bone(f"{side}Leg", f"{side}UpLeg", (0, 0.43, 0)),
        Bone(f"{side}Foot", f"{side}Leg", (0, 0.43, 0), (1.05, 0, 0)),
        Bone(f"{side}ToeBase", f"{side}Foot", (0, 0.14, 0), (0.5, 0, 0)),
        Bone(f"{side}Toe_End", f"{side}ToeBase", (0, 0.06, 0)),
    ]


def world(skeleton: tuple[Bone, ...]) -> dict[str, Array]:
    """Each bone's matrix (4, 4) at rest."""
    found: dict[str, Array] = {}
    for bone in skeleton:
        local = np.eye(4)
        local[:3, :3] = Rotation.from_euler("XYZ", bone.turn).as_matrix()
        local[:3, 3] = bone.place
        found[bone.name] = (found[bone.parent] if bone.parent else np.eye(4)) @ local
    return found
