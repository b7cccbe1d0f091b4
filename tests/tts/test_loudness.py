"""Loudness by ITU-R BS.1770, and the limiter."""

from __future__ import annotations

import numpy as np
import pytest

from workers.tts.loudness import CEILING, TARGET_LUFS, Samples, gain_to_target, integrated_lufs, limited

SECONDS = np.arange(3 * 48_000) / 48_000


def sine(amplitude: float, hertz: float = 997.0) -> Samples:
    return (amplitude * np.sin(2 * np.pi * hertz * SECONDS)).astype(np.float32)


def test_a_full_sine_at_997_hz_is_3_below_full_scale() -> None:
    assert integrated_lufs(sine(1.0)) == pytest.approx(-3.01, abs=0.05)  # the standard's own calibration


def test_pauses_do_not_count() -> None:
    paused: Samples = np.concatenate([sine(0.1), np.zeros(5 * 48_000, np.float32)])
    assert integrated_lufs(paused) == pytest.approx(integrated_lufs(sine(0.1)), abs=0.4)


def test_the_gain_brings_a_signal_to_the_target() -> None:
    quiet = sine(0.02)
    assert integrated_lufs(quiet * gain_to_target(quiet)) == pytest.approx(TARGET_LUFS, abs=0.05)


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_silence_and_very_short_sounds_are_left_alone(length: int) -> None:
    assert gain_to_target(np.zeros(length, np.float32)) == 1.0


def test_no_peak_leaves_the_limiter_above_the_ceiling() -> None:
    loud = sine(0.5)
    loud[70_000:70_100] *= 4
    out = limited(loud)
    assert np.abs(out).max() <= CEILING + 1e-6
    assert np.array_equal(out[:60_000], loud[:60_000])


def test_a_quiet_signal_passes_untouched() -> None:
    assert limited(sine(0.5)) is not None
    assert np.array_equal(limited(sine(0.5)), sine(0.5))
