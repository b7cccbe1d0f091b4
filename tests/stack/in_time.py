"""By how much a 3D mouth comes after its voice, both laid over the programme's own clock.

No instant is compared with another: the voice of a sentence is found by its vowels, the mouth by all its shapes, and
each tells by how much it lags the programme. A machine that stalls has fewer drawings to fit, not other lags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.av_sync import heard_after
from broker.visemes import VISEMES

HEARD_JS = (Path(__file__).parent / "heard.js").read_text(encoding="utf-8")
WATCH_JS = """document.addEventListener("drawn", ({ detail }) => {
  (globalThis.drawn ??= []).push([performance.now(), Object.fromEntries(detail.weights)]);
}, true);"""
"""The canvas says what it has drawn; the event does not bubble, but is caught on its way down."""

SAMPLES_PER_MS = 48
TICK_MIDDLE = 480
FURTHEST_MS = 300
FEWEST_DRAWINGS = 12
"""In a sentence; with fewer its mouth is not found."""

Phones = Sequence[tuple[str, float, float]]
Drawing = tuple[float, Mapping[str, float]]


@dataclass(frozen=True)
class Found:
    """One sentence: the mouth after the voice in ms, and how well each was found (correlation)."""

    lag_ms: float
    voice_fit: float
    mouth_fit: float
    drawings: int


def levels(taken: Sequence[Sequence[float]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """When each piece of sound was handed over, in 48 kHz samples of the page's clock, and its level."""
    blocks = np.array([each[0] for each in taken])
    values = np.array([each[1:] for each in taken])
    pieces = values.shape[1]
    at = blocks[:, None] + np.arange(pieces) * 10 / pieces
    return (at * SAMPLES_PER_MS).ravel().astype(np.int64), values.ravel()


def lag(
    spoken: Phones,
    sound: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
    drawn: Sequence[Drawing],
    track: Sequence[tuple[int, Sequence[int]]],
    guess: float,
) -> Found | None:
    """Of one sentence. `spoken`: its phones in programme samples. `track`: the mouth's frames (programme sample,
    weights 0..255). `guess`: page time minus programme time, in samples. None: too little of it was drawn."""
    voice, voice_fit = heard_after(spoken, *sound, guess)
    start, end = (int(at + guess) / SAMPLES_PER_MS for at in (spoken[0][1], spoken[-1][2]))
    of_it = [each for each in drawn if start - 100 <= each[0] <= end + 100]
    if len(of_it) < FEWEST_DRAWINGS:
        return None
    mouth, mouth_fit = drawn_after(of_it, track, guess / SAMPLES_PER_MS)
    return Found(mouth - voice / SAMPLES_PER_MS, voice_fit, mouth_fit, len(of_it))


def drawn_after(
    drawn: Sequence[Drawing], track: Sequence[tuple[int, Sequence[int]]], guess_ms: float
) -> tuple[float, float]:
    """By how many ms the drawings lag the mouth's frames, near `guess_ms`, and the correlation there."""
    at_ms = np.array([each[0] for each in drawn])
    shown = np.array([[each[1].get(f"viseme_{name}", 0.0) for name in VISEMES[1:]] for each in drawn])
    ordered = sorted(dict(track).items())
    true_ms = np.array([(sample + TICK_MIDDLE) / SAMPLES_PER_MS for sample, _ in ordered])
    wanted = np.array([weights[1:] for _, weights in ordered]) / 255
    lags = guess_ms + np.arange(-FURTHEST_MS, FURTHEST_MS + 1, 2)
    fits = []
    for each in lags:
        then = np.stack([np.interp(at_ms - each, true_ms, shape) for shape in wanted.T], 1)
        fits.append(float(np.corrcoef(then.ravel(), shown.ravel())[0, 1]) if then.std() and shown.std() else 0.0)
    return float(lags[int(np.argmax(fits))]), max(fits)
