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
    width, height = _promised_size(data, name)
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
    if data.startswith(b"\x89PNG"):
        raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
            alpha = raw[..., 3:].astype(np.float32) / (65535 if raw.dtype == np.uint16 else 255)
            pixels = np.clip(pixels * alpha + 225 * (1 - alpha) + 0.5, 0, 255).astype(np.uint8)
    return pixels


def _promised_size(data: bytes, name: str) -> tuple[int, int]:
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
    if data[:3] == b"GIF":
        raise AvatarError("format", f"{name} is a GIF; save one still picture of the face as JPEG or PNG.")
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
