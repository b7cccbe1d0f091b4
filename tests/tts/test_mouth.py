"""The mouth track from given shapes, without a voice."""

from __future__ import annotations

import numpy as np
import pytest

from broker.visemes import VISEMES
from workers.tts.mouth import Shape, Track, mouth_track


def track(*shapes: tuple[str, float, float], frames: int = 100, level: float = 0.3) -> Track:
    rng = np.random.default_rng(7)
    pcm = (level * rng.standard_normal(frames * 480)).astype(np.float32)
    return mouth_track([Shape(viseme=name, start_s=start, end_s=end) for name, start, end in shapes], pcm, frames)


def weight(mouth: Track, viseme: str, seconds: float) -> float:
    return float(mouth[round(seconds * 100), VISEMES.index(viseme)]) / 255


@pytest.mark.parametrize("viseme", VISEMES[1:])
def test_a_held_shape_is_reached_and_left(viseme: str) -> None:
    mouth = track((viseme, 0.3, 0.6))
    assert weight(mouth, viseme, 0.45) > 0.6
    assert weight(mouth, "sil", 0.1) == pytest.approx(1, abs=0.02)
    assert weight(mouth, "sil", 0.70) > 0.97


def test_weights_of_a_frame_sum_to_one() -> None:
    mouth = track(("aa", 0.1, 0.3), ("PP", 0.3, 0.38), ("O", 0.38, 0.6), ("SS", 0.6, 0.8))
    assert np.abs(mouth.sum(axis=1, dtype=int) - 255).max() <= 8


def test_lips_close_completely_between_open_vowels() -> None:
    mouth = track(("aa", 0.1, 0.3), ("PP", 0.3, 0.35), ("aa", 0.35, 0.6))
    assert weight(mouth, "PP", 0.32) >= 0.9
    assert weight(mouth, "aa", 0.32) <= 0.05


def test_a_closure_of_a_single_frame_still_lasts_a_picture() -> None:
    mouth = track(("aa", 0.1, 0.3), ("PP", 0.3, 0.31), ("aa", 0.31, 0.6))
    assert (mouth[:, VISEMES.index("PP")] >= 230).sum() >= 4


def test_rounding_begins_before_its_sound() -> None:
    mouth = track(("SS", 0.2, 0.4), ("U", 0.4, 0.6))
    assert weight(mouth, "U", 0.34) > 0.15
    assert weight(mouth, "U", 0.20) < 0.05


def test_lips_are_quicker_than_the_jaw() -> None:
    lips = track(("nn", 0.1, 0.3), ("PP", 0.3, 0.5), ("nn", 0.5, 0.8))
    jaw = track(("nn", 0.1, 0.3), ("aa", 0.3, 0.5), ("nn", 0.5, 0.8))
    assert weight(lips, "PP", 0.56) / weight(lips, "PP", 0.44) < weight(jaw, "aa", 0.56) / weight(jaw, "aa", 0.44)


def test_quiet_vowels_open_less() -> None:
    pcm = np.full(48_000, 0.4, np.float32)
    pcm[24_000:] = 0.04
    shapes = [Shape(viseme="aa", start_s=0.05, end_s=0.45), Shape(viseme="aa", start_s=0.55, end_s=0.95)]
    mouth = mouth_track(shapes, pcm, 100)
    assert weight(mouth, "aa", 0.75) < 0.8 * weight(mouth, "aa", 0.25)


def test_no_shapes_is_a_closed_mouth_and_no_frames_is_nothing() -> None:
    assert (track()[:, 0] == 255).all()
    assert track(frames=0).shape == (0, 15)


def test_silence_in_the_sound_does_not_break_the_track() -> None:
    assert weight(track(("aa", 0.3, 0.6), level=0.0), "aa", 0.45) > 0.2
