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
        # A folder with a dot is one that `bin/avatar` is still filling.
        return sorted({path.name for path in each if path.name[0] != "." and _portrait(path) is not None})

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
        """The face in a picture file: points beside it, else the cache, else the networks. Raises AvatarError.

        Points that name another picture's hash, because the picture was changed since, are passed over.
        """
        beside = path.with_suffix(".json")
        shipped = _shipped(path, beside) if beside.is_file() else None
        if shipped is not None:
            return shipped
        kept = self._cache / f"{path.parent.name}-{digest(path)}-v{VERSION}.npz"
        return _read(kept) or self._prepare(path, kept)

    def forget(self, portrait: str) -> int:
        """Remove what is kept of a portrait, for its pixels are a person's; how many files that were."""
        kept = [
            path for path in self._cache.glob(f"{portrait}-*.npz") if path.name[len(portrait) + 1 :].count("-") == 1
        ]
        for path in kept:
            path.unlink(missing_ok=True)
        return len(kept)

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


def save_points(points: np.ndarray, path: Path, picture: str = "") -> None:
    """The (478, 3) points of a square picture, in units of its side, as they lie beside it. `picture`: its digest, so
    that they are not used for another one that takes its place."""
    rounded = [[round(float(value), 5) for value in point] for point in points]
    table = {"version": VERSION} | ({"picture": picture} if picture else {}) | {"points": rounded}
    path.write_text(json.dumps(table, separators=(",", ":")) + "\n")


def _shipped(picture: Path, points: Path) -> FramedFace | None:
    """None when the points were found in another picture, or by a method that has changed."""
    try:
        table = json.loads(points.read_text())
        values = np.array(table["points"], float)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise AvatarError("points", f"{points.name} cannot be read; remove it and the face is found anew.") from exc
    if "picture" in table and (table["picture"] != digest(picture) or table.get("version") != VERSION):
        return None
    if values.shape != (POINTS, 3) or not np.isfinite(values).all():
        raise AvatarError("points", f"{points.name} does not hold {POINTS} points; remove it.")
    pixels = load_photo(picture)
    if pixels.shape[0] != pixels.shape[1]:
        raise AvatarError("points", f"{picture.name} has points beside it but is not square; remove {points.name}.")
    return FramedFace(pixels, values)


def digest(path: Path) -> str:
    """Names a picture by what is in it. Raises AvatarError."""
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
