from __future__ import annotations

import numpy as np
import pytest

from workers.programme.idle import idle

TICK = 960


def blinks(seed: int, minutes: int) -> list[float]:
    """When the lids begin to fall, in seconds; a double blink counts once."""
    shut = [idle(n * TICK, seed).blink > 0.5 for n in range(minutes * 3_000)]
    begins = [n / 50 for n in range(1, len(shut)) if shut[n] and not shut[n - 1]]
    return [at for k, at in enumerate(begins) if k == 0 or at - begins[k - 1] > 0.5]


@pytest.mark.parametrize("seed", [0, 1, 4_000_000_000])
def test_blinks_come_every_2_to_6_seconds_and_not_like_a_clock(seed: int) -> None:
    gaps = np.diff(blinks(seed, 5))
    assert gaps.min() > 1.9
    assert gaps.max() < 6.1
    assert gaps.std() > 0.4
    assert 12 <= len(gaps) / 5 <= 18


def test_a_blink_shuts_the_eyes_and_is_over_in_a_third_of_a_second() -> None:
    lids = [idle(n * 480, 7).blink for n in range(20_000)]
    assert max(lids) == 1.0
    assert sum(lid > 0 for lid in lids) / len(lids) < 0.09


def test_nothing_jumps_but_the_eyes() -> None:
    faces = [idle(n * TICK, 3) for n in range(6_000)]
    for axis, step in (("yaw", 0.004), ("pitch", 0.002), ("roll", 0.002), ("breath", 0.05)):
        values = np.array([getattr(face, axis) for face in faces])
        assert np.abs(np.diff(values)).max() < step, axis
        assert values.std() > step / 4, f"{axis} moves"


def test_everything_stays_in_its_range_over_an_hour() -> None:
    for n in range(0, 180_000, 13):
        face = idle(n * TICK, 11)
        assert 0 <= face.blink <= 1
        assert 0 <= face.breath <= 1
        assert abs(face.gaze_x) <= 1
        assert abs(face.gaze_y) <= 1
        assert abs(face.yaw) < 0.06
        assert abs(face.pitch) < 0.03
        assert abs(face.roll) < 0.03


def test_life_is_a_pure_function_of_sample_and_seed() -> None:
    assert idle(123_456, 5) == idle(123_456, 5)
    assert idle(123_456, 5) != idle(123_456, 6)


def test_two_sessions_do_not_blink_together() -> None:
    assert set(blinks(1, 2)) != set(blinks(2, 2))
