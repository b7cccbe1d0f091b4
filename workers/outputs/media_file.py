"""One recorded file: the programme's packets as they came, written a second at a time, in parts when it must be.

A part begins with the first key frame, or without pictures where none come. Whatever was written is playable; closing
adds the duration and an index.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Literal, Protocol

from broker.messages import Programme
from workers.outputs.avc import AvcConfig, config_of, sample
from workers.outputs.fragmented_mp4 import RATE_HZ, FragmentedMp4
from workers.outputs.webm import Webm, vp8_size

Codec = Literal["h264", "vp8"]
SUFFIX: dict[Codec, str] = {"h264": ".mp4", "vp8": ".webm"}

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


class MediaFile:
    """Writes `folder`/`name`.mp4 or .webm, then `name`-2, … Raises OSError as the disk does."""

    def __init__(self, folder: Path, name: str, codec: Codec, fps: int = 25) -> None:
        self.codec = codec
        self.needs_key = True
        """Pictures are left out until a key frame comes."""
        self.paths: list[Path] = []
        self._folder, self._name, self._fps = folder, name, fps
        self._file: IO[bytes] | None = None
        self._muxer: Muxer | None = None
        self._shape: AvcConfig | tuple[int, int] | None = None
        """What this part's decoder was told."""
        self._held: list[tuple[int, bytes]] = []
        self._start = self._end = self._cut = 0
        self._last_n = 0
        self._shown = False
        """This part has a picture."""
        self._bytes = 0

    @property
    def written(self) -> int:
        """Bytes in all its parts."""
        return self._bytes

    def feed(self, tick: Programme) -> None:
        """The next tick; ticks that are missing are a hole of their length."""
        if self._muxer is None:
            self._wait(tick)
            if self._muxer is None:
                return
        else:
            shape = self._new_shape(tick)
            if shape is not None and shape != self._shape:
                self._end_part()
                self._start, self._held = tick.programme_sample, []
                self._begin_part(shape)
            self._sound(tick.programme_sample, tick.opus)
        self._picture(tick)
        self._end = tick.programme_sample + 960
        if tick.programme_sample - self._cut >= CUT_SAMPLES:
            self._write(tick.programme_sample - self._start)
            self._cut = tick.programme_sample

    def close(self) -> None:
        """Everything is written and the file complete. Harmless twice."""
        if self._muxer is None and self._held:
            self._begin_part(None)
        self._end_part()

    # --- parts ---

    def _wait(self, tick: Programme) -> None:
        """Hold sound until a part can begin."""
        if not self._held:
            self._start = tick.programme_sample
        shape = self._new_shape(tick)
        self._held.append((tick.programme_sample, tick.opus))
        self._end = tick.programme_sample + 960
        if shape is not None or tick.programme_sample - self._start >= PATIENCE_SAMPLES:
            self._begin_part(shape)

    def _new_shape(self, tick: Programme) -> AvcConfig | tuple[int, int] | None:
        """What a key frame in this tick tells a decoder."""
        if self.codec == "h264":
            return config_of(tick.h264) if tick.h264_key else None
        return vp8_size(tick.vp8) if tick.vp8_key else None

    def _begin_part(self, shape: AvcConfig | tuple[int, int] | None) -> None:
        number = len(self.paths) + 1
        path = self._folder / f"{self._name}{f'-{number}' if number > 1 else ''}{SUFFIX[self.codec]}"
        self._file = path.open("xb")
        self.paths.append(path)
        self._shape, self._shown, self.needs_key = shape, False, True
        if self.codec == "h264":
            assert not isinstance(shape, tuple)
            self._muxer = FragmentedMp4(shape, self._fps)
        else:
            assert not isinstance(shape, AvcConfig)
            self._muxer = Webm(shape)
        self._put(self._muxer.header())
        held, self._held, self._cut = self._held, [], self._start
        for programme_sample, packet in held:
            self._sound(programme_sample, packet)

    def _end_part(self) -> None:
        if self._muxer is None or self._file is None:
            return
        duration = self._end - self._start
        self._write(duration + RATE_HZ)
        header, index = self._muxer.ending(duration, self._file.tell())
        self._put(index)
        self._file.seek(0)
        self._file.write(header)
        self._file.close()
        self._file = self._muxer = None

    # --- packets ---

    def _sound(self, programme_sample: int, packet: bytes) -> None:
        assert self._muxer is not None
        if packet:
            self._muxer.sound(programme_sample - self._start, packet)

    def _picture(self, tick: Programme) -> None:
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
            time = max(0, tick.picture_sample - self._start + OPUS_DELAY_SAMPLES) if self._shown else 0
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
        self._bytes += len(data)
