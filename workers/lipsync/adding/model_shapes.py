"""Which of a 3D head's shapes and bones make which viseme, blink and look – by their names, as the page does it.

Shape names: ARKit's (developer.apple.com, ARFaceAnchor.BlendShapeLocation), Oculus visemes, VRM's presets
(github.com/vrm-c/vrm-specification). The page mixes them with weights (static/js/avatar3d/recipes.mjs).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from broker.visemes import VISEMES
from workers.lipsync.adding.model_file import ModelFile, Table, as_list, as_table, tables, whole

Source = Literal["visemes", "arkit", "vrm", "jaw", "none"]

ENOUGH_VISEMES = 8
"""Viseme shapes that make a head with visemes; the rest is borrowed from the nearest."""
ENOUGH_ARKIT = 4
"""ARKit mouth shapes besides the jaw that make recipes better than vowels."""

OTHER_NAMES = {"I": ("ih",), "O": ("oh",), "U": ("ou",), "E": ("eh",), "aa": ("ah",)}
JAWS = ("jawOpen", "mouthOpen", "mouth_open", "jaw_open", "aa", "A")
VOWELS = ("aa", "ih", "ou", "ee", "oh")

ARKIT_VISEMES: dict[str, tuple[str, ...]] = {
    "sil": (),
    "PP": ("mouthPress*", "mouthRollLower", "mouthRollUpper"),
    "FF": ("jawOpen", "mouthRollLower", "mouthUpperUp*", "mouthStretch*"),
    "TH": ("jawOpen", "tongueOut", "mouthLowerDown*", "mouthUpperUp*"),
    "DD": ("jawOpen", "mouthLowerDown*", "mouthUpperUp*", "mouthStretch*"),
    "kk": ("jawOpen", "mouthLowerDown*", "mouthStretch*"),
    "CH": ("jawOpen", "mouthFunnel", "mouthPucker", "mouthUpperUp*"),
    "SS": ("jawOpen", "mouthStretch*", "mouthSmile*", "mouthLowerDown*"),
    "nn": ("jawOpen", "mouthLowerDown*", "mouthStretch*"),
    "RR": ("jawOpen", "mouthFunnel", "mouthPucker"),
    "aa": ("jawOpen", "mouthLowerDown*", "mouthUpperUp*"),
    "E": ("jawOpen", "mouthStretch*", "mouthSmile*", "mouthLowerDown*"),
    "I": ("jawOpen", "mouthSmile*", "mouthStretch*", "mouthLowerDown*"),
    "O": ("jawOpen", "mouthFunnel", "mouthPucker"),
    "U": ("jawOpen", "mouthPucker", "mouthFunnel"),
}
"""A star stands for Left and Right."""
VRM_VISEMES: dict[str, tuple[str, ...]] = {
    "sil": (), "PP": (), "FF": ("ih",), "TH": ("ih", "aa"), "DD": ("ih", "aa"), "kk": ("aa", "ih"), "CH": ("ou", "ih"),
    "SS": ("ih",), "nn": ("ih",), "RR": ("ou", "aa"), "aa": ("aa",), "E": ("ee", "aa"), "I": ("ih",), "O": ("oh",),
    "U": ("ou",),
}  # fmt: skip
CLOSED = ("sil", "PP")
"""Visemes for which a mouth at rest is right."""
NEAREST = {
    "PP": "sil", "FF": "PP", "TH": "DD", "DD": "nn", "kk": "DD", "CH": "SS", "SS": "DD", "nn": "DD", "RR": "CH",
    "aa": "E", "E": "I", "I": "E", "O": "U", "U": "O", "sil": "sil",
}  # fmt: skip

VRM0_PRESETS = {
    "a": "aa", "i": "ih", "u": "ou", "e": "ee", "o": "oh", "blink": "blink", "blink_l": "blinkLeft",
    "blink_r": "blinkRight", "joy": "happy", "sorrow": "sad", "fun": "relaxed", "angry": "angry", "lookup": "lookUp",
    "lookdown": "lookDown", "lookleft": "lookLeft", "lookright": "lookRight", "neutral": "neutral",
}  # fmt: skip

BONES = {
    "head": ("head",),
    "neck": ("neck", "neck1", "neck01"),
    "chest": ("spine2", "upperchest", "chest", "spine02", "spine1", "spine"),
    "left eye": ("lefteye", "eyeleft", "eyel", "leye", "faceeyel"),
    "right eye": ("righteye", "eyeright", "eyer", "reye", "faceeyer"),
}
VRM_BONES = {
    "head": ("head",),
    "neck": ("neck",),
    "chest": ("upperChest", "chest", "spine"),
    "left eye": ("leftEye",),
    "right eye": ("rightEye",),
}
PREFIXES = re.compile(r"^(mixamorig\d*|armature|jbipc|jbipl|jbipr|jadj[lr]|bip0?1|ccbase|def|org)")


@dataclass(frozen=True, kw_only=True)
class ShapeMap:
    """`visemes`: viseme → the head's own shapes it is made of, none where the mouth stays at rest."""

    source: Source
    visemes: dict[str, tuple[str, ...]]
    blinks: bool
    looks: bool
    brows: bool
    emotions: bool

    @property
    def silent(self) -> list[str]:
        """Visemes that ought to show and do not."""
        return [viseme for viseme in VISEMES if viseme not in CLOSED and not self.visemes[viseme]]


def shape_names(model: ModelFile) -> tuple[list[str], int]:
    """The names of all shapes, VRM's expressions first, and how many shapes have no name."""
    names = [*_expressions(model.table)]
    nameless = 0
    for mesh in tables(model.table, "meshes"):
        parts = tables(mesh, "primitives")
        targets = max((len(as_list(part.get("targets"))) for part in parts), default=0)
        noted = [mesh, *parts]
        given = next(
            (found for each in noted if (found := as_list(as_table(each.get("extras")).get("targetNames")))), []
        )
        names += [str(name) for name in given[:targets]]
        nameless += targets - len(given[:targets])
    return list(dict.fromkeys(names)), nameless


def map_shapes(names: Iterable[str]) -> ShapeMap:
    """By name alone."""
    has = _Shapes(names)
    source = _source(has)
    emotions = (("mouthSmileLeft", "mouthSmileRight"), ("happy",), ("mouthSmile",), ("sad",), ("surprised",))
    return ShapeMap(
        source=source,
        visemes={viseme: _parts(has, source, viseme) for viseme in VISEMES},
        blinks=bool(
            (has.first("eyeBlinkLeft", "blinkLeft") and has.first("eyeBlinkRight", "blinkRight"))
            or has.first("blink", "eyesClosed", "eyes_closed", "vrc.blink")
        ),
        looks=bool(has.first("eyeLookOutLeft", "eyeLookInRight", "lookLeft", "eyesLookLeft")),
        brows=bool(has.recipe(("browInnerUp", "browOuterUp*"))),
        emotions=any(len(has.recipe(each)) == len(each) for each in emotions),
    )


def find_bones(model: ModelFile) -> dict[str, str]:
    """What the page turns → the node's own name. A bone that is not there is left out."""
    nodes = tables(model.table, "nodes")
    names = [str(node.get("name", "")) for node in nodes]
    humanoid = _humanoid(model.table)
    if humanoid:
        found = {}
        for bone, ways in VRM_BONES.items():
            number = next((humanoid[way] for way in ways if way in humanoid), -1)
            if 0 <= number < len(nodes):
                found[bone] = names[number]
        return found
    plain = {PREFIXES.sub("", re.sub(r"[^a-z0-9]", "", name.lower())): name for name in reversed(names)}
    matches = {bone: next((plain[way] for way in ways if way in plain), "") for bone, ways in BONES.items()}
    return {bone: name for bone, name in matches.items() if name}


def licence(model: ModelFile) -> dict[str, str]:
    """What a VRM says of itself: title, authors, who may wear it, licence. Empty for other models."""
    extensions = as_table(model.table.get("extensions"))
    one = as_table(as_table(extensions.get("VRMC_vrm")).get("meta"))
    zero = as_table(as_table(extensions.get("VRM")).get("meta"))
    told = {
        "title": one.get("name") or zero.get("title"),
        "author": ", ".join(map(str, as_list(one.get("authors")))) or zero.get("author"),
        "who may wear it": one.get("avatarPermission") or zero.get("allowedUserName"),
        "licence": one.get("licenseUrl") or zero.get("licenseName"),
    }
    return {key: str(value)[:120] for key, value in told.items() if value}


def is_vrm(table: Table) -> str:
    """`1.0`, `0.x`, or empty."""
    extensions = as_table(table.get("extensions"))
    if "VRMC_vrm" in extensions:
        return "1.0"
    return "0.x" if "VRM" in extensions else ""


def _expressions(table: Table) -> list[str]:
    """A VRM's expressions that move something."""
    extensions = as_table(table.get("extensions"))
    named = []
    expressions = as_table(as_table(extensions.get("VRMC_vrm")).get("expressions"))
    for group in ("preset", "custom"):
        for name, expression in as_table(expressions.get(group)).items():
            if any(as_list(as_table(expression).get(f"{kind}Binds")) for kind in ("morphTarget", "materialColor")):
                named.append(str(name))
    master = as_table(as_table(extensions.get("VRM")).get("blendShapeMaster"))
    for clip in tables(master, "blendShapeGroups"):
        if as_list(clip.get("binds")) or as_list(clip.get("materialValues")):
            preset = str(clip.get("presetName", "")).lower()
            named.append(VRM0_PRESETS.get(preset, str(clip.get("name", ""))))
    return named


def _humanoid(table: Table) -> dict[str, int]:
    """VRM bone → node."""
    extensions = as_table(table.get("extensions"))
    one = as_table(as_table(as_table(extensions.get("VRMC_vrm")).get("humanoid")).get("humanBones"))
    zero = tables(as_table(as_table(extensions.get("VRM")).get("humanoid")), "humanBones")
    found = {str(bone): whole(as_table(each).get("node")) for bone, each in one.items()}
    return found | {str(each.get("bone")): whole(each.get("node")) for each in zero}


def _source(has: _Shapes) -> Source:
    if sum(bool(has.viseme(each)) for each in VISEMES) >= ENOUGH_VISEMES and has.viseme("aa"):
        return "visemes"
    mouth = {name for recipe in ARKIT_VISEMES.values() for part in recipe for name in _sides(part)} - {"jawOpen"}
    if has.first("jawOpen") and sum(bool(has.first(name)) for name in mouth) >= ENOUGH_ARKIT:
        return "arkit"
    if sum(bool(has.first(name)) for name in VOWELS) >= 3:
        return "vrm"
    return "jaw" if has.first(*JAWS) else "none"


def _parts(has: _Shapes, source: Source, viseme: str) -> tuple[str, ...]:
    if source == "arkit":
        return has.recipe(ARKIT_VISEMES[viseme])
    if source == "vrm":
        return has.recipe(VRM_VISEMES[viseme])
    if source == "jaw":
        return () if viseme in CLOSED else (has.first(*JAWS),)
    if source == "none" or viseme == "sil":
        return ()
    own = has.viseme(viseme)
    if own:
        return (own,)
    recipe = has.recipe(ARKIT_VISEMES[viseme])
    if len(recipe) > 1:
        return recipe
    near = has.viseme(NEAREST[viseme]) if NEAREST[viseme] != "sil" else ""
    return (near,) if near else ()


def _sides(part: str) -> tuple[str, ...]:
    return (part[:-1] + "Left", part[:-1] + "Right") if part.endswith("*") else (part,)


class _Shapes:
    """The head's own names by what they mean."""

    def __init__(self, names: Iterable[str]) -> None:
        self._own: dict[str, str] = {}
        for name in names:
            self._own.setdefault(canonical(name), name)

    def first(self, *names: str) -> str:
        """The first of these the head has; empty when it has none."""
        return next((own for name in names if (own := self._own.get(canonical(name), ""))), "")

    def viseme(self, viseme: str) -> str:
        each = (viseme, *OTHER_NAMES.get(viseme, ()))
        return self.first(*(prefix + name for name in each for prefix in ("viseme_", "v_")))

    def recipe(self, recipe: Iterable[str]) -> tuple[str, ...]:
        """The part of a recipe the head can do."""
        return tuple(own for part in recipe for name in _sides(part) if (own := self.first(name)))


def canonical(name: str) -> str:
    """The same for eyeBlinkLeft, eyeBlink_L, EyeBlink.L and blendShape1.eyeBlinkLeft: exporters disagree on these."""
    sided = re.sub(r"(?:[._-]|(?<=[a-z]))L$", "Left", name)
    sided = re.sub(r"(?:[._-]|(?<=[a-z]))R$", "Right", sided)
    last = sided[sided.rfind(".") + 1 :] or sided
    return re.sub(r"[^a-z0-9]", "", last.lower()) or name
