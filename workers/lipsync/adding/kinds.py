"""What a file is, by how it begins: its name may say anything."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from workers.lipsync.errors import AvatarError

Kind = Literal["photo", "clip", "model"]

PICTURE_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")
"""Of files that are built like films and hold pictures: HEIC, HEIF, AVIF."""


def kind_of(path: Path) -> Kind:
    """`photo` for everything that is neither film nor 3D model: whoever reads photographs says what it is instead.
    Raises AvatarError for what cannot be read or is no file."""
    if path.is_dir():
        raise AvatarError("unreadable", f"{path.name} is a folder; give a picture, a film or a 3D model.")
    if not path.is_file():
        raise AvatarError("unreadable", f"There is no file {path}; check the path.")
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as exc:
        raise AvatarError("unreadable", f"{path.name} cannot be read ({exc.strerror}); check its rights.") from exc
    if head.startswith(b"glTF"):
        return "model"
    if path.suffix.lower() in (".glb", ".vrm", ".gltf"):
        return "model"
    if head[4:8] in (b"ftyp", b"moov", b"mdat") and not head[8:].startswith(PICTURE_BRANDS):
        return "clip"
    if head.startswith(b"\x1a\x45\xdf\xa3") or (head.startswith(b"RIFF") and head[8:11] == b"AVI"):
        return "clip"
    if path.suffix.lower() in (".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v"):
        return "clip"
    return "photo"
