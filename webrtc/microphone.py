"""One call's microphone on the event loop: RTP packets in, frames to the vad, the last half minute kept.

After an edge has died its successor hears the page's own memory first (replay.py), then RTP.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from aiortc.rtp import RtpPacket

from broker.clock import NS_PER_S, now_ns
from webrtc.denoise import Denoiser
from webrtc.errors import BadMessage
from webrtc.mic_history import MicHistory
from webrtc.opus_decoder import OpusDecoder
from webrtc.replay import Replay
from webrtc.uplink import MicSound, Uplink

CATCH_UP_S = 0.005
"""Between two batches of sound heard again: 30 s in 0.3 s."""

RETRY_S = 0.05
"""Before frames that the bus refused are tried again."""


class Microphone:
    """`send` hands a frame to the vad (False: not now); `first_sample` is asked once, at the first packet.

    `live` is called when a replay is over and RTP counts.
    """

    def __init__(
        self, send: Callable[[MicSound], bool], first_sample: Callable[[], int], live: Callable[[], None] = lambda: None
    ) -> None:
        self.history = MicHistory()
        self._send = send
        self._first_sample = first_sample
        self._live = live
        self._uplink: Uplink | None = None
        self._replay: Replay | None = None
        self._replayed = False
        """A replay has been: bytes that were on their way when it ended are no fault."""
        self._open: set[int] = set()
        """Utterances that the broker has not dealt with."""
        self._counters: Counter[str] = Counter()
        self._listening = True
        self._clock: asyncio.TimerHandle | None = None
        self._catch_up: asyncio.TimerHandle | None = None

    def packet(self, packet: RtpPacket) -> None:
        """An Opus packet of the page; left out while nobody should listen."""
        if not self._listening:
            return
        if self._uplink is None:
            self._uplink = Uplink(OpusDecoder(), Denoiser(), self._first_sample())
            if self._replay is None:
                self.history.cursor = self._uplink.mic_sample
        now = now_ns()
        frames = self._uplink.packet(packet.ssrc, packet.sequence_number, packet.timestamp, packet.payload, now)
        self._take(frames, now)
        self._arm()

    def expect_replay(self) -> None:
        """The page is asked for what it remembers. Until that has been heard RTP only tunes the noise suppression."""
        self._replay = Replay(Denoiser(), self._first_sample(), now_ns(), self._counters)
        self._replayed = True
        self.history.cursor = self._replay.mic_sample

    def replay_begins(self, age_ms: float) -> None:
        """The page sends; its first sample was spoken so long ago."""
        if self._replay:
            self._replay.begins(age_ms, now_ns())

    def replay_level(self) -> None:
        """The page has sent all that it remembers and goes on with the present."""
        if self._replay:
            self._replay.level(now_ns())

    def replay(self, pcm: bytes) -> None:
        """Sound that the page remembers. Raises PageError for what was not asked for, or is too much."""
        if self._replay is None:
            if not self._replayed:
                raise BadMessage("A message is text.", fatal=True)
            self._counters["mic_replay_late"] += 1
            return
        for frame, spoken_ns in self._replay.feed(pcm, now_ns()):
            self.history.add(frame, spoken_ns)
        if self._catch_up is None:
            self._hand_on()

    def end_replay(self) -> None:
        """RTP counts from here on."""
        if self._replay is None:
            return
        mic_sample, self._replay = self._replay.mic_sample, None
        if self._uplink:
            self._uplink.mic_sample = mic_sample
        else:
            self._uplink = Uplink(OpusDecoder(), Denoiser(), mic_sample)
        self._live()

    def speech(self, what: str, utterance: int) -> None:
        """The broker says that an utterance has started, or is over."""
        if what == "started":
            self._open.add(utterance)
        elif what == "over":
            self._open.discard(utterance)

    def listen(self, listening: bool) -> None:
        """Muted or in text mode: hand on nothing more than the silence that ends an utterance."""
        self._listening = listening
        if not listening:
            self.end_replay()
            if self._uplink:
                self._uplink.stop()

    def again(self, mic_sample: int) -> None:
        """A successor listens: hand on from there, faster than real time, then live."""
        self.history.rewind(mic_sample)
        self._hand_on()

    def resume(self) -> None:
        """There may be somebody to hand on to now."""
        if self.history.behind:
            self._hand_on()

    def stop(self) -> None:
        """Let go of the timers."""
        self._listening = False
        for timer in (self._clock, self._catch_up):
            if timer:
                timer.cancel()
        self._clock = self._catch_up = None

    def stats(self) -> dict[str, int]:
        """Totals, for /metrics."""
        uplink = self._uplink.stats() if self._uplink else {}
        return uplink | {"mic_dropped": self.history.dropped} | self._counters

    def _arm(self) -> None:
        """Wake for gaps and pauses; while packets flow this fires each 220 ms, since `due_ns` moves on with them."""
        due_ns = self._uplink.due_ns if self._uplink else None
        if due_ns is None:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0, due_ns - now_ns()) / NS_PER_S
        if self._clock is None or self._clock.when() > at:
            if self._clock:
                self._clock.cancel()
            self._clock = loop.call_at(at, self._tick)

    def _tick(self) -> None:
        assert self._uplink is not None
        self._clock = None
        now = now_ns()
        self._take(self._uplink.tick(now), now)
        self._arm()

    def _take(self, frames: list[MicSound], arrived_ns: int) -> None:
        if self._replay is None:
            self._keep(frames, arrived_ns)
        elif self._replay.done(bool(self._open), arrived_ns):
            self.end_replay()

    def _keep(self, frames: list[MicSound], arrived_ns: int) -> None:
        for frame in frames:
            self.history.add(frame, arrived_ns)
        if frames and self._catch_up is None:
            self._hand_on()

    def _hand_on(self) -> None:
        if self._catch_up:
            self._catch_up.cancel()
            self._catch_up = None
        sent = self.history.hand_on(self._send)
        if self.history.behind:
            in_s = CATCH_UP_S if sent else RETRY_S
            self._catch_up = asyncio.get_running_loop().call_later(in_s, self._hand_on)
