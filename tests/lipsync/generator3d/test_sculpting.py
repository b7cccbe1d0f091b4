"""The generator itself, at a coarse grid: same head, same bytes; the committed heads are what it makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.lipsync.generator3d.glb_reader import Glb
from workers.lipsync.generator3d.avatar import Detail, Sculpture, sculpt, to_glb
from workers.lipsync.generator3d.distance import capsule, carve, ellipsoid, union
from workers.lipsync.generator3d.expressions import Tissue
from workers.lipsync.generator3d.head import Head
from workers.lipsync.generator3d.morphs import EXTRAS, NAMES, VISEMES
from workers.lipsync.generator3d.people import PEOPLE
from workers.lipsync.generator3d.vrm import PRESETS, make_vrm

AVATARS = Path(__file__).resolve().parents[3] / "static" / "avatars"
COARSE = Detail(grid_mm=2.6, coarse_mm=7.0, head_points=2500, texture_px=96)


@pytest.fixture(scope="module")
def rough() -> Sculpture:
    return sculpt(PEOPLE["vera"], COARSE)


def test_the_same_head_is_the_same_bytes(rough: Sculpture) -> None:
    assert to_glb(rough).packed() == to_glb(sculpt(PEOPLE["vera"], COARSE)).packed()


@pytest.mark.parametrize("mesh", ["Wolf3D_Head", "Wolf3D_Outfit_Top", "EyeLeft", "Wolf3D_Hair", "Wolf3D_Teeth"])
def test_the_script_makes_the_committed_head(rough: Sculpture, mesh: str) -> None:
    made, shipped = Glb(to_glb(rough).packed()), Glb.of(AVATARS / "vera" / "vera.glb")
    for corner in (np.min, np.max):
        difference = corner(made.attribute(mesh, "POSITION"), 0) - corner(shipped.attribute(mesh, "POSITION"), 0)
        assert np.abs(difference).max() < 0.008


def test_weights_of_every_part_are_whole(rough: Sculpture) -> None:
    for part in rough.parts:
        assert np.allclose(sum(part.weights.values()), 1), part.name


def test_a_vrm_names_bones_and_expressions_that_exist(rough: Sculpture) -> None:
    file = to_glb(rough)
    make_vrm(file, "Vera")
    glb = Glb(file.packed())
    vrm = glb.json["extensions"]["VRMC_vrm"]
    names = [node["name"] for node in glb.json["nodes"]]
    assert names[vrm["humanoid"]["humanBones"]["leftUpperArm"]["node"]] == "LeftArm"
    for preset, weights in PRESETS.items():
        assert set(weights) <= set(NAMES)
        for bind in vrm["expressions"]["preset"][preset]["morphTargetBinds"]:
            assert glb.targets(names[bind["node"]])[bind["index"]] in weights


def test_recipes_use_only_known_movements() -> None:
    for recipe in (*VISEMES.values(), *EXTRAS.values()):
        assert {part for part in recipe if not part.startswith("_")} <= set(NAMES)
        assert {part for part in recipe if part.startswith("_")} <= {"_tip", "_out", "_back"}


def test_both_halves_of_a_face_move_alike() -> None:
    head = Head(PEOPLE["vera"].head)
    rng = np.random.default_rng(4)
    points = rng.uniform((-60, -80, 20), (60, 90, 95), (400, 3))
    left = Tissue(head, points).movements()
    right = Tissue(head, points * (-1, 1, 1)).movements()
    for name, move in left.items():
        other = name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")
        assert np.allclose(move, right[other] * (-1, 1, 1), atol=1e-9), name


def test_bodies_melt_and_carve() -> None:
    x = np.linspace(-20, 20, 81)
    line = (x, 0 * x, 0 * x)
    ball, rod = ellipsoid(line, (0, 0, 0), (5, 5, 5)), capsule(line, (8, 0, 0), (12, 0, 0), 2)
    assert ball[40] < 0 < ball[0]
    assert np.allclose(np.abs(x[np.abs(ball) < 1e-9]), 5)
    assert (union(ball, rod, 1.0) <= np.minimum(ball, rod) + 1e-9).all()
    assert (carve(ball, rod, 1.0) >= ball - 1e-9).all()
