"""Programme samples, RTP timestamps and wall time agree, also across RTP's wrap."""

from __future__ import annotations

import time

import pytest

from broker.clock import now_ns
from webrtc.media_clock import NTP_EPOCH_S, MediaClock

CLOCK = MediaClock(origin_ns=0, wall_ns=10**18, audio_offset=2**32 - 5000, video_offset=77)


@pytest.mark.parametrize("sample", [0, 4999, 5000, 48_000, 2**32 - 1, 2**32 + 5, 5 * 2**32 + 960])
@pytest.mark.parametrize("near", [-3000, 0, 96_000])
def test_an_acknowledged_timestamp_is_the_sample_it_was_made_from(sample: int, near: int) -> None:
    assert CLOCK.programme_sample(CLOCK.audio_rtp(sample), sample + near) == sample


def test_video_time_is_fifteen_eighths_of_the_sample() -> None:
    assert CLOCK.video_rtp(1920) - CLOCK.video_rtp(0) == 3600
    assert CLOCK.video_rtp(1600) - CLOCK.video_rtp(0) == 3000


def test_sound_and_picture_of_one_sample_have_one_wall_time() -> None:
    assert CLOCK.ntp(48_000) - CLOCK.ntp(0) == 1 << 32
    half = CLOCK.ntp(24_000) - CLOCK.ntp(0)
    assert abs(half - (1 << 31)) <= 1


def test_wall_time_is_the_hosts() -> None:
    clock = MediaClock.start(now_ns())
    assert abs((clock.ntp(0) >> 32) - NTP_EPOCH_S - time.time()) < 2


def test_two_sessions_do_not_share_offsets() -> None:
    assert len({MediaClock.start(0).audio_offset for _ in range(20)}) == 20
