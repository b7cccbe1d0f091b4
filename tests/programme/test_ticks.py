from __future__ import annotations

import pytest

from workers.programme.ticks import TICK_SAMPLES, newest_picture, picture_sample, picture_tick, tick_at


@pytest.mark.parametrize("fps", [5, 7, 12, 25, 29, 30, 48, 50])
def test_every_picture_leaves_in_exactly_one_tick_and_that_tick_holds_its_sample(fps: int) -> None:
    seen = []
    for tick in range(1000):
        before, here = newest_picture(tick - 1, fps), newest_picture(tick, fps)
        assert here - before in (0, 1)
        if here > before:
            seen.append(here)
            assert picture_tick(here, fps) == tick
            assert tick * TICK_SAMPLES <= picture_sample(here, fps) < (tick + 1) * TICK_SAMPLES
    assert seen == list(range(len(seen)))
    assert len(seen) == fps * 20


def test_pictures_at_30_fps_are_1600_samples_apart() -> None:
    assert [picture_sample(n, 30) for n in range(4)] == [0, 1600, 3200, 4800]


def test_the_newest_due_tick_is_never_before_the_origin() -> None:
    assert tick_at(10_000, 0) == 0
    assert tick_at(0, 59_999_999) == 2
