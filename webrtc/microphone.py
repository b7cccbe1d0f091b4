"""One call's microphone on the event loop: RTP packets in, frames to the vad, the last half minute kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiortc.rtp import RtpPacket

from broker.clock import NS_PER_S, now_ns
from webrtc.denoise import Denoiser
from webrtc.mic_history import MicHistory
from webrtc.opus_decoder import OpusDecoder
from webrtc.uplink import MicSound, Uplink

CATCH_UP_S = 0.005
"""Between two batches of sound heard again: 30 s in 0.3 s."""

RETRY_S = 0.05
"""Before frames that the bus refused are tried again."""


class Microphone:
    """`send` hands a frame to the vad (False: not now); `first_sample` is asked once, at the first packet."""

    def __init__(self, send: Callable[[MicSound], bool], first_sample: Callable[[], int]) -> None:
        self.history = MicHistory()
        self._send = send
        self._first_sample = first_sample
        self._uplink: Uplink | None = None
        self._listening = True
        self._clock: asyncio.TimerHandle | None = None
        self._catch_up: asyncio.TimerHandle | None = None

    def packet(self, packet: RtpPacket) -> None:
        """An Opus packet of the page; left out while nobody should listen."""
        if not self._listening:
            return
        if self._uplink is None:
            self._uplink = Uplink(OpusDecoder(), Denoiser(), self._first_sample())
            self.history.cursor = self._uplink.mic_sample
        now = now_ns()
        self._keep(self._uplink.packet(packet.ssrc, packet.sequence_number, packet.timestamp, packet.payload, now), now)
        self._arm()

    def listen(self, listening: bool) -> None:
        """Muted or in text mode: hand on nothing more than the silence that ends an utterance."""
        self._listening = listening
        if self._uplink and not listening:
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
        return uplink | {"mic_dropped": self.history.dropped}

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
        self._keep(self._uplink.tick(now), now)
        self._arm()

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
