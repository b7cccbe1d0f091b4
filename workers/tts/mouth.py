"""The mouth track of a clause: co-articulated viseme weights from phones and loudness, 100 frames a second.

Each shape of each phone has a dominance over time: full while it sounds, falling off before and after at its own pace
(Cohen and Massaro, "Modeling coarticulation in synthetic visual speech", 1993). Rounding begins early, the jaw is
slow, the lips are quick. What the blend must not do, lips open in a p, is then put right by rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from broker.visemes import MOUTH_FRAME_SAMPLES, VISEMES

Track = npt.NDArray[np.uint8]
Curve = npt.NDArray[np.float64]

_COLUMN = {name: column for column, name in enumerate(VISEMES)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A viseme held from `start_s` to `end_s`."""

    viseme: str
    start_s: float
    end_s: float


#                 strength, lead s, trail s: how it wins over neighbours, how early it begins, how long it lingers
_DOMINANCE = {
    "sil": (1.0, 0.030, 0.030),
    "PP": (5.0, 0.018, 0.016),
    "FF": (4.0, 0.022, 0.018),
    "TH": (2.0, 0.026, 0.020),
    "DD": (0.9, 0.025, 0.020),
    "kk": (0.5, 0.028, 0.022),
    "CH": (2.0, 0.055, 0.035),
    "SS": (1.6, 0.028, 0.022),
    "nn": (0.8, 0.026, 0.022),
    "RR": (1.2, 0.060, 0.040),
    "aa": (1.2, 0.045, 0.055),
    "E": (1.0, 0.042, 0.048),
    "I": (1.0, 0.040, 0.045),
    "O": (2.0, 0.070, 0.055),
    "U": (2.0, 0.075, 0.050),
}
_TABLE = np.array([_DOMINANCE[name] for name in VISEMES])
_VOWELS = [_COLUMN[name] for name in ("aa", "E", "I", "O", "U")]
_EFFORT = np.array([0.0, 1.0, 1.0, 0.9, 0.85, 0.8, 0.95, 0.9, 0.85, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0])
"""How far conversational speech goes into each consonant's full shape; vowels go by loudness instead."""
_LOUD_DB = -14.3
"""The level of the louder vowels of a voice at the common loudness: the 90th percentile of 90 ms windows."""
_CLOSED = 0.95
_LEAST_CLOSURE_S = 0.046
"""Long enough to show in a picture at 25 a second."""
_CLOSING_S, _OPENING_S, _FROM_REST_S = 0.075, 0.100, 0.040


def mouth_track(shapes: Sequence[Shape], pcm: npt.NDArray[np.float32], frames: int) -> Track:
    """`frames` rows of 15 weights 0..255 summing to ~255 each, frame k showing samples [480k, 480(k+1)) of `pcm`.

    `shapes` are in order and do not overlap; time without one is rest. `pcm` is mono float at 48 kHz.
    """
    times: Curve = (np.arange(frames, dtype=np.float64) + 0.5) * (MOUTH_FRAME_SAMPLES / 48_000)
    weights = np.zeros((frames, len(VISEMES)))
    sounding = [shape for shape in shapes if shape.viseme != "sil"]
    if sounding:
        weights = _blend(sounding, times)
        weights[:, _VOWELS] *= _opening(pcm, frames)[:, None]
        weights *= _EFFORT * _awake(sounding, times)[:, None]
        _close_lips(weights, sounding, times)
        weights[:, 0] = 0.0
    weights[:, 0] = np.clip(1.0 - weights.sum(axis=1), 0.0, 1.0)
    return np.rint(np.clip(weights, 0.0, 1.0) * 255).astype(np.uint8)


def _blend(shapes: Sequence[Shape], times: Curve) -> Curve:
    """Each frame's mixture of shapes by dominance, rest included: [frames, 15], rows summing to 1."""
    column = np.array([_COLUMN[shape.viseme] for shape in shapes])
    strength, lead, trail = _TABLE[column].T
    starts = np.array([shape.start_s for shape in shapes])
    ends = np.array([shape.end_s for shape in shapes])
    before = np.maximum(starts - times[:, None], 0.0) / lead
    after = np.maximum(times[:, None] - ends, 0.0) / trail
    dominance = strength * np.exp(-(before**2) - after**2)
    mixed = np.zeros((len(times), len(VISEMES)))
    np.add.at(mixed.T, column, dominance.T)
    mixed[:, 0] += 0.02  # rest, where nothing is near
    return mixed / mixed.sum(axis=1, keepdims=True)


def _opening(pcm: npt.NDArray[np.float32], frames: int) -> Curve:
    """How far vowels open, 0.35..1 by frame: with the loudness of 90 ms around, against a voice's loud parts."""
    padded = np.zeros(frames * MOUTH_FRAME_SAMPLES, np.float32)
    padded[: min(len(pcm), len(padded))] = pcm[: len(padded)]
    power = np.mean(padded.reshape(frames, -1) ** 2, axis=1, dtype=np.float64)
    smooth = np.convolve(power, np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum(), mode="same")
    level_db = 10 * np.log10(np.maximum(smooth, 1e-9))
    return np.clip(0.88 + (level_db - _LOUD_DB) * 0.026, 0.35, 1.0)


def _awake(shapes: Sequence[Shape], times: Curve) -> Curve:
    """1 while anything sounds, 0 in rest: lips part a little before a sound and have met `_CLOSING_S` after one."""
    starts = np.array([shape.start_s for shape in shapes])
    ends = np.array([shape.end_s for shape in shapes])
    last = np.searchsorted(starts, times, side="right") - 1
    since = np.where(last >= 0, times - ends[np.maximum(last, 0)], np.inf)
    following = np.minimum(last + 1, len(starts) - 1)
    until = np.where(last + 1 < len(starts), starts[following] - times, np.inf)
    nearness = np.maximum(1.0 - np.maximum(since, 0.0) / _CLOSING_S, 1.0 - np.maximum(until, 0.0) / _OPENING_S)
    return np.clip(nearness, 0.0, 1.0) * np.minimum(times / _FROM_REST_S + 0.25, 1.0)


def _close_lips(weights: Curve, shapes: Sequence[Shape], times: Curve) -> None:
    """In p, b and m the lips touch, whatever is around: held about the middle, long enough for a picture."""
    for shape in shapes:
        if shape.viseme != "PP":
            continue
        middle = (shape.start_s + shape.end_s) / 2
        first = min(shape.start_s + 0.005, middle - _LEAST_CLOSURE_S / 2)
        last = max(shape.start_s + 0.65 * (shape.end_s - shape.start_s), middle + 0.006, first + _LEAST_CLOSURE_S)
        shut = (times >= first) & (times <= last)
        weights[shut] *= (1.0 - _CLOSED) / np.maximum(weights[shut].sum(axis=1, keepdims=True), 1.0)
        weights[shut, _COLUMN["PP"]] = _CLOSED
