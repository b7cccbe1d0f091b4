"""How loud a voice is, and making all voices equally loud without clipping. Samples are floats in -1..1 at 48 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import lfilter

Samples = npt.NDArray[np.float32]

RATE_HZ = 48_000
TARGET_LUFS = -18.0
"""What every voice is brought to: loud enough beside other call software, and little for the limiter to do."""
CEILING = 0.89
"""-1 dBFS: the greatest sample that leaves the limiter."""
_LOOK_SAMPLES = 240

# ITU-R BS.1770-4, tables 1 and 2: the two K-weighting filters at 48 kHz.
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
_BLOCK, _HOP = 19_200, 4_800


def integrated_lufs(samples: Samples) -> float:
    """The gated loudness of a mono signal by ITU-R BS.1770; -inf for silence. A short signal is one block."""
    weighted = lfilter(*_HIGH_PASS, lfilter(*_SHELF, samples.astype(np.float64)))
    padded = np.pad(weighted, (0, max(0, _BLOCK - len(weighted))))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[::_HOP]
    powers = np.mean(blocks**2, axis=1) * (len(padded) / max(1, len(weighted)) if len(weighted) < _BLOCK else 1.0)
    loud = powers[_lufs(powers) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return -np.inf
    gate = _lufs(np.array([loud.mean()]))[0] + _RELATIVE_GATE_LU
    return float(_lufs(np.array([loud[_lufs(loud) > gate].mean()]))[0])


def gain_to_target(samples: Samples) -> float:
    """The factor that brings a signal to `TARGET_LUFS`; 1 for silence."""
    loudness = integrated_lufs(samples)
    return float(10 ** ((TARGET_LUFS - loudness) / 20)) if np.isfinite(loudness) else 1.0


def limited(samples: Samples) -> Samples:
    """The signal with its peaks turned down, 5 ms ahead and smoothly, so that none exceeds `CEILING`."""
    peak = np.abs(samples)
    if not len(samples) or peak.max() <= CEILING:
        return samples
    wanted = (CEILING / np.maximum(peak, CEILING)).astype(np.float32)
    held = minimum_filter1d(wanted, 2 * _LOOK_SAMPLES + 1)
    return samples * uniform_filter1d(held, 2 * _LOOK_SAMPLES + 1)


def _lufs(powers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(powers, 1e-12))
