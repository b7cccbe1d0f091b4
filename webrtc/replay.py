"""The microphone as the page remembers it: what was spoken while no edge was there, in place of RTP until a pause.

After its edge has died a page sends what it kept, faster than real time, and goes on with what its microphone brings
until RTP may take over: when both bring the present and nobody speaks, so that no word is spliced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from broker.clock import NS_PER_MS, NS_PER_S
from broker.limits import Bucket
from webrtc.errors import BadMessage, RateError
from webrtc.uplink import FRAME, FRAME_NS, Cleaner, MicSound

BYTES_PER_S = 32_000
LONGEST_PIECE = BYTES_PER_S
"""Bytes in one message: a second."""
BURST_S = 32
"""As much as a page keeps, and a little."""
HURRY = 1.25
"""How much faster than real time a page may send in the long run: its clock may be fast, its network may stall."""
QUIET_RMS = 180.0
"""Below this a cleaned frame is silence (-45 dBFS)."""
QUIET_FRAMES = 24
"""Speech shows at the vad after some 100 ms; so much silence is no beginning of it."""
BEGINS_WITHIN_NS = 3 * NS_PER_S
"""A page that was asked and sends nothing has nothing."""
DRY_NS = 2 * NS_PER_S
"""A page that sent and fell silent is stuck; RTP is better than nothing."""
LONGEST_SPEECH_NS = 20 * NS_PER_S
"""After so long in the present, any silence will do: what says that the utterance is over may be lost."""


class Replay:
    """One replay, from the asking to the handing over to RTP. Counts `mic_sample` on from where it is told."""

    def __init__(self, cleaner: Cleaner, mic_sample: int, now_ns: int, counters: Counter[str]) -> None:
        self.mic_sample = mic_sample
        self._cleaner = cleaner
        self._counters = counters
        self._asked_ns = self._fed_ns = now_ns
        self._bucket = Bucket(HURRY * BYTES_PER_S, BURST_S * BYTES_PER_S)
        self._pending = bytearray()
        self._first_ns: int | None = None
        """When the sample counted first was spoken, by this edge's clock."""
        self._first_sample = mic_sample
        self._level_ns: int | None = None
        self._quiet = 0

    def begins(self, age_ms: float, now_ns: int) -> None:
        """The first sample to come was spoken so long ago."""
        self._first_ns = now_ns - int(min(max(age_ms, 0.0), BURST_S * 1000) * NS_PER_MS)

    def level(self, now_ns: int) -> None:
        """From here on the page sends what it hears now."""
        self._level_ns = self._level_ns or now_ns

    def feed(self, pcm: bytes, now_ns: int) -> Iterator[tuple[MicSound, int]]:
        """Frames that are whole now, cleaned, each with when it was spoken. Raises BadMessage, RateError."""
        if self._first_ns is None:
            raise BadMessage("Say how old the sound is before sending it.")
        if not pcm or len(pcm) % 2 or len(pcm) > LONGEST_PIECE:
            raise BadMessage("Sound comes as 16-bit samples, a second of 16 kHz mono at most.")
        if not self._bucket.take(now_ns, len(pcm)):
            raise RateError
        self._fed_ns = now_ns
        self._pending += pcm
        return self._frames(self._first_ns)

    def _frames(self, first_ns: int) -> Iterator[tuple[MicSound, int]]:
        while len(self._pending) >= 2 * FRAME:
            clean = self._cleaner.clean(bytes(self._pending[: 2 * FRAME]))
            del self._pending[: 2 * FRAME]
            samples = np.frombuffer(clean, "<i2").astype(np.float64)
            self._quiet = self._quiet + 1 if float(np.sqrt(np.mean(samples**2))) < QUIET_RMS else 0
            frame = MicSound(mic_sample=self.mic_sample, pcm=clean)
            self.mic_sample += FRAME
            self._counters["mic_replayed_frames"] += 1
            yield frame, first_ns + (self.mic_sample - self._first_sample) // FRAME * FRAME_NS

    def done(self, speaking: bool, now_ns: int) -> bool:
        """Whether RTP, which brings the present, may take over."""
        if self._first_ns is None:
            return now_ns - self._asked_ns > BEGINS_WITHIN_NS
        if now_ns - self._fed_ns > DRY_NS:
            return True
        if self._level_ns is None or self._quiet < QUIET_FRAMES:
            return False
        return not speaking or now_ns - self._level_ns > LONGEST_SPEECH_NS
