"""Opus packets to AAC, for what does not take Opus. Pictures are never encoded again; sound is, here only."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

RATE_HZ = 48_000
BIT_RATE = 96_000
FRAME_SAMPLES = 1024

LONGEST_PAD = 60 * RATE_HZ
"""A hole in the programme becomes silence, up to here; then the sound begins anew behind it."""


class Aac:
    """One stream of mono AAC-LC at 48 kHz. Times are 48 kHz samples; they are the sound's, as the Opus packets' are.

    Not thread-safe. Costs some 3 % of a core (bench/recording.py).
    """

    def __init__(self) -> None:
        self._decoder: Any = av.CodecContext.create("libopus", "r")
        self._decoder.layout, self._decoder.sample_rate = "mono", RATE_HZ
        self._next: int | None = None
        """The sample after all that was fed."""
        self._begin()

    @property
    def config(self) -> bytes:
        """The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) that a decoder needs."""
        return bytes(self._encoder.extradata)

    def feed(self, time: int, packet: bytes) -> list[tuple[int, bytes]]:
        """An Opus packet that sounds from `time` on; what is ready: (time, access unit without ADTS header)."""
        made = []
        if self._next is None or not 0 <= time - self._next <= LONGEST_PAD:
            made += self.flush() if self._next is not None else []
            self._next = time
        elif time > self._next:
            made += self._encode(np.zeros((1, time - self._next), np.float32))
        for frame in self._decoder.decode(av.Packet(packet)):
            pcm = frame.to_ndarray().reshape(1, -1)
            made += self._encode(pcm.astype(np.float32) / 32_768 if pcm.dtype == np.int16 else pcm)
        return made

    def flush(self) -> list[tuple[int, bytes]]:
        """What is in hand; then it may begin anew."""
        made = [] if self._next is None else self._taken(self._encoder.encode(None))
        self._begin()
        return made

    def _begin(self) -> None:
        encoder: Any = av.CodecContext.create("aac", "w")
        encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "fltp"
        encoder.bit_rate, encoder.time_base = BIT_RATE, Fraction(1, RATE_HZ)
        encoder.open()
        self._encoder = encoder
        self._fifo = np.zeros((1, 0), np.float32)
        self._next = None
        self._first = True

    def _encode(self, pcm: Any) -> list[tuple[int, bytes]]:
        assert self._next is not None
        begin = self._next - self._fifo.shape[1]
        self._next += pcm.shape[1]
        self._fifo = np.concatenate((self._fifo, pcm), axis=1)
        made = []
        while self._fifo.shape[1] >= FRAME_SAMPLES:
            piece, self._fifo = self._fifo[:, :FRAME_SAMPLES], self._fifo[:, FRAME_SAMPLES:]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), begin
            begin += FRAME_SAMPLES
            made += self._taken(self._encoder.encode(frame))
        return made

    def _taken(self, packets: Any) -> list[tuple[int, bytes]]:
        """The first packet after a beginning is the encoder's run-up, from before the sound: it is left out."""
        made = [(int(packet.pts), bytes(packet)) for packet in packets]
        if made and self._first:
            self._first = False
            made = made[1:]
        return made
