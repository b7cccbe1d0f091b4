"""The MP4 of a film: the programme's own H.264 pictures and Opus packets, muxed; nothing is drawn or encoded twice.

Sound is AAC where that is asked for, because not every player takes Opus in an MP4.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from broker.messages import Programme
from workers.production.captions import Cue
from workers.production.order import Order
from workers.programme.opus import DELAY_SAMPLES
from workers.programme.ticks import RATE_HZ, TICK_SAMPLES

TIME_BASE = Fraction(1, RATE_HZ)
AAC_BPS = 128_000

_STYLES = (
    "[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize, PrimaryColour\r\n"
    "Style: Default,Arial,16,&Hffffff\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Style, Text\r\n"
)
"""What FFmpeg's text encoder wants to know of captions."""


class Film:
    """A file that is written as ticks come; the first tick brings a key picture. `close`, or `drop` what is begun.

    It is there only once it is whole; until then it grows beside its place.
    """

    def __init__(self, path: Path, wanted: Order) -> None:
        self._path = path
        self._picture_samples = RATE_HZ // wanted.fps
        self._aac = wanted.sound == "aac"
        self._captioned = wanted.captions
        self._part = path.with_name(f"{path.name}.part")
        self._container = av.open(str(self._part), "w", format="mp4", options={"movflags": "faststart"})
        self._start = -1
        self._skip = DELAY_SAMPLES
        self.samples = 0
        """48 kHz samples so far."""

    def write(self, tick: Programme) -> None:
        """20 ms of it."""
        if self._start < 0:
            self._begin(tick)
        at = tick.programme_sample - self._start
        if tick.h264:
            self._mux(self._video, tick.h264, tick.picture_sample - self._start, self._picture_samples, tick.h264_key)
        if self._aac:
            self._transcode(tick.opus)
        else:
            self._mux(self._audio, tick.opus, at, TICK_SAMPLES, True)
        self.samples = at + TICK_SAMPLES

    def close(self, cues: Sequence[Cue] = ()) -> None:
        """Write the captions and finish the file."""
        if self._aac:
            self._feed(None)
        if self._captioned:
            for cue in cues:
                text = cue.text.encode()[:0xFFFF]
                unit = len(text).to_bytes(2, "big") + text
                self._mux(self._text, unit, cue.start_sample, cue.end_sample - cue.start_sample, True)
        self._container.close()
        self._part.replace(self._path)

    def drop(self) -> None:
        """Away with it."""
        self._container.close()
        self._part.unlink(missing_ok=True)

    def _begin(self, tick: Programme) -> None:
        self._start = tick.programme_sample
        with av.open(io.BytesIO(tick.h264), format="h264") as access_unit:
            self._video: Any = self._container.add_stream_from_template(access_unit.streams.video[0])
        self._video.time_base = TIME_BASE
        self._audio: Any = self._container.add_stream("aac" if self._aac else "libopus", rate=RATE_HZ, layout="mono")
        if self._aac:
            self._audio.codec_context.bit_rate = AAC_BPS
            self._decoder: Any = av.CodecContext.create("libopus", "r")
            self._decoder.layout, self._decoder.sample_rate = "mono", RATE_HZ
            self._fifo = av.AudioFifo()
        if self._captioned:
            self._text: Any = self._container.add_stream("mov_text")
            self._text.time_base = TIME_BASE
            self._text.codec_context.time_base = Fraction(1, 1000)
            self._text.codec_context.subtitle_header = _STYLES.encode()
        self._container.start_encoding()

    def _mux(self, stream: Any, unit: bytes, at: int, samples: int, key: bool) -> None:
        packet = av.Packet(unit)
        packet.stream, packet.time_base = stream, TIME_BASE
        packet.pts = packet.dts = at
        packet.duration, packet.is_keyframe = samples, key
        self._container.mux(packet)

    def _transcode(self, opus: bytes) -> None:
        """Opus to AAC; what the Opus decoder gives first is the past, as long as the encoder looked ahead."""
        for frame in self._decoder.decode(av.Packet(opus)):
            pcm = frame.to_ndarray().reshape(1, -1)[:, self._skip :]
            self._skip = max(0, self._skip - frame.samples)
            if pcm.shape[1]:
                cut = av.AudioFrame.from_ndarray(pcm, format=frame.format.name, layout="mono")
                cut.sample_rate, cut.time_base, cut.pts = RATE_HZ, TIME_BASE, None
                self._feed(cut)

    def _feed(self, frame: av.AudioFrame | None) -> None:
        for packet in self._audio.encode(frame):
            self._container.mux(packet)
