"""The log-mel picture of 8 s of sound that smart-turn looks at: Whisper's features, in numpy.

Defined by the Whisper paper (https://arxiv.org/abs/2212.04356, section 2.2) and its feature extractor: 400-sample Hann
windows every 160 samples, 80 Slaney-scaled mel bands to 8 kHz, log10 clipped to 8 decades below the loudest bin.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE_HZ = 16_000
SAMPLES = 8 * RATE_HZ
WINDOW = 400
HOP = 160
BANDS = 80


def log_mel(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The newest 8 s of sound (float, 16 kHz) to float32 [80, 800]; of less, what is missing is zeros in front.

    The sound is brought to zero mean and unit variance first, the zeros included, as the model was trained.
    """
    recent = np.asarray(sound[-SAMPLES:], np.float32)
    padded = np.zeros(SAMPLES, np.float32)
    if len(recent):
        padded[-len(recent) :] = recent
    scaled = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    around = np.pad(scaled, WINDOW // 2, mode="reflect")
    frames = sliding_window_view(around, WINDOW)[::HOP][: SAMPLES // HOP]
    power = np.abs(np.fft.rfft(frames * _window())) ** 2
    decades = np.log10(np.maximum(power @ _bands(), 1e-10))
    return ((np.maximum(decades, decades.max() - 8.0) + 4.0) / 4.0).T.astype(np.float32)


@cache
def _window() -> NDArray[np.float32]:
    """A periodic Hann window. float32: the transform then runs in single precision, twice as fast."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


@cache
def _bands() -> NDArray[np.float32]:
    """Triangular bands [201, 80] of equal area, corners evenly spaced in mel."""
    corners = _hz(np.linspace(0.0, _mel(RATE_HZ / 2), BANDS + 2))
    bins = np.linspace(0, RATE_HZ / 2, WINDOW // 2 + 1)[:, None]
    rising = (bins - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - bins) / np.diff(corners)[1:]
    area = 2.0 / (corners[2:] - corners[:-2])
    return (np.clip(np.minimum(rising, falling), 0, None) * area).astype(np.float32)


# Slaney's mel scale: 3 mel per 200 Hz up to 1 kHz, then 27 mel for each factor of 6.4.


def _mel(hz: float) -> float:
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, 200 * mel / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
