"""What a cut-out figure stands before: a colour, or a picture out of a folder."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from workers.lipsync.avatars import SUFFIXES
from workers.lipsync.errors import AvatarError
from workers.lipsync.photo import load_photo

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
OWN = ("", "none", "transparent")
"""Names that stand for the portrait's own background; who is to see through it wants the cut-out rendition."""


class BackdropLibrary:
    """Pictures of one folder, each known by its file's name without suffix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Every picture that can be asked for."""
        if not self._folder.is_dir():
            return []
        return sorted({path.stem for path in self._folder.iterdir() if path.suffix.lower() in SUFFIXES})

    def find(self, name: str) -> Path:
        """The picture's file; a colour is its own name. Raises AvatarError naming the known ones."""
        if COLOUR.fullmatch(name):
            return Path(name)
        if re.fullmatch(r"[\w-]{1,64}", name):
            for suffix in SUFFIXES:
                path = self._folder / f"{name}{suffix}"
                if path.is_file():
                    return path
        known = ", ".join(self.names()) or "none yet"
        raise AvatarError(
            "background_unknown",
            f"There is no background called '{name[:64]}'. Give a colour as #rrggbb, none, transparent, or one of the "
            f"pictures: {known}.",
        )

    def load(self, path: Path, size: int) -> np.ndarray:
        """(size, size, 3) uint8 BGR: the middle of the picture, filling the square. Raises AvatarError."""
        if COLOUR.fullmatch(path.name):
            red, green, blue = bytes.fromhex(path.name[1:])
            return np.full((size, size, 3), (blue, green, red), np.uint8)
        pixels = load_photo(path)
        height, width = pixels.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = pixels[top : top + side, left : left + side]
        way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(square, (size, size), interpolation=way))
