"""The same avatar as VRM 1.0: names its bones and expressions for VRM players; the morph targets stay as they are."""

from __future__ import annotations

from typing import Any

from workers.lipsync.generator3d.glb import GlbFile
from workers.lipsync.generator3d.morphs import NAMES, both

MIDDLE_BONES = {
    "hips": "Hips", "spine": "Spine", "chest": "Spine1", "upperChest": "Spine2", "neck": "Neck", "head": "Head",
    "leftEye": "LeftEye", "rightEye": "RightEye",
}  # fmt: skip
SIDE_BONES = {
    "Shoulder": "Shoulder", "UpperArm": "Arm", "LowerArm": "ForeArm", "Hand": "Hand", "UpperLeg": "UpLeg",
    "LowerLeg": "Leg", "Foot": "Foot", "Toes": "ToeBase",
}  # fmt: skip
PRESETS: dict[str, dict[str, float]] = {
    "aa": {"viseme_aa": 1.0},
    "ih": {"viseme_I": 1.0},
    "ou": {"viseme_U": 1.0},
    "ee": {"viseme_E": 1.0},
    "oh": {"viseme_O": 1.0},
    "blink": {"eyesClosed": 1.0},
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "happy": {"mouthSmile": 1.0, **both(cheekSquint=0.4)},
    "sad": {"browInnerUp": 0.7, **both(mouthFrown=0.7)},
    "angry": both(browDown=1.0, mouthPress=0.4),
    "surprised": {"browInnerUp": 0.8, "jawOpen": 0.2, **both(eyeWide=0.8, browOuterUp=0.6)},
    "relaxed": {"mouthSmile": 0.4, **both(eyeSquint=0.3)},
    "neutral": {},
    "lookUp": {"eyesLookUp": 1.0},
    "lookDown": {"eyesLookDown": 1.0},
    "lookLeft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookRight": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
}


def make_vrm(file: GlbFile, name: str) -> None:
    """Adds `VRMC_vrm` to what `to_glb` made."""
    file.json["extensionsUsed"].append("VRMC_vrm")
    file.json["extensions"] = {
        "VRMC_vrm": {
            "specVersion": "1.0",
            "meta": {
                "name": name,
                "version": "1",
                "authors": ["Visavis"],
                "licenseUrl": "https://vrm.dev/licenses/1.0/",
                "avatarPermission": "everyone",
                "commercialUsage": "corporation",
                "creditNotation": "unnecessary",
                "allowRedistribution": True,
                "modification": "allowModificationRedistribution",
            },
            "humanoid": {"humanBones": {vrm: {"node": file.node(bone)} for vrm, bone in _bones().items()}},
            "expressions": {
                "preset": {preset: _expression(file, weights) for preset, weights in PRESETS.items()},
                "custom": {target: _expression(file, {target: 1.0}) for target in NAMES},
            },
            "lookAt": {
                "type": "bone",
                "offsetFromHeadBone": [0, 0.06, 0.05],
                **{
                    f"rangeMap{way}": {"inputMaxValue": 90, "outputScale": 10}
                    for way in ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
                },
            },
        }
    }


def _bones() -> dict[str, str]:
    sides = {side.lower() + vrm: side + bone for side in ("Left", "Right") for vrm, bone in SIDE_BONES.items()}
    return {**MIDDLE_BONES, **sides}


def _expression(file: GlbFile, weights: dict[str, float]) -> dict[str, Any]:
    binds = [
        {"node": node, "index": targets.index(target), "weight": weight}
        for node, targets in file.morphing()
        for target, weight in weights.items()
    ]
    return {"morphTargetBinds": binds}
