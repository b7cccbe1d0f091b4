"""A 3D model's report: what was found in it, how its mouth will be moved, what it lacks and what follows from that."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2

from broker.personas import LIGHT_MODEL
from broker.visemes import VISEMES
from workers.lipsync.adding.confined import Job
from workers.lipsync.adding.findings import Finding, Level, Report
from workers.lipsync.adding.model_file import ModelFile, read_model
from workers.lipsync.adding.model_shapes import ShapeMap, find_bones, is_vrm, licence, map_shapes, shape_names
from workers.lipsync.lighter.light_file import light_file

HEAVY_TRIANGLES = 150_000
HEAVY_PIXELS = 24_000_000
"""Of textures; six of 2048 by 2048."""

MOUTHS: dict[str, tuple[Level, str]] = {
    "visemes": ("good", "The mouth has shapes of its own for the sounds (viseme_…)."),
    "arkit": ("good", "The mouth is mixed from ARKit face shapes."),
    "vrm": ("good", "The mouth is mixed from the five vowels of a VRM; lips do not press together for p, b and m."),
    "jaw": ("warning", "The mouth can only open and close (one jaw shape); speech will look simple."),
    "none": (
        "refusal",
        "This head has no shape that moves its mouth, so it cannot speak; export it with viseme_… or ARKit shapes.",
    ),
}


def add_model(job: Job, source: Path, folder: Path) -> Report:
    """The report, and the model in `folder` under the avatar's name. Raises AvatarError for what cannot be drawn."""
    model = read_model(source)
    report = describe(model)
    if job.make and report.usable:
        suffix = ".vrm" if is_vrm(model.table) else ".glb"
        placed = folder / f"{job.name or source.stem}{suffix}"
        shutil.copyfile(source, placed)
        if suffix == ".glb" and (light := _light(placed)):
            placed.with_suffix(LIGHT_MODEL).write_bytes(light)
    return report


def _light(model: Path) -> bytes | None:
    """What machines without a graphics card draw of it; None where the page has to see to that itself."""
    try:
        return light_file(model.read_bytes())
    except (LookupError, TypeError, ValueError, ArithmeticError, cv2.error):
        return None  # more is odd in it than was looked for: nothing that keeps it from being shown


def describe(model: ModelFile) -> Report:
    """In words and, for programs, in `facts`."""
    names, nameless = shape_names(model)
    shapes, bones = map_shapes(names), find_bones(model)
    mouth, text = MOUTHS[shapes.source]
    said = [_finding(mouth, f"mouth_{shapes.source}", text), *_inventory(model, names, nameless, bones)]
    if shapes.source != "none":
        said += _mapping(shapes)
        said += _lacking(shapes, bones)
    said += _weight(model)
    for key, value in licence(model).items():
        said.append(_finding("note", "licence", f"It says of itself – {key}: {value}."))
    facts = {
        "vrm": is_vrm(model.table),
        "triangles": model.triangles,
        "vertices": model.vertices,
        "texture_pixels": model.texture_pixels,
        "shapes": names[:500],
        "bones": bones,
        "mouth": shapes.source,
        "visemes": {viseme: list(parts) for viseme, parts in shapes.visemes.items()},
    }
    return Report(kind="model", findings=tuple(said), facts=facts)


def _finding(level: Level, code: str, text: str) -> Finding:
    return Finding(level=level, code=code, text=text)


def _inventory(model: ModelFile, names: list[str], nameless: int, bones: dict[str, str]) -> list[Finding]:
    kind = f"VRM {version}" if (version := is_vrm(model.table)) else "GLB"
    some = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
    said = [
        _finding(
            "note",
            "size",
            f"{kind}, {model.triangles} triangles, {model.texture_pixels / 1e6:.1f} megapixels of textures.",
        ),
        _finding("note", "shapes", f"{len(names)} named shapes: {some}." if names else "It has no named shapes."),
    ]
    if nameless:
        text = f"{nameless} shapes have no names and cannot be used; export with shape names (targetNames)."
        said.append(_finding("warning", "nameless", text))
    found = ", ".join(f"{bone} ({own})" for bone, own in bones.items())
    said.append(_finding("note", "bones", f"Bones: {found}." if found else "It has no bones that are known by name."))
    return said


def _mapping(shapes: ShapeMap) -> list[Finding]:
    """Every viseme and what it is made of, on one line each."""
    said = []
    for viseme in VISEMES:
        parts = shapes.visemes[viseme]
        if parts:
            said.append(_finding("note", "viseme", f"{viseme} ← {' + '.join(parts)}"))
    if shapes.silent:
        text = f"Nothing shows for {', '.join(shapes.silent)}: the mouth stays at rest there. Add these shapes."
        said.append(_finding("warning", "visemes_missing", text))
    return said


def _lacking(shapes: ShapeMap, bones: dict[str, str]) -> list[Finding]:
    said = []
    if not shapes.blinks:
        text = "It cannot blink and will stare; add eyeBlinkLeft and eyeBlinkRight, or a blink shape."
        said.append(_finding("warning", "no_blink", text))
    if not shapes.looks and not {"left eye", "right eye"} <= bones.keys():
        text = "Its eyes look straight ahead; name the eye bones LeftEye and RightEye, or add eyeLook… shapes."
        said.append(_finding("warning", "no_gaze", text))
    if "head" not in bones:
        text = "There is no bone called Head, so the whole model nods; name it, or live with small movements."
        said.append(_finding("warning", "no_head", text))
    if not shapes.brows:
        said.append(_finding("note", "no_brows", "Its brows do not move (browInnerUp, browOuterUpLeft …)."))
    if not shapes.emotions:
        text = "It has no expressions: moods will hardly show (mouthSmileLeft and Right, or happy, sad, surprised)."
        said.append(_finding("note", "no_emotions", text))
    return said


def _weight(model: ModelFile) -> list[Finding]:
    said = []
    if model.compressed:
        text = "Its points are compressed; they are checked only by the page that draws it."
        said.append(_finding("note", "compressed", text))
    if model.triangles > HEAVY_TRIANGLES:
        text = f"{model.triangles} triangles are much for weak machines; below {HEAVY_TRIANGLES} it runs smoothly."
        said.append(_finding("warning", "heavy", text))
    if model.texture_pixels > HEAVY_PIXELS:
        text = "Its textures take much memory; 1024 × 1024 is enough for most parts."
        said.append(_finding("warning", "heavy", text))
    return said
