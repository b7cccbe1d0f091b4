"""Opus packets for tests, as a browser sends them: mono at 48 kHz, 20 ms or 10, with in-band FEC."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000


def encode(sound: NDArray[np.int16], fec: bool = True, packet_ms: int = 20) -> list[bytes]:
    """Opus packets of a mono sound at 48 kHz; what does not fill one at the end is left out."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate = RATE_HZ
    codec.layout = "mono"
    codec.format = "s16"
    codec.bit_rate = 32_000
    codec.time_base = Fraction(1, RATE_HZ)
    codec.options = {"application": "voip", "fec": str(int(fec)), "packet_loss": "20", "frame_duration": str(packet_ms)}
    length = packet_ms * RATE_HZ // 1000
    packets: list[bytes] = []
    for at in range(0, len(sound) - length + 1, length):
        frame = av.AudioFrame.from_ndarray(sound[at : at + length].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, at
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def tone(seconds: float, hz: float = 440.0, level: int = 8000) -> NDArray[np.int16]:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hz * time)).astype(np.int16)


def chirps(seconds: float) -> NDArray[np.int16]:
    """Something like a voice: a gliding tone with harmonics, four syllables a second."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    voiced = sum(np.sin(k * phase) / k for k in range(1, 12))
    return (4000 * voiced * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * time))).astype(np.int16)
