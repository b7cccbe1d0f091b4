"""A film beside a portrait: 25 square pictures a second and, for each, where the face is. Read and written here.

clip.mp4 holds the pictures once; they are shown forwards and then backwards, so that there is no seam. clip.json holds
per picture the face's box, its mesh's points and whether the mouth is closed: what the portrait engine moves, and what
neural mouth engines want to be told.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from workers.lipsync.avatars import digest
from workers.lipsync.errors import AvatarError
from workers.lipsync.landmarks import POINTS

VERSION = 1
CLIP, CLIP_POINTS = "clip.mp4", "clip.json"
CLIP_FPS = 25
CLIP_PX = 512
MOST_PICTURES = 250
CRF = "16"
"""x264's quality; above 20 lips begin to smear."""
JPEG_QUALITY = 92
STEPS = 4096
"""Points are kept in this many steps of the square's side, an eighth of a pixel."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """`points` (n, 478, 2) float32 in shares of the side; `boxes` (n, 4): x, y, width, height; `closed` (n,)."""

    jpegs: list[bytes]
    """Each picture at the size that was asked for."""
    points: np.ndarray
    boxes: np.ndarray
    closed: np.ndarray

    def __len__(self) -> int:
        return len(self.jpegs)

    def at(self, now_ns: int) -> int:
        """Which picture is shown then: to the end, back to the beginning, and again."""
        turn = max(1, 2 * (len(self) - 1))
        step = now_ns * CLIP_FPS // 1_000_000_000 % turn
        return step if step < len(self) else turn - step


class ClipWriter:
    """Writes a film's pictures as they come; `close` ends the file."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=CLIP_FPS)
        self._stream.width = self._stream.height = CLIP_PX
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": CRF, "preset": "fast", "threads": "1"}
        self._count = 0

    def add(self, pixels: np.ndarray) -> None:
        """`pixels` (side, side, 3) uint8 BGR."""
        frame = av.VideoFrame.from_ndarray(_scaled(pixels, CLIP_PX), format="bgr24")
        frame.pts, frame.time_base = self._count, Fraction(1, CLIP_FPS)
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()


def write_points(folder: Path, points: np.ndarray, closed: Iterable[bool]) -> None:
    """clip.json beside a finished clip.mp4. `points` (n, 478, 2) in shares of the side."""
    low, high = points.min(1), points.max(1)
    boxes = np.concatenate([low, high - low], 1)
    table = {
        "version": VERSION,
        "fps": CLIP_FPS,
        "picture": digest(folder / CLIP),
        "closed": [bool(each) for each in closed],
        "boxes": np.round(boxes.astype(float), 4).tolist(),
        "points": base64.b64encode(np.round(points * STEPS).astype("<i2").tobytes()).decode(),
    }
    (folder / CLIP_POINTS).write_text(json.dumps(table, separators=(",", ":")) + "\n")


def read_clip(folder: Path, size: int) -> Clip | None:
    """The film of a portrait's folder at `size` pixels; None where there is none, or its points belong to another one.
    Raises AvatarError for a film that cannot be read."""
    film, beside = folder / CLIP, folder / CLIP_POINTS
    if not film.is_file() or not beside.is_file():
        return None
    broken = AvatarError("clip", f"{film.parent.name}/{CLIP} cannot be read; add the film again with --replace.")
    try:
        table = json.loads(beside.read_text())
        if table["version"] != VERSION or table["picture"] != digest(film):
            return None
        flat = np.frombuffer(base64.b64decode(table["points"]), "<i2").astype(np.float32) / STEPS
        points = flat.reshape(-1, POINTS, 2)
        boxes, closed = np.array(table["boxes"], float), np.array(table["closed"], bool)
        jpegs = _pictures(film, size)
    except (OSError, ValueError, KeyError, TypeError, av.error.FFmpegError) as exc:
        raise broken from exc
    if not len(jpegs) == len(points) == len(boxes) == len(closed) or not jpegs:
        raise broken
    return Clip(jpegs=jpegs, points=points, boxes=boxes, closed=closed)


def _pictures(film: Path, size: int) -> list[bytes]:
    jpegs = []
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            pixels = frame.to_ndarray(format="bgr24")
            scaled = cv2.resize(
                pixels, (size, size), interpolation=cv2.INTER_AREA if size < CLIP_PX else cv2.INTER_CUBIC
            )
            jpegs.append(cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
            if len(jpegs) > MOST_PICTURES:
                raise ValueError("too long")
    return jpegs


def _scaled(pixels: np.ndarray, size: int) -> Any:
    """(size, size, 3) uint8; OpenCV's stubs do not know that its type stays."""
    way = cv2.INTER_AREA if pixels.shape[0] > size else cv2.INTER_CUBIC
    return cv2.resize(pixels, (size, size), interpolation=way)
