"""The committed 3D heads are complete, small, close their lips, and open them for vowels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.lipsync.generator3d.glb_reader import Glb
from workers.lipsync.generator3d.morphs import ARKIT, NAMES, VISEMES
from workers.lipsync.generator3d.people import PEOPLE

AVATARS = Path(__file__).resolve().parents[3] / "static" / "avatars"
MM = 1000.0
BONES = {"Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "LeftEye", "RightEye"} | {
    side + bone
    for side in ("Left", "Right")
    for bone in (
        *("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"),
        *(f"Hand{finger}{joint}" for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky") for joint in (1, 2, 3)),
    )
}
"""What TalkingHead asks for by name."""


@pytest.fixture(scope="module", params=sorted(PEOPLE))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def glb(name: str) -> Glb:
    return Glb.of(AVATARS / name / f"{name}.glb")


def lip_gap_mm(glb: Glb, name: str, viseme: str) -> float:
    """From the upper lip's lowest to the lower lip's highest point in the mouth's middle; below 0 they press."""
    mouth = PEOPLE[name].head.mouth
    rest = (glb.attribute("Wolf3D_Head", "POSITION") - (0, 1.6, -0.02)) * MM
    drop = glb.move("Wolf3D_Head", "jawOpen")[:, 1] * MM
    x, y, z = rest.T
    front = (np.abs(x) < 7) & (z > mouth.front - 7) & (np.abs(y - mouth.y) < 10)
    upper, lower = front & (drop > -2), front & (drop < -12)
    assert upper.sum() > 10
    assert lower.sum() > 10
    moved = rest + glb.move("Wolf3D_Head", viseme) * MM
    return float(moved[upper, 1].min() - moved[lower, 1].max())


def mouth_width_mm(glb: Glb, name: str, viseme: str) -> float:
    mouth = PEOPLE[name].head.mouth
    rest = (glb.attribute("Wolf3D_Head", "POSITION") - (0, 1.6, -0.02)) * MM
    corners = [np.argmin(((rest - (s * mouth.half_width, mouth.y + mouth.smile, 73)) ** 2).sum(1)) for s in (1, -1)]
    moved = rest + glb.move("Wolf3D_Head", viseme) * MM
    return float(moved[corners[0], 0] - moved[corners[1], 0])


def test_every_viseme_and_arkit_shape_is_there_by_name(glb: Glb) -> None:
    assert len(VISEMES) == 15
    assert len(ARKIT) == 52
    for mesh in ("Wolf3D_Head", "Wolf3D_Teeth", "Wolf3D_Tongue", "EyeLeft", "EyeRight", "Wolf3D_Eyelashes"):
        assert glb.targets(mesh) == list(NAMES)
        assert len(glb.mesh(mesh)["primitives"][0]["targets"]) == len(NAMES)


def test_lips_touch_at_rest(glb: Glb, name: str) -> None:
    assert -1.3 < lip_gap_mm(glb, name, "viseme_sil") < 0.1


def test_lips_press_for_p_and_b_and_m(glb: Glb, name: str) -> None:
    assert lip_gap_mm(glb, name, "viseme_PP") < lip_gap_mm(glb, name, "viseme_sil") - 0.5


@pytest.mark.parametrize(
    ("viseme", "least", "most"), [("aa", 9, 22), ("E", 5, 16), ("O", 5, 18), ("I", 3, 13), ("U", 1.5, 10), ("SS", 1, 8)]
)
def test_vowels_open_the_mouth_by_a_sensible_amount(
    glb: Glb, name: str, viseme: str, least: float, most: float
) -> None:
    assert least < lip_gap_mm(glb, name, f"viseme_{viseme}") < most


def test_rounded_vowels_narrow_the_mouth_and_spread_ones_widen_it(glb: Glb, name: str) -> None:
    rest = mouth_width_mm(glb, name, "viseme_sil")
    assert mouth_width_mm(glb, name, "viseme_U") < 0.75 * rest
    assert mouth_width_mm(glb, name, "viseme_O") < 0.8 * rest
    assert mouth_width_mm(glb, name, "viseme_I") > 1.08 * rest


def test_a_blink_closes_both_lids_on_the_eyeball(glb: Glb, name: str) -> None:
    eye = PEOPLE[name].head.eye
    for side, sign in (("Left", 1), ("Right", -1)):
        centre = np.array(eye.centre) * (sign, 1, 1)
        rest = (glb.attribute("Wolf3D_Head", "POSITION") - (0, 1.6, -0.02)) * MM - centre
        shut = rest + glb.move("Wolf3D_Head", f"eyeBlink{side}") * MM

        lid = (np.abs(np.linalg.norm(rest, axis=1) - 20.3) < 1.5) & (np.abs(rest[:, 0]) < 4) & (rest[:, 2] > 8)
        above, below = lid & (rest[:, 1] > 1), lid & (rest[:, 1] < 0)
        assert rest[above, 1].min() - rest[below, 1].max() > 9
        assert shut[above, 1].min() - shut[below, 1].max() < 2.0
        sunk = np.linalg.norm(rest, axis=1) - np.linalg.norm(shut, axis=1)
        assert sunk.max() < 0.4  # lids slide over the ball, not through it


def test_normals_are_finite_and_of_length_one(glb: Glb) -> None:
    for mesh in glb.json["meshes"]:
        normals = glb.attribute(mesh["name"], "NORMAL")
        assert np.isfinite(normals).all()
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-3
        assert np.isfinite(glb.attribute(mesh["name"], "POSITION")).all()


def test_surfaces_face_outwards(glb: Glb) -> None:
    """Winding agrees with the normals."""
    for mesh in ("Wolf3D_Head", "EyeLeft", "Wolf3D_Teeth", "Wolf3D_Outfit_Top", "Wolf3D_Tongue"):
        points, faces = glb.attribute(mesh, "POSITION"), glb.faces(mesh)
        across = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
        agrees = (across * glb.attribute(mesh, "NORMAL")[faces].mean(1)).sum(1) > 0
        assert agrees.mean() > 0.9, mesh


def test_it_is_small_enough_to_load_over_a_modest_line(glb: Glb, name: str) -> None:
    assert (AVATARS / name / f"{name}.glb").stat().st_size <= 3_000_000
    triangles = sum(len(glb.faces(mesh["name"])) for mesh in glb.json["meshes"])
    assert triangles < 60_000


def test_the_bones_and_nodes_that_clients_ask_for_are_there(glb: Glb) -> None:
    nodes = glb.nodes
    assert set(nodes) >= BONES
    assert len(BONES) == 54  # TalkingHead checks 52 and reads both eyes besides
    armature = nodes["Armature"]
    children = {glb.json["nodes"][i]["name"] for i in armature["children"]}
    assert children >= {
        "Hips", "Wolf3D_Head", "Wolf3D_Teeth", "EyeLeft", "EyeRight", "Wolf3D_Hair", "Wolf3D_Outfit_Top",
    }  # fmt: skip
    assert {material["name"] for material in glb.json["materials"]} >= {
        "Wolf3D_Skin", "Wolf3D_Eye", "Wolf3D_Teeth", "Wolf3D_Hair",
    }  # fmt: skip


def test_no_two_heads_are_alike() -> None:
    """In the widths of their faces from the chin to the brows."""

    def widths(points: np.ndarray) -> np.ndarray:
        slices = [points[np.abs(points[:, 1] - height) < 0.006] for height in np.arange(1.53, 1.67, 0.01)]
        return np.array([np.ptp(each[each[:, 2] > 0, 0]) for each in slices])

    one, other = (
        widths(Glb.of(AVATARS / name / f"{name}.glb").attribute("Wolf3D_Head", "POSITION")) for name in sorted(PEOPLE)
    )
    assert np.abs(one - other).max() * MM > 5
