"""A photograph to the files of an avatar: a square portrait, its points, a poster, a sheet of everything it can do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from workers.lipsync.adding.findings import Finding, Report
from workers.lipsync.adding.quality import CROWDED, face_height, judge
from workers.lipsync.avatars import digest, save_points
from workers.lipsync.errors import AvatarError
from workers.lipsync.framing import FramedFace, frame_face
from workers.lipsync.landmark_finder import FoundFace, LandmarkFinder
from workers.lipsync.landmarks import MESH_POINTS
from workers.lipsync.photo import load_photo
from workers.lipsync.portrait_engine import PortraitAvatar
from workers.lipsync.sheet import draw_sheet

MOST_SEARCHED_PX = 4000
"""Longest side in which a face is looked for; a larger picture is made smaller first."""
POSTER_PX = 512
JPEG_QUALITY = 95
NO_FACE = "No face was found; use a well lit photograph or drawing of one person who looks into the camera."
UNSEEN = "Rimless glasses, or a hand beside the mouth, may go unnoticed: look at preview.png before others see it."


def examine(source: Path, finder: LandmarkFinder, face: int = 0) -> tuple[Report, FramedFace | None]:
    """What there is to say of a picture, and its face where it can be used. `face`: which one from the left, from 1;
    0 takes the largest when that is clear. Raises AvatarError for a file that is no usable picture."""
    pixels = smaller(load_photo(source), MOST_SEARCHED_PX)
    found = finder.find_all(pixels)
    faces = tuple(_box(each, pixels) for each in found)
    facts = {"width_px": pixels.shape[1], "height_px": pixels.shape[0]}
    try:
        chosen, said = _choose(found, face)
        framed = frame_face(pixels, chosen)
    except AvatarError as error:
        refusal = Finding(level="refusal", code=error.code, text=str(error))
        return Report(kind="photo", findings=(refusal,), faces=faces, facts=facts), None
    said += judge(pixels, chosen)
    said.append(Finding(level="note", code="unseen", text=UNSEEN))
    facts |= {"face": found.index(chosen) + 1, "face_height_px": round(face_height(chosen))}
    return Report(kind="photo", findings=tuple(said), faces=faces, facts=facts), framed


def write_portrait(framed: FramedFace, folder: Path) -> None:
    """portrait.jpg without anything a camera wrote beside the pixels (place, owner), portrait.json, poster.jpg."""
    portrait = folder / "portrait.jpg"
    _write(portrait, framed.pixels)
    save_points(framed.points, folder / "portrait.json", digest(portrait))
    poster = cv2.resize(framed.pixels, (POSTER_PX, POSTER_PX), interpolation=cv2.INTER_AREA)
    _write(folder / "poster.jpg", poster)


def write_preview(framed: FramedFace, folder: Path, size: int) -> None:
    """preview.png. Raises AvatarError when the face cannot be animated."""
    _write(folder / "preview.png", draw_sheet(PortraitAvatar(framed, size)))


def smaller(pixels: np.ndarray, longest: int) -> np.ndarray:
    """The picture itself unless a side is longer than that."""
    scale = longest / max(pixels.shape[:2])
    return pixels if scale >= 1 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _choose(found: list[FoundFace], face: int) -> tuple[FoundFace, list[Finding]]:
    """Raises AvatarError when there is none, or it is not clear which."""
    if not found:
        raise AvatarError("no_face", NO_FACE)
    if face:
        if face > len(found):
            only = "one face was" if len(found) == 1 else f"{len(found)} faces were"
            raise AvatarError("face_number", f"There is no face {face}: {only} found, counted from the left.")
        return found[face - 1], []
    heights = [face_height(each) for each in found]
    largest = int(np.argmax(heights))
    rivals = [n for n, height in enumerate(heights) if n != largest and height > CROWDED * heights[largest]]
    if rivals:
        text = (
            f"{len(found)} faces were found. Say which one: --face 1 is the leftmost, --face {len(found)} the "
            "rightmost; or cut the picture to one person."
        )
        raise AvatarError("several_faces", text)
    if len(found) == 1:
        return found[0], []
    text = f"{len(found)} faces were found; the largest was taken (--face {largest + 1}, counted from the left)."
    return found[largest], [Finding(level="note", code="several_faces", text=text)]


def _box(found: FoundFace, pixels: np.ndarray) -> tuple[float, float, float, float]:
    size = np.array(pixels.shape[1::-1])
    low, high = (getattr(found.points[:MESH_POINTS, :2], edge)(0) / size for edge in ("min", "max"))
    left, top = (round(float(value), 4) for value in low)
    width, height = (round(float(value), 4) for value in high - low)
    return left, top, width, height


def _write(path: Path, pixels: np.ndarray) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 6]
    done, data = cv2.imencode(path.suffix, pixels, options)
    if not done:
        raise AvatarError("unwritable", f"{path.name} could not be made.")
    path.write_bytes(data.tobytes())
