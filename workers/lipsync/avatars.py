"""Pictures that have become faces: found by name, framed, and kept on disk until the picture or the method changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

from broker.config import Settings
from workers.lipsync.errors import AvatarError
from workers.lipsync.framing import FramedFace, frame_face
from workers.lipsync.landmark_finder import LandmarkFinder
from workers.lipsync.landmarks import POINTS
from workers.lipsync.photo import load_photo

VERSION = 1
"""Of what is kept; raise it when landmarks or framing change."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


class AvatarLibrary:
    """Folders of avatars, each a folder with a `portrait` picture; `portrait.json` beside it holds its points, then no
    network is needed."""

    def __init__(self, folders: tuple[Path, ...], cache: Path, weights: Path) -> None:
        self._folders = folders
        self._cache = cache
        self._weights = weights
        self._finder: LandmarkFinder | None = None

    @classmethod
    def of(cls, settings: Settings) -> AvatarLibrary:
        """The installation's portraits."""
        return cls(
            (settings.path("avatars"),), settings.path("cache") / "avatars", settings.path("weights") / "mediapipe"
        )

    def names(self) -> list[str]:
        """Every portrait that can be asked for."""
        each = (path for folder in self._folders if folder.is_dir() for path in folder.iterdir())
        return sorted({path.name for path in each if _portrait(path) is not None})

    def path_of(self, portrait: str) -> Path:
        """Raises AvatarError naming the known portraits."""
        if re.fullmatch(r"[\w-]{1,64}", portrait):
            for folder in self._folders:
                path = _portrait(folder / portrait)
                if path is not None:
                    return path
        known = ", ".join(self.names()) or "none yet"
        raise AvatarError("face_unknown", f"There is no portrait called '{portrait[:64]}'. Known portraits: {known}.")

    def framed(self, path: Path) -> FramedFace:
        """The face in a picture file: shipped points, else the cache, else the networks. Raises AvatarError."""
        beside = path.with_suffix(".json")
        if beside.is_file():
            return _shipped(path, beside)
        kept = self._cache / f"{path.parent.name}-{_digest(path)}-v{VERSION}.npz"
        return _read(kept) or self._prepare(path, kept)

    def _prepare(self, path: Path, kept: Path) -> FramedFace:
        pixels = load_photo(path)
        self._finder = self._finder or LandmarkFinder(self._weights)
        found = self._finder.find(pixels)
        if found is None:
            raise AvatarError(
                "no_face",
                f"No face was found in {path.name}; use a well lit picture of one person looking at the camera.",
            )
        framed = frame_face(pixels, found, path.name)
        _write(kept, framed)
        return framed


def _portrait(folder: Path) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / f"portrait{suffix}").is_file()), None)


def save_points(points: np.ndarray, path: Path) -> None:
    """The (478, 3) points of a square picture, in units of its side, as they are shipped beside it."""
    rounded = [[round(float(value), 5) for value in point] for point in points]
    path.write_text(json.dumps({"version": VERSION, "points": rounded}, separators=(",", ":")) + "\n")


def _shipped(picture: Path, points: Path) -> FramedFace:
    pixels = load_photo(picture)
    if pixels.shape[0] != pixels.shape[1]:
        raise AvatarError("points", f"{picture.name} has points beside it but is not square; remove {points.name}.")
    try:
        values = np.array(json.loads(points.read_text())["points"], float)
    except (ValueError, KeyError, TypeError) as exc:
        raise AvatarError("points", f"{points.name} cannot be read; remove it and the face is found anew.") from exc
    if values.shape != (POINTS, 3) or not np.isfinite(values).all():
        raise AvatarError("points", f"{points.name} does not hold {POINTS} points; remove it.")
    return FramedFace(pixels, values)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as exc:
        raise AvatarError("unreadable", f"{path.name} cannot be read ({exc.strerror}); check the path.") from exc


def _read(kept: Path) -> FramedFace | None:
    """None where nothing is kept, or what is kept is damaged: it is made again."""
    try:
        with np.load(kept, allow_pickle=False) as stored:
            pixels = cv2.imdecode(stored["png"], cv2.IMREAD_COLOR)
            points = stored["points"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if pixels is None or points.shape != (POINTS, 3):
        return None
    return FramedFace(pixels, points)


def _write(kept: Path, framed: FramedFace) -> None:
    """Whole or not at all: two workers may prepare the same face."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    _done, png = cv2.imencode(".png", framed.pixels)
    handle, name = tempfile.mkstemp(dir=kept.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez(file, png=png, points=framed.points)
    os.replace(name, kept)
