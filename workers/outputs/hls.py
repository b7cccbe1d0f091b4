"""A session as HTTP live streaming (RFC 8216): fragmented MP4 in segments of a second or two, and their playlist.

Pictures are the programme's own; its Opus becomes AAC, or stays. A segment begins with a key frame. Media time is
programme time: the decode time in a segment, and the number in its name, are programme samples.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Literal

from broker.messages import Event, Programme
from workers.outputs.aac import Aac
from workers.outputs.avc import AvcConfig, config_of, sample
from workers.outputs.fragmented_mp4 import AAC_SAMPLES, RATE_HZ, TICK_SAMPLES, FragmentedMp4
from workers.outputs.hls_playlist import Segment, playlist
from workers.outputs.media_file import OPUS_DELAY_SAMPLES

Sound = Literal["aac", "opus"]

INDEX = "index.m3u8"

SEGMENT_SAMPLES = RATE_HZ * 14 // 10
"""From here on a segment ends with the next key frame, which is asked for now."""

LONGEST_SAMPLES = RATE_HZ * 24 // 10
"""A segment without a next key frame ends here: it would not fit the playlist's target duration any more."""

LISTED = 8
"""Segments in the playlist: at least three target durations, as players want to begin that far from its end."""

KEPT = 10
"""Segments that stay on the disk after they left the playlist, for players that are behind (RFC 8216, 6.2.2)."""

EARLIER = 25
"""Packets of sound kept for a picture that begins before the newest of them: half a second."""


class Hls:
    """Writes into `folder`, which it empties first. Raises OSError as the disk does, ValueError for what is no Opus.

    `zero_ns`: the Unix time of programme sample 0.
    """

    wants = frozenset({"h264"})

    def __init__(self, folder: Path, zero_ns: int, sound: Sound = "aac", fps: int = 25) -> None:
        self.folder = folder
        self.written = 0
        """Bytes so far."""
        self._zero_ns = zero_ns
        self._fps = fps
        self._aac = Aac() if sound == "aac" else None
        self._earlier: deque[tuple[int, bytes]] = deque(maxlen=EARLIER)
        self._run: _Run | None = None
        self._segments: list[Segment] = []
        self._gone: deque[Segment] = deque()
        self._number = self._breaks = -1
        self._tick = self._last_n = -1
        self._closed = False
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()

    @property
    def needs_key(self) -> frozenset[str]:
        """A key frame is due. May be asked from another thread."""
        run = self._run
        return self.wants if run is None or run.due else frozenset()

    def tick(self, tick: Programme) -> None:
        """20 ms of the programme; each once, in order."""
        if tick.tick <= self._tick:
            return
        if tick.tick != self._tick + 1:
            self._break()
            self._aac = Aac() if self._aac else None  # else it would fill the hole with silence
        self._tick = tick.tick
        if tick.h264:
            self._picture(tick)
        for time, packet in self._sound(tick):
            self._earlier.append((time, packet))
            if self._run:
                self._run.sound(time, packet)
        if self._run and (segment := self._run.ready()):
            self._put(*segment)
        if self._run and self._run.age(tick.programme_sample) >= LONGEST_SAMPLES:
            self._break()

    def event(self, event: Event) -> None:
        """Nothing of it is in the stream."""

    def close(self, reason: str) -> None:
        """The playlist says that it is complete. Harmless twice."""
        if self._closed:
            return
        self._break()
        self._closed = True
        self._list()

    # --- inside ---

    def _picture(self, tick: Programme) -> None:
        lost, self._last_n = tick.h264_n != self._last_n + 1, tick.h264_n
        config = config_of(tick.h264) if tick.h264_key else None
        if lost or (config and self._run and config != self._run.config):
            self._break()
        if config and self._run is None:
            self._begin(config, tick.picture_sample)
        if self._run:
            self._run.picture(tick.picture_sample, sample(tick.h264), tick.h264_key)

    def _sound(self, tick: Programme) -> list[tuple[int, bytes]]:
        if not tick.opus:
            return []
        time = tick.programme_sample - OPUS_DELAY_SAMPLES
        return self._aac.feed(time, tick.opus) if self._aac else [(time, tick.opus)]

    def _begin(self, config: AvcConfig, start: int) -> None:
        muxer = FragmentedMp4(config, self._fps, self._aac.config if self._aac else b"", live=True)
        self._run = _Run(config, muxer, AAC_SAMPLES if self._aac else TICK_SAMPLES, start)
        self._write(self._run.header, muxer.header())
        for time, packet in self._earlier:
            self._run.sound(time, packet)

    def _break(self) -> None:
        """What comes next does not go on from here."""
        run, self._run = self._run, None
        if run and (segment := run.rest()):
            self._put(*segment)

    def _put(self, segment: Segment, data: bytes) -> None:
        if self._number < 0:
            # Seconds of the programme: a stream that begins anew has higher numbers than the one before it.
            self._number = self._breaks = segment.start // RATE_HZ
        self._write(segment.name, data)
        self._segments.append(segment)
        if len(self._segments) > LISTED:
            left = self._segments.pop(0)
            self._number += 1
            self._breaks += left.fresh
            self._gone.append(left)
        self._list()
        while len(self._gone) > KEPT:
            self._remove(self._gone.popleft())

    def _remove(self, segment: Segment) -> None:
        (self.folder / segment.name).unlink(missing_ok=True)
        if all(each.header != segment.header for each in (*self._gone, *self._segments)):
            (self.folder / segment.header).unlink(missing_ok=True)

    def _list(self) -> None:
        text = playlist(self._segments, max(0, self._number), max(0, self._breaks), self._zero_ns, self._closed)
        self._write(INDEX, text.encode())

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all, for whoever reads it meanwhile."""
        draft = self.folder / f".{name}"
        draft.write_bytes(data)
        draft.replace(self.folder / name)
        self.written += len(data)


class _Run:
    """A stretch without a hole, from a key frame on, cut into segments."""

    def __init__(self, config: AvcConfig, muxer: FragmentedMp4, sound_samples: int, start: int) -> None:
        self.config = config
        self.header = f"init-{start}.mp4"
        self._muxer = muxer
        self._sound_samples = sound_samples
        self._begun = self._start = self._end = start
        self._cut_at: int | None = None
        self._fresh = True

    @property
    def due(self) -> bool:
        """The segment in hand is to end with the next key frame."""
        return self._cut_at is None and self._end - self._start >= SEGMENT_SAMPLES

    def age(self, now: int) -> int:
        """Samples that the segment in hand lasts; 0 when its end is settled."""
        return now - self._start if self._cut_at is None else 0

    def picture(self, time: int, data: bytes, key: bool) -> None:
        if key and self._cut_at is None and time - self._start >= SEGMENT_SAMPLES:
            self._cut_at = time
        self._muxer.picture(time, data, key)

    def sound(self, time: int, packet: bytes) -> None:
        if time >= self._begun:
            self._muxer.sound(time, packet)
            self._end = time + self._sound_samples

    def ready(self) -> tuple[Segment, bytes] | None:
        """A segment, as soon as its sound is complete too."""
        if self._cut_at is None or self._end < self._cut_at:
            return None
        end, self._cut_at = self._cut_at, None
        return self._segment(end)

    def rest(self) -> tuple[Segment, bytes] | None:
        """The last segment, however short; nothing where there is nothing to hear."""
        return self._segment(self._end) if self._end > self._start else None

    def _segment(self, end: int) -> tuple[Segment, bytes]:
        data = self._muxer.cut(end)
        name = f"{self._start}.m4s"
        segment = Segment(name=name, header=self.header, start=self._start, end=end, fresh=self._fresh)
        self._start, self._fresh = end, False
        return segment, data
