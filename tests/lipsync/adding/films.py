"""Films made by tests: pictures at any rate, silence without pictures, and what is no film at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


def write_film(path: Path, pictures: Iterable[np.ndarray], fps: int = 25, codec: str = "libx264") -> None:
    """(height, width, 3) uint8 BGR each, all of one size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(pictures):
            if not number:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_sound(path: Path) -> None:
    """A film's container with one second of silence and nothing to see."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        for number in range(47):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 1024 * number, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def swaying(portrait: np.ndarray, count: int, by_px: float = 12.0) -> Iterable[np.ndarray]:
    """The picture moved and turned a little, as a head is."""
    height, width = portrait.shape[:2]
    for n in range(count):
        move = cv2.getRotationMatrix2D((width / 2, height / 2), 3 * np.sin(n / 9), 1)
        move[0, 2] += by_px * np.sin(n / 7)
        yield cv2.warpAffine(portrait, move, (width, height), borderMode=cv2.BORDER_REPLICATE)


def write_odd_films(folder: Path, face: np.ndarray) -> dict[str, str]:
    """Into `folder`; name → words that the refusal must hold. `face` (300, 300, 3)."""
    wall = np.full((128, 160, 3), 150, np.uint8)
    write_sound(folder / "sound only.mp4")
    write_film(folder / "short.mp4", [face] * 6)
    write_film(folder / "nobody.mp4", [wall] * 28)
    write_film(folder / "leaves.mp4", [face] * 17 + [np.zeros_like(face)] * 9)
    write_film(folder / "a cut.mp4", [face] * 13 + [np.roll(face, 90, 1)] * 13)
    write_film(folder / "too wide.mp4", [np.zeros((64, 4_160, 3), np.uint8)] * 2, codec="mpeg4")
    write_film(folder / "whole.webm", [wall] * 30, codec="libvpx")
    whole = (folder / "short.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "head only.mp4").write_bytes(whole[:64])
    (folder / "half.webm").write_bytes((folder / "whole.webm").read_bytes()[:400])
    (folder / "whole.webm").unlink()
    (folder / "a letter.mp4").write_bytes(b"Dear Sir, " * 100)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "a picture.mp4").write_bytes(cv2.imencode(".jpg", face)[1].tobytes())
    (folder / "noise.avi").write_bytes(b"RIFF\xff\xff\xff\xffAVI LIST" + np.random.default_rng(0).bytes(4000))
    return {
        "sound only.mp4": "sound but no pictures",
        "short.mp4": "only 0.2 s long",
        "nobody.mp4": "face was found in 0 of 25",
        "leaves.mp4": "who stays in view",
        "a cut.mp4": "jumps",
        "too wide.mp4": "1920 × 1080",
        "half.mp4": "cannot be played",
        "head only.mp4": "cannot be played",
        "half.webm": "export it again",
        "a letter.mp4": "cannot be played",
        "empty.mp4": "cannot be played",
        "a picture.mp4": "only 0.0 s long",
        "noise.avi": "cannot be played",
    }
