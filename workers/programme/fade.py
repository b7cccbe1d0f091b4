"""10 ms fades, so that sound begins and ends without a click.

An end is smoothed with the mirror image of the last 10 ms that went out, not with what would have come next: a hold,
a cancel and an underrun then look alike, and nothing that was cancelled is ever heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FADE_SAMPLES = 480

_UP = (0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE_SAMPLES) + 0.5) / FADE_SAMPLES)).astype(np.float32)
_DOWN = _UP[::-1].copy()


def faded_in(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """The same sound, rising from nothing over its first 10 ms."""
    voice = pcm.astype(np.float32)
    count = min(FADE_SAMPLES, len(voice))
    voice[:count] *= _UP[:count]
    return voice


def tail(last: NDArray[np.float32]) -> NDArray[np.float32]:
    """10 ms in which sound dies away whose last 480 samples were `last`."""
    return last[::-1] * _DOWN


def to_pcm(mix: NDArray[np.float32]) -> NDArray[np.int16]:
    """Rounded to 16 bits, clipped where two sounds overlap too loudly."""
    return np.clip(np.rint(mix), -32768, 32767).astype(np.int16)
