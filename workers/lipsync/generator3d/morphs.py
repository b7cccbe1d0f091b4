"""Names of the morph targets, and the mouth shapes as mixtures of movements.

The fifteen `viseme_` names are those of OVR and Ready Player Me, the fifty-two others those of ARKit; the last five are
Ready Player Me's own. Recipes were tuned by looking at this head. `_tip`, `_out` and `_back` move the tongue.
"""

from __future__ import annotations

from collections.abc import Mapping

Recipe = Mapping[str, float]


def both(**weights: float) -> dict[str, float]:
    """The movement on the left and on the right."""
    return {name + side: weight for name, weight in weights.items() for side in ("Left", "Right")}


VISEMES: dict[str, Recipe] = {
    "sil": {},
    "PP": {"mouthRollLower": 0.30, "mouthRollUpper": 0.26, **both(mouthPress=0.6)},
    "FF": {"jawOpen": 0.06, "mouthRollLower": 0.80, "mouthShrugLower": 0.30, **both(mouthUpperUp=0.62)},
    "TH": {"jawOpen": 0.15, "_tip": 0.9, "_out": 0.35, **both(mouthLowerDown=0.3, mouthUpperUp=0.15)},
    "DD": {"jawOpen": 0.13, "_tip": 1.0, **both(mouthLowerDown=0.3, mouthUpperUp=0.18, mouthStretch=0.1)},
    "kk": {"jawOpen": 0.19, "_back": 1.0, **both(mouthLowerDown=0.25, mouthStretch=0.15)},
    "CH": {
        "jawOpen": 0.09,
        "mouthFunnel": 0.58,
        "mouthPucker": 0.42,
        "_tip": 0.5,
        **both(mouthLowerDown=0.25, mouthUpperUp=0.2),
    },
    "SS": {
        "jawOpen": 0.05,
        "_tip": 0.4,
        **both(mouthStretch=0.35, mouthLowerDown=0.45, mouthUpperUp=0.28, mouthSmile=0.1),
    },
    "nn": {"jawOpen": 0.11, "_tip": 1.0, **both(mouthLowerDown=0.22, mouthUpperUp=0.12)},
    "RR": {"jawOpen": 0.14, "mouthFunnel": 0.38, "mouthPucker": 0.45, "_tip": 0.6},
    "aa": {"jawOpen": 0.62, **both(mouthLowerDown=0.2, mouthUpperUp=0.18)},
    "E": {"jawOpen": 0.30, "_back": 0.2, **both(mouthStretch=0.45, mouthLowerDown=0.35, mouthUpperUp=0.25)},
    "I": {
        "jawOpen": 0.16,
        "_back": 0.4,
        **both(mouthStretch=0.5, mouthSmile=0.25, mouthLowerDown=0.4, mouthUpperUp=0.28),
    },
    "O": {"jawOpen": 0.34, "mouthFunnel": 0.72, "mouthPucker": 0.62},
    "U": {"jawOpen": 0.10, "mouthPucker": 0.98, "mouthFunnel": 0.40},
}

ARKIT = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

EXTRAS: dict[str, Recipe] = {
    "mouthOpen": {"jawOpen": 0.5},
    "mouthSmile": both(mouthSmile=0.8),
    "eyesClosed": both(eyeBlink=1.0),
    "eyesLookUp": both(eyeLookUp=1.0),
    "eyesLookDown": both(eyeLookDown=1.0),
}

NAMES = (*(f"viseme_{name}" for name in VISEMES), *ARKIT, *EXTRAS)
"""In the order of the file."""
