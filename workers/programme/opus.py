"""Sound to Opus: one packet of 20 ms a tick, mono, with in-band error correction."""

from __future__ import annotations

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from workers.programme.ticks import RATE_HZ, TICK_SAMPLES

DELAY_SAMPLES = 312
"""libopus looks 6.5 ms ahead: a decoder's sample n is the encoder's n - 312."""

COMPLEXITY = 5
"""Of 10: 0.20 ms of CPU for a packet of speech instead of 0.25, and 0.12 instead of 0.18 for silence."""

THIN_KBPS = 36
"""Below this rate libopus sends correcting copies of a full-band voice only where it expects much loss: at 32 kbit/s
and 5 % expected there are none, at 15 % they are in every frame of speech (counted on the wheel's packets)."""


class OpusEncoder:
    """One session's sound. `voip` keeps the encoder in the modes that can carry error correction (RFC 6716, 2.1.7)."""

    def __init__(self, kbps: int) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = RATE_HZ
        context.layout = "mono"
        context.format = "s16"
        context.bit_rate = kbps * 1000
        context.options = {
            "application": "voip",
            "frame_duration": "20",
            "fec": "1",
            "packet_loss": "5" if kbps >= THIN_KBPS else "15",
            "vbr": "on",
            "compression_level": str(COMPLEXITY),
        }
        context.open()
        self._context = context
        self._pts = 0

    def encode(self, pcm: NDArray[np.int16]) -> bytes:
        """One tick's 960 samples to one packet."""
        frame = av.AudioFrame(format="s16", layout="mono", samples=TICK_SAMPLES)
        frame.planes[0].update(pcm.tobytes())
        frame.sample_rate = RATE_HZ
        frame.pts = self._pts
        self._pts += TICK_SAMPLES
        (packet,) = self._context.encode(frame)
        return bytes(packet)
