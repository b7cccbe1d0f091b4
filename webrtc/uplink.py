"""The microphone path of one call: Opus packets as they arrive → 10 ms frames of clean 16 kHz sound, contiguous.

Nothing waits in a buffer unless a packet is missing. What is lost is recovered from Opus's own redundancy or concealed,
and marked; a pause in sending (DTX, mute, a silent page) becomes silence for `TRAIL_NS`, so that whoever waits for the
speaker to pause hears it, and then nothing at all. `mic_sample` counts what was handed on: it never jumps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from broker.clock import NS_PER_MS, NS_PER_S
from broker.limits import Bucket
from webrtc.reorder import InOrder, Reorder

FRAME = 160
"""Samples in a frame, 10 ms at 16 kHz: what waits for a longer one is heard of later."""

FRAME_NS = 10 * NS_PER_MS

SILENT_AFTER_NS = 200 * NS_PER_MS
"""No packet for so long after the last was due: the page has stopped sending. Shorter, a stalled network would tear
words apart with silence that nobody spoke; the silence itself then counts from the last packet on."""

TRAIL_NS = 2 * NS_PER_S
"""How much silence follows the last packet: longer than any wait for the end of a turn."""

LONGEST_FILL = 10 * FRAME
"""Samples made up for one gap; a longer hole is left out, since nobody could have guessed it."""

PACKETS_PER_S, PACKET_BURST = 500, 2_000
"""Opus's shortest packets make 400 a second."""

SAMPLES_PER_S, SAMPLE_BURST = 20_000, 160_000
"""A quarter faster than anybody speaks, after the ten seconds that a stalled network may hand over at once: what a
page sends beyond that would take the time of all the others' ears."""

STEP = 40
"""Samples in 2.5 ms: what libopus conceals is a whole number of these."""

RTP_PER_SAMPLE = 3
"""Opus's RTP clock is 48 kHz whatever is decoded (RFC 7587)."""


class Decoder(Protocol):
    """Opus to mono s16le at 16 kHz; see opus_decoder.py."""

    def decode(self, payload: bytes) -> bytes: ...

    def recover(self, following: bytes, samples: int) -> bytes: ...

    def conceal(self, samples: int) -> bytes: ...


class Cleaner(Protocol):
    """Noise suppression on blocks of 10 ms; see denoise.py."""

    def clean(self, pcm: bytes) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class MicSound:
    """10 ms of microphone: mono s16le, 160 samples. `concealed`: some of it is a guess."""

    mic_sample: int
    pcm: bytes
    concealed: bool = False


@dataclass(frozen=True, kw_only=True)
class _Packet:
    timestamp: int
    payload: bytes


class Uplink:
    """One call's microphone. Outlives peer connections: a new one continues the count."""

    def __init__(self, decoder: Decoder, cleaner: Cleaner, mic_sample: int = 0) -> None:
        self.counters: Counter[str] = Counter()
        self.mic_sample = mic_sample
        self._decoder = decoder
        self._cleaner = cleaner
        self._reorder: Reorder[_Packet] = Reorder()
        self._source: int | None = None
        self._expected: int | None = None
        self._pending = bytearray()
        self._pending_guess = False
        self._packets = Bucket(PACKETS_PER_S, PACKET_BURST)
        self._samples = Bucket(SAMPLES_PER_S, SAMPLE_BURST)
        self._now_ns = 0
        self._last_ns: int | None = None
        self._made_up = 0
        """Samples of silence handed on since the last packet."""

    @property
    def due_ns(self) -> int | None:
        """When `tick` has something to do; None while the microphone is off."""
        gap_ns = self._reorder.due_ns
        if self._last_ns is None:
            return gap_ns
        made_up_ns = self._made_up * NS_PER_S // 16_000
        silence_ns = self._last_ns + FRAME_NS + max(SILENT_AFTER_NS, made_up_ns + FRAME_NS)
        return silence_ns if gap_ns is None else min(gap_ns, silence_ns)

    def packet(self, source: int, sequence: int, timestamp: int, payload: bytes, now_ns: int) -> list[MicSound]:
        """An RTP packet has arrived from SSRC `source`: the frames that are whole now.

        Sound that comes faster than anybody speaks is left out and counted.
        """
        self._now_ns = now_ns
        if not self._packets.take(now_ns):
            self.counters["mic_too_fast"] += 1
            return []
        if source != self._source:
            self._source, self._expected = source, None
            self._reorder = Reorder()
        before = self._reorder.counts.lost
        ready = self._reorder.feed(sequence, _Packet(timestamp=timestamp, payload=payload), now_ns)
        return self._take(ready, before, now_ns)

    def tick(self, now_ns: int) -> list[MicSound]:
        """Time has passed: a gap may be given up, a pause become silence."""
        self._now_ns = now_ns
        before = self._reorder.counts.lost
        frames = self._take(self._reorder.expire(now_ns), before, now_ns)
        while self._last_ns is not None and (due_ns := self.due_ns) is not None and now_ns >= due_ns:
            if self._made_up * NS_PER_S // 16_000 >= TRAIL_NS:
                self._last_ns = None
                break
            self._made_up += FRAME
            self.counters["mic_silence_frames"] += 1
            frames += self._put(bytes(2 * FRAME), guess=False)
        return frames

    def stop(self) -> None:
        """The person muted: hand on nothing more; silence follows as after a last packet."""
        self._reorder = Reorder()
        self._expected = None

    def stats(self) -> dict[str, int]:
        """Totals of this microphone, for /metrics."""
        counts = self._reorder.counts
        return dict(self.counters) | {"mic_late": counts.late, "mic_duplicate": counts.duplicate}

    def _take(self, ready: list[InOrder[_Packet]], lost_before: int, now_ns: int) -> list[MicSound]:
        self.counters["mic_lost"] += self._reorder.counts.lost - lost_before
        frames: list[MicSound] = []
        for packet in ready:
            frames += self._packet(packet, now_ns)
        return frames

    def _packet(self, packet: InOrder[_Packet], now_ns: int) -> list[MicSound]:
        frames = self._fill(packet)
        self._last_ns, self._made_up = now_ns, 0
        try:
            pcm = self._decoder.decode(packet.item.payload)
        except ValueError:
            self.counters["mic_malformed"] += 1
            return frames
        self.counters["mic_packets"] += 1
        self._expected = (packet.item.timestamp + len(pcm) // 2 * RTP_PER_SAMPLE) % 2**32
        return frames + self._put(pcm, guess=False)

    def _fill(self, packet: InOrder[_Packet]) -> list[MicSound]:
        """What belongs between the last packet and this one, less the silence already handed on."""
        if self._expected is None:
            return []
        ahead = (packet.item.timestamp - self._expected) % 2**32
        missing = ahead // RTP_PER_SAMPLE - self._made_up if ahead < 2**31 else 0
        missing -= missing % STEP
        if missing <= 0:
            return []
        samples = min(missing, LONGEST_FILL)
        self.counters["mic_skipped_samples"] += missing - samples
        if not packet.lost:
            return self._put(bytes(2 * samples), guess=False)
        self.counters["mic_concealed_samples"] += samples
        try:
            guessed = self._decoder.recover(packet.item.payload, samples)
        except ValueError:
            guessed = self._decoder.conceal(samples)
        return self._put(guessed, guess=True)

    def _put(self, pcm: bytes, guess: bool) -> list[MicSound]:
        """Append to what waits for a whole frame; the frames that are whole, cleaned."""
        if not self._samples.take(self._now_ns, len(pcm) // 2):
            self.counters["mic_too_fast"] += 1
            return []
        self._pending += pcm
        self._pending_guess |= guess
        frames: list[MicSound] = []
        while len(self._pending) >= 2 * FRAME:
            clean = self._cleaner.clean(bytes(self._pending[: 2 * FRAME]))
            del self._pending[: 2 * FRAME]
            frames.append(MicSound(mic_sample=self.mic_sample, pcm=clean, concealed=self._pending_guess))
            self.mic_sample += FRAME
            if len(self._pending) < 2 * FRAME:
                self._pending_guess = guess and bool(self._pending)
        return frames
