"""The light file of a head has its shapes, bones and names, some of its vertices, and none of its bumps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from broker.config import ROOT
from broker.personas import LIGHT_MODEL
from tests.avatar3d.heads import head
from tests.lipsync.generator3d.glb_reader import Glb
from workers.lipsync.adding.model_file import look_over
from workers.lipsync.generator3d.people import PEOPLE
from workers.lipsync.lighter.__main__ import made
from workers.lipsync.lighter.light_file import light_file

AVATARS = ROOT / "static" / "avatars"


@pytest.fixture(scope="module", params=sorted(PEOPLE))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(name: str) -> Glb:
    return Glb.of(AVATARS / name / f"{name}.glb")


@pytest.fixture(scope="module")
def light(name: str) -> Glb:
    return Glb.of(AVATARS / name / f"{name}{LIGHT_MODEL}")


def test_shapes_bones_and_parts_are_the_same_by_name(whole: Glb, light: Glb) -> None:
    assert light.json["nodes"] == whole.json["nodes"]
    assert [skin["joints"] for skin in light.json["skins"]] == [skin["joints"] for skin in whole.json["skins"]]
    for mesh in whole.json["meshes"]:
        assert light.mesh(mesh["name"]).get("extras") == mesh.get("extras")
        targets = [len(each.mesh(mesh["name"])["primitives"][0].get("targets", ())) for each in (whole, light)]
        assert targets[0] == targets[1]


def test_every_vertex_is_one_of_the_heads_own_and_moves_as_it_did(whole: Glb, light: Glb) -> None:
    for mesh in ("Wolf3D_Head", "Wolf3D_Teeth", "Wolf3D_Tongue", "EyeLeft"):
        keys = ("POSITION", "NORMAL", "WEIGHTS_0", "JOINTS_0")
        before, after = (np.concatenate([glb.attribute(mesh, key) for key in keys], 1) for glb in (whole, light))
        place = {tuple(row): n for n, row in enumerate(before)}
        at = [place[tuple(row)] for row in after]
        for shape in ("viseme_aa", "viseme_U", "eyeBlinkLeft", "mouthSmileRight", "tongueOut"):
            assert np.array_equal(whole.move(mesh, shape)[at], light.move(mesh, shape))
    aa = [glb.move("Wolf3D_Head", "viseme_aa", "NORMAL") for glb in (whole, light)]
    assert np.abs(aa[1]).max() > 0.5 * np.abs(aa[0]).max()


def test_it_has_what_a_cpu_draws_and_no_more(light: Glb, name: str) -> None:
    triangles = sum(len(light.faces(mesh["name"])) for mesh in light.json["meshes"])
    assert 10_000 < triangles < 12_000, "the page draws so many as they are"
    for material in light.json["materials"]:
        assert not {"normalTexture", "occlusionTexture", "extensions"} & material.keys()
        assert "metallicRoughnessTexture" not in material["pbrMetallicRoughness"]
    assert len(light.json["images"]) == 3
    sizes = [(AVATARS / name / f"{name}{ending}").stat().st_size for ending in (".glb", LIGHT_MODEL)]
    assert sizes[1] < sizes[0] / 3
    assert look_over((AVATARS / name / f"{name}{LIGHT_MODEL}").read_bytes()).triangles == triangles


def test_the_head_is_as_large_so_that_it_is_framed_alike(whole: Glb, light: Glb) -> None:
    for corner in (np.min, np.max):
        ends = [
            np.stack([corner(glb.attribute(mesh["name"], "POSITION"), 0) for mesh in glb.json["meshes"]])
            for glb in (whole, light)
        ]
        assert np.array_equal(corner(ends[0], 0), corner(ends[1], 0))
        assert np.abs(ends[0] - ends[1]).max() < 0.004


def test_the_surface_lies_where_it_lay(whole: Glb, light: Glb) -> None:
    """Vertices that are gone are no further from the triangles that are left than a lip is thick."""
    gone = whole.attribute("Wolf3D_Head", "POSITION")[::7]
    corners = light.attribute("Wolf3D_Head", "POSITION")[light.faces("Wolf3D_Head")]
    inside = np.concatenate([corners.transpose(1, 0, 2), [corners.mean(1)], [corners[:, :2].mean(1)]]).reshape(-1, 3)
    furthest = max(np.linalg.norm(inside - point, axis=1).min() for point in gone)
    assert furthest < 0.012


def test_the_committed_files_are_what_is_made_of_the_heads(whole: Glb, light: Glb, name: str) -> None:
    data = light_file((AVATARS / name / f"{name}.glb").read_bytes())
    assert data
    made = Glb(data)
    for mesh in ("Wolf3D_Head", "Wolf3D_Hair", "Wolf3D_Outfit_Top"):
        one, other = ({tuple(row) for row in glb.attribute(mesh, "POSITION")} for glb in (made, light))
        # Sums may be rounded otherwise on another machine, and one edge go before another.
        assert len(one & other) > 0.9 * len(one | other)


def test_a_head_that_is_coarse_anyway_or_of_another_kind_has_none() -> None:
    assert light_file(head()) is None
    assert light_file(head(vrm="1.0")) is None
    assert light_file((ROOT / "tests" / "avatar3d" / "draco.glb").read_bytes()) is None
    assert light_file((ROOT / "tests" / "avatar3d" / "meshopt.glb").read_bytes()) is None


def test_the_command_puts_it_beside_the_head(tmp_path: Path) -> None:
    head_file = tmp_path / "ada.glb"
    head_file.write_bytes((AVATARS / "robin" / "robin.glb").read_bytes())
    assert made(head_file).startswith("ada.light.glb")
    assert (tmp_path / "ada.light.glb").is_file()
    head_file.write_bytes(head())
    assert "needs none" in made(head_file)
    assert not (tmp_path / "ada.light.glb").exists(), "that of the head before"
    head_file.write_bytes(b"GIF89a")
    assert "no 3D model" in made(head_file)
