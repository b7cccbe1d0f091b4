"""How a 3D head's mouth will be moved, told from the names of its shapes alone; what it lacks is said."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from broker.config import ROOT
from broker.visemes import VISEMES
from tests.lipsync.adding.small_glb import ARKIT_SHAPES, VISEME_SHAPES, SmallGlb
from workers.lipsync.adding.model_file import look_over
from workers.lipsync.adding.model_report import describe
from workers.lipsync.adding.model_shapes import canonical, find_bones, licence, map_shapes, shape_names

SPOKEN = [viseme for viseme in VISEMES if viseme not in ("sil", "PP")]
JS_MAP = ROOT / "static/js/avatar3d/morph_map.mjs"


def codes(model: SmallGlb) -> set[str]:
    return {finding.code for finding in describe(look_over(model.bytes())).findings}


def test_viseme_shapes_are_taken_as_they_are() -> None:
    shapes = map_shapes(VISEME_SHAPES)
    assert shapes.source == "visemes"
    assert {viseme: parts for viseme, parts in shapes.visemes.items() if viseme != "sil"} == {
        viseme: (f"viseme_{viseme}",) for viseme in VISEMES if viseme != "sil"
    }


def test_a_missing_viseme_borrows_its_neighbour() -> None:
    shapes = map_shapes([name for name in VISEME_SHAPES if name != "viseme_RR"])
    assert shapes.visemes["RR"] == ("viseme_CH",)


def test_arkit_shapes_are_mixed() -> None:
    shapes = map_shapes(ARKIT_SHAPES)
    assert shapes.source == "arkit"
    assert shapes.silent == []
    assert {"mouthPressLeft", "mouthPressRight"} <= set(shapes.visemes["PP"])
    assert shapes.blinks
    assert shapes.looks
    assert shapes.brows


@pytest.mark.parametrize(
    "name", ["eyeBlink_L", "EyeBlink.L", "blendShape1.eyeBlinkLeft", "eye_blink_left", "eyeBlinkL"]
)
def test_exporters_spellings_are_one(name: str) -> None:
    assert canonical(name) == canonical("eyeBlinkLeft")


def test_five_vowels_make_a_mouth() -> None:
    shapes = map_shapes(["aa", "ih", "ou", "ee", "oh", "blink"])
    assert shapes.source == "vrm"
    assert all(shapes.visemes[viseme] for viseme in SPOKEN)
    assert shapes.visemes["PP"] == ()


def test_a_jaw_alone_opens_for_all_but_closed_lips() -> None:
    shapes = map_shapes(["jawOpen"])
    assert shapes.source == "jaw"
    assert shapes.visemes["PP"] == ()
    assert all(shapes.visemes[viseme] == ("jawOpen",) for viseme in SPOKEN)


def test_what_is_missing_is_said_with_what_follows() -> None:
    assert {"mouth_jaw", "no_blink", "no_gaze", "no_head", "no_brows", "no_emotions"} <= codes(
        SmallGlb(["jawOpen"], [])
    )
    assert not {"no_blink", "no_gaze", "no_head", "no_brows", "no_emotions"} & codes(SmallGlb(ARKIT_SHAPES))


def test_each_viseme_is_told_with_its_shapes() -> None:
    texts = [each.text for each in describe(look_over(SmallGlb(VISEME_SHAPES).bytes())).findings]
    assert "aa ← viseme_aa" in texts


def test_shapes_without_names_are_counted() -> None:
    model = SmallGlb(ARKIT_SHAPES)
    model.table["meshes"][0]["extras"]["targetNames"] = ARKIT_SHAPES[:12]
    assert shape_names(look_over(model.bytes())) == (list(ARKIT_SHAPES[:12]), len(ARKIT_SHAPES) - 12)
    assert "nameless" in codes(model)


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "mixamorig9:", "J_Bip_C_", "DEF-"])
def test_bones_are_found_under_exporters_prefixes(prefix: str) -> None:
    model = look_over(SmallGlb(["jawOpen"], [f"{prefix}Neck", f"{prefix}Head"]).bytes())
    assert find_bones(model) == {"head": f"{prefix}Head", "neck": f"{prefix}Neck"}


def vrm1() -> SmallGlb:
    model = SmallGlb(["a", "b", "c"])
    bind = {"morphTargetBinds": [{"node": 0, "index": 0, "weight": 1}]}
    model.table["extensions"] = {
        "VRMC_vrm": {
            "meta": {"name": "Kei", "authors": ["Ono"], "licenseUrl": "https://vrm.dev/licenses/1.0/"},
            "humanoid": {"humanBones": {"head": {"node": 2}, "leftEye": {"node": 3}, "rightEye": {"node": 4}}},
            "expressions": {"preset": dict.fromkeys(("aa", "ih", "ou", "ee", "oh", "blink"), bind) | {"happy": {}}},
        }
    }
    return model


def vrm0() -> SmallGlb:
    model = SmallGlb(["a", "b", "c"])
    groups = [{"presetName": name, "binds": [{"mesh": 0, "index": 0}]} for name in ("a", "i", "u", "e", "o", "joy")]
    model.table["extensions"] = {
        "VRM": {
            "meta": {"title": "Kei", "author": "Ono", "licenseName": "CC_BY"},
            "humanoid": {"humanBones": [{"bone": "head", "node": 2}]},
            "blendShapeMaster": {"blendShapeGroups": groups},
        }
    }
    return model


@pytest.mark.parametrize("make", [vrm0, vrm1])
def test_a_vrm_speaks_by_its_expressions_and_says_whose_it_is(make: object) -> None:
    model = look_over(make().bytes())  # type: ignore[operator]
    names, _ = shape_names(model)
    assert map_shapes(names).source == "vrm"
    assert find_bones(model)["head"] == "Head"
    assert licence(model)["title"] == "Kei"
    assert licence(model)["author"] == "Ono"


def test_an_expression_that_moves_nothing_does_not_count() -> None:
    names, _ = shape_names(look_over(vrm1().bytes()))
    assert "happy" not in names
    assert "happy" in shape_names(look_over(vrm0().bytes()))[0]


@pytest.mark.parametrize(
    "names", [VISEME_SHAPES, VISEME_SHAPES[:9], ARKIT_SHAPES, ("aa", "ih", "ou"), ("mouthOpen",), ("fist",)]
)
def test_the_page_maps_the_same_shapes_to_the_same_visemes(names: tuple[str, ...]) -> None:
    if not JS_MAP.is_file() or shutil.which("node") is None:
        pytest.skip("there is no page for 3D heads here, or no node to run it")
    program = (
        f"import {{ mapMorphs }} from {json.dumps(JS_MAP.as_uri())};"
        f"const map = mapMorphs({json.dumps(names)});"
        "console.log(JSON.stringify([map.source, map.visemes.map((parts) => parts.map(([name]) => name))]));"
    )
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    shapes = map_shapes(names)
    source, visemes = json.loads(done.stdout)
    assert source == shapes.source
    assert [sorted(parts) for parts in visemes] == [sorted(shapes.visemes[viseme]) for viseme in VISEMES]
