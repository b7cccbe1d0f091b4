"""One session's programme, packetised once, to every sender that wants it. Encodes nothing, waits for nobody.

A sender is anything that can be offered a frame: the caller's has a small queue (`FrameQueue`), a viewer's sends at
once (rtp_push.py). One that cannot keep up loses old sound, and pictures from there to the next key frame; the others
do not notice.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from broker.messages import Programme
from webrtc import burst
from webrtc.media_clock import MediaClock
from webrtc.payloads import h264_payloads, vp8_payloads

AUDIO, H264, VP8 = "opus", "h264", "vp8"

CUTOUT = "_cutout"
"""Behind a codec's name: its pictures are the figure alone."""

RENDITIONS = (H264, VP8, H264 + CUTOUT, VP8 + CUTOUT)

QUEUED = {AUDIO: 10, **dict.fromkeys(RENDITIONS, 8)}
"""Frames a sender may be behind: 200 ms of sound, 320 ms of pictures."""

MARKER = 0x80
"""In the second byte of an RTP packet: a picture's last one."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One Opus packet or one picture, cut into RTP payloads. `n` counts ticks or pictures, so that a gap shows."""

    payloads: tuple[bytes, ...]
    rtp: int
    programme_sample: int
    n: int
    key: bool = True

    @cached_property
    def octets(self) -> int:
        return sum(map(len, self.payloads))

    @cached_property
    def bursts(self) -> tuple[list[tuple[int, int, bytes]], ...]:
        """(index, marker bit, payload) of each, in groups that can be sent at once; see burst.py."""
        last = len(self.payloads) - 1
        each = [(n, MARKER if n == last else 0, payload) for n, payload in enumerate(self.payloads)]
        return tuple([each[n] for n in group] for group in burst.groups(self.payloads))


class Sink(Protocol):
    """A sender as the fan-out sees it."""

    codec: str
    counters: Counter[str]
    paused: bool
    """Nobody looks: it is offered nothing, and pictures are not drawn on its account."""

    def offer(self, frame: Frame) -> None: ...


class PictureGate:
    """Which pictures a receiver can use: none from a gap to the next key frame, for which it asks."""

    def __init__(self, want_key: Callable[[], None], counters: Counter[str]) -> None:
        self._want_key = want_key
        self._counters = counters
        self._shut = True
        self._last_n: int | None = None

    def shut(self) -> None:
        """Only a key frame can go on from here."""
        self._shut = True

    def ask(self) -> None:
        self._want_key()

    def passes(self, frame: Frame) -> bool:
        gap = self._last_n is not None and frame.n != self._last_n + 1
        self._last_n = frame.n
        if frame.key:
            self._shut = False
        elif gap:
            self._counters["picture_gaps"] += 1
            self._shut = True
        if self._shut:
            self._counters["pictures_dropped"] += 1
            self._want_key()
        return not self._shut


class FrameQueue:
    """What waits for one sender. `want_key` is called when only a key frame can go on."""

    def __init__(self, codec: str, want_key: Callable[[], None] = lambda: None) -> None:
        self.codec = codec
        self.counters: Counter[str] = Counter()
        self._gate = PictureGate(want_key, self.counters)
        self._waiting: deque[Frame] = deque()
        self._arrived = asyncio.Event()
        self.paused = False
        """Nobody looks: pictures are not asked for on this one's account. Sound is never paused."""

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, frame: Frame) -> None:
        """Take the frame, or leave it out; never waits."""
        if self.paused:
            return
        if self.codec == AUDIO:
            if len(self._waiting) >= QUEUED[AUDIO]:
                self._waiting.popleft()
                self.counters["audio_dropped"] += 1
        else:
            if len(self._waiting) >= QUEUED[self.codec]:
                self.counters["pictures_dropped"] += len(self._waiting)
                self._waiting.clear()
                self._gate.shut()
            if not self._gate.passes(frame):
                return
        self._waiting.append(frame)
        self._arrived.set()

    async def take(self) -> Frame:
        """The next frame, in order."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def cut(self) -> None:
        """Leave out pictures until the next key frame, and ask for one."""
        if self.codec != AUDIO:
            self._gate.shut()
            self._gate.ask()

    def turn_to(self, codec: str) -> None:
        """Another rendition of the same codec from here on, from its first key frame."""
        self.codec = codec
        self._waiting.clear()
        self.cut()

    def pause(self, paused: bool) -> None:
        """Pictures stop, or come again from a key frame on; nothing is negotiated anew."""
        if self.codec == AUDIO or paused == self.paused:
            return
        self.paused = paused
        self._waiting.clear()
        if not paused:
            self.cut()


class Fanout:
    """The senders of one session, fed with its programme. `changed` is called when one has joined or left."""

    def __init__(self, clock: MediaClock, changed: Callable[[], None] = lambda: None) -> None:
        self.clock = clock
        self._changed = changed
        self.counters: Counter[str] = Counter()
        self._queues: set[Sink] = set()
        self.wire = burst.Wire()

    def join(self, queue: Sink) -> None:
        self._queues.add(queue)
        self._changed()

    def leave(self, queue: Sink) -> None:
        self._queues.discard(queue)
        self.counters.update(queue.counters)
        self._changed()

    def wanted(self, codec: str) -> int:
        """How many queues of a codec somebody looks at."""
        return sum(queue.codec == codec and not queue.paused for queue in self._queues)

    def feed(self, programme: Programme) -> None:
        """One tick: into every queue that can use it."""
        if not self._queues:
            return
        frames: dict[str, Frame | None] = {}
        for queue in tuple(self._queues):
            if queue.paused:
                continue
            if queue.codec not in frames:
                frames[queue.codec] = self._frame(queue.codec, programme)
            if (frame := frames[queue.codec]) is not None:
                queue.offer(frame)

    def totals(self) -> Counter[str]:
        """Counters of the queues there are and of those that were."""
        return sum((queue.counters for queue in self._queues), Counter(self.counters))

    def _frame(self, codec: str, tick: Programme) -> Frame | None:
        if codec == AUDIO:
            return self._sound(tick)
        return self._picture(codec, tick)

    def _sound(self, tick: Programme) -> Frame | None:
        if not tick.opus:
            return None
        sample = tick.programme_sample
        return Frame(payloads=(tick.opus,), rtp=self.clock.audio_rtp(sample), programme_sample=sample, n=tick.tick)

    def _picture(self, codec: str, tick: Programme) -> Frame | None:
        access_unit, n, key = (getattr(tick, codec + part) for part in ("", "_n", "_key"))
        if not access_unit:
            return None
        payloads = h264_payloads(access_unit) if codec.startswith(H264) else vp8_payloads(access_unit, n)
        sample = tick.picture_sample
        return Frame(payloads=payloads, rtp=self.clock.video_rtp(sample), programme_sample=sample, n=n, key=key)
