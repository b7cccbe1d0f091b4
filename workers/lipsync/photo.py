"""A picture file to pixels, safely: what a header promises is checked before anything is unpacked."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

from workers.lipsync.errors import AvatarError

MAX_BYTES = 40_000_000
MAX_PIXELS = 40_000_000
MIN_SIDE = 96
GROUND = 225
"""What is transparent becomes this grey."""
STRIP = 256
"""Rows that are blended at once."""

FOREIGN = (
    (0, b"GIF8", "a GIF; save one still picture of the face as JPEG or PNG"),
    (4, b"ftyphei", "a HEIC picture as phones take them; export it as JPEG"),
    (4, b"ftyphev", "a HEIC picture as phones take them; export it as JPEG"),
    (4, b"ftypmif1", "a HEIF picture as phones take them; export it as JPEG"),
    (4, b"ftypmsf1", "a HEIF picture as phones take them; export it as JPEG"),
    (4, b"ftypavi", "an AVIF picture; save it as JPEG or PNG"),
    (0, b"II*\0", "a TIFF or raw camera picture; export it as JPEG"),
    (0, b"MM\0*", "a TIFF or raw camera picture; export it as JPEG"),
    (0, b"8BPS", "a Photoshop document; export it as JPEG or PNG"),
    (0, b"%PDF", "a PDF; save its picture as JPEG or PNG"),
    (0, b"PK\3\4", "a ZIP archive; unpack it and give the picture in it"),
    (0, b"\x1f\x8b", "a compressed archive; unpack it and give the picture in it"),
    (0, b"Rar!", "a RAR archive; unpack it and give the picture in it"),
    (0, b"7z\xbc\xaf", "a 7z archive; unpack it and give the picture in it"),
    (0, b"\0\0\1\0", "an icon; save a photograph as JPEG or PNG"),
)
"""Where a signature stands, what it is, and what to do about it."""

Pixels = np.ndarray
"""(height, width, 3) uint8, blue green red."""


def load_photo(path: Path) -> Pixels:
    """The picture upright (EXIF) on a light ground where it is transparent. Raises AvatarError."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise AvatarError("too_big", f"{path.name} has {size // 1_000_000} MB; save it smaller than 40 MB.")
        data = path.read_bytes()
    except OSError as exc:
        raise AvatarError("unreadable", f"{path.name} cannot be read ({exc.strerror}); check the path.") from exc
    return decode_photo(data, path.name)


def decode_photo(data: bytes, name: str = "the picture") -> Pixels:
    """As `load_photo`, from memory."""
    width, height = promised_size(data, name)
    if width * height > MAX_PIXELS:
        raise AvatarError(
            "too_big", f"{name} is {width} × {height} pixels; scale it to at most 6000 × 6000 and try again."
        )
    if min(width, height) < MIN_SIDE:
        raise AvatarError(
            "too_small", f"{name} is only {width} × {height} pixels; a face needs a picture of 256 × 256 or more."
        )
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise AvatarError("damaged", f"{name} is damaged; open it in an image program and save it again.")
    if data.startswith(b"\x89PNG") and data[25] in (3, 4, 6):  # a palette, or alpha of its own
        raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
            pixels = _on_light_ground(raw)
    return pixels


def _on_light_ground(raw: np.ndarray) -> np.ndarray:
    """(height, width, 4) uint8 or uint16 to three colours, some rows at a time: whole, it would take ten times the
    memory of the picture."""
    most = 65535 if raw.dtype == np.uint16 else 255
    out = np.empty((*raw.shape[:2], 3), np.uint8)
    for top in range(0, len(raw), STRIP):
        part = raw[top : top + STRIP].astype(np.float32)
        alpha = part[..., 3:] / most
        colours = part[..., :3] * (255 / most)
        out[top : top + STRIP] = np.clip(colours * alpha + GROUND * (1 - alpha) + 0.5, 0, 255)
    return out


def promised_size(data: bytes, name: str) -> tuple[int, int]:
    """(width, height) from the header; raises AvatarError for what is cut short or no still RGB picture."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data, name)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 33:
        if b"IEND" not in data[-64:]:
            raise _cut(name)
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) > 30:
        if struct.unpack("<I", data[4:8])[0] + 8 > len(data):
            raise _cut(name)
        return _webp_size(data, name)
    if data.startswith(b"BM") and len(data) > 54:
        width, height = struct.unpack("<ii", data[18:26])
        return abs(width), abs(height)
    for at, signature, what in FOREIGN:
        if data[at : at + len(signature)] == signature:
            raise AvatarError("format", f"{name} is {what}.")
    if not data:
        raise AvatarError("damaged", f"{name} is empty; copy it again.")
    raise AvatarError("format", f"{name} is no JPEG, PNG, WebP or BMP picture; save it as one of these.")


def _jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            raise _cut(name)
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, components = struct.unpack(">HHB", data[at + 5 : at + 10])
            if components == 4:
                raise AvatarError("format", f"{name} is a CMYK print file; save it as RGB (sRGB) and try again.")
            if b"\xff\xd9" not in data[-65536:]:
                raise _cut(name)
            return width, height
        at += 2 + length
    raise _cut(name)


def _webp_size(data: bytes, name: str) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0x02:
            raise AvatarError("format", f"{name} is an animation; save one still picture of the face.")
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _cut(name: str) -> AvatarError:
    return AvatarError("damaged", f"{name} ends too early, it was not copied whole; copy or save it again.")
