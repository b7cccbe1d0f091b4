"""One recorded file: the programme's packets as they came, written a second at a time.

It begins with the first key frame, or without pictures where none come. Whatever was written is playable; closing adds
the duration and an index.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Literal, Protocol

from broker.messages import Programme
from workers.outputs.avc import AvcConfig, config_of, sample
from workers.outputs.fragmented_mp4 import RATE_HZ, FragmentedMp4
from workers.outputs.webm import Webm, vp8_size

Codec = Literal["h264", "vp8"]
Shape = AvcConfig | tuple[int, int]
"""What a decoder is told before the first picture."""

OPUS_DELAY_SAMPLES = 312
"""The encoder looks 6.5 ms ahead: what a decoder gives for the packet of sample s is the sound from s - 312."""

CUT_SAMPLES = RATE_HZ
"""What a killed process loses at most: a second."""

PATIENCE_SAMPLES = 5 * RATE_HZ
"""How long the first key frame is waited for, sound in hand; a face is prepared in about one second."""


class Muxer(Protocol):
    def header(self) -> bytes: ...

    def sound(self, time: int, packet: bytes) -> None: ...

    def picture(self, time: int, access_unit: bytes, key: bool) -> None: ...

    def cut(self, before: int, offset: int = 0) -> bytes: ...

    def ending(self, duration: int, offset: int) -> tuple[bytes, bytes]: ...


class Transcoder(Protocol):
    """Sound of another kind; see aac.py."""

    @property
    def config(self) -> bytes: ...

    def feed(self, time: int, packet: bytes) -> list[tuple[int, bytes]]: ...

    def flush(self) -> list[tuple[int, bytes]]: ...


class MediaFile:
    """Writes `path`, whose suffix is its codec's. Raises OSError as the disk does. `aac`: in place of Opus, in MP4."""

    def __init__(self, path: Path, codec: Codec, fps: int = 25, aac: Transcoder | None = None) -> None:
        self.path, self.codec = path, codec
        self.needs_key = True
        """Pictures are left out until a key frame comes."""
        self.written = 0
        """Bytes."""
        self._fps, self._aac = fps, aac
        self._file: IO[bytes] | None = None
        self._muxer: Muxer | None = None
        self._shape: Shape | None = None
        self._held: list[tuple[int, bytes]] = []
        self._start: int | None = None
        self._end = self._cut = 0
        self._last_n = 0
        self._shown = False

    def ended_by(self, tick: Programme) -> bool:
        """Whether this tick can only go into another file: its pictures are of another shape, or the first ones."""
        shape = _shape(self.codec, tick) if self._muxer else None
        return shape is not None and shape != self._shape

    def feed(self, tick: Programme) -> None:
        """The next tick; ticks that are missing are a hole of their length."""
        if self._start is None:
            self._start = self._cut = tick.programme_sample
        self._end = tick.programme_sample + 960
        if self._muxer is None:
            self._wait(tick, self._start)
        else:
            self._sound(tick.programme_sample - self._start, tick.opus)
        if self._muxer is None:
            return
        self._picture(tick, self._start)
        if tick.programme_sample - self._cut >= CUT_SAMPLES:
            self._write(tick.programme_sample - self._start)
            self._cut = tick.programme_sample

    def close(self) -> None:
        """Everything is written and the file complete. Harmless twice."""
        if self._muxer is None and self._held:
            self._begin(None)
        if self._muxer is None or self._file is None or self._start is None:
            return
        for time, packet in self._aac.flush() if self._aac else ():
            self._muxer.sound(time, packet)
        duration = self._end - self._start
        self._write(duration + RATE_HZ)
        header, index = self._muxer.ending(duration, self._file.tell())
        self._put(index)
        self._file.seek(0)
        self._file.write(header)
        self._file.close()
        self._file = self._muxer = None
        self._held = []

    # --- the beginning ---

    def _wait(self, tick: Programme, start: int) -> None:
        """Hold sound until the file can begin."""
        shape = _shape(self.codec, tick)
        self._held.append((tick.programme_sample - start, tick.opus))
        if shape is not None or tick.programme_sample - start >= PATIENCE_SAMPLES:
            self._begin(shape)

    def _begin(self, shape: Shape | None) -> None:
        self._file = self.path.open("xb")
        self._shape = shape
        if self.codec == "h264":
            assert not isinstance(shape, tuple)
            self._muxer = FragmentedMp4(shape, self._fps, self._aac.config if self._aac else b"")
        else:
            assert not isinstance(shape, AvcConfig)
            self._muxer = Webm(shape)
        self._put(self._muxer.header())
        held, self._held = self._held, []
        for time, packet in held:
            self._sound(time, packet)

    # --- packets ---

    def _sound(self, time: int, packet: bytes) -> None:
        assert self._muxer is not None
        if not packet:
            return
        for at, piece in self._aac.feed(time, packet) if self._aac else ((time, packet),):
            self._muxer.sound(at, piece)

    def _picture(self, tick: Programme, start: int) -> None:
        h264 = self.codec == "h264"
        data, key, n = (tick.h264, tick.h264_key, tick.h264_n) if h264 else (tick.vp8, tick.vp8_key, tick.vp8_n)
        if not data or self._muxer is None:
            return
        if key and self._shape is not None:
            self.needs_key = False
        elif n != self._last_n + 1:
            self.needs_key = True
        self._last_n = n
        if not self.needs_key:
            # The first picture stands from the beginning, as players want it.
            time = max(0, tick.picture_sample - start + OPUS_DELAY_SAMPLES) if self._shown else 0
            self._shown = True
            if key:
                self._write(time)  # so that a fragment begins with it, and one can go there
            self._muxer.picture(time, sample(data) if h264 else data, key)

    def _write(self, before: int) -> None:
        assert self._muxer is not None
        assert self._file is not None
        self._put(self._muxer.cut(before, self._file.tell()))

    def _put(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self._file.flush()
        self.written += len(data)


def _shape(codec: Codec, tick: Programme) -> Shape | None:
    """What a key frame in this tick tells a decoder."""
    if codec == "h264":
        return config_of(tick.h264) if tick.h264_key else None
    return vp8_size(tick.vp8) if tick.vp8_key else None
