"""Encoded pictures for tests: a moving gradient as H.264 access units and VP8 frames, each with "is a key frame"."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType

SIZE = 128


def h264_units(count: int, keys: tuple[int, ...] = (0,), width: int = SIZE) -> list[tuple[bytes, bool]]:
    """Constrained baseline with parameter sets at each key frame."""
    options = {"preset": "superfast", "tune": "zerolatency", "x264-params": "keyint=9999:scenecut=0:repeat-headers=1"}
    return _encode("libx264", options, count, keys, width)


def vp8_units(count: int, keys: tuple[int, ...] = (0,)) -> list[tuple[bytes, bool]]:
    return _encode("libvpx", {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}, count, keys)


def _encode(
    name: str, options: dict[str, str], count: int, keys: tuple[int, ...], width: int = SIZE
) -> list[tuple[bytes, bool]]:
    codec = av.CodecContext.create(name, "w")
    codec.width, codec.height = width, SIZE
    codec.pix_fmt = "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, 25), Fraction(25, 1)
    codec.gop_size = 9999
    codec.bit_rate = 600_000
    codec.thread_count = 1
    codec.options = options
    if name == "libx264":
        codec.profile = "Baseline"
    units = []
    for n in range(count):
        plane = (np.arange(width)[None, :] * 2 + np.arange(SIZE)[:, None] + 5 * n) % 256
        frame = av.VideoFrame.from_ndarray(
            np.vstack([plane, np.full((SIZE // 2, width), 128)]).astype(np.uint8), "yuv420p"
        )
        frame.pts = n
        frame.pict_type = PictureType.I if n in keys else PictureType.NONE
        packets = list(codec.encode(frame))
        units.append((b"".join(bytes(packet) for packet in packets), any(packet.is_keyframe for packet in packets)))
    return units
