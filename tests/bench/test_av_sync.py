"""Where the sync bench finds the sound of a sentence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bench.av_sync import heard_after
from tests.stack.caller import QUANTUM, RATE_HZ

MS = RATE_HZ // 1000


@pytest.mark.parametrize("late_ms", [-150, 0, 37, 210])
def test_the_sound_of_a_sentence_is_found_by_its_vowels(late_ms: int) -> None:
    chance = np.random.default_rng(1)
    bounds = np.cumsum(chance.integers(50, 180, 31)) * MS + RATE_HZ
    names = ["aa", "t", "s", "iy", "d"]
    spoken = [(names[n % 5], float(a), float(b)) for n, (a, b) in enumerate(itertools.pairwise(bounds))]
    frames = np.arange(0, 8 * RATE_HZ, QUANTUM)
    level = np.full(len(frames), 0.0005)
    for name, start, end in spoken:
        inside = (frames >= start + late_ms * MS) & (frames < end + late_ms * MS)
        level[inside] = {"aa": 0.1, "iy": 0.06, "s": 0.02}.get(name, 0.002)
    delay, fit = heard_after(spoken, frames, level, guess=20.0 * MS)
    assert delay == pytest.approx(late_ms * MS, abs=5 * MS)
    assert fit > 0.8


def test_a_sentence_that_was_not_recorded_is_not_found() -> None:
    spoken = [("aa", 9.0 * RATE_HZ, 9.5 * RATE_HZ)]
    assert heard_after(spoken, np.arange(0, RATE_HZ, QUANTUM), np.ones(RATE_HZ // QUANTUM), guess=0.0) == (0.0, 0.0)
