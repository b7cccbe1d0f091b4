from __future__ import annotations

import numpy as np
import pytest

from workers.vad.log_mel import SAMPLES, log_mel


def by_the_definition(sound: np.ndarray) -> np.ndarray:
    """The same features the long way: explicit Fourier sums, triangles drawn point by point, double precision."""
    x = np.concatenate([np.zeros(SAMPLES - len(sound)), sound.astype(np.float64)])
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    x = np.concatenate([x[200:0:-1], x, x[-2:-202:-1]])
    n, k = np.arange(400), np.arange(201)
    fourier = np.exp(-2j * np.pi * np.outer(k, n) / 400)
    window = np.sin(np.pi * n / 400) ** 2
    power = np.array([np.abs(fourier @ (window * x[at : at + 400])) ** 2 for at in range(0, SAMPLES, 160)])

    def hz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * np.log(8) / np.log(6.4)
    corners = [hz(top * i / 81) for i in range(82)]
    bands = np.zeros((80, 201))
    for band, (low, middle, high) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        for bin_, f in enumerate(np.linspace(0, 8000, 201)):
            height = (f - low) / (middle - low) if f <= middle else (high - f) / (high - middle)
            bands[band, bin_] = max(height, 0) * 2 / (high - low)
    decades = np.log10(np.maximum(bands @ power.T, 1e-10))
    return (np.maximum(decades, decades.max() - 8) + 4) / 4


def test_features_are_what_the_definition_gives() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20_000)
    sound = noise * np.sin(np.arange(20_000) / 3000) + 0.2 * np.sin(np.arange(20_000) * 0.3)
    assert np.abs(log_mel(sound.astype(np.float32)) - by_the_definition(sound)).max() < 2e-3


@pytest.mark.parametrize("samples", [0, 1, 399, SAMPLES, SAMPLES + 12_345])
def test_any_length_gives_finite_features_of_eight_seconds(samples: int) -> None:
    features = log_mel(np.ones(samples, np.float32) * 0.1)
    assert features.shape == (80, 800)
    assert np.isfinite(features).all()


def test_only_the_newest_eight_seconds_count() -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, SAMPLES + 5000).astype(np.float32)
    assert np.array_equal(log_mel(sound), log_mel(sound[5000:]))
