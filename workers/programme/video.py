"""Pictures to H.264 and VP8: whole access units, a key frame only when asked, at a pinned bit rate."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from workers.programme.settings import ProgrammeSettings

NEVER = 1 << 30
"""Pictures between periodic key frames: none, viewers ask."""

LEVEL_3_1_MACROBLOCKS = 3600
"""The largest picture of the level that WebRTC's 42e01f names (H.264, table A-1); beyond it the stream says 4.0."""


class VideoEncoder:
    """One codec (`h264` or `vp8`) of one session; its first picture is a key frame."""

    def __init__(self, codec: str, settings: ProgrammeSettings) -> None:
        context = av.CodecContext.create({"h264": "libx264", "vp8": "libvpx"}[codec], "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = settings.width, settings.height
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(settings.fps)
        context.time_base = Fraction(1, settings.fps)
        context.bit_rate = settings.video_kbps * 1000
        context.gop_size = NEVER
        context.thread_count = 1
        context.options = (_h264_options if codec == "h264" else _vp8_options)(settings)
        context.open()
        self._context = context
        self._shape = (settings.height * 3 // 2, settings.width)
        self._last = -1

    def retune(self, kbps: int) -> bool:
        """Spend so much from the next picture on. False: this codec must be opened anew for that.

        x264 takes it up within a second and needs no key frame; libvpx, as PyAV reaches it, does not notice.
        """
        self._context.bit_rate = kbps * 1000
        return self._context.name == "libx264"

    def encode(self, yuv: bytes, picture: int, key: bool) -> tuple[bytes, bool]:
        """One planar yuv420p picture, numbered upwards, to one access unit; and whether that is a key frame."""
        assert picture > self._last
        self._last = picture
        frame = av.VideoFrame.from_ndarray(np.frombuffer(yuv, np.uint8).reshape(self._shape), format="yuv420p")
        frame.pts = picture
        frame.pict_type = PictureType.I if key else PictureType.NONE
        (packet,) = self._context.encode(frame)
        return bytes(packet), packet.is_keyframe


def _h264_options(settings: ProgrammeSettings) -> dict[str, str]:
    macroblocks = (settings.width // 16) * (settings.height // 16)
    x264 = {
        "keyint": "infinite",
        "scenecut": "0",
        "repeat-headers": "1",
        "annexb": "1",
        "sliced-threads": "0",
        "colorprim": "smpte170m",
        "transfer": "smpte170m",
        "colormatrix": "smpte170m",
    }
    return {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "level": "3.1" if macroblocks <= LEVEL_3_1_MACROBLOCKS else "4.0",
        "forced-idr": "1",
        "maxrate": f"{settings.video_kbps}k",
        "bufsize": f"{settings.video_kbps // 2}k",
        "x264-params": ":".join(f"{key}={value}" for key, value in x264.items()),
    }


def _vp8_options(settings: ProgrammeSettings) -> dict[str, str]:
    rate = str(settings.video_kbps * 1000)
    return {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": str(settings.video_kbps * 500),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "static-thresh": "1",
        "max-intra-rate": "900",
    }
